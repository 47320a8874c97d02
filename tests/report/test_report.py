"""The report: opens without a network, draws every figure, escapes all it is given, tells what the plan says."""

import base64
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from builders import TABLES, edited, write_instance
from pages import HOSTILE, Elements, drawings, hostile_instance, opened, undrawn, unpacked

import planner
from planner import words
from planner.errors import OutputError
from planner.questions.evidence.evidence import backing
from planner.reporting import page
from planner.reporting.looks import CONCERN, COUNTRIES, look
from planner.reporting.sections import chain, findings, prices, trust, worldmap
from planner.reporting.sections import frontier as curve
from planner.reporting.view import View

ROOT = Path(__file__).parents[2]
SMALL = ["tiny", "traced-cap", "lead-and-ramp", "stock-cover"]
CASES = sorted(
    p.parent.name
    for p in (ROOT / "tests" / "cases").glob("*/expected.json")
    if json.loads(p.read_text())["status"] == "optimal"
)

_plans: dict[str, tuple[planner.Instance, planner.Plan]] = {}


def solved(name):
    """An instance of the project and its plan, solved once."""
    if name not in _plans:
        folder = ROOT / "instances" / name
        instance = planner.load(folder if folder.is_dir() else ROOT / "tests" / "cases" / name / "instance")
        _plans[name] = instance, planner.solve(instance)
    return _plans[name]


# --- what every page holds ---


@pytest.mark.parametrize("name", SMALL + CASES)
def test_every_small_plan_gives_a_whole_page(name):
    _instance, plan = solved(name)
    text = planner.report(plan)
    elements = Elements(text)
    drawn = drawings(text)
    figures = [a["id"] for a in elements.of("figure")]
    assert sorted(figures) == sorted(drawn)
    assert "dependence-shares" in figures
    for spec in drawn.values():
        assert spec["columns"] and spec["rows"], "data to download"
        assert all(len(row) == len(spec["columns"]) for row in spec["rows"])
    for image in (a for a in elements.of("div") if a.get("role") == "img"):
        assert len(image["aria-label"]) > 20
    levels = [int(tag[1]) for tag, _ in elements.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in elements.of("a") if a["href"].startswith("#")} <= set(ids)


@pytest.mark.parametrize("name", SMALL + CASES)
def test_charts_are_valid_for_the_library(name):
    import plotly.graph_objects as go

    _instance, plan = solved(name)
    for spec in drawings(planner.report(plan)).values():
        for view in spec["views"].values():
            assert view["data"]
            go.Figure(view)  # refuses unknown names and values


def test_same_run_same_bytes(tmp_path):
    _instance, plan = solved("tiny")
    plan.write(tmp_path / "run")
    first = planner.report(planner.read_run(tmp_path / "run"))
    assert first == planner.report(planner.read_run(tmp_path / "run"))
    assert first == planner.report(plan)


