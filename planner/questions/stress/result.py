"""What a study found: tables, the ranking, the worst combinations, the heat map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ...words import figure_of
from ..study import COMPLETE, NOTES, OF_PLAN, SETTINGS, Study, Table, Value, text_table
from .cases import NOTHING, OUTAGE, STOP, TOGETHER

if TYPE_CHECKING:
    import pandas as pd

    from ..many import Result

FINISHED = "finished.jsonl"  # results of the cases, from which a repeated study goes on
SHOWN = 15


@dataclass(frozen=True)
class Stress(Study):
    """What each disruption does to a plan whose builds, and stocks when it comes, are held.

    faults    what the audit found wrong, by case; empty if all cases hold
    finished  the results of the cases as lines from which the same call goes on
    of        digest of the plan, see `Run.digest`
    The frames are the tables of the same names, see HOLDS.
    """

    COMMAND, MANIFEST, OF = "stress", "stress.json", "plan"
    HOLDS = (
        OF_PLAN,
        Value("title", "title of the instance, or its name"),
        COMPLETE,
        Value("audited", "whether each case was recomputed from the raw tables"),
        Value("faults", "what the audit found wrong, by case; empty if all cases hold"),
        SETTINGS,
        NOTES,
        Table(
            "cases",
            "Every disruption, the worst first.",
            """
            case                  | text    |        | what is lost, such as `export_stop:CHN`
            kind                  | text    |        | `export_stop`, `outage`, `scenario`, `together` (several at
                once), or `none` (the same rules lifted, nothing lost)
            family                | text    |        | `country`, `stage`, `facility`, `material`, `scenario`, or empty
            country               | text    |        | of what is lost
            stage                 | text    |        | of what is lost
            material              | text    |        | that is lost
            facility              | text    |        | that is lost
            severity              | number  | share  | part that is lost while it lasts
            year                  | integer | year   | first calendar year
            months                | integer | months | how long it lasts
            unserved_t            | number  | t      | all that is short from the shock to `until_year`
            planned_unserved_t    | number  | t      | what the plan itself is short in the same years
            lost_t                | number  | t      | short beyond the plan, consumer by consumer
            lost_musd             | number  | MUSD   | the same at the sectors' shortage cost, undiscounted
            cost_musd             | number  | MUSD   | present cost of operations
            extra_cost_musd       | number  | MUSD   | more than in the case `none`
            over_plan_musd        | number  | MUSD   | more than the plan's own operations; negative where lifting the
                rules saves more than the loss costs
            least_months_served   | number  | months | of any consumer, see `by_sector`
            least_months_survived | number  | months | of any consumer; blank where that was not searched
            decisive              | text    |        | what is missed most
            decisive_usd_per_kg   | number  | USD/kg | what one kg more of that is worth
            until_year            | number  | year   | first year of the last period solved
            status                | text    |        | of the solve
            """,
        ),
        Table(
            "by_sector",
            "Every consumer of every case.",
            """
            case            | text    |        | the case
            year            | integer | year   | first calendar year of it
            months          | integer | months | how long it lasts
            severity        | number  | share  | part that is lost
            country         | text    |        | the consumer's
            sector          | text    |        | the consumer's
            material        | text    |        | what it gets
            demand_t        | number  | t      | its demand in the years of the disruption
            unserved_t      | number  | t      | short from the shock on
            lost_t          | number  | t      | short beyond the plan
            months_served   | number  | months | what it gets, in months of its demand from the shock on
            months_survived | number  | months | whole months for which the disruption could last with nobody's tonne
                of it lost; blank where that was not searched
            """,
            in_manifest=False,
        ),
        Table(
            "n_minus_1",
            "Losses of one plant, or of all of one country, the worst first.",
            """
            rank                  | integer |        | 1 is the worst
            case                  | text    |        | the case
            kind                  | text    |        | `export_stop` or `outage`
            country               | text    |        | of what is lost
            facility              | text    |        | that is lost
            year                  | integer | year   | first calendar year
            months                | integer | months | how long it lasts
            severity              | number  | share  | part that is lost
            lost_t                | number  | t      | short beyond the plan
            lost_musd             | number  | MUSD   | the same at the sectors' shortage cost
            extra_cost_musd       | number  | MUSD   | more than in the case `none`
            least_months_survived | number  | months | of any consumer
            decisive              | text    |        | what is missed most
            """,
        ),
        Table(
            "worst_of_k",
            "Losses of several at once, the worst first.",
            """
            k               | integer |        | how many at once
            group           | text    |        | `plants` or `countries`
            case            | text    |        | the case
            year            | integer | year   | first calendar year
            months          | integer | months | how long it lasts
            severity        | number  | share  | part that is lost
            lost_t          | number  | t      | short beyond the plan
            lost_musd       | number  | MUSD   | the same at the sectors' shortage cost
            extra_cost_musd | number  | MUSD   | more than in the case `none`
            decisive        | text    |        | what is missed most
            exhaustive      | yes/no  |        | whether all of this size were tried
            """,
        ),
        Table(
            "heat",
            "`lost_t` of stops of one export each, by material and source country.",
            """
            material | text | | what is stopped
            country  | text | | where from
            """,
            further="one column for each year in which it begins, t",
        ),
    )  # fmt: skip

    cases: pd.DataFrame
    by_sector: pd.DataFrame
    n_minus_1: pd.DataFrame
    worst_of_k: pd.DataFrame
    heat: pd.DataFrame
    title: str
    audited: bool
    complete: bool
    faults: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    finished: str = field(default="", repr=False)
    of: str = ""

    def more_files(self) -> dict[str, str]:
        """The finished cases, from which the same call goes on."""
        return {FINISHED: self.finished}

    def __str__(self) -> str:
        tried = self.cases[self.cases["kind"] != NOTHING]
        checked = ", each recomputed from the raw tables" if self.audited and not self.faults else ""
        lines = [f"{self.title}: {len(tried)} disruptions, worst first{checked}"]
        hurting = tried[(tried["lost_t"] > 0.0) | (tried["extra_cost_musd"] > 1e-6)]
        lines += _ranking(hurting.head(SHOWN))
        if len(hurting) > SHOWN:
            lines.append(f"  ... and {len(hurting) - SHOWN} more that cost something")
        harmless = len(tried) - len(hurting)
        if harmless:
            lines.append(f"  {harmless} cost nothing")
        if len(self.worst_of_k):
            lines.append("Together:")
            for r in self.worst_of_k.groupby(["group", "k"], sort=True).head(1).itertuples():
                how = "of all" if r.exhaustive else "of those searched"
                lines.append(
                    f"  worst {r.k} {r.group} {how} ({r.year}): {r.case}: {figure_of(r.lost_t, 5)} t, "
                    f"{figure_of(r.extra_cost_musd, 5)} MUSD"
                )
        if not self.complete:
            lines.append("Interrupted: the cases tried so far; the same command with the same folder goes on.")
        lines += [f"AUDIT: {case}: {fault}" for case, fault in self.faults.items()]
        return "\n".join(lines + [f"Note: {n}" for n in self.notes])


def _ranking(rows: pd.DataFrame) -> list[str]:
    """The cases as lines of text, in the order given."""
    width = max([30, *(len(c) for c in rows["case"])]) if len(rows) else 30
    width = min(width, 48)
    cells = []
    for r in rows.itertuples():
        survived = "-" if math.isnan(r.least_months_survived) else f"{r.least_months_survived:.0f}"
        missed = f"{r.decisive} ({figure_of(r.decisive_usd_per_kg, 4)})" if r.decisive else ""
        part = "" if r.severity == 1.0 else f" {r.severity:.0%}"
        cells.append(
            (
                *(f"  {r.case[: width - len(part)] + part}", f"{r.year}", f"{r.months}", figure_of(r.lost_t, 5)),
                *(figure_of(r.lost_musd, 5), figure_of(r.extra_cost_musd, 5), f"{r.least_months_served:.1f}"),
                *(survived, f" {missed}"),
            )
        )
    columns = [
        *(("  case", f"<{width + 2}"), ("year", ">5"), ("mths", ">4"), ("lost t", ">9"), ("lost MUSD", ">10")),
        *(("extra MUSD", ">10"), ("served", ">7"), ("survived", ">8"), (" missed most (USD/kg)", "")),
    ]
    return text_table(columns, cells) if cells else []


class Set(NamedTuple):
    """Of which kind a combination is; ``exhaustive``: every one of its size was tried."""

    k: int
    group: str
    exhaustive: bool


def frames(results: Sequence[Result], sets: Mapping[str, Set]) -> dict[str, pd.DataFrame]:
    """The tables of a study, from the results of its cases; ``sets`` describes those that are combinations."""
    import pandas as pd

    rows, consumers = [], []
    of_cases, by_consumer = Stress.columns("cases"), Stress.columns("by_sector")
    for r in results:
        served = [c["months_served"] for c in r["consumers"]]
        survived = [c["months_survived"] for c in r["consumers"]]
        of_case = {
            **r,
            "least_months_served": min(served, default=math.nan),
            "least_months_survived": math.nan if None in survived else min(survived, default=math.nan),
        }
        rows.append([of_case.get(column, math.nan) for column in of_cases])
        for c in r["consumers"]:
            of_consumer = {**of_case, **{name: _number(value) for name, value in c.items()}}
            consumers.append([of_consumer[column] for column in by_consumer])
    table = pd.DataFrame(rows, columns=of_cases)
    table["decisive"] = table["decisive"].where(table["decisive"].notna(), "")
    table = table.sort_values(
        ["lost_musd", "extra_cost_musd", "year", "case"], ascending=[False, False, True, True], kind="stable"
    ).reset_index(drop=True)
    by_sector = pd.DataFrame(consumers, columns=by_consumer)
    by_sector = by_sector.sort_values(["case", "year", "country", "sector", "material"]).reset_index(drop=True)
    return {
        "cases": table,
        "by_sector": by_sector,
        "n_minus_1": _n_minus_1(table),
        "worst_of_k": _worst_of_k(table, sets),
        "heat": _heat(table),
    }


def _n_minus_1(table: pd.DataFrame) -> pd.DataFrame:
    single = table[table["family"].isin(("facility", "country")) & table["kind"].isin((STOP, OUTAGE))]
    ranked = single.reset_index(drop=True)
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return ranked[Stress.columns("n_minus_1")]


def _worst_of_k(table: pd.DataFrame, sets: Mapping[str, Set]) -> pd.DataFrame:
    found = table[table["kind"] == TOGETHER].reset_index(drop=True)
    said = [sets[case] for case in found["case"]]
    found.insert(0, "k", [s.k for s in said])
    found.insert(1, "group", [s.group for s in said])
    found["exhaustive"] = [s.exhaustive for s in said]
    return found[Stress.columns("worst_of_k")]


def _heat(table: pd.DataFrame) -> pd.DataFrame:
    stops = table[table["family"] == "material"]
    heat = stops.pivot_table(index=["material", "country"], columns="year", values="lost_t", aggfunc="max")
    heat = heat.reset_index().rename_axis(columns=None)
    heat.columns = [str(c) for c in heat.columns]
    return heat


def _number(value: Any) -> Any:
    return math.nan if value is None else float(value) if isinstance(value, int) else value
