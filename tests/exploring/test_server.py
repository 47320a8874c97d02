"""The explorer's server, asked as a browser asks it, on an instance whose numbers are derived by hand."""

import asyncio
import io
import json
import zipfile

import httpx
import pytest

import planner
from planner.exploring.server import HEADERS, LARGEST, Asked, _Server
from planner.instance.loading import load
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
    assert more["command"] == "planner solve tiny --scale demand=1.3"


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
    run(asked(client, kinds=["relaxed"]))
    worker = client.server.workers["relaxed"]
    worker._process.kill()
    worker._process.join()
    again = run(asked(client, "scale demand=0.5", kinds=["relaxed"]))
    assert numbers(again, "relaxed")["cost"] == pytest.approx(4.825, rel=1.1e-7)  # half of what 9.65 is for
