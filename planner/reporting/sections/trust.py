"""Why to believe it: the solver's proof, the audit, where the data come from, what made the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...language import N_, _, n_, number, p_, translated
from ...questions.evidence.evidence import backing
from ...words import commas, figure_of, listed, rate_of, semicolons, share_of, tonnes_of, written
from ..parts import Column, Section, Table

if TYPE_CHECKING:
    from ..studies import Shown
    from ..view import View

KINDS = {  # kind of evidence -> title of its column, and the same in words
    "published": (N_("Published"), N_("published")),
    "derived": (N_("Derived"), N_("derived from published ones by a stated formula")),
    "cited": (N_("Cited"), N_("in rows that cite a source, not verified one by one")),
    "judgement": (N_("Judged"), N_("judged")),
    "neither": (N_("Not said"), N_("in rows that say nothing of their origin")),
}


def section(view: View) -> Section:
    """Proof, audit, data, versions and settings; the list of sources."""
    plan = view.plan
    counts = backing(view.instance)
    lead = [_proof(view), *aims(view), _audit(plan), _data(counts)]
    lead += [_("Note of the solver: {note}", note=note) for note in plan.get("notes", [])]
    audit = plan.get("audit")
    parts = [
        _facts(view),
        _studies(view) if view.studies else None,
        _evidence_table(counts),
        _audit_table(audit) if audit else None,
        _sources(view) if view.instance.sources else None,
    ]
    return Section("trust", _("Why to trust it, and how far"), lead, parts)


def _proof(view: View) -> str:
    plan = view.plan
    gap, cost, bound = float(plan["gap"]), float(plan["objective_musd"]), float(plan["bound_musd"])
    risk = plan.get("risk")
    if risk:  # what is proven then is the whole that was made least
        cost, bound = float(risk["objective_musd"]), float(risk["bound_musd"])
    said = {
        "every": _every(plan),
        "bound": view.money(bound, 4),
        "cost": view.money(cost, 4),
        "share": share_of(gap),
        "asked": share_of(float(plan["settings"].get("gap") or 0.0)),
    }
    if plan["status"] != "optimal" and risk:
        return _(
            "Not proven optimal, for the search was stopped: {every} comes, with risk weighed in, to less than "
            "{bound}, so this one, at {cost}, may be {share} too dear (asked: {asked}).",
            **said,
        )
    if plan["status"] != "optimal":
        return _(
            "Not proven optimal, for the search was stopped: {every} costs less than {bound}, so this one, at {cost}, "
            "may be {share} too dear (asked: {asked}).",
            **said,
        )
    if risk:
        return _(
            "Proven: {every} comes, with risk weighed in, to less than {bound}; this one comes, with risk weighed in, "
            "to {cost}, within {share} (asked: {asked}).",
            **said,
        )
    return _("Proven: {every} costs less than {bound}; this one costs {cost}, within {share} (asked: {asked}).", **said)


def _every(plan: dict[str, Any]) -> str:
    """Which plans a proof of the least cost is about."""
    found = []
    if plan["settings"].get("pins"):
        found.append(_("has the builds that were held"))
    if plan.get("survive"):
        found.append(_("survives what it must"))
    if plan["settings"].get("objective"):
        found.append(_("reaches the aim under the ceiling"))
    if not found:
        return _("no plan for these data")
    return _("no plan for these data that {conditions}", conditions=p_("between conditions", " and ").join(found))


STATUS = (N_("optimal"), N_("feasible"))
SIZE = (N_("{n} rows"), N_("{n} columns"), N_("{n} integers"), N_("{n} nonzeros"))
AIMS = {"public": N_("public money"), "exposure": N_("demand that is not served clean")}


def aims(view: View) -> list[str]:
    """What the plan was made for, in sentences, where that is not only the least cost."""
    plan = view.plan
    relaxed = _(
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
    ceiling = view.money(aim["ceiling_musd"], 4)
    if asked["slack"] is not None:
        ceiling = _(
            "{amount}, {rate} above the least cost of {least}",
            amount=ceiling,
            rate=rate_of(asked["slack"]),
            least=view.money(least["value"], 4),
        )
    public = asked["name"] == "public"
    amount = view.money(aim["value"]) if public else _("{amount} kt in present value", amount=figure_of(aim["value"]))
    bound = view.money(aim["bound"]) if public else _("{amount} kt", amount=figure_of(aim["bound"]))
    return _(
        "This is not the cheapest plan: of all plans that cost at most {ceiling}, it has the least "
        "{aim} ({amount}; none has less than {bound}), and of those the least cost.",
        ceiling=ceiling,
        aim=translated(AIMS[asked["name"]]),
        amount=amount,
        bound=bound,
    )


def _pins(plan: dict[str, Any]) -> str:
    pins = plan["settings"].get("pins")
    if not pins:
        return ""
    said = []
    if pins["fixed_choices"]:
        said.append(n_("{n} choice held as given", "{n} choices held as given", pins["fixed_choices"]))
    said += [_("{option} forced in {year}", option=option, year=year) for option, year, *_n in pins["force"]]
    said += [_("{option} forbidden", option=option) for option in pins["forbid"]]
    return _("Not all builds were free: {names}. The plan is the best with these.", names=listed(said))


def _survival(plan: dict[str, Any]) -> str:
    survive = plan.get("survive")
    if not survive:
        return ""
    kinds: dict[str, int] = {}
    for case in survive["cases"]:
        kinds[case["outage"]] = kinds.get(case["outage"], 0) + 1
    words = {"country": _("{n} of all plants of a country"), "stage": _("{n} of a stage of a country"),
             "facility": _("{n} of a plant"), "export_stop": _("{n} of a country's exports")}  # fmt: skip
    of = listed([words.get(kind, f"{{n}} {kind}").format(n=n) for kind, n in kinds.items()])
    outages = n_("{n} outage", "{n} outages", survive["tried"])
    text = _(
        "The plan survives {outages} that it must ([security] survive: {of}): each was tried on the finished plan",
        outages=outages,
        of=of,
    )
    if survive["audited"]:
        text = _("{sentence}, and recomputed from the raw tables", sentence=text)
    return n_(
        "{sentence}. {n} outage had to enter the search.",
        "{sentence}. {n} outages had to enter the search.",
        survive["included"],
        sentence=text,
    )


def _risk(view: View) -> str:
    risk = view.plan.get("risk")
    if not risk:
        return ""
    worst = _("the worst {rate} of the outcomes", rate=rate_of(1.0 - risk["alpha"]))
    if risk["measure"] == "cost":
        return _(
            "Bad outcomes weigh more ([risk]): {rate} of what was made least is the mean cost of "
            "{worst}, {amount}; the rest is the expected cost.",
            rate=rate_of(risk["weight"]),
            worst=worst,
            amount=view.money(risk["mean_of_worst_musd"], 4),
        )
    return _(
        "Bad outcomes weigh more ([risk]): beside the expected cost, the mean unserved demand of "
        "{worst}, {tonnes}, counts at {amount} {currency} a tonne.",
        worst=worst,
        tonnes=tonnes_of(risk["mean_of_worst_t"]),
        amount=figure_of(risk["weight"]),
        currency=view.instance.currency,
    )


def _audit(plan: dict[str, Any]) -> str:
    audit = plan.get("audit")
    if not audit:
        return _("The run was not audited; planner audit INSTANCE RUN recomputes it from the raw tables.")
    verdict = _("no violation") if audit["ok"] else _("VIOLATIONS; do not use this plan")
    return _(
        "Audited: a second program that shares no code with the model recomputed the run from "
        "the raw tables, {comparisons} comparisons at a tolerance of {tolerance}: {verdict}.",
        comparisons=written(audit["comparisons"], "count"),
        tolerance=f"{audit['tolerance']:g}",
        verdict=verdict,
    )


def totals(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Kind of evidence -> figures in all tables."""
    return {kind: sum(by[kind] for by in counts.values()) for kind in KINDS}