def test_nothing_is_fetched_and_only_the_page_s_scripts_may_run():
    _instance, plan = solved("tiny")
    text = planner.report(plan)
    elements = Elements(text)
    assert not any("src" in a for _, a in elements.tags)
    assert not elements.of("link") and not elements.of("iframe") and not elements.of("base")
    policy = next(a["content"] for a in elements.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert len(re.findall("sha256-", policy)) == 2
    assert not any(name.startswith("on") for _, a in elements.tags for name in a)
    code = unpacked(text, "library")
    assert code.count("plotly.js v") == 1
    assert f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" in policy


# --- what it says ---


def test_findings_of_tiny_are_those_derived_by_hand():
    # instances/tiny/README.md: 9.75 MUSD for 200 t, a plant of 60 t for 6 MUSD from 2027, cap of a half binding:
    # a point more saves 1 t of 100 at 19 USD a kg = 0.019 MUSD; 9.75e6 / 200,000 kg = 48.75 USD a kg
    instance, plan = solved("tiny")
    text = " ".join(findings.sentences(View(instance, plan)))
    assert "Supplying 200 t over 2026-2027 costs 9.75 million USD" in text
    assert "48.8 USD for each kilogram delivered" in text
    assert "100% of what is delivered depends on" in text and "50.0% in 2027; the cap allows 50.0% in 2027" in text
    assert "1 project in 1 country is built for 6 million USD overnight" in text
    assert "All demand is met in every year." in text
    assert "One percentage point more on the cap “half” in 2027 would save about 19 thousand USD" in text


def test_traced_cap_says_what_the_stage_share_hides():
    instance, plan = solved("traced-cap")
    view = View(instance, plan)
    last = instance.years[-1]
    shown, traced = view.stage_share[instance.stages[-1]][last], view.exposed_share[last]
    said = any("hides part of it" in s for s in findings.sentences(view))
    assert said == (traced - shown >= 0.005)


def test_a_shortage_is_said_first_of_all_numbers(tmp_path):
    # 100 t wanted in 2026; the shop makes at most 300 t but 1 t of metal comes from works of 0 t: nothing is made
    tables = {**TABLES, "markets": None, "market_prices": None}
    tables = {k: v for k, v in tables.items() if v is not None}
    tables["facilities"] = edited("facilities", 3, capacity_t=0)
    instance = planner.load(write_instance(tmp_path / "in", tables))
    plan = planner.solve(instance)
    view = View(instance, plan)
    short, demand = findings.totals(view)
    assert short == pytest.approx(demand)
    assert demand == pytest.approx(2 * 100 + 2 * 150 + 200)  # linear from 100 in 2026 to 200 in 2030; 2+2+1 years
    key = next(k for k in findings.keys(view) if k.label == "Not delivered")
    assert (key.value, key.more, key.tone) == ("700 t", "100% of demand", "bad")
    text = planner.report(plan)
    assert "700 t are not delivered, 100% of the demand" in text
    assert "shortages-sectors" in drawings(text)


def test_flow_diagram_balances_by_hand(tmp_path):
    # The shop presses what it buys: 1.2 t of metal a tonne. Only 40 t of metal can be bought in 2026, the works in CHN
    # make the rest: ore of AAA is lowered to exposed there. All 100 t go to AAA, so does the metal to BBB.
    instance = planner.load(write_instance(tmp_path / "in"))
    plan = planner.solve(instance)
    view = View(instance, plan)
    found = chain.links(view, 2026)
    delivered = sum(t for (_, target, _), t in found.items() if target[0] == chain.USERS)
    service = plan.tables["service"]
    rows = service[service["year"] == 2026]
    assert delivered == pytest.approx((rows["clean_t"] + rows["exposed_t"]).sum(), abs=1e-6)
    into_press = sum(t for (s, d, _), t in found.items() if s[0] == "metal" and d[0] == "magnet")
    made = sum(t for (m, _, _, y), t in view.made.items() if m == "magnet" and y == 2026)
    assert into_press == pytest.approx(1.2 * made, abs=1e-6)
    into_smelt = sum(t for (s, d, _), t in found.items() if s[0] == "mining" and d[0] == "metal")
    smelted = sum(t for (m, _, _, y), t in view.made.items() if m == "metal" and y == 2026)
    assert into_smelt == pytest.approx(2 * smelted, abs=1e-6)


def test_recycling_is_a_source_of_its_own():
    instance, plan = solved("07_recycling_restores_provenance")
    view = View(instance, plan)
    recycled = {
        (t[0], q) for year in instance.years for (s, t, q), x in chain.links(view, year).items()
        if s[1] == chain.RECYCLED and x > 1e-6
    }  # fmt: skip
    expected = {
        (view.stage_of_process(r.process), r.output_provenance)
        for r in plan.tables["activity"].itertuples()
        if view.recycles(r.process) and r.activity_t > 1e-6
    }
    assert recycled == expected


def test_premium_is_the_weighted_mean_of_the_differences(tmp_path):
    instance, plan = solved("tiny")
    view = View(instance, plan)
    table = plan.tables["prices"].copy()
    magnet = next(m for m, s in view.stage_of.items() if s == instance.stages[-1])
    year = instance.years[-1]
    user = next(c for (m, c, _, y), t in view.delivered.items() if m == magnet and y == year and t > 0)
    rows = [(magnet, user, "clean", year, 900.0), (magnet, user, "exposed", year, 650.0)]
    rows += [("metal", user, "exposed", year, float("nan"))]  # nothing passes
    rows += [(magnet, c, q, year, 7.0) for c in view.countries if c != user for q in ("clean", "exposed")]  # use none
    view.run = planner.Plan(plan.plan, {**plan.tables, "prices": pd.DataFrame(rows, columns=table.columns)})
    assert prices.mean_prices(view) == {(magnet, year): (900.0, 650.0, 250.0)}


def test_figures_are_counted_by_what_they_rest_on(tmp_path):
    rows = (
        "facility,name,country,status,capacity_t,source,note\n"
        "pit,Pit,AAA,operating,1000,S1,\n"
        "works,Works,CHN,operating,500,S1,assumption: half of it\n"
        "shop,Shop,BBB,operating,300,,assumption: a guess\n"
        "site,Site,AAA,candidate,,,\n"  # blank: a default is no figure
    )
    tables = {
        **TABLES,
        "facilities": rows,
        "countries": "country,name,bloc,latitude,longitude\nAAA,Aland,,10,20\nBBB,Bland,EUR,,\nCHN,China,,,\n",
        "sources": "source,title,publisher,url,date\nS1,T,P,https://a.example,2025\n",
    }
    instance = planner.load(write_instance(tmp_path / "in", tables))
    counts = backing(instance)
    # pit and works cite, which nobody verified; shop assumes
    assert counts["facilities"] == {"published": 0, "derived": 0, "cited": 2, "judgement": 1, "neither": 0}
    assert "countries" not in counts  # a place on the map is no number of the model
    every = sum(sum(by.values()) for by in counts.values())
    assert planner.evidence(instance).coverage["numbers"].sum() == every
    lead = trust.section(View(instance, planner.solve(instance))).lead
    assert any(f"The tables hold {every:,} figures" in sentence for sentence in lead)


# --- a curve ---


def frontier_folder(folder, points, switches="", knee=2, whole=True):
    """A frontier's folder with these points (CSV text); ``whole``: with blanks in columns that it leaves out."""
    columns = planner.Frontier.columns("points") if whole else ()
    folder.mkdir(parents=True)
    (folder / "frontier.csv").write_text(points)
    (folder / "switches.csv").write_text("point,option,start_year,modules,change\n" + switches)
    (folder / "lp_bound.csv").write_text("point,limit,bound_musd\n")
    numbers = pd.read_csv(folder / "frontier.csv").astype(object)
    rows = numbers.where(numbers.notna(), None).to_dict("records")
    about = {part.name: None for part in planner.Frontier.HOLDS} | {
        "metric": "exposed_share",
        "from_year": 2027,
        "knee": knee,
        "complete": True,
        "instance": {"sha256": "x"},
        "points": [dict.fromkeys(columns) | row for row in rows] if columns else rows,
    }
    (folder / "frontier.json").write_text(json.dumps(about))
    return folder


POINTS = (
    "point,limit,share,objective_musd,bound_musd,gap,extra_musd,extra_least_musd,extra_most_musd,"
    "marginal_musd_per_point,usd_per_kg_clean,short_t\n"
    "1,1,0.8,100,100,0,0,0,0,0,,0\n2,0.4,0.4,110,110,0,10,10,10,1,5,0\n3,0,0,190,190,0,90,90,90,3,9,12\n"
)


def test_a_curve_is_read_drawn_and_said(tmp_path):
    instance, plan = solved("lead-and-ramp")
    option = instance.options[0]
    start = instance.years[0]
    folder = frontier_folder(
        tmp_path / "curve",
        POINTS,
        f"2,{option.option},{start},1,on\n3,{option.option},{start},1,off\n3,gone,2027,2,less\n",
    )
    text = planner.report(plan, [folder])
    # 80% -> 0% for 190 - 100 = 90, the knee at 40% for 110 - 100 = 10
    assert (
        "from 80.0% to 0%, the least that any plan can keep, costs 90 million USD more and leaves 12 t undelivered"
        in text
    )
    assert "getting to 40.0% costs 10 million USD" in text
    assert "computed from other data" in text  # its digest is not the run's
    drawn = drawings(text)["curve-cost"]
    line = next(t for t in drawn["views"][""]["data"] if t["name"] == "least cost")
    assert line["x"] == [0.8, 0.4, 0.0] and line["y"] == [0, 10, 90]
    assert f"+ {option.name}" in Elements(text).text and f"- {option.name}" in Elements(text).text
    assert "gone" in Elements(text).text


def test_a_curve_from_python_and_from_its_folder_give_the_same_page(tmp_path):
    instance, plan = solved("tiny")
    found = planner.frontier(instance, points=3)
    found.write(tmp_path / "curve")
    assert planner.report(plan, [found]) == planner.report(plan, [tmp_path / "curve"])


def test_a_folder_that_is_no_curve_is_explained(tmp_path):
    _instance, plan = solved("tiny")
    with pytest.raises(OutputError, match="holds no study that a report can show"):
        planner.report(plan, [tmp_path])
    folder = frontier_folder(tmp_path / "curve", "point,limit\n1,0.5\n", whole=False)
    with pytest.raises(OutputError, match=r"points in frontier\.json has no column"):
        planner.report(plan, [folder])


# --- names from an instance ---


def test_names_stay_text(tmp_path):
    instance = hostile_instance(tmp_path / "in")
    plan = planner.solve(instance)
    assert not plan.tables["builds"].empty
    text = planner.report(plan)
    elements = Elements(text)
    assert len(elements.of("script")) == 3  # the drawings, the chart library and the page's own
    assert not elements.of("img") and not elements.of("b")
    assert HOSTILE[0] in elements.text and HOSTILE[1] in elements.text
    assert "{{ 7 * 7 }}" in elements.text
    links = [a["href"] for a in elements.of("a") if not a["href"].startswith("#")]
    assert links == ['https://example.org/?q="><script>']
    for drawn in drawings(text).values():  # what the chart library gets has no tag but its own
        for tag in re.findall(r"<[^<>]*>?", json.dumps(drawn["views"])):
            assert tag in ("<b>", "</b>", "<br>", "<extra>", "</extra>")


def test_hostile_names_do_nothing_in_a_browser(tmp_path, browser):
    instance = hostile_instance(tmp_path / "in")
    tab = opened(browser, tmp_path, planner.report(planner.solve(instance)))
    assert undrawn(tab) == []
    assert tab.query_selector("#injected") is None and tab.query_selector("img") is None
    labels = tab.evaluate("[...document.querySelectorAll('.plot text')].map(t => t.textContent).join('\\n')")
    assert HOSTILE[1] in labels  # a country's name in the flow diagram, letter by letter
    tab.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    tab.wait_for_timeout(200)
    assert tab.query_selector("#injected") is None and tab.query_selector("img") is None
    assert tab.complaints == []


# --- in a browser ---


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["tiny", "traced-cap", "stock-cover", "07_recycling_restores_provenance"])
def test_opens_without_a_network_and_draws_everything(tmp_path, browser, name, width):
    _instance, plan = solved(name)
    text = planner.report(plan)
    tab = opened(browser, tmp_path, text, width)
    assert undrawn(tab) == []
    assert int(tab.get_attribute("html", "data-drawn")) == len(drawings(text))
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []


