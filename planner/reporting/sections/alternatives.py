"""What all plans near the least cost have in common: no-regret projects, ranges, and plans that differ most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...bands import ROUNDING
from ...language import N_, _, n_, p_, translated
from ...questions.alternatives.result import coverage_in_words, too_wide, without_projects
from ...words import commas, figure_of, full_stop, listed, rate_of, semicolons, shortened, told
from ..looks import GREEN, GREY, ORANGE, Look
from ..parts import Column, Figure, Section, Table, project_columns
from ..ranked import Bar, Mark, ranked
from ..view import STARTUP

if TYPE_CHECKING:
    from ..studies import Row, Shown
    from ..view import View

VERDICTS = {
    N_("always"): (N_("built in every one"), Look(GREEN)),
    N_("sometimes"): (N_("built in some"), Look(ORANGE, "/")),
    N_("never"): (N_("built in none"), Look(GREY, "x")),
    N_("open"): (N_("in all or in none that were found, not proven"), Look(GREY, "\\")),
}
MOST = 25  # projects in the chart
NAMED = 12  # projects named in a cell
SOME = 1e-6  # modules; less is none
UNITS = {
    N_("least exposure"): N_("demand not served clean, kt present"),
    N_("least capex"): N_("capex, million overnight"),
    N_("least public money"): N_("draws on funds, million"),
    N_("least shortage"): N_("short, kt present"),
}


def section(view: View, study: Shown) -> Section:
    """The range of each project, the groups, what the slack buys, the plans that differ most."""
    about = study.about
    ranges = _ranges(study)
    best, ceiling = float(about["best_musd"]), float(about["ceiling_musd"])
    counts = {v: sum(r["verdict"] == v for r in ranges) for v in VERDICTS}
    told_counts = {verdict: str(n) if n else _("none") for verdict, n in counts.items()}
    text = _(
        "All plans that cost at most {slack} more than the least, {least} to {ceiling}, each of which keeps every cap "
        "and rule.",
        slack=rate_of(about["slack"]),
        least=view.money(best, 4),
        ceiling=view.money(ceiling, 4),
    )
    text = n_(
        "{text} Of {projects} {always} is built in every one (no-regret), {sometimes} in some, {never} in none",
        "{text} Of {projects} {always} are built in every one (no-regret), {sometimes} in some, {never} in none",
        max(1, counts["always"]),
        text=text,
        projects=n_("{n} project", "{n} projects", len(ranges)),
        **told_counts,
    )
    if counts["open"]:
        text = _("{sentence}; of {n} that is open", sentence=text, n=counts["open"])
    lead = [full_stop(text)]
    lead.append(without_projects(about, lambda musd: view.money(musd, 4)))
    warning = too_wide(about, lambda musd: view.money(musd, 4))
    bound = float(about["bound_musd"])
    if best - bound > ROUNDING * abs(best):
        within = rate_of((ceiling - bound) / max(abs(bound), 1e-9))
        lead.append(
            _(
                "No plan costs less than {amount}: by that gap, what is built in some of them is built "
                "in some within {within} of the least cost; the other verdicts hold.",
                amount=view.money(bound, 4),
                within=within,
            )
        )
    unproven = sum(not r["proven"] for r in ranges)
    if unproven:
        lead.append(
            n_(
                "The range of {n} project is not proven: it holds what was found, and may be wider.",
                "The range of {n} projects is not proven: it holds what was found, and may be wider.",
                unproven,
            )
        )
    if len(study.tables["coverage"]) > 1:
        lead.append(full_stop(coverage_in_words(study.tables["coverage"])))
    chosen = [r for r in ranges if r["most"] > SOME]
    parts = [
        _chart(view, study, chosen) if chosen else None,
        _range_table(view, study) if ranges else None,
        _plan_table(view, study) if len(_plans(study)) > 1 else None,
        _pair_table(view, study.tables["pairs"]) if study.tables["pairs"] else None,
        _group_table(view, study.tables["groups"]) if study.tables["groups"] else None,
        _buy_table(study.tables["buys"]) if study.tables["buys"] else None,
    ]
    return Section(
        "near-best",
        _("What is nearly as good"),
        lead,
        parts,
        _("Alternatives"),
        [*study.warnings, *filter(None, [warning])],
    )


def _ranges(study: Shown) -> list[Row]:
    """The ranges, without what the solver's tolerance leaves of nothing."""

    def clean(modules: float) -> float:
        return 0.0 if abs(modules) < SOME else modules

    def year(start: float | None) -> int | None:
        return None if start is None else int(start)

    return [
        {**r, "least": clean(r["least"]), "most": clean(r["most"]), "latest_start": year(r["latest_start"])}
        for r in study.tables["ranges"]
    ]


