"""The report of an audit: for each kind of check the number of comparisons, and the largest violation with its place.

Every comparison belongs to a kind. A violation is measured twice: in the unit of its kind (absolute), and divided by
the quantities in that comparison (relative). The relative figure decides whether it passes. The divisor, the scale, is
never less than the ``grain`` of the kind, so that grams and cents left by rounding do not count as mistakes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from ..instance.metrics import METRICS
from ..words import paragraphs

TOLERANCE = 1e-6  # largest relative violation that passes
RARE_METRICS = ("own_share", "impact", "largest_share")  # of few instances, see `Kind`
SHOWN = 10  # how many violations of a kind are kept: the largest


@dataclass(frozen=True)
class Kind:
    """A kind of check: what must hold, the unit of its numbers, and the least scale by which they are divided.

    rare  whether it is left out of a report in which nothing of the kind was compared: it is of tables that few have
    """

    title: str
    unit: str
    grain: float
    rare: bool = False


def _faults(title: str) -> Kind:
    """Return a kind whose violations are whole rows that are wrong."""
    return Kind(title, "row", 1.0)


def _tonnes(title: str) -> Kind:
    # rows of up to a gram may be left out of a table: that is the tolerance times one tonne
    return Kind(title, "t", 1.0)


def _tonne_sums(title: str) -> Kind:
    # of a sum over many rows several such rows may have been left out
    return Kind(title, "t", 10.0)


KINDS: dict[str, Kind] = {
    # what was written
    "plan": _faults("plan.json is complete and belongs to this instance"),
    "tables": _faults("every table is there, with exactly its columns"),
    "branches": _faults("one branch for every scenario"),
    "values": _faults("cells are numbers, years or known words"),
    "negative": _tonnes("no negative quantity"),
    "keys": _faults("names, countries and years are the instance's"),
    "duplicates": _faults("no two rows with the same key"),
    "order": _faults("rows are sorted"),
    # investment
    "build_start": _faults("starts within the option's window and in time to come online"),
    "build_modules": Kind("whole modules where declared, between min_modules and max_modules", "modules", 1.0),
    "build_pace": Kind("modules started per year within max_per_year", "modules", 1.0),
    "exclusive": Kind("at most one option of an exclusive group", "options", 1.0),
    "groups": Kind("what is started of a group of options keeps its limits", "", 1.0, rare=True),
    "requires": Kind("nothing starts before what it requires", "modules", 1.0),
    "build_shared": Kind(
        "a branch starts what the course it leaves starts until it may build", "modules", 1.0, rare=True
    ),
    "build_columns": Kind("online_year, capacity_t and capex_musd of builds.csv", "", 1.0),
    "closures": Kind("closures are allowed, at most the whole, and for good where retired", "", 1.0),
    "capacity": _tonnes("capacity_t follows from own capacity and builds"),
    "used": _tonnes("used_t follows from the activities"),
    # operations
    "operations": _faults("activities are operations of the instance, with the provenance their rule gives"),
    "capacity_limit": _tonnes("activity within capacity, outages and failed projects included"),
    "min_use": _tonnes("min_use is kept"),
    "offtake": _tonnes("what is to be taken is made"),
    "lanes": _faults("shipments run on valid lanes"),
    "lane_limit": _tonnes("shipments within the lane's max_t"),
    "least_lot": _tonnes("a lane that is used carries its min_t"),
    "export_stop": _tonne_sums("exports within what a stop leaves"),
    "market_limit": _tonnes("purchases within the market's max_t"),
    "provenance": _faults("purchases and adjustments carry the right provenance"),
    "balance": _tonne_sums("what comes in goes out, by material, country, provenance and year"),
    "surplus": _tonne_sums("discarded only where made, and where the material allows it"),
    "transit": _tonne_sums("nothing leaves that was not made or bought there"),
    "stock": _tonnes("end stock = stock before + put - draw"),
    "stock_draw": _tonnes("no more is drawn than was in stock, or than may be released"),
    "stock_limit": _tonnes("stock within max_t and what options add to it"),
    "stock_final": _tonnes("final_min_t is there at the end"),
    "demand": _tonnes("clean, exposed and short make up the demand"),
    "min_service": _tonnes("min_service is kept"),
    "clean_only": _tonnes("no exposed delivery from clean_from_year on"),
    # blends
    "blend": Kind("properties of what is blended within their limits", "", 1.0, rare=True),
    # sales
    "sale_rows": replace(_faults("what is sold is what its buyer takes, where it takes it"), rare=True),
    "sale_limit": replace(_tonnes("sales between min_t and max_t of the buyer"), rare=True),
    "revenue": Kind("revenue_musd of each sale", "MUSD", 1e-3, rare=True),
    # goods under way
    "under_way": replace(_tonne_sums("what arrives left before, by the weeks of its lane"), rare=True),
    # substitution
    "swaps": replace(_faults("substitutes replace what they may, by what they may"), rare=True),
    "swap_limit": replace(_tonnes("substitutes within max_share of the demand"), rare=True),
    # impacts
    "impacts": Kind("impact_totals.csv follows from operations and builds", "", 1.0, rare=True),
    "impact_cost": Kind("cost_musd of impact_totals.csv", "MUSD", 1e-3, rare=True),
    "swap_cost": Kind("cost_musd of what substitutes replace", "MUSD", 1e-3, rare=True),
    # returns
    "returned_rows": replace(_faults("what comes back is what returns.csv says, and where"), rare=True),
    "returned": replace(_tonnes("no more is collected than comes back of what was delivered"), rare=True),
    # dependence
    **{metric: replace(_tonne_sums(f"{metric} caps hold"), rare=metric in RARE_METRICS) for metric in METRICS},
    "dependence_rows": _faults("dependence.csv has every row it must have, and no other"),
    "dependence": Kind("shares and limits of dependence.csv", "share", 1.0),
    "marginals": Kind("marginal values only of caps, and never negative", "MUSD", 1.0),
    "origin": Kind("origin.csv traces what was received to where each stage was done", "", 1.0),
    # money
    "freight": Kind("freight_musd of each shipment", "MUSD", 1e-3),
    "tariff": Kind("tariff_musd of each shipment", "MUSD", 1e-3),
    "purchase": Kind("cost_musd of each purchase, and of replacing working stocks", "MUSD", 1e-3),
    "outlays": Kind("what payers of price floors and offtakes owe", "", 1e-3),
    "costs": Kind("musd of costs.csv, expected over the branches", "MUSD", 1.0),
    "present": Kind("present_musd of costs.csv", "MUSD", 1.0),
    "objective": Kind("objective_musd is the sum of present_musd", "MUSD", 1e-3),
    "gap": Kind("gap follows from objective and bound, and the bound lies below", "", 1.0),
    "metrics": Kind("metrics of plan.json", "", 1.0),
    "prices": _faults("a price where a material passes, and a blank where none does"),
    # funding
    "funding_rows": _faults("money only from eligible sources, in their years, for options that ask for it"),
    "funding_sum": Kind("funding makes up the capex of each calendar year", "MUSD", 1.0),
    "funding_private": Kind("private money within private_musd", "MUSD", 1.0),
    "funding_budget": Kind("funds within their budgets", "MUSD", 1.0),
    "funding_share": Kind("funds within their max_share of an option's capex", "MUSD", 1.0),
    "funding_least": Kind("the split takes the least public money", "MUSD", 1.0),
    "funding_branch": Kind("what a branch starts can be paid for", "MUSD", 1.0, rare=True),
}

Place = tuple[object, ...]


@dataclass(frozen=True)
class Violation:
    """One comparison that failed; ``absolute`` is in the unit of its kind, ``relative`` a fraction of its scale."""

    where: str
    what: str
    absolute: float
    relative: float

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Check:
    """All comparisons of one kind; ``absolute``, ``relative`` and ``where`` belong to the largest deviation."""

    kind: str
    title: str
    unit: str
    comparisons: int
    failed: int
    absolute: float
    relative: float
    where: str
    violations: tuple[Violation, ...]

    @property
    def ok(self) -> bool:
        return self.failed == 0

    def __str__(self) -> str:
        line = f"{'ok  ' if self.ok else 'FAIL'} {self.kind:<21} {self.comparisons:>8,} compared"
        if not self.ok:
            return f"{line}, {self.failed:,} violated ({self.title}); worst at {self.violations[0]}"
        off = f", off by {self.absolute:.0e} {self.unit}".rstrip() if self.absolute else ""
        return f"{line}{off}: {self.title}"

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain values, for ``plan.json``."""
        result: dict[str, Any] = {
            "kind": self.kind,
            "comparisons": self.comparisons,
            "failed": self.failed,
            "unit": self.unit,
            "absolute": self.absolute,
            "relative": self.relative,
            "where": self.where,
        }
        if self.violations:
            result["violations"] = [str(violation) for violation in self.violations]
        return result


