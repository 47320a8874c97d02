"""Plans side by side: not only what they cost, but what is built, moved, paid for and short in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..arguments import checked
from ..bands import WIDE, difference
from ..errors import UsageError
from ..runs.outlays import by_payer
from ..runs.run import given_run
from ..runs.tables import COMPONENTS
from ..solving.pins import in_words
from ..words import figure_of, share_of
from .study import NOTES, Study, Table, Value, text_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..runs.run import Run

SMALL_T = 0.5  # tonnes over the years in common; smaller moves are left out
SMALL_MUSD = 1e-6
SMALL_PART = 1e-6  # a change of less than this part of both numbers is rounding, and told as none

PLANS = (
    "one column for each plan by its name; last `change`: the last plan's number less the first's, blank where the "
    "plans are in other money, and for the cost where the gaps of the searches leave open which is dearer"
)


@dataclass(frozen=True)
class Comparison(Study):
    """Plans by name; the first is the base. Every frame has its keys, one column a plan, and ``change``.

    years   those that all plans have: dependence, flows and shortages are of these
    of      digest of each plan, see `Run.digest`
    money   currency, price year and discount rate of each plan, in words
    bounds  of each plan: no plan of its instance costs less, MUSD
    The frames are the tables of the same names, see HOLDS.
    """

    COMMAND, MANIFEST, OF = "compare", "compare.json", "plans"
    HOLDS = (
        Value("names", "of the plans, the base first"),
        Value("of", "digest of each plan, see `planner.Run.digest`"),
        Value("years", "first years of periods that all plans have, and of `dependence`"),
        Value("money", "of each plan: currency, price year and discount rate; only if all are one, costs compare"),
        Value("bounds", "of each plan, MUSD: no plan of its instance costs less; how sure a difference in cost is"),
        Table(
            "totals",
            "Cost and its components, capex, public money, shortage, exposed share.",
            """
            quantity | text | | what is compared
            unit     | text | | its unit
            """,
            further=PLANS,
        ),
        Table(
            "dependence",
            "`exposed_share` and `stage_share` by year, fractions.",
            """
            metric | text    |      | the metric
            stage  | text    |      | of which stage
            year   | integer | year | first year of the period
            """,
            further=PLANS,
        ),
        Table(
            "builds",
            "Capacity started, t/yr.",
            """
            option   | text | | the option
            facility | text | | its facility, or stockpile
            country  | text | | where it is
            when     | text | | start years; with ` / ` between where the plans differ
            """,
            further=PLANS,
        ),
        Table(
            "flows",
            "Moved, t over the years in common.",
            """
            material    | text | | what is moved
            origin      | text | | from where
            destination | text | | to where
            """,
            further=PLANS,
        ),
        Table(
            "funding",
            "MUSD by source.",
            """
            source | text | | who pays
            """,
            further=PLANS,
        ),
        Table(
            "shortages",
            "Short, t over the years in common.",
            """
            country  | text | | the consumer's
            sector   | text | | the consumer's
            material | text | | what is short
            """,
            further=PLANS,
        ),
        NOTES,
    )  # fmt: skip

    names: tuple[str, ...]
    years: tuple[int, ...]
    totals: pd.DataFrame
    dependence: pd.DataFrame
    builds: pd.DataFrame
    flows: pd.DataFrame
    funding: pd.DataFrame
    shortages: pd.DataFrame
    notes: tuple[str, ...] = field(default=())
    of: tuple[str, ...] = ()
    money: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    def differences(self, table: str) -> pd.DataFrame:
        """The rows of a table in which some plan differs from the base, largest first."""
        frame = getattr(self, table)
        spread = frame[list(self.names)].max(axis=1) - frame[list(self.names)].min(axis=1)
        blank = frame[list(self.names)].isna().any(axis=1) & ~frame[list(self.names)].isna().all(axis=1)
        least = {"flows": SMALL_T, "shortages": SMALL_T}.get(table, SMALL_MUSD)
        moved = frame["when"].str.contains(" / ") if table == "builds" else blank
        kept = frame[(spread > least) | blank | moved]
        return kept.loc[spread[kept.index].sort_values(ascending=False, kind="stable").index]

    def _costs_that_count(self) -> pd.DataFrame:
        """The totals without the parts of the cost that no plan has."""
        nothing = (self.totals[list(self.names)].abs() <= SMALL_MUSD).all(axis=1)
        return self.totals[~(nothing & self.totals["quantity"].str.startswith("of which "))]

    def __str__(self) -> str:
        span = f"years {self.years[0]}-{self.years[-1]}"
        lines = [f"{' | '.join(self.names)}  ({span}; change: {self.names[-1]} against {self.names[0]})"]
        lines += _text_table(self._costs_that_count(), ["quantity", "unit"], self.names)
        traced = self.dependence[self.dependence["metric"] == "exposed_share"]
        lines += ["Traced dependence by year", *_text_table(traced, ["year"], self.names, share=True)]
        for table, title in (
            ("builds", "Built otherwise (t of capacity started)"),
            ("flows", "Moved otherwise (t over the years in common)"),
            ("funding", "Paid otherwise (MUSD)"),
            ("shortages", "Short otherwise (t over the years in common)"),
        ):
            rows = self.differences(table)
            if rows.empty:
                lines.append(f"{title}: nothing")
                continue
            more = f", the largest 12 of {len(rows)}" if len(rows) > 12 else ""
            keys = ["option", "country", "when"] if table == "builds" else self.columns(table)
            lines += [f"{title}{more}", *_text_table(rows.head(12), keys, self.names)]
        return "\n".join(lines + [f"Note: {n}" for n in self.notes])


def _text_table(frame: pd.DataFrame, keys: Sequence[str], names: Sequence[str], share: bool = False) -> list[str]:
    def number(value: float) -> str:
        if value != value:
            return "-"
        return share_of(value) if share else figure_of(value, 5) if abs(value) >= 1e-9 else "0"

    cells = [[*keys, *names, "change"]]
    for row in frame.to_dict("records"):
        change = number(row["change"])
        if row["change"] > 0.0 and change not in ("0", "0%"):
            change = f"+{change}"
        cells.append([str(row[k]) for k in keys] + [number(row[n]) for n in names] + [change])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = [f"{'<' if i < len(keys) else '>'}{width}" for i, width in enumerate(widths)]
    return ["  " + line for line in text_table(list(zip(cells[0], aligned, strict=True)), cells[1:], "  ")]


@checked
def compare(*plans: Run | str | Path, names: Sequence[str] | None = None) -> Comparison:
    """Compare plans or runs; the first is the base.

    names  one for each; default: the instances' names, numbered where they are the same
    Plans over other years are compared on the years they have in common: dependence in years in which a period begins
    in all of them, amounts over the calendar years of all. Raises UsageError if there are none, or if fewer than two
    plans are given.
    """
    import pandas as pd

    runs = [given_run(plan) for plan in plans]
    if len(runs) < 2:
        raise UsageError("expected two plans or more to compare")
    called = _names([str(p.plan["instance"]["name"]) for p in runs] if names is None else list(names))
    if len(called) != len(runs):
        raise UsageError(f"{len(called)} names for {len(runs)} plans")
    common = sorted(set.intersection(*(set(p.lengths) for p in runs)))
    if not common:
        raise UsageError("the plans have no year in common in which a period begins")
    notes = []
    if any(p.lengths != runs[0].lengths for p in runs):
        notes.append("the plans are over other years: dependence, flows and shortages are of the years in common")
        notes.append("costs are present values of each plan's own horizon and first year")
    money = tuple(_money(p.plan.get("money")) for p in runs)
    if len(set(money)) > 1:
        told = [f"{n} in {m}" for n, m in zip(called, money, strict=True)]
        notes.append(f"costs cannot be set side by side, they are in other money: {'; '.join(told)}")
    else:
        notes += _how_sure(called, runs)
    notes += [
        f"{name} was solved with builds held: {held}"
        for name, plan in zip(called, runs, strict=True)
        if (held := in_words(plan.plan["settings"].get("pins")))
    ]
    span = frozenset(common), frozenset.intersection(*(p.calendar_years for p in runs))
    frames = {t: _frame(t, called, [_measured(t, p, *span) for p in runs]) for t in Comparison.tables()}
    if len(set(money)) > 1:
        frames["totals"].loc[frames["totals"]["unit"].str.startswith("MUSD"), "change"] = float("nan")
        frames["funding"]["change"] = float("nan")
    elif not _apart(runs[-1], runs[0]):
        frames["totals"].loc[frames["totals"]["quantity"] == "cost", "change"] = float("nan")
    starts = [_starts(p) for p in runs]
    of = tuple(p.digest for p in runs)
    when = [_when(starts, str(option)) for option in frames["builds"]["option"]]
    frames["builds"].insert(3, "when", pd.Series(when, dtype=object))
    bounds = tuple(p.searched.bound for p in runs)
    return Comparison(tuple(called), tuple(common), **frames, notes=tuple(notes), of=of, money=money, bounds=bounds)


def _apart(plan: Run, base: Run) -> bool:
    """Whether it is known which of two plans' instances costs more, or that both cost the same."""
    band = difference(plan.searched, base.searched)
    return band.same or band.sign != 0


