"""The curve as it is told: its points, what switches between them, and the knee."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...bands import span_of
from ...errors import UsageError
from ...words import figure_of, share_of
from ..study import COMPLETE, INSTANCE, NOTES, SECONDS, SETTINGS, Study, Table, Value, text_table

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from .curve import Axis


@dataclass(frozen=True)
class Frontier(Study):
    """Cost against a dependence metric; point 1 is the least cost, the last one the least dependence.

    table     the points: what frontier.csv holds
    switches  what is built otherwise than at the point before
    lp_table  cost of the relaxation without whole numbers at each point's limit
    metric    what is limited, in which years
    """

    COMMAND, MANIFEST, OF = "frontier", "frontier.json", "instance"
    HOLDS = (
        INSTANCE,
        Value("metric", "what is limited", "metric.name"),
        Value("from_year", "first year in which the limit holds; null: every year", "metric.first"),
        Value("glide", "whether the limit glides down from today's level until then", "metric.glide"),
        Value("today", "level at which a glide begins, a share (1 without one)"),
        SETTINGS,
        COMPLETE,
        Value(
            "knee",
            "the point farthest from the chord between the ends; null if the curve is straight, or may be by the gaps",
        ),
        Value("knee_among", "the points that may be farthest, by the gaps"),
        Table(
            "points",
            "The points, from the least cost to the least dependence. Of plans of one cost a point is the least "
            "exposed; `solve` may spend 1e-7 of the cost on less.",
            """
            point                   | integer |          | number of the point, from 1
            metric                  | text    |          | what is limited
            limit                   | number  | share    | limit on the metric (`unserved`: of the demand)
            share                   | number  | share    | the metric in the plan
            objective_musd          | number  | MUSD     | least present cost at the limit
            bound_musd              | number  | MUSD     | no plan that keeps the limit costs less
            gap                     | number  | share    | distance of the two, of the cost
            extra_musd              | number  | MUSD     | cost beyond that of point 1, between the plans found
            extra_least_musd        | number  | MUSD     | the same at least, as the gaps of both searches allow
            extra_most_musd         | number  | MUSD     | the same at most
            marginal_musd_per_point | number  | MUSD     | what one percentage point more limit saves, by the
                duals with whole numbers fixed; either side's at a bend
            usd_per_kg_clean        | number  | USD/kg   | extra cost per extra kg of clean deliveries over point 1,
                both present values; blank where none are added, or where the gaps leave open whether it costs more;
                as sure as `extra_musd`
            exposed_share           | number  | share    | exposed deliveries of all, in the years asked for
            short_t                 | number  | t        | short in the years asked for
            capex_musd              | number  | MUSD     | overnight cost of what is built
            status                  | text    |          | `optimal` (proven within the gap) or `feasible`
            same_until              | number  | share    | no limit from the point's up to this one gives a lower cost
            """,
            file="frontier.csv",
            attribute="table",
        ),
        Table(
            "switches",
            "What is built otherwise than at the point before.",
            """
            point      | integer |         | number of the point
            option     | text    |         | what is built otherwise
            start_year | integer | year    | when it is started
            modules    | number  | modules | by how many
            change     | text    |         | `on` or `off`: built at this point only, or at the one before
                only; else `more` or `less`
            """,
            in_manifest=False,
        ),
        Table(
            "bound",
            "Cost without whole numbers (the LP relaxation) at each point's limit: no plan costs less.",
            """
            point      | integer |       | number of the point
            limit      | number  | share | limit on the metric
            bound_musd | number  | MUSD  | present cost
            """,
            file="lp_bound.csv",
            attribute="lp_table",
            in_manifest=False,
        ),
        NOTES,
        SECONDS,
    )  # fmt: skip

    instance: Instance
    metric: Axis
    today: float
    table: pd.DataFrame
    switches: pd.DataFrame
    knee: int | None
    knee_among: list[int]
    lp_table: pd.DataFrame
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def instance_at(self, point: int) -> Instance:
        """The instance with the limit of a point as a cap."""
        row = self._row(point)
        if self.metric.family == "unserved":
            raise UsageError("unserved demand is not a metric of caps.csv, so a point of it is not an instance")
        limit = min(1.0, float(row["limit"]) + 1e-9)  # the solver's tolerance, so that the least limit can be kept
        return self.metric.capped(self.instance, limit, self.today)[0]

    def plan(self, point: int, **options: Any) -> Run:
        """The plan of a point, solved afresh (options as in `solve`), to look at or to write as a run."""
        from ..solve import solve

        return solve(self.instance_at(point), **options)

    def _row(self, point: int) -> Any:
        rows = self.table[self.table["point"] == point]
        if rows.empty:
            raise UsageError(f"point {point}: expected 1 to {len(self.table)}")
        return rows.iloc[0]

    def _switched(self, at_most: int = 6) -> dict[int, str]:
        """What is built otherwise than at the point before, in words: the largest changes of each point."""
        capex = {o.option: o.capex_musd for o in self.instance.options}
        said: dict[int, str] = {}
        for point, rows in self.switches.groupby("point"):
            net: dict[str, float] = defaultdict(float)
            for s in rows.itertuples():
                net[s.option] += s.modules * (1.0 if s.change in ("on", "more") else -1.0)
            largest = sorted(net, key=lambda o: (-abs(net[o]) * capex[o], o))
            shown = [o for o in largest if abs(net[o]) > 1e-6][:at_most]
            words = [
                f"{'+' if net[o] > 0 else '-'}{o}" + ("" if abs(net[o]) == 1.0 else f" x{abs(net[o]):.3g}")
                for o in shown
            ]
            rest = len(net) - len(shown)
            said[int(point)] = ", ".join(words + ([f"and {rest} smaller changes (switches.csv)"] if rest else []))
        return said

    def __str__(self) -> str:
        when = "every year" if self.metric.first is None else f"from {self.metric.first} on"
        if self.metric.glide:
            when += f", gliding down from {self.today:.1%} in {self.instance.years[0]}"
        lines = [
            f"{self.instance.title or self.instance.name}: cost against {self.metric.name}, {when}",
            *text_table(
                [
                    *(("point", ">6"), ("limit", ">8"), ("MUSD", ">14"), ("gap", ">7"), ("extra MUSD", ">16")),
                    ("MUSD/point", ">11"),
                    *(("USD/kg clean", ">12"), ("exposed", ">8"), ("short t", ">9"), ("capex MUSD", ">11")),
                ],
                [self._cells(r) for r in self.table.itertuples()],
            ),
        ]
        if len(self.table) == 1 and self.complete:
            lines.append("One point: no plan depends less than the cheapest, so there is nothing to trade.")
        if self.knee is not None:
            lines.append(f"* knee: point {self.knee}, beyond it a point less dependence costs much more")
            others = [str(n) for n in self.knee_among if n != self.knee]
            if others:
                lines[-1] += f"; by the gaps it may also be at point {' or '.join(others)}"
        lines += [f"point {n}: {what}" for n, what in self._switched().items()]
        if not self.complete:
            lines.append("Interrupted: the points found so far.")
        return "\n".join(lines + [f"Note: {n}" for n in self.notes])

    def _cells(self, r: Any) -> list[str]:
        extra = span_of(r.extra_musd, r.extra_least_musd, r.extra_most_musd)
        return [
            f"{'*' if r.point == self.knee else ' '}{r.point:>5}", f"{r.limit:.2%}", figure_of(r.objective_musd, 6),
            share_of(r.gap, 2), extra, figure_of(r.marginal_musd_per_point, 4), figure_of(r.usd_per_kg_clean, 4),
            share_of(r.exposed_share), figure_of(r.short_t, 4), figure_of(r.capex_musd, 5),
        ]  # fmt: skip
