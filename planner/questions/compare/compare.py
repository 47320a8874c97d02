"""The comparison of plans: their cost, dependence, builds, flows, funding and shortages side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...arguments import checked
from ...errors import UsageError, hinted
from ...language import _, number
from ...runs.run import given_run
from ...solving.pins import in_words
from ...words import semicolons
from . import measures, sure
from .result import Comparison

if TYPE_CHECKING:
    from pathlib import Path

    from ...runs.run import Run


@checked
def compare(*plans: Run | str | Path, names: Sequence[str] | None = None, base: str | None = None) -> Comparison:
    """Compare two or more plans: every other one with the base.

    plans  runs, or their folders
    names  one name for each plan; None: the names of the instances, numbered if two are the same
    base   the name of the plan that is the base, which becomes the first; None: the first

    Plans with different horizons are compared on the years that they share: dependence in years in which a period
    begins in all of them, amounts over the calendar years that all of them cover. Costs, builds and funding are always
    of the whole horizon. Raises UsageError if fewer than two plans are given, if there is not one name for each, if the
    base is none of them, or if the plans share no first year of a period.
    """
    import pandas as pd

    runs = [given_run(plan) for plan in plans]
    if len(runs) < 2:
        raise UsageError("expected two plans or more to compare")
    called = _names([str(p.plan["instance"]["name"]) for p in runs] if names is None else list(names))
    if len(called) != len(runs):
        raise UsageError(f"{len(called)} names for {len(runs)} plans")
    if base is not None:
        if base not in called:
            raise UsageError(hinted(f"base {base}: none of the plans {', '.join(called)}", base, called))
        first = called.index(base)
        runs.insert(0, runs.pop(first))
        called.insert(0, called.pop(first))
    common = sorted(set.intersection(*(set(p.lengths) for p in runs)))
    if not common:
        raise UsageError("the plans have no year in common in which a period begins")
    notes = []
    if any(p.lengths != runs[0].lengths for p in runs):
        notes.append(_("the plans have different periods: dependence, flows and shortages are of the years in common"))
        notes.append(_("costs are present values of each plan's own horizon and first year"))
    money = tuple(_money(p.plan.get("money")) for p in runs)
    if len(set(money)) > 1:
        told = semicolons(_("{plan} in {money}", plan=n, money=m) for n, m in zip(called, money, strict=True))
        notes.append(_("costs cannot be compared, because they are in different money: {parts}", parts=told))
    else:
        notes += sure.how_sure(called, runs)
    notes += [
        _("{name} is a linear relaxation: a bound on the cost, and no plan", name=name)
        for name, plan in zip(called, runs, strict=True)
        if plan.plan["settings"].get("relaxed")
    ]
    notes += [
        _("{name} was solved with builds held: {held}", name=name, held=held)
        for name, plan in zip(called, runs, strict=True)
        if (held := in_words(plan.plan["settings"].get("pins")))
    ]
    span = frozenset(common), frozenset.intersection(*(p.calendar_years for p in runs))
    frames = {t: measures.frame(t, called, [measures.measured(t, p, *span) for p in runs]) for t in Comparison.tables()}
    if len(set(money)) > 1:
        frames["totals"].loc[frames["totals"]["unit"].str.startswith("MUSD"), "change"] = float("nan")
        frames["funding"]["change"] = float("nan")
    elif not sure.apart(runs[-1], runs[0]):
        frames["totals"].loc[frames["totals"]["quantity"] == "cost", "change"] = float("nan")
    starts = [measures.starts(p) for p in runs]
    of = tuple(p.digest for p in runs)
    when = [measures.when(starts, str(option)) for option in frames["builds"]["option"]]
    frames["builds"].insert(3, "when", pd.Series(when, dtype=object))
    bounds = tuple(p.searched.bound for p in runs)
    answers = [] if len(set(money)) > 1 else sure.answers(called, runs, frames["totals"])
    return Comparison(
        tuple(called),
        tuple(common),
        **frames,
        notes=tuple(notes),
        answers=tuple(answers),
        of=of,
        money=money,
        bounds=bounds,
        runs=tuple(runs),
    )


def _money(money: Mapping[str, Any] | None) -> str:
    """Return currency, price year and discount rate of a run in words; None: the run does not record them."""
    if money is None:
        return _("money that its run does not tell")
    return _(
        "{currency} of {price_year} at {rate} % a year",
        currency=money["currency"],
        price_year=money["price_year"],
        rate=number(f"{100 * money['discount_rate']:.3g}"),
    )


def _names(wished: list[str]) -> list[str]:
    """Return the names, numbered so that they differ from each other and from the key columns of all tables."""
    taken: set[str] = {"change", *(key for table in Comparison.tables() for key in Comparison.columns(table))}
    result = []
    for name in wished:
        unique, n = name, 2
        while unique in taken:
            unique, n = f"{name} ({n})", n + 1
        taken.add(unique)
        result.append(unique)
    return result
