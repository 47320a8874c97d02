"""A capacity that changes with time, against arithmetic done by hand; the instance is that of test_families.py."""

import pytest
from test_families import CHINA, HOME, LINE, PLANT, SHORT, alone, costs
from test_families import base as base

import planner

NO_CAPACITY = {name: value for name, value in PLANT.items() if name != "capacity_t"}


def by_year(draft, points, **plant):
    """The instance with a series as the capacity of its plant; China's magnets cannot be had."""
    rows = [{"facility": "plant", "year": year, "capacity_t": t} for year, t in points.items()]
    draft = alone(draft).without("facilities", facility="plant").with_rows("facilities", {**NO_CAPACITY, **plant})
    return draft.with_rows("facility_capacity", *rows)


def test_a_series_is_read_at_the_first_year_and_ramped_and_ended_in_each(base):
    i = by_year(base(years=(2030, 2032), last=2), {2028: 100, 2032: 20}, first_year=2031, ramp_years=2, last_year=2032)
    # 2030: 60 t at nameplate, none in 2030 and half in 2031; 2032: 20 t at nameplate, all of it in 2032, none in 2033
    plan = costs(i, 2 * (15 * HOME + 85 * SHORT) + 2 * (10 * HOME + 90 * SHORT))
    assert plan.tables["capacity"]["capacity_t"].tolist() == pytest.approx([15, 10])


def test_options_go_on_beside_a_series_and_after_the_last_year(base):
    i = by_year(base(years=(2030, 2031)), {2030: 50, 2031: 10}, last_year=2030)
    i = i.with_rows("options", {**LINE, "option": "line", "name": "Line", "module_t": 20, "capex_musd": 1})
    # a module of 20 t costs 0.1 MUSD a year; beside 50 t of its own the plant runs 20 t more, and these alone in 2031
    costs(i, 0.2 + 70 * HOME + 30 * SHORT + 20 * HOME + 80 * SHORT)


def test_min_use_refers_to_the_series(base):
    i = by_year(base(years=(2030, 2031)), {2030: 40, 2031: 80}, min_use=0.5)
    lane = {"material": "magnet", "origin": "CHN", "destination": "AAA", "cost_usd_per_t": 1000}
    costs(i.with_rows("lanes", lane), 20 * HOME + 80 * CHINA + 40 * HOME + 60 * CHINA)


def test_what_closes_is_a_share_of_the_series(base):
    # a fixed cost of 50 000 USD/t; a plant of 100 t in 2030 and 20 t in 2031, of which metal for 10 t can be had
    i = by_year(base(years=(2030, 2031)), {2030: 100, 2031: 20}, fixed_om_usd_per_t=50000)
    i = i.with_rows("market_prices", {"market": "metal-aaa", "year": "", "price_usd_per_t": 10000, "max_t": 10})
    retire = {"facility": "plant", "kind": "retire", "closing_usd_per_t": 1000}
    run = 10 * HOME + 90 * SHORT
    # nine tenths are closed in 2030: 90 t, for 0.09 once, leave 10 t then and 2 t in 2031, when 8 t more are short. To
    # keep half would save 8 x 0.07 - 8 x 0.05 in 2031, but cost 40 x 0.05 in 2030
    last = 2 * HOME + 98 * SHORT
    plan = costs(i.with_rows("closures", retire), run + 0.09 + 10 * 0.05 + last + 2 * 0.05)
    assert plan.tables["closures"]["closed_t"].tolist() == pytest.approx([90, 18])
    assert plan.tables["closures"]["closing_musd"].tolist() == pytest.approx([0.09, 0])
    # idle capacity can return: 90 of 100 t, then 10 of 20 t
    plan = costs(i.with_rows("closures", {"facility": "plant", "kind": "idle"}), 2 * (run + 10 * 0.05))
    assert plan.tables["closures"]["share"].tolist() == pytest.approx([0.9, 0.5])
    # closing only in 2031 is paid for what is there then: 10 t
    late = {**retire, "first_year": 2031}
    costs(i.with_rows("closures", late), 2 * run + 0.01 + 100 * 0.05 + 10 * 0.05)


def test_what_is_taken_follows_the_series(base):
    i = by_year(base(years=(2030, 2031)), {2030: 50, 2031: 20})
    i = i.with_rows("sectors", {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 10000})
    taken = {"offtake": "o", "facility": "plant", "material": "magnet", "take_t": 30, "payer": "p"}
    # nobody would press for 30 000 USD/t what is worth 10 000; 30 t must be taken of 50 t, so 12 t of 20 t
    costs(i.with_rows("offtakes", {**taken, "agreed_usd_per_t": 0}), 42 * HOME + 158 * 0.010)


def test_what_a_tonne_more_of_a_point_is_worth(base):
    i = by_year(base(years=(2030, 2031, 2032)), {2030: 20, 2032: 60}, fixed_om_usd_per_t=1000)
    evidence = {"table": "facility_capacity", "key": "plant/2032", "column": "capacity_t", "low": 50, "high": 60}
    i = i.with_rows("evidence", {**evidence, "confidence": "low", "kind": "assumption"})
    plan = costs(i, 120 * HOME + 180 * SHORT + 0.12)
    weights = planner.evidence(i.load(), plan).weights
    # from 50 to 60 t in 2032 are 10 t more then and 5 t in 2031, each worth 100 000 - 30 000 less 1 000 USD
    assert weights["musd"].tolist() == pytest.approx([-15 * 0.069])


def test_what_a_series_lacks_is_told_at_its_row(base):
    i = by_year(base(years=(2030, 2031)), {2030: 60, 2031: 20})
    i = i.with_rows("sectors", {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 100000, "min_service": 0.5})
    with pytest.raises(planner.PlannerError) as caught:
        planner.solve(i.load())
    assert caught.value.exit_code == 3
    assert "2031: at most 20 t of its own capacity [facility_capacity.csv:2]" in str(caught.value)
