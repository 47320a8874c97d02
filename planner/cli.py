"""The command ``planner`` and its exit codes.

Exit codes: 0 a plan, 2 bad input or usage, 3 infeasible, 4 a limit was reached with no plan, 1 anything else.
Results go to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from importlib import import_module
from typing import Annotated

import typer

from .bars import commanded
from .commands import COMMANDS
from .commands.common import line, tell
from .errors import PlannerError
from .garbage import seldom_collected


def application(command: str = "") -> typer.Typer:
    """Return the command line.

    command  with this command alone, where there is one of that name: to set up all takes as long as a small solve
    """
    app = typer.Typer(
        name="planner",
        no_args_is_help=True,
        rich_markup_mode="markdown",  # so that [defaults] and examples stand in the help as they are written
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=_planner,
    )
    asked = command.replace("-", "_")
    known = asked != "rerun" and any(asked in names for names in COMMANDS.values())  # `rerun` gives another command
    for group, names in COMMANDS.items():
        for name in names if not known else {asked}.intersection(names):
            run = getattr(import_module(f".commands.{name}", __package__), name)  # of the file with its name
            app.command(rich_help_panel=group)(run)
    return app


def _version(asked: bool) -> None:
    """Print the version and exit, if the option ``--version`` is given."""
    if asked:
        from importlib.metadata import version

        print(f"magnet-planner {version('magnet-planner')}")
        raise typer.Exit


def _planner(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and exit")
    ] = False,
) -> None:
    """Plan how allied countries and startups supply NdFeB magnets, and see what security costs.

    An INSTANCE is a folder of tables, a workbook, or the name of an example; a RUN is the folder of a plan.

    Examples:

    - `planner examples`
    - `planner solve allied-2040`
    - `planner open runs/allied-2040`
    """


def main() -> None:
    """Run the command that is asked for; every PlannerError becomes one message on stderr and its exit code.

    SIGTERM, with which batch systems end a job, is treated like Ctrl-C: what was found so far is kept.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    line.set(tuple(sys.argv[1:]))
    commanded.set(True)
    seldom_collected()
    try:
        code = application(sys.argv[1] if len(sys.argv) > 1 else "")(standalone_mode=False) or 0
        if sys.stdout is not None:  # it is if the shell closed it, and then print does nothing
            sys.stdout.flush()  # so that a full disk is told here, and not by the interpreter at its end
    except PlannerError as error:
        tell(str(error))
        code = error.exit_code
    except typer.Exit as stop:
        code = stop.exit_code
    except typer.Abort:
        code = 130
    except KeyboardInterrupt:
        tell("stopped")
        code = 130
    except OSError as error:  # what is written to files is guarded where it is written, so this is stdout
        if error.errno != errno.EPIPE:  # that one is quiet: the reader of stdout has gone, as with ``| head``
            what = "the result cannot be written to stdout" if error.filename is None else error.filename
            tell(f"{what}: {error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still in its buffer
        code = 1
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show(file=sys.stderr)  # a usage error of the command-line library
        code = getattr(error, "exit_code", 2)
    gc.freeze()  # so that the interpreter does not look through all that it is about to drop
    sys.exit(code)


if __name__ == "__main__":
    main()
