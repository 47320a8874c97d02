"""Grows an instance: more elements, more countries, more scenarios, all copies of its own, for `run.py --grown`.

An element is a copy of all materials with their processes, plants, options, markets and demand: nothing flows from one
to the other, but caps and sectors hold for both. A country is a copy of each country with its plants and its demand;
goods flow from every copy to every other, on the lanes of the originals. A scenario stops what the countries of concern
export in one year, and its branch runs to the end of the horizon.

The figures of a grown instance are those of the original, so that it is as hard as the original is; it answers no
question about the world.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

from planner.instance.tables import TABLES, columns

OF_ELEMENT = frozenset({"materials", "processes", "facilities", "options", "markets", "stockpiles", "funds"})
OF_COUNTRY = frozenset({"countries", "facilities", "options", "markets", "stockpiles", "funds"})
LEFT_OUT = ("evidence",)  # it names cells by text

Rows = list[dict[str, str]]
Tables = dict[str, Rows]


def grow(base: Path, folder: Path, elements: int, places: int, scenarios: int) -> Path:
    """Write ``base`` with so many copies of its elements and countries, and so many scenarios; return the folder."""
    tables = _copied(_copied(_read(base), OF_ELEMENT, elements, "e"), OF_COUNTRY, places, "c")
    toml = (base / "instance.toml").read_text(encoding="utf-8")
    concern = re.findall(r'"([^"]+)"', toml.split("countries_of_concern")[1].split("]")[0])
    of_concern = [_name(country, n, "c") for n in range(places) for country in concern]
    toml = re.sub(r"countries_of_concern = \[.*?\]", f"countries_of_concern = {of_concern}".replace("'", '"'), toml)
    years = sorted(int(y) for y in re.findall(r"\d{4}", toml.split("years = [")[1].split("]")[0]))
    for n in range(scenarios):
        year = str(years[2 + n % (len(years) - 4)])
        tables.setdefault("scenarios", []).append(
            {"scenario": f"stop-{n}", "name": f"Exports stop in {year}, {n}", "probability": str(0.5 / scenarios)}
            | {"first_year": year, "last_year": year}
        )
        tables.setdefault("disruptions", []).extend(
            {"scenario": f"stop-{n}", "kind": "export_stop", "country": country, "fraction": "1"}
            for country in of_concern
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instance.toml").write_text(toml, encoding="utf-8")
    for table, rows in tables.items():
        names = list(dict.fromkeys(name for row in rows for name in row))
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def _read(base: Path) -> Tables:
    tables: Tables = {}
    for table in TABLES:
        path = base / f"{table}.csv"
        if table not in LEFT_OUT and path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                tables[table] = list(csv.DictReader(file))
    return tables


def _copied(tables: Tables, kinds: frozenset[str], times: int, mark: str) -> Tables:
    """Return all rows, and copies of those that are of a kind or refer to one, with other names in these cells."""
    result: Tables = {}
    for table, rows in tables.items():
        names = [name for name, column in columns(table).items() if _renamed(table, name, column.refers, kinds)]
        result[table] = [copy for row in rows for copy in _copies(row, names, times, mark)]
    return result


def _renamed(table: str, name: str, refers: Iterable[str], kinds: frozenset[str]) -> bool:
    own = table in kinds and (name in TABLES[table].KEY or name == "exclusive_group")
    return own or bool(kinds.intersection(refers))


def _copies(row: dict[str, str], names: list[str], times: int, mark: str) -> Iterator[dict[str, str]]:
    """Yield a row and its copies: one for each copy of what it names, on a lane one for each pair of its ends."""
    named = [name for name in names if row.get(name) not in (None, "", "*")]
    ends = [name for name in named if name in ("origin", "destination")]
    for copies in product(range(times), repeat=len(ends) or min(1, len(named))):
        of_end = dict(zip(ends, copies, strict=False))
        yield row | {name: _name(row[name], of_end.get(name, copies[0]), mark) for name in named}


def _name(key: str, n: int, mark: str) -> str:
    return f"{key}-{mark}{n + 1}" if n else key
