"""Published problems as instances: each function returns the settings and the tables, in plain words.

Their numbers are facts of the sources named; see docs/published.md. Money is pounds or dollars as published, months
stand as years (nothing is discounted then), and what has no unit there is tonnes here.
"""

from __future__ import annotations

import math

TOML = """\
schema = 1
name = "published"
stages = ["making"]
[time]
years = {years}
last_period_years = 1
[finance]
currency = "{currency}"
price_year = 2025
discount_rate = {rate}
wacc = 0.0
[security]
countries_of_concern = []
"""
HERE = {"country": "here"}


def toml(periods, rate=0.0, currency="GBP"):
    return TOML.format(years=list(range(2026, 2026 + periods)), rate=rate, currency=currency)


def named(table, *names):
    """Rows of a table whose key is its singular, with that name in full too."""
    key = {"countries": "country", "materials": "material", "processes": "process"}[table]
    return [{key: name, "name": name} for name in names]


def turns(process, inputs, output):
    """The recipe of a process: tonnes of each input for a tonne of its output."""
    taken = [{"process": process, "material": m, "role": "input", "t_per_t": t} for m, t in inputs.items() if t]
    return [*taken, {"process": process, "material": output, "role": "output", "t_per_t": 1}]


def plant(name, country="here", capacity=0.0, **more):
    status = "operating" if capacity != 0.0 else "candidate"
    return {"facility": name, "name": name, "country": country, "status": status, "capacity_t": capacity, **more}


def runs(facility, process, cost=0.0):
    return {"facility": facility, "process": process, "opex_usd_per_t": cost}


# --- Williams 19: distribution ---------------------------------------------------------------------------------------

FACTORIES = {"Liverpool": 150_000, "Brighton": 200_000}
DEPOTS = {"Newcastle": 70_000, "Birmingham": 50_000, "London": 100_000, "Exeter": 40_000}
CUSTOMERS = {"C1": 50_000, "C2": 10_000, "C3": 40_000, "C4": 35_000, "C5": 60_000, "C6": 20_000}
CARRIAGE = {
    "Liverpool": {"Newcastle": 0.5, "Birmingham": 0.5, "London": 1.0, "Exeter": 0.2, "C1": 1.0, "C3": 1.5, "C4": 2.0, "C6": 1.0},
    "Brighton": {"Birmingham": 0.3, "London": 0.5, "Exeter": 0.2, "C1": 2.0},
    "Newcastle": {"C2": 1.5, "C3": 0.5, "C5": 1.5, "C6": 1.0},
    "Birmingham": {"C1": 1.0, "C2": 0.5, "C3": 0.5, "C4": 1.0, "C5": 0.5},
    "London": {"C2": 1.5, "C3": 2.0, "C5": 0.5, "C6": 1.5},
    "Exeter": {"C3": 0.2, "C4": 1.5, "C5": 0.5, "C6": 1.5},
}  # fmt: skip


def distribution():
    """Two factories, four depots and six customers are the countries; what passes a depot is handled there."""
    lanes = [
        {
            "material": "goods" if to in DEPOTS else "delivered",
            "origin": start,
            "destination": to,
            "cost_usd_per_t": cost,
        }
        for start, of in CARRIAGE.items()
        for to, cost in of.items()
    ]
    return toml(1), {
        "countries": named("countries", *FACTORIES, *DEPOTS, *CUSTOMERS),
        "materials": named("materials", "goods", "delivered"),
        "processes": named("processes", "make", "make for customers", "handle"),
        "recipes": [*turns("make", {}, "goods"), *turns("make for customers", {}, "delivered"),
                    *turns("handle", {"goods": 1}, "delivered")],
        "facilities": [plant(name, name, t) for name, t in {**FACTORIES, **DEPOTS}.items()],
        "operations": [
            *(runs(name, process) for name in FACTORIES for process in ("make", "make for customers")),
            *(runs(name, "handle") for name in DEPOTS),
        ],
        "lanes": lanes,
        "sectors": [{"sector": "all", "name": "all", "shortage_usd_per_t": 1000, "min_service": 1}],
        "demand": [{"country": c, "sector": "all", "material": "delivered", "demand_t": t} for c, t in CUSTOMERS.items()],
    }  # fmt: skip


NEW_DEPOTS = {"Bristol": 30_000, "Northampton": 25_000}
NEW_CARRIAGE = {
    "Liverpool": {"Bristol": 0.6, "Northampton": 0.4},
    "Brighton": {"Bristol": 0.4, "Northampton": 0.3},
    "Bristol": {"C1": 1.2, "C2": 0.6, "C3": 0.5, "C5": 0.3, "C6": 0.8},
    "Northampton": {"C2": 0.4, "C4": 0.5, "C5": 0.6, "C6": 0.9},
}
A_YEAR = {"Newcastle": 10_000, "Exeter": 5_000, "Bristol": 12_000, "Northampton": 4_000}
CLOSED = A_YEAR["Newcastle"] + A_YEAR["Exeter"]  # what the source counts as saved by closing is a cost of going on here


