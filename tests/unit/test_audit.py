"""The audit catches every kind of corruption of a plan, names its place, and never falls over."""

import ast
import copy
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audit_runs import EVERYTHING, EVERYTHING_TOML, HandRun
from builders import write_instance

import planner
import planner.auditing
from planner.auditing import KINDS
from planner.runs.tables import ONLY_WITH

Corruption = Callable[[HandRun], None]


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everything")
    return planner.load(write_instance(folder / "everything", EVERYTHING, EVERYTHING_TOML))


@pytest.fixture(scope="module")
def solved(instance):
    return planner.solve(instance, audit=False)


@pytest.fixture
def run(solved):
    return copied(solved)


def copied(run):
    return HandRun(
        copy.deepcopy(run.plan),
        {name: frame.copy() for name, frame in run.tables.items()},
        {s: {name: frame.copy() for name, frame in tables.items()} for s, tables in run.branches.items()},
    )


# --- corruptions by kind ---

REGISTRY: dict[str, list[Corruption]] = {kind: [] for kind in KINDS}


def corrupts(kind):
    """Register a corruption that the audit must report under ``kind``."""

    def register(corruption):
        REGISTRY[kind].append(corruption)
        return corruption

    return register


def rows(frame, **where):
    """The index of the rows with these values; there must be one at least."""
    mask = np.ones(len(frame), dtype=bool)
    for column, value in where.items():
        mask &= (frame[column] == value).to_numpy()
    assert mask.any(), where
    return frame.index[mask]


def put(frame, column, value, **where):
    """Write a cell of the first row with these values; a function gets the old value."""
    index = rows(frame, **where)[0]
    frame.loc[index, column] = value(frame.loc[index, column]) if callable(value) else value


def add(tables, name, *cells):
    """Add a row, in its place."""
    frame = tables[name]
    tables[name] = pd.concat([frame, pd.DataFrame([cells], columns=frame.columns)], ignore_index=True).sort_values(
        list(frame.columns), ignore_index=True
    )


def drop(tables, name, **where):
    tables[name] = tables[name].drop(rows(tables[name], **where)).reset_index(drop=True)


def more(by):
    return lambda value: value + by


@corrupts("plan")
def a_missing_key(run):
    del run.plan["versions"]


@corrupts("plan")
def a_status_that_is_none(run):
    run.plan["status"] = "infeasible"


@corrupts("plan")
def another_instance(run):
    run.plan["instance"]["sha256"] = "0" * 64


@corrupts("tables")
def a_missing_table(run):
    del run.tables["prices"]


@corrupts("tables")
def a_missing_column(run):
    run.tables["flows"] = run.tables["flows"].drop(columns="provenance")


@corrupts("tables")
def columns_in_another_order(run):
    run.branches["stop"]["service"] = run.branches["stop"]["service"][
        ["sector", "country", "material", "year", "demand_t", "clean_t", "exposed_t", "short_t", "replaced_t"]
    ]


@corrupts("tables")
def a_table_of_its_own(run):
    run.tables["extras"] = run.tables["costs"]


@corrupts("branches")
def a_missing_branch(run):
    del run.branches["stop"]


@corrupts("branches")
def a_branch_of_no_scenario(run):
    run.branches["ghost"] = run.branches["stop"]


@corrupts("values")
def a_word_for_a_number(run):
    run.tables["flows"]["t"] = ["many", *run.tables["flows"]["t"].tolist()[1:]]


@corrupts("values")
def no_number(run):
    put(run.tables["costs"], "musd", float("nan"), component="opex")


@corrupts("values")
def half_a_year(run):
    run.tables["capacity"]["year"] = run.tables["capacity"]["year"] + 0.5


@corrupts("negative")
def a_negative_delivery(run):
    frame = run.tables["service"]
    put(frame, "short_t", -5.0, country="DEU", year=2027)
    put(frame, "exposed_t", more(5.0), country="DEU", year=2027)


@corrupts("keys")
def an_unknown_market(run):
    put(run.tables["purchases"], "market", "atlantis", year=2029)


@corrupts("keys")
def a_plant_in_another_country(run):
    put(run.tables["activity"], "country", "FRA", facility="deu-press")


@corrupts("keys")
def a_year_between_periods(run):
    put(run.branches["failure"]["flows"], "year", 2028, year=2027)


@corrupts("keys")
def a_branch_before_its_scenario(run):
    put(run.branches["failure"]["flows"], "year", 2026, year=2027)


