"""What all plans near the least cost have in common: no-regret projects, ranges, and plans that differ most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...words import counted, figure_of, listed, rate_of, shortened
from ..parts import BAR, GREEN, GREY, ORANGE, RUNG, Column, Data, Figure, Section, Table, pattern, plain, rungs
from .builds import STARTUP, name_of

if TYPE_CHECKING:
    from ..studies import Row, Study
    from ..view import View

VERDICTS = {
    "always": ("built in every one", GREEN, 0),
    "sometimes": ("built in some", ORANGE, 1),
    "never": ("built in none", GREY, 3),
    "open": ("in all or in none that were found, not proven", GREY, 4),
}
MOST = 25  # projects in the chart
NAMED = 12  # projects named in a cell
SOME = 1e-6  # modules; less is none
UNITS = {
    "least exposure": "demand not served clean, kt present",
    "least capex": "capex, million overnight",
    "least public money": "draws on funds, million",
    "least shortage": "short, kt present",
}


def section(view: View, study: Study) -> Section:
    """The range of each project, the groups, what the slack buys, the plans that differ most."""
    about = study.about
    ranges = _ranges(study)
    best, ceiling = float(about["best_musd"]), float(about["ceiling_musd"])
    counts = {v: sum(r["verdict"] == v for r in ranges) for v in VERDICTS}
    lead = [
        f"All plans that cost at most {rate_of(about['slack'])} more than the least, {view.money(best, 4)} to "
        f"{view.money(ceiling, 4)}, each of which keeps every cap and rule. Of {counted(len(ranges), 'project')} "
        f"{counts['always'] or 'none'} {'is' if counts['always'] < 2 else 'are'} built in every one (no-regret), "
        f"{counts['sometimes'] or 'none'} in some, {counts['never'] or 'none'} in none"
        + (f"; of {counts['open']} that is open." if counts["open"] else ".")
    ]
    unproven = sum(not r["proven"] for r in ranges)
    if unproven:
        lead.append(
            f"The range of {counted(unproven, 'project')} is not proven: it holds what was found, and may be wider."
        )
    parts: list[Figure | Table] = []
    if ranges:
        chosen = [r for r in ranges if r["most"] > SOME]
        parts += [_chart(view, study, chosen)] if chosen else []
        parts.append(_range_table(view, study))
    parts += [_plan_table(view, study)] if len(_plans(study)) > 1 else []
    if study.tables["groups"]:
        parts.append(_group_table(view, study.tables["groups"]))
    if study.tables["buys"]:
        parts.append(_buy_table(study.tables["buys"]))
    return Section("near-best", "What is nearly as good", lead, parts, "Alternatives", study.warnings)


def _ranges(study: Study) -> list[Row]:
    """The ranges, without what the solver's tolerance leaves of nothing."""

    def clean(modules: float) -> float:
        return 0.0 if abs(modules) < SOME else modules

    def year(start: float | None) -> int | None:
        return None if start is None else int(start)

    return [
        {**r, "least": clean(r["least"]), "most": clean(r["most"]), "latest_start": year(r["latest_start"])}
        for r in study.tables["ranges"]
    ]


def _plans(study: Study) -> dict[str, dict[str, float]]:
    """Plan -> option -> modules, the least-cost plan first."""
    plans: dict[str, dict[str, float]] = {}
    for r in study.tables["plans"]:
        modules = plans.setdefault(r["plan"], {})
        if r["option"]:
            modules[r["option"]] = modules.get(r["option"], 0.0) + r["modules"]
    return plans


def _least_cost(study: Study) -> dict[str, float]:
    return next(iter(_plans(study).values()), {})


def _tonnes(view: View, option: str, modules: float) -> float | None:
    return modules * view.options[option].module_t if option in view.options else None


def _country(view: View, option: str) -> str:
    row = view.options.get(option)
    return view.countries[view.facilities[row.facility].country] if row else ""


