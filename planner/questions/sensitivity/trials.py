"""Samples of a study, solved in parallel; finished ones can be kept in a file, from which a study goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Infeasible, NoPlan
from ...runs.tables import plain
from ..many import Finished, Many, Worker
from .changes import Varied, resolve, varied
from .metrics import measure
from .study_file import StudyFile

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...solving.solver import Progress

Positions = Mapping[str, float]


@dataclass(frozen=True)
class Solving:
    """A study as it is sent to each process; called there, it gives what solves a sample."""

    study: StudyFile
    instance: Instance

    def __call__(self) -> Worker:
        return Solved(self.study, self.instance).solve


class Solved:
    """Solves samples of one study."""

    def __init__(self, study: StudyFile, instance: Instance) -> None:
        self.study, self.instance = study, instance
        self.changes: list[Varied] = [resolve(instance, change) for change in study.change]

    def solve(self, positions: Positions) -> dict[str, Any]:
        """Status, metrics, cost with its bound, and modules by option of one sample."""
        from ..solve import solve_unless_stopped

        instance = varied(self.instance, self.changes, positions) if positions else self.instance
        how = self.study.solve
        try:
            plan = solve_unless_stopped(instance, gap=how.gap, time_limit=how.time_limit)
        except (Infeasible, NoPlan) as error:
            status = "infeasible" if isinstance(error, Infeasible) else "no_solution"
            return {"status": status, "metrics": dict.fromkeys(self.study.metrics), "searched": None, "built": {}}
        builds = plan.tables["builds"].groupby("option")["modules"].sum()
        measured = {m: measure(plan, m) for m in self.study.metrics}
        return {
            "status": plan.status,
            "metrics": plain(measured),
            "searched": plan.searched,
            "built": {str(o): float(n) for o, n in builds.items()},
        }


def solve_all(
    study: StudyFile,
    instance: Instance,
    samples: Sequence[Positions],
    partial: Path | None,
    *,
    workers: int | None,
    scheduler: str | None,
    progress: Progress | None,
) -> list[dict[str, Any] | None]:
    """The result of each sample; None where the study was interrupted before it."""
    asked = [instance.sha256, [c.model_dump(mode="json") for c in study.change], study.metrics]
    finished = Finished([asked, study.solve.model_dump()], partial)
    keys = [finished.key(dict(sample)) for sample in samples]
    solving = Solving(study, instance)
    with Many(solving, finished, "samples", workers=workers, scheduler=scheduler, progress=progress) as many:
        try:
            results = dict(many.results({key: dict(sample) for key, sample in zip(keys, samples, strict=True)}))
        except KeyboardInterrupt:
            return [finished.results.get(key) for key in keys]
    finished.forget()
    return [results[key] for key in keys]
