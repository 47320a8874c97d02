"""The rare-earth case of BLEECAM as an instance, from a reader's own copy of its data.

BLEECAM (github.com/NatLabRockies/bleecam, AGPL) is an open planner of the same chain. Its data are not part of this
project: this program reads the folder `src/bleecam/cases/rare_earth` of a clone, or the same folder of the package,
and writes an instance in plain words:

    python tests/published/bleecam_case.py FOLDER_OF_THE_CASE INSTANCE [--decline | --warming]

What BLEECAM says by rules in its code stands here as tables. Two of its rules deserve a word:

- What a digestion makes leaves it for electrolysis or for reduction with neodymium and dysprosium in the proportion
  in which they are made, and the one that the next step cannot use is lost, at a penalty. So the oxides of a plant
  are one material for each of the two steps, and the penalty is a cost of the step.
- Magnets that retire in a year are recycled in the next one. Demand is met in full, so what retires is known: it is
  the capacity of a source a year later.

Iron has no cost there, but only mines of the same country give it: alloy is made where there is a mine. Its nameless
unit of money is a thousand dollars (USD/kg times tonnes).
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pandas as pd

YEARS = range(2025, 2030)  # its periods 0 to 4
WHERE = {
    "CN": "China", "JP": "Japan", "AU": "Australia", "US": "United States", "MM": "Myanmar", "MY": "Malaysia",
    "EE": "Estonia", "CA": "Canada", "BR": "Brazil",
}  # fmt: skip
ND, DY = "neodynium", "dysprosium"  # its spelling is kept where its files are read
OXIDES = (f"{ND}_oxide", f"{DY}_oxide")
ALLOY = "neodynium dysprosium iron alloy"
# rare_earth.case.yaml: penalty per kg of oxide lost (cost, warming), of magnets short, and of magnets held
LOST, SHORT, HELD, ROOM_T = {"cost": 80.0, "warming": 15.0}, 1000.0, 0.1, 4000.0
USED_BY = {"molten_salt electrolysis": ND, "metallothermic reduction": DY}
DECLINE = {0: 1.0, 1: 0.8, 2: 0.5, 3: 0.2, 4: 0.05}  # of China's dysprosium in its scenario of decline

Series = Callable[[int], float]


class Case:
    """What the files of the case say, by period (0 to 4), in tonnes and USD per kg."""

    def __init__(self, folder: Path, decline: bool = False):
        read = {name: pd.read_csv(folder / "data" / f"{name}.csv") for name in FILES}
        self.yields = keyed(read["Yield_Factor"], ("process", "location", "material"), "yield")
        # a later row of the same plant and material replaces an earlier one, as its reader does
        costs = read["Cost_Parameters"].assign(cost=lambda f: f["processing cost"] + f["transportation cost"])
        self.costs = keyed(costs, ("source", "location", "material"), "cost")
        warming = read["EF_template"]
        factors = pd.to_numeric(warming.iloc[:, 4], errors="coerce")
        self.warming = keyed(
            warming.assign(factor=factors).dropna(subset="factor"), ("source", "location", "material"), "factor"
        )
        self.capacity = keyed(read["Capacity_Template"], ("process", "location", "material"), "capacity", 1e-3)
        self.freight = keyed(read["Shipping_Costs"], ("loc_from", "loc_to"), "shipping_cost_usd_per_kg")
        duty = read["Cost_Parameters"].query("tariff_cost != 0").dropna(subset=["destination"])
        arc = ("source", "location", "destination", "destination_location", "material")
        self.duty = keyed(duty, arc, "tariff_cost")
        topology = read["trade_topology"][["process_from", "loc_from", "process_to", "loc_to", "material"]]
        self.arcs = set(topology.itertuples(index=False, name=None))
        self.recovered = keyed(read["Recovery_Rates"], ("destination",), "recovery_rate")
        demand = read["Demand_Input_Template"].set_index("time_period")
        magnets = demand["hp_magnet_demand"] * demand["Deployment Curve MW"] + demand["Data center magnet kg"]
        self.demand = (magnets / 1000).to_dict()
        self.parts = {t: (row["mass ratio Nd"], row["mass ratio Dy"]) for t, row in demand.iterrows()}
        self.retired = self._retired(folder)
        if decline:
            self._decline()

    def _retired(self, folder: Path) -> dict[int, float]:
        """Tonnes of magnets that retire: 2 % of those in use a year, and of older ones by a Weibull distribution."""
        shape, mean, now = 1.5, 31.1, 2025
        scale = mean / math.gamma(1 + 1 / shape)

        def gone(age: float) -> float:
            return 1 - math.exp(-((age / scale) ** shape))

        before = pd.read_excel(folder / "data" / "historic_installs.xlsx", engine="openpyxl")[
            ["year", "original"]
        ].dropna()
        retired, in_use = {}, 0.0
        for t in range(len(YEARS)):
            ages = now + t - before["year"].astype(int)
            of_old = sum(n * (gone(a + 1) - gone(a)) for n, a in zip(before["original"], ages, strict=True) if a >= 0)
            retired[t] = 0.02 * in_use + of_old / 1000
            in_use = 0.98 * in_use + self.demand[t]
        return retired

    def _decline(self) -> None:
        """Its eight changes: China's dysprosium declines, recycling and allied reduction grow, Canada is left out."""
        for process in (
            "metallothermic reduction",
            "sulfuric acid digestion",
            "clay refining",
            "hydrochloric acid digestion",
        ):
            key = (process, "CN", DY if process == "metallothermic reduction" else OXIDES[1])
            self.capacity[key] = {t: self.capacity[key][0] * part for t, part in DECLINE.items()}
        for process in ("hydrometallurgical", "pyrometallurgical", "cryogenic"):
            self.capacity[process, "US", ALLOY] = {t: 250.0 * t for t in range(len(YEARS))}
        for process in ("direct reuse", "magnet-to-magnet recycling"):
            self.capacity[process, "US", "hp_magnet"] = {t: 125.0 * t for t in range(len(YEARS))}
        for country, growth in (("EE", (1, 2, 4, 6, 8)), ("JP", (1, 1.5, 2.5, 3.5, 4.5))):
            key = ("metallothermic reduction", country, DY)
            self.capacity[key] = {t: self.capacity[key][0] * times for t, times in enumerate(growth)}
        for key in [k for k in self.capacity if k[1] == "CA"]:
            self.capacity[key] = dict.fromkeys(range(len(YEARS)), 0.0)

    def room(self, *key: str) -> dict[int, float]:
        return self.capacity.get(key, {})

    def figure(self, what: str, key: tuple[str, ...], t: int) -> float:
        return getattr(self, what).get(key, {}).get(t, 0.0)