def _plans(study: Shown) -> dict[str, dict[str, float]]:
    """Plan -> option -> modules, the least-cost plan first."""
    plans: dict[str, dict[str, float]] = {}
    for r in study.tables["plans"]:
        modules = plans.setdefault(r["plan"], {})
        if r["option"]:
            modules[r["option"]] = modules.get(r["option"], 0.0) + r["modules"]
    return plans


def _least_cost(study: Shown) -> dict[str, float]:
    return next(iter(_plans(study).values()), {})


def _tonnes(view: View, option: str, modules: float) -> float | None:
    return modules * view.options[option].module_t if option in view.options else None


def _chart(view: View, study: Shown, chosen: Sequence[Row]) -> Figure:
    """Ranges as shares of the most that could be built, so that mines and magnet plants share an axis."""
    built = _least_cost(study)
    order = list(VERDICTS)
    shown = sorted(
        chosen, key=lambda r: (order.index(r["verdict"]), -_capex(view, r["option"], r["most"]), r["option"])
    )
    more, shown = len(shown) - MOST, shown[:MOST]

    def share(row: Row, end: str) -> float:
        return float(row[end] / _most(view, row))

    def width(row: Row) -> float:
        return max(share(row, "most") - share(row, "least"), 0.012)  # else nothing would be seen

    def start(row: Row) -> float:
        return min(share(row, "least"), 1.0 - width(row))

    bars = [
        Bar(
            lambda r: start(r) + width(r),
            _("{head}: {parts}", head=translated(verdict), parts=translated(meaning)),
            look,
            start,
            says=lambda r: _spoken(view, r),
            where=("verdict", verdict),
        )
        for verdict, (meaning, look) in VERDICTS.items()
    ]
    diamonds = Mark(
        lambda r: [(min(1.0, built.get(r["option"], 0.0) / _most(view, r)), _spoken(view, r))],
        _("in the least-cost plan"),
    )
    title_of = {"text": _("of the most that can be built"), "standoff": 12}
    always = [r for r in shown if r["verdict"] == "always"]
    title = _("No project is built in every near-optimal plan")
    if any(r["verdict"] == "open" for r in study.tables["ranges"]):
        title = _("No project is built in every near-optimal plan found")
    if always:
        names = listed([view.project(r["option"]) for r in always], 4)
        title = _("No regret, in every near-optimal plan: {names}", names=names)
    said = [f"{view.project(r['option'])} {_range(view, r)} ({translated(r['verdict'])})" for r in shown[:12]]
    caption = _(
        "From the least to the most that any near-optimal plan builds; the diamond is the least-cost plan. {star} "
        "marks a startup.",
        star=STARTUP,
    )
    if more > 0:
        caption = _("{text} The {n} smallest are only in the table.", text=caption, n=more)
    if len(chosen) < len(study.tables["ranges"]):
        caption = _("{text} Projects that none builds are only in the table.", text=caption)
    return Figure(
        "near-best-ranges",
        title,
        told(_("Least to most capacity over all near-optimal plans"), said),
        ranked(
            shown, lambda r: _label(view, r), bars, {"tickformat": ".0%", "range": [-0.02, 1.04], "title": title_of},
            most=MOST, marks=diamonds,
        ),
        rows=[
            {"option": r["option"], "verdict": r["verdict"], "least_modules": r["least"], "most_modules": r["most"],
             "proven": "yes" if r["proven"] else "no", "latest_start": r["latest_start"]}
            for r in _ranges(study)
        ],
        caption=caption,
    )  # fmt: skip


def _capex(view: View, option: str, modules: float) -> float:
    return modules * view.options[option].capex_musd if option in view.options else 0.0


