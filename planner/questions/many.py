"""Where cases are tried: in this process, in several, or on a Dask cluster. The results are the same."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..runs.run import PLANNED
from .stress.cases import Case

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance
    from ..solving.solver import Settings
    from .stress.planned import Tabled
    from .stress.trial import Result, Trials

ALONE = 3.0  # seconds tried in this process before others are started, which takes about as long
WORTH = 6.0  # seconds of work left from which others are worth starting
ANSWERS = 10.0  # seconds within which the scheduler of a cluster must answer


@dataclass(frozen=True)
class Task:
    """All that a process needs to try cases: the instance, the run's tables, and how."""

    instance: Instance
    tables: dict[str, pd.DataFrame]
    settings: Settings
    audited: bool
    survival: bool

    @classmethod
    def of(cls, instance: Instance, run: Tabled, settings: Settings, audited: bool, survival: bool) -> Task:
        """The task, without what only changes of an instance need."""
        slim = replace(instance, _content=None, warnings=())
        tables = {name: run.tables[name] for name in (*PLANNED, "closures") if name in run.tables}
        return cls(slim, tables, settings, audited, survival)

    def trials(self) -> Trials:
        """Ready to try cases."""
        from .stress.trial import Trials

        return Trials(self.instance, self, self.settings, self.audited, self.survival)


class Local:
    """Cases in this process, and in others if that takes longer than starting them.

    workers  processes; None: one per core, where it is worth it
    """

    def __init__(self, task: Task, workers: int | None) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"workers = {workers}: expected 1 or more")
        self.task, self.workers = task, workers
        self._trials: Trials | None = None

    def results(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Result]]:
        """Each case with its result, in any order."""
        todo = list(cases)
        most = (os.cpu_count() or 1) if self.workers is None else self.workers
        started, done = time.perf_counter(), 0
        while todo and (most == 1 or self.workers is None):
            spent = time.perf_counter() - started
            if most > 1 and spent > ALONE and spent / max(1, done) * len(todo) > WORTH:
                break
            self._trials = self._trials or self.task.trials()
            yield todo[0], self._trials.run_case(todo.pop(0))
            done += 1
        if todo:
            yield from self._beside(todo, most)

    def _beside(self, todo: Sequence[Case], workers: int) -> Iterator[tuple[Case, Result]]:
        import multiprocessing

        # spawned, since a fork beside the solver's threads can hang
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(workers, len(todo)), context, _begin, (self.task,))
        try:
            futures = {pool.submit(_run_case, case): case for case in todo}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise UsageError(
                "the processes that try the cases ended early; in a script, call it under "
                'if __name__ == "__main__":, or with workers=1'
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Cluster:
    """Cases on a Dask cluster, whose workers have the same planner installed.

    scheduler  address such as ``tcp://host:8786``; Raises UsageError if it does not answer
    """

    def __init__(self, task: Task, scheduler: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise UsageError(
                'a cluster needs the extra "distributed": pip install "magnet-planner[distributed]"'
            ) from error
        try:
            self.client: Any = Client(scheduler, timeout=ANSWERS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        if not self.client.scheduler_info()["workers"]:
            self.client.close()
            raise UsageError(f"the Dask scheduler at {scheduler} has no workers")
        self.task = self.client.scatter(task, broadcast=True, hash=False)

    def results(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Result]]:
        """Each case with its result, in any order."""
        from distributed import as_completed as completed

        futures = {f.key: (f, c) for c in cases for f in [self.client.submit(_run_there, self.task, c, pure=False)]}
        with self.client.as_current():  # it is not the default one: a caller may have another
            done = completed([f for f, _ in futures.values()])
        try:
            for future in done:
                yield futures[future.key][1], future.result()
        finally:
            self.client.cancel([f for f, _ in futures.values()])

    def close(self) -> None:
        """Leave the cluster; it goes on."""
        self.client.close()


_here: list[Trials] = []
_there: dict[int, Trials] = {}


def _begin(task: Task) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides when to stop
    _here[:] = [task.trials()]


def _run_case(case: Case) -> Result:
    return _here[0].run_case(case)


def _run_there(task: Task, case: Case) -> Result:
    """On a worker of a cluster, whose threads must not share a solver."""
    import threading

    key = threading.get_ident()
    if key not in _there or _there[key].run is not task:
        _there[key] = task.trials()
    return _there[key].run_case(case)
