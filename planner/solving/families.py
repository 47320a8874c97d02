"""One record for each family of constraints, with what explain, diagnose and the report page say about it.

A family is a set of rows of the model (``models/constraints``), or of upper bounds of decisions (``buy``, ``build``),
or a rule that the formulation writes as a bound (``service``, ``clean_only``). When a row binds, its shadow price is
what one unit more of its right-hand side would save. Families without a ``kind`` are never shown; ``silent`` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..instance.metrics import METRICS
from ..language import _, n_, number, translated

Amount = Callable[[int], float]  # position of a build -> modules built in the plan

POINT = "point"  # a hundredth of a share


def tonnes(kt: float) -> str:
    """Return kilotonnes as text in tonnes, to six digits.

    >>> tonnes(0.0600000001)
    '60 t'
    """
    return _("{tonnes} t", tonnes=number(f"{kt * 1e3:,.6g}"))


def modules(count: float) -> str:
    """A number of modules.

    >>> modules(1), modules(2.5)
    ('1 module', '2.5 modules')
    """
    n = number(f"{count:g}")
    return _("{n} module", n=n) if count == 1 else _("{n} modules", n=n)


def _musd(amount: float) -> str:
    return _("{amount} MUSD", amount=number(f"{amount:,.6g}"))


AT = {"at": "{at}"}  # in ``words`` the place of the year, or of the years
WHEN = {"when": "{when}"}


@dataclass(frozen=True, slots=True)
class Family:
    """A family of constraints. In all functions ``row`` is an entry of the list ``rows`` of ``ModelData``.

    name     name of its rows in the model; of the decisions, if ``bounds``
    rows     name of the list of ``ModelData`` that describes its rows: index i is its entry i
    bounds   whether the upper bounds of decisions are meant, not rows
    kind     what explain calls a row that binds; "" if explain does not show it, then ``silent`` says why
    unit     unit in which its limit is told; a point is a hundredth of a share
    side     unit of the sides of its rows in the model: ``kt``, ``MUSD`` or "" for a count
    less     whether a unit less saves (for a least amount), instead of a unit more
    subject  row -> key of the row of the instance that sets the limit
    home     row -> what determines its country: ``facility``, ``stockpile`` or ``option``, and its name; or ``country``
             and a country
    amount   row, and position of a build -> modules built: the limit, in the unit of ``side``; None: a share
    says     row, and the limit as text: the limit in words
    table    table of the instance with the cell that sets the limit
    column   column of that cell
    gives    for diagnose: ``wish`` (the user can relax it), ``limit`` (a limit of what there is), ``source`` (where a
             material comes from), or "" (physics and bookkeeping, never named as a cause)
    words    row -> the same as diagnose says it: of a wish what is asked for, of a limit a sentence; ``{at}`` stands
             where the year belongs; "" if ``diagnose/words.py`` has more to say of it than its row holds
    rank     order in which diagnose names the wishes, the highest first; of a limit, within its stage of the chain
    points   value of the cell -> points of hardship per unit by which it is relaxed (``diagnose/relaxables.py``); None
             if no single cell is relaxed, or its rows are not linear in it; relaxables.py then says what is relaxed
    moves    row and value of the cell -> by how much the row's limit moves, kt or kt/yr, per unit of the cell
    measured  row -> unit in which its limit is told, and how many of it are in one of its side; None: all rows of the
             family have its ``unit`` and ``side``
    silent   why explain never shows it
    """

    name: str
    rows: str = ""
    kind: str = ""
    unit: str = ""
    side: str = "kt"
    less: bool = False
    bounds: bool = False
    subject: Callable[[Any], str] = lambda row: ""
    home: Callable[[Any], tuple[str, str]] = lambda row: ("country", "")
    amount: Callable[[Any, Amount], float] | None = None
    says: Callable[[Any, str], str] = lambda row, limit: ""
    table: str = ""
    column: str = ""
    gives: str = ""
    words: Callable[[Any], str] | None = None
    rank: float = 0.0
    points: Callable[[float], float] | None = None
    moves: Callable[[Any, float], float] = lambda row, value: 1.0
    measured: Callable[[Any], tuple[str, float]] | None = None
    silent: str = ""

    @property
    def units(self) -> float:
        """How many of its units are in one of the sides of its rows."""
        return 1e3 if self.side == "kt" else 1.0

    def limit_in_words(self, row: Any, built: Amount) -> str:
        """The limit in words; see ``says``."""
        if self.amount is None:
            return self.says(row, "")
        limit = self.amount(row, built)
        texts = {"kt": tonnes(limit), "MUSD": _musd(limit), "": number(f"{limit:g}")}
        return self.says(row, texts[self.side])

    @property
    def saved_by(self) -> str:
        """The change that saves, in words: ``a kt/yr more``, ``a point less``."""
        return f"a {self.unit} {'less' if self.less else 'more'}"


def _with_modules(limit: float, modules: Any, built: Amount) -> float:
    """Return a limit with what the modules built add to it, in the limit's unit."""
    return limit + sum(per_module * built(i) for i, per_module in modules)