def _data(counts: dict[str, dict[str, int]]) -> str:
    total = totals(counts)
    every = sum(total.values())
    if not every:
        return _("The instance holds no figures besides defaults.")
    parts = [
        _("{n} {what}", n=written(total[kind], "count"), what=translated(words))
        for kind, (_title, words) in KINDS.items()
        if total[kind]
    ]
    return _(
        "The tables hold {every} figures besides defaults: {parts}.",
        every=written(every, "count"),
        parts=semicolons(parts),
    )


def _facts(view: View) -> Table:
    """What identifies the run: its data, its proof, the solver's settings and the versions of the software."""
    plan, instance = view.plan, view.instance
    certificate = plan.get("certificate") or {}
    size = plan.get("size") or {}
    rows: list[tuple[str, str]] = [
        (_("Instance"), f"{instance.name}"),
        (_("Instance sha256"), plan["instance"]["sha256"]),
        (_("Status"), translated(str(plan["status"]))),
        (
            _("Objective and bound"),
            _(
                "{objective} and {bound} million {currency}",
                objective=number(f"{plan['objective_musd']:,.6f}"),
                bound=number(f"{plan['bound_musd']:,.6f}"),
                currency=instance.currency,
            ),
        ),
        (_("Gap"), f"{plan['gap']:.3g}"),
        (_("Model"), commas(translated(f"{{n}} {k}").format(n=written(v, "count")) for k, v in size.items())),
        (_("Certificate"), commas(f"{k.replace('_', ' ')} {v:.2g}" for k, v in certificate.items() if v is not None)),
        (_("Settings"), commas(f"{k.replace('_', ' ')} {v}" for k, v in plan["settings"].items() if _simple(v))),
        (_("Versions"), commas(f"{k} {v}" for k, v in plan["versions"].items())),
        (
            _("Money"),
            _(
                "{currency} of {price_year}; discount rate {rate}",
                currency=instance.currency,
                price_year=instance.price_year,
                rate=rate_of(instance.discount_rate),
            ),
        ),
        (_("Solved in"), _("{n} s", n=number(f"{plan['seconds']['total']:,.1f}"))),
    ]
    return Table(
        "table-facts", _("The run"), [r for r in rows if r[1]], (Column(_("What"), 0), Column(_("Value"), 1)), False
    )


