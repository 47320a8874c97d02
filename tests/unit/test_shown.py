"""What objects show in a notebook or at a prompt: short names, summaries, frames, charts, statistics, bars."""

import io
import sys
from types import SimpleNamespace

import pytest
from places import ROOT, TINY

import planner
from planner import bars
from planner.arguments import checked
from planner.errors import UsageError


@pytest.fixture(scope="module")
def instance():
    return planner.load(TINY)


@pytest.fixture(scope="module")
def plan(instance):
    return planner.solve(instance)


def test_names_are_short_and_summaries_are_those_of_the_command(instance, plan):
    assert repr(instance) == "<Instance tiny: Tiny: one buyer, China or a plant at home, 2026-2027>"
    assert repr(plan) == "<Plan of tiny: 9.75 MUSD, optimal>"
    assert str(plan) == plan.summary() and str(plan).splitlines()[0] == instance.title
    assert "9.75 MUSD present value (proven optimal" in str(plan) and "texas-line: 2026 60 t" in str(plan)
    assert "2 countries" in str(instance) and instance.description in str(instance)
    assert plan.gap == plan.plan["gap"]
    for shown in (instance, plan):
        assert shown._repr_html_().startswith(f"<b>{instance.title}</b><pre")


def test_an_audit_tells_its_verdict(instance, plan):
    found = planner.audit(instance, plan)
    assert repr(found) == f"<AuditReport: {found.comparisons:,} comparisons, no violation>"
    assert found._repr_html_().startswith("<b>audit ok: ")


def test_results_of_questions_have_short_names_and_charts(instance, plan):
    curve = planner.frontier(instance, points=3)
    assert repr(curve).startswith("<Frontier of tiny; rows: points ") and len(repr(curve)) < 100
    assert str(curve).splitlines()[0] in curve._repr_html_().replace("&lt;", "<")
    drawn = curve.plot()
    assert drawn.layout.title.text.startswith("From 100%") and len(drawn.data) >= 2
    assert planner.stress(plan, year=2027).plot("worst").data
    assert planner.alternatives(instance).plot().data
    assert planner.explain(plan).plot("built").data
    with pytest.raises(UsageError, match="no chart of its own; its tables are frames"):
        planner.concentration(plan).plot()
    with pytest.raises(UsageError, match="no chart curve-cast; there are curve-cost"):
        curve.plot("curve-cast")


def test_tables_of_an_instance_are_frames(instance):
    demand = instance.tables["demand"]
    assert list(demand["demand_t"]) == [100.0] and list(demand["country"]) == ["USA"]
    assert "demand" in list(instance.tables) and "funds" not in list(instance.tables)
    assert instance.tables["funds"].empty and "budget_musd" in instance.tables["funds"].columns
    with pytest.raises(UsageError, match='unknown table demnd; did you mean "demand"'):
        instance.tables["demnd"]


def test_charts_are_those_of_the_page(plan):
    page = planner.report(plan)
    for name in ("chain", "dependence", "builds", "output", "costs", "origins"):
        figure = getattr(plan.plot, name)()
        assert figure.data and figure.layout.title.text.replace("&", "&amp;") in page, name
    assert plan.plot.chain(2026).to_dict()["data"] != plan.plot.chain(2027).to_dict()["data"]
    with pytest.raises(UsageError, match="year 2050: expected one of 2026, 2027"):
        plan.plot.chain(2050)
    with pytest.raises(UsageError, match="there is no map"):  # tiny has no coordinates
        plan.plot.map()


def test_a_map_has_the_countries_below_the_flows():
    located = planner.load(TINY)
    rows = [{"country": c, "name": n, "latitude": y, "longitude": x} for c, n, y, x in
            (("CHN", "China", 35, 103), ("USA", "United States", 38, -97))]  # fmt: skip
    figure = planner.solve(located.with_rows("countries", *rows)).plot.map(2026, "magnet")
    assert len(figure.data[0].x) > 1000 and len(figure.data) > 2


def test_statistics_group_what_the_readme_of_tiny_derives(plan):
    # 2026: 100 t bought for 40,000 USD; 2027: 50 t bought, 50 t pressed for 20,000 USD of 25 t metal for 80,000 USD
    by = plan.statistics(by=["country", "stage"])
    assert by.loc[("CHN", "magnet"), "purchase_musd"] == pytest.approx(6.0, abs=1e-4)
    assert by.loc[("USA", "metal"), "purchase_musd"] == pytest.approx(2.0, abs=1e-4)
    assert by.loc[("USA", "magnet"), "opex_musd"] == pytest.approx(1.0, abs=1e-4)
    assert by.loc[("USA", "magnet"), "delivered_t"] == pytest.approx(200.0)
    # 60 t are there in one of the two years, so 30 t in the mean; with the year, 60 t in 2027
    assert by.loc[("USA", "magnet"), "capacity_t"] == pytest.approx(30.0)
    assert plan.statistics(["year"]).loc[(2027,), "capacity_t"] == pytest.approx(60.0)
    assert plan.statistics("country", years=[2026]).loc[("CHN",), "purchase_musd"] == pytest.approx(4.0)
    with pytest.raises(UsageError, match="by = contry: expected some of country"):
        plan.statistics("contry")


@pytest.mark.parametrize("folder", ["tiny", "lead-and-ramp", "traced-cap", "stock-cover"])
def test_costs_of_all_groups_are_those_of_the_plan(folder):
    run = planner.solve(ROOT / "instances" / folder)
    sums = run.statistics(["startup", "provenance"]).sum()
    costs = run.tables["costs"].groupby("component")["musd"]
    yearly = {name: sum(m * run.lengths[y] for m, y in zip(g, run.tables["costs"].loc[g.index, "year"], strict=True))
              for name, g in costs}  # fmt: skip
    named = {"capex": "capital", **{n: n for n in ("fixed_om", "opex", "purchase", "freight", "tariff", "shortage")}}
    for component, measure in named.items():
        assert sums[f"{measure}_musd"] == pytest.approx(yearly[component], abs=1e-4), component
    assert sums["capex_musd"] == pytest.approx(run.metrics["capex_musd"])


# --- progress ---


@checked
def work(progress=None):
    if progress is not None:
        progress("3 of 4 pieces")
        progress("a line")
    return work_inside()


@checked
def work_inside(progress=None):
    return progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_shown_where_nobody_waits(capsys):
    assert not bars.wanted()
    assert work() is None and capsys.readouterr() == ("", "")


def test_a_person_at_a_terminal_sees_a_bar(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    token = bars.commanded.set(True)
    try:
        assert work() is None  # the call inside shows no second bar
        assert "a line" in screen.getvalue() and "3 of 4" in screen.getvalue()
        shown = screen.getvalue()
        work_inside(progress=None)  # asked to be silent
        assert screen.getvalue() == shown
    finally:
        bars.commanded.reset(token)


def test_a_notebook_shows_one_line_that_is_drawn_anew(monkeypatch):
    drawn = []
    handle = SimpleNamespace(update=lambda data, raw: drawn.append(data["text/html"]))
    monkeypatch.setattr(bars, "_notebook", lambda: lambda *data, **more: handle)
    work()
    assert drawn == ['<progress value="3" max="4"></progress> 3 of 4 pieces', "a line", ""]
