"""Overlays of allied-2040 for rules of trade and public means of 2026: licences, duties and floors at the border, a reserve, venture money.

Each holds only what differs from the flagship; what a single what-if says stands in the overlay's instance.toml.
"""

from __future__ import annotations

from collections.abc import Iterable

from .book import Book
from .chain import BULK, feed
from .demand import GRADES, regions
from .facts import Fact, Number, cite, find, parameter, read, table
from .overlays import _capacity, _stock
from .plants import FIRST
from .trade import _use

Row = dict[str, str]
HEAVIES = ("dy", "tb")


# --- licences -------------------------------------------------------------------------------------------------------------------------------------------


def licence(base: Book) -> Book:
    """China licenses heavies and magnets that hold them: what left under licences in 2025 is all that leaves, later and dearer."""
    book = Book()
    wait, carrying = (
        find("trade_costs", item="export_licence_time"),
        find("trade_costs", item="inventory_carrying_cost"),
    )
    days = wait.number("value") * 7 / 5  # working days
    waited = f"{float(days):.0f} days of {wait['value']} working days, in which {carrying['value']} % a year are lost"
    makers = {
        row["country"]: _capacity(base, row["country"]) for row in base.rows["countries"] if row["country"] != "CHN"
    }
    for row in base.rows["lanes"]:
        if row["origin"] != "CHN" or not _licensed(row["material"]):
            continue
        value = _value(base, row["material"])
        dearer = value * carrying.number("value") / 100 * days / 365
        if row["material"] in GRADES:
            most, facts, why = _magnets(row["destination"], row["material"])
        else:
            most, facts, why = _heavies(row["material"], row["destination"], makers)
        cost = base.number("lanes", row, "cost_usd_per_t")
        assert cost is not None
        book.add("lanes", **{c: row[c] for c in ("material", "origin", "destination", "first_year", "last_year")}, cost_usd_per_t=round(cost + dearer),
                 max_t=round(most, 1), **cite(wait, carrying, *facts, assumed=f"{why}; {waited}"))  # fmt: skip
    return book


def _licensed(material: str) -> bool:
    """Whether it is a heavy rare earth, or a magnet whose grade holds some."""
    return material.split("_")[0] in HEAVIES or material in ("mag_sh", "mag_uh")


def _heavies(material: str, destination: str, makers: dict[str, Number]) -> tuple[Number, tuple[Fact, ...], str]:
    """Tonnes a year of an oxide or metal to a destination: its part of what left in a month of 2025, by where magnets are made."""
    element = material.split("_")[0]
    everything = sum(makers.values(), Number(0))
    most = parameter(f"licence_{element}_t") * parameter("licence_oxide_part") * makers[destination] / everything
    return most, (table("disruptions")["H2025_DY_OCT"], table("disruptions")["H2026_DYTBY_EXPORTS"]), (
        "about half of what left before: the September of 2025 times twelve, half as oxide and half as metal, by capacity of magnet makers"
    )  # fmt: skip


def _magnets(destination: str, material: str) -> tuple[Number, tuple[Fact, ...], str]:
    """Tonnes a year of a grade to a destination: the customs of 2024 by the grades that the country uses, less what exports to the USA fell."""
    region = {country: region for region, country in regions().items()}[destination]
    fell = table("disruptions")["H2025_FULLYEAR_US"]
    observed = [
        row
        for row in read("demand")
        if row["region"] == region and row["sector"] in ("imports_from_china", "imports_from_china_9m")
    ]
    share = _use(region, (GRADES[material],)) / _use(region, GRADES.values())
    if observed:
        first = min(observed, key=lambda row: row["year"])
        before = first.number("demand_t") * (parameter("nine_months") if first["sector"].endswith("9m") else 1) * share
        facts: tuple[Fact, ...] = (first, fell)
        why = "what customs counted, by the grades that the country uses, less the fall of exports to the USA in 2025"
    else:
        before, facts, why = (
            _use(region, (GRADES[material],)),
            (fell,),
            "all that the country used in 2025, less the fall of exports to the USA",
        )
    return before * (1 - fell.number("severity_fraction_lost")), facts, f"{why}; it does not grow"


def _value(base: Book, material: str) -> Number:
    row = next(r for r in base.rows["materials"] if r["material"] == material)
    return base.number("materials", row, "value_usd_per_t") or Number(0)


# --- duties and floors at the border --------------------------------------------------------------------------------------------------------------------


def tariff(base: Book) -> Book:
    """A duty of the USA on all magnets, metals and oxides from anywhere, on top of what stands."""
    fact = find(
        "policy_events", event="Proclamation 11001 (Section 232 processed critical minerals): no tariff, negotiate"
    )
    points = parameter("s232_points")
    lanes = [row for row in base.rows["lanes"] if row["destination"] == "USA"]
    return _border(
        base,
        lanes,
        lambda _: points,
        cite(
            fact,
            assumed="what was not chosen in January 2026: so many points on all origins, as Section 301 has on China; from 2027 on",
        ),
    )


def without_section_122(base: Book) -> Book:
    """The duties of 2026 as if the surcharge had never been in force."""
    book = Book()
    surcharge = find("trade_costs", item="section122_global")
    part = surcharge.number("value") / 100 * parameter("duty_days_2") / 365
    for row in base.rows["tariffs"]:
        if row["destination"] == "USA" and row["last_year"] == str(int(FIRST)):
            rate = (base.number("tariffs", row, "rate") or Number(0)) - part
            book.add("tariffs", **{c: row[c] for c in ("material", "origin", "destination", "last_year")}, rate=round(rate, 3),
                     **cite(surcharge, assumed="the mean of 2026 less the surcharge for the days in which it was in force"))  # fmt: skip
    return book


