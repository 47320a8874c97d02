"""What a price floor costs its payer, by hand."""

import pytest
from places import INSTANCES

import planner
from planner.errors import InstanceError


@pytest.fixture(scope="module")
def tiny():
    return planner.load(INSTANCES / "tiny")


def floor(**columns):
    return {"facility": "texas", "material": "magnet", "payer": "State", "floor_usd_per_t": 70000, **columns}


def test_a_floor_against_a_market_pays_the_difference_on_what_is_made(tiny):
    # README of tiny: 50 t in 2027; the market sells at 40 000 USD/t: 50 t x 30 000 = 1.5 MUSD
    plan = planner.solve(tiny.with_rows("price_floors", floor(market="china-magnets")))
    owed = plan.tables["price_floors"]
    assert owed["t"].tolist() == pytest.approx([50], rel=1e-5) and owed["year"].tolist() == [2027]
    assert owed["outlay_musd"].tolist() == pytest.approx([1.5], rel=1e-5)
    assert plan.objective_musd == pytest.approx(9.75)  # a transfer


def test_a_floor_below_the_price_costs_nothing_and_years_end_it(tiny):
    low = planner.solve(tiny.with_rows("price_floors", floor(market="china-magnets", floor_usd_per_t=30000)))
    assert low.tables["price_floors"]["outlay_musd"].tolist() == [0.0]
    over = planner.solve(tiny.with_rows("price_floors", floor(market="china-magnets", last_year=2026)))
    assert over.tables["price_floors"].empty


def test_without_a_market_the_plans_own_clean_price_counts(tiny):
    plan = planner.solve(tiny.with_rows("price_floors", floor(floor_usd_per_t=1_000_000)))
    prices = plan.tables["prices"].query("material == 'magnet' and country == 'USA' and year == 2027")
    clean = float(prices.query("provenance == 'clean'")["usd_per_t"].iloc[0])
    owed = plan.tables["price_floors"].iloc[0]
    assert owed["price_usd_per_t"] == pytest.approx(clean)
    assert owed["outlay_musd"] == pytest.approx(50 * (1_000_000 - clean) / 1e6, rel=1e-5)


def test_an_option_counts_with_its_part_of_the_capacity(tiny):
    # 20 t of own capacity beside the line's 60 t: three quarters are the line's
    row = next(f for f in tiny.facilities if f.facility == "texas")
    cells = {k: v for k, v in row.model_dump().items() if v is not None}
    mixed = tiny.with_rows("facilities", {**cells, "capacity_t": 20})
    plan = planner.solve(
        mixed.with_rows("price_floors", floor(market="china-magnets", option="texas-line")),
        pins=planner.Pins.parse(mixed, force=["texas-line@2026"]),
    )
    made = plan.tables["activity"].query("facility == 'texas' and year == 2027")["activity_t"].sum()
    owed = plan.tables["price_floors"].query("year == 2027").iloc[0]
    assert owed["t"] == pytest.approx(0.75 * made)


def test_a_run_with_floors_is_written_read_and_audited(tiny, tmp_path):
    instance = tiny.with_rows("price_floors", floor())
    plan = planner.solve(instance)
    plan.write(tmp_path / "run")
    back = planner.read_run(tmp_path / "run")
    assert back.tables["price_floors"].equals(plan.tables["price_floors"])
    assert planner.audit(instance, back).ok


@pytest.mark.parametrize(
    ("columns", "price", "upside", "outlay"),
    [
        ({"max_t": 20}, 40_000, 0.0, 20 * 30_000e-6),  # of 50 t only 20 are covered
        ({"max_t": 80}, 40_000, 0.0, 50 * 30_000e-6),  # and never more than is made
        ({}, 90_000, 0.0, 0.0),  # one-sided: above the floor nobody pays
        ({"upside_share": 1}, 90_000, 1.0, -50 * 20_000e-6),  # two-sided: a contract for difference
        ({"upside_share": 0.3}, 90_000, 0.3, -0.3),  # 30 % of 50 t x 20,000
        ({"upside_share": 0.3, "upside_from_usd_per_t": 80_000}, 90_000, 0.15, -0.15),  # of 50 t x 10,000
        ({"upside_share": 0.3, "upside_from_usd_per_t": 80_000}, 75_000, 0.0, 0.0),  # between floor and upside
        ({"upside_share": 0.3, "upside_max_musd": 0.1}, 90_000, 0.1, -0.1),  # at most 0.1 MUSD a year
        ({"upside_share": 0.3, "max_t": 10}, 90_000, 0.06, -0.06),  # only of what is covered
    ],
)
def test_volume_and_upside_of_a_floor(tiny, columns, price, upside, outlay):
    """50 t are made in 2027; the floor is 70,000 USD/t, against an index: a market that sells nothing."""
    index = tiny.changed(
        rows={
            "markets": [{"market": "index", "country": "CHN", "material": "magnet"}],
            "market_prices": [{"market": "index", "price_usd_per_t": price, "max_t": 0}],
            "price_floors": [floor(market="index", **columns)],
        }
    )
    plan = planner.solve(index)
    (owed,) = plan.tables["price_floors"].to_dict("records")
    assert owed["price_of"] == "index" and owed["price_usd_per_t"] == price
    assert owed["t"] == pytest.approx(min(50, columns.get("max_t", 50)), rel=1e-5)
    assert owed["upside_musd"] == pytest.approx(upside, abs=1e-5)
    assert owed["outlay_musd"] == pytest.approx(outlay, abs=1e-5)
    assert plan.objective_musd == pytest.approx(9.75) and planner.audit(index, plan).ok


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"upside_share": 0.3, "upside_from_usd_per_t": 60_000}, "below the floor"),
        ({"upside_from_usd_per_t": 80_000}, "means nothing"),
        ({"upside_max_musd": 1}, "means nothing"),
    ],
)
def test_an_upside_that_cannot_be_is_told(tiny, columns, says):
    with pytest.raises(InstanceError, match=says):
        tiny.with_rows("price_floors", floor(**columns))


def test_a_tied_plant_is_paid_against_the_price_of_what_it_makes(tiny):
    # what the tied plant makes is exposed; nothing clean passes, so that the clean price, which would count first, is
    # blank
    row = next(f for f in tiny.facilities if f.facility == "texas")
    tied = {k: v for k, v in row.model_dump().items() if v is not None} | {"capacity_t": 20, "concern_tie": "yes"}
    instance = (
        tiny.without("caps", cap="half").with_rows("facilities", tied).with_rows("price_floors", floor(last_year=2026))
    )
    plan = planner.solve(
        instance.with_rows("market_prices", {"market": "china-magnets", "year": "", "price_usd_per_t": 90000})
    )
    prices = plan.tables["prices"].query("material == 'magnet' and country == 'USA' and year == 2026")
    known = prices.set_index("provenance")["usd_per_t"].dropna()
    assert known.index.tolist() == ["exposed"]
    (owed,) = plan.tables["price_floors"].itertuples()
    assert owed.price_usd_per_t == pytest.approx(91000) == pytest.approx(known["exposed"])  # with the freight
