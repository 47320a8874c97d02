"""An explanation as it is told: tables and text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...bands import ROUNDING, Band
from ...instance.timeline import periods
from ...solving.families import FAMILIES
from ...words import figure_of
from ..study import COMPLETE, INSTANCE, NOTES, OF_PLAN, SECONDS, Study, Table, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd

    from ...instance.instance import Instance


@dataclass(frozen=True)
class Explanation(Study):
    """Why a plan is as it is; one frame per question, each number with how it was obtained.

    objective_musd of the plan with these builds, MUSD present value
    of             digest of the plan, see `Run.digest`
    complete       whether everything asked for was solved; ``notes`` tell what was not
    The frames are the tables of the same names, see HOLDS.
    """

    COMMAND, MANIFEST, OF = "explain", "explain.json", "plan"
    HOLDS = (
        INSTANCE,
        OF_PLAN,
        Value("objective_musd", "present cost of the plan with these builds, MUSD"),
        COMPLETE,
        NOTES,
        SECONDS,
        Table(
            "binding",
            "Limits that bind, the most valuable first.",
            """
            kind       | text    |      | what is limited, such as `cap`, `capacity`, `lead_time`
            name       | text    |      | key of the row of the instance that says so
            country    | text    |      | where; empty if it is of no country
            year       | integer | year | first year of the period; 0 for a limit over the whole horizon
            unit       | text    |      | unit of the limit
            worth_musd | number  | MUSD | what one unit more saves at the margin, present value and expected over
                branches; a rate, which may hold for less than a unit
            step       | number  | as in unit | by how much the limit is eased: a tenth of it, or a point, or a year
            saves_musd | number  | MUSD | what that saves, likewise; of the years of a limit, which are eased together,
                each has its part by the rates
            holds      | text    |      | `yes` or `no`: whether the rate holds over the step; empty if not solved again
            how        | text    |      | how the saving was obtained: `re-solve of the step` (the operations again),
                `dual` (the rate times the step), `re-solve` (the difference of two whole solves), or what else stands
                behind the number
            says       | text    |      | the limit in words
            """,
        ),
        Table(
            "premiums",
            "What clean material costs more than exposed, by material, country and year.",
            """
            material           | text    |        | the material
            country            | text    |        | where it is
            year               | integer | year   | first year of the period
            clean_usd_per_kg   | number  | USD/kg | marginal price of clean material
            exposed_usd_per_kg | number  | USD/kg | marginal price of exposed material
            premium_usd_per_kg | number  | USD/kg | the difference; blank where one of the two has no price
            note               | text    |        | why there is none
            """,
        ),
        Table(
            "projects",
            "Every option: the built ones by their value, then the others by what they lack of their cost. Amounts "
            "are present values.",
            """
            option              | text    |         | the option
            facility            | text    |         | its facility, or stockpile
            country             | text    |         | where it is
            built               | text    |         | `yes` or `no`
            start_year          | integer | year    | when it is started, or could be with least lacking
            modules             | number  | modules | how much of it is built
            capacity_t          | number  | t/yr    | capacity of that
            annuity_musd        | number  | MUSD    | its capital cost
            fixed_om_musd       | number  | MUSD    | its fixed O&M
            earns_musd          | number  | MUSD    | value of its capacity by the duals
            earns_how           | text    |         | how that was obtained
            value_musd          | number  | MUSD    | cost without it less the plan's; blank if not solved again
            value_least_musd    | number  | MUSD    | the same at least, as the gap of the search allows
            value_most_musd     | number  | MUSD    | the same at most
            value_how           | text    |         | how that was obtained, or why not
            also_without        | text    |         | other options of its facility or exclusive group, with `;` between
            project_value_musd  | number  | MUSD    | cost without it and these, less the plan's
            project_least_musd  | number  | MUSD    | the same at least
            project_most_musd   | number  | MUSD    | the same at most
            project_value_how   | text    |         | how that was obtained, or why not
            cost_if_built_musd  | number  | MUSD    | cost with at least a module of it less the plan's; blank if built
            if_built_least_musd | number  | MUSD    | the same at least
            if_built_most_musd  | number  | MUSD    | the same at most
            cost_if_built_how   | text    |         | how that was obtained, or why not
            """,
        ),
        Table(
            "entry",
            "What each option that is not built lacks.",
            """
            option    | text   |            | the option
            change    | text   |            | what would have to change: `capex`, `opex`, `earlier`, `larger`, or `all`
                (nothing of this kind helps)
            threshold | number | as in unit | the change with which it enters: factor on capex or size, USD/t off the
                running cost, years earlier
            unit      | text   |            | unit of the threshold
            enters    | number | as in unit | change with which it was built; blank where nothing was tried
            stays_out | number | as in unit | change with which it was not built; blank where nothing was tried
            how       | text   |            | how that was obtained
            says      | text   |            | the same in words
            """,
        ),
        Table(
            "earnings",
            "Built options by year, undiscounted.",
            """
            option        | text    |         | the option
            year          | integer | year    | first year of the period
            capacity_t    | number  | t/yr    | its capacity then
            earns_musd    | number  | MUSD/yr | value of the capacity by the duals
            annuity_musd  | number  | MUSD/yr | its capital cost
            fixed_om_musd | number  | MUSD/yr | its fixed O&M
            how           | text    |         | how that was obtained
            """,
        ),
        Table(
            "bottlenecks",
            "Materials ranked by what 1 % more of all that makes or sells them is worth, by year and provenance.",
            """
            year                   | integer | year   | first year of the period
            provenance             | text    |        | `clean` or `exposed`
            rank                   | integer |        | 1 is the bottleneck
            material               | text    |        | the material
            stage                  | text    |        | its stage
            supply_t               | number  | t/yr   | supply of it
            worth_usd_per_kg       | number  | USD/kg | what a kg more supply saves at the margin
            worth_musd_per_percent | number  | MUSD   | what 1 % more supply saves in the year
            how                    | text    |        | how that was obtained
            """,
        ),
        Table(
            "price_support",
            "Built options by year: the levelised cost of the main product against a market price.",
            """
            option             | text    |         | the option
            facility           | text    |         | its facility
            country            | text    |         | where it is
            material           | text    |         | its product of most value
            year               | integer | year    | first year of the period
            output_t           | number  | t/yr    | what it makes of it
            cost_usd_per_kg    | number  | USD/kg  | levelised cost less by-products, the same in all years
            market_usd_per_kg  | number  | USD/kg  | market price; blank if none is known
            market_price       | text    |         | where the market price is from
            support_usd_per_kg | number  | USD/kg  | what cost exceeds price by
            support_musd       | number  | MUSD/yr | the same for all it makes
            """,
        ),
    )  # fmt: skip

    instance: Instance
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

    def __str__(self) -> str:
        """Sections in the order of the questions; long ones are cut, the frames are whole."""
        title = f"Why this plan: {self.instance.title} ({self.objective_musd:,.6g} MUSD present value)"
        sections = (_binding, _premiums, _built, _unbuilt, _bottlenecks, _support)
        lines = [line for section in sections for line in section(self)]
        return "\n".join([title, *lines, *(f"Note: {note}" for note in self.notes)])


# --- as a page of text ---

AT_MOST = 12  # lines of a section
STEPS = {
    family.kind: f"a {family.unit if family.amount is None else 'tenth'} {family.saved_by.split()[-1]}"
    for family in FAMILIES.values()
    if family.kind
} | {"lead_time": "a year earlier", "clean_only": "a point exposed"}
UNITS = {family.kind: family.saved_by for family in FAMILIES.values() if family.kind} | {
    "lead_time": "a year earlier",
    "clean_only": "a point exposed",
}
YEARS_SHOWN = 6


def _cut(lines: list[str], frame: str, at_most: int = AT_MOST) -> list[str]:
    if len(lines) <= at_most:
        return lines
    return [*lines[:at_most], f"  ... {len(lines) - at_most} more in {frame}"]


def _number(value: Any) -> str:
    return "-" if value is None or value != value else figure_of(value, 4)


def _binding(e: Explanation) -> list[str]:
    if e.binding.empty:
        return ["What binds: nothing; no cap, capacity, budget or lead time makes the plan dearer"]
    lines = []
    keys = ["kind", "name", "country", "unit", "how"]
    groups = [(key, rows) for key, rows in e.binding.groupby(keys, sort=False)]
    for (kind, name, country, unit, how), rows in sorted(groups, key=lambda g: -g[1]["saves_musd"].sum()):
        top = rows.iloc[0]
        what = f"{kind.replace('_', ' ')} {name}{f' ({country})' if country else ''}"
        years = sorted({int(y) for y in rows["year"] if y})
        when = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}, most in {top.year}" if years else ""
        detail = "; ".join(part for part in (when, str(top.says)) if part)
        rate = at_the_margin(rows["worth_musd"].sum(), str(unit), {str(h) for h in rows["holds"]})
        saves = _number(rows["saves_musd"].sum())
        lines.append(f"  {saves:>9}  {step_of(kind, unit, rows['step']):<15} {what}: {detail} [{how}{rate}]")
    title = "What binds (MUSD present value that a step saves, in all its years; a tenth of the limit, or a point):"
    return [title, *_cut(lines, "binding")]


def step_of(kind: str, unit: str, steps: Iterable[float]) -> str:
    """A step in words, such as ``3 t/yr more``; of years with different steps the smallest and the largest."""
    low, high = min(steps), max(steps)
    if unit not in ("t/yr", "t", "MUSD", "module"):
        return UNITS[kind]
    amount = figure_of(low, 3) if high - low <= 1e-9 * high else f"{figure_of(low, 3)}-{figure_of(high, 3)}"
    return f"{amount} {unit}{'s' if unit == 'module' and amount != '1' else ''} {UNITS[kind].split()[-1]}"


def at_the_margin(worth: float, unit: str, holds: Collection[str]) -> str:
    """The rate beside the saving of a step: what a unit saves at the margin, and whether that holds over the step."""
    if unit not in ("t/yr", "t", "MUSD", "module") and "no" not in holds:
        return ""
    known = "" if holds == {"yes"} or "no" not in holds else ", which holds for less"
    return f"; at the margin {_number(worth)} a {unit}{known}"


def _premiums(e: Explanation) -> list[str]:
    known = e.premiums[e.premiums["premium_usd_per_kg"].notna()]
    if known.empty:
        return ["Clean premium: none can be told; no material has both a clean and an exposed price in one place"]
    years = _some(sorted({int(y) for y in known["year"]}))
    middle = known.pivot_table(index="material", columns="year", values="premium_usd_per_kg", aggfunc="median")
    width = max(8, *(len(str(m)) for m in middle.index))
    lines = [f"  {'':<{width}}" + "".join(f"{y:>9}" for y in years)]
    for material in middle.index:
        cells = "".join(f"{_number(round(middle.loc[material, y], 3) + 0.0):>9}" for y in years)
        lines.append(f"  {material:<{width}}{cells}")
    return ["Clean premium (USD/kg above exposed, median over countries; dual):", *_cut(lines, "premiums", 30)]


def _some(years: list[int]) -> list[int]:
    if len(years) <= YEARS_SHOWN:
        return years
    step = (len(years) - 1) / (YEARS_SHOWN - 1)
    return [years[round(i * step)] for i in range(YEARS_SHOWN)]


def _built(e: Explanation) -> list[str]:
    built = e.projects[e.projects["built"] == "yes"]
    if built.empty:
        return ["Built: nothing"]
    lines = []
    for p in built.itertuples():
        line = f"  {p.option} ({p.country}), {figure_of(p.capacity_t, 5)} t from {p.start_year}: "
        if p.value_musd == p.value_musd:
            line += f"without it {told(e, p.value_musd, p.value_least_musd, p.value_most_musd)} [{p.value_how}]"
            if p.also_without and p.project_value_musd == p.project_value_musd:
                all_of_it = told(e, p.project_value_musd, p.project_least_musd, p.project_most_musd)
                line += f"; also without {p.also_without} {all_of_it}"
        else:
            line += f"[{p.value_how or 'not re-solved'}]"
        cost = p.annuity_musd + p.fixed_om_musd
        lines.append(f"{line}; earns {_number(p.earns_musd)} at the margin, costs {_number(cost)} [dual]")
    return ["Built (MUSD present value):", *_cut(lines, "projects")]


def told(e: Explanation, found: float, least: float, most: float) -> str:
    """A difference in cost from the plan, MUSD, in words, as sure as the gaps of the solves allow."""
    return Band(found, least, most, ROUNDING * abs(e.objective_musd)).told(_number)


def _unbuilt(e: Explanation) -> list[str]:
    rows = e.projects[e.projects["built"] == "no"]
    if rows.empty:
        return []
    lines = []
    for p in rows.itertuples():
        mine = e.entry[e.entry["option"] == p.option]
        solved = mine[mine["how"].str.startswith("re-solve")]
        best = solved if not solved.empty else mine[~mine["how"].str.startswith("not ")]
        says = "; ".join(
            f"{' or '.join(rows['says'])} [{how}]" for how, rows in best[best["says"] != ""].groupby("how", sort=False)
        )
        costs = ""
        if p.cost_if_built_musd > 0:
            costs = f"building it costs {told(e, p.cost_if_built_musd, p.if_built_least_musd, p.if_built_most_musd)}; "
        lines.append(f"  {p.option} ({p.country}): {costs}{says}")
    return ["Not built, and what each lacks:", *_cut(lines, "entry")]


def _bottlenecks(e: Explanation) -> list[str]:
    first = e.bottlenecks[e.bottlenecks["rank"] == 1]
    if first.empty:
        return ["Bottleneck: none; no capacity or market limit binds"]
    lines = []
    for year, rows in first.groupby("year", sort=True):
        parts = [
            f"{r.provenance} {r.material} {_number(r.worth_musd_per_percent)} MUSD "
            f"({_number(r.worth_usd_per_kg)} USD/kg)"
            for r in rows.itertuples()
        ]
        lines.append(f"  {year}: {'; '.join(parts)}")
    title = "Bottleneck of each year (what 1 % more capacity or supply would save that year, and a kg at the margin):"
    return [title, *_cut(lines, "bottlenecks", 30)]


def _support(e: Explanation) -> list[str]:
    """Each built option: what its main product costs, what the market pays, and the support that this takes."""
    table: pd.DataFrame = e.price_support
    if table.empty:
        return []
    lines, lengths = [], {p.first_year: p.length for p in periods(e.instance)}
    for option, rows in table.groupby("option", sort=True):
        known = rows[rows["market_usd_per_kg"].notna()]
        first = rows.iloc[0]
        line = f"  {option}: {first.material} costs {_number(first.cost_usd_per_kg)} USD/kg"
        if known.empty or rows["output_t"].sum() <= 0:
            lines.append(f"{line}; no market price is known, give one with --prices {first.material}=USD_PER_KG")
            continue
        years = known["year"].map(lengths)
        made = (known["output_t"] * years).sum()
        price = (known["market_usd_per_kg"] * known["output_t"] * years).sum() / max(made, 1e-9)
        outlay, busy = (known["support_musd"] * years).sum(), years[known["output_t"] > 0].sum()
        paid = years[known["support_musd"] > 1e-9].sum()
        where = ", ".join(sorted(set(known["market_price"])))
        if outlay <= 1e-9:
            lines.append(f"{line}, the market pays {_number(price)} ({where}): no support")
            continue
        per_kg = outlay * 1e3 / made
        lines.append(
            f"{line}, the market pays {_number(price)} ({where}): "
            f"support {_number(per_kg)} USD/kg, {_number(outlay / max(busy, 1))} MUSD a year"
            f"{'' if paid == busy else f' (in {paid} of {busy} years, when the price is lower)'}"
        )
    title = "Price support (levelised cost less by-products against the market price; means over all it makes):"
    return [title, *_cut(lines, "price_support")]
