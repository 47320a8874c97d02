"""What binds: each limit that costs something, and what a step of it would save."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...language import _, p_, translated
from ...questions.explain.result import STEPS, how_in_words, step_of
from ...words import capital, figure_of, shortened, told
from ..charts import amounts
from ..parts import Column, Control, Figure, Table
from ..ranked import Bar, ranked

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

MOST = 15  # bars of a chart; the table holds the rest


def limits_of(view: View, study: Shown) -> list[Row]:
    """Limits that bind, all years of one together, the most valuable first."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in study.tables["binding"]:
        groups[tuple(str(row[k]) for k in ("kind", "name", "country", "unit", "how"))].append(row)
    found = []
    for (kind, name, country, unit, how), rows in groups.items():
        top = max(rows, key=lambda r: (r["saves_musd"], -r["year"]))
        years = sorted(r["year"] for r in rows if r["year"])
        found.append(
            {
                "kind": translated(kind.replace("_", " ")),
                "name": _called(view, name),
                "country": view.countries.get(country, country),
                "unit": translated(STEPS[kind]),
                "step": step_of(kind, unit, [r["step"] for r in rows]),
                "saves_musd": sum(r["saves_musd"] for r in rows),
                "rate": _(
                    "{amount} a {unit}", amount=figure_of(sum(r["worth_musd"] for r in rows), 4), unit=translated(unit)
                ),
                "holds": "no" if any(r["holds"] == "no" for r in rows) else rows[0]["holds"],
                "first_year": years[0] if years else None,
                "last_year": years[-1] if years else None,
                "most": top["year"] or None,
                "says": top["says"],
                "how": how_in_words(how),
            }
        )
    return sorted(found, key=lambda r: (-r["saves_musd"], r["kind"], r["name"], r["country"]))


def _called(view: View, key: str) -> str:
    """A row of the instance by its name, if it is a plant, a project or a sector; else by its key."""
    if key in view.facilities:
        return view.facilities[key].name
    return view.project(key) if key in view.options else view.sectors.get(key, key)


def said_of(limit: Row) -> str:
    if not limit["country"]:
        return _("{kind} {name}", kind=limit["kind"], name=limit["name"])
    return _("{kind} {name} ({country})", kind=limit["kind"], name=limit["name"], country=limit["country"])


def _label(limit: Row) -> str:
    name = shortened(limit["name"], 36)
    said = name if limit["kind"] == _("capacity") else _("{kind} {name}", kind=limit["kind"], name=name)
    return f"{said} · {limit['country']}" if limit["country"] else said


def chart(view: View, limits: Sequence[Row]) -> Figure:
    """What a step of each limit would save; limits with one kind of step share a chart."""
    views = {}
    bar = Bar("saves_musd", text=figure_of, says=lambda r: [said_of(r), r["step"], r["says"], r["how"]])
    for unit in dict.fromkeys(r["unit"] for r in limits):
        rows = [r for r in limits if r["unit"] == unit]
        axis = amounts(_("million {currency}", currency=view.instance.currency), [r["saves_musd"] for r in rows[:MOST]])
        views[unit] = ranked(rows, _label, [bar], axis, most=MOST)
    first = limits[0]
    each = [
        _("{limit}, {step}: {amount}", limit=said_of(r), step=r["step"], amount=view.money(r["saves_musd"]))
        for r in limits[:6]
    ]
    return Figure(
        "reasons-limits",
        _(
            "{limit}: {step} would save {amount}",
            limit=capital(said_of(first)),
            step=first["step"],
            amount=view.money(first["saves_musd"]),
        ),
        told(_("What easing each limit by a tenth, a point or a year would save, in all its years"), each),
        views,
        (Control(_("What it would save"), list(views)),),
        columns="kind name country first_year last_year step saves_musd rate holds says how",
        rows=limits,
        caption=_(
            "Saving in present value, all years of the limit together. Points and years are not comparable with "
            "tenths, so each kind of step has a chart of its own."
        ),
    )


def table(view: View, limits: Sequence[Row]) -> Table:
    return Table(
        "table-limits",
        _("Every limit that binds"),
        limits,
        (
            Column(_("Limit"), "name"),
            Column(_("Kind"), "kind"),
            Column(_("Country"), "country"),
            Column(p_("time", "From"), "first_year", "year"),
            Column(p_("time", "To"), "last_year", "year"),
            Column(_("Step"), "step"),
            Column(_("Saves, {unit}", unit=view.musd), "saves_musd", "number"),
            Column(_("At the margin, {unit}", unit=view.musd), "rate"),
            Column(_("Holds over the step"), lambda r: translated(r["holds"]) if r["holds"] else ""),
            Column(_("Most in"), "most", "year"),
            Column(_("In words"), "says"),
            Column(_("How"), "how"),
        ),
    )
