"""The curve as it is told: its points, what switches between them, and the knee."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...runs.folder import write_folder
from ...words import figure_of

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run
    from .curve import Axis


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
    metric: Axis
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
