"""The contract once more, for tests: an instance's files to a full model, with nothing of the planner in it.

Every decision of the contract exists here, for every material, country, provenance, period and branch; what could be
left out is not. Tonnes are t, money is MUSD of present value. Slow, and only for small instances.
"""

from __future__ import annotations

import csv
import itertools
import tomllib
from collections import defaultdict
from pathlib import Path

import highspy
import numpy as np
from reference_operations import CLEAN, EXPOSED, INF, Period

KEYS = {
    "countries": 1, "materials": 1, "processes": 1, "recipes": 3, "recipe_yields": 4, "facilities": 1, "operations": 2,
    "facility_capacity": 2,
    "operation_costs": 3, "options": 1, "lanes": 3, "tariffs": 3, "sectors": 1, "demand": 4, "markets": 1,
    "market_prices": 2, "stockpiles": 1, "caps": 1, "funds": 1, "fund_options": 2, "scenarios": 1, "disruptions": 6,
    "groups": 2, "group_limits": 2,
    "substitutes": 1, "substitute_shares": 2, "returns": 1,
    "buyers": 1, "buyer_prices": 2, "option_sizes": 2,
    "contents": 2, "blends": 4,
    "impacts": 1, "impact_factors": 9,
}  # fmt: skip
WINDOWED = ("lanes", "tariffs", "group_limits")  # their years are part of the key


class Row(dict):
    """A row as written: ``text``, ``number``, ``year`` and ``flag`` give a cell, or what blank means."""

    def text(self, column, blank=""):
        return self.get(column) or blank

    def number(self, column, blank=0.0):
        return float(self[column]) if self.get(column) else blank

    def year(self, column, blank=None):
        return int(self[column]) if self.get(column) else blank

    def flag(self, column, blank=False):
        return self[column] == "yes" if self.get(column) else blank


def read(folder):
    """Settings and active rows, the base's first; a later row replaces one of the same key."""
    settings, tables = _layers(Path(folder))
    return settings, {name: [r for r in rows.values() if r.flag("active", True)] for name, rows in tables.items()}


def _layers(folder):
    own = tomllib.loads((folder / "instance.toml").read_text("utf-8-sig"))
    settings, tables = _layers(folder / own.pop("base")) if "base" in own else ({}, {name: {} for name in KEYS})
    for name, value in own.items():
        settings[name] = {**settings.get(name, {}), **value} if isinstance(value, dict) else value
    for name, parts in KEYS.items():
        if (folder / f"{name}.csv").exists():
            with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
                for row in map(Row, csv.DictReader(file)):
                    key = _columns(name, parts)
                    tables[name][tuple(row.text(c) for c in key)] = row
    return settings, tables


def _columns(name, parts):
    keys = {
        "recipes": "process material role", "recipe_yields": "process material role year", "demand":
        "country sector material year", "operations": "facility process", "operation_costs": "facility process year",
        "lanes": "material origin destination", "tariffs": "material origin destination", "market_prices":
        "market year", "fund_options": "fund option", "disruptions": "scenario kind country stage material facility",
        "countries": "country", "processes": "process", "facilities": "facility", "facility_capacity": "facility year",
        "groups": "group option", "group_limits": "group measure",
        "substitute_shares": "substitute year", "buyer_prices": "buyer year", "option_sizes": "option size",
        "contents": "property material", "blends": "property material facility year",
        "impact_factors": "impact kind facility process material origin destination market option",
    }  # fmt: skip
    columns = keys.get(name, name.removesuffix("s")).split()
    assert len(columns) == parts
    return [*columns, "first_year", "last_year"] if name in WINDOWED else columns


def series(rows, column):
    """A function of the year: linear between the years of the rows, held outside; None if the cells are blank."""
    points = sorted((r.year("year", 0), r.number(column, None)) for r in rows)
    if points[0][1] is None:
        return lambda year: None
    return lambda year: float(np.interp(year, *zip(*points, strict=True)))


