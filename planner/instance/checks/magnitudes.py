"""Rules on magnitudes: a figure far from comparable ones most often mixes up kilograms and tonnes, or USD and MUSD."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from ...errors import Issue
from ..declare import Row
from ..tables import Option, Recipe, RecipeYield
from .registry import Draft, check

R = TypeVar("R", bound=Row)

FAR = (
    200.0  # multiple of the median: real figures of one kind differ less, and mistakes by a factor of 1000 differ more
)
FEWEST = 3  # least number of figures to compare; between two of them nobody can say which is wrong
LARGEST_YIELD, SMALLEST_YIELD = 1000.0, 1e-5  # t per t of activity
LARGEST_TONNES = 1e11  # with more the solver has been seen to find no plan where there is one
PLAIN_TONNES = (32.0, 8e6)  # largest amount, t, of an instance that the solver sees in kilotonnes; see solving/units.py
FINEST_PART = 1e-8  # part of the solver's unit; a smaller amount cannot be told from 0


@dataclass(frozen=True)
class _Comparison:
    """A column whose figures should be of one order of magnitude among rows of one kind.

    kind  returns the kind of a row: rows with equal kinds are compared
    """

    table: str
    column: str
    kind: Callable[[Draft, Any], object]


def _products(draft: Draft, row: Any) -> object:
    """Return what a row's facility can make: plants that make the same are of one kind."""
    return draft.products_of_facilities.get(row.facility, frozenset())


def _of_option(draft: Draft, row: Any) -> object:
    """Return the stockpile that an option enlarges, or else what its facility can make."""
    return row.stockpile or _products(draft, row)


def _of_market(draft: Draft, row: Any) -> object:
    """Return the material of a price's market."""
    return draft.materials_of_markets[row.market]


_COMPARISONS = (
    _Comparison("materials", "value_usd_per_t", lambda _, r: r.stage),
    _Comparison("recipes", "t_per_t", lambda _, r: (r.material, r.role)),
    _Comparison("recipe_yields", "t_per_t", lambda _, r: (r.material, r.role)),
    _Comparison("facilities", "capacity_t", _products),
    _Comparison("facility_capacity", "capacity_t", _products),
    _Comparison("facilities", "fixed_om_usd_per_t", _products),
    _Comparison("operations", "opex_usd_per_t", lambda _, r: r.process),
    _Comparison("operations", "capacity_per_t", lambda _, r: r.process),
    _Comparison("operation_costs", "opex_usd_per_t", lambda _, r: r.process),
    _Comparison("options", "module_t", _of_option),
    _Comparison("lanes", "cost_usd_per_t", lambda _, r: "all"),
    _Comparison("lanes", "max_t", lambda _, r: r.material),
    _Comparison("sectors", "shortage_usd_per_t", lambda _, r: "all"),
    _Comparison("demand", "demand_t", lambda _, r: (r.country, r.sector, r.material)),
    _Comparison("market_prices", "price_usd_per_t", _of_market),
    _Comparison("market_prices", "max_t", lambda _, r: r.market),
    _Comparison("buyer_prices", "max_t", lambda _, r: r.buyer),
    _Comparison("stockpiles", "holding_usd_per_t", lambda _, r: r.material),
)


@check("E330", "magnitudes")
def tonnes_that_can_be_counted(draft: Draft) -> Iterable[Issue]:
    """A demand or stock must be at most 1e11 t, and must not be too small for the solver to tell from 0."""
    finest = FINEST_PART * _solver_unit(draft)
    for table, names in (("demand", ("demand_t",)), ("stockpiles", ("initial_t", "final_min_t"))):
        for row in draft.instance.rows(table):
            for name in names:
                if getattr(row, name) > LARGEST_TONNES:
                    yield draft.at(row, name, f"more than {LARGEST_TONNES:,.0f} t, too much for a plan to be exact")
                elif 0.0 < getattr(row, name) < finest:
                    expected = f"less than {finest:.2g} t, too little compared with other amounts"
                    yield draft.at(row, name, expected, "write 0")


