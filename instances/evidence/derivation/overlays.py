"""Overlays of allied-2040: policies, price views, and the two buyers' instances. Each holds only what differs from the flagship."""

from __future__ import annotations

from . import china, trade
from .book import Book
from .chain import demand_year, feed
from .demand import GRADES, series, years
from .facts import Fact, FactError, Number, assume, cite, find, named, parameter, path, read, reference, table
from .plants import FIRST


def china_view(view: str) -> Book:
    """Chinese separation at another price."""
    book = Book()
    china.separation_operations(book, view)
    return book


def caps(overlay: str, book: Book | None = None) -> Book:
    """The caps of an overlay in choices/overlay_caps.csv; a limit that is blank is that of the fact, in per cent."""
    book = Book() if book is None else book
    for row in read("overlay_caps"):
        if row["overlay"] == overlay:
            facts = [reference(text) for text in row.words("facts")]
            about = cite(*facts, assumed=row["why"]) if facts else assume(row["why"])
            limit = row.optional("limit")
            book.add(
                "caps", **{c: row[c] for c in ("cap", "metric", "stage", "material", "country", "sector", "origin")}, first_year=row.optional("first_year"),
                last_year=row.optional("last_year"), limit=facts[0].number("value") / 100 if limit is None else limit, limit_end=row.optional("limit_end"), **about,
            )  # fmt: skip
    return book


def made_in_usa(base: Book) -> Book:
    """No foreign magnets into the USA from a year on: its lanes end the year before."""
    book = Book()
    closed = parameter("made_in_usa_from")
    why = assume(
        f"foreign magnets closed out from {closed}, the first year in which plants that start now can be at full output"
    )
    for lane in base.rows["lanes"]:
        if lane["material"] in GRADES and lane["destination"] == "USA":
            first, last = (int(lane[c]) if lane[c] else None for c in ("first_year", "last_year"))
            if last is not None and last < closed:
                continue
            row = {column: lane[column] for column in ("material", "origin", "destination")} | {
                "cost_usd_per_t": base.number("lanes", lane, "cost_usd_per_t"),
                "first_year": first,
            }
            book.add("lanes", **row, last_year=last, **why, active="no")
            book.add("lanes", **row, last_year=closed - 1, **why)
    return book


def embedded_demand(base: Book) -> Book:
    """Magnets inside goods that the USA imports, as if they were bought by makers in the USA; nobody knows who their suppliers are, so that no cap keeps these."""
    book = Book()
    for row in base.rows["caps"]:
        if row["country"] == "USA":
            book.add("caps", **row | {"active": "no"})
    total, direct = (
        find("demand", region="USA", sector="total_incl_embedded", year="2028"),
        find("demand", region="USA", sector="total", method="source_anchor"),
    )
    factor = total.number("demand_t") / direct.number("demand_t") - 1
    why = f"{factor:.2f} x direct use, the ratio of 2028, in every year and grade: 20.6 kt in all against 7 kt bought directly; not part of the base, because others make these goods"
    book.add("sectors", sector="embedded", name="Magnets inside imported goods", shortage_usd_per_t=1000 * table("sectors")["other"].number("shortage_usd_per_kg"), min_service=0,
             **cite(total, direct, assumed="shortage as in other goods; the goods could be bought elsewhere"))  # fmt: skip
    for material, grade in GRADES.items():
        for year in years():
            t = sum((series("USA", s.words("parts"), grade, year)[0] for s in read("sectors")), Number(0))
            book.add(
                "demand",
                country="USA",
                sector="embedded",
                material=material,
                year=int(year),
                demand_t=round(factor * t, 1),
                **cite(total, direct, assumed=why),
            )
    return book


# --- us-defence-2027 ------------------------------------------------------------------------------------------------------------------------------------