@corrupts("duplicates")
def a_row_twice(run):
    first = tuple(run.tables["activity"].iloc[0])
    add(run.tables, "activity", *first)


@corrupts("order")
def rows_upside_down(run):
    run.tables["costs"] = run.tables["costs"].iloc[::-1].reset_index(drop=True)


@corrupts("build_start")
def a_start_after_last_start(run):
    put(run.tables["builds"], "start_year", 2029, option="reduce-start")
    put(run.tables["builds"], "online_year", 2031, option="reduce-start")


@corrupts("build_modules")
def half_a_module(run):
    put(run.tables["builds"], "modules", 1.5, option="reduce-start")


@corrupts("build_modules")
def too_many_modules(run):
    put(run.tables["builds"], "modules", 3.0, option="reduce-start")


@corrupts("build_modules")
def a_committed_project_left_out(run):
    drop(run.tables, "builds", option="reduce-start")


@corrupts("build_pace")
def too_fast(run):
    put(run.tables["builds"], "modules", 1.6, option="reduce-more", start_year=2027)


@corrupts("exclusive")
def two_lines_on_one_site(run):
    add(run.tables, "builds", "press-big", "new-press", "USA", 2026, 2027, 1.0, 60.0, 9.0)


@corrupts("groups")
def more_of_a_group_than_its_limit(run):
    # 12 MUSD for both kinds of lines; two small ones cost 5, a big one 9
    add(run.tables, "builds", "press-big", "new-press", "USA", 2026, 2027, 1.0, 60.0, 9.0)


@corrupts("groups")
def less_of_a_group_than_its_limit(run):
    put(run.tables["builds"], "modules", 0.5, option="reduce-start")
    drop(run.tables, "builds", option="reduce-more")


@corrupts("requires")
def an_extension_of_nothing(run):
    drop(run.tables, "builds", option="reduce-start")


@corrupts("build_shared")
def a_branch_that_builds_before_the_blow(run):
    put(run.branches["stop"]["builds"], "modules", 2.0, option="reduce-start")


@corrupts("funding_branch")
def a_branch_that_builds_what_nobody_pays(run):
    # at 4 MUSD a module: private money pays 2.5 MUSD of it, the funds at most 0.3 of the capex each
    put(run.branches["stop"]["builds"], "modules", 3.0, option="reduce-start")


@corrupts("build_columns")
def online_too_soon(run):
    put(run.tables["builds"], "online_year", 2027, option="reduce-start")


@corrupts("build_columns")
def capex_too_low(run):
    put(run.tables["builds"], "capex_musd", 3.9, option="reduce-start")


@corrupts("build_columns")
def nameplate_too_high(run):
    put(run.tables["builds"], "capacity_t", 31.0, option="reduce-start")


@corrupts("capacity")
def a_ramp_ignored(run):
    put(run.tables["capacity"], "capacity_t", 120.0, facility="usa-separate", year=2026)


@corrupts("capacity")
def capacity_left_out(run):
    drop(run.tables, "capacity", facility="deu-press", year=2029)


@corrupts("used")
def use_per_tonne_ignored(run):
    put(run.tables["capacity"], "used_t", 10.0, facility="deu-reduce", year=2029)


@corrupts("operations")
def a_process_the_plant_has_not(run):
    put(run.tables["activity"], "process", "recycle", facility="deu-press")


@corrupts("operations")
def a_tied_plant_that_makes_clean(run):
    put(run.tables["activity"], "output_provenance", "clean", facility="deu-reduce")


@corrupts("operations")
def washed_without_recycling(run):
    put(run.tables["activity"], "output_provenance", "clean", facility="deu-press", input_provenance="exposed")


@corrupts("capacity_limit")
def more_than_the_plant_can(run):
    put(run.tables["activity"], "activity_t", 50.1, facility="usa-press", year=2029)
    put(run.tables["activity"], "activity_t", 0.1, facility="usa-press", year=2026)


@corrupts("capacity_limit")
def an_outage_ignored(run):
    # 100 t less 40 % in half of the period leave 80
    put(run.branches["failure"]["activity"], "activity_t", 80.1, facility="deu-press", year=2027)


@corrupts("closures")
def a_plant_that_opens_again(run):
    put(run.tables["closures"], "share", more(-0.01), facility="usa-separate", year=2029)


