"""Lanes and tariffs: makers to users only. No lane leads into China except for ore that goes there today; Indian oxides stay at home."""

from __future__ import annotations

from .book import Book
from .chain import SECTORS
from .demand import GRADES, REGIONS, series
from .facts import Fact, assume, cite, find, read

CONCENTRATES: dict[str, tuple[str, ...]] = {
    "AUS": ("MYS", "USA", "EUU", "JPN", "KOR", "VNM", "SAU"),
    "BRA": ("USA", "EUU", "MYS", "JPN"),
    "CAN": ("USA", "EUU", "NOR"),
    "CHL": ("USA",),
    "MWI": ("AUS", "USA", "EUU", "SAU"),
    "AGO": ("EUU", "USA", "JPN"),
    "ZAF": ("USA", "EUU"),
    "UGA": ("USA", "EUU"),
    "MDG": ("USA",),
    "GRL": ("USA", "EUU", "NOR"),
    "EUU": ("NOR",),
    "USA": ("EUU", "CAN"),
    "MYS": ("JPN", "CHN"),
    "TZA": ("CHN",), "MMR": ("CHN",), "LAO": ("CHN",), "THA": ("CHN",), "NGA": ("CHN",),
}  # fmt: skip
OXIDES: dict[str, tuple[str, ...]] = {
    "CHN": ("JPN", "KOR", "VNM", "EUU", "GBR", "IND"),
    "MYS": ("JPN", "KOR", "VNM", "USA", "EUU", "GBR", "IND"),
    "USA": ("JPN", "KOR", "VNM", "GBR", "EUU"),
    "AUS": ("JPN", "KOR", "USA", "EUU", "GBR", "VNM", "MYS", "IND"),
    "EUU": ("GBR", "JPN", "USA", "KOR"),
    "CAN": ("USA", "EUU", "JPN", "KOR"),
    "GBR": ("EUU", "USA"),
    "JPN": ("VNM", "KOR"),
    "KOR": ("JPN", "USA"),
    "VNM": ("JPN", "KOR"),
    "BRA": ("USA", "EUU", "JPN"),
    "ZAF": ("USA", "EUU", "GBR"),
    "SAU": ("USA", "EUU"),
    "NOR": ("EUU", "GBR"),
}
METALS: dict[str, tuple[str, ...]] = {
    "CHN": ("JPN", "KOR", "VNM", "MYS", "EUU", "GBR", "USA", "IND"),
    "JPN": ("VNM", "KOR", "EUU", "USA", "MYS", "IND", "GBR"),
    "VNM": ("JPN", "KOR", "USA"),
    "KOR": ("USA", "EUU", "JPN", "VNM", "MYS", "IND"),
    "GBR": ("USA", "EUU"),
    "EUU": ("GBR", "USA"),
    "CAN": ("USA", "EUU"),
    "USA": ("EUU", "KOR", "JPN", "CAN", "GBR"),
    "MYS": ("JPN", "KOR", "VNM"),
}
BUYERS = ("USA", "JPN", "KOR", "EUU", "GBR", "IND", "RAL")
MAGNETS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("CHN", "JPN", "KOR", "VNM", "MYS", "USA", "EUU"), BUYERS),
    "GBR": ("EUU", "USA", "RAL"),
    "IND": ("USA", "EUU", "GBR", "JPN", "RAL"),
    "CAN": ("USA", "EUU", "RAL"),
}
SCRAP: dict[str, tuple[str, ...]] = {
    "USA": ("CAN",),
    "KOR": ("JPN",),
    "VNM": ("JPN",),
    "MYS": ("JPN",),
    "EUU": ("GBR",),
    "GBR": ("EUU",),
    "CAN": ("USA",),
}
HEAVY_OXIDE_MAKERS = frozenset(OXIDES) - {"NOR", "KOR"}
HEAVY_METAL_MAKERS = frozenset({"CHN", "JPN", "KOR", "EUU", "USA"})
MAGNET_GRADES = ("mag_n", "mag_sh", "mag_uh")
LIGHT_CONCENTRATE = {True: 600.0, False: 1200.0}  # USD per t of contained oxide, near and far
HEAVY_CONCENTRATE = 50.0
NEAR = frozenset(
    {"AUS-MYS", "AUS-JPN", "CAN-USA", "USA-CAN", "MMR-CHN", "LAO-CHN", "THA-CHN", "MYS-CHN", "EUU-NOR", "GRL-NOR", "NOR-EUU", "NOR-GBR", "EUU-GBR", "GBR-EUU",
     "JPN-KOR", "KOR-JPN", "VNM-KOR", "VNM-JPN", "JPN-VNM", "KOR-VNM", "CHN-JPN", "CHN-KOR", "CHN-VNM", "MYS-VNM", "MYS-JPN", "MYS-KOR", "CHN-MYS"}
)  # fmt: skip
_EU = {"EUU": "EU27"}


