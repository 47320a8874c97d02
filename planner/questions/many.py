"""Many pieces of work of one kind, done in this process, in several processes or on a Dask cluster, and resumable.

The results are the same wherever the work is done, as long as a piece does not depend on those done before it. A
*worker* is a function that does one piece of work. ``begin`` makes a worker, once in each process; so it has to be
picklable, as have the pieces and their results. Finished results are kept in a file; they are dictionaries of plain
values, as JSON can hold them. A result with a true entry ``unfinished`` is handed on, but not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..cores import all_cores, works_beside
from ..errors import OutputError, UsageError, idle
from ..garbage import seldom_collected
from ..language import language, present

if TYPE_CHECKING:
    from ..solving.solver import Progress

Result = dict[str, Any]
Worker = Callable[[Any], Any]
Begin = Callable[[], Worker]

FORMAT = 2  # version of the lines of finished work
ALONE = 1.5  # seconds worked in this process before others join it; starting them takes about as long
WORTH = 3.0  # other processes are started only if more seconds of work than this are left
MANY = 4  # pieces for each process: while more wait, others are given one ahead, so that none of them has to wait
ANSWERS = 10.0  # seconds within which the scheduler of a cluster must answer
TOLD = 2.0  # seconds between two lines of progress
ENDED = "the processes that share the work ended early, as when memory runs out; with workers=1 all is done in this one"


def partial_file(folder: Path) -> Path:
    """Return the file that keeps finished work until the folder of its results is written."""
    return folder.with_name(f".{folder.name}.partial.jsonl")


class Finished:
    """Finished results by the key of their work, in memory and in a file with one line each.

    of       what the work is done on and how, as JSON can hold it; part of every key, so that results of other work are
             never taken for these, nor those with words in another language
    partial  file to which each result is added at once; None: results are only in memory
    others   further files whose results are used
    A line that is damaged, or of other work, is passed over.
    """

    def __init__(self, of: Sequence[Any], partial: Path | None, others: Iterable[Path] = ()) -> None:
        self._of = [FORMAT, _versions(), present().code, *of]
        self._partial = partial
        self.results: dict[str, Result] = {}
        for path in (*others, *([] if partial is None else [partial])):
            self._read(path)

    def key(self, work: Any) -> str:
        """Return the key of a piece of work (a hash); ``work`` describes the piece as JSON can hold it."""
        return hashlib.sha256(json.dumps([*self._of, work], sort_keys=True).encode()).hexdigest()

    def add(self, key: str, result: Result) -> None:
        """Keep a result. Raises OutputError if the file cannot be written."""
        self.results[key] = result
        if self._partial is None:
            return
        try:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            with self._partial.open("a", encoding="utf-8") as file:
                file.write(_line(key, result))
        except OSError as error:
            raise OutputError(f"{self._partial} cannot be written: {error.strerror}") from error

    def text(self, keys: Iterable[str]) -> str:
        """Return the results of these keys as lines that can be read again."""
        return "".join(_line(key, self.results[key]) for key in dict.fromkeys(keys) if key in self.results)

    def forget(self) -> None:
        """Remove the partial file, now that all results stand elsewhere."""
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)

    def _read(self, path: Path) -> None:
        """Add the results of a file, if it is there; lines that are damaged are left out."""
        if not path.is_file():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
                key, result = entry["key"], entry["result"]
            except (ValueError, TypeError, KeyError):  # the line was cut when a study was killed, or it is none of ours
                continue
            if isinstance(key, str) and isinstance(result, dict):
                self.results[key] = result


def _line(key: str, result: Result) -> str:
    return json.dumps({"key": key, "result": result}) + "\n"


def _versions() -> str:
    try:
        return version("magnet-planner") + " " + version("highspy")
    except PackageNotFoundError:
        return "unknown"


class Many:
    """Does pieces of work, each once, and prints lines of progress. It is a context manager.

    begin      makes a worker
    finished   results that are known already, and where new ones are kept
    what       what a piece is called in lines of progress, such as ``cases``
    workers    processes; None: one per core, where that is worth it
    scheduler  address of a Dask scheduler, such as ``tcp://host:8786``, to use instead of processes
    again      see `pool`
    Raises UsageError for workers below 1, and if no scheduler answers there or it has no workers.
    """

    def __init__(
        self,
        begin: Begin,
        finished: Finished,
        what: str,
        *,
        workers: int | None = None,
        scheduler: str | None = None,
        progress: Progress | None = None,
        again: bool = False,
    ) -> None:
        self.finished, self._what, self._progress = finished, what, progress
        self._pool = pool(begin, workers, scheduler, again=again)

    def __enter__(self) -> Many:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def results(self, work: Mapping[str, Any]) -> Iterator[tuple[str, Result]]:
        """Yield key and result of each piece: the known ones first, then the others as they are finished."""
        todo = {key: piece for key, piece in work.items() if key not in self.finished.results}
        for key in work:
            if key not in todo:
                yield key, self.finished.results[key]
        if self._progress and len(todo) < len(work):
            self._progress(f"{len(work) - len(todo)} of {len(work)} {self._what} are known already")
        last_line = time.perf_counter()
        for number, (key, result) in enumerate(self._pool.results(todo), start=1):
            if not result.get("unfinished"):
                self.finished.add(key, result)
            yield key, result
            if self._progress and time.perf_counter() - last_line > TOLD:
                last_line = time.perf_counter()
                self._progress(f"{number} of {len(todo)} {self._what}")


def pool(begin: Begin, workers: int | None, scheduler: str | None, *, again: bool = False) -> Processes | Cluster:
    """What does pieces of work and can be asked until it is closed; see `Many` for what it is made from.

    again  it is asked again and again, nobody knows how often: as much is expected to come as has been
    """
    if workers is not None and scheduler is not None:
        raise idle(["workers"], "with a scheduler, which has workers of its own")
    begin = _Speaking(begin, present().code)
    return Processes(begin, workers, again) if scheduler is None else Cluster(begin, scheduler)


@dataclass(frozen=True)
class _Speaking:
    """What makes a worker that writes in the language of those who ask, whichever process it is in.

    code  of the language
    """

    begin: Begin
    code: str

    def __call__(self) -> Worker:
        worker = self.begin()

        def work(piece: Any) -> Any:
            with language(self.code):
                return worker(piece)

        return work


class Processes:
    """Work in this process, and in others beside it if that takes longer than starting them.

    workers  processes, of which this one is one; None: one per core, where there is enough to do
    again    see `pool`
    """

    def __init__(self, begin: Begin, workers: int | None = 1, again: bool = False) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"workers = {workers}: expected 1 or more")
        self._begin, self._workers, self._again = begin, workers, again
        self._count = workers or all_cores()
        self._worker: Worker | None = None
        self._packed = b""  # what makes a worker, as it was before this process began with a piece
        self._others: ProcessPoolExecutor | None = None
        self._seconds, self._done = 0.0, 0  # of work in this process

    def results(self, todo: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
        """Yield key and result of each piece as it is finished. Raises UsageError if other processes end early."""
        shared = _Shared(todo)
        if self._count > 1 and len(todo) > 1 and not self._packed:
            with no_script():
                self._packed = pickle.dumps(self._begin)
        try:
            while True:
                if self._worth_others(shared, 0.0):
                    self._ask_others(shared)
                yield from shared.finished()
                if (own := shared.next()) is not None:
                    yield own[0], self._done_here(own[1], shared)
                elif shared.elsewhere:
                    wait(shared.elsewhere, return_when=FIRST_COMPLETED)
                else:
                    return
        except BrokenProcessPool:
            raise UsageError(ENDED) from None
        except KeyboardInterrupt:
            yield from shared.finished()  # what others did in the meantime is kept
            raise
        finally:
            shared.end()
            works_beside(0)

    def _done_here(self, piece: Any, shared: _Shared) -> Any:
        """Return the result of a piece; if it takes long, others begin with those that wait."""
        started = time.perf_counter()

        def look() -> None:
            if self._worth_others(shared, time.perf_counter() - started):
                self._ask_others(shared)

        later = threading.Timer(ALONE - self._seconds, look)
        later.daemon = True
        if self._count > 1 and self._others is None and shared.waiting:
            later.start()
        try:
            self._worker = self._worker or self._begin()
            return self._worker(piece)
        finally:
            later.cancel()
            self._seconds, self._done = self._seconds + time.perf_counter() - started, self._done + 1

    def _worth_others(self, shared: _Shared, seconds: float) -> bool:
        """Whether others are to work too; ``seconds`` have been spent on the piece that this process does now.

        Between two pieces these are 0, and the first of those that wait is for this process.
        """
        if self._count == 1 or len(shared.waiting) <= (seconds == 0.0):
            return False
        if self._others is not None or self._workers is not None:
            return True
        spent = self._seconds + seconds
        mean = spent / max(1, self._done + (seconds > 0.0))
        return spent >= ALONE and max(mean * len(shared.waiting), spent if self._again else 0.0) > WORTH

    def _ask_others(self, shared: _Shared) -> None:
        with shared.lock:  # the timer may come while the piece that it is for ends
            if not shared.waiting:
                return
            works_beside(self._count - 1)
            if self._others is None:
                import multiprocessing

                # spawned, since a fork beside the solver's threads can hang
                context = multiprocessing.get_context("spawn")
                self._others = ProcessPoolExecutor(self._count - 1, context, _begin_here, (self._packed,))
            shared.ask(self._others, self._count - 1)

    def close(self) -> None:
        """End the other processes, after they have finished the pieces that they have begun."""
        if self._others is not None:
            self._others.shutdown(wait=True, cancel_futures=True)


class _Shared:
    """The pieces of one call, shared among this process and others: each takes the next when it has ended one.

    waiting    what nobody has begun: key and piece
    elsewhere  what others do or have done -> its key
    """

    def __init__(self, todo: Mapping[Any, Any]) -> None:
        self.waiting = deque(todo.items())
        self.elsewhere: dict[Future[Any], Any] = {}
        self.lock = threading.RLock()

    def next(self) -> tuple[Any, Any] | None:
        """Return a piece for this process, None if none waits."""
        with self.lock:
            return self.waiting.popleft() if self.waiting else None

    def ask(self, others: ProcessPoolExecutor, count: int) -> None:
        """Hand pieces over until each of ``count`` processes has one, or two while there are many."""

        def ended(future: Future[Any]) -> None:
            if not future.cancelled() and future.exception() is None:
                with suppress(RuntimeError):  # they are being closed
                    self.ask(others, count)

        with self.lock, no_script():
            busy = sum(not future.done() for future in self.elsewhere)
            while self.waiting and busy < count * (2 if len(self.waiting) > MANY * (count + 1) else 1):
                future = others.submit(_work_here, self.waiting[0][1])
                key, _ = self.waiting.popleft()
                self.elsewhere[future] = key
                future.add_done_callback(ended)
                busy += 1

    def finished(self) -> Iterator[tuple[Any, Any]]:
        """Yield key and result of each piece that others have finished since it was last asked for."""
        with self.lock:
            done = [(self.elsewhere.pop(future), future) for future in list(self.elsewhere) if future.done()]
        for key, future in done:
            yield key, future.result()

    def end(self) -> None:
        """Begin no further piece."""
        with self.lock:
            self.waiting.clear()
            for future in self.elsewhere:
                future.cancel()


class Cluster:
    """Work on a Dask cluster, whose workers must have the same planner installed.

    scheduler  address such as ``tcp://host:8786``
    Raises UsageError if Dask is not installed, or the scheduler does not answer or has no workers.
    """

    def __init__(self, begin: Begin, scheduler: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise UsageError(
                'a cluster needs the extra "distributed": pip install "magnet-planner[distributed]"'
            ) from error
        try:
            self._client: Any = Client(scheduler, timeout=ANSWERS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        if not self._client.scheduler_info()["workers"]:
            self._client.close()
            raise UsageError(f"the Dask scheduler at {scheduler} has no workers")
        # the result of a task, and not scattered data: Dask keeps one copy of these, which ends with its worker
        self._begin = self._client.submit(bytes, pickle.dumps(begin), pure=False)

    def results(self, todo: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
        """Yield key and result of each piece as it is finished."""
        from distributed import as_completed as completed

        submitted = {key: self._client.submit(_work_there, self._begin, p, pure=False) for key, p in todo.items()}
        keys = {future.key: key for key, future in submitted.items()}
        with self._client.as_current():  # this client is not the default one, as the caller may have another
            done = completed(list(submitted.values()))
        try:
            for future in done:
                yield keys[future.key], future.result()
        finally:
            self._client.cancel(list(submitted.values()))

    def close(self) -> None:
        """Leave the cluster, which goes on running."""
        self._client.close()


@contextmanager
def no_script() -> Iterator[None]:
    """Let processes that are started here run nothing of the script that asks for them.

    A process that is spawned runs the main script again, which starts as many more if it has no guard, and fails if
    it was read from stdin. A worker needs nothing of it: all that is handed over is of this package.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


_here: list[Worker] = []  # the worker of this process
_there: dict[int, tuple[bytes, Worker]] = {}  # on a cluster: thread -> pickled ``begin`` and the worker it made


def _begin_here(begin: bytes) -> None:
    """Make the worker of a process that has just been started; ``begin`` is pickled."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _here[:] = [pickle.loads(begin)()]
    seldom_collected()


def _end_with_parent() -> None:
    """End this process once the one that started it is gone: killed, that could not say so, and nothing else would."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_here(piece: Any) -> Any:
    return _here[0](piece)


def _work_there(begin: bytes, piece: Any) -> Any:
    """Do a piece on a cluster. The threads of a process must not share a solver: each unpickles its own ``begin``."""
    thread = threading.get_ident()
    if thread not in _there or _there[thread][0] is not begin:
        _there[thread] = begin, pickle.loads(begin)()
    return _there[thread][1](piece)
