"""The page of the explorer: controls from the instance, a place for the answer, and the scripts that join them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2

from ..reporting import page as report
from ..reporting.looks import DARK
from ..reporting.view import Names
from .controls import Control, controls
from .stops import choices
from .words import WORDS

if TYPE_CHECKING:
    from ..instance.instance import Instance


MOST_PINS = 8


def page(instance: Instance, saves: bool) -> str:
    """Return the HTML text of the page.

    saves  whether runs can be saved, as a folder was named for them
    """
    return _page(instance, controls(instance), saves=saves, twin=None)


def twin_page(instance: Instance, shown: Sequence[Control], found: Mapping[str, Any], places: int) -> str:
    """Return the HTML text of a page that is whole: it has its scripts, and its answers, in itself.

    shown   its controls, each with its ``stops``
    found   ``answers`` and ``curves``, packed, and ``costs``, by what was asked
    places  of the controls, for which there are answers
    """
    scripts = [report.asset("page.js"), _asset("explore.js")]
    library = report.chart_library()
    return _page(
        instance,
        shown,
        saves=False,
        twin=json.dumps(found, ensure_ascii=False).replace("<", "\\u003c"),  # nothing in it ends the element
        scripts=scripts,
        style=_style(),
        library=report.packed(library),
        policy=report.policy(library, *scripts),
        places=places,
    )


def _page(instance: Instance, shown: Sequence[Control], **more: Any) -> str:
    names = Names(instance)
    facts: dict[str, Any] = {
        "controls": shown,
        "words": WORDS.told(),
        "musd": names.musd,
        "currency": instance.currency,
        "pins": MOST_PINS,
        "stops": choices(instance),
        "relaxes": not (instance.survive or instance.option_sizes),
    }
    return _template().render(
        title=instance.title or instance.name,
        description=instance.description,
        span=names.span,
        words=WORDS.told(),
        dark=json.dumps(DARK),
        facts=json.dumps(facts, ensure_ascii=False),
        **more,
    )


@cache
def _template() -> jinja2.Template:
    return report.environment().overlay(loader=jinja2.FunctionLoader(_asset)).get_template("explore.html")


def _asset(name: str) -> str:
    """Return the text of a file in ``templates``."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _style() -> str:
    return report.asset("page.css") + _asset("explore.css")


# the files that the page loads, beside the chart library: name -> what gives its text
SCRIPTS = {
    "page.js": lambda: report.asset("page.js"),
    "explore.js": lambda: _asset("explore.js"),
    "explore.css": _style,
}
