"""The numbers of one plan that a comparison sets beside those of others, and its tables of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...runs.outlays import by_payer
from ...words import spans_of
from .result import Comparison

if TYPE_CHECKING:
    import pandas as pd

    from ...runs.run import Run

SMALL_PART = 1e-6  # relative; a change of less than this part of the larger number is rounding, and is set to 0
Measured = dict[tuple[Hashable, ...], float]  # values of the key columns -> number of one plan


def _totals(plan: Run, years: Collection[int]) -> Measured:
    """Return the numbers of a plan in the table ``totals``.

    years  calendar years over which outlays, shortage and exposed share are summed up; the rest is of the whole horizon
    """
    metrics = plan.plan["metrics"]
    found: Measured = {("cost", "MUSD present"): float(plan.plan["objective_musd"])}
    for component, musd in metrics["cost_musd"].items():
        found[f"of which {component.replace('_', ' ')}", "MUSD present"] = float(musd)
    found["capex", "MUSD overnight"] = float(metrics["capex_musd"])
    funding = plan.tables["funding"]
    found["public money", "MUSD"] = float(funding.loc[funding["source"] != "private", "musd"].sum())
    if owed := by_payer(plan.tables):
        counted = plan.years_counted(years)
        outlay = sum(musd * counted[year] for of in owed.values() for year, musd in of.items())
        found["outlays of floors and offtakes", "MUSD"] = outlay
    clean, exposed = plan.delivered(years)
    found["short", "t"] = plan.total("service", "short_t", years)
    if "impact_totals" in plan.tables:
        units = plan.spread("impact_totals", "units", years)
        for impact, amount in zip(plan.tables["impact_totals"]["impact"], units, strict=True):
            key = (f"impact {impact}", "units")
            found[key] = found.get(key, 0.0) + amount
    if "substitution" in plan.tables:
        found["replaced by substitutes", "t"] = plan.total("service", "replaced_t", years)
    found["exposed share", "of deliveries"] = exposed / (clean + exposed) if clean + exposed else float("nan")
    return found


def _dependence(plan: Run, years: Collection[int]) -> Measured:
    """Return the exposed share and the stage shares of a plan in the given first years of periods, as fractions."""
    rows = plan.tables["dependence"]
    rows = rows[(rows["cap"] == "") & (rows["material"] == "") & rows["year"].isin(years)]
    return {(r.metric, r.stage, int(r.year)): float(r.share) for r in rows.itertuples()}


def starts(plan: Run) -> dict[str, list[int]]:
    """Return the start years of each option that a plan builds."""
    found: dict[str, list[int]] = defaultdict(list)
    for r in plan.tables["builds"].itertuples():
        found[str(r.option)].append(int(r.start_year))
    return found


def when(starts: Sequence[Mapping[str, Sequence[int]]], option: str) -> str:
    """Return the start years of an option as text: of each plan, or once if they are the same in all plans.

    starts  option -> start years, for each plan
    """
    said = [spans_of(s.get(option, ())) or "-" for s in starts]
    return said[0] if len(set(said)) == 1 else " / ".join(said)


_SUMMED = {  # table of a comparison -> table of a run, column that is summed up, whether only the common years count
    "builds": ("builds", "capacity_t", False),  # a start is a decision of the whole horizon
    "flows": ("flows", "t", True),
    "funding": ("funding", "musd", False),
    "shortages": ("service", "short_t", True),
}


def measured(table: str, plan: Run, first_years: Collection[int], years: Collection[int]) -> Measured:
    """Return the numbers of a plan in a table of the comparison, by the values of its key columns.

    first_years  first years of periods that all plans have
    years        calendar years that all plans have
    """
    if table not in _SUMMED:
        return _totals(plan, years) if table == "totals" else _dependence(plan, first_years)
    source, column, by_year = _SUMMED[table]
    rows = plan.tables[source]
    amounts = plan.spread(source, column, years) if by_year else rows[column]
    found: Measured = defaultdict(float)
    for key, amount in zip(rows[_keys(table)].itertuples(index=False), amounts, strict=True):
        if amount > 0.0 or not by_year:
            found[tuple(key)] += float(amount)
    return dict(found)


def _keys(table: str) -> list[str]:
    """Return the key columns by which numbers are collected; ``when`` is added to the table afterwards."""
    return [key for key in Comparison.columns(table) if key != "when"]


def frame(table: str, names: Sequence[str], measured: Sequence[Measured]) -> pd.DataFrame:
    """Return a table of the comparison: key columns, one column for each plan, and ``change``.

    names     names of the plans
    measured  numbers of each plan, in the order of ``names``; a missing number is 0, or blank in ``dependence``
    """
    import pandas as pd

    blank = float("nan") if table == "dependence" else 0.0
    keys = list(dict.fromkeys(key for m in measured for key in m))
    if table != "totals":
        keys.sort(key=lambda key: tuple((isinstance(part, str), part) for part in key))
    rows = [(*key, *(m.get(key, blank) for m in measured)) for key in keys]
    frame = pd.DataFrame(rows, columns=[*_keys(table), *names])
    for name in names:
        frame[name] = frame[name].astype(float)
    change = frame[names[-1]] - frame[names[0]]
    least = SMALL_PART * frame[[names[-1], names[0]]].abs().max(axis=1)
    frame["change"] = change.mask(change.abs() <= least, 0.0)
    return frame
