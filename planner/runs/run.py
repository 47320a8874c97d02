"""A run's folder (contract §5): written whole or not at all, and read back."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OutputError
from .folder import check_folder, write_folder
from .tables import BRANCH_TABLES, COLUMNS, OTHER_COLUMNS, from_csv, to_csv

if TYPE_CHECKING:
    import pandas as pd

    from ..questions.solve import Plan

MANIFEST = "plan.json"


@dataclass(frozen=True)
class Run:
    """A run read back: ``plan`` is plan.json, ``tables`` and ``branches`` are frames by their names."""

    path: Path
    plan: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    branches: dict[str, dict[str, pd.DataFrame]]


def check_target(folder: Path, overwrite: bool) -> None:
    """Raise OutputError if a run may not be written to ``folder``."""
    check_folder(folder, MANIFEST, overwrite)


def write_run(plan: Plan, folder: Path, overwrite: bool = False) -> Path:
    """Write the tables, and plan.json last; everything or nothing."""
    started = time.perf_counter()
    files = files_of(plan)

    def finish() -> str:
        seconds = plan.plan["seconds"]
        written = time.perf_counter() - started
        seconds["total"] = round(seconds["total"] - seconds["write"] + written, 3)
        seconds["write"] = round(written, 3)
        return plan.to_json()

    return write_folder(folder, files, MANIFEST, finish, overwrite)


def files_of(plan: Plan) -> dict[str, str]:
    """The tables of a run's folder as text, by file name."""
    files = {f"{name}.csv": to_csv(table) for name, table in plan.tables.items()}
    for scenario, tables in plan.branches.items():
        files.update({f"branches/{scenario}/{name}.csv": to_csv(table) for name, table in tables.items()})
    return files


def read_run(folder: str | Path) -> Run:
    """Read a run's folder. Raises OutputError if it is not whole."""
    path = Path(folder)
    if not (path / MANIFEST).is_file():
        raise OutputError(f"{path} is not a run's folder: it has no {MANIFEST}")
    try:
        plan = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        tables = {name: from_csv(name, _read(path / f"{name}.csv")) for name in COLUMNS}
        others = [name for name in OTHER_COLUMNS if (path / f"{name}.csv").is_file()]
        tables.update({name: from_csv(name, _read(path / f"{name}.csv")) for name in others})
        branches = {}
        if (path / "branches").is_dir():
            for branch in sorted((path / "branches").iterdir()):
                branches[branch.name] = {name: from_csv(name, _read(branch / f"{name}.csv")) for name in BRANCH_TABLES}
    except FileNotFoundError as error:
        raise OutputError(f"{path} is not whole: {Path(error.filename).name} is missing") from error
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be read: {error}") from error
    if not isinstance(plan, dict):
        raise OutputError(f"{path / MANIFEST} does not hold a plan")
    return Run(path, plan, tables, branches)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()