def test_a_browser_that_cannot_unpack_says_so(tmp_path, browser):
    _instance, plan = solved("tiny")
    file = tmp_path / "report.html"
    file.write_text(planner.report(plan), encoding="utf-8", newline="")
    tab = browser.new_context(offline=True).new_page()
    complaints = []
    tab.on("pageerror", lambda e: complaints.append(str(e)))
    tab.add_init_script("delete window.DecompressionStream")
    tab.goto(file.as_uri())
    tab.wait_for_selector("text=too old to draw the charts")
    assert tab.locator("figure.chart button").count() == tab.locator("details.rows").count() == 0
    assert tab.locator("#table-costs tbody tr").count() > 1  # tables need no unpacking
    assert complaints == []


def test_the_drawings_are_a_small_part_of_the_page():
    _instance, plan = solved("lead-and-ramp")
    text = planner.report(plan)
    (packed,) = re.findall('id="drawings">([^<]*)<', text)
    # base64 needs four letters for three bytes; names and years that come again and again shrink to less than a third
    assert len(packed) < len(unpacked(text, "drawings")) / 3


def test_a_page_with_all_its_parts(tmp_path, browser):
    """Places for the map, a curve, an origin ledger, funds and a disruption, with every control used."""
    tables = {
        **TABLES,
        "countries": (
            "country,name,bloc,latitude,longitude\nAAA,Aland,,40,-100\nBBB,Bland,EUR,50,10\nCHN,China,,35,104\n"
        ),
        "options": (
            "option,facility,name,module_t,capex_musd,life_years,lead_years,private_musd\n"
            "first,site,First,50,0.5,10,1,0.2\nsecond,site,Second,100,0.9,10,1,\n"
        ),
        "facilities": edited("facilities", 4, capacity_t=90),
        "funds": "fund,provider,instrument,budget_musd\nbank,A bank,loan,9\n",
        "fund_options": "fund,option\nbank,first\n",
        "caps": "cap,metric,limit,first_year\nhalf,exposed_share,0.5,2030\n",
        "scenarios": "scenario,name,probability,first_year,last_year\nstop,A stop,0.1,2030,2030\n",
        "disruptions": "scenario,kind,country,stage,fraction\nstop,outage,CHN,metal,1\n",
    }
    instance = planner.load(write_instance(tmp_path / "in", tables))
    plan = planner.solve(instance)
    text = planner.report(plan, [frontier_folder(tmp_path / "curve", POINTS)])
    ids = {a["id"] for a in Elements(text).of("figure")}
    assert {"map-flows", "origins-stages", "curve-cost", "branches-service", "dependence-caps"} <= ids
    tab = opened(browser, tmp_path, text)
    assert undrawn(tab) == []
    for control in tab.query_selector_all("[data-control]"):
        if control.get_attribute("type") == "range":
            before = control.evaluate("c => c.nextElementSibling.textContent")
            control.focus()
            tab.keyboard.press("ArrowLeft")
            assert control.evaluate("c => c.nextElementSibling.textContent") < before
        elif control.get_attribute("type") != "hidden":
            choices = control.query_selector_all("option")
            control.select_option(index=len(choices) - 1)
    tab.wait_for_timeout(300)
    assert undrawn(tab) == []
    assert tab.complaints == []


