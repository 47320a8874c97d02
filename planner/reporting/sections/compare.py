"""This plan beside others: cost by part, dependence by year, and what is built, paid and short otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...bands import Band, Searched, difference
from ...words import capital, figure_of, listed, share_of
from ..charts import SHARES, amounts, columns, lines
from ..looks import look
from ..parts import Column, Figure, Section, Table

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import Names, View

SOME_T, SOME_MUSD, SOME_SHARE = 0.5, 1e-6, 1e-6
MOST = 200  # rows of a table


def section(view: View, study: Shown) -> Section:
    """This plan beside the others."""
    return beside(view, study, _mine(view, study))


def beside(view: Names, study: Shown, mine: str = "") -> Section:
    """Totals, cost by part, dependence, and the differences; ``mine`` is the name of the page's own plan, if any."""
    names = _names(study)
    years = study.about["years"]
    lead = [
        f"{capital(listed([_quoted(n, mine) for n in names]))}, over {years[0]}-{years[-1]}. Changes are of "
        f"{_quoted(names[-1])} against {_quoted(names[0])}."
    ]
    lead += [f"Note: {note}" for note in study.about.get("notes", ())]
    parts = [
        _cost_chart(view, study, names, mine) if _same_money(study) else None,
        _dependence(view, study, names, mine),
        _totals(study, names, mine),
        *(
            _differences(view, study, mine, name, title, least)
            for name, title, least in (
                ("builds", "Built otherwise, t a year", SOME_MUSD),
                ("funding", f"Paid otherwise, {view.musd}", SOME_MUSD),
                ("shortages", "Short otherwise, t over the years in common", SOME_T),
                ("flows", "Moved otherwise, t over the years in common", SOME_T),
            )
        ),
    ]
    return Section("rivals", "Beside other plans", lead, parts, "Compared", study.warnings)


def _names(study: Shown) -> list[str]:
    return [str(n) for n in study.about["names"]]


def _same_money(study: Shown) -> bool:
    """Whether costs of the plans can be set side by side: all in one currency, price year and discount rate."""
    return len(set(study.about.get("money", ()))) <= 1


def _mine(view: View, study: Shown) -> str:
    """The name of this page's plan among those compared."""
    this = view.run.digest
    return _names(study)[list(study.about["of"]).index(this)]


def _called(name: str, mine: str) -> str:
    return f"{name} (this plan)" if name == mine else name


def _quoted(name: str, mine: str = "") -> str:
    return f"“{name}” (this plan)" if name == mine else f"“{name}”"


def _cost_chart(view: Names, study: Shown, names: Sequence[str], mine: str) -> Figure:
    parts = [r for r in study.tables["totals"] if str(r["quantity"]).startswith("of which ")]
    total = _cost(study)
    shown = [r for r in parts if any(abs(r[n] or 0.0) > SOME_MUSD for n in names)]
    return Figure(
        "rivals-cost",
        _dearer(view, _band(study, names[-1], names[0]), _quoted(names[-1]), _quoted(names[0])),
        "Cost: " + "; ".join(f"{_called(n, mine)} {view.money(total[n], 4)}" for n in names) + ".",
        columns(
            shown,
            {n: _called(n, mine) for n in names},
            {n: figure_of(total[n], 4) for n in names},
            amounts(f"{view.musd} present value", [total[n] or 0.0 for n in names]),
            called=lambda r: str(r["quantity"]).removeprefix("of which "),
        ),
        rows=[{k: r[k] for k in ("quantity", *names)} for r in (total, *shown)],
    )


