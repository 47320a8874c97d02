"""Lanes and tariffs: makers to users only. No lane leads into China except for ore that goes there today, and for oxide within limits; Indian oxides stay at home."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .book import Book
from .chain import HEAVY_ORE, demand_year
from .demand import GRADES, regions, series
from .facts import Fact, Number, assume, cite, find, parameter, read, table
from .plants import FIRST

MAGNET_GRADES = tuple(GRADES)


def near(origin: str, destination: str) -> bool:
    """True for neighbours by sea or land (choices/near.csv)."""
    return f"{origin}/{destination}" in table("near")


def _region(country: str) -> str:
    """The name of a country in the facts on freight."""
    return {"EUU": "EU27"}.get(country, country)


def freight(origin: str, destination: str) -> tuple[Number, dict[str, str]]:
    """Sea freight in USD per tonne of oxide, metal or magnet, and its citation."""
    o, d = _region(origin), _region(destination)
    d = "USA-East" if (o, d) in (("CHN", "USA"), ("EU27", "USA")) else d
    known = [
        replace(row, name=f"container_freight_per_kg {o}-{d} {row['year']}")
        for row in read("trade_costs")
        if row["item"] == "container_freight_per_kg"
        and row["origin"] == o
        and row["destination"] == d
        and row["year"] in ("2025", "2026")
    ]
    if known:
        return 1000 * known[0].number("value"), cite(known[0])
    word = "near" if near(origin, destination) else "far"
    usd = parameter(f"freight_{word}")
    return 1000 * usd, assume(
        f"{word} lane at {usd:.2f} USD per kg, inside the 0.08-0.25 of container_freight_per_kg; freight never decides"
    )


def ore_freight(material: str, is_near: bool = False) -> Number:
    """USD per tonne of oxide contained in a kind of ore."""
    if material == HEAVY_ORE:
        return 1000 * parameter("ore_freight_heavies")
    return 1000 * parameter("ore_freight_near" if is_near else "ore_freight_far")


def lanes(book: Book, limited: bool = True) -> None:
    """``lanes.csv``; ``limited`` keeps magnets with the buyers who know their makers until others have qualified them."""
    bulk = find("trade_costs", item="concentrate_bulk_freight")
    reason = "0.06 USD per kg gross at 50 per cent REO and 20 per cent Nd-Pr of REO; twice that on far lanes; nearly all freight on the light part"
    ore, goods = ([row for row in read("lanes") if (row["group"] == "ore") == is_ore] for is_ore in (True, False))
    for row in ore:
        for material in row.words("materials"):
            usd = ore_freight(material, near(row["origin"], row["destination"]))
            book.add(
                "lanes", material=material, origin=row["origin"], destination=row["destination"], cost_usd_per_t=usd, **cite(bulk, assumed=reason),
            )  # fmt: skip
    serra = find("policy_events_upstream", date="2025-12-04")
    for material in (table("plants")["serra-verde"]["ore"], HEAVY_ORE):
        book.add("lanes", material=material, origin="BRA", destination="CHN", last_year=parameter("brazil_ore_to_china_until"), cost_usd_per_t=ore_freight(material),
                 **cite(serra, bulk, assumed="Chinese offtake of Serra Verde ends in 2026; freight as on other far lanes"))  # fmt: skip
    for row in goods:
        origin, destination = row["origin"], row["destination"]
        usd, about = freight(origin, destination)
        if row["why"]:
            about = cite(table("separation")["P_MYS_LYNAS_L"], assumed=row["why"])
        for material in row.words("materials"):
            if limited and material in MAGNET_GRADES:
                magnet_lane(book, material, origin, destination, usd, about)
            else:
                book.add(
                    "lanes",
                    material=material,
                    origin=origin,
                    destination=destination,
                    cost_usd_per_t=usd,
                    max_t=row.optional("max_t"),
                    **about,
                )


def _use(region: str, grades: Iterable[str], year: str | None = None) -> Number:
    return sum(
        (
            series(region, s.words("parts"), grade, year or demand_year("today_year"))[0]
            for s in read("sectors")
            for grade in grades
        ),
        Number(0),
    )


def _until_known(
    book: Book, lane: dict[str, object], most: Number, limited: dict[str, str], free: dict[str, str]
) -> None:
    """A lane that takes ``most`` t a year until buyers have qualified the makers, and is free afterwards."""
    until = parameter("japan_exports_until")
    book.add("lanes", **lane, last_year=until, max_t=most, **limited)
    book.add("lanes", **lane, first_year=until + 1, **free)


def magnet_lane(book: Book, material: str, origin: str, destination: str, usd: Number, about: dict[str, str]) -> None:
    """A lane of magnets, limited until 2029 by who supplies whom already: Japanese makers, what customs of Japan showed, known plants, makers who are new to the buyer."""
    lane = {"material": material, "origin": origin, "destination": destination, "cost_usd_per_t": usd}
    used = {country: _use(region, (GRADES[material],)) for region, country in regions().items()}
    all_used = {country: _use(region, GRADES.values()) for region, country in regions().items()}
    share = used[destination] / all_used[destination]
    customs = find("demand", region="JPN", sector="imports_from_china")
    wait = find("trade_costs", item="supplier_requalification_time")
    known = None if origin == "CHN" else table("suppliers").get(f"{origin}/{destination}")
    if origin == "JPN":
        abroad = sum((t for country, t in all_used.items() if country != "JPN"), Number(0))
        most = round(parameter("japan_exports_t") * used[destination] / abroad)
        why = (
            "Japan makes about 12 kt and buys only 2.3-3.0 kt of its 15 kt from China, so hardly more than 2 kt of Japanese magnets can leave, and new buyers need 12-24 months "
            "to qualify them; split by the demand of 2025"
        )
        _until_known(book, lane, most, cite(customs, assumed=why), about)
    elif (origin, destination) == ("CHN", "JPN"):
        why = "buyers in Japan do not leave their own makers within a year either: until then at most the upper end of what came in 2025, by the grades that Japan uses"
        _until_known(book, lane, round(customs.number("high") * share), cite(customs, assumed=why), about)
    elif origin == "CHN" or (known and not known["plants"]):
        book.add("lanes", **lane, **about)
    elif known:
        plants = known.words("plants")
        rows = [row for row in book.rows["facilities"] if row["facility"] in plants]
        most = sum((book.number("facilities", row, "capacity_t") or Number(0) for row in rows), Number(0))
        why = f"{known['why']}: until others have been qualified what {' and '.join(plants)} can make at most, by the grades that the buyers use"
        _until_known(book, lane, round(most * share, 1), cite(wait, assumed=why), about)
    else:
        part = parameter("new_supplier_share")
        why = f"a maker takes 12-24 months to qualify and a buyer does not leave his own: until then at most {part:.0%} of what the buyer's country used in 2025, per country of makers"
        _until_known(book, lane, round(part * used[destination], 1), cite(wait, assumed=why), about)


def kept_suppliers(book: Book) -> None:
    """``caps.csv``: buyers do not leave makers whom they know. In the first year they have the same suppliers as in 2025, in the same shares; from then on these
    keep the tonnes that they sold, and what buyers need more may be Chinese.

    What they bought elsewhere: what their own makers ran under contract, and of imports the share that trade figures give other countries.
    """
    countries, until, today, then = (
        regions(),
        *(parameter(name) for name in ("japan_exports_until", "today_year", "weights_year")),
    )
    makers = {row["facility"] for row in book.rows["operations"] if row["process"].startswith("mag-")}
    shares = [fact for fact in read("demand") if fact["sector"] == "import_share_from_china"]
    newest = {fact["region"]: fact for fact in sorted(shares, key=lambda fact: fact["year"])}
    for region, fact in sorted(newest.items()):
        if countries[region] == "JPN":  # customs give tonnes, and the lane has them (`magnet_lane`)
            continue
        country, used = countries[region], _use(region, GRADES.values())
        own = sum(
            (
                (book.number("facilities", row, "capacity_t") or Number(0)) * (book.number("facilities", row, "min_use") or Number(0))
                for row in book.rows["facilities"]
                if row["country"] == country and row["facility"] in makers and not row["first_year"]
            ),
            Number(0),
        )  # fmt: skip
        elsewhere = used - fact.number("demand_t") * (used - own)
        later = _use(region, GRADES.values(), str(then))
        use_then = used + (later - used) * (until - today) / (then - today)
        book.add(
            "caps", cap=f"suppliers-{country.lower()}", metric="import_share", stage="magnet", country=country, origin="CHN", first_year=FIRST,
            last_year=until, limit=round(1 - elsewhere / used, 4), limit_end=round(1 - elsewhere / use_then, 4),
            **cite(fact, find("trade_costs", item="supplier_requalification_time"), assumed=f"buyers do not leave makers whom they have qualified, and no other is qualified within a year: the share of use that they took "
                   f"elsewhere than in China in {today}, {own:.0f} t at home and {elsewhere - own:.0f} t from abroad of {used:.0f} t, they take in {FIRST}; until others are qualified "
                   "they keep the tonnes, and what they need more may be Chinese"),
        )  # fmt: skip


def _duty(item: str, **where: str) -> Fact:
    return find("trade_costs", item=item, **where)


def tariffs(book: Book) -> None:
    """``tariffs.csv``: duties on magnets, the American duty on Chinese oxides and metals, and the export VAT that China does not refund on them."""
    general, china = (
        _duty("mfn_duty_magnets", destination="USA"),
        _duty("total_duty_magnets", origin="CHN", destination="USA"),
    )
    before, during, after = (parameter(f"duty_days_{n}") for n in (1, 2, 3))
    phases = (
        (_duty("total_duty_magnets_1jan_20feb2026"), before), (_duty("total_duty_magnets_from_20feb2026", origin="CHN"), during), (china, after),
    )  # fmt: skip
    year_2026 = sum((f.number("value") * days for f, days in phases), Number(0)) / 365
    extra_2026 = _duty("section122_global").number("value") * during / 365
    no_deals = "free-trade preferences of single countries are left out, because the facts give no rates"
    for material in MAGNET_GRADES:
        common = {"material": material}
        book.add("tariffs", **common, origin="CHN", destination="USA", last_year=FIRST, rate=round(year_2026 / 100, 3),
                 **cite(*(f for f, _ in phases), assumed=f"mean of 2026 by days: {before}, {during} and {after}"))  # fmt: skip
        book.add(
            "tariffs",
            **common,
            origin="CHN",
            destination="USA",
            first_year=FIRST + 1,
            rate=china.number("value") / 100,
            **cite(china),
        )
        book.add("tariffs", **common, origin="*", destination="USA", last_year=FIRST, rate=round((general.number("value") + extra_2026) / 100, 3),
                 **cite(general, _duty("section122_global"), assumed=f"10 points for {during} days of 2026; {no_deals}"))  # fmt: skip
        book.add("tariffs", **common, origin="*", destination="USA", first_year=FIRST + 1, rate=general.number("value") / 100,
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