def distribution_with_choice_of_depots():
    """Two of four depots beside Birmingham and London, each a project at its cost of a year; Birmingham may grow."""
    settings, tables = distribution()
    room = {**DEPOTS, **NEW_DEPOTS}
    chosen = [
        {"option": depot, "facility": depot, "name": depot, "module_t": room[depot], "capex_musd": cost / 1e6}
        for depot, cost in A_YEAR.items()
    ]
    grown = {
        "option": "more room",
        "facility": "Birmingham",
        "name": "more room",
        "module_t": 20_000,
        "capex_musd": 0.003,
    }
    return settings, {
        **tables,
        "countries": [*tables["countries"], *named("countries", *NEW_DEPOTS)],
        "facilities": [
            *(row for row in tables["facilities"] if row["facility"] not in A_YEAR),
            *(plant(depot, depot) for depot in A_YEAR),
        ],
        "operations": [*tables["operations"], *(runs(depot, "handle") for depot in NEW_DEPOTS)],
        "options": [{**row, "life_years": 1} for row in (*chosen, grown)],
        "groups": [{"group": "depots", "option": depot} for depot in A_YEAR],
        "group_limits": [{"group": "depots", "measure": "options", "max": 2}],
        "lanes": [
            *tables["lanes"],
            *(
                {"material": "goods" if to in NEW_DEPOTS else "delivered", "origin": start, "destination": to,
                 "cost_usd_per_t": cost}
                for start, of in NEW_CARRIAGE.items()
                for to, cost in of.items()
            ),
        ],
    }  # fmt: skip


# --- Williams 1: food manufacture ------------------------------------------------------------------------------------

OILS = {  # hardness, and price in each month
    "VEG1": (8.8, (110, 130, 110, 120, 100, 90)),
    "VEG2": (6.1, (120, 130, 140, 110, 120, 100)),
    "OIL1": (2.0, (130, 110, 130, 120, 150, 140)),
    "OIL2": (4.2, (110, 90, 100, 120, 110, 80)),
    "OIL3": (5.0, (115, 115, 95, 125, 105, 135)),
}
REFINED = {"vegetable": ("VEG1", "VEG2"), "other": ("OIL1", "OIL2", "OIL3")}


def food():
    """Oils are bought, stored and refined on two lines, then blended: the hardness of the food lies between 3 and 6."""
    line = {"vegetable": 200, "other": 250}
    return toml(6), {
        "countries": named("countries", "here"),
        "materials": named("materials", *OILS, *(f"refined {oil}" for oil in OILS), "food"),
        "processes": named("processes", *(f"{step} {oil}" for oil in OILS for step in ("refine", "blend"))),
        "recipes": [
            *(row for oil in OILS for row in turns(f"refine {oil}", {oil: 1}, f"refined {oil}")),
            *(row for oil in OILS for row in turns(f"blend {oil}", {f"refined {oil}": 1}, "food")),
        ],
        "facilities": [*(plant(of, capacity=t) for of, t in line.items()), plant("blender", capacity=1000)],
        "operations": [
            *(runs(of, f"refine {oil}") for of, oils in REFINED.items() for oil in oils),
            *(runs("blender", f"blend {oil}") for oil in OILS),
        ],
        "markets": [{"market": oil, **HERE, "material": oil} for oil in OILS],
        "market_prices": [
            {"market": oil, "year": 2026 + month, "price_usd_per_t": price}
            for oil, (_, prices) in OILS.items()
            for month, price in enumerate(prices)
        ],
        "stockpiles": [
            {"stockpile": oil, **HERE, "material": oil, "initial_t": 500, "max_t": 1000, "final_min_t": 500,
             "holding_usd_per_t": 5}
            for oil in OILS
        ],
        "contents": [
            {"property": "hardness", "material": f"refined {oil}", "content": hardness}
            for oil, (hardness, _) in OILS.items()
        ],
        "blends": [{"property": "hardness", "material": "food", "facility": "blender", "min": 3, "max": 6}],
        "buyers": [{"buyer": "shops", **HERE, "material": "food"}],
        "buyer_prices": [{"buyer": "shops", "price_usd_per_t": 150}],
    }  # fmt: skip