def _how_sure(names: Sequence[str], plans: Sequence[Run]) -> list[str]:
    """Notes on costs of plans against the base that the gaps leave open, and on plans that another one improves."""
    notes = []
    for name, plan in list(zip(names, plans, strict=True))[1:]:
        band = difference(plan.searched, plans[0].searched)
        gaps = " and ".join(share_of(p.plan["gap"]) for p in (plans[0], plan))
        if not _apart(plan, plans[0]):
            notes.append(
                f"the gaps of the searches ({gaps}) leave open whether {name} or {names[0]} costs more: the least cost "
                f"of {name} is {band.told()}. What they build and move otherwise may be play within the gaps too; "
                "solve both again with a smaller --gap"
            )
        elif not band.same and band.most - band.least > WIDE * abs(band.found):
            notes.append(
                f"the least cost of {name} is {band.told()} than that of {names[0]}, by the gaps of the searches "
                f"({gaps})"
            )
    for name, plan in zip(names, plans, strict=True):
        tried = ((improved(plan, by), other) for other, by in zip(names, plans, strict=True))
        cheaper = [(cost, other) for cost, other in tried if cost is not None]
        if cheaper:
            cost, other = min(cheaper)
            less = f"{figure_of(plan.objective_musd - cost, 4)} MUSD less"
            notes.append(
                f"{name} can be improved: its search ended at a gap, and with the builds of {other} it costs {less}; "
                f"solve it again with --start and the run of {other}"
            )
    return notes


