"""A batch: named what-ifs of one or several instances, each solved to a run, and their numbers side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..arguments import checked
from ..bands import Searched, difference
from ..errors import Infeasible, InstanceError, NoPlan, UsageError
from ..instance.cells import folder_problem
from ..instance.loading import load
from ..language import N_, _, translated
from ..words import figure_of, share_of
from .asked_file import Gap, asked_of, read_asked
from .many import Finished, Many, Worker
from .study import COMPLETE, NOTES, SECONDS, Study, Table, Value, text_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ..instance.instance import Instance
    from ..runs.run import Run
    from ..solving.solver import Progress

RUNS = "runs"  # subfolder with the run of each scenario


class Scenario(BaseModel):
    """One scenario of a batch: an instance, and the what-ifs made in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    instance: str = ""
    what_if: tuple[str, ...] = ()


class BatchFile(BaseModel):
    """A batch as it is asked for.

    instance  folder, relative to the file, or the name of an example; that of scenarios which name none
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance: str = ""
    title: str = ""
    scenario: tuple[Scenario, ...] = Field(min_length=1)
    gap: Gap = None
    time_limit: float | None = None

    @model_validator(mode="after")
    def _named(self) -> BatchFile:
        names = [s.name for s in self.scenario]
        for name in names:
            if problem := folder_problem(name) or ("" if name.strip(".") else "a name"):
                raise ValueError(f'the scenario "{name}" names the folder of its run: expected {problem}')
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"the scenario {twice[0]} is there twice")
        homeless = [s.name for s in self.scenario if not (s.instance or self.instance)]
        if homeless:
            raise ValueError(f"the scenario {homeless[0]} has no instance, and the file names none for all")
        return self

    def instances(self, folder: Path) -> dict[str, Instance]:
        """Return scenario -> its instance. Raises UsageError with every problem.

        folder  that of the file, from which paths start
        """
        loaded: dict[str, Instance] = {}
        found: dict[str, Instance] = {}
        problems = []
        for scenario in self.scenario:
            path = scenario.instance or self.instance
            try:
                if path not in loaded:
                    beside = folder / path
                    loaded[path] = load(beside if beside.exists() else path)
                base = loaded[path]
                found[scenario.name] = base.what_if(*scenario.what_if, name=scenario.name) if scenario.what_if else base
            except (UsageError, InstanceError) as error:
                problems.append(f"scenario {scenario.name}: {error}")
        if problems:
            raise UsageError("\n".join(problems))
        return found


@dataclass(frozen=True, repr=False)
class Batch(Study):
    """The scenarios of a batch side by side. The first one is the base of all differences.

    table  what scenarios.csv holds
    runs   scenario -> file of its run -> text
    """

    COMMAND, MANIFEST, OF = "batch", "batch.json", "plans"
    HOLDS = (
        Value("title", "of the batch"),
        COMPLETE,
        Value("of", "digest of the plan of each scenario, see `planner.Run.digest`"),
        NOTES,
        SECONDS,
        Table(
            "scenarios",
            "The scenarios. Differences are to the first; tonnes and shares are sums over the horizon.",
            """
            scenario      | text    |       | its name; its run stands in runs/NAME
            instance      | text    |       | the instance
            what_if       | text    |       | what is changed in it
            status        | text    |       | of the solve: `optimal`, `feasible`, `infeasible` or `no_solution`
            cost_musd     | number  | MUSD  | present value of all cost
            gap           | number  | share | how far the plan may be from the least cost
            more_musd     | number  | MUSD  | what it costs more than the first; blank if the gaps leave that open
            more_least    | number  | MUSD  | at least, as the gaps of both searches allow
            more_most     | number  | MUSD  | at most
            exposed_share | number  | share | of all deliveries, traced
            short_t       | number  | t     | demand that is not served
            capex_musd    | number  | MUSD  | overnight cost of all builds
            public_musd   | number  | MUSD  | money of funds
            why           | text    |       | why there is no plan
            """,
            attribute="table",
        ),
    )  # fmt: skip

    title: str
    table: pd.DataFrame
    complete: bool
    of: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float
    runs: Mapping[str, Mapping[str, str]]

    def more_files(self) -> Mapping[str, str]:
        """The runs."""
        return {f"{RUNS}/{name}/{file}": text for name, files in self.runs.items() for file, text in files.items()}

    def __str__(self) -> str:
        width = max(len(_("scenario")), *self.table["scenario"].str.len())
        columns = [(_("scenario"), f"<{width}"), (_("cost MUSD"), ">11"), (_("gap"), ">7")]
        columns += [(_("more than the first"), ">32"), (_("exposed"), ">8"), (_("short t"), ">9")]
        columns += [(_("capex"), ">9"), (_("public"), ">8")]
        rows = []
        for row in self.table.to_dict("records"):
            if row["cost_musd"] != row["cost_musd"]:
                rows.append([row["scenario"], translated(row["status"]), *[""] * 6])
                continue
            numbers = [figure_of(row["cost_musd"], 6), share_of(row["gap"]), _told(row), share_of(row["exposed_share"])]
            rows.append(
                [row["scenario"], *numbers, *(figure_of(row[c], 4) for c in ("short_t", "capex_musd", "public_musd"))]
            )
        lines = [*([self.title] if self.title else []), *text_table(columns, rows)]
        lines += [f"{r.scenario}: {r.why}" for r in self.table.itertuples() if r.why]
        lines += [_("Note: {note}", note=note) for note in self.notes]
        return "\n".join(lines if self.complete else [*lines, _("Interrupted: the scenarios solved so far.")])


def _told(row: Mapping[str, Any]) -> str:
    """Return the cell that tells how much more a scenario costs than the first."""
    if row["more_least"] != row["more_least"]:
        return ""
    least, most = row["more_least"], row["more_most"]
    if row["more_musd"] != row["more_musd"]:
        return _("open: {least} to {most}", least=figure_of(least, 4), most=figure_of(most, 4))
    more = figure_of(row["more_musd"], 5)
    if most - least <= 0.01 * abs(row["more_musd"]):
        return more
    return _("{change} ({least} to {most})", change=more, least=figure_of(least, 4), most=figure_of(most, 4))


@dataclass(frozen=True)
class Solving:
    """The work as it is sent to each process; called there, it gives what solves a scenario."""

    gap: float | None
    time_limit: float | None

    def __call__(self) -> Worker:
        return self.solve

    def solve(self, instance: Instance) -> dict[str, Any]:
        """Return the status of a scenario, the files of its run and its digest, or why there is none."""
        from .solve import solve_unless_stopped

        try:
            plan = solve_unless_stopped(instance, gap=self.gap, time_limit=self.time_limit)
        except (Infeasible, NoPlan) as error:
            status = N_("infeasible") if isinstance(error, Infeasible) else N_("no_solution")
            return {"status": status, "why": str(error).splitlines()[0]}
        return {"status": plan.status, "why": "", "of": plan.digest, "numbers": _numbers(plan)} | {
            "files": {**plan.files(), "plan.json": plan.to_json()}
        }


def _numbers(plan: Run) -> dict[str, float]:
    clean, exposed = plan.delivered()
    funding = plan.tables["funding"]
    return {
        "cost_musd": plan.objective_musd,
        "bound_musd": plan.searched.bound,
        "gap": float(plan.plan["gap"]),
        "exposed_share": exposed / (clean + exposed) if clean + exposed else 0.0,
        "short_t": plan.total("service", "short_t"),
        "capex_musd": float(plan.plan["metrics"]["capex_musd"]),
        "public_musd": float(funding.loc[funding["source"] != "private", "musd"].sum()),
    }


@checked
def batch(
    scenarios: str | Path | dict[str, Any],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Solve named what-ifs and set their numbers side by side.

    scenarios  a TOML file, or its keys; see docs/what-if.md
    workers    processes; None: one per core, where it is worth it
    scheduler  address of a Dask scheduler to use instead of processes
    partial    file in which finished scenarios are kept until all are; the same call goes on from there
    progress   called with lines of text
    Raises UsageError with every problem of the file and of its what-ifs, before anything is solved.
    """
    started = time.perf_counter()
    if isinstance(scenarios, (str, Path)):
        asked, folder = read_asked(BatchFile, scenarios)
    else:
        asked, folder = asked_of(BatchFile, scenarios, "batch"), Path()
    instances = asked.instances(folder)
    finished = Finished(["batch", asked.gap, asked.time_limit], partial)
    keys = {name: finished.key([name, instance.sha256]) for name, instance in instances.items()}
    work = {keys[name]: instance for name, instance in instances.items()}
    solving = Solving(asked.gap, asked.time_limit)
    results: dict[str, dict[str, Any]] = {}
    complete = True
    with Many(solving, finished, "scenarios", workers=workers, scheduler=scheduler, progress=progress) as many:
        try:
            results = dict(many.results(work))
        except KeyboardInterrupt:
            results, complete = {k: r for k, r in finished.results.items() if k in work}, False
    known = {name: results[key] for name, key in keys.items() if key in results}
    if not known:
        raise KeyboardInterrupt
    if complete:
        finished.forget()
    return _batch(asked, instances, known, complete, time.perf_counter() - started)


