"""The findings in sentences, each computed from the plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...instance.limits import unit_of
from ...language import _, n_, translated
from ...words import bare, figure_of, full_stop, listed, rate_of, share_of, tonnes_of
from . import (
    alternatives,
    compare,
    delivery,
    explain,
    frontier,
    hedge,
    prices,
    roadmap,
    sensitivity,
    stress,
    surface,
    trust,
)

if TYPE_CHECKING:
    from ..view import View


# the command of a study -> the module with its section and its sentence
STUDIES = {
    "alternatives": alternatives, "compare": compare, "explain": explain, "frontier": frontier, "hedge": hedge,
    "roadmap": roadmap, "sensitivity": sensitivity, "stress": stress, "stress --delivery": delivery,
    "frontier --second": surface,
}  # fmt: skip
NO_MONEY = 1e-6  # part of a plan's cost that a cap must cost to be told; every gap is larger


@dataclass(frozen=True)
class Key:
    """A number at the top of the page. ``tone`` is ``good``, ``bad`` or ""."""

    label: str
    value: str
    more: str
    tone: str = ""


def keys(view: View) -> list[Key]:
    """The numbers that everyone asks for first."""
    plan = view.plan
    if plan["status"] != "optimal":
        proven = _("not proven, gap {share}", share=share_of(plan["gap"]))
    else:
        proven = _("proven within {share}", share=share_of(plan["gap"])) if plan["gap"] > 5e-7 else _("proven optimal")
    cost = view.money(plan["objective_musd"])
    found = [Key(_("Cost, present value"), cost.replace(" billion", " bn").replace(" million", " m"), proven)]
    found += _aim_keys(view)
    shares = view.exposed_share
    if shares:
        first, last = min(shares), max(shares)
        value, years = share_of(shares[last]), str(last)
        if first != last:
            value, years = f"{bare(share_of(shares[first]))} → {value}", f"{first} → {last}"
        found.append(
            Key(_("Traced dependence"), value, _("on {concern}, {years}", concern=view.concern_name, years=years))
        )
    worst = bottleneck(view)
    if worst:
        stage, share = worst
        found.append(
            Key(_("Most dependent stage"), stage, _("{share} in {year}", share=share_of(share), year=view.years[-1]))
        )
    builds = view.tables["builds"]
    projects = builds["option"].nunique()
    found.append(
        Key(
            _("Projects built"), str(projects), view.money(float(builds["capex_musd"].sum())) if projects else _("none")
        )
    )
    short, demand = totals(view)
    found.append(
        Key(
            _("Not delivered"),
            _("nothing") if short <= 1e-3 else tonnes_of(short),
            _("of {tonnes}", tonnes=tonnes_of(demand))
            if short <= 1e-3
            else _("{share} of demand", share=share_of(short / demand)),
            "good" if short <= 1e-3 else "bad",
        )
    )
    return found


def _aim_keys(view: View) -> list[Key]:
    """What the plan was made for, where that is not only the least cost."""
    found = []
    asked, survive, risk = view.plan["settings"].get("objective"), view.plan.get("survive"), view.plan.get("risk")
    if asked:
        ceiling = view.plan["stages"][1]["ceiling_musd"]
        found.append(
            Key(
                _("Made least"),
                translated(trust.AIMS[asked["name"]]),
                _("at a cost of at most {amount}", amount=view.money(ceiling, 4)),
            )
        )
    if survive:
        found.append(
            Key(
                _("Survives"),
                n_("{n} outage", "{n} outages", survive["tried"]),
                _("as [security] survive asks"),
                "good",
            )
        )
    if risk:
        worst = (
            view.money(risk["mean_of_worst_musd"], 4)
            if risk["measure"] == "cost"
            else _("{tonnes} unserved", tonnes=tonnes_of(risk["mean_of_worst_t"]))
        )
        found.append(
            Key(
                _("In bad outcomes"),
                worst,
                _("mean of the worst {rate}, weighed in", rate=rate_of(1.0 - risk["alpha"])),
            )
        )
    return found


def sentences(view: View) -> list[str]:
    """What the plan says, the most asked first."""
    found = [
        *trust.aims(view),
        _cost(view),
        _dependence(view),
        _hidden(view),
        # what less dependence costs is the question, so the curve is told early
        *(frontier.in_words(view, study) for study in view.studies if study.kind == "frontier"),
        _bottleneck(view),
        _builds(view),
        _shortage(view),
        _caps(view),
        prices.premium_in_words(view, prices.mean_prices(view)),
        *(STUDIES[study.kind].in_words(view, study) for study in view.studies if study.kind != "frontier"),
    ]
    return [sentence for sentence in found if sentence]


def totals(view: View) -> tuple[float, float]:
    """Tonnes short and tonnes demanded over the horizon."""
    metrics = view.plan["metrics"]
    short = sum(view.lengths[y] * metrics["short_t"][str(y)] for y in view.years)
    return short, sum(view.lengths[y] * metrics["demand_t"][str(y)] for y in view.years)


def bottleneck(view: View) -> tuple[str, float] | None:
    """The stage with the largest share in the last year, and that share; None if none depends."""
    last = view.years[-1]
    known = [(s, by[last]) for s, by in view.stage_share.items() if last in by]
    worst = max(known, key=lambda p: p[1], default=None)
    return worst if worst and worst[1] > 0 else None


def _cost(view: View) -> str:
    plan = view.plan
    short, demand = totals(view)
    delivered = view.tables["service"]
    present = sum(
        view.discounts[r.year] * (r.clean_t + r.exposed_t + getattr(r, "replaced_t", 0.0))
        for r in delivered.itertuples()
    )
    instance = view.instance
    text = _(
        "Supplying {tonnes} over {span} costs {amount} (present value, {currency} of {price_year} at {rate})",
        tonnes=tonnes_of(demand - short),
        span=view.span,
        amount=view.money(plan["objective_musd"]),
        currency=instance.currency,
        price_year=instance.price_year,
        rate=rate_of(instance.discount_rate),
    )
    if present > 0 and plan["objective_musd"] > 0:
        each = plan["objective_musd"] * 1e6 / present / 1e3
        said = {"sentence": text, "amount": figure_of(each), "currency": instance.currency}
        if instance.substitutes:
            text = _("{sentence}, {amount} {currency} for each kilogram delivered or replaced", **said)
        else:
            text = _("{sentence}, {amount} {currency} for each kilogram delivered", **said)
    if plan["status"] != "optimal":
        share = share_of(plan["gap"])
        text = _("{sentence}; it may be {share} too dear, for the search was stopped", sentence=text, share=share)
    return full_stop(text)


def _dependence(view: View) -> str:
    shares = view.exposed_share
    if not shares:
        return ""
    first, last = min(shares), max(shares)
    if max(shares.values()) < 5e-4:
        text = _("Nothing delivered depends on {concern} at any step", concern=view.concern_name)
    elif first == last:
        text = _(
            "{share} of what is delivered in {year} depends on {concern} at some step",
            share=share_of(shares[first]),
            year=first,
            concern=view.concern_name,
        )
    else:
        text = _(
            "{share} of what is delivered depends on {concern} at some step in {first}, {last_share} in {last}",
            share=share_of(shares[first]),
            concern=view.concern_name,
            first=first,
            last_share=share_of(shares[last]),
            last=last,
        )
        low = min(shares, key=lambda y: (shares[y], y))
        if low not in (first, last) and shares[low] < min(shares[first], shares[last]) - 0.005:
            text = _("{sentence}; the least is {share} in {year}", sentence=text, share=share_of(shares[low]), year=low)
    return full_stop(_against_caps(view, text))


def _against_caps(view: View, text: str) -> str:
    table = view.tables["dependence"]
    rows = table[
        (table["cap"] != "") & (table["metric"] == "exposed_share") & (table["country"] == "") & (table["sector"] == "")
    ]
    if rows.empty:
        return text if (table["cap"] != "").any() else _("{sentence}. No cap limits it", sentence=text)
    last = rows.sort_values("year").iloc[-1]
    share = share_of(last["limit"])
    return _("{sentence}; the cap allows {share} in {year}", sentence=text, share=share, year=last["year"])


def _hidden(view: View) -> str:
    """How much more is traced than the finished stage shows."""
    last = view.years[-1]
    final = view.instance.stages[-1]
    shown, traced = view.stage_share.get(final, {}).get(last), view.exposed_share.get(last)
    if shown is None or traced is None or traced - shown < 0.005:
        return ""
    return _(
        "The stage share hides part of it: {share} of the {stage} stage is made in, tied to or "
        "bought in {concern} in {year}, but {traced} of deliveries depend on it further up.",
        share=share_of(shown),
        stage=final,
        concern=view.concern_name,
        year=last,
        traced=share_of(traced),
    )


def _bottleneck(view: View) -> str:
    """The most dependent stage, and whether capacity outside countries of concern is what it lacks."""
    worst = bottleneck(view)
    if worst is None:
        return ""
    stage, share = worst
    last = view.years[-1]
    capacity = used = 0.0
    for r in view.tables["capacity"].itertuples():
        facility = view.facilities[r.facility]
        safe = facility.country not in view.concern and not facility.concern_tie
        if r.year == last and safe and view.stage_of_facility.get(r.facility) == stage:
            capacity += r.capacity_t
            used += r.used_t
    text = _("The most dependent stage is {stage}: {share} in {year}.", stage=stage, share=share_of(share), year=last)
    concern = view.concern_name
    if capacity <= 1e-6:
        return _("{sentence} There is no capacity for it outside {concern}.", sentence=text, concern=concern)
    said = {"sentence": text, "concern": concern, "share": share_of(used / capacity)}
    if used / capacity > 0.97:
        return _("{sentence} Capacity for it outside {concern} is used to {share}: more must be built.", **said)
    return _("{sentence} Capacity for it outside {concern} is used to {share}: room is not what it lacks.", **said)


def _builds(view: View) -> str:
    builds = view.tables["builds"]
    if builds.empty:
        return _("Nothing is built.")
    cost: dict[str, float] = defaultdict(float)
    for r in builds.itertuples():
        cost[r.option] += r.capex_musd
    order = sorted(cost, key=lambda o: (-cost[o], o))
    countries = {r.country for r in builds.itertuples()}
    startups = sum(view.facilities[view.options[o].facility].startup for o in cost)
    names = [f"{view.project(o)} ({view.home(o)})" for o in order]
    text = n_(
        "{n} project in {countries} is built for {amount} overnight",
        "{n} projects in {countries} are built for {amount} overnight",
        len(cost),
        countries=n_("{n} country", "{n} countries", len(countries)),
        amount=view.money(sum(cost.values())),
    )
    if startups:
        text = _("{sentence}, {n} of them by startups (★)", sentence=text, n=startups)
    if len(names) <= 4:
        return _("{sentence}: {names}.", sentence=text, names=listed(names))
    return _("{sentence}; the largest are {names}.", sentence=text, names=listed(names[:4]))


def _shortage(view: View) -> str:
    short, demand = totals(view)
    if short <= 1e-3:
        return _("All demand is met in every year.")
    yearly = view.plan["metrics"]["short_t"]
    worst = max(view.years, key=lambda y: (yearly[str(y)], -y))
    return _(
        "{tonnes}, {share} of demand, are not delivered; the worst year is {year} with {worst}.",
        tonnes=tonnes_of(short),
        share=share_of(short / demand),
        year=worst,
        worst=tonnes_of(yearly[str(worst)]),
    )


def _caps(view: View) -> str:
    table = view.tables["dependence"]
    caps = table[table["cap"] != ""]
    if caps.empty:
        return ""
    binding = caps[caps["marginal_musd_per_point"] > NO_MONEY * abs(view.plan["objective_musd"])]
    if binding.empty:
        return _("No cap costs anything that counts.")
    by_cap = binding.groupby("cap")["marginal_musd_per_point"].sum().sort_values(ascending=False)
    top = str(by_cap.index[0])
    rows = binding[binding["cap"] == top].sort_values("marginal_musd_per_point", ascending=False)
    worst = rows.iloc[0]
    saved = view.money(float(by_cap.iloc[0]))
    floor = top in view.instance.floors
    if unit_of(view.instance, top):
        point = _("One unit less on the cap “{cap}”") if floor else _("One unit more on the cap “{cap}”")
    elif floor:
        point = _("One percentage point less on the cap “{cap}”")
    else:
        point = _("One percentage point more on the cap “{cap}”")
    said = {"step": point.format(cap=top), "year": worst["year"], "amount": saved}
    if rows["year"].nunique() > 1:
        text = _("{step} in every year would save about {amount}, most of it in {year}", **said)
    else:
        text = _("{step} in {year} would save about {amount}", **said)
    others = [_("“{name}”", name=c) for c in by_cap.index[1:]]
    if others:
        text = n_(
            "{sentence}; {names} also binds", "{sentence}; {names} also bind", len(others),
            sentence=text, names=listed(others, 3),
        )  # fmt: skip
    return full_stop(text)
