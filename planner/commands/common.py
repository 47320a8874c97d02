"""What the commands share: arguments under one name and meaning, reading an instance, progress on stderr."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..arguments import fraction, in_language
from ..bars import terminal
from ..errors import PlannerError, UsageError, idle
from ..language import ENGLISH, _, languages
from ..questions.legend import legend
from ..words import in_currency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..instance.instance import Instance
    from ..questions.study import Study


def share(told: str) -> Any:
    """Return an option for a fraction, which may be written as 0.05 or as 5%; ``told`` is its help."""

    def read(text: float | str) -> float:
        try:
            return fraction(text, "")
        except UsageError as error:
            raise typer.BadParameter(str(error).strip()) from None

    return typer.Option(parser=read, metavar="SHARE", help=told)


def _instances(incomplete: str) -> list[str]:
    """Return what can complete the name of an instance: examples, folders and workbooks."""
    from ..instance.examples import examples
    from ..instance.sheets import is_book

    start = Path(incomplete)
    folder = start if incomplete.endswith("/") else start.parent
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [f"{path}/" if path.is_dir() else str(path) for path in there if path.is_dir() or is_book(path)]
    return [name for name in (*examples(), *paths) if name.startswith(incomplete)]


InstanceFolder = Annotated[
    Path,
    typer.Argument(
        metavar="INSTANCE",
        help="folder or workbook of an instance, or the name of an example",
        autocompletion=_instances,
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="folder of a run")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="folder to write the tables to")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace what is there")]
Gap = Annotated[
    float | None,
    share("relative gap to stop at, such as 0.5% [proven up to 200 integer decisions, else 0.1% or less]"),
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
    typer.Option(
        "--force",
        metavar="OPTION@YEAR[:MODULES]",
        help='start so many modules [1] or more; or owner="NAME"@YEAR; repeatable',
    ),
]
Forbid = Annotated[
    list[str] | None,
    typer.Option("--forbid", metavar="OPTION", help='never build it, or all of owner="NAME"; repeatable'),
]

Language = Annotated[
    str,
    typer.Option(
        "--language",
        metavar="CODE",
        help=f"of the text and the page: {', '.join(languages())}",
        autocompletion=languages,
    ),
]

WHAT_IF = {  # the verbs of what-ifs, in the order in which they are made
    "without": Annotated[
        list[str] | None,
        typer.Option("--without", metavar="COLUMN=VALUE", help='what if these were not there: owner="MP Materials"'),
    ],
    "set": Annotated[
        list[str] | None,
        typer.Option("--set", metavar="TABLE.COLUMN=VALUE", help='another value: "tariffs.rate=0 where origin=CHN"'),
    ],
    "scale": Annotated[
        list[str] | None,
        typer.Option("--scale", metavar="TABLE=FACTOR", help='a factor: "demand=1.3 where sector=ev"'),
    ],
    "cap": Annotated[
        list[str] | None,
        typer.Option("--cap", metavar="METRIC=LIMIT@YEAR", help="one more cap: exposed_share=10%@2032"),
    ],
}
_asked: ContextVar[tuple[str, ...]] = ContextVar("what_ifs", default=())
line: ContextVar[tuple[str, ...]] = ContextVar("line", default=())  # the words of the command line, without `planner`


def asks_what_if(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `WHAT_IF`, each repeatable; `load_instance` makes the changes."""

    @wraps(command)
    def run(*places: Any, **given: Any) -> None:
        texts = {verb: given.pop(f"{verb}_", None) or () for verb in WHAT_IF}
        if "force" in given:  # an option is held at its bounds; that an owner builds something is a limit of the model
            forced = given["force"] or ()
            texts["force"] = [text for text in forced if text.partition("=")[0].strip() == "owner"]
            given["force"] = [text for text in forced if text not in texts["force"]]
        token = _asked.set(tuple(f"{verb} {text}" for verb, of in texts.items() for text in of))
        try:
            command(*places, **given)
        finally:
            _asked.reset(token)

    signature, kind = inspect.signature(command, eval_str=True), inspect.Parameter.KEYWORD_ONLY
    own = [p.replace(kind=kind) for p in signature.parameters.values()]
    more = [inspect.Parameter(f"{verb}_", kind, default=None, annotation=of) for verb, of in WHAT_IF.items()]
    run.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return run


def speaks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option ``--language``, in which it writes its text and its page."""

    @wraps(command)
    def run(*places: Any, **given: Any) -> None:
        with in_language(given.pop("language", ENGLISH)):
            command(*places, **given)

    signature, kind = inspect.signature(command, eval_str=True), inspect.Parameter.KEYWORD_ONLY
    own = [p.replace(kind=kind) for p in signature.parameters.values()]
    asked = inspect.Parameter("language", kind, default=ENGLISH, annotation=Language)
    run.__signature__ = signature.replace(parameters=[*own, asked])  # type: ignore[attr-defined]
    return run


def search(gap: float | None, time_limit: float | None, threads: int, seed: int) -> dict[str, Any]:
    """How to search, as the calls take it, with the lines of progress on stderr."""
    return {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed, **progress()}


def progress() -> dict[str, Any]:
    """The argument ``progress`` of a call: lines on stderr; none at a terminal, where the call shows a bar itself."""
    return {} if terminal() else {"progress": tell}


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
    """Read an instance and make the changes that are asked for; what they matched, and warnings, go to stderr."""
    from ..instance.loading import load

    instance = changed(load(path))
    if instance.warnings:
        count = len(instance.warnings)
        tell(f"{path}: {count} warning{'s' if count > 1 else ''}; planner validate {path} shows all")
    return instance


def command() -> list[str]:
    """Return the words of the command line, for `planner rerun`, without those that say where the result goes."""
    words, kept = iter(line.get()), []
    for word in words:
        if word in ("-o", "--output"):
            next(words, None)
        elif word != "--overwrite" and not word.startswith(("--output=", "-o")):
            kept.append(word)
    return kept


def asked() -> tuple[str, ...]:
    """Return the what-ifs of the command line."""
    return _asked.get()


def changed(instance: Instance) -> Instance:
    """Return an instance after the what-ifs of the command line; what each one matched goes to stderr."""
    if not asked():
        return instance
    other = instance.what_if(*asked())
    for made in other.changes[len(instance.changes) :]:
        tell(f"{made.change}: {made.did}")
    return other


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
    """Write what a question gave to a folder, if one is asked for, and print it as text with its names, or as JSON."""
    if output is not None:
        study.write(output, overwrite)
    text = study.to_json() if as_json else f"{study}\n"
    instance = None
    with suppress(PlannerError):  # a comparison of runs does not need their instances, which may be gone
        instance = None if as_json else getattr(study, "instance", None)
    if instance is not None:
        names = legend(text, instance)
        if len(set(getattr(study, "money", ()))) <= 1:  # else the text names the money of each plan
            text = in_currency(text, instance.currency)
        text += "\n".join([_("Names:"), *names, ""] if names else [])
    print(text, end="", flush=True)
