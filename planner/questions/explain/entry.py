"""What an option that is not built lacks: how much cheaper, earlier or larger it would have to be to enter the plan.

Two kinds of answer. By duals: with the other builds as they are, an option must be *at least* so much cheaper or
larger. By re-solves: all builds are free, and the threshold is where it enters a least-cost plan.

Capex and running cost enter the objective linearly. With a subsidy s per unit of W (the option's capex annuities, or
the activity of its facility) the least cost over plans that build it, min (cost - s W), is concave and falls in s.
Newton steps from the cheapest plan with the option find where it meets the plan's cost: each step is a re-solve that
either finds a plan that enters sooner or proves that there is none.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from ...errors import InstanceError
from ...solving.solver import Found
from .bench import BUILT, SAME, Bench, Model
from .binding import earlier_cells
from .projects import NOT_AGAIN, Project

CAPEX, OPEX, EARLIER, LARGER, ALL = "capex", "opex", "earlier", "larger", "all"
UNITS = {CAPEX: "factor", OPEX: "USD/t", EARLIER: "years", LARGER: "factor", ALL: ""}
AT_LEAST = "dual, at least; others as built"

MOST_STEPS = 30  # Newton steps; each finds another plan, and a few suffice
LARGEST = 8.0  # module size tried, times the option's own
NARROW = 1e-3  # relative width at which a search for a size stops


Entry = dict[str, Any]  # a row of the table ``entry`` of `Explanation`


def _entry(option: str, change: str, how: str, says: str, threshold: float = math.nan, **tried: float) -> Entry:
    """A row of the table ``entry``: what has to change for an option to enter.

    change     ``capex``, ``opex``, ``earlier``, ``larger``, or ``all``: nothing of this kind helps
    threshold  in the unit of the change: the factor on capex or size, USD per tonne off the running cost, years
    tried      ``enters`` and ``stays_out``: changes that were tried here with and without the option being built
    """
    return {"option": option, "change": change, "threshold": threshold, "unit": UNITS[change], "how": how,
            "says": says, **tried}  # fmt: skip


def by_duals(bench: Bench, project: Project) -> list[Entry]:
    """What an option lacks at least beside the builds of the plan."""
    name = project.option.option
    lacks = project.lacks
    if lacks <= SAME * max(1.0, abs(bench.base)):
        says = "its first tonne would pay; whether a module does, only a re-solve tells"
        return [_entry(name, ALL, "dual", says)]
    result = []
    if lacks <= project.annuity:
        factor = 1.0 - lacks / project.annuity
        says = f"capex at most {factor:.1%} of {project.option.capex_musd:,.6g} MUSD a module"
        result.append(_entry(name, CAPEX, AT_LEAST, says, factor))
    else:
        says = f"not even free of capex{_more(lacks - project.annuity)}"
        result.append(_entry(name, CAPEX, AT_LEAST, says))
    if most := _most_activity(bench, project):
        cut = lacks / most * 1e3
        says = f"running cost lower by {cut:,.4g} USD/t"
        result.append(_entry(name, OPEX, AT_LEAST, says, cut))
    if project.earns > project.fixed_om + BUILT:
        factor = project.annuity / (project.earns - project.fixed_om)
        says = f"modules {factor:.4g} times as large at the same capex"
        result.append(_entry(name, LARGER, AT_LEAST, says, factor))
    return result


def _most_activity(bench: Bench, project: Project) -> float:
    """Discounted activity, kt, that the modules described could run at most."""
    total = 0.0
    for limit in bench.data.capacity:
        capacity = sum(k for i, k in limit.modules if i == project.start)
        if capacity and limit.use:
            least = min(k for _, k in limit.use)
            total += bench.data.nodes[limit.node].weight * capacity * project.modules / least
    return total


# --- by re-solves ---


def by_capex(bench: Bench, project: Project) -> list[Entry]:
    """The capex at which an option enters; needs ``project.plan``."""
    name = project.option.option
    if project.plan is None:
        return [_entry(name, ALL, project.if_built_how, _cannot(project))]
    money = {bench.columns[i]: bench.data.build[i].annuity for i in bench.starts[name]}
    lacking = project.cost_if_built.least - max(money.values()) * project.option.max_modules
    if not bench.proven and lacking > 0.0:
        says = f"not even free of capex: at least {lacking:,.4g} MUSD more are lacking"
        return [_entry(name, CAPEX, bench.label, says)]
    found = _least_saving(bench, project, money, 1.0, f"{name}, share of capex saved")
    if found is None:
        return [_entry(name, ALL, f"{NOT_AGAIN}: {bench.stopped}", "")]
    saving, lacking = found
    if saving is None:
        says = f"not even free of capex{_more(lacking)}"
        return [_entry(name, CAPEX, bench.label, says)]
    if saving == 0.0:
        says = "enters as it is: the run is not the best plan, or another one of its cost builds it"
    elif saving == 1.0 and not bench.proven:
        says = "enters at best free of capex; what is lacking then is within the gap"
    else:
        says = f"enters with capex below {1.0 - saving:.2%} of {project.option.capex_musd:,.6g} MUSD a module"
    if project.cost_if_built.found <= bench.tolerance and not bench.proven:
        says += ", perhaps sooner: what building it costs is within the gap"
    return [_entry(name, CAPEX, bench.label, says, 1.0 - saving)]


def by_running_cost(bench: Bench, project: Project) -> list[Entry]:
    """The fall of its facility's running cost at which an option enters, where nothing else runs there."""
    option = project.option
    name = option.option
    facility = next(f for f in bench.instance.facilities if f.facility == option.facility)
    siblings = [o.option for o in bench.instance.options if o.facility == option.facility and o.option != name]
    activity = [(i, a) for i, a in enumerate(bench.data.activity) if a.facility == option.facility]
    dearest = max((a.opex for _, a in activity), default=0.0)
    if project.plan is None or dearest <= 0.0:
        return []
    if facility.capacity_t > 0.0 or any(bench.builds[i] > BUILT for o in siblings for i in bench.starts[o]):
        return [_entry(name, ALL, "not asked", f"the running cost of {option.facility} is not this option's alone")]
    columns = bench.arrays.columns["activity"]
    run = {columns[i]: bench.data.nodes[a.node].weight for i, a in activity}
    found = _least_saving(bench, project, run, dearest, f"{name}, MUSD/kt of running cost saved", siblings)
    if found is None:
        return [_entry(name, ALL, f"{NOT_AGAIN}: {bench.stopped}", "")]
    saving, lacking = found
    if saving is None:
        says = f"not even if running cost nothing{_more(lacking)}"
        return [_entry(name, OPEX, bench.label, says)]
    says = f"enters with a running cost lower by more than {saving * 1e3:,.6g} USD/t"
    return [_entry(name, OPEX, bench.label, says, saving * 1e3)]


