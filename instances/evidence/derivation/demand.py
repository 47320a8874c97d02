"""Demand for finished magnets by region, sector and grade."""

from __future__ import annotations

from .book import Book
from .facts import Number, parameter, read, table

ALLOCATED = "allocation_ipf"  # the method of the rows that split the world's demand
GRADES = {"mag_n": "N/M", "mag_sh": "H/SH", "mag_uh": "UH/EH"}
_WHY = (
    "direct use by makers of motors and devices in the region; region totals times sector totals, allocated proportionally, times the grade mix; "
    "fact: demand.csv allocation_ipf rows of {sectors}, grade_mix.csv"
)


def regions(world: bool = False) -> dict[str, str]:
    """Region of demand.csv -> country of the instances; without ``world`` the allied buyers only."""
    found: dict[str, str] = {}
    for row in read("demand"):
        if row["method"] == ALLOCATED:
            place = table("regions").get(row["region"])
            country = table("countries")[row["region"] if place is None else place["country"]]
            if world or country["bloc"] == "allied":
                found[row["region"]] = country.id
    return found


def years() -> tuple[str, ...]:
    """The years of the facts in which a plan can use a number: from the one before its first year on."""
    found = {row["year"] for row in read("demand") if row["method"] == ALLOCATED}
    return tuple(sorted(year for year in found if int(year) >= parameter("first_year") - 1))


def series(region: str, sectors: tuple[str, ...], grade: str, year: str) -> tuple[Number, tuple[str, ...]]:
    """(tonnes of ``grade`` that ``sectors`` of ``region`` use in ``year``, the sources of the rows)."""
    tonnes, sources = Number(0), []
    for row in read("demand"):
        if row["method"] == ALLOCATED and row["region"] == region and row["sector"] in sectors and row["year"] == year:
            tonnes += row.number("demand_t") * table("grade_mix")[f"{row['sector']}/{grade}"].number("share")
            sources += [s for s in row.sources if s not in sources]
    return tonnes, tuple(sources)


def demand(book: Book, year: int | None = None) -> None:
    """``demand.csv``; a series between the years of the facts, or the whole world's demand of one year."""
    for region, country in regions(world=year is not None).items():
        for sector in read("sectors"):
            parts = sector.words("parts")
            for material, grade in GRADES.items():
                values = [(y, *series(region, parts, grade, y)) for y in (years() if year is None else (str(year),))]
                if not any(tonnes for _, tonnes, _ in values):
                    continue
                for y, tonnes, sources in values:
                    why = _WHY.format(sectors=", ".join(parts))
                    book.add(
                        "demand", country=country, sector=sector.id, material=material, year=int(y), demand_t=round(tonnes, 1),
                        source=";".join(sources), note=f"assumption: {why}",
                    )  # fmt: skip