def _most(view: View, row: Row) -> float:
    """Modules that could be built at most."""
    option = view.options.get(row["option"])
    return max(option.max_modules if option else 0.0, row["most"], SOME)


def _label(view: View, row: Row) -> str:
    name = shortened(view.project(row["option"]), 28)
    return f"{name} · {_range(view, row)}{_by(row)}"


def _by(row: Row) -> str:
    return _(" · start by {year}", year=row["latest_start"]) if row["latest_start"] is not None else ""


def _range(view: View, row: Row) -> str:
    """The range in tonnes, or in modules if the option is not of this instance."""
    ends = [_tonnes(view, row["option"], row[end]) for end in ("least", "most")]
    unit = "t" if ends[0] is not None else _("modules")
    low, high = (row[e] if t is None else t for e, t in zip(("least", "most"), ends, strict=True))
    if high - low <= SOME * max(1.0, high):
        return _("{amount} {unit}", amount=figure_of(low), unit=unit)
    return _("{least} to {most} {unit}", least=figure_of(low), most=figure_of(high), unit=unit)


def _spoken(view: View, row: Row) -> list[str]:
    proven = "" if row["proven"] else _("not proven: may be wider")
    return [view.project(row["option"]), view.home(row["option"]), f"{_range(view, row)}{_by(row)}", proven]


def _range_table(view: View, study: Shown) -> Table:
    built, order = _least_cost(study), list(VERDICTS)

    def least_cost(row: Row) -> float | None:
        return _tonnes(view, row["option"], built.get(row["option"], 0.0))

    return Table(
        "table-ranges",
        _("Always, sometimes, never: every project"),
        sorted(_ranges(study), key=lambda r: (order.index(r["verdict"]), r["option"])),
        (
            *project_columns(view),
            Column(_("Verdict"), lambda r: translated(r["verdict"])),
            Column(_("Least, t a year"), lambda r: _tonnes(view, r["option"], r["least"]), "number"),
            Column(_("Most, t a year"), lambda r: _tonnes(view, r["option"], r["most"]), "number"),
            Column(_("At least cost, t a year"), least_cost, "number"),
            Column(_("Start by"), "latest_start", "year"),
            Column(_("Proven"), lambda r: _("yes") if r["proven"] else _("no")),
        ),
    )


def _plan_table(view: View, study: Shown) -> Table:
    """The plans by what they build more and less than the least-cost plan, the dearest difference first."""
    plans = _plans(study)
    cost = {r["plan"]: r["cost_musd"] for r in study.tables["plans"]}
    first = next(iter(plans))
    base = plans[first]
    rows = [(_("least cost"), cost[first], 0.0, "", "")]
    for number, (plan, modules) in enumerate(plans.items()):
        if plan == first:
            continue
        change = {o: modules.get(o, 0.0) - base.get(o, 0.0) for o in {*modules, *base}}
        more, less = ([o for o in change if sign * change[o] > SOME] for sign in (1, -1))
        name = _difference(view, base, modules) or _("alternative {number}: the same, at other times", number=number)
        said = (_amounts(view, some, change) for some in (more, less))
        rows.append((name, cost[plan], cost[plan] - cost[first], *said))
    return Table(
        "table-alternatives",
        _("Plans that differ most from each other, by what they build otherwise than the least-cost plan"),
        rows,
        (
            Column(_("Plan"), 0),
            Column(_("Cost, {unit}", unit=view.musd), 1, "number"),
            Column(_("More than the least"), 2, "number"),
            Column(_("Builds more, t a year"), 3),
            Column(_("Builds less, t a year"), 4),
        ),
        folded=False,
    )


def _difference(view: View, base: Mapping[str, float], modules: Mapping[str, float]) -> str:
    """The largest projects that tell a plan from the least-cost plan."""
    words = []
    for o in {*base, *modules}:
        then, now = base.get(o, 0.0), modules.get(o, 0.0)
        if abs(now - then) > SOME:
            project = view.project(o)
            if now > then:
                word = _("more of {project}", project=project) if then > SOME else _("with {project}", project=project)
            else:
                word = (
                    _("less of {project}", project=project) if now > SOME else _("without {project}", project=project)
                )
            words.append((o, word))
    words.sort(key=lambda w: (-_capex(view, w[0], 1.0), w[0]))
    said = commas(text for *_option, text in words[:3])
    return n_("{names} and {n} more", "{names} and {n} more", len(words) - 3, names=said) if len(words) > 3 else said


