"""China in aggregate: what its stages can sell to allied buyers, and at what price.

Two judgements carry everything. *Volumes*: the export-available capacity does not bind. The question of the instance is what dependence costs, not
whether China runs out; that its own demand doubles by 2040 (demand.csv) is the main doubt. *Prices*: the margin sits on separation, where China
sets the price of oxides. Three views: ``cost`` (the all-in cash cost published for Baotou), ``mean`` (the mean of 2024, 2025 and 2026 prices, the
base) and ``price`` (mid 2026).
"""

from __future__ import annotations

from statistics import mean

from .book import Book
from .chain import MAGNET_RECIPES, up
from .facts import Fact, cite, find, read, table
from .magnets import CONVERSION
from .mining import mining_process

LIGHT_MINES, CLAYS = ("M_CHN_BAYAN", "M_CHN_SICHUAN"), "M_CHN_IAC"
CLAY_HEAVY_TONNES = 1520.0  # t Dy+Tb a year from the quota on clays: notes of M_CHN_IAC, source S154
CLAY_WHY = (
    "1,520 t Dy+Tb from the quota as S154 derives it, not the row's 785: China made 3,500 + 650 t of Dy and Tb oxide in 2024, of which 870 from scrap, and all mines that feed "
    "it hold only 2,900 t with the lower figure"
)
EXPORT_SHARE = 0.6  # of today's mine output, for the allied chain
GROWTH = 1.0  # of that again by 2040, in a straight line
LIGHT_FEED, HEAVY_FEED = 1.06, 1.09  # t of concentrate per t of oxide: sep-light-chn, sep-heavy-chn
HEAVY_SEPARATION = 15.0  # USD per kg Dy+Tb: 5 USD per kg REO (Y037), charged to the heavies by value
HEAVY_MARGIN = 3.0  # margin on Dy+Tb per margin on Nd-Pr


def _prices(year: str) -> list[Fact]:
    """China's domestic Nd-Pr oxide prices in USD without tax of one year."""
    return [
        Fact("prices", f"{row['item']} {row['date']}", row)
        for row in read("prices")
        if row["item"] == "NdPr oxide" and row["market"] == "China domestic" and row["date"].startswith(year)
        and row["unit"].startswith("USD/kg") and row["date"] not in ("2024-12", "2026-02")
    ]  # fmt: skip  # 2024-12 and 2026-02 repeat a year or a month that is there already


def _light() -> tuple[Fact, ...]:
    return tuple(table("mines")[key] for key in LIGHT_MINES)


def light_ore() -> dict[str, float]:
    """Bayan Obo, Sichuan and Shandong as one: t REO a year, shares of Nd-Pr and Dy+Tb, USD per kg REO."""
    reo = sum(f.number("capacity_t_reo") for f in _light())

    def averaged(column: str) -> float:
        return sum(f.number(column) * f.number("capacity_t_reo") for f in _light()) / reo

    return {
        "reo": reo,
        "ndpr": averaged("ndpr_share"),
        "heavy": averaged("dy_share") + averaged("tb_share"),
        "opex": averaged("opex_usd_per_kg_reo"),
    }


def mine_cost() -> float:
    """USD per kg of Nd-Pr oxide in China's light concentrates."""
    ore = light_ore()
    return ore["opex"] / ore["ndpr"]


def separation_cost() -> float:
    """USD per kg of Nd-Pr oxide for cracking and separating, without margin."""
    fact = table("separation")["P_CHN_NORTH"]
    return fact.number("opex_usd_per_kg") / 0.205


VIEWS: dict[str, tuple[float, tuple[Fact, ...], str]] = {
    "2024": (mean(f.number("price") for f in _prices("2024")), tuple(_prices("2024")), "Nd-Pr oxide at the mean price of 2024"),
    "cost": (up("Y028").number("value"), (up("Y028"),), "Nd-Pr oxide at the all-in cash cost published for Baotou"),
    "mean": (
        mean(mean(f.number("price") for f in _prices(year)) for year in ("2024", "2025", "2026")),
        tuple(f for year in ("2024", "2025", "2026") for f in _prices(year)),
        "Nd-Pr oxide at the mean of the yearly means of 2024, 2025 and 2026",
    ),
    "price": (
        mean(f.number("price") for f in _prices("2026") if f["date"] in ("2026-06", "2026-09")),
        tuple(f for f in _prices("2026") if f["date"] in ("2026-06", "2026-09")),
        "Nd-Pr oxide at the price of June and September 2026",
    ),
}  # fmt: skip


