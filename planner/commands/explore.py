"""``planner explore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from . import common
from .common import Overwrite, asks_what_if, refuse, share, speaks, tell


@speaks
@asks_what_if
def explore(
    context: typer.Context,
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
    static: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="instead: write a page with answers found beforehand, without a server"),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Move a limit, a price or a project in the browser, and see at once what it costs; Ctrl-C ends it.

    Each answer comes first as the exact relaxation, a bound, and then as the plan of whole projects.

    Examples:

    - `planner explore allied-2040`
    - `planner explore runs/allied-2040 -o runs/tried`
    - `planner explore allied-2040 --no-browser --port 8080`
    - `planner explore allied-2040 --static explorer.html`
    """
    from ..instance.loading import load
    from ..reporting import check_page, write_page
    from ..runs.run import MANIFEST, read_run

    if static is not None:
        refuse(context, ["output", "host", "port", "browser"], "with --static")
        check_page(static, overwrite)
    else:
        refuse(context, ["overwrite"], "without --static")
    found = read_run(instance).instance if (instance / MANIFEST).is_file() else load(instance)
    if static is not None:
        from ..exploring.twin import twin

        write_page(twin(common.changed(found), gap, tell), static, overwrite)
        tell(f"{static}: {static.stat().st_size / 1e6:.1f} MB")
        print(static)
        return
    try:
        from ..exploring.serving import serve
    except ImportError as error:
        raise UsageError('the explorer needs the extra "explore": pip install "magnet-planner[explore]"') from error
    serve(common.changed(found), gap=gap, folder=output, host=host, port=port, browser=browser, tell=tell)