def food_of_few_oils():
    """As before; in a month at most three oils, of each at least 20 t, and OIL3 wherever there is a vegetable oil.

    Refined oil goes from the refinery to the blender, in lots of 20 t or more. To use an oil in a month is a decision:
    a pump of that month alone, without cost, which may need another one; a pump of OIL3 has to run.
    """
    settings, tables = food()
    months = range(2026, 2032)
    room = {oil: 200 if oil in REFINED["vegetable"] else 250 for oil in OILS}
    uses = [(oil, year) for oil in OILS for year in months]
    return settings, {
        **tables,
        "countries": named("countries", "here", "there"),
        "materials": [*tables["materials"], *named("materials", *(f"pumped {oil}" for oil in OILS))],
        "processes": [*tables["processes"], *named("processes", *(f"pump {oil}" for oil in OILS))],
        "recipes": [
            *(row for row in tables["recipes"] if not row["process"].startswith("blend ")),
            *(row for oil in OILS for row in turns(f"pump {oil}", {f"refined {oil}": 1}, f"pumped {oil}")),
            *(row for oil in OILS for row in turns(f"blend {oil}", {f"pumped {oil}": 1}, "food")),
        ],
        "facilities": [
            *(row for row in tables["facilities"] if row["facility"] != "blender"),
            plant("blender", "there", 1000),
            *(plant(oil, "there") for oil in OILS),
        ],
        "operations": [*tables["operations"], *(runs(oil, f"pump {oil}") for oil in OILS)],
        "options": [
            {"option": f"{oil} in {year}", "facility": oil, "name": oil, "module_t": room[oil], "capex_musd": 0,
             "life_years": 1, "first_start": year, "last_start": year,
             "requires": f"OIL3 in {year}" if oil in REFINED["vegetable"] else ""}
            for oil, year in uses
        ],
        "groups": [{"group": "oils", "option": f"{oil} in {year}"} for oil, year in uses],
        "group_limits": [
            {"group": "oils", "measure": "options", "first_year": year, "last_year": year, "max": 3} for year in months
        ],
        "lanes": [
            {"material": f"refined {oil}", "origin": "here", "destination": "there", "cost_usd_per_t": 0,
             "max_t": room[oil], "min_t": 20}
            for oil in OILS
        ],
        "offtakes": [
            {"offtake": f"OIL3 in {year}", "facility": "OIL3", "material": "pumped OIL3", "option": f"OIL3 in {year}",
             "take_t": 20, "payer": "blender", "agreed_usd_per_t": 0}
            for year in months
        ],
        "contents": [{**row, "material": row["material"].replace("refined", "pumped")} for row in tables["contents"]],
        "buyers": [{"buyer": "shops", "country": "there", "material": "food"}],
    }  # fmt: skip


# --- Williams 3: factory planning ------------------------------------------------------------------------------------

PROFIT = (10, 6, 8, 4, 11, 9, 3)
HOURS = {
    "grinder": (0.5, 0.7, 0, 0, 0.3, 0.2, 0.5),
    "vertical drill": (0.1, 0.2, 0, 0.3, 0, 0.6, 0),
    "horizontal drill": (0.2, 0, 0.8, 0, 0, 0, 0.6),
    "borer": (0.05, 0.03, 0, 0.07, 0.1, 0, 0.08),
    "planer": (0, 0, 0.01, 0, 0.05, 0, 0.05),
}
MACHINES = {  # how many work in each month
    "grinder": (3, 4, 4, 4, 3, 4),
    "vertical drill": (2, 2, 2, 1, 1, 2),
    "horizontal drill": (3, 1, 3, 3, 3, 2),
    "borer": (1, 1, 0, 1, 1, 1),
    "planer": (1, 1, 1, 1, 1, 0),
}
MONTH = 24 * 2 * 8  # hours of a machine
SOLD = (
    (500, 1000, 300, 300, 800, 200, 100),
    (600, 500, 200, 0, 400, 300, 150),
    (300, 600, 0, 0, 500, 400, 100),
    (200, 300, 400, 500, 200, 0, 100),
    (0, 100, 500, 100, 1000, 300, 0),
    (500, 500, 100, 300, 1100, 500, 60),
)  # most of each product, by month


def factory():
    """Hours of machines are made like a material, and used up by the products; each can be stored."""
    products = [f"P{i + 1}" for i in range(len(PROFIT))]
    return toml(6), {
        "countries": named("countries", "here"),
        "materials": named("materials", *HOURS, *products),
        "processes": named("processes", *(f"run {m}" for m in HOURS), *(f"make {p}" for p in products)),
        "recipes": [
            *(row for m in HOURS for row in turns(f"run {m}", {}, m)),
            *(row for i, p in enumerate(products) for row in turns(f"make {p}", {m: h[i] for m, h in HOURS.items()}, p)),
        ],
        "facilities": [*(plant(m, capacity="") for m in HOURS), plant("shop", capacity=100_000)],
        "facility_capacity": [
            {"facility": m, "year": 2026 + month, "capacity_t": MONTH * count}
            for m, counts in MACHINES.items()
            for month, count in enumerate(counts)
        ],
        "operations": [*(runs(m, f"run {m}") for m in HOURS), *(runs("shop", f"make {p}") for p in products)],
        "stockpiles": [
            {"stockpile": p, **HERE, "material": p, "max_t": 100, "final_min_t": 50, "holding_usd_per_t": 0.5}
            for p in products
        ],
        "buyers": [{"buyer": p, **HERE, "material": p} for p in products],
        "buyer_prices": [
            {"buyer": p, "year": 2026 + month, "price_usd_per_t": PROFIT[i], "max_t": most[i]}
            for month, most in enumerate(SOLD)
            for i, p in enumerate(products)
        ],
    }  # fmt: skip


