"""The command ``planner``: arguments and exit codes; each command is a thin face of a call of the same name.

Exit codes: 0 a plan, 2 bad input or usage, 3 infeasible, 4 a limit was reached with no plan, 1 anything else.
Results go to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import InstanceError, OutputError, PlannerError, render

app = typer.Typer(
    name="planner",
    help="Plan how allied countries and startups supply NdFeB magnets, and see what security costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

InstanceFolder = Annotated[Path, typer.Argument(metavar="INSTANCE", help="folder of an instance")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="folder of a run")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _load(path: Path) -> Any:
    from .instance import load

    instance = load(path)
    if instance.warnings:
        count = len(instance.warnings)
        _tell(f"{path}: {count} warning{'s' if count > 1 else ''}; planner validate {path} shows all")
    return instance


@app.command()
def validate(instance: InstanceFolder, as_json: AsJson = False) -> None:
    """Check an instance: every problem with file, line, column, value, what was expected and the nearest name."""
    from .instance import load

    try:
        loaded = load(instance)
    except InstanceError as error:
        if as_json:
            print(json.dumps({"ok": False, "issues": [_issue(i) for i in error.issues]}, indent=1))
        raise
    if as_json:
        print(json.dumps({"ok": True, "issues": [_issue(i) for i in loaded.warnings]}, indent=1))
        return
    if loaded.warnings:
        print(f"{instance}: {len(loaded.warnings)} warnings")
        print(render(loaded.warnings))
    print(f"{instance}: valid; {loaded.title or loaded.name}, {loaded.years[0]}-{loaded.years[-1]}")


def _issue(issue: Any) -> dict[str, Any]:
    names = ("file", "line", "column", "value", "expected", "hint", "code", "severity")
    return {name: getattr(issue, name) for name in names}


@app.command()
def solve(
    instance: InstanceFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder to write the run to [runs/NAME]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace an existing run")] = False,
    gap: Annotated[
        float | None,
        typer.Option(help="relative gap to stop at [proven up to 200 integer decisions, else 0.001]"),
    ] = None,
    time_limit: Annotated[float | None, typer.Option(help="seconds of search [no limit]")] = None,
    threads: Annotated[int, typer.Option(help="solver threads; another number may give another equal plan")] = 1,
    seed: Annotated[int, typer.Option(help="solver seed")] = 0,
    as_json: AsJson = False,
) -> None:
    """Solve an instance, audit the plan and write the run's folder."""
    from .errors import Infeasible
    from .plan import solve as solve_instance
    from .runfolder import check_target

    started = time.perf_counter()
    loaded = _load(instance)
    load_seconds = time.perf_counter() - started
    folder = output or Path("runs") / loaded.name
    check_target(folder, force)
    try:
        plan = solve_instance(
            loaded,
            gap=gap,
            time_limit=time_limit,
            threads=threads,
            seed=seed,
            progress=_tell,
            load_seconds=load_seconds,
        )
    except Infeasible as error:
        if as_json:
            print(json.dumps({"schema": 1, "status": "infeasible", "objective_musd": None, "reasons": str(error)}))
        raise
    plan.write(folder, force=force)
    if as_json:
        print(plan.to_json(), end="")
        return
    from .summary import show

    show(loaded, plan, folder)


@app.command()
def audit(instance: InstanceFolder, run: RunFolder, as_json: AsJson = False) -> None:
    """Recompute a run from the raw tables, without the model: balances, limits, caps, money."""
    from .auditing import audit as audit_run
    from .errors import AuditError
    from .runfolder import read_run

    report = audit_run(_load(instance), read_run(run))
    print(json.dumps(report.to_dict(), indent=1) if as_json else str(report))
    if not report.ok:
        raise AuditError(f"{run} does not agree with {instance}")


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="folder of an instance, or an .xlsx workbook")],
    target: Annotated[Path, typer.Argument(help="workbook to write, or folder")],
    force: Annotated[bool, typer.Option("--force", help="replace an existing one")] = False,
) -> None:
    """Convert an instance between folder and Excel workbook, both ways without loss."""
    from .workbook import convert as convert_instance

    print(f"{convert_instance(source, target, force)}: written")


@app.command()
def export(
    instance: InstanceFolder,
    file: Annotated[Path, typer.Argument(help="file to write: .mps or .lp")],
    force: Annotated[bool, typer.Option("--force", help="replace an existing file")] = False,
) -> None:
    """Write the model as an MPS or LP file, for another solver."""
    from .errors import UsageError
    from .exporting import write_model

    if file.suffix not in (".mps", ".lp"):
        raise UsageError(f"{file}: expected a name that ends in .mps or .lp")
    if file.exists() and not force:
        raise OutputError(f"{file} exists; choose another name, or --force to replace it")
    write_model(_load(instance), file)
    print(f"{file}: written")


def main() -> None:
    """Run the command; every planner error becomes one message and its exit code."""
    try:
        app(standalone_mode=False)
        code = 0
    except PlannerError as error:
        _tell(str(error))
        code = error.exit_code
    except typer.Exit as stop:
        code = stop.exit_code
    except typer.Abort:
        code = 130
    except KeyboardInterrupt:
        _tell("stopped")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show(file=sys.stderr)  # a usage error of the command-line library
        code = getattr(error, "exit_code", 2)
    sys.exit(code)


if __name__ == "__main__":
    main()
