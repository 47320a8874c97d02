"""The thresholds of options that are not built: how much cheaper, earlier or larger they must be to enter the plan.

There are two kinds of answer. Shadow prices give a lower bound: with the other builds held, an option must be *at
least* so much cheaper or larger. Re-solves, in which all builds are free, give the threshold at which the option enters
a least-cost plan.

Capex and running cost enter the objective linearly. Let a subsidy s be paid per unit of W, the capex annuities of the
option or the activity of its facility. The least cost over plans that build the option, min (cost - s W), is a concave
and falling function of s. Newton's method, begun at the cheapest plan with the option, finds the s at which this cost
equals that of the plan (this is Dinkelbach's method for the ratio of extra cost to W). Each step is a re-solve, which
either finds a plan that enters at a smaller subsidy or proves that there is none.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from ...errors import InstanceError
from ...instance.timeline import largest_capacity
from ...language import _, n_, number
from ...solving.solver import Found
from .bench import Bench
from .binding import earlier_cells
from .model import BUILT, SAME, Model
from .projects import NOT_AGAIN, Project

CAPEX, OPEX, EARLIER, LARGER, ALL = "capex", "opex", "earlier", "larger", "all"
UNITS = {CAPEX: "factor", OPEX: "USD/t", EARLIER: "years", LARGER: "factor", ALL: ""}
AT_LEAST = "dual, at least; others as built"

MOST_STEPS = 30  # Newton steps; each finds another plan, and a few suffice
LARGEST = 8.0  # largest module that is tried, as a multiple of the option's own
NARROW = 1e-3  # relative width of the bracket at which the search for a size ends


Entry = dict[str, Any]  # a row of the table ``entry`` of `Explanation`


def _entry(option: str, change: str, how: str, says: str, threshold: float = math.nan, **tried: float) -> Entry:
    """Return a row of the table ``entry``: the change with which an option enters the plan.

    change     ``capex``, ``opex``, ``earlier`` or ``larger``; ``all``: the row is of no single kind of change
    how        source of the threshold, or why it is not known
    says       the threshold in words
    threshold  in the unit of the change: factor on capex or size, fall of the running cost in USD/t, years
    tried      ``enters`` and ``stays_out``: changes that were tried, with which the option was built and was not built
    """
    return {"option": option, "change": change, "threshold": threshold, "unit": UNITS[change], "how": how,
            "says": says, **tried}  # fmt: skip


def by_duals(bench: Bench, project: Project) -> list[Entry]:
    """Return lower bounds of what an option lacks, from the shadow prices with the builds of the plan held."""
    name = project.option.option
    lacks = project.lacks
    if lacks <= SAME * max(1.0, abs(bench.base)):
        says = _("its first tonne would pay; whether a module does, only a re-solve tells")
        return [_entry(name, ALL, "dual", says)]
    result = []
    if lacks <= project.annuity:
        factor = 1.0 - lacks / project.annuity
        says = _(
            "capex at most {share} of {amount} MUSD a module",
            share=number(f"{factor:.1%}"),
            amount=number(f"{project.option.capex_musd:,.6g}"),
        )
        result.append(_entry(name, CAPEX, AT_LEAST, says, factor))
    else:
        says = _lacking(_("not even free of capex"), lacks - project.annuity)
        result.append(_entry(name, CAPEX, AT_LEAST, says))
    if most := _most_activity(bench, project):
        cut = lacks / most * 1e3
        says = _("running cost lower by {amount} USD/t", amount=number(f"{cut:,.4g}"))
        result.append(_entry(name, OPEX, AT_LEAST, says, cut))
    if project.earns > project.fixed_om + BUILT:
        factor = project.annuity / (project.earns - project.fixed_om)
        says = _("modules {factor} times as large at the same capex", factor=number(f"{factor:.4g}"))
        result.append(_entry(name, LARGER, AT_LEAST, says, factor))
    return result


def _most_activity(bench: Bench, project: Project) -> float:
    """Return the largest activity that the modules of a project could run, kt, discounted like costs."""
    total = 0.0
    for limit in bench.data.capacity:
        capacity = sum(k for i, k in limit.modules if i == project.start)
        if capacity and limit.use:
            least = min(k for __, k in limit.use)
            total += bench.data.nodes[limit.node].weight * capacity * project.modules / least
    return total


# --- by re-solves ---


def by_capex(bench: Bench, project: Project) -> list[Entry]:
    """Return the capex at which an option enters, by re-solves.

    project  a project after `cost_if_built`, which gives it the cheapest plan with the option
    """
    name = project.option.option
    if project.plan is None:
        return [_entry(name, ALL, project.if_built_how, _cannot(project))]
    money = bench.capital(name)
    lacking = project.cost_if_built.least - bench.most_capital(project.option)
    if not bench.proven and lacking > 0.0:
        amount = number(f"{lacking:,.4g}")
        says = _("not even free of capex: at least {amount} MUSD more are lacking", amount=amount)
        return [_entry(name, CAPEX, bench.label, says)]
    found = _least_saving(bench, project, money, 1.0, f"{name}, share of capex saved")
    if found is None:
        return [_entry(name, ALL, f"{NOT_AGAIN}: {bench.stopped}", "")]
    saving, lacking = found
    if saving is None:
        says = _lacking(_("not even free of capex"), lacking)
        return [_entry(name, CAPEX, bench.label, says)]
    if saving == 0.0:
        says = _("enters as it is: the run is not the best plan, or another one of its cost builds it")
    elif saving == 1.0 and not bench.proven:
        says = _("enters at best free of capex; what is lacking then is within the gap")
    else:
        says = _(
            "enters with capex below {share} of {amount} MUSD a module",
            share=number(f"{1.0 - saving:.2%}"),
            amount=number(f"{project.option.capex_musd:,.6g}"),
        )
    if project.cost_if_built.found <= bench.tolerance and not bench.proven:
        says = _("{sentence}, perhaps sooner: what building it costs is within the gap", sentence=says)
    return [_entry(name, CAPEX, bench.label, says, 1.0 - saving)]


def by_running_cost(bench: Bench, project: Project) -> list[Entry]:
    """Return the fall of the running cost at which an option enters, by re-solves.

    There is none if the running cost is 0. The question is not asked if the facility has own capacity or another
    built option, since the running cost is then not the option's alone.
    """
    option = project.option
    name = option.option
    facility = next(f for f in bench.instance.facilities if f.facility == option.facility)
    siblings = [o.option for o in bench.instance.options if o.facility == option.facility and o.option != name]
    activity = [(i, a) for i, a in enumerate(bench.data.activity) if a.facility == option.facility]
    dearest = max((a.opex for __, a in activity), default=0.0)
    if project.plan is None or dearest <= 0.0:
        return []
    own = largest_capacity(bench.instance, facility) > 0.0
    if own or any(bench.builds[i] > BUILT for o in siblings for i in bench.starts[o]):
        says = _("the running cost of {facility} is not this option's alone", facility=option.facility)
        return [_entry(name, ALL, "not asked", says)]
    columns = bench.arrays.columns["activity"]
    run = {columns[i]: bench.data.nodes[a.node].weight for i, a in activity}
    found = _least_saving(bench, project, run, dearest, f"{name}, MUSD/kt of running cost saved", siblings)
    if found is None:
        return [_entry(name, ALL, f"{NOT_AGAIN}: {bench.stopped}", "")]
    saving, lacking = found
    if saving is None:
        says = _lacking(_("not even if running cost nothing"), lacking)
        return [_entry(name, OPEX, bench.label, says)]
    fall = number(f"{saving * 1e3:,.6g}")
    says = _("enters with a running cost lower by more than {amount} USD/t", amount=fall)
    return [_entry(name, OPEX, bench.label, says, saving * 1e3)]


def _least_saving(
    bench: Bench,
    project: Project,
    weight: dict[int, float],
    most: float,
    what: str,
    closed: Collection[str] = (),
) -> tuple[float | None, float] | None:
    """Find the least subsidy per unit of a weighted sum of columns with which an option enters, by Newton's method.

    weight  column -> its weight in the sum
    most    largest subsidy, MUSD per unit of the sum
    what    the subsidy in words, for the lines of progress
    closed  other options that must not be built

    Returns the subsidy and 0. If even ``most`` is not enough, returns None and what is lacking then (MUSD, NaN if that
    is not known). Returns None alone if the search was stopped.
    """
    option = project.option
    # an option of whole modules enters with one of them, a divisible one with any small part of a module
    least = (option.option, 1.0) if option.integer and option.max_modules >= 1.0 else None
    x = project.plan
    assert x is not None
    all_saved = False
    for _step in range(MOST_STEPS):
        dearer = bench.objective(x) - bench.base
        if dearer <= SAME * max(1.0, abs(bench.base)):
            return 0.0, 0.0
        amount = sum(x[k] * w for k, w in weight.items())
        reached = dearer <= most * amount
        saving = dearer / amount if reached else most
        if (reached and dearer <= bench.tolerance) or (not reached and all_saved):
            return saving, 0.0  # the remaining difference is within the gap
        cheaper = {k: saving * w for k, w in weight.items()}
        said = f"{what}: {saving:.6g}"
        answer = bench.again(said, close=closed, least=least, cheaper=cheaper, start=bench.modules_of(x))
        if answer is None or not answer.held:
            return None
        short = answer.value - bench.base
        if reached and short >= -bench.tolerance:
            return saving, 0.0
        if not reached and short > bench.tolerance:
            return None, short
        if not reached and not _builds(bench, option.option, answer):
            return None, math.nan
        x, all_saved = answer.x, not reached
    return None


def _lacking(text: str, lacking: float) -> str:
    """Return a sentence with how much is lacking (MUSD), if that is known."""
    if math.isnan(lacking):
        return text
    return _("{sentence}: {amount} MUSD more are lacking", sentence=text, amount=number(f"{lacking:,.4g}"))


def _builds(bench: Bench, option: str, answer: Found) -> bool:
    """Return whether the plan of a solution builds an option."""
    return any(answer.x[bench.columns[i]] > BUILT for i in bench.planned(option))


def by_years(bench: Bench, project: Project) -> list[Entry]:
    """Return how many years earlier online an option enters, by solves of the instance with earlier dates."""
    name = project.option.option
    years = 0
    while (cells_to_set := earlier_cells(bench, name, years + 1)) is not None:
        try:
            model = Model(bench.changed_option(name, **cells_to_set), bench.settings)
        except InstanceError:
            break
        years += 1
        answer = bench.ask(f"{name}, {_years(years)} earlier", model, start=model.modules(bench.built))
        if answer is None or not answer.held:
            return [_entry(name, ALL, f"{NOT_AGAIN}: {bench.stopped}", "")]
        if answer.value < bench.base - bench.tolerance:
            says = n_("enters if it is online a year earlier", "enters if it is online {n} years earlier", years)
            return [_entry(name, EARLIER, bench.label, says, years, enters=years, stays_out=years - 1)]
    says = (
        n_("not even a year earlier", "not even {n} years earlier", years)
        if years
        else _("it cannot be earlier within the horizon")
    )
    return [_entry(name, EARLIER, bench.label, says, stays_out=years)]


def _years(count: int) -> str:
    return "a year" if count == 1 else f"{count} years"


def by_size(bench: Bench, project: Project) -> list[Entry]:
    """Return how many times as large a module must be at the same capex for an option to enter, by re-solves.

    The size is doubled until the option enters, and the bracket is then halved (bisection).
    """
    name = project.option.option
    low, high = 1.0, 2.0
    while True:
        enters = _enters_with_size(bench, name, high)
        if enters is None:
            return [_entry(name, ALL, f"{NOT_AGAIN}: {bench.stopped}", "")]
        if enters:
            break
        low, high = high, 2.0 * high
        if high > LARGEST:
            says = _("not even with modules {factor} times as large at the same capex", factor=number(f"{low:g}"))
            return [_entry(name, LARGER, bench.label, says, stays_out=low)]
    while high - low > NARROW * high:
        middle = (low + high) / 2
        enters = _enters_with_size(bench, name, middle)
        if enters is None:
            break
        low, high = (low, middle) if enters else (middle, high)
    says = _("enters with modules {factor} times as large at the same capex", factor=number(f"{high:.4g}"))
    return [_entry(name, LARGER, bench.label, says, high, enters=high, stays_out=low)]


def _enters_with_size(bench: Bench, option: str, factor: float) -> bool | None:
    """Return whether modules ``factor`` times as large lower the cost; None if that was not solved."""
    answer = bench.ask(f"{option}, {factor:.5g} times as large", bench.scaled(option, factor), start=bench.builds)
    if answer is None or not answer.held:
        return None
    return answer.value < bench.base - bench.tolerance


def _cannot(project: Project) -> str:
    """Return in words why no plan can build an option; "" if that was not proven."""
    if "no plan with it" not in project.if_built_how:
        return ""
    own = project.option.private_musd
    text = _("no plan can build it: its funds, what it requires, its group or a cap stand against it")
    if own is None:
        return text
    amount = number(f"{own:,.6g}")
    return _("{sentence} (its own money is {amount} MUSD plus funds)", sentence=text, amount=amount)
