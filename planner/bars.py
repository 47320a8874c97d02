"""Progress of a long call for people who wait for it: a bar in a terminal, and in a notebook a line that is drawn anew.

Where nobody is thought to wait, as in a script, nothing is shown unless the call is given a ``progress`` of its own.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

PART = re.compile(r"(\d+) of (\d+)")  # how far the work is, in lines that say so
_shown: ContextVar[bool] = ContextVar("shown", default=False)
commanded: ContextVar[bool] = ContextVar("commanded", default=False)  # whether the command line asks


def wanted() -> bool:
    """Return whether a call that was given no ``progress`` should show a bar: a person waits, and none is shown yet."""
    return not _shown.get() and (_notebook() is not None or terminal())


def terminal() -> bool:
    """Return whether a person waits at a terminal: a command, or Python's own prompt."""
    asked = commanded.get() or hasattr(sys, "ps1")
    return asked and sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def bar() -> Iterator[Callable[[str], None]]:
    """Show progress while the block runs; yield a function that takes its lines."""
    token = _shown.set(True)
    display = _notebook()
    try:
        with _line(display) if display is not None else _rich() as tell:
            yield tell
    finally:
        _shown.reset(token)


def _notebook() -> Any:
    """Return the function by which a notebook shows something, None outside of one."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display


@contextmanager
def _line(display: Any) -> Iterator[Callable[[str], None]]:
    shown = display({"text/plain": ""}, raw=True, display_id=True)

    def tell(line: str) -> None:
        part = PART.search(line)
        drawn = f'<progress value="{part[1]}" max="{part[2]}"></progress> ' if part else ""
        shown.update({"text/html": drawn + html.escape(line), "text/plain": line}, raw=True)

    yield tell
    shown.update({"text/html": "", "text/plain": ""}, raw=True)


@contextmanager
def _rich() -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    looks = SpinnerColumn(), TimeElapsedColumn(), BarColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*looks, console=Console(stderr=True, highlight=False), transient=True) as drawn:
        task = drawn.add_task("", total=None)

        def tell(line: str) -> None:
            if part := PART.search(line):
                drawn.update(task, completed=int(part[1]), total=int(part[2]), description=line)
            else:
                drawn.console.print(line, markup=False)

        yield tell