@corrupts("closures")
def a_way_to_close_that_is_not_allowed(run):
    put(run.tables["closures"], "kind", "idle", facility="usa-separate", year=2026)


@corrupts("closures")
def more_avoided_than_is_closed(run):
    put(run.tables["closures"], "avoided_musd", more(0.001), facility="usa-separate", year=2027)


@corrupts("closures")
def a_closing_that_is_not_paid(run):
    put(run.tables["closures"], "closing_musd", 0.0, facility="usa-separate", year=2026)


@corrupts("capacity_limit")
def a_failed_project_that_came(run):
    # reduce-start comes online in 2028 and half of it fails: of 65 t only 50 are left in 2029, and reduce-more of
    # 2027 is hit as well (20·1.5·0.5), but not that of 2026
    put(run.branches["failure"]["activity"], "activity_t", 41.0, facility="new-reduce", year=2029)


@corrupts("min_use")
def a_contract_not_kept(run):
    put(run.tables["activity"], "activity_t", 29.9, facility="deu-press", year=2027)


@corrupts("offtake")
def less_than_what_is_taken_of_own_capacity(run):
    put(run.tables["activity"], "activity_t", 39.9, facility="deu-press", year=2026)


@corrupts("offtake")
def less_than_what_is_taken_of_two_modules(run):
    # 5 t of each that is online in both years of the period; 20 t are made there, and 4.8 t shall be
    frame = run.tables["activity"]
    frame.loc[rows(frame, facility="new-press", year=2029), "activity_t"] *= 4.8 / 20


@corrupts("outlays")
def a_floor_that_pays_less(run):
    put(run.tables["price_floors"], "outlay_musd", lambda musd: musd * 0.999, facility="deu-press", year=2027)


@corrupts("outlays")
def a_floor_for_more_than_the_options_part(run):
    put(run.tables["price_floors"], "t", more(1.0), facility="new-reduce", year=2029)


@corrupts("outlays")
def another_payer(run):
    put(run.tables["offtakes"], "payer", "Army", offtake="navy", year=2026)


@corrupts("outlays")
def another_price_of_the_day(run):
    put(run.tables["offtakes"], "price_usd_per_t", more(50.0), offtake="fort", year=2029)


@corrupts("outlays")
def a_payment_without_an_offtake(run):
    put(run.tables["offtakes"], "year", 2029, offtake="navy", year=2027)


@corrupts("outlays")
def a_floor_that_is_left_out(run):
    drop(run.tables, "price_floors", facility="new-reduce", year=2027)


@corrupts("prices")
def a_price_where_nothing_passes(run):
    prices = run.tables["prices"]
    assert prices["usd_per_t"].isna().any()
    run.tables["prices"] = prices.fillna({"usd_per_t": 1e6})


@corrupts("prices")
def no_price_where_something_passes(run):
    prices = run.tables["prices"]
    prices.loc[prices["usd_per_t"].notna().idxmax(), "usd_per_t"] = float("nan")


@corrupts("lanes")
def a_shipment_without_a_lane(run):
    put(run.tables["flows"], "destination", "FRA", material="swarf")


@corrupts("lanes")
def a_shipment_to_itself(run):
    put(run.tables["flows"], "destination", "CHN", material="metal", origin="CHN")


@corrupts("lane_limit")
def too_much_on_a_lane(run):
    put(run.tables["flows"], "t", 40.1, material="metal", origin="CHN", destination="USA", year=2026)


@corrupts("least_lot")
def less_than_a_lot_on_a_lane(run):
    put(run.tables["flows"], "t", 4.9, material="metal", origin="CHN", destination="USA", year=2026)


@corrupts("export_stop")
def exports_in_spite_of_a_stop(run):
    # 0.8 stopped in both years of the period leave 0.2·60 = 12
    put(run.branches["stop"]["flows"], "t", more(0.1), material="metal", origin="CHN", year=2029)


@corrupts("export_stop")
def exports_in_spite_of_half_a_stop(run):
    # in one of two years: 0.6·60 = 36
    put(run.branches["stop"]["flows"], "t", 36.1, material="metal", origin="CHN", year=2027)


@corrupts("market_limit")
def more_than_is_sold(run):
    # 30 in 2026 and 20 in 2030 make 22.5 in 2029
    put(run.tables["purchases"], "t", 22.6, market="chn-magnet", year=2029)