def _least_saving(
    bench: Bench,
    project: Project,
    weight: dict[int, float],
    most: float,
    what: str,
    closed: Collection[str] = (),
) -> tuple[float | None, float] | None:
    """The least saving per unit of ``weight``, up to ``most``, with which the option enters.

    Returns the saving and 0; or None and what is lacking even with ``most`` (MUSD, NaN if that is not known).
    None alone: it was not solved to the end.
    """
    option = project.option
    # a divisible option may enter with any small amount
    least = (option.option, 1.0) if option.integer and option.max_modules >= 1.0 else None
    x = project.plan
    assert x is not None
    all_saved = False
    for _ in range(MOST_STEPS):
        dearer = bench.objective(x) - bench.base
        if dearer <= SAME * max(1.0, abs(bench.base)):
            return 0.0, 0.0
        amount = sum(x[k] * w for k, w in weight.items())
        reached = dearer <= most * amount
        saving = dearer / amount if reached else most
        if (reached and dearer <= bench.tolerance) or (not reached and all_saved):
            return saving, 0.0  # what is still lacking is within the gap
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


def _more(lacking: float) -> str:
    return "" if math.isnan(lacking) else f": {lacking:,.4g} MUSD more are lacking"


def _builds(bench: Bench, option: str, answer: Found) -> bool:
    return any(answer.x[bench.columns[i]] > BUILT for i in bench.starts[option])


def by_years(bench: Bench, project: Project) -> list[Entry]:
    """How many years earlier online an option enters: the instance with other dates, solved again."""
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
            says = f"enters if it is online {_years(years)} earlier"
            return [_entry(name, EARLIER, bench.label, says, years, enters=years, stays_out=years - 1)]
    says = f"not even {_years(years)} earlier" if years else "it cannot be earlier within the horizon"
    return [_entry(name, EARLIER, bench.label, says, stays_out=years)]


def _years(count: int) -> str:
    return "a year" if count == 1 else f"{count} years"


def by_size(bench: Bench, project: Project) -> list[Entry]:
    """How many times as large a module at the same capex an option enters: doubling, then halving the bracket."""
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
            says = f"not even with modules {low:g} times as large at the same capex"
            return [_entry(name, LARGER, bench.label, says, stays_out=low)]
    while high - low > NARROW * high:
        middle = (low + high) / 2
        enters = _enters_with_size(bench, name, middle)
        if enters is None:
            break
        low, high = (low, middle) if enters else (middle, high)
    says = f"enters with modules {high:.4g} times as large at the same capex"
    return [_entry(name, LARGER, bench.label, says, high, enters=high, stays_out=low)]


def _enters_with_size(bench: Bench, option: str, factor: float) -> bool | None:
    answer = bench.ask(f"{option}, {factor:.5g} times as large", bench.scaled(option, factor), start=bench.builds)
    if answer is None or not answer.held:
        return None
    return answer.value < bench.base - bench.tolerance


def _cannot(project: Project) -> str:
    if "no plan with it" not in project.if_built_how:
        return ""
    own = project.option.private_musd
    money = "" if own is None else f" (its own money is {own:,.6g} MUSD plus funds)"
    return f"no plan can build it: its funds, what it requires, its group or a cap stand against it{money}"
