"""The instance world-2024: one year, the whole world, no caps; its least-cost plan is compared with what was observed.

Nothing is forced but documented contracts (minimum use, as in the flagship). Output of 2024 replaces nameplate where it is published.
"""

from __future__ import annotations

from . import chain, china, demand, magnets, metal, mining, ranges, recycling, separation, trade
from .book import Book
from .chain import down, made
from .facts import Fact, Number, assume, cite, find, parameter, table
from .magnets import conversion

YEAR = 2024
NO_FEED = frozenset({"src-metal"})  # its contract and its own oxide came later


def _share(country: str) -> Fact:
    return find("stage_shares", year="2024", stage="mining", element_group="total REO (USGS)", country=country)


def _mined() -> dict[str, Number]:
    """t REO of 2024 where published. Mt Weld: what the 7,000 t/y of Nd-Pr of the plant of 2024 need, because the 13 kt of USGS are less than Lynas separated."""
    ore = {
        "mp-mountain-pass": "USA",
        "kachin-clays": "MMR",
        "thailand-monazite": "THA",
        "nigeria-monazite": "NGA",
        "irel-sands": "IND",
    }
    mined = {key: _share(country).number("volume_t") for key, country in ore.items()}
    mined["kachin-clays"] = (
        mined["kachin-clays"] * parameter("kachin_months") / 9
    )  # Chinese customs counted the 31 kt of USGS from January to September already; the mines stopped in late October (H2024_KACHIN)
    mined["lynas-mt-weld"] = (
        parameter("mt_weld_use")
        * parameter("kuantan_2024_t")
        * chain.feed("sep-light-monazite", "monazite_conc")
        / table("mines")["M_AUS_MTWELD"].number("ndpr_share")
    )
    return mined


def cerium_magnets(book: Book) -> None:
    """Cerium-substituted magnets, a third of China's blanks in 2024: much less Nd-Pr in the cheapest grade."""
    share, use, block = down("syc-cefeb-share"), find("demand", sector="metal_prnd_use"), down("syc-yield-block-fin")
    blanks = find("demand", sector="production_total", year="2024")
    finished = blanks.number("demand_t") * block.number("value")
    normal = next(r.ndpr for r in chain.MAGNET_RECIPES if r.process == "mag-n")
    mean = use.number("demand_t") / finished
    ndpr = (mean - (1 - share.number("value")) * normal) / share.number("value")
    about = cite(
        share,
        use,
        blanks,
        block,
        assumed=f"China used {mean:.3f} kg of Nd-Pr metal per kg finished; with {normal:.2f} in the rest, cerium grades hold the difference",
    )
    book.add(
        "processes",
        process="mag-n-cerium",
        name="Magnet N/M, part of the Nd-Pr replaced by cerium",
        restores_provenance=False,
        **about,
    )
    book.add("recipes", process="mag-n-cerium", material="ndpr_metal", role="input", t_per_t=round(ndpr, 3), **about)
    book.add("recipes", process="mag-n-cerium", material="mag_n", role="output", t_per_t=1, **about)
    swarf = round(parameter("swarf_per_magnet") * ndpr / normal, 3)
    book.add("recipes", process="mag-n-cerium", material="swarf_n", role="output", t_per_t=swarf,
             **cite(down("syc-swarf-share"), assumed="swarf counted by its Nd-Pr, in tonnes of normal swarf"))  # fmt: skip
    china.facility(
        book,
        "china-cerium-magnets",
        "China, cerium-substituted NdFeB (aggregate)",
        share.number("value") * finished,
        about,
    )
    book.add("operations", facility="china-cerium-magnets", process="mag-n-cerium", opex_usd_per_t=1000 * conversion("CHN"),
             **cite(down("syc-conv-magnet-chn"), assumed="as other N magnets"))  # fmt: skip


def china_2024(book: Book) -> None:
    """All of China's chain."""
    china.mines(book, Number(1), Number(0))
    m, s, r = table("metal_alloy"), table("separation"), table("recycling")
    oxide = find("stage_shares", year="2024", stage="refining", element_group="NdPr oxide")
    scrap = down("syc-rec-chn-ndpr")
    light = (s["P_CHN_NORTH"], s["P_CHN_SICHUAN"], s["P_CHN_SOUTH"], s["P_CHN_MONAZITE"])
    blanks = table("magnets")["mg-chn-sintered"]
    tonnes = {
        "light": oxide.number("volume_t") - scrap.number("value"),
        "heavy": (find("stage_shares", year="2024", stage="refining", element_group="Dy oxide").number("volume_t")
                  + find("stage_shares", year="2024", stage="refining", element_group="Tb oxide").number("volume_t")),
        "metal": parameter("china_metal_2024_t"),
        "dy": m["ma-chn-dy-metal"].number("capacity_t_per_year"),
        "tb": parameter("china_tb_metal_t"),
        "magnet": blanks.number("capacity_t_per_year") * down("syc-yield-block-fin").number("value"),
        "recycling": r["rc-chn-agg"].number("capacity_t_per_year") / made("rec-swarf-n", "ndpr_oxide"),
    }  # fmt: skip
    facts = {
        "light": (*light, oxide, scrap), "heavy": (s["P_CHN_SOUTH"], oxide), "metal": (m["ma-chn-ndpr-metal"],), "dy": (m["ma-chn-dy-metal"],),
        "tb": (m["ma-chn-tb-metal"],), "magnet": (blanks,), "recycling": (r["rc-chn-agg"],),
    }  # fmt: skip
    why = (
        "oxide capacity is the output of 2024 (Nd-Pr less what came from scrap); metal 110-140 kt nameplate; Tb metal 650 t of oxide; magnets are blank nameplate "
        "times block yield; recycling is limited by feed"
    )
    china.downstream(book, tonnes, facts, why, "2024")
    cerium_magnets(book)


