"""Separation plants outside China. Light and heavy circuits are two facilities: the hre_conc balance, not the nameplate, limits the heavies."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import Fact, table
from .mining import country, name, ran
from .plants import Loan, Plant, add

LIGHT, LIGHT_NEW, LIGHT_NOVEL = 27_500.0, 40_000.0, 50_000.0  # USD per t Nd-Pr oxide
HEAVY, HEAVY_NOVEL = 80_000.0, 100_000.0  # USD per t Dy+Tb oxide
CAPEX_WEIGHT_HEAVY = 4  # capex of a plant is split by Nd-Pr + 4 x Dy-Tb (circuits for heavies are longer)


@dataclass(frozen=True)
class Circuit:
    """One circuit of a row of separation.csv."""

    key: str
    fact: str
    element: str  # light or heavy
    committed: bool = False
    status: str = "candidate"
    first_year: int | None = None
    ramp: int | None = None
    share: float = 1.0  # of the fact's tonnage
    opex: float | None = None
    novel: bool = False
    capex: float | None = None  # where the fact has none, or counts it elsewhere
    requires: str = ""
    success: str = "announced_feasibility_stage"
    min_use: float | None = None
    min_use_until: int | None = None
    loan_share: float | None = None  # of capex
    why: str = ""


_INTEGRATED = "capex and most opex stand in the row of the mine; a token of 1 MUSD here"
_FEED = "nameplate above the heavy feed in sight; the balance of hre_conc limits it"
CIRCUITS: tuple[Circuit, ...] = (
    Circuit("lynas-kuantan-light", "P_MYS_LYNAS_L", "light", True, "operating", share=7200 / 10500, min_use=0.85, min_use_until=2038,
            why="the 7,200 t/y before the expansion; Japan takes 5,000 t/y firm until 2038 and the US Department of War about 200 t/y: at least 85 per cent used"),
    Circuit("lynas-kuantan-light-expansion", "P_MYS_LYNAS_L", "light", True, "operating", 2025, 3, share=3300 / 10500,
            why="from 7,200 to 10,500 t/y, full in 2027"),
    Circuit("lynas-kuantan-heavy", "P_MYS_LYNAS_H1", "heavy", True, "operating", 2025, 2, why=_FEED),
    Circuit("lynas-kuantan-heavy-2", "P_MYS_LYNAS_H2", "heavy", True, "construction", 2026, 3, why=_FEED),
    Circuit("mp-mountain-pass-light", "P_USA_MP_L", "light", True, "operating", 2023, 5, min_use=0.75, min_use_until=2035,
            why="real start 2023 and full in 2027; at least 75 per cent used until 2035 under the price floor of the Department of Defense"),
    Circuit("mp-mountain-pass-heavy", "P_USA_MP_H", "heavy", True, "construction", 2026, 3, why=_FEED),
    Circuit("energy-fuels-white-mesa-light", "P_USA_EF1", "light", True, "operating", 2024, 3),
    Circuit("energy-fuels-white-mesa-heavy", "P_USA_EF1", "heavy", True, "construction", 2027, 3, why="commercial Dy and Tb circuit from the end of 2026"),
    Circuit("iluka-eneabba-light", "P_AUS_ENEABBA", "light", True, "construction", 2027, 4),
    Circuit("iluka-eneabba-heavy", "P_AUS_ENEABBA", "heavy", True, "construction", 2027, 4, why=_FEED),
    Circuit("solvay-la-rochelle", "P_FRA_SOLVAY", "light", True, "operating", 2025, 2, share=0.25, why="several hundred tonnes started in 2025: a quarter of the plan for 2030"),
    Circuit("caremag-lacq-heavy", "P_FRA_CAREMAG", "heavy", True, "construction", 2027, 4, why=f"commissioning at the end of 2026; {_FEED}"),
    Circuit("silmet", "P_EST_SILMET", "light", True, "operating"),
    Circuit("silmet-heavy", "P_EST_SILMET", "heavy", True, "operating"),
    Circuit("reetec-heroya", "P_NOR_REETEC", "light", True, "construction", 2026, 4, opex=LIGHT_NEW, novel=True, why="built, waits for feed"),
    Circuit("src-saskatoon-light", "P_CAN_SRC", "light", True, "construction", 2025, 3, opex=LIGHT_NEW),
    Circuit("src-saskatoon-heavy", "P_CAN_SRC", "heavy", True, "construction", 2027, 3, why="with the expansion that REalloys pays, early 2027"),
    Circuit("reelement-noblesville", "P_USA_REEL_NOB", "light", True, "operating", 2024, 3, opex=LIGHT_NOVEL, novel=True),
    Circuit("takefu-light", "P_JPN_SHINETSU", "light", True, "operating", why="no tonnage found: placeholder of the scale of Japanese scrap"),
    Circuit("takefu-heavy", "P_JPN_SHINETSU", "heavy", True, "operating", why="no tonnage found: placeholder of the scale of Japanese scrap"),
    Circuit("shin-etsu-hai-phong-light", "P_VNM_SHINETSU", "light", True, "operating", why="no tonnage found: placeholder"),
    Circuit("shin-etsu-hai-phong-heavy", "P_VNM_SHINETSU", "heavy", True, "operating", why="no tonnage found: placeholder"),
    Circuit("irel-aluva", "P_IND_IREL", "light", True, "operating", 2024, 7, why="200 t in 2025-26, 500 t as target: ramp to 2030"),
    Circuit("energy-fuels-white-mesa-2-light", "P_USA_EF2", "light", success="operating_expansion", opex=29_390, loan_share=0.8),
    Circuit("energy-fuels-white-mesa-2-heavy", "P_USA_EF2", "heavy", success="operating_expansion", loan_share=0.8),
    Circuit("nolans-oxide", "P_AUS_NOLANS", "light", capex=122.6, requires="nolans", opex=6_000, success="announced_with_government_loan",
            why="one tenth of the integrated capex here; opex is the all-in 33 USD per kg (Y032) less the mine's 27"),
    Circuit("solvay-la-rochelle-2", "P_FRA_SOLVAY", "light", share=0.75, opex=LIGHT_NEW, success="operating_expansion"),
    Circuit("solvay-la-rochelle-heavy", "P_FRA_SOLVAY", "heavy", success="operating_expansion"),
    Circuit("mkango-pulawy-light", "P_POL_PULAWY", "light", opex=LIGHT_NEW),
    Circuit("mkango-pulawy-heavy", "P_POL_PULAWY", "heavy"),
    Circuit("torngat-sept-iles-light", "P_CAN_TORNGAT", "light", opex=LIGHT_NEW),
    Circuit("torngat-sept-iles-heavy", "P_CAN_TORNGAT", "heavy"),
    Circuit("ucore-louisiana-light", "P_USA_UCORE", "light", opex=LIGHT_NOVEL, novel=True, success="startup_pilot_only", why="under construction, but its feed is not secured"),
    Circuit("ucore-louisiana-heavy", "P_USA_UCORE", "heavy", opex=HEAVY_NOVEL, novel=True, success="startup_pilot_only", why="under construction, but its feed is not secured"),
    Circuit("ucore-louisiana-2-light", "P_USA_UCORE2", "light", opex=LIGHT_NOVEL, novel=True, success="startup_pilot_only", requires="ucore-louisiana-light"),
    Circuit("ucore-louisiana-2-heavy", "P_USA_UCORE2", "heavy", opex=HEAVY_NOVEL, novel=True, success="startup_pilot_only", requires="ucore-louisiana-heavy"),
    Circuit("aclara-louisiana-light", "P_USA_ACLARA", "light", opex=LIGHT_NEW),
    Circuit("aclara-louisiana-heavy", "P_USA_ACLARA", "heavy"),
    Circuit("round-top-oxide-light", "P_USA_USAR_RT", "light", opex=LIGHT_NEW, success="startup_pilot_only"),
    Circuit("round-top-oxide", "P_USA_USAR_RT", "heavy", success="startup_pilot_only"),
    Circuit("halleck-creek-oxide-light", "P_USA_ARR", "light", capex=1, requires="halleck-creek", opex=1_000, why=_INTEGRATED),
    Circuit("halleck-creek-oxide-heavy", "P_USA_ARR", "heavy", capex=1, requires="halleck-creek", opex=1_000, why=_INTEGRATED),
    Circuit("maaden-refinery-light", "P_SAU_MAADEN", "light", opex=LIGHT_NEW),
    Circuit("maaden-refinery-heavy", "P_SAU_MAADEN", "heavy"),
    Circuit("phalaborwa-oxide-light", "P_ZAF_PHALA", "light", capex=1, requires="phalaborwa", opex=1_000, why=_INTEGRATED),
    Circuit("phalaborwa-oxide-heavy", "P_ZAF_PHALA", "heavy", capex=1, requires="phalaborwa", opex=1_000, why=_INTEGRATED),
    Circuit("viridion-brazil-light", "P_BRA_VIRIDION", "light", opex=LIGHT_NEW, success="startup_pilot_only"),
    Circuit("viridion-brazil-heavy", "P_BRA_VIRIDION", "heavy", success="startup_pilot_only"),
)  # fmt: skip

LEFT_OUT = {
    "P_CHN_RECYCLE": "the same plants as rc-chn-agg",
    "P_AUS_LYNAS_KAL": "makes an intermediate",
    "P_USA_LYNAS_TX": "not committed and uncertain by its owner's word",
    "P_GBR_IONIC": "the same plant as rc-gbr-ionic",
    "P_GBR_LCM": "a metal plant",
    "P_USA_PHOENIX": "metal row only: separation at Exeter is not confirmed",
    "P_USA_REEL_MAR": "in recycling.py: one plant that takes magnets and concentrates",
    "P_USA_ALTA": "in recycling.py: its feed is old magnets",
    "P_VNM_VTRE": "no verified output",
    "P_RUS_SMZ": "Russia is not an allied source",
    "P_USA_PILOTS": "placeholder aggregate",
}
CHINA = ("P_CHN_NORTH", "P_CHN_SICHUAN", "P_CHN_SOUTH", "P_CHN_MONAZITE")  # china.py


def tonnes(fact: Fact, element: str) -> float:
    """Oxide per year of one circuit: Nd-Pr, or Dy+Tb."""
    if element == "light":
        return fact.number("ndpr_oxide_t")
    return float(fact["dy_oxide_t"] or 0) + float(fact["tb_oxide_t"] or 0)


def capex(fact: Fact, element: str) -> float:
    """The circuit's part of the plant's capex, MUSD."""
    weight = {"light": float(fact["ndpr_oxide_t"] or 0), "heavy": CAPEX_WEIGHT_HEAVY * tonnes(fact, "heavy")}
    return fact.number("capex_musd") * weight[element] / sum(weight.values())


def circuits(book: Book, year: int | None = None) -> None:
    """Facilities, operations and options of all circuits outside China; with ``year`` only those that ran then."""
    for c in CIRCUITS:
        if not ran(year, c.committed, c.first_year):
            continue
        fact = table("separation")[c.fact]
        light = c.element == "light"
        money = (
            None
            if c.committed
            else c.capex
            if c.capex is not None
            else capex(fact, c.element) * (1 if light else c.share)
        )
        opex = c.opex if c.opex is not None else (LIGHT if light else HEAVY)
        split = "capex split by Nd-Pr + 4 x Dy-Tb" if money is not None and c.capex is None else ""
        loan = (
            None
            if c.loan_share is None or money is None
            else Loan(round(c.loan_share * money, 1), round(c.loan_share * money, 1))
        )
        add(book, Plant(
            key=c.key, name=f"{name(fact)}, {c.element}", owner=fact["owner"], country=country(fact), kind="novel" if c.novel else c.element, facts=(fact,),
            opex={"sep-light" if light else "sep-heavy": opex}, capacity=c.share * tonnes(fact, c.element), committed=c.committed, status=c.status,
            startup=fact["startup"] == "yes", first_year=c.first_year if c.committed else int(fact["first_year"]), ramp=c.ramp,
            min_use=c.min_use, min_use_until=c.min_use_until, capex=money, requires=c.requires, success=c.success, loan=loan,
            why="; ".join(w for w in (c.why, split) if w),
        ))  # fmt: skip