def test_tables_sort_and_figures_give_their_data(tmp_path, browser):
    _instance, plan = solved("lead-and-ramp")
    tab = opened(browser, tmp_path, planner.report(plan))
    head = tab.locator("#table-costs thead th").nth(1)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"

    def values():
        cells = "[...document.querySelectorAll('#table-costs tbody tr')].map(r => Number(r.cells[1].dataset.v))"
        return tab.evaluate(cells)

    assert values() == sorted(values())
    head.locator("button").click()
    assert values() == sorted(values(), reverse=True) and len(values()) > 1
    with tab.expect_download() as download:
        tab.click("#dependence-shares .csv")
    content = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    own = plan.tables["dependence"]
    assert content[0] == "metric,stage,material,year,share"
    assert len(content) == 1 + (own["cap"] == "").sum()
    tab.click("#dependence-shares details.rows summary")
    tab.wait_for_selector("#dependence-shares details.rows table")
    assert tab.locator("#dependence-shares details.rows tbody tr").count() == len(content) - 1


def test_prints(tmp_path, browser):
    _instance, plan = solved("tiny")
    tab = opened(browser, tmp_path, planner.report(plan))
    assert tab.pdf(format="A4").startswith(b"%PDF")
    assert undrawn(tab) == []
    assert tab.complaints == []


