"""Results of other commands that a page shows beside its run: read from their folders, and checked to belong to it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..errors import OutputError, UsageError

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..runs.run import Run

Row = dict[str, Any]


class Written(Protocol):
    """What a study gave, such as `Frontier` or `Stress`."""

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write it as a folder."""


class Kind(NamedTuple):
    """A kind of study.

    command  that writes it
    of       whose it is: ``plan`` (of one run only), ``plans`` (of several) or ``instance``
    needed   table -> columns without which it cannot be shown; those of the manifest, or of a CSV file
    files    tables that stand in a CSV file, not in the manifest
    """

    command: str
    of: str
    needed: Mapping[str, Sequence[str]]
    files: Mapping[str, str] = {}


KINDS: dict[str, Kind] = {
    "frontier.json": Kind(
        "frontier",
        "instance",
        {
            "points": ("point", "limit", "share", "objective_musd", "gap", "marginal_musd_per_point"),
            "switches": ("point", "option", "modules", "change"),
            "bound": (),
        },
        {"points": "frontier.csv", "switches": "switches.csv", "bound": "lp_bound.csv"},
    ),
    "explain.json": Kind(
        "explain",
        "plan",
        {
            "binding": ("kind", "name", "country", "year", "unit", "worth_musd", "how", "says"),
            "premiums": ("material", "country", "year", "premium_usd_per_kg"),
            "projects": ("option", "built", "value_musd", "earns_musd", "annuity_musd", "fixed_om_musd"),
            "entry": ("option", "change", "threshold", "how", "says"),
            "bottlenecks": ("year", "provenance", "rank", "material", "worth_musd_per_percent"),
            "price_support": ("option", "material", "year", "output_t", "cost_usd_per_kg", "support_musd"),
        },
    ),
    "alternatives.json": Kind(
        "alternatives",
        "instance",
        {
            "ranges": ("option", "verdict", "least", "most", "proven", "latest_start"),
            "groups": ("group", "least_t", "most_t", "least_musd", "most_musd", "proven"),
            "buys": ("aim", "at_least_cost", "best", "proven"),
            "plans": ("plan", "cost_musd", "option", "start_year", "modules"),
        },
    ),
    "stress.json": Kind(
        "stress",
        "plan",
        {
            "cases": ("case", "kind", "family", "year", "months", "severity", "lost_t", "lost_musd", "extra_cost_musd"),
            "by_sector": ("case", "year", "months", "severity", "sector", "demand_t", "months_served"),
            "n_minus_1": ("rank", "case", "year", "lost_t"),
            "worst_of_k": ("k", "group", "case", "year", "lost_t", "exhaustive"),
        },
        {"by_sector": "by_sector.csv"},
    ),
    "delivery.json": Kind(
        "stress --delivery",
        "plan",
        {
            "years": ("year", "exposed_share_mean", "exposed_share_p10", "exposed_share_p90", "short_t_mean"),
            "projects": ("option", "fails", "delay_years", "cost_at_stake_musd", "short_at_stake_t"),
            "samples": ("sample", "cost_musd", "short_t", "exposed_share"),
        },
        {"samples": "samples.csv"},
    ),
    "hedge.json": Kind(
        "hedge",
        "instance",
        {
            "plans": ("plan", "planned_musd", "mean_musd", "mean_of_worst_musd", "short_t", "promise_broken"),
            "builds": ("option", "success_probability", "trusting", "hedged", "change", "capex_change_musd"),
            "insurance": ("project", "extra_capex_musd", "worth_musd", "at_least_musd", "at_most_musd"),
            "outcomes": ("trusting_musd", "hedged_musd", "trusting_short_t", "hedged_short_t"),
        },
        {"outcomes": "outcomes.csv"},
    ),
    "sensitivity.json": Kind(
        "sensitivity",
        "instance",
        {
            "tornado": ("change", "metric", "at_low", "at_base", "at_high", "swing"),
            "flips": ("change", "end", "option", "modules_base", "modules"),
            "indices": ("change", "metric"),
        },
    ),
    "compare.json": Kind(
        "compare",
        "plans",
        {
            "totals": ("quantity", "unit"),
            "dependence": ("metric", "stage", "year"),
            "builds": ("option", "country", "when"),
            "flows": ("material", "origin", "destination"),
            "funding": ("source",),
            "shortages": ("country", "sector", "material"),
        },
    ),
}
TEXT = ("option", "change", "case", "country", "sector", "material", "metric", "status")  # columns of the CSV files


