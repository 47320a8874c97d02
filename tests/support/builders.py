"""Small instances for tests: written as the tables a user would write."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

TOML = """\
schema = 1
name = "small"
stages = ["mining", "metal", "magnet"]
[time]
years = [2026, 2028, 2030]
last_period_years = 1
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0.05
wacc = 0.08
[security]
countries_of_concern = ["CHN"]
"""

# A chain of three stages in two allied countries and China; nothing in it is wrong or suspicious.
TABLES: dict[str, str] = {
    "countries": "country,name,bloc\nAAA,Aland,\nBBB,Bland,EUR\nCHN,China,\n",
    "materials": (
        "material,name,stage,strategic,value_usd_per_t,surplus\n"
        "ore,Ore,mining,yes,100,yes\n"
        "metal,Metal,metal,yes,1000,yes\n"
        "magnet,Magnet,magnet,yes,5000,no\n"
    ),
    "processes": "process,name\nmine,Mine\nsmelt,Smelt\npress,Press\n",
    "recipes": (
        "process,material,role,t_per_t\n"
        "mine,ore,output,1\n"
        "smelt,ore,input,2\n"
        "smelt,metal,output,1\n"
        "press,metal,input,1.2\n"
        "press,magnet,output,1\n"
    ),
    "facilities": (
        "facility,name,country,status,capacity_t\n"
        "pit,Pit,AAA,operating,1000\n"
        "works,Works,CHN,operating,500\n"
        "shop,Shop,BBB,operating,300\n"
        "site,Site,AAA,candidate,0\n"
    ),
    "operations": "facility,process,opex_usd_per_t\npit,mine,50\nworks,smelt,200\nshop,press,900\nsite,press,800\n",
    "options": (
        "option,facility,name,module_t,capex_musd,life_years,lead_years\n"
        "first,site,First,50,5,10,1\n"
        "second,site,Second,100,9,10,1\n"
    ),
    "lanes": ("material,origin,destination,cost_usd_per_t,first_year,last_year\n*,*,*,20,,\nore,AAA,CHN,10,,\n"),
    "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,90000\n",
    "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2026,100\nAAA,cars,magnet,2030,200\n",
    "markets": "market,country,material\nspot,BBB,metal\n",
    "market_prices": "market,year,price_usd_per_t,max_t\nspot,2026,1500,40\nspot,2030,1600,60\n",
}


def write_instance(
    folder: Path, tables: Mapping[str, str | Sequence[Mapping[str, object]]] | None = None, toml: str = TOML
) -> Path:
    """Write an instance into ``folder``: tables as CSV text or as rows, and instance.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instance.toml").write_text(toml, encoding="utf-8")
    for name, table in (TABLES if tables is None else tables).items():
        content = table if isinstance(table, str) else _csv(table)
        (folder / f"{name}.csv").write_text(content, encoding="utf-8", newline="")
    return folder


def edited(table: str, line: int, **cells: object) -> str:
    """A table above with some cells of one line replaced; columns that it lacks are added."""
    rows: list[dict[str, object]] = list(csv.DictReader(io.StringIO(TABLES[table])))  # type: ignore[arg-type]
    rows[line - 2].update(cells)
    return _csv(rows)


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(str(row.get(name, "")) for name in header) for row in rows]
    return "\n".join([",".join(header), *lines]) + "\n"
