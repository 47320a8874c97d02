"""Where the delivered tonnes truly come from, stage by stage, from the origin ledger of the run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ...language import N_, _, n_, translated
from ...runs.origin import RECYCLED, UNKNOWN
from ...words import commas, share_of
from ..charts import largest, shares
from ..looks import GREEN, GREY, PALE, Look
from ..parts import Column, Control, Figure, Section, Table, years

if TYPE_CHECKING:
    from ..view import View

RECYCLED_OR_UNKNOWN = (N_("recycled"), N_("unknown"))
COLUMNS = ("country", "sector", "material", "stage", "origin", "year", "t", "share")
MOST = 6  # origins shown by name besides countries of concern

Shares = dict[tuple[str, str, int], dict[str, float]]  # consumer ("" all), stage, year -> origin -> share


def section(view: View) -> Section | None:
    """Origins by stage, for all consumers and for each; None if the run has no origin ledger."""
    table = view.tables.get("origin")
    if table is None or table.empty or not set(COLUMNS) <= set(table.columns):
        return None
    lead = [
        _(
            "For every tonne delivered: in which country each stage of it was done, traced in proportion through each "
            "country's pool; what was recycled is an origin of its own. This shows what the shares by stage hide."
        ),
    ]
    found: Shares = defaultdict(lambda: defaultdict(float))
    total: dict[str, float] = defaultdict(float)
    for r in table.itertuples():
        total[r.origin] += r.t
        for consumer in ("", r.country):
            found[consumer, r.stage, r.year][r.origin] += r.t
    for by in found.values():
        tonnes = sum(by.values())
        by.update({origin: t / tonnes if tonnes > 0 else 0.0 for origin, t in by.items()})
    there = {stage for _consumer, stage, _year in found}
    stages = [s for s in view.instance.stages if s in there] + sorted(there - set(view.instance.stages))
    used = {consumer for consumer, *__ in found}
    consumers = {"": _("All users"), **{c: name for c, name in view.countries.items() if c in used}}
    parts: list[Figure | Table | None] = [
        _figure(view, found, total, stages, consumers),
        _table(view, found, stages, consumers),
    ]
    return Section("origins", _("Where it truly comes from"), lead, parts)


def _through(view: View, by: dict[str, float]) -> float:
    """The share that went through countries of concern."""
    return sum(x for origin, x in by.items() if origin in view.concern)


def _figure(view: View, found: Shares, total: dict[str, float], stages: list[str], consumers: dict[str, str]) -> Figure:
    """Shares of origins at each stage, for a consumer and a year to be chosen."""
    concern = [(view.countries[c], [c]) for c in sorted(view.concern) if c in total]
    own = {o: t for o, t in total.items() if o not in view.concern}
    named = largest(
        own, lambda o: view.countries.get(o) or translated(o), MOST, lambda n: n_("{n} other", "{n} others", n)
    )
    known = {**view.country_looks, translated(RECYCLED): Look(GREEN), translated(UNKNOWN): Look(GREY, "x")}
    looks = {name: known.get(name, Look(PALE)) for name, *_keys in [*concern, *named]}
    charts = {}
    for consumer, name in consumers.items():
        for year in view.years:
            here = {s: found.get((consumer, s, year), {}) for s in stages}
            rows = [{"stage": s, "origin": o, "share": x} for s, by in here.items() for o, x in by.items()]
            told = [f"{s} {share_of(_through(view, by))}" for s, by in here.items()]
            charts[consumer, year] = replace(
                shares(rows, "share", "stage", "origin", stages, [*concern, *named], looks),
                caption=_(
                    "Through {concern} in {year}, of what {name} gets: {parts}.",
                    concern=view.concern_name,
                    year=year,
                    name=name,
                    parts=commas(told),
                )
                if consumer
                else _(
                    "Through {concern} in {year}, of all that is delivered: {parts}.",
                    concern=view.concern_name,
                    year=year,
                    parts=commas(told),
                ),
            )
    return Figure(
        "origins-stages",
        _("Of what is delivered, how much went through {concern} at each stage", concern=view.concern_name),
        charts["", view.years[-1]].caption or "",
        charts,
        (Control(_("Delivered to"), consumers), years(view.years)),
        columns=" ".join(COLUMNS),
        rows=view.tables["origin"],
    )


def _table(view: View, found: Shares, stages: list[str], consumers: dict[str, str]) -> Table:
    last = view.years[-1]
    shown = [c for c in consumers if any(found.get((c, s, last)) for s in stages)]
    rows = [
        ((consumers[c] if c else _("all users")), *(_through(view, by) if by else None for by in mine))
        for c in sorted(shown, key=lambda c: (c != "", consumers[c]))
        if (mine := [found.get((c, s, last)) for s in stages])
    ]
    return Table(
        "table-origins",
        _("Share that went through {concern}, by user, in {year}", concern=view.concern_name, year=last),
        rows,
        (Column(_("Delivered to"), 0), *(Column(s, n, "share") for n, s in enumerate(stages, start=1))),
        folded=False,
    )
