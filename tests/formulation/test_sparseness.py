"""What the model may leave out and what not: uses without a product, balances without material, next to nothing.

The instance, the helpers and the costs per tonne are those of test_families: 21 000 USD/t from China, 30 000 pressed
at home (10 000 of it metal), 100 000 for a tonne short.
"""

from pathlib import Path

import pytest
from test_families import CHINA, HOME, PLANT, SHORT, base, costs  # noqa: F401  (base is a fixture)

import planner

SLAG = {"material": "slag", "name": "Slag"}


def with_furnaces(draft):
    """In BBB a smelter that makes metal from nothing for 100 USD/t, and an oven that makes slag of it for 500."""
    for process, material, role in (
        ("smelt", "metal", "output"),
        ("burn", "metal", "input"),
        ("burn", "slag", "output"),
    ):
        draft = draft.with_rows("processes", {"process": process, "name": process})
        draft = draft.with_rows("recipes", {"process": process, "material": material, "role": role, "t_per_t": 1})
    for facility, process, opex in (("smelter", "smelt", 100), ("oven", "burn", 500)):
        row = {"facility": facility, "name": facility, "country": "BBB", "status": "operating", "capacity_t": 80}
        draft = draft.with_rows("facilities", row)
        draft = draft.with_rows("operations", {"facility": facility, "process": process, "opex_usd_per_t": opex})
    return draft.with_rows("materials", SLAG)


def test_what_may_not_be_thrown_away_may_be_used_up_for_nothing(base):  # noqa: F811
    # the smelter must run for 40 t, nobody wants its metal, and only the oven can take it: 40 x (100 + 500)
    draft = with_furnaces(base())
    draft = draft.with_rows(
        "materials", {"material": "metal", "name": "Metal", "stage": "metal", "strategic": "yes", "surplus": "no"}
    )
    obliged = {"facility": "smelter", "name": "S", "country": "BBB", "status": "operating", "capacity_t": 80}
    draft = draft.with_rows("facilities", {**obliged, "min_use": 0.5})
    costs(draft, 100 * CHINA + 40 * 0.0006)


@pytest.mark.parametrize("metric", ["stage_share", "single_country_share"])
def test_metal_made_for_nothing_makes_room_under_a_cap_on_its_stage(base, metric):  # noqa: F811
    # 60 t of magnets from Chinese metal at 5000; half of all metal may be Chinese, so 60 t more are made and burnt
    draft = with_furnaces(base()).without("markets", market="magnet-chn").without("market_prices", market="magnet-chn")
    draft = draft.with_rows("markets", {"market": "metal-chn", "country": "CHN", "material": "metal"})
    draft = draft.with_rows("market_prices", {"market": "metal-chn", "price_usd_per_t": 5000})
    draft = draft.with_rows("lanes", {"material": "metal", "origin": "CHN", "destination": "AAA", "cost_usd_per_t": 0})
    draft = draft.with_rows("caps", {"cap": "half", "metric": metric, "material": "metal", "limit": 0.5})
    plan = costs(draft, 60 * (0.005 + 0.0006 + 0.020) + 40 * SHORT)
    burnt = plan.tables["activity"].query("process == 'burn'")
    assert burnt["activity_t"].sum() == pytest.approx(60, abs=1e-3)  # the least-exposure step may spend a little


def test_a_limit_that_glides_to_nothing_ends_at_nothing(base):  # noqa: F811
    # 2026-2028 at most 80 %: 80 t from China; in 2029 nothing: 60 t from home, 40 t short
    cap = {
        "cap": "less",
        "metric": "exposed_share",
        "limit": 0.8,
        "limit_end": 0,
        "first_year": 2026,
        "last_year": 2029,
    }
    plan = costs(base(years=(2026, 2029)).with_rows("caps", cap), 3 * (80 * CHINA + 20 * HOME) + 60 * HOME + 40 * SHORT)
    limits = plan.tables["dependence"].query("cap == 'less'").set_index("year")["limit"]
    assert limits.to_dict() == {2026: 0.8, 2029: 0.0}


def test_where_nothing_is_needed_the_plan_is_to_do_nothing(base):  # noqa: F811
    need = {"country": "AAA", "sector": "cars", "material": "magnet", "demand_t": 0}
    plan = costs(base().with_rows("demand", need), 0.0)
    assert plan.status == "optimal" and plan.plan["gap"] == 0.0


def test_exposed_material_has_no_price_where_there_can_be_none(base):  # noqa: F811
    # the tied plant takes the clean metal of AAA as exposed; no exposed metal can get there. It makes 60 t, as China's
    # magnets are kept out
    draft = base().without("lanes", material="magnet")
    plan = costs(draft.with_rows("facilities", {**PLANT, "concern_tie": "yes"}), 60 * HOME + 40 * SHORT)
    prices = plan.tables["prices"].query("material == 'metal' and country == 'AAA'")
    assert prices[["provenance", "usd_per_t"]].to_numpy().tolist() == [["clean", pytest.approx(10000, abs=1e-3)]]


def test_swarf_that_nobody_has_is_worth_no_million():
    # Japan throws away clean swarf, and has none that is exposed; a dual of 1.9 million USD/t stood beside the 0
    plan = planner.solve(planner.load(Path(__file__).parents[1] / "defects" / "nothing_passes"))
    swarf = plan.tables["prices"].query("material == 'swarf' and country == 'JPN' and year == 2028")
    assert swarf.set_index("provenance")["usd_per_t"].dropna().to_dict() == {"clean": pytest.approx(0.0, abs=1e-6)}


def test_a_cost_of_next_to_nothing_stops_no_step(base):  # noqa: F811
    # 1e-12 USD/t is below what the solver can hold in the row that keeps the cost while exposure is made least
    draft = base().with_rows("market_prices", {"market": "metal-aaa", "price_usd_per_t": 1e-12})
    costs(draft, 60 * 0.020 + 40 * CHINA)


def test_a_plant_of_grams_that_makes_tonnes_is_shown(base):  # noqa: F811
    # 0.05 t of magnets at 100 000 t per t of activity: the activity is 5e-7 t, and yet it is all there is
    draft = base().without("markets", market="magnet-chn").without("market_prices", market="magnet-chn")
    for material, role in (("metal", "input"), ("magnet", "output")):
        draft = draft.with_rows("recipes", {"process": "press", "material": material, "role": role, "t_per_t": 100_000})
    need = {"country": "AAA", "sector": "cars", "material": "magnet", "demand_t": 0.05}
    plan = costs(draft.with_rows("demand", need), 0.05 * 0.010 + 5e-7 * 0.020)
    assert plan.tables["activity"]["activity_t"].tolist() == [pytest.approx(5e-7)]
