"""The instances that come with the planner: wherever an instance is asked for, the name of one is enough."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from .reading import SETTINGS_FILE

NAME = re.compile(r"[\w-]+")


def folder_of_examples() -> Path:
    """Return the folder that holds them: in the package, or beside it where the planner runs from its repository."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "instances"
    return inside if inside.is_dir() else package.parent / "instances"


def examples() -> dict[str, str]:
    """Return the name and the title of each instance that comes with the planner.

    >>> examples()["tiny"]
    'Tiny: one buyer, China or a plant at home'
    """
    found = sorted(folder_of_examples().glob(f"[!.]*/{SETTINGS_FILE}"))  # hidden folders are half-written ones
    settings = {path.parent.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in found}
    return {name: str(of.get("title") or of.get("name") or name) for name, of in settings.items()}


def example_folder(name: str) -> Path | None:
    """Return the folder of the example of this name, None if there is none."""
    folder = folder_of_examples() / name if NAME.fullmatch(name) else None
    return folder if folder is not None and (folder / SETTINGS_FILE).is_file() else None


def located(path: str | Path) -> Path:
    """Return the folder that is meant: the one at the path or, if there is none, the example of that name."""
    example = example_folder(str(path))
    return Path(path) if example is None or Path(path).exists() else example