def _amounts(view: View, options: Sequence[str], change: dict[str, float]) -> str:
    found: dict[str, float] = defaultdict(float)
    for o in options:
        tonnes = _tonnes(view, o, abs(change[o]))
        found[o] = abs(change[o]) if tonnes is None else tonnes
    order = sorted(options, key=lambda o: (-_capex(view, o, abs(change[o])), o))
    said = [f"{view.project(o)} {figure_of(found[o])}" for o in order]
    return semicolons(said[:NAMED] + ([_("and {n} more", n=len(said) - NAMED)] if len(said) > NAMED else []))


def _pair_table(view: View, pairs: Sequence[Row]) -> Table:
    """The pairs of projects, those of which something is impossible first."""
    rank = {"no": 0, "open": 1, "yes": 2}
    return Table(
        "table-pairs",
        _("Two projects at a time: which exclude each other, of which one is needed"),
        sorted(pairs, key=lambda r: (min(rank[r["both"]], rank[r["neither"]]), r["one"], r["other"])),
        (
            Column(_("Project"), lambda r: view.project(r["one"])),
            Column(_("Other project"), lambda r: view.project(r["other"])),
            Column(_("Both in some plan"), lambda r: translated(r["both"])),
            Column(_("Neither in some plan"), lambda r: translated(r["neither"])),
            Column(_("Which means"), _pair_in_words),
        ),
    )


def _pair_in_words(pair: Row) -> str:
    """What the answers about a pair mean."""
    said = []
    if pair["both"] == "no":
        said.append(_("they exclude each other"))
    if pair["neither"] == "no":
        said.append(_("one of them is needed"))
    return p_("between conditions", " and ").join(said)


def _group_table(view: View, groups: Sequence[Row]) -> Table:
    return Table(
        "table-groups",
        _("Groups asked for: least and most over all near-optimal plans"),
        groups,
        (
            Column(_("Group"), "group"),
            Column(_("Least, t a year"), "least_t", "number"),
            Column(_("Most, t a year"), "most_t", "number"),
            Column(_("Least capex, {unit}", unit=view.musd), "least_musd", "number"),
            Column(_("Most capex, {unit}", unit=view.musd), "most_musd", "number"),
            Column(_("Proven"), lambda r: translated(r["proven"]) if isinstance(r["proven"], str) else r["proven"]),
        ),
        folded=False,
    )


def _buy_table(buys: Sequence[Row]) -> Table:
    return Table(
        "table-slack",
        _("What the slack buys at most"),
        buys,
        (
            Column(_("Aim"), lambda b: translated(b["aim"])),
            Column(_("Measured as"), lambda b: translated(UNITS[b["aim"]]) if b["aim"] in UNITS else ""),
            Column(_("At least cost"), "at_least_cost", "number"),
            Column(_("At best"), "best", "number"),
            Column(_("Proven"), lambda r: translated(r["proven"]) if isinstance(r["proven"], str) else r["proven"]),
        ),
        folded=False,
    )


def in_words(view: View, study: Shown) -> str:
    """What is no-regret, in a sentence."""
    ranges = _ranges(study)
    slack = rate_of(study.about["slack"])
    always = [view.project(r["option"]) for r in ranges if r["verdict"] == "always"]
    if not ranges:
        return ""
    if not always:
        text = _("No project is in every plan within {slack} of the least cost", slack=slack)
        if any(r["verdict"] == "open" for r in ranges):
            text = _("No project is in every plan found within {slack} of the least cost", slack=slack)
        if too_wide(study.about, view.money):
            text = _("{sentence}, since all optional ones together save less", sentence=text)
        return full_stop(text)
    never = sum(r["verdict"] == "never" for r in ranges)
    text = _("Every plan within {slack} of the least cost builds {names}", slack=slack, names=listed(always, 5))
    if never:
        text = n_("{sentence}; {n} project is in none", "{sentence}; {n} projects are in none", never, sentence=text)
    return full_stop(text)
