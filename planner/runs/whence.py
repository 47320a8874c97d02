"""Where a run comes from: its instance, found again and checked by its digest; and the digest of a plan itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InstanceError, UsageError
from .tables import to_csv

if TYPE_CHECKING:
    import pandas as pd

    from ..instance.instance import Instance
    from ..questions.solve import Plan
    from .run import Run


PLANNED = ("builds", "capacity", "activity", "flows", "purchases", "service", "stocks")  # what a plan decides


def digest_of(sha256: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """A plan as a digest: its instance's digest and what it decides. Results that are of one plan only carry it."""
    digest = hashlib.sha256(sha256.encode())
    for name in PLANNED:
        digest.update(to_csv(tables[name]).encode())
    return digest.hexdigest()


def instance_of(run: Run | Plan, folder: str | Path | None = None) -> Instance:
    """The instance a run was solved from.

    folder  where the instance lies; None: at the path that plan.json records (as it was given to ``load``), seen from
            the current folder and from every folder above the run
    Raises UsageError if it is not found, or is no longer what was solved; InstanceError if ``folder`` cannot be read.
    """
    from ..instance.instance import load

    asked = run.plan["instance"]
    if folder is not None:
        instance = load(folder)
        if instance.sha256 != asked["sha256"]:
            raise UsageError(f"{_of(run)} was not solved from {folder} as it is now{_difference(instance, asked)}")
        return instance
    changed = None
    for place in _places(run):
        try:
            instance = load(place)
        except InstanceError:
            changed = changed or place
            continue
        if instance.sha256 == asked["sha256"]:
            return instance
        changed = changed or place
    if changed is not None:
        raise UsageError(
            f"{changed} has changed since {_of(run)} was solved from it; solve it again, "
            f"or give the instance as it was with --instance FOLDER"
        )
    raise UsageError(f"the instance {asked['name']} of {_of(run)} is not found; say where it lies: --instance FOLDER")


def _places(run: Run | Plan) -> Iterator[Path]:
    """Existing folders the recorded path may mean, the likeliest first."""
    recorded = run.plan["instance"].get("path")
    if not recorded:
        return
    path = Path(recorded)
    home = getattr(run, "path", None)
    above = [] if home is None else Path(home).resolve().parents
    for start in (Path(), *above):
        if (start / path).is_dir():
            yield start / path
        if path.is_absolute():
            return


def _of(run: Run | Plan) -> str:
    path = getattr(run, "path", None)
    return "the plan" if path is None else str(path)


def _difference(instance: Instance, asked: dict[str, str]) -> str:
    if instance.name != asked["name"]:
        return f": the run is of {asked['name']}, the folder holds {instance.name}"
    return ": it has changed since; solve it again"
