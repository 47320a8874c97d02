"""The HTML page: its sections in reading order, put into one template.

Its content security policy lets only the page's own scripts run, and nothing is loaded from the network.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..language import _, p_, present, translated
from .looks import DARK
from .parts import Cards, Figure, Section, Table
from .sections import (
    builds,
    chain,
    costs,
    dependence,
    findings,
    impacts,
    inputs,
    needs,
    origins,
    outlays,
    prices,
    projects,
    trust,
    worldmap,
)

if TYPE_CHECKING:
    import jinja2

    from .view import View


BRIEF = ("dependence-shares", "curve-cost", "table-largest")  # what the brief of two pages shows beside the findings


def page(view: View) -> str:
    """Return the whole HTML text of a report."""
    sections = (
        dependence.section(view),
        *_studied(view, "frontier"),
        *_studied(view, "frontier --second"),
        *_studied(view, "compare"),
        origins.section(view),
        chain.section(view),
        worldmap.section(view),
        builds.section(view),
        projects.section(view),
        *_studied(view, "explain"),
        *_studied(view, "alternatives"),
        costs.section(view),
        prices.section(view),
        impacts.section(view),
        needs.shortages(view),
        needs.substitution(view),
        needs.branches(view),
        *_studied(view, "stress"),
        *_studied(view, "stress --delivery"),
        *_studied(view, "hedge"),
        *_studied(view, "roadmap"),
        *_studied(view, "sensitivity"),
        needs.funding(view),
        outlays.section(view),
        inputs.section(view),
        trust.section(view),
    )
    title = view.instance.title or view.instance.name
    return written(
        sections,
        title=_("{title}: report", title=title),
        kicker=_("Report on a plan, {span}", span=view.span),
        heading=title,
        description=view.instance.description,
        keys=findings.keys(view),
        sentences=findings.sentences(view),
        made=_(
            "Made by planner {version} from a run of {instance}",
            version=view.plan["versions"]["planner"],
            instance=view.instance.name,
        ),
        digest=view.plan["instance"]["sha256"],
    )


def written(candidates: Sequence[Section | None], **head: Any) -> str:
    """Return the HTML text of a page with these sections; None stands for a section with nothing to show.

    head  what the template needs besides: ``title``, ``kicker`` (the line above the heading), ``heading`` and ``made``
          (who made it); optionally ``description``, the ``digest`` of the data, and the findings as ``keys`` (numbers)
          and ``sentences``
    """
    sections = [section for section in candidates if section is not None]
    library, script, drawings = chart_library(), asset("page.js"), _drawings(sections)
    return (
        environment()
        .get_template("page.html")
        .render(
            {"description": "", "digest": "", "keys": (), "sentences": (), **head},
            sections=sections,
            brief=BRIEF,
            drawings=packed(json.dumps(drawings, allow_nan=False, ensure_ascii=False, separators=(",", ":"))),
            dark=json.dumps(DARK),
            mapped="map-flows" in drawings,
            folded=any(isinstance(part, Table) and part.shut for section in sections for part in section.shown),
            style=asset("page.css"),
            script=script,
            library=packed(library),
            policy=policy(library, script),
            language=present(),
        )
    )


def fragment(candidates: Sequence[Section | None]) -> tuple[str, dict[str, Any]]:
    """Return sections as HTML, and what the page's script needs to draw their figures, as JSON can hold it.

    None stands for a section with nothing to show.
    """
    sections = [section for section in candidates if section is not None]
    macros = environment().get_template("parts.html").module
    return "".join(str(macros.section(section)) for section in sections), _drawings(sections)  # type: ignore[attr-defined]


def _drawings(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what the page's script needs to draw each figure."""
    figures = [part for section in sections for part in section.shown if isinstance(part, Figure)]
    drawings = {f.id: f.drawing() for f in figures}
    if "map-flows" in drawings:
        drawings["map-flows"]["background"] = worldmap.outlines()
    return drawings


def _studied(view: View, kind: str) -> list[Section]:
    """Return the sections of all studies of a kind; from the second on they are numbered, so that ids are unique."""
    made = [findings.STUDIES[kind].section(view, study) for study in view.studies if study.kind == kind]
    return made[:1] + [
        replace(
            one,
            id=f"{one.id}-{n}",
            title=f"{one.title} ({n})",
            brief=f"{one.brief} {n}",
            parts=[replace(part, id=f"{part.id}-{n}") for part in one.shown],
        )
        for n, one in enumerate(made[1:], start=2)
    ]


def packed(text: str) -> str:
    """Return text compressed, in letters that are safe inside a script element; the page's script unpacks it."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")


def policy(*scripts: str) -> str:
    """Return the content security policy: nothing from the network, and no script but these."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode('utf-8')).digest()).decode('ascii')}'" for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def chart_library() -> str:
    """Return the code of the chart library. The page holds it compressed (2 MB, not 5) and runs it as one script."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def asset(name: str) -> str:
    """Return the text of a file in ``templates``."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def environment() -> jinja2.Environment:
    """Return what renders templates: values are escaped, and a name that is not defined is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"_": _, "p_": p_, "translated": translated}
    environment.filters["address"] = _address
    environment.tests["table"] = lambda part: isinstance(part, Table)
    environment.tests["cards"] = lambda part: isinstance(part, Cards)
    return environment


def _address(url: str) -> str:
    """Return a web address that may become a link, else "". Schemes other than http and https could run code."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""
