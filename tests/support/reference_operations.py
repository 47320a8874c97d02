"""The operations of one period, undisturbed or in a branch, for the reference of the contract (reference.py)."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

CLEAN, EXPOSED = BOTH = ("clean", "exposed")
INF = math.inf
MILLION = 1e-6


def minus(terms):
    return [(k, -a) for k, a in terms]


def back(r, n):
    """Share of what was delivered that comes back after n years, by a row of returns.csv."""
    mean, k = r.number("mean_life_years"), r.number("shape", None)
    if k is None:
        return float(n == math.floor(mean + 0.5))
    gone = lambda x: 1.0 - math.exp(-((x * math.gamma(1.0 + 1.0 / k) / mean) ** k))  # noqa: E731
    return gone(n + 0.5) - gone(max(0.0, n - 0.5)) if n >= 0 else 0.0


class Period:
    """Adds the decisions and rules of one time in branch ``b`` (None: the plan) to the reference ``m``.

    time  position of a period, or of a period of one year with a month of it, 1 to 12
    """

    def __init__(self, m, b, time, weight):
        self.m, self.b, self.time = m, b, time
        self.t, self.month = time if isinstance(time, tuple) else (time, None)
        self.year, self.branch = m.years[self.t], m.branches.get(b)
        part = 1.0 if self.month is None else 1.0 / 12.0
        self.length, self.weight = m.lengths[self.t] * part, weight * m.present[self.t] * part
        # what strikes: the branch's own scenario, and those whose branches it descends from
        self.line = self.branch["line"] if b else []
        failure = any(r["kind"] == "project_failure" for s in self.line for r in s["rows"])
        failure = failure and not self.branch["rebuilds"]
        self.caps_lifted = failure or any(s["share"][self.t] for s in self.line)
        self.lifted = failure or any(map(self.share, self.line))
        self.made, self.used, self.bought, self.delivered, self.stored = (defaultdict(list) for _ in range(5))
        self.arriving, self.leaving, self.tied = defaultdict(list), defaultdict(list), defaultdict(list)
        self.surplus, self.recycled = {}, defaultdict(list)
        self.needed = defaultdict(list)  # delivered to sectors, not sold to buyers
        self.swaps, self.collected, self.caused = defaultdict(list), defaultdict(list), defaultdict(list)

    def share(self, scenario):
        """Share of this time in which a scenario strikes."""
        if self.month is None:
            return scenario["share"][self.t]
        return float((self.year, self.month) in scenario["hit"])

    def add(self):
        self.run()
        self.trade()
        self.serve()
        self.sell()
        self.come_back()
        self.store()
        self.run_down()
        self.balance()
        for cap in self.m.tables["caps"] if self.month in (None, 12) else ():
            first, last = cap.year("first_year", self.m.years[0]), cap.year("last_year", self.m.end)
            lifted = self.caps_lifted if cap.text("sense", "max") == "max" else bool(self.line)
            if first <= self.year <= last and not lifted:
                end = cap.number("limit_end", cap.number("limit"))
                part = (self.year - first) / (last - first) if last > first else 0.0
                self.limit(cap, cap.number("limit") * (1.0 - part) + end * part)

    def column(self, *name, upper=INF, component=None, usd=0.0, whole=False):
        k = self.m.column(name[0], self.b, *name[1:], self.time, upper=upper, whole=whole)
        if component:
            self.m.costs[k, component, self.t] += usd * MILLION * self.weight
        return k

    def cause(self, k, per_t):
        """Add what a tonne of column ``k`` causes of impacts (impact -> units per tonne)."""
        for impact, units in per_t.items():
            self.caused[impact].append((k, units))
            self.m.costs[k, "impact", self.t] += units * self.m.impact_usd[impact] * MILLION * self.weight

    def row(self, *name, terms, lower=-INF, upper=INF):
        self.m.row((name[0], self.b, *name[1:], self.time), terms, lower, upper)

    def disrupted(self, kind, hit, online=None):
        """The product of 1 - f, or 1 + f, times the share of years, over the rows that ``hit`` accepts.

        online  of project failures: the year in which the modules come online
        """
        sign, factor = 1.0 if kind.endswith("surge") else -1.0, 1.0
        for s in self.line:
            for r in (r for r in s["rows"] if r["kind"] == kind and hit(r)):
                share = float(online >= s["first"]) if kind == "project_failure" else self.share(s)
                factor *= 1.0 + sign * r.number("fraction") * share
        return factor

    # --- plants -------------------------------------------------------------------------------------------

    def run(self):
        m, use, mixed = self.m, defaultdict(list), defaultdict(list)
        for f, p, opex, capacity_per_t in m.operations:
            country, tie = m.facilities[f]["country"], m.facilities[f].flag("concern_tie")
            concern, inputs = tie or country in m.concern, m.recipe[p, "input"]
            for q in [EXPOSED] if concern else BOTH if inputs else [CLEAN]:
                k = self.column("activity", f, p, q, component="opex", usd=opex(self.year))
                self.cause(k, m.causes("operation", facility=f, process=p))
                use[f].append((k, capacity_per_t))
                mixed[f].append((k, inputs, dict(m.recipe[p, "output"])))
                for material, per_t in inputs:
                    self.used[material, country, q].append((k, per_t(self.year)))
                out = EXPOSED if concern or (q == EXPOSED and not m.restores[p]) else CLEAN
                for material, per_t in m.recipe[p, "output"]:
                    self.made[material, country, out].append((k, per_t(self.year)))
                    if m.restores[p]:
                        self.recycled[material, country, out].append((k, per_t(self.year)))
                    if tie and country not in m.concern:
                        self.tied[material].append((k, per_t(self.year)))
        for (name, material, of), sides in m.blends.items():
            for f in mixed if not of else [of] if of in mixed else []:
                makers = [(k, inputs, outputs[material]) for k, inputs, outputs in mixed[f] if material in outputs]
                for side, limit in zip(("lower", "upper"), (figure(self.year) for figure in sides), strict=True):
                    terms = [
                        (k, sum(m.contents.get((name, x), 0.0) * per_t(self.year) for x, per_t in inputs)
                         - (limit or 0.0) * out(self.year))
                        for k, inputs, out in makers
                    ]  # fmt: skip
                    self.row(
                        "blend", name, material, of, f, side, terms=terms, **{side: 0.0} if limit is not None else {}
                    )
        for f, r in m.facilities.items():
            here = lambda row, f=f: m.makes(f, row)  # noqa: E731
            left = self.disrupted("outage", here)
            own, upkeep = m.own(f, self.t), r.number("fixed_om_usd_per_t") * MILLION * self.weight
            more = []
            for start, k, capacity in m.added(self.b, f, self.t):
                coming = self.disrupted("project_failure", here, m.online[start])
                more.append((k, -capacity * left * coming))
                m.costs[k, "fixed_om", self.t] += capacity * upkeep
            self.row("capacity", f, terms=use[f] + more, upper=own * left)
            m.costs[None, "fixed_om", self.t] += own * upkeep
            if not self.line and self.year <= r.year("min_use_until", 9999):
                self.row("least use", f, terms=use[f], lower=r.number("min_use") * own)

    def trade(self):
        m = self.m
        for material, r in m.materials.items():
            for i in m.countries:
                for j in m.countries:
                    lane = m.lane("lanes", material, i, j, self.year) if i != j else None
                    if lane is None:
                        for q in BOTH if i != j else ():  # of what left while there was one something may arrive
                            came = self.arrive(material, i, j, q, None)
                            self.arriving[material, j, q] += came
                            self.arriving[material, i, j] += came
                        continue
                    tariff = m.lane("tariffs", material, i, j, self.year)
                    duty = tariff.number("rate") * r.number("value_usd_per_t") if tariff else 0.0
                    both = []
                    arrives = 12 * self.year + (self.month or 1) - 1 + lane.number("transit_weeks") * 12 / 52
                    never = self.delayed() and arrives >= 12 * (m.end + 1)
                    for q in BOTH:
                        usd = lane.number("cost_usd_per_t")
                        upper = 0.0 if never else INF
                        k = self.column("ship", material, i, j, q, upper=upper, component="freight", usd=usd)
                        m.costs[k, "tariff", self.t] += duty * MILLION * self.weight
                        self.cause(k, m.causes("lane", material=material, origin=i, destination=j))
                        self.leaving[material, i, q].append((k, 1.0))
                        both.append((k, 1.0))
                        came = self.arrive(material, i, j, q, k)
                        self.arriving[material, j, q] += came
                        self.arriving[material, i, j] += came
                    most, least, fixed = lane.number("max_t", INF), lane.number("min_t"), lane.number("fixed_musd")
                    if least or fixed:
                        usd = fixed / MILLION
                        k = self.column("used", material, i, j, component="lane_use", usd=usd, upper=1, whole=True)
                        self.row("lot", material, i, j, terms=[*both, (k, -least)], lower=0.0)
                        both, most = [*both, (k, -most)], 0.0
                    self.row("lane", material, i, j, terms=both, upper=most)
                self.stop_exports(material, i)
        if self.delayed() and self.month is None:  # in the period after the months no more arrives than leaves
            for material in m.materials:
                for j in m.countries:
                    for q in BOTH:
                        sent = [
                            (m.columns[name], 1.0)
                            for i in m.countries
                            if (name := ("ship", self.b, material, i, j, q, self.time)) in m.columns
                        ]
                        came = self.arriving[material, j, q]
                        self.row("refill", material, j, q, terms=[*came, *minus(sent)], upper=0.0)
        for k, (material, country, q, price, most) in m.markets.items():
            hit = lambda row, c=country, x=material: c in m.members(row.text("country")) and m.means(row, x)  # noqa: E731
            limit = most(self.year)
            usd = price(self.year) * self.disrupted("price_surge", hit)
            bought = self.column("buy", k, upper=INF if limit is None else limit, component="purchase", usd=usd)
            self.bought[material, country, q].append((bought, 1.0))
            self.cause(bought, m.causes("purchase", market=k))

    def delayed(self):
        """Whether goods arrive later than they leave: in disturbed months, and in the period that follows them."""
        path = self.m.path(self.b)
        at = next(n for n, part in enumerate(path) if part[:2] == (self.b, self.time))
        b, time, _ = path[at - 1] if at else (None, 0, None)
        after = isinstance(time, tuple) and bool(self.m.branches[b]["line"])
        return bool(self.line) and (self.month is not None or after)

    def left_before(self):
        """Times of the course before this one: branch, time, and the months (0 is January of year 0) it lasts."""
        m, found = self.m, []
        path = m.path(self.b)
        for b, time, months in path[: [part[:2] for part in path].index((self.b, self.time))][::-1]:
            first = 12 * months[0][0] + months[0][1] - 1
            if b != self.b and not isinstance(time, tuple):
                break
            found.append((b, time, first, first + len(months)))
        b, start = self.b, m.branches[self.b]["since"]
        begin = found[-1][2] if found else 12 * self.year + (self.month or 1) - 1
        if found:  # the branch whose first month that is
            b = found[-1][0]
            start = m.branches[b]["since"]
        while b and m.branches[b]["since"] == start:
            b = m.branches[b]["parent"]
        t = next(t for t in m.T if start[0] in m.calendar[t])
        if (b, t) in m.periods:
            found.append((b, t, -INF, begin))
        return found

    def arrive(self, material, i, j, q, k):
        """Terms of what arrives on a lane at this time; ``k`` is the column of what leaves now, None if nothing can."""
        if not self.delayed():
            return [] if k is None else [(k, 1.0)]
        m, now = self.m, 12 * self.year + (self.month or 1) - 1
        length = 12 * self.length
        own, earlier = [], []
        for b, time, first, stop in [(self.b, self.time, now, now + length), *self.left_before()]:
            t = time[0] if isinstance(time, tuple) else time
            row = m.lane("lanes", material, i, j, m.years[t])
            if row is None:
                continue
            lag = row.number("transit_weeks") * 12 / 52
            share = (min(now + length, stop + lag) - max(now, first + lag)) / length
            if share > 1e-9:
                column = k if time == self.time and b == self.b else self.at("ship", material, i, j, q, t=time, b=b)
                (own if b == self.b else earlier).append((column, share))
        if earlier:
            land = self.column("land", material, i, j, q)
            self.row("land", material, i, j, q, terms=[(land, 1.0), *minus(earlier)], upper=0.0)
            m.landed[land] = own
            own = [*own, (land, 1.0)]
        return own

    def stop_exports(self, material, i):
        def hit(row):
            return i in self.m.members(row.text("country")) and self.m.means(row, material)

        struck = (r for s in self.line if self.share(s) for r in s["rows"])
        rows = [r for r in struck if r["kind"] == "export_stop" and hit(r)]
        if rows:
            passing = self.disrupted("export_stop", hit)
            limit = passing * min(r.number("reference_t", INF) for r in rows) if passing else 0.0
            leaving = self.leaving[material, i, CLEAN] + self.leaving[material, i, EXPOSED]
            self.row("export stop", material, i, terms=leaving, upper=limit)

    # --- demand and stocks --------------------------------------------------------------------------------

    def serve(self):
        m = self.m
        for (country, sector, material), need in m.needs.items():
            hit = lambda r, c=country, x=material: c in m.members(r.text("country")) and m.means(r, x)  # noqa: E731
            demand, of = need(self.year) * self.disrupted("demand_surge", hit), m.sectors[sector]
            for q in BOTH:
                banned = q == EXPOSED and self.year >= of.year("clean_from_year", 9999) and not self.lifted
                k = self.column("deliver", country, sector, material, q, upper=0.0 if banned else INF)
                self.delivered[material, country, q].append((k, 1.0))
            most = demand if self.line else demand * (1.0 - of.number("min_service"))
            short = self.column(
                "short",
                country,
                sector,
                material,
                upper=most,
                component="shortage",
                usd=of.number("shortage_usd_per_t"),
            )
            served = [(self.at("deliver", country, sector, material, q), 1.0) for q in BOTH]
            served += self.replace((country, sector, material), demand, of.year("clean_from_year", 9999))
            self.row("demand", country, sector, material, terms=[*served, (short, 1.0)], lower=demand, upper=demand)

    def replace(self, need, demand, clean_from):
        """Add the swaps of a need; return their terms."""
        m, swapped = self.m, []
        for r in m.tables["substitutes"]:
            s, other = r["substitute"], r.text("replaced_by")
            wanted = need[0] in m.members(r.text("country")) and r.text("sector") in ("", need[1])
            if not wanted or r["material"] != need[2]:
                continue
            swaps = []
            for q in BOTH if other else ("",):
                banned = q == EXPOSED and self.year >= clean_from and not self.lifted
                usd = r.number("cost_usd_per_t")
                upper = 0.0 if banned else INF
                k = self.column("swap", s, *need, q, upper=upper, component="substitution", usd=usd)
                swaps.append((k, 1.0))
                if other:
                    self.delivered[other, need[0], q].append((k, r.number("t_per_t", 1.0)))
                self.swaps[(*need, q)].append((k, 1.0))
            self.row("swap limit", s, *need, terms=swaps, upper=m.shares[s](self.year) * demand)
            swapped += swaps
        return swapped

    def sell(self):
        self.needed = defaultdict(list, {spot: list(terms) for spot, terms in self.delivered.items()})
        for r in self.m.tables["buyers"]:
            price, least, most = (figure(self.year) for figure in self.m.paid[r["buyer"]])
            terms = []
            for q in (CLEAN,) if r.flag("clean_only") else BOTH:
                k = self.column("sell", r["buyer"], q, component="sales", usd=-price)
                self.delivered[r["material"], r["country"], q].append((k, 1.0))  # is used like what sectors receive
                terms.append((k, 1.0))
            agreed = (least or 0.0) if not self.line else 0.0
            self.row("sold", r["buyer"], terms=terms, lower=agreed, upper=INF if most is None else most)

    def come_back(self):
        m = self.m
        for r in m.tables["returns"]:
            for c in sorted(m.members(r.text("country"))):
                for q in BOTH:
                    k = self.column("collect", r["return"], c, q)
                    self.collected[r["returned"], c, q].append((k, 1.0))
                    terms = [(k, 1.0)]
                    for tau in range(self.t + 1):
                        # what comes back in the year of its delivery does so in its month
                        of = m.year_of(self.b, tau) if tau < self.t else [(self.b, self.time, 1.0)]
                        years = sum(back(r, later - a) for a in m.calendar[tau] for later in m.calendar[self.t])
                        part = r.number("t_per_t", 1.0) * r.number("collected") * years / m.lengths[self.t]
                        for need in m.needs:
                            if need[0] == c and need[2] == r["material"] and r.text("sector") in ("", need[1]):
                                for b, time, share in of:
                                    terms.append((self.at("deliver", *need, q, t=time, b=b), -part * share))
                    self.row("comes back", r["return"], c, q, terms=terms, upper=0.0)

    def at(self, *name, t=None, b=...):
        return self.m.columns[(name[0], self.b if b is ... else b, *name[1:], self.time if t is None else t)]

    def store(self):
        m, w = self.m, self.length
        for r in m.tables["stockpiles"]:
            s, spot, held = r["stockpile"], (r["material"], r["country"]), []
            for q in BOTH:
                put, draw = self.column("put", s, q), self.column("draw", s, q)
                stock = self.column("stock", s, q, component="holding", usd=r.number("holding_usd_per_t"))
                held.append((stock, 1.0))
                self.stored[(*spot, q)] += [(draw, 1.0), (put, -1.0)]
                initial = r.number("initial_t") if q == (EXPOSED if r.flag("initial_exposed") else CLEAN) else 0.0
                # the stock at the end of what came before, or between that and the end of a year left within it
                path, before, opening, rest = m.path(self.b), [], 0.0, 1.0
                place = next(i for i, part in enumerate(path) if part[:2] == (self.b, self.time))
                for b, time, months in reversed(path[:place]):
                    gone = len(months) / len(m.months(time))
                    before.append((self.at("stock", s, q, t=time, b=b), -rest * gone))
                    rest *= 1.0 - gone
                    if not rest:
                        break
                else:
                    opening = initial * rest
                change = [(stock, 1.0), (put, -w), (draw, w), *before]
                self.row("stock", s, q, terms=change, lower=opening, upper=opening)
                self.row("draw", s, q, terms=[(draw, w), *before], upper=opening)
            self.row("full", s, terms=held, upper=r.number("max_t"))
            if self.t == m.T[-1] and self.month in (None, 12) and r.number("final_min_t"):
                if self.line:
                    missing = self.column("missing", s)
                    value = m.materials[r["material"]].number("value_usd_per_t") * MILLION
                    value *= m.happens(self.b, self.time) * m.discount(m.end + 1)
                    m.costs[missing, "shortage", self.t] += value
                    held.append((missing, 1.0))
                self.row("final", s, terms=held, lower=r.number("final_min_t"))
            self.release(r, [(self.at("draw", s, q), 1.0) for q in BOTH])

    def release(self, r, draws):
        """What may be released of a stockpile in a disturbed branch, and from which month on."""
        if not self.line:
            return
        limit = 12 * r.number("release_max_t", INF)
        year, month = self.line[-1]["since"]
        waits = month - 1 + r.year("release_after_months", 0)
        if self.month and (self.year, self.month) < (year + waits // 12, waits % 12 + 1):
            limit = 0.0
        self.row("release", r["stockpile"], terms=draws, upper=limit)

    def run_down(self):
        """What is drawn from working stocks: in all months of the course no more than weeks of what was used before."""
        m = self.m
        timed = [s for s in self.line if s["split"]]
        if self.month is None or not self.lifted or not timed:
            return
        path = m.path(self.b)
        before = [(b, time) for b, time, months in path if months[0] < timed[-1]["since"]]
        b, time = before[-1] if before else (timed[-1]["parent"], timed[-1]["begin"])
        source = m.periods.get((b, time)) or m.periods[b, (time, 1)]
        for r in m.tables["working_stocks"]:
            usd = r.number("replace_usd_per_t", m.materials[r["material"]].number("value_usd_per_t"))
            for q in BOTH:
                spot = r["material"], r["country"], q
                self.stored[spot].append((self.column("run down", *spot, component="working_stock", usd=usd), 1.0))
                drawn = [
                    (m.columns[name], 1.0 / 12.0)
                    for of, at, _ in path
                    if (name := ("run down", of, *spot, at)) in m.columns
                ]
                held = r.number("weeks") * 7.0 / 365.0
                use = source.used[spot] + source.needed[spot]
                self.row("working stock", *spot, terms=[*drawn, *((k, -held * a) for k, a in use)], upper=0.0)

    def balance(self):
        for material, r in self.m.materials.items():
            for c in self.m.countries:
                down, net_exports = self.column("downgrade", material, c), []
                for q in BOTH:
                    spot = (material, c, q)
                    surplus = self.column("surplus", *spot, upper=INF if r.flag("surplus", True) else 0.0)
                    self.surplus[spot] = [(surplus, 1.0)]
                    made, given = self.made[spot], [(down, 1.0 if q == EXPOSED else -1.0)]
                    self.row("surplus", *spot, terms=[(surplus, 1.0), *minus(made)], upper=0.0)
                    own = made + self.bought[spot] + self.collected[spot]
                    into = own + self.arriving[spot] + self.stored[spot] + given
                    out = self.used[spot] + self.leaving[spot] + self.delivered[spot] + [(surplus, 1.0)]
                    self.row("balance", *spot, terms=into + minus(out), lower=0.0, upper=0.0)
                    transit = [*self.leaving[spot], (surplus, 1.0), *minus(own)]
                    net_exports += transit
                    self.row("transit", *spot, terms=transit + (minus(given) if q == EXPOSED else []), upper=0.0)
                self.row("transit", material, c, terms=net_exports, upper=0.0)

    # --- caps ---------------------------------------------------------------------------------------------

    def over_all(self, of, materials, countries):
        return [x for m in materials for c in countries for q in BOTH for x in of[m, c, q]]

    def supplied(self, materials, countries):
        """Made less surplus, and bought."""
        made, bought, surplus = (
            self.over_all(of, materials, countries) for of in (self.made, self.bought, self.surplus)
        )
        return made + bought + minus(surplus)

    def limit(self, cap, limit):
        """Add the rows of a cap: of a year in months for the means over its parts."""
        rows = defaultdict(lambda: ([], []))
        for b, time, share in self.m.year_of(self.b, self.t):
            for country, sums in self.m.periods[b, time].counted(cap).items():
                for total, terms in zip(rows[country], sums, strict=True):
                    total += [(k, share * a) for k, a in terms]
        side = "lower" if cap.text("sense") == "min" else "upper"
        for country, (part, whole) in rows.items():
            absolute = cap["metric"] == "impact"
            terms = part + [(k, -limit * a) for k, a in whole]
            self.row("cap", cap["cap"], country, terms=terms, **{side: limit if absolute else 0.0})

    def counted(self, cap):
        """Country, if the metric has one, -> the terms of numerator and denominator (of an impact: none)."""
        m, metric, everywhere = self.m, cap["metric"], self.m.countries
        materials = [
            x
            for x, r in m.materials.items()
            if x == cap.text("material") or (r.flag("strategic") and r.text("stage") == cap.text("stage", "-"))
        ]
        all_supplied = self.supplied(materials, everywhere)
        if metric == "exposed_share":
            places, sector = m.members(cap.text("country")), cap.text("sector")
            wanted = [n for n in m.needs if n[0] in places and sector in ("", n[1])]
            exposed, clean = (
                [x for n in wanted for x in ((self.at("deliver", *n, q), 1.0), *self.swaps[(*n, q)])]
                for q in (EXPOSED, CLEAN)
            )
            return {"": (exposed, exposed + clean)}
        if metric == "stage_share":
            concern = self.supplied(materials, [c for c in everywhere if c in m.concern])
            tied = [x for material in materials for x in self.tied[material]]
            return {"": (concern + tied, all_supplied)}
        if metric == "single_country_share":
            return {c: (self.supplied(materials, [c]), all_supplied) for c in everywhere}
        if metric == "largest_share":
            # the same by all sets of so many countries, instead of by duality
            sets = itertools.combinations(everywhere, min(int(cap["largest"]), len(everywhere)))
            return {chosen: (self.supplied(materials, chosen), all_supplied) for chosen in sets}
        if metric == "impact":
            here = [o for o, s in m.online if s == self.t]
            caused = ((m.build(self.b, o, self.t), m.built_units(o, self.t).get(cap["impact"], 0.0)) for o in here)
            built = [(k, units) for k, units in caused if units]
            return {"": (self.caused[cap["impact"]] + built, [])}
        if metric == "own_share":
            inside = m.members(cap["country"])
            made = self.over_all(self.recycled if cap.flag("recycled") else self.made, materials, inside)
            wasted = [] if cap.flag("recycled") else self.over_all(self.surplus, materials, inside)
            use = self.over_all(self.used, materials, inside) + self.over_all(self.delivered, materials, inside)
            return {"": (made + minus(wasted), use)}
        origin = m.members(cap.text("origin"))
        inside = m.members(cap["country"]) if cap.text("country") else set(everywhere) - origin
        movements = [(x, i, j) for x in materials for i in origin - inside for j in inside]
        arriving = [term for movement in movements for term in self.arriving[movement]]
        use = self.over_all(self.used, materials, inside) + self.over_all(self.delivered, materials, inside)
        return {"": (arriving, use)}
