"""Limits on groups of options against arithmetic done by hand.

The instance is that of test_families.py without its plant's capacity: AAA needs 100 t a year, a tonne pressed at home
costs 0.03 MUSD, one short 0.1. Each line of 20 t costs its capex, spread over ten
years.
"""

import pytest
from test_families import LINE, SAVED, SHORT, costs, limited, lines
from test_families import base as base

import planner


def test_at_least_so_many_options_modules_tonnes_and_money(base):
    i = lines(base(), a=100, b=200, c=300)  # each costs more than it saves
    nothing, a, ab = 100 * SHORT, 10 - SAVED, 30 - 2 * SAVED
    costs(i, nothing)
    costs(limited(i, "options", min=2), nothing + ab)
    costs(limited(i, "modules", min=1), nothing + a)
    costs(limited(i, "capacity_t", min=21), nothing + ab)  # 40 t: whole modules only
    costs(limited(i, "capex_musd", min=300), nothing + ab)  # a and b together: c, as dear as they, would save less
    costs(limited(i, "capacity_t", min=20, max=20), nothing + a)


def test_only_starts_in_the_years_of_a_limit_count(base):
    # two periods; lines are there from their start, and cost a tenth of their capex in every year
    i = lines(base(years=(2030, 2031)), a=1, b=1)
    both = 2 * 100 * SHORT - 4 * SAVED + 0.4
    costs(i, both)
    # one of them may be started in 2030, the other then starts in 2031
    plan = costs(limited(i, "options", last_year=2030, max=1), both + SAVED - 0.1)
    assert sorted(plan.tables["builds"]["start_year"]) == [2030, 2031]
    # only one start in 2031: both in 2030
    costs(limited(i, "modules", first_year=2031, max=0), both)
    # at least one start in 2031
    costs(limited(i, "options", first_year=2031, min=1), both + SAVED - 0.1)
    # a year in which no period begins: nothing can be started in it
    with pytest.raises(planner.PlannerError, match="no plan"):
        planner.solve(limited(base_of_one(i), "modules", first_year=2032, last_year=2032, min=1).load())


def base_of_one(draft):
    """The same instance, whose last period lasts two years."""
    draft.settings = {**draft.settings, "last": 2}
    return draft


def test_an_option_that_is_started_twice_counts_once(base):
    i = lines(base(years=(2030, 2031)), a=1, b=1)
    twice = {**LINE, "option": "a", "name": "a", "module_t": 20, "capex_musd": 1, "max_modules": 2, "max_per_year": 1}
    i = limited(i.with_rows("options", twice), "options", max=1)
    # a in 2030 and in 2031 saves 1.4 and 2.8 a year for 0.1 and 0.2
    plan = costs(i, 200 * SHORT - 3 * SAVED + 0.3)
    assert plan.tables["builds"]["option"].tolist() == ["a", "a"]


def test_fractions_of_modules_count_as_such(base):
    i = lines(base(), a=1, b=2)
    half = [
        {**LINE, "integer": "no", "option": o, "name": o, "module_t": 20, "capex_musd": m}
        for o, m in (("a", 1), ("b", 2))
    ]
    i = i.with_rows("options", *half)
    # 30 t: all of a, half of b
    costs(limited(i, "capacity_t", max=30), 100 * SHORT - 1.5 * SAVED + 0.2)
    with pytest.raises(planner.InstanceError, match="E373"):
        limited(i, "options", max=1).load()


def test_a_limit_is_diagnosed_with_an_edit_that_is_enough(base):
    i = lines(base(), a=1, b=2, c=3)
    served = {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 100000, "min_service": 0.6}
    for measure, cells, word in (
        ("options", {"max": 2}, "max 2 -> 3 (1 option)"),
        ("modules", {"max": 2}, "max 2 -> 3 (1 module)"),
        ("capacity_t", {"max": 50}, "max 50 -> 60 (10 t)"),
        ("capex_musd", {"max": 5}, "max 5 -> 6 (1 MUSD)"),
    ):
        told = str(planner.diagnose(limited(i.with_rows("sectors", served), measure, **cells).load()))
        assert "max of group all: at most" in told
        assert word in told
    # 3 MUSD of private money pay for a and b, whatever is asked for
    poor = [
        {**LINE, "option": o, "name": o, "module_t": 20, "capex_musd": 2, "private_musd": m}
        for o, m in (("a", 2), ("b", 1), ("c", 1))
    ]
    told = str(planner.diagnose(limited(i.with_rows("options", *poor), "options", min=3).load()))
    assert "min of group all: at least 3 different options started" in told


def test_how_strict_a_limit_could_be_is_told(base):
    i = lines(base(), a=1, b=2, c=3)
    i = limited(limited(i, "capacity_t", max=50), "options", last_year=2030, min=1)
    told = str(planner.diagnose(i.load()))
    assert "all: max 50 could alone be as low as 20" in told  # one line must be built
    assert "all: min 1 could alone be as high as 2" in told  # two lines of 20 t fit in


def test_what_a_limit_is_worth_is_told_by_the_relaxation(base):
    i = lines(base(), a=1, b=2, c=3).load()
    i = i.with_rows("group_limits", {"group": "all", "measure": "capacity_t", "max": 40})
    row = planner.explain(planner.solve(i)).binding.set_index("kind").loc["group_max"]
    # a tonne more of the dearest line saves 0.07 less 0.3 / 20
    assert row["worth_musd"] == pytest.approx(0.07 - 0.015)
    assert (row["name"], row["unit"]) == ("all capacity_t", "t")
    assert row["says"] == "at most 40 t of nameplate capacity started"


def test_the_page_tells_the_limits_and_what_is_started(base):
    i = lines(base(), a=1, b=2, c=3)
    i = limited(limited(i, "options", max=2), "capex_musd", last_year=2030, min=1)
    page = planner.report(planner.solve(i.load()))
    assert "Limits on groups of projects" in page
    text = page[page.index("table-groups") :]
    assert "different projects" in text
