"""Small instances drawn at random that use every table and column of the contract."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from builders import write_instance

import planner
from planner.instance.tables import columns

FIRST = 2026
STAGES = ("mining", "metal", "magnet")
MATERIALS = ("ore", "metal", "heavy", "magnet", "scrap")
OPEX = {"mine": 900, "smelt": 3000, "press": 9000, "lean": 9000, "recycle": 3000, "conjure": 60000}
PRICE = {"ore": 1500, "metal": 9000, "heavy": 30000, "magnet": 40000, "scrap": 2000}
MAY_GO = (
    *("options", "disruptions", "caps", "funds", "scenarios", "fund_options", "group_limits"),
    *("substitutes", "returns", "impact_factors", "impacts", "buyers", "blends"),
)

TOML = """\
schema = 1
name = "drawn"
stages = ["mining", "metal", "magnet"]
[time]
years = {years}
last_period_years = {last}
[finance]
currency = "USD"
price_year = 2025
discount_rate = {rate}
wacc = {wacc}
[security]
countries_of_concern = {concern}
"""


def draw(seed):
    """Settings as text, and the tables as rows; some rows may mean nothing, see `valid`."""
    drawn = _Drawn(random.Random(seed))
    toml, tables = drawn.toml(), drawn.tables()
    drawn.r = random.Random(f"floors {seed}")  # so that what was drawn before stays as it was
    drawn.add_floors(tables)
    drawn.r = random.Random(f"kit {seed}")
    _KitDrawn(drawn, tables).add()
    drawn.r = random.Random(f"capacity {seed}")
    drawn.add_capacities(tables)
    drawn.r = random.Random(f"groups {seed}")
    drawn.add_groups(tables)
    drawn.r = random.Random(f"months {seed}")
    drawn.add_months(tables)
    drawn.r = random.Random(f"trees {seed}")
    drawn.add_trees(tables)
    drawn.r = random.Random(f"sales {seed}")
    drawn.add_buyers(tables)
    drawn.r = random.Random(f"sizes {seed}")
    drawn.add_sizes(tables)
    drawn.r = random.Random(f"largest {seed}")
    drawn.add_largest(tables)
    drawn.r = random.Random(f"blends {seed}")
    drawn.add_blends(tables)
    drawn.r = random.Random(f"lots {seed}")
    drawn.add_lots(tables)
    drawn.r = random.Random(f"crises {seed}")
    drawn.add_working_stocks(tables)
    drawn.r = random.Random(f"transit {seed}")
    drawn.add_transit(tables)
    return toml, tables


def valid(folder: Path, seed, without=()):
    """An instance drawn and loaded: rows that the planner finds to be without effect are taken out first.

    without  tables that it shall not have
    """
    toml, tables = draw(seed)
    tables |= {name: [] for name in without}
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        write_instance(folder, {name: rows for name, rows in tables.items() if rows}, toml)
        try:
            return planner.load(folder), toml, tables
        except planner.InstanceError as error:
            for issue in error.issues:
                assert issue.file.removesuffix(".csv") in MAY_GO, str(error)
            for name in {issue.file.removesuffix(".csv") for issue in error.issues}:
                wrong = {issue.line for issue in error.issues if issue.file == f"{name}.csv"}
                tables[name] = [row for line, row in enumerate(tables[name], start=2) if line not in wrong]
            _follow(tables)


def unit_of(table, column, measure):
    """The unit of a column; of the limits of a group, and of caps, it is that of the row's ``measure`` or metric."""
    unit = columns(table)[column].unit
    if measure == "impact" and column in ("limit", "limit_end"):
        return "unit"
    return {"capacity_t": "t", "capex_musd": "MUSD"}.get(measure, "") if unit == "as measure" else unit


