"""What to sign now, what to decide at which news, and what answering and knowing are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...bands import span_of
from ...language import N_, _, n_, translated
from ...words import figure_of, listed, semicolons, share_of
from ..charts import amounts
from ..parts import Column, Figure, Section, Table
from ..ranked import Bar, ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..studies import Row, Shown
    from ..view import View

NAMES = {
    "foreseen": N_("Knowing beforehand"),
    "roadmap": N_("This roadmap"),
    "decided_today": N_("All decided today"),
    "single_plan": N_("Today's plan, whatever happens"),
}
CERTAIN = (N_("now"), N_("whatever happens"), N_("as long as nothing happens"))
INDENT = "\u2003"  # an em space for each level of the tree
SOME = 1e-6  # MUSD


def section(view: View, study: Shown) -> Section:
    """The tree of what can happen with its answers, what is signed now, and what freedom to answer is worth."""
    about, courses = study.about, study.tables["courses"]
    lead = [
        _(
            "The roadmap is the best plan over {courses} of events. It says what to sign now, "
            "whatever happens, and what to start at which news. A branch may start something "
            "otherwise some years after its news; all else goes on as on the course that it leaves.",
            courses=n_("{n} course", "{n} courses", len(courses)),
        ),
        _(
            "Its expected cost is {amount}, within {share} of the best.",
            amount=view.money(about["objective_musd"], 4),
            share=share_of(about["gap"]),
        ),
    ]
    if about["left_out"] > 0.0:
        lead.append(_("Courses of {share} probability are left out.", share=share_of(about["left_out"])))
    now = [s for s in study.tables["signed"] if s["when"] == "now"]
    if now:
        lead.append(_("Signed now: {names}.", names=listed([view.project(s["option"]) for s in _dearest(now)])))
    parts = [_tree(view, study), _signed(view, study), _values(view, study), _waiting(view, study)]
    return Section("roadmap", _("What to sign now, and what at which news"), lead, parts, _("Roadmap"), study.warnings)


def _tree(view: View, study: Shown) -> Table:
    """Return the tree: each course below the one that it leaves, one level further in."""
    answers: dict[str, list[Row]] = {}
    for gate in study.tables["gates"]:
        answers.setdefault(gate["scenario"], []).append(gate)
    rows = []

    def add(parent: str, depth: int) -> None:
        for course in study.tables["courses"]:
            if course["scenario"] and course["parent"] == parent:
                answer = _answer(view, answers.get(course["scenario"], []))
                rows.append({**course, "news": f"{INDENT * depth}{course['news']}", "answer": answer})
                add(course["scenario"], depth + 1)

    calm = next(c for c in study.tables["courses"] if not c["scenario"])
    rows.append({**calm, "answer": _("go on as planned")})
    add("", 1)
    return Table(
        "table-roadmap-tree",
        _("The gates: if this has happened, then"),
        rows,
        (
            Column(_("What has happened"), "news"),
            Column(_("Known in"), lambda r: "" if r["year"] is None else str(r["year"])),
            Column(_("Comes to this with"), "reached", "share"),
            Column(_("Then"), "answer"),
            Column(_("Cost if it ends here, {unit}", unit=view.musd), "cost_musd", "number"),
            Column(_("Short, t"), "short_t", "number"),
        ),
        folded=False,
    )


def _answer(view: View, gates: Sequence[Row]) -> str:
    """Return in words what a branch starts otherwise."""
    parts = []
    for action, words in (("start", _("start {names}")), ("do not start", _("do not start {names}"))):
        of = [g for g in gates if g["action"] == action]
        if of:
            starts = [
                _("{project} in {year}", project=view.project(g["option"]), year=g["start_year"]) for g in _dearest(of)
            ]
            parts.append(words.format(names=listed(starts)))
    return semicolons(parts) or _("go on as before")


def _dearest(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: r["capex_musd"], reverse=True)


def _signed(view: View, study: Shown) -> Table:
    return Table(
        "table-roadmap-signed",
        _("What the plan starts, and when that is certain"),
        study.tables["signed"],
        (
            Column(_("Project"), lambda s: view.project(s["option"])),
            Column(_("Started in"), lambda s: str(s["start_year"])),
            Column(_("Modules"), "modules", "number"),
            Column(_("Overnight capex, {unit}", unit=view.musd), "capex_musd", "number"),
            Column(_("Certain"), lambda s: translated(s["when"])),
        ),
    )


def _values(view: View, study: Shown) -> Figure | None:
    """Return the expected cost with more and with less freedom; None if it was not asked for."""
    known = {v["what"]: v for v in study.tables["values"] if v["cost_musd"] is not None}
    rows = [{**known[what], "name": translated(name)} for what, name in NAMES.items() if what in known]
    if len(rows) < 2:
        return None
    each = [f"{r['name']} {view.money(r['cost_musd'], 4)}" for r in rows]
    title = _("What answering and knowing are worth")
    if "single_plan" in known:
        more = known["single_plan"]
        words = span_of(more["extra_musd"], more["extra_least_musd"], more["extra_most_musd"])
        title = _("To follow today's plan whatever happens costs {amount} {unit} more", amount=words, unit=view.musd)
    return Figure(
        "roadmap-values",
        title,
        _("Expected present cost: {parts}.", parts=semicolons(each)),
        ranked(
            rows, "name", [Bar("cost_musd", text=lambda v: figure_of(v, 4))],
            amounts(_("Expected cost, {unit}", unit=view.musd), [r["cost_musd"] for r in rows]),
        ),
    )  # fmt: skip


def _waiting(view: View, study: Shown) -> Table | None:
    rows = [w for w in study.tables["waiting"] if w["most_musd"] > SOME]
    if not rows:
        return None
    return Table(
        "table-roadmap-waiting",
        _("Worth waiting for news before it is decided"),
        rows,
        (
            Column(_("Project"), lambda w: view.project(w["option"])),
            Column(_("Worth, {unit}", unit=view.musd), "waiting_musd", "number"),
            Column(_("At least, {unit}", unit=view.musd), "least_musd", "number"),
            Column(_("At most, {unit}", unit=view.musd), "most_musd", "number"),
        ),
    )


def in_words(view: View, study: Shown) -> str:
    """What is signed now, and the most probable gate with an answer."""
    gates = study.tables["gates"]
    if not gates:
        return ""
    reached = {c["scenario"]: c["reached"] for c in study.tables["courses"]}
    first = max(gates, key=lambda g: reached[g["scenario"]])
    of = [g for g in gates if g["scenario"] == first["scenario"]]
    return _(
        "If {news} (known in {year}), the roadmap says: {answer}.",
        news=first["news"],
        year=first["year"],
        answer=_answer(view, of),
    )
