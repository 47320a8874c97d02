"""Samples of a study, solved in parallel; finished ones can be kept in a file, from which a study goes on."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import Infeasible, NoPlan, UsageError
from .changes import Varied, resolve, varied
from .metrics import measure
from .study_file import Study

if TYPE_CHECKING:
    from ...instance.instance import Instance

Progress = Callable[[str], None]
Positions = Mapping[str, float]
FEW = 4  # samples up to which further processes cost more than they save


class Solved:
    """Solves samples of one study."""

    def __init__(self, study: Study, instance: Instance) -> None:
        self.study, self.instance = study, instance
        self.changes: list[Varied] = [resolve(instance, change) for change in study.change]

    def solve(self, positions: Positions) -> dict[str, Any]:
        """Status, metrics and modules by option of one sample."""
        from ..solve import solve

        instance = varied(self.instance, self.changes, positions) if positions else self.instance
        how = self.study.solve
        try:
            plan = solve(instance, gap=how.gap, time_limit=how.time_limit)
        except (Infeasible, NoPlan) as error:
            status = "infeasible" if isinstance(error, Infeasible) else "no_solution"
            return {"status": status, "metrics": dict.fromkeys(self.study.metrics), "built": {}}
        builds = plan.tables["builds"].groupby("option")["modules"].sum()
        measured = {m: measure(plan, m) for m in self.study.metrics}
        return {
            "status": plan.status,
            "metrics": {m: None if v != v else v for m, v in measured.items()},
            "built": {str(o): float(n) for o, n in builds.items()},
        }


def solve_all(
    study: Study,
    instance: Instance,
    samples: Sequence[Positions],
    workers: int | None,
    partial: Path | None,
    progress: Progress | None,
) -> list[dict[str, Any] | None]:
    """The result of each sample; None where the study was interrupted before it."""
    kept = _Kept(partial, study, instance)
    keys = [json.dumps(dict(sorted(s.items()))) for s in samples]
    todo = {key: sample for key, sample in zip(keys, samples, strict=True) if key not in kept.done}
    if progress and len(todo) < len(set(keys)):
        progress(f"{len(set(keys)) - len(todo)} of {len(set(keys))} samples are known already")
    count = (os.cpu_count() or 1) if workers is None else workers
    if workers is None and len(todo) <= FEW:
        count = 1
    told = time.perf_counter()
    try:
        for key, result in _results(study, instance, todo, count):
            kept.add(key, result)
            if progress and time.perf_counter() - told > 2.0:
                told = time.perf_counter()
                progress(f"{len(kept.done)} of {len(set(keys))} samples")
    except KeyboardInterrupt:
        return [kept.done.get(key) for key in keys]
    kept.forget()
    return [kept.done[key] for key in keys]


def _results(
    study: Study, instance: Instance, todo: Mapping[str, Positions], workers: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    if workers <= 1:
        solver = Solved(study, instance)
        for key, sample in todo.items():
            yield key, solver.solve(sample)
        return
    import multiprocessing

    # spawned, since a fork beside the solver's threads can hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(todo)), context, _begin, (study, instance)) as pool:
        futures = {pool.submit(_solve, dict(sample)): key for key, sample in todo.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()


_worker: list[Solved] = []


def _begin(study: Study, instance: Instance) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process stops the others
    _worker[:] = [Solved(study, instance)]


def _solve(sample: dict[str, float]) -> dict[str, Any]:
    return _worker[0].solve(sample)


class _Kept:
    """Finished samples, in memory and, if asked, in a file with one line each."""

    def __init__(self, path: Path | None, study: Study, instance: Instance) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        asked = [instance.sha256, [c.model_dump(mode="json") for c in study.change], study.metrics]
        self.digest = hashlib.sha256(json.dumps([asked, study.solve.model_dump()]).encode()).hexdigest()
        if path is None or not path.is_file():
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or lines[0] != self.digest:
            raise UsageError(f"{path} holds samples of another study; remove it, or choose another folder")
        for line in lines[1:]:
            try:
                key, result = json.loads(line)
            except ValueError:  # the last line of a killed study
                continue
            self.done[key] = result

    def add(self, key: str, result: dict[str, Any]) -> None:
        self.done[key] = result
        if self.path is None:
            return
        new = not self.path.is_file()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if new:
                file.write(self.digest + "\n")
            file.write(json.dumps([key, result]) + "\n")

    def forget(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
