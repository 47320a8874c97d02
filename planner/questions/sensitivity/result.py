"""A sensitivity study as it is told: tornado, flips, indices and text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...words import figure_of
from .study_file import Study

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance


MANIFEST = "sensitivity.json"


@dataclass(frozen=True)
class Sensitivity:
    """What a study found.

    instance  without any change but those that the study makes before it varies anything
    base      value of each metric without any change
    tornado   one-at-a-time: change, metric, at_low, at_base, at_high, swing (at_high - at_low), elasticity (relative
              change of the metric by the relative change of what is varied; blank where either has no size),
              status_low, status_high
    flips     decisions that are otherwise at an end: change, end (low, high), option, modules_base, modules
    samples   every sample: the position of each change (0 low, 1 high), status, metrics
    indices   lhs: rank correlation (Spearman) of each change and metric; sobol: first and total order with 95 %
              half-widths
    """

    study: Study
    instance: Instance
    base: Mapping[str, float]
    tornado: pd.DataFrame
    flips: pd.DataFrame
    samples: pd.DataFrame
    indices: pd.DataFrame
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        tables = {"tornado": self.tornado, "flips": self.flips, "indices": self.indices, "samples": self.samples}
        found: dict[str, Any] = {
            "schema": 1,
            "instance": {
                "name": self.instance.name,
                "title": self.instance.title,
                "sha256": self.instance.sha256,
            },
            "title": self.study.title,
            "method": self.study.method,
            "complete": self.complete,
            "base": {k: None if v != v else v for k, v in self.base.items()},
        }
        for name, table in tables.items():
            found[name] = [{k: None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]
        return found

    def write(self, folder: str | Path, overwrite: bool = False, more: Mapping[str, str] | None = None) -> Path:
        """Write the tables as CSV and sensitivity.json; ``more`` holds other files by name, such as a chart."""
        from ...runs.folder import write_folder
        from ...runs.tables import to_csv

        tables = {"tornado": self.tornado, "flips": self.flips, "indices": self.indices, "samples": self.samples}
        files = {f"{name}.csv": to_csv(table) for name, table in tables.items() if len(table.columns)}
        files.update(more or {})
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"
        return write_folder(Path(folder), files, MANIFEST, lambda: text, overwrite)

    def __str__(self) -> str:
        lines = [self.study.title or f"{self.study.method} study of {self.study.instance}"]
        for metric in self.study.metrics:
            lines.append(f"{metric}: {_said(self.base[metric])} as it is")
            if self.study.method == "one-at-a-time":
                lines += self._bars(metric)
            elif len(self.indices):
                rows = self.indices[self.indices["metric"] == metric]
                key = "rank_correlation" if self.study.method == "lhs" else "total"
                for r in rows.sort_values(key, ascending=False, key=abs).to_dict("records"):
                    more = "" if self.study.method == "lhs" else f" (first {r['first']:.2f})"
                    lines.append(f"  {r['change']:<40} {key.replace('_', ' ')} {r[key]:+.2f}{more}")
        if len(self.flips):
            lines.append("Decisions that flip:")
            for (change, end), rows in self.flips.groupby(["change", "end"], sort=False):
                words = [f"{'+' if r.modules > r.modules_base else '-'}{r.option}" for r in rows.itertuples()]
                more = f" and {len(words) - 6} more" if len(words) > 6 else ""
                lines.append(f"  {change}, {end}: {', '.join(words[:6])}{more}")
        if not self.complete:
            lines.append("Interrupted: the samples solved so far.")
        return "\n".join(lines)

    def _bars(self, metric: str, width: int = 21) -> list[str]:
        rows = self.tornado[self.tornado["metric"] == metric]
        rows = rows.reindex(rows["swing"].abs().sort_values(ascending=False, na_position="last").index)
        ends = rows[["at_low", "at_high", "at_base"]].to_numpy().ravel()
        ends = [e for e in ends if e == e]
        low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
        lines = []
        for r in rows.itertuples():
            bar = [" "] * width
            if high > low and r.at_low == r.at_low and r.at_high == r.at_high:
                a, b = (round((x - low) / (high - low) * (width - 1)) for x in (r.at_low, r.at_high))
                for k in range(min(a, b), max(a, b) + 1):
                    bar[k] = "="
                bar[round((r.at_base - low) / (high - low) * (width - 1))] = "|"
            e = "" if r.elasticity != r.elasticity else f"  elasticity {r.elasticity:+.2f}"
            lines.append(f"  {r.change:<34} {_said(r.at_low):>11} {''.join(bar)} {_said(r.at_high):<11}{e}")
        return lines


def _said(value: float) -> str:
    return "no plan" if value != value else figure_of(value, 5)
