"""Mines outside China: one process each, from t REO to contained Nd-Pr and Dy-Tb oxide."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import Fact, cite, table
from .plants import Plant, add


@dataclass(frozen=True)
class Mine:
    """A row of mines.csv and what is decided about it."""

    key: str
    fact: str
    committed: bool = False
    status: str = "candidate"
    first_year: int | None = None  # instead of the fact's, for a committed mine (None: there from the start)
    ramp: int | None = None
    last_year: int | None = None
    capex_share: float = 1.0
    success: str = "announced_feasibility_stage"
    tie: bool = False
    private: float | None = None
    min_use: float | None = None
    min_use_until: int | None = None
    deals: tuple[str, ...] = ()  # rows of startup_funding.csv behind a minimum use
    why: str = ""


_SANDS = "30 per cent of the capex of a mineral-sand mine is charged to rare earths, the rest to ilmenite and zircon"
MINES: tuple[Mine, ...] = (
    Mine("mp-mountain-pass", "M_USA_MTPASS", True, "operating", why="ran at 50.7 kt REO in 2025 and feeds a separation plant that takes less, so no ramp"),
    Mine("lynas-mt-weld", "M_AUS_MTWELD", True, "operating", min_use=0.5, min_use_until=2038,
         why="expanded concentrator commissioned; the separation plant binds, so no ramp; its own ore feeds what Kuantan must make for Japan until 2038"),
    Mine("chemours-monazite", "M_USA_CHEMOURS", True, "operating"),
    Mine("irel-sands", "M_IND_IREL", True, "operating"),
    Mine("iluka-eneabba-stockpile", "M_AUS_ENEABBA", True, "construction", 2027, 3),
    Mine("lindian-kangankunde", "M_MWI_KANGANKUNDE", True, "construction", 2027, 3, min_use=0.35, why="first concentrate planned for the end of 2026, so 2027 is its first year; "
         "Iluka takes 6,000 t of concentrate a year for 15 years, 39 per cent of nameplate"),
    Mine("pensana-longonjo", "M_AGO_LONGONJO", True, "construction", 2027, 3),
    Mine("serra-verde", "M_BRA_SERRAVERDE", True, "operating", 2026, 3,
         min_use=0.75, deals=("sf-081",), why="about 100 t REO a year during the upgrade, nameplate by the end of 2027: ramp counted from 2026; "
         "phase 1 sold forward above a floor with the loan of the DFC: at least 75 per cent used"),
    Mine("mcre-perak", "M_MYS_IAC", True, "operating", tie=True,
         why="operated with China Rare Earth, all output to China; tied, so that its ore is exposed wherever it is separated"),
    Mine("kachin-clays", "M_MMR_IAC", True, "operating", why="lanes to China only; no tie, because its ore is exposed once separated in China"),
    Mine("laos-clays", "M_LAO_IAC", True, "operating", why="lanes to China only"),
    Mine("thailand-monazite", "M_THA_MON", True, "operating", why="lanes to China only; partly re-exports"),
    Mine("nigeria-monazite", "M_NGA_ARTISANAL", True, "operating", why="lanes to China only"),
    Mine("iluka-wimmera", "M_AUS_WIMMERA", capex_share=0.3, why=_SANDS),
    Mine("nolans", "M_AUS_NOLANS", success="announced_with_government_loan", private=112, capex_share=0.9,
         why="integrated project: nine tenths of its capex here, the rest in separation; private money is what 90 per cent of public money leaves"),
    Mine("yangibana", "M_AUS_YANGIBANA", success="announced_with_government_loan", private=100, why="private money is the capex that remains less the public 208"),
    Mine("browns-range", "M_AUS_BROWNS"),
    Mine("donald", "M_AUS_DONALD", capex_share=0.3, why=_SANDS),
    Mine("dubbo", "M_AUS_DUBBO"),
    Mine("vara-mada", "M_MDG_VARAMADA", capex_share=0.3, why=_SANDS),
    Mine("bahia", "M_BRA_BAHIA", capex_share=0.3, why=_SANDS),
    Mine("serra-verde-2", "M_BRA_SERRAVERDE2", success="operating_expansion"),
    Mine("carina", "M_BRA_CARINA"),
    Mine("penco", "M_CHL_PENCO"),
    Mine("caldeira", "M_BRA_CALDEIRA"),
    Mine("colossus", "M_BRA_COLOSSUS"),
    Mine("araxa", "M_BRA_ARAXA", success="startup_pilot_only"),
    Mine("lindian-kangankunde-2", "M_MWI_KANGANKUNDE2", success="operating_expansion"),
    Mine("songwe-hill", "M_MWI_SONGWE"),
    Mine("phalaborwa", "M_ZAF_PHALABORWA", why="integrated project: all capex and opex here"),
    Mine("steenkampskraal", "M_ZAF_STEENKAMP"),
    Mine("makuutu", "M_UGA_MAKUUTU"),
    Mine("ngualla", "M_TZA_NGUALLA", tie=True, why="owned by Shenghe, which takes all output: tied"),
    Mine("norra-karr", "M_SWE_NORRAKARR"),
    Mine("per-geijer", "M_SWE_PERGEIJER"),
    Mine("tanbreez", "M_GRL_TANBREEZ"),
    Mine("strange-lake", "M_CAN_STRANGELAKE", success="announced_with_government_loan"),
    Mine("nechalacho", "M_CAN_NECHALACHO", success="startup_pilot_only"),
    Mine("wicheeda", "M_CAN_WICHEEDA"),
    Mine("halleck-creek", "M_USA_HALLECK", why="integrated project: all capex and opex here"),
    Mine("bear-lodge", "M_USA_BEARLODGE", success="startup_pilot_only"),
    Mine("round-top", "M_USA_ROUNDTOP", success="startup_pilot_only"),
    Mine("bokan", "M_USA_BOKAN", success="startup_pilot_only"),
    Mine("elk-creek", "M_USA_ELKCREEK", capex_share=0.1, why="10 per cent of capex: rare earths are a by-product of niobium"),
    Mine("us-mine-waste", "M_USA_TAILINGS", success="startup_pilot_only"),
)  # fmt: skip

LEFT_OUT = {
    "M_RUS_LOVOZERO": "Russia is not an allied source",
    "M_VNM_DONGPAO": "stalled, timing and tonnage without a source",
    "M_KAZ_OTHER": "placeholder without a source",
    "M_USA_BROOK": "by-product of scandium; 15 t Dy+Tb at most",
}
CHINA = ("M_CHN_BAYAN", "M_CHN_SICHUAN", "M_CHN_IAC")  # china.py

MEMBER_STATES = {
    "SWE": "EUU",
    "FRA": "EUU",
    "EST": "EUU",
    "POL": "EUU",
    "DEU": "EUU",
    "FIN": "EUU",
    "SVN": "EUU",
    "ITA": "EUU",
}


def country(fact: Fact) -> str:
    """The country of a plant in the instance: member states of the EU are one country."""
    return MEMBER_STATES.get(fact["country"], fact["country"])


def name(fact: Fact) -> str:
    """Name as published, with the member state where the EU hides it."""
    return f"{fact['name']} ({fact['country']})" if fact["country"] in MEMBER_STATES else fact["name"]


def ran(year: int | None, committed: bool, first_year: int | None) -> bool:
    """True if a plant belongs into an instance: any plant without ``year``, else one that produced in that year."""
    return year is None or (committed and (first_year is None or first_year <= year))


def mining_process(book: Book, key: str, fact: Fact, heavy: float | None = None, why: str = "") -> None:
    """Process and recipe of one deposit: contained oxide per tonne of REO; ``heavy`` replaces the fact's Dy+Tb share, for the reason ``why``."""
    about = cite(fact)
    book.add("processes", process=f"mine-{key}", name=f"Mining, {fact['name']}", restores_provenance=False, **about)
    share = fact.number("dy_share") + fact.number("tb_share") if heavy is None else heavy
    book.add(
        "recipes", process=f"mine-{key}", material="lre_conc", role="output", t_per_t=fact.number("ndpr_share"), **about
    )
    book.add(
        "recipes", process=f"mine-{key}", material="hre_conc", role="output", t_per_t=round(share, 6),
        **cite(fact, assumed="; ".join(w for w in ("Dy and Tb shares added; their ratio is taken as 85:15", why) if w)),
    )  # fmt: skip


