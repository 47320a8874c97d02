"""Fills who can pay for an option in each calendar year: private money and funds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..instance.finance import spending_years
from ..instance.timeline import horizon_end
from ..models.data import PLAN, FundLimit, FundShare, ModelData, Payment, PrivateLimit, Spending, Terms
from .investment import starts_of

if TYPE_CHECKING:
    from ..instance.instance import Instance


def add(instance: Instance, data: ModelData) -> None:
    """Fill ``data.private``, ``fund_draw``, ``spending``, ``private_limit``, ``fund_limit`` and ``fund_share``.

    Only options with a limit on private money are in them: any other can pay for itself and draws on no fund. A course
    that starts such an option by itself has a split of its own, of all that it starts. The builds of ``data`` must be
    there.
    """
    limited = {option.option for option in instance.options if option.private_musd is not None}
    for branch in data.courses:
        starts, own = starts_of(data, branch)
        if branch == PLAN or own & limited:
            _split(instance, branch, starts, data)


def _split(instance: Instance, branch: str, starts: Mapping[str, Sequence[int]], data: ModelData) -> None:
    """Add who pays for the starts of a course.

    starts  option -> positions of its starts in ``data.build``
    """
    funds = {f.fund: f for f in instance.funds}
    eligible: dict[str, list[str]] = defaultdict(list)
    for row in instance.fund_options:
        eligible[row.option].append(row.fund)
    draws_on: dict[str, list[int]] = defaultdict(list)
    last_year = horizon_end(instance)
    excess_of = {sized.start: i for i, sized in enumerate(data.excess)}
    for option in instance.options:
        if option.private_musd is None:
            continue
        bills: dict[int, Terms] = defaultdict(list)
        beyond: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for i in starts.get(option.option, ()):
            years = spending_years(option, data.build[i].year)
            for year in years:
                bills[year].append((i, option.capex_musd / len(years)))
                beyond[year] += [(excess_of[i], 1.0 / len(years))] if i in excess_of else []
        private: list[int] = []
        by_fund: dict[str, list[int]] = defaultdict(list)
        for year, capex in sorted(bills.items()):
            private.append(len(data.private))
            data.private.append(Payment(option.option, year, branch))
            draws: list[int] = []
            for name in sorted(eligible[option.option]):
                fund = funds[name]
                first = instance.years[0] if fund.first_year is None else fund.first_year
                last = last_year if fund.last_year is None else fund.last_year
                if first <= year <= last:
                    draws.append(len(data.fund_draw))
                    by_fund[name].append(len(data.fund_draw))
                    data.fund_draw.append(Payment(option.option, year, branch, name))
            paid = Spending(option.option, year, capex, private[-1], tuple(draws), branch, tuple(beyond[year]))
            data.spending.append(paid)
        data.private_limit.append(PrivateLimit(option.option, option.private_musd, tuple(private), branch))
        all_capex = [(i, option.capex_musd) for i in starts.get(option.option, ())]
        all_excess = tuple(excess_of[i] for i in starts.get(option.option, ()) if i in excess_of)
        for name, draws in sorted(by_fund.items()):
            draws_on[name] += draws
            if funds[name].max_share < 1.0:
                most = funds[name].max_share
                part = FundShare(name, option.option, most, tuple(draws), all_capex, branch, all_excess)
                data.fund_share.append(part)
    for name, draws in sorted(draws_on.items()):
        data.fund_limit.append(FundLimit(name, funds[name].budget_musd, tuple(draws), branch))
