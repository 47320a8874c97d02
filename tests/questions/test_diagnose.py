"""Planted culprits: instances made infeasible in a known way, with the least relaxation worked out by hand.

`tiny`: 100 t of magnets a year in the USA, from China without limit or from texas-line (60 t, clean, online in 2027 if
started in 2026). With a service floor f at least 100 f t are delivered, so in 2027 at least (100 f - 60) / (100 f) is
exposed, and in 2026 everything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import planner
from planner.errors import Infeasible, UsageError
from planner.instance.cells import cell_of
from planner.instance.tables import cells
from planner.prepare import prepare
from planner.questions.diagnose.conflict import quick_explain
from planner.questions.diagnose.edits import Edit, applied, relaxed_pins
from planner.solving.search import optimise
from planner.solving.solver import Settings

ROOT = Path(__file__).parents[2]
INSTANCES = ROOT / "instances"
CASES = ROOT / "tests" / "cases"
DEFECTS = ROOT / "tests" / "defects"
THIRD = 1 / 3


def load(name):
    folder = INSTANCES / name if (INSTANCES / name).exists() else CASES / name / "instance"
    return planner.load(folder)


def put(instance, table, key, **values):
    """The instance with some cells of one row changed."""
    row = next(r for r in instance.all_rows(table) if r.identity[0] == key)
    return instance.with_rows(table, {**cells(row), **{name: cell_of(value) for name, value in values.items()}})


def tiny(floor=0.9, **cap):
    return put(put(load("tiny"), "sectors", "cars", min_service=floor), "caps", "half", **cap)


def longer(instance, *years):
    return instance.with_settings(years=years)


def pins(instance, force=(), forbid=()):
    return planner.Pins.parse(instance, force, forbid)


def with_cap(instance, cap, metric, **values):
    return instance.with_rows("caps", {"cap": cap, "metric": metric, **values})


def funded(instance, budget, **values):
    return instance.changed(
        rows={
            "funds": [{"fund": "chest", "provider": "State", "instrument": "grant", "budget_musd": budget, **values}],
            "fund_options": [{"fund": "chest", "option": "texas-line"}],
        }
    )


def second_line(instance, **values):
    """A second option at the plant in Texas."""
    row = next(o for o in instance.options if o.option == "texas-line")
    cell = {**cells(row), "option": "texas-two", **{name: cell_of(value) for name, value in values.items()}}
    return instance.with_rows("options", cell)


VARIANTS = {}


def variant(*named, edits=None):
    """Register an instance (perhaps with pins): what the first lines must name, and the edits by hand.

    edits  (table, column) -> amount
    """

    def register(make):
        VARIANTS[make.__name__] = (make, named, edits)
        return make

    return register


def shares(name, floor, limit, expected):
    @variant("cap half", "min_service of sector cars", edits={("caps", "limit"): expected - limit})
    def make():
        return tiny(floor, limit=limit)

    VARIANTS[name] = VARIANTS.pop("make")


shares("cap_a_bit_tight", 0.9, 0.3, THIRD)
shares("cap_too_tight", 0.9, 0.1, THIRD)
shares("cap_of_nothing", 0.9, 0.0, THIRD)
shares("cap_with_full_service", 1.0, 0.2, 0.4)
shares("cap_with_most_service", 0.8, 0.1, 0.25)


@variant("cap half", "2026", edits={("caps", "limit"): 0.5})
def cap_before_any_clean_source():
    return tiny(0.8, first_year=2026)


@variant("cap early", "2026", edits={("caps", "limit"): 0.9})
def cap_in_one_year():
    return with_cap(tiny(0.8), "early", "exposed_share", first_year=2026, last_year=2026, limit=0.1)


@variant("clean_from_year", "2026", edits={("sectors", "clean_from_year"): 1})
def clean_before_any_clean_source():
    return put(tiny(0.5), "sectors", "cars", clean_from_year=2026)


@variant("clean_from_year", "60 t of 100 t", edits={("sectors", "clean_from_year"): 1})
def clean_with_too_little():
    return put(tiny(0.9), "sectors", "cars", clean_from_year=2027)


@variant("min_service of sector cars", "china-magnets", edits={("sectors", "min_service"): 0.4})
def floor_above_what_a_market_sells():
    return tiny(0.9, first_year=2027, limit=1).changed(
        rows={"market_prices": [{"market": "china-magnets", "year": "", "price_usd_per_t": 40000, "max_t": 50}]}
    )


@variant("min_service of sector cars", "move from CHN to USA", edits={("sectors", "min_service"): 0.1})
def floor_above_what_a_lane_carries():
    lane = {"material": "magnet", "origin": "CHN", "destination": "USA", "cost_usd_per_t": 1000, "max_t": 40}
    return tiny(0.5).with_rows("lanes", lane)


@variant("min_service of sector cars", "no lane", edits={("sectors", "min_service"): 0.5})
def floor_without_a_lane():
    lane = {"material": "metal", "origin": "CHN", "destination": "USA", "cost_usd_per_t": 1}
    return tiny(0.5).changed(rows={"lanes": [lane]}, without={"lanes": {"material": "magnet"}})


@variant("--forbid texas-line", edits={("pins", "forbid"): 1})
def a_pin_that_forbids():
    instance = tiny(0.9)
    return instance, pins(instance, forbid=["texas-line"])


@variant("--force texas-line@2026", "private_musd of option texas-line", edits={("options", "private_musd"): 4})
def a_pin_that_nobody_can_pay():
    instance = put(tiny(0), "options", "texas-line", private_musd=2)
    return instance, pins(instance, force=["texas-line@2026"])


@variant("--force texas-line@2026", "--force texas-two@2026", "exclusive_group site", edits={("pins", "force"): 1})
def pins_that_exclude_each_other():
    instance = second_line(put(tiny(0), "options", "texas-line", exclusive_group="site"), exclusive_group="site")
    return instance, pins(instance, force=["texas-line@2026", "texas-two@2026"])


@variant("--fix-from", "texas-line", edits={("pins", "fixed"): 1})
def a_run_held_that_builds_nothing():
    return tiny(0.9), planner.Pins({("texas-line", 2026): 0.0})


@variant("private_musd of option texas-line", "min_modules", edits={("options", "private_musd"): 4})
def a_committed_project_without_money():
    return put(tiny(0), "options", "texas-line", private_musd=2, min_modules=1)


@variant("budget_musd of fund chest", "min_modules of option texas-line")
def a_fund_too_small():
    return funded(put(tiny(0), "options", "texas-line", private_musd=2, min_modules=1), 3)


@variant("max_share of fund chest", "private_musd of option texas-line", edits={("options", "private_musd"): 1})
def a_fund_that_pays_half():
    # 6 MUSD: half of it 3, private 2
    return funded(put(tiny(0), "options", "texas-line", private_musd=2, min_modules=1), 10, max_share=0.5)


@variant("cap half", "private_musd of option texas-line", edits={("options", "private_musd"): 5})
def a_cap_whose_plant_cannot_be_paid():
    # 5/6 of 20 points for the money, against 50 of the cap
    return put(tiny(0.9), "options", "texas-line", private_musd=1)


@variant("private_musd of option texas-line", "whole modules", edits={("options", "private_musd"): 3})
def money_for_one_module_and_a_half():
    # 90 t clean take 1.5 modules of 60 t at 6 MUSD; 9 MUSD pay for one whole module only
    instance = put(tiny(0.9, limit=0), "options", "texas-line", private_musd=9, max_modules=3)
    return instance


@variant("cap made", edits={("caps", "limit"): THIRD - 0.2})
def stage_share_too_tight():
    return with_cap(tiny(0.9), "made", "stage_share", stage="magnet", first_year=2027, limit=0.2)


@variant("cap made", "2026", edits={("caps", "limit"): 0.5})
def stage_share_before_the_plant():
    return with_cap(tiny(0.5), "made", "stage_share", stage="magnet", limit=0.5)


@variant("cap spread", edits={("caps", "limit"): 0.1})
def single_country_with_two_countries():
    return with_cap(tiny(0.9), "spread", "single_country_share", stage="magnet", first_year=2027, limit=0.4)


@variant("cap spread", edits={("caps", "limit"): THIRD - 0.3})
def single_country_with_three_countries():
    return put(put(load("05_single_country_share"), "sectors", "all", min_service=1), "caps", "one", cap="one").changed(
        rows={"caps": [{"cap": "spread", "metric": "single_country_share", "stage": "magnet", "limit": 0.3}]},
        without={"caps": {"cap": "one"}},
    )


@variant("cap abroad", edits={("caps", "limit"): THIRD - 0.1})
def import_share_too_tight():
    return with_cap(tiny(0.9), "abroad", "import_share", material="magnet", country="USA", first_year=2027, limit=0.1)


@variant("cap bloc", edits={("caps", "limit"): 140 / 150 - 0.3})
def import_share_of_a_bloc():
    # 150 t of alloy are used, the bloc's own melter makes 10
    instance = put(load("22_import_share"), "sectors", "all", min_service=1)
    return put(instance, "facilities", "melter", capacity_t=10)


def with_floor(instance, cap, metric, **values):
    return with_cap(instance, cap, metric, material="magnet", country="USA", sense="min", **values)


@variant("cap own: own share of magnet of USA at least 80%", edits={("caps", "limit"): 0.8 - 2 / 3})
def a_floor_above_what_can_be_made():
    # of at least 90 t delivered 60 t can be made
    return with_floor(tiny(0.9), "own", "own_share", first_year=2027, limit=0.8)


@variant("cap own", "2027", edits={("caps", "limit_end"): 0.9 - 2 / 3})
def a_floor_that_rises_too_high():
    return with_floor(tiny(0.9), "own", "own_share", first_year=2026, last_year=2027, limit=0, limit_end=0.9)


@variant("cap loop: recycled own share of magnet of USA at least 10%", edits={("caps", "limit"): 0.1})
def a_floor_on_what_nobody_recycles():
    return with_floor(tiny(0.9), "loop", "own_share", first_year=2027, limit=0.1, recycled="yes")


@variant("cap habit: import share", "china-magnets sells at most 50 t", edits={("caps", "limit"): 0.8 - 5 / 9})
def a_floor_above_what_is_sold():
    # of at least 90 t 50 t can be bought
    few = [{"market": "china-magnets", "year": "", "price_usd_per_t": 40000, "max_t": 50}]
    floored = with_floor(tiny(0), "habit", "import_share", first_year=2027, limit=0.8)
    floored = put(put(floored, "sectors", "cars", min_service=0.5), "caps", "half", limit=1)
    more = [
        {"country": "USA", "sector": "cars", "material": "magnet", "year": y, "demand_t": t}
        for y, t in ((2026, 100), (2027, 180))
    ]
    return floored.changed(rows={"market_prices": few, "demand": more}, without={"demand": {"year": None}})


@variant("texas-line", "lead_years 3", edits={("caps", "limit"): 0.5})
def a_lead_time_too_long():
    return put(longer(tiny(0.9), 2026, 2027, 2028, 2029), "options", "texas-line", lead_years=3)


@variant("texas-line", "first_start 2028", edits={("caps", "limit"): 0.5})
def a_start_too_late():
    return put(longer(tiny(0.9), 2026, 2027, 2028, 2029), "options", "texas-line", first_start=2028)


@variant("texas-line", "20 t", edits={("caps", "limit"): 70 / 90 - 0.5})
def a_plant_too_small():
    return put(tiny(0.9), "options", "texas-line", module_t=20)


@variant("cap half", "2027", edits={("caps", "limit"): 120 / 180 - 0.5})
def demand_that_doubles():
    rows = [
        {"country": "USA", "sector": "cars", "material": "magnet", "year": year, "demand_t": demand}
        for year, demand in ((2026, 100), (2027, 200))
    ]
    return tiny(0.9).changed(rows={"demand": rows}, without={"demand": {"year": None}})


@variant("cap half", "2029", edits={("caps", "limit_end"): THIRD})
def a_glide_that_ends_too_low():
    # 1, 2/3, 1/3, 0: in 2028 a third is just enough
    return longer(tiny(0.9, first_year=2026, limit=1.0, limit_end=0.0), 2026, 2027, 2028, 2029)


@variant("cap half", "cap made", edits={("caps", "limit"): (THIRD - 0.1) * 2})
def two_caps_too_tight():
    return with_cap(tiny(0.9, limit=0.1), "made", "stage_share", stage="magnet", first_year=2027, limit=0.1)


@variant("min_modules of option unit", edits={("options", "min_modules"): 1})
def commitment_beyond_the_pace():
    return put(load("15_committed"), "options", "unit", max_per_year=1)


@variant("min_modules", "exclusive_group site", edits={("options", "min_modules"): 1})
def two_commitments_that_exclude_each_other():
    instance = put(tiny(0), "options", "texas-line", exclusive_group="site", min_modules=1)
    return second_line(instance, exclusive_group="site", min_modules=1)


@variant("requires of option texas-two", "--forbid texas-line", edits={("pins", "forbid"): 1})
def a_commitment_that_requires_what_is_forbidden():
    instance = second_line(tiny(0), requires="texas-line", min_modules=1)
    return instance, pins(instance, forbid=["texas-line"])


@variant("branch_service", "branch stop", edits={("branch_service", "min_service"): 0.5})
def service_in_a_branch():
    return tiny(0).changed(
        rows={
            "scenarios": [
                {"scenario": "stop", "name": "Stop", "probability": 0.1, "first_year": 2026, "last_year": 2026}
            ],
            "disruptions": [
                {"scenario": "stop", "kind": "export_stop", "country": "CHN", "material": "magnet", "fraction": 1}
            ],
            "branch_service": [{"scenario": "stop", "sector": "cars", "min_service": 0.5}],
        }
    )


@variant("clean_from_year of sector defence", edits={("sectors", "clean_from_year"): 1})
def a_small_sector_that_wants_clean_too_early():
    return tiny(0.5).changed(
        rows={
            "sectors": [
                {
                    "sector": "defence",
                    "name": "Defence",
                    "shortage_usd_per_t": 1e6,
                    "min_service": 1,
                    "clean_from_year": 2026,
                }
            ],
            "demand": [{"country": "USA", "sector": "defence", "material": "magnet", "year": "", "demand_t": 20}],
        }
    )


def stock(floor=0.0, **values):
    """Busan makes 10 t a year, 5 t lie in stock; nothing is imported."""
    instance = put(put(load("stock-cover"), "stockpiles", "korea", **values), "sectors", "cars", min_service=floor)
    return instance.changed(
        rows={"market_prices": [
            {"market": "china", "year": year, "price_usd_per_t": 50000, "max_t": 0} for year in (2026, 2027)
        ]}
    )  # fmt: skip


@variant("final_min_t of stockpile korea", edits={("stockpiles", "final_min_t"): 5})
def a_final_stock_beyond_all_that_is_made():
    return stock(final_min_t=30)  # 5 + 2 x 10


@variant(
    "final_min_t of stockpile korea",
    "min_service of sector cars",
    edits={("stockpiles", "final_min_t"): 5, ("sectors", "min_service"): 0.1},
)
def a_final_stock_and_a_floor():
    # with the floor 20 t are gone: 83 points of the stock, against 17 and the 20 of the floor
    return stock(0.1, final_min_t=30)


@variant("min_service of sector cars", edits={("sectors", "min_service"): 0.375})
def a_floor_beyond_stock_and_plant():
    return stock(0.5)  # 25 t in two years of 100 t


@variant("cap china", edits={("caps", "limit"): 0.84375 - 0.5})
def a_cap_over_two_years_with_a_stock():
    # 25 t clean are best spread evenly: (80 - 12.5) / 80
    instance = put(load("stock-cover"), "sectors", "cars", min_service=0.8)
    return with_cap(instance, "china", "exposed_share", limit=0.5)


def little_metal(floor, japan=10, china=None):
    rows = [{"market": "japan-metal", "year": "", "price_usd_per_t": 100000, "max_t": japan}]
    if china is not None:
        rows.append({"market": "china-metal", "year": "", "price_usd_per_t": 60000, "max_t": china})
    instance = put(load("traced-cap"), "sectors", "cars", min_service=floor)
    return instance.changed(rows={"market_prices": rows})


@variant("cap traced", "20 t of 100 t", edits={("caps", "limit"): 70 / 90 - 0.2})
def traced_cap_with_little_clean_metal():
    return put(little_metal(0.9), "caps", "traced", active=True)  # 10 t of metal make 20 t of magnets


@variant("cap metal", edits={("caps", "limit"): 35 / 45 - 0.4})
def single_country_upstream():
    return with_cap(little_metal(0.9), "metal", "single_country_share", stage="metal", limit=0.4)


@variant("min_service of sector cars", "japan-metal", edits={("sectors", "min_service"): 0.3})
def a_floor_beyond_the_metal():
    return little_metal(0.9, japan=10, china=20)


@variant("min_use of facility osaka", edits={("facilities", "min_use"): 0.5})
def min_use_beyond_demand():
    return put(load("traced-cap"), "facilities", "osaka", min_use=1)  # 200 t, of which 100 can be sold


@variant("min_use of facility osaka", edits={("facilities", "min_use"): 0.1})
def min_use_without_feed():
    return put(little_metal(0, japan=10, china=30), "facilities", "osaka", min_use=0.5)  # metal for 80 t of 200


@variant("min_service of sector cars", "narva-1", "lead_years 2", edits={("sectors", "min_service"): 0.3})
def a_floor_before_the_first_plant():
    return put(load("lead-and-ramp"), "sectors", "cars", min_service=0.3)


@variant("min_service of sector cars", "narva", "2028", edits={("sectors", "min_service"): 0.5 - THIRD})
def a_floor_during_the_ramp():
    # a third of 90 t in 2028
    rows = [
        {"country": "EST", "sector": "cars", "material": "magnet", "year": year, "demand_t": demand}
        for year, demand in ((2027, 0), (2028, 90))
    ]
    instance = put(load("lead-and-ramp"), "sectors", "cars", min_service=0.5)
    return instance.changed(rows={"demand": rows}, without={"demand": {"year": None}})


@variant("min_service of sector all", "it closes after 2026", edits={("sectors", "min_service"): 0.5})
def a_plant_that_closes():
    return load("19_infeasible_floor")


@variant("min_service of sector all", "unit")
def a_floor_beyond_all_money():
    # 80 t take 160 MUSD, 140 are there
    rows = [
        {"country": "AAA", "sector": "all", "material": "magnet", "year": year, "demand_t": demand}
        for year, demand in ((2027, 0), (2028, 100))
    ]
    instance = put(load("09_funding_limit"), "sectors", "all", min_service=0.8)
    return instance.changed(rows={"demand": rows}, without={"demand": {"year": None}})


def texas(**values):
    """tiny with a plant of 20 t in Texas beside what texas-line could add."""
    return put(tiny(0), "facilities", "texas", capacity_t=20, status="operating", **values)


def taken(**values):
    row = {"offtake": "army", "facility": "texas", "material": "magnet", "payer": "Army", "agreed_usd_per_t": 1}
    return {**row, **values}


@variant("take_t of offtake army", "20 t of its own capacity", edits={("offtakes", "take_t"): 5})
def an_offtake_beyond_the_plant():
    return texas().with_rows("offtakes", taken(take_t=25, last_year=2026))


@variant("take_t of offtake army and navy", edits={("offtakes", "take_t"): 8})
def two_offtakes_that_are_too_much_together():
    return texas().with_rows("offtakes", taken(take_t=18), taken(offtake="navy", take_t=10))


@variant("take_t of offtake army", "texas-line", edits={("options", "min_modules"): 1})
def an_offtake_beyond_the_committed_line():
    instance = put(tiny(0), "options", "texas-line", min_modules=1)
    return instance.with_rows("offtakes", taken(option="texas-line", take_t=61))


@variant(
    "min_modules of option texas-line", "at most 1 module can be started in 2026", edits={("options", "min_modules"): 1}
)
def commitment_beyond_the_starts():
    # two modules, but one may be started a year and only 2026 comes in time
    return put(tiny(0), "options", "texas-line", min_modules=2, max_modules=2, max_per_year=1)


def overflow(**values):
    """250 t of magnets in a store for 10 t; 100 t a year can be delivered, and magnets may not be thrown away."""
    instance = planner.load(DEFECTS / "store_overflow")
    return put(instance, "stockpiles", "dep", **values) if values else instance


@variant("max_t of stockpile dep", "initial_t of stockpile dep", "stockpiles.csv:2", "100 t of magnet",
         edits={("stockpiles", "max_t"): 140})  # fmt: skip
def a_store_of_goods_that_nobody_takes():
    # 250 - 100 are left after 2026
    return overflow()


@variant("initial_t of stockpile dep", edits={("stockpiles", "max_t"): 240})
def a_store_of_metal_that_nobody_uses():
    # the plant begins in 2027, and only what is made may be thrown away
    return overflow(material="metal")


@variant("initial_t of stockpile dep", "clean_from_year", edits={("sectors", "clean_from_year"): 1})
def a_store_of_exposed_goods_for_a_sector_that_takes_clean_ones():
    # 40 of 50 t have to leave in 2026: 80 points of the room, 160 of the content, 10 of the rule
    instance = overflow(initial_t=50, initial_exposed=True)
    return put(instance, "sectors", "cars", clean_from_year=2026)


def with_slag(min_use):
    """A plant of 100 t in Texas that makes a tenth of slag, which may not be thrown away."""
    instance = put(tiny(0), "facilities", "texas", capacity_t=100, status="operating", min_use=min_use)
    return instance.with_rows("materials", {"material": "slag", "name": "Slag", "surplus": "no"}).with_rows(
        "recipes", {"process": "press", "material": "slag", "role": "output", "t_per_t": 0.1}
    )


@variant("min_use of facility texas", edits={("facilities", "min_use"): 0.5})
def a_joint_product_that_nobody_takes():
    return with_slag(0.5)


@variant("min_use of facility texas", "max_t of stockpile heap", edits={("facilities", "min_use"): 0.3})
def a_joint_product_for_which_there_is_little_room():
    # 2 x 5 t of slag for 4 t of room: 30 points of the use, 150 of the room
    return with_slag(0.5).with_rows(
        "stockpiles", {"stockpile": "heap", "country": "USA", "material": "slag", "max_t": 4}
    )


@variant("private_musd of option texas-line", "min_modules", edits={("options", "private_musd"): 4})
def a_fund_that_opens_after_the_capex_is_spent():
    # 6 MUSD in 2026, the fund draws from 2027 on
    return funded(put(tiny(0), "options", "texas-line", private_musd=2, min_modules=1), 10, first_year=2027)


@variant("take_t of offtake army", "metal", edits={("offtakes", "take_t"): 5})
def an_offtake_without_feed():
    # 5 t of metal make 10 t
    instance = texas().changed(
        rows={"market_prices": [{"market": "usa-metal", "year": "", "price_usd_per_t": 80000, "max_t": 5}]}
    )
    return instance.with_rows("offtakes", taken(take_t=15))


@variant("min_service of sector cars", "at most 40 t of 100 t", edits={("sectors", "min_service"): 0.1})
def a_floor_when_a_plant_has_closed():
    # 2027: only China's 40 t
    lane = {"material": "magnet", "origin": "CHN", "destination": "USA", "cost_usd_per_t": 1000, "max_t": 40}
    return (
        put(texas(last_year=2026), "sectors", "cars", min_service=0.5)
        .with_rows("lanes", lane)
        .changed(without={"options": {"option": "texas-line"}, "caps": {"cap": "half"}})
    )


def made(name):
    found = VARIANTS[name][0]()
    return found if isinstance(found, tuple) else (found, None)


def has_plan(instance, held=None):
    return optimise(prepare(instance).data, Settings(), None, held).stopped == "optimal"


def less(edit: Edit) -> Edit:
    """The edit with a ten-thousandth less of its amount; a rule, a year or a pin (whole modules) is not changed."""
    if edit.unit in ("rule", "years") or edit.table == "pins":
        return Edit(**{**edit.__dict__, "new": edit.old})
    new = 0.0 if edit.new is None else edit.new
    return Edit(**{**edit.__dict__, "new": edit.old + (new - edit.old) * (1 - 1e-4)})


@pytest.mark.parametrize("name", VARIANTS)
def test_planted_culprit(name):
    instance, held = made(name)
    _, named, by_hand = VARIANTS[name]
    assert not has_plan(instance, held)
    found = planner.diagnose(instance, held)
    assert not found.feasible and found.verified and found.proven and found.edits
    first = "\n".join(str(found).splitlines()[:3])
    assert [part for part in named if part not in first] == [], str(found)
    if by_hand is not None:
        amounts: dict[tuple[str, str], float] = {}
        for e in found.edits:
            amounts[e.table, e.column] = amounts.get((e.table, e.column), 0.0) + e.amount
        assert amounts == pytest.approx(by_hand, abs=2.5e-6), str(found)
    assert has_plan(found.applied(instance), found.pins)
    almost = [less(e) for e in found.edits]
    assert not has_plan(applied(instance, almost), relaxed_pins(held, almost)), str(found)
    assert found.causes and all(c.minimal for c in found.causes)
    for other in found.others:
        assert found.points <= other.points + 1e-3, str(found)
        assert has_plan(applied(instance, [other]), relaxed_pins(held, [other])), str(other)


def test_there_are_enough_culprits():
    assert len(VARIANTS) >= 40


def test_the_smallest_impossible_part_is_found_and_earlier_members_are_kept():
    # impossible with 2 and 5 together, or with 7
    def impossible(kept):
        return {2, 5} <= set(kept) or 7 in kept

    assert quick_explain([1, 2, 3, 5, 7], impossible) == [2, 5]
    assert quick_explain([7, 1, 2, 5], impossible) == [7]


def test_data_that_nothing_relaxable_mends_are_told_as_they_are(monkeypatch):
    monkeypatch.setattr("planner.questions.diagnose.relaxables._stores", lambda system: None)
    found = planner.diagnose(overflow())
    first = str(found).splitlines()
    assert not found.feasible and found.edits == found.others == found.caps == () and not found.verified
    assert "stockpile dep" in first[0] and "stockpiles.csv:2" in first[0] and "cap" not in first[0]
    assert first[2].startswith("Nothing that may give way")


def test_what_is_asked_of_a_cap_in_question():
    # from 2027 a third is the least; from 2028 on, with two lines of 60 t, nothing exposed is needed
    instance = longer(tiny(0.9, limit=0.1), 2026, 2027, 2028)
    instance = second_line(instance, lead_years=2)
    (cap,) = planner.diagnose(instance).caps
    assert (cap.limit, cap.first_year) == (pytest.approx(THIRD, abs=1e-8), 2028)


def test_an_interrupt_keeps_the_relaxation(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.questions.diagnose.diagnose._ways", interrupted)
    found = planner.diagnose(tiny(0.9, limit=0.1))
    (edit,) = found.edits
    assert edit.amount == pytest.approx(THIRD - 0.1, abs=2e-6) and found.verified
    assert not found.complete and found.causes and not found.others
    assert "cap half" in str(found).splitlines()[0] and str(found).splitlines()[-1].startswith("Interrupted")
    monkeypatch.setattr("planner.questions.diagnose.diagnose._conflicts", interrupted)
    found = planner.diagnose(tiny(0.9, limit=0.1))
    assert found.edits and "was not looked for to the end" in str(found).splitlines()[0]


def test_an_outage_that_no_plan_survives_is_no_plan():
    # of 100 t in 2027 texas-line makes 60; without China no more can be served
    rule = {"outage": "export_stop", "of": ["CHN"], "years": [2027, 2027], "level": 0.7}
    instance = load("tiny").with_settings(survive=[rule])
    found = planner.diagnose(instance)
    assert not found.feasible and not found.edits
    first = str(found).splitlines()[:3]
    assert "no plan survives" in first[0] and "export_stop CHN 2027" in first[1] and "60.0%" in first[1]
    assert planner.diagnose(load("tiny").with_settings(survive=[{**rule, "level": 0.5}])).feasible


def test_places_of_rows_are_told_once_for_a_file(tmp_path):
    from builders import write_instance
    from test_families import TABLES, TOML

    sectors = "sector,name,shortage_usd_per_t,min_service\ncars,Cars,1,1\nvans,Vans,1,1\n"
    demand = "country,sector,material,year,demand_t\nAAA,cars,magnet,,100\nAAA,vans,magnet,,100\n"
    caps = "cap,metric,limit\nall,exposed_share,0.5\n"
    tables = {**TABLES, "sectors": sectors, "demand": demand, "caps": caps}
    toml = TOML.format(years=[2026], last=1, rate=0.0, concern='["CHN"]')
    # of 200 t 60 can be clean
    first = str(planner.diagnose(planner.load(write_instance(tmp_path / "i", tables, toml)))).splitlines()[0]
    assert "[caps.csv:2]" in first and "[sectors.csv:2-3]" in first


def test_a_feasible_instance_tells_what_it_has_to_spare():
    found = planner.diagnose(tiny(0.9))
    assert found.feasible and not found.edits
    # the cap could be a third; the floor 1 (60 of 100 t are clean, 40 % exposed)
    assert any("limit 0.5 could alone be as low as 0.333333" in fact for fact in found.facts)
    assert any("min_service 0.9 could alone be as high as 1" in fact for fact in found.facts)
    assert planner.diagnose(load("tiny")).facts[0].startswith("no sector has a service floor")


def test_an_offtake_of_own_capacity_has_to_spare_what_can_be_sold(tmp_path):
    # the shop could press 300 t a year, but in 2026 only 100 t are asked for, and magnets are not thrown away
    from builders import TABLES, write_instance

    offtakes = "offtake,facility,material,take_t,agreed_usd_per_t,payer\nnavy,shop,magnet,50,30000,Navy\n"
    found = planner.diagnose(write_instance(tmp_path / "i", {**TABLES, "offtakes": offtakes}))
    assert "offtakes.csv:2 navy: take_t 50 could alone be as high as 100" in found.facts


def test_a_solve_without_a_plan_carries_the_diagnosis():
    instance = tiny(0.9, limit=0.1)
    with pytest.raises(Infeasible, match="cap half: exposed share at most 10% in 2027") as caught:
        planner.solve(instance)
    (edit,) = caught.value.diagnosis.edits
    assert (edit.table, edit.key, edit.column, edit.new) == ("caps", ("half",), "limit", 0.333334)
    assert json.loads(caught.value.diagnosis.to_json())["edits"][0]["key"] == {"cap": "half"}


def test_edits_name_file_and_line_of_the_folder():
    (edit,) = planner.diagnose(load("19_infeasible_floor")).edits
    assert str(edit) == "sectors.csv:2 all: min_service 0.5 -> 0 (50 points)"


def test_pins_that_cannot_be_are_a_usage_error():
    instance = tiny()
    with pytest.raises(UsageError, match="texas-line cannot be started in 2027"):
        planner.diagnose(instance, planner.Pins({}, {("texas-line", 2027): 1.0}))


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "planner.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def test_the_command_tells_by_its_exit_code():
    bad = command("diagnose", CASES / "19_infeasible_floor" / "instance", "--json")
    assert bad.returncode == 3 and json.loads(bad.stdout)["edits"][0]["column"] == "min_service"
    good = command("diagnose", INSTANCES / "tiny")
    assert good.returncode == 0 and "feasible" in good.stdout
    pinned = command("diagnose", INSTANCES / "tiny", "--force", "texas-line@2030")
    assert pinned.returncode == 2 and "texas-line cannot be started in 2030" in pinned.stderr