def freight(origin: str, destination: str) -> tuple[float, dict[str, str]]:
    """Sea freight in USD per tonne of oxide, metal or magnet, and its citation."""
    o, d = _EU.get(origin, origin), _EU.get(destination, destination)
    d = "USA-East" if (o, d) in (("CHN", "USA"), ("EU27", "USA")) else d
    known = [
        Fact("trade_costs", f"container_freight_per_kg {o}-{d} {row['year']}", row)
        for row in read("trade_costs")
        if row["item"] == "container_freight_per_kg"
        and row["origin"] == o
        and row["destination"] == d
        and row["year"] in ("2025", "2026")
    ]
    if known:
        return 1000 * known[0].number("value"), cite(known[0])
    near = f"{origin}-{destination}" in NEAR
    return (100.0 if near else 200.0), assume(
        f"{'near' if near else 'far'} lane at {'0.10' if near else '0.20'} USD per kg, inside the 0.08-0.25 of container_freight_per_kg; freight never decides"
    )


def lanes(book: Book, limit_japan: bool = True) -> None:
    """``lanes.csv``; ``limit_japan`` keeps Japanese magnets mostly at home until other buyers have qualified them."""
    bulk = find("trade_costs", item="concentrate_bulk_freight")
    reason = "0.06 USD per kg gross at 50 per cent REO and 20 per cent Nd-Pr of REO; twice that on far lanes; nearly all freight on the light part"
    for origin, destinations in CONCENTRATES.items():
        for destination in destinations:
            cost = LIGHT_CONCENTRATE[f"{origin}-{destination}" in NEAR]
            for material, usd in (("lre_conc", cost), ("hre_conc", HEAVY_CONCENTRATE)):
                book.add(
                    "lanes",
                    material=material,
                    origin=origin,
                    destination=destination,
                    cost_usd_per_t=usd,
                    **cite(bulk, assumed=reason),
                )
    serra = find("policy_events_upstream", date="2025-12-04")
    for material, usd in (("lre_conc", 1200.0), ("hre_conc", HEAVY_CONCENTRATE)):
        book.add("lanes", material=material, origin="BRA", destination="CHN", last_year=2026, cost_usd_per_t=usd,
                 **cite(serra, bulk, assumed="Chinese offtake of Serra Verde ends in 2026; freight as on other far lanes"))  # fmt: skip
    for group, materials in (
        (OXIDES, ("ndpr_oxide", "dy_oxide", "tb_oxide")),
        (METALS, ("ndpr_metal", "dy_metal", "tb_metal")),
        (MAGNETS, MAGNET_GRADES),
        (SCRAP, ("swarf_n", "swarf_h", "eol_magnet")),
    ):
        for origin, destinations in group.items():
            for destination in destinations:
                if destination == origin:
                    continue
                usd, about = freight(origin, destination)
                for material in materials:
                    if limit_japan and origin == "JPN" and material in MAGNET_GRADES:
                        japanese_exports(book, material, destination, usd, about)
                        continue
                    if material in ("dy_oxide", "tb_oxide") and origin not in HEAVY_OXIDE_MAKERS:
                        continue
                    if material in ("dy_metal", "tb_metal") and origin not in HEAVY_METAL_MAKERS:
                        continue
                    if material == "eol_magnet" and (origin, destination) != ("USA", "CAN"):
                        continue
                    book.add(
                        "lanes", material=material, origin=origin, destination=destination, cost_usd_per_t=usd, **about
                    )


JAPAN_EXPORTS, JAPAN_EXPORTS_UNTIL = 2000.0, 2029  # t of magnets a year


def japanese_exports(book: Book, material: str, destination: str, usd: float, about: dict[str, str]) -> None:
    """A lane of Japanese magnets: limited to its part of 2 kt a year until 2029, free afterwards."""
    buyers = {
        c: sum(series(r, parts, GRADES[material], "2025")[0] for _, _, _, parts, _ in SECTORS)
        for r, c in REGIONS.items()
        if c != "JPN"
    }
    everything = sum(
        series(r, parts, grade, "2025")[0]
        for r, c in REGIONS.items()
        if c != "JPN"
        for _, _, _, parts, _ in SECTORS
        for grade in GRADES.values()
    )
    observed = find("demand", region="JPN", sector="imports_from_china")
    why = (
        "Japan makes about 12 kt and buys only 2.3-3.0 kt of its 15 kt from China, so hardly more than 2 kt of Japanese magnets can leave, and new buyers need 12-24 months "
        "to qualify them; split by the demand of 2025"
    )
    book.add("lanes", material=material, origin="JPN", destination=destination, last_year=JAPAN_EXPORTS_UNTIL, cost_usd_per_t=usd,
             max_t=round(JAPAN_EXPORTS * buyers[destination] / everything), **cite(observed, assumed=why))  # fmt: skip
    book.add(
        "lanes",
        material=material,
        origin="JPN",
        destination=destination,
        first_year=JAPAN_EXPORTS_UNTIL + 1,
        cost_usd_per_t=usd,
        **about,
    )


