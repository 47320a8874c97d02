"""What a study found: tables, the ranking, the worst combinations, the heat map."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...runs.folder import write_folder
from ...runs.tables import to_csv
from ...words import figure_of
from .cases import NOTHING, OUTAGE, STOP, TOGETHER

if TYPE_CHECKING:
    import pandas as pd

    from ..many import Result

MANIFEST = "stress.json"
FINISHED = "finished.jsonl"  # results of the cases, from which a repeated study goes on
SHOWN = 15
_WHAT = ("case", "kind", "family", "country", "stage", "material", "facility", "severity", "year", "months")
_FOUND = (
    *("unserved_t", "planned_unserved_t", "lost_t", "lost_musd", "cost_musd", "extra_cost_musd", "over_plan_musd"),
    *("least_months_served", "least_months_survived", "decisive", "decisive_usd_per_kg", "until_year", "status"),
)
_CONSUMER = (
    *("country", "sector", "material", "demand_t", "unserved_t", "lost_t"),
    *("months_served", "months_survived"),
)


@dataclass(frozen=True)
class Stress:
    """What each disruption does to a plan whose builds, and stocks when it comes, are held.

    cases         worst first. unserved_t: all tonnes short from the blow to until_year; planned_unserved_t: those of
                  the plan in the same years; lost_t: beyond the plan, consumer by consumer; lost_musd: these at the
                  sectors' shortage cost, undiscounted. cost_musd: present cost of operations; extra_cost_musd: more
                  than in the case ``none`` (same rules lifted, nothing lost); over_plan_musd: more than the plan's own
                  operations, negative where lifting the rules saves more than the loss costs. least_months_...: of
                  any consumer. decisive: what is missed most, with what one kg more of it is worth
    by_sector     every consumer of every case: demand_t in the years of the disruption; months_served: what it gets,
                  in months of its demand from the blow on; months_survived: whole months for which the disruption
                  could last with nobody's tonne of it lost (blank where that was not searched)
    n_minus_1     the single losses of plants, and of countries, ranked: what the loss of any one can cost
    worst_of_k    the worst losses of several at once; ``exhaustive`` tells whether all were tried
    heat          lost_t by material and source country (rows) and year (columns), for stops of that one export
    complete      False if it was interrupted
    faults        what the audit found wrong, by case; empty if all cases hold
    """

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

    def to_dict(self) -> dict[str, Any]:
        """What stress.json holds: the ranking with its settings; blanks as None."""
        return {
            "schema": 1,
            "of": self.of,
            "title": self.title,
            "complete": self.complete,
            "audited": self.audited,
            "faults": self.faults,
            "settings": self.settings,
            "notes": list(self.notes),
            "cases": _plain(self.cases),
            "n_minus_1": _plain(self.n_minus_1),
            "worst_of_k": _plain(self.worst_of_k),
            "heat": _plain(self.heat),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the tables, the finished cases and stress.json, all or nothing."""
        frames = {
            "cases": self.cases,
            "by_sector": self.by_sector,
            "n_minus_1": self.n_minus_1,
            "worst_of_k": self.worst_of_k,
            "heat": self.heat,
        }
        files = {f"{name}.csv": to_csv(frame) for name, frame in frames.items()}
        files[FINISHED] = self.finished
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

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
    width = max([30, *(len(c) for c in rows["case"])]) if len(rows) else 30
    width = min(width, 48)
    head = (
        f"  {'case':<{width}} {'year':>5} {'mths':>4} {'lost t':>9} {'lost MUSD':>10} {'extra MUSD':>10} "
        f"{'served':>7} {'survived':>8}  missed most (USD/kg)"
    )
    lines = [head]
    for r in rows.itertuples():
        survived = "-" if math.isnan(r.least_months_survived) else f"{r.least_months_survived:.0f}"
        missed = f"{r.decisive} ({figure_of(r.decisive_usd_per_kg, 4)})" if r.decisive else ""
        part = "" if r.severity == 1.0 else f" {r.severity:.0%}"
        lines.append(
            f"  {r.case[: width - len(part)] + part:<{width}} {r.year:>5} {r.months:>4} {figure_of(r.lost_t, 5):>9} "
            f"{figure_of(r.lost_musd, 5):>10} {figure_of(r.extra_cost_musd, 5):>10} "
            f"{r.least_months_served:>7.1f} {survived:>8}  {missed}"
        )
    return lines if len(rows) else []


class Set(NamedTuple):
    """Of which kind a combination is; ``exhaustive``: every one of its size was tried."""

    k: int
    group: str
    exhaustive: bool


def frames(results: Sequence[Result], sets: Mapping[str, Set]) -> dict[str, pd.DataFrame]:
    """The tables of a study, from the results of its cases; ``sets`` describes those that are combinations."""
    import pandas as pd

    rows, consumers = [], []
    for r in results:
        served = [c["months_served"] for c in r["consumers"]]
        survived = [c["months_survived"] for c in r["consumers"]]
        least = {
            "least_months_served": min(served, default=math.nan),
            "least_months_survived": math.nan if None in survived else min(survived, default=math.nan),
        }
        of_case = {**r, **least}
        rows.append([*(of_case[c] for c in _WHAT), *(of_case.get(c, math.nan) for c in _FOUND)])
        for c in r["consumers"]:
            consumers.append([r["case"], r["year"], r["months"], r["severity"], *(_number(c[k]) for k in _CONSUMER)])
    table = pd.DataFrame(rows, columns=[*_WHAT, *_FOUND])
    table["decisive"] = table["decisive"].where(table["decisive"].notna(), "")
    table = table.sort_values(
        ["lost_musd", "extra_cost_musd", "year", "case"], ascending=[False, False, True, True], kind="stable"
    ).reset_index(drop=True)
    by_sector = pd.DataFrame(consumers, columns=["case", "year", "months", "severity", *_CONSUMER])
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
    columns = ["rank", "case", "kind", "country", "facility", "year", "months", "severity"]
    return ranked[[*columns, "lost_t", "lost_musd", "extra_cost_musd", "least_months_survived", "decisive"]]


def _worst_of_k(table: pd.DataFrame, sets: Mapping[str, Set]) -> pd.DataFrame:
    found = table[table["kind"] == TOGETHER].reset_index(drop=True)
    said = [sets[case] for case in found["case"]]
    found.insert(0, "k", [s.k for s in said])
    found.insert(1, "group", [s.group for s in said])
    found["exhaustive"] = [s.exhaustive for s in said]
    columns = ["k", "group", "case", "year", "months", "severity"]
    return found[[*columns, "lost_t", "lost_musd", "extra_cost_musd", "decisive", "exhaustive"]]


def _heat(table: pd.DataFrame) -> pd.DataFrame:
    stops = table[table["family"] == "material"]
    heat = stops.pivot_table(index=["material", "country"], columns="year", values="lost_t", aggfunc="max")
    heat = heat.reset_index().rename_axis(columns=None)
    heat.columns = [str(c) for c in heat.columns]
    return heat


def _number(value: Any) -> Any:
    return math.nan if value is None else float(value) if isinstance(value, int) else value


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in frame.to_dict("records")
    ]