def lanes(book: Book) -> None:
    """The lanes of the flagship, Japanese exports free, and what moved only in 2024: US, Russian and Brazilian feed to China, magnets to China and the rest of the world."""
    trade.lanes(book, limited=False)
    feed = table("separation")["P_CHN_SICHUAN"]
    for origin, why in (
        ("USA", "Shenghe's offtake of Mountain Pass concentrate, until 2025"),
        ("RUS", "carbonate of Solikamsk goes to China"),
        ("AUS", "Lynas and sands sold some feed"),
    ):
        for material in (*chain.LIGHT_ORES, chain.HEAVY_ORE):
            book.add(
                "lanes",
                material=material,
                origin=origin,
                destination="CHN",
                cost_usd_per_t=trade.ore_freight(material),
                **cite(feed, assumed=why),
            )
    for material in trade.MAGNET_GRADES:
        for origin in ("CHN", "JPN", "KOR", "VNM", "EUU"):
            book.add(
                "lanes",
                material=material,
                origin=origin,
                destination="ROW",
                cost_usd_per_t=1000 * parameter("freight_far"),
                **assume("far lane at 0.20 USD per kg"),
            )
            if origin != "CHN":
                book.add(
                    "lanes",
                    material=material,
                    origin=origin,
                    destination="CHN",
                    cost_usd_per_t=1000 * parameter("freight_far"),
                    **assume("far lane at 0.20 USD per kg"),
                )


def tariffs(book: Book) -> None:
    """Duties of 2024: most-favoured-nation on magnets, nothing more on Chinese ones yet; the export VAT of oxides and metals."""
    for material in trade.MAGNET_GRADES:
        for destination, fact in (("USA", "USA"), ("EUU", "EU27"), ("GBR", "GBR"), ("IND", "IND"), ("CHN", "CHN")):
            duty = find("trade_costs", item="mfn_duty_magnets", destination=fact)
            book.add(
                "tariffs",
                material=material,
                origin="*",
                destination=destination,
                rate=duty.number("value") / 100,
                **cite(duty),
            )
    vat = find("trade_costs", item="china_vat_rebate_magnets")
    for material in ("ndpr_oxide", "dy_oxide", "tb_oxide", "ndpr_metal", "dy_metal", "tb_metal"):
        book.add("tariffs", material=material, origin="CHN", destination="*", rate=vat.number("value") / 100,
                 **cite(vat, assumed="not refunded on oxides and metals: it acts as an export tax"))  # fmt: skip


def book() -> Book:
    """All tables of world-2024."""
    b = Book()
    chain.countries(b, world=True)
    chain.materials(b)
    chain.process_recipes(b)
    chain.magnet_recipes(b)
    mining.mines(b, YEAR, _mined())
    separation.circuits(b, YEAR)
    metal.metal_plants(b, YEAR, NO_FEED)
    magnets.makers(b, YEAR)
    recycling.recycling_plants(b, YEAR)
    china_2024(b)
    lanes(b)
    tariffs(b)
    chain.sectors(b)
    demand.demand(b, YEAR)
    drop_unused(b)
    ranges.evidence(b, ranged=False)
    b.add_sources()
    return b


def drop_unused(b: Book) -> None:
    """Drop processes that nobody ran in 2024, and lanes, countries and materials that nothing can use."""
    run = {row["process"] for row in b.rows["operations"]}
    b.rows["processes"] = [row for row in b.rows["processes"] if row["process"] in run]
    b.rows["recipes"] = [row for row in b.rows["recipes"] if row["process"] in run]
    where = {row["facility"]: row["country"] for row in b.rows["facilities"]}
    flows: dict[tuple[str, str], set[str]] = {}
    recipes: dict[str, list[tuple[str, str]]] = {}
    for row in b.rows["recipes"]:
        recipes.setdefault(row["process"], []).append((row["material"], row["role"]))
    for row in b.rows["operations"]:
        for material, role in recipes[row["process"]]:
            flows.setdefault((material, role), set()).add(where[row["facility"]])
    for row in b.rows["demand"]:
        flows.setdefault((row["material"], "input"), set()).add(row["country"])
    b.rows["lanes"] = [
        row for row in b.rows["lanes"]
        if row["origin"] in flows.get((row["material"], "output"), set()) and row["destination"] in flows.get((row["material"], "input"), set())
    ]  # fmt: skip
    active = set(where.values()) | {row["country"] for row in b.rows["demand"]}
    b.rows["countries"] = [row for row in b.rows["countries"] if row["country"] in active]
    used = {material for material, _ in flows}
    b.rows["materials"] = [row for row in b.rows["materials"] if row["material"] in used]
