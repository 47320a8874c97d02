"""Nothing is foreseen: what a plan stores before a branch is the same whatever comes; time to prepare never hurts."""

from pathlib import Path

import pytest
from builders import TABLES, write_instance

import planner

INSTANCES = Path(__file__).parents[2] / "instances"


def test_the_stock_before_a_branch_does_not_depend_on_which_branch_comes():
    # A tonne stored in 2026 costs 40,000 and 300,000 to hold. In 2027 all from China may be gone (1/4), or half of it
    # (1/4), and a tonne missing costs 1 MUSD. The first 40 t are worth 1/2 x 60,000 + 1/4 x 1 MUSD + 1/4 x 1 MUSD =
    # 530,000, as even the lesser stop leaves 100 - 50 - 10 (Busan) short. From there on they only replace Busan in it:
    # 30,000 + 250,000 + 17,500 = 297,500. So 40 t are stored, although the greater stop alone would want 90.
    instance = planner.load(INSTANCES / "stock-cover").changed(
        rows={
            "stockpiles": [{"stockpile": "korea", "country": "KOR", "material": "magnet", "max_t": 100,
                            "holding_usd_per_t": 300_000}],
            "scenarios": [{"scenario": s, "name": s, "probability": 0.25, "first_year": 2027, "last_year": 2027}
                          for s in ("all", "half")],
            "disruptions": [
                {"scenario": "all", "kind": "export_stop", "country": "CHN", "fraction": 1},
                {"scenario": "half", "kind": "export_stop", "country": "CHN", "fraction": 0.5, "reference_t": 100},
            ],
        }
    )  # fmt: skip
    plan = planner.solve(instance)
    before = plan.tables["stocks"].query("year == 2026")["stock_t"].sum()
    assert before == pytest.approx(40, rel=1e-4)
    for name in ("all", "half"):
        first = plan.branches[name]["stocks"]
        assert set(first["year"]) == {2027}
        opened = (first["stock_t"] - first["put_t"] + first["draw_t"]).sum()
        assert opened == pytest.approx(before, rel=1e-6), name
    shorts = {name: tables["service"]["short_t"].sum() for name, tables in plan.branches.items()}
    assert shorts == pytest.approx({"all": 50, "half": 0}, abs=1e-2)
    # 140 t of 2026 and the holding; then the plan buys 60 t, the greater stop pays for 10 of Busan and 50 missing,
    # the lesser one for 50 from China and 10 of Busan
    expected = 140 * 0.04 + 40 * 0.3 + 0.5 * 60 * 0.06 + 0.25 * (0.7 + 50) + 0.25 * (3.0 + 0.7)
    assert plan.objective_musd == pytest.approx(expected)


def two_plants(folder):
    tables = {
        **TABLES,
        "stockpiles": "stockpile,country,material,initial_t,max_t,holding_usd_per_t\nheap,BBB,metal,30,60,1\n",
    }
    return planner.load(write_instance(folder / "instance", tables))


@pytest.mark.parametrize("name", ["tiny", "stock-cover", "two plants"])
def test_what_begins_earlier_never_helps(name, tmp_path):
    """Builds and stocks are held, the end is the same: what begins later leaves more time to prepare.

    Who operates a branch knows all of the disruption once it begins, so that a mild beginning could be a warning that
    helps; here what is lost is lost in full.
    """
    instance = two_plants(tmp_path) if name == "two plants" else planner.load(INSTANCES / name)
    plan = planner.solve(instance)
    end = instance.years[-1]
    later: dict[str, tuple[float, float]] = {}
    compared = 0
    for year in reversed(instance.years):
        # by the year: in months a stock that is filled late costs less to hold than the plan says
        found = planner.stress(plan, year=year, years=end - year + 1, survival=False, clock="year")
        now = {r.case: (r.lost_t, r.over_plan_musd) for r in found.cases.itertuples() if r.kind != "none"}
        for case in later.keys() & now.keys():
            assert now[case][0] >= later[case][0] - 1e-3, (case, year)
            assert now[case][1] >= later[case][1] - 1e-3 * max(1.0, abs(later[case][1])), (case, year)
            compared += 1
        later = now
    assert compared >= 2
