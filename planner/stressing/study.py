"""All cases of a study: in parallel, resumable, worst first."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AuditError, UsageError
from .cases import FAMILIES, Case, cases
from .trial import Result, Trials

if TYPE_CHECKING:
    import pandas as pd

    from ..instance import Instance
    from ..plan import Plan
    from ..runfolder import Run
    from ..solving import Settings

Progress = Callable[[str], None]
MANIFEST = "stress.json"
FEW = 12  # cases up to which further processes cost more than they save
TOP = 5  # plants of which every pair is tried


@dataclass(frozen=True)
class Stress:
    """What each disruption does to a plan whose builds, and stocks at the blow, are held.

    cases      worst first: case, family, severity, first_year, last_year, unserved_t (tonnes short in the case's years
               beyond those of the undisturbed course), short_t (all of them), extra_cost_musd (present, to the end of
               the horizon, shortage included), least_months (of any consumer), decisive (what is missed most: the lost
               capacity or export with the largest worth, at the margin)
    consumers  case, country, sector, material, year, demand_t, short_t, short_without_t (t a year)
    survival   case, country, sector, months_served: months from the blow on in which it is served in full
    heat       unserved_t by country and stage (rows) and first year (columns); empty without the family ``stage``
    complete   False if it was interrupted
    """

    cases: pd.DataFrame
    consumers: pd.DataFrame
    survival: pd.DataFrame
    heat: pd.DataFrame
    audited: bool
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What stress.json holds."""
        return {
            "schema": 1,
            "complete": self.complete,
            "audited": self.audited,
            "settings": self.settings,
            "cases": self.cases.to_dict("records"),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write cases.csv, consumers.csv, survival.csv, heat.csv and stress.json."""
        from ..folders import write_folder
        from ..tables import to_csv

        tables = {"cases": self.cases, "consumers": self.consumers, "survival": self.survival, "heat": self.heat}
        files = {f"{name}.csv": to_csv(table) for name, table in tables.items()}
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

    def __str__(self) -> str:
        lines = [f"{len(self.cases)} disruptions, worst first" + (", each audited" if self.audited else "")]
        head = f"  {'lost':<34} {'years':>9} {'unserved t':>11} {'extra MUSD':>11} {'months served':>13}  missed most"
        lines.append(head)
        for r in self.cases.head(20).itertuples():
            years = f"{r.first_year}" if r.first_year == r.last_year else f"{r.first_year}-{r.last_year % 100:02d}"
            part = "" if r.severity == 1.0 else f" ({r.severity:.0%})"
            lines.append(
                f"  {r.case + part:<34} {years:>9} {r.unserved_t:>11,.5g} {r.extra_cost_musd:>11,.5g} "
                f"{r.least_months:>13.1f}  {r.decisive}"
            )
        if len(self.cases) > 20:
            lines.append(f"  ... and {len(self.cases) - 20} more; -o FOLDER writes all of them")
        harmless = int((self.cases["unserved_t"] < 0.5e-3).sum())
        lines.append(f"{harmless} of them leave nobody short of more than the plan does")
        if not self.complete:
            lines.append("Interrupted: the cases tried so far.")
        return "\n".join(lines)


def stress(
    instance: Instance,
    run: Plan | Run,
    *,
    families: Collection[str] = FAMILIES,
    years: Sequence[tuple[int, int]] | None = None,
    severity: float = 1.0,
    only: Collection[str] = (),
    pairs: bool = False,
    audit: bool = True,
    workers: int | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Stress:
    """Try disruptions on a plan one by one; each re-solves operations only.

    families  of ``country`` (all its plants and exports), ``stage`` (of a country), ``facility``, ``scenario``
    years     first and last calendar year of each disruption; None: the middle period's first year. Half a year is a
              severity of 0.5 in one year
    severity  part that is lost
    only      names of cases; empty: all
    pairs     also every pair of the 5 plants that are missed most (not a proof that no other pair is worse)
    audit     recompute every case from the raw tables; raises AuditError if one does not hold
    workers   processes; None: one per core for more than a few cases
    partial   file that keeps the finished cases until all are done: a repeated call goes on from there

    The branch of the contract applies: nothing was foreseen, service floors and least use are lifted, caps and
    clean-only rules too while the disruption lasts, shortage pays. Raises UsageError on names and years that are not
    there.
    """
    from ..solving import Settings

    if years is None:
        middle = instance.years[len(instance.years) // 2]
        years = [(middle, middle)]
    asked = cases(instance, families, years, severity, only)
    if not asked:
        raise UsageError("there is nothing to try: no plant, market or scenario of these families")
    asked.sort(key=lambda c: (c.first, c.last, c.family, c.name))
    settings = Settings()
    _check_run(instance, run)
    kept = _Kept(partial, instance, run, audit)
    complete = _try_all(instance, run, settings, audit, asked, kept, workers, progress)
    if pairs and complete:
        found = [kept.done[c.key] for c in asked if c.family == "facility" and kept.done[c.key]["unserved_t"] > 0.0]
        worst = sorted(found, key=lambda r: -r["unserved_t"])[:TOP]
        trials = Trials(instance, run, settings, audit)
        plants = {c.key: c for c in asked}
        for a, b in combinations(worst, 2):
            result = trials.run_pair(plants[a["key"]], plants[b["key"]])
            kept.add(result)
    if not kept.done:
        raise KeyboardInterrupt
    bad = [r for r in kept.done.values() if audit and not r["audit"]["ok"]]
    if bad:
        said = "does not agree with the instance; please report this as a defect"
        raise AuditError(f"the case {bad[0]['case']} {said}\n{bad[0]['audit']['faults']}")
    results = sorted(kept.done.values(), key=lambda r: (-r["unserved_t"], -r["extra_cost_musd"], r["key"]))
    if complete:
        kept.forget()
    described = {"families": list(families), "years": [list(y) for y in years], "severity": severity, "pairs": pairs}
    return Stress(*_frames(results), audit, complete, described)


def _check_run(instance: Instance, run: Plan | Run) -> None:
    known = {o.option for o in instance.options}
    unknown = sorted({str(o) for o in run.tables["builds"]["option"]} - known)
    if unknown:
        raise UsageError(f"the run builds {unknown[0]}, which the instance does not have")
    missing = sorted(set(instance.years) - {int(y) for y in run.tables["service"]["year"]})
    if missing:
        raise UsageError(f"the run has no operations in {missing[0]}: it is of another instance")


class _Kept:
    """Finished cases, in memory and, if asked, in a file with one line each."""

    def __init__(self, path: Path | None, instance: Instance, run: Plan | Run, audited: bool) -> None:
        self.path = path
        self.done: dict[str, Result] = {}
        builds = run.tables["builds"].to_json()
        said = json.dumps([instance.sha256, run.plan["objective_musd"], builds, audited])
        self.digest = hashlib.sha256(said.encode()).hexdigest()
        if path is not None and path.is_file():
            self._read(path)

    def _read(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or lines[0] != self.digest:
            path.unlink()
            return
        for line in lines[1:]:
            try:
                result = json.loads(line)
            except ValueError:  # the last line of a killed study
                continue
            self.done[result["key"]] = result

    def add(self, result: Result) -> None:
        self.done[result["key"]] = result
        if self.path is None:
            return
        new = not self.path.is_file()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if new:
                file.write(self.digest + "\n")
            file.write(json.dumps(result) + "\n")

    def forget(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _try_all(
    instance: Instance,
    run: Plan | Run,
    settings: Settings,
    audit: bool,
    asked: Sequence[Case],
    kept: _Kept,
    workers: int | None,
    progress: Progress | None,
) -> bool:
    """Try what is not yet kept; False if interrupted."""
    todo = [case for case in asked if case.key not in kept.done]
    if progress and len(todo) < len(asked):
        progress(f"{len(asked) - len(todo)} of {len(asked)} disruptions are known already")
    count = (os.cpu_count() or 1) if workers is None else workers
    if workers is None and len(todo) <= FEW:
        count = 1
    told = time.perf_counter()
    try:
        for result in _results(instance, run, settings, audit, todo, count):
            kept.add(result)
            if progress and time.perf_counter() - told > 2.0:
                told = time.perf_counter()
                progress(f"{len(kept.done)} of {len(asked)} disruptions")
    except KeyboardInterrupt:
        return False
    return True


def _results(
    instance: Instance, run: Plan | Run, settings: Settings, audit: bool, todo: Sequence[Case], workers: int
) -> Iterator[Result]:
    if workers <= 1:
        trials = Trials(instance, run, settings, audit)
        for case in todo:
            yield trials.run_case(case)
        return
    import multiprocessing

    # spawned, since a fork beside the solver's threads can hang
    context = multiprocessing.get_context("spawn")
    tables = {name: run.tables[name] for name in run.tables}
    with ProcessPoolExecutor(
        min(workers, max(1, len(todo))), context, _begin, (instance, run.plan, tables, run.branches, settings, audit)
    ) as pool:
        yield from _gather(pool, todo)


def _gather(pool: Executor, todo: Sequence[Case]) -> Iterator[Result]:
    futures = [pool.submit(_run_case, case) for case in todo]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


_worker: list[Trials] = []


class _Handed:
    """A plan as it is handed to a process."""

    def __init__(self, plan: dict[str, Any], tables: dict[str, Any], branches: dict[str, Any]) -> None:
        self.plan, self.tables, self.branches = plan, tables, branches


def _begin(
    instance: Instance,
    plan: dict[str, Any],
    tables: dict[str, Any],
    branches: dict[str, Any],
    settings: Settings,
    audited: bool,
) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process stops the others
    handed: Any = _Handed(plan, tables, branches)
    _worker[:] = [Trials(instance, handed, settings, audited)]


def _run_case(case: Case) -> Result:
    return _worker[0].run_case(case)


def _frames(results: Sequence[Result]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    columns = ["case", "family", "severity", "first_year", "last_year", "unserved_t", "short_t", "extra_cost_musd"]
    rows = [
        (*(r[c] for c in columns), min((s["months_served"] for s in r["survival"]), default=0.0), r["decisive"])
        for r in results
    ]
    table = pd.DataFrame(rows, columns=[*columns, "least_months", "decisive"])
    of_consumer = ["country", "sector", "material", "year", "demand_t", "short_t", "short_without_t"]
    consumers = pd.DataFrame(
        [(r["case"], r["first_year"], *(c[k] for k in of_consumer)) for r in results for c in r["consumers"]],
        columns=["case", "first_year", *of_consumer],
    )
    survival = pd.DataFrame(
        [
            (r["case"], r["first_year"], s["country"], s["sector"], s["months_served"])
            for r in results
            for s in r["survival"]
        ],
        columns=["case", "first_year", "country", "sector", "months_served"],
    )
    stages = table[table["family"] == "stage"]
    heat = stages.pivot_table(index="case", columns="first_year", values="unserved_t", aggfunc="max").reset_index()
    heat.columns = [str(c) for c in heat.columns]
    return table, consumers, survival, heat
