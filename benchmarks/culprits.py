"""Plant a known culprit in the flagship (and its overlays) and see that `planner diagnose` finds it.

    python benchmarks/culprits.py [NAME ...]

For each: whether the first three lines name it, whether the printed edits make it feasible, whether a ten-thousandth
less does not, the relaxation, and the seconds. Takes half a minute to some minutes each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import planner
from planner.instance.cells import cell_of
from planner.instance.instance import Instance
from planner.instance.tables import cells
from planner.questions.diagnose.edits import Edit, applied, relaxed_pins
from planner.questions.diagnose.relaxables import add_relaxables
from planner.questions.diagnose.search import Clock, feasible
from planner.questions.diagnose.system import compile_system
from planner.solving.pins import Pins
from planner.solving.solver import Settings

INSTANCES = Path(__file__).resolve().parent.parent / "instances"
Made = tuple[Instance, Pins | None]
CULPRITS: dict[str, tuple[Callable[[], Made], tuple[str, ...]]] = {}


def culprit(*named: str) -> Callable[[Callable[[], Made]], Callable[[], Made]]:
    """Register an instance without a plan, and what the first three lines of its diagnosis must say."""

    def register(make: Callable[[], Made]) -> Callable[[], Made]:
        CULPRITS[make.__name__] = (make, named)
        return make

    return register


def load(name: str = "allied-2040") -> Instance:
    return planner.load(INSTANCES / name)


def put(instance: Instance, table: str, key: str, **values: Any) -> Instance:
    """The instance with some cells of one row changed."""
    row = next(r for r in instance.all_rows(table) if r.identity[0] == key)
    return instance.with_rows(table, {**cells(row), **{name: cell_of(value) for name, value in values.items()}})


def served(instance: Instance, share: float, *sectors: str) -> Instance:
    """The instance with a service floor for some sectors, or all."""
    for sector in sectors or [s.sector for s in instance.sectors]:
        instance = put(instance, "sectors", sector, min_service=share)
    return instance


def capped(instance: Instance, cap: str, metric: str, **values: Any) -> Instance:
    return instance.with_rows("caps", {"cap": cap, "metric": metric, **values})


@culprit("cap none", "min_service", "2027")
def nothing_exposed_from_2027() -> Made:
    return capped(served(load(), 1.0), "none", "exposed_share", first_year=2027, limit=0), None


@culprit("cap dfars-defence", "min_service of sector defence")
def defence_rule_for_more_than_all_clean_magnets() -> Made:
    i = load("dfars")
    for sector in ("defence", "drones"):
        i = i.scaled("demand", "demand_t", 40.0, sector=sector)
    return served(i, 1.0, "defence", "drones"), None


@culprit("clean_from_year of sector ev", "min_service of sector ev")
def clean_cars_at_once() -> Made:
    return put(served(load(), 0.9, "ev"), "sectors", "ev", clean_from_year=2026), None


@culprit("cap separated", "2026")
def separation_outside_china_at_once() -> Made:
    return capped(
        served(load(), 0.95), "separated", "stage_share", stage="separation", first_year=2026, limit=0.1
    ), None


@culprit("cap spread", "2026")
def no_country_makes_a_third_of_the_magnets() -> Made:
    i = served(load(), 0.9)
    return capped(i, "spread", "single_country_share", stage="magnet", last_year=2026, limit=0.33), None


@culprit("cap arriving", "USA")
def hardly_any_magnets_arrive_in_the_usa() -> Made:
    return capped(served(load(), 0.95), "arriving", "import_share", material="mag_sh", country="USA", limit=0.05), None


@culprit("min_modules of option nolans", "private_musd of option nolans")
def a_committed_mine_without_money() -> Made:
    return put(load(), "options", "nolans", min_modules=1, private_musd=1), None


@culprit("--force vulcan-benson-loan", "budget_musd of fund osc-vulcan")
def a_loan_that_is_too_small() -> Made:
    i = put(load(), "funds", "osc-vulcan", budget_musd=100)
    return i, Pins.parse(i, ["vulcan-benson-loan@2026"])


@culprit("--force vulcan-benson@2026", "--force vulcan-benson-loan@2026", "exclusive_group")
def a_project_with_and_without_its_loan() -> Made:
    i = load()
    return i, Pins.parse(i, ["vulcan-benson@2026", "vulcan-benson-loan@2026"])


@culprit("take_t of offtake army", "mp-independence")
def an_offtake_beyond_the_plant() -> Made:
    row = {"offtake": "army", "facility": "mp-independence", "material": "mag_sh", "take_t": 5000, "payer": "Army"}
    return load().with_rows("offtakes", {**row, "agreed_usd_per_t": 90000, "first_year": 2028}), None


@culprit("final_min_t of stockpile")
def a_final_stock_of_oxide_without_feed() -> Made:
    pile = {"stockpile": "usa-dy", "country": "USA", "material": "dy_oxide", "max_t": 90000, "final_min_t": 80000}
    return load().with_rows("stockpiles", pile), None


@culprit("cap none", "min_modules of option nolans")
def two_culprits_at_once() -> Made:
    i, _ = a_committed_mine_without_money()
    return capped(served(i, 1.0), "none", "exposed_share", first_year=2027, limit=0), None


def has_plan(instance: Instance, pins: Pins | None) -> bool:
    """Whether the instance, compiled anew, has a plan."""
    system = compile_system(instance, pins)
    add_relaxables(system)
    return feasible(system, system.nothing, Clock(120.0, Settings()))


def less(edit: Edit) -> Edit:
    """The edit with a ten-thousandth less of its amount; a rule, a year or a whole module is not changed at all."""
    if edit.unit in ("rule", "years", "modules") or edit.new is None:
        return replace(edit, new=edit.old)
    return replace(edit, new=edit.old + (edit.new - edit.old) * (1 - 1e-4))


def try_one(name: str) -> bool:
    """Diagnose one variant and print a line about it."""
    make, named = CULPRITS[name]
    instance, pins = make()
    started = time.perf_counter()
    found = planner.diagnose(instance, pins)
    seconds = time.perf_counter() - started
    first = "\n".join(str(found).splitlines()[:3])
    missing = [part for part in named if part not in first]
    enough = bool(found.edits) and has_plan(found.applied(instance), found.pins)
    almost = [less(e) for e in found.edits]
    tight = not has_plan(applied(instance, almost), relaxed_pins(pins, almost))
    good = not found.feasible and not missing and enough and tight
    edits = "; ".join(str(e) for e in found.edits[:3])
    print(f"{'ok  ' if good else 'FAIL'} {seconds:6.0f} s  {name}: {edits}", flush=True)
    if not good:
        print(f"  not named: {missing}; enough: {enough}; tight: {tight}; proven: {found.proven}\n{first}", flush=True)
    return good


def main(names: Sequence[str]) -> int:
    """Try the variants named, or all."""
    results = [try_one(name) for name in names or CULPRITS]
    print(f"{sum(results)} of {len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
