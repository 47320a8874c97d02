"""What each number of an instance rests on, and how far it may be off: ``evidence.csv``.

Every number that was read or computed from the facts has a row: its kind, age and confidence follow from the claims on the cells that it was
computed from. A range is given where the facts give one, or choices/ranges.csv does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import china, claims
from .book import COLUMNS, KEYS, Book
from .chain import LIGHT_ORES, MAGNET_RECIPES, down, light_circuits, up
from .demand import ALLOCATED, GRADES, regions, years
from .facts import cite, find, named, parameter, read, table
from .floors import INDEX
from .metal import NDPR
from .money import nominal
from .plants import of_stage

Row = dict[str, str]
MOST_CELLS = 6  # that a note names


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``, in the unit of the number; ``note`` says why."""

    low: float
    high: float
    confidence: str
    source: str
    note: str


class Ranges:
    """Collects the ranges of one instance by (table, key, column)."""

    def __init__(self, base: Book) -> None:
        self.base = base
        self.found: dict[tuple[str, str, str], Range] = {}

    def add(
        self, name: str, row: Row, column: str, low: float, high: float, confidence: str, about: dict[str, str]
    ) -> None:
        """Note the range of a cell; the number itself always lies in it. The first range that is noted counts."""
        value = float(row[column])
        key = name, "/".join(row[c] for c in COLUMNS[name][: KEYS.get(name, 1)]), column
        note = about["note"].removeprefix("assumption: ")
        self.found.setdefault(key, Range(min(low, value), max(high, value), confidence, about["source"], note))

    def rows(self, name: str, **where: str) -> list[Row]:
        return [r for r in self.base.rows[name] if all(r[c] == v for c, v in where.items())]


def capacities(r: Ranges) -> None:
    """Capacity and module size: how sure the fact is; half of an estimated tonnage either way when the fact calls itself unsure."""
    plants = [row for stage in ("mining", "separation", "metal", "magnet") for row in of_stage(stage)]
    spread = {sure: parameter(f"capacity_spread_{sure}") for sure in ("high", "medium", "low")}
    for plant in plants:
        key, fact = plant.id, named(plant["fact"])
        sure = fact["confidence"]
        about = cite(
            fact,
            assumed=f"{spread[sure]:.0%} either way for {sure} confidence; nameplates are rather missed than passed",
        )
        for row in r.rows("facilities", facility=key):
            if row["capacity_t"] and not plant.flag(
                "through_china"
            ):  # the allied share weighs more: choices/ranges.csv
                t = float(row["capacity_t"])
                r.add(
                    "facilities",
                    row,
                    "capacity_t",
                    round(t * (1 - spread[sure]), 1),
                    round(t * (1 + spread[sure] / 2), 1),
                    sure,
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
                round(parameter("capex_low") * capex, 1),
                round(high * capex, 1),
                sure,
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
            capital = 1 if country == "CHN" else parameter("conversion_without_capital")
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
                cite(fact),
            )
        elif process in ("metal-dy", "metal-tb"):
            fact = down("syc-conv-dy-metal")
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                min(1000 * parameter("heavy_metal_low"), opex),
                1000 * fact.number("high"),
                "low",
                cite(fact),
            )
        elif (
            process in light_circuits() and opex > 20_000
        ):  # in integrated projects most of the cost stands in the mine
            size = "established" if opex <= 30_000 else "new"
            low, high = (1000 * parameter(f"light_{size}_{end}") for end in ("low", "high"))
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                low,
                high,
                "low",
                judged("established 25-35, new and novel 35-60 USD per kg, so that all-in costs stay in Y028-Y034"),
            )
        elif process == "sep-heavy" and opex > 20_000:
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                1000 * parameter("heavy_low"),
                1000 * parameter("heavy_high"),
                "low",
                judged("60-100 USD per kg of Dy+Tb oxide"),
            )
        elif process in light_circuits(china=True):
            span = china.separation_opex("cost")["light"][0], china.separation_opex("price")["light"][0]
            about = cite(
                *china.view("cost")[1], *china.view("price")[1], assumed="from the cost view to the price view"
            )
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                round(1000 * span[0]),
                round(1000 * span[1]),
                "medium",
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
                judged("from the cost view to the price view"),
            )
        elif process.startswith("rec-") and process != "rec-short" and country != "CHN":
            fact = down("syc-rec-opex-long")
            r.add(
                "operations",
                row,
                "opex_usd_per_t",
                round(opex * fact.number("low") / fact.number("value"), 1),
                round(opex * fact.number("high") / fact.number("value"), 1),
                "low",
                cite(fact),
            )