def _simple(setting: Any) -> bool:
    """Whether a setting is a number or a word; objectives and held builds are told in sentences."""
    return setting is not None and not isinstance(setting, dict)


def _studies(view: View) -> Table:
    """What else the page shows, and whether it is of this plan, whole and checked."""

    def checked(study: Shown) -> str:
        audited = study.about.get("audited")
        if study.about.get("faults"):
            return _("the audit found faults")
        return "" if audited is None else _("recomputed from the raw tables") if audited else _("not recomputed")

    return Table(
        "table-studies",
        _("Studies on this page"),
        view.studies,
        (
            Column(_("Made by"), lambda s: f"planner {s.kind}"),
            Column(_("What it is of"), lambda s: semicolons(s.warnings) or _("of this run, whole")),
            Column(_("Audit"), checked),
        ),
        folded=False,
    )


def _evidence_table(counts: dict[str, dict[str, int]]) -> Table:
    rows = [*((f"{name}.csv", by) for name, by in counts.items()), (_("all"), totals(counts))]
    columns = [
        Column(translated(title), lambda r, kind=kind: r[1][kind], "count")  # type: ignore[misc]
        for kind, (title, _words) in KINDS.items()
    ]
    return Table(
        "table-evidence", _("Figures by what they rest on"), rows, (Column(_("Table"), 0), *columns), folded=True
    )


def _audit_table(audit: dict[str, Any]) -> Table:
    return Table(
        "table-audit",
        _("What the audit compared"),
        [c for c in audit["checks"] if c["comparisons"]],
        (
            Column(_("Check"), lambda c: c["kind"].replace("_", " ")),
            Column(_("Comparisons"), "comparisons", "count"),
            Column(_("Failed"), "failed", "count"),
            Column(_("Largest difference"), "absolute", "number"),
            Column(_("Unit"), "unit"),
        ),
        folded=True,
    )


def _sources(view: View) -> Table:
    columns = (
        Column(_("Id"), lambda s: s.source),
        Column(_("Title"), lambda s: s.title),
        Column(_("Publisher"), lambda s: s.publisher),
        Column(_("Date"), lambda s: s.date),
        Column(_("Address"), lambda s: s.url, "link"),
    )
    return Table("table-sources", _("Sources of the data"), view.instance.sources, columns, folded=True)
