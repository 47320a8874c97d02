"""An explanation as it is told: tables and text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...runs.folder import write_folder

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance


MANIFEST = "explain.json"


FRAMES = ("binding", "premiums", "projects", "entry", "earnings", "bottlenecks", "price_support")


@dataclass(frozen=True)
class Explanation:
    """Why a plan is as it is; one frame per question, each number with how it was obtained.

    binding        limits that bind, the most valuable first: kind, name, country, year (0: whole horizon), unit,
                   worth_musd (present value that one unit more saves), how, says
    premiums       clean less exposed price, USD/kg, by material, country and year; blank with a note if one has none
    projects       every option: what it costs and earns (present values, MUSD), value_musd (cost without it less cost
                   of the plan, with the range that the solver's gap leaves), project_value_musd (without
                   ``also_without`` too: the other options of its facility or exclusive group), cost_if_built_musd
    entry          what each option that is not built lacks: change, threshold, unit, how
    earnings       built options by year, undiscounted MUSD: value of the capacity by duals, annuity, fixed O&M
    bottlenecks    by year and provenance: materials ranked by what 1 % more of all that makes or sells them is worth
    price_support  built options by year: levelised cost against a market price, USD/kg, and MUSD a year of support
    objective_musd of the plan with these builds
    of             digest of the plan, see `Run.digest`
    complete       whether everything asked for was solved; ``notes`` tell what was not
    """

    instance: Instance
    objective_musd: float
    binding: pd.DataFrame
    premiums: pd.DataFrame
    projects: pd.DataFrame
    entry: pd.DataFrame
    earnings: pd.DataFrame
    bottlenecks: pd.DataFrame
    price_support: pd.DataFrame
    complete: bool
    notes: tuple[str, ...]
    seconds: float
    of: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The content of explain.json: the frames as lists of rows, blanks as None."""
        return {
            "schema": 1,
            "instance": {"name": self.instance.name, "title": self.instance.title, "sha256": self.instance.sha256},
            "of": self.of,
            "objective_musd": self.objective_musd,
            "complete": self.complete,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
            **{name: _rows(getattr(self, name)) for name in FRAMES},
        }

    def to_json(self) -> str:
        """explain.json as text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write a folder with a CSV file per frame and explain.json, all of it or nothing."""
        from ...runs.tables import to_csv

        files = {}
        for name in FRAMES:
            table = getattr(self, name).astype(object)
            files[f"{name}.csv"] = to_csv(table.where(table.notna(), None))
        return write_folder(Path(folder), files, MANIFEST, self.to_json, overwrite)

    def __str__(self) -> str:
        from .text import text

        return text(self)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    blank = frame.isna()
    columns = [
        [None if none else v for v, none in zip(frame[c].astype(object).tolist(), blank[c], strict=True)] for c in frame
    ]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)]
