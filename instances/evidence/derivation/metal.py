"""Metal makers outside China. Strip casting is part of magnet making, so alloy tonnage counts with its rare-earth content."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import table
from .mining import country, name, ran
from .plants import Loan, Plant, add

RE_IN_ALLOY = 0.31  # t of Nd-Pr metal per t of NdFeB alloy (KMP: 1,300 t alloy, about 400 t metal)
CAPEX_METAL = 0.035  # MUSD per t/y of Nd-Pr metal: syc-capex-metal-planning
OPEX_NDPR = {
    "JPN": 7,
    "KOR": 7,
    "VNM": 6,
    "MYS": 6,
    "IND": 6,
    "GBR": 9,
    "EUU": 9,
    "USA": 9,
    "CAN": 9,
}  # USD per kg metal
OPEX_HEAVY = {"JPN": 30, "KOR": 35, "VNM": 35}  # USD per kg metal, elsewhere 45

NDPR, DY, TB = "metal-ndpr", "metal-dy", "metal-tb"
ALL = (NDPR, DY, TB)
HEAVIES = (DY, TB)


@dataclass(frozen=True)
class MetalPlant:
    """A row of metal_alloy.csv; ``tonnes`` instead of its capacity, with the reason in ``why``."""

    key: str
    fact: str
    processes: tuple[str, ...] = (NDPR,)
    committed: bool = False
    status: str = "candidate"
    first_year: int | None = None
    ramp: int | None = None
    tonnes: float | None = None
    alloy: bool = False  # the fact counts alloy
    capex: float | None = None
    success: str = "announced_feasibility_stage"
    loan_share: float | None = None
    private: float | None = None
    min_use: float | None = None
    min_use_until: int | None = None
    derate: float | None = None
    why: str = ""


_SPLIT = "capex split off the magnet row at 35 k$ per t of metal, so that no money counts twice"
_NONE_FOUND = (
    "no tonnage found. Nd-Pr oxide made outside China in 2025 (Lynas 7.0 kt, MP 2.6 kt) is 7.7 kt of metal; known metal makers take 1.3 kt of it, so Japan and "
    "Viet Nam make at most 6.5 kt; 6.0 kt assumed (3.5 + 2.5, usable), since some oxide was stocked or sold to China; weak, and it matters; at least 75 per cent used"
)
_HEAVY_NONE = "no tonnage found; 300 t for the Dy and Tb of 12 kt of Japanese magnets; weak"
PLANTS: tuple[MetalPlant, ...] = (
    MetalPlant("lcm-ellesmere-port", "ma-gbr-lcm", committed=True, status="operating", first_year=2025, ramp=3, why="two of six cells run today: ramp to all six"),
    MetalPlant("japan-metal", "ma-jpn-metal", committed=True, status="operating", tonnes=3500, derate=1, min_use=0.75, why=_NONE_FOUND),
    MetalPlant("japan-heavy-metal", "ma-jpn-metal", HEAVIES, True, "operating", tonnes=300, min_use=0.3, why=_HEAVY_NONE),
    MetalPlant("shin-etsu-hai-phong-metal", "ma-vnm-shinetsu", committed=True, status="operating", tonnes=2500, derate=1, min_use=0.75, why=_NONE_FOUND),
    MetalPlant("mp-independence-metal", "ma-usa-mp-indep", committed=True, status="operating", first_year=2025, ramp=3),
    MetalPlant("mp-10x-metal", "ma-usa-mp-10x", committed=True, status="construction", first_year=2028, ramp=3),
    MetalPlant("src-metal", "ma-can-src", committed=True, status="operating", first_year=2024, ramp=3, min_use=0.75, min_use_until=2031,
               why="REalloys takes 80 per cent of output for five years: at least 75 per cent used"),
    MetalPlant("src-metal-expansion", "ma-can-src-exp", committed=True, status="construction", first_year=2027, ramp=2),
    MetalPlant("realloys-heavy-metal", "ma-usa-realloys-hree", HEAVIES, True, "construction", 2027, 2),
    MetalPlant("phoenix-exeter", "ma-usa-phx-exeter", ALL, True, "operating", 2025, 4),
    MetalPlant("phoenix-burlington", "ma-usa-phx-burl", committed=True, status="operating"),
    MetalPlant("kmp-ochang", "ma-kor-asm-kmp", ALL, True, "operating", alloy=True, why="sales far below nameplate so far"),
    MetalPlant("kmp-ochang-2", "ma-kor-asm-kmp2", ALL, True, "construction", 2027, 3, alloy=True),
    MetalPlant("lcm-lacq", "ma-fra-lcm-lacq", ALL, alloy=True, success="announced_with_government_loan", private=91,
               why="capex is a scaling guess in the facts; private money is what the tax credit and real estate finance leave (45 per cent public)"),
    MetalPlant("usa-rare-earth-stillwater-metal", "ma-usa-usar-still", alloy=True, capex=54.2, success="announced_with_government_loan", why=_SPLIT),
    MetalPlant("usa-rare-earth-blacksburg-metal", "ma-usa-usar-sc", alloy=True, capex=54.2, success="announced_with_government_loan", why=_SPLIT),
    MetalPlant("vulcan-benson-metal", "ma-usa-vulcan", (NDPR, DY), capex=129.5, success="announced_with_government_loan", why=_SPLIT),
    MetalPlant("phoenix-exeter-expansion", "ma-usa-phx-exeter-exp", ALL, capex=52, success="startup_pilot_only", why="800 t at the 65 k$ per t of the first 200 t"),
    MetalPlant("phoenix-freedom-metal", "ma-usa-phx-freedom", ALL, tonnes=3000, capex=195, loan_share=0.8,
               why="capacity not published: 3,000 t of oxide and metal is what 625 MUSD buy at 120 + 65 k$ per t with the loan at 80 per cent; may overlap the demonstration plant"),
    MetalPlant("kmp-ochang-3", "ma-kor-asm-kmp3", ALL, alloy=True, capex=31.4, success="operating_expansion", why="at the 15.7 k$ per t of alloy of phase 2"),
    MetalPlant("american-metals-plant", "ma-usa-asm-amp", ALL, alloy=True, capex=31.4, loan_share=0.8, why="at the 15.7 k$ per t of alloy of the Korean plant"),
    MetalPlant("ls-eco-hcmc", "ma-vnm-lseco", why="capacity is a scaling guess in the facts"),
    MetalPlant("india-scheme-metal", "ma-ind-scheme", capex=77, why=_SPLIT),
)  # fmt: skip

LEFT_OUT = {
    "ma-gbr-lcm-strip": "strip casting is part of magnet making",
    "ma-usa-vulcan-rtp": "strip casting is part of magnet making",
    "ma-jpn-alloy-agg": "alloy, part of magnet making",
    "ma-usa-evac": "alloy, part of magnet making",
    "ma-est-neo": "alloy; metal making on site not confirmed",
    "ma-usa-phx-doe": "separation to metal: phoenix-demonstration in recycling.py",
    "ma-usa-realloys-euclid": "tonnage not disclosed",
    "ma-usa-aclara": "contemplated only, no tonnage",
    "ma-aut-treibacher": "no source on magnet metal",
    "ma-lao-girec": "nothing found",
    "ma-rus-solikamsk": "Russia is not an allied source",
    "ma-kor-seongan-vn": "stalled",
}
CHINA = (
    "ma-chn-ndpr-metal",
    "ma-chn-dy-metal",
    "ma-chn-tb-metal",
    "ma-chn-stripcast",
    "ma-chn-nre-50k",
    "ma-chn-zhongxin",
)


def opex(where: str, process: str) -> float:
    """Conversion cost in USD per tonne of metal."""
    return 1000.0 * (OPEX_NDPR[where] if process == NDPR else OPEX_HEAVY.get(where, 45))


def metal_plants(book: Book, year: int | None = None, skip: frozenset[str] = frozenset()) -> None:
    """Facilities, operations and options of all metal makers outside China; with ``year`` only those that ran then."""
    for m in PLANTS:
        if m.key in skip or not ran(year, m.committed, m.first_year):
            continue
        fact = table("metal_alloy")[m.fact]
        where = country(fact)
        t = m.tonnes if m.tonnes is not None else fact.number("capacity_t_per_year") * (RE_IN_ALLOY if m.alloy else 1)
        capex = None if m.committed else m.capex if m.capex is not None else fact.number("capex_musd")
        loan = (
            None
            if m.loan_share is None or capex is None
            else Loan(round(m.loan_share * capex, 1), round(m.loan_share * capex, 1))
        )
        why = "; ".join(w for w in (m.why, f"alloy tonnes x {RE_IN_ALLOY}" if m.alloy else "") if w)
        add(book, Plant(
            key=m.key, name=name(fact) + (" (Dy, Tb)" if m.key == "japan-heavy-metal" else ""), owner=fact["owner"], country=where, kind="metal",
            facts=(fact,), opex={p: opex(where, p) for p in m.processes}, capacity=t, committed=m.committed, status=m.status,
            startup=fact["startup"] == "yes", first_year=m.first_year if m.committed else int(fact["first_year"]), ramp=m.ramp, min_use=m.min_use,
            min_use_until=m.min_use_until, derate=m.derate,
            capex=capex, success=m.success, loan=loan, private=m.private, why=why,
        ))  # fmt: skip
