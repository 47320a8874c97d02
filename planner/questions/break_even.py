"""Break-even: the price, premium, guaranteed price or subsidy at which a project enters the plan, or leaves it.

At each value that is tried two plans are solved: the cheapest one with the project and the cheapest one without it.
Where the two cost the same, the project breaks even. The difference of their costs is continuous in the value, and
Brent's method (bisection, made faster by secants) finds where it is 0. Both costs are piecewise linear, so this takes
few steps. Whether a project enters is told by the gaps of both searches, and so is the range of the value.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..arguments import checked, fraction
from ..bands import Band, Searched, difference
from ..errors import NoPlan, UsageError, hinted
from ..instance.loading import given_instance
from ..language import N_, _, number, translated
from ..words import figure_of
from .study import COMPLETE, NOTES, SECONDS, SETTINGS, Study, Table, Value, text_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from ..instance.instance import Instance
    from ..instance.tables import Option
    from ..solving.solver import Found, Progress
    from .explain.model import Model

KINDS = {
    "price": N_("market price of {material} in every year, USD/kg"),
    "premium": N_("premium on {material} that its plant makes, USD/kg"),
    "floor": N_("guaranteed price of {material} that its plant makes, USD/kg"),
    "subsidy": N_("share of its capex that is paid"),
}
TOLERANCE = 1e-6  # relative, of the value that is found
WIDER, MOST_WIDER = 4.0, 8  # the range that is searched grows by this factor, at most so many times
MOST_STEPS = 6  # to each side of the value, each twice as long, until it is certain
UNKNOWN = Band(math.nan, math.nan, math.nan, math.nan)
SOME = 1e-9  # kt/yr, modules: less counts as nothing
A_PART = 0.01  # of the modules that a divisible option can have: with less it has not entered


@dataclass(frozen=True, repr=False)
class BreakEven(Study):
    """The value at which a project enters the least-cost plan, or leaves it; NaN stands for what there is not.

    value   the value; NaN: it does not enter or leave in the range that was tried
    least   it is certainly not below this, by the gaps of the searches
    most    it is certainly not above this
    enters  ``above`` or ``below`` the value; ``always`` or ``never``: there is no such value; "": it is not known
    as_is   extra cost of the cheapest plan with the project over the cheapest one without it, as the instance is
    table   the values that were tried: what points.csv holds
    """

    COMMAND, MANIFEST, OF = "break-even", "break_even.json", "instance"
    HOLDS = (
        Value("option", "the project"),
        Value("kind", "what is varied: price, premium, floor or subsidy"),
        Value("material", "of which; blank for a subsidy"),
        Value("value", "at which the project breaks even: USD/kg, or a share of capex; none in the range: null"),
        Value("least", "the value is certainly not below this, by the gaps of the searches"),
        Value("most", "the value is certainly not above this"),
        Value("enters", "above or below the value; always or never: in all the range; blank: not known"),
        Value(
            "as_is_musd",
            "extra cost of the cheapest plan with it over that without it, as the instance is",
            "as_is.found",
        ),
        Value("says", "the answer in words"),
        COMPLETE,
        SETTINGS,
        NOTES,
        SECONDS,
        Table(
            "points",
            "Each value that was tried, in the order of the values.",
            """
            value        | number | | USD/kg, or a share of capex
            with_musd    | number | MUSD | present cost of the cheapest plan with the project
            without_musd | number | MUSD | present cost of the cheapest plan without it
            extra_musd   | number | MUSD | the first less the second
            least_musd   | number | MUSD | the same at least, as the gaps of both searches allow
            most_musd    | number | MUSD | the same at most
            """,
            attribute="table",
        ),
    )

    instance: Instance
    option: str
    kind: str
    material: str
    value: float
    least: float
    most: float
    enters: str
    as_is: Band
    says: str
    table: pd.DataFrame
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        rows = [(_figure(r.value), figure_of(r.extra_musd, 4)) for r in self.table.itertuples()]
        return "\n".join(
            [
                _("{head}: {parts}", head=self.option, parts=self.says),
                *_as_is(self.as_is),
                *text_table([(_("tried"), ">12"), (_("extra MUSD with it"), ">19")], rows),
                *(_("Note: {note}", note=note) for note in self.notes),
            ]
        )


@checked
def break_even(
    instance: Instance | str | Path,
    option: str,
    *,
    price: str | None = None,
    premium: str | None = None,
    floor: str | None = None,
    subsidy: bool = False,
    tolerance: float = TOLERANCE,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> BreakEven:
    """Find the value at which a project enters the least-cost plan, or leaves it. Exactly one kind of value is asked.

    option      the project: whole modules, at least one of them; of a divisible one a hundredth of all it can have
    price       a material: the price at which every market sells it, in every year (disruptions still raise it)
    premium     a material: what is paid for it beyond its worth, wherever the plant of the project makes it
    floor       a material: the price that is guaranteed to that plant; it is paid what the cheapest market of the
                instance is below it (a market that sells nothing, of max_t 0, is an index)
    subsidy     whether it is the share of the project's capex that is paid, 0 to 1
    tolerance   relative width to which the value is found, above 0; not less than a tenth of the gap
    gap         relative MIP gap of each solve; None: proven up to 200 integer decisions, else 0.001
    time_limit  seconds of each solve; None: no limit
    threads, seed  of the solver
    progress    called with one line of text after each value

    Premium, floor and subsidy are what the project gets at the margin of the whole chain, and no cost of the plan. An
    interrupt keeps what was found until then. Raises UsageError on names and questions that cannot be, Infeasible if
    there is no plan at all, and NoPlan if a time limit ends a search without one.
    """
    instance = given_instance(instance)
    gap = fraction(gap, "gap")
    import pandas as pd

    from ..solving.solver import Settings
    from .explain.model import Model

    started = time.perf_counter()
    asked = {"price": price, "premium": premium, "floor": floor, "subsidy": "" if subsidy else None}
    kind, material = _asked(asked)
    if not 0.0 < tolerance < 1.0:
        raise UsageError(f"tolerance = {tolerance:g}: expected a fraction above 0 and below 1")
    project = _option(instance, option)
    for what, there in (("a risk weight", instance.risk_weight), ("outages to be survived", instance.survive)):
        if there:
            raise UsageError(f"break-even compares least costs; the instance has {what}")
    model = Model(instance, Settings(gap, time_limit, threads, seed))
    trials = _Trials(model, project, _payments(model, project, kind, material), progress)
    says, notes, complete, found = "", [], True, (math.nan, "")
    try:
        trials.at(None)
        found = _search(
            trials,
            kind,
            _first(model, instance, kind, material),
            max(tolerance, model.settings.gap_for(len(model.whole)) / 10.0),
        )
        says = _says(trials, kind, material, *found)
    except KeyboardInterrupt:
        complete, says = False, _("interrupted before the value was known")
    except _OneSided as side:
        says, found = str(side), (math.nan, side.enters)
    value, enters = found
    least, most = trials.certain(value)
    if not model.proven:
        gap_found = number(f"{model.settings.gap_for(len(model.whole)):.2%}")
        notes.append(_("each cost is known to a gap of {share}", share=gap_found))
    rows = [(v, w.cost, o.cost, *difference(w, o)[:3]) for v, (w, o) in sorted(trials.points.items())]
    return BreakEven(
        *(instance, option, kind, material, value, least, most, enters),
        trials.as_is,
        says,
        pd.DataFrame(rows, columns=BreakEven.columns("points")),
        complete,
        {"tolerance": tolerance, "gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed},
        tuple(notes),
        round(time.perf_counter() - started, 3),
    )


# --- what is asked ---


def _asked(kinds: dict[str, str | None]) -> tuple[str, str]:
    """Return the one kind of value that is asked, and its material."""
    asked = [(kind, material) for kind, material in kinds.items() if material is not None]
    if len(asked) != 1:
        raise UsageError("break-even: ask for one of price, premium, floor and subsidy")
    return asked[0]


def _option(instance: Instance, name: str) -> Option:
    known = {o.option: o for o in instance.options}
    if name not in known:
        raise UsageError(hinted(f"unknown option {name}", name, known))
    return known[name]


def _payments(model: Model, option: Option, kind: str, material: str) -> Callable[[float], dict[int, float]]:
    """Return the function of the value that gives by how much the unit cost of each column falls, MUSD per unit.

    Raises UsageError if the kind of value means nothing for this option or material.
    """
    instance, data = model.instance, model.data
    if kind == "subsidy":
        annuity = model.capital(option.option)
        if not any(annuity.values()):
            raise UsageError(f"{option.option} costs no capex that could be paid")
        return lambda share: {k: share * musd for k, musd in annuity.items()}
    if material not in (known := [m.material for m in instance.materials]):
        raise UsageError(hinted(f"{kind}: unknown material {material}", material, known))
    if kind == "price":
        sold = [
            (model.arrays.columns["buy"][i], data.nodes[b.node].weight, b.price, _surge(model, b.node, b.market))
            for i, b in enumerate(data.buy)
            if b.material == material
        ]
        if not sold:
            raise UsageError(f"no market of the instance sells {material} that anybody could use")
        return lambda usd_per_kg: {k: weight * (now - usd_per_kg * surge) for k, weight, now, surge in sold}
    plant = {i for i, a in enumerate(data.activity) if a.facility == option.facility}
    made = [
        (model.arrays.columns["activity"][i], data.nodes[pool.node].weight * kt, data.nodes[pool.node].year)
        for pool in data.pools
        if pool.material == material
        for i, kt in pool.made
        if i in plant
    ]
    if not made:
        raise UsageError(f"the plant of {option.option} makes no {material}")
    if kind == "premium":
        return lambda usd_per_kg: {k: usd_per_kg * kt for k, kt, __ in made}
    market = {year: _cheapest(instance, material, year) for year in {year for *__, year in made}}
    return lambda usd_per_kg: {k: max(0.0, usd_per_kg - market[year]) * kt for k, kt, year in made}


def _surge(model: Model, node: int, market: str) -> float:
    """Return the factor on a market's price at a node."""
    return model.prepared.conditions[node].price.get(market, 1.0)