INSTALLED = {"grinder": 4, "vertical drill": 2, "horizontal drill": 3, "borer": 1, "planer": 1}
MENDED = {"grinder": 2, "vertical drill": 2, "horizontal drill": 3, "borer": 1, "planer": 1}  # a month each


def factory_with_choice_of_repairs():
    """As before, but when machines are repaired is open: each month that a machine works is started as a project."""
    settings, tables = factory()
    working = {m: 6 * count - MENDED[m] for m, count in INSTALLED.items()}
    return settings, {
        **tables,
        "facilities": [*(plant(m) for m in HOURS), plant("shop", capacity=100_000)],
        "facility_capacity": [],
        "options": [
            {"option": f"a month of a {m}", "facility": m, "name": m, "module_t": MONTH, "max_modules": working[m],
             "max_per_year": INSTALLED[m], "capex_musd": 0, "life_years": 1}
            for m in HOURS
        ],
    }  # fmt: skip


# --- Williams 7: mining ----------------------------------------------------------------------------------------------

MINES = {  # royalty a year while it is open, most ore a year (both in millions), quality
    "mine 1": (5, 2.0, 1.0),
    "mine 2": (4, 2.5, 0.7),
    "mine 3": (4, 1.3, 1.5),
    "mine 4": (5, 3.0, 0.5),
}
QUALITY = (0.9, 0.8, 1.2, 0.6, 1.0)  # exactly, by year


def mining():
    """A mine is open until some year, at its royalty; in a year three at most are worked; the ore is blended."""
    return toml(5, rate=0.10), {
        "countries": named("countries", "here"),
        "materials": named("materials", *MINES, *(f"work in {m}" for m in MINES), "ore"),
        "processes": named("processes", *(f"{step} {m}" for m in MINES for step in ("work", "mine", "blend"))),
        "recipes": [
            row
            for m in MINES
            for row in (
                *turns(f"work {m}", {}, f"work in {m}"),
                *turns(f"mine {m}", {f"work in {m}": 1}, m),
                *turns(f"blend {m}", {m: 1}, "ore"),
            )
        ],
        "facilities": [
            *(plant(f"{kind} {m}") for m in MINES for kind in ("pit", "crew")),
            plant("blender", capacity=10_000_000),
        ],
        "operations": [
            row
            for m in MINES
            for row in (runs(f"crew {m}", f"work {m}"), runs(f"pit {m}", f"mine {m}"), runs("blender", f"blend {m}"))
        ],
        "options": [
            *(
                {"option": f"{m} open for {years} years", "facility": f"pit {m}", "name": m, "module_t": most * 1e6,
                 "capex_musd": royalty * years, "life_years": years, "last_start": 2026, "exclusive_group": m}
                for m, (royalty, most, _) in MINES.items()
                for years in range(1, 6)
            ),
            *(
                {"option": f"a year in {m}", "facility": f"crew {m}", "name": m, "module_t": most * 1e6, "max_modules": 5,
                 "max_per_year": 1, "capex_musd": 0, "life_years": 1}
                for m, (_, most, _) in MINES.items()
            ),
        ],
        "groups": [{"group": "worked", "option": f"a year in {m}"} for m in MINES],
        "group_limits": [
            {"group": "worked", "measure": "modules", "first_year": year, "last_year": year, "max": 3}
            for year in range(2026, 2031)
        ],
        "contents": [{"property": "quality", "material": m, "content": of} for m, (_, _, of) in MINES.items()],
        "blends": [
            {"property": "quality", "material": "ore", "facility": "blender", "year": 2026 + n, "min": asked, "max": asked}
            for n, asked in enumerate(QUALITY)
        ],
        "buyers": [{"buyer": "smelter", **HERE, "material": "ore"}],
        "buyer_prices": [{"buyer": "smelter", "price_usd_per_t": 10}],
    }  # fmt: skip


# --- Birge and Louveaux: the farmer ----------------------------------------------------------------------------------

CROPS = {"wheat": (2.5, 150), "corn": (3.0, 230), "beets": (20.0, 260)}  # t an acre in a mean year, cost of an acre
ACRES = 500
GOOD = 1.2  # of a mean year; a bad one has 0.8


