"""China in aggregate: what its stages can sell to allied buyers, and at what price.

Two judgements carry everything. *Volumes*: of all ore that is separated in China, its own and foreign, an allied share serves the chain, which grows
as much again by 2040; China's plants do not bind. *Prices*: the margin sits on separation, where China
sets the price of oxides. Three views: ``cost`` (the all-in cash cost published for Baotou), ``mean`` (the mean of 2024, 2025 and 2026 prices, the
base) and ``price`` (mid 2026).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .book import Book
from .chain import HEAVY_ORE, MAGNET_RECIPES, demand_year, down, feed, light_circuits, oxide_per_feed, up
from .demand import ALLOCATED
from .facts import Fact, Number, cite, find, named, parameter, read, table
from .magnets import conversion
from .mining import mining_process
from .plants import LAST

SHORT_OF_ORE = "2024"  # the view of a year in which China needed all ore that it could get
ORE, CLAY_ORE = "bastnaesite", "carbonate_conc"  # what China's own light mines yield, and its clays
LIGHT_MINES, CLAYS = ("M_CHN_BAYAN", "M_CHN_SICHUAN"), "M_CHN_IAC"


def mean(numbers: Iterable[Number]) -> Number:
    """Arithmetic mean."""
    found = list(numbers)
    return sum(found, Number(0)) / len(found)


def prices(period: str = "") -> list[Fact]:
    """China's domestic Nd-Pr oxide prices in USD without tax whose date begins with ``period``; none that repeats another."""
    return [
        replace(row, name=f"{row['item']} {row['date']}")
        for row in read("prices")
        if row["item"] == "NdPr oxide" and row["market"] == "China domestic" and row["date"].startswith(period)
        and row["unit"].startswith("USD/kg") and not row.flag("repeats")
    ]  # fmt: skip


def _light() -> tuple[Fact, ...]:
    return tuple(table("mines")[key] for key in LIGHT_MINES)


def light_ore() -> dict[str, Number]:
    """Bayan Obo, Sichuan and Shandong as one: t REO a year, shares of Nd-Pr and Dy+Tb, USD per kg REO."""
    reo = sum((f.number("capacity_t_reo") for f in _light()), Number(0))

    def averaged(column: str) -> Number:
        return sum((f.number(column) * f.number("capacity_t_reo") for f in _light()), Number(0)) / reo

    return {
        "reo": reo,
        "ndpr": averaged("ndpr_share"),
        "heavy": averaged("dy_share") + averaged("tb_share"),
        "opex": averaged("opex_usd_per_kg_reo"),
    }


def mine_cost() -> Number:
    """USD per kg of Nd-Pr oxide in China's light concentrates."""
    ore = light_ore()
    return ore["opex"] / ore["ndpr"]


def separation_cost() -> Number:
    """USD per kg of Nd-Pr oxide for cracking and separating, without margin."""
    fact = table("separation")["P_CHN_NORTH"]
    return fact.number("opex_usd_per_kg") / table("mines")["M_CHN_BAYAN"].number("ndpr_share")


def view(name: str) -> tuple[Number, tuple[Fact, ...], str]:
    """Price of Nd-Pr oxide of a row of choices/price_views.csv in USD per kg, the facts that it rests on, and its words."""
    row = table("price_views")[name]
    if row["fact"]:
        fact = named(row["fact"])
        return fact.number("value"), (fact,), row["words"]
    periods = [prices(period) for period in row.words("dates")]
    means = [mean(fact.number("price") for fact in period) for period in periods]
    return mean(means), tuple(fact for period in periods for fact in period), row["words"]


def dearest_ore() -> Number:
    """USD per kg of Nd-Pr oxide in ore where China needs all it can get: Thai monazite and Lao clays both pay, each with its two products."""
    thai, lao = table("mines")["M_THA_MON"], table("mines")["M_LAO_IAC"]

    def line(fact: Fact) -> tuple[Number, Number, Number]:
        return (
            fact.number("ndpr_share"),
            fact.number("dy_share") + fact.number("tb_share"),
            fact.number("opex_usd_per_kg_reo"),
        )

    (a, b, c), (d, e, f) = line(thai), line(lao)
    return (c * e - b * f) / (a * e - b * d)


def separation_opex(which: str) -> dict[str, tuple[Number, dict[str, str]]]:
    """Opex in USD per kg of oxide of China's separation (margin included) and its citation, light and heavy."""
    price, facts, words = view(which)
    ore = dearest_ore() if which == SHORT_OF_ORE else mine_cost()
    light_feed, alone, times = (
        feed(f"sep-light-{ORE}-chn", f"{ORE}_conc"),
        parameter("china_heavy_separation"),
        parameter("china_heavy_margin"),
    )
    light = price - light_feed * ore
    margin = light - separation_cost()
    reason = f"{words}: {price:.1f} USD per kg, less {light_feed} x ore at {ore:.1f}; the margin of {margin:.1f} sits on separation"
    heavy = alone + times * margin
    return {
        "light": (light, cite(*facts, assumed=reason)),
        "heavy": (
            heavy,
            cite(
                *facts,
                up("Y037"),
                assumed=f"{reason}; on Dy+Tb {times} times that margin and {alone} for separation",
            ),
        ),
    }


