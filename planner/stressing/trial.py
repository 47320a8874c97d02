"""One case: solved, measured against the undisturbed course, and audited."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..timeline import overlap_share
from .branch import NONE, Branch, as_instance, disruption_rows, stopped_exports
from .cases import SCENARIO, Case

if TYPE_CHECKING:
    from ..instance import Instance
    from ..plan import Plan
    from ..runfolder import Run
    from ..solving import Settings

Result = dict[str, Any]
FULL = 1e-6  # part of demand that may be missing from what counts as full service


class Trials:
    """Tries cases on one plan; what is compiled for a moment of the blow is kept for the next case."""

    def __init__(self, instance: Instance, run: Plan | Run, settings: Settings, audited: bool) -> None:
        self.instance, self.run, self.settings, self.audited = instance, run, settings, audited
        self.builds = {(str(r.option), int(r.start_year)): float(r.modules) for r in run.tables["builds"].itertuples()}
        self._kept: tuple[tuple[int, int], Branch, dict[str, Any]] | None = None

    def run_case(self, case: Case) -> Result:
        """Everything that is said of a case; see `study` for the columns."""
        base, undisturbed = self._branch(case.first, case.last)
        if case.family == "scenario":
            rows = [
                {k: v for k, v in d.model_dump().items() if k not in ("scenario", "note", "source", "active")}
                for d in self.instance.disruptions
                if d.scenario == case.name
            ]
            of_case = as_instance(self.instance, case.first, case.last, rows)
            branch = Branch(of_case, self.builds, self._openings(case.first), self.settings)
            x = branch.solve()
            measured = _measure(branch, x, case)
            decisive = ""
        else:
            references = self._exports(case)
            branch = base
            with base.disrupted(case, references):
                x = base.solve()
                measured = _measure(base, x, case)
                decisive = _decisive(base, undisturbed["x"])
            of_case = None
        result = _compared(case, measured, undisturbed)
        result["decisive"] = decisive
        if self.audited:
            if of_case is None:
                rows = disruption_rows(self.instance, case, self._exports(case)) or [self._nothing()]
                of_case = as_instance(self.instance, case.first, case.last, rows)
            result["audit"] = self._audit(of_case, branch, x)
        return result

    def run_pair(self, one: Case, other: Case) -> Result:
        """Two plants lost together."""
        base, undisturbed = self._branch(one.first, one.last)
        both = Case(f"{one.name} + {other.name}", "pair", one.severity, one.first, one.last)
        with base.disrupted(one, {}), base.disrupted(other, {}):
            x = base.solve()
            result = _compared(both, _measure(base, x, both), undisturbed)
            result["decisive"] = _decisive(base, undisturbed["x"])
        if self.audited:
            of_case = as_instance(self.instance, one.first, one.last, [one.outage, other.outage])
            result["audit"] = self._audit(of_case, base, x)
        return result

    def _branch(self, first: int, last: int) -> tuple[Branch, dict[str, Any]]:
        if self._kept is None or self._kept[0] != (first, last):
            self._kept = None
            quiet = as_instance(self.instance, first, last, [self._nothing()])
            branch = Branch(quiet, self.builds, self._openings(first), self.settings)
            x = branch.solve()
            case = Case("", "", 0.0, first, last)
            self._kept = (first, last), branch, {**_measure(branch, x, case), "x": x}
        return self._kept[1], self._kept[2]

    def _nothing(self) -> dict[str, Any]:
        products = {r.process for r in self.instance.recipes if r.role == "output"}
        facility = next(o.facility for o in self.instance.operations if o.process in products)
        return {**NONE, "facility": facility}

    def _openings(self, first: int) -> dict[tuple[str, str], float]:
        """The plan's stocks at the end of the period before the blow."""
        years = self.instance.years
        begun = max(i for i, y in enumerate(years) if y <= max(first, years[0]))
        if begun == 0:
            return {
                (s.stockpile, "exposed" if s.initial_exposed else "clean"): s.initial_t
                for s in self.instance.stockpiles
                if s.initial_t
            }
        stocks = self.run.tables["stocks"]
        return {
            (str(r.stockpile), str(r.provenance)): float(r.stock_t)
            for r in stocks[stocks["year"] == years[begun - 1]].itertuples()
        }

    def _exports(self, case: Case) -> dict[tuple[str, str], float]:
        """What the plan exports, t/yr, in the first period that the case touches: the reference of a partial stop."""
        years = self.instance.years
        year = max(y for y in years if y <= max(case.first, years[0]))
        wanted = set(stopped_exports(self.instance, case))
        found: dict[tuple[str, str], float] = defaultdict(float)
        for r in self.run.tables["flows"].itertuples():
            if r.year == year and (r.material, r.origin) in wanted:
                found[str(r.material), str(r.origin)] += float(r.t)
        return dict(found)

    def _audit(self, of_case: Instance, branch: Branch, x: np.ndarray) -> dict[str, Any]:
        """The independent audit of the plan together with this branch."""
        from dataclasses import replace

        from ..auditing import audit
        from ..solution import Reader
        from ..solving import Outcome, by_family
        from ..tables import frame

        outcome = Outcome("optimal", True, values=by_family(branch.arrays.columns, x))
        reader = Reader(replace(branch.prepared, instance=of_case), outcome)
        tables = {name: frame(name, rows) for name, rows in reader.operations()[SCENARIO].items()}
        branches = {**self.run.branches, SCENARIO: tables}
        report = audit(of_case, _Assembled(self._plan(of_case), dict(self.run.tables), branches))
        return {"ok": report.ok, "faults": "" if report.ok else str(report)}

    def _plan(self, of_case: Instance) -> dict[str, Any]:
        described = {"name": of_case.name, "title": of_case.title, "sha256": of_case.sha256}
        return {**self.run.plan, "instance": described}


