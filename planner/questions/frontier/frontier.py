"""The cost of security: least cost against a limit on a dependence metric, point by point.

One model is built once. Its metric rows read ``A0 x + limit (A1 x - b) <= 0``, so another limit changes few
coefficients, and HiGHS goes on from the last basis. The end points are exact: least cost, and the least limit that
any plan can keep. Points between are placed where the curve may bend most: without whole numbers where the tangents
of two neighbours meet, with whole numbers in the middle of the largest step.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...runs.folder import write_folder
from ...words import figure_of

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress
    from .curve import Curve, Metric, Point

COLUMNS = [
    "point",
    "metric",
    "limit",
    "share",
    "objective_musd",
    "bound_musd",
    "gap",
    "marginal_musd_per_point",
    "usd_per_kg_clean",
    "exposed_share",
    "short_t",
    "capex_musd",
    "status",
    "same_until",
]
SWITCHES = ["point", "option", "start_year", "modules", "change"]
MANIFEST = "frontier.json"
MEASURABLE = 1e-5  # of all deliveries: the least-exposure step may shift 1e-7 of the cost


@dataclass(frozen=True)
class Frontier:
    """Cost against a dependence metric; point 1 is the least cost, the last one the least dependence.

    metric    what is limited, in which years
    today     level at which a glide begins (1 without one)
    table     columns of frontier.csv. limit and share are fractions (for ``unserved``: of the demand in the years);
              objective_musd is the least present cost at the limit, marginal_musd_per_point what one point more limit
              saves (from the duals, whole numbers fixed; either side's at a bend), usd_per_kg_clean the extra cost
              per extra kg of clean deliveries (both present values) over point 1, exposed_share and short_t of the
              years asked for; no limit from the point's up to same_until gives a lower cost
              Of plans of one cost a point is the least exposed; `solve` may spend 1e-7 of the cost on less
    switches  what is built otherwise than at the point before
    knee      point farthest from the chord between the ends; None for a straight curve
    lp_table  cost of the relaxation without whole numbers at each point's limit, a bound (empty without any)
    complete  False if it was interrupted
    """

    instance: Instance
    metric: Metric
    today: float
    table: pd.DataFrame
    switches: pd.DataFrame
    knee: int | None
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

    def to_dict(self) -> dict[str, Any]:
        """What frontier.json holds."""
        return {
            "schema": 1,
            "instance": {
                "name": self.instance.name,
                "title": self.instance.title,
                "sha256": self.instance.sha256,
            },
            "metric": self.metric.name,
            "from_year": self.metric.first,
            "glide": self.metric.glide,
            "today": self.today,
            "settings": self.settings,
            "complete": self.complete,
            "knee": self.knee,
            "points": [
                {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
                for row in self.table.to_dict("records")
            ],
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write frontier.csv, switches.csv, lp_bound.csv and frontier.json, all or nothing."""
        from ...runs.tables import to_csv

        files = {
            "frontier.csv": to_csv(self.table),
            "switches.csv": to_csv(self.switches),
            "lp_bound.csv": to_csv(self.lp_table),
        }
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

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
            f"{'':1}{'point':>5} {'limit':>8} {'MUSD':>14} {'gap':>7} {'MUSD/point':>11} {'USD/kg clean':>12} "
            f"{'exposed':>8} {'short t':>9} {'capex MUSD':>11}",
        ]
        for r in self.table.itertuples():
            mark = "*" if r.point == self.knee else " "
            premium = "-" if math.isnan(r.usd_per_kg_clean) else figure_of(r.usd_per_kg_clean, 4)
            marginal = "-" if math.isnan(r.marginal_musd_per_point) else figure_of(r.marginal_musd_per_point, 4)
            exposed = "-" if math.isnan(r.exposed_share) else f"{r.exposed_share:.1%}"
            lines.append(
                f"{mark}{r.point:>5} {r.limit:>8.2%} {figure_of(r.objective_musd, 6):>14} {r.gap:>7.2%} {marginal:>11} "
                f"{premium:>12} {exposed:>8} {figure_of(r.short_t, 4):>9} {figure_of(r.capex_musd, 5):>11}"
            )
        if len(self.table) == 1 and self.complete:
            lines.append("One point: no plan depends less than the cheapest, so there is nothing to trade.")
        if self.knee is not None:
            lines.append(f"* knee: point {self.knee}, beyond it a point less dependence costs much more")
        lines += [f"point {n}: {what}" for n, what in self._switched().items()]
        if not self.complete:
            lines.append("Interrupted: the points found so far.")
        return "\n".join(lines + [f"Note: {n}" for n in self.notes])