FILES = (
    "Yield_Factor", "Cost_Parameters", "EF_template", "Capacity_Template", "Shipping_Costs", "trade_topology",
    "Recovery_Rates", "Demand_Input_Template",
)  # fmt: skip


def keyed(frame: pd.DataFrame, key: tuple[str, ...], value: str, unit: float = 1.0) -> dict[tuple, dict[int, float]]:
    """The figures of a file by key and period."""
    found: dict[tuple, dict[int, float]] = defaultdict(dict)
    for *name, t, number in frame[[*key, "time_period", value]].itertuples(index=False, name=None):
        found[tuple(name)][int(t)] = float(number) * unit
    return dict(found)


class Tables:
    """The tables of the instance as they grow."""

    def __init__(self, counted: str):
        self.rows: dict[str, list[dict]] = defaultdict(list)
        self.counted = counted
        self.made: set[str] = set()

    def material(self, name: str, stage: str, strategic: bool = True) -> None:
        if name not in self.made:
            self.made.add(name)
            flag = "yes" if strategic else "no"
            self.rows["materials"].append({"material": name, "name": name, "stage": stage, "strategic": flag})

    def plant(self, name: str, country: str, capacity: dict[int, float]) -> None:
        self.rows["facilities"].append(
            {"facility": name, "name": name, "country": country, "status": "operating", "capacity_t": ""}
        )
        for t, year in enumerate(YEARS):
            self.rows["facility_capacity"].append({"facility": name, "year": year, "capacity_t": capacity.get(t, 0.0)})

    def runs(
        self,
        plant: str,
        process: str,
        output: str,
        inputs: dict[str, Series],
        cost: Series,
        warming: float,
        **more: str,
    ) -> None:
        """A process of a plant: tonnes of each input for a tonne of the output, and USD per kg, by period."""
        self.rows["processes"].append({"process": process, "name": process, **more})
        self.rows["recipes"].append({"process": process, "material": output, "role": "output", "t_per_t": 1})
        for material, rate in inputs.items():
            self.rows["recipes"].append({"process": process, "material": material, "role": "input", "t_per_t": rate(0)})
            self.rows["recipe_yields"].extend(
                {"process": process, "material": material, "role": "input", "year": year, "t_per_t": rate(t)}
                for t, year in enumerate(YEARS)
            )
        self.rows["operations"].append({"facility": plant, "process": process, "opex_usd_per_t": ""})
        self.rows["operation_costs"].extend(
            {"facility": plant, "process": process, "year": year, "opex_usd_per_t": 1000 * cost(t)}
            for t, year in enumerate(YEARS)
        )
        if warming:
            self.rows["impact_factors"].append({**ANY, "kind": "operation", "process": process, "per_t": warming})