def us_defence(base: Book) -> Book:
    """US defence and drones as a buyer of their own, who may only buy clean magnets from plants that are qualified, and may hold stocks."""
    book = Book()
    caps("us-defence-2027", book)
    rule = reference(next(row for row in read("overlay_caps") if row["overlay"] == "us-defence-2027")["facts"])
    spare, settled = parameter("defence_spare"), parameter("defence_settled")
    wait = find("trade_costs", item="supplier_requalification_time")
    book.add("countries", country="DOD", name="US defence and drone buyers (part of the USA)", bloc="allied", latitude=39, longitude=-77,
             **assume("the buyers who fall under the rule, taken out of the USA so that qualification can be said per origin"))  # fmt: skip
    for row in base.rows["demand"]:
        if row["country"] == "USA" and row["sector"] in ("defence", "drones"):
            values = {c: row[c] for c in ("sector", "material", "source", "note")} | {
                "year": int(row["year"]),
                "demand_t": base.number("demand", row, "demand_t"),
            }
            book.add("demand", country="USA", **values, active="no")
            book.add("demand", country="DOD", **values)
    for row in base.rows["tariffs"]:
        if row["destination"] == "USA" and row["material"] in GRADES:
            years = {c: int(row[c]) if row[c] else None for c in ("first_year", "last_year")}
            same = {c: row[c] for c in ("material", "origin", "source", "note")}
            book.add("tariffs", **same, destination="DOD", **years, rate=base.number("tariffs", row, "rate"))
    free = _free_for_defence(base, wait.number("value"))
    for material in GRADES:
        share = _grade_share(base, material)
        book.add(
            "lanes",
            material=material,
            origin="CHN",
            destination="DOD",
            last_year=FIRST,
            cost_usd_per_t=1000 * parameter("freight_far"),
            **cite(rule, assumed="allowed until the rule starts; far lane"),
        )
        book.add(
            "lanes",
            material=material,
            origin="USA",
            destination="DOD",
            last_year=FIRST,
            cost_usd_per_t=0,
            **assume("inside the USA"),
        )
        for year, t in free.items():
            book.add(
                "lanes", material=material, origin="USA", destination="DOD", first_year=year, last_year=year, cost_usd_per_t=0, max_t=round(share * t),
                **cite(wait, assumed=f"what plants that are qualified have free: 18 months after first output, less what is promised to others; {share:.0%} of it in this grade"),
            )  # fmt: skip
        book.add(
            "lanes",
            material=material,
            origin="USA",
            destination="DOD",
            first_year=max(free) + 1,
            cost_usd_per_t=0,
            **assume("all plants of today are qualified by then"),
        )
        for row in read("qualified"):
            origin, first = row.id, row.number("first_year")
            most = round(share * spare * _capacity(base, origin))
            why = f"VAC supplies defence already; others need 18 months from a decision in 2026; until {settled} at most {spare:.0%} of today's plants, the rest is promised; far lane"
            book.add(
                "lanes",
                material=material,
                origin=origin,
                destination="DOD",
                first_year=first,
                last_year=settled,
                cost_usd_per_t=1000 * parameter("freight_far"),
                max_t=most,
                **cite(wait, assumed=why),
            )
            book.add(
                "lanes",
                material=material,
                origin=origin,
                destination="DOD",
                first_year=settled + 1,
                cost_usd_per_t=1000 * parameter("freight_far"),
                **cite(wait, assumed="free to supply by then; far lane"),
            )
    _stocks(book, base, "us-defence-2027")
    return book


def _capacity(base: Book, country: str) -> Number:
    """t of finished magnets a year of the makers in a country that run or are being built."""
    makers = {row["facility"] for row in base.rows["operations"] if row["process"] == "mag-n"}
    return sum(
        (
            _own(base, r)
            for r in base.rows["facilities"]
            if r["facility"] in makers and r["country"] == country and r["capacity_t"]
        ),
        Number(0),
    )


def _own(base: Book, row: dict[str, str]) -> Number:
    """Capacity of a facility of the base, t."""
    return base.number("facilities", row, "capacity_t") or Number(0)


def _free_for_defence(base: Book, wait: Number) -> dict[int, Number]:
    """t of finished magnets that qualified plants in the USA can spare for defence, by year until all are qualified; ``wait`` in months."""
    makers = {row["facility"] for row in base.rows["operations"] if row["process"] == "mag-n"}
    free = {year: Number(0) for year in range(int(FIRST) + 1, int(parameter("defence_settled")) + 1)}
    for row in base.rows["facilities"]:
        if row["facility"] in makers and row["country"] == "USA" and row["capacity_t"] and row["first_year"]:
            start, ramp = int(row["first_year"]), int(row["ramp_years"])
            for year in free:
                online = min(1.0, max(0, year - start + 1) / ramp)
                qualified = min(1.0, max(0.0, year - start - wait / 12 + 0.5))  # mean over the year of "it has passed"
                free[year] += _own(base, row) * online * qualified * (1 - float(row["min_use"] or 0))
    return free


def _grade_share(base: Book, material: str) -> Number:
    """Share of a grade in the defence and drone demand of 2030."""
    t = dict.fromkeys(GRADES, Number(0))
    for r in base.rows["demand"]:
        if (r["country"], r["year"]) == ("USA", demand_year("weights_year")) and r["sector"] in ("defence", "drones"):
            t[r["material"]] += base.number("demand", r, "demand_t") or 0
    return t[material] / sum(t.values(), Number(0))


