"""The value of each project: its cost and earnings, the cost of the plan without it, and the cost of building it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bands import Band, Searched, difference
from ...instance.finance import annuity_years, capital_recovery_factor, discount_factor
from ...instance.timeline import horizon_end
from ...language import _, number, p_
from .bench import Bench
from .model import BUILT
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.tables import Option
    from ...solving.solver import Found

NOT_AGAIN = "not re-solved"
UNKNOWN = Band(math.nan, math.nan, math.nan, math.nan)


@dataclass
class Project:
    """An option and its value; money is present value in MUSD, and NaN where it is not known.

    option         row of options.csv
    country        country of its facility
    built          whether the plan builds it
    start          position in ``data.build`` of its first start, or, if it is not built, of the start that lacks least
    start_year     year of that start
    modules        modules that are built, or, if none are, the smallest number that could be
    annuity        capital cost of these modules
    fixed_om       fixed O&M of these modules, and what the priced impacts of building them cost
    earns          value of their capacity by the shadow prices: at the margin if built, else an upper bound
    value          cost without the option, less the cost of the plan
    together       options of the same project: of one facility or stockpile, or of one exclusive group
    project_value  cost without all options of the project, less the cost of the plan
    cost_if_built  cost with at least one module, less the cost of the plan; for an option that is not built
    plan           cheapest plan found with the option; float array, one value for each column

    ``value_how``, ``project_how`` and ``if_built_how`` name the sources of the three bands, or why they are not known.
    """

    option: Option
    country: str
    built: bool
    start: int
    start_year: int
    modules: float
    annuity: float
    fixed_om: float
    earns: float
    value: Band = UNKNOWN
    value_how: str = ""
    together: tuple[str, ...] = ()
    project_value: Band = UNKNOWN
    project_how: str = ""
    cost_if_built: Band = UNKNOWN
    if_built_how: str = ""
    plan: np.ndarray | None = field(default=None, repr=False)

    @property
    def lacks(self) -> float:
        """Lower bound of what an option that is not built lacks to pay for itself, with the other builds held, MUSD."""
        return self.annuity + self.fixed_om - self.earns

    @property
    def twins(self) -> tuple[str, ...]:
        """The other options of the project."""
        return tuple(o for o in self.together if o != self.option.option)


def survey(bench: Bench) -> list[Project]:
    """Return every option of the instance with its value by the shadow prices; nothing is solved."""
    country = {f.facility: f.country for f in bench.instance.facilities}
    value = module_values(bench, bench.dual.get("capacity_limit", {}))
    of_first = module_values(bench, bench.first)
    result = []
    for option in bench.instance.options:
        starts = bench.planned(option.option)
        built = [i for i in starts if bench.builds[i] > BUILT]
        if built:
            count, worth = {i: bench.builds[i] for i in built}, value
        else:
            best = min(starts, key=lambda i: (_cost(bench, i) - sum(of_first[i].values()), i))
            count, worth = {best: bench.least_modules(option)}, of_first
        first = min(count)
        of_starts = [(bench.data.build[i], n) for i, n in count.items()]
        result.append(
            Project(
                option,
                country[option.facility],
                bool(built),
                start=first,
                start_year=bench.data.build[first].year,
                modules=sum(count.values()),
                annuity=sum(n * start.probability * start.annuity for start, n in of_starts)
                + sum(_excess(bench, i, n) for i, n in count.items()),
                fixed_om=sum(n * start.probability * (start.fixed_om + start.impact) for start, n in of_starts),
                earns=sum(n * sum(worth[i].values()) for i, n in count.items()),
                together=_together(bench, option),
            )
        )
    return result


def module_values(bench: Bench, duals: Mapping[int, float]) -> list[dict[int, float]]:
    """Return the value of one module of each start, by first year of the period, MUSD present value.

    duals  shadow prices of the capacity limits by index, MUSD per kt/yr

    The value is that of the capacity (or of the room of a stockpile), less the cost of making what offtakes require.
    The list has the order and length of ``data.build``.
    """
    result: list[dict[int, float]] = [{} for __ in bench.data.build]
    worths: list[tuple[Any, float]] = [
        *((bench.data.capacity[number], max(0.0, -dual)) for number, dual in duals.items()),
        *((bench.data.stock_limit[n], max(0.0, -dual)) for n, dual in bench.dual.get("stock_limit", {}).items()),
        *((bench.data.offtake[n], -duty) for n, duty in bench.dual.get("offtake", {}).items()),
    ]
    for limit, worth in worths:
        year = bench.data.nodes[limit.node].year
        for i, amount in limit.modules:
            result[i][year] = result[i].get(year, 0.0) + worth * amount
    for n, dual in bench.dual.get("impact", {}).items():  # what building causes takes up room under a cap
        cap = bench.data.caps["impact"][n]
        year = bench.data.nodes[cap.node].year
        for part in cap.parts:
            for i, units in part.started:
                lost = min(0.0, dual) * cap.sign * part.share * units
                result[i][year] = result[i].get(year, 0.0) + lost
    return result


def _cost(bench: Bench, i: int) -> float:
    """Return capital cost, fixed O&M and priced impacts of one module of a start, MUSD present value."""
    return float(bench.data.build[i].expected_cost)


def _excess(bench: Bench, start: int, modules: float) -> float:
    """Return what modules of a start cost beyond that part of the option's largest size, MUSD present value."""
    option = bench.data.build[start].option
    sizes = bench.instance.sizes.get(option)
    if not sizes:
        return 0.0
    (full, dear), (small, cheap) = sizes[-1], max(s for s in [(0.0, 0.0), *sizes] if s[0] <= modules * sizes[-1][0])
    large, more = next((s for s in sizes if s[0] > small), (full, dear))
    size = modules * full
    capex = cheap + (more - cheap) * (size - small) / (large - small) if large > small else cheap
    each = next(of.annuity * of.probability for of in bench.data.excess if of.start == start)
    return each * (capex - dear * modules)