@corrupts("provenance")
def a_clean_purchase_in_a_country_of_concern(run):
    put(run.tables["purchases"], "provenance", "clean", market="chn-magnet")


@corrupts("provenance")
def a_clean_purchase_from_an_exposed_market(run):
    put(run.branches["stop"]["purchases"], "provenance", "clean", market="fra-metal")


@corrupts("provenance")
def an_upgrade(run):
    put(run.tables["adjustments"], "provenance", "exposed", kind="downgrade")


@corrupts("balance")
def a_lost_shipment(run):
    drop(run.tables, "flows", material="dy", year=2027)


@corrupts("balance")
def yesterdays_yield(run):
    # 1.25 t of metal per magnet in 2026, 1.2 in 2027: 2 t less activity would need the same metal
    put(run.tables["activity"], "activity_t", 98.0, facility="deu-press", year=2027)


@corrupts("balance")
def a_gram_in_a_tonne(run):
    put(run.branches["stop"]["flows"], "t", lambda t: t * (1 + 2e-6), material="metal", origin="USA", year=2029)
    put(run.branches["stop"]["flows"], "t", more(2e-4), material="metal", origin="USA", year=2027)


@corrupts("surplus")
def finished_goods_thrown_away(run):
    add(run.tables, "adjustments", "surplus", "magnet", "DEU", "exposed", 2027, 1.0)


@corrupts("surplus")
def waste_that_was_not_made(run):
    add(run.tables, "adjustments", "surplus", "dy", "DEU", "clean", 2027, 0.5)


@corrupts("transit")
def through_a_third_country(run):
    frame = run.tables["flows"]
    put(frame, "destination", "FRA", material="magnet", origin="DEU", destination="USA", year=2027)
    add(run.tables, "flows", "magnet", "FRA", "USA", "exposed", 2027, 30.25, 0.009075, 0.0, 30.25)


@corrupts("stock")
def stock_from_nothing(run):
    put(run.tables["stocks"], "stock_t", more(1.0), year=2029)


@corrupts("stock")
def a_branch_that_forgets_the_plans_stock(run):
    frame = run.branches["stop"]["stocks"]
    put(frame, "stock_t", more(-1.0), stockpile="deu-metal", year=2027)


@corrupts("stock_draw")
def more_drawn_than_there_was(run):
    frame = run.branches["stop"]["stocks"]
    put(frame, "draw_t", 25.0, stockpile="deu-metal", year=2027)
    put(frame, "put_t", 25.0, stockpile="deu-metal", year=2027)


@corrupts("stock_limit")
def an_overfull_store(run):
    put(run.tables["stocks"], "stock_t", 40.1, stockpile="deu-metal", year=2026)


@corrupts("stock_final")
def an_empty_store(run):
    drop(run.tables, "stocks", stockpile="usa-magnet", year=2029)


@corrupts("demand")
def a_demand_left_out(run):
    drop(run.tables, "service", country="FRA", year=2027)


@corrupts("demand")
def a_surge_ignored(run):
    put(run.branches["stop"]["service"], "demand_t", 82.5, country="DEU", year=2029)


@corrupts("demand")
def a_delivery_that_is_neither(run):
    put(run.tables["service"], "exposed_t", more(-0.1), country="DEU", year=2026)


@corrupts("min_service")
def a_floor_not_kept(run):
    frame = run.tables["service"]
    put(frame, "short_t", 31.0, country="DEU", year=2026)
    put(frame, "exposed_t", 29.0, country="DEU", year=2026)


@corrupts("clean_only")
def exposed_magnets_for_defence(run):
    frame = run.tables["service"]
    put(frame, "clean_t", 7.9, sector="defence", year=2027)
    put(frame, "exposed_t", 0.1, sector="defence", year=2027)


@corrupts("exposed_share")
def more_traced_dependence_than_allowed(run):
    frame = run.tables["service"]
    put(frame, "clean_t", more(-0.1), country="DEU", year=2029)
    put(frame, "exposed_t", more(0.1), country="DEU", year=2029)


@corrupts("stage_share")
def a_stage_share_above_its_glide(run):
    put(run.tables["activity"], "activity_t", 30.0, facility="new-reduce", year=2029)


@corrupts("single_country_share")
def one_country_above_its_share(run):
    put(run.tables["activity"], "activity_t", 4.0, facility="new-reduce", year=2029)


@corrupts("import_share")
def imports_above_their_share(run):
    put(run.tables["flows"], "arrived_t", more(0.1), material="metal", origin="CHN", destination="DEU", year=2029)