def mines(book: Book, year: int | None = None, tonnes: dict[str, float] | None = None) -> None:
    """Facilities, operations and options of all mines outside China; with ``year`` only those that ran then, ``tonnes`` REO instead of their capacity."""
    for mine in MINES:
        fact = table("mines")[mine.fact]
        if not ran(year, mine.committed, mine.first_year):
            continue
        mining_process(book, mine.key, fact)
        capex = fact["capex_musd"]
        add(book, Plant(
            key=mine.key, name=name(fact), owner=fact["owner"], country=country(fact), kind="mine",
            facts=(fact, *(table("startup_funding")[deal] for deal in mine.deals)), min_use=mine.min_use, min_use_until=mine.min_use_until,
            opex={f"mine-{mine.key}": 1000 * fact.number("opex_usd_per_kg_reo")}, capacity=(tonnes or {}).get(mine.key, fact.number("capacity_t_reo")), committed=mine.committed,
            status=mine.status, startup=fact["startup"] == "yes",
            first_year=mine.first_year if mine.committed else int(fact["first_year"]), ramp=mine.ramp, tie=mine.tie,
            derate=1 if tonnes and mine.key in tonnes else None,
            capex=mine.capex_share * float(capex) if capex else None, life=min(40, int(fact["mine_life_years"])), success=mine.success,
            private=mine.private, why=mine.why,
        ))  # fmt: skip