def _cheapest(instance: Instance, material: str, year: int) -> float:
    """Return the lowest market price of a material in a year, USD/kg. Raises UsageError if no market has it."""
    from ..instance.timeline import series_value

    prices = []
    for market in instance.markets:
        if market.material == material:
            series = {p.year: p.price_usd_per_t for p in instance.market_prices if p.market == market.market}
            prices.append(series_value(series, year) / 1e3)
    if not prices:
        raise UsageError(f"no market has a price of {material} below which a guarantee could pay; ask for a premium")
    return min(prices)


def _first(model: Model, instance: Instance, kind: str, material: str) -> float:
    """Return the upper end of the range that is searched first."""
    if kind == "subsidy":
        return 1.0
    if kind == "price":
        return max(b.price for b in model.data.buy if b.material == material) or 1.0
    if kind == "floor":
        return max(_cheapest(instance, material, year) for year in instance.years) or 1.0
    return max(next(m.value_usd_per_t for m in instance.materials if m.material == material) / 1e3, 1.0)


# --- the search ---


class _OneSided(Exception):  # noqa: N818 (it ends a search, and is no error)
    """No plan has the project, or none is without it, whatever the value is."""

    def __init__(self, says: str, enters: str) -> None:
        super().__init__(says)
        self.enters = enters


