"""Overlays of allied-2040: policies, price views, and the two buyers' instances. Each holds only what differs from the flagship."""

from __future__ import annotations

from . import china, facts
from .book import Book
from .chain import SECTORS
from .demand import GRADES, series
from .facts import Fact, assume, cite, find, table

MAGNET, STAGES = "magnet", ("mining", "separation", "metal", "magnet")
LATER_YEARS = ("2025", "2030", "2035", "2040")


def _policy(event: str) -> Fact:
    return find("policy_events", event=event)


def china_view(view: str) -> Book:
    """Chinese separation at another price."""
    book = Book()
    china.separation_operations(book, view)
    return book


def dfars() -> Book:
    """US defence and drones buy nothing exposed from 2027."""
    book = Book()
    rule = _policy(
        "DFARS 252.225-7052 final rule: no mining, refining, melting or magnet making in China, Russia, Iran, North Korea"
    )
    for sector, why in (
        ("defence", ""),
        ("drones", "drones held to the same rule as defence, because most are bought for it or beside it"),
    ):
        book.add(
            "caps",
            cap=f"dfars-{sector}",
            metric="exposed_share",
            country="USA",
            sector=sector,
            first_year=2027,
            limit=0,
            **cite(rule, assumed=why),
        )
    return book


def crma() -> Book:
    """The EU's 65 per cent: of each stage's use from one third country, from 2030."""
    book = Book()
    act = next(
        f for f in _events("Critical Raw Materials Act 2030 benchmark") if f["parameter"] == "single_country_max"
    )
    for stage in STAGES[1:]:
        book.add(
            "caps", cap=f"crma-{stage}", metric="import_share", stage=stage, country="EUU", origin="CHN", first_year=2030, limit=act.number("value") / 100,
            **cite(act, assumed="of the third countries only China comes near the limit; ore is left out because none comes from China"),
        )  # fmt: skip
    return book


def _events(event: str) -> list[Fact]:
    return [
        Fact("policy_events", f"{row['event']} {row['parameter']}", row)
        for row in facts.read("policy_events")
        if row["event"] == event
    ]


def japan_50() -> Book:
    """Japan: at most half of what its makers use is exposed, from 2030."""
    book = Book()
    history = (
        find("policy_events", date="2014-09", parameter="share_non_china"),
        find("policy_events", date="2024", country="JPN", parameter="china_share"),
    )
    book.add("caps", cap="japan-50", metric="exposed_share", country="JPN", first_year=2030, limit=0.5,
             **cite(*history, assumed="no such law: a planning target, traced end to end; Japan aimed at 60 per cent from outside China by 2018 and stood at 63 from China in 2024"))  # fmt: skip
    return book


def glide_20() -> Book:
    """All allied buyers: exposed share from 0.9 in 2028 to 0.2 in 2035, then held."""
    book = Book()
    why = assume(
        "a planning target of no government, the question of the instance: what does an exposed share of 0.2 cost, and when can it be reached"
    )
    book.add(
        "caps", cap="glide", metric="exposed_share", first_year=2028, last_year=2035, limit=0.9, limit_end=0.2, **why
    )
    book.add("caps", cap="hold", metric="exposed_share", first_year=2036, limit=0.2, **why)
    return book


def stage_caps_only() -> Book:
    """The glide of glide-20 on every stage share instead of the traced share: the warning."""
    book = Book()
    why = assume(
        "the same glide as glide-20, but stage by stage as policies state it, and nothing said about what flows through"
    )
    for stage in STAGES:
        book.add(
            "caps",
            cap=f"{stage}-glide",
            metric="stage_share",
            stage=stage,
            first_year=2028,
            last_year=2035,
            limit=0.9,
            limit_end=0.2,
            **why,
        )
        book.add("caps", cap=f"{stage}-hold", metric="stage_share", stage=stage, first_year=2036, limit=0.2, **why)
    return book


MADE_IN_USA_FROM = 2032


def made_in_usa(base: Book) -> Book:
    """No foreign magnets into the USA from 2032: its lanes end the year before."""
    book = Book()
    why = assume(
        f"foreign magnets closed out from {MADE_IN_USA_FROM}, the first year in which plants that start now can be at full output"
    )
    for lane in base.rows["lanes"]:
        if lane["material"] in GRADES and lane["destination"] == "USA":
            first, last = (int(lane[c]) if lane[c] else None for c in ("first_year", "last_year"))
            if last is not None and last < MADE_IN_USA_FROM:
                continue
            row = {column: lane[column] for column in ("material", "origin", "destination")} | {
                "cost_usd_per_t": float(lane["cost_usd_per_t"]),
                "first_year": first,
            }
            book.add("lanes", **row, last_year=last, **why, active="no")
            book.add("lanes", **row, last_year=MADE_IN_USA_FROM - 1, **why)
    return book


