"""Results of other commands that a page shows beside its run: read from their folders, and checked to belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ResultError, UsageError
from ..language import _
from ..questions.alternatives.result import Alternatives
from ..questions.compare.result import Comparison
from ..questions.delivery.delivery_risk import DeliveryRisk
from ..questions.explain.result import Explanation
from ..questions.frontier.result import Frontier
from ..questions.frontier.surface_result import Surface
from ..questions.hedge.result import Hedge
from ..questions.roadmap.result import Roadmap
from ..questions.sensitivity.result import Sensitivity
from ..questions.stress.result import Stress
from ..questions.study import Row, Study, Written

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..runs.run import Run

SHOWN = (Frontier, Surface, Explanation, Alternatives, Stress, DeliveryRisk, Hedge, Roadmap, Sensitivity, Comparison)


@dataclass(frozen=True)
class Shown:
    """A study to show.

    kind      the command that wrote it
    about     what its manifest says
    tables    rows by column; blanks are None
    warnings  why to read it with care: other data than the run's, interrupted
    """

    kind: str
    about: Row
    tables: Mapping[str, Sequence[Row]]
    warnings: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, study: Study) -> Shown:
        """A study as the call of its question gave it."""
        written = study.written()
        return cls(written.kind.COMMAND, written.about, written.tables)


def read_study(source: str | Path | Study, instance: Instance, run: Run) -> Shown:
    """A study from a folder that a command wrote with ``-o``, or from what the Python call of that command gave.

    Raises ResultError if the folder holds none, or not a whole one; UsageError if it is of another plan than ``run``,
    or nothing that a report can show.
    A study of another instance, or of the same one with other data, carries a warning.
    """
    if isinstance(source, SHOWN):
        written, name = source.written(), f"what planner {source.COMMAND} gave"
    elif isinstance(source, (str, Path)):
        written, name = _kind(Path(source)).read(source), str(source)
    else:
        raise UsageError(
            f"{type(source).__name__}: expected a folder, or one of {', '.join(kind.__name__ for kind in SHOWN)}"
        )
    try:
        warnings = (*_of_this(name, written, instance, run), *_unfinished(written.about))
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{name} cannot be read as a folder of planner {written.kind.COMMAND}: {error}") from error
    return Shown(written.kind.COMMAND, written.about, written.tables, warnings)


def _kind(folder: Path) -> type[Study]:
    found = next((kind for kind in SHOWN if (folder / kind.MANIFEST).is_file()), None)
    if found is not None:
        return found
    if (folder / "plan.json").is_file():
        raise ResultError(f"{folder} is a run; planner compare RUN {folder} -o FOLDER sets it beside another one")
    commands = ", ".join(f"{kind.MANIFEST} (planner {kind.COMMAND})" for kind in SHOWN)
    raise ResultError(f"{folder} holds no study that a report can show: expected one of {commands}")


def _of_this(name: str, written: Written, instance: Instance, run: Run) -> list[str]:
    """Why a study is to be read with care beside this run; raises UsageError if it is of another plan."""
    kind, about = written.kind, written.about
    if kind.OF == "instance":
        its = about["instance"]
        if its["sha256"] == instance.sha256:
            return []
        its_name = str(its.get("name", ""))
        if its_name and its_name != instance.name:
            return [
                _(
                    "computed from another instance than this run: {other}, not {this}.",
                    other=its_name,
                    this=instance.name,
                )
            ]
        return [_("computed from other data than this run: some table or setting of the instance differs.")]
    this = run.digest
    if kind.OF == "plans":
        if this not in about["of"]:
            names = " and ".join(str(n) for n in about["names"])
            raise UsageError(f"{name} compares {names}, none of which is this run")
    elif about["of"] != this:
        command, _blank, option = kind.COMMAND.partition(" ")
        raise UsageError(
            f"{name} is of another plan than this run (or of the same one before it was solved again); "
            f"{' '.join(filter(None, ('planner', command, 'RUN', option)))} -o FOLDER --overwrite makes it afresh"
        )
    return []


def _unfinished(about: Row) -> list[str]:
    if about.get("complete", True):
        return []
    return [_("interrupted before it was finished; what is shown was found so far.")]
