"""What is said to a question, as messages that JSON can hold: numbers first, then the sections of the report.

A message has a ``type``:
``numbers``   of a plan: its ``kind`` (relaxed, whole), ``keys`` as at the top of a report, ``rows`` to be compared
``sections``  of the same plan: ``html`` with all names escaped, and ``drawings`` of its figures
``standing``  of a search: ``best`` (None: no plan yet) and ``bound``, MUSD
``point``     of the curve: the ``limit`` (share) and its ``cost``, MUSD (None: no plan)
``error``     a sentence
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..questions.explore import Explorer, command
from ..reporting.page import fragment
from ..reporting.sections import builds, chain, costs, dependence, findings, needs, outlays, worldmap
from ..reporting.view import View
from ..solving.solver import Standing
from ..words import figure_of, share_of
from .words import WORDS

if TYPE_CHECKING:
    from ..runs.run import Run

Message = dict[str, Any]
Say = Callable[[Message], None]
SOME = 1e-3  # t: less is nothing


def relaxed(explorer: Explorer, changes: Sequence[str], say: Say) -> None:
    """Tell the exact relaxation after what-ifs."""
    _tell(explorer.relaxed(changes), "relaxed", say)


def whole(explorer: Explorer, changes: Sequence[str], say: Say) -> None:
    """Tell how the search for a plan of whole projects after what-ifs stands, then the plan."""

    def progress(line: str) -> None:
        if isinstance(line, Standing) and math.isfinite(line.bound):
            best = line.best if math.isfinite(line.best) else None
            say({"type": "standing", "best": best, "bound": line.bound})

    _tell(explorer.whole(changes, progress), "whole", say)


ASKED: Mapping[str, Callable[[Explorer, Any, Say], None]] = {"relaxed": relaxed, "whole": whole}


def _tell(run: Run, kind: str, say: Say) -> None:
    view = View(run.instance, run)
    say(numbers(view, kind))
    sections = [
        dependence.section(view),
        builds.section(view),
        needs.shortages(view),
        costs.section(view),
        needs.funding(view),
        outlays.section(view),
        chain.section(view),
        worldmap.section(view),
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
        "binding": binding(view),
        "matched": [f"{made.change}: {made.did}" for made in view.instance.changes if not made.place],
        "command": command(view.instance, kind == "relaxed"),
    }


def _years(view: View) -> list[int]:
    """The years of which the traced dependence is compared: the middle one and the last."""
    return sorted({view.years[len(view.years) // 2], view.years[-1]})


def _row(label: str, value: float | None, share: bool = False) -> Message:
    written = "–" if value is None else share_of(value) if share else figure_of(value, 6)
    return {"label": label, "value": value, "written": written, "share": share}


def binding(view: View, most: int = 8) -> list[Message]:
    """Return the caps that bind, the dearest first, with what a point more would save, MUSD present value."""
    rows = view.tables["dependence"]
    held = rows[(rows["cap"] != "") & (rows["marginal_musd_per_point"] > 1e-9)]
    held = held.sort_values("marginal_musd_per_point", ascending=False).head(most)
    return [
        {"cap": r.cap, "country": r.country, "year": r.year, "limit": r.limit, "musd": r.marginal_musd_per_point}
        for r in held.itertuples()
    ]