def improved(plan: Run, by: Run) -> float | None:
    """Return the cost of a plan's instance with the builds of another plan, MUSD; None if that is not an improvement.

    It is tried only where the bound of the plan leaves room for it: if ``by`` costs less, but not less than the bound.
    """
    room = difference(by.searched, plan.searched)
    least_cost = not plan.plan["settings"].get("pins") and not plan.plan["settings"].get("objective")
    least_cost &= "survive" not in plan.plan and "risk" not in plan.plan
    if not least_cost or room.found >= -room.rounding or room.sign or plan.lengths != by.lengths:
        return None

    from ..solving.pins import Pins
    from ..solving.programme import Programme
    from ..solving.solver import Settings

    try:
        programme = Programme.of(plan.instance, Settings(), Pins.of(plan.instance, by))
    except UsageError:  # the instance is no longer there, or does not permit these builds
        return None
    found = programme.find()
    cost = programme.cost(found.x) if found.held else plan.objective_musd
    return cost if cost < plan.objective_musd - room.rounding else None


def _money(money: Mapping[str, Any] | None) -> str:
    if money is None:
        return "money that its run does not tell"
    return f"{money['currency']} of {money['price_year']} at {100 * money['discount_rate']:.3g} % a year"


def _names(wished: list[str]) -> list[str]:
    """Names made different from one another, and from the other columns."""
    taken: set[str] = {"change", *(key for table in Comparison.tables() for key in Comparison.columns(table))}
    result = []
    for name in wished:
        unique, n = name, 2
        while unique in taken:
            unique, n = f"{name} ({n})", n + 1
        taken.add(unique)
        result.append(unique)
    return result


Measured = dict[tuple[Hashable, ...], float]


def _totals(plan: Run, years: Collection[int]) -> Measured:
    """Cost and money of the whole horizon; outlays, shortage and exposed share of some calendar years."""
    metrics = plan.plan["metrics"]
    found: Measured = {("cost", "MUSD present"): float(plan.plan["objective_musd"])}
    for component in COMPONENTS:
        musd = float(metrics["cost_musd"].get(component, 0.0))
        found[f"of which {component.replace('_', ' ')}", "MUSD present"] = musd
    found["capex", "MUSD overnight"] = float(metrics["capex_musd"])
    funding = plan.tables["funding"]
    found["public money", "MUSD"] = float(funding.loc[funding["source"] != "private", "musd"].sum())
    if owed := by_payer(plan.tables):
        counted = plan.years_counted(years)
        outlay = sum(musd * counted[year] for of in owed.values() for year, musd in of.items())
        found["outlays of floors and offtakes", "MUSD"] = outlay
    clean, exposed, short = (plan.total("service", f"{c}_t", years) for c in ("clean", "exposed", "short"))
    found["short", "t"] = short
    found["exposed share", "of deliveries"] = exposed / (clean + exposed) if clean + exposed else float("nan")
    return found


def _dependence(plan: Run, years: Collection[int]) -> Measured:
    rows = plan.tables["dependence"]
    rows = rows[(rows["cap"] == "") & (rows["material"] == "") & rows["year"].isin(years)]
    return {(r.metric, r.stage, int(r.year)): float(r.share) for r in rows.itertuples()}


def _starts(plan: Run) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for r in plan.tables["builds"].itertuples():
        found[str(r.option)].append(int(r.start_year))
    return found


def _when(starts: Sequence[Mapping[str, Sequence[int]]], option: str) -> str:
    """Start years in each plan; once if they are the same in all."""
    said = [",".join(map(str, s.get(option, ()))) or "-" for s in starts]
    return said[0] if len(set(said)) == 1 else " / ".join(said)


_SUMMED = {  # table of a comparison -> table of a run, its column that is summed up, whether over the years in common
    "builds": ("builds", "capacity_t", False),  # a start is a decision of the whole horizon
    "flows": ("flows", "t", True),
    "funding": ("funding", "musd", False),
    "shortages": ("service", "short_t", True),
}


def _measured(table: str, plan: Run, first_years: Collection[int], years: Collection[int]) -> Measured:
    """Return the numbers of a plan in a table of the comparison, by the values of its keys.

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
    return [key for key in Comparison.columns(table) if key != "when"]


def _frame(table: str, names: Sequence[str], measured: Sequence[Measured]) -> pd.DataFrame:
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
