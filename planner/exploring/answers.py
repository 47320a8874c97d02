"""What is said to a question, as messages that JSON can hold: numbers first, then the sections of the report.

A message has a ``type``:
``numbers``   of a plan: its ``kind`` (relaxed, whole), ``keys`` as at the top of a report, ``rows`` to be compared
``sections``  of the same plan: ``html`` with all names escaped, and ``drawings`` of its figures
``standing``  of a search: ``best`` (None: no plan yet) and ``bound``, MUSD
``range``     of the project ``option``: ``least`` and ``most`` modules in what costs little more than the least
``saved``     a sentence that tells where a run was written
``error``     a sentence
``cost``      of the relaxation, MUSD, as soon as it is known
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..questions.explore import Explorer, command, in_order
from ..reporting import charts
from ..reporting.looks import BLUE, VERMILLION, Look
from ..reporting.page import fragment
from ..reporting.parts import Figure, Section
from ..reporting.sections import builds, chain, costs, dependence, findings, needs, outlays, worldmap
from ..reporting.view import Names, View
from ..solving.solver import Standing
from ..words import figure_of, share_of
from . import stops
from .words import WORDS

if TYPE_CHECKING:
    from ..runs.run import Run

Message = dict[str, Any]
Say = Callable[[Message], None]
Asked = dict[str, Any]  # a question: its ``changes``, and what the kind of question needs besides
SOME = 1e-3  # t, modules: less is nothing
SAME = 1e-8  # relative: costs this close are one
FEWEST = 3  # points that make a curve


def relaxed(explorer: Explorer, asked: Asked, say: Say) -> None:
    """Tell the exact relaxation after what-ifs, its cost first; a ``brief`` one without the large diagrams."""

    def progress(line: str) -> None:
        if isinstance(line, Standing):
            say({"type": "cost", "cost": line.best})

    _tell(explorer.relaxed(asked["changes"], progress), "relaxed", say, asked.get("brief", False))


def whole(explorer: Explorer, asked: Asked, say: Say) -> None:
    """Tell how the search for a plan of whole projects after what-ifs stands, then the plan.

    With a ``folder`` the plan is written there as a run, and only that is told; with a ``stop`` what that does to it.
    """

    def progress(line: str) -> None:
        if isinstance(line, Standing) and math.isfinite(line.bound):
            best = line.best if math.isfinite(line.best) else None
            say({"type": "standing", "best": best, "bound": line.bound})

    run = explorer.whole(asked["changes"], progress)
    if stop := asked.get("stop"):
        html, drawings = fragment([stops.tried(run, **stop)])
        say({"type": "sections", "kind": "stop", "html": html, "drawings": drawings})
    elif folder := asked.get("folder"):
        run.plan["command"] = command(run.instance, explorer.gap)
        run.write(folder, overwrite=True)
        say({"type": "saved", "text": WORDS["saved"].format(folder=folder)})
    else:
        _tell(run, "whole", say)


def curve(explorer: Explorer, asked: Asked, say: Say) -> None:
    """Tell what the relaxation costs at limits, the loosest first, as a section that grows.

    asked  ``points``, each a limit (share) and its what-if, to be made after the ``changes``; and where the reader
           is, ``here``: the limit, or None
    """
    names, costs = Names(explorer.instance), []
    for limit, text in sorted(asked["points"], reverse=True):
        cost = explorer.cost(in_order([*asked["changes"], text] if limit < 1.0 else asked["changes"]))
        if cost is None:
            continue  # no plan keeps this limit, nor a tighter one
        costs.append((limit, cost))
        if len(costs) >= FEWEST:
            html, drawings = fragment([curve_section(names, costs, asked["here"])])
            say({"type": "sections", "kind": "curve", "html": html, "drawings": drawings})


def curve_section(names: Names, costs: Sequence[tuple[float, float]], here: float | None) -> Section:
    """Return the curve of cost against a limit, the loosest limit first.

    costs  limit (share) and cost, MUSD
    here   the reader's limit; None: no limit
    """
    base = costs[0][1]
    extra = {limit: cost - base if cost - base > SAME * abs(base) else 0.0 for limit, cost in costs}
    column = f"extra_m{names.instance.currency.lower()}"
    rows: list[dict[str, Any]] = [
        {"limit": limit, column: musd, "here": musd if limit == here else None} for limit, musd in extra.items()
    ]
    chart = charts.lines(
        rows,
        "limit",
        {column: WORDS["curve line"], "here": WORDS["curve here"]},
        xaxis={**charts.SHARES, "range": [1.02, -0.02], "title": {"text": WORDS["curve limit"]}},
        yaxis=charts.amounts(WORDS["curve extra"].format(musd=names.musd), list(extra.values())),
        looks={
            WORDS["curve line"]: Look(BLUE),
            WORDS["curve here"]: Look(VERMILLION, dash="none", symbol="diamond", size=14),
        },
        hover="%{y:,.0f}",
    )
    last = costs[-1][0]
    title = WORDS["curve title"].format(extra=names.money(extra[last]), limit=share_of(last))
    figure = Figure("explore-curve", title, title, chart, columns=f"limit {column}", caption=WORDS["curve caption"])
    return Section("curve", WORDS["curve"], [], (figure,))


def freedom(explorer: Explorer, asked: Asked, say: Say) -> None:
    """Tell the range of each project in what costs little more than the least, one after the other.

    asked  ``slack`` (share), and ``held``: option -> modules
    """
    names = Names(explorer.instance)
    for option, least, most in explorer.freedom(asked["changes"], asked["slack"], asked["held"]):
        if most > SOME:
            named = {"option": option, "label": names.project(option), "where": names.home(option)}
            say({"type": "range", **named, "least": least, "most": most})


ASKED: Mapping[str, Callable[[Explorer, Asked, Say], None]] = {
    "relaxed": relaxed, "whole": whole, "curve": curve, "freedom": freedom,
}  # fmt: skip


def _tell(run: Run, kind: str, say: Say, brief: bool = False) -> None:
    view = View(run.instance, run)
    say(numbers(view, kind))
    sections = [
        dependence.section(view),
        builds.section(view),
        needs.shortages(view),
        costs.section(view),
        needs.funding(view),
        outlays.section(view),
        *([] if brief else [chain.section(view), worldmap.section(view)]),
    ]
    html, drawings = fragment(sections)
    say({"type": "sections", "kind": kind, "html": html, "drawings": drawings})


def numbers(view: View, kind: str) -> Message:
    """Return the numbers of a plan, to be shown and to be compared."""
    plan = view.plan
    short, _ = findings.totals(view)
    shares, last = view.exposed_share, view.years[-1]
    projects = int(view.tables["builds"]["option"].nunique())
    rows = [_row(WORDS["row cost_musd"].format(musd=view.musd), plan["objective_musd"])]
    rows += [_row(WORDS["row exposed"].format(year=y), shares.get(y), share=True) for y in _years(view)]
    for stage in view.instance.stages:
        rows.append(_row(WORDS["row stage"].format(stage=stage, year=last), view.stage_share[stage].get(last), True))
    rows.append(_row(WORDS["row short_t"], short if short > SOME else 0.0))
    rows.append(_row(WORDS["row capex_musd"].format(musd=view.musd), plan["metrics"]["capex_musd"]))
    rows.append(_row(WORDS["row projects"], projects))
    keys = [asdict(key) for key in findings.keys(view)]
    if kind == "relaxed":
        keys[0]["more"] = WORDS["bound only"]
    return {
        "type": "numbers",
        "kind": kind,
        "cost": plan["objective_musd"],
        "bound": plan["bound_musd"],
        "gap": plan["gap"],
        "metrics": plan["metrics"],
        "keys": keys,
        "rows": rows,
        "matched": [f"{made.change}: {made.did}" for made in view.instance.changes if not made.place],
        "command": shlex.join(
            ["planner", *command(view.instance, None if kind == "relaxed" else plan["settings"]["gap"])]
        ),
    }


def _years(view: View) -> list[int]:
    """The years of which the traced dependence is compared: the middle one and the last."""
    return sorted({view.years[len(view.years) // 2], view.years[-1]})


def _row(label: str, value: float | None, share: bool = False) -> Message:
    written = "–" if value is None else share_of(value) if share else figure_of(value, 6)
    return {"label": label, "value": value, "written": written, "share": share}
