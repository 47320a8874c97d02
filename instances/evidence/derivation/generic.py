"""Unnamed projects: what comes after the announced ones. Continuous, and paced, because nobody builds ten plants a year in one country.

Announced projects end at 81 kt of magnets and 44 kt of Nd-Pr oxide; allied demand of 2040 needs 180 kt and 80 kt. Without unnamed mines and plants
prices explode after 2036 as an artefact of the project list; without pace limits whole industries start in the first year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .book import Book
from .chain import down, up
from .facts import Fact, cite, table
from .magnets import STANDARD, WITH_LEAN, operations
from .metal import HEAVIES, NDPR, opex
from .money import WACC_WHY, wacc
from .plants import FIRST, LAST
from .recycling import ALL_FEED, COLLECTED_SPLIT, OXIDE_PER_FEED, PER_OXIDE, SWARF


@dataclass(frozen=True)
class Generic:
    """One kind of unnamed plant; one module may start per country and year."""

    kind: str
    name: str
    countries: tuple[str, ...]
    module_t: float
    capex_per_t: Mapping[str, float]  # MUSD per t/y; "" is everywhere else
    lead: int
    ramp: int
    life: int
    why: str
    facts: tuple[Fact, ...]


GENERICS: tuple[Generic, ...] = (
    Generic("magnets", "Unnamed magnet plants", ("USA", "JPN", "KOR", "EUU", "GBR", "IND", "VNM", "MYS"), 2000,
            {"": 0.110, "JPN": 0.055, "KOR": 0.055, "IND": 0.055, "VNM": 0.040, "MYS": 0.050}, 4, 4, 20,
            "one plant of 2 kt may start per country and year; 30 months to first output and 12-24 months of qualification",
            (down("syc-capex-planning-us"), down("syc-capex-shin"), down("syc-capex-india"), down("syc-lead-planning"))),
    Generic("metal", "Unnamed Nd-Pr metal plants", ("USA", "JPN", "KOR", "EUU", "GBR", "IND", "VNM", "MYS"), 1000,
            {"": 0.035, "JPN": 0.020, "KOR": 0.020, "IND": 0.020, "VNM": 0.020, "MYS": 0.020}, 3, 3, 20,
            "one plant of 1 kt may start per country and year; 20 k$ per t in Asia between syc-capex-metal-asm and the planning value",
            (down("syc-capex-metal-planning"), down("syc-capex-metal-asm"), down("syc-lead-metal"))),
    Generic("heavy-metal", "Unnamed Dy and Tb metal plants", ("USA", "JPN", "KOR", "EUU"), 100, {"": 0.6}, 3, 3, 20,
            "one plant of 100 t may start per country and year; half of the capex per tonne of the first US plant",
            (down("syc-capex-metal-hree"), down("syc-lead-metal"))),
    Generic("light", "Unnamed light separation", ("USA", "AUS", "MYS", "EUU", "CAN", "JPN", "KOR", "IND", "BRA"), 1000, {"": 0.120}, 5, 4, 25,
            "one plant of 1 kt Nd-Pr oxide may start per country and year; planning and building take five years, ramp four",
            (up("Y046"), up("Y045"), up("Y070"))),
    Generic("heavy", "Unnamed heavy separation", ("USA", "AUS", "MYS", "EUU", "CAN", "JPN", "BRA"), 100, {"": 0.600}, 5, 4, 25,
            "one plant of 100 t Dy+Tb oxide may start per country and year; between the add-on circuits of Lynas and MP", (up("Y054"), up("Y055"), up("Y070"))),
    Generic("recycler", "Unnamed recyclers", ("USA", "EUU", "JPN", "KOR", "IND", "GBR", "VNM", "MYS"), 2000, {"": 0.055}, 3, 3, 15,
            "one plant of 2 kt of feed may start per country and year", (down("syc-capex-rec-cyc-sc"), down("syc-capex-rec-ionic"), down("syc-lead-rec"))),
)  # fmt: skip

MINE_LEAD, MINE_RAMP = 8, 4


@dataclass(frozen=True)
class GenericMine:
    """An unnamed mine, by the mass of rare earths; composition of a deposit of the facts."""

    kind: str
    name: str
    like: str  # row of mines.csv
    countries: tuple[str, ...]
    module_t: float  # t REO
    capex_per_t: float  # MUSD per t/y REO
    opex: float  # USD per t REO
    facts: tuple[Fact, ...]
    why: str


MINES: tuple[GenericMine, ...] = (
    GenericMine("light-mine", "Unnamed light mines", "M_AUS_MTWELD", ("AUS", "BRA", "CAN", "USA", "ZAF", "MWI", "IND"), 5000, 0.023, 8_000,
                (up("Y052"), up("Y057"), up("Y070"), up("Y071")),
                "1.15 kt Nd-Pr a year per mine at 100 k$ per t (Mt Weld expansion 74, greenfield dearer) and 8 USD per kg REO, "
                "so that mine and separation need the 80 USD per kg Nd-Pr of Y071"),
    GenericMine("heavy-mine", "Unnamed ionic clay mines", "M_BRA_CARINA", ("AUS", "BRA", "CAN", "MYS", "ZAF"), 2500, 0.151, 27_000,
                (up("Y059"), up("Y024"), up("Y070")), "about 100 t Dy+Tb a year per mine, cost and grade of Carina"),
)  # fmt: skip


def _add(book: Book, key: str, name: str, country: str, ops: Mapping[str, float], about: dict[str, str], option: dict[str, object],
         per_t: Mapping[str, float] | None = None) -> None:  # fmt: skip
    book.add("facilities", facility=key, name=name, country=country, status="candidate", **about)
    for process, usd in ops.items():
        book.add(
            "operations",
            facility=key,
            process=process,
            opex_usd_per_t=round(usd, 1),
            capacity_per_t=(per_t or {}).get(process),
            **about,
        )
    lead = int(str(option["lead_years"]))
    book.add(
        "options", option=key, facility=key, name=name, integer=False, max_per_year=1, max_modules=LAST - lead - FIRST + 1, first_start=FIRST,
        last_start=LAST - lead, **option, **about,
    )  # fmt: skip


def _operations(kind: str, country: str) -> dict[str, float]:
    match kind:
        case "magnets":
            return operations(country, WITH_LEAN if country == "JPN" else STANDARD)
        case "metal":
            return {NDPR: opex(country, NDPR)}
        case "heavy-metal":
            return {p: opex(country, p) for p in HEAVIES}
        case "light":
            return {"sep-light": 40_000.0}
        case "heavy":
            return {"sep-heavy": 80_000.0}
        case _:
            return {
                p: 1000 * PER_OXIDE * OXIDE_PER_FEED[p] for p in (ALL_FEED if country in COLLECTED_SPLIT else SWARF)
            }


def generics(book: Book) -> None:
    """All unnamed plants and mines."""
    for g in GENERICS:
        about = cite(*g.facts, assumed=f"{g.why}; {WACC_WHY}; opex as in named plants of the country")
        for c in g.countries:
            _add(book, f"unnamed-{g.kind}-{c.lower()}", f"{g.name}, {c}", c, _operations(g.kind, c), about, {
                "module_t": g.module_t, "capex_musd": round(g.module_t * g.capex_per_t.get(c, g.capex_per_t[""]), 1), "lead_years": g.lead, "ramp_years": g.ramp,
                "life_years": g.life, "wacc": wacc(c),
            })  # fmt: skip
    for mine in MINES:
        deposit = table("mines")[mine.like]
        process = f"mine-unnamed-{mine.kind}"
        about = cite(
            *mine.facts,
            deposit,
            assumed=f"{mine.why}; composition of {mine.like}; one mine may start per country and year; lead 8, ramp 4; {WACC_WHY}",
        )
        book.add("processes", process=process, name=mine.name, restores_provenance=False, **about)
        heavy = deposit.number("dy_share") + deposit.number("tb_share")
        book.add(
            "recipes",
            process=process,
            material="lre_conc",
            role="output",
            t_per_t=deposit.number("ndpr_share"),
            **about,
        )
        book.add("recipes", process=process, material="hre_conc", role="output", t_per_t=round(heavy, 6), **about)
        for c in mine.countries:
            _add(book, f"unnamed-{mine.kind}-{c.lower()}", f"{mine.name}, {c}", c, {process: mine.opex}, about, {
                "module_t": mine.module_t, "capex_musd": round(mine.module_t * mine.capex_per_t, 1), "lead_years": MINE_LEAD, "ramp_years": MINE_RAMP,
                "life_years": 25, "wacc": wacc(c, mine=True),
            })  # fmt: skip
