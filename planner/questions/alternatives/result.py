"""Near-optimal plans as they are told: ranges, groups, what the slack buys, and the plans themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError, did_you_mean
from ...words import figure_of

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run


MANIFEST = "alternatives.json"


SOME = 1e-6  # modules; less is none


BUYS = {
    "least exposure": "demand not served clean, present value, kt",
    "least capex": "overnight capex, MUSD",
    "least public money": "draws on funds, MUSD",
    "least shortage": "tonnes short, present value, kt",
}


@dataclass(frozen=True)
class Alternatives:
    """Plans within a slack of the least cost.

    ranges   one row an option: least and most modules over all near-optimal plans, ``verdict`` (``always``: some are
             built in every one, no-regret; ``sometimes``; ``never``; ``open``: so far always or never, but not proven),
             ``proven`` (both ends), latest_start (the latest first year of a period in which it can still be started
             first; blank if not always built or not asked)
    groups   least and most capacity (t) and capex (MUSD) of the groups asked for
    buys     what the slack buys at most: the best value of each aim, and its value in the least-cost plan
    plans    modules by option and start year of the least-cost plan and of each alternative, with its name and cost
    complete False if it was interrupted
    """

    instance: Instance
    slack: float
    best_musd: float
    ceiling_musd: float
    ranges: pd.DataFrame
    groups: pd.DataFrame
    buys: pd.DataFrame
    plans: pd.DataFrame
    complete: bool
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the plans, the least-cost plan first."""
        return list(dict.fromkeys(self.plans["plan"]))

    def plan(self, name: str, **options: Any) -> Run:
        """A plan by its name, solved and audited with its builds held (options as in `solve`)."""
        from ...solving.pins import Pins
        from ..solve import solve

        rows = self.plans[self.plans["plan"] == name]
        if rows.empty:
            raise UsageError(f"no plan {name}; {did_you_mean(name, self.names)}".rstrip("; "))
        built = {(r.option, r.start_year): r.modules for r in rows.itertuples() if r.option}
        held = {
            (o.option, y): built.get((o.option, y), 0.0) for o in self.instance.options for y in self.instance.years
        }
        return solve(self.instance, pins=Pins(held), **options)

    def to_dict(self) -> dict[str, Any]:
        """What alternatives.json holds."""
        tables = {"ranges": self.ranges, "groups": self.groups, "buys": self.buys, "plans": self.plans}
        found: dict[str, Any] = {
            "schema": 1,
            "instance": {
                "name": self.instance.name,
                "title": self.instance.title,
                "sha256": self.instance.sha256,
            },
            "slack": self.slack,
            "best_musd": self.best_musd,
            "ceiling_musd": self.ceiling_musd,
            "complete": self.complete,
            "settings": self.settings,
        }
        for name, table in tables.items():
            found[name] = [{k: None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]
        return found

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write ranges.csv, groups.csv, buys.csv, alternatives.csv and alternatives.json."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        tables = {"ranges": self.ranges, "groups": self.groups, "buys": self.buys, "alternatives": self.plans}
        files = {f"{name}.csv": to_csv(table) for name, table in tables.items()}
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

    def __str__(self) -> str:
        lines = [
            f"Plans within {100 * self.slack:.3g} % of the least cost: "
            f"{figure_of(self.best_musd, 6)} to {figure_of(self.ceiling_musd, 6)} MUSD"
        ]
        for verdict, meaning in (
            ("always", "in every one (no-regret)"),
            ("sometimes", "in some"),
            ("never", "in none"),
            ("open", "in all or in none that were found, not proven"),
        ):
            rows = self.ranges[self.ranges["verdict"] == verdict]
            shown = [_range_words(r) for r in rows.head(40).itertuples()]
            more = f" and {len(rows) - 40} more" if len(rows) > 40 else ""
            if shown or verdict != "open":
                lines.append(f"{verdict}, {meaning}: {', '.join(shown) or 'nothing'}{more}")
        if len(self.groups):
            lines.append("Groups (least to most capacity started, t; capex, MUSD):")
            for r in self.groups.itertuples():
                proven = "" if r.proven else " (not proven)"
                money = f"{figure_of(r.least_musd, 5)} to {figure_of(r.most_musd, 5)} MUSD"
                lines.append(f"  {r.group}: {figure_of(r.least_t, 5)} to {figure_of(r.most_t, 5)} t, {money}{proven}")
        if len(self.buys):
            lines.append("What the slack buys at most:")
            for r in self.buys.itertuples():
                proven = "" if r.proven else " (not proven)"
                lines.append(
                    f"  {r.aim}: {figure_of(r.at_least_cost, 5)} -> {figure_of(r.best, 5)} ({BUYS[r.aim]}){proven}"
                )
        costs = self.plans.drop_duplicates("plan").set_index("plan")["cost_musd"]
        if len(costs) > 1:
            lines.append("Plans that differ most:")
            lines += [f"  {name}: {figure_of(cost, 6)} MUSD" for name, cost in costs.items()]
        if not self.complete:
            lines.append("Interrupted: what was found so far; ranges not asked are what the plans found show.")
        return "\n".join(lines)


def _range_words(row: Any) -> str:
    span = f"{row.least:.3g}" if row.most - row.least < SOME else f"{row.least:.3g}-{row.most:.3g}"
    latest = "" if row.latest_start != row.latest_start else f", start by {row.latest_start:.0f}"
    return f"{row.option} ({span}{latest}{'' if row.proven or row.verdict == 'open' else ', ends not proven'})"