def test_paper_says_what_was_chosen_and_has_the_folded_tables_only_on_demand(tmp_path, browser):
    _instance, plan = solved("traced-cap")
    tab = opened(browser, tmp_path, planner.report(plan))
    shown = tab.locator("select").first
    shown.select_option(index=1)
    words = shown.locator("option").nth(1).text_content()
    told = shown.locator("+ output")
    assert not told.is_visible()
    tab.emulate_media(media="print")
    assert told.is_visible() and told.text_content() == words
    assert tab.locator("select:visible, input:visible, .tools:visible, .printing:visible, nav:visible").count() == 0
    tab.emulate_media(media="screen")
    folded = tab.locator("details.folded").count()
    tab.evaluate("window.print = () => { window.paper = document.querySelectorAll('.annex table').length; }")
    tab.click("text=Print with all tables and sources")
    assert tab.evaluate("window.paper") == folded > 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator(".annex").count() == 0
    assert tab.complaints == []


def test_a_brief_has_two_pages(tmp_path, browser):
    _instance, plan = solved("tiny")
    tab = opened(browser, tmp_path, planner.report(plan))
    tab.evaluate("window.print = () => {}")
    tab.click("text=Print a brief of two pages")
    tab.emulate_media(media="print")
    assert tab.locator("#findings .sure").is_visible() and tab.locator("#table-largest").is_visible()
    assert not tab.locator("#chain").is_visible() and not tab.locator("#trust").is_visible()
    pages = re.findall(rb"/Type\s*/Page[^s]", tab.pdf(format="A4", prefer_css_page_size=True))
    assert 1 <= len(pages) <= 2
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("#chain").is_visible()
    assert tab.complaints == []