def _chart(view: View, study: Study, chosen: Sequence[Row]) -> Figure:
    """Ranges as shares of the most that could be built, so that mines and magnet plants share an axis."""
    built = _least_cost(study)
    order = list(VERDICTS)
    shown = sorted(
        chosen, key=lambda r: (order.index(r["verdict"]), -_capex(view, r["option"], r["most"]), r["option"])
    )
    more, shown = len(shown) - MOST, shown[:MOST]
    size = [_most(view, r) for r in shown]
    traces: list[dict[str, Any]] = []
    for verdict, (meaning, colour, look) in VERDICTS.items():
        rows = [n for n, r in enumerate(shown) if r["verdict"] == verdict]
        if not rows:
            continue
        width = [max((shown[n]["most"] - shown[n]["least"]) / size[n], 0.012) for n in rows]
        base = [min(shown[n]["least"] / size[n], 1.0 - w) for n, w in zip(rows, width, strict=True)]
        traces.append(
            {
                **BAR,
                "width": 0.26,
                "offset": 0.02,
                "y": rows,
                "base": base,
                "x": width,
                "name": f"{verdict}: {meaning}",
                "marker": {"color": colour, "pattern": pattern(look), "line": {"color": colour, "width": 2}},
                "customdata": [_spoken(view, shown[n]) for n in rows],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "in the least-cost plan",
            "x": [min(1.0, built.get(r["option"], 0.0) / s) for r, s in zip(shown, size, strict=True)],
            "y": [n + 0.15 for n in range(len(shown))],
            "marker": {"symbol": "diamond", "size": 10, "color": "#1b1f24", "line": {"color": "#fff", "width": 1}},
            "hoverinfo": "skip",
        }
    )
    always = [r for r in shown if r["verdict"] == "always"]
    found = " found" if any(r["verdict"] == "open" for r in study.tables["ranges"]) else ""
    title = f"No project is built in every near-optimal plan{found}"
    if always:
        title = "No regret, in every near-optimal plan: "
        title += listed([name_of(view, r["option"]) for r in always], 4)
    return Figure(
        "near-best-ranges",
        title,
        "Least to most capacity over all near-optimal plans: "
        + "; ".join(f"{name_of(view, r['option'])} {_range(view, r)} ({r['verdict']})" for r in shown[:12])
        + ".",
        {"": traces},
        rungs(
            [_label(view, r) for r in shown],
            {
                "tickformat": ".0%",
                "range": [-0.02, 1.04],
                "title": {"text": "of the most that can be built", "standoff": 12},
            },
            legend=True,
        ),
        Data(
            ("option", "verdict", "least_modules", "most_modules", "proven", "latest_start"),
            [
                (r["option"], r["verdict"], r["least"], r["most"], "yes" if r["proven"] else "no", r["latest_start"])
                for r in _ranges(study)
            ],
        ),
        height=120 + RUNG * len(shown),
        caption="From the least to the most that any near-optimal plan builds; the diamond is the least-cost plan. "
        f"{STARTUP} marks a startup."
        + (f" The {more} smallest are only in the table." if more > 0 else "")
        + (" Projects that none builds are only in the table." if len(chosen) < len(study.tables["ranges"]) else ""),
    )


def _capex(view: View, option: str, modules: float) -> float:
    return modules * view.options[option].capex_musd if option in view.options else 0.0


def _most(view: View, row: Row) -> float:
    """Modules that could be built at most."""
    option = view.options.get(row["option"])
    return max(option.max_modules if option else 0.0, row["most"], SOME)


def _label(view: View, row: Row) -> str:
    name = shortened(name_of(view, row["option"]), 28)
    return f"{name} · {_range(view, row)}{_by(row)}"


def _by(row: Row) -> str:
    return f" · start by {row['latest_start']}" if row["latest_start"] is not None else ""


def _range(view: View, row: Row) -> str:
    """The range in tonnes, or in modules if the option is not of this instance."""
    ends = [_tonnes(view, row["option"], row[end]) for end in ("least", "most")]
    unit = "t" if ends[0] is not None else "modules"
    low, high = (row[e] if t is None else t for e, t in zip(("least", "most"), ends, strict=True))
    if high - low <= SOME * max(1.0, high):
        return f"{figure_of(low)} {unit}"
    return f"{figure_of(low)} to {figure_of(high)} {unit}"


def _spoken(view: View, row: Row) -> str:
    proven = "" if row["proven"] else "<br>not proven: may be wider"
    name, country = plain(name_of(view, row["option"])), plain(_country(view, row["option"]))
    return f"<b>{name}</b> {country}<br>{plain(_range(view, row))}{plain(_by(row))}{proven}"


def _range_table(view: View, study: Study) -> Table:
    built = _least_cost(study)
    order = list(VERDICTS)
    rows = []
    for r in sorted(_ranges(study), key=lambda r: (order.index(r["verdict"]), r["option"])):
        option = view.options.get(r["option"])
        rows.append(
            (
                name_of(view, r["option"]),
                _country(view, r["option"]),
                view.stage_of_facility.get(option.facility, "") if option else "",
                r["verdict"],
                _tonnes(view, r["option"], r["least"]),
                _tonnes(view, r["option"], r["most"]),
                _tonnes(view, r["option"], built.get(r["option"], 0.0)),
                r["latest_start"],
                "yes" if r["proven"] else "no",
            )
        )
    return Table(
        "table-ranges",
        "Always, sometimes, never: every project",
        (
            Column("Project"),
            Column("Country"),
            Column("Stage"),
            Column("Verdict"),
            Column("Least, t a year", "number"),
            Column("Most, t a year", "number"),
            Column("At least cost, t a year", "number"),
            Column("Start by", "year"),
            Column("Proven"),
        ),
        rows,
        folded=len(rows) > 12,
    )