@corrupts("own_share")
def own_production_below_its_floor(run):
    put(run.tables["activity"], "activity_t", 10.0, facility="usa-press", year=2029)


@corrupts("dependence_rows")
def a_stage_left_out(run):
    drop(run.tables, "dependence", stage="metal", cap="")


@corrupts("dependence_rows")
def a_country_of_a_cap_left_out(run):
    drop(run.tables, "dependence", cap="one", country="FRA", year=2029)


@corrupts("dependence_rows")
def a_cap_outside_its_years(run):
    add(run.tables, "dependence", "imports", "import_share", "", "metal", "EUR", "", 2026, 0.5, 0.8, 0.0)


@corrupts("dependence")
def a_rosier_share(run):
    put(run.tables["dependence"], "share", more(-0.01), metric="exposed_share", cap="", year=2029)


@corrupts("dependence")
def a_limit_without_its_glide(run):
    put(run.tables["dependence"], "limit", 0.8, cap="imports", year=2029)


@corrupts("dependence")
def a_share_not_told(run):
    put(run.tables["dependence"], "share", float("nan"), metric="stage_share", stage="metal", year=2029)


@corrupts("marginals")
def a_cap_that_pays(run):
    put(run.tables["dependence"], "marginal_musd_per_point", -0.1, cap="imports")


@corrupts("marginals")
def a_marginal_value_of_no_cap(run):
    put(run.tables["dependence"], "marginal_musd_per_point", 0.1, cap="")


@corrupts("origin")
def an_origin_that_is_home(run):
    # what DEU has of metal is in part from CHN: said to be made in FRA, where nothing is made
    put(run.tables["origin"], "origin", "FRA", country="DEU", stage="metal", origin="CHN", year=2026)


@corrupts("origin")
def an_origin_left_out(run):
    frame = run.tables["origin"]
    run.tables["origin"] = frame[(frame["origin"] != "CHN") | (frame["year"] != 2026)].reset_index(drop=True)


@corrupts("freight")
def freight_of_another_lane(run):
    # magnet,*,USA beats magnet,*,*
    put(run.tables["flows"], "freight_musd", 0.00605, material="magnet", origin="DEU", destination="USA", year=2027)


@corrupts("tariff")
def a_tariff_not_paid(run):
    put(run.tables["flows"], "tariff_musd", 0.0, material="metal", origin="CHN", destination="USA")


@corrupts("purchase")
def a_price_surge_ignored(run):
    put(run.branches["stop"]["purchases"], "cost_musd", 22.5 * 0.075, market="chn-magnet", year=2029)


@corrupts("costs")
def an_opex_too_low(run):
    put(run.tables["costs"], "musd", lambda v: v * 0.99999, component="opex", year=2027)


@corrupts("costs")
def capex_of_half_the_years(run):
    put(run.tables["costs"], "musd", lambda v: v / 2, component="capex", year=2029)


@corrupts("costs")
def costs_left_out(run):
    drop(run.tables, "costs", component="tariff", year=2026)


@corrupts("present")
def not_discounted(run):
    frame = run.tables["costs"]
    index = rows(frame, component="opex", year=2027)[0]
    frame.loc[index, "present_musd"] = 2 * frame.loc[index, "musd"]


@corrupts("objective")
def a_cheaper_objective(run):
    run.plan["objective_musd"] *= 1 - 1e-4


@corrupts("objective")
def no_objective(run):
    run.plan["objective_musd"] = None


@corrupts("gap")
def a_smaller_gap(run):
    run.plan["bound_musd"] *= 0.9


@corrupts("gap")
def a_bound_above_the_objective(run):
    run.plan["bound_musd"] = 1.1 * run.plan["objective_musd"]
    run.plan["gap"] = 0.1


@corrupts("metrics")
def a_rosier_exposed_share(run):
    run.plan["metrics"]["exposed_share"]["2029"] -= 0.01


@corrupts("metrics")
def a_rosier_stage_share(run):
    run.plan["metrics"]["stage_share"]["metal"]["2027"] = None


@corrupts("metrics")
def no_shortage(run):
    run.plan["metrics"]["short_t"]["2027"] += 1.0


@corrupts("metrics")
def less_demand(run):
    run.plan["metrics"]["demand_t"]["2026"] = 1.0


