"""What must hold for every instance, on small ones drawn at random (costs are nonnegative throughout)."""

import itertools
import random
import tempfile
from pathlib import Path

import pytest
from builders import write_instance
from drawn import unit_of, valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_families import TABLES, TOML

import planner

NEAR = 1e-6  # relative: the least-exposure step may spend 1e-7 of the cost
SMALL = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
COUNTER = itertools.count()
SCRATCH = tempfile.TemporaryDirectory()


def tables(draw):
    """The tables of a small instance: a plant, an option, a second country, a stockpile, two periods, a cap."""
    return {
        **TABLES,
        "facilities": (
            "facility,name,country,status,capacity_t,fixed_om_usd_per_t\n"
            f"plant,Plant,AAA,operating,{draw.randint(10, 80)},{draw.randint(0, 900)}\n"
            f"works,Works,BBB,operating,{draw.randint(10, 80)},0\n"
        ),
        "operations": (
            "facility,process,opex_usd_per_t\n"
            f"plant,press,{draw.randint(5, 40) * 1000}\nworks,press,{draw.randint(5, 40) * 1000}\n"
        ),
        "options": (
            "option,facility,name,module_t,max_modules,capex_musd,life_years\n"
            f"line,plant,Line,{draw.randint(5, 30)},2,{draw.randint(1, 20)},10\n"
        ),
        "lanes": (
            "material,origin,destination,cost_usd_per_t\nmagnet,CHN,AAA,1000\nmagnet,BBB,AAA,700\n"
            f"metal,AAA,BBB,{draw.randint(100, 900)}\n"
        ),
        "stockpiles": (
            "stockpile,country,material,initial_t,initial_exposed,max_t,holding_usd_per_t\n"
            f"pile,AAA,magnet,{draw.randint(0, 10)},{draw.choice(('yes', 'no'))},20,{draw.randint(0, 500)}\n"
        ),
        "demand": (
            "country,sector,material,year,demand_t\n"
            f"AAA,cars,magnet,2030,{draw.randint(40, 150)}\nAAA,cars,magnet,2032,{draw.randint(40, 150)}\n"
        ),
        "caps": f"cap,metric,limit,limit_end\ntraced,exposed_share,{draw.choice((0.5, 0.8, 1))},0.3\n",
    }


def written(content):
    folder = Path(SCRATCH.name) / str(next(COUNTER))
    toml = TOML.format(years=[2030, 2032], last=2, rate=0.05, concern='["CHN"]')
    return planner.load(write_instance(folder, content, toml))


def small(seed):
    return written(tables(random.Random(seed)))


def cost(instance):
    return planner.solve(instance, gap=0).objective_musd


def not_below(more, less):
    assert more >= less - NEAR * abs(less)


SEEDS = st.integers(0, 10_000)


@SMALL
@given(SEEDS, st.floats(0.0, 1.0))
def test_a_tighter_cap_never_costs_less_and_a_looser_never_more(seed, factor):
    instance = small(seed)
    tighter = instance.scaled("caps", "limit", factor).scaled("caps", "limit_end", factor)
    looser = instance.without("caps", cap="traced")
    not_below(cost(tighter), cost(instance))
    not_below(cost(instance), cost(looser))


@SMALL
@given(
    SEEDS,
    st.sampled_from(
        [
            ("demand", "demand_t"),
            ("operations", "opex_usd_per_t"),
            ("market_prices", "price_usd_per_t"),
            ("lanes", "cost_usd_per_t"),
            ("options", "capex_musd"),
            ("sectors", "shortage_usd_per_t"),
            ("stockpiles", "holding_usd_per_t"),
        ]
    ),
    st.floats(1.0, 3.0),
)
def test_more_demand_or_dearer_inputs_never_cost_less(seed, what, factor):
    instance = small(seed)
    not_below(cost(instance.scaled(*what, factor)), cost(instance))


@SMALL
@given(SEEDS)
def test_a_plant_less_or_a_lane_less_never_costs_less(seed):
    instance = small(seed).scaled("facilities", "fixed_om_usd_per_t", 0.0)
    not_below(
        cost(instance.without("operations", facility="works").without("facilities", facility="works")),
        cost(instance),
    )
    not_below(cost(instance.without("lanes", origin="BBB")), cost(instance))


