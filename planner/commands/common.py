"""What the commands share: arguments under one name and meaning, reading an instance, progress on stderr."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError, idle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..instance.instance import Instance
    from ..questions.study import Study

InstanceFolder = Annotated[Path, typer.Argument(metavar="INSTANCE", help="folder of an instance")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="folder of a run")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="folder to write the tables to")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace what is there")]
Gap = Annotated[
    float | None, typer.Option(help="relative gap to stop at [proven up to 200 integer decisions, else 0.001 or less]")
]
TimeLimit = Annotated[float | None, typer.Option(help="seconds of search for each solve [no limit]")]
Workers = Annotated[int | None, typer.Option(help="processes [one per core, where it is worth it]")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="do the work on the Dask cluster of this scheduler")
]
Threads = Annotated[int, typer.Option(help="solver threads; another number may give another equal plan")]
Seed = Annotated[int, typer.Option(help="solver seed")]
RunInstance = Annotated[
    Path | None, typer.Option("--instance", metavar="FOLDER", help="where the run's instance lies [as plan.json says]")
]
FixFrom = Annotated[Path | None, typer.Option("--fix-from", metavar="RUN", help="hold the builds of a run")]
Force = Annotated[
    list[str] | None,
    typer.Option("--force", metavar="OPTION@YEAR[:MODULES]", help="start so many modules [1] or more; repeatable"),
]
Forbid = Annotated[list[str] | None, typer.Option("--forbid", metavar="OPTION", help="never build it; repeatable")]


def search(gap: float | None, time_limit: float | None, threads: int, seed: int) -> dict[str, Any]:
    """How to search, as the calls take it, with the lines of progress on stderr."""
    return {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed, "progress": tell}


def years_after(text: str) -> int | None:
    """Return the years of ``--rebuild-after``; None for ``never``. Raises UsageError for anything else."""
    if text == "never":
        return None
    if not text.isdecimal():
        raise UsageError(f'--rebuild-after "{text}": expected years, such as 1, or never')
    return int(text)


def tell(line: str) -> None:
    """One line of progress, or of an error, on stderr; if that is full or closed, the work goes on without."""
    if sys.stderr is not None:  # else print would take stdout
        with suppress(OSError):
            print(line, file=sys.stderr, flush=True)


def load_instance(path: Path) -> Instance:
    """Read an instance; the number of warnings goes to stderr."""
    from ..instance.loading import load

    instance = load(path)
    if instance.warnings:
        count = len(instance.warnings)
        tell(f"{path}: {count} warning{'s' if count > 1 else ''}; planner validate {path} shows all")
    return instance


def refuse(context: typer.Context, names: Iterable[str], where: str) -> None:
    """Raise UsageError if some of these options stand on the command line, since they do nothing ``where``."""
    written = {p.name: p.opts[-1] for p in context.command.params}
    asked = [written[n] for n in names if getattr(context.get_parameter_source(n), "name", "") == "COMMANDLINE"]
    if asked:
        raise idle(asked, where)


def check_output(kind: type[Study], output: Path | None, overwrite: bool, *others: Path | None) -> None:
    """Raise an error, before the work begins, if a study may not be written to the folder that is asked for.

    others  what else the command writes, and ``--overwrite`` may replace
    """
    if overwrite and output is None and all(other is None for other in others):
        raise idle(["--overwrite"], "where nothing is written")
    if output is not None:
        kind.check_folder(output, overwrite)


def deliver(study: Study, output: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write what a question gave to a folder, if one is asked for, and print it as text or JSON."""
    if output is not None:
        study.write(output, overwrite)
    print(study.to_json() if as_json else f"{study}\n", end="", flush=True)
