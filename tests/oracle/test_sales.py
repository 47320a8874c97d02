"""Sales in small chains whose cost is derived by hand; the chain is that of test_families.

AAA can press 60 t a year at 30 000 USD/t (metal 10 000, pressing 20 000), and needs 100 t; China sells at 21 000.
"""

import pytest
from test_families import CHINA, HOME, base, costs, crisis  # noqa: F401

import planner
from planner.errors import Infeasible


def sold(draft, usd_per_t, name="abroad", **columns):
    prices = columns.pop("prices", [{"year": "", "price_usd_per_t": usd_per_t, **columns.pop("limits", {})}])
    row = {"buyer": name, "country": "AAA", "material": "magnet", **columns}
    return draft.with_rows("buyers", row).with_rows("buyer_prices", *({"buyer": name, **p} for p in prices))


def test_a_buyer_takes_what_pays_up_to_its_most(base):  # noqa: F811
    # 35 000 for what costs 30 000 at home: 40 t, which is all it takes; China serves the cars at 21 000
    plan = costs(sold(base(), 35000, limits={"max_t": 40}, clean_only="yes"), 100 * CHINA - 40 * (0.035 - HOME))
    row = plan.tables["sales"].iloc[0]
    assert (row["provenance"], row["t"], row["revenue_musd"]) == ("clean", pytest.approx(40), pytest.approx(1.4))
    money = plan.tables["costs"].groupby("component")["musd"].sum()
    assert money["sales"] == pytest.approx(-1.4)


def test_a_buyer_that_minds_nothing_is_sold_what_china_makes(base):  # noqa: F811
    costs(sold(base(), 22000, limits={"max_t": 40}), 100 * CHINA - 40 * (0.022 - CHINA))


def test_a_least_amount_is_sold_at_a_loss(base):  # noqa: F811
    costs(sold(base(), 5000, limits={"min_t": 10}), 110 * CHINA - 10 * 0.005)


def test_below_zero_it_is_paid_for_taking(base):  # noqa: F811
    # a by-product that may not be thrown away, 2 t per t pressed, is taken for 1 000 USD/t
    draft = base().with_rows("materials", {"material": "slag", "name": "Slag", "surplus": "no"})
    draft = draft.with_rows("recipes", {"process": "press", "material": "slag", "role": "output", "t_per_t": 2})
    draft = draft.without("lanes", material="magnet")
    costs(draft, 100 * 0.1)  # nothing can be pressed: the slag has nowhere to go
    plan = costs(sold(draft, -1000, "dump", material="slag"), 60 * (HOME + 2 * 0.001) + 40 * 0.1)
    assert plan.tables["sales"]["revenue_musd"].tolist() == pytest.approx([-0.12])


def test_the_price_is_a_series(base):  # noqa: F811
    # 31 000 in 2030, 33 000 in 2032, so 32 000 in 2031
    prices = [{"year": y, "price_usd_per_t": p, "max_t": 10} for y, p in ((2030, 31000), (2032, 33000))]
    draft = sold(base(years=(2030, 2031)), 0, prices=prices, clean_only="yes")
    costs(draft, 2 * 100 * CHINA - 10 * 0.001 - 10 * 0.002)


def test_what_is_sold_is_use_but_not_in_the_exposed_share(base):  # noqa: F811
    # 40 t made at home and sold: 40 of 140 t used come from home, but all 100 t that the cars get are exposed
    draft = sold(base(), 35000, limits={"max_t": 40}, clean_only="yes")
    draft = draft.with_rows("caps", {"cap": "c", "metric": "import_share", "material": "magnet", "country": "AAA",
                                     "limit": 1})  # fmt: skip
    plan = costs(draft, 100 * CHINA - 40 * (0.035 - HOME))
    assert plan.metrics["exposed_share"]["2030"] == pytest.approx(1.0)
    shares = plan.tables["dependence"].query("cap == 'c'")["share"].tolist()
    assert shares == pytest.approx([100 / 140])
    half = draft.with_rows("caps", {"cap": "c", "metric": "import_share", "material": "magnet", "country": "AAA",
                                    "limit": 0.5})  # fmt: skip
    # at most half from outside: home makes all its 60 t, and as much comes in; the cars get 100, and 20 are sold
    costs(half, 60 * HOME + 60 * CHINA - 20 * 0.035)


def test_a_case_of_profit_needs_neither_demand_nor_shortage_price(base):  # noqa: F811
    draft = sold(base(), 35000, limits={"max_t": 40})
    draft.tables["demand"], draft.tables["sectors"] = [], []
    draft = draft.without("lanes", material="magnet")
    plan = costs(draft, -40 * 0.005)
    assert plan.metrics["exposed_share"]["2030"] is None


def test_without_demand_and_buyers_there_is_nothing_to_plan(base):  # noqa: F811
    draft = base()
    draft.tables["demand"] = []
    with pytest.raises(planner.InstanceError, match="required table is missing"):
        draft.load()


def test_in_a_disruption_the_least_amount_does_not_hold(base):  # noqa: F811
    # an outage of the plant takes the clean magnets that the buyer must have
    draft = sold(base(), 5000, limits={"min_t": 10}, clean_only="yes")
    draft = crisis(draft, 2030, 2030, 0.25, {"kind": "outage", "facility": "plant", "fraction": 1})
    plan = costs(draft, 100 * CHINA + 0.75 * 10 * (HOME - 0.005))
    assert plan.branches["crisis"]["sales"].empty
    tested = planner.stress(plan, families=("scenario",))
    assert tested.faults == {}


def test_a_least_amount_that_cannot_be_had_is_named_with_its_cell(base):  # noqa: F811
    draft = sold(base(), 5000, limits={"min_t": 75}, clean_only="yes")
    with pytest.raises(Infeasible) as told:
        planner.solve(draft.load())
    assert "min_t of buyer abroad: at least 75 t of magnet" in str(told.value)
    assert "min_t 75 -> 60" in str(told.value)


def test_what_a_buyer_would_take_more_is_told_as_binding(base):  # noqa: F811
    found = planner.explain(costs(sold(base(), 35000, limits={"max_t": 40}, clean_only="yes"), 100 * CHINA - 0.2))
    row = found.binding.query("kind == 'buyer'").iloc[0]
    assert row["worth_musd"] == pytest.approx(0.005) and "at most 40 t of magnet" in row["says"]


def test_without_a_most_a_price_above_the_market_s_pays_without_end(base):  # noqa: F811
    with pytest.raises(planner.PlannerError, match="no lower bound"):
        planner.solve(sold(base(), 22000).load())


def test_what_a_price_weighs(base):  # noqa: F811
    draft = sold(base(), 35000, limits={"max_t": 40}, clean_only="yes")
    instance = draft.load().with_rows(
        "evidence",
        {"table": "buyer_prices", "key": "abroad/", "column": "price_usd_per_t", "low": 34000, "high": 36000,
         "confidence": "low", "kind": "assumption"},
    )  # fmt: skip
    weights = planner.evidence(instance, planner.solve(instance)).weights
    # from the low to the high end 2 000 USD/t more on 40 t
    assert weights.iloc[0]["musd"] == pytest.approx(-0.08, rel=1e-6)