def ramp(year, online, gone, ramp_years):
    """Share of nameplate in a calendar year."""
    return min(1.0, (year - online + 1) / max(1, ramp_years)) if online <= year < gone else 0.0


class Reference:
    """The model of the instance in ``folder``: ``columns`` and ``rows`` by name, ``cost`` parts by component."""

    def __init__(self, folder):
        settings, self.tables = read(folder)
        self.years = settings["time"]["years"]
        self.end = self.years[-1] + settings["time"]["last_period_years"] - 1
        self.lengths = [b - a for a, b in zip(self.years, [*self.years[1:], self.end + 1], strict=True)]
        self.rate, self.wacc = settings["finance"]["discount_rate"], settings["finance"]["wacc"]
        self.concern = set(settings["security"]["countries_of_concern"])
        self.calendar = [range(y, y + w) for y, w in zip(self.years, self.lengths, strict=True)]
        self.present = [sum(map(self.discount, years)) for years in self.calendar]
        self.columns, self.bounds, self.whole = {}, [], []
        self.rows = {}  # name -> ({column: coefficient}, lower, upper)
        self.costs = defaultdict(float)  # (column, or None for what is fixed; component; period) -> MUSD
        self._facts()
        self._investment()
        self._funding()
        self.periods = {}  # branch, time -> its operations; a time is a period, or a period and a month of it
        left = [sum(s["p"] * self.there(s, t) for s in self.branches.values()) for t in self.T]
        self._operations(None, [(t, 1.0 - left[t]) for t in self.T])
        for branch, s in self.branches.items():
            self._operations(branch, [(time, s["p"]) for time in s["times"]])

    def discount(self, year):
        return (1.0 + self.rate) ** -(year - self.years[0])

    def there(self, branch, t):
        """Share of a period in which a branch goes its own way."""
        return 0.0 if t < branch["begin"] else 1.0 - branch["gone"] if t == branch["begin"] else 1.0

    def column(self, *name, upper=INF, whole=False):
        self.columns[name] = len(self.bounds)
        self.bounds.append((0.0, upper))
        self.whole.append(whole)
        return self.columns[name]

    def row(self, name, terms, lower=-INF, upper=INF):
        total = defaultdict(float)
        for column, coefficient in terms:
            total[column] += coefficient
        assert name not in self.rows, name
        self.rows[name] = dict(total), lower, upper

    # --- facts --------------------------------------------------------------------------------------------

    def _facts(self):
        tables = self.tables
        self.T = range(len(self.years))
        self.countries = [r["country"] for r in tables["countries"]]
        self.materials = {r["material"]: r for r in tables["materials"]}
        self.facilities = {r["facility"]: r for r in tables["facilities"]}
        self.options = {r["option"]: r for r in tables["options"]}
        self.sectors = {r["sector"]: r for r in tables["sectors"]}
        self.restores = {r["process"]: r.flag("restores_provenance") for r in tables["processes"]}
        grouped = defaultdict(list)
        series_tables = ("recipe_yields", "facility_capacity", "operation_costs", "demand", "market_prices")
        for table in (*series_tables, "substitute_shares", "buyer_prices", "blends"):
            for r in tables[table]:
                grouped[table, *(r.text(c) for c in _columns(table, KEYS[table])[:-1])].append(r)
        self.recipe = defaultdict(list)  # process, role -> material, t per t by year
        for r in tables["recipes"]:
            rows = grouped.get(("recipe_yields", r["process"], r["material"], r["role"]), [r])
            self.recipe[r["process"], r["role"]].append((r["material"], series(rows, "t_per_t")))
        self.operations = []
        for r in tables["operations"]:
            rows = grouped.get(("operation_costs", r["facility"], r["process"]))
            opex = series(rows, "opex_usd_per_t") if rows else lambda year, r=r: r.number("opex_usd_per_t")
            self.operations.append((r["facility"], r["process"], opex, r.number("capacity_per_t", 1.0)))
        own = {k[1]: rows for k, rows in grouped.items() if k[0] == "facility_capacity"}
        self.capacities = {f: series(rows, "capacity_t") for f, rows in own.items()}
        self.needs = {k[1:]: series(rows, "demand_t") for k, rows in grouped.items() if k[0] == "demand"}
        self.shares = {k[1]: series(rows, "max_share") for k, rows in grouped.items() if k[0] == "substitute_shares"}
        self.markets = {}
        for r in tables["markets"]:
            rows = grouped["market_prices", r["market"]]
            exposed = r.flag("exposed", r["country"] in self.concern)
            sold = r["material"], r["country"], EXPOSED if exposed else CLEAN
            self.markets[r["market"]] = *sold, series(rows, "price_usd_per_t"), series(rows, "max_t")
        paid = {k[1]: rows for k, rows in grouped.items() if k[0] == "buyer_prices"}
        figures = ("price_usd_per_t", "min_t", "max_t")
        none = {b: [Row({**r, "min_t": r.text("min_t", "0")}) for r in rows] for b, rows in paid.items()}
        self.paid = {b: [series(rows, figure) for figure in figures] for b, rows in none.items()}
        self.contents = {(r["property"], r["material"]): r.number("content") for r in tables["contents"]}
        mixed = {k[1:]: rows for k, rows in grouped.items() if k[0] == "blends"}
        self.blends = {k: [series(rows, side) for side in ("min", "max")] for k, rows in mixed.items()}
        self.branches = {}
        for r in tables["scenarios"]:
            first, months = r.year("first_year"), r.year("months", 0)
            hit = [(first, k) for k in range(r.year("first_month", 1), 13)]  # year, month
            while len(hit) < months:
                hit += [(hit[-1][0] + 1, k) for k in range(1, 13)]
            hit = set(hit[:months] or ((y, k) for y in range(first, r.year("last_year") + 1) for k in range(1, 13)))
            share = [
                sum((y, k) in hit for y in years for k in range(1, 13)) / len(years) / 12 for years in self.calendar
            ]
            rows = [d for d in tables["disruptions"] if d["scenario"] == r["scenario"]]
            begin = next(t for t in self.T if share[t])
            since, times = 1, [*self.T[begin:]]
            if months:
                since = min(k for y, k in hit if y == self.years[begin])
                split = {t for t in self.T if share[t]} | {t for t in self.T[1:] if share[t - 1]}
                times = [
                    time
                    for t in times
                    for time in (((t, k) for k in range(since if t == begin else 1, 13)) if t in split else (t,))
                ]
            self.branches[r["scenario"]] = {
                "p": r.number("probability"), "share": share, "begin": begin, "gone": (since - 1) / 12, "times": times,
                "hit": hit, "first": first, "rows": rows, "failure": any(d["kind"] == "project_failure" for d in rows),
            }  # fmt: skip

    def members(self, name):
        return {r["country"] for r in self.tables["countries"] if name in ("", r["country"], r.text("bloc"))}

    def lane(self, table, material, origin, destination, year):
        """The row that governs a movement: exact material beats exact origin beats exact destination."""
        found = [
            r
            for r in self.tables[table]
            if r["material"] in ("*", material) and r["origin"] in ("*", origin)
            and r["destination"] in ("*", destination) and r.year("first_year", 0) <= year <= r.year("last_year", 9999)
        ]  # fmt: skip
        return max(found, key=lambda r: [r[c] != "*" for c in ("material", "origin", "destination")], default=None)

    def makes(self, facility, row):
        """Whether a facility can make a material that a disruption means."""
        made = [m for f, p, *_ in self.operations if f == facility for m, _ in self.recipe[p, "output"]]
        here = self.facilities[facility]["country"] in self.members(row.text("country"))
        return here and row.text("facility") in ("", facility) and any(self.means(row, m) for m in made)

    def means(self, row, material):
        right_stage = row.text("stage") in ("", self.materials[material].text("stage"))
        return right_stage and row.text("material") in ("", material)

    # --- investment ---------------------------------------------------------------------------------------

    def _investment(self):
        self.online, self.building, self.capital = {}, defaultdict(list), {}
        self.segments = defaultdict(list)  # option, period of the start -> column, columns of the ends, the ends
        self.impact_usd = {r["impact"]: r.number("price_usd_per_unit") for r in self.tables["impacts"]}
        for o, r in self.options.items():
            most, lead = r.number("max_modules", 1.0), r.year("lead_years", 0)
            wacc, life = r.number("wacc", self.wacc), r.year("life_years")
            annuity = r.number("capex_musd") * (wacc / (1.0 - (1.0 + wacc) ** -life) if wacc else 1.0 / life)
            for t, y in enumerate(self.years):
                early = y < r.year("first_start", 0) or y > r.year("last_start", 9999)
                if early or y + lead > self.end:
                    continue
                self.online[o, t] = y + lead
                pace = r.number("max_per_year", INF) * self.lengths[t]
                k = self.column("build", o, t, upper=min(most, pace), whole=r.flag("integer", True))
                size = r.number("module_t") / self.lengths[t]
                units = {i: per_t * size for i, per_t in self.causes("build", option=o).items()}
                self.building[t].append((k, units))
                usd = sum(self.impact_usd[i] * n for i, n in units.items())
                self.costs[k, "impact", t] += usd * 1e-6 * self.present[t]
                capital = self._sized(o, t, k)
                each = annuity / r.number("capex_musd") if r.number("capex_musd") else 0.0
                for u in self.T:
                    paid = [y2 for y2 in self.calendar[u] if y + lead <= y2 < y + lead + life]
                    for column, musd in capital:
                        self.costs[column, "capex", u] += each * musd * sum(map(self.discount, paid))
            self.row(("modules", o), self.builds(o), r.number("min_modules"), most)
        groups = defaultdict(list)
        for o, r in self.options.items():
            if r.text("exclusive_group"):
                chosen = self.column("chosen", o, upper=1.0, whole=True)
                groups[r["exclusive_group"]].append((chosen, 1.0))
                self.row(("group", o), [*self.builds(o), (chosen, -r.number("max_modules", 1.0))], upper=0.0)
            if r.text("requires"):
                for t in self.T:
                    before = [(k, -r.number("max_modules", 1.0)) for k, _ in self.builds(r["requires"], t)]
                    now = [(self.columns["build", o, t], 1.0)] if (o, t) in self.online else []
                    self.row(("requires", o, t), now + before, upper=0.0)
        self._groups()
        for group, chosen in groups.items():
            self.row(("one of", group), chosen, upper=1.0)

    def _sized(self, o, t, build):
        """Terms of the overnight cost of a start, MUSD: by its modules, or by weights of the ends of one of its sizes.

        Between which two sizes it lies is a choice of one segment; its size and cost are weighted means of both ends.
        """
        r = self.options[o]
        smaller = [
            (x.number("capacity_t"), x.number("capex_musd")) for x in self.tables["option_sizes"] if x["option"] == o
        ]
        if not smaller:
            self.capital[o, t] = [(build, r.number("capex_musd"))]
            return self.capital[o, t]
        points = [*sorted(smaller), (r.number("module_t"), r.number("capex_musd"))]
        size, cost, chosen = [(build, -r.number("module_t"))], [], []
        for j, ends in enumerate(itertools.pairwise(points)):
            one = self.column("segment", o, t, j, upper=1.0, whole=True)
            weights = [self.column("weight", o, t, j, end, upper=1.0) for end in (0, 1)]
            self.row(("segment", o, t, j), [*((k, 1.0) for k in weights), (one, -1.0)], 0.0, 0.0)
            size += [(k, tonnes) for k, (tonnes, _) in zip(weights, ends, strict=True)]
            cost += [(k, musd) for k, (_, musd) in zip(weights, ends, strict=True)]
            chosen.append((one, 1.0))
            self.segments[o, t].append((one, weights, ends))
        self.row(("size", o, t), size, 0.0, 0.0)
        self.row(("one size", o, t), chosen, upper=1.0)
        self.capital[o, t] = cost
        return cost

    def _groups(self):
        for j, r in enumerate(self.tables["group_limits"]):
            first, last = r.year("first_year", self.years[0]), r.year("last_year", self.end)
            terms = []
            for o in (x["option"] for x in self.tables["groups"] if x["group"] == r["group"]):
                years = [t for o2, t in self.online if o2 == o and first <= self.years[t] <= last]
                inside, row = [self.columns["build", o, t] for t in years], self.options[o]
                if r["measure"] == "options":
                    started, most = self.column("started", o, j, upper=1.0, whole=True), row.number("max_modules", 1.0)
                    self.row(("started", o, j, "most"), [*((k, 1.0) for k in inside), (started, -most)], upper=0.0)
                    self.row(("started", o, j, "least"), [*((k, 1.0) for k in inside), (started, -1.0)], lower=0.0)
                    terms.append((started, 1.0))
                elif r["measure"] == "capex_musd":
                    terms += [x for t in years for x in self.capital[o, t]]
                else:
                    each = row.number({"capacity_t": "module_t"}.get(r["measure"], r["measure"]), 1.0)
                    terms += [(k, each) for k in inside]
            self.row(("limit of group", j), terms, r.number("min"), r.number("max", INF))

    def causes(self, kind, **named):
        """Impact -> units per tonne: all rows of a kind that match add up."""
        found = defaultdict(float)
        for r in self.tables["impact_factors"]:
            if r["kind"] == kind and all(r.text(column) in ("", value) for column, value in named.items()):
                found[r["impact"]] += r.number("per_t")
        return found

    def builds(self, option, until=None):
        last = self.T[-1] if until is None else until
        return [(self.columns["build", o, t], 1.0) for o, t in self.online if o == option and t <= last]

    def own(self, f, t):
        """A facility's own capacity, t a year."""
        r = self.facilities[f]
        shares = [
            ramp(y, r.year("first_year", -9999), r.year("last_year", 9999) + 1, r.year("ramp_years", 0))
            for y in self.calendar[t]
        ]
        nameplate = self.capacities[f](self.years[t]) if f in self.capacities else r.number("capacity_t")
        return nameplate * sum(shares) / len(shares)

    def added(self, f, t):
        """What modules add: (option, period of the start), column, t a year per module."""
        for (o, s), online in self.online.items():
            r = self.options[o]
            if r["facility"] == f:
                gone = online + r.year("life_years")
                shares = [ramp(y, online, gone, r.year("ramp_years", 0)) for y in self.calendar[t]]
                yield (o, s), self.columns["build", o, s], r.number("module_t") * sum(shares) / len(shares)

    def _funding(self):
        drawn = defaultdict(list)
        for o, r in self.options.items():
            may = [x["fund"] for x in self.tables["fund_options"] if x["option"] == o]
            if not may and not r.text("private_musd"):
                continue
            spread = max(1, r.year("lead_years", 0))
            spent = defaultdict(list)
            for t in (t for o2, t in self.online if o2 == o):
                for k in range(spread):
                    spent[self.years[t] + k] += [(column, musd / spread) for column, musd in self.capital[o, t]]
            for year, terms in spent.items():
                sources = [self.column("private", o, year)]
                for fund in (x for x in self.tables["funds"] if x["fund"] in may):
                    if fund.year("first_year", 0) <= year <= fund.year("last_year", 9999):
                        sources.append(self.column("draw", fund["fund"], o, year))
                        drawn[fund["fund"], o].append((sources[-1], 1.0))
                self.row(("paid", o, year), [*terms, *((k, -1.0) for k in sources)], 0.0, 0.0)
            private = [(k, 1.0) for name, k in self.columns.items() if name[:2] == ("private", o)]
            self.row(("private", o), private, upper=r.number("private_musd", INF))
        for fund in self.tables["funds"]:
            of = {o: terms for (f, o), terms in drawn.items() if f == fund["fund"]}
            self.row(("budget", fund["fund"]), [x for ts in of.values() for x in ts], upper=fund.number("budget_musd"))
            for o, terms in of.items():
                share = fund.number("max_share", 1.0)
                costs = [(k, -share * musd) for o2, t in self.online if o2 == o for k, musd in self.capital[o, t]]
                self.row(("part", fund["fund"], o), [*terms, *costs], upper=0.0)

    # --- operations ---------------------------------------------------------------------------------------

    def _operations(self, b, weights):
        for time, weight in weights:
            self.periods[b, time] = Period(self, b, time, weight)
            self.periods[b, time].add()

    def year_of(self, b, t):
        """What makes up a period of a branch or of the plan: branch, time and share of each part."""
        if b is None or t < self.branches[b]["begin"]:
            return [(None, t, 1.0)]
        times = [time for time in self.branches[b]["times"] if time == t or (isinstance(time, tuple) and time[0] == t)]
        gone = [(None, t, self.branches[b]["gone"])] if t == self.branches[b]["begin"] else []
        return [*gone, *((b, time, 1.0 if time == t else 1 / 12) for time in times)]

    # --- solving ------------------------------------------------------------------------------------------

    def solve(self, builds=None, cost=None, ceiling=None):
        """Least present cost, MUSD, or least of ``cost``; None if infeasible. Returns it with the columns' values.

        builds   (option, start year) -> modules, to be held
        ceiling  most present cost, MUSD
        """
        bounds, whole = np.array(self.bounds).reshape(-1, 2), np.array(self.whole, dtype=bool)
        if builds is not None:
            for name, k in self.columns.items():
                if name[0] == "build":
                    bounds[k] = builds.get((name[1], self.years[name[2]]), 0.0)
            whole &= np.array([name[0] in ("chosen", "started", "segment") for name in self.columns], dtype=bool)
        money, fixed = np.zeros(len(bounds)), 0.0
        for (k, *_), amount in self.costs.items():
            if k is None:
                fixed += amount
            else:
                money[k] += amount
        rows = list(self.rows.values())
        if ceiling is not None:
            rows.append((dict(enumerate(money * 1e3)), -INF, (ceiling - fixed) * 1e3))
        found = _minimise(money * 1e3 if cost is None else cost, bounds, whole, rows)
        if found is None:
            return None, None
        value, x = found
        return (value / 1e3 + fixed if cost is None else value), x

    def exposure(self):
        """Weights of exposed deliveries and swaps of the plan: D_t."""
        weights = np.zeros(len(self.bounds))
        for name, k in self.columns.items():
            if name[0] in ("deliver", "swap") and name[1] is None and name[-2] == EXPOSED:
                weights[k] = self.present[name[-1]]
        return weights


