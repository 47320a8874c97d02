"""The limits that bind, and what easing them saves: caps, capacities, contracts, markets, lanes, stocks, money, time.

A shadow price is a rate: the saving per unit by which a limit is eased. The rate may hold for less than one unit.
Therefore a limit is also eased by a step, and the operations are solved again. The step is a tenth of the limit, or one
percentage point of a share, in all years of the limit at once. The least cost of a linear programme is convex in the
sides of its rows, so a step saves at most what the shadow price says. The limits are solved in the order of this upper
bound, until those that save most have all been solved.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import InstanceError, PlannerError
from ...instance.limits import unit_of
from ...language import _, number
from ...prepare import CLEAN, EXPOSED, PLAN
from ...solving.families import FAMILIES, POINT, Family
from .bench import INTERRUPTED, Bench
from .model import BUILT, SAME, Model, Step
from .result import Explanation

if TYPE_CHECKING:
    import pandas as pd

WORTHLESS = 1e-7  # MUSD per unit; a limit with a lower shadow price does not bind

DUAL = "dual"
SOLVED = "re-solve of the step"
RELAXED = "dual, whole numbers relaxed"
# families whose shadow prices are of the linear relaxation: with whole numbers held they say nothing
ON_BUILDS = ("fund_budget", "fund_share", "private_limit", "group_most", "group_least")


STEP = 0.1  # part of a limit by which it is eased
FIRST = {"kt": 1e-3, "MUSD": 1.0, "": 1.0}  # step of a limit that is 0, in the unit of its side
SHOWN = 15  # number of limits, those that save most, which are all solved again
HOLDS = 0.99  # part of what the shadow price says; a step that saves at least this shows that the rate holds


@dataclass
class Limit:
    """A limit on one subject in one year, and what easing it saves.

    kind, name, country, year, unit, worth, holds, how, says  as in the table ``binding`` of `Explanation`
    step   number of units by which the limit is eased
    eases  changes of the model that ease it by the step; empty if it cannot be eased with the builds held
    saves  saving by the step, MUSD; by the shadow price until the step is solved again
    """

    kind: str
    name: str
    country: str
    year: int
    unit: str
    worth: float
    how: str
    says: str
    step: float = 1.0
    eases: list[Step] = field(default_factory=list)
    saves: float = 0.0
    holds: str = ""

    def __post_init__(self) -> None:
        self.saves = self.worth * self.step

    @property
    def subject(self) -> tuple[str, str, str]:
        """Kind, name and country, which the limits of one subject have in common in all years."""
        return self.kind, self.name, self.country


def binding(bench: Bench, earlier: Mapping[str, tuple[float, str]]) -> pd.DataFrame:
    """Return the table ``binding`` of `Explanation`: the limits that bind, those that save most first.

    earlier  option -> saving if it is online a year earlier, and the source, as `a_year_earlier` returns it
    """
    import pandas as pd

    limits = [
        *_caps(bench),
        *_floors(bench),
        *_clean_only(bench),
        *(limit for family in FAMILIES.values() if family.rows and family.kind for limit in _rows(bench, family)),
    ]
    limits = _solved_at_the_step([limit for limit in limits if limit.worth > WORTHLESS], bench)
    limits += [limit for limit in _lead_times(bench, earlier) if limit.worth > WORTHLESS]
    rows = [
        (
            *limit.subject,
            limit.year,
            limit.unit,
            limit.worth,
            limit.step,
            limit.saves,
            limit.holds,
            limit.how,
            limit.says,
        )
        for limit in sorted(limits, key=lambda of: (-of.saves, *of.subject, of.year))
    ]
    return pd.DataFrame(rows, columns=Explanation.columns("binding"))


def _solved_at_the_step(limits: list[Limit], bench: Bench) -> list[Limit]:
    """Return the limits whose steps save something; the ``SHOWN`` subjects that save most are solved again.

    limits  limits of all subjects and years, with the savings by their shadow prices
    """
    subjects: dict[tuple[str, str, str], list[Limit]] = defaultdict(list)
    for limit in limits:
        subjects[limit.subject].append(limit)
    asked: set[tuple[str, str, str]] = set()
    while bench.has_time:
        order = sorted(subjects, key=lambda key: (-sum(of.saves for of in subjects[key]), key))[:SHOWN]
        subject = next((key for key in order if key not in asked and all(of.eases for of in subjects[key])), None)
        if subject is None:
            break
        asked.add(subject)
        years = subjects[subject]
        cost = bench.eased([step for limit in years for step in limit.eases])
        if cost is None:
            continue
        told = sum(limit.saves for limit in years)
        part = min(1.0, max(0.0, bench.base - cost) / told)
        for limit in years:
            limit.saves *= part
            limit.holds = "yes" if part >= HOLDS else "no"
            limit.how = SOLVED
        if told * part <= WORTHLESS:  # the shadow price was one of several valid ones: the limit does not bind
            del subjects[subject]
    return [limit for years in subjects.values() for limit in years]


def _caps(bench: Bench) -> list[Limit]:
    """Return the caps and floors that bind, with the saving by one percentage point, as dependence.csv has it."""
    rows = bench.run.tables["dependence"]
    result: list[Limit] = []
    for r in rows[(rows["cap"] != "") & (rows["marginal_musd_per_point"] > 0.0)].itertuples():
        of = r.stage or r.material or r.sector
        floor, unit = r.cap in bench.instance.floors, unit_of(bench.instance, r.cap)
        kind = "floor" if floor else "cap"
        kind = {"floor": "impact_floor", "cap": "impact"}[kind] if unit else kind
        metric = _("{metric} of {of}", metric=r.metric, of=of) if of else r.metric
        side = number(f"{r.limit:.4g}") + (f" {unit}" if unit else "")
        says = (
            _("{metric} at least {limit}", metric=metric, limit=side)
            if floor
            else _("{metric} at most {limit}", metric=metric, limit=side)
        )
        limit = Limit(
            kind, r.cap, r.country, int(r.year), "unit" if unit else POINT, float(r.marginal_musd_per_point), DUAL, says
        )
        step = 1e-3 if unit else 0.01  # of the side of the row: a unit, or a point
        for i, row in bench.arrays.rows.get(r.metric, {}).items():
            share = bench.data.caps[r.metric][i]
            if share.cap == r.cap and share.country in ("", r.country) and bench.data.nodes[share.node].year == r.year:
                slope = bench.slopes[row]
                entries = dict(zip(slope.columns.tolist(), (step * slope.values).tolist(), strict=True))
                limit.eases.append(Step(row=row, more=step * slope.upper, entries=entries))
        result.append(limit)
    return result


def _rows(bench: Bench, family: Family) -> list[Limit]:
    """Return the limits of a family of rows; worths in the plan and its branches are summed up by subject and year.

    family  record of the family, which gives table, unit, sign and words of its limits
    """
    home = {
        "facility": {f.facility: f.country for f in bench.instance.facilities},
        "stockpile": {s.stockpile: s.country for s in bench.instance.stockpiles},
    }
    home["option"] = {o.option: home["facility"].get(o.facility, "") for o in bench.instance.options}
    duals, how = _duals(bench, family)
    sign = 1.0 if family.less else -1.0
    found: dict[tuple[str, str, int], Limit] = {}
    for i, dual in duals.items():
        row = getattr(bench.data, family.rows)[i]
        if not _counts(bench, family, i, row):
            continue
        what, of = family.home(row)
        node = bench.data.nodes[row.node] if hasattr(row, "node") else None
        year = node.year if node is not None else getattr(row, "year", 0)
        country = of if what == "country" else home[what].get(of, "")
        key = (family.subject(row), country, year)
        unit, units = family.measured(row) if family.measured else (family.unit, family.units)
        limit = found.setdefault(key, Limit(family.kind, *key, unit, 0.0, how, ""))
        limit.worth += max(0.0, sign * dual) * (_point(bench, row) if family.name == "fund_share" else 1.0) / units
        size = family.amount(row, bench.modules_built) if family.amount else 0.0
        step = (STEP * size or FIRST[family.side]) if family.amount and unit != "option" else 1.0
        if not limit.says or node is None or node.branch == PLAN:
            limit.says = _sized(bench, family, row, family.limit_in_words(row, bench.modules_built))
            limit.step = step * units
        if family.name not in ON_BUILDS:
            limit.eases.append(_step(bench, family, i, step))
    for limit in found.values():
        limit.saves = limit.worth * limit.step
    return list(found.values())


def _step(bench: Bench, family: Family, i: int, step: float) -> Step:
    """Return the change of the model that eases a limit.

    i     index of the limit in its family
    step  size of the change, in the unit of the side
    """
    if family.bounds:
        return Step(column=bench.arrays.columns[family.name][i], more=step)
    row = bench.arrays.rows[family.name][i]
    return Step(row=row, less=step) if family.less else Step(row=row, more=step)


def _counts(bench: Bench, family: Family, i: int, row: Any) -> bool:
    """Return whether the shadow price of a row is reported as a limit that binds.

    i    index of the row in its family
    row  its model data
    """
    if family.name == "capacity_limit":  # without capacity, the table ``entry`` tells what a first tonne would earn
        return bool(row.own + sum(k * bench.x[bench.columns[b]] for b, k in row.modules) > BUILT)
    if family.name == "buy":
        return row.limit is not None
    if family.name == "stock_floor":
        return bool(bench.data.nodes[row.node].branch == PLAN)
    if family.name in ("modules_most", "build"):  # options of whole modules are reported as projects instead
        option = next(o for o in bench.instance.options if o.option == row.option)
        most = family.name == "build" and row.max_modules >= option.max_modules
        return not (option.integer or most) and (
            family.name != "build" or bool(bench.x[bench.columns[i]] >= row.max_modules - BUILT)
        )
    return True


def _sized(bench: Bench, family: Family, row: Any, text: str) -> str:
    """Return a limit in words, one on modules with the size of a module."""
    if family.name not in ("modules_most", "build"):
        return text
    size = next(number(f"{o.module_t:,.6g}") for o in bench.instance.options if o.option == row.option)
    if family.name == "build":
        return _("{sentence} of {size} t started in the period", sentence=text, size=size)
    return _("{sentence} of {size} t", sentence=text, size=size)


def _point(bench: Bench, row: Any) -> float:
    """Return what a fund may pay more for the builds of an option if its share rises by one percentage point, MUSD."""
    x = bench.relaxed.x if len(bench.whole) and bench.relaxed else bench.x
    return 0.01 * float(sum(capex * x[bench.columns[b]] for b, capex in row.capex))


def _duals(bench: Bench, family: Family) -> tuple[Mapping[Any, float], str]:
    """Return the shadow prices of a family by index (reduced costs if it is one of variables), and their source.

    With integer modules the shadow price of money is 0 or undefined, since money alone cannot change the builds. So is
    that of a limit on a group of options. The shadow price of the linear relaxation is used for these instead.
    """
    if family.name not in ON_BUILDS or not len(bench.whole):
        return (bench.reduced if family.bounds else bench.dual).get(family.name, {}), DUAL
    if not bench.arrays.rows.get(family.name):
        return {}, RELAXED
    relaxed = bench.relaxed
    if relaxed is None:
        return {}, RELAXED
    return {i: float(relaxed.duals[row]) for i, row in bench.arrays.rows[family.name].items()}, RELAXED


def _floors(bench: Bench) -> list[Limit]:
    """Return the service floors that bind: one percentage point less lets a hundredth of the demand go short."""
    worth: dict[tuple[str, str, str, int], float] = defaultdict(float)
    eases: dict[tuple[str, str, str, int], list[Step]] = defaultdict(list)
    for d, reduced in bench.reduced.get("short", {}).items():
        need = bench.data.need[d]
        if need.max_short < need.demand:
            year = bench.data.nodes[need.node].year
            key = (need.sector, need.country, need.material, year)
            worth[key] += max(0.0, -reduced) * need.demand * 0.01
            eases[key].append(Step(column=bench.arrays.columns["short"][d], more=need.demand * 0.01))
    floor = {s.sector: s.min_service for s in bench.instance.sectors}
    return [
        Limit(
            *("min_service", s, c, year, POINT, value, DUAL),
            _("{share} of the demand for {material} must be served", share=number(f"{floor[s]:.4g}"), material=m),
            eases=eases[s, c, m, year],
        )
        for (s, c, m, year), value in worth.items()
    ]


def _clean_only(bench: Bench) -> list[Limit]:
    """Return the clean-only rules that bind, with the saving if a hundredth of the demand could be exposed material.

    A rule is left out where clean or exposed material has no price, since the saving is then not known.
    """
    price = bench.dual.get("balance", {})
    table = bench.run.tables["prices"].dropna(subset="usd_per_t")
    known = set(zip(table["material"], table["country"], table["provenance"], table["year"], strict=True))
    pools = {(p.material, p.country, p.provenance, p.node): i for i, p in enumerate(bench.data.pools)}
    exposed = {d.need for d in bench.data.deliver if d.provenance == EXPOSED}
    rule = {s.sector: s.clean_from_year for s in bench.instance.sectors}
    result: list[Limit] = []
    for d, need in enumerate(bench.data.need):
        node = bench.data.nodes[need.node]
        since = rule[need.sector]
        at = [(need.material, need.country, q) for q in (CLEAN, EXPOSED)]
        places = [pools.get((*place, need.node)) if (*place, node.year) in known else None for place in at]
        if since is None or node.year < since or d in exposed or node.branch != PLAN or None in places:
            continue
        saved = (price[places[0]] - price[places[1]]) * need.demand * 0.01
        says = _("only clean {material} since {year}", material=need.material, year=since)
        result.append(Limit("clean_only", need.sector, need.country, node.year, POINT, saved, DUAL, says))
    return result


# --- lead times ---


def earlier_cells(bench: Bench, option_name: str, years: int) -> dict[str, Any] | None:
    """Return the cells of options.csv that let an option be online ``years`` earlier; None if that is impossible.

    The lead time is shortened first. If it is too short, the first start is moved to an earlier year, but not before
    the horizon.
    """
    option = next(o for o in bench.instance.options if o.option == option_name)
    first = bench.instance.years[0]
    shorter = min(option.lead_years, years)
    opens = option.first_start if option.first_start is not None else first
    if years - shorter > max(0, opens - first):
        return None
    cells_to_set: dict[str, Any] = {"lead_years": option.lead_years - shorter}
    if years > shorter:
        cells_to_set["first_start"] = opens - (years - shorter)
    return cells_to_set


def promising(bench: Bench, most: int) -> list[str]:
    """Return the built options that could be online a year earlier, those with the highest worth of capacity first.

    most  number of options that are looked at
    """
    dual = bench.dual.get("capacity_limit", {})
    worth: dict[str, float] = defaultdict(float)
    for limit_number, limit in enumerate(bench.data.capacity):
        for i, k in limit.modules:
            if bench.builds[i] > BUILT:
                worth[bench.data.build[i].option] += max(0.0, -dual.get(limit_number, 0.0)) * k * bench.builds[i]
    order = sorted(worth, key=lambda o: (-worth[o], o))[:most]
    return [option for option in order if earlier_cells(bench, option, 1) is not None]


def _lead_times(bench: Bench, earlier: Mapping[str, tuple[float, str]]) -> list[Limit]:
    """Return the limits in time: the saving if an option is online a year earlier."""
    country = {f.facility: f.country for f in bench.instance.facilities}
    options = {o.option: o for o in bench.instance.options}
    result: list[Limit] = []
    for option, (worth, how) in earlier.items():
        built = [bench.data.build[i].year for i in bench.planned(option) if bench.builds[i] > BUILT]
        if not built or abs(worth) <= SAME * max(1.0, abs(bench.base)):
            continue  # only a branch starts it, or it saves no more than rounding does
        first = min(built)
        facility = bench.data.build[bench.starts[option][0]].facility
        shortened = options[option].lead_years > 0
        says = (
            _("lead of {n} years", n=options[option].lead_years) if shortened else _("no start before its first_start")
        )
        result.append(Limit("lead_time", option, country[facility], first, "year", worth, how, says))
    return result


def a_year_earlier(bench: Bench, option: str) -> tuple[float, str] | None:
    """Return the saving if an option is online a year earlier, MUSD, and its source; None if it was not solved.

    If the optimum cannot be proven, the same builds are held in the changed instance. The saving is then a lower bound.
    """
    if not bench.may_go_on():
        return None
    try:
        model = Model(bench.changed_option(option, **(earlier_cells(bench, option, 1) or {})), bench.settings)
    except InstanceError:
        return None
    if bench.proven:
        answer = bench.ask(f"{option} a year earlier", model, start=model.modules(bench.built))
        if answer is None or not math.isfinite(answer.value):
            return None
        return bench.base - answer.value, bench.label
    try:
        held = model.hold(model.modules(bench.built), all_builds=False)
    except KeyboardInterrupt:
        bench.stopped = INTERRUPTED
        return None
    except PlannerError:
        return None
    if held is None:
        return None
    cost = model.objective(held.x)
    bench.tell(f"{option} a year earlier, the same whole builds: {cost:,.6g} million")
    return bench.base - cost, "re-solve, same whole builds: at least"
