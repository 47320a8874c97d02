"""A run, a comparison or a study as one HTML file. A page reads what was found, never a model.

One module per part of the page; `page` puts them together. Nothing in the page needs the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import in_language
from ..errors import UsageError
from ..language import _, languages
from ..writing import check_file, whole_file

if TYPE_CHECKING:
    from ..questions.compare.result import Comparison
    from ..questions.sensitivity.result import Sensitivity
    from ..questions.study import Study
    from ..runs.run import Run

REPORT = "report.html"
ENDINGS = (".html",)
# how every page begins, in its language; its policy, which forbids all scripts but its own, comes before anything that
# a user wrote
BEGINS = """<!doctype html>
<html lang="{}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; script-src """


def report(run: Run | str | Path, studies: Sequence[str | Path | Study] = (), language: str | None = None) -> str:
    """A self-contained HTML page on a run: text of the file.

    run       what `solve` or `read_run` gave, or a run's folder
    studies   what else to show, each a folder or what the call of the same name gave: `frontier`, `explain`,
              `alternatives`, `stress`, `delivery_risk`, `hedge`, `sensitivity`, `compare`
    language  of the page, such as ``ja``; the names of an instance stay as it writes them. Default: English

    The same run, studies and language give the same bytes. Raises UsageError if the run's instance is not found, a
    study is of another plan, or there is no such language; OutputError if a folder holds no study or cannot be read.
    """
    from ..runs.run import given_run
    from .page import page
    from .studies import read_study
    from .view import View

    if isinstance(studies, (str, Path)):
        raise UsageError(
            f"studies = {studies}: expected a list of folders; the text that this call returns is the page, "
            f"to be written by Path(...).write_text(text, encoding='utf-8')"
        )
    run = given_run(run)
    with in_language(language):
        return page(View(run.instance, run, tuple(read_study(study, run.instance, run) for study in studies)))


def compare_page(found: Comparison, language: str | None = None) -> str:
    """Plans beside each other as a self-contained HTML page: text of the file.

    found     what `compare` gave; the instance of its base names countries, materials and projects
    language  of the page, as for `report`
    """
    from .page import written
    from .sections.compare import sections
    from .studies import Shown
    from .view import Names

    names, n = " | ".join(found.names), len(found.names)
    with in_language(language):
        return written(
            sections(Names(found.instance), Shown.of(found)),
            title=names,
            kicker=_("Plans compared, {first}-{last}", first=found.years[0], last=found.years[-1]),
            heading=names if n <= 3 else _("{n} plans against {base}", n=n - 1, base=found.names[0]),
            made=_("Made by planner compare from {n} runs", n=n),
        )


def sensitivity_page(found: Sensitivity, language: str | None = None) -> str:
    """A study of sensitivity as a self-contained HTML page: text of the file.

    found     what `sensitivity` gave: the page shows its tornado for each metric, or the indices of its samples
    language  of the page, as for `report`
    """
    from .page import written
    from .sections.sensitivity import section
    from .studies import Shown
    from .view import Names

    study = Shown.of(found)
    with in_language(language):
        title = found.study.title or _("Sensitivity of {instance}", instance=found.instance.name)
        return written(
            [section(Names(found.instance), study)],
            title=title,
            kicker=_("Sensitivity of a plan"),
            heading=title,
            made=_("Made by planner sensitivity from {instance}", instance=found.instance.name),
            digest=found.instance.sha256,
        )


def _begins() -> tuple[str, ...]:
    return tuple(BEGINS.format(code) for code in languages())


def check_page(file: Path, overwrite: bool) -> None:
    """Raise UsageError or OutputError if a page may not be written to ``file``: only a page is replaced by a page."""
    check_file(file, overwrite, ENDINGS, _begins())


def write_page(text: str, file: str | Path, overwrite: bool = False) -> Path:
    """Write the text of a page to a file, whole or not at all. Raises UsageError or OutputError."""
    with whole_file(Path(file), overwrite, ENDINGS, _begins()) as made:
        made.write_text(text, encoding="utf-8", newline="")
    return Path(file)
