"""Whether a run that was read back fits its instance: years, names and tables. What it claims, the audit recomputes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ResultError
from ..instance.metrics import METRICS
from .tables import BLANK_NAMES, EVERYWHERE, KINDS_OF, ONLY_WITH, PROVENANCES, branch_tables, components

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from .tables import Cells, Tables

NAMES = {  # column -> table of the instance with the names that it may hold
    **{"option": "options", "facility": "facilities", "country": "countries", "process": "processes"},
    **{"material": "materials", "origin": "countries", "destination": "countries", "market": "markets"},
    **{"sector": "sectors", "stockpile": "stockpiles", "cap": "caps", "offtake": "offtakes"},
    **{
        "buyer": "buyers",
        "substitute": "substitutes",
        "replaced_by": "materials",
        "return": "returns",
        "impact": "impacts",
    },
}


def check_fit(
    where: str, plan: Mapping[str, Any], tables: Tables, branches: Mapping[str, Tables], instance: Instance
) -> None:
    """Raise ResultError if a run names what its instance does not have, or lacks a table or a branch of it.

    where     how the run is called in the error
    plan      the content of plan.json
    tables    the plan's, by name
    branches  scenario -> tables of its branch
    """
    problem = next(_problems(plan, tables, branches, instance), None)
    if problem:
        raise ResultError(f"{where} does not fit its instance: {problem}")


def check_years(where: str, plan: Mapping[str, Any], tables: Tables, branches: Mapping[str, Tables]) -> None:
    """Raise ResultError if a table has another year than the first years of the periods, which plan.json gives."""
    years = frozenset(map(int, plan["metrics"]["exposed_share"]))
    for folder, held in _folders(tables, branches):
        for name in held:
            cells = held.cells(name)
            for column in {"year", "start_year"}.intersection(cells):
                strange = set(cells[column]) - years
                if strange and (name, column) not in EVERYWHERE:
                    problem = f"{folder}{name}.csv {column} = {min(strange)}, where no period begins"
                    raise ResultError(f"{where} cannot be read: {problem}")


def _folders(tables: Tables, branches: Mapping[str, Tables]) -> Iterator[tuple[str, Tables]]:
    """Yield the tables of the plan and of each branch, with the folder that they lie in."""
    yield "", tables
    for name, held in branches.items():
        yield f"branches/{name}/", held


def _problems(
    plan: Mapping[str, Any], tables: Tables, branches: Mapping[str, Tables], instance: Instance
) -> Iterator[str]:
    """Yield what does not fit."""
    metrics = plan["metrics"]
    if list(metrics["exposed_share"]) != [str(year) for year in instance.years]:
        yield f"plan.json is of the years {', '.join(metrics['exposed_share'])}"
    if set(metrics["stage_share"]) != set(instance.stages):
        yield f"plan.json has shares of the stages {', '.join(metrics['stage_share'])}"
    for name, needed in ONLY_WITH.items():
        if instance.rows(needed) and name not in tables:
            yield f"{name}.csv is missing"
    scenarios = {scenario.scenario for scenario in instance.scenarios}
    for name in sorted(set(branches) ^ scenarios):
        yield f"branches/{name} is {'missing' if name in scenarios else 'of no scenario'}"
    for scenario, of_branch in branches.items():
        for name in branch_tables(instance, scenario):
            if name not in of_branch:
                yield f"branches/{scenario}/{name}.csv is missing"
    known = _known(instance)
    for folder, held in _folders(tables, branches):
        for name in held:
            yield from _unknown(f"{folder}{name}.csv", name, held.cells(name), known)


def _known(instance: Instance) -> dict[str, frozenset[Any]]:
    """Return column -> what its cells may hold."""
    keys = {column: frozenset(row.identity[0] for row in instance.rows(table)) for column, table in NAMES.items()}
    return {
        **keys,
        "bloc": frozenset(country.bloc for country in instance.countries),
        "stage": frozenset(instance.stages),
        "metric": frozenset(METRICS),
        "component": frozenset(components(instance)),
        "source": frozenset(("private", *(fund.fund for fund in instance.funds))),
        **dict.fromkeys(("provenance", "input_provenance", "output_provenance"), frozenset(PROVENANCES)),
    }


def _unknown(file: str, name: str, cells: Cells, known: Mapping[str, frozenset[Any]]) -> Iterator[str]:
    """Yield for each column a name or year that is not known."""
    for column in cells:
        allowed = KINDS_OF.get((name, column)) or known.get(column)
        if allowed is None or (name, column) in EVERYWHERE:
            continue
        if (name, column) in BLANK_NAMES:
            allowed = allowed | {""}
        if name == "dependence" and column == "country":
            allowed = allowed | known["bloc"]
        if strange := set(cells[column]) - allowed:
            value = sorted(strange, key=str)[0]
            yield f'{file} {column} = "{value}", which is not known there'