def farmer(years=(0.8, 1.0, 1.2)):
    """Acres are sown before the weather is known, each kind of year being equally likely; then crops are sold or bought.

    years  the kinds of years that may come; of one alone it is known
    """
    best = max(years)
    others = [y for y in years if y != best]
    tables = {
        "countries": named("countries", "here"),
        "materials": named("materials", *CROPS),
        "processes": named("processes", *(f"grow {crop}" for crop in CROPS)),
        "recipes": [row for crop in CROPS for row in turns(f"grow {crop}", {}, crop)],
        "facilities": [plant(crop) for crop in CROPS],
        "operations": [runs(crop, f"grow {crop}") for crop in CROPS],
        "options": [
            {"option": f"acre of {crop}", "facility": crop, "name": crop, "module_t": best * t, "max_modules": ACRES,
             "integer": "no", "capex_musd": cost / 1e6, "life_years": 1}
            for crop, (t, cost) in CROPS.items()
        ],
        "groups": [{"group": "land", "option": f"acre of {crop}"} for crop in CROPS],
        "group_limits": [{"group": "land", "measure": "modules", "max": ACRES}],
        "sectors": [{"sector": "cattle", "name": "cattle", "shortage_usd_per_t": 1000}],
        "demand": [{**HERE, "sector": "cattle", "material": crop, "demand_t": t} for crop, t in (("wheat", 200), ("corn", 240))],
        "markets": [{"market": crop, **HERE, "material": crop} for crop in ("wheat", "corn")],
        "market_prices": [{"market": crop, "price_usd_per_t": p} for crop, p in (("wheat", 238), ("corn", 210))],
        "buyers": [{"buyer": name, **HERE, "material": crop}
                   for name, crop in (("mill", "wheat"), ("maltster", "corn"), ("quota", "beets"), ("beyond", "beets"))],
        "buyer_prices": [
            {"buyer": "mill", "price_usd_per_t": 170}, {"buyer": "maltster", "price_usd_per_t": 150},
            {"buyer": "quota", "price_usd_per_t": 36, "max_t": 6000}, {"buyer": "beyond", "price_usd_per_t": 10},
        ],
        "scenarios": [
            {"scenario": f"yield {y}", "name": f"yield {y}", "probability": 1 / len(years), "first_year": 2026,
             "last_year": 2026}
            for y in others
        ],
        "disruptions": [
            {"scenario": f"yield {y}", "kind": "outage", "facility": crop, "fraction": 1 - y / best}
            for y in others
            for crop in CROPS
        ],
    }  # fmt: skip
    return toml(1, currency="USD"), tables


# --- OR-Library: capacitated warehouses ------------------------------------------------------------------------------


def warehouses(text, capacity=None):
    """A file of the OR-Library (cap41.txt and its like): warehouses with a fixed cost, and customers with their demand.

    The file gives what serving *all* of a customer's demand costs from each warehouse; each place is a country.

    capacity  of each warehouse, where the file has the word ``capacity`` in its place (capa, capb, capc)
    """
    numbers = iter(text.split())
    sites, customers = int(next(numbers)), int(next(numbers))
    stores = []
    for i in range(sites):
        most, fixed = next(numbers), float(next(numbers))
        stores.append((f"w{i + 1}", float(most) if capacity is None else capacity, fixed))
    demand, lanes = [], []
    for j in range(customers):
        t = float(next(numbers))
        costs = [float(next(numbers)) for _ in range(sites)]
        demand.append({"country": f"c{j + 1}", "sector": "all", "material": "goods", "demand_t": t})
        lanes += [
            {"material": "goods", "origin": store, "destination": f"c{j + 1}", "cost_usd_per_t": cost / t}
            for (store, *_), cost in zip(stores, costs, strict=True)
            if t
        ]
    names = [store for store, *_ in stores]
    return toml(1, currency="USD"), {
        "countries": named("countries", *names, *(d["country"] for d in demand)),
        "materials": named("materials", "goods"),
        "processes": named("processes", "supply"),
        "recipes": turns("supply", {}, "goods"),
        "facilities": [plant(store, store) for store in names],
        "operations": [runs(store, "supply") for store in names],
        "options": [
            {"option": f"open {store}", "facility": store, "name": store, "module_t": most, "capex_musd": fixed / 1e6,
             "life_years": 1}
            for store, most, fixed in stores
        ],
        "lanes": lanes,
        "sectors": [{"sector": "all", "name": "all", "shortage_usd_per_t": 100_000, "min_service": 1}],
        "demand": demand,
    }  # fmt: skip


# --- RELOG: boats that come back --------------------------------------------------------------------------------------

CITIES = {
    "Chicago": (41.881832, -87.623177), "New York City": (40.712776, -74.005974),
    "Los Angeles": (34.052235, -118.243683), "Houston": (29.760427, -95.369804), "Phoenix": (33.448376, -112.074036),
    "Philadelphia": (39.952583, -75.165222), "San Antonio": (29.424122, -98.493629), "San Diego": (32.715736, -117.161087),
    "Dallas": (32.776664, -96.796988), "San Jose": (37.338208, -121.886329),
}  # fmt: skip
SUPPLIED = ("Chicago", "Phoenix", "Dallas")  # with a nail factory and a forest
BACK = (0.10, 0.25, 0.10)  # part of the boats sold that comes back in the same year, the next, and the one after
TRAVEL = {"CO2": 2.68, "NH4": 1.02}  # t per km and t moved


