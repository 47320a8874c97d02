"""What the browser talks to: one page, one stream of messages for each question, and what can be taken away.

Only who has the token of the address gets anything, and only from the host that the page is served from; a page of
another site can neither ask nor read. What the browser sends is a list of what-ifs, of bounded size, and never the name
of a file.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import secrets
import zipfile
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from ..errors import PlannerError
from ..instance.scaffold import overlay
from ..questions.explore import asked_of, in_order
from ..reporting.page import chart_library
from .answers import ASKED
from .page import SCRIPTS, page
from .stops import choices
from .words import WORDS
from .workers import DiedError, Worker

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from .answers import Asked as Question
    from .answers import Message

COOKIE = "planner"
OVERLAY = "what-if"  # name of the folder that is downloaded
LARGEST = 64_000  # bytes of a question
MOST_CHANGES = 200
LONGEST = 500  # characters of a what-if
MOST_OPEN = 24  # questions at a time
REMEMBERED = 24  # answers
MOST_POINTS = 24  # of a curve
KINDS = ("relaxed", "whole")  # of answers to one state, in their order
LISTENS = 0.05  # seconds between two looks whether the reader is still there
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Asked:
    """What is served.

    instance  as it is
    gap       relative gap of the search for whole projects
    folder    where runs are saved; None: nowhere
    hosts     names under which the page may be opened, with the port
    token     what the address must hold
    """

    instance: Instance
    gap: float
    folder: Path | None
    hosts: tuple[str, ...]
    token: str


class RefusedError(Exception):
    """A request that is not answered, with its status and a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def application(asked: Asked) -> Starlette:
    """Return the ASGI application."""
    return _Server(asked).app


