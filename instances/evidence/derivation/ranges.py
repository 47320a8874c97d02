"""How far the numbers of allied-2040 may be off: one row per number for which the facts give a range, or say how sure they are.

Columns: table, key (the row's key columns joined with ``/``), column, low, high (blank where the facts give none), confidence (high, medium, low),
kind (``fact``: published; ``estimate``: the compiler of the facts; ``assumption``: declared in the derivation).
"""

from __future__ import annotations

from . import china
from .book import COLUMNS, KEYS, Book
from .chain import MAGNET_RECIPES, down, up
from .demand import ALLOCATED, GRADES, regions, years
from .facts import Fact, assume, cite, find, named, read, table
from .floors import INDEX
from .metal import NDPR
from .money import nominal
from .plants import of_stage

Row = dict[str, str]


def _key(name: str, row: Row) -> str:
    return "/".join(row[c] for c in COLUMNS[name][: KEYS.get(name, 1)])


class Ranges:
    """Collects rows of evidence.csv for one instance."""

    def __init__(self, base: Book) -> None:
        self.base, self.book = base, Book()

    def add(
        self,
        name: str,
        row: Row,
        column: str,
        low: float | None,
        high: float | None,
        confidence: str,
        kind: str,
        about: dict[str, str],
    ) -> None:
        self.book.add(
            "evidence",
            table=name,
            key=_key(name, row),
            column=column,
            low=low,
            high=high,
            confidence=confidence,
            kind=kind,
            **about,
        )

    def rows(self, name: str, **where: str) -> list[Row]:
        return [r for r in self.base.rows[name] if all(r[c] == v for c, v in where.items())]


def _kind(fact: Fact) -> str:
    return "estimate" if fact.estimated else "fact"


def capacities(r: Ranges) -> None:
    """Capacity and module size: how sure the fact is; half of an estimated tonnage either way when the fact calls itself unsure."""
    plants = [row for stage in ("mining", "separation", "metal", "magnet") for row in of_stage(stage)]
    spread = {"high": 0.1, "medium": 0.25, "low": 0.5}
    for plant in plants:
        key, fact = plant.id, named(plant["fact"])
        sure = fact["confidence"]
        about = cite(
            fact,
            assumed=f"{spread[sure]:.0%} either way for {sure} confidence; nameplates are rather missed than passed",
        )
        for row in r.rows("facilities", facility=key):
            if row["capacity_t"]:
                t = float(row["capacity_t"])
                r.add(
                    "facilities",
                    row,
                    "capacity_t",
                    round(t * (1 - spread[sure]), 1),
                    round(t * (1 + spread[sure] / 2), 1),
                    sure,
                    _kind(fact),
                    about,
                )
        for row in r.rows("options", facility=key):
            capex = float(row["capex_musd"])
            over = table("finance")["mining_capex_overrun_mean"]
            mine = plant["stage"] == "mining"
            about_capex = cite(
                fact,
                over if mine else up("Y061"),
                assumed="10 per cent below to the mean overrun above"
                if mine
                else "10 per cent below to the growth seen at Eneabba above",
            )
            high = 1 + over.number("value") / 100 if mine else up("Y061").number("value")
            r.add(
                "options",
                row,
                "capex_musd",
                round(0.9 * capex, 1),
                round(high * capex, 1),
                sure,
                _kind(fact),
                about_capex,
            )


