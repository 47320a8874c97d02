"""Rules on funds: a fund must pay within the horizon, and some option must be able to draw on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...errors import Issue
from ..finance import spending_years
from ..timeline import start_years
from .registry import SETTINGS, Draft, check
from .windows import at_fault

PRIVATE = "private"  # name of the owners' own money among the sources of funding.csv


@check("E316", "funds", SETTINGS)
def within_the_horizon(draft: Draft) -> Iterable[Issue]:
    """A fund must pay in some year of the horizon."""
    for row in draft.instance.funds:
        horizon = f"the horizon is {draft.first} to {draft.last}"
        if row.first_year is not None and row.first_year > draft.last:
            yield draft.at(row, "first_year", f"the fund lies outside the horizon; {horizon}")
        elif row.last_year is not None and row.last_year < draft.first:
            yield draft.at(row, "last_year", f"the fund lies outside the horizon; {horizon}")


@check("E317", "funds", "fund_options")
def somebody_may_draw(draft: Draft) -> Iterable[Issue]:
    """Some option must be allowed to draw on a fund."""
    drawn = {f.fund for f in draft.instance.fund_options}
    for row in draft.instance.funds:
        if row.fund not in drawn:
            yield draft.at(row, "fund", "no option may draw on this fund", "add a row to fund_options.csv")


@check("E363", "funds")
def not_called_private(draft: Draft) -> Iterable[Issue]:
    """A fund must not be called ``private``, which is the name of the owners' own money in funding.csv."""
    for row in draft.instance.funds:
        if row.fund == PRIVATE:
            yield draft.at(
                row, "fund", f"{PRIVATE} means the owners' own money in funding.csv", "give the fund another key"
            )


@check("W515", "funds", "options", SETTINGS)
def spending_while_it_pays(draft: Draft) -> Iterable[Issue]:
    """Some option that may draw on a fund should spend while the fund pays."""
    options = {o.option: o for o in draft.instance.options}
    allowed = defaultdict(list)
    for row in draft.instance.fund_options:
        allowed[row.fund].append(options[row.option])
    for fund in draft.instance.funds:
        first = draft.first if fund.first_year is None else fund.first_year
        last = draft.last if fund.last_year is None else fund.last_year
        spent = [
            year
            for option in allowed[fund.fund]
            for start in start_years(option, draft.instance.years, draft.last)
            for year in spending_years(option, start)
        ]
        if not any(first <= year <= last for year in spent):
            column = at_fault(fund, spent or [draft.first])
            yield draft.at(fund, column, "no option that may draw on it can spend in these years")
        elif fund.budget_musd == 0 or fund.max_share == 0:
            column = "budget_musd" if fund.budget_musd == 0 else "max_share"
            yield draft.at(fund, column, "the fund pays nothing")