def of_provenance(row: Any) -> str:
    """Return the material of a row with its provenance."""
    return _("{provenance} {material}", provenance=translated(row.provenance), material=row.material)


def _lane(row: Any) -> str:
    return f"{row.material} {row.origin}-{row.destination}"


def _says_of_blend(side: str) -> Callable[[Any, str], str]:
    """Return what is said of a limit on a property of what is made."""

    def says(r: Any, limit: str) -> str:
        of = {"material": r.material, "amount": number(f"{getattr(r, side):,.6g}"), "property": r.property}
        if side == "least":
            return _("{material} has at least {amount} of {property}", **of)
        return _("{material} has at most {amount} of {property}", **of)

    return says


def _blend_in_words(side: str) -> Callable[[Any], str]:
    """Return the same as diagnose says it."""
    return lambda r: _(
        "blend at {facility}, {at}: {limit}", facility=r.facility, limit=_says_of_blend(side)(r, ""), **AT
    )


# measure of a limit on a group -> unit in which it is told, and how many of it are in one of its row
GROUP_UNITS = {
    "options": ("option", 1.0), "modules": ("module", 1.0), "capacity_t": ("t", 1e3), "capex_musd": ("MUSD", 1.0),
}  # fmt: skip


def in_group(row: Any, limit: float | None) -> str:
    """A limit on a group of options in words; ``limit`` is in the unit of its row.

    >>> from planner.models.data import GroupLimit
    >>> in_group(GroupLimit("big", "capacity_t", 2027, None, 0.0, 0.06, [], ()), 0.06)
    '60 t of nameplate capacity started from 2027 on'
    """
    unit, factor = GROUP_UNITS[row.measure]
    amount = (limit or 0.0) * factor
    n = number(f"{amount:,.6g}")
    what = {
        "options": _("{n} different options", n=n), "modules": _("{n} modules", n=n),
        "capacity_t": _("{n} t of nameplate capacity", n=n), "capex_musd": _("{n} MUSD of capex", n=n),
    }[row.measure]  # fmt: skip
    if amount == 1.0 and unit in ("option", "module"):
        what = n_("{n} option", "{n} options", 1) if unit == "option" else _("{n} module", n=n)
    of = {"what": what, "first": row.first_year, "last": row.last_year}
    if row.first_year is None and row.last_year is None:
        return _("{what} started", **of)
    if row.last_year is None:
        return _("{what} started from {first} on", **of)
    if row.first_year is None:
        return _("{what} started until {last}", **of)
    return _("{what} started from {first} to {last}", **of)