def chord(one, other):
    """Km between two places (latitude, longitude) through the earth, an ellipsoid (WGS 84), in metres."""

    def place(latitude, longitude):
        phi, around, flat = math.radians(latitude), math.radians(longitude), 1 / 298.257223563
        square = flat * (2 - flat)
        radius = 6378.137 / math.sqrt(1 - square * math.sin(phi) ** 2)
        across = radius * math.cos(phi)
        return across * math.cos(around), across * math.sin(around), radius * (1 - square) * math.sin(phi)

    return round(math.dist(place(*one), place(*other)), 3)


def boats():
    """Boats are built of wood and nails, sold, and partly come back; what is recycled is wood and nails again.

    A boat is worth 12,000 to each shop, which could take more than can be built. Each city may have a factory and a
    recycling plant, of 500 to 1000 t. There is at least one recycling plant: RELOG asks for all that comes back to be
    recycled, for which one is needed.
    """
    plants = {"boats": (0.1, 2.0, 500, 5), "recycling": (0.5, 1.0, 250, 2.5)}  # capex small, large; upkeep; running
    made = {"boats": "build", "recycling": "recycle"}
    ways = [(a, b, chord(CITIES[a], CITIES[b])) for a in CITIES for b in CITIES if a != b]
    sites = [(kind, city) for kind in plants for city in CITIES]
    none = dict.fromkeys(("facility", "process", "material", "origin", "destination", "market", "option"), "")
    return toml(5, currency="USD"), {
        "countries": named("countries", *CITIES),
        "materials": named("materials", "nail", "wood", "boat", "used boat"),
        "processes": named("processes", "make nail", "fell", "build", "recycle"),
        "recipes": [
            *turns("make nail", {}, "nail"), *turns("fell", {}, "wood"), *turns("build", {"wood": 0.95, "nail": 0.05}, "boat"),
            {"process": "recycle", "material": "used boat", "role": "input", "t_per_t": 1},
            {"process": "recycle", "material": "nail", "role": "output", "t_per_t": 0.025},
            {"process": "recycle", "material": "wood", "role": "output", "t_per_t": 0.475},
        ],
        "facilities": [
            *(plant(f"nails {city}", city, 1) for city in SUPPLIED),
            *(plant(f"forest {city}", city, 100) for city in SUPPLIED),
            *(plant(f"shop {city}", city, 1, fixed_om_usd_per_t=125_000) for city in CITIES),
            *(plant(f"{kind} {city}", city, fixed_om_usd_per_t=plants[kind][2]) for kind, city in sites),
        ],
        "operations": [
            *(runs(f"nails {city}", "make nail", 1000) for city in SUPPLIED),
            *(runs(f"forest {city}", "fell", 250) for city in SUPPLIED),
            # collecting a used boat costs 100, which is paid where it is recycled
            *(runs(f"{kind} {city}", made[kind], plants[kind][3] + (100 if kind == "recycling" else 0))
              for kind, city in sites),
        ],
        "options": [
            {"option": f"{kind} {city}", "facility": f"{kind} {city}", "name": kind, "module_t": 1000, "integer": "no",
             "capex_musd": plants[kind][1], "life_years": 5, "last_start": 2026}
            for kind, city in sites
        ],
        "option_sizes": [
            {"option": f"{kind} {city}", "size": "small", "capacity_t": 500, "capex_musd": plants[kind][0]}
            for kind, city in sites
        ],
        "groups": [{"group": "recycling", "option": f"recycling {city}"} for city in CITIES],
        "group_limits": [{"group": "recycling", "measure": "capacity_t", "min": 500}],
        "stockpiles": [
            {"stockpile": f"{material} {city}", "country": city, "material": material, "max_t": t,
             "holding_usd_per_t": cost}
            for material, t, cost in (("wood", 5, 500), ("nail", 1, 200)) for city in CITIES
        ],
        "lanes": [
            {"material": "*", "origin": a, "destination": b, "cost_usd_per_t": 0.3 * km} for a, b, km in ways
        ],
        "sectors": [{"sector": "shops", "name": "shops", "shortage_usd_per_t": WORTH}],
        "demand": [{"country": c, "sector": "shops", "material": "boat", "demand_t": WANTED} for c in CITIES],
        "returns": [
            {"return": f"after {n}", "material": "boat", "returned": "used boat", "collected": part,
             "mean_life_years": n or 0.25}
            for n, part in enumerate(BACK)
        ],
        "impacts": [{"impact": gas, "name": gas, "unit": "t"} for gas in TRAVEL],
        "impact_factors": [
            {**none, "impact": "CO2", "kind": "operation", "process": "build", "per_t": 5},
            {**none, "impact": "CO2", "kind": "operation", "process": "recycle", "per_t": 5},
            *({**none, "impact": gas, "kind": "lane", "origin": a, "destination": b, "per_t": per * km}
              for gas, per in TRAVEL.items() for a, b, km in ways),
        ],
    }  # fmt: skip


WORTH, WANTED = 12_000, 400  # of a boat; more than all wood of a year can become, in each shop


# --- knapsacks with several values: AUGMECON's test problems ------------------------------------------------------------


