"""Lanes with a fixed cost and a least lot, with costs derived by hand; the chain is that of test_families.

AAA needs 100 t of magnets. A tonne costs 0.021 MUSD from China, 0.030 pressed at home (at most 60 t), 0.1 if it is
missing. The lane from China carries at most 200 t.
"""

import numpy as np
import pytest
from test_families import CHINA, HOME, LANE, SHORT, base, costs, oracle  # noqa: F401

import planner
from planner.errors import Infeasible, UsageError
from planner.prepare import prepare
from planner.solving.compiling import compiled
from planner.solving.search import without_idle_lanes

STOP = {"kind": "export_stop", "country": "CHN", "material": "magnet", "fraction": 1}


def needing(draft, t, **lane):
    demand = {"country": "AAA", "sector": "cars", "material": "magnet", "year": "", "demand_t": t}
    return draft.with_rows("demand", demand).with_rows("lanes", {**LANE, "max_t": 200, **lane})


@pytest.mark.parametrize(
    ("need", "musd"),
    [
        (100, 100 * CHINA + 0.3),  # 100 t at home would cost 60 x 0.009 + 40 x 0.079 = 3.7 more
        (30, 30 * HOME),  # the lane would save 30 x 0.009 = 0.27
        (40, 40 * CHINA + 0.3),  # 0.36
    ],
)
def test_a_lane_is_used_if_it_saves_its_fixed_cost(base, need, musd):  # noqa: F811
    plan = costs(needing(base(), need, fixed_musd=0.3), musd)
    of = plan.tables["costs"].set_index("component")["musd"]
    assert of["lane_use"] == pytest.approx(0.3 if need != 30 else 0.0)


@oracle("lanes")
def test_a_least_lot_moves_or_nothing_does(base):  # noqa: F811
    # China costs 0.040 with its freight: 60 t are pressed at home, and 10 t bought
    dear = {"cost_usd_per_t": 20000}
    costs(needing(base(), 70, **dear), 60 * HOME + 10 * 0.040)
    # at least 50 t: 20 t at home; to miss 10 t would cost 0.2 more
    costs(needing(base(), 70, **dear, min_t=50), 20 * HOME + 50 * 0.040)
    # at least 65 t: 5 t at home cost 2.75; to miss 10 t costs 2.8; at least 70 t: the lane costs as much as that
    costs(needing(base(), 70, **dear, min_t=65), 5 * HOME + 65 * 0.040)
    # more than is needed cannot move, as magnets are not thrown away
    costs(needing(base(), 70, **dear, min_t=80), 60 * HOME + 10 * SHORT)


def test_each_movement_of_a_row_with_wildcards_pays(base):  # noqa: F811
    draft = needing(base(), 100, destination="*", fixed_musd=0.3).without("lanes", destination="AAA")
    costs(draft, 100 * CHINA + 0.3)
    two = draft.with_rows("demand", {"country": "BBB", "sector": "cars", "material": "magnet", "demand_t": 10})
    costs(two, 110 * CHINA + 2 * 0.3)  # to miss 10 t in BBB would cost 0.79 more than they cost


def test_a_period_pays_in_each_of_its_years(base):  # noqa: F811
    # 10 years at 5 %: present value of 1 a year 8.1078217
    years = sum(1.05**-k for k in range(10))
    costs(needing(base(last=10, rate=0.05), 100, fixed_musd=0.3), years * (100 * CHINA + 0.3))


def test_in_months_a_month_in_which_nothing_moves_pays_nothing(base):  # noqa: F811
    """From April on nothing leaves China for three months, with probability 1/2.

    A year costs 100 x 0.021 + 1.2 = 3.3; the three months 15 t x 0.030 + 10 t x 0.1 = 1.45, six months 1.65.
    """
    draft = needing(base(years=(2030, 2031)), 100, fixed_musd=1.2)
    when = {"first_year": 2030, "first_month": 4, "months": 3, "probability": 0.5}
    draft = draft.with_rows("scenarios", {"scenario": "stop", "name": "Stop", **when})
    draft = draft.with_rows("disruptions", {"scenario": "stop", **STOP})
    musd = 3.3 * 3 / 12 + 0.5 * 3.3 * 9 / 12 + 0.5 * (1.45 + 1.65) + 3.3
    costs(draft, musd)
    # what moves in a month is at least a twelfth of the lot: 100 t a year do, in the plan and in the branch
    costs(needing(draft, 100, fixed_musd=1.2, min_t=100), musd)


def test_the_relaxation_uses_part_of_a_lane(base):  # noqa: F811
    # 100 t of 200 t: half of the fixed cost
    plan = planner.solve(needing(base(), 100, fixed_musd=0.3, min_t=150).load(), relax=True)
    assert plan.objective_musd == pytest.approx(100 * CHINA + 0.15)


def test_too_large_a_lot_is_named_as_the_reason(base):  # noqa: F811
    draft = needing(base(), 70, min_t=80).with_rows(
        "sectors", {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 100000, "min_service": 1}
    )
    with pytest.raises(Infeasible):
        planner.solve(draft.load())
    diagnosis = planner.diagnose(draft.load())
    assert "at least 80 t of magnet move from CHN to AAA in 2030, or nothing" in str(diagnosis)
    # 60 of 70 t are served at home
    assert [(e.column, float(e.new)) for e in diagnosis.edits] == [("min_service", pytest.approx(60 / 70, abs=1e-5))]
    assert diagnosis.verified


def test_stress_and_explain_know_that_lanes_are_used_or_not(base):  # noqa: F811
    plan = planner.solve(needing(base(), 100, fixed_musd=0.3, min_t=50).load())
    # with China's exports stopped: 60 x 0.030 + 40 x 0.1, without the lane's 0.3
    cases = planner.stress(plan).cases.set_index("case")
    assert cases.loc["export_stop:CHN", "extra_cost_musd"] == pytest.approx(60 * HOME + 40 * SHORT - 100 * CHINA - 0.3)
    # to press 60 t at home costs 0.009 more each: the lane is used all the same
    why = planner.explain(plan)
    assert why.objective_musd == pytest.approx(100 * CHINA + 0.3)


def test_a_lane_on_which_nothing_moves_is_not_paid(base):  # noqa: F811
    data = prepare(needing(base(), 100, fixed_musd=0.3).load()).data
    arrays = compiled(data)
    x = np.zeros(len(arrays.cost))
    [used], [ship] = arrays.columns["used"].values(), arrays.columns["ship"].values()
    x[used] = 1.0
    assert without_idle_lanes(data, arrays, x)[used] == 0.0
    x[ship] = 0.1
    assert without_idle_lanes(data, arrays, x)[used] == 1.0


def test_questions_with_linear_operations_refuse_such_lanes(base):  # noqa: F811
    line = {"option": "line", "facility": "plant", "name": "Line", "module_t": 20, "capex_musd": 1, "life_years": 1}
    draft = needing(base(), 100, fixed_musd=0.3).with_rows("options", {**line, "success_probability": 0.5})
    with pytest.raises(UsageError, match="fixed_musd"):
        planner.hedge(draft.load())
