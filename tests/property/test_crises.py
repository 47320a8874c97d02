"""What holds for every disruption: longer, harsher and wider never costs less, where nothing but months counts.

The instances are drawn, without caps, clean-only rules, stocks and goods that come back: rules that are lifted can
save money, and what connects periods can make up for a disruption before or after it. Working stocks stay.
"""

from itertools import pairwise

import pytest
from drawn import valid

import planner

SEEDS = (15, 22, 26, 30, 41)  # of drawn instances with a plan, whose first years are periods of their own
GONE = ("buyers", "buyer_prices", "caps", "stockpiles", "returns", "scenarios", "disruptions")


def extra(plan, months, severity=1.0):
    """Name of a case -> what it costs, MUSD, in the first year that is followed by one that can be divided."""
    years = plan.instance.years
    first = next(y for y, later in pairwise(years) if later == y + 1)
    found = planner.stress(
        plan, year=first, from_month=2, months=months, severity=severity, survival=False, rebuild_after=None,
        families=("country", "stage", "facility", "material"), workers=1,
    )  # fmt: skip
    assert not found.faults and found.cases["from_month"].notna().all()
    return found.cases.set_index("case")["extra_cost_musd"].to_dict()


@pytest.mark.parametrize("seed", SEEDS)
def test_longer_harsher_and_wider_never_costs_less(tmp_path, seed):
    instance, *_ = valid(tmp_path / "i", seed, GONE)
    free = [{**row.model_dump(exclude_none=True), "clean_from_year": ""} for row in instance.sectors]
    plan = planner.solve(instance.with_rows("sectors", *free))
    room = 1e-6 * max(1.0, abs(plan.objective_musd))
    short, mild, long = extra(plan, 2), extra(plan, 5, 0.4), extra(plan, 5)
    assert short and any(long.values())
    for name, musd in long.items():
        assert short.get(name, 0.0) <= musd + room and mild.get(name, 0.0) <= musd + room, name
        kind, _, target = name.partition(":")
        for sign in (":", "/"):  # a material or a stage is a part of its country's loss
            wider = f"{kind}:{target.partition(sign)[0]}"
            assert musd <= long.get(wider, musd) + room, (name, wider)
    of = {f.facility: f.country for f in instance.facilities}
    for plant, country in of.items():
        assert long.get(f"outage:{plant}", 0.0) <= long.get(f"outage:{country}", 0.0) + room, plant
