"""The findings in sentences, each computed from the plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...instance.limits import unit_of
from ...words import counted, figure_of, listed, rate_of, share_of, tonnes_of
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
        proven = f"not proven, gap {share_of(plan['gap'])}"
    else:
        proven = f"proven within {share_of(plan['gap'])}" if plan["gap"] > 5e-7 else "proven optimal"
    cost = view.money(plan["objective_musd"])
    found = [Key("Cost, present value", cost.replace(" billion", " bn").replace(" million", " m"), proven)]
    found += _aim_keys(view)
    shares = view.exposed_share
    if shares:
        first, last = min(shares), max(shares)
        value, years = share_of(shares[last]), str(last)
        if first != last:
            value, years = f"{share_of(shares[first]).rstrip('%')} → {value}", f"{first} → {last}"
        found.append(Key("Traced dependence", value, f"on {view.concern_name}, {years}"))
    worst = bottleneck(view)
    if worst:
        stage, share = worst
        found.append(Key("Most dependent stage", stage, f"{share_of(share)} in {view.years[-1]}"))
    builds = view.tables["builds"]
    projects = builds["option"].nunique()
    found.append(
        Key("Projects built", str(projects), view.money(float(builds["capex_musd"].sum())) if projects else "none")
    )
    short, demand = totals(view)
    found.append(
        Key(
            "Not delivered",
            "nothing" if short <= 1e-3 else tonnes_of(short),
            f"of {tonnes_of(demand)}" if short <= 1e-3 else f"{share_of(short / demand)} of demand",
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
        found.append(Key("Made least", trust.AIMS[asked["name"]], f"at a cost of at most {view.money(ceiling, 4)}"))
    if survive:
        found.append(Key("Survives", counted(survive["tried"], "outage"), "as [security] survive asks", "good"))
    if risk:
        worst = (
            view.money(risk["mean_of_worst_musd"], 4)
            if risk["measure"] == "cost"
            else f"{tonnes_of(risk['mean_of_worst_t'])} unserved"
        )
        found.append(Key("In bad outcomes", worst, f"mean of the worst {rate_of(1.0 - risk['alpha'])}, weighed in"))
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
    text = f"Supplying {tonnes_of(demand - short)} over {view.span} costs {view.money(plan['objective_musd'])} "
    instance, rate = view.instance, rate_of(view.instance.discount_rate)
    text += f"(present value, {instance.currency} of {instance.price_year} at {rate})"
    if present > 0 and plan["objective_musd"] > 0:
        each = plan["objective_musd"] * 1e6 / present / 1e3
        done = "delivered or replaced" if view.instance.substitutes else "delivered"
        text += f", {figure_of(each)} {view.instance.currency} for each kilogram {done}"
    if plan["status"] != "optimal":
        text += f"; it may be {share_of(plan['gap'])} too dear, for the search was stopped"
    return text + "."


def _dependence(view: View) -> str:
    shares = view.exposed_share
    if not shares:
        return ""
    first, last = min(shares), max(shares)
    if max(shares.values()) < 5e-4:
        text = f"Nothing delivered depends on {view.concern_name} at any step"
    elif first == last:
        text = f"{share_of(shares[first])} of what is delivered in {first} depends on {view.concern_name} at some step"
    else:
        text = (
            f"{share_of(shares[first])} of what is delivered depends on {view.concern_name} at some step in {first}, "
            f"{share_of(shares[last])} in {last}"
        )
        low = min(shares, key=lambda y: (shares[y], y))
        if low not in (first, last) and shares[low] < min(shares[first], shares[last]) - 0.005:
            text += f"; the least is {share_of(shares[low])} in {low}"
    return text + _against_caps(view) + "."


def _against_caps(view: View) -> str:
    table = view.tables["dependence"]
    rows = table[
        (table["cap"] != "") & (table["metric"] == "exposed_share") & (table["country"] == "") & (table["sector"] == "")
    ]
    if rows.empty:
        return "" if (table["cap"] != "").any() else ". No cap limits it"
    last = rows.sort_values("year").iloc[-1]
    return f"; the cap allows {share_of(last['limit'])} in {last['year']}"


def _hidden(view: View) -> str:
    """How much more is traced than the finished stage shows."""
    last = view.years[-1]
    final = view.instance.stages[-1]
    shown, traced = view.stage_share.get(final, {}).get(last), view.exposed_share.get(last)
    if shown is None or traced is None or traced - shown < 0.005:
        return ""
    return (
        f"The stage share hides part of it: {share_of(shown)} of the {final} stage is made in, tied to or bought in "
        f"{view.concern_name} in {last}, but {share_of(traced)} of deliveries depend on it further up."
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
    text = f"The most dependent stage is {stage}: {share_of(share)} in {last}"
    if capacity <= 1e-6:
        return text + f". There is no capacity for it outside {view.concern_name}."
    rate = used / capacity
    if rate > 0.97:
        return text + f". Capacity for it outside {view.concern_name} is used to {share_of(rate)}: more must be built."
    return (
        f"{text}. Capacity for it outside {view.concern_name} is used to {share_of(rate)}: room is not what it lacks."
    )


def _builds(view: View) -> str:
    builds = view.tables["builds"]
    if builds.empty:
        return "Nothing is built."
    cost: dict[str, float] = defaultdict(float)
    for r in builds.itertuples():
        cost[r.option] += r.capex_musd
    order = sorted(cost, key=lambda o: (-cost[o], o))
    countries = {r.country for r in builds.itertuples()}
    startups = sum(view.facilities[view.options[o].facility].startup for o in cost)
    names = [f"{view.project(o)} ({view.home(o)})" for o in order]
    text = (
        f"{counted(len(cost), 'project')} in {counted(len(countries), 'country', 'countries')} "
        f"{'is' if len(cost) == 1 else 'are'} built for {view.money(sum(cost.values()))} overnight"
    )
    if startups:
        text += f", {startups} of them by startups (★)"
    return f"{text}: {listed(names)}." if len(names) <= 4 else f"{text}; the largest are {listed(names[:4])}."


def _shortage(view: View) -> str:
    short, demand = totals(view)
    if short <= 1e-3:
        return "All demand is met in every year."
    yearly = view.plan["metrics"]["short_t"]
    worst = max(view.years, key=lambda y: (yearly[str(y)], -y))
    return (
        f"{tonnes_of(short)}, {share_of(short / demand)} of demand, are not delivered; the worst year is {worst} with "
        f"{tonnes_of(yearly[str(worst)])}."
    )


def _caps(view: View) -> str:
    table = view.tables["dependence"]
    caps = table[table["cap"] != ""]
    if caps.empty:
        return ""
    binding = caps[caps["marginal_musd_per_point"] > NO_MONEY * abs(view.plan["objective_musd"])]
    if binding.empty:
        return "No cap costs anything that counts."
    by_cap = binding.groupby("cap")["marginal_musd_per_point"].sum().sort_values(ascending=False)
    top = str(by_cap.index[0])
    rows = binding[binding["cap"] == top].sort_values("marginal_musd_per_point", ascending=False)
    worst = rows.iloc[0]
    saved = view.money(float(by_cap.iloc[0]))
    step = "unit" if unit_of(view.instance, top) else "percentage point"
    point = f"One {step} {'less' if top in view.instance.floors else 'more'} on the cap “{top}”"
    text = f"{point} in {worst['year']} would save about {saved}"
    if rows["year"].nunique() > 1:
        text = f"{point} in every year would save about {saved}, most of it in "
        text += str(worst["year"])
    others = [f"“{c}”" for c in by_cap.index[1:]]
    return text + (f"; {listed(others, 3)} also bind{'s' if len(others) == 1 else ''}." if others else ".")
