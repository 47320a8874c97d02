"""axe-core, which finds what a screen reader or a keyboard trips over, finds nothing on the pages."""

import pytest
from axe_playwright_python.sync_playwright import Axe

import planner
from planner.instance.examples import example_folder
from planner.reporting import compare_page

KINDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.fixture(scope="module")
def plan():
    return planner.solve(example_folder("tiny"))


@pytest.fixture(scope="module")
def pages(plan):
    instance = planner.load(example_folder("tiny"))
    studies = [planner.frontier(instance), planner.explain(plan), planner.stress(plan), planner.alternatives(instance)]
    return {
        "report": planner.report(plan, studies),
        "japanese": planner.report(plan, studies, language="ja"),
        "compare": compare_page(planner.compare(plan, planner.solve(instance, relax=True))),
    }


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("report", 1400, "light"), ("report", 390, "dark"), ("japanese", 1400, "dark"), ("compare", 390, "light")],
)
def test_nothing_is_found(browser, pages, tmp_path, name, width, scheme):
    page = tmp_path / "page.html"
    page.write_text(pages[name], encoding="utf-8")
    context = browser.new_context(
        bypass_csp=True,  # or else the page would not run axe
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.wait_for_selector("html[data-drawn]")
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    found = Axe().run(tab, options={"runOnly": KINDS}).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in found] == []
    context.close()