def test_what_went_in_and_each_project(tmp_path):
    instance, plan = solved("tiny")
    text = planner.report(plan)
    option = instance.options[0]
    card = text[text.index(f'id="card-{option.option}"') :]
    card = card[: card.index("</article>")]
    # 6 million for 60 t a year: 100,000 for a tonne a year
    assert option.name in card and "6 million USD, 100,000 USD per t a year" in card
    assert "may be built" in text and 'id="inputs-demand"' in text
    # 150 t of room in a store for 1 million: no capacity a year, and it runs nothing
    page = planner.report(planner.solve(planner.load(Path(__file__).parents[1] / "defects" / "store_room_option")))
    room = page[page.index('id="card-room"') :]
    room = room[: room.index("</article>")]
    assert "150 t of room for 1 million USD" in room and "a year" not in room.split("Cost of capital")[0]
    assert "Running costs" not in room
    changed = planner.solve(instance.what_if("scale demand=1.01"))
    assert "Changed from the files: scale demand=1.01" in planner.report(changed)


def test_an_address_recalls_what_was_chosen(tmp_path, browser):
    _instance, plan = solved("tiny")
    tab = opened(browser, tmp_path, planner.report(plan))
    tab.locator("#chain-flows input").focus()
    tab.keyboard.press("ArrowLeft")
    year = tab.locator("#chain-flows output").text_content()
    assert year == str(plan.instance.years[-2])
    tab.click("nav a[href='#chain']")
    # of two changes of the address in a row the browser's driver can miss the second, so the page is asked
    tab.wait_for_function("() => location.hash.startsWith('#chain&')")
    address = tab.evaluate("location.href")
    assert address.endswith(f"#chain&chain-flows={year}")
    again = tab.context.new_page()
    again.on("pageerror", lambda e: tab.complaints.append(str(e)))
    again.goto(address)
    again.wait_for_selector("html[data-drawn]", state="attached")
    assert again.locator("#chain-flows output").text_content() == year
    assert year in again.locator("#chain-flows .told").text_content()
    unknown = tab.context.new_page()  # an address of an older page
    unknown.on("pageerror", lambda e: tab.complaints.append(str(e)))
    unknown.goto(address.replace(f"chain-flows={year}", "chain-flows=1900,%zz&no-chart=1"))
    unknown.wait_for_selector("html[data-drawn]", state="attached")
    assert unknown.locator("#chain-flows output").text_content() == str(plan.instance.years[-1])
    assert tab.complaints == []


