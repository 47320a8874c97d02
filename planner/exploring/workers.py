"""Processes that solve: each holds the instance, answers one question at a time, and can be told to stop.

`questions.many` shares out pieces of work that are all wanted; here a question is given up as soon as the reader moves
on, and its answer comes in parts. So each process is spoken with by a pipe. A process that is told to stop is
interrupted as by Ctrl-C, so that it keeps the instance and its warm solver; one that does not listen, or dies, is
replaced.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..language import language, present
from ..questions.many import no_script

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from ..instance.instance import Instance
    from .answers import Message

PATIENCE = 2.0  # seconds in which an interrupted process must have stopped, before it is ended
NICE = {
    "relaxed": 0,
    "freedom": 3,
    "whole": 5,
    "curve": 10,
}  # the answer that the reader waits for goes before the others
WAITED_FOR = "relaxed"  # the others must not take its second core
TURN = 2e-4  # seconds: at each step a solver asks Python whether to stop, and must not wait long for another thread
END = {"type": "end"}
GOODBYE = None  # in place of a question: there will be no more


class DiedError(Exception):
    """The process ended while it worked."""


class Worker:
    """One process for questions of one kind; it is started with its first question, and again after it died.

    kind  one of `answers.ASKED`
    """

    def __init__(self, instance: Instance, gap: float, kind: str) -> None:
        self._given, self.kind = (instance, gap, kind, present().code), kind
        self._alone = asyncio.Lock()  # held while a question is answered
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._said: asyncio.Queue[Message | None] = asyncio.Queue()

    @property
    def busy(self) -> bool:
        """Whether a question is answered now."""
        return self._alone.locked()

    async def answers(self, asked: Any) -> AsyncGenerator[Message, None]:
        """Yield the messages that answer a question. Raises DiedError if the process ends meanwhile.

        If the caller goes on no further, or is cancelled, the process is told to stop.
        """
        told: asyncio.Queue[Message | DiedError | None] = asyncio.Queue()
        task = asyncio.create_task(self._answer(asked, told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while (message := await told.get()) is not None:
                if isinstance(message, DiedError):
                    raise message
                yield message
        finally:
            task.cancel()

    async def ready(self) -> None:
        """Start the process, if there is none."""
        if self._process is not None and self._process.is_alive():
            return
        self.close()
        context = multiprocessing.get_context("spawn")  # a fork beside the threads of this process can hang
        self._pipe, theirs = context.Pipe()
        self._said = asyncio.Queue()
        self._process = context.Process(target=_work, args=(theirs, *self._given), daemon=True)
        with no_script(), _held_back(), _of_one_thread():
            self._process.start()
        theirs.close()
        listening = _listen, self._pipe, self._said, asyncio.get_running_loop()
        threading.Thread(target=listening[0], args=listening[1:], daemon=True).start()

    def end(self) -> None:
        """Answer no more, and end the process."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        self.close()

    def close(self) -> None:
        """End the process, at once if it computes."""
        process, self._process = self._process, None
        if process is None or self._pipe is None:
            return
        if not self.busy:
            with suppress(OSError):
                self._pipe.send(GOODBYE)
                process.join(PATIENCE)
        process.kill()
        process.join()

    async def _answer(self, asked: Any, told: asyncio.Queue[Message | DiedError | None]) -> None:
        """Put the messages that answer a question into a queue, then None, or DiedError."""
        async with self._alone:
            if self._ended:
                return
            await self.ready()
            assert self._pipe is not None
            try:
                self._pipe.send(asked)
                while (message := await self._said.get()) != END:
                    if message is None:
                        raise OSError
                    told.put_nowait(message)
                told.put_nowait(None)
            except OSError:
                self.close()
                told.put_nowait(DiedError())
            except asyncio.CancelledError:
                await self._stop()
                raise

    async def _stop(self) -> None:
        """Interrupt the process; end it if it does not stop."""
        if self._process is None:
            return
        for _ in range(2 if os.name == "posix" else 0):
            # the first interrupt lets the solver keep what it has, the second ends that too
            with suppress(ProcessLookupError):
                os.kill(self._process.pid or 0, signal.SIGINT)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE / 2):
                    while (message := await self._said.get()) is not None:
                        if message == END:
                            return
                break
        self.close()


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold SIGINT back in processes that are started here, until they can handle it."""
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _of_one_thread() -> Iterator[None]:
    """Let numpy of processes that are started here have one thread: others would take cores from the solver."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _listen(pipe: Connection, said: asyncio.Queue[Message | None], loop: asyncio.AbstractEventLoop) -> None:
    """Hand on what a process says, then None when it has ended."""
    with suppress(RuntimeError):  # the loop is closed: nobody listens any more
        with suppress(EOFError, OSError):
            while True:
                loop.call_soon_threadsafe(said.put_nowait, pipe.recv())
        loop.call_soon_threadsafe(said.put_nowait, None)


class _Interrupt:
    """Handles SIGINT: it stops what is computed, but waits for the end of what is being said: nothing is cut."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._computing, self._asked = pipe, False, False

    def __call__(self, *_: object) -> None:
        self._asked = True
        if self._computing:
            raise KeyboardInterrupt

    def begin(self) -> None:
        """Heed interrupts from now on; one that came before was for an earlier question."""
        self._computing, self._asked = True, False

    def end(self) -> None:
        """Heed no interrupts any more."""
        self._computing = False

    def say(self, message: Message) -> None:
        """Send a message while something is computed."""
        self._computing = False
        self._pipe.send(message)
        self._computing = True
        if self._asked:
            raise KeyboardInterrupt


def _work(pipe: Connection, instance: Instance, gap: float, kind: str, code: str) -> None:
    """Answer questions in a language until the pipe is closed."""
    interrupt = _Interrupt(pipe)
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.name == "posix":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        os.nice(NICE[kind])
    from ..errors import PlannerError
    from ..questions.explore import Explorer
    from .answers import ASKED
    from .words import WORDS

    logging.disable()  # what is cut off on purpose is no defect to be told in the terminal
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  as long as the process lives
    sys.setswitchinterval(TURN)
    gc.disable()  # a search for garbage in the midst of a question would take longer than all that it frees
    explorer, first = Explorer(instance, gap, alone=kind != WAITED_FOR), True
    with suppress(EOFError, OSError), language(code):
        while True:
            asked, error = pipe.recv(), ""
            if asked is GOODBYE:
                return
            try:
                interrupt.begin()
                ASKED[kind](explorer, asked, interrupt.say)
            except KeyboardInterrupt:
                pass
            except PlannerError as wrong:
                error = str(wrong)
            except OSError:
                raise
            except Exception:
                traceback.print_exc(file=sys.__stderr__)
                error = WORDS["defect"]
            finally:
                interrupt.end()
            if error:
                pipe.send({"type": "error", "text": error})
            pipe.send(END)
            gc.collect()
            if first:
                gc.freeze()  # what the first question leaves is kept: to search it again and again would take longer
                first = False