class _Assembled:
    """A run of which one branch was solved afterwards."""

    def __init__(self, plan: dict[str, Any], tables: dict[str, Any], branches: dict[str, dict[str, Any]]) -> None:
        self.plan, self.tables, self.branches = plan, tables, branches


def _measure(branch: Branch, x: np.ndarray, case: Case) -> dict[str, Any]:
    """Demand and shortage by consumer and period while the case lasts, and the present cost to the horizon's end."""
    data, span = branch.data, branch.prepared.periods
    by_consumer: dict[tuple[str, str, str, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    columns = branch.arrays.columns.get("short", {})
    for d, need in enumerate(data.need):
        node = data.nodes[need.node]
        years = overlap_share(span[node.period], case.first, case.last) * node.length
        if years > 0.0:
            cell = by_consumer[need.country, need.sector, need.material, node.year]
            cell[0] += need.demand * 1e3
            cell[1] += float(x[columns[d]]) * 1e3
            cell[2] = years
    cost = float(branch.arrays.cost @ x)
    return {"consumers": {k: tuple(v) for k, v in by_consumer.items()}, "cost": cost}


def _compared(case: Case, measured: dict[str, Any], undisturbed: dict[str, Any]) -> Result:
    consumers = []
    short = 0.0
    before = 0.0
    served: dict[tuple[str, str], list[tuple[int, float, float]]] = defaultdict(list)
    for (country, sector, material, year), (demand, missing, years) in sorted(measured["consumers"].items()):
        planned = undisturbed["consumers"].get((country, sector, material, year), (0.0, 0.0, 0.0))[1]
        short += missing * years
        before += planned * years
        consumers.append(
            {"country": country, "sector": sector, "material": material, "year": year, "demand_t": demand,
             "short_t": missing, "short_without_t": planned}
        )  # fmt: skip
        served[country, sector].append((year, demand - missing, demand))
    months = [
        {"country": country, "sector": sector, "months_served": months_served(rows, measured, country, sector)}
        for (country, sector), rows in sorted(served.items())
    ]
    return {
        "key": case.key, "case": case.name, "family": case.family, "severity": case.severity, "first_year": case.first,
        "last_year": case.last, "unserved_t": short - before, "short_t": short,
        "extra_cost_musd": measured["cost"] - undisturbed["cost"], "consumers": consumers, "survival": months,
    }  # fmt: skip


def months_served(rows: list[tuple[int, float, float]], measured: dict[str, Any], country: str, sector: str) -> float:
    """Months from the blow on for which a sector of a country is served in full, if it uses what it gets in full.

    rows  (year, t served, t asked) of its materials, years of the disruption only. A period that is served in full
    counts whole; in the first that is not, what it gets lasts for the same part of its months (12 times the years of
    the disruption that lie in it). Infinite trust in later periods is not placed: the count ends there.
    """
    lengths = {
        year: years for (c, s, _, year), (_, _, years) in measured["consumers"].items() if (c, s) == (country, sector)
    }
    total = 0.0
    for year in sorted(lengths):
        got = sum(g for y, g, _ in rows if y == year)
        asked = sum(a for y, _, a in rows if y == year)
        part = 1.0 if asked <= 0.0 else min(1.0, got / asked)
        total += 12.0 * lengths[year] * part
        if part < 1.0 - FULL:
            break
    return total


def _decisive(branch: Branch, before: np.ndarray) -> str:
    """Which lost capacity or stopped export is missed most: what one unit of it is worth times what is lost of it."""
    duals = branch.solver.solution()[1]
    data, worst, name = branch.data, 0.0, ""
    used = branch.arrays.matrix @ before
    for i, limit in enumerate(data.capacity):
        row = branch.capacity_rows[i]
        now = branch.solver.highs.getRow(row)[2]
        lost = max(0.0, float(used[row]) - float(now))
        worth = -float(duals[row]) * lost
        if worth > worst + 1e-12:
            worst, name = worth, f"{limit.facility} {data.nodes[limit.node].year}"
    stops = range(branch.arrays.matrix.shape[0], len(duals))
    for row in stops:
        worth = -float(duals[row])
        columns = branch.solver.highs.getRowEntries(row)[1]
        lost = float(sum(before[int(k)] for k in columns))
        if worth * lost > worst + 1e-12:
            ship = next(i for i, k in branch.ships.items() if k == int(columns[0]))
            s = data.ship[ship]
            worst, name = worth * lost, f"{s.material} from {s.origin} {data.nodes[s.node].year}"
    return name