def test_a_chart_wider_than_its_place_says_so(tmp_path, browser):
    _instance, plan = solved("traced-cap")
    hint = "#chain-flows .swipe"
    for width, wider in [(1400, False), (390, True)]:
        tab = opened(browser, tmp_path, planner.report(plan), width)
        assert tab.locator(hint).is_visible() == wider
        nav = "[...document.querySelectorAll('nav ul')].map(e => e.scrollWidth > e.clientWidth)"
        assert wider or tab.evaluate(nav) == [False]


LUMINANCES = """selector => [...document.querySelectorAll(selector)].map(e => {
    const style = getComputedStyle(e), colour = e instanceof SVGElement ? style.fill : style.backgroundColor;
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; })"""  # relative luminance, as WCAG defines it


def test_a_dark_screen_gets_a_dark_page_with_readable_charts_and_paper_a_light_one(tmp_path, browser):
    _instance, plan = solved("lead-and-ramp")
    tab = opened(browser, tmp_path, planner.report(plan))
    words = ".xtick text, .ytick text, .legendtext, .annotation-text"
    assert min(tab.evaluate(LUMINANCES, "body")) > 0.9 and max(tab.evaluate(LUMINANCES, words)) < 0.1
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_timeout(300)
    (paper,) = tab.evaluate(LUMINANCES, "body")
    ink = tab.evaluate(LUMINANCES, words)
    assert paper < 0.05 and len(ink) > 20
    assert (min(ink) + 0.05) / (paper + 0.05) > 4.5  # the contrast that WCAG asks of text
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert max(tab.evaluate(LUMINANCES, words)) < 0.1
    assert undrawn(tab) == []
    assert tab.complaints == []


# --- small parts ---


def test_a_map_only_for_countries_with_a_place(tmp_path):
    instance = planner.load(write_instance(tmp_path / "in"))  # no latitude anywhere
    plan = planner.solve(instance)
    text = planner.report(plan)
    assert "map-flows" not in drawings(text)
    assert "so there is no map" in text
    placed = {
        **TABLES,
        "countries": "country,name,bloc,latitude,longitude\nAAA,Aland,,40,-100\nBBB,Bland,EUR,50,10\nCHN,China,,,\n",
    }
    instance = planner.load(write_instance(tmp_path / "in2", placed))
    text = planner.report(planner.solve(instance))
    assert "map-flows" in drawings(text)
    assert "Without latitude and longitude in countries.csv, and so not on the map: China." in text


def test_lines_take_the_short_way_round_the_world():
    (direct,) = worldmap._curves((10.0, 50.0), (104.0, 35.0))
    assert direct[0] == (10.0, 50.0) and direct[-1] == (104.0, 35.0)
    west, east = worldmap._curves((138.0, 36.0), (-98.0, 39.0))  # Japan to the United States
    assert [west[0][0], west[-1][0]] == [138.0, 262.0]
    assert [east[0][0], east[-1][0]] == [-222.0, -98.0]


def test_addresses_become_links_only_on_the_web():
    assert page._address("https://a.example/x") == "https://a.example/x"
    for other in (
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example",
        "//a.example",
        "https://",
        "",
        "http://[",
    ):
        assert page._address(other) == ""


def test_values_are_written_as_people_read_them():
    assert words.written(0.000001, "share") == "0%"
    assert words.written(None, "number") == "" and words.written(float("nan"), "share") == ""
    assert words.written(2040, "year") == "2040"
    assert words.written(70102.79, "number") == "70,103"


# --- commands ---