def _duty(item: str, **where: str) -> Fact:
    return find("trade_costs", item=item, **where)


def tariffs(book: Book) -> None:
    """``tariffs.csv``: duties on magnets, the American duty on Chinese oxides and metals, and the export VAT that China does not refund on them."""
    general, china = (
        _duty("mfn_duty_magnets", destination="USA"),
        _duty("total_duty_magnets", origin="CHN", destination="USA"),
    )
    phases = (
        (_duty("total_duty_magnets_1jan_20feb2026"), 50), (_duty("total_duty_magnets_from_20feb2026", origin="CHN"), 150), (china, 165),
    )  # fmt: skip
    year_2026 = sum(f.number("value") * days for f, days in phases) / 365
    extra_2026 = _duty("section122_global").number("value") * 150 / 365
    no_deals = "free-trade preferences of single countries are left out, because the facts give no rates"
    for material in MAGNET_GRADES:
        common = {"material": material}
        book.add("tariffs", **common, origin="CHN", destination="USA", last_year=2026, rate=round(year_2026 / 100, 3),
                 **cite(*(f for f, _ in phases), assumed="mean of 2026 by days: 50, 150 and 165"))  # fmt: skip
        book.add(
            "tariffs",
            **common,
            origin="CHN",
            destination="USA",
            first_year=2027,
            rate=china.number("value") / 100,
            **cite(china),
        )
        book.add("tariffs", **common, origin="*", destination="USA", last_year=2026, rate=round((general.number("value") + extra_2026) / 100, 3),
                 **cite(general, _duty("section122_global"), assumed=f"10 points for 150 days of 2026; {no_deals}"))  # fmt: skip
        book.add("tariffs", **common, origin="*", destination="USA", first_year=2027, rate=general.number("value") / 100,
                 **cite(general, assumed=f"no successor to Section 122 in the sources; {no_deals}"))  # fmt: skip
        for destination, fact in (("EUU", "EU27"), ("GBR", "GBR"), ("IND", "IND")):
            duty = _duty("mfn_duty_magnets", destination=fact)
            book.add(
                "tariffs",
                **common,
                origin="*",
                destination=destination,
                rate=duty.number("value") / 100,
                **cite(duty, assumed=no_deals),
            )
    vat, section301 = _duty("china_vat_rebate_magnets"), _duty("section301_critical_minerals")
    for material in ("ndpr_oxide", "dy_oxide", "tb_oxide", "ndpr_metal", "dy_metal", "tb_metal"):
        book.add("tariffs", material=material, origin="CHN", destination="*", rate=vat.number("value") / 100,
                 **cite(vat, assumed="magnets get the export VAT back, oxides and metals do not: it acts as an export tax of 13 per cent"))  # fmt: skip
        if "metal" in material:
            book.add("tariffs", material=material, origin="CHN", destination="USA", rate=(vat.number("value") + section301.number("value")) / 100,
                     **cite(vat, section301, assumed="export VAT plus Section 301; coverage of the customs lines of oxides and metals not verified"))  # fmt: skip


def values() -> tuple[dict[str, float], dict[str, str]]:
    """value_usd_per_t of the materials on which a duty falls, and the reason."""
    unit = find("prices", market="China export unit value, all destinations", date="2024-H1").number("price")
    ratio = find("prices", item="NdFeB magnet UH/EH").number("price")
    lead = {
        "ndpr_oxide": (72_000.0, "mean of 2024-26 as in the price of China's separation; prices.csv"),
        "dy_oxide": (250_000.0, "inside-China prices of 2025-26, 198-291 USD per kg; prices.csv"),
        "tb_oxide": (860_000.0, "inside-China prices of 2025-26, 805-913 USD per kg; prices.csv"),
        "ndpr_metal": (90_000.0, "1.2 x oxide + conversion"),
        "dy_metal": (320_000.0, "1.208 x oxide + conversion"),
        "tb_metal": (1_090_000.0, "1.238 x oxide + conversion"),
        "mag_n": (
            35_000.0,
            f"such that the grade mix gives the unit value of Chinese exports, {unit} USD per kg in 2024-H1 (prices.csv)",
        ),
        "mag_sh": (
            48_000.0,
            f"such that the grade mix gives the unit value of Chinese exports, {unit} USD per kg in 2024-H1 (prices.csv)",
        ),
        "mag_uh": (35_000.0 * ratio, f"price ratio UH/EH to N of {ratio} (prices.csv)"),
    }
    return {m: v for m, (v, _) in lead.items()}, {m: why for m, (_, why) in lead.items()}