def floor(base: Book, destinations: Iterable[str] | None = None, forge: bool = False) -> Book:
    """A levy on Chinese goods that lifts their Nd-Pr to a reference price at the border of ``destinations`` [all allies].

    The levy on a tonne is the reference less the price in China, times the Nd-Pr oxide in it.
    """
    reference = find("prices", item="NdPr oxide", market="price floor USA (MP-DoD)")
    rule = find("policy_events", event="Critical Minerals Ministerial: preferential zone with reference-price floors and adjustable tariffs (FORGE)") if forge else find(
        "policy_events", event="Proclamation 11001 negotiation window")  # fmt: skip
    gap = 1000 * reference.number("price") - _value(base, "ndpr_oxide")
    oxide = _contents()
    lanes = [
        row
        for row in base.rows["lanes"]
        if row["origin"] == "CHN" and (destinations is None or row["destination"] in destinations)
    ]

    def extra(material: str) -> Number:
        return gap * oxide[material] / _value(base, material) if material in oxide else Number(0)

    why = "a levy that lifts Nd-Pr from its Chinese price in the instance to the reference price of 110, on what goods hold of it; from 2027 on; what others make of Chinese metal passes"
    return _border(base, lanes, extra, cite(reference, rule, assumed=why))


def _contents() -> dict[str, Number]:
    """Tonnes of Nd-Pr oxide that were needed for the Nd-Pr in a tonne of oxide, metal or finished magnet."""
    metal = feed("metal-ndpr", "ndpr_oxide")
    return {
        "ndpr_oxide": Number(1),
        "ndpr_metal": metal,
        **{grade: metal * share[0] / 100 for grade, share in BULK.items()},
    }


def _border(base: Book, lanes: list[Row], extra, about: dict[str, str]) -> Book:  # type: ignore[no-untyped-def]
    """Rows of ``tariffs.csv`` from 2027 on: the rate that stands for each movement of ``lanes``, and what comes on top."""
    book = Book()
    first = FIRST + 1
    for material, origin, destination in dict.fromkeys((r["material"], r["origin"], r["destination"]) for r in lanes):
        more = extra(material) if material in {r["material"] for r in base.rows["tariffs"]} else Number(0)
        if more > 0:
            for row in base.rows["tariffs"]:  # what stands for the same movement ends the year before
                if (
                    (row["material"], row["origin"], row["destination"]) == (material, origin, destination)
                    and not row["first_year"]
                    and not row["last_year"]
                ):
                    same = {c: row[c] for c in ("material", "origin", "destination", "source", "note")} | {
                        "rate": base.number("tariffs", row, "rate")
                    }
                    book.add("tariffs", **same, active="no")
                    book.add("tariffs", **same, last_year=FIRST)
            book.add("tariffs", material=material, origin=origin, destination=destination, first_year=first,
                     rate=round(_rate(base, material, origin, destination, first) + more, 4), **about)  # fmt: skip
    return book


def _rate(base: Book, material: str, origin: str, destination: str, year: Number) -> Number:
    """The duty of the base on a movement in a year, by the rule of the format: exact material, then origin, then destination."""
    meant = (material, origin, destination)
    found = [
        row for row in base.rows["tariffs"]
        if all(row[c] in ("*", name) for c, name in zip(("material", "origin", "destination"), meant, strict=True))
        and float(row["first_year"] or 0) <= year <= float(row["last_year"] or 9999)
    ]  # fmt: skip
    if not found:
        return Number(0)
    best = max(found, key=lambda row: tuple(row[c] != "*" for c in ("material", "origin", "destination")))
    return base.number("tariffs", best, "rate") or Number(0)


# --- public and private means ---------------------------------------------------------------------------------------------------------------------------


def vault(base: Book) -> Book:
    """A reserve of sixty days in the USA: the magnets that it uses, and the oxides in them."""
    book = Book()
    days = find("trade_costs", item="public_reserve_target", destination="USA")
    part = days.number("value") / 365
    need: dict[str, Number] = {}
    for row in base.rows["demand"]:
        if row["country"] == "USA" and row["year"] == "2030":
            need[row["material"]] = need.get(row["material"], Number(0)) + (base.number("demand", row, "demand_t") or 0)
    for material, t in need.items():
        _stock(book, base, f"vault-{material.replace('_', '-')}", "USA", material, Number(0), part * t,
               f"Project Vault covers {days['value']} days; of the use of 2030, as finished magnets; empty at first")  # fmt: skip
    return book


def venture(base: Book) -> Book:
    """Options of startups have no private money but what venture capital gave to all of them in a year."""
    book = Book()
    total = table("startup_funding")["sf-077"]
    startups = {row["facility"] for row in base.rows["facilities"] if row["startup"] == "yes"}
    book.add("funds", fund="venture", provider="Venture capital", instrument="equity", budget_musd=total.number("amount_musd"),
             max_share=1, **cite(total, assumed="the money of one year, for all of them and to the end"))  # fmt: skip
    for row in base.rows["options"]:
        if row["facility"] in startups:
            book.add(
                "fund_options", fund="venture", option=row["option"], **cite(total, assumed="the option of a startup")
            )
    return book