def _minimise(cost, bounds, whole, rows):
    model, highs = highspy.HighsLp(), highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)  # as the planner: HiGHS refuses two different numbers in one process
    for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"):
        highs.setOptionValue(name, 1e-9)
    highs.setOptionValue("mip_rel_gap", 0.0)
    model.num_col_, model.num_row_ = len(bounds), len(rows)
    model.col_cost_, model.col_lower_, model.col_upper_ = np.asarray(cost, dtype=float), bounds[:, 0], bounds[:, 1]
    model.row_lower_, model.row_upper_ = (np.array([r[i] for r in rows]) for i in (1, 2))
    entries = [(k, a) for terms, *_ in rows for k, a in terms.items()]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.cumsum([0, *(len(r[0]) for r in rows)]).astype(np.int32)
    model.a_matrix_.index_ = np.array([k for k, _ in entries], dtype=np.int32)
    model.a_matrix_.value_ = np.array([a for _, a in entries])
    if whole.any():
        kinds = highspy.HighsVarType
        model.integrality_ = [kinds.kInteger if w else kinds.kContinuous for w in whole]
    highs.passModel(model)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        highs.setOptionValue("presolve", "off")
        highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    assert status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty), status
    return highs.getInfo().objective_function_value, np.array(highs.getSolution().col_value)