def embedded_demand() -> Book:
    """Magnets inside goods that the USA imports, as if they were bought by makers in the USA."""
    book = Book()
    total, direct = (
        find("demand", region="USA", sector="total_incl_embedded", year="2028"),
        find("demand", region="USA", sector="total", method="source_anchor"),
    )
    factor = total.number("demand_t") / direct.number("demand_t") - 1
    why = f"{factor:.2f} x direct use, the ratio of 2028, in every year and grade: 20.6 kt in all against 7 kt bought directly; not part of the base, because others make these goods"
    book.add("sectors", sector="embedded", name="Magnets inside imported goods", shortage_usd_per_t=500_000, min_service=0,
             **cite(total, direct, assumed="shortage as in other goods; the goods could be bought elsewhere"))  # fmt: skip
    for material, grade in GRADES.items():
        for year in LATER_YEARS:
            t = sum(series("USA", parts, grade, year)[0] for _, _, _, parts, _ in SECTORS)
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

QUALIFIED_FROM = {"EUU": 2027, "JPN": 2028, "KOR": 2028}  # first year of deliveries to defence after requalification
SPARE = 0.25  # of a plant whose customers use at least 75 per cent


def us_defence(base: Book) -> Book:
    """US defence and drones as a buyer of their own, who may only buy clean magnets from plants that are qualified, and may hold stocks."""
    book = Book()
    rule = _policy(
        "DFARS 252.225-7052 final rule: no mining, refining, melting or magnet making in China, Russia, Iran, North Korea"
    )
    wait = find("trade_costs", item="supplier_requalification_time")
    book.add("countries", country="DOD", name="US defence and drone buyers (part of the USA)", bloc="allied", latitude=39, longitude=-77,
             **assume("the buyers who fall under the rule, taken out of the USA so that qualification can be said per origin"))  # fmt: skip
    for row in base.rows["demand"]:
        if row["country"] == "USA" and row["sector"] in ("defence", "drones"):
            values = {c: row[c] for c in ("sector", "material", "source", "note")} | {
                "year": int(row["year"]),
                "demand_t": float(row["demand_t"]),
            }
            book.add("demand", country="USA", **values, active="no")
            book.add("demand", country="DOD", **values)
    for sector in ("defence", "drones"):
        book.add("caps", cap=f"dfars-{sector}", metric="exposed_share", country="DOD", sector=sector, first_year=2027, limit=0,
                 **cite(rule, assumed="drones held to the same rule" if sector == "drones" else ""))  # fmt: skip
    for row in base.rows["tariffs"]:
        if row["destination"] == "USA" and row["material"] in GRADES:
            years = {c: int(row[c]) if row[c] else None for c in ("first_year", "last_year")}
            same = {c: row[c] for c in ("material", "origin", "source", "note")}
            book.add("tariffs", **same, destination="DOD", **years, rate=float(row["rate"]))
    free = _free_for_defence(base)
    for material in GRADES:
        share = _grade_share(base, material)
        book.add(
            "lanes",
            material=material,
            origin="CHN",
            destination="DOD",
            last_year=2026,
            cost_usd_per_t=200,
            **cite(rule, assumed="allowed until the rule starts; far lane"),
        )
        book.add(
            "lanes",
            material=material,
            origin="USA",
            destination="DOD",
            last_year=2026,
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
        for origin, first in QUALIFIED_FROM.items():
            spare = round(share * SPARE * _capacity(base, origin))
            why = f"VAC supplies defence already; others need 18 months from a decision in 2026; until 2028 at most {SPARE:.0%} of today's plants, the rest is promised; far lane"
            book.add(
                "lanes",
                material=material,
                origin=origin,
                destination="DOD",
                first_year=first,
                last_year=2028,
                cost_usd_per_t=200,
                max_t=spare,
                **cite(wait, assumed=why),
            )
            book.add(
                "lanes",
                material=material,
                origin=origin,
                destination="DOD",
                first_year=2029,
                cost_usd_per_t=200,
                **cite(wait, assumed="free to supply by then; far lane"),
            )
        _stock(
            book,
            base,
            f"defence-{material.replace('_', '-')}",
            "DOD",
            material,
            0,
            1000,
            "a stock that the Department may build; 1,000 t at most",
        )
    for material in ("dy_metal", "tb_metal"):
        _stock(
            book,
            base,
            f"nds-{material.replace('_', '-')}",
            "USA",
            material,
            0,
            100,
            "National Defense Stockpile, size open",
        )
    return book


def _capacity(base: Book, country: str) -> float:
    """t of finished magnets a year of the makers in a country that run or are being built."""
    makers = {row["facility"] for row in base.rows["operations"] if row["process"] == "mag-n"}
    return sum(
        float(r["capacity_t"])
        for r in base.rows["facilities"]
        if r["facility"] in makers and r["country"] == country and r["capacity_t"]
    )


def _free_for_defence(base: Book) -> dict[int, float]:
    """t of finished magnets that qualified plants in the USA can spare for defence in 2027 and 2028."""
    makers = {row["facility"] for row in base.rows["operations"] if row["process"] == "mag-n"}
    free = {2027: 0.0, 2028: 0.0}
    for row in base.rows["facilities"]:
        if row["facility"] in makers and row["country"] == "USA" and row["capacity_t"] and row["first_year"]:
            start, ramp = int(row["first_year"]), int(row["ramp_years"])
            for year in free:
                online = min(1.0, max(0, year - start + 1) / ramp)
                qualified = min(
                    1.0, max(0.0, year - start - 1.5 + 0.5)
                )  # mean over the year of "18 months have passed"
                free[year] += float(row["capacity_t"]) * online * qualified * (1 - float(row["min_use"] or 0))
    return free


def _grade_share(base: Book, material: str) -> float:
    """Share of a grade in the defence and drone demand of 2030."""
    t = {m: sum(float(r["demand_t"]) for r in base.rows["demand"] if (r["country"], r["material"], r["year"]) == ("USA", m, "2030") and r["sector"] in ("defence", "drones"))
         for m in GRADES}  # fmt: skip
    return t[material] / sum(t.values())


def _stock(
    book: Book,
    base: Book,
    key: str,
    country: str,
    material: str,
    initial: float,
    most: float,
    why: str,
    exposed: bool = False,
) -> None:
    value = next(float(r["value_usd_per_t"]) for r in base.rows["materials"] if r["material"] == material)
    carrying = find("trade_costs", item="inventory_carrying_cost")
    book.add(
        "stockpiles", stockpile=key, country=country, material=material, initial_t=round(initial, 1), initial_exposed=exposed or None, max_t=round(most, 1),
        holding_usd_per_t=round(value * carrying.number("value") / 100), final_min_t=round(initial, 1) or None, **cite(carrying, assumed=why),
    )  # fmt: skip


# --- disruptions ----------------------------------------------------------------------------------------------------------------------------------------

STOP_YEAR, STOP_MONTHS = 2028, 6
STOPPED = ("ndpr_oxide", "dy_oxide", "tb_oxide", "ndpr_metal", "dy_metal", "tb_metal")
STOCKED_METALS = {"ndpr_metal": 10_000.0, "dy_metal": 500.0, "tb_metal": 100.0}  # t, far more than any plan buys
METAL_USERS = ("USA", "JPN", "KOR", "EUU", "VNM")
UNDISTURBED = {
    "mag_n": 19_824.0,
    "mag_sh": 30_302.0,
    "mag_uh": 14_959.0,
}  # t from China in 2028 in the least-cost plan of the flagship


def stop_2028() -> Book:
    """China exports no rare earths in any form for six months of 2028."""
    book = Book()
    ban = table("disruptions")["S_FULL_BAN_12M"]
    why = f"a full stop for {STOP_MONTHS} months of {STOP_YEAR}, as probable as the near-total stop of a year in the facts; it counts as {STOP_MONTHS / 12:g} of the year's exports"
    book.add("scenarios", scenario="stop", name="China exports no rare earths for six months", probability=ban.number("annual_probability"),
             first_year=STOP_YEAR, last_year=STOP_YEAR, **cite(ban, assumed=why))  # fmt: skip
    measured = "undisturbed exports to the allies in 2028: those of the least-cost plan of allied-2040 (docs/disruptions.md); it buys finished magnets only"
    for material in (*STOPPED, *UNDISTURBED):
        book.add("disruptions", scenario="stop", kind="export_stop", country="CHN", material=material, fraction=STOP_MONTHS / 12,
                 reference_t=UNDISTURBED.get(material, 0.0), **cite(ban, assumed=measured))  # fmt: skip
    return book


def stop_2028_stocks(base: Book) -> Book:
    """The same, with stocks of magnets at every buyer and of metals where magnets are made, empty at first and of any size."""
    book = Book()
    need = {(r["country"], r["material"]): 0.0 for r in base.rows["demand"]}
    for row in base.rows["demand"]:
        if row["year"] == "2030":
            need[row["country"], row["material"]] += float(row["demand_t"])
    for (country, material), t in sorted(need.items()):
        _stock(book, base, f"{country.lower()}-{material.replace('_', '-')}", country, material, 0.0, t,
               "a stock whose size is open, up to the need of the year 2030; empty at first")  # fmt: skip
    for country in METAL_USERS:
        for material, most in STOCKED_METALS.items():
            _stock(book, base, f"{country.lower()}-{material.replace('_', '-')}", country, material, 0.0, most,
                   f"a stock whose size is open, up to {most:,.0f} t, more than can be of use; empty at first")  # fmt: skip
    return book


def all_served(base: Book) -> Book:
    """Nothing may be short, whatever it costs: the floor of every sector is all of its need."""
    book = Book()
    for row in base.rows["sectors"]:
        book.add("sectors", sector=row["sector"], name=row["name"], shortage_usd_per_t=float(row["shortage_usd_per_t"]), min_service=1,
                 **assume("the question of the instance: how clean can supply be without any shortage; the shortage cost is the base's and never paid"))  # fmt: skip
    return book


def exposed_5() -> Book:
    """At most 5 per cent exposed from 2032: strict enough that all four startups are wanted."""
    book = Book()
    book.add("caps", cap="five", metric="exposed_share", first_year=2032, limit=0.05,
             **assume("a planning target of no government, the question of the instance: what must be built, and what if it does not come"))  # fmt: skip
    return book


# --- japan-auto-2035 ------------------------------------------------------------------------------------------------------------------------------------


def japan_auto(base: Book) -> Book:
    """A Japanese buyer of traction motors: traced exposure of cars falls, China's share of heavy oxides and metals is capped, reserves are held, heavies stop in 2030."""
    book = Book()
    target = find("policy_events", date="2014-09", parameter="share_non_china")
    book.add("caps", cap="japan-cars", metric="exposed_share", country="JPN", sector="ev", first_year=2028, last_year=2035, limit=0.8, limit_end=0.3,
             **cite(target, assumed="a buyer's target, not a law: 70 per cent of traction magnets clean by 2035"))  # fmt: skip
    book.add(
        "caps",
        cap="japan-cars-hold",
        metric="exposed_share",
        country="JPN",
        sector="ev",
        first_year=2036,
        limit=0.3,
        **assume("the target of 2035 is held"),
    )
    for material in ("dy_oxide", "tb_oxide", "dy_metal", "tb_metal"):
        book.add("caps", cap=f"japan-{material.replace('_', '-')}", metric="import_share", material=material, country="JPN", origin="CHN", first_year=2030, limit=0.5,
                 **cite(_policy("Lynas heavies as share of Japanese heavy rare earth demand"),
                        assumed="half of the heavies from elsewhere by 2030: Lynas 30 per cent of need, Caremag half of its output"))  # fmt: skip
    days = find("trade_costs", item="public_reserve_target", destination="JPN")
    makers = sum(
        float(r["capacity_t"])
        for r in base.rows["facilities"]
        if r["country"] == "JPN" and r["min_use"] and "metal" not in r["facility"]
    )
    need = {"ndpr_oxide": 0.435 * 1.238, "dy_oxide": 0.015 * 1.208, "tb_oxide": 0.003 * 1.238}
    for material, per_t in need.items():
        t = makers * per_t * days.number("value") / 365
        _stock(book, base, f"jogmec-{material.replace('_', '-')}", "JPN", material, t, 3 * t,
               f"60 days of what Japanese makers use ({per_t:.3f} t per t of magnet), up to 180; the target of the fact, filled with Chinese material", exposed=True)  # fmt: skip
    stop = table("disruptions")["S_HEAVY_ONLY"]
    about = cite(
        stop,
        assumed="one year in 2030; severity 1 instead of 0.8, because the undisturbed exports by material are not published",
    )
    book.add("scenarios", scenario="heavies-stop", name="China stops heavy rare earths for a year", probability=stop.number("annual_probability"), first_year=2030,
             last_year=2030, **about)  # fmt: skip
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
