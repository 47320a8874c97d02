"""Magnet makers outside China."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .chain import LEAN, MAGNET_RECIPES
from .facts import Fact, table
from .metal import CAPEX_METAL
from .mining import country, name, ran
from .plants import Loan, Plant, add

CONVERSION = {  # USD per kg finished N magnet, without capital: syc-conv-magnet-*
    "CHN": 12, "VNM": 15, "KOR": 17, "MYS": 17, "IND": 18, "JPN": 25, "USA": 28, "EUU": 28, "GBR": 28, "CAN": 28,
}  # fmt: skip
SHORT_LOOP = 19.6  # USD per kg, syc-rec-opex-short

STANDARD = tuple(r.process for r in MAGNET_RECIPES if r.process not in LEAN)
WITH_LEAN = tuple(r.process for r in MAGNET_RECIPES)
SHORT = ("rec-short",)
BLOCK_FINISHED = {"mg-est-neo1": 0.75, "mg-est-neo2": 0.75, "mg-vnm-shinetsu": 0.72}


@dataclass(frozen=True)
class Maker:
    """A row of magnets.csv."""

    key: str
    fact: str
    committed: bool = False
    status: str = "candidate"
    first_year: int | None = None
    ramp: int | None = None
    recipes: tuple[str, ...] = STANDARD
    min_use: float | None = None
    min_use_until: int | None = None
    capex: float | None = None
    metal_tonnes: float = 0  # captive metal whose capex is split off
    loan: tuple[str, ...] = ()  # deals that pay: loan first
    success: str = "announced_feasibility_stage"
    private: float | None = None
    derate: float | None = None
    why: str = ""


_QUALIFIED = "customers have qualified it and do not leave for a price: at least 75 per cent used"
_JAPAN = (
    "tonnage inferred from output, so not derated; Japan bought only 2.3-3.0 kt of its 15 kt from China in 2025 (demand.csv JPN imports_from_china), after 25 years of "
    "paying for other sources: at least 85 per cent used"
)
_PLANNING = "capex at the planning value of 110 k$ per t (syc-capex-planning-us)"
MAKERS: tuple[Maker, ...] = (
    Maker("shin-etsu-takefu", "mg-jpn-shinetsu", True, "operating", min_use=0.85, derate=1, why=_JAPAN),
    Maker("proterial-japan", "mg-jpn-proterial", True, "operating", recipes=WITH_LEAN, min_use=0.85, derate=1, why=_JAPAN),
    Maker("tdk-japan", "mg-jpn-tdk", True, "operating", min_use=0.85, derate=1, why=_JAPAN),
    Maker("daido-nakatsugawa", "mg-jpn-daido", True, "operating", 2024, 4, recipes=WITH_LEAN, min_use=0.85, derate=1, why=f"500 t/y doubling by 2027: ramp from 2024; {_JAPAN}"),
    Maker("daido-plp", "mg-jpn-daido-plp", True, "operating"),
    Maker("shin-etsu-hai-phong-magnets", "mg-vnm-shinetsu", True, "operating", min_use=0.75, why=f"blocks, x 0.72 finished; {_QUALIFIED}"),
    Maker("sgi-vina", "mg-vnm-sgi", True, "operating", 2025, 3, min_use=0.75, why=_QUALIFIED),
    Maker("sgi-korea", "mg-kor-sgi", True, "operating"),
    Maker("js-link-yesan", "mg-kor-jslink", True, "operating", 2025, 3),
    Maker("vac-hanau", "mg-deu-vac", True, "operating", min_use=0.75, why=_QUALIFIED),
    Maker("neorem-ulvila", "mg-fin-neorem", True, "operating"),
    Maker("magneti-ljubljana", "mg-svn-magneti", True, "operating"),
    Maker("neo-narva", "mg-est-neo1", True, "operating", 2026, 4, min_use=0.75, min_use_until=2035,
          why="blocks, x 0.75 finished; full capacity guided for 2028-29; Schaeffler, Bosch and others have committed to 35 per cent of it; taken as the 75 per cent of plants whose customers do not leave for a price"),
    Maker("evac-sumter", "mg-usa-evac", True, "operating", 2025, 3, min_use=0.75, min_use_until=2034,
          why="General Motors takes its output for at least ten years: at least 75 per cent used"),
    Maker("mp-independence", "mg-usa-mp-indep", True, "operating", 2025, 3, min_use=0.75, min_use_until=2035, why="General Motors contract: at least 75 per cent used"),
    Maker("mp-independence-2", "mg-usa-mp-indep2", True, "construction", 2027, 3, min_use=0.75, min_use_until=2035, why="Apple contract: at least 75 per cent used"),
    Maker("mp-10x", "mg-usa-mp-10x", True, "construction", 2028, 4, min_use=0.75, min_use_until=2037,
          why="the Department of Defense takes all output for ten years: at least 75 per cent used"),
    Maker("usa-rare-earth-stillwater-1", "mg-usa-usar-1", True, "operating", 2026, 3),
    Maker("usa-rare-earth-stillwater-2", "mg-usa-usar-2", True, "construction", 2027, 4),
    Maker("noveon-san-marcos", "mg-usa-noveon", True, "operating", 2023, 6, why="output far below nameplate so far: ramp over six years"),
    Maker("vulcan-rtp", "mg-usa-vulcan-rtp", True, "operating", 2025, 2),
    Maker("hypromag-tyseley", "mg-gbr-hypromag", True, "operating", 2026, 2, recipes=SHORT),
    Maker("hypromag-pforzheim", "mg-deu-hypromag", True, "construction", 2026, 2, recipes=SHORT),
    Maker("magree-noyarey", "mg-fra-magree-pilot", True, "operating", 2024, 2, recipes=SHORT),
    Maker("vulcan-benson", "mg-usa-vulcan-benson", metal_tonnes=3700, loan=("sf-003", "sf-004"), success="startup_pilot_only",
          why="capex less 35 k$ per t of captive metal; announced for 2027, but no plant of this size has been built in less than 21-45 months"),
    Maker("usa-rare-earth-blacksburg", "mg-usa-usar-3", metal_tonnes=1550, loan=("mg-usa-usar-3",), success="announced_with_government_loan",
          why="capex less 35 k$ per t of captive metal; public money pro rata of the CHIPS package"),
    Maker("evac-sumter-2", "mg-usa-evac-exp", capex=1100, success="operating_expansion", why=f"no funding seen; {_PLANNING}"),
    Maker("js-link-columbus", "mg-usa-jslink"),
    Maker("js-link-kuantan", "mg-mys-jslink"),
    Maker("noveon-korea", "mg-kor-noveon", capex=110, why="capex at 55 k$ per t in Korea (between syc-capex-jsl-my and syc-capex-shin)"),
    Maker("noveon-2", "mg-usa-noveon2", capex=880, why=f"no site found; {_PLANNING}"),
    Maker("hypromag-dallas", "mg-usa-hypromag", recipes=SHORT),
    Maker("ls-cable-chesapeake", "mg-usa-ls", private=242.7, why="magnet share of the complex is a guess in the facts; private money is capex less the state grant"),
    Maker("posco-usa", "mg-usa-posco"),
    Maker("neo-narva-2", "mg-est-neo2", success="operating_expansion", why="blocks, x 0.75 finished"),
    Maker("magree-magfactory", "mg-fra-magfactory", recipes=SHORT, private=95, why="private money is capex less the 30 per cent of the state"),
    Maker("india-scheme", "mg-ind-scheme", metal_tonnes=2200, private=223.6,
          why="capex less 35 k$ per t of captive metal; private money is capex less the capital subsidy of 15 per cent"),
    Maker("src-magnets", "mg-can-src", capex=110, why=_PLANNING),
)  # fmt: skip

LEFT_OUT = {
    "mg-row-check-existing": "control total",
    "mg-row-check-pipeline": "control total",
    "mg-tha-daido": "bonded", "mg-tha-neo": "bonded powder", "mg-svn-kolektor": "bonded", "mg-usa-arnold": "no NdFeB sintering found",
    "mg-kor-emt": "tonnage not found", "mg-usa-emt": "claim without a plan", "mg-usa-permag": "tonnage not found", "mg-phl-machining": "machining only",
    "mg-deu-gkn": "stalled", "mg-usa-quadrant": "stalled", "mg-kor-seongan": "stalled",
    "mg-vnm-novatech": "capacity not found", "mg-vnm-inst": "Chinese owned, capacity not found",
    "mg-sau-mp": "in discussion only", "mg-rus-glazov": "Russia is not an allied source", "mg-bra-senai": "experimental",
}  # fmt: skip


def operations(where: str, recipes: tuple[str, ...]) -> dict[str, float]:
    """Process -> USD per tonne of finished magnet in a country."""
    adder = {r.process: r.adder for r in MAGNET_RECIPES}
    return {p: 1000 * (SHORT_LOOP if p == "rec-short" else CONVERSION[where] + adder[p]) for p in recipes}


def tonnes(fact: Fact) -> float:
    """Finished magnets a year."""
    return fact.number("capacity_t_per_year") * BLOCK_FINISHED.get(fact.id, 1)


def _loan(maker: Maker, capex: float) -> Loan | None:
    if not maker.loan:
        return None
    if maker.fact in maker.loan:
        public = table("magnets")[maker.fact].number("public_support_musd")
        chips = [table("startup_funding")[deal].number("amount_musd") for deal in ("sf-040", "sf-041")]
        return Loan(public, public * chips[1] / sum(chips))
    deals = [table("startup_funding")[deal].number("amount_musd") for deal in maker.loan]
    return Loan(sum(deals), deals[0])


def makers(book: Book, year: int | None = None) -> None:
    """Facilities, operations and options of all magnet makers outside China; with ``year`` only those that ran then, without short loops."""
    for m in MAKERS:
        if not ran(year, m.committed, m.first_year) or (year is not None and m.recipes == SHORT):
            continue
        fact = table("magnets")[m.fact]
        where = country(fact)
        capex = None
        if not m.committed:
            capex = (m.capex if m.capex is not None else fact.number("capex_musd")) - CAPEX_METAL * m.metal_tonnes
        deals = tuple(table("startup_funding")[deal] for deal in m.loan if deal.startswith("sf-"))
        add(book, Plant(
            key=m.key, name=name(fact), owner=fact["owner"], country=where, kind="magnet", facts=(fact, *deals), opex=operations(where, m.recipes),
            capacity=tonnes(fact), committed=m.committed, status=m.status, startup=fact["startup"] == "yes",
            first_year=m.first_year if m.committed else int(fact["first_year"]), ramp=m.ramp, min_use=m.min_use, min_use_until=m.min_use_until,
            capex=capex, success=m.success, loan=None if capex is None else _loan(m, capex), private=m.private, derate=m.derate, why=m.why,
        ))  # fmt: skip