BOOKKEEPING = "an identity, not a limit: its shadow price is a price, told by prices.csv and the premiums"

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *(
            Family(name, kind="cap", unit=POINT, table="caps", column="limit", gives="wish", rank=100.0)
            for name, metric in METRICS.items() if not metric.amount
        ),
        *(
            Family(name, kind="impact", unit="unit", side="", table="caps", column="limit", gives="wish", rank=100.0)
            for name, metric in METRICS.items() if metric.amount
        ),
        Family("service", kind="min_service", unit=POINT, less=True,
               table="sectors", column="min_service", gives="wish", rank=98.0),
        Family("clean_only", kind="clean_only", unit=POINT,
               table="sectors", column="clean_from_year", gives="wish", rank=99.0),
        Family("capacity_limit", "capacity", "capacity", "t/yr",
               subject=lambda r: r.facility, home=lambda r: ("facility", r.facility),
               amount=lambda r, built: _with_modules(r.own, r.modules, built),
               says=lambda r, limit: _("capacity of {limit}", limit=limit),
               table="facilities", column="capacity_t", gives="limit"),
        Family("least_use", "capacity", "least_use", "t/yr", less=True,
               subject=lambda r: r.facility, home=lambda r: ("facility", r.facility),
               amount=lambda r, built: r.least_use, says=lambda r, limit: _("min_use asks for {limit}", limit=limit),
               table="facilities", column="min_use", gives="wish", rank=97.0,
               points=lambda value: 100.0, moves=lambda r, value: r.least_use / value),
        Family("offtake", "offtake", "offtake", "t/yr", less=True,
               subject=lambda r: f"{r.facility} {r.material}", home=lambda r: ("facility", r.facility),
               amount=lambda r, built: _with_modules(r.least, r.modules, built),
               says=lambda r, limit: _("{limit} are to be taken", limit=limit),
               table="offtakes", column="take_t", gives="wish", rank=97.5),
        Family("buy", "buy", "market", "t/yr", bounds=True,
               subject=lambda r: r.market, home=lambda r: ("country", r.country),
               amount=lambda r, built: r.limit or 0.0,
               says=lambda r, limit: _("sells at most {limit} of {material}", limit=limit, material=r.material),
               words=lambda r: _("market {market} sells at most {limit} of {material} in {at}", market=r.market,
                                 limit=tonnes(r.limit or 0.0), material=r.material, **AT),
               table="market_prices", column="max_t", gives="limit", rank=0.3),
        *(
            Family(f"blend_{side}", "blend", "blend", "t/yr", less=side == "least",
                   subject=lambda r: f"{r.facility} {r.material}", home=lambda r: ("facility", r.facility),
                   amount=lambda r, built: 0.0, says=_says_of_blend(side),
                   words=_blend_in_words(side),
                   table="blends", column=column, gives="limit", rank=0.2)
            for side, column in (("most", "max"), ("least", "min"))
        ),
        Family("sale_most", "sale_limit", "buyer", "t/yr",
               subject=lambda r: r.buyer, home=lambda r: ("country", r.country),
               amount=lambda r, built: r.most or 0.0,
               says=lambda r, limit: _("buys at most {limit} of {material}", limit=limit, material=r.material),
               words=lambda r: _("buyer {buyer} buys at most {limit} of {material} in {at}", buyer=r.buyer,
                                 limit=tonnes(r.most or 0.0), material=r.material, **AT),
               table="buyer_prices", column="max_t", gives="limit", rank=0.3),
        Family("sale_least", "sale_limit", "min_sale", "t/yr", less=True,
               subject=lambda r: r.buyer, home=lambda r: ("country", r.country),
               amount=lambda r, built: r.least,
               says=lambda r, limit: _("{limit} of {material} must be sold to it", limit=limit, material=r.material),
               table="buyer_prices", column="min_t", gives="wish", rank=97.4),
        Family("swap_limit", "swap_limit", "substitute", "t/yr",
               subject=lambda r: f"{r.substitute} {r.sector}", home=lambda r: ("country", r.country),
               amount=lambda r, built: r.limit,
               says=lambda r, limit: _("replaces at most {limit} of {material} of {sector}", limit=limit,
                                       material=r.material, sector=r.sector),
               words=lambda r: _("substitute {substitute}: it replaces at most {limit} of {material} of sector "
                                 "{sector} in {country}, {at}", substitute=r.substitute, limit=tonnes(r.limit),
                                 material=r.material, sector=r.sector, country=r.country, **AT),
               table="substitute_shares", column="max_share", gives="limit", rank=0.5),
        Family("collect_limit", "collect", "return", "t/yr",
               subject=lambda r: f"{r.ret} {r.provenance}", home=lambda r: ("country", r.country),
               amount=lambda r, built: 0.0,
               says=lambda r, limit: _("all {material} that comes back is collected", material=r.material),
               words=lambda r: _("return {name}: no more {material} comes back in {country}, {at}", name=r.ret,
                                 material=of_provenance(r), country=r.country, **AT),
               table="returns", column="collected", gives="limit", rank=0.4),
        Family("lane_limit", "lane_limit", "lane", "t/yr",
               subject=_lane, home=lambda r: ("country", r.destination),
               amount=lambda r, built: r.limit, says=lambda r, limit: _("at most {limit} move", limit=limit),
               words=lambda r: _("lanes: at most {limit} of {material} move from {origin} to {destination} in {at}",
                                 limit=tonnes(r.limit), material=r.material, origin=r.origin,
                                 destination=r.destination, **AT),
               table="lanes", column="max_t", gives="limit", rank=0.4),
        Family("lane_least", "lane_limit", "least_lot", "t/yr", less=True,
               subject=_lane, home=lambda r: ("country", r.destination),
               amount=lambda r, built: r.least,
               says=lambda r, limit: _("at least {limit} move, if anything does", limit=limit),
               words=lambda r: _("lanes: at least {limit} of {material} move from {origin} to {destination} in {at}, "
                                 "or nothing", limit=tonnes(r.least), material=r.material, origin=r.origin,
                                 destination=r.destination, **AT),
               table="lanes", column="min_t", gives="limit", rank=0.4),
        Family("stock_limit", "stock_limit", "stock_room", "t",
               subject=lambda r: r.stockpile, home=lambda r: ("stockpile", r.stockpile),
               amount=lambda r, built: _with_modules(r.limit, r.modules, built),
               says=lambda r, limit: _("holds at most {limit}", limit=limit),
               words=lambda r: _("it has room for {limit} and what options add", limit=tonnes(r.limit)) if r.modules
                               else _("it has room for {limit}", limit=tonnes(r.limit)),
               table="stockpiles", column="max_t", gives="wish", rank=89.0),
        Family("stock_release", "stock_release", "stock_release", "t/yr",
               subject=lambda r: r.stockpile, home=lambda r: ("stockpile", r.stockpile),
               amount=lambda r, built: r.limit,
               says=lambda r, limit: _("at most {limit} a year may be released then", limit=limit),
               words=lambda r: _("stockpile {stockpile}: at most {limit} a year may be released in {at}",
                                 stockpile=r.stockpile, limit=tonnes(r.limit), **AT),
               table="stockpiles", column="release_max_t", gives="limit", rank=0.3),
        Family("working_stock", "working_stock", "working_stock", "t",
               subject=lambda r: f"{r.material} {r.provenance}", home=lambda r: ("country", r.country),
               amount=lambda r, built: r.full, says=lambda r, limit: _("what firms hold is drawn down"),
               words=lambda r: _("working stocks of {material} in {country} are empty", material=of_provenance(r),
                                 country=r.country),
               table="working_stocks", column="weeks", gives="limit", rank=0.3),
        Family("stock_floor", "stock_floor", "stock_floor", "t", less=True,
               subject=lambda r: r.stockpile, home=lambda r: ("stockpile", r.stockpile),
               amount=lambda r, built: r.floor, says=lambda r, limit: _("final_min_t of {limit}", limit=limit),
               words=lambda r: _("at least {limit} must be left at the end", limit=tonnes(r.floor)),
               table="stockpiles", column="final_min_t", gives="wish", rank=96.0,
               points=lambda value: 100.0 / value, moves=lambda r, value: 1e-3),
        Family("export_stop", "export_stop", "export_stop", "t/yr",
               subject=lambda r: r.scenario, home=lambda r: ("country", r.country),
               amount=lambda r, built: r.limit,
               says=lambda r, limit: _("at most {limit} of {material} leave under {scenario}", limit=limit,
                                       material=r.material, scenario=r.scenario),
               words=lambda r: _("scenario {scenario}: at most {limit} of {material} leave {country} in {when}",
                                 scenario=r.scenario, limit=tonnes(r.limit), material=r.material, country=r.country,
                                 **WHEN),
               table="disruptions", column="fraction", gives="limit", rank=0.4),
        Family("modules_most", "modules", "max_modules", "module", side="",
               subject=lambda r: r.option, home=lambda r: ("option", r.option),
               amount=lambda r, built: r.most, says=lambda r, limit: _("at most {limit} modules", limit=limit),
               words=lambda r: _("option {option}: at most {modules} in all (max_modules)", option=r.option,
                                 modules=modules(r.most)),
               table="options", column="max_modules", gives="limit", rank=0.1),
        Family("build", "build", "max_per_year", "module", bounds=True, side="",
               subject=lambda r: r.option, home=lambda r: ("option", r.option),
               amount=lambda r, built: r.max_modules, says=lambda r, limit: _("at most {limit} modules", limit=limit),
               words=lambda r: _("option {option}: at most {modules} can be started in {when}", option=r.option,
                                 modules=modules(r.max_modules), **WHEN),
               table="options", column="max_per_year", gives="limit", rank=0.1),
        Family("fund_budget", "fund_limit", "fund", "MUSD", side="MUSD",
               subject=lambda r: r.fund, amount=lambda r, built: r.budget,
               says=lambda r, limit: _("budget of {limit}", limit=limit),
               words=lambda r: _("it has at most {amount}", amount=_musd(r.budget)),
               table="funds", column="budget_musd", gives="wish", rank=91.0),
        Family("fund_share", "fund_share", "fund_share", POINT, side="MUSD",
               subject=lambda r: r.fund, home=lambda r: ("option", r.option),
               says=lambda r, limit: _("pays at most {share} of {option}", share=number(f"{100 * r.max_share:.4g}%"),
                                       option=r.option),
               words=lambda r: _("it pays at most {share} of {option}", share=number(f"{100 * r.max_share:.6g}%"),
                                 option=r.option),
               table="funds", column="max_share", gives="wish", rank=90.0),
        Family("private_limit", "private_limit", "private_money", "MUSD", side="MUSD",
               subject=lambda r: r.option, home=lambda r: ("option", r.option),
               amount=lambda r, built: r.limit, says=lambda r, limit: _("private money of {limit}", limit=limit),
               words=lambda r: _("it can raise at most {amount} of private money", amount=_musd(r.limit)),
               table="options", column="private_musd", gives="wish", rank=92.0),
        Family("modules_least", "modules", less=True, side="", subject=lambda r: r.option,
               words=lambda r: _("at least {modules} must be built", modules=modules(r.least)),
               table="options", column="min_modules", gives="wish", rank=95.0, points=lambda value: 30.0,
               silent="a committed project is told with the projects: what the plan costs without it"),
        Family("exclusive_group", side="", table="options", column="exclusive_group", gives="wish", rank=94.0,
               silent="a choice between projects: what each twin is worth is told with the projects"),
        Family("group_most", "group_limit", "group_max", "module", side="",
               subject=lambda r: f"{r.group} {r.measure}", amount=lambda r, built: r.most or 0.0,
               says=lambda r, limit: _("at most {what}", what=in_group(r, r.most)),
               measured=lambda r: GROUP_UNITS[r.measure],
               table="group_limits", column="max", gives="wish", rank=94.5),
        Family("group_least", "group_limit", "group_min", "module", side="", less=True,
               subject=lambda r: f"{r.group} {r.measure}", amount=lambda r, built: r.least,
               says=lambda r, limit: _("at least {what}", what=in_group(r, r.least)),
               measured=lambda r: GROUP_UNITS[r.measure],
               table="group_limits", column="min", gives="wish", rank=94.6),
        *(
            Family(name, side=side, silent="how the size of a plant makes its cost: a definition")
            for name, side in (("size_is", ""), ("excess_is", "MUSD"), ("step_whole", ""), ("step_next", ""))
        ),
        Family("above_level", silent="counts what the largest suppliers supply: a definition"),
        Family("started_most", side="", silent="counts the options of a group that are started: a definition"),
        Family("started_least", side="", silent="counts the options of a group that are started: a definition"),
        Family("requires", "requires", side="", subject=lambda r: r.option,
               words=lambda r: _("{option} must be started first or in the same period", option=r.required),
               table="options", column="requires", gives="wish", rank=93.0,
               silent="a choice between projects: what each is worth is told with the projects"),
        Family("balance", "pools", gives="source", silent=BOOKKEEPING),
        Family("demand", "need", gives="limit",
               words=lambda r: _("sector {sector} takes at most {limit} of {material} in {country} ({at})",
                                 sector=r.sector, limit=tonnes(r.demand), material=r.material, country=r.country, **AT),
               silent="demand is given: its shadow price is what a tonne delivered costs"),
        Family("stock_balance", "stock", gives="wish", silent=BOOKKEEPING),
        Family("stock_draw", silent="only what was held can be drawn: physics"),
        Family("surplus_limit", silent="only what is made can be thrown away: physics"),
        Family("transit_limit", "transit", gives="limit", rank=0.1,
               words=lambda r: _("no re-export: {material} that arrives in {country} does not leave it ({at})",
                                 material=r.material, country=r.country, **AT),
               silent="a rule of the model against re-export; no cell of the instance could give way"),
        Family("under_way", "land", gives="limit", rank=0.1,
               words=lambda r: _("goods under way: no more {material} that left {origin} before arrives in "
                                 "{destination}, {at}", material=r.material, origin=r.origin,
                                 destination=r.destination, **AT),
               silent="what was sent before arrives, and no more: physics"),
        Family("refill", "refill", gives="limit", rank=0.1,
               words=lambda r: _("goods under way: no more {material} arrives in {country} than leaves for it, {at}",
                                 material=r.material, country=r.country, **AT),
               silent="as much is under way after the months as before them: bookkeeping"),
        Family("spending", "spending", side="MUSD", gives="limit",
               silent="capex is paid for: what binds are its payers, told as money"),
        Family("closing", side="", silent="a plant is closed at most once: physics"),
        Family("node_cost_is", side="MUSD", silent="defines the cost of a node for the risk measure"),
        Family("beyond_tail", side="MUSD", silent="defines the tail of the risk measure"),
    )
}  # fmt: skip
