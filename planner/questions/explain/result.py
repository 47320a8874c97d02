"""An explanation as it is told: tables and text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..study import COMPLETE, INSTANCE, NOTES, OF_PLAN, SECONDS, Study, Table, Value

if TYPE_CHECKING:
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
            worth_musd | number  | MUSD | what one unit more saves, present value and expected over branches
            how        | text    |      | `dual` (a rate at the margin), `re-solve` (the difference of two solves), or
                what else stands behind the number
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
            project_value_how   | text    |         | how that was obtained, or why not
            cost_if_built_musd  | number  | MUSD    | cost with at least a module of it less the plan's; blank if built
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
            worth_usd_per_kg       | number  | USD/kg | what a kg more supply saves
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
        from .text import text

        return text(self)