def _together(bench: Bench, option: Option) -> tuple[str, ...]:
    """Return the options of a project: those of the same facility or stockpile, or of the same exclusive group."""
    return tuple(
        o.option
        for o in bench.instance.options
        if (o.facility, o.stockpile) == (option.facility, option.stockpile)
        or (o.exclusive_group and o.exclusive_group == option.exclusive_group)
    )


# --- re-solves ---


def value_without(bench: Bench, options: Sequence[str]) -> tuple[Band, str]:
    """Solve again without some options, and return what that costs above the plan, MUSD, and its source."""
    start = bench.builds.copy()
    for option in options:
        start[bench.starts[option]] = 0.0
    answer = bench.again(f"without {' and '.join(options)}", close=options, lift=options, start=start)
    return (UNKNOWN, f"{NOT_AGAIN}: {bench.stopped}") if answer is None else _difference(bench, answer, options)


def _difference(bench: Bench, answer: Found, without: Sequence[str]) -> tuple[Band, str]:
    """Return what the best plan without some options costs above the plan, MUSD, and the source of the number.

    answer  what the search without these options found

    The plan's own search was free not to build these options, unless they are committed or the builds were held. So
    the best plan without them cannot cost less. If it is found to cost less, the plan can be improved, which is noted.
    """
    if answer.stopped == "infeasible":
        return UNKNOWN, f"{bench.label}: no plan without it"
    if not answer.held:
        return UNKNOWN, f"{NOT_AGAIN}: no plan found in time"
    band = difference(Searched(answer.value, answer.bound), bench.searched)
    committed = any(o.min_modules for o in bench.instance.options if o.option in without)
    if not committed and not bench.pinned:
        if band.found < -band.rounding:
            bench.notes.append(
                _(
                    "the plan can be improved: without {options} it costs {amount} MUSD less; solve it again with a "
                    "smaller gap",
                    options=p_("between options", " and ").join(without),
                    amount=number(f"{-band.found:,.4g}"),
                )
            )
        band = band.at_least_nothing()
    return band, bench.label if answer.stopped == "optimal" else f"{bench.label}, stopped by {answer.stopped}"