def dearest_ore() -> float:
    """USD per kg of Nd-Pr oxide in ore where China needs all it can get: Thai monazite and Lao clays both pay, each with its two products."""
    thai, lao = table("mines")["M_THA_MON"], table("mines")["M_LAO_IAC"]

    def line(fact: Fact) -> tuple[float, float, float]:
        return (
            fact.number("ndpr_share"),
            fact.number("dy_share") + fact.number("tb_share"),
            fact.number("opex_usd_per_kg_reo"),
        )

    (a, b, c), (d, e, f) = line(thai), line(lao)
    return (c * e - b * f) / (a * e - b * d)


def separation_opex(view: str) -> dict[str, tuple[float, dict[str, str]]]:
    """Opex in USD per kg of oxide of China's separation (margin included) and its citation, light and heavy."""
    price, facts, words = VIEWS[view]
    ore = dearest_ore() if view == "2024" else mine_cost()
    light = price - LIGHT_FEED * ore
    margin = light - separation_cost()
    reason = f"{words}: {price:.1f} USD per kg, less {LIGHT_FEED} x ore at {ore:.1f}; the margin of {margin:.1f} sits on separation"
    heavy = HEAVY_SEPARATION + HEAVY_MARGIN * margin
    return {
        "light": (light, cite(*facts, assumed=reason)),
        "heavy": (
            heavy,
            cite(
                *facts,
                up("Y037"),
                assumed=f"{reason}; on Dy+Tb {HEAVY_MARGIN:g} times that margin and {HEAVY_SEPARATION:g} for separation",
            ),
        ),
    }


def separation_operations(book: Book, view: str) -> None:
    """The two rows of operations.csv that a view of Chinese prices sets."""
    for circuit, (opex, about) in separation_opex(view).items():
        book.add(
            "operations",
            facility=f"china-separation-{circuit}",
            process=f"sep-{circuit}-chn",
            opex_usd_per_t=round(1000 * opex),
            **about,
        )


def facility(book: Book, key: str, name: str, capacity: float, about: dict[str, str], **more: object) -> None:
    book.add(
        "facilities", facility=key, name=name, owner="several", country="CHN", status="operating", capacity_t=round(capacity), **more, **about,
    )  # fmt: skip


def mines(book: Book, share: float, growth: float) -> None:
    """China's mines: light ore in one, clays in another; ``growth`` is added in a straight line to 2040, as a share of today's."""
    ore, clays = light_ore(), table("mines")[CLAYS]
    about = cite(*_light(), assumed="Bayan Obo, Sichuan and Shandong as one, weighted with their quotas")
    book.add(
        "processes", process="mine-china-light", name="Mining, China, light ore", restores_provenance=False, **about
    )
    for material, t in (("lre_conc", ore["ndpr"]), ("hre_conc", ore["heavy"])):
        book.add("recipes", process="mine-china-light", material=material, role="output", t_per_t=round(t, 6), **about)
    mining_process(book, "china-clays", clays, CLAY_HEAVY_TONNES / clays.number("capacity_t_reo"), CLAY_WHY)
    for key, name, reo, opex, facts in (
        ("china-light", "China, light ore (Bayan Obo, Sichuan, Shandong)", ore["reo"], ore["opex"], _light()),
        (
            "china-clays",
            "China, ionic clays of the south",
            clays.number("capacity_t_reo"),
            clays.number("opex_usd_per_kg_reo"),
            (clays,),
        ),
    ):
        cost = {"opex_usd_per_t": round(1000 * opex), "process": f"mine-{key}", **cite(*facts)}
        t = (0.9 * share if share < 1 else 1) * reo
        reason = (
            f"{share:.0%} of 90 per cent of today's quota serves the chain of this instance"
            if share < 1
            else "the quota was mined"
        )
        facility(book, f"{key}-mines", name, t, cite(*facts, assumed=reason))
        book.add("operations", facility=f"{key}-mines", **cost)
        if growth:
            more = cite(
                *facts,
                assumed=f"as much again by 2040 in a straight line from 2027, since China's own demand doubles too ({growth:.0%} of today's)",
            )
            facility(book, f"{key}-growth", f"{name}, growth to 2040", growth * t, more, first_year=2027, ramp_years=14)
            book.add("operations", facility=f"{key}-growth", **cost)


