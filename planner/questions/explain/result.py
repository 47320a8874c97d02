"""The result of an explanation: its tables, and their text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, Band
from ...instance.timeline import periods
from ...language import N_, _, number, p_, translated
from ...solving.families import FAMILIES
from ...words import commas, figure_of, semicolons
from ..study import COMPLETE, INSTANCE, NOTES, OF_PLAN, SECONDS, Study, Table, Value, padded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run


@dataclass(frozen=True, repr=False)
class Explanation(Study):
    """Why a plan is as it is; every number names its source.

    The frames are the tables of the same names in HOLDS, which states their columns and units.

    plan            the run that is explained; ``instance`` is its instance
    objective_musd  least cost with the builds of the run, MUSD present value
    complete        False if the explanation was stopped before everything was solved; ``notes`` say why
    notes           sentences that a reader of the explanation should know
    seconds         time spent
    of              digest of the plan, see `Run.digest`
    """

    COMMAND, MANIFEST, OF = "explain", "explain.json", "plan"
    HOLDS = (
        INSTANCE,
        OF_PLAN,
        Value("objective_musd", "least cost with the builds of the run, MUSD present value"),
        COMPLETE,
        NOTES,
        SECONDS,
        Table(
            "binding",
            "Limits that bind, the one that saves most first.",
            """
            kind       | text    |      | what is limited, such as `cap`, `capacity`, `lead_time`
            name       | text    |      | key of the row of the instance that sets the limit
            country    | text    |      | country of the limit; empty if it has none
            year       | integer | year | first year of the period; 0 for a limit over the whole horizon
            unit       | text    |      | unit of the limit
            worth_musd | number  | MUSD | shadow price: saving by one unit more, present value, expected over branches;
                a rate, which may hold for less than one unit
            step       | number  | as in unit | size of the step by which the limit is eased: a tenth of it, one
                percentage point, or a year
            saves_musd | number  | MUSD | saving by the step, present value, expected over branches; all years of a
                limit are eased together, and each year has its part of the saving by its shadow price
            holds      | text    |      | `yes` or `no`: whether the rate holds over the step; empty if the step was not
                solved again
            how        | text    |      | source of the saving: `re-solve of the step` (of the operations alone), `dual`
                (shadow price times step), `re-solve` (difference between two whole solves), or another one that is
                named
            says       | text    |      | the limit in words
            """,
        ),
        Table(
            "premiums",
            "The premium of clean over exposed material, by material, country and year.",
            """
            material           | text    |        | the material
            country            | text    |        | country of the material
            year               | integer | year   | first year of the period
            clean_usd_per_kg   | number  | USD/kg | shadow price of clean material
            exposed_usd_per_kg | number  | USD/kg | shadow price of exposed material
            premium_usd_per_kg | number  | USD/kg | difference between the two; blank if one has no price
            note               | text    |        | reason why there is no premium
            """,
        ),
        Table(
            "projects",
            "Every option: the built ones by value, then the others by what they lack to pay for themselves. Amounts "
            "are present values. `least` and `most` are the ends of the range that the gaps of the searches leave.",
            """
            option              | text    |         | the option
            facility            | text    |         | its facility, or its stockpile
            country             | text    |         | country of the facility
            built               | text    |         | `yes` or `no`
            start_year          | integer | year    | year of its first start; if it is not built, the year in which it
                would lack least
            modules             | number  | modules | modules that are built; if none are, those that are assessed
            capacity_t          | number  | t/yr    | capacity of these modules
            annuity_musd        | number  | MUSD    | capital cost of these modules
            fixed_om_musd       | number  | MUSD    | fixed O&M of these modules, and priced impacts of building them
            earns_musd          | number  | MUSD    | value of their capacity by the shadow prices
            earns_how           | text    |         | source of `earns_musd`
            value_musd          | number  | MUSD    | cost without the option less cost of the plan; blank if not solved
            value_least_musd    | number  | MUSD    | lower end of the range of `value_musd`
            value_most_musd     | number  | MUSD    | upper end of the range of `value_musd`
            value_how           | text    |         | source of `value_musd`, or why it is blank
            also_without        | text    |         | other options of its facility or exclusive group, separated by `;`
            project_value_musd  | number  | MUSD    | cost without the option and these others, less cost of the plan
            project_least_musd  | number  | MUSD    | lower end of the range of `project_value_musd`
            project_most_musd   | number  | MUSD    | upper end of the range of `project_value_musd`
            project_value_how   | text    |         | source of `project_value_musd`, or why it is blank
            cost_if_built_musd  | number  | MUSD    | cost with at least one module of the option less cost of the plan;
                blank if it is built or was not solved
            if_built_least_musd | number  | MUSD    | lower end of the range of `cost_if_built_musd`
            if_built_most_musd  | number  | MUSD    | upper end of the range of `cost_if_built_musd`
            cost_if_built_how   | text    |         | source of `cost_if_built_musd`, or why it is blank
            """,
        ),
        Table(
            "entry",
            "The thresholds at which options that are not built enter the plan.",
            """
            option    | text   |            | the option
            change    | text   |            | kind of the change: `capex`, `opex`, `earlier` or `larger`; `all` if the
                row is of no single kind, for example because nothing was solved
            threshold | number | as in unit | the change with which it enters: factor on capex or size, fall of the
                running cost in USD/t, years earlier; blank if the option does not enter, or that is not known
            unit      | text   |            | unit of the threshold
            enters    | number | as in unit | change that was tried and with which it was built; blank if none was
            stays_out | number | as in unit | change that was tried and with which it was not built; blank if none was
            how       | text   |            | source of the threshold, or why it is blank
            says      | text   |            | the threshold in words
            """,
        ),
        Table(
            "earnings",
            "Value and cost of built options by period, undiscounted.",
            """
            option        | text    |         | the option
            year          | integer | year    | first year of the period
            capacity_t    | number  | t/yr    | capacity of the option in the period
            earns_musd    | number  | MUSD/yr | value of this capacity by the shadow prices
            annuity_musd  | number  | MUSD/yr | capital cost of the option
            fixed_om_musd | number  | MUSD/yr | fixed O&M of the option
            how           | text    |         | source of `earns_musd`
            """,
        ),
        Table(
            "bottlenecks",
            "Materials ranked by the saving by 1 % more capacity and market supply, by year and provenance.",
            """
            year                   | integer | year   | first year of the period
            provenance             | text    |        | `clean` or `exposed`
            rank                   | integer |        | 1 is the bottleneck
            material               | text    |        | the material
            stage                  | text    |        | stage of the material
            supply_t               | number  | t/yr   | tonnes made and bought
            worth_usd_per_kg       | number  | USD/kg | saving by one kg more supply, at the margin
            worth_musd_per_percent | number  | MUSD   | saving by 1 % more capacity and market supply in the year
            how                    | text    |        | source of `worth_musd_per_percent`
            """,
        ),
        Table(
            "price_support",
            "Built options by year: the levelised cost of the main product against a market price.",
            """
            option             | text    |         | the option
            facility           | text    |         | its facility
            country            | text    |         | country of the facility
            material           | text    |         | main product: the one of the highest value
            year               | integer | year    | first year of the period
            output_t           | number  | t/yr    | output of the main product
            cost_usd_per_kg    | number  | USD/kg  | levelised cost less by-products, the same in all years
            market_usd_per_kg  | number  | USD/kg  | market price; blank if none is known
            market_price       | text    |         | source of the market price
            support_usd_per_kg | number  | USD/kg  | excess of the cost over the price, 0 or more
            support_musd       | number  | MUSD/yr | excess for the whole output
            """,
        ),
    )  # fmt: skip

    plan: Run
    objective_musd: float
    binding: pd.DataFrame
    premiums: pd.DataFrame
    projects: pd.DataFrame
    entry: pd.DataFrame
    earnings: pd.DataFrame
    bottlenecks: pd.DataFrame
    price_support: pd.DataFrame
    complete: bool
    notes: tuple[str, ...]
    seconds: float
    of: str = ""

    @property
    def instance(self) -> Instance:
        """The instance of the plan."""
        return self.plan.instance

    def __str__(self) -> str:
        """Return the sections as text; a long section ends with the number of lines that are left out."""
        title = _(
            "Why this plan: {instance} ({amount} MUSD present value)",
            instance=self.instance.title,
            amount=number(f"{self.objective_musd:,.6g}"),
        )
        sections = (_binding, _premiums, _built, _unbuilt, _bottlenecks, _support)
        lines = [line for section in sections for line in section(self)]
        return "\n".join([title, *lines, *(_("Note: {note}", note=note) for note in self.notes)])


# --- as a page of text ---

AT_MOST = 12  # lines of a section
COUNTED = ("module", "option")  # units of limits that are counts
AMOUNTS = ("t/yr", "t", "MUSD", *COUNTED)  # units of limits that are told with their step
LIMITS = [family for family in FAMILIES.values() if family.kind]
NO_FAMILY = {"lead_time": "a year earlier", "clean_only": "a point exposed", "floor": "a point less"}
NO_FAMILY |= {"impact_floor": "a unit less"}
# kind of a limit -> one unit more of it in words, and the step by which it is eased in words
UNITS = {family.kind: family.saved_by for family in LIMITS} | NO_FAMILY
STEPS = {
    family.kind: f"a {family.unit if family.amount is None else 'tenth'} {family.saved_by.split()[-1]}"
    for family in LIMITS
} | NO_FAMILY
YEARS_SHOWN = 6  # columns of the section on premiums
# words of units, steps, kinds of limits and sources of numbers that are told in the present language
UNITS_OF_STEPS = (
    N_("module"), N_("modules"), N_("option"), N_("options"), N_("point"), N_("unit"), N_("year"), N_("a tenth less"),
    N_("a tenth more"), N_("a unit less"), N_("a unit more"), N_("a point less"), N_("a point more"),
    N_("a point exposed"), N_("a year earlier"),
)  # fmt: skip
KINDS = (
    N_("cap"), N_("impact"), N_("min service"), N_("clean only"), N_("capacity"), N_("least use"), N_("offtake"),
    N_("market"), N_("blend"), N_("buyer"), N_("min sale"), N_("substitute"), N_("return"), N_("lane"),
    N_("least lot"), N_("stock room"), N_("stock release"), N_("working stock"), N_("stock floor"), N_("export stop"),
    N_("max modules"), N_("max per year"), N_("fund"), N_("fund share"), N_("private money"), N_("group max"),
    N_("group min"), N_("lead time"), N_("floor"), N_("impact floor"),
)  # fmt: skip
HOW = (
    N_("dual"), N_("dual, at least; others as built"), N_("dual, whole numbers relaxed"), N_("dual, at the margin"),
    N_("dual, at most"), N_("re-solve"), N_("re-solve of the step"), N_("re-solve, same whole builds: at least"),
    N_("not re-solved"), N_("not asked"), N_("not solved again"),
)  # fmt: skip
WHY = (  # what may stand after one of HOW
    N_("no plan without it"), N_("no plan with it"), N_("no plan found in time"), N_("out of time"), N_("interrupted"),
)  # fmt: skip
WITHIN, STOPPED = "re-solve within ", ", stopped by "


def _cut(lines: list[str], frame: str, at_most: int = AT_MOST) -> list[str]:
    """Return the first lines of a section, and how many more rows the frame has."""
    if len(lines) <= at_most:
        return lines
    return [*lines[:at_most], "  " + _("... {n} more in {table}", n=len(lines) - at_most, table=frame)]


def _number(value: Any) -> str:
    """Return a number with 4 significant figures; ``-`` if it is blank."""
    return "-" if value is None or value != value else figure_of(value, 4)


def _binding(e: Explanation) -> list[str]:
    """Return the section on the limits that bind, one line for all years of a limit."""
    if e.binding.empty:
        return [_("What binds: nothing; no cap, capacity, budget or lead time raises the cost of the plan")]
    lines = []
    keys = ["kind", "name", "country", "unit", "how"]
    groups = [(key, rows) for key, rows in e.binding.groupby(keys, sort=False)]
    for (kind, name, country, unit, how), rows in sorted(groups, key=lambda g: -g[1]["saves_musd"].sum()):
        top = rows.iloc[0]
        of_kind = translated(kind.replace("_", " "))
        what = _("{kind} {name}", kind=of_kind, name=name)
        if country:
            what = _("{kind} {name} ({country})", kind=of_kind, name=name, country=country)
        years = sorted({int(y) for y in rows["year"] if y})
        when = f"{years[0]}" if years else ""
        if len(years) > 1:
            when = _("{first}-{last}, most in {year}", first=years[0], last=years[-1], year=top.year)
        detail = semicolons(part for part in (when, str(top.says)) if part)
        source = _sourced(str(how), rows["worth_musd"].sum(), str(unit), {str(h) for h in rows["holds"]})
        saves, step = _number(rows["saves_musd"].sum()), padded(step_of(kind, unit, rows["step"]), "<15")
        told_limit = _("{head}: {parts}", head=what, parts=detail)
        lines.append(f"  {saves:>9}  {step} {told_limit} [{source}]")
    title = _("What binds (MUSD present value that a step saves, in all its years; a tenth of the limit, or a point):")
    return [title, *_cut(lines, "binding")]


def step_of(kind: str, unit: str, steps: Iterable[float]) -> str:
    """Return a step in words, such as ``3 t/yr more``; if it differs by year, the smallest and the largest.

    kind   kind of the limit
    unit   unit of the limit
    steps  size of the step in each year, in the unit
    """
    low, high = min(steps), max(steps)
    if unit not in AMOUNTS:
        return translated(UNITS[kind])
    amount = figure_of(low, 3) if high - low <= 1e-9 * high else f"{figure_of(low, 3)}-{figure_of(high, 3)}"
    words = translated(f"{unit}s" if unit in COUNTED and amount != "1" else unit)
    if UNITS[kind].endswith("less"):
        return _("{amount} {unit} less", amount=amount, unit=words)
    return _("{amount} {unit} more", amount=amount, unit=words)


def how_in_words(how: str) -> str:
    """Return the source of a number, as the tables have it, in the present language.

    >>> how_in_words("re-solve within 1.00%: no plan without it")
    're-solve within 1.00%: no plan without it'
    """
    if how not in HOW:
        head, colon, why = how.partition(": ")
        if colon:
            return _("{head}: {parts}", head=how_in_words(head), parts=translated(why))
        head, stopped, why = how.partition(STOPPED)
        if stopped:
            return _("{how}, stopped by {why}", how=how_in_words(head), why=why)
        if how.startswith(WITHIN):
            return _("re-solve within {share}", share=number(how.removeprefix(WITHIN)))
    return translated(how)


def _sourced(how: str, worth: float, unit: str, holds: Collection[str]) -> str:
    """Return the source of a saving in words, with the shadow price where it says more.

    how    source of the saving by the step
    worth  saving by one unit more in all years, MUSD
    unit   unit of the limit
    holds  whether the rate holds over the step, in each year: ``yes``, ``no`` or "" (not solved again)
    """
    source = how_in_words(how)
    if unit not in AMOUNTS and "no" not in holds:
        return source
    rate = {"how": source, "amount": _number(worth), "unit": translated(unit)}
    if "no" in holds:
        return _("{how}; at the margin {amount} a {unit}, which holds for less", **rate)
    return _("{how}; at the margin {amount} a {unit}", **rate)


def _premiums(e: Explanation) -> list[str]:
    """Return the section on the clean premium: medians over countries, by material and year."""
    known = e.premiums[e.premiums["premium_usd_per_kg"].notna()]
    if known.empty:
        return [
            _("Clean premium: not known; no material has both a clean and an exposed price in one country and year")
        ]
    years = _some(sorted({int(y) for y in known["year"]}))
    middle = known.pivot_table(index="material", columns="year", values="premium_usd_per_kg", aggfunc="median")
    width = max(8, *(len(str(m)) for m in middle.index))
    lines = [f"  {'':<{width}}" + "".join(f"{y:>9}" for y in years)]
    for material in middle.index:
        cells = "".join(f"{_number(round(middle.loc[material, y], 3) + 0.0):>9}" for y in years)
        lines.append(f"  {material:<{width}}{cells}")
    return [_("Clean premium (USD/kg above exposed, median over countries; dual):"), *_cut(lines, "premiums", 30)]


def _some(years: list[int]) -> list[int]:
    """Return at most ``YEARS_SHOWN`` of the years, evenly spread, with the first and the last."""
    if len(years) <= YEARS_SHOWN:
        return years
    step = (len(years) - 1) / (YEARS_SHOWN - 1)
    return [years[round(i * step)] for i in range(YEARS_SHOWN)]


def _built(e: Explanation) -> list[str]:
    """Return the section on the options that are built, with the cost of doing without each."""
    built = e.projects[e.projects["built"] == "yes"]
    if built.empty:
        return [_("Built: nothing")]
    lines = []
    for p in built.itertuples():
        built_of_it = _(
            "{option} ({country}), {tonnes} t from {year}",
            option=p.option,
            country=p.country,
            tonnes=figure_of(p.capacity_t, 5),
            year=p.start_year,
        )
        how = how_in_words(p.value_how or "not re-solved")
        if p.value_musd == p.value_musd:
            change = told(e, p.value_musd, p.value_least_musd, p.value_most_musd)
            worth = _("without it {change} [{how}]", change=change, how=how)
            if p.also_without and p.project_value_musd == p.project_value_musd:
                all_of_it = told(e, p.project_value_musd, p.project_least_musd, p.project_most_musd)
                worth = _(
                    "{sentence}; also without {others} {change}",
                    sentence=worth,
                    others=p.also_without,
                    change=all_of_it,
                )
        else:
            worth = f"[{how}]"
        text = _(
            "{option}: {worth}; earns {earns} at the margin, costs {cost} [dual]",
            option=built_of_it,
            worth=worth,
            earns=_number(p.earns_musd),
            cost=_number(p.annuity_musd + p.fixed_om_musd),
        )
        lines.append(f"  {text}")
    return [_("Built (MUSD present value):"), *_cut(lines, "projects")]


def told(e: Explanation, found: float, least: float, most: float) -> str:
    """Return a difference from the cost of the plan in words.

    found        difference between the costs found, MUSD
    least, most  ends of its range, given the gaps of the searches, MUSD
    """
    return Band(found, least, most, ROUNDING * abs(e.objective_musd)).told(_number)


def _unbuilt(e: Explanation) -> list[str]:
    """Return the section on the options that are not built, with what each lacks."""
    rows = e.projects[e.projects["built"] == "no"]
    if rows.empty:
        return []
    lines = []
    for p in rows.itertuples():
        mine = e.entry[e.entry["option"] == p.option]
        solved = mine[mine["how"].str.startswith("re-solve")]
        best = solved if not solved.empty else mine[~mine["how"].str.startswith("not ")]
        between = p_("between changes", " or ")
        says = semicolons(
            f"{between.join(rows['says'])} [{how_in_words(str(how))}]"
            for how, rows in best[best["says"] != ""].groupby("how", sort=False)
        )
        if p.cost_if_built_musd > 0:
            change = told(e, p.cost_if_built_musd, p.if_built_least_musd, p.if_built_most_musd)
            says = semicolons([_("building it costs {change}", change=change), says])
        head = _("{name} ({parts})", name=p.option, parts=p.country)
        lines.append("  " + _("{head}: {parts}", head=head, parts=says))
    return [_("Not built, and what each lacks:"), *_cut(lines, "entry")]


def _bottlenecks(e: Explanation) -> list[str]:
    """Return the section on the bottleneck of each year, one for each provenance."""
    first = e.bottlenecks[e.bottlenecks["rank"] == 1]
    if first.empty:
        return [_("Bottleneck: none; no capacity or market limit binds")]
    lines = []
    for year, rows in first.groupby("year", sort=True):
        parts = [
            _(
                "{name} {amount} MUSD ({price} USD/kg)",
                name=_("{provenance} {material}", provenance=translated(r.provenance), material=r.material),
                amount=_number(r.worth_musd_per_percent),
                price=_number(r.worth_usd_per_kg),
            )
            for r in rows.itertuples()
        ]
        lines.append("  " + _("{head}: {parts}", head=year, parts=semicolons(parts)))
    title = _(
        "Bottleneck of each year (what 1 % more capacity or supply would save that year, and a kg at the margin):"
    )
    return [title, *_cut(lines, "bottlenecks", 30)]


def _support(e: Explanation) -> list[str]:
    """Return the section on price support: cost, market price and support of the main product of each built option."""
    table: pd.DataFrame = e.price_support
    if table.empty:
        return []
    lines, lengths = [], {p.first_year: p.length for p in periods(e.instance)}
    for option, rows in table.groupby("option", sort=True):
        known = rows[rows["market_usd_per_kg"].notna()]
        first = rows.iloc[0]
        of = {"option": option, "material": first.material, "cost": _number(first.cost_usd_per_kg)}
        if known.empty or rows["output_t"].sum() <= 0:
            unknown = _(
                "{option}: {material} costs {cost} USD/kg; no market price is known, give one with --prices "
                "{material}=USD_PER_KG",
                **of,
            )
            lines.append(f"  {unknown}")
            continue
        years = known["year"].map(lengths)
        made = (known["output_t"] * years).sum()
        price = (known["market_usd_per_kg"] * known["output_t"] * years).sum() / max(made, 1e-9)
        outlay, busy = (known["support_musd"] * years).sum(), years[known["output_t"] > 0].sum()
        paid = years[known["support_musd"] > 1e-9].sum()
        of |= {"price": _number(price), "where": commas(map(price_in_words, sorted(set(known["market_price"]))))}
        if outlay <= 1e-9:
            text = _("{option}: {material} costs {cost} USD/kg, the market pays {price} ({where}): no support", **of)
        else:
            text = _(
                "{option}: {material} costs {cost} USD/kg, the market pays {price} ({where}): support {support} "
                "USD/kg, {amount} MUSD a year",
                **of,
                support=_number(outlay * 1e3 / made),
                amount=_number(outlay / max(busy, 1)),
            )
            if paid != busy:
                text = _(
                    "{sentence} (in {paid} of {busy} years, when the price is lower)",
                    sentence=text,
                    paid=paid,
                    busy=busy,
                )
        lines.append(f"  {text}")
    title = _("Price support (levelised cost less by-products against the market price; means over all it makes):")
    return [title, *_cut(lines, "price_support")]


PRICES = (N_("given"), N_("plan's exposed price"), N_("plan's lowest exposed price"), N_("none known; give one"))
OF_MARKET = "market "


def price_in_words(source: str) -> str:
    """Return where a market price comes from, as ``market_price`` has it, in the present language."""
    if source.startswith(OF_MARKET):
        return _("market {name}", name=source.removeprefix(OF_MARKET))
    return translated(source)
