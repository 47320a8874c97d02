"""Coverage counted by hand, and first-order weights against finite differences of full solves."""

import json

import pytest
from places import INSTANCES, run

import planner
from planner.errors import UsageError
from planner.questions.evidence.marginals import marginal_values

CASES = INSTANCES.parent / "tests" / "cases"
NUDGE = 1e-5  # relative

CELLS = [
    ("operations", "opex_usd_per_t"),
    ("options", "capex_musd"),
    ("options", "wacc"),
    ("facilities", "capacity_t"),
    ("demand", "demand_t"),
    ("market_prices", "price_usd_per_t"),
    ("recipes", "t_per_t"),
    ("sectors", "shortage_usd_per_t"),
    ("lanes", "cost_usd_per_t"),
    ("tariffs", "rate"),
]


@pytest.mark.parametrize(
    "folder",
    [
        INSTANCES / "tiny",
        INSTANCES / "traced-cap",
        INSTANCES / "lead-and-ramp",
        INSTANCES / "stock-cover",
        CASES / "02_tariff_and_lane_wildcards" / "instance",
        CASES / "11_joint_products_with_surplus" / "instance",
        CASES / "26_yields_and_costs_by_year" / "instance",
    ],
    ids=lambda f: f.parent.name if f.name == "instance" else f.name,
)
def test_a_number_nudged_changes_the_cost_as_its_marginal_value_says(folder):
    """At a kink the marginal value is either side's, so it must match the step up or the step down."""
    instance = planner.load(folder)
    plan = planner.solve(instance)
    pins = planner.Pins.of(instance, plan)
    of = marginal_values(instance, plan)
    checked = 0
    for table, column in CELLS:
        for row in instance.rows(table):
            value = getattr(row, column)
            if not value:
                continue
            cells = {k: v for k, v in row.model_dump().items() if v is not None}
            slopes = []
            for factor in (1 + NUDGE, 1 - NUDGE):
                nudged = instance.with_rows(table, {**cells, column: value * factor})
                try:
                    cost = planner.solve(nudged, pins=pins).objective_musd
                except planner.PlannerError:
                    continue
                slopes.append((cost - plan.objective_musd) / (value * (factor - 1)))
            worth = of(table, row, column)
            scale = abs(plan.objective_musd) / abs(value)
            # either solve may spend 1e-7 of its cost on less exposure
            assert any(worth == pytest.approx(s, rel=1e-3, abs=3e-7 / NUDGE * scale) for s in slopes), (table, row)
            assert min(slopes) - 3e-2 * scale <= worth <= max(slopes) + 3e-2 * scale, (table, row)
            checked += 1
    assert checked >= 5


def test_capacity_that_may_be_idle_is_worth_what_is_not_avoided():
    # 80 t at home, of which 0 are used in 2026 and 50 in 2027: a tonne more would be idle in both years, and cost the
    # half of its 1 000 USD that is not avoided, twice
    tiny = planner.load(INSTANCES / "tiny")
    row = next(f for f in tiny.facilities if f.facility == "texas")
    cells = {k: v for k, v in row.model_dump().items() if v is not None}
    idle = tiny.changed(
        rows={
            "facilities": [{**cells, "capacity_t": 80, "fixed_om_usd_per_t": 1000}],
            "closures": [{"facility": "texas", "kind": "idle", "avoided_share": 0.5}],
        }
    )
    of = marginal_values(idle, planner.solve(idle))
    plant = next(f for f in idle.facilities if f.facility == "texas")
    assert of("facilities", plant, "capacity_t") == pytest.approx(2 * 500e-6)


