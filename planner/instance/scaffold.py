"""Writes a new instance to start from: small, valid and solvable, with every table and all its columns."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import checked
from ..errors import OutputError, UsageError
from .changes import Change, to_toml
from .examples import folder_of_examples, located
from .loading import based_on, load
from .reading import SETTINGS_FILE, is_data
from .sheets import is_book
from .tables import TABLES, columns, describe
from .workbook import files_of

if TYPE_CHECKING:
    from .instance import Instance

_SETTINGS = """\
schema = 1
name = "{name}"
title = "{name}"
description = "What is asked, of whom, and for which years."
stages = ["separation", "magnet"]        # the order of the chain

[time]
years = [2027, 2028, 2030]               # first calendar year of each period
last_period_years = 1                    # length of the last period

[finance]
currency = "USD"
price_year = 2025                        # all money in constant prices of this year
discount_rate = 0.05
wacc = 0.08                              # default cost of capital of an option

[security]
countries_of_concern = ["CHN"]
"""

_OVERLAY = """\
schema = 1
base = "{base}"                          # start from that instance; rows here replace or add to its rows
name = "{name}"
title = "{name}"
description = "What is different from the base, and why."
"""

_INVENTED = "assumption: an example; put a figure with its source here"

# the smallest chain that shows a choice: magnets from China, or pressed at home from home oxide once a plant is built
_ROWS: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "countries": (
        {"country": "CHN", "name": "China", "latitude": 35, "longitude": 103},
        {"country": "USA", "name": "United States", "latitude": 39, "longitude": -98},
    ),
    "materials": (
        {
            "material": "oxide",
            "name": "NdPr oxide",
            "stage": "separation",
            "strategic": "yes",
            "value_usd_per_t": 70000,
        },
        {
            "material": "magnet",
            "name": "NdFeB magnets",
            "stage": "magnet",
            "strategic": "yes",
            "value_usd_per_t": 60000,
            "surplus": "no",
        },
    ),
    "processes": ({"process": "separate", "name": "Separation"}, {"process": "press", "name": "Magnet making"}),
    "recipes": (
        {"process": "separate", "material": "oxide", "role": "output", "t_per_t": 1},
        {"process": "press", "material": "oxide", "role": "input", "t_per_t": 0.4},
        {"process": "press", "material": "magnet", "role": "output", "t_per_t": 1},
    ),
    "facilities": (
        {"facility": "separator", "name": "Separator", "country": "USA", "status": "operating", "capacity_t": 60},
        {"facility": "magnet-works", "name": "Magnet works", "country": "USA", "status": "candidate"},
    ),
    "operations": (
        {"facility": "separator", "process": "separate", "opex_usd_per_t": 50000},
        {"facility": "magnet-works", "process": "press", "opex_usd_per_t": 25000},
    ),
    "options": (
        {
            "option": "magnet-works-1",
            "facility": "magnet-works",
            "name": "First line",
            "module_t": 100,
            "capex_musd": 11,
            "lead_years": 1,
            "ramp_years": 2,
            "life_years": 20,
        },
    ),
    "lanes": ({"material": "magnet", "origin": "CHN", "destination": "USA", "cost_usd_per_t": 1000},),
    "sectors": ({"sector": "cars", "name": "Cars", "shortage_usd_per_t": 500000},),
    "demand": (
        {"country": "USA", "sector": "cars", "material": "magnet", "year": 2027, "demand_t": 100},
        {"country": "USA", "sector": "cars", "material": "magnet", "year": 2030, "demand_t": 130},
    ),
    "markets": ({"market": "china-magnet", "country": "CHN", "material": "magnet"},),
    "market_prices": ({"market": "china-magnet", "price_usd_per_t": 55000},),
    "caps": ({"cap": "half", "metric": "exposed_share", "first_year": 2030, "limit": 0.5},),
}


@checked
def new(
    folder: str | Path,
    base: str | Path | None = None,
    *,
    copy: str | Path | None = None,
    changes: Sequence[str] = (),
) -> Path:
    """Write a new instance into ``folder``, which must not exist or be empty.

    base     another instance, a folder or the name of an example: the new one is an overlay of it, without rows of its
             own; None: a small example
    copy     instead: an instance to copy with all its files
    changes  what-ifs that the overlay holds, such as ``"scale demand=1.3"``; see docs/what-if.md
    Raises OutputError if there is something in the folder, InstanceError if the base is not valid or cannot be changed
    so, UsageError for a change that cannot be read or matches nothing.
    """
    if base is not None and copy is not None:
        raise UsageError("an instance is an overlay of a base, or a copy: not both")
    if changes and base is None:
        raise UsageError("changes are those of an overlay: name its base")
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} is not empty; choose another folder")
    name = target.resolve().name
    if base is not None:
        found = load(base)
        if changes:
            found.what_if(*changes, name=name)  # so that nothing is written that cannot be loaded
        files = _overlay(name, base, target, changes)
    elif copy is not None:
        files = _copied(name, copy, target)
    else:
        files = {SETTINGS_FILE: _SETTINGS.format(name=_toml(name))}
        files |= {f"{table}.csv": _table(table) for table in TABLES}
        files["README.md"] = _readme(name)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (target / file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from error
    return target


def overlay(instance: Instance, name: str) -> dict[str, str]:
    """Return the files of an overlay that holds the what-ifs of an instance: file name -> text.

    name  of the overlay; its folder is taken to stand in the folder of now
    """
    if instance.path is None:
        raise UsageError("the instance was changed by a script, so it cannot be the base of an overlay")
    changes = [made.change for made in instance.changes if not made.place]
    return _overlay(name, instance.path, Path(name), changes)


def _overlay(name: str, base: str | Path, target: Path, changes: Sequence[str]) -> dict[str, str]:
    """Return the files of an overlay: file name -> text."""
    called = _reference(base, target)
    said = "what is different, why, and what came out." if not changes else "what if these changes were made?"
    return {
        SETTINGS_FILE: _OVERLAY.format(name=_toml(name), base=_toml(called)) + to_toml(map(Change.parse, changes)),
        "README.md": f"# {name}\n\nOverlay of `{called}`: {said}\n",
    }


def _copied(name: str, copy: str | Path, target: Path) -> dict[str, str]:
    """Return the files of a copy of an instance, with the name of its new folder: file name -> text."""
    load(copy)
    source = located(copy)
    try:
        if is_book(source):
            files = files_of(source, lambda line: None)
        else:
            files = {p.name: p.read_text(encoding="utf-8") for p in source.iterdir() if is_data(p) or p.suffix == ".md"}
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from error
    return files | {SETTINGS_FILE: _renamed(files[SETTINGS_FILE], name, source, target)}


def _renamed(settings: str, name: str, source: Path, target: Path) -> str:
    """Return the text of instance.toml with another name, and with its base as seen from ``target``."""

    def based(match: re.Match[str]) -> str:
        base = based_on(source, match["base"])
        return f'{match["key"]}"{_toml(_reference(base if base.exists() else match["base"], target))}"'

    settings = re.sub(r'(?m)^(?P<key>base\s*=\s*)"(?P<base>[^"]*)"', based, settings, count=1)
    return re.sub(r'(?m)^(name\s*=\s*)"[^"]*"', rf'\g<1>"{_toml(name)}"', settings, count=1)


def _reference(instance: str | Path, target: Path) -> str:
    """Return how the instance in the folder ``target`` names another: by the name of an example, or by a path."""
    folder = located(instance).resolve()
    if folder.parent == folder_of_examples().resolve() and not target.resolve().is_relative_to(folder.parent):
        return folder.name
    return Path(os.path.relpath(folder, target.resolve())).as_posix()


def _toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _table(table: str) -> str:
    """The header, with all columns in the order of the documentation, and the rows of the example."""
    header = [c for c in columns(table) if c not in ("source", "note", "active")] + ["source", "note"]
    header = [c for c in header if c in columns(table)]
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _ROWS.get(table, ()):
        writer.writerow({**row, **({"note": _INVENTED} if "note" in header else {})})
    return out.getvalue()


def _readme(name: str) -> str:
    lines = [
        f"# {name}",
        "",
        "Question, scope, main assumptions, weaknesses, what was left out, and the answer found.",
        "",
    ]
    lines += ["Every number here is an invented example. Replace each with a figure that names its source.", ""]
    lines += ["| table | what it holds |", "|---|---|"]
    lines += [f"| {t.name}.csv | {''.join(t.meaning.splitlines()[:1])} |" for t in describe()]
    lines += ["", "Check with `planner validate`, solve with `planner solve`.", ""]
    return "\n".join(lines)
