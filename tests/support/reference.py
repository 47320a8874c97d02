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
    "contents": 2, "blends": 4, "working_stocks": 2,
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
        "working_stocks": "material country",
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
        for b in self.builders:
            self._funding(b)
        self.landed = {}  # column of what is taken in of goods under way -> terms of what left within the branch
        self.periods = {}  # branch, time -> its operations; a time is a period, or a period and a month of it
        self._operations(None, self.T)
        for branch, s in self.branches.items():
            self._operations(branch, s["times"])

    def discount(self, year):
        return (1.0 + self.rate) ** -(year - self.years[0])

    def months(self, time):
        """The calendar months of a time, as (year, month)."""
        t, month = time if isinstance(time, tuple) else (time, None)
        return [(y, k) for y in self.calendar[t] for k in (range(1, 13) if month is None else (month,))]

    def happens(self, b, time):
        """Probability that a branch, or the plan, is the one that is followed: mean over the months of a time."""
        of = {name: (s["p"], s["since"]) for name, s in self.branches.items()}
        p, since = of.get(b, (1.0, (0, 0)))
        leaving = [of[name] for name, s in self.branches.items() if s["parent"] == b]
        months = self.months(time)
        return sum(p * (m >= since) - sum(q for q, begin in leaving if m >= begin) for m in months) / len(months)

    def path(self, b):
        """What a branch, or the plan, goes through from the beginning of the horizon: (branch, time, its months)."""
        own = [(b, time, self.months(time)) for time in (self.branches[b]["times"] if b else self.T)]
        if b is None:
            return own
        since = self.branches[b]["since"]
        before = [
            (of, time, [m for m in months if m < since]) for of, time, months in self.path(self.branches[b]["parent"])
        ]
        return [*(part for part in before if part[2]), *own]

    def builder(self, b, t):
        """Whose decision a start in period ``t`` is that branch ``b`` has."""
        while b and (self.branches[b]["builds from"] is None or self.years[t] < self.branches[b]["builds from"]):
            b = self.branches[b]["parent"]
        return b

    def sharing(self, b, s, t):
        """Probability in period ``t`` of all courses that have the starts of branch ``b`` in period ``s``."""
        return sum(self.happens(c, t) for c in (None, *self.branches) if self.builder(c, s) == b)

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
            since, split = (self.years[begin], 1), set()
            if months:
                since = min(m for m in hit if m[0] >= self.years[begin])
                split = {t for t in self.T if share[t]} | {t for t in self.T[1:] if share[t - 1]}
            wait, parent = r.year("rebuild_after"), r.text("parent") or None
            late = wait == 0 and r.year("first_month", 1) > 1
            self.branches[r["scenario"]] = {
                "p": r.number("probability"), "share": share, "begin": begin, "since": since, "split": split,
                "hit": hit, "first": first, "rows": rows, "parent": parent,
                "builds from": None if wait is None else first + wait + late,
            }  # fmt: skip
        for s in self.branches.values():
            line, above = [s], s["parent"]
            while above:
                line.append(self.branches[above])
                above = line[-1]["parent"]
            split = set().union(*(of["split"] for of in line))
            s["line"], s["times"] = [of for of in line if of["rows"]], []
            s["rebuilds"] = any(of["builds from"] is not None for of in line)
            for t in self.T[s["begin"] :]:
                s["times"] += [(t, k) for k in range(1, 13) if (self.years[t], k) >= s["since"]] if t in split else [t]
        self.branches = dict(sorted(self.branches.items(), key=lambda item: len(self.ancestors(item[0]))))

    def ancestors(self, b):
        above = self.branches[b]["parent"]
        return [above, *self.ancestors(above)] if above else []

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
        self.online, self.capital = {}, {}
        self.segments = defaultdict(list)  # branch, option, start -> column, columns of the ends, the ends
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
                for b in (b for b in self.builders if self.builder(b, t) == b):
                    k = self.column("build", b, o, t, upper=min(most, pace), whole=r.flag("integer", True))
                    usd = sum(self.impact_usd[i] * n for i, n in self.built_units(o, t).items())
                    self.costs[k, "impact", t] += usd * 1e-6 * self.present[t] * self.sharing(b, t, t)
                    capital = self._sized(b, o, t, k)
                    each = annuity / r.number("capex_musd") if r.number("capex_musd") else 0.0
                    for u in self.T[t:]:
                        paid = [y2 for y2 in self.calendar[u] if y + lead <= y2 < y + lead + life]
                        for column, musd in capital:
                            yearly = each * musd * self.sharing(b, t, u)
                            self.costs[column, "capex", u] += yearly * sum(map(self.discount, paid))
        for b in self.builders:
            self._rules(b)

    @property
    def builders(self):
        """The plan, and the branches that may build; every limit on starts holds for each of them."""
        return [None, *(b for b, s in self.branches.items() if s["builds from"] is not None)]

    def built_units(self, o, t):
        """Impact -> units a year per module of an option, in the period ``t`` of its start."""
        size = self.options[o].number("module_t") / self.lengths[t]
        return {i: per_t * size for i, per_t in self.causes("build", option=o).items()}

    def _rules(self, b):
        groups = defaultdict(list)
        for o, r in self.options.items():
            most = r.number("max_modules", 1.0)
            self.row(("modules", b, o), self.builds(b, o), r.number("min_modules"), most)
            if r.text("exclusive_group"):
                chosen = self.column("chosen", b, o, upper=1.0, whole=True)
                groups[r["exclusive_group"]].append((chosen, 1.0))
                self.row(("group", b, o), [*self.builds(b, o), (chosen, -most)], upper=0.0)
            if r.text("requires"):
                for t in self.T:
                    before = [(k, -most) for k, _ in self.builds(b, r["requires"], t)]
                    now = [(self.build(b, o, t), 1.0)] if (o, t) in self.online else []
                    self.row(("requires", b, o, t), now + before, upper=0.0)
        self._groups(b)
        for group, chosen in groups.items():
            self.row(("one of", b, group), chosen, upper=1.0)

    def _sized(self, b, o, t, build):
        """Terms of the overnight cost of a start, MUSD: by its modules, or by weights of the ends of one of its sizes.

        Between which two sizes it lies is a choice of one segment; its size and cost are weighted means of both ends.
        """
        r = self.options[o]
        smaller = [
            (x.number("capacity_t"), x.number("capex_musd")) for x in self.tables["option_sizes"] if x["option"] == o
        ]
        cost = [] if smaller else [(build, r.number("capex_musd"))]
        self.capital[b, o, t] = cost
        points = [*sorted(smaller), (r.number("module_t"), r.number("capex_musd"))]
        size, chosen = [(build, -r.number("module_t"))], []
        for j, ends in enumerate(itertools.pairwise(points)):
            one = self.column("segment", b, o, t, j, upper=1.0, whole=True)
            weights = [self.column("weight", b, o, t, j, end, upper=1.0) for end in (0, 1)]
            self.row(("segment", b, o, t, j), [*((k, 1.0) for k in weights), (one, -1.0)], 0.0, 0.0)
            size += [(k, tonnes) for k, (tonnes, _) in zip(weights, ends, strict=True)]
            cost += [(k, musd) for k, (_, musd) in zip(weights, ends, strict=True)]
            chosen.append((one, 1.0))
            self.segments[b, o, t].append((one, weights, ends))
        if chosen:
            self.row(("size", b, o, t), size, 0.0, 0.0)
            self.row(("one size", b, o, t), chosen, upper=1.0)
        return cost

    def costs_of(self, b, o, t):
        """Terms of the overnight cost, MUSD, of what branch ``b`` has started of an option in period ``t``."""
        return self.capital[self.builder(b, t), o, t]

    def _groups(self, b):
        for j, r in enumerate(self.tables["group_limits"]):
            first, last = r.year("first_year", self.years[0]), r.year("last_year", self.end)
            terms = []
            for o in (x["option"] for x in self.tables["groups"] if x["group"] == r["group"]):
                years = [t for o2, t in self.online if o2 == o and first <= self.years[t] <= last]
                inside, row = [self.build(b, o, t) for t in years], self.options[o]
                if r["measure"] == "options":
                    started = self.column("started", b, o, j, upper=1.0, whole=True)
                    most, ones = row.number("max_modules", 1.0), [(k, 1.0) for k in inside]
                    self.row(("started", b, o, j, "most"), [*ones, (started, -most)], upper=0.0)
                    self.row(("started", b, o, j, "least"), [*ones, (started, -1.0)], lower=0.0)
                    terms.append((started, 1.0))
                elif r["measure"] == "capex_musd":
                    terms += [x for t in years for x in self.costs_of(b, o, t)]
                else:
                    each = row.number({"capacity_t": "module_t"}.get(r["measure"], r["measure"]), 1.0)
                    terms += [(k, each) for k in inside]
            self.row(("limit of group", b, j), terms, r.number("min"), r.number("max", INF))

    def causes(self, kind, **named):
        """Impact -> units per tonne: all rows of a kind that match add up."""
        found = defaultdict(float)
        for r in self.tables["impact_factors"]:
            if r["kind"] == kind and all(r.text(column) in ("", value) for column, value in named.items()):
                found[r["impact"]] += r.number("per_t")
        return found

    def build(self, b, o, t):
        """The column of what branch ``b`` has started of an option in period ``t``."""
        return self.columns["build", self.builder(b, t), o, t]

    def builds(self, b, option, until=None):
        last = self.T[-1] if until is None else until
        return [(self.build(b, o, t), 1.0) for o, t in self.online if o == option and t <= last]

    def own(self, f, t):
        """A facility's own capacity, t a year."""
        r = self.facilities[f]
        shares = [
            ramp(y, r.year("first_year", -9999), r.year("last_year", 9999) + 1, r.year("ramp_years", 0))
            for y in self.calendar[t]
        ]
        nameplate = self.capacities[f](self.years[t]) if f in self.capacities else r.number("capacity_t")
        return nameplate * sum(shares) / len(shares)

    def added(self, b, f, t):
        """What modules add in a branch: (option, period of the start), column, t a year per module."""
        for (o, s), online in self.online.items():
            r = self.options[o]
            if r["facility"] == f:
                gone = online + r.year("life_years")
                shares = [ramp(y, online, gone, r.year("ramp_years", 0)) for y in self.calendar[t]]
                yield (o, s), self.build(b, o, s), r.number("module_t") * sum(shares) / len(shares)

    def _funding(self, b):
        drawn = defaultdict(list)
        for o, r in self.options.items():
            may = [x["fund"] for x in self.tables["fund_options"] if x["option"] == o]
            if not may and not r.text("private_musd"):
                continue
            spread = max(1, r.year("lead_years", 0))
            spent = defaultdict(list)
            for t in (t for o2, t in self.online if o2 == o):
                for k in range(spread):
                    spent[self.years[t] + k] += [(column, musd / spread) for column, musd in self.costs_of(b, o, t)]
            for year, terms in spent.items():
                sources = [self.column("private", b, o, year)]
                for fund in (x for x in self.tables["funds"] if x["fund"] in may):
                    if fund.year("first_year", 0) <= year <= fund.year("last_year", 9999):
                        sources.append(self.column("draw", b, fund["fund"], o, year))
                        drawn[fund["fund"], o].append((sources[-1], 1.0))
                self.row(("paid", b, o, year), [*terms, *((k, -1.0) for k in sources)], 0.0, 0.0)
            private = [(k, 1.0) for name, k in self.columns.items() if name[:3] == ("private", b, o)]
            self.row(("private", b, o), private, upper=r.number("private_musd", INF))
        for fund in self.tables["funds"]:
            name, of = fund["fund"], {o: terms for (f, o), terms in drawn.items() if f == fund["fund"]}
            self.row(("budget", b, name), [x for ts in of.values() for x in ts], upper=fund.number("budget_musd"))
            for o, terms in of.items():
                share = fund.number("max_share", 1.0)
                costs = [(k, -share * musd) for o2, t in self.online if o2 == o for k, musd in self.costs_of(b, o, t)]
                self.row(("part", b, name, o), [*terms, *costs], upper=0.0)

    # --- operations ---------------------------------------------------------------------------------------

    def _operations(self, b, times):
        for time in times:
            self.periods[b, time] = Period(self, b, time, self.happens(b, time))
            self.periods[b, time].add()

    def year_of(self, b, t):
        """What makes up a period of a branch or of the plan: branch, time and share of each part."""
        inside = [part for part in self.path(b) if part[1] == t or (isinstance(part[1], tuple) and part[1][0] == t)]
        return [(of, time, len(months) / 12 / self.lengths[t]) for of, time, months in inside]

    # --- solving ------------------------------------------------------------------------------------------

    def solve(self, builds=None, cost=None, ceiling=None):
        """Least present cost, MUSD, or least of ``cost``; None if infeasible. Returns it with the columns' values.

        builds   (branch, option, start year) -> modules, to be held
        ceiling  most present cost, MUSD
        """
        bounds, whole = np.array(self.bounds).reshape(-1, 2), np.array(self.whole, dtype=bool)
        if builds is not None:
            for name, k in self.columns.items():
                if name[0] == "build":
                    bounds[k] = builds.get((*name[1:3], self.years[name[3]]), 0.0)
            whole &= np.array(
                [name[0] in ("chosen", "started", "segment", "used") for name in self.columns], dtype=bool
            )
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