def _solver_unit(draft: Draft) -> float:
    """Return the unit in which the solver sees amounts, t: a kilotonne, unless all amounts are far from that."""
    columns = {"demand": "demand_t", "facilities": "capacity_t", "options": "module_t", "stockpiles": "max_t"}
    columns |= {"facility_capacity": "capacity_t"}
    amounts = (getattr(row, column) for table, column in columns.items() for row in draft.instance.rows(table))
    largest = max(amounts, default=0.0)
    return 1000.0 if PLAIN_TONNES[0] <= largest <= PLAIN_TONNES[1] else largest / 64.0


@check("W531", "magnitudes")
def like_its_kind(draft: Draft) -> Iterable[Issue]:
    """A figure should be of the same order of magnitude as the figures of comparable rows."""
    for comparison in _COMPARISONS:
        groups: defaultdict[object, list[tuple[Row, float]]] = defaultdict(list)
        for row in draft.instance.rows(comparison.table):
            value = getattr(row, comparison.column)
            if value:
                groups[comparison.kind(draft, row)].append((row, abs(value)))
        for group in groups.values():
            for row, times in _outliers(group):
                expected = f"{_ratio(times)} the usual figure of comparable rows"
                yield draft.at(row, comparison.column, expected, "is the unit right?")


def _outliers(group: Sequence[tuple[R, float]]) -> Iterator[tuple[R, float]]:
    """Yield the rows whose figure is far above or below the median, with the ratio to the median."""
    if len(group) < FEWEST:
        return
    middle = median(value for _, value in group)
    for row, value in group:
        if not middle / FAR < value < middle * FAR:
            yield row, value / middle


def _ratio(times: float) -> str:
    """Return a ratio in words, such as ``500 times`` or ``1/500 of``."""
    return f"{times:,.0f} times" if times > 1 else f"1/{1 / times:,.0f} of"


@check("W532", "options")
def capex_like_its_kind(draft: Draft) -> Iterable[Issue]:
    """The capex of an option per tonne of capacity should be of the same order of magnitude as in comparable plants."""
    groups: defaultdict[object, list[tuple[Option, float]]] = defaultdict(list)
    for option in draft.instance.options:
        if option.capex_musd > 0:
            groups[_of_option(draft, option)].append((option, option.capex_musd / option.module_t))
    reported = set()
    for group in groups.values():
        for row, times in _outliers(group):
            reported.add(id(row))
            expected = f"per tonne {_ratio(times)} the usual capex of comparable plants"
            yield draft.at(row, "capex_musd", expected, "is it in million USD per module?")
    everything = [pair for group in groups.values() for pair in group if not pair[0].stockpile]  # room is no capacity
    for row, times in _outliers(everything):
        if times > 1 and id(row) not in reported:  # token sums for what is paid elsewhere are common
            expected = f"per tonne {_ratio(times)} the usual capex of all options"
            yield draft.at(row, "capex_musd", expected, "is it in million USD per module?")


@check("W533", "recipes")
def plausible_yields(draft: Draft) -> Iterable[Issue]:
    """Tonnes per tonne of activity should lie between 1e-5 and 1000."""
    rows: tuple[Recipe | RecipeYield, ...] = (*draft.instance.recipes, *draft.instance.recipe_yields)
    for row in rows:
        if not SMALLEST_YIELD <= row.t_per_t <= LARGEST_YIELD:
            yield draft.at(row, "t_per_t", "an unusual number of tonnes per tonne", "is the unit right?")


@check("W534", "market_prices")
def price_like_value(draft: Draft) -> Iterable[Issue]:
    """The price of a material should be of the same order of magnitude as its value, on which tariffs are charged."""
    value = {m.material: m.value_usd_per_t for m in draft.instance.materials}
    for row in draft.instance.market_prices:
        usual = value[draft.materials_of_markets[row.market]]
        if usual and row.price_usd_per_t and not usual / FAR < row.price_usd_per_t < usual * FAR:
            times = _ratio(row.price_usd_per_t / usual)
            yield draft.at(row, "price_usd_per_t", f"{times} the material's value_usd_per_t", "is the unit right?")