def frontier(
    instance: Instance,
    *,
    metric: str = "exposed_share",
    from_year: int | None = None,
    glide: bool = False,
    points: int = 11,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Frontier:
    """Least cost against a limit on a dependence metric, from least cost to least dependence at any cost.

    metric      ``exposed_share``, ``stage_share:STAGE`` or ``single_country_share:STAGE`` (a material may stand for
                the stage) or ``unserved``; one common limit holds in all the years (``unserved``: in their sum)
    from_year   first calendar year from which the limit holds; None: all years
    glide       the limit goes linearly from the first year's level of the least-cost plan to the one of the point in
                ``from_year``, and stays there
    points      most points of the curve, 2 or more
    gap         relative MIP gap of each point, as in `solve`
    time_limit  seconds of search for each point
    progress    called with a line of text per point

    Caps of the instance stay in force. Raises UsageError, and what `solve` raises.
    """
    if points < 2:
        raise UsageError(f"points = {points}: expected 2 or more")

    from ...solving.solver import Settings
    from .curve import Curve, Metric

    settings = Settings(gap=gap, time_limit=time_limit, threads=threads, seed=seed)
    started = time.perf_counter()
    curve = Curve(instance, Metric(metric, from_year, glide), settings, progress)
    found = curve.trace(points)
    return _results(curve, found, time.perf_counter() - started)


def _nondominated(found: list[Point]) -> list[Point]:
    """Points from least cost to least dependence; dearer ones at looser limits (a gap's play) are dropped."""
    kept: list[Point] = []
    for point in found:
        if not kept or point.cost < kept[-1].cost - 1e-9 * max(abs(point.cost), 1e-6):
            kept.append(point)
        else:
            kept[-1].bound = max(kept[-1].bound, min(point.bound, kept[-1].cost))
            kept[-1].same_until = max(kept[-1].same_until, point.limit, point.same_until)
    kept.reverse()
    for looser, tighter in pairwise(kept):  # what no looser plan can undercut, no tighter one can
        tighter.bound = max(tighter.bound, min(looser.bound, tighter.cost))
    return kept


def _knee(points: list[Point]) -> int | None:
    """Number of the point farthest from the chord, both axes scaled to 1."""
    if len(points) < 3:
        return None
    a, b = points[0], points[-1]
    wide, high = a.limit - b.limit, b.cost - a.cost
    if wide <= 0.0 or high <= 0.0:
        return None
    away = [(a.limit - p.limit) / wide - (p.cost - a.cost) / high for p in points]
    best = max(range(len(points)), key=lambda i: away[i])
    return best + 1 if away[best] > 1e-6 else None


def _results(curve: Curve, found: list[Point], seconds: float) -> Frontier:
    import pandas as pd

    points = _nondominated(found)
    first = points[0]
    rows, switches = [], []
    for number, p in enumerate(points, start=1):
        extra = p.clean - first.clean
        premium = (p.cost - first.cost) / extra if extra > MEASURABLE * (p.clean + p.exposed) else math.nan
        gap = abs(p.cost - p.bound) / max(abs(p.cost), 1e-9)
        marginal = -p.slope * 0.01 + 0.0
        rows.append(
            (number, curve.metric.name, p.limit, p.share, p.cost, p.bound, gap, marginal, premium)  # noqa: RUF005
            + (p.exposed_share, p.short_t, p.capex, p.status, max(p.limit, p.same_until))
        )
        before = points[number - 2].builds if number > 1 else p.builds
        for key in sorted({*before, *p.builds}):
            old, new = before.get(key, 0.0), p.builds.get(key, 0.0)
            if abs(new - old) > 1e-6:
                change = "on" if not old else "off" if not new else "more" if new > old else "less"
                switches.append((number, *key, abs(new - old), change))
    limits = [p.limit for p in points]
    bounds = curve.bounds(limits)
    lp_rows = [(i + 1, limits[i], bound) for i, bound in enumerate(bounds)]
    settings = curve.settings
    return Frontier(
        curve.instance,
        curve.metric,
        curve.today,
        pd.DataFrame(rows, columns=COLUMNS),
        pd.DataFrame(switches, columns=SWITCHES),
        _knee(points),
        pd.DataFrame(lp_rows, columns=["point", "limit", "bound_musd"]),
        not curve.interrupted,
        {
            "gap": settings.gap_for(len(curve.whole)),
            "time_limit": settings.time_limit,
            "threads": settings.threads,
            "seed": settings.seed,
        },
        seconds,
        curve.notes,
    )
