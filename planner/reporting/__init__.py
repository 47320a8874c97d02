"""A run, a comparison or a study as one HTML file. A page reads what was found, never a model.

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
    from ..questions.compare import Comparison
    from ..questions.sensitivity.result import Sensitivity
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


def compare_page(found: Comparison, run: Run) -> str:
    """Plans beside each other as a self-contained HTML page: text of the file.

    found  what `compare` gave
    run    one of the plans compared; its instance names countries, materials and projects
    """
    from .page import written
    from .sections.compare import beside
    from .studies import Study as Shown
    from .view import Names

    given = found.written()
    study = Shown(found.COMMAND, given.about, given.tables)
    names = " | ".join(found.names)
    return written(
        [beside(Names(run.instance), study)],
        title=names,
        kicker=f"Plans compared, {found.years[0]}-{found.years[-1]}",
        heading=names,
        made=f"Made by planner compare from {len(found.names)} runs",
    )


def sensitivity_page(found: Sensitivity) -> str:
    """A study of sensitivity as a self-contained HTML page: text of the file.

    found  what `sensitivity` gave: the page shows its tornado for each metric, or the indices of its samples
    """
    from .page import written
    from .sections.sensitivity import section
    from .studies import Study as Shown
    from .view import Names

    given = found.written()
    study = Shown(found.COMMAND, given.about, given.tables)
    title = found.study.title or f"Sensitivity of {found.instance.name}"
    return written(
        [section(Names(found.instance), study)],
        title=title,
        kicker="Sensitivity of a plan",
        heading=title,
        made=f"Made by planner sensitivity from {found.instance.name}",
        digest=found.instance.sha256,
    )


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