@corrupts("metrics")
def less_capex(run):
    run.plan["metrics"]["capex_musd"] -= 1.0


@corrupts("metrics")
def costs_that_do_not_add_up(run):
    run.plan["metrics"]["cost_musd"]["opex"] += 1.0


@corrupts("metrics")
def no_metrics(run):
    run.plan["metrics"] = []


@corrupts("funding_rows")
def money_nobody_asked_for(run):
    add(run.tables, "funding", "reduce-more", "private", 2026, 0.25)


@corrupts("funding_rows")
def a_fund_of_others(run):
    add(run.tables, "funding", "press-big", "doe", 2026, 0.0)


@corrupts("funding_rows")
def a_fund_before_it_pays(run):
    put(run.tables["funding"], "year", 2026, source="eib")


@corrupts("funding_sum")
def capex_nobody_pays(run):
    drop(run.tables, "funding", source="eib")


@corrupts("funding_sum")
def all_paid_at_once(run):
    put(run.tables["funding"], "year", 2026, source="doe", year=2027)


@corrupts("funding_private")
def more_private_money_than_there_is(run):
    put(run.tables["funding"], "musd", more(0.1), source="private", year=2027)


@corrupts("funding_budget")
def more_than_the_budget(run):
    put(run.tables["funding"], "musd", 1.6, source="eib")


@corrupts("funding_share")
def more_than_the_funds_share(run):
    put(run.tables["funding"], "musd", 1.3, source="doe")


@corrupts("funding_least")
def public_money_for_private(run):
    put(run.tables["funding"], "musd", more(-0.1), source="private", year=2027)
    put(run.tables["funding"], "musd", more(0.1), source="eib", year=2027)


@corrupts("build_modules")
def smaller_than_the_smallest_size(run):
    # of reduce-more 4 t are the least, a fifth of its 20 t
    add(run.tables, "builds", "reduce-more", "new-reduce", "USA", 2026, 2026, 0.1, 2.0, 0.1)


@corrupts("largest_share")
def nearly_all_from_two(run):
    put(run.tables["activity"], "activity_t", more(1e6), facility="chn-reduce", year=2029)


@corrupts("blend")
def mostly_cast_of_new_ferrite(run):
    # what is cast has 1 a tonne; with 1.25 t of old coils, of 2, in a tonne of the rest, more than 1.5 are asked for
    add(run.tables, "activity", "fra-wind", "cast", "FRA", "clean", "clean", 2029, 1000.0)


@corrupts("sale_rows")
def a_sale_of_what_the_buyer_does_not_take(run):
    put(run.tables["sales"], "provenance", "exposed", buyer="export", year=2027)


@corrupts("sale_limit")
def more_sold_than_the_buyer_takes(run):
    # in 2026 at most 2 t
    put(run.tables["sales"], "t", 2.2, buyer="winder", year=2026)


@corrupts("revenue")
def sold_for_more_than_its_price(run):
    put(run.tables["sales"], "revenue_musd", more(0.1), buyer="winder", year=2026)


@corrupts("balance")
def sold_but_not_taken_out(run):
    put(run.tables["sales"], "t", more(0.1), buyer="winder", year=2029)


@corrupts("swaps")
def a_substitute_for_another_demand(run):
    put(run.tables["substitution"], "material", "magnet", substitute="ferrite", year=2026)


@corrupts("swaps")
def thrift_with_a_provenance(run):
    put(run.tables["substitution"], "provenance", "clean", substitute="thrift", year=2026)


@corrupts("under_way")
def arrived_before_it_left(run):
    put(run.tables["flows"], "arrived_t", more(1.0), material="metal", year=2029)


@corrupts("swap_limit")
def more_thrift_than_there_is(run):
    # a tenth of 50 t
    put(run.tables["substitution"], "t", 5.1, substitute="thrift")


@corrupts("swap_cost")
def thrift_for_nothing(run):
    put(run.tables["substitution"], "cost_musd", 0.0, substitute="thrift")


@corrupts("demand")
def replaced_in_one_table_only(run):
    put(run.branches["stop"]["service"], "replaced_t", more(-1.0), sector="pumps", year=2029)


@corrupts("impacts")
def emissions_forgotten(run):
    drop(run.tables, "impact_totals", impact="co2", kind="purchase", year=2027)


@corrupts("impacts")
def building_that_counts_in_whole(run):
    put(run.tables["impact_totals"], "units", more(1.0), impact="jobs", kind="build")