@SMALL
@given(SEEDS)
def test_a_useless_plant_changes_no_cost(seed):
    instance = small(seed)
    idle = {"facility": "idle", "name": "Idle", "country": "CHN", "status": "operating", "capacity_t": 500}
    more = instance.with_rows("facilities", idle)
    more = more.with_rows("operations", {"facility": "idle", "process": "press", "opex_usd_per_t": 1})
    assert cost(more) == pytest.approx(cost(instance), rel=NEAR)


@SMALL
@given(SEEDS)
def test_the_exposed_share_keeps_its_limit(seed):
    plan = planner.solve(small(seed), gap=0)
    rows = plan.tables["dependence"].query("cap == 'traced'").dropna(subset=["share"])
    assert (rows["share"] <= rows["limit"] + 1e-6).all()


# --- the same, on instances that use every table -------------------------------------------------------------


def drawn(seed):
    """An instance that has a plan, its cost, and what it is written from."""
    while True:  # until one of them has a plan
        instance, toml, content = valid(Path(SCRATCH.name) / str(next(COUNTER)), seed)
        try:
            return instance, cost(instance), toml, content
        except planner.PlannerError as error:
            assert error.exit_code == 3, error
            seed += 1000


def multiplied(content, toml, units, factor):
    """The instance with every figure of these units multiplied."""
    larger = {
        name: [
            {
                c: v * factor if v != "" and unit_of(name, c, row.get("measure", row.get("metric"))) in units else v
                for c, v in row.items()
            }
            for row in rows
        ]
        for name, rows in content.items()
        if rows
    }
    return planner.load(write_instance(Path(SCRATCH.name) / str(next(COUNTER)), larger, toml))


@SMALL
@given(SEEDS)
def test_all_money_doubled_doubles_the_cost(seed):
    _, least, toml, content = drawn(seed)
    dearer = multiplied(content, toml, ("USD/t", "USD/unit", "MUSD"), 2.0)
    assert cost(dearer) == pytest.approx(2 * least, rel=NEAR, abs=1e-8)


@SMALL
@given(SEEDS)
def test_everything_twice_as_large_costs_twice_as_much(seed):
    _, least, toml, content = drawn(seed)
    larger = multiplied(content, toml, ("t", "t/year", "unit", "MUSD"), 2.0)
    assert cost(larger) == pytest.approx(2 * least, rel=NEAR, abs=1e-8)


def tables_of(instance):
    folder = planner.solve(instance, gap=0).write(Path(SCRATCH.name) / f"run-{next(COUNTER)}")
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(Path(folder).rglob("*.csv"))}


@SMALL
@given(SEEDS)
def test_the_order_of_rows_and_columns_changes_no_byte(seed):
    instance, _, toml, content = drawn(seed)
    shuffle = random.Random(seed)
    shuffled = {
        name: [dict(shuffle.sample(list(row.items()), len(row))) for row in shuffle.sample(rows, len(rows))]
        for name, rows in content.items()
        if rows
    }
    other = planner.load(write_instance(Path(SCRATCH.name) / str(next(COUNTER)), shuffled, toml))
    assert tables_of(other) == tables_of(instance)


@SMALL
@given(SEEDS)
def test_a_base_with_an_overlay_is_what_both_say_together(seed):
    instance, _, toml, content = drawn(seed)
    split = random.Random(seed)
    base, overlay = {}, {}
    for name, rows in content.items():
        for row in rows:
            where = split.choice(("base", "overlay", "switched on"))
            if where != "overlay":
                base.setdefault(name, []).append({**row, "active": "yes" if where == "base" else "no"})
            if where != "base":
                overlay.setdefault(name, []).append(row)
    surplus = {"country": "ZZZ", "name": "Nowhere"}
    base.setdefault("countries", []).append(surplus)
    overlay.setdefault("countries", []).append({**surplus, "active": "no"})
    folder = Path(SCRATCH.name) / str(next(COUNTER))
    write_instance(folder / "base", base, toml.replace('name = "drawn"', 'name = "base"'))
    write_instance(folder / "overlay", overlay, 'base = "../base"\nname = "drawn"\n')
    assert tables_of(planner.load(folder / "overlay")) == tables_of(instance)
