"""Why to believe it: the solver's proof, the audit, where the data come from, what made the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...questions.evidence.evidence import backing
from ...words import counted, figure_of, listed, rate_of, share_of, tonnes_of
from ..parts import Column, Section, Table

if TYPE_CHECKING:
    from ..studies import Shown
    from ..view import View

KINDS = {  # kind of evidence -> title of its column, and the same in words
    "published": ("Published", "published"),
    "derived": ("Derived", "derived from published ones by a stated formula"),
    "cited": ("Cited", "in rows that cite a source, not verified one by one"),
    "judgement": ("Judged", "judged"),
    "neither": ("Not said", "in rows that say nothing of their origin"),
}


def section(view: View) -> Section:
    """Proof, audit, data, versions and settings; the list of sources."""
    plan = view.plan
    counts = backing(view.instance)
    lead = [_proof(view), *aims(view), _audit(plan), _data(counts)]
    lead += [f"Note of the solver: {note}" for note in plan.get("notes", [])]
    audit = plan.get("audit")
    parts = [
        _facts(view),
        _studies(view) if view.studies else None,
        _evidence_table(counts),
        _audit_table(audit) if audit else None,
        _sources(view) if view.instance.sources else None,
    ]
    return Section("trust", "Why to trust it, and how far", lead, parts)


def _proof(view: View) -> str:
    plan = view.plan
    gap, cost, bound = float(plan["gap"]), float(plan["objective_musd"]), float(plan["bound_musd"])
    every, costs = f"no plan for these data{_among(plan)}", "costs"
    risk = plan.get("risk")
    if risk:  # what is proven then is the whole that was made least
        cost, bound, costs = float(risk["objective_musd"]), float(risk["bound_musd"]), "comes, with risk weighed in, to"
    if plan["status"] == "optimal":
        text = f"Proven: {every} {costs} less than {view.money(bound, 4)}; this one"
        text += f" {costs} {view.money(cost, 4)}, within {share_of(gap)}"
    else:
        text = f"Not proven optimal, for the search was stopped: {every} {costs} less than {view.money(bound, 4)}, "
        text += f"so this one, at {view.money(cost, 4)}, may be {share_of(gap)} too dear"
    text += f" (asked: {share_of(float(plan['settings'].get('gap') or 0.0))})."
    return text


def _among(plan: dict[str, Any]) -> str:
    """Which plans a proof of the least cost is about, where it is not about all."""
    found = []
    if plan["settings"].get("pins"):
        found.append("has the builds that were held")
    if plan.get("survive"):
        found.append("survives what it must")
    if plan["settings"].get("objective"):
        found.append("reaches the aim under the ceiling")
    return f" that {' and '.join(found)}" if found else ""


AIMS = {"public": "public money", "exposure": "demand that is not served clean"}


def aims(view: View) -> list[str]:
    """What the plan was made for, in sentences, where that is not only the least cost."""
    plan = view.plan
    relaxed = (
        "This is the linear relaxation, in which parts of modules may be built: no plan of whole modules costs less, "
        "and what it builds is no plan."
    )
    found = [
        relaxed if plan["settings"].get("relaxed") else "",
        _objective(view),
        _pins(plan),
        _survival(plan),
        _risk(view),
    ]
    return [sentence for sentence in found if sentence]


def _objective(view: View) -> str:
    asked = view.plan["settings"].get("objective")
    if not asked:
        return ""
    steps = view.plan["stages"]
    least, aim = steps[0], steps[1]
    ceiling = f"at most {view.money(aim['ceiling_musd'], 4)}"
    if asked["slack"] is not None:
        ceiling += f", {rate_of(asked['slack'])} above the least cost of {view.money(least['value'], 4)}"
    public = asked["name"] == "public"
    amount = view.money(aim["value"]) if public else f"{figure_of(aim['value'])} kt in present value"
    bound = view.money(aim["bound"]) if public else f"{figure_of(aim['bound'])} kt"
    return (
        f"This is not the cheapest plan: of all plans that cost {ceiling}, it has the least {AIMS[asked['name']]} "
        f"({amount}; none has less than {bound}), and of those the least cost."
    )


def _pins(plan: dict[str, Any]) -> str:
    pins = plan["settings"].get("pins")
    if not pins:
        return ""
    said = []
    if pins["fixed_choices"]:
        said.append(f"{counted(pins['fixed_choices'], 'choice')} held as given")
    said += [f"{option} forced in {year}" for option, year, _ in pins["force"]]
    said += [f"{option} forbidden" for option in pins["forbid"]]
    return f"Not all builds were free: {listed(said)}. The plan is the best with these."


def _survival(plan: dict[str, Any]) -> str:
    survive = plan.get("survive")
    if not survive:
        return ""
    kinds: dict[str, int] = {}
    for case in survive["cases"]:
        kinds[case["outage"]] = kinds.get(case["outage"], 0) + 1
    words = {"country": "of all plants of a country", "stage": "of a stage of a country", "facility": "of a plant",
             "export_stop": "of a country's exports"}  # fmt: skip
    of = listed([f"{n} {words.get(kind, kind)}" for kind, n in kinds.items()])
    again = ", and recomputed from the raw tables" if survive["audited"] else ""
    return (
        f"The plan survives {counted(survive['tried'], 'outage')} that it must ([security] survive: {of}): each was "
        f"tried on the finished plan{again}. {counted(survive['included'], 'outage')} had to enter the search."
    )


def _risk(view: View) -> str:
    risk = view.plan.get("risk")
    if not risk:
        return ""
    worst = f"the worst {rate_of(1.0 - risk['alpha'])} of the outcomes"
    if risk["measure"] == "cost":
        return (
            f"Bad outcomes weigh more ([risk]): {rate_of(risk['weight'])} of what was made least is the mean cost of "
            f"{worst}, {view.money(risk['mean_of_worst_musd'], 4)}; the rest is the expected cost."
        )
    return (
        f"Bad outcomes weigh more ([risk]): beside the expected cost, the mean unserved demand of {worst}, "
        f"{tonnes_of(risk['mean_of_worst_t'])}, counts at {figure_of(risk['weight'])} {view.instance.currency} a tonne."
    )


def _audit(plan: dict[str, Any]) -> str:
    audit = plan.get("audit")
    if not audit:
        return "The run was not audited; planner audit INSTANCE RUN recomputes it from the raw tables."
    verdict = "no violation" if audit["ok"] else "VIOLATIONS; do not use this plan"
    return (
        f"Audited: a second program that shares no code with the model recomputed the run from the raw tables, "
        f"{audit['comparisons']:,} comparisons at a tolerance of {audit['tolerance']:g}: {verdict}."
    )


def totals(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Kind of evidence -> figures in all tables."""
    return {kind: sum(by[kind] for by in counts.values()) for kind in KINDS}