def yields(r: Ranges) -> None:
    """Recoveries: the input per tonne of output at the best and the worst of the published yields."""
    pairs = {
        **{(f"sep-light-{ore.removesuffix('_conc')}", ore): (up("Y011"), up("Y013")) for ore in LIGHT_ORES},
        **{(f"sep-light-{ore.removesuffix('_conc')}-chn", ore): (up("Y012"), up("Y014")) for ore in LIGHT_ORES},
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
                cite(block, assumed="block yield alone varied"),
            )
        for material in ("dy_metal", "tb_metal"):
            for row in r.rows("recipes", process=recipe.process, material=material):
                value = float(row["t_per_t"])
                r.add("recipes", row, "t_per_t", round(parameter("heavies_low") * value, 5), round(parameter("heavies_high") * value, 5), "low",
                      judged("compositions by grade are recollections; diffusion saves 40-70 per cent of bulk, so two thirds either way of the middle"))  # fmt: skip


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
            cite(fact, assumed="less inflation, plus the adders of the option"),
        )
    for sector in read("sectors"):
        for row in r.rows("sectors", sector=sector.id):
            r.add("sectors", row, "shortage_usd_per_t", 1000 * parameter("shortage_low"), 1000 * parameter("shortage_high"), "low",
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
                        r.add("demand", row, "demand_t", round(min(low, value), 1), round(max(high, value), 1), "low",
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
            cite(price),
        )


def declared(r: Ranges) -> None:
    """The ranges of choices/ranges.csv, for what has none yet; the first that fits counts."""
    for rule in read("ranges"):
        low, high, column = rule.number("low"), rule.number("high"), rule["column"]
        for row in r.base.rows[rule["table"]]:
            if row[column] and re.fullmatch(rule["keys"], "/".join(r.base.key(rule["table"], row))):
                value = float(row[column])
                ends = (low * value, high * value) if rule["basis"] == "times" else (value + low, value + high)
                if column == "success_probability":
                    ends = max(0.0, ends[0]), min(1.0, ends[1])
                ends = max(0.0, round(ends[0], 4)), round(ends[1], 4)
                r.add(rule["table"], row, column, *ends, rule["confidence"], judged(rule["why"]))


def judged(why: str) -> dict[str, str]:
    """A range that rests on no source."""
    return {"source": "", "note": why}


def evidence(book: Book, ranged: bool = True) -> None:
    """Add ``evidence.csv``: what each number of ``book`` rests on; with ``ranged`` how far it may be off, too."""
    r = Ranges(book)
    if ranged:
        for collect in (capacities, costs, yields, money, demand, scrap, declared):
            collect(r)
    there = {(name, "/".join(book.key(name, row))) for name, rows in book.rows.items() for row in rows}
    for cell, number in list(book.numbers.items()):
        if (
            not number.cells or cell[0] == "countries" or cell[:2] not in there
        ):  # places on the map are no numbers of the model
            continue
        claim, span = claims.of_number(number.cells), r.found.get(cell)
        sources = tuple(dict.fromkeys((*claim.sources, *(span.source.split(";") if span and span.source else ()))))
        note = " + ".join(claims.told(c) for c in number.cells[:MOST_CELLS])
        if len(number.cells) > MOST_CELLS:
            note += f" and {len(number.cells) - MOST_CELLS} more cells"
        book.add(
            "evidence", table=cell[0], key=cell[1], column=cell[2], low=None if span is None else float(span.low), high=None if span is None else float(span.high),
            confidence=claim.confidence if span is None else span.confidence, kind=claim.kind, as_of=claim.as_of, review_by=claim.review_by,
            source=";".join(sources), note=("assumption: " if claim.kind == "judgement" or not sources else "") + (f"{span.note}; " if span else "") + f"from {note}",
        )  # fmt: skip
