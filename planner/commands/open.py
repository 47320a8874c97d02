"""``planner open``."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from ..language import ENGLISH, present
from .common import RunFolder, RunInstance, speaks, tell


@speaks
def open(run: RunFolder, instance: RunInstance = None) -> None:
    """Show the page of a run in the browser; it is written first if it is not there, or is older than the run.

    Examples:

    - `planner open runs/allied-2040`
    - `planner open runs/allied-2040 --language ja`
    """
    from ..reporting import REPORT, write_page
    from ..reporting import report as report_on
    from ..runs.run import MANIFEST, read_run

    found = read_run(run, instance)
    written = Path(REPORT)
    page = run / (written if present().code == ENGLISH else written.with_stem(f"{written.stem}-{present().code}"))
    if not page.is_file() or page.stat().st_mtime < (run / MANIFEST).stat().st_mtime:
        tell(f"writing {page}")
        write_page(report_on(found), page, overwrite=page.is_file())
    _show(page)


def _show(page: Path) -> None:
    """Open a page in the browser; where there is none, say where the page is."""
    if not webbrowser.open(page.resolve().as_uri()):
        tell("no browser was found; the page is a file that any browser opens:")
    print(page)