@dataclass(frozen=True)
class Study:
    """A study to show.

    kind      the command that wrote it, see KINDS
    about     what its manifest says
    tables    rows by column; blanks are None
    warnings  why to read it with care: other data than the run's, interrupted
    """

    kind: str
    about: Row
    tables: Mapping[str, Sequence[Row]]
    warnings: tuple[str, ...] = field(default=())


def read_study(source: str | Path | Written, instance: Instance, run: Run) -> Study:
    """A study from a folder that a command wrote with ``-o``, or from what the Python call of that command gave.

    Raises OutputError if the folder holds none, or not a whole one; UsageError if it is of another plan than ``run``.
    A study of another instance, or of the same one with other data, carries a warning.
    """
    if not isinstance(source, (str, Path)):
        with tempfile.TemporaryDirectory() as home:  # one way to read: what is in memory is written first
            return read_study(source.write(Path(home) / "study"), instance, run)
    folder = Path(source)
    manifest = _manifest(folder)
    kind = KINDS[manifest]
    try:
        about = json.loads((folder / manifest).read_text(encoding="utf-8"))
        tables = {
            table: _rows(folder / kind.files[table]) if table in kind.files else list(about[table])
            for table in kind.needed
        }
        for table, columns in kind.needed.items():
            for column in columns:
                if any(column not in row for row in tables[table]):
                    raise ValueError(f"{kind.files.get(table, f'{table} in {manifest}')} has no column {column}")
        warnings = (*_of_this(folder, kind, about, instance, run), *_unfinished(about))
    except FileNotFoundError as error:
        raise OutputError(f"{folder} is not whole: {Path(error.filename).name} is missing") from error
    except KeyError as error:
        raise OutputError(f"{folder} cannot be read: {manifest} does not hold {error}") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise OutputError(f"{folder} cannot be read as a folder of planner {kind.command}: {error}") from error
    return Study(kind.command, about, tables, warnings)


def _manifest(folder: Path) -> str:
    found = next((name for name in KINDS if (folder / name).is_file()), None)
    if found is not None:
        return found
    if (folder / "plan.json").is_file():
        raise OutputError(f"{folder} is a run; planner compare RUN {folder} -o FOLDER sets it beside another one")
    commands = ", ".join(f"{name} (planner {kind.command})" for name, kind in KINDS.items())
    raise OutputError(f"{folder} holds no study that a report can show: expected one of {commands}")


def _of_this(folder: Path, kind: Kind, about: Row, instance: Instance, run: Run) -> list[str]:
    """Why a study is to be read with care beside this run; raises UsageError if it is of another plan."""
    if kind.of == "instance":
        its = about["instance"]
        if its["sha256"] == instance.sha256:
            return []
        name = str(its.get("name", ""))
        if name and name != instance.name:
            return [f"computed from another instance than this run: {name}, not {instance.name}."]
        return ["computed from other data than this run: some table or setting of the instance differs."]
    this = run.digest
    if kind.of == "plans":
        if this not in about["of"]:
            names = " and ".join(str(n) for n in about["names"])
            raise UsageError(f"{folder} compares {names}, none of which is this run")
    elif about["of"] != this:
        raise UsageError(
            f"{folder} is of another plan than this run (or of the same one before it was solved again); "
            f"planner {kind.command.replace(' ', ' RUN ') if ' ' in kind.command else f'{kind.command} RUN'} "
            f"-o {folder} --overwrite makes it afresh"
        )
    return []


def _unfinished(about: Row) -> list[str]:
    return (
        [] if about.get("complete", True) else ["interrupted before it was finished; what is shown was found so far."]
    )


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(io.StringIO(file.read(), newline=""), strict=True)
        return [{column: _value(column, cell) for column, cell in row.items()} for row in reader]


def _value(column: str, cell: str) -> Any:
    if column in TEXT:
        return cell
    if cell == "":
        return None
    if cell in ("True", "False"):
        return cell == "True"
    number = float(cell)
    return int(number) if number.is_integer() and cell.lstrip("-").isdigit() else number