@dataclass(frozen=True, repr=False)
class AuditReport:
    """The checks of one run, in the order of :data:`KINDS`."""

    checks: tuple[Check, ...]
    tolerance: float = TOLERANCE

    def __repr__(self) -> str:
        failed = sum(check.failed for check in self.checks)
        return (
            f"<AuditReport: {self.comparisons:,} comparisons, {f'{failed:,} violated' if failed else 'no violation'}>"
        )

    def _repr_html_(self) -> str:
        return paragraphs(str(self))

    @property
    def ok(self) -> bool:
        """Whether all comparisons of all kinds passed."""
        return all(check.ok for check in self.checks)

    @property
    def worst(self) -> Check:
        """The check with the largest relative deviation."""
        return max(self.checks, key=lambda check: (check.relative, check.failed))

    @property
    def comparisons(self) -> int:
        return sum(check.comparisons for check in self.checks)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The largest violations of each kind."""
        return tuple(violation for check in self.checks for violation in check.violations)

    def check(self, kind: str) -> Check:
        """Return the check of one kind, a key of `KINDS`."""
        return next(check for check in self.checks if check.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for ``plan.json`` and ``--json``."""
        return {
            "ok": self.ok,
            "comparisons": self.comparisons,
            "tolerance": self.tolerance,
            "worst": {
                "kind": self.worst.kind,
                "absolute": self.worst.absolute,
                "relative": self.worst.relative,
                "unit": self.worst.unit,
                "where": self.worst.where,
            },
            "checks": [check.to_dict() for check in self.checks],
        }

    def __str__(self) -> str:
        failed = [check for check in self.checks if not check.ok]
        used = [check for check in self.checks if check.comparisons]
        if failed:
            verdict = f"audit FAILED: {len(failed)} of {len(used)} kinds of check violated"
        else:
            verdict = f"audit ok: {len(used)} kinds of check"
        worst = f"largest deviation {self.worst.relative:.1e} relative ({self.worst.kind})"
        head = f"{verdict}, {self.comparisons:,} comparisons, {worst}"
        return "\n".join([head, *(f"  {check}" for check in used)])