def costs(r: Ranges) -> None:
    """Conversion and separation costs."""
    conversion = {
        "CHN": down("syc-conv-magnet-chn"), "JPN": down("syc-conv-magnet-jpn"), "KOR": down("syc-conv-magnet-kor-vnm"), "VNM": down("syc-conv-magnet-kor-vnm"),
        "USA": down("syc-conv-magnet-use"), "EUU": down("syc-conv-magnet-use"), "GBR": down("syc-conv-magnet-use"), "CAN": down("syc-conv-magnet-use"),
    }  # fmt: skip
    adders = {recipe.process: recipe.adder for recipe in MAGNET_RECIPES}
    metals = {"JPN": down("syc-conv-metal-jpn"), "CHN": down("syc-conv-metal-chn")}
    where = {row["facility"]: row["country"] for row in r.base.rows["facilities"]}
    for row in r.base.rows["operations"]:
        country, process, opex = where[row["facility"]], row["process"], float(row["opex_usd_per_t"])
        if process in adders and country in conversion:
            fact = conversion[country]
            capital = 1 if country == "CHN" else 0.7
            low, high = (1000 * (capital * fact.number(c) + adders[process]) for c in ("low", "high"))
            why = "plus the dearer process of the grade" + (
                "" if country == "CHN" else "; 70 per cent of the published cost, which contains capital"
            )
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                min(low, opex),
                max(high, opex),
                "low",
                "estimate",
                cite(fact, assumed=why),
            )
        elif process in (NDPR, "metal-ndpr-chn"):
            fact = metals.get(country, down("syc-conv-metal-use"))
            low, high = 1000 * fact.number("low"), 1000 * fact.number("high")
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                min(low, opex),
                max(high, opex),
                fact["confidence"],
                _kind(fact),
                cite(fact),
            )
        elif process in ("metal-dy", "metal-tb"):
            fact = down("syc-conv-dy-metal")
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                min(10_000, opex),
                1000 * fact.number("high"),
                "low",
                "estimate",
                cite(fact),
            )
        elif process == "sep-light" and opex > 20_000:  # in integrated projects most of the cost stands in the mine
            low, high = (25_000, 35_000) if opex <= 30_000 else (min(opex, 30_000), 60_000)
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                low,
                high,
                "low",
                "assumption",
                assume("established 25-35, new and novel 35-60 USD per kg, so that all-in costs stay in Y028-Y034"),
            )
        elif process == "sep-heavy" and opex > 20_000:
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                min(opex, 60_000),
                max(opex, 100_000),
                "low",
                "assumption",
                assume("60-100 USD per kg of Dy+Tb oxide"),
            )
        elif process == "sep-light-chn":
            span = china.separation_opex("cost")["light"][0], china.separation_opex("price")["light"][0]
            about = cite(
                *china.VIEWS["cost"][1], *china.VIEWS["price"][1], assumed="from the cost view to the price view"
            )
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                round(1000 * span[0]),
                round(1000 * span[1]),
                "medium",
                "fact",
                about,
            )
        elif process == "sep-heavy-chn":
            span = china.separation_opex("cost")["heavy"][0], china.separation_opex("price")["heavy"][0]
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                round(1000 * span[0]),
                round(1000 * span[1]),
                "low",
                "assumption",
                assume("from the cost view to the price view"),
            )
        elif process.startswith("rec-") and process != "rec-short" and country != "CHN":
            fact = down("syc-rec-opex-long")
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                round(opex * 20 / 27.5, 1),
                round(opex * 40 / 27.5, 1),
                "low",
                _kind(fact),
                cite(fact),
            )


def yields(r: Ranges) -> None:
    """Recoveries: the input per tonne of output at the best and the worst of the published yields."""
    pairs = {
        ("sep-light", "lre_conc"): (up("Y011"), up("Y013")), ("sep-light-chn", "lre_conc"): (up("Y012"), up("Y014")),
        ("sep-heavy", "hre_conc"): (up("Y011"), up("Y015")), ("sep-heavy-chn", "hre_conc"): (up("Y012"), up("Y016")),
        ("metal-ndpr", "ndpr_oxide"): (down("syc-yield-ox-metal-new"), down("syc-stoich-ndpr")),
        ("metal-ndpr-chn", "ndpr_oxide"): (down("syc-yield-ox-metal-chn"), down("syc-stoich-ndpr")),
        ("metal-dy", "dy_oxide"): (down("syc-yield-dy-metal"), down("syc-stoich-dy2o3")),
        ("metal-tb", "tb_oxide"): (down("syc-yield-dy-metal"), down("syc-stoich-tb4o7")),
    }  # fmt: skip
    for (process, material), facts in pairs.items():
        for row in r.rows("recipes", process=process, material=material):
            value = float(row["t_per_t"])
            best, worst = 1.0, 1.0
            for fact in facts:
                best, worst = best * fact.number("high"), worst * fact.number("low")
            r.add(
                "recipes",
                row,
                "t_per_t",
                min(value, round(1 / best, 4)),
                max(value, round(1 / worst, 4)),
                "low",
                "estimate",
                cite(*facts),
            )
    block = down("syc-yield-block-fin")
    for recipe in MAGNET_RECIPES:
        for row in r.rows("recipes", process=recipe.process, material="ndpr_metal"):
            value = float(row["t_per_t"])
            low, high = (value * block.number("value") / block.number(c) for c in ("high", "low"))
            r.add(
                "recipes",
                row,
                "t_per_t",
                round(low, 4),
                round(high, 4),
                "medium",
                "fact",
                cite(block, assumed="block yield alone varied"),
            )
        for material in ("dy_metal", "tb_metal"):
            for row in r.rows("recipes", process=recipe.process, material=material):
                value = float(row["t_per_t"])
                r.add("recipes", row, "t_per_t", round(0.6 * value, 5), round(1.5 * value, 5), "low", "assumption",
                      assume("compositions by grade are recollections; diffusion saves 40-70 per cent of bulk, so two thirds either way of the middle"))  # fmt: skip


