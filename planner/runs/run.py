"""The class `Run`: a plan with its tables, in memory or read from a folder, and the instance it was solved from."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..above import above
from ..arguments import beside, checked
from ..bands import Searched
from ..errors import InstanceError, ResultError, UsageError
from ..instance.courses import lines
from ..instance.examples import example_folder
from ..instance.timeline import periods
from ..words import figure_of, paragraphs
from ..writing import check_folder, write_folder
from .fit import check_fit, check_years
from .manifest import read_manifest
from .tables import (
    BRANCH_BUILDS,
    BRANCH_TABLES,
    BRANCH_TABLES_ONLY_WITH,
    COLUMNS,
    OTHER_COLUMNS,
    PROVENANCES,
    Tables,
    from_csv,
    to_csv,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance

MANIFEST = "plan.json"
SOME = 1e-6  # modules; a difference of fewer is none
PLANNED = ("builds", "capacity", "activity", "flows", "purchases", "service", "stocks")  # tables of decisions


@dataclass(repr=False)
class Run:
    """A plan with its tables, solved just now or read back from a folder. Printed, it tells its summary.

    plan      the content of plan.json
    tables    table -> frame, with the tables and columns that docs/format.md lists
    branches  scenario -> table -> frame of its branch: the tables of operations, and ``builds`` where it may build
    path      the folder it was read from; None for a plan solved just now
    """

    plan: dict[str, Any]
    tables: Tables
    branches: dict[str, Tables] = field(default_factory=dict)
    path: Path | None = None
    _instance: Instance | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.tables = Tables(self.tables)
        self.branches = {scenario: Tables(tables) for scenario, tables in self.branches.items()}

    def __repr__(self) -> str:
        name = self.plan["instance"]["name"]
        return f"<Plan of {name}: {figure_of(self.objective_musd, 6)} MUSD, {self.status}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return paragraphs(self.summary())

    def summary(self) -> str:
        """Return the plan in a page of text, as `planner solve` prints it: cost, builds, dependence, what binds."""
        return str(above("questions.summary.summary")(self))

    @property
    def plot(self) -> Any:
        """The charts of its page as figures of plotly, such as ``plan.plot.chain(2035)`` or ``plan.plot.dependence()``.

        They are ``chain``, ``dependence``, ``map``, ``builds``, ``output``, ``costs``, ``funding`` and ``origins``.
        """
        return above("reporting.plots.Plots")(self)

    @checked
    def statistics(
        self, by: Sequence[str] | str = ("country", "stage"), years: Sequence[int] | None = None
    ) -> pd.DataFrame:
        """Return cost, tonnes and capacity in groups: one row for each group, one column for each measure.

        by     what to group by: some of ``country``, ``stage``, ``facility``, ``owner``, ``startup``, ``material``,
               ``provenance``, ``option`` and ``year``, which is the first year of a period
        years  first years of periods that count; None: all

        The columns: ``capital_musd`` (annuities), ``fixed_om_musd``, ``opex_musd``, ``purchase_musd``,
        ``freight_musd``, ``tariff_musd``, ``shortage_musd``, ``made_t``, ``delivered_t``, ``short_t``, ``capacity_t``,
        ``used_t``, ``started_t`` and ``capex_musd`` (nameplate and overnight cost of what is started). With ``year``
        they are rates a year, else sums over the calendar years; capacities are then the mean of the years. Money is
        undiscounted. Movements, purchases and deliveries count in the country that receives them. The plan as it is
        undisturbed; what is closed, stored, sold, substituted or priced by an impact is not among the costs.
        Raises UsageError for another name in ``by``.
        """
        frame: pd.DataFrame = above("reporting.statistics.statistics")(self, by, years)
        return frame

    @property
    def gap(self) -> float:
        """How far the cost may be above the least, relative to it."""
        return float(self.plan["gap"])

    @property
    def status(self) -> str:
        """``optimal`` (proven within the gap) or ``feasible``."""
        return str(self.plan["status"])

    @property
    def objective_musd(self) -> float:
        """Present value of all cost, MUSD."""
        return float(self.plan["objective_musd"])

    @property
    def searched(self) -> Searched:
        """Its cost, and a bound that no plan of its instance undercuts, with the same builds held if any were; MUSD."""
        return Searched(self.objective_musd, float(self.plan["bound_musd"]))

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics of plan.json: shares (0 to 1), tonnes a year and MUSD, by year where they have one."""
        return dict(self.plan["metrics"])

    @property
    def instance(self) -> Instance:
        """The instance that the plan was solved from; see `instance_of` for a run that was read back."""
        if self._instance is None:
            self._instance = instance_of(self)
        return self._instance

    @property
    def lengths(self) -> dict[int, int]:
        """First year of a period -> its length in years."""
        known = self.plan.get("periods")
        if isinstance(known, dict):
            return {int(year): int(length) for year, length in known.items()}
        try:  # written before there was such a key
            return {p.first_year: p.length for p in periods(self.instance)}
        except UsageError as missing:
            raise UsageError(
                f"{missing}; its plan.json does not say how long its periods are, a new run's does"
            ) from None

    @property
    def calendar_years(self) -> frozenset[int]:
        """Every calendar year of the horizon, in which a period may begin or not."""
        return frozenset(year for first, length in self.lengths.items() for year in range(first, first + length))

    def years_counted(self, years: Collection[int] | None = None) -> dict[int, int]:
        """First year of a period -> how many of its calendar years are among ``years``; None: all of them."""
        return {
            first: length if years is None else sum(year in years for year in range(first, first + length))
            for first, length in self.lengths.items()
        }

    def total(self, table: str, column: str, years: Collection[int] | None = None) -> float:
        """Return the sum of a column of yearly rates over calendar years, each of which has the rate of its period.

        table  a table with ``year``, the first year of a period, such as ``service``
        years  calendar years that count; None: the horizon
        """
        return float(sum(self.spread(table, column, years)))

    def spread(self, table: str, column: str, years: Collection[int] | None = None) -> list[float]:
        """Return what each row adds to `total`."""
        counted, cells = self.years_counted(years), self.tables.cells(table)
        return [rate * counted[year] for year, rate in zip(cells["year"], cells[column], strict=True)]

    def delivered(self, years: Collection[int] | None = None) -> tuple[float, float]:
        """Return what consumers receive of clean and of exposed material over calendar years, t; as in `total`.

        What a material replaces counts in the tonnes that it replaces; thrift counts in neither.
        """
        clean, exposed = (self.total("service", f"{provenance}_t", years) for provenance in PROVENANCES)
        if "substitution" in self.tables:
            of = self.tables.cells("substitution")["provenance"]
            for provenance, t in zip(of, self.spread("substitution", "t", years), strict=True):
                clean += t if provenance == "clean" else 0.0
                exposed += t if provenance == "exposed" else 0.0
        return clean, exposed

    @property
    def builds(self) -> dict[tuple[str, int], float]:
        """(option, start year) -> modules started."""
        return _by_start(self.tables, "modules")

    @property
    def answers(self) -> dict[str, dict[tuple[str, int], float]]:
        """Scenario -> (option, start year) -> modules that its branch starts beyond the course it leaves.

        Below 0: it starts so many fewer. Of branches that may start something by themselves.
        """
        more = self.otherwise("modules")
        return {scenario: {key: n for key, n in of.items() if abs(n) > SOME} for scenario, of in more.items()}

    def otherwise(self, column: str) -> dict[str, dict[tuple[str, int], float]]:
        """Scenario -> (option, start year) -> a column of its builds, less that of the course it leaves."""
        own, found = {"": _by_start(self.tables, column)}, {}
        for scenario, line in lines(self.instance.scenarios).items():
            if "builds" not in self.branches.get(scenario, {}):
                continue
            own[scenario] = _by_start(self.branches[scenario], column)
            left = own[next((s.parent for s in line if s.parent in own), "")]
            keys = sorted({*own[scenario], *left}, key=lambda key: (key[1], key[0]))
            found[scenario] = {key: own[scenario].get(key, 0.0) - left.get(key, 0.0) for key in keys}
        return found

    @property
    def digest(self) -> str:
        """A digest of the instance and of the plan's decisions, by which a result names the plan it belongs to."""
        return self.digest_in(self.plan["instance"]["sha256"])

    def digest_in(self, sha256: str) -> str:
        """Return the digest of this plan's decisions in another instance, whose digest is ``sha256``."""
        digest = hashlib.sha256(sha256.encode())
        for name in PLANNED:
            digest.update(to_csv(self.tables.cells(name)).encode())
        return digest.hexdigest()

    def files(self) -> dict[str, str]:
        """Return file name in the run's folder -> the table as CSV text."""
        folders = {"": self.tables, **{f"branches/{scenario}/": of for scenario, of in self.branches.items()}}
        return {f"{folder}{name}.csv": to_csv(of.cells(name)) for folder, of in folders.items() for name in of}

    def to_json(self) -> str:
        """Return plan.json as text."""
        return json.dumps(self.plan, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @checked
    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the run's folder, completely or not at all.

        overwrite  whether results in an existing folder may be replaced
        Raises OutputError if the folder may not be replaced or cannot be written.
        """
        started = time.perf_counter()
        files = self.files()

        def finish() -> str:
            seconds = self.plan["seconds"]
            written = time.perf_counter() - started
            seconds["total"] = round(seconds["total"] - seconds["write"] + written, 3)
            seconds["write"] = round(written, 3)
            return self.to_json()

        return write_folder(Path(folder), files, MANIFEST, finish, overwrite)


Plan = Run  # the public name of what `planner.solve` returns


def check_target(folder: Path, overwrite: bool) -> None:
    """Raise OutputError if a run may not be written to ``folder``."""
    check_folder(folder, MANIFEST, overwrite)


@checked
def read_run(folder: str | Path, instance: str | Path | None = None) -> Run:
    """Read a run's folder.

    instance  the folder of its instance; None: it is looked for where plan.json says, when it is first needed
    Raises ResultError if the run is damaged or not whole; with ``instance`` also UsageError if the run was not solved
    from it as it is now, and InstanceError if it cannot be read.
    """
    path = Path(folder)
    try:
        if not path.exists():
            hint = beside(path, lambda other: (other / MANIFEST).is_file())
            raise ResultError(f"{path}: no such folder of a run; {hint}".rstrip("; "))
        if not (path / MANIFEST).is_file():
            raise ResultError(f"{path} is not a run's folder: it has no {MANIFEST}")
        plan = read_manifest(path / MANIFEST)
        tables = Tables({name: from_csv(name, _read(path / f"{name}.csv")) for name in COLUMNS})
        others = [name for name in OTHER_COLUMNS if (path / f"{name}.csv").is_file()]
        tables.update({name: from_csv(name, _read(path / f"{name}.csv")) for name in others})
        branches = {}
        for folder in sorted((path / "branches").iterdir()) if (path / "branches").is_dir() else ():
            if folder.is_dir() and not folder.name.startswith("."):  # what a file manager leaves is no branch
                other = (*BRANCH_TABLES_ONLY_WITH, *BRANCH_BUILDS)
                more = [name for name in other if (folder / f"{name}.csv").is_file()]
                held = (*BRANCH_TABLES, *more)
                branches[folder.name] = Tables({name: from_csv(name, _read(folder / f"{name}.csv")) for name in held})
    except FileNotFoundError as error:
        missing = Path(error.filename)
        missing = missing.relative_to(path) if missing.is_relative_to(path) else missing
        raise ResultError(f"{path} is not whole: {missing.as_posix()} is missing") from error
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error
    check_years(str(path), plan, tables, branches)
    run = Run(plan, tables, branches, path)
    if instance is not None:
        run._instance = instance_of(run, instance)
    return run


def given_run(run: Run | str | Path) -> Run:
    """Return a run given to a call: itself, or the one that its folder holds. Raises UsageError for anything else."""
    if isinstance(run, Run):
        return run
    if isinstance(run, (str, os.PathLike)):
        return read_run(run)
    raise UsageError(f"{type(run).__name__}: expected a run, as planner.solve gives it, or the path of its folder")


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def instance_of(run: Run, folder: str | Path | None = None) -> Instance:
    """Return the instance a run was solved from, loaded again and checked by its digest.

    folder  folder of the instance; None: the path that plan.json records (as it was given to ``load``), seen from
            the current folder and from every folder above the run
    Raises UsageError if it is not found, or is no longer what was solved; InstanceError if ``folder`` cannot be read;
    ResultError if the run was read back and does not fit it.
    """
    instance = _found(run, folder)
    check_fit(_name(run), run.plan, run.tables, run.branches, instance)
    return instance


def _found(run: Run, folder: str | Path | None) -> Instance:
    """Return the instance that has the digest of a run's; see `instance_of`."""
    from ..instance.loading import load

    asked = run.plan["instance"]
    name = _name(run)
    if folder is not None:
        instance = _as_solved(load(folder), asked)
        if instance.sha256 != asked["sha256"]:
            raise UsageError(f"{name} was not solved from {folder} as it is now{_difference(instance, asked)}")
        return instance
    changed = None
    for place in _places(run):
        try:
            instance = _as_solved(load(place), asked)
        except (InstanceError, UsageError):  # it may have changed so much that what-ifs match nothing
            changed = changed or place
            continue
        if instance.sha256 == asked["sha256"]:
            return instance
        changed = changed or place
    if changed is not None:
        raise UsageError(
            f"{changed} has changed since {name} was solved from it; solve it again, "
            f"or give the instance as it was with --instance FOLDER"
        )
    raise UsageError(f"the instance {asked['name']} of {name} is not found; say where it lies: --instance FOLDER")


def _as_solved(instance: Instance, asked: Mapping[str, Any]) -> Instance:
    """Return an instance after the what-ifs that plan.json tells were made after it was loaded."""
    later = [made["change"] for made in asked.get("changes", ()) if not made["place"]]
    return instance.what_if(*later, name=asked["name"]) if later else instance


def _name(run: Run) -> str:
    return "the plan" if run.path is None else str(run.path)


def _places(run: Run) -> Iterator[Path]:
    """Yield the existing folders or workbooks that the recorded path may mean, the most likely first."""
    recorded = run.plan["instance"].get("path")
    if not recorded:
        return
    path = Path(recorded)
    above = [] if run.path is None else run.path.resolve().parents
    for start in (Path(), *above):
        if (start / path).exists():
            yield start / path
        if path.is_absolute():
            return
    if (example := example_folder(recorded)) is not None:
        yield example


def _difference(instance: Instance, asked: Mapping[str, str]) -> str:
    if instance.name != asked["name"]:
        return f": the run is of {asked['name']}, the folder holds {instance.name}"
    return ": it has changed since; solve it again"


def _by_start(tables: Tables, column: str) -> dict[tuple[str, int], float]:
    """Return (option, start year) -> a column of builds.csv."""
    return {(r.option, r.start_year): getattr(r, column) for r in tables.rows("builds")}