def _stock(
    book: Book,
    base: Book,
    key: str,
    country: str,
    material: str,
    initial: Number,
    most: Number,
    why: str,
    exposed: bool = False,
) -> None:
    value = next(
        base.number("materials", r, "value_usd_per_t") for r in base.rows["materials"] if r["material"] == material
    )
    if value is None:
        raise FactError(
            f"{path('materials')}: {material} has no value, and a stock of it needs one; fill value_usd_per_t"
        )
    carrying = find("trade_costs", item="inventory_carrying_cost")
    book.add(
        "stockpiles", stockpile=key, country=country, material=material, initial_t=round(initial, 1), initial_exposed=exposed or None, max_t=round(most, 1),
        holding_usd_per_t=round(value * carrying.number("value") / 100), final_min_t=round(initial, 1) or None, **cite(carrying, assumed=why),
    )  # fmt: skip


# --- disruptions ----------------------------------------------------------------------------------------------------------------------------------------


def stop_2028() -> Book:
    """China exports no rare earths in any form for six months of 2028."""
    book = Book()
    ban = table("disruptions")["S_FULL_BAN_12M"]
    year, months = parameter("stop_year"), parameter("stop_months")
    why = f"a full stop in the first {months} months of {year}, as probable as the near-total stop of a year in the facts; from a year later on something else may be started"
    book.add("scenarios", scenario="stop", name="China exports no rare earths for six months", probability=ban.number("annual_probability"),
             first_year=year, first_month=1, months=months, rebuild_after=1, **cite(ban, assumed=why))  # fmt: skip
    for row in read("stopped"):
        book.add(
            "disruptions",
            scenario="stop",
            kind="export_stop",
            country="CHN",
            material=row.id,
            fraction=1,
            **cite(ban, assumed="nothing leaves"),
        )
    return book


def working_stocks(base: Book) -> Book:
    """What buyers hold of finished magnets to work with: weeks of use by country."""
    book = Book()
    bought = sorted({(row["country"], row["material"]) for row in base.rows["demand"]})
    cars = {
        "JPN": ("inventory_auto_oem", "JPN"),
        "EUU": ("inventory_auto_oem", "EU27"),
        "IND": ("inventory_auto_supplier", "IND"),
    }
    for country, material in bought:
        item, place = cars.get(country, ("inventory_auto_jit", "ALL"))
        held = find("trade_costs", item=item, destination=place)
        weeks = held.number("value") * (52 / 12 if held["unit"] == "months" else 1)
        book.add("working_stocks", material=material, country=country, weeks=round(weeks, 1),
                 **cite(held, assumed="what makers of cars hold of magnets counts for every buyer in the country"
                        + ("" if country in cars else "; just in time, as nobody says more of this country")))  # fmt: skip
    return book


def substitution(base: Book) -> Book:
    """Demand answers: other materials, other motors, leaner grades; what each costs and how fast it can come."""
    book = Book()
    for row in read("substitutes"):
        about = cite(*(named(row[c]) for c in ("capacity",) if row[c]), assumed=row["why"])
        cost = 1000 * row.number("cost_usd_per_kg")
        book.add("substitutes", **{c: row[c] for c in ("name", "material", "country", "sector", "replaced_by")}, substitute=row.id,
                 t_per_t=row.optional("t_per_t"), cost_usd_per_t=cost, **about)  # fmt: skip
    for row in read("substitute_shares"):
        of = table("substitutes")[row["substitute"]]
        share = row.optional("max_share")
        plant = named(of["capacity"]) if share is None else None
        if plant is not None:
            share = round(plant.number("capacity_t_per_year") / _needed(base, of, row["year"]), 3)
        book.add("substitute_shares", substitute=row["substitute"], year=row.number("year"), max_share=share,
                 **(assume(row["why"]) if plant is None else cite(plant, assumed=row["why"])))  # fmt: skip
    return book


def _needed(base: Book, of: Fact, year: str) -> Number:
    """t that the consumers of a substitute need in a year of demand.csv."""
    where = {c: of[c] for c in ("material", "sector", "country") if of[c]} | {"year": year}
    rows = [row for row in base.rows["demand"] if all(row[c] == v for c, v in where.items())]
    return sum((base.number("demand", row, "demand_t") or Number(0) for row in rows), Number(0))


def returning_magnets(base: Book) -> Book:
    """Old magnets come back from what the plan has delivered: after their time in use, by sector."""
    book = Book()
    used = {(row["sector"], row["material"]) for row in base.rows["demand"]}
    for row in read("returns"):
        for material in (grade for grade in GRADES if (row["sector"], grade) in used):
            book.add("returns", **{"return": f"{row.id}-{material.removeprefix('mag_')}"}, material=material, sector=row["sector"], returned="eol_magnet",
                     collected=row.number("collected"), mean_life_years=row.number("mean_life_years"), **assume(row["why"]))  # fmt: skip
    return book


