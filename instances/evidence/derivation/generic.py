"""Unnamed projects: what comes after the announced ones. Continuous, and paced, because nobody builds ten plants a year in one country; no surer and no better
used than announced plants of the same kind.

Announced projects end at 81 kt of magnets and 44 kt of Nd-Pr oxide; allied demand of 2040 needs 180 kt and 80 kt. Without unnamed mines and plants
prices explode after 2036 as an artefact of the project list; without pace limits whole industries start in the first year.
"""

from __future__ import annotations

from collections.abc import Mapping

from .book import Book
from .chain import HEAVY_ORE, LONG_LOOP, down, oxide_per_feed
from .facts import Fact, Number, assume, cite, named, read, table
from .magnets import makes, operations
from .metal import HEAVIES, NDPR, opex
from .money import WACC_WHY, success, wacc
from .plants import FIRST, LAST
from .recycling import collectors

ONE_BY_ONE = (
    "each of the plants that nobody has announced comes or fails by itself. What those of a country and kind have in common, such as permits, "
    "a technology or buyers, may make them fail together (common_cause); no source tells how much"
)
SWARF = ("rec-swarf-n", "rec-swarf-h")


def _add(book: Book, kind: Fact, country: str, capex_per_t: Number, ops: Mapping[str, Number], about: dict[str, str]) -> None:  # fmt: skip
    """An unnamed plant of a kind in a country; one module may start a year, usable as far as named plants of its kind."""
    key, name, lead = f"unnamed-{kind.id}-{country.lower()}", f"{kind['name']}, {country}", kind.number("lead_years")
    book.add("facilities", facility=key, name=name, country=country, status="candidate", **about)
    for process, usd in ops.items():
        book.add("operations", facility=key, process=process, opex_usd_per_t=round(usd, 1), **about)
    nameplate = kind.number("module_t")
    usable = table("kinds")[kind["usable_as"]].number("usable")
    book.add(
        "options", option=key, facility=key, name=name, module_t=round(usable * nameplate, 1), max_modules=LAST - lead - FIRST + 1, max_per_year=kind.number("max_per_year"), integer=False,
        capex_musd=round(nameplate * capex_per_t, 1), lead_years=lead, ramp_years=kind.number("ramp_years"), life_years=kind.number("life_years"),
        first_start=FIRST, last_start=LAST - lead, wacc=wacc(country, mine=bool(kind["like"])),
        success_probability=success(kind["success"]), **about,
    )  # fmt: skip
    book.add("delivery_risk", option=key, projects="one", apart=True, **assume(ONE_BY_ONE))


def _operations(kind: Fact, country: str, place: Fact) -> dict[str, Number]:
    match kind.id:
        case "magnets":
            return operations(country, makes(place))
        case "metal":
            return {NDPR: opex(country, NDPR)}
        case "heavy-metal":
            return {p: opex(country, p) for p in HEAVIES}
        case "light":  # its front end is built for the ore that the country gets
            return dict.fromkeys(place.words("processes"), 1000 * kind.number("opex_usd_per_kg"))
        case "heavy":
            return {"sep-heavy": 1000 * kind.number("opex_usd_per_kg")}
        case _:
            feeds = (*SWARF, "rec-eol") if country in collectors() else SWARF
            return {p: 1000 * down(LONG_LOOP).number("value") * oxide_per_feed(p) for p in feeds}


def generics(book: Book) -> None:
    """All unnamed plants and mines."""
    where = read("unnamed_countries")
    for kind in read("unnamed"):
        as_named = table("kinds")[kind["usable_as"]]["why_usable"]
        facts = tuple(named(fact) for fact in kind.words("facts"))
        if kind["like"]:
            deposit = table("mines")[kind["like"]]
            process = f"mine-unnamed-{kind.id}"
            about = cite(
                *facts,
                deposit,
                assumed=f"{kind['why']}; composition of {deposit.id}; one mine may start per country and year; "
                f"lead {kind['lead_years']}, ramp {kind['ramp_years']}; {as_named}; {WACC_WHY}",
            )
            book.add("processes", process=process, name=kind["name"], restores_provenance=False, **about)
            heavy = deposit.number("dy_share") + deposit.number("tb_share")
            for material, share in ((kind["ore"], deposit.number("ndpr_share")), (HEAVY_ORE, round(heavy, 6))):
                book.add("recipes", process=process, material=material, role="output", t_per_t=share, **about)
        else:
            about = cite(
                *facts,
                assumed=f"{kind['why']}; {as_named}; {WACC_WHY}; opex and chance of success as of announced plants",
            )
        for row in where:
            if row["kind"] == kind.id:
                country = row["country"]
                ops = (
                    {process: 1000 * kind.number("opex_usd_per_kg")}
                    if kind["like"]
                    else _operations(kind, country, row)
                )
                capex = (
                    named(row["capex_fact"]).number("value") / 1e6
                    if row["capex_fact"]
                    else row.number("capex_musd_per_t")
                )
                _add(book, kind, country, capex, ops, about)
