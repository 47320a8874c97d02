"""The origins of what is delivered: ledgers by hand, tonnes conserved, circles, stocks, scrap."""

from pathlib import Path

import pandas as pd
import pytest
from builders import write_instance

import planner
from planner.errors import OutputError
from planner.runs.origin import ledger
from planner.runs.tables import COLUMNS, Tables, table

ROOT = Path(__file__).parents[2]
SMALL = [
    *(ROOT / "instances" / name for name in ("tiny", "traced-cap", "lead-and-ramp", "stock-cover", "world-2024")),
    *sorted(p.parent / "instance" for p in (ROOT / "tests" / "cases").glob("*/expected.json")),
]

TOML = """\
schema = 1
name = "small"
stages = ["mining", "metal", "magnet"]
[time]
years = [2030, 2032]
last_period_years = 2
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0
wacc = 0
[security]
countries_of_concern = ["CHN"]
"""
CHAIN = {
    "countries": "country,name\nAAA,Aland\nBBB,Bland\nCHN,China\n",
    "materials": (
        "material,name,stage,strategic\nore,Ore,mining,yes\nmetal,Metal,metal,yes\nmagnet,Magnet,magnet,yes\n"
        "swarf,Swarf,,no\nold,Old magnets,,no\nacid,Acid,,no\n"
    ),
    "processes": "process,name,restores_provenance\nmine,M,no\nsmelt,S,no\npress,P,no\nremelt,R,no\nrefine,R,yes\n",
    "recipes": (
        "process,material,role,t_per_t\nmine,ore,output,1\n"
        "smelt,ore,input,2\nsmelt,acid,input,3\nsmelt,metal,output,1\n"
        "press,metal,input,1.25\npress,magnet,output,1\npress,swarf,output,0.25\n"
        "remelt,swarf,input,1\nremelt,metal,output,0.8\n"
        "refine,old,input,2\nrefine,metal,output,1\n"
    ),
    "facilities": (
        "facility,name,country,status,capacity_t\npit,P,AAA,operating,9000\npot,P,CHN,operating,9000\n"
        "works,W,BBB,operating,9000\nshop,S,AAA,operating,9000\n"
    ),
    "operations": (
        "facility,process\npit,mine\npot,mine\npot,smelt\nworks,smelt\nworks,remelt\nworks,refine\npot,refine\n"
        "shop,press\nshop,remelt\n"
    ),
    "lanes": "material,origin,destination,cost_usd_per_t\n*,*,*,1\n",
    "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,90000\n",
    "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,,100\n",
    "markets": "market,country,material\nspot,BBB,metal\nyard,AAA,old\nvat,BBB,acid\n",
    "market_prices": "market,year,price_usd_per_t\nspot,,1500\nyard,,1\nvat,,1\n",
    "stockpiles": "stockpile,country,material,initial_t,max_t\npile,AAA,metal,100,900\n",
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return planner.load(write_instance(tmp_path_factory.mktemp("origin") / "small", CHAIN, TOML))


def traced(instance, **rows):
    """The shares of a plan given by the rows of its tables: (stage, origin) -> share, of the one consumer, by year."""
    tables = Tables({name: table(name, rows.get(name, [])) for name in COLUMNS})
    found = Tables({"origin": ledger(instance, tables)})["origin"]
    return {
        year: {(r.stage, r.origin): pytest.approx(r.share, abs=1e-12) for r in of.itertuples()}
        for year, of in found.groupby("year")
    }


def activity(facility, process, country, t, q="exposed", made=None, year=2030):
    return facility, process, country, q, made or q, year, t


def flow(material, origin, destination, t, q="exposed", year=2030):
    return material, origin, destination, q, year, t, 0.0, 0.0


def service(clean, exposed, year=2030):
    return "AAA", "cars", "magnet", year, 200.0, clean, exposed, 0.0


def test_what_meets_in_a_country_mixes(chain):
    # ore in BBB: 60 t from AAA and 40 t from CHN; made into 50 t of metal there. In AAA 50 t of it meet 75 t from a
    # market in BBB, whose ore nobody knows: 125 t of metal for 100 t of magnets
    found = traced(
        chain,
        activity=[
            activity("pit", "mine", "AAA", 60, "clean"), activity("pot", "mine", "CHN", 40),
            activity("works", "smelt", "BBB", 50), activity("shop", "press", "AAA", 100),
        ],
        adjustments=[("downgrade", "ore", "BBB", "clean", 2030, 60.0)],
        flows=[
            flow("ore", "AAA", "BBB", 60, "clean"), flow("ore", "CHN", "BBB", 40), flow("metal", "BBB", "AAA", 125),
        ],
        purchases=[
            ("spot", "BBB", "metal", "exposed", 2030, 75.0, 0.0), ("vat", "BBB", "acid", "exposed", 2030, 150.0, 0.0),
        ],
        service=[service(0, 100)],
    )  # fmt: skip
    # the ore of 50 / 125 = 40 % of the metal is known: 60 % of it from AAA, 40 % from CHN
    assert found[2030] == {
        ("mining", "AAA"): 0.24,
        ("mining", "CHN"): 0.16,
        ("mining", "unknown"): 0.6,
        ("metal", "BBB"): 1.0,
        ("magnet", "AAA"): 1.0,
    }


def test_clean_and_exposed_pools_are_traced_apart(chain):
    # both meet in AAA as metal: 25 t clean from ore of AAA, 100 t exposed from China; whoever takes clean gets no China
    plan = {
        "activity": [
            activity("pit", "mine", "AAA", 50, "clean"), activity("works", "smelt", "BBB", 25, "clean"),
            activity("pot", "mine", "CHN", 200), activity("pot", "smelt", "CHN", 100),
            activity("shop", "press", "AAA", 20, "clean"), activity("shop", "press", "AAA", 80),
        ],
        "flows": [
            flow("ore", "AAA", "BBB", 50, "clean"), flow("metal", "BBB", "AAA", 25, "clean"),
            flow("metal", "CHN", "AAA", 100),
        ],
    }  # fmt: skip
    clean = {("mining", "AAA"): 1.0, ("metal", "BBB"): 1.0, ("magnet", "AAA"): 1.0}
    exposed = {("mining", "CHN"): 1.0, ("metal", "CHN"): 1.0, ("magnet", "AAA"): 1.0}
    assert traced(chain, **plan, service=[service(20, 0)])[2030] == clean
    assert traced(chain, **plan, service=[service(0, 80)])[2030] == exposed
    both = traced(chain, **plan, service=[service(20, 80)])[2030]
    assert (both["mining", "AAA"], both["mining", "CHN"]) == (0.2, 0.8)


def swarf_loop(instance, remelter="shop", country="AAA"):
    # 100 t of metal arrive from China. x t of metal become x / 1.25 t of magnets and 0.25 x / 1.25 = 0.2 x t of swarf,
    # of which 0.16 x t of metal: x = 100 + 0.16 x
    metal = 100 / 0.84
    magnets, swarf = metal / 1.25, 0.2 * metal
    moves = (
        [] if country == "AAA" else [flow("swarf", "AAA", country, swarf), flow("metal", country, "AAA", 0.8 * swarf)]
    )
    return traced(
        instance,
        activity=[
            activity("pot", "mine", "CHN", 200), activity("pot", "smelt", "CHN", 100),
            activity("shop", "press", "AAA", magnets), activity(remelter, "remelt", country, swarf),
        ],
        flows=[flow("metal", "CHN", "AAA", 100), *moves],
        service=[service(0, magnets)],
    )  # fmt: skip


@pytest.mark.parametrize("many", [0, 1000])  # both ways to solve for the mixes
def test_swarf_goes_round_and_keeps_its_origins(chain, many, monkeypatch):
    monkeypatch.setattr("planner.runs.origin.MANY", many)
    # of the metal 84 % came from China and 16 % was remelted; all of it was mined in China in the first place
    assert swarf_loop(chain)[2030] == {
        ("mining", "CHN"): 1.0,
        ("metal", "AAA"): 0.16,
        ("metal", "CHN"): 0.84,
        ("magnet", "AAA"): 1.0,
    }
    assert swarf_loop(chain, "works", "BBB")[2030] == {
        ("mining", "CHN"): 1.0,
        ("metal", "BBB"): 0.16,
        ("metal", "CHN"): 0.84,
        ("magnet", "AAA"): 1.0,
    }


def test_old_magnets_are_an_origin_of_their_own_unless_china_recycles_them(chain):
    # 125 t of metal in AAA: 25 t refined in BBB, 50 t refined in CHN, 50 t smelted there
    found = traced(
        chain,
        activity=[
            activity("works", "refine", "BBB", 25, "clean"), activity("pot", "refine", "CHN", 50),
            activity("pot", "mine", "CHN", 100), activity("pot", "smelt", "CHN", 50),
            activity("shop", "press", "AAA", 100),
        ],
        adjustments=[("downgrade", "metal", "AAA", "clean", 2030, 25.0)],
        purchases=[("yard", "AAA", "old", "clean", 2030, 150.0, 0.0)],
        flows=[
            flow("old", "AAA", "BBB", 50, "clean"), flow("old", "AAA", "CHN", 100, "exposed"),
            flow("metal", "BBB", "AAA", 25, "clean"), flow("metal", "CHN", "AAA", 100),
        ],
        service=[service(0, 100)],
    )  # fmt: skip
    assert found[2030] == {
        ("mining", "CHN"): 0.4,
        ("mining", "recycled"): 0.6,
        ("metal", "CHN"): 0.8,
        ("metal", "recycled"): 0.2,
        ("magnet", "AAA"): 1.0,
    }


def test_a_pair_of_lanes_that_sends_to_and_fro(chain):
    # 20 t of metal are refined in AAA and 10 t bought in BBB; 5 t go from AAA to BBB and 15 t back. The shares bought
    # in AAA and BBB follow from a = 15 b / (20 + 15), b = (10 + 5 a) / (10 + 5): 35 a = 10 + 5 a, a = 1 / 3
    found = traced(
        chain,
        activity=[activity("shop", "refine", "AAA", 20, "clean"), activity("shop", "press", "AAA", 24, "clean")],
        purchases=[
            ("spot", "BBB", "metal", "clean", 2030, 10.0, 0.0), ("yard", "AAA", "old", "clean", 2030, 40.0, 0.0),
        ],
        flows=[flow("metal", "AAA", "BBB", 5, "clean"), flow("metal", "BBB", "AAA", 15, "clean")],
        service=[service(24, 0)],
    )  # fmt: skip
    assert found[2030][("metal", "BBB")] == 1 / 3 and found[2030][("mining", "unknown")] == 1 / 3
    assert found[2030][("metal", "recycled")] == 2 / 3


def test_a_circle_without_a_source_is_unknown(chain):
    found = traced(
        chain,
        activity=[activity("shop", "press", "AAA", 8)],
        flows=[flow("metal", "AAA", "BBB", 10), flow("metal", "BBB", "AAA", 10)],
        service=[service(0, 8)],
    )
    assert found[2030][("metal", "unknown")] == 1.0


def test_stocks_keep_their_mix_from_period_to_period(chain):
    # 2030-31: 10 t a year are drawn and meet 40 t a year of Chinese metal, of which mix (a fifth is old) 40 t a year
    # are put in, so that the stock ends with 100 - 20 old and 80 new tonnes, of these 16 old
    # 2032-33: 40 t a year are drawn, of which 96 / 160 = 60 % are old, and meet 10 t a year from the market
    found = traced(
        chain,
        activity=[
            activity("pot", "mine", "CHN", 80, "clean"), activity("pot", "smelt", "CHN", 40, "clean"),
            activity("shop", "press", "AAA", 8, "clean"), activity("shop", "press", "AAA", 40, "clean", year=2032),
        ],
        flows=[flow("metal", "CHN", "AAA", 40, "clean"), flow("metal", "BBB", "AAA", 10, "clean", 2032)],
        purchases=[("spot", "BBB", "metal", "clean", 2032, 10.0, 0.0)],
        stocks=[
            ("pile", "AAA", "metal", "clean", 2030, 40.0, 10.0, 160.0),
            ("pile", "AAA", "metal", "clean", 2032, 0.0, 40.0, 80.0),
        ],
        service=[service(8, 0), service(40, 0, 2032)],
    )  # fmt: skip
    assert found[2030][("metal", "initial stock")] == 0.2
    assert found[2032][("metal", "initial stock")] == 0.8 * 0.6
    assert found[2032][("metal", "CHN")] == 0.8 * 0.4
    assert found[2032][("metal", "BBB")] == 0.2


def test_a_plant_that_does_all_steps_is_the_origin_of_each(tmp_path):
    tables = {
        **CHAIN,
        "processes": "process,name\nall,All steps\n",
        "recipes": "process,material,role,t_per_t\nall,magnet,output,1\n",
        "facilities": "facility,name,country,status,capacity_t\nshop,S,BBB,operating,900\n",
        "operations": "facility,process\nshop,all\n",
        "markets": "market,country,material\nspot,CHN,magnet\n",
        "market_prices": "market,year,price_usd_per_t\nspot,,1500\n",
        "stockpiles": "stockpile,country,material,max_t\n",
    }
    instance = planner.load(write_instance(tmp_path / "all", tables, TOML))
    found = traced(
        instance,
        activity=[activity("shop", "all", "BBB", 30, "clean")],
        purchases=[("spot", "CHN", "magnet", "exposed", 2030, 70.0, 0.0)],
        flows=[flow("magnet", "BBB", "AAA", 30, "clean"), flow("magnet", "CHN", "AAA", 70)],
        service=[service(30, 70)],
    )
    assert found[2030] == {
        ("mining", "BBB"): 0.3, ("metal", "BBB"): 0.3, ("magnet", "BBB"): 0.3,
        ("mining", "unknown"): 0.7, ("metal", "unknown"): 0.7, ("magnet", "CHN"): 0.7,
    }  # fmt: skip


# --- of solved plans ---


def test_no_chinese_magnet_and_all_metal_chinese():
    # instances/traced-cap: the cap on magnets is met, 100 t are pressed in Osaka, of Chinese metal
    plan = planner.solve(planner.load(ROOT / "instances" / "traced-cap"))
    assert plan.metrics["stage_share"]["magnet"]["2030"] == 0.0
    found = plan.tables["origin"].set_index(["stage", "origin"])["share"]
    assert found["magnet", "JPN"] == 1.0 and ("magnet", "CHN") not in found
    assert found["metal", "CHN"] == pytest.approx(1.0, abs=1e-6)


def test_the_recycler_of_the_oracle_by_hand():
    # tests/cases/07: 90 t of magnets. The recyclers turn the 22.5 t of swarf into 18 t of alloy: 14 t restored in
    # clean plants, of which defence gets its 10 t x 1.25 = 12.5 t, and 4 t in a tied one
    instance = planner.load(ROOT / "tests" / "cases" / "07_recycling_restores_provenance" / "instance")
    found = planner.solve(instance).tables["origin"].set_index(["sector", "stage", "origin"])["t"]
    assert found["defence", "metal", "recycled"] == pytest.approx(10)
    # 90 t take 112.5 t of alloy, 18 t of it recycled; cars get the rest of the recycled: (18 - 12.5) / 1.25 = 4.4 t
    assert found["auto", "metal", "recycled"] == pytest.approx(4.4)
    assert found["auto", "metal", "CHN"] == pytest.approx(75.6)


@pytest.mark.parametrize("folder", SMALL, ids=lambda p: p.parent.name if p.name == "instance" else p.name)
def test_tonnes_are_conserved(folder):
    instance = planner.load(folder)
    try:
        plan = planner.solve(instance)
    except planner.PlannerError:
        pytest.skip("the case has no plan, on purpose")
    conserved(instance, plan)


def conserved(instance, plan):
    table = plan.tables["origin"]
    by = ["country", "sector", "material", "year"]
    service = plan.tables["service"].set_index(by)
    received = (service["clean_t"] + service["exposed_t"]).loc[lambda t: t > 1e-6]
    assert (table["share"] > 0).all() and (table["share"] <= 1 + 1e-12).all()
    sums = table.groupby([*by, "stage"])[["t", "share"]].sum()
    assert (sums["share"] - 1).abs().max() < 1e-9
    order = {s: i for i, s in enumerate(instance.stages)}
    depth = {m.material: order[m.stage] + 1 for m in instance.materials if m.stage}
    assert len(sums) == sum(depth[material] for _, _, material, _ in received.index)
    for (country, sector, material, year, _), row in sums.iterrows():
        assert row["t"] == pytest.approx(received[country, sector, material, year], rel=1e-9)
    countries = {c.country for c in instance.countries}
    assert set(table["origin"]) <= countries | {"recycled", "unknown", "initial stock"}


def test_stages_agree_with_the_stage_shares_where_all_is_delivered():
    # without stocks, surplus or scrap, magnets delivered are magnets made or bought: the ledger's own stage is the
    # stage share of the last stage
    plan = planner.solve(planner.load(ROOT / "instances" / "tiny"))
    table = plan.tables["origin"]
    last = table[table["stage"] == "magnet"]
    for year, share in plan.metrics["stage_share"]["magnet"].items():
        of = last[last["year"] == int(year)]
        assert of.loc[of["origin"] == "CHN", "t"].sum() / of["t"].sum() == pytest.approx(share, abs=1e-9)


def test_the_table_goes_with_the_run_and_older_runs_are_read_without(tmp_path):
    instance = planner.load(ROOT / "instances" / "tiny")
    plan = planner.solve(instance)
    folder = plan.write(tmp_path / "run")
    run = planner.read_run(folder)
    pd.testing.assert_frame_equal(run.tables["origin"], plan.tables["origin"])
    assert planner.audit(instance, run).ok
    (folder / "origin.csv").unlink()
    older = planner.read_run(folder)
    assert "origin" not in older.tables and planner.audit(instance, older).ok
    pd.testing.assert_frame_equal(planner.origin_ledger(older), plan.tables["origin"])
    (folder / "origin.csv").write_text("country,share\n")
    with pytest.raises(OutputError, match="expected the columns country, sector, material, stage, origin"):
        planner.read_run(folder)
