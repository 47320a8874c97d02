"""The result of a stress test: its tables, and their text with the ranking of the disruptions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ...language import _, n_, number, translated
from ...words import figure_of, percent_of
from ..study import COMPLETE, NOTES, OF_PLAN, SETTINGS, Study, Table, Value, text_table
from .cases import NOTHING, OUTAGE, STOP, TOGETHER

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ..many import Result

FINISHED = "finished.jsonl"  # results of the solved cases, from which an interrupted study continues
SHOWN = 15  # disruptions listed in the text


@dataclass(frozen=True, repr=False)
class Stress(Study):
    """The effect of each disruption on a plan.

    The builds of the plan are held, and so are its stocks at the time of the disruption; operations are solved again.
    The frames are the tables of the same names in HOLDS, which states their columns and units.

    title     title of the instance, or its name
    audited   whether each case was recomputed from the raw tables
    complete  False if the study was interrupted; the tables then have the cases solved until then
    faults    violations that the audit found, by case; empty if there are none
    settings  the arguments of the study
    notes     sentences that a reader of the study should know
    finished  the results of the solved cases as JSON lines, from which the same call continues
    of        digest of the plan, see `Run.digest`
    """

    COMMAND, MANIFEST, OF = "stress", "stress.json", "plan"
    HOLDS = (
        OF_PLAN,
        Value("title", "title of the instance, or its name"),
        COMPLETE,
        Value("audited", "whether each case was recomputed from the raw tables"),
        Value("faults", "violations that the audit found, by case; empty if there are none"),
        SETTINGS,
        NOTES,
        Table(
            "cases",
            "Every disruption, the worst first.",
            """
            case                  | text    |        | name of the disruption, such as `export_stop:CHN`
            kind                  | text    |        | `export_stop`, `outage`, `scenario`, `together` (several at
                once), or `none` (the same rules are lifted, but nothing is lost)
            family                | text    |        | `country`, `stage`, `facility`, `material`, `scenario`, `owner`,
                or empty
            country               | text    |        | country that is hit
            stage                 | text    |        | stage that is hit
            material              | text    |        | material that is hit
            facility              | text    |        | facility that is hit
            severity              | number  | share  | part that is lost while the disruption lasts
            year                  | integer | year   | first calendar year of the disruption
            from_month            | number  | month  | month of `year` in which it begins; blank by the clock of years
            months                | integer | months | duration of the disruption
            unserved_t            | number  | t      | demand not served from the first year to `until_year`
            planned_unserved_t    | number  | t      | demand that the plan itself does not serve in the same years
            lost_t                | number  | t      | demand not served beyond the plan, summed over consumers
            lost_musd             | number  | MUSD   | `lost_t` at the sectors' shortage cost, undiscounted
            cost_musd             | number  | MUSD   | present value of the cost of operations
            extra_cost_musd       | number  | MUSD   | cost above that of the case `none`
            answered_musd         | number  | MUSD   | `extra_cost_musd` free to answer: something else may be started
                from `rebuild_after` years after `year` on. The same where nothing started then can be online before the
                disruption is over; blank where it was not searched
            answered_lost_t       | number  | t      | demand not served beyond the plan then, to the horizon's end
            answered_gap          | number  | share  | gap of that search, relative to all cost from the blow on; blank
                where there was nothing to search
            over_plan_musd        | number  | MUSD   | cost above that of the plan's own operations; negative where
                lifting the rules saves more than the loss costs
            least_months_served   | number  | months | least `months_served` of all consumers, see `by_sector`
            months_survived       | number  | months | most months from the blow on in which all consumers at once can
                be kept at the level asked for, the last in part; see `by_sector`
            least_months_survived | number  | months | least `months_survived` of all consumers; blank where that was
                not searched
            decisive              | text    |        | the plant or export whose loss costs most: the amount lost times
                its shadow price is largest
            decisive_usd_per_kg   | number  | USD/kg | shadow price of it: what one kg more of it would save
            until_year            | number  | year   | last calendar year that was solved
            status                | text    |        | status of the solve
            """,
        ),
        Table(
            "by_sector",
            "Every consumer of every case.",
            """
            case            | text    |        | name of the disruption
            year            | integer | year   | first calendar year of the disruption
            months          | integer | months | duration of the disruption
            severity        | number  | share  | part that is lost
            country         | text    |        | country of the consumer
            sector          | text    |        | sector of the consumer
            material        | text    |        | material that the consumer demands
            demand_t        | number  | t      | its demand in the years of the disruption
            unserved_t      | number  | t      | demand not served from the first year on
            lost_t          | number  | t      | demand not served beyond the plan
            months_served   | number  | months | months of the disruption that deliveries cover in full, counted to
                the first period that is not served in full
            months_survived | number  | months | most months from the blow on in which this demand can be kept at the
                level asked for, if it comes first, the last in part; up to the end of the horizon where nothing of it
                is lost. By the clock of years the most whole months that the disruption could last without a tonne of
                it lost. Blank where that was not searched
            sector_months_survived | number | months | the same of all demands of its sector at once
            """,
            in_manifest=False,
        ),
        Table(
            "n_minus_1",
            "Losses of one plant, or of all of one country, the worst first.",
            """
            rank                  | integer |        | 1 is the worst
            case                  | text    |        | name of the disruption
            kind                  | text    |        | `export_stop` or `outage`
            country               | text    |        | country that is hit
            facility              | text    |        | facility that is hit
            year                  | integer | year   | first calendar year of the disruption
            months                | integer | months | duration of the disruption
            severity              | number  | share  | part that is lost
            lost_t                | number  | t      | demand not served beyond the plan
            lost_musd             | number  | MUSD   | `lost_t` at the sectors' shortage cost
            extra_cost_musd       | number  | MUSD   | cost above that of the case `none`
            months_survived       | number  | months | most months in which all consumers at once can be kept
            least_months_survived | number  | months | least `months_survived` of all consumers
            decisive              | text    |        | the plant or export whose loss costs most
            """,
        ),
        Table(
            "worst_of_k",
            "Losses of several plants or countries at once, the worst first.",
            """
            k               | integer |        | number of plants or countries that are lost at once
            group           | text    |        | `plants` or `countries`
            case            | text    |        | name of the combination
            year            | integer | year   | first calendar year of the disruption
            months          | integer | months | duration of the disruption
            severity        | number  | share  | part that is lost
            lost_t          | number  | t      | demand not served beyond the plan
            lost_musd       | number  | MUSD   | `lost_t` at the sectors' shortage cost
            extra_cost_musd | number  | MUSD   | cost above that of the case `none`
            decisive        | text    |        | the plant or export whose loss costs most
            exhaustive      | yes/no  |        | whether all combinations of this size were tried
            """,
        ),
        Table(
            "heat",
            "`lost_t` of every stop of the exports of one material, by material and country of origin.",
            """
            material | text | | material whose exports are stopped
            country  | text | | country of origin
            """,
            further="one column for each year in which the stop begins, t",
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
    instance: Instance | None = field(default=None, repr=False)

    def more_files(self) -> dict[str, str]:
        """Return the file of the solved cases, from which the same call continues."""
        return {FINISHED: self.finished}

    def __str__(self) -> str:
        tried = self.cases[self.cases["kind"] != NOTHING]
        head = _("{title}: {n} disruptions, worst first", title=self.title, n=len(tried))
        if self.audited and not self.faults:
            head = _("{sentence}, each recomputed from the raw tables", sentence=head)
        lines = [head]
        hurting = tried[(tried["lost_t"] > 0.0) | (tried["extra_cost_musd"] > 1e-6)]
        lines += _ranking(hurting.head(SHOWN))
        lines += self._answered(hurting.head(SHOWN))
        if len(hurting) > SHOWN:
            lines.append("  " + _("... and {n} more that cost something", n=len(hurting) - SHOWN))
        harmless = len(tried) - len(hurting)
        if harmless:
            lines.append("  " + _("{n} cost nothing", n=harmless))
        if len(self.worst_of_k):
            lines.append(_("Together:"))
            for r in self.worst_of_k.groupby(["group", "k"], sort=True).head(1).itertuples():
                of = {"k": r.k, "group": translated(r.group), "year": r.year, "case": r.case}
                of |= {"tonnes": figure_of(r.lost_t, 5), "amount": figure_of(r.extra_cost_musd, 5)}
                told = (
                    _("worst {k} {group} of all ({year}): {case}: {tonnes} t, {amount} MUSD", **of)
                    if r.exhaustive
                    else _("worst {k} {group} of those searched ({year}): {case}: {tonnes} t, {amount} MUSD", **of)
                )
                lines.append(f"  {told}")
        if not self.complete:
            lines.append(_("Interrupted: the cases tried so far; the same command with the same folder goes on."))
        lines += [_("AUDIT: {case}: {fault}", case=case, fault=fault) for case, fault in self.faults.items()]
        return "\n".join(lines + [_("Note: {note}", note=n) for n in self.notes])

    def _answered(self, rows: pd.DataFrame) -> list[str]:
        """Return what the disruptions shown cost free to answer, where that is less; ``rows`` are of ``cases``."""
        after = self.settings.get("rebuild_after")
        if after is None or not len(rows):
            return []
        searched = rows[rows["answered_gap"].notna()]
        if not len(searched):
            return [
                n_(
                    "Nothing that is started {n} year after the blow is online in time: free to answer it costs the "
                    "same.",
                    "Nothing that is started {n} years after the blow is online in time: free to answer it costs the "
                    "same.",
                    after,
                )
            ]
        lines = [
            n_(
                "Free to start something else {n} year after the blow (what is above is held to the plan, an upper "
                "bound):",
                "Free to start something else {n} years after the blow (what is above is held to the plan, an upper "
                "bound):",
                after,
            )
        ]
        for r in searched.itertuples():
            told = _(
                "{case} ({year}): {amount} MUSD in place of {held}, {tonnes} t lost",
                case=r.case,
                year=r.year,
                amount=figure_of(r.answered_musd, 5),
                held=figure_of(r.extra_cost_musd, 5),
                tonnes=figure_of(r.answered_lost_t, 5),
            )
            lines.append(f"  {told}")
        return lines


def _ranking(rows: pd.DataFrame) -> list[str]:
    """Return the disruptions as aligned lines of text; ``rows`` are rows of the table ``cases``, in their order."""
    width = max([30, *(len(c) for c in rows["case"])]) if len(rows) else 30
    width = min(width, 48)
    cells = []
    for r in rows.itertuples():
        survived = "-" if math.isnan(r.months_survived) else number(f"{r.months_survived:.1f}".removesuffix(".0"))
        survived = _("all") if r.months_survived >= r.months and r.lost_t == 0.0 else survived
        missed = f"{_decisive(r.decisive)} ({figure_of(r.decisive_usd_per_kg, 4)})" if r.decisive else ""
        part = "" if r.severity == 1.0 else f" {percent_of(r.severity)}"
        cells.append(
            (
                *(f"  {r.case[: width - len(part)] + part}", f"{r.year}", f"{r.months}", figure_of(r.lost_t, 5)),
                *(figure_of(r.lost_musd, 5), figure_of(r.extra_cost_musd, 5), number(f"{r.least_months_served:.1f}")),
                *(survived, f" {missed}"),
            )
        )
    columns = [
        *(("  " + _("case"), f"<{width + 2}"), (_("year"), ">5"), (_("mths"), ">4"), (_("lost t"), ">9")),
        *((_("lost MUSD"), ">10"), (_("extra MUSD"), ">10"), (_("served"), ">7"), (_("survived"), ">8")),
        (" " + _("missed most (USD/kg)"), ""),
    ]
    return text_table(columns, cells) if cells else []


def _decisive(loss: str) -> str:
    """Return the loss of the column ``decisive`` in words: a plant, or the export of a material."""
    material, exported, country = loss.partition(" from ")
    return _("{material} from {country}", material=material, country=country) if exported else loss


class Set(NamedTuple):
    """The set that a combination of losses belongs to.

    k           number of plants or countries that are lost at once
    group       ``plants`` or ``countries``
    exhaustive  whether all combinations of this size were tried, rather than searched for the worst
    """

    k: int
    group: str
    exhaustive: bool


def frames(results: Sequence[Result], sets: Mapping[str, Set]) -> dict[str, pd.DataFrame]:
    """Return the tables of a stress test by name.

    results  results of the solved cases, as `trial` returns them
    sets     name of a case -> the set it belongs to, for those that are combinations
    """
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
            "months_survived": math.nan if r.get("months_survived") is None else float(r["months_survived"]),
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
    """Return the losses of one plant or one country, ranked in the order of ``table``."""
    single = table[table["family"].isin(("facility", "country")) & table["kind"].isin((STOP, OUTAGE))]
    ranked = single.reset_index(drop=True)
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    return ranked[Stress.columns("n_minus_1")]


def _worst_of_k(table: pd.DataFrame, sets: Mapping[str, Set]) -> pd.DataFrame:
    """Return the combinations of losses, each with the set it belongs to."""
    found = table[table["kind"] == TOGETHER].reset_index(drop=True)
    said = [sets[case] for case in found["case"]]
    found.insert(0, "k", [s.k for s in said])
    found.insert(1, "group", [s.group for s in said])
    found["exhaustive"] = [s.exhaustive for s in said]
    return found[Stress.columns("worst_of_k")]


def _heat(table: pd.DataFrame) -> pd.DataFrame:
    """Return the tonnes lost by material and country (rows) and first year (columns)."""
    stops = table[table["family"] == "material"]
    heat = stops.pivot_table(index=["material", "country"], columns="year", values="lost_t", aggfunc="max")
    heat = heat.reset_index().rename_axis(columns=None)
    heat.columns = [str(c) for c in heat.columns]
    return heat


def _number(value: Any) -> Any:
    """Return integers as floats and None as NaN, so that a column of a frame has one type."""
    return math.nan if value is None else float(value) if isinstance(value, int) else value
