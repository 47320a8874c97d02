"""The static twin of the explorer: one file with answers found beforehand, that needs no planner and no network.

A reader moves one limit on dependence, demand, and costs and prices in one country of concern. Where the answer to a
place of these controls was found, the page shows it; between two limits it shows the two costs between which the
least cost lies, as it never falls when a limit gets tighter, and draws no plan that nobody found.

Which places are worth an answer is chosen by error: on each control alone, the interval over which the cost changes
most is halved until no interval changes it by more than a part of the whole change. Their product is the grid. Each
place has the exact relaxation; where demand and prices are as they are, it has the plan of whole projects too.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import TYPE_CHECKING

from ..errors import Infeasible, NoPlan, SolverFailed, UsageError
from ..questions.explore import Explorer, in_order
from ..reporting.page import fragment
from ..reporting.view import Names
from . import answers
from .controls import Control, controls
from .page import twin_page

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from .answers import Message

PART = 0.1  # of the whole change of cost; an interval that changes it by more is halved
MOST = {"cap": 11, "factor": 3}  # places of a control of each kind
TOLD = 5  # a line after so many answers
FINEST = {"cap": 1.0, "factor": 0.05}  # of an interval, which is halved no further


@dataclass
class Axis:
    """A control and the values of it for which there are answers, in their order."""

    control: Control
    stops: list[float] = field(default_factory=list)

    @property
    def start(self) -> float:
        """The value that changes nothing."""
        return float(self.control["start"])

    def texts(self, value: float) -> list[str]:
        """Return the what-ifs of a value, as the page's script writes them."""
        if value == self.start:
            return []
        gaps = [f"{value:g}", *([str(self.control["first"])] if "first" in self.control else [])]
        return [_filled(parts, gaps) for parts in self.control["texts"]]


def _filled(parts: Sequence[str], gaps: Sequence[str]) -> str:
    return parts[0] + "".join(gap + part for gap, part in zip(gaps, parts[1:], strict=True))


def twin(instance: Instance, gap: float, tell: Callable[[str], None]) -> str:
    """Return the HTML text of the twin.

    gap   relative gap to which the plans of whole projects are searched
    tell  called with a line of text after some answers
    Raises UsageError if the relaxation says nothing of the instance, or it has no such controls.
    """
    explorer, axes = Explorer(instance, gap, alone=True), axes_of(instance)
    if not axes:
        raise UsageError(f"{instance.name}: nothing in it can be moved: no cap on its dependence, no demand, no prices")
    for axis in axes:
        axis.stops = stops_of(explorer, axis)
        tell(f"{axis.control['label']}: {len(axis.stops)} places")
    found: dict[str, str] = {}
    costs: dict[str, float | None] = {}
    places = list(product(*(axis.stops for axis in axes)))
    for n, place in enumerate(places, start=1):
        changes = [text for axis, value in zip(axes, place, strict=True) for text in axis.texts(value)]
        key, alone = json.dumps(changes, ensure_ascii=False, separators=(",", ":")), _alone(axes, place)
        costs[key] = _cost(explorer, changes)
        found["relaxed" + key] = _packed(_answer(explorer, "relaxed", changes, alone))
        if alone and costs[key] is not None:
            found["whole" + key] = _packed(_answer(explorer, "whole", changes, alone))
        if n % TOLD == 0 or n == len(places):
            tell(f"{n} of {len(places)} answers")
    curves = {}
    if axes[0].control["kind"] == "cap":
        for place in product(*(axis.stops for axis in axes[1:])):
            rest = [text for axis, value in zip(axes[1:], place, strict=True) for text in axis.texts(value)]
            curve = _curve(explorer, axes[0], rest)
            if curve is not None:
                curves[json.dumps(rest, ensure_ascii=False, separators=(",", ":"))] = _packed([curve])
    shown = [{**axis.control, "stops": [f"{value:g}" for value in axis.stops], "main": True} for axis in axes]
    return twin_page(instance, shown, {"answers": found, "costs": costs, "curves": curves}, len(places))


def axes_of(instance: Instance) -> list[Axis]:
    """Return what can be moved in the twin: a limit on the whole chain, demand, prices of a country of concern."""
    all_of = controls(instance)
    wanted: list[Callable[[Control], bool]] = [
        lambda c: c["kind"] == "cap" and c["main"],
        lambda c: c["id"] == "demand",
        lambda c: c["id"].startswith("price-"),
    ]
    of = [next(filter(one, all_of), None) for one in wanted]
    return [Axis({**c, "years": [c["first"]]} if "first" in c else c) for c in of if c is not None]


def stops_of(explorer: Explorer, axis: Axis) -> list[float]:
    """Return the values of a control that are worth an answer, all else as it is."""
    control, known = axis.control, dict[float, float | None]()

    def cost(value: float) -> float:
        """The cost at a value; infinite where no plan keeps it."""
        if value not in known:
            known[value] = _cost(explorer, axis.texts(value))
        found = known[value]
        return math.inf if found is None else found

    stops = sorted(v for v in {float(control["least"]), axis.start, float(control["most"])} if cost(v) < math.inf)
    finest = FINEST[control["kind"]]
    while 1 < len(stops) < MOST[control["kind"]]:
        whole = max(map(cost, stops)) - min(map(cost, stops))
        steps = [(abs(cost(b) - cost(a)), a, b) for a, b in pairwise(stops) if b - a > 1.5 * finest]
        if not steps or max(steps)[0] <= PART * whole:
            break
        _, one, other = max(steps)
        middle = round((one + other) / 2 / finest) * finest
        if cost(middle) == math.inf:  # of demand or prices; a limit between two that can be kept can be kept
            break
        stops = sorted({*stops, middle})
    return stops


def _cost(explorer: Explorer, changes: Sequence[str]) -> float | None:
    """Return the cost of the relaxation, MUSD; None if no plan keeps what is asked, or the solver found no answer."""
    try:
        return explorer.cost(in_order(changes))
    except SolverFailed:
        return None


def _alone(axes: Sequence[Axis], place: Sequence[float]) -> bool:
    """Whether nothing but a limit is moved."""
    return all(a.control["kind"] == "cap" or value == a.start for a, value in zip(axes, place, strict=True))


def _answer(explorer: Explorer, kind: str, changes: Sequence[str], alone: bool) -> list[Message]:
    """Return the messages of an answer, without the large diagrams where more than a limit is moved."""
    said: list[Message] = []
    try:
        answers.ASKED[kind](explorer, {"changes": in_order(changes), "brief": not alone}, said.append)
    except (Infeasible, NoPlan, SolverFailed) as error:
        return [{"type": "error", "text": str(error)}]
    return [message for message in said if message["type"] in ("numbers", "sections")]


def _curve(explorer: Explorer, axis: Axis, rest: Sequence[str]) -> Message | None:
    """Return the curve of a limit with all else as given, None if it has too few points."""
    costs = []
    for value in sorted(axis.stops, reverse=True):
        cost = _cost(explorer, [*axis.texts(value), *rest])
        if cost is not None:
            costs.append((value / 100, cost))
    if len(costs) < answers.FEWEST:
        return None
    html, drawings = fragment([answers.curve_section(Names(explorer.instance), costs, None)])
    return {"type": "sections", "kind": "curve", "html": html, "drawings": drawings}


def _packed(messages: Sequence[Message]) -> str:
    text = json.dumps(messages, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")