@corrupts("impact_cost")
def emissions_at_another_price(run):
    put(run.tables["impact_totals"], "cost_musd", more(1e-4), impact="co2", kind="purchase", year=2027)


@corrupts("impact")
def more_than_the_air_can_take(run):
    # 40 units a tonne bought; the balance is off as well
    put(run.tables["purchases"], "t", more(1.0), market="fra-coil", year=2029)


@corrupts("returned")
def more_than_comes_back(run):
    put(run.tables["returned"], "t", more(0.1), year=2029)


@corrupts("returned")
def more_than_comes_back_in_a_branch(run):
    put(run.branches["stop"]["returned"], "t", more(0.1), year=2029)


@corrupts("returned_rows")
def something_else_than_comes_back(run):
    put(run.tables["returned"], "material", "swarf", year=2029)


# --- what the audit must do ---


def test_a_sound_plan_passes(instance, solved):
    report = planner.audit(instance, solved)
    assert report.ok, str(report)
    assert report.worst.relative < 1e-9


def test_every_kind_of_check_is_at_work(instance, solved):
    # what is never compared is never checked
    idle = [check.kind for check in planner.audit(instance, solved).checks if not check.comparisons]
    assert idle == []


def test_every_kind_has_a_corruption():
    assert [kind for kind, corruptions in REGISTRY.items() if not corruptions] == []