def downstream(book: Book, tonnes: dict[str, float], facts: dict[str, tuple[Fact, ...]], why: str, view: str) -> None:
    """Separation, metal, magnets and recycling with the capacities of ``tonnes``."""
    names = {
        "light": ("china-separation-light", "China, light separation (aggregate)"),
        "heavy": ("china-separation-heavy", "China, heavy separation (aggregate)"),
        "metal": ("china-metal", "China, Nd-Pr metal (aggregate)"),
        "dy": ("china-dy-metal", "China, dysprosium metal (aggregate)"),
        "tb": ("china-tb-metal", "China, terbium metal (aggregate)"),
        "magnet": ("china-magnets", "China, sintered NdFeB (aggregate)"),
        "recycling": ("china-recycling", "China, swarf recycling (aggregate)"),
    }
    for part, (key, name) in names.items():
        facility(book, key, name, tonnes[part], cite(*facts[part], assumed=why))
    separation_operations(book, view)
    book.add(
        "operations",
        facility="china-metal",
        process="metal-ndpr-chn",
        opex_usd_per_t=2000,
        **cite(table("stage_yields_costs_downstream")["syc-conv-metal-chn"]),
    )
    heavy = "a third of the planning value outside China (syc-conv-dy-metal)"
    for part, process in (("dy", "metal-dy"), ("tb", "metal-tb")):
        book.add("operations", facility=f"china-{part}-metal", process=process, opex_usd_per_t=15_000,
                 **cite(table("stage_yields_costs_downstream")["syc-conv-dy-metal"], assumed=heavy))  # fmt: skip
    for r in MAGNET_RECIPES:
        if not r.process.endswith("lean"):
            book.add("operations", facility="china-magnets", process=r.process, opex_usd_per_t=1000 * (CONVERSION["CHN"] + r.adder),
                     **cite(table("stage_yields_costs_downstream")["syc-conv-magnet-chn"], assumed="plus the dearer process of high grades"))  # fmt: skip
    for process, oxide in (("rec-swarf-n", 0.32), ("rec-swarf-h", 0.3148)):
        book.add("operations", facility="china-recycling", process=process, opex_usd_per_t=round(4000 * oxide),
                 **cite(table("separation")["P_CHN_RECYCLE"], assumed="4 USD per kg of oxide recovered"))  # fmt: skip


def magnets_for_export() -> float:
    """Finished magnets that nameplate leaves after China's own use and the rest of the world, t/y."""
    blanks = table("magnets")["mg-chn-sintered"].number("capacity_t_per_year")
    finished = blanks * table("stage_yields_costs_downstream")["syc-yield-block-fin"].number("value")
    own = sum(
        float(r["demand_t"])
        for r in read("demand")
        if r["method"] == "allocation_ipf" and r["year"] == "2025" and r["region"] in ("CHN", "ROW")
    )
    return round(finished - own, -3)


def china(book: Book, view: str = "mean") -> None:
    """China as the allied chain sees it."""
    mines(book, EXPORT_SHARE, GROWTH)
    m, s, r = table("metal_alloy"), table("separation"), table("recycling")
    tonnes = {
        "light": 120_000.0, "heavy": 4150.0, "metal": 130_000.0, "dy": m["ma-chn-dy-metal"].number("capacity_t_per_year"), "tb": 570.0,
        "magnet": magnets_for_export(), "recycling": 80_000.0,
    }  # fmt: skip
    facts = {
        "light": (s["P_CHN_NORTH"], s["P_CHN_SICHUAN"], s["P_CHN_SOUTH"], s["P_CHN_MONAZITE"]),
        "heavy": (s["P_CHN_SOUTH"],),
        "metal": (m["ma-chn-ndpr-metal"],),
        "dy": (m["ma-chn-dy-metal"],),
        "tb": (m["ma-chn-tb-metal"], find("stage_shares", year="2024", stage="refining", element_group="Tb oxide")),
        "magnet": (table("magnets")["mg-chn-sintered"],),
        "recycling": (r["rc-chn-agg"],),
    }
    why = (
        "export-available capacity, not binding by design: magnets are nameplate less own use and the rest of the world in 2025; metal and oxide are nameplate "
        "(metal 110-140 kt; oxide outputs of separation.csv and 3,500 + 650 t of Dy and Tb); that own use stays within future growth is unproven"
    )
    downstream(book, tonnes, facts, why, view)