def goods_at_sea(base: Book) -> Book:
    """How long goods are under way: every lane of the base again, with its weeks."""
    book = Book()
    told = {("CHN", place): find("trade_costs", item="sea_transit", origin="CHN", destination=name)
            for place, name in (("EUU", "EU27"), ("USA", "USA"))}  # fmt: skip
    far, kept = told["CHN", "EUU"], "freight and limits as in the base"
    for row in base.rows["lanes"]:
        way = row["origin"], row["destination"]
        if way in told:
            weeks, why = told[way].number("value"), cite(told[way], assumed=kept)
        elif trade.near(*way):
            weeks = parameter("transit_near_weeks")
            why = assume(f"{weeks:g} weeks between neighbours by sea or land, no source says so; {kept}")
        else:
            weeks, why = (
                far.number("value"),
                cite(far, assumed=f"a far lane, as long as from China to the European Union; {kept}"),
            )
        sources = dict.fromkeys(s for of in (row, why) for s in of["source"].split(";") if s)
        book.add(
            "lanes",
            **{column: row[column] for column in ("material", "origin", "destination", "first_year", "last_year")},
            **{column: base.number("lanes", row, column) for column in ("cost_usd_per_t", "max_t")},
            transit_weeks=weeks,
            source=";".join(sources),
            note=why["note"],
        )
    return book


def stop_2028_stocks(base: Book) -> Book:
    """The same, with stocks of magnets at every buyer and of metals where magnets are made, empty at first and of any size."""
    book = Book()
    need: dict[tuple[str, str], Number] = {}
    for row in base.rows["demand"]:
        key = row["country"], row["material"]
        tonnes = base.number("demand", row, "demand_t") if row["year"] == demand_year("weights_year") else None
        need[key] = need.get(key, Number(0)) + (tonnes or 0)
    for (country, material), t in sorted(need.items()):
        _stock(book, base, f"{country.lower()}-{material.replace('_', '-')}", country, material, Number(0), t,
               "a stock whose size is open, up to the need of the year 2030; empty at first")  # fmt: skip
    _stocks(book, base, "stop-2028-stocks")
    return book


def _stocks(book: Book, base: Book, overlay: str) -> None:
    """The stocks of an overlay in choices/stocks.csv."""
    for row in read("stocks"):
        if row["overlay"] == overlay:
            _stock(book, base, f"{row['prefix']}-{row['material'].replace('_', '-')}", row["country"], row["material"], Number(0),
                   row.number("max_t"), row["why"])  # fmt: skip


def all_served(base: Book) -> Book:
    """Nothing may be short, whatever it costs: the floor of every sector is all of its need."""
    book = Book()
    for row in base.rows["sectors"]:
        book.add("sectors", sector=row["sector"], name=row["name"], shortage_usd_per_t=base.number("sectors", row, "shortage_usd_per_t"), min_service=1,
                 **assume("the question of the instance: how clean can supply be without any shortage; the shortage cost is the base's and never paid"))  # fmt: skip
    return book


# --- japan-auto-2035 ------------------------------------------------------------------------------------------------------------------------------------


def japan_auto(base: Book) -> Book:
    """A Japanese buyer of traction motors: traced exposure of cars falls, China's share of heavy oxides and metals is capped, reserves are held, heavies stop in 2030."""
    book = Book()
    caps("japan-auto-2035", book)
    days = find("trade_costs", item="public_reserve_target", destination="JPN")
    makers = sum(
        (
            _own(base, r)
            for r in base.rows["facilities"]
            if r["country"] == "JPN" and r["min_use"] and "metal" not in r["facility"]
        ),
        Number(0),
    )
    need = {
        f"{e}_oxide": parameter(f"reserve_{e}_metal") * feed(f"metal-{e}", f"{e}_oxide") for e in ("ndpr", "dy", "tb")
    }
    for material, per_t in need.items():
        t = makers * per_t * days.number("value") / 365
        _stock(book, base, f"jogmec-{material.replace('_', '-')}", "JPN", material, t, parameter("reserve_most") * t,
               f"60 days of what Japanese makers use ({per_t:.3f} t per t of magnet), up to 180; the target of the fact, filled with Chinese material", exposed=True)  # fmt: skip
    stop, year = table("disruptions")["S_HEAVY_ONLY"], parameter("heavies_stop_year")
    about = cite(
        stop,
        assumed=f"one year in {year}; severity 1 instead of 0.8, because the undisturbed exports by material are not published",
    )
    book.add("scenarios", scenario="heavies-stop", name="China stops heavy rare earths for a year", probability=stop.number("annual_probability"), first_year=year,
             last_year=year, **about)  # fmt: skip
    for material in ("dy_oxide", "tb_oxide", "dy_metal", "tb_metal", "mag_sh", "mag_uh"):
        book.add(
            "disruptions",
            scenario="heavies-stop",
            kind="export_stop",
            country="CHN",
            material=material,
            fraction=1,
            **about,
        )
    return book