def test_coverage_is_counted_by_row():
    tiny = planner.load(INSTANCES / "tiny")
    found = planner.evidence(tiny)
    coverage = found.coverage.set_index("table")
    assert coverage["numbers"]["demand"] == len(tiny.demand)
    assert coverage["neither"].drop("materials").sum() == 0  # every row of tiny says that it is an assumption
    bare = tiny.with_rows("sectors", {"sector": "cars", "name": "Cars", "shortage_usd_per_t": 1000000})
    missing = planner.evidence(bare).unbacked
    assert ("sectors", "cars") in set(zip(missing["table"], missing["key"], strict=True))
    cited = tiny.changed(
        rows={
            "sources": [{"source": "s", "title": "T", "publisher": "P", "url": "u", "date": "2020-05"}],
            "sectors": [{"sector": "cars", "name": "Cars", "shortage_usd_per_t": 1000000, "source": "s"}],
        }
    )
    found = planner.evidence(cited)
    # nobody verified that the source holds the number; a row of evidence.csv says so for the cell
    assert found.coverage.set_index("table")["cited"]["sectors"] == 1
    verified = cited.with_rows(
        "evidence",
        {
            "table": "sectors",
            "key": "cars",
            "column": "shortage_usd_per_t",
            "confidence": "high",
            "kind": "fact",
            "as_of": "2020-05",
            "review_by": "2026-10",
            "source": "s",
        },
    )
    coverage = planner.evidence(verified).coverage.set_index("table")
    assert (coverage["published"]["sectors"], coverage["cited"]["sectors"], coverage["ranged"]["sectors"]) == (1, 0, 0)
    assert found.sources.to_dict("records")[0] == {"source": "s", "numbers": 1, "date": "2020-05", "title": "T"}
    assert found.ages == (0, 1)


def test_what_was_to_be_looked_at_again_is_stale_after_that_month():
    tiny = planner.load(INSTANCES / "tiny")
    sure = {
        "table": "sectors",
        "key": "cars",
        "column": "shortage_usd_per_t",
        "confidence": "high",
        "kind": "judgement",
    }
    reviewed = tiny.with_rows("evidence", {**sure, "as_of": "2025", "review_by": "2026-10"})
    assert planner.evidence(reviewed).stale is None
    assert planner.evidence(reviewed, stale="2026-10-31").stale.empty
    late = planner.evidence(reviewed, stale="2026-11-01")
    assert late.stale[["table", "key", "column", "as_of"]].values.tolist() == [
        ["sectors", "cars", "shortage_usd_per_t", "2025"]
    ]
    assert "To be looked at again: 1 number\n" in str(late)
    for wrong in ("soon", "2026-13", "20261101"):
        with pytest.raises(UsageError, match=wrong):
            planner.evidence(reviewed, stale=wrong)


def test_a_range_without_a_marginal_value_is_told_as_such():
    risky = planner.load(INSTANCES / "tiny")
    option = risky.options[0].option
    sure = {"table": "options", "key": option, "confidence": "low", "kind": "judgement"}
    ranged = risky.with_rows(
        "evidence",
        {**sure, "column": "lead_years", "low": 1, "high": 3},
        {**sure, "column": "success_probability", "low": 0.2, "high": 0.9},
    )
    found = planner.evidence(ranged, planner.solve(ranged))
    assert found.weights["musd"].isna().all() and len(found.weights) == 2
    assert "Ranges without a rate" in str(found) and "options.lead_years 1" in str(found)


def test_ranges_are_weighed_by_what_they_are_worth():
    # a range of 10 000 USD/t on the price is worth 150 t x 10 000
    tiny = planner.load(INSTANCES / "tiny")
    price = tiny.market_prices[0]
    key = "/".join("" if k is None else str(k) for k in (price.market, price.year))
    ranged = tiny.with_rows(
        "evidence",
        {
            "table": "market_prices",
            "key": key,
            "column": "price_usd_per_t",
            "low": price.price_usd_per_t - 5000,
            "high": price.price_usd_per_t + 5000,
            "confidence": "low",
            "kind": "estimate",
        },
    )
    plan = planner.solve(ranged)
    bought = plan.tables["purchases"]
    bought = bought[bought["market"] == price.market]["t"].sum()
    weights = planner.evidence(ranged, plan).weights
    assert weights["musd"].tolist() == pytest.approx([bought * 10000 / 1e6])


def test_the_command(tmp_path):
    assert run("solve", INSTANCES / "tiny", "-o", tmp_path / "run").returncode == 0
    done = run("evidence", INSTANCES / "tiny", "--run", tmp_path / "run", "--json", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert run("evidence", tmp_path).returncode == 2