ANY = dict.fromkeys(("facility", "process", "material", "origin", "destination", "market", "option"), "") | {
    "impact": "warming"
}

TOML = """\
schema = 1
name = "bleecam-rare-earth"
title = "The rare-earth case of BLEECAM"
stages = ["mining", "concentrate", "oxides", "metal", "alloy", "magnets", "retired"]
[time]
years = {years}
last_period_years = 1
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0.0
wacc = 0.0
[security]
countries_of_concern = ["CN"]
"""


def instance(folder: Path, decline: bool = False, counted: str = "cost") -> tuple[str, dict[str, list[dict]]]:
    """The settings and tables; counted is what is least: ``cost``, or ``warming`` (a dollar for each unit of it)."""
    case, tables = Case(folder, decline), Tables(counted)

    def spent(*key: str) -> Series:
        return lambda t: case.figure("costs", key, t) if counted == "cost" else 0.0

    def warms(*key: str) -> float:
        return case.figure("warming", key, 0)

    def rate(*key: str) -> Series:
        return lambda t: 1 / case.yields[key][t]

    def lane(material: str, process: str, origin: str, to: str, of: dict[str, Series]) -> None:
        """The ways of a material that is made of these parts, to each country where the arcs of all parts lead."""
        for there in WHERE:
            if there == origin or any((process, origin, to, there, part) not in case.arcs for part in of):
                continue
            for t, year in enumerate(YEARS):
                duty = sum(case.figure("duty", (process, origin, to, there, p), t) * part(t) for p, part in of.items())
                cost = case.figure("freight", (origin, there), t) + duty if counted == "cost" else 0.0
                tables.rows["lanes"].append({
                    "material": material, "origin": origin, "destination": there, "cost_usd_per_t": 1000 * cost,
                    "first_year": year, "last_year": year,
                })  # fmt: skip

    tables.rows["countries"] = [{"country": short, "name": name} for short, name in WHERE.items()]

    # mines, and the concentrates of their own country
    routes: dict[str, tuple[str, str, str, str]] = {  # digestion: its feed, the step before, its ore, the mine
        "hydrochloric acid digestion": ("flurocarbonate", "beneficiation", "bastnasite", "mining"),
        "sulfuric acid digestion": ("phosphate", "beneficiation", "monazaite", "mining"),
        "clay refining": ("ion adsorption clay", "", "ion adsorption clay", "clay mining"),
    }
    bundles: list[tuple[str, str, str, dict[str, Series]]] = []  # material, country, the step it is for, its parts
    for digestion, (feed, before, ore, mine) in routes.items():
        for country in WHERE:
            rooms = [case.room(digestion, country, oxide) for oxide in OXIDES]
            mined, fed = case.room(mine, country, ore), case.room(before, country, feed) if before else {0: 1.0}
            if not all(any(room.values()) for room in (*rooms, mined, fed)):
                continue
            tables.material(ore, "mining", strategic=False)
            tables.plant(f"{mine} {ore} {country}", country, mined)
            key = (mine, country, ore)
            tables.runs(f"{mine} {ore} {country}", f"{mine} {ore} {country}", ore, {}, spent(*key), warms(*key))
            if before:
                tables.material(feed, "concentrate", strategic=False)
                tables.plant(f"{before} {feed} {country}", country, fed)
                key = (before, country, feed)
                name = f"{before} {feed} {country}"
                tables.runs(name, name, feed, {ore: rate(*key)}, spent(*key), warms(*key))
            made = [case.yields[digestion, country, oxide] for oxide in OXIDES]
            parts: dict[str, Series] = {
                oxide: (lambda t, made=made, i=i: made[i][t] / (made[0][t] + made[1][t]))
                for i, oxide in enumerate(OXIDES)
            }
            plant = f"{digestion} {country}"
            tables.plant(
                plant, country,
                {
                    t: min(room[t] / parts[oxide](t) for room, oxide in zip(rooms, OXIDES, strict=True))
                    for t in range(len(YEARS))
                },
            )  # fmt: skip
            for step, metal in USED_BY.items():
                material = f"oxides of {plant} for {metal}"
                tables.material(material, "oxides")
                tables.runs(
                    plant, f"{plant} for {metal}", material, {feed: lambda t, made=made: 1 / (made[0][t] + made[1][t])},
                    lambda t, parts=parts, key=(digestion, country): sum(
                        part(t) * spent(*key, o)(t) for o, part in parts.items()
                    ),
                    sum(part(0) * warms(digestion, country, o) for o, part in parts.items()),
                )  # fmt: skip
                lane(material, digestion, country, step, parts)
                bundles.append((material, country, step, parts))

    # metals: a step takes the oxides of each plant that reach it, and loses the other one
    for step, metal in USED_BY.items():
        tables.material(metal, "metal")
        for country in WHERE:
            if not any(case.room(step, country, metal).values()):
                continue
            plant, key = f"{step} {country}", (step, country, metal)
            tables.plant(plant, country, case.room(*key))
            for material, _, to, parts in bundles:
                if to != step:
                    continue
                own = parts[f"{metal}_oxide"]
                need: Series = lambda t, own=own, key=key: 1 / (case.yields[key][t] * own(t))  # noqa: E731
                loss: Series = lambda t, own=own, need=need: LOST[counted] * need(t) * (1 - own(t))  # noqa: E731
                unit = 1.0 if counted == "cost" else 1e-3  # the penalty of warming is in units, not in USD per kg
                tables.runs(
                    plant, f"{plant} from {material}", metal, {material: need},
                    lambda t, key=key, loss=loss, unit=unit: spent(*key)(t) + loss(t) * unit, warms(*key),
                )  # fmt: skip
            lane(metal, step, country, "chemical transformation", {metal: lambda t: 1.0})

    # alloy: twice as much iron as of both metals, which are in the proportion of the magnets of the year
    tables.material(ALLOY, "alloy")
    tables.material("magnet", "magnets")
    mining = {country for process, country, _ in case.capacity if process == "mining"}
    for country in WHERE:
        key = ("chemical transformation", country, ALLOY)
        if country in mining and any(case.room(*key).values()):
            name = f"{key[0]} {country}"
            tables.plant(name, country, case.room(*key))
            shares = {
                m: (lambda t, i=i, key=key: case.parts[t][i] / sum(case.parts[t]) / 3 / case.yields[key][t])
                for i, m in enumerate((ND, DY))
            }
            tables.runs(name, name, ALLOY, shares, spent(*key), warms(*key))
            lane(ALLOY, key[0], country, "magnet manufacturing", {ALLOY: lambda t: 1.0})
        key = ("magnet manufacturing", country, "hp_magnet")
        if any(case.room(*key).values()):
            name = f"{key[0]} {country}"
            tables.plant(name, country, case.room(*key))
            tables.runs(name, name, "magnet", {ALLOY: rate(*key)}, spent(*key), warms(*key))
            lane("magnet", key[0], country, "magnet_market_mix", {"hp_magnet": lambda t: 1.0})
    buys = "US"
    key = ("magnet manufacturing", buys, "hp_magnet")
    tables.material("recycled alloy", "alloy", strategic=False)
    tables.runs(
        f"{key[0]} {buys}", f"{key[0]} {buys} from recycled alloy", "magnet", {"recycled alloy": lambda t: 1.0},
        spent(*key), warms(*key),
    )  # fmt: skip

    # magnets that retired the year before
    tables.material("retired magnet", "retired", strategic=False)
    tables.plant("retired magnets", buys, {t: case.retired.get(t - 1, 0.0) for t in range(len(YEARS))})
    key = ("use phase", buys, "hp_magnet")
    tables.runs("retired magnets", "take out of use", "retired magnet", {}, spent(*key), warms(*key))
    for route, output, made_of in (
        ("direct reuse", "magnet", "hp_magnet"), ("magnet-to-magnet recycling", "magnet", "hp_magnet"),
        ("hydrometallurgical", "recycled alloy", ALLOY), ("pyrometallurgical", "recycled alloy", ALLOY),
        ("cryogenic", "recycled alloy", ALLOY),
    ):  # fmt: skip
        key = (route, buys, made_of)
        if any(case.room(*key).values()):
            tables.plant(route, buys, {t: case.room(*key)[t] if t else 0.0 for t in range(len(YEARS))})
            part: Series = lambda t, route=route: 1 / case.recovered[route,][max(t - 1, 0)]  # noqa: E731
            tables.runs(
                route, route, output, {"retired magnet": part}, spent(*key), warms(*key), restores_provenance="yes"
            )

    # the buyer, and its store, which is empty at the end of the first year
    key = ("magnet_market_mix", buys, "hp_magnet")
    tables.material("magnet sold", "magnets", strategic=False)
    tables.plant("market", buys, dict.fromkeys(range(len(YEARS)), 2 * max(case.demand.values())))
    tables.runs("market", "sell", "magnet sold", {"magnet": lambda t: 1.0}, spent(*key), warms(*key))
    tables.rows["stockpiles"].append(
        {"stockpile": "magnets", "country": buys, "material": "magnet", "max_t": 0,
         "holding_usd_per_t": 1000 * HELD if counted == "cost" else 0.0}
    )  # fmt: skip
    tables.rows["options"].append(
        {"option": "room for magnets", "facility": "market", "stockpile": "magnets", "name": "room for magnets",
         "module_t": ROOM_T, "integer": "no", "capex_musd": 0, "life_years": len(YEARS), "first_start": YEARS[1]}
    )  # fmt: skip
    short = SHORT * (1000 if counted == "cost" else 1)
    tables.rows["sectors"].append({"sector": "buyers", "name": "buyers", "shortage_usd_per_t": short})
    tables.rows["demand"] = [
        {"country": buys, "sector": "buyers", "material": "magnet sold", "year": year, "demand_t": case.demand[t]}
        for t, year in enumerate(YEARS)
    ]
    price = 0 if counted == "cost" else 1
    tables.rows["impacts"].append(
        {"impact": "warming", "name": "warming", "unit": "t CO2e", "price_usd_per_unit": price}
    )
    return TOML.format(years=list(YEARS)), dict(tables.rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path, help="the folder src/bleecam/cases/rare_earth of a copy of BLEECAM")
    parser.add_argument("instance", type=Path, help="the folder to write")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--decline", action="store_true", help="its scenario of a declining China")
    kind.add_argument("--warming", action="store_true", help="least warming in the place of least cost")
    options = parser.parse_args()
    settings, tables = instance(options.case, options.decline, "warming" if options.warming else "cost")
    options.instance.mkdir(parents=True)
    (options.instance / "instance.toml").write_text(settings, encoding="utf-8")
    for name, rows in tables.items():
        pd.DataFrame(rows).to_csv(options.instance / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