def _data(counts: dict[str, dict[str, int]]) -> str:
    total = totals(counts)
    every = sum(total.values())
    if not every:
        return "The instance holds no figures besides defaults."
    parts = [f"{total[kind]:,} {words}" for kind, (_, words) in KINDS.items() if total[kind]]
    return f"The tables hold {every:,} figures besides defaults: {'; '.join(parts)}."


def _facts(view: View) -> Table:
    """What identifies the run: its data, its proof, the solver's settings and the versions of the software."""
    plan, instance = view.plan, view.instance
    certificate = plan.get("certificate") or {}
    size = plan.get("size") or {}
    rows: list[tuple[str, str]] = [
        ("Instance", f"{instance.name}"),
        ("Instance sha256", plan["instance"]["sha256"]),
        ("Status", str(plan["status"])),
        (
            "Objective and bound",
            f"{plan['objective_musd']:,.6f} and {plan['bound_musd']:,.6f} million {instance.currency}",
        ),
        ("Gap", f"{plan['gap']:.3g}"),
        ("Model", ", ".join(f"{v:,} {k}" for k, v in size.items())),
        ("Certificate", ", ".join(f"{k.replace('_', ' ')} {v:.2g}" for k, v in certificate.items() if v is not None)),
        ("Settings", ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in plan["settings"].items() if _simple(v))),
        ("Versions", ", ".join(f"{k} {v}" for k, v in plan["versions"].items())),
        ("Money", f"{instance.currency} of {instance.price_year}; discount rate {rate_of(instance.discount_rate)}"),
        ("Solved in", f"{plan['seconds']['total']:,.1f} s"),
    ]
    return Table("table-facts", "The run", [r for r in rows if r[1]], (Column("What", 0), Column("Value", 1)), False)


def _simple(setting: Any) -> bool:
    """Whether a setting is a number or a word; objectives and held builds are told in sentences."""
    return setting is not None and not isinstance(setting, dict)


def _studies(view: View) -> Table:
    """What else the page shows, and whether it is of this plan, whole and checked."""

    def checked(study: Shown) -> str:
        audited = study.about.get("audited")
        if study.about.get("faults"):
            return "the audit found faults"
        return "" if audited is None else "recomputed from the raw tables" if audited else "not recomputed"

    return Table(
        "table-studies",
        "Studies on this page",
        view.studies,
        (
            Column("Made by", lambda s: f"planner {s.kind}"),
            Column("What it is of", lambda s: "; ".join(s.warnings) or "of this run, whole"),
            Column("Audit", checked),
        ),
        folded=False,
    )


def _evidence_table(counts: dict[str, dict[str, int]]) -> Table:
    rows = [*((f"{name}.csv", by) for name, by in counts.items()), ("all", totals(counts))]
    columns = [Column(title, lambda r, kind=kind: r[1][kind], "count") for kind, (title, _) in KINDS.items()]  # type: ignore[misc]
    return Table("table-evidence", "Figures by what they rest on", rows, (Column("Table", 0), *columns), folded=True)


def _audit_table(audit: dict[str, Any]) -> Table:
    return Table(
        "table-audit",
        "What the audit compared",
        [c for c in audit["checks"] if c["comparisons"]],
        (
            Column("Check", lambda c: c["kind"].replace("_", " ")),
            Column("Comparisons", "comparisons", "count"),
            Column("Failed", "failed", "count"),
            Column("Largest difference", "absolute", "number"),
            Column("Unit", "unit"),
        ),
        folded=True,
    )


def _sources(view: View) -> Table:
    columns = (
        Column("Id", lambda s: s.source),
        Column("Title", lambda s: s.title),
        Column("Publisher", lambda s: s.publisher),
        Column("Date", lambda s: s.date),
        Column("Address", lambda s: s.url, "link"),
    )
    return Table("table-sources", "Sources of the data", view.instance.sources, columns, folded=True)