def _follow(tables):
    """Take out what refers to rows that are gone."""
    substitutes = {row["substitute"] for row in tables["substitutes"]}
    tables["substitute_shares"] = [row for row in tables["substitute_shares"] if row["substitute"] in substitutes]
    buyers = {row["buyer"] for row in tables["buyers"]}
    tables["buyer_prices"] = [row for row in tables["buyer_prices"] if row["buyer"] in buyers]
    left = {row["option"] for row in tables["options"]}
    for row in tables["options"]:
        row["requires"] = row["requires"] if row["requires"] in left else ""
    for name in ("fund_options", "groups", "option_sizes"):
        tables[name] = [r for r in tables[name] if r["option"] in left]
    groups = {r["group"] for r in tables["groups"]}
    tables["group_limits"] = [r for r in tables["group_limits"] if r["group"] in groups]
    known = {s["scenario"] for s in tables["scenarios"]}
    for row in tables["scenarios"]:
        row["parent"] = row["parent"] if row["parent"] in known else ""
    tables["disruptions"] = [r for r in tables["disruptions"] if r["scenario"] in known]


class _KitDrawn:
    """Substitutes, returns and impacts."""

    def __init__(self, drawn, tables) -> None:
        self.r, self.drawn, self.tables, self.demand = drawn.r, drawn, tables, tables["demand"]
        self.maybe = drawn.maybe

    def add(self):
        self.tables |= {**self.substitution(), "returns": self.returns(), **self.impacts()}
        caps = self.impact_caps(self.tables["impacts"])
        self.tables["caps"] = [*self.tables["caps"], *caps]

    def impacts(self):
        names = [f"e{i}" for i in range(self.r.choice((0, 0, 0, 1, 2)))]
        plants = sorted({o["facility"] for o in self.tables["operations"]})
        rows = {}
        for _ in range(self.r.randint(2, 6) if names else 0):
            row = dict.fromkeys(("facility", "process", "material", "origin", "destination", "market", "option"), "")
            kind = self.r.choice(("operation", "operation", "lane", "purchase", "build"))
            if kind == "operation":
                row |= {"facility": self.maybe(0.5, *plants), "process": self.maybe(0.3, *OPEX)}
            elif kind == "lane":
                row |= {"material": self.maybe(0.4, *MATERIALS), "origin": self.maybe(0.4, *self.drawn.countries)}
                row["destination"] = self.maybe(0.3, *self.drawn.countries)
            row = {"impact": self.r.choice(names), "kind": kind, **row}
            rows[tuple(row.values())] = {**row, "per_t": self.r.choice((0.5, 2, 2, 10, 40, -1, -20))}
        impacts = [
            {"impact": i, "name": i, "unit": "t CO2", "price_usd_per_unit": self.maybe(0.6, 20, 200)} for i in names
        ]
        return {"impacts": impacts, "impact_factors": list(rows.values())}

    def impact_caps(self, impacts):
        found = []
        for i in impacts:
            if self.r.random() < 0.6:
                least = self.r.random() < 0.25
                limit = self.r.choice((0.5, 20) if least else (0, 100, 600, 3000))
                row = {"cap": f"x{i['impact']}", "metric": "impact", "impact": i["impact"], "limit": limit}
                end = self.maybe(0.3, 2 * limit)
                found.append({**row, "sense": "min" if least else "max", "limit_end": end})
        return found

    def returns(self):
        found = []
        for i in range(self.r.choice((0, 0, 0, 1, 2))):
            buyer = self.r.choice(self.demand)
            bloc = self.drawn.blocs.get(buyer["country"], "")
            found.append(
                {
                    "return": f"v{i}", "material": buyer["material"], "sector": self.maybe(0.3, buyer["sector"]),
                    "country": self.maybe(0.4, buyer["country"], bloc),
                    "returned": self.r.choice(("scrap", "scrap", "metal", "magnet", "heavy")),
                    "t_per_t": self.maybe(0.4, 0.3, 1.5), "collected": self.r.choice((0.2, 0.6, 1)),
                    "mean_life_years": self.r.choice((0.4, 0.5, 1, 1.5, 2, 3)), "shape": self.maybe(0.5, 0.8, 2, 5),
                }
            )  # fmt: skip
        return found

    def substitution(self):
        substitutes, shares = [], []
        for i in range(self.r.choice((0, 0, 0, 1, 2))):
            buyer = self.r.choice(self.demand)
            other = self.maybe(0.7, *(m for m in MATERIALS if m != buyer["material"]))
            bloc = self.drawn.blocs.get(buyer["country"], "")
            substitutes.append(
                {
                    "substitute": f"u{i}", "name": f"u{i}", "material": buyer["material"], "replaced_by": other,
                    "country": self.maybe(0.4, buyer["country"], bloc), "sector": self.maybe(0.3, buyer["sector"]),
                    "t_per_t": self.maybe(0.6, 0.5, 4) if other else "",
                    "cost_usd_per_t": self.maybe(0.7, 2000, 15000),
                }
            )  # fmt: skip
            shares += self.drawn.series(
                {"substitute": f"u{i}"}, "max_share", lambda: self.r.choice((0, 0.1, 0.4, 0.8, 1))
            )
        return {"substitutes": substitutes, "substitute_shares": shares}