def _plan_table(view: View, study: Study) -> Table:
    """The plans by what they build more and less than the least-cost plan, the dearest difference first."""
    plans = _plans(study)
    cost = {r["plan"]: r["cost_musd"] for r in study.tables["plans"]}
    first = next(iter(plans))
    base = plans[first]
    rows = []
    for number, (plan, modules) in enumerate(plans.items()):
        if plan == first:
            rows.append(("least cost", cost[plan], 0.0, "", ""))
            continue
        change = {o: modules.get(o, 0.0) - base.get(o, 0.0) for o in {*modules, *base}}
        gained = [o for o in change if change[o] > SOME]
        lost = [o for o in change if change[o] < -SOME]
        name = _difference(view, base, modules) or f"alternative {number}: the same, at other times"
        rows.append(
            (
                name,
                cost[plan],
                cost[plan] - cost[first],
                _amounts(view, gained, change),
                _amounts(view, lost, change),
            )
        )
    currency = view.instance.currency
    return Table(
        "table-alternatives",
        "Plans that differ most from each other, by what they build otherwise than the least-cost plan",
        (
            Column("Plan"),
            Column(f"Cost, M{currency}", "number"),
            Column("More than the least", "number"),
            Column("Builds more, t a year"),
            Column("Builds less, t a year"),
        ),
        rows,
    )


def _difference(view: View, base: Mapping[str, float], modules: Mapping[str, float]) -> str:
    """The largest projects that tell a plan from the least-cost plan."""
    words = []
    for o in {*base, *modules}:
        then, now = base.get(o, 0.0), modules.get(o, 0.0)
        if abs(now - then) > SOME:
            word = ("more of" if then > SOME else "with") if now > then else ("less of" if now > SOME else "without")
            words.append((o, f"{word} {name_of(view, o)}"))
    words.sort(key=lambda w: (-_capex(view, w[0], 1.0), w[0]))
    said = ", ".join(text for _, text in words[:3])
    return said + (f" and {len(words) - 3} more" if len(words) > 3 else "")


def _amounts(view: View, options: Sequence[str], change: dict[str, float]) -> str:
    found: dict[str, float] = defaultdict(float)
    for o in options:
        tonnes = _tonnes(view, o, abs(change[o]))
        found[o] = abs(change[o]) if tonnes is None else tonnes
    order = sorted(options, key=lambda o: (-_capex(view, o, abs(change[o])), o))
    said = [f"{name_of(view, o)} {figure_of(found[o])}" for o in order]
    return "; ".join(said[:NAMED] + ([f"and {len(said) - NAMED} more"] if len(said) > NAMED else []))


def _group_table(view: View, groups: Sequence[Row]) -> Table:
    currency = view.instance.currency
    return Table(
        "table-groups",
        "Groups asked for: least and most over all near-optimal plans",
        (
            Column("Group"),
            Column("Least, t a year", "number"),
            Column("Most, t a year", "number"),
            Column(f"Least capex, M{currency}", "number"),
            Column(f"Most capex, M{currency}", "number"),
            Column("Proven"),
        ),
        [
            (g["group"], g["least_t"], g["most_t"], g["least_musd"], g["most_musd"], "yes" if g["proven"] else "no")
            for g in groups
        ],
    )


def _buy_table(buys: Sequence[Row]) -> Table:
    return Table(
        "table-slack",
        "What the slack buys at most",
        (
            Column("Aim"),
            Column("Measured as"),
            Column("At least cost", "number"),
            Column("At best", "number"),
            Column("Proven"),
        ),
        [
            (b["aim"], UNITS.get(b["aim"], ""), b["at_least_cost"], b["best"], "yes" if b["proven"] else "no")
            for b in buys
        ],
    )


def in_words(view: View, study: Study) -> str:
    """What is no-regret, in a sentence."""
    ranges = _ranges(study)
    slack = rate_of(study.about["slack"])
    always = [name_of(view, r["option"]) for r in ranges if r["verdict"] == "always"]
    if not ranges:
        return ""
    if not always:
        found = " found" if any(r["verdict"] == "open" for r in ranges) else ""
        return f"No project is in every plan{found} within {slack} of the least cost."
    never = sum(r["verdict"] == "never" for r in ranges)
    none = f"; {counted(never, 'project')} {'is' if never == 1 else 'are'} in none" if never else ""
    return f"Every plan within {slack} of the least cost builds {listed(always, 5)}{none}."
