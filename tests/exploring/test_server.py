"""The explorer's server, asked as a browser asks it, on an instance whose numbers are derived by hand."""

import asyncio
import dataclasses
import io
import json
import zipfile

import httpx
import pytest

import planner
from planner.errors import UsageError
from planner.exploring import stops
from planner.exploring.page import page
from planner.exploring.server import HEADERS, LARGEST, Asked, _Server
from planner.exploring.serving import serve
from planner.exploring.words import WORDS
from planner.exploring.workers import Worker
from planner.instance.loading import load
from planner.language import language
from planner.questions.explore import NO_PLAN

HOST = "127.0.0.1:8000"
TOKEN = "t" * 43


@pytest.fixture(scope="module")
def run():
    """Runs coroutines in one loop, so that all tests share the processes of one server."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(scope="module")
def client(run):
    """Asks the application; it has the cookie."""
    server = _Server(Asked(load("tiny"), 0.003, None, (HOST,), TOKEN))
    transport = httpx.ASGITransport(server.app)
    made = httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies={server._cookie: TOKEN})
    made.server, life = server, server.app.router.lifespan_context(server.app)
    run(life.__aenter__())
    yield made
    run(made.aclose())
    run(life.__aexit__(None, None, None))


async def asked(client, *changes, kinds=("relaxed", "whole")):
    """The messages that answer a question."""
    answer = await client.post("/ask", json={"changes": changes, "kinds": kinds}, timeout=60)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def numbers(messages, kind):
    return next(m for m in messages if m["type"] == "numbers" and m["kind"] == kind)


def test_a_state_is_answered_by_its_relaxation_and_then_by_whole_projects(run, client):
    # instances/tiny: 4.1 MUSD in 2026; with half the deliveries clean in 2027 5.05 MUSD and 0.6 a year of the line of
    # 60 t. The relaxation builds 50/60 of the line: 9.15 + 0.5; the plan all of it: 9.15 + 0.6. Up to 1e-7 of the cost
    # may be spent on less exposure.
    messages = run(asked(client))
    bound, plan = numbers(messages, "relaxed"), numbers(messages, "whole")
    assert bound["cost"] == pytest.approx(9.65, rel=1.1e-7)
    assert plan["cost"] == pytest.approx(9.75, rel=1.1e-7)
    assert bound["metrics"]["exposed_share"] == {"2026": 1.0, "2027": pytest.approx(0.5, abs=1e-6)}
    assert [m["kind"] for m in messages if m["type"] == "sections"] == ["relaxed", "whole"]
    # 30 % more demand: 130 t at 41,000 USD, then at most 60 t of the line and as many exposed, and 10 t are short
    more = numbers(run(asked(client, "scale demand=1.3", kinds=["whole"])), "whole")
    assert more["cost"] == pytest.approx(130 * 0.041 + 60 * 0.06 + 60 * 0.041 + 0.6 + 10 * 1.0, rel=1.1e-7)
    assert more["command"] == "planner solve tiny --scale demand=1.3 --gap 0.003"


def test_what_cannot_be_asked_is_told_in_a_sentence(run, client):
    error = run(asked(client, "scale demnad=2"))[-1]
    assert error == {"type": "error", "text": 'scale demnad=2: unknown table demnad; did you mean "demand"?'}
    wrong = run(client.post("/ask", json={"changes": ["bend it"]}))
    assert (wrong.status_code, wrong.text.startswith('"bend it": expected a change')) == (422, True)
    # nothing clean can be had in 2026, so all would be short, and that is forbidden
    none = run(asked(client, "cap exposed_share=0%@2026", "set sectors.min_service=1"))
    assert none[-1] == {"type": "error", "text": NO_PLAN}


def test_nobody_gets_anything_without_the_token_and_from_elsewhere(run, client):
    alone = httpx.AsyncClient(transport=httpx.ASGITransport(client.server.app), base_url=f"http://{HOST}")
    for path in ("/", "/file/explore.js", "/file/plotly.js", "/?token=wrong"):
        assert run(alone.get(path)).status_code == 403
    assert run(alone.post("/ask", json={"changes": []})).status_code == 403
    entered = run(alone.get(f"/?token={TOKEN}"))
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert "HttpOnly" in entered.headers["set-cookie"] and "SameSite=strict" in entered.headers["set-cookie"]
    assert run(client.get("/", headers={"host": "evil.example:8000"})).status_code == 421
    crossed = run(client.post("/ask", json={"changes": []}, headers={"origin": "http://evil.example"}))
    assert crossed.status_code == 403
    page = run(client.get("/"))
    assert page.status_code == 200
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert run(client.post("/ask", json={"changes": ["x" * LARGEST]})).status_code == 413
    assert run(client.post("/ask", content=b"{}", headers={"content-type": "text/plain"})).status_code == 415
    assert run(client.get("/file/..%2Fserver.py")).status_code == 404
    run(alone.aclose())


def test_the_overlay_that_is_taken_away_costs_what_was_shown(run, client, tmp_path, monkeypatch):
    packed = run(client.post("/overlay", json={"changes": ["cap exposed_share=40%@2027"]})).content
    shown = numbers(run(asked(client, "cap exposed_share=40%@2027", kinds=["relaxed"])), "relaxed")
    monkeypatch.chdir(tmp_path)
    zipfile.ZipFile(io.BytesIO(packed)).extractall(tmp_path)
    again = planner.solve("what-if", relax=True)
    assert shown["cost"] == pytest.approx(again.objective_musd, rel=1e-6)
    assert shown["metrics"]["exposed_share"] == pytest.approx(again.metrics["exposed_share"], rel=1e-6)


def test_a_process_that_dies_is_told_and_replaced(run, client):
    worker = client.server.workers["relaxed"]

    async def killed():
        told = []
        async for message in client.server._messages("relaxed", {"changes": ["scale demand=0.5"]}):
            told.append(message)
            if message["type"] == "begun":
                await worker.ready()
                worker._process.kill()
        return told

    assert run(killed())[-1] == {"type": "error", "text": WORDS["died"]}
    again = run(asked(client, "scale demand=0.5", kinds=["relaxed"]))
    assert numbers(again, "relaxed")["cost"] == pytest.approx(4.825, rel=1.1e-7)  # half of what 9.65 is for


def test_a_reader_who_moves_on_stops_the_search_and_the_process_lives(run, client):
    worker = client.server.workers["whole"]

    async def given_up():
        await worker.ready()
        before = worker._process.pid
        async for message in client.server._messages("whole", {"changes": ["scale demand=0.9"]}):
            if message["type"] == "begun":
                break
        while worker.busy:
            await asyncio.sleep(0.05)
        return before

    run(asked(client, kinds=["whole"]))
    before = run(given_up())
    assert worker._process.pid == before
    assert numbers(run(asked(client, "scale demand=0.9", kinds=["whole"])), "whole")["cost"] == pytest.approx(
        9.15 * 0.9 + 0.6, rel=1.1e-7
    )


def test_the_curve_has_the_place_of_the_reader(run, client):
    # 40 % exposed in 2027 uses the whole line: 4.1 + 60 x 0.06 + 40 x 0.041 + 0.6 = 9.94 MUSD, 0.29 more than 9.65,
    # which a limit of 50 % costs as well as none does, as tiny has this cap itself
    points = [[limit, f"cap exposed_share={limit:.0%}@2027"] for limit in (0.4, 0.5, 1.0)]
    answer = run(client.post("/curve", json={"changes": [], "points": points, "here": 0.4}))
    last = [json.loads(line) for line in answer.text.splitlines()][-1]
    assert (last["type"], last["kind"]) == ("sections", "curve")
    (drawing,) = last["drawings"].values()
    assert drawing["columns"] == ["limit", "extra_musd"]
    assert drawing["rows"] == [[1.0, 0.0], [0.5, 0.0], [0.4, pytest.approx(0.29, rel=1e-6)]]
    assert run(client.post("/curve", json={"changes": [], "points": [["x", "y"]], "here": None})).status_code == 400
    assert run(client.post("/ask", json={"changes": [], "kinds": 5})).status_code == 400


NAMES = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "'); alert(3); ('", "../../etc/passwd",
         "\u202eabc\u2028", "{{ 7 * 7 }}", "a\x00b", "=cmd|' /C calc'!A0", "%s%n", "\ud800")  # fmt: skip
WHAT_IFS = ("scale demand={}", "set {}=1", "cap exposed_share={}@2027", "without owner={}", "forbid {}",
            "force {}@2026", "scale demand=2 where sector={}")  # fmt: skip


@pytest.mark.parametrize("change", [text.format(name) for text in WHAT_IFS for name in NAMES])
def test_a_hostile_what_if_is_refused_in_words_and_is_only_ever_json(run, client, change):
    body = json.dumps({"changes": [change], "kinds": ["relaxed"]})
    answer = run(client.post("/ask", content=body, headers={"content-type": "application/json"}))
    assert answer.status_code in (200, 422)
    assert answer.headers["content-type"].startswith(("application/x-ndjson", "text/plain"))
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.status_code == 200:
        last = json.loads(answer.text.splitlines()[-1])
        assert last["type"] == "error" and last["text"] and "Traceback" not in last["text"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/ask", {"origin": "null"}, 403),
        ("POST", "/ask", {"origin": "https://127.0.0.1:8000"}, 403),
        ("POST", "/ask", {"origin": "http://127.0.0.1:8000.evil.example"}, 403),
        ("POST", "/ask", {"origin": "http://127.0.0.1:9000"}, 403),
        ("POST", "/ask", {"sec-fetch-site": "cross-site"}, 403),
        ("POST", "/ask", {"sec-fetch-site": "same-site"}, 403),
        ("POST", "/ask", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/save", {}, 404),
        ("GET", "/ask", {}, 405),
        ("GET", "/save", {}, 405),
        ("PUT", "/", {}, 405),
        ("GET", "/", {"host": "127.0.0.1"}, 421),
        ("GET", "/", {"host": "127.0.0.1:8000.evil.example"}, 421),
        ("GET", "/", {"host": "evil.example"}, 421),
        ("GET", "/", {"host": "0.0.0.0:8000"}, 421),
        ("GET", "/", {"cookie": "planner-8000="}, 403),
        ("GET", "/", {"cookie": f"planner-8001={TOKEN}"}, 403),
        ("GET", "/", {"cookie": f"planner-8000={TOKEN[:-1]}"}, 403),
        ("GET", "/", {"cookie": "planner-8000=\xe9"}, 403),
        ("GET", "/?token=", {}, 403),
        ("GET", "/file/server.py", {}, 404),
        ("GET", "/file/..%2f..%2fpyproject.toml", {}, 404),
        ("GET", "/file/%2e%2e", {}, 404),
        ("GET", "/../pyproject.toml", {}, 404),
        ("GET", "//etc/passwd", {}, 404),
    ],
)
def test_a_hostile_request_is_refused(run, client, method, path, headers, status):
    sent = {"content-type": "application/json", **headers}
    raw = [(k.encode(), v.encode("latin-1")) for k, v in sent.items()]
    body = json.dumps({"changes": []}) if method == "POST" else None
    assert run(client.request(method, path, headers=raw, content=body)).status_code == status


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", "7", "{", '{"changes": 7}', '{"changes": [7]}', '{"changes": null}', '{"changes": {"a": 1}}',
     '{"changes": ["' + "x" * 501 + '"]}', '{"changes": [' + '"scale demand=1",' * 200 + '"scale demand=1"]}',
     "[" * 5000],
)  # fmt: skip
def test_a_body_that_is_no_question_is_refused(run, client, body):
    answer = run(client.post("/ask", content=body, headers={"content-type": "application/json"}))
    assert answer.status_code in (400, 422)


async def stopped(client, lost, year, months, *changes):
    said = {"changes": changes, "lost": lost, "year": year, "months": months}
    return await client.post("/stop", json=said, timeout=60)


def test_what_a_stop_would_do_to_the_plan(run, client):
    # the plan's line makes 60 of the 100 t of 2027: in nine months 45 of 75, and 30 are short; at 1 MUSD a tonne, less
    # the 41,000 USD of a tonne that is not bought
    heard = [json.loads(line) for line in run(stopped(client, "export_stop:CHN", 2027, 9)).text.splitlines()]
    html = next(m for m in heard if m["type"] == "sections" and m["kind"] == "stop")["html"]
    assert "All exports of China, 9 months from January 2027 on" in html
    assert "30 t less are delivered than the plan delivers" in html
    assert "What is missed most: NdFeB magnet from China." in html
    # the United States export nothing
    none = [json.loads(line) for line in run(stopped(client, "export_stop:USA", 2026, 3)).text.splitlines()][-1]
    assert none == {"type": "error", "text": WORDS["stop nothing"]}


def test_what_the_audit_and_the_study_of_a_stop_say_is_told(monkeypatch):
    def faulty(*given, **asked):
        return dataclasses.replace(stress(*given, **asked), faults={"export_stop:CHN": "a tonne"}, notes=("by years",))

    stress = stops.stress
    assert stops.tried(planner.solve("tiny"), "export_stop:CHN", 2027, 6).warnings == []
    monkeypatch.setattr(stops, "stress", faulty)
    section = stops.tried(planner.solve("tiny"), "export_stop:CHN", 2027, 6)
    assert section.warnings == ["a tonne"] and section.lead[-1] == "by years"


def test_a_stop_that_was_interrupted_answers_nothing(monkeypatch):
    def halted(*given, **asked):
        whole = stress(*given, **asked)
        return dataclasses.replace(whole, cases=whole.cases[whole.cases["kind"] == "none"], complete=False)

    stress = stops.stress
    monkeypatch.setattr(stops, "stress", halted)
    with pytest.raises(KeyboardInterrupt):
        stops.tried(planner.solve("tiny"), "export_stop:CHN", 2027, 6)


@pytest.mark.parametrize(
    ("lost", "year", "months"),
    [("export_stop:XXX", 2027, 9), ("scenario:x", 2027, 9), ("export_stop:CHN", 2040, 9), ("export_stop:CHN", 2027, 0),
     ("export_stop:CHN", 2027, 25), ("export_stop:CHN", "2027", 9), ("export_stop:CHN", 2027, True), (None, None, None),
     (["export_stop:CHN"], [2027], {})],
)  # fmt: skip
def test_a_stop_that_the_page_does_not_offer_is_refused(run, client, lost, year, months):
    assert run(stopped(client, lost, year, months)).status_code == 400


def test_the_ranges_of_what_costs_little_more(run, client):
    # tiny's relaxation costs 9.65 MUSD with 50 of the 60 t of the line. A line larger by a part p of itself costs 0.6 p
    # more, and fewer clean tonnes in 2027 leave as many exposed ones undelivered too: 1 t less of the line is 2 t
    # short, 2 MUSD, less what they cost. With 0.5 % (0.04825 MUSD) the line may be 50/60 + 0.04825/0.6 at most, and at
    # least 50/60 - 0.04825 / (60 x (2 - 0.06 - 0.041 - 0.01)). Held at 0.9 of itself nothing is left to choose.
    def ranges(slack, held):
        answer = run(client.post("/freedom", json={"changes": [], "slack": slack, "held": held}))
        return [json.loads(line) for line in answer.text.splitlines()]

    (free,) = [m for m in ranges(0.005, {}) if m["type"] == "range"]
    assert free["most"] == pytest.approx(50 / 60 + 0.04825 / 0.6, rel=1e-6)
    assert free["least"] == pytest.approx(50 / 60 - 0.04825 / (60 * (2 - 0.06 - 0.041 - 0.01)), rel=1e-6)
    (fixed,) = [m for m in ranges(0.005, {"texas-line": 0.9}) if m["type"] == "range"]
    assert (fixed["least"], fixed["most"]) == (pytest.approx(0.9), pytest.approx(0.9))
    assert ranges(0.001, {"texas-line": 0.9})[-1]["type"] == "error"  # 0.04 MUSD more is more than 0.1 %
    assert ranges(0.005, {"nothing": 1.0})[-1]["type"] == "error"
    assert run(client.post("/freedom", json={"changes": [], "slack": "x", "held": {}})).status_code == 400


@pytest.mark.parametrize(("host", "says"), [("0.0.0.0", "name the address"), ("203.0.113.7", "nothing can listen")])
def test_an_address_at_which_nothing_can_be_served_is_refused(host, says):
    with pytest.raises(UsageError, match=says):
        serve(load("tiny"), gap=0.01, folder=None, host=host, port=0, browser=False, tell=print)


def test_in_another_language_the_page_and_the_answers_are_of_it(tmp_path):
    instance = load("tiny")

    async def answer(worker):
        try:
            return [message async for message in worker.answers({"changes": []})]
        finally:
            worker.end()

    with language("ja"):
        text = page(instance, saves=True)
        said = asyncio.run(answer(Worker(instance, 0.0, "relaxed")))  # by a process of its own
    assert '<html lang="ja">' in text and "条件を変える" in text and "What if" not in text
    numbers = next(message for message in said if message["type"] == "numbers")
    assert "費用" in numbers["rows"][0]["label"] and "Cost" not in str(numbers["rows"])
