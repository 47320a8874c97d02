"""``planner explore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from . import common
from .common import asks_what_if, share, tell


@asks_what_if
def explore(
    instance: Annotated[Path, typer.Argument(metavar="INSTANCE|RUN", help="instance, or the folder of a run of it")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="folder in which the page may save runs")
    ] = None,
    gap: Annotated[float, share("relative gap to which whole projects are searched")] = 0.003,
    host: Annotated[
        str, typer.Option(help="address to listen at; others than this machine's let others in")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port; 0: any that is free")] = 0,
    browser: Annotated[bool, typer.Option(help="open the page in the browser")] = True,
) -> None:
    """Move a limit, a price or a project in the browser, and see at once what it costs; Ctrl-C ends it.

    Each answer comes first as the exact relaxation, a bound, and then as the plan of whole projects.

    Examples:

    - `planner explore allied-2040`
    - `planner explore runs/allied-2040 -o runs/tried`
    - `planner explore allied-2040 --no-browser --port 8080`
    """
    from ..instance.loading import load
    from ..runs.run import MANIFEST, read_run

    found = read_run(instance).instance if (instance / MANIFEST).is_file() else load(instance)
    try:
        from ..exploring.serving import serve
    except ImportError as error:
        raise UsageError('the explorer needs the extra "explore": pip install "magnet-planner[explore]"') from error
    serve(common.changed(found), gap=gap, folder=output, host=host, port=port, browser=browser, tell=tell)