def money(r: Ranges) -> None:
    """Cost of capital of options, shortage costs."""
    inflation = table("finance")["inflation_assumption"].number("value")
    where = {row["facility"]: row["country"] for row in r.base.rows["facilities"]}
    for row in r.base.rows["options"]:
        if row["option"].endswith("-loan"):
            continue
        country = where[row["facility"]]
        fact = nominal(country)
        shift = float(row["wacc"]) - (fact.number("value") - inflation) / 100
        low, high = ((fact.number(c) - inflation) / 100 + shift for c in ("low", "high"))
        r.add(
            "options",
            row,
            "wacc",
            round(low, 4),
            round(high, 4),
            "low",
            "estimate",
            cite(fact, assumed="less inflation, plus the adders of the option"),
        )
    for sector in read("sectors"):
        for row in r.rows("sectors", sector=sector.id):
            r.add("sectors", row, "shortage_usd_per_t", 300_000, 6_500_000, "low", "assumption",
                  cite(*map(named, sector.words("losses")), assumed="from the gross value of cheap goods to the highest published loss per kg"))  # fmt: skip


def demand(r: Ranges) -> None:
    """Low and high of demand by sector and grade, from the ranges of the allocation."""
    for region, country in regions().items():
        for sector in read("sectors"):
            parts = sector.words("parts")
            for material, grade in GRADES.items():
                for year in years():
                    low = high = 0.0
                    for row in read("demand"):
                        if (
                            row["method"] == ALLOCATED
                            and row["region"] == region
                            and row["sector"] in parts
                            and row["year"] == year
                        ):
                            share = find("grade_mix", sector=row["sector"], grade=grade).number("share")
                            low, high = low + share * float(row["low"]), high + share * float(row["high"])
                    for row in r.rows("demand", country=country, sector=sector.id, material=material, year=year):
                        value = float(row["demand_t"])
                        r.add("demand", row, "demand_t", round(min(low, value), 1), round(max(high, value), 1), "low", "estimate",
                              {"source": row["source"], "note": "assumption: range of the allocation in demand.csv times the grade mix"})  # fmt: skip


def scrap(r: Ranges) -> None:
    """Old magnets that can be collected."""
    fact = down("syc-rec-eol-rate-2035")
    for row in r.base.rows["market_prices"]:
        if row["market"] == INDEX:
            planned = find("prices", market="planning range (own)")
            r.add(
                "market_prices",
                row,
                "price_usd_per_t",
                1000 * planned.number("low"),
                1000 * planned.number("high"),
                "low",
                "estimate",
                cite(planned),
            )
            continue
        t = float(row["max_t"])
        low, high = (t * fact.number(c) / fact.number("value") for c in ("low", "high"))
        r.add(
            "market_prices",
            row,
            "max_t",
            round(low, 1),
            round(high, 1),
            "low",
            "estimate",
            cite(fact, assumed="in proportion to the rate of collection"),
        )
        price = down("syc-rec-feed-price")
        r.add(
            "market_prices",
            row,
            "price_usd_per_t",
            1000 * price.number("low"),
            1000 * price.number("high"),
            "low",
            "fact",
            cite(price),
        )


def evidence(base: Book) -> Book:
    """evidence.csv of allied-2040."""
    ranges = Ranges(base)
    for collect in (capacities, costs, yields, money, demand, scrap):
        collect(ranges)
    return ranges.book