class _Trials:
    """The values that were tried, each with the cheapest plan with the project and without it.

    points  value -> what both searches found
    as_is   extra cost with the project as the instance is; NaN: not solved yet
    builds  modules of the last plans with and without it, with which the next searches begin
    paid    whether one of the last two plans has something of what is paid for
    """

    def __init__(
        self,
        model: Model,
        option: Option,
        payments: Callable[[float], dict[int, float]],
        progress: Progress | None,
    ) -> None:
        self.model, self.option, self.payments, self.progress = model, option, payments, progress
        self.points: dict[float, tuple[Searched, Searched]] = {}
        self.as_is = UNKNOWN
        self.builds: dict[str, Any] = {}
        self.paid = False
        whole = option.integer or option.option in model.instance.sizes
        self.least = (option.option, model.least_modules(option) if whole else A_PART * option.max_modules)

    def at(self, value: float | None) -> float:
        """Return the extra cost with the project at a value, MUSD; None: as the instance is."""
        value = None if value is None else float(value)
        if value is None or value not in self.points:
            cheaper, self.paid = {} if value is None else self.payments(value), False
            with_it = self._solve("with", cheaper, least=self.least)
            without = self._solve("without", cheaper, close=[self.option.option])
            band = difference(with_it, without)
            if value is None:
                self.as_is = band
            else:
                self.points[value] = with_it, without
            if self.progress:
                at = "as it is" if value is None else _figure(value)
                self.progress(f"{self.option.option}, {at}: {figure_of(band.found, 4)} million extra with it")
            return band.found
        return self.band(value).found

    def band(self, value: float) -> Band:
        """Return the extra cost with the project at a value that was tried."""
        return difference(*self.points[value])

    def _solve(self, which: str, cheaper: dict[int, float], **change: Any) -> Searched:
        found: Found = self.model.solve(cheaper=cheaper, start=self.builds.get(which), **change)
        if found.stopped == "infeasible":
            self._one_sided(which)
        if not found.held:
            raise NoPlan(f"no plan {which} {self.option.option} was found in time; allow more")
        self.builds[which] = self.model.modules_of(found.x)
        self.paid |= any(found.x[k] > SOME for k in cheaper)
        return Searched(float(found.value), float(found.bound))

    def _one_sided(self, which: str) -> None:
        """Raise what is known if no plan has the project, or none is without it; Infeasible if there is no plan."""
        if self.model.solve().stopped == "infeasible":
            from .solve import solve

            solve(self.model.instance)  # raises Infeasible with the reason
        if which == "with":
            raise _OneSided(
                _("no plan can build it, whatever is paid: a rule, money or a date stands against it"), "never"
            )
        raise _OneSided(_("no plan can do without it, whatever is paid"), "always")

    def certain(self, value: float) -> tuple[float, float]:
        """Return the range in which the value certainly lies: between tried values on which both gaps agree."""
        if math.isnan(value):
            return math.nan, math.nan
        signs = {v: self.band(v).sign for v in self.points}
        return (
            max((v for v, sign in signs.items() if sign and v < value), default=-math.inf),
            min((v for v, sign in signs.items() if sign and v > value), default=math.inf),
        )


