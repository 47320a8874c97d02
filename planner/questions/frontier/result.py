"""The result of a frontier: its points, the builds that change between them, the knee, and the text."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...bands import span_of
from ...errors import UsageError
from ...language import _, number, p_
from ...words import commas, figure_of, share_of
from ..study import COMPLETE, INSTANCE, NOTES, SECONDS, SETTINGS, Study, Table, Value, text_table

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from .axis import Axis


@dataclass(frozen=True, repr=False)
class Frontier(Study):
    """Least cost against a limit on a dependence metric.

    Point 1 has the least cost, the last point the least dependence. The frames are tables of HOLDS, which states their
    columns and units.

    instance    the instance without the limit
    metric      the metric that is limited, and the years in which the limit holds
    today       share from which a glide begins, 0 to 1; 1 without a glide
    table       the points, as in frontier.csv
    switches    differences in what is built between each point and the one before
    knee        number of the knee, the point beyond which less dependence costs much more; None if there is none
    knee_among  numbers of all points that may be the knee given the gaps of the searches
    lp_table    cost of the linear relaxation at the limit of each point; empty without integer variables
    complete    False if the search was interrupted; the points found until then are there
    settings    settings of the solver
    seconds     time spent
    notes       sentences that a reader of the curve should know
    """

    COMMAND, MANIFEST, OF = "frontier", "frontier.json", "instance"
    HOLDS = (
        INSTANCE,
        Value("metric", "the metric that is limited", "metric.name"),
        Value("from_year", "first year in which the limit holds; null: every year", "metric.first"),
        Value("glide", "whether the limit falls linearly from today's level until that year", "metric.glide"),
        Value("today", "share from which a glide begins; 1 without a glide"),
        SETTINGS,
        COMPLETE,
        Value(
            "knee",
            "the point farthest from the chord between the ends; null if the curve is straight, or may be within gaps",
        ),
        Value("knee_among", "all points that may be the farthest, given the gaps of the searches"),
        Table(
            "points",
            "The points, from the least cost to the least dependence. Among plans of equal cost, the plan of a point "
            "is the least exposed one. (`solve` may in addition spend 1e-7 of the cost to lower the exposure.)",
            """
            point                   | integer |          | number of the point, from 1
            metric                  | text    |          | metric that is limited
            limit                   | number  | share    | limit on the metric; for `unserved` a part of the demand,
                for an impact units a year (so are `share` and `same_until`)
            share                   | number  | share    | value of the metric in the plan
            objective_musd          | number  | MUSD     | present value of the cost of the best plan found
            bound_musd              | number  | MUSD     | lower bound: no plan that keeps the limit costs less
            gap                     | number  | share    | difference between cost and bound, relative to the cost
            extra_musd              | number  | MUSD     | cost above that of point 1, for the plans that were found
            extra_least_musd        | number  | MUSD     | lower end of the extra cost, given the gaps of both searches
            extra_most_musd         | number  | MUSD     | upper end of the extra cost, given the gaps of both searches
            marginal_musd_per_point | number  | MUSD     | saving by a limit one percentage point (of an impact: one
                unit) higher (a floor: one point lower): the shadow price with the integer variables fixed; at a bend
                of the curve it may be that of either side
            usd_per_kg_clean        | number  | USD/kg   | extra cost per extra kg of clean deliveries compared with
                point 1, both as present values; blank if no clean deliveries are added, or if the gaps leave open
                whether the cost is higher; as uncertain as `extra_musd`
            exposed_share           | number  | share    | exposed deliveries as a part of all deliveries, in the years
                in which the limit holds
            short_t                 | number  | t        | demand not served in the years in which the limit holds
            capex_musd              | number  | MUSD     | overnight cost of all builds
            status                  | text    |          | `optimal` (proven within the gap) or `feasible`
            same_until              | number  | share    | no limit between `limit` and this one gives a lower cost
            """,
            file="frontier.csv",
            attribute="table",
        ),
        Table(
            "switches",
            "Differences in what is built between each point and the one before.",
            """
            point      | integer |         | number of the point
            option     | text    |         | option whose builds differ
            start_year | integer | year    | year in which its modules start
            modules    | number  | modules | size of the difference
            change     | text    |         | `on`: started in this year at this point only; `off`: at the point before
                only; `more` or `less`: at both, but with another number of modules
            """,
            in_manifest=False,
        ),
        Table(
            "bound",
            "Least cost of the linear relaxation at the limit of each point: no plan costs less.",
            """
            point      | integer |       | number of the point
            limit      | number  | share | limit on the metric
            bound_musd | number  | MUSD  | present value of the cost
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
        """Return the instance with the limit of a point added as caps.

        point  number of the point, from 1

        Raises UsageError on an unknown point, and for the metric ``unserved``, which no cap can limit.
        """
        row = self._row(point)
        if self.metric.family == "unserved":
            raise UsageError("unserved demand is not a metric of caps.csv, so a point of it is not an instance")
        sought = self.metric.sought
        limit = min(1.0, sought(float(row["limit"])) + 1e-9)  # room for the solver's tolerance, or the end has no plan
        return self.metric.capped(self.instance, limit, sought(self.today))[0]

    def plan(self, point: int, **options: Any) -> Run:
        """Solve the instance at a point again and return the run, for example to write it to a folder.

        point    number of the point, from 1
        options  arguments of `solve`

        Raises the errors of `instance_at` and of `solve`.
        """
        from ..solve import solve

        return solve(self.instance_at(point), **options)

    def _row(self, point: int) -> Any:
        """Return the row of a point in the table of points. Raises UsageError if there is no such point."""
        rows = self.table[self.table["point"] == point]
        if rows.empty:
            raise UsageError(f"point {point}: expected 1 to {len(self.table)}")
        return rows.iloc[0]

    def _switched(self, at_most: int = 6) -> dict[int, str]:
        """Return, for each point, its largest differences in builds from the point before, in words.

        at_most  number of options named for each point, those with the largest change in capex first
        """
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
            said[int(point)] = commas(words + ([_("and {n} smaller changes (switches.csv)", n=rest)] if rest else []))
        return said

    def __str__(self) -> str:
        when = _("every year") if self.metric.first is None else _("from {year} on", year=self.metric.first)
        if self.metric.glide:
            today = {"years": when, "share": number(f"{self.today:.1%}"), "year": self.instance.years[0]}
            if self.metric.floor:
                when = _("{years}, gliding up from {share} in {year}", **today)
            else:
                when = _("{years}, gliding down from {share} in {year}", **today)
        name = self.instance.title or self.instance.name
        slope = _("MUSD/unit") if self.metric.amount else _("MUSD/point")
        lines = [
            _("{instance}: cost against {metric}, {years}", instance=name, metric=self.metric.name, years=when),
            *text_table(
                [
                    *((_("point"), ">6"), (_("limit"), ">8"), ("MUSD", ">14"), (_("gap"), ">7")),
                    *((_("extra MUSD"), ">16"), (slope, ">11"), (_("USD/kg clean"), ">12"), (_("exposed"), ">8")),
                    *((_("short t"), ">9"), (_("capex MUSD"), ">11")),
                ],
                [self._cells(r) for r in self.table.itertuples()],
            ),
        ]
        if len(self.table) == 1 and self.complete:
            if self.metric.floor:
                lines.append(
                    _("One point: no plan makes more of its own than the cheapest one, so there is no trade-off.")
                )
            else:
                lines.append(_("One point: no plan depends less than the cheapest one, so there is no trade-off."))
        if self.knee is not None:
            text = _("* knee: point {n}, beyond it a point less dependence costs much more", n=self.knee)
            if self.metric.floor:
                text = _("* knee: point {n}, beyond it a point more costs much more", n=self.knee)
            others = [str(n) for n in self.knee_among if n != self.knee]
            if others:
                points = p_("between points", " or ").join(others)
                text = _("{sentence}; within the gaps it may also be point {points}", sentence=text, points=points)
            lines.append(text)
        lines += [_("point {n}: {changes}", n=n, changes=what) for n, what in self._switched().items()]
        if not self.complete:
            lines.append(_("Interrupted: the points found so far."))
        return "\n".join(lines + [_("Note: {note}", note=n) for n in self.notes])

    def _told(self, limit: float) -> str:
        return figure_of(limit, 5) if self.metric.amount else number(f"{limit:.2%}")

    def _cells(self, r: Any) -> list[str]:
        """Return the cells of a point's line of text; ``r`` is its row in the table of points."""
        extra = span_of(r.extra_musd, r.extra_least_musd, r.extra_most_musd)
        return [
            f"{'*' if r.point == self.knee else ' '}{r.point:>5}", self._told(r.limit), figure_of(r.objective_musd, 6),
            share_of(r.gap, 2), extra, figure_of(r.marginal_musd_per_point, 4), figure_of(r.usd_per_kg_clean, 4),
            share_of(r.exposed_share), figure_of(r.short_t, 4), figure_of(r.capex_musd, 5),
        ]  # fmt: skip
