"""The result of a search against two metrics at once: its plans, how good the covering is, and the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...language import _, number
from ...words import figure_of, share_of
from ..study import COMPLETE, INSTANCE, NOTES, SECONDS, SETTINGS, Study, Table, Value, text_table

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from .axis import Axis


@dataclass(frozen=True, repr=False)
class Surface(Study):
    """Least cost against limits on two metrics.

    instance  the instance without the limits
    first     the first metric, and the years in which its limit holds; so ``second``
    table     the plans, as in surface.csv: none of them is dominated by another
    builds    what each of them starts
    exact     whether all non-dominated plans were sought
    open_musd  the most that the least cost at some pair of limits can lie below that of the plan known there, MUSD
    unknown_share  part of the square of limits for which it is not known whether any plan keeps them
    """

    COMMAND, MANIFEST, OF = "frontier --second", "surface.json", "instance"
    HOLDS = (
        INSTANCE,
        Value("first", "the first metric", "first.name"),
        Value("second", "the second metric", "second.name"),
        Value("from_year", "first year in which the limits hold; null: every year", "first.first"),
        Value("exact", "whether all non-dominated plans were sought"),
        Value(
            "open_musd",
            "the most by which the least cost at a pair of limits can lie below that of the cheapest plan here that "
            "keeps them, MUSD; 0 of a complete exact search, but for the gaps",
        ),
        Value("mean_open_musd", "the same on average over all pairs of limits that some plan here keeps"),
        Value("unknown_share", "part of the square of limits for which it is not known whether a plan keeps them"),
        SETTINGS,
        COMPLETE,
        Table(
            "points",
            "The plans, the cheapest first. No other plan of the table costs no more and has no more of both metrics.",
            """
            point          | integer |       | number of the plan, from 1
            first          | number  | share | value of the first metric in the plan, for an impact units a year
            second         | number  | share | the same of the second metric
            objective_musd | number  | MUSD  | present value of the cost
            bound_musd     | number  | MUSD  | lower bound: no plan that keeps the limits probed costs less
            gap            | number  | share | difference between cost and bound, relative to the cost
            extra_musd     | number  | MUSD  | cost above that of point 1
            exposed_share  | number  | share | exposed part of all deliveries in the years of the limits
            short_t        | number  | t     | demand not served in the years of the limits
            capex_musd     | number  | MUSD  | overnight cost of all builds
            """,
            file="surface.csv",
            attribute="table",
        ),
        Table(
            "builds",
            "What each plan starts.",
            """
            point      | integer |         | number of the plan
            option     | text    |         | option that is started
            start_year | integer | year    | when
            modules    | number  | modules | how many
            """,
            in_manifest=False,
        ),
        NOTES,
        SECONDS,
    )

    instance: Instance
    first: Axis
    second: Axis
    table: pd.DataFrame
    builds: pd.DataFrame
    exact: bool
    open_musd: float
    mean_open_musd: float
    unknown_share: float
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        when = _("every year") if self.first.first is None else _("from {year} on", year=self.first.first)
        told = [
            *((_("point"), ">6"), (self.first.name, f">{max(9, len(self.first.name))}")),
            *((self.second.name, f">{max(9, len(self.second.name))}"), ("MUSD", ">14"), (_("gap"), ">7")),
            *((_("extra MUSD"), ">12"), (_("exposed"), ">8"), (_("short t"), ">9"), (_("capex MUSD"), ">11")),
        ]
        cells = [
            [
                *(str(r.point), value_of(self.first, r.first), value_of(self.second, r.second)),
                *(figure_of(r.objective_musd, 6), share_of(r.gap, 2), figure_of(r.extra_musd, 5)),
                *(share_of(r.exposed_share), figure_of(r.short_t, 4), figure_of(r.capex_musd, 5)),
            ]
            for r in self.table.itertuples()
        ]
        title = self.instance.title or self.instance.name
        head = _(
            "{instance}: cost against {first} and {second}, {years}",
            instance=title,
            first=self.first.name,
            second=self.second.name,
            years=when,
        )
        lines = [head, *text_table(told, cells)]
        if self.exact and self.complete:
            lines.append(_("These are all {n} plans that no other plan dominates.", n=len(self.table)))
        elif not self.exact:
            lines.append(
                _(
                    "At a pair of limits the least cost is at most {amount} MUSD below the cheapest of these plans "
                    "that keeps them, on average {mean}; for {share} of the pairs it is open whether any plan does.",
                    amount=figure_of(self.open_musd, 4),
                    mean=figure_of(self.mean_open_musd, 4),
                    share=share_of(self.unknown_share),
                )
            )
        if not self.complete:
            lines.append(_("Interrupted: the plans found so far."))
        return "\n".join(lines + [_("Note: {note}", note=n) for n in self.notes])


def value_of(metric: Axis, value: float) -> str:
    """Return the value of a metric in words: a share, or an amount of units."""
    return figure_of(value, 5) if metric.amount else number(f"{value:.2%}")