def knapsack(weights, rooms, values):
    """Orders that a project each serves, or a market: at most so much of each weight in projects.

    weights  a row of each room, with a number of each item; ``rooms`` are the limits, ``values`` rows like those

    A project costs nothing and causes its weights as impacts, which are capped. An order without a project is bought:
    the first value of the item is the price, in million, the others are impacts of the purchase. So what is not gained
    of a value is the cost, or an impact.
    """
    items = range(len(values[0]))
    names = [f"i{k:02d}" for k in items]
    impacts = [(f"weight{r}", "build", row) for r, row in enumerate(weights)]
    impacts += [(f"value{r}", "purchase", row) for r, row in enumerate(values[1:], start=2)]
    factors = [
        {"impact": impact, "kind": kind, ("option" if kind == "build" else "market"): names[k], "per_t": row[k]}
        for impact, kind, row in impacts
        for k in items
    ]
    columns = ("impact", "kind", "facility", "process", "material", "origin", "destination", "market", "option")
    return toml(1), {
        "countries": named("countries", "here"),
        "materials": named("materials", *names),
        "processes": named("processes", *names),
        "recipes": [row for name in names for row in turns(name, {}, name)],
        "facilities": [plant(name) for name in names],
        "operations": [runs(name, name) for name in names],
        "options": [
            {"option": name, "facility": name, "name": name, "module_t": 1, "capex_musd": 0, "life_years": 1}
            for name in names
        ],
        "markets": [{"market": name, "country": "here", "material": name} for name in names],
        "market_prices": [{"market": name, "price_usd_per_t": 1e6 * values[0][k]} for k, name in enumerate(names)],
        "sectors": [{"sector": "all", "name": "All", "shortage_usd_per_t": 0, "min_service": 1}],
        "demand": [{"country": "here", "sector": "all", "material": name, "demand_t": 1} for name in names],
        "impacts": [{"impact": name, "name": name, "unit": "unit"} for name, *_ in impacts],
        "impact_factors": [{**dict.fromkeys(columns, ""), **row} for row in factors],
        "caps": [
            {"cap": f"room{r}", "metric": "impact", "impact": f"weight{r}", "limit": room}
            for r, room in enumerate(rooms)
        ],
    }


# --- PrOMMiS: what becomes of magnets that come back ---------------------------------------------------------------------

BACK_T = (290_273, 274_648, 286_512, 487_819)  # used products of 2025 to 2028, of which a tenth is collected
ND_KG, FE_KG = 0.206 * 3, 0.691 * 3  # of a product
# points of purchased equipment: tonnes a year, then USD of two preparations and of three recoveries
EQUIPMENT_T = (36.48, 634.24, 1434.8, 2083.76, 3171.2, 6342.4, 9513.6, 14270.4)
EQUIPMENT_USD = {
    "2.1": (10130.08515, 31353.21173, 48788.84678, 60305.81927, 77063.4884, 117214.7546, 151018.0699, 195698.5419),
    "2.2": (11702.08515, 39023.21173, 62134.84678, 77539.81927, 100113.4884, 154792.7546, 201326.0699, 263374.5419),
    "3.1": (343228.652, 482425.4684, 618182.0594, 743750.2902, 844443.0443, 978479.5225, 1183834.522, 1440660.587),
    "3.2": (643228.652, 782425.4684, 918182.0594, 1043750.2902, 1144443.0443, 1278479.5225, 1483834.522, 1740660.587),
    "3.3": (4274.7216, 30479.121, 53459.01, 69261.68, 92510.61, 143803.33, 197644.75, 261513.79),
}  # fmt: skip
# of each: running cost in USD per kg taken in, and in USD a year, and operators
RUNNING = {
    "2.1": (0.0053, 7929.7, 0.65), "2.2": (0.0015, 2233.16, 0.65),
    "3.1": (15.594, 4e6, 1.6), "3.2": (35.58463, 4e6, 1.6), "3.3": (1.58, 0.0, 1.3),
}  # fmt: skip
# of each recovery: the preparation before it, the part of the neodymium recovered and its USD per kg, kg of a by-product
# per kg taken in and its USD per kg
RECOVERY = {
    "3.1": ("2.1", 0.985, 45.4272, 0.75, -0.17),
    "3.2": ("2.2", 0.985, 69.888, 1.0, 10.0),
    "3.3": ("2.2", 1.0, 45.4272, 0.25, -0.17),
}
KEPT = 1 - 0.01 * 1.2  # of a dollar of sales: 1 % goes to sales and research, with the overhead of a fifth


