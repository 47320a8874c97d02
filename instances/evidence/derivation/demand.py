"""Demand for finished magnets by region, sector and grade."""

from __future__ import annotations

from .book import Book
from .chain import SECTORS
from .facts import Fact, find, read

REGIONS = {"USA": "USA", "JPN": "JPN", "KOR": "KOR", "EU27": "EUU", "GBR": "GBR", "IND": "IND", "rest-of-allied": "RAL"}
YEARS = ("2025", "2030", "2035", "2040")
GRADES = {"mag_n": "N/M", "mag_sh": "H/SH", "mag_uh": "UH/EH"}
_WHY = (
    "direct use by makers of motors and devices in the region; region totals times sector totals, allocated proportionally, times the grade mix; "
    "fact: demand.csv allocation_ipf rows of {sectors}, grade_mix.csv"
)


def series(region: str, sectors: tuple[str, ...], grade: str, year: str) -> tuple[float, tuple[str, ...]]:
    """(tonnes of ``grade`` that ``sectors`` of ``region`` use in ``year``, the sources of the rows)."""
    tonnes, sources = 0.0, []
    for row in read("demand"):
        if (
            row["method"] == "allocation_ipf"
            and row["region"] == region
            and row["sector"] in sectors
            and row["year"] == year
        ):
            tonnes += float(row["demand_t"]) * find("grade_mix", sector=row["sector"], grade=grade).number("share")
            sources += [s for s in Fact("demand", "", row).sources if s not in sources]
    return tonnes, tuple(sources)


def demand(book: Book, regions: dict[str, str] = REGIONS, years: tuple[str, ...] = YEARS) -> None:
    """``demand.csv``; a series between the years of the facts."""
    for region, country in regions.items():
        for sector, _, _, parts, _ in SECTORS:
            for material, grade in GRADES.items():
                values = [(year, *series(region, parts, grade, year)) for year in years]
                if not any(tonnes for _, tonnes, _ in values):
                    continue
                for year, tonnes, sources in values:
                    why = _WHY.format(sectors=", ".join(parts))
                    book.add(
                        "demand", country=country, sector=sector, material=material, year=int(year), demand_t=round(tonnes, 1),
                        source=";".join(sources), note=f"assumption: {why}",
                    )  # fmt: skip