@dataclass
class _Tally:
    comparisons: int = 0
    failed: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    where: str = ""
    violations: list[Violation] = field(default_factory=list)


class Book:
    """Records comparisons while the audit runs; to save time, a place becomes text only if it is reported.

    branch  the scenario whose branch is being audited, "" for the plan
    month   the month of it, 1 to 12; 0: whole periods
    """

    def __init__(self, tolerance: float = TOLERANCE) -> None:
        self.tolerance = tolerance
        self.branch = ""
        self.month = 0
        self._tallies = {kind: _Tally() for kind in KINDS}

    def copy(self) -> Book:
        """Return a book with the same records, to go on from."""
        book = Book(self.tolerance)
        book.branch = self.branch
        book._tallies = {kind: replace(t, violations=[*t.violations]) for kind, t in self._tallies.items()}
        return book

    def passed(self, kind: str, comparisons: int = 1) -> None:
        """Record comparisons that hold exactly."""
        self._tallies[kind].comparisons += comparisons

    def fault(self, kind: str, place: Place, what: str) -> None:
        """Record something missing, malformed or not allowed: a violation of size 1."""
        tally = self._tallies[kind]
        tally.comparisons += 1
        tally.failed += 1
        if tally.relative < 1.0:
            tally.absolute, tally.relative, tally.where = 1.0, 1.0, self._words(place)
        self._keep(tally, Violation(self._words(place), what, 1.0, 1.0))

    def equal(self, kind: str, value: float, expected: float, scale: float, place: Place) -> None:
        """Compare a number with what it must be; ``scale`` is what a difference is divided by, in the kind's unit."""
        self._compare(kind, value, expected, abs(value - expected), scale, place, "must be")

    def at_most(self, kind: str, value: float, limit: float, scale: float, place: Place) -> None:
        """Compare a number with its upper limit."""
        self._compare(kind, value, limit, value - limit, scale, place, "at most")

    def at_least(self, kind: str, value: float, floor: float, scale: float, place: Place) -> None:
        """Compare a number with its lower limit."""
        self._compare(kind, value, floor, floor - value, scale, place, "at least")

    def report(self) -> AuditReport:
        """Return the report of all that was recorded."""
        checks = [
            Check(
                kind=name,
                title=kind.title,
                unit=kind.unit,
                comparisons=tally.comparisons,
                failed=tally.failed,
                absolute=tally.absolute,
                relative=tally.relative,
                where=tally.where,
                violations=tuple(sorted(tally.violations, key=lambda v: (-v.relative, v.where, v.what))),
            )
            for (name, kind), tally in zip(KINDS.items(), self._tallies.values(), strict=True)
            if tally.comparisons or not kind.rare
        ]
        return AuditReport(tuple(checks), self.tolerance)

    def _compare(
        self, kind: str, value: float, other: float, by: float, scale: float, place: Place, sense: str
    ) -> None:
        """Record one comparison of ``value`` with ``other``.

        by     by how much it is violated, in the kind's unit; 0 or less: it holds
        scale  by what this is divided
        sense  the relation in words
        """
        tally = self._tallies[kind]
        tally.comparisons += 1
        if by <= 0.0:
            return
        if not math.isfinite(by):
            tally.comparisons -= 1
            self.fault(kind, place, f"{value:g}, {sense} {other:g}")
            return
        relative = by / max(scale, KINDS[kind].grain)
        if relative <= tally.relative and relative <= self.tolerance:
            return
        where = self._words(place)
        if relative > tally.relative:
            tally.absolute, tally.relative, tally.where = by, relative, where
        if relative > self.tolerance:
            tally.failed += 1
            unit = KINDS[kind].unit
            what = f"{value:.10g} {unit}, {sense} {other:.10g} {unit}, off by {by:.3g}".replace(" ,", ",")
            self._keep(tally, Violation(where, what, by, relative))

    def _words(self, place: Place) -> str:
        words = " ".join(str(part) for part in place if part != "")
        words = f"month {self.month}, {words}" if self.month else words
        return f"branch {self.branch}, {words}" if self.branch else words

    @staticmethod
    def _keep(tally: _Tally, violation: Violation) -> None:
        kept = tally.violations
        kept.append(violation)
        if len(kept) > SHOWN:
            kept.remove(min(kept, key=lambda one: one.relative))
