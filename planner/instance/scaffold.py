"""Writes a new instance to start from: small, valid and solvable, with every table and all its columns."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path

from ..arguments import checked
from ..errors import OutputError
from .loading import load
from .reading import SETTINGS_FILE
from .tables import TABLES, columns, describe

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
def new(folder: str | Path, base: str | Path | None = None) -> Path:
    """Write a new instance into ``folder``, which must not exist or be empty.

    base  folder of another instance: the new one is an overlay of it, without rows of its own; None: a small example
    Raises OutputError if there is something in the folder, InstanceError if the base is not valid.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} is not empty; choose another folder")
    name = target.resolve().name
    if base is None:
        files = {SETTINGS_FILE: _SETTINGS.format(name=_toml(name))}
        files |= {f"{table}.csv": _table(table) for table in TABLES}
        files["README.md"] = _readme(name)
    else:
        load(base)
        relative = Path(os.path.relpath(Path(base).resolve(), target.resolve())).as_posix()
        files = {SETTINGS_FILE: _OVERLAY.format(name=_toml(name), base=_toml(relative))}
        files["README.md"] = f"# {name}\n\nOverlay of `{relative}`: what is different, why, and what came out.\n"
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (target / file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from error
    return target


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