def _dependence(view: Names, study: Shown, names: Sequence[str], mine: str) -> Figure | None:
    """Share by year of each plan: traced, or of one stage."""
    by: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for r in study.tables["dependence"]:
        if r["metric"] in ("exposed_share", "stage_share"):
            kept = {n: r[n] for n in names}
            by[r["metric"], r["stage"] or ""].append({k: r[k] or "" for k in ("metric", "stage", "year")} | kept)
    keys = [k for k in (("exposed_share", ""), *(("stage_share", s) for s in view.instance.stages)) if k in by]
    if not keys:
        return None
    looks = {_called(name, mine): look(n) for n, name in enumerate(names)}
    if mine:
        looks[_called(mine, mine)] = looks[_called(mine, mine)]._replace(dash="solid", width=4)
    charts = {
        "traced, end to end" if not stage else f"stage {stage}": lines(
            by[metric, stage], "year", {n: _called(n, mine) for n in names}, yaxis=SHARES, looks=looks,
            xs=[int(y) for y in study.about["years"]],
        )
        for metric, stage in keys
    }  # fmt: skip
    last = max(by[keys[0]], key=lambda r: r["year"])
    said = [f"{_called(n, mine)} {share_of(last[n])}" for n in names if last[n] is not None]
    kind = "Traced dependence" if keys[0][0] == "exposed_share" else f"Dependence of {keys[0][1]}"
    return Figure(
        "rivals-dependence",
        f"{kind} in {last['year']}: {listed(said, 4)}",
        f"In {last['year']}: {', '.join(said)}.",
        charts,
    )


def _columns(names: Sequence[str], mine: str) -> tuple[Column, ...]:
    return (*(Column(_called(n, mine), n, "number") for n in names), Column("Change", "change", "number"))


def _totals(study: Shown, names: Sequence[str], mine: str) -> Table:
    keys = (Column("What", "quantity"), Column("Unit", "unit"))
    return Table("table-rivals", "In all", study.tables["totals"], (*keys, *_columns(names, mine)), folded=False)


def _differences(view: Names, study: Shown, mine: str, table: str, title: str, least: float) -> Table | None:
    """The rows in which the plans differ, the largest first; None if there are none."""
    names = _names(study)

    def spread(row: Row) -> float:
        values = [row[n] or 0.0 for n in names]
        return max(values) - min(values)

    rows = [r for r in study.tables[table] if spread(r) > least or " / " in str(r.get("when", ""))]
    if not rows:
        return None
    rows.sort(key=spread, reverse=True)
    more = f" (the largest {MOST} of {len(rows):,})" if len(rows) > MOST else ""
    keys = [
        Column({"when": "Starts"}.get(k, k.capitalize()), lambda r, k=k: _word(view, k, r[k]))  # type: ignore[misc]
        for k in rows[0]
        if k not in (*names, "change", "facility")
    ]
    shown = (*keys, *_columns(names, mine))
    return Table(f"table-rival-{table}", f"{title}{more}", rows[:MOST], shown, folded=len(rows) > 12)


def _word(view: Names, key: str, value: Any) -> str:
    text = str(value or "")
    if key == "option":
        return view.project(text)
    known = {"country": view.countries, "origin": view.countries, "destination": view.countries,
             "sector": view.sectors, "material": view.materials}  # fmt: skip
    return known[key].get(text, text) if key in known else text


def in_words(view: View, study: Shown) -> str:
    """What this plan costs against the first of the others."""
    names, mine = _names(study), _mine(view, study)
    other = next((n for n in names if n != mine), None)
    if other is None or not _same_money(study):
        return ""
    return _dearer(view, _band(study, mine, other), "This plan", f"the plan {_quoted(other)}") + "."


def _cost(study: Shown) -> Row:
    return next(r for r in study.tables["totals"] if r["quantity"] == "cost")


def _band(study: Shown, name: str, base: str) -> Band:
    """By how much the least cost of one plan's instance is above that of another."""
    cost, names, of = _cost(study), _names(study), study.about["of"]
    one, other = (Searched(cost[n], study.about["bounds"][names.index(n)]) for n in (name, base))
    if of[names.index(name)] == of[names.index(base)]:  # one and the same plan
        one = other = Searched(one.cost, one.cost)
    return difference(one, other)


def _dearer(view: Names, band: Band, this: str, other: str) -> str:
    """Which of two plans costs more, if the gaps of their searches do not leave it open."""
    if band.same:
        return f"{this} costs the same as {other}"
    if not band.sign:
        return f"{this} and {other} cannot be told apart by cost: {band.told(view.money)}, by the gaps of the searches"
    return f"{this} costs {band.told(view.money)} than {other}"