class _Server:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.workers = {kind: Worker(asked.instance, asked.gap, kind) for kind in ASKED}
        self.open = 0
        self.known: OrderedDict[str, list[Message]] = OrderedDict()
        self.page = page(asked.instance, asked.folder is not None)
        routes = [
            Route("/", self._guarded(self._page), methods=["GET"]),
            Route("/file/{name}", self._guarded(self._file), methods=["GET"]),
            Route("/ask", self._guarded(self._ask), methods=["POST"]),
            Route("/curve", self._guarded(self._curve), methods=["POST"]),
            Route("/freedom", self._guarded(self._freedom), methods=["POST"]),
            Route("/stop", self._guarded(self._stop), methods=["POST"]),
            Route("/save", self._guarded(self._save), methods=["POST"]),
            Route("/overlay", self._guarded(self._overlay), methods=["POST"]),
        ]
        self.app = Starlette(routes=routes, lifespan=self._running)

    @asynccontextmanager
    async def _running(self, _: Starlette) -> AsyncIterator[None]:
        """Start the process that is asked first; at the end, end all."""
        await self.workers["relaxed"].ready()
        try:
            yield
        finally:
            for worker in self.workers.values():
                worker.end()

    # --- who may ask --------------------------------------------------------------------------------------

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Refuse who may not ask, and give every answer the headers that keep the page to itself."""

        async def guarded(request: Request) -> Response:
            try:
                self._check(request)
                response = await answer(request)
            except RefusedError as refused:
                response = PlainTextResponse(refused.text, refused.status)
            response.headers.update(HEADERS)
            return response

        return guarded

    def _check(self, request: Request) -> None:
        host = request.headers.get("host", "")
        if host not in self.asked.hosts:  # else a name of another site that leads here could be used
            raise RefusedError(421, WORDS["refused"])
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            raise RefusedError(403, WORDS["refused"])
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and request.method != "GET":
            raise RefusedError(403, WORDS["refused"])
        given = request.cookies.get(self._cookie, "")
        if request.url.path == "/" and "token" in request.query_params:
            given = request.query_params["token"]
        if not secrets.compare_digest(given.encode(), self.asked.token.encode()):
            raise RefusedError(403, WORDS["refused"])

    @property
    def _cookie(self) -> str:
        """The name of the cookie; the browser keeps those of several ports under one host."""
        return f"{COOKIE}-{self.asked.hosts[0].rpartition(':')[2]}"

    # --- what is served -----------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        if "token" in request.query_params:  # from now on by the cookie, so that the address can be shown and shared
            response = RedirectResponse("/", 303)
            response.set_cookie(self._cookie, self.asked.token, httponly=True, samesite="strict")
            return response
        return Response(self.page, media_type="text/html")

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == "plotly.js":
            return Response(chart_library(), media_type="text/javascript")
        if name not in SCRIPTS:
            raise RefusedError(404, "")
        return Response(SCRIPTS[name](), media_type="text/javascript" if name.endswith(".js") else "text/css")

    async def _changes(self, request: Request) -> tuple[tuple[str, ...], Mapping[str, Any]]:
        """Return the what-ifs of a question, and all that it says."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise RefusedError(415, "")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise RefusedError(413, "")
        try:
            said = json.loads(body)
            changes = said["changes"]
            if (
                not all(isinstance(text, str) and len(text) <= LONGEST for text in changes)
                or len(changes) > MOST_CHANGES
            ):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise RefusedError(400, "") from None
        try:
            return in_order(changes), said
        except PlannerError as error:
            raise RefusedError(422, str(error)) from None

    async def _ask(self, request: Request) -> Response:
        """Return a stream of messages, a line each: the relaxation, whole projects, or what of both is asked for."""
        changes, said = await self._changes(request)
        asked = said.get("kinds", KINDS)
        if not isinstance(asked, (list, tuple)):
            raise RefusedError(400, "")
        return self._stream(request, [(kind, {"changes": changes}) for kind in KINDS if kind in asked])

    async def _curve(self, request: Request) -> Response:
        """Return a stream of sections with the curve at the limits that are asked for."""
        changes, said = await self._changes(request)
        try:
            points = [(float(limit), str(text)) for limit, text in said["points"]]
            here = None if said["here"] is None else float(said["here"])
            if len(points) > MOST_POINTS or any(len(text) > LONGEST for _, text in points):
                raise ValueError
            in_order([text for _, text in points])
        except (ValueError, KeyError, TypeError, PlannerError):
            raise RefusedError(400, "") from None
        return self._stream(request, [("curve", {"changes": changes, "points": points, "here": here})])

    async def _freedom(self, request: Request) -> Response:
        """Return a stream of the ranges of projects in what costs little more than the least."""
        changes, said = await self._changes(request)
        try:
            slack, held = float(said["slack"]), {str(k): float(v) for k, v in said["held"].items()}
            if not 0.0 <= slack <= 1.0 or len(held) > MOST_CHANGES or not all(0.0 <= v < 1e9 for v in held.values()):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RefusedError(400, "") from None
        return self._stream(request, [("freedom", {"changes": changes, "slack": slack, "held": held})])

    async def _stop(self, request: Request) -> Response:
        """Return a stream at whose end stands what a stop would do to the plan."""
        changes, said = await self._changes(request)
        offered = choices(self.asked.instance)
        try:
            stop = {"lost": said["lost"], "year": said["year"], "months": said["months"]}
            if (
                stop["lost"] not in [of["case"] for of in offered["lost"]]
                or type(stop["year"]) is not int
                or stop["year"] not in offered["years"]
                or type(stop["months"]) is not int
                or not 1 <= stop["months"] <= offered["most"]
            ):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise RefusedError(400, "") from None
        return self._stream(request, [("whole", {"changes": changes, "stop": stop})])

    async def _save(self, request: Request) -> Response:
        """Return a stream of messages, at whose end the plan is a run in the folder of the command."""
        if self.asked.folder is None:
            raise RefusedError(404, WORDS["no folder"])
        changes, _ = await self._changes(request)
        name = hashlib.sha256(json.dumps(changes).encode()).hexdigest()[:10]  # the browser names nothing
        return self._stream(
            request, [("whole", {"changes": changes, "folder": self.asked.folder / f"{OVERLAY}-{name}"})]
        )

    def _stream(self, request: Request, questions: Sequence[tuple[str, Question]]) -> Response:
        if self.open >= MOST_OPEN:
            raise RefusedError(503, WORDS["too many"])
        return StreamingResponse(self._lines(request, questions), media_type="application/x-ndjson")

    async def _lines(self, request: Request, questions: Sequence[tuple[str, Question]]) -> AsyncIterator[str]:
        """Yield the messages that answer questions, a line each, as long as the reader listens."""
        self.open += 1
        try:
            for kind, question in questions:
                async with aclosing(self._messages(kind, question)) as messages:
                    async for message in _while_heard(messages, request):
                        yield json.dumps(message, allow_nan=False) + "\n"
                        if message["type"] == "error":
                            return
        finally:
            self.open -= 1

    async def _messages(self, kind: str, question: Question) -> AsyncGenerator[Message, None]:
        """Yield the messages that answer a question, at once if they are known."""
        key = f"{kind} {json.dumps(question, default=str)}"
        if key in self.known:
            self.known.move_to_end(key)
            for message in self.known[key]:
                yield message
            return
        if self.workers[kind].busy:
            yield {"type": "waiting"}
        yield {"type": "begun", "kind": kind}
        kept = []
        try:
            async with aclosing(self.workers[kind].answers(question)) as answers:
                async for message in answers:
                    if message["type"] in ("numbers", "sections"):
                        kept.append(message)
                    yield message
        except DiedError:
            yield {"type": "error", "text": WORDS["died"]}
            return
        if kind in KINDS and kept:  # those of the curve replace each other
            self.known[key] = kept
            if len(self.known) > REMEMBERED:
                self.known.popitem(last=False)

    async def _overlay(self, request: Request) -> Response:
        """Return the what-ifs as the folder of an overlay, in a zip file."""
        changes, _ = await self._changes(request)
        packed = io.BytesIO()
        try:
            changed = await asyncio.to_thread(asked_of, self.asked.instance, changes)
            files = overlay(changed, OVERLAY)
        except PlannerError as error:
            raise RefusedError(422, str(error)) from None
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, text in files.items():
                archive.writestr(zipfile.ZipInfo(f"{OVERLAY}/{file}"), text)
        return Response(packed.getvalue(), media_type="application/zip")


async def _while_heard(messages: AsyncIterator[Message], request: Request) -> AsyncIterator[Message]:
    """Yield messages until the last, or until the reader has gone."""
    while True:
        coming = asyncio.ensure_future(anext(messages, None))
        try:
            while not coming.done():
                await asyncio.wait({coming}, timeout=LISTENS)
                if await request.is_disconnected():
                    return
            message = coming.result()
        finally:
            if not coming.done():
                coming.cancel()
        if message is None:
            return
        yield message


def address(asked: Asked) -> str:
    """Return the address to be opened."""
    return f"http://{asked.hosts[0]}/?token={asked.token}"