def planner_command(*arguments):
    from typer.testing import CliRunner

    from planner.cli import application

    return CliRunner().invoke(application(), [str(a) for a in arguments])


def test_command_writes_the_page_once(tmp_path):
    instance = ROOT / "instances" / "tiny"
    result = planner_command("solve", instance, "-o", tmp_path / "run", "--report")
    assert result.exit_code == 0, result.output
    inside = (tmp_path / "run" / "report.html").read_bytes()
    planner.read_run(tmp_path / "run")  # the page in it is left alone
    result = planner_command("report", tmp_path / "run", "--instance", instance, "-o", tmp_path / "new" / "page.html")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new" / "page.html").read_bytes() == inside
    result = planner_command("report", tmp_path / "run", "--instance", instance)
    assert isinstance(result.exception, OutputError) and "--overwrite" in str(result.exception)
    result = planner_command("report", tmp_path / "run", "--instance", instance, "--overwrite")
    assert result.exit_code == 0
    result = planner_command("report", tmp_path / "run", "--instance", instance, "-o", tmp_path)
    assert isinstance(result.exception, OutputError) and "is a folder" in str(result.exception)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_curve_words_name_the_metric():
    assert (
        curve.Curve([], [], [], None, (), "stage_share:metal", "in every year").name == "dependence of the stage metal"
    )


def test_a_level_part_of_a_curve_is_drawn_level(tmp_path):
    """Point 2 costs 110 from its limit of 40 % up to 70 %: the line falls there, not half-way to point 1."""
    _instance, plan = solved("lead-and-ramp")
    lines = POINTS.splitlines()
    rows = [lines[0] + ",same_until", lines[1] + ",0.8", lines[2] + ",0.7", lines[3] + ",0"]
    folder = frontier_folder(tmp_path / "curve", "\n".join(rows) + "\n", "")
    drawn = drawings(planner.report(plan, [folder]))["curve-cost"]
    line = next(t for t in drawn["views"][""]["data"] if t["name"] == "least cost")
    shown = list(zip(line["x"], line["y"], line["marker"]["size"], strict=True))
    assert shown[1:] == [(0.7, 10, 0), (0.4, 10, 9), (0.0, 90, 9)]


def test_a_country_has_one_colour_on_the_whole_page_and_that_of_concern_its_own():
    _instance, plan = solved("traced-cap")
    drawn = drawings(planner.report(plan))
    names = View(plan.instance, plan).countries
    colours = {name: set() for name in names.values()}
    for figure in ("origins-stages", "builds-output"):
        for view in drawn[figure]["views"].values():
            for trace in view["data"]:
                colours.get(trace["name"], set()).add(trace["marker"]["color"])
    for view in drawn["chain-flows"]["views"].values():
        node = view["data"][0]["node"]
        for label, colour in zip(node["label"], node["color"], strict=True):
            colours.get(label, set()).add(colour)
    shown = {name: found for name, found in colours.items() if found}
    assert len(shown) > 1 and all(len(found) == 1 for found in shown.values())
    concern = {names[c] for c in plan.instance.countries_of_concern}
    assert {name for name, found in shown.items() if found == {CONCERN}} == concern & set(shown)


def test_looks_differ_when_colours_come_again():
    assert len({(one.colour, one.pattern) for one in (look(n, COUNTRIES) for n in range(40))}) == 40


@pytest.mark.parametrize(
    ("origin", "destination", "edge"),
    [("JPN", "USA", worldmap.ATLANTIC), ("DEU", "USA", worldmap.PACIFIC)],
)
def test_the_ocean_with_more_traffic_lies_within_the_map(origin, destination, edge):
    places = {"JPN": (138.0, 36.0), "USA": (-98.0, 39.0), "DEU": (10.0, 50.0)}
    flows = {("mine", "JPN", "USA", "clean", 2030): 1.0, ("mine", "DEU", "USA", "clean", 2030): 1.0}
    flows["mine", origin, destination, "clean", 2031] = 1.0  # two tonnes here, one over the other ocean
    assert worldmap._edge(flows, places) == edge