def cost_if_built(bench: Bench, project: Project) -> None:
    """Solve again with at least one module of an option that is not built."""
    name = project.option.option
    start = bench.builds.copy()
    start[bench.starts[name]] = 0.0
    for twin in project.twins if project.option.exclusive_group else ():
        start[bench.starts[twin]] = 0.0
    start[project.start] = least = bench.least_modules(project.option)
    answer = bench.again(f"with {name}", least=(name, least), start=start)
    if answer is None:
        project.if_built_how = f"{NOT_AGAIN}: {bench.stopped}"
    elif answer.stopped == "infeasible":
        project.if_built_how = f"{bench.label}: no plan with it"
    elif not answer.held:
        project.if_built_how = f"{NOT_AGAIN}: no plan found in time"
    else:
        project.cost_if_built = difference(Searched(answer.value, answer.bound), bench.searched)
        project.if_built_how = bench.label
        project.plan = answer.x


# --- frames ---


def frame(projects: list[Project]) -> pd.DataFrame:
    """Return the table ``projects`` of `Explanation`: built options by value, then the others by what they lack."""
    import pandas as pd

    rows = [
        (
            *(p.option.option, p.option.facility, p.country, "yes" if p.built else "no", p.start_year, p.modules),
            *(p.modules * p.option.module_t, p.annuity, p.fixed_om, p.earns),
            "dual, at the margin" if p.built else "dual, at most",
            *(*p.value[:3], p.value_how, ";".join(p.twins), *p.project_value[:3], p.project_how),
            *(*p.cost_if_built[:3], p.if_built_how),
        )
        for p in sorted(projects, key=_order)
    ]
    return pd.DataFrame(rows, columns=Explanation.columns("projects"))


def _order(p: Project) -> tuple[bool, bool, float, str]:
    """Return the sort key of a project: options whose value is not known follow those whose value is known."""
    if p.built:
        solved = math.isfinite(p.value.found)
        known = p.value.found if solved else p.earns
        return (False, "no plan" not in p.value_how and not solved, -known, p.option.option)
    return (True, False, missing_share(p), p.option.option)


def missing_share(project: Project) -> float:
    """Return what an option that is not built lacks at least, as a share of its capital cost and fixed O&M."""
    return project.lacks / max(project.annuity + project.fixed_om, 1e-9)


def earnings(bench: Bench, projects: list[Project]) -> pd.DataFrame:
    """Return the table ``earnings`` of `Explanation`: the value of built capacity against its cost, by period."""
    import pandas as pd

    instance, span = bench.instance, bench.prepared.periods
    value = module_values(bench, bench.dual.get("capacity_limit", {}))
    end = horizon_end(instance)
    fixed_om = {f.facility: f.fixed_om_usd_per_t for f in instance.facilities}
    capacity: dict[tuple[int, int], float] = {}  # build, year -> kt per module, undisturbed
    for limit in bench.data.capacity:
        node = bench.data.nodes[limit.node]
        if not node.branch:
            capacity.update({(i, node.year): k for i, k in limit.modules})
    rows = []
    for p in projects:
        if not p.built:
            continue
        wacc = instance.wacc if p.option.wacc is None else p.option.wacc
        yearly = p.option.capex_musd * capital_recovery_factor(wacc, p.option.life_years)
        for period in span:
            there = earned = paid = 0.0
            for i in bench.starts[p.option.option]:
                n = bench.builds[i]
                if n <= BUILT:
                    continue
                there += n * capacity.get((i, period.first_year), 0.0)
                earned += n * value[i].get(period.first_year, 0.0) / period.discount
                online = set(annuity_years(p.option, bench.data.build[i].year, end)) & set(period.calendar)
                paid += n * yearly * sum(discount_factor(instance.discount_rate, y - instance.years[0]) for y in online)
            if there > 0.0 or paid > 0.0:
                upkeep = there * fixed_om[p.option.facility] * 1e-3
                year = period.first_year
                rows.append((p.option.option, year, there * 1e3, earned, paid / period.discount, upkeep, "dual"))
    return pd.DataFrame(rows, columns=Explanation.columns("earnings"))
