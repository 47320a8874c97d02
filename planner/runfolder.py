"""A run's folder (contract §5): written whole or not at all, and read back."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import OutputError
from .tables import BRANCH_TABLES, COLUMNS, from_csv, to_csv

if TYPE_CHECKING:
    import pandas as pd

    from .plan import Plan

MANIFEST = "plan.json"


@dataclass(frozen=True)
class Run:
    """A run read back: ``plan`` is plan.json, ``tables`` and ``branches`` are frames by their names."""

    path: Path
    plan: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    branches: dict[str, dict[str, pd.DataFrame]]


def check_target(folder: Path, force: bool) -> None:
    """Raise OutputError if a run may not be written to ``folder``."""
    if not folder.exists() and not folder.is_symlink():
        return
    if not force:
        raise OutputError(f"{folder} exists; choose another folder, or --force to replace the run in it")
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file()):
        raise OutputError(f"{folder} is not a run's folder, so it is not replaced")


def write_run(plan: Plan, folder: Path, force: bool = False) -> Path:
    """Write everything to a sibling folder first, plan.json last, and rename it: a killed run leaves no ``folder``."""
    check_target(folder, force)
    started = time.perf_counter()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        for name, table in plan.tables.items():
            _write(temporary / f"{name}.csv", to_csv(table))
        for scenario, tables in plan.branches.items():
            (temporary / "branches" / scenario).mkdir(parents=True)
            for name, table in tables.items():
                _write(temporary / "branches" / scenario / f"{name}.csv", to_csv(table))
        seconds = plan.plan["seconds"]
        written = time.perf_counter() - started
        seconds["total"] = round(seconds["total"] - seconds["write"] + written, 3)
        seconds["write"] = round(written, 3)
        _write(temporary / MANIFEST, plan.to_json())
        temporary.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
            folder.rename(old / "run")
            temporary.rename(folder)
            shutil.rmtree(old)
        else:
            temporary.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        if temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_run(folder: str | Path) -> Run:
    """Read a run's folder. Raises OutputError if it is not whole."""
    path = Path(folder)
    if not (path / MANIFEST).is_file():
        raise OutputError(f"{path} is not a run's folder: it has no {MANIFEST}")
    try:
        plan = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        tables = {name: from_csv(name, _read(path / f"{name}.csv")) for name in COLUMNS}
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