class _Drawn:
    def __init__(self, r: random.Random) -> None:
        self.r = r
        self.years = [FIRST]
        for _ in range(r.choice((0, 1, 1, 2, 2, 3))):
            self.years.append(self.years[-1] + r.choice((1, 1, 2, 3)))
        self.last = r.choice((1, 1, 2, 3))
        self.end = self.years[-1] + self.last - 1
        self.countries = ["AAA", "BBB", "CHN", *r.choice(([], ["CCC"], ["CCC", "RUS"]))]
        self.concern = ["CHN", *(["RUS"] if "RUS" in self.countries else [])]
        self.blocs = r.choice(({}, {"AAA": "WEST", "BBB": "WEST"}, {"AAA": "WEST", "BBB": "WEST", "CHN": "EAST"}))
        self.places = [*self.countries, *sorted(set(self.blocs.values()))]

    def maybe(self, chance, *values):
        """One of the values, or a blank."""
        return self.r.choice(values) if self.r.random() < chance else ""

    def year(self):
        return self.r.randint(FIRST, self.end)

    def toml(self):
        concern = "[" + ", ".join(f'"{c}"' for c in self.concern) + "]"
        return TOML.format(
            years=self.years,
            last=self.last,
            rate=self.r.choice((0, 0.05)),
            wacc=self.r.choice((0, 0.08)),
            concern=concern,
        )

    def series(self, key, column, number):
        """Rows of a series: one for every year, or two years."""
        listed = [""] if self.r.random() < 0.4 else sorted(self.r.sample(range(FIRST - 2, self.end + 3), 2))
        return [{**key, "year": year, column: number()} for year in listed]

    def tables(self):
        facilities, operations = self.plants()
        options = self.projects(facilities)
        recipes = self.recipes()
        demand = self.demand()
        markets = [
            {
                "market": f"k{i}",
                "country": self.r.choice([*self.countries, "CHN"]),
                "material": self.r.choice(MATERIALS),
            }
            for i in range(self.r.randint(1, 4))
        ]
        for m in markets:
            m["exposed"] = self.maybe(0.3, "yes") or ("" if m["country"] in self.concern else self.maybe(0.3, "no"))
        prices = []
        for m in markets:
            limited = self.maybe(0.5, "yes")
            of = self.series({"market": m["market"]}, "price_usd_per_t", lambda m=m: self.usd(PRICE[m["material"]]))
            prices += [{**row, "max_t": self.r.choice((0, 15, 60, 150)) if limited else ""} for row in of]
        scenarios, disruptions = self.scenarios(facilities)
        funds = [
            {
                "fund": f"m{i}", "provider": "State", "instrument": self.r.choice(("grant", "loan", "equity")),
                "budget_musd": self.r.uniform(0.1, 3), "first_year": self.maybe(0.3, FIRST, FIRST + 1),
                "last_year": self.maybe(0.3, self.end), "max_share": self.maybe(0.5, 0.2, 0.5),
            }
            for i in range(self.r.randint(1, 2) if options and self.r.random() < 0.5 else 0)
        ]  # fmt: skip
        draws = [{"fund": f["fund"], "option": o["option"]} for f in funds for o in options if self.maybe(0.7, 1)]
        no_waste = self.r.choice(("no", "yes"))
        flags = {"ore": ("mining", "yes", "yes"), "metal": ("metal", "yes", self.r.choice(("yes", "yes", "no")))}
        flags |= {"heavy": ("metal", self.r.choice(("yes", "no")), "yes"), "magnet": ("magnet", "yes", no_waste)}
        return {
            "countries": [{"country": c, "name": c, "bloc": self.blocs.get(c, "")} for c in self.countries],
            "materials": [
                {"material": m, "name": m, "stage": stage, "strategic": strategic, "surplus": waste,
                 "value_usd_per_t": self.r.choice(("", PRICE[m] // 2))}
                for m in MATERIALS for stage, strategic, waste in [flags.get(m, ("", "no", ""))]
            ],
            "processes": [
                {"process": p, "name": p, "restores_provenance": "yes" if p == "recycle" else ""} for p in OPEX
            ],
            "recipes": recipes,
            "recipe_yields": [
                row for x in recipes if self.r.random() < 0.12
                for row in self.series({k: x[k] for k in ("process", "material", "role")}, "t_per_t",
                                       lambda x=x: x["t_per_t"] * self.r.uniform(0.9, 1.1))
            ],
            "facilities": facilities, "operations": operations,
            "operation_costs": [
                row for x in operations if self.r.random() < 0.15
                for row in self.series({k: x[k] for k in ("facility", "process")}, "opex_usd_per_t",
                                       lambda x=x: self.usd(OPEX[x["process"]]))
            ],
            "options": options, "lanes": self.movements("cost_usd_per_t", (0, 5, 20, 100), 9, 0.6),
            "tariffs": self.movements("rate", (0, 0.02, 0.25, 1.5), 4, 0.2),
            "sectors": [
                {"sector": s, "name": s, "shortage_usd_per_t": self.r.choice((20000, 50000, 100000)),
                 "min_service": self.maybe(0.08, 0.1, 0.3), "clean_from_year": self.maybe(0.2, self.year())}
                for s in ("cars", "ships")
            ],
            "demand": demand, "markets": markets, "market_prices": prices, "stockpiles": self.stockpiles(),
            "caps": self.caps(demand), "funds": funds if draws else [], "fund_options": draws,
            "scenarios": scenarios, "disruptions": disruptions,
        }  # fmt: skip

    def usd(self, most):
        return self.r.randint(most // 10, most)

    def recipes(self):
        per_t = {
            ("mine", "ore", "output"): 1, ("smelt", "ore", "input"): 1.6, ("smelt", "metal", "output"): 1,
            ("smelt", "heavy", "output"): 0.05, ("press", "metal", "input"): 1.2, ("press", "heavy", "input"): 0.04,
            ("press", "magnet", "output"): 1, ("press", "scrap", "output"): 0.2, ("lean", "metal", "input"): 1.5,
            ("lean", "magnet", "output"): 1, ("recycle", "scrap", "input"): 1.3, ("recycle", "metal", "output"): 0.8,
            ("conjure", "magnet", "output"): 1,
        }  # fmt: skip
        return [{"process": p, "material": m, "role": role, "t_per_t": t} for (p, m, role), t in per_t.items()]

    def plants(self):
        kinds = ["mine", "smelt", "press", "press", *self.r.choices(list(OPEX), k=self.r.randint(0, 4))]
        facilities, operations = [], []
        for i, kind in enumerate(kinds):
            obliged = self.maybe(0.1, 0.1, 0.3)
            facilities.append(
                {
                    "facility": f"{kind}{i}", "name": kind, "country": self.r.choice([*self.countries, "AAA"]),
                    "status": "operating", "capacity_t": self.r.choice((0, 20, 60, 120, 200)),
                    "first_year": self.maybe(0.3, FIRST - 2, FIRST, FIRST + 1),
                    "last_year": self.maybe(0.2, self.end - 1),
                    "ramp_years": self.maybe(0.3, 1, 2, 4), "min_use": obliged,
                    "min_use_until": self.maybe(0.4, FIRST) if obliged else "",
                    "fixed_om_usd_per_t": self.maybe(0.5, 50, 500), "concern_tie": self.maybe(0.15, "yes"),
                }
            )  # fmt: skip
            if facilities[-1]["last_year"] != "" and facilities[-1]["last_year"] < (facilities[-1]["first_year"] or 0):
                facilities[-1]["last_year"] = ""
            for process in {kind, "lean"} if kind == "press" else {kind}:
                operations.append(
                    {
                        "facility": f"{kind}{i}", "process": process, "capacity_per_t": self.maybe(0.25, 0.5, 2),
                        "opex_usd_per_t": self.maybe(0.9, self.usd(OPEX[process]), -200 if i == 0 else 300),
                    }
                )  # fmt: skip
        operations.sort(key=lambda o: (o["facility"], o["process"]))
        return facilities, operations

    def projects(self, facilities):
        options = []
        for i in range(self.r.randint(0, 4)):
            whole = self.maybe(0.5, "yes", "no")
            before = [o["option"] for o in options if o["integer"] != "no"]
            options.append(
                {
                    "option": f"o{i}", "facility": self.r.choice(facilities)["facility"], "name": f"Option {i}",
                    "module_t": self.r.choice((10, 25, 60)), "capex_musd": round(self.r.uniform(0.1, 3), 2),
                    "max_modules": self.maybe(0.6, 2, 3) or (1.5 if whole == "no" else ""),
                    "min_modules": self.maybe(0.1, 1), "max_per_year": self.maybe(0.3, 0.5, 1), "integer": whole,
                    "lead_years": self.maybe(0.5, 1, 2), "ramp_years": self.maybe(0.4, 2, 3),
                    "life_years": self.r.choice((1, 2, 3, 20)), "first_start": self.maybe(0.2, self.year()),
                    "wacc": self.maybe(0.3, 0, 0.12), "exclusive_group": self.maybe(0.3, "g"),
                    "requires": self.maybe(0.3, *before) if before else "", "private_musd": self.maybe(0.3, 0.5, 2),
                }
            )  # fmt: skip
        return options

    def movements(self, column, values, most, everywhere):
        """Rows of lanes or tariffs, some for some years only, in one case out of so many with one for all."""
        rows = {}
        for _ in range(self.r.randint(0, most)):
            m, i, j = (self.r.choice((*names, "*", "*")) for names in (MATERIALS, self.countries, self.countries))
            if i != j or i == "*":
                rows[m, i, j] = {"first_year": self.maybe(0.2, self.year()), "last_year": ""}
        if self.r.random() < everywhere:
            rows["*", "*", "*"] = {"first_year": "", "last_year": self.maybe(0.1, self.year())}
        found = []
        for (m, i, j), window in rows.items():
            limit = {"max_t": self.maybe(0.3, 0, 10, 90)} if column == "cost_usd_per_t" else {}
            found.append(
                {"material": m, "origin": i, "destination": j, column: self.r.choice(values), **limit, **window}
            )
        return found

    def demand(self):
        found = []
        for country in self.countries:
            for sector in ("cars", "ships"):
                if (country, sector) == ("AAA", "cars") or self.r.random() < 0.4:
                    key = {
                        "country": country,
                        "sector": sector,
                        "material": self.r.choice(("magnet",) * 8 + ("metal",)),
                    }
                    found += self.series(key, "demand_t", lambda: self.r.choice((0, 20, 60, 120)))
        return found

    def stockpiles(self):
        return [
            {
                "stockpile": f"s{i}", "country": self.r.choice(self.countries), "max_t": 80,
                "material": self.r.choice(("magnet", "metal", "heavy")), "initial_t": self.maybe(0.6, 10, 80),
                "initial_exposed": self.maybe(0.4, "yes", "no"), "holding_usd_per_t": self.maybe(0.5, 20, 200),
                "final_min_t": self.maybe(0.3, 5, 20),
            }
            for i in range(self.r.choice((0, 0, 1, 2)))
        ]  # fmt: skip

    def caps(self, demand):
        found = []
        for i in range(self.r.choice((0, 1, 1, 2, 3))):
            metric = self.r.choice(("exposed_share", "stage_share", "single_country_share", "import_share"))
            row = dict.fromkeys(("stage", "material", "country", "sector", "origin"), "")
            if metric == "exposed_share":
                buyer = self.r.choice(demand)
                row["country"] = self.maybe(0.6, buyer["country"], self.blocs.get(buyer["country"], ""))
                row["sector"] = self.maybe(0.4, buyer["sector"])
            elif self.r.random() < 0.6:
                row["stage"] = self.r.choice(STAGES)
            else:
                row["material"] = self.r.choice(MATERIALS)
            if metric == "import_share":
                row["country"] = self.maybe(0.7, *self.places)
                row["origin"] = self.maybe(0.6, *self.places) if row["country"] else self.r.choice(self.places)
            first = self.maybe(0.3, FIRST - 3, self.r.choice(self.years))
            last = self.maybe(0.3, self.end, self.end + 4)
            limits = {"limit": self.r.choice((0.1, 0.3, 0.5, 0.8, 1)), "limit_end": self.maybe(0.4, 0, 0.2, 0.6)}
            found.append({"cap": f"c{i}", "metric": metric, **row, "first_year": first, "last_year": last, **limits})
        return found

    def scenarios(self, facilities):
        scenarios, disruptions = [], {}
        for i in range(self.r.choice((0, 0, 1, 1, 2))):
            first = self.r.randint(FIRST - 1, self.end)
            years = {"first_year": first, "last_year": self.r.randint(max(first, FIRST), self.end + 1)}
            scenarios.append(
                {"scenario": f"w{i}", "name": f"w{i}", "probability": self.r.choice((0, 0.05, 0.4)), **years}
            )
            disruptions |= self.disruptions(f"w{i}", facilities)
        return scenarios, list(disruptions.values())

    def disruptions(self, scenario, facilities):
        """The rows of a scenario, by their key."""
        found = {}
        for _ in range(self.r.randint(1, 3)):
            kind = self.r.choice(("export_stop", "outage", "project_failure", "demand_surge", "price_surge"))
            row = {"scenario": scenario, "kind": kind, "country": self.maybe(0.6, *self.places)}
            row["stage"] = self.maybe(0.3, *STAGES) if kind != "demand_surge" else ""
            row["material"] = self.maybe(0.3, *MATERIALS) if not row["stage"] else ""
            plants = [f["facility"] for f in facilities]
            row["facility"] = self.maybe(0.25, *plants) if kind in ("outage", "project_failure") else ""
            row["fraction"] = self.r.choice((0.25, 0.5, 1))
            row["reference_t"] = self.r.choice((0, 20, 80)) if kind == "export_stop" else ""
            found[tuple(list(row.values())[:6])] = row
        return found

    def add_trees(self, tables):
        """Let some branches build, and some leave others; add one that leaves the branch of another."""
        for row in tables["scenarios"]:
            row |= {"rebuild_after": self.maybe(0.5, 0, 0, 1, 2), "parent": ""}
        if tables["scenarios"] and self.r.random() < 0.5:
            above = self.r.choice(tables["scenarios"])
            first = max(FIRST, self.r.randint(above["first_year"], max(self.end, above["first_year"])))
            row = dict.fromkeys(above, "")
            row |= {
                "scenario": "t0",
                "name": "t0",
                "first_year": first,
                "last_year": self.r.randint(first, self.end + 1),
            }
            row |= {"probability": above["probability"] * self.r.choice((0, 0.5, 1)), "parent": above["scenario"]}
            tables["scenarios"].append({**row, "rebuild_after": self.maybe(0.5, 0, 1)})
            if self.r.random() < 0.7:
                tables["disruptions"] += self.disruptions("t0", tables["facilities"]).values()

    def add_months(self, tables):
        """Add a scenario of some months, where the years that it would divide are periods of their own."""
        ends = [*self.years[1:], self.end + 1]
        long = [y for y, end in zip(self.years, ends, strict=True) if end - y > 1]
        months = self.r.choice((1, 3, 6, 12, 15))
        begins = [y * 12 + k for y in range(FIRST - 1, self.end + 1) for k in range(12)]
        free = [
            at for at in begins
            if at + months > FIRST * 12 and not any(at // 12 <= y <= (at + months - 1) // 12 + 1 for y in long)
            and not any(y < at // 12 < end for y, end in zip(self.years, ends, strict=True))
        ]  # fmt: skip
        for row in tables["scenarios"]:
            row |= {"first_month": "", "months": ""}
        if free:
            at = self.r.choice(free)
            when = {"first_year": at // 12, "last_year": "", "first_month": at % 12 + 1, "months": months}
            chance = self.r.choice((0, 0.05))
            tables["scenarios"].append({"scenario": "m0", "name": "m0", "probability": chance, **when})
            tables["disruptions"] += self.disruptions("m0", tables["facilities"]).values()

    def add_floors(self, tables):
        """Make some caps floors, limit own shares, and add a scenario in which nothing happens: floors hold in it."""
        for row in tables["caps"]:
            if row["metric"] == "import_share" and self.r.random() < 0.5:
                row["sense"] = "min"
        for i in range(self.r.choice((0, 0, 1, 1, 2))):
            of = {"stage": self.r.choice(STAGES)} if self.r.random() < 0.5 else {"material": self.r.choice(MATERIALS)}
            row = {"cap": f"own{i}", "metric": "own_share", **of, "country": self.r.choice(self.places)}
            row |= {"sense": self.maybe(0.8, "min"), "recycled": self.maybe(0.3, "yes", "no")}
            row |= {"first_year": self.maybe(0.3, self.r.choice(self.years)), "last_year": self.maybe(0.2, self.end)}
            limits = {"limit": self.r.choice((0.05, 0.2, 0.5, 1)), "limit_end": self.maybe(0.4, 0, 0.1, 0.4)}
            tables["caps"].append({**row, **limits})
        if self.r.random() < 0.2:
            years = {"first_year": self.year(), "last_year": self.end}
            tables["scenarios"].append({"scenario": "calm", "name": "calm", "probability": 0.1, **years})

    def add_capacities(self, tables):
        """Let the capacity of some plants change with time."""
        tables["facility_capacity"] = []
        for plant in tables["facilities"]:
            if self.r.random() < 0.25:
                plant["capacity_t"] = ""
                tables["facility_capacity"] += self.series(
                    {"facility": plant["facility"]}, "capacity_t", lambda: self.r.choice((0, 20, 60, 120))
                )

    def add_blends(self, tables):
        """Limit a property of magnets, which plants press of metal and heavy metal, or of more metal alone."""
        tables["contents"], tables["blends"] = [], []
        if self.r.random() < 0.25:  # pressing brings 1.2 + 0.04 c, pressing lean 1.5
            contents = {"metal": 1, "heavy": self.r.choice((2, 20))}
            tables["contents"] = [{"property": "x", "material": m, "content": c} for m, c in contents.items()]
            column, low, high = self.r.choice((("max", 1.2, 2.2), ("min", 1.2, 1.6)))
            key = {"property": "x", "material": "magnet", "facility": ""}
            tables["blends"] = self.series(key, column, lambda: round(self.r.uniform(low, high), 2))

    def add_lots(self, tables):
        """Give some lanes a least lot, or a cost of being used at all."""
        for lane in tables["lanes"] if self.r.random() < 0.3 else ():
            if self.r.random() < 0.5:
                lane["max_t"] = lane["max_t"] or 80
                lane["min_t"] = self.maybe(0.6, 5, 20, lane["max_t"])
                lane["fixed_musd"] = self.maybe(0.6, 0.02, 0.3)
                lane["min_t"] = min(lane["min_t"], lane["max_t"]) if lane["min_t"] else ""

    def add_working_stocks(self, tables):
        """Let firms hold some weeks of use, and limit what is released of strategic stocks."""
        tables["working_stocks"] = [
            {
                "material": m, "country": c, "weeks": self.r.choice((2, 8, 30)),
                "replace_usd_per_t": self.maybe(0.7, 0, PRICE[m] / 2),
            }
            for m in MATERIALS for c in self.countries if self.r.random() < 0.5
        ]  # fmt: skip
        for row in tables["stockpiles"]:
            row |= {"release_after_months": self.maybe(0.4, 1, 3), "release_max_t": self.maybe(0.4, 1, 5)}

    def add_transit(self, tables):
        """Let goods be under way for some weeks on some lanes."""
        weeks = self.r.choice(((0,), (0, 6), (2, 6.5, 13, 40), (26, 51)))
        for row in tables["lanes"]:
            row["transit_weeks"] = self.r.choice(weeks)

    def add_largest(self, tables):
        """Limit what the two or three largest suppliers have together."""
        if self.r.random() < 0.2:
            of = {"stage": self.r.choice(STAGES)} if self.r.random() < 0.5 else {"material": self.r.choice(MATERIALS)}
            row = {"cap": "few", "metric": "largest_share", **of, "largest": self.r.choice((1, 2, 2, 3))}
            tables["caps"].append({**row, "limit": self.r.choice((0.6, 0.8, 0.95)), "limit_end": self.maybe(0.3, 0.7)})

    def add_sizes(self, tables):
        """Give some divisible options smaller sizes, with economies of scale."""
        tables["option_sizes"] = []
        for o in tables["options"]:
            if o["integer"] == "no" and self.r.random() < 0.7:
                for part in sorted(self.r.sample((0.2, 0.5, 0.8), self.r.choice((1, 1, 2)))):
                    size = {"size": f"p{part}", "capacity_t": part * o["module_t"]}
                    capex = {"capex_musd": round(o["capex_musd"] * part**0.6, 3)}
                    tables["option_sizes"].append({"option": o["option"], **size, **capex})

    def add_buyers(self, tables):
        """Add buyers, some of them at a price below 0; what they take is limited, so that no sale pays without end."""
        tables["buyers"], tables["buyer_prices"] = [], []
        for i in range(self.r.choice((0, 0, 1, 2))):
            material = self.r.choice(MATERIALS)
            place = self.r.choice(self.countries)
            row = {"buyer": f"y{i}", "country": place, "material": material, "clean_only": self.maybe(0.4, "yes", "no")}
            tables["buyers"].append(row)
            prices = self.series(
                {"buyer": f"y{i}"}, "price_usd_per_t", lambda m=material: self.r.choice((-300, self.usd(2 * PRICE[m])))
            )
            for price in prices:
                least = self.maybe(0.2, 0.5)
                tables["buyer_prices"].append({**price, "min_t": least, "max_t": self.r.choice((1, 20, 60))})

    def add_groups(self, tables):
        """Put options into groups, and limit these."""
        options = [o["option"] for o in tables["options"]]
        tables["groups"], limits = [], {}
        for i in range(self.r.choice((0, 1, 1, 2)) if options else 0):
            group, members = f"team{i}", self.r.sample(options, self.r.randint(1, len(options)))
            tables["groups"] += [{"group": group, "option": o} for o in sorted(members)]
            for _ in range(self.r.choice((1, 1, 2))):
                measure = self.r.choice(("options", "modules", "capacity_t", "capex_musd"))
                least, most = {
                    "options": (1, 1), "modules": (1, 2), "capacity_t": (15, 50), "capex_musd": (0.2, 2.5)
                }[measure]  # fmt: skip
                row = {"group": group, "measure": measure, "first_year": self.maybe(0.3, self.year())}
                row |= {"last_year": "" if row["first_year"] else self.maybe(0.3, self.year())}
                limits[tuple(row.values())] = {**row, "min": self.maybe(0.3, least), "max": self.maybe(0.7, most)}
        tables["group_limits"] = list(limits.values())
