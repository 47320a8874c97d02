"""Listens for the browser until Ctrl-C."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from ..errors import UsageError
from .server import Asked, address, application

if TYPE_CHECKING:
    from ..instance.instance import Instance

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("", "0.0.0.0", "::")
STOPS = 1  # seconds that open answers have at the end


def serve(
    instance: Instance,
    *,
    gap: float,
    folder: Path | None,
    host: str,
    port: int,
    browser: bool,
    tell: Callable[[str], None],
) -> None:
    """Serve the page of an instance until Ctrl-C or SIGTERM.

    gap      relative gap of the search for whole projects
    folder   where runs may be saved; None: nowhere
    host     address to listen at
    port     0: any that is free
    browser  whether to open the page in the browser
    tell     told where the page is
    Raises UsageError if nothing can listen there.
    """
    if host in EVERYWHERE:  # the page is only served under the name that it is opened by
        raise UsageError(f"--host {host}: name the address or the name by which others reach this machine")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(f"nothing can listen at {host}, port {port}: {error}; choose another --port") from error
    port = listening.getsockname()[1]
    names = LOOPBACK[:2] if host in LOOPBACK[:2] else (host,)
    hosts = tuple(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names)
    asked = Asked(instance, gap, folder, hosts, secrets.token_urlsafe(32))
    if host not in LOOPBACK:
        tell(f"careful: whoever reaches {host} and has this address can ask; what is sent is not encrypted")
    tell(f"{address(asked)}\nCtrl-C ends it")
    if browser:
        webbrowser.open(address(asked))
    config = uvicorn.Config(
        application(asked), log_level="critical", access_log=False, ws="none", server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=STOPS, h11_max_incomplete_event_size=16_384,
    )  # fmt: skip
    with suppress(KeyboardInterrupt):  # it is how this ends
        uvicorn.Server(config).run(sockets=[listening])