def superstructure(by_products=False, at_will=False):
    """Used products are taken apart, prepared in one of two ways, and their neodymium is recovered in one of three.

    A plant is one of three, each with the people and the yearly costs of its way; the sizes of its two lines of
    equipment are decided, at less per tonne the larger. Prices and running costs rise by 3 % a year and are discounted
    by 5.77 %: one rate stands for both here. What a dollar of equipment costs in all is worked out first: the plant
    around it (2.97), its financing and other costs (1.177), paid in three years at prices that rise by 3.6 %, and 3 %
    of the plant a year for upkeep, taxes and insurance, with the overhead of a fifth. With ``at_will`` nothing has to
    be built, and nothing that comes back to be taken.
    """
    rate = 1.0577 / 1.03 - 1
    worth = [(1 + rate) ** -t for t in range(1, 5)]  # of a dollar of 2024, spent in 2025 to 2028
    paid = sum(part * (1.036 / 1.0577) ** t for t, part in enumerate((0.1, 0.6, 0.3)))
    in_all = 2.97 * (1.177 * paid + 1.2 * 0.03 * sum(worth))
    capex = in_all / (sum(worth) / 4) * 1e-6  # capex without interest is counted in four equal parts from 2025 on
    fed = [n * 0.1 * (ND_KG + FE_KG) / 1000 for n in BACK_T]
    units = math.ceil(max(BACK_T) * 0.1 / 7868)  # places to take products apart, with an operator each

    def upkeep(way):
        """USD a year: people, with a tenth for samples, a fifth and a quarter on top of their wages, and the lines'."""
        lines = (way, RECOVERY[way][0])
        people = math.ceil(units + sum(RUNNING[line][2] for line in lines))
        return 1.2 * (people * 8000 * 38.20 * 1.55 + sum(RUNNING[line][1] for line in lines))

    def turned(process, before, **after):
        return [
            {"process": process, "material": before, "role": "input", "t_per_t": 1},
            *({"process": process, "material": m, "role": "output", "t_per_t": t} for m, t in after.items()),
        ]

    recipes = [{"process": "collect", "material": "products", "role": "output", "t_per_t": 1}]
    recipes += turned("take apart", "products", scrap=1)
    recipes += [row for name in ("2.1", "2.2") for row in turned(name, "scrap", **{f"powder {name}": 1})]
    buyers = []
    for way, (before, part, usd, by, by_usd) in RECOVERY.items():
        made = {f"neodymium {way}": ND_KG / (ND_KG + FE_KG) * part} | ({f"by-product {way}": by} if by_products else {})
        recipes += turned(way, f"powder {before}", **made)
        buyers += [(material, by_usd if material.startswith("by") else usd) for material in made]
    goods = list(dict.fromkeys(row["material"] for row in recipes))
    settings = toml(5, rate=rate, currency="USD").replace(
        "[2026, 2027, 2028, 2029, 2030]", "[2024, 2025, 2026, 2027, 2028]"
    )
    start = {"lead_years": 1, "life_years": 4, "last_start": 2024}
    return settings, {
        "countries": named("countries", "here"),
        "materials": [{**row, "surplus": "no"} for row in named("materials", *goods)],
        "processes": named("processes", *dict.fromkeys(row["process"] for row in recipes)),
        "recipes": recipes,
        "facilities": [
            plant("collection", capacity="", min_use=0 if at_will else 1),
            *(plant(f"plant {way}", fixed_om_usd_per_t=upkeep(way) / max(fed)) for way in RECOVERY),
            *(plant(f"line {name}") for name in RUNNING),
        ],
        "facility_capacity": [
            {"facility": "collection", "year": year, "capacity_t": t} for year, t in zip(range(2024, 2029), (0, *fed), strict=True)
        ],
        "operations": [
            runs("collection", "collect"),
            *(runs(f"plant {way}", "take apart") for way in RECOVERY),
            *(runs(f"line {name}", name, 1.2 * 1000 * usd) for name, (usd, *_) in RUNNING.items()),
        ],
        "options": [
            *({**start, "option": f"plant {way}", "facility": f"plant {way}", "name": "plant", "module_t": max(fed),
               "integer": "yes", "capex_musd": 0, "requires": ""} for way in RECOVERY),
            *({**start, "option": f"line {name}", "facility": f"line {name}", "name": "line", "module_t": EQUIPMENT_T[-1],
               "integer": "no", "capex_musd": usd[-1] * capex, "requires": f"plant {name}" if name in RECOVERY else ""}
              for name, usd in EQUIPMENT_USD.items()),
        ],
        "option_sizes": [
            {"option": f"line {name}", "size": str(i), "capacity_t": t, "capex_musd": usd * capex}
            for name, of in EQUIPMENT_USD.items() for i, (t, usd) in enumerate(zip(EQUIPMENT_T, of, strict=True)) if i < 7
        ],
        "groups": [{"group": "plants", "option": f"plant {way}"} for way in RECOVERY],
        "group_limits": [{"group": "plants", "measure": "options", "min": 0 if at_will else 1, "max": 1}],
        "buyers": [{"buyer": f"of {material}", "country": "here", "material": material} for material, _ in buyers],
        "buyer_prices": [{"buyer": f"of {material}", "price_usd_per_t": 1000 * KEPT * usd} for material, usd in buyers],
    }  # fmt: skip