def _batch(
    asked: BatchFile,
    instances: Mapping[str, Instance],
    known: Mapping[str, Mapping[str, Any]],
    complete: bool,
    seconds: float,
) -> Batch:
    import pandas as pd

    base = known.get(asked.scenario[0].name, {}).get("numbers")
    money = {(i.currency, i.price_year, i.discount_rate, i.years, i.last_period_years) for i in instances.values()}
    notes = []
    if len(money) > 1:
        notes.append(_("money, discount rates or years differ, so that costs are not compared"))
    rows: list[Sequence[Any]] = []
    for scenario in asked.scenario:
        result = known.get(scenario.name)
        if result is None:
            continue
        numbers = result.get("numbers", {})
        more = least = most = float("nan")
        if numbers and base and numbers is not base and len(money) == 1:
            band = difference(*(Searched(of["cost_musd"], of["bound_musd"]) for of in (numbers, base)))
            least, most = band.least, band.most
            more = band.found if band.sign or band.same else more
        told = (numbers.get(c, float("nan")) for c in ("exposed_share", "short_t", "capex_musd", "public_musd"))
        instance = scenario.instance or asked.instance
        cost, gap = (numbers.get(c, float("nan")) for c in ("cost_musd", "gap"))
        first = (scenario.name, instance, "; ".join(scenario.what_if), result["status"])
        rows.append((*first, cost, gap, more, least, most, *told, result["why"]))
    return Batch(
        asked.title,
        pd.DataFrame(rows, columns=Batch.columns("scenarios")),
        complete,
        tuple(known[s.name]["of"] for s in asked.scenario if "of" in known.get(s.name, {})),
        tuple(notes),
        round(seconds, 3),
        {name: result["files"] for name, result in known.items() if "files" in result},
    )