def separation_operations(book: Book, view: str) -> None:
    """The rows of operations.csv that a view of Chinese prices sets."""
    for circuit, (opex, about) in separation_opex(view).items():
        for process in light_circuits(china=True) if circuit == "light" else ("sep-heavy-chn",):
            book.add(
                "operations", facility=f"china-separation-{circuit}", process=process, opex_usd_per_t=round(1000 * opex), **about,
            )  # fmt: skip


def facility(book: Book, key: str, name: str, capacity: Number, about: dict[str, str], **more: object) -> None:
    book.add(
        "facilities", facility=key, name=name, owner="several", country="CHN", status="operating", capacity_t=round(capacity), **more, **about,
    )  # fmt: skip


def mines(book: Book, share: Number, growth: Number) -> None:
    """China's mines: light ore in one, clays in another; ``growth`` is added in a straight line to 2040, as a share of today's."""
    ore, clays = light_ore(), table("mines")[CLAYS]
    about = cite(*_light(), assumed="Bayan Obo, Sichuan and Shandong as one, weighted with their quotas")
    book.add(
        "processes", process="mine-china-light", name="Mining, China, light ore", restores_provenance=False, **about
    )
    for material, t in ((f"{ORE}_conc", ore["ndpr"]), (HEAVY_ORE, ore["heavy"])):
        book.add("recipes", process="mine-china-light", material=material, role="output", t_per_t=round(t, 6), **about)
    heavies = table("parameters")["china_clay_heavy_t"]
    mining_process(
        book, "china-clays", clays, CLAY_ORE, heavies.number("value") / clays.number("capacity_t_reo"), heavies["why"]
    )
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
        t = share * reo
        reason = "the quota was mined" + (f"; {share:.0%} of it serves the chain of this instance" if share < 1 else "")
        facility(book, f"{key}-mines", name, t, cite(*facts, assumed=reason))
        book.add("operations", facility=f"{key}-mines", **cost)
        if growth:
            more = cite(
                *facts,
                assumed=f"as much again by 2040 in a straight line from 2027, since China's own demand doubles too ({growth:.0%} of today's)",
            )
            facility(
                book,
                f"{key}-growth",
                f"{name}, growth to 2040",
                growth * t,
                more,
                first_year=parameter("china_growth_from"),
                ramp_years=LAST - parameter("china_growth_from") + 1,
            )
            book.add("operations", facility=f"{key}-growth", **cost)


def downstream(book: Book, tonnes: dict[str, Number], facts: dict[str, tuple[Fact, ...]], why: str, view: str) -> None:
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
        opex_usd_per_t=1000 * down("syc-conv-metal-chn").number("value"),
        **cite(down("syc-conv-metal-chn")),
    )
    heavy = "a third of the planning value outside China (syc-conv-dy-metal)"
    for part, process in (("dy", "metal-dy"), ("tb", "metal-tb")):
        book.add("operations", facility=f"china-{part}-metal", process=process, opex_usd_per_t=1000 * parameter("china_heavy_metal"),
                 **cite(down("syc-conv-dy-metal"), assumed=heavy))  # fmt: skip
    for r in MAGNET_RECIPES:
        if not r.process.endswith("lean"):
            book.add("operations", facility="china-magnets", process=r.process, opex_usd_per_t=1000 * (conversion("CHN") + r.adder),
                     **cite(down("syc-conv-magnet-chn"), assumed="plus the dearer process of high grades"))  # fmt: skip
    for process in ("rec-swarf-n", "rec-swarf-h"):
        book.add("operations", facility="china-recycling", process=process, opex_usd_per_t=round(1000 * parameter("china_recycling") * oxide_per_feed(process)),
                 **cite(table("separation")["P_CHN_RECYCLE"], assumed="4 USD per kg of oxide recovered"))  # fmt: skip


def magnets_for_export() -> Number:
    """Finished magnets that nameplate leaves after China's own use and the rest of the world, t/y."""
    blanks = table("magnets")["mg-chn-sintered"].number("capacity_t_per_year")
    finished = blanks * down("syc-yield-block-fin").number("value")
    own = sum(
        (
            r.number("demand_t")
            for r in read("demand")
            if r["method"] == ALLOCATED and r["year"] == demand_year("today_year") and r["region"] in ("CHN", "ROW")
        ),
        Number(0),
    )
    return round(finished - own, -3)


def china(book: Book, view: str = "mean") -> None:
    """China as the allied chain sees it."""
    mines(book, parameter("allied_share"), parameter("china_growth"))
    m, s, r = table("metal_alloy"), table("separation"), table("recycling")
    tonnes = {
        "light": parameter("china_light_t"), "heavy": parameter("china_heavy_t"), "metal": parameter("china_metal_t"), "dy": m["ma-chn-dy-metal"].number("capacity_t_per_year"), "tb": parameter("china_tb_metal_t"),
        "magnet": magnets_for_export(), "recycling": parameter("china_recycling_t"),
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