@pytest.mark.parametrize(
    ("kind", "corrupt"),
    [(kind, corruption) for kind, corruptions in REGISTRY.items() for corruption in corruptions],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_corrupted_plan_is_caught(instance, run, kind, corrupt):
    corrupt(run)
    report = planner.audit(instance, run)
    check = report.check(kind)
    assert not check.ok
    assert not report.ok
    assert check.relative > report.tolerance
    assert check.where and check.violations
    assert f"FAIL {kind}" in str(report)
    assert planner.audit(instance, by_column(run)).to_dict() == report.to_dict()


def by_column(run):
    """The run with its tables as plain columns, in which form the cases of a stress study are audited."""

    def columns(tables):
        return {name: {column: frame[column].tolist() for column in frame} for name, frame in tables.items()}

    return HandRun(run.plan, columns(run.tables), {name: columns(tables) for name, tables in run.branches.items()})


def test_columns_of_different_lengths_are_no_table(instance, solved):
    run = by_column(solved)
    run.tables["costs"]["musd"].pop()
    violations = planner.audit(instance, run).check("tables").violations
    assert [str(violation) for violation in violations] == ["costs.csv: has columns of different lengths"]


# cells that nothing else in a run determines: the duals
FREE = {("prices", "usd_per_t"), ("dependence", "marginal_musd_per_point")}


def with_table(run, branch, name, frame):
    """The run with one table exchanged; nothing is copied."""
    tables, branches = dict(run.tables), {s: dict(frames) for s, frames in run.branches.items()}
    (branches[branch] if branch else tables)[name] = frame
    return HandRun(run.plan, tables, branches)


def number_cells(run):
    """Every number of every table: table, column, row, and the frame's branch ("" for the plan)."""
    for branch, tables in [("", run.tables), *run.branches.items()]:
        for name, frame in tables.items():
            for column in frame.columns:
                if frame[column].dtype == "float64" and (name, column) not in FREE:
                    yield from ((branch, name, column, row) for row in range(len(frame)))


def test_every_number_is_checked(instance, solved):
    missed = []
    cells = list(number_cells(solved))
    assert len(cells) > 500
    for branch, name, column, row in cells[::6]:  # every sixth one, for time
        frame = (solved.branches[branch] if branch else solved.tables)[name].copy()
        value = frame.loc[row, column]
        frame.loc[row, column] = 0.5 if value != value else value * 1.0001 + 1e-4
        if planner.audit(instance, with_table(solved, branch, name, frame)).ok:
            missed.append((branch, name, column, row))
    assert missed == []


def test_every_row_is_needed(instance, solved):
    missed = []
    for branch, tables in [("", solved.tables), *solved.branches.items()]:
        for name, frame in tables.items():
            if name == "prices":
                continue
            numbers = frame.select_dtypes("float64").fillna(1.0)
            for row in frame.index[(numbers != 0.0).any(axis=1)][::3]:  # every third one, for time
                shorter = frame.drop(row).reset_index(drop=True)
                if planner.audit(instance, with_table(solved, branch, name, shorter)).ok:
                    missed.append((branch, name, row))
    assert missed == []


def test_a_violation_says_what_where_and_how_much(instance, run):
    too_much_on_a_lane(run)
    check = planner.audit(instance, run).check("lane_limit")
    assert str(check.violations[0]) == "flows.csv metal CHN to USA 2026: 40.1 t, at most 40 t, off by 0.1"
    assert check.absolute == pytest.approx(0.1)
    assert check.relative == pytest.approx(0.1 / 40)


def test_a_violation_names_its_branch(instance, run):
    an_outage_ignored(run)
    check = planner.audit(instance, run).check("capacity_limit")
    assert check.where == "branch failure, facility deu-press 2027"


@pytest.mark.parametrize("scale", [1e-12, 1e-7])
def test_rounding_passes(instance, run, scale):
    for tables in [run.tables, *run.branches.values()]:
        for frame in tables.values():
            for column in frame.select_dtypes("float64"):
                if column != "modules":
                    frame[column] *= 1 + scale * np.cos(np.arange(len(frame)))
    assert planner.audit(instance, run).ok


def test_the_tolerance_decides(instance, run):
    run.plan["objective_musd"] *= 1 + 1e-8
    assert planner.audit(instance, run).ok
    assert not planner.audit(instance, run, tolerance=1e-9).check("objective").ok


@pytest.mark.parametrize("name", ["builds", "activity", "flows", "service", "stocks", "dependence", "costs", "funding"])
@pytest.mark.parametrize(
    "break_it",
    [
        lambda frame: None,
        lambda frame: "a text",
        lambda frame: pd.DataFrame(),
        lambda frame: frame.iloc[:0],
        lambda frame: frame.astype(object).map(lambda cell: None),
        lambda frame: frame.astype(object).map(lambda cell: [cell]),
        lambda frame: frame.astype(object).map(lambda cell: float("inf")),
        lambda frame: pd.DataFrame({c: [10**400] * len(frame) for c in frame}, index=frame.index, dtype=object),
        lambda frame: frame.assign(**dict.fromkeys(frame.select_dtypes("float64"), 1e308)),
        lambda frame: frame.astype(object).map(lambda cell: True),
        lambda frame: frame.astype(str),
        lambda frame: frame.set_axis([frame.columns[0]] * len(frame.columns), axis=1),
        lambda frame: pd.concat([frame, frame]),
        lambda frame: frame.assign(year=1900) if "year" in frame else frame.assign(start_year=1900),
    ],
)
def test_malformed_tables_are_violations_not_errors(instance, run, name, break_it):
    run.tables[name] = break_it(run.tables[name])
    if name in run.branches["stop"]:
        run.branches["stop"][name] = break_it(run.branches["stop"][name])
    report = planner.audit(instance, run)
    assert str(report) and json.dumps(report.to_dict(), allow_nan=False)
    broken = run.tables[name]
    if not isinstance(broken, pd.DataFrame) or not broken.map(lambda c: isinstance(c, str) or c != c).all(axis=None):
        assert not report.ok  # numbers written as text are read as numbers


def test_nothing_at_all_is_no_plan(instance):
    report = planner.audit(instance, HandRun({}, {}, {}))
    assert not report.ok
    assert report.check("tables").failed == 12 + len([t for t in ONLY_WITH.values() if instance.rows(t)])
    assert report.check("branches").failed == 3
    assert json.dumps(report.to_dict(), allow_nan=False)


def test_the_report_is_plain_data(instance, solved):
    report = planner.audit(instance, solved)
    written = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert written["ok"] is True
    assert [check["kind"] for check in written["checks"]] == list(KINDS)
    assert len(str(report).splitlines()) == 1 + len(KINDS)


def test_the_audit_shares_no_code_with_the_model():
    of_instance = ("instance", "loading", "metrics", "tables", "use_tables")
    allowed = {"errors", "words", *(f"instance.{name}" for name in of_instance)}
    own = {path.stem for path in Path(planner.auditing.__file__).parent.glob("*.py")}
    for path in Path(planner.auditing.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 2:
                assert node.module in allowed, (path.name, node.module)
            elif isinstance(node, ast.ImportFrom) and node.level == 1:
                assert node.module in own, (path.name, node.module)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                for name in names:
                    assert name.split(".")[0] not in {"pyomo", "highspy", "models", "planner", "scipy"}, path.name
