"""Dependence over time, traced and by stage, against caps and floors, and what a point of each would save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...instance.metrics import METRICS
from ...language import N_, _, translated
from ...words import commas, full_stop, semicolons, share_of
from ..charts import SHARES, Chart, lines, records
from ..looks import BLACK, STAGES, Look, look
from ..parts import Column, Control, Figure, Section, Table

if TYPE_CHECKING:
    import pandas as pd

    from ..view import View

TRACED = N_("traced, end to end")


def section(view: View) -> Section:
    """Traced and stage shares by year; each cap against its share; the table of caps."""
    caps = view.tables["dependence"]
    caps = caps[(caps["cap"] != "") & (caps["metric"] != "impact")]  # impacts have a section of their own
    lead = [
        _(
            "Traced: share of the delivered tonnes for which some step of the chain was made in, "
            "bought from or tied to {concern}. By stage: share of what is made or bought at that "
            "stage alone. A stage can look safe while what goes into it is not; the traced line "
            "shows it.",
            concern=view.concern_name,
        ),
        _("All shares are of the chain in this instance, not of the world."),
    ]
    parts: list[Figure | Table | None] = [_shares(view)]
    if caps.empty:
        lead.append(_("The instance sets no cap on dependence."))
    else:
        parts += [_caps(view, caps), _cap_table(view, caps)]
    return Section("dependence", _("Dependence over time"), lead, parts)


def _limit(colour: str) -> Look:
    """A cap: a short level stroke in each year."""
    return Look(colour, dash="none", symbol="line-ew", size=16)


def _points(name: str, shares: dict[int, float]) -> list[dict[str, object]]:
    return [{"line": name, "year": year, "share": share} for year, share in shares.items()]


def _shares(view: View) -> Figure:
    """Dependence by year with its caps: traced, by stage, and by material."""
    table = view.tables["dependence"]
    own = table[table["cap"] == ""]
    traced, looks = _points(translated(TRACED), view.exposed_share), {translated(TRACED): Look(BLACK, width=4)}
    stages, caps = list(traced), _points(_("cap on traced"), _limits(table, "exposed_share", ""))
    looks[_("cap on traced")] = _limit(BLACK)
    for n, (stage, shares) in enumerate(view.stage_share.items()):
        stages += _points(stage, shares)
        caps += _points(_("cap on {stage}", stage=stage), _limits(table, "stage_share", stage))
        looks |= {stage: look(n, STAGES), _("cap on {stage}", stage=stage): _limit(STAGES[n % len(STAGES)])}
    by_material = own[(own["metric"] == "stage_share") & (own["material"] != "")]
    materials = [{**r, "line": view.materials[r["material"]]} for r in records(by_material)]
    colours = {m: look(n, STAGES) for n, m in enumerate(dict.fromkeys(r["line"] for r in materials))}
    most = max((r["share"] for r in [*stages, *caps]), default=0.0)  # type: ignore[type-var]
    axis = {"tickformat": ".0%", "range": [0, max(0.1, 1.08 * most)]}  # type: ignore[operator]

    def drawn(rows: list[dict[str, object]], looks: dict[str, Look]) -> Chart:
        return lines(rows, "year", "share", "line", yaxis=axis, looks=looks, xs=view.years, height=420)

    return Figure(
        "dependence-shares",
        _title(view),
        _summary(view),
        {
            _("Traced and stages"): drawn([*stages, *caps], looks),
            _("Traced and materials"): drawn([*traced, *materials], {**looks, **colours}),
        },
        columns="metric stage material year share",
        rows=own,
    )


def _limits(table: pd.DataFrame, metric: str, stage: str) -> dict[int, float]:
    """The tightest cap on all of a metric, by year."""
    rows = table[(table["cap"] != "") & (table["metric"] == metric) & (table["stage"] == stage)]
    rows = rows[(rows["material"] == "") & (rows["country"] == "") & (rows["sector"] == "")]
    return {
        int(y): float(limit) for y, limit in rows.groupby("year", sort=False)["limit"].min().clip(upper=1.0).items()
    }


def _title(view: View) -> str:
    shares = view.exposed_share
    if not shares:
        return _("Nothing is delivered, so there is no dependence to trace")
    first, last = min(shares), max(shares)
    if first == last:
        return _(
            "Traced dependence on {concern} is {share} in {year}",
            concern=view.concern_name,
            share=share_of(shares[first]),
            year=first,
        )
    ends = [_("{share} in {year}", share=share_of(shares[y]), year=y) for y in (first, last)]
    return _("Traced dependence on {concern}: {parts}", concern=view.concern_name, parts=commas(ends))


def _summary(view: View) -> str:
    parts = []
    for name, shares in ((_("Traced"), view.exposed_share), *view.stage_share.items()):
        if shares:
            first, last = min(shares), max(shares)
            parts.append(
                _(
                    "{name} {share} in {first}, {last_share} in {last}",
                    name=name,
                    share=share_of(shares[first]),
                    first=first,
                    last_share=share_of(shares[last]),
                    last=last,
                )
            )
    return full_stop(semicolons(parts)) if parts else _("Nothing is delivered.")


def _caps(view: View, caps: pd.DataFrame) -> Figure:
    """One chart per cap: its share (of the nearest countries where there are many) and its limit."""
    charts: dict[str, Chart] = {}
    for cap, rows in caps.groupby("cap", sort=False):
        near = list(rows.groupby("country", sort=False)["share"].max().sort_values(ascending=False).head(5).index)
        shares = [{**r, "line": r["country"]} for r in records(rows)]
        limits = _points(_("limit"), dict(zip(rows["year"], rows["limit"], strict=True)))
        names = {c: view.countries.get(c, c) or _("share") for c in near}
        colours = {name: look(n, STAGES) for n, name in enumerate(names.values())}
        charts[str(cap)] = lines(
            [*shares, *limits], "year", "share", "line", yaxis=SHARES, xs=view.years, height=340,
            groups=[*((name, [c]) for c, name in names.items()), (_("limit"), [_("limit")])],
            looks={**colours, _("limit"): _limit(BLACK)},
        )  # fmt: skip
    binding = sorted(set(caps[caps["marginal_musd_per_point"] > 1e-9]["cap"]))
    return Figure(
        "dependence-caps",
        _("Caps against what the plan reaches: {n} of {all} bind in some year", n=len(binding), all=len(charts)),
        _("Binding: {names}.", names=commas(binding) if binding else _("none")),
        charts,
        (Control(_("Cap"), list(charts), binding[0] if binding else None),),
        rows=caps,
    )


def _cap_table(view: View, caps: pd.DataFrame) -> Table:
    def what(r: dict[str, str]) -> str:
        words = [translated(METRICS[r["metric"]].short), r["stage"] or view.materials.get(r["material"], ""),
                 view.countries.get(r["country"], r["country"]), view.sectors.get(r["sector"], "")]  # fmt: skip
        return " ".join(filter(None, words))

    far = (caps["metric"] == "single_country_share") & ~(caps["share"] > 0.75 * caps["limit"])  # they say nothing
    floors = view.instance.floors
    currency = view.instance.currency
    title = _("Every cap and year, with what one percentage point more would save (million {currency}, present value)")
    if floors.intersection(caps["cap"]):
        title = _(
            "Every cap and year, with what one percentage point more, of a floor one point less, would save "
            "(million {currency}, present value)"
        )
    return Table(
        "table-caps",
        title.format(currency=currency),
        caps[~far],
        (
            Column(_("Cap"), lambda r: _("{cap} (floor)", cap=r["cap"]) if r["cap"] in floors else r["cap"]),
            Column(_("Of"), what),
            Column(_("Year"), "year", "year"),
            Column(_("Share"), "share", "share"),
            Column(_("Limit"), "limit", "share"),
            Column(_("Saving per point, {unit}", unit=view.musd), "marginal_musd_per_point", "number"),
        ),
    )
