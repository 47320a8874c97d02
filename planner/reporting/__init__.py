"""A run as one HTML file: findings, figures, tables and the reasons to trust it. It reads a run, never a model.

One module per part of the page; `page` puts them together. Nothing in the page needs the network.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError, UsageError

if TYPE_CHECKING:
    from ..questions.study import Study
    from ..runs.run import Run

REPORT = "report.html"


def report(run: Run, studies: Sequence[str | Path | Study] = ()) -> str:
    """A self-contained HTML page on a run: text of the file.

    run      what `solve` or `read_run` gave
    studies  what else to show, each a folder or what the call of the same name gave: `frontier`, `explain`,
             `alternatives`, `stress`, `delivery_risk`, `hedge`, `sensitivity`, `compare`

    The same run and studies give the same bytes. Raises UsageError if the run's instance is not found, or a study
    is of another plan; OutputError if a folder holds no study or cannot be read.
    """
    from .page import page
    from .studies import read_study
    from .view import View

    if isinstance(studies, (str, Path)):
        raise UsageError(f"studies = {studies}: expected a list of folders")
    return page(View(run.instance, run, tuple(read_study(study, run.instance, run) for study in studies)))


def check_file(file: Path, overwrite: bool) -> None:
    """Raise OutputError if a report may not be written to ``file``."""
    if file.is_dir():
        raise OutputError(f"{file} is a folder; name a file, such as {file / REPORT}")
    if file.exists() and not overwrite:
        raise OutputError(f"{file} exists; choose another file, or --overwrite to replace it")


def write_report(text: str, file: str | Path, overwrite: bool = False) -> Path:
    """Write the text of a report to a file, whole or not at all. Raises OutputError."""
    path = Path(file)
    check_file(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
                out.write(text)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    return path