def _search(trials: _Trials, kind: str, high: float, tolerance: float) -> tuple[float, str]:
    """Return the value at which the project breaks even, and on which side of it it enters."""
    from scipy.optimize import brentq

    low, at_low = 0.0, trials.at(0.0)
    if kind != "price" and at_low <= 0.0:
        return math.nan, "always"  # what is paid to it can only help it
    for _wider in range(1 if kind == "subsidy" else MOST_WIDER):
        if (at_low > 0.0) != (trials.at(high) > 0.0):
            break
        if kind == "price" and not trials.paid:  # nobody buys at this price, and so at no higher one
            return math.nan, "never" if at_low > 0.0 else "always"
        low, high = high, WIDER * high
    else:
        return math.nan, "never" if at_low > 0.0 else "always"
    value = float(brentq(trials.at, low, high, xtol=1e-12, rtol=tolerance))
    trials.at(value)
    _make_sure(trials, value, tolerance, high if kind == "subsidy" else math.inf)
    return value, "above" if at_low > 0.0 else "below"


def _make_sure(trials: _Trials, value: float, tolerance: float, highest: float) -> None:
    """Try values on both sides at which the gaps of the searches no longer leave open whether the project pays."""
    band = trials.band(value)
    beside = min((v for v in trials.points if v != value), key=lambda v: abs(v - value))
    slope = abs(trials.at(beside) - band.found) / abs(beside - value)
    for side in (-1.0, 1.0):
        step = max(tolerance * value, (band.most - band.least + 2.0 * band.rounding) / max(slope, 1e-12))
        for _step in range(MOST_STEPS):
            tried = min(max(0.0, value + side * step), highest)
            trials.at(tried)
            if trials.band(tried).sign or tried in (0.0, highest):
                break
            step *= 2.0


# --- words ---


def _figure(value: float) -> str:
    return figure_of(value, 6)


def _as_is(extra: Band) -> list[str]:
    """Return the sentence on the instance as it is."""
    if math.isnan(extra.found):
        return []
    return [
        _(
            "As the instance is, the cheapest plan with it costs, beside the cheapest one without it: {change}",
            change=extra.told(),
        )
    ]


def _says(trials: _Trials, kind: str, material: str, value: float, enters: str) -> str:
    """Return the answer in words."""
    what = translated(KINDS[kind]).format(material=material)
    if math.isnan(value) and len(trials.points) == 1:
        return _("pays as it is ({what}: nothing is needed)", what=what)
    if math.isnan(value):
        ends = {"what": what, "low": _figure(min(trials.points)), "high": _figure(max(trials.points))}
        if enters == "always":
            return _("pays at any value that was tried ({what}: from {low} to {high})", **ends)
        return _("does not pay at any value that was tried ({what}: from {low} to {high})", **ends)
    at = _figure(value)
    text = _("enters above {value}", value=at) if enters == "above" else _("enters below {value}", value=at)
    least, most = trials.certain(value)
    said = {"sentence": text, "what": what, "least": _figure(least), "most": _figure(most)}
    if math.isfinite(least) and math.isfinite(most):
        return _("{sentence} ({what}; the value is certainly above {least} and below {most})", **said)
    if math.isfinite(least):
        return _("{sentence} ({what}; the value is certainly above {least})", **said)
    if math.isfinite(most):
        return _("{sentence} ({what}; the value is certainly below {most})", **said)
    return _("{sentence} ({what}; the value is left open by the gaps of the searches)", **said)
