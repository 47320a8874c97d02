"""Near-optimal plans: what must be built in all of them, what in none, and plans that differ as much as possible.

Every cap and rule holds by construction, and the cost is at most (1 + slack) times the least. What a plan known from
the beginning shows is not asked; nor is what the least-cost plan shows with one project added or left out. Only what is
left takes a search. The searches are pieces of work that need nothing of each other.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ...arguments import checked, fraction
from ...errors import UsageError
from ...instance.loading import given_instance
from ...language import N_
from ..many import Finished, Many
from .answers import Piece, worker
from .different import apart, most_different, named
from .result import BUYS, SOME, Alternatives
from .space import Plan, Space
from .sums import members

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ...instance.instance import Instance
    from ...solving.solver import Progress

APART = 1e-3  # plans that differ by less are told once


@checked
def alternatives(
    instance: Instance | str | Path,
    *,
    slack: float | str = 0.03,
    plans: int = 3,
    groups: Sequence[str] = (),
    latest: bool = True,
    pairs: int = 8,
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Alternatives:
    """Plans whose cost is within ``slack`` (a fraction) of the least.

    plans       how many alternatives to look for, each as different as possible from all before in which options it
                builds (the sum of differences in the parts of their modules that are built)
    groups      such as ``country=USA``, ``owner=MP Materials``, ``startup=yes``, ``stage=separation``, ``option=A``:
                exact ends of their capacity and capex
    latest      ask the latest start of each option that is always built
    pairs       how many of the projects that are built in some plans only are looked at in pairs: whether a plan builds
                both of two, and whether one builds neither. Those of the least-cost plan and the dearest come first
    gap         relative gap of the least-cost solve; None: proven up to 200 integer decisions, else 0.001; the ends of
                ranges are proven, or marked
    time_limit  seconds for each search and trial [none; 30 in a model too large to be proven]; an end that was not
                proven in that time is marked
    workers     processes for the searches; None: one per core, where there is enough to do
    scheduler   address of a Dask scheduler to use instead, with the extra ``distributed``
    partial     file that keeps finished searches until all are done: a repeated call goes on from there

    Nothing is in every plan if one without any optional project is within the slack; so what such a plan costs, with
    nothing built but what is committed (``min_modules``), is found first, and a slack that large is warned of.

    The ceiling is (1 + slack) times the cost of the plan found, which may lie above the least by the gap. Raises
    UsageError and what `solve` raises.
    """
    instance = given_instance(instance)
    gap = fraction(gap, "gap")
    slack = fraction(slack, "slack")
    if not 0.0 <= slack < math.inf or plans < 0 or pairs < 0:
        raise UsageError(
            f"slack = {slack}, plans = {plans}, pairs = {pairs}: expected a fraction and numbers of 0 or more"
        )
    from ...solving.solver import Settings

    settings = Settings(gap, time_limit, threads, seed)
    space = Space(instance, slack, settings, progress)
    for text in groups:
        members(space, text)
    finished = Finished([instance.sha256, asdict(settings), slack, space.plan(space.best)], partial)
    begin = functools.partial(worker, space)
    with Many(begin, finished, "searches", workers=workers, scheduler=scheduler, progress=progress) as many:
        asked = _Asked(space, many)
        try:
            asked.all(plans, groups, latest, pairs)
            complete = True
        except KeyboardInterrupt:
            complete = False
    if complete:
        finished.forget()
    built = [(name, plan.cost, *row) for name, plan in asked.chosen.items() for row in space.started(plan)]
    return Alternatives(
        instance,
        slack,
        space.best_musd,
        space.bound_musd,
        space.ceiling,
        space.no_project,
        space.no_project_musd,
        _frame("ranges", asked.ranges()).astype({"least": float, "most": float}),
        _frame("groups", asked.found("span")),
        _frame("buys", asked.found("buy")),
        _frame("pairs", asked.pairs()),
        _frame("coverage", asked.coverage()).astype({"apart": float, "pairs_shown": float}),
        _frame("plans", built).astype({"modules": float}),
        complete,
        {"gap": space.gap, "time_limit": time_limit, "seed": seed},
    )


class _Asked:
    """What is asked of the space, and what was found.

    pieces   the pieces of work in the order in which they were asked
    results  piece of work -> what it found
    known    the plans within the slack that were seen
    chosen   name -> plan that is told: the least-cost plan, and those that differ most
    """

    def __init__(self, space: Space, many: Many) -> None:
        self.space, self.many = space, many
        self.pieces: list[Piece] = []
        self.results: dict[Piece, Any] = {}
        self.known = [space.plan(x) for x in space.first_seen]
        self.chosen = {N_("least cost"): self.known[0]}
        self.looked_at: list[str] = []

    def all(self, plans: int, groups: Sequence[str], latest: bool, pairs: int) -> None:
        """Ask everything, see `alternatives`."""
        space = self.space
        self.ask([("range", o) for o in sorted(space.options, key=lambda o: -space.options[o].capex_musd)])
        rows = {row[0]: row for row in self.ranges()}
        always = [o for o, row in rows.items() if latest and row[2] == "always"]
        least = space.totals(self.known[0])
        some = [o for o, row in rows.items() if row[2] == "sometimes" and space.options[o].integer]
        order = sorted(some, key=lambda o: (least[o] <= SOME, -space.options[o].capex_musd * rows[o][4], o))
        self.looked_at = order[:pairs]
        first = [self._farthest()] if plans else []  # no other question waits for this one
        self.ask(
            [
                *first,
                *(("buy", aim) for aim in BUYS),
                *(("span", text) for text in groups),
                *(("latest_start", o) for o in always),
                *(pair for pair in self._pairs() if not self._shown(pair, self.known)),
            ]
        )
        for _ in range(plans):
            before = list(self.chosen.values())
            piece = first.pop() if first else self._farthest()
            if piece not in self.results:
                self.ask([piece])
            if self.results[piece] is None:
                break
            plan = _plan(self.results[piece])
            if min(apart(space, plan, other) for other in before) <= APART:
                break
            self.chosen[named(space, plan, before[0], list(self.chosen))] = plan

    def _farthest(self) -> Piece:
        """The question for a plan that differs as much as possible from those chosen."""
        before = tuple(self.chosen.values())
        return "farthest", before, most_different(self.space, self.known, before)

    def ask(self, pieces: Sequence[Piece]) -> None:
        """Do pieces of work, and keep what they find and the plans that they see."""
        by_key = {self.many.finished.key(piece): piece for piece in pieces}
        self.pieces += pieces
        seen: dict[str, list[Plan]] = {}
        try:
            for key, result in self.many.results(by_key):
                self.results[by_key[key]] = result["found"]
                seen[key] = [_plan(plan) for plan in result["plans"]]
        finally:  # in the order of the pieces, however they ended
            self.known += [plan for key in by_key for plan in seen.get(key, ())]

    def found(self, name: str) -> list[Any]:
        """What the pieces of a name found, in the order in which they were asked; without those that have nothing."""
        found = (self.results.get(piece) for piece in self.pieces if piece[0] == name)
        return [tuple(row) for row in found if row is not None]

    def ranges(self) -> list[tuple[Any, ...]]:
        """Rows of the table ``ranges``; the range of an option not asked for yet is what the plans found show."""
        space, rows = self.space, []
        totals = [space.totals(plan) for plan in self.known]
        for option in sorted(space.options):
            known = [total.get(option, 0.0) for total in totals]
            least, most, sure_of_least, sure_of_most = self.results.get(
                ("range", option), (math.inf, 0.0, False, False)
            )
            least, most = min(least, *known), max(most, *known)
            verdict = _verdict(least, most, sure_of_least, sure_of_most)
            latest = self.results.get(("latest_start", option))
            facility, proven = space.options[option].facility, sure_of_least and sure_of_most
            rows.append((option, facility, verdict, least, most, proven, math.nan if latest is None else latest))
        return rows

    # --- pairs and coverage -------------------------------------------------------------------------------

    def _pairs(self) -> list[Piece]:
        """The questions asked of pairs: whether both are in some plan, whether neither is."""
        return [("pair", one, other, b) for one, other in combinations(self.looked_at, 2) for b in (True, False)]

    def _shown(self, pair: Piece, plans: Sequence[Plan]) -> bool:
        """Whether plans show the answer to a question of a pair to be yes."""
        _, one, other, built = pair
        totals = [self.space.totals(plan) for plan in plans]
        return any((total[one] > SOME) == (total[other] > SOME) == built for total in totals)

    def pairs(self) -> list[tuple[Any, ...]]:
        """Rows of the table ``pairs``."""
        said: dict[tuple[str, str], list[str]] = {}
        for pair in self._pairs():
            answer = True if self._shown(pair, self.known) else self.results.get(pair)
            said.setdefault((pair[1], pair[2]), []).append("open" if answer is None else "yes" if answer else "no")
        return [(*names, *answers) for names, answers in said.items()]

    def coverage(self) -> list[tuple[Any, ...]]:
        """Rows of the table ``coverage``: how much of what the near-optimal plans can be the plans told show."""
        space, rows = self.space, []
        wide = [(row[0], row[3], row[4]) for row in self.ranges() if row[4] - row[3] > SOME]
        possible = self._combinations(self.known)
        names = list(self.chosen)
        for count, name in enumerate(names, start=1):
            shown = [self.chosen[n] for n in names[:count]]
            totals = [space.totals(plan) for plan in shown]
            spans = [(max(t[o] for t in totals) - min(t[o] for t in totals)) / (m - least) for o, least, m in wide]
            nearest = min((apart(space, shown[-1], other) for other in shown[:-1]), default=math.nan)
            of_pairs = len(self._combinations(shown)) / len(possible) if possible else math.nan
            rows.append((name, nearest, sum(spans) / len(spans) if spans else 1.0, of_pairs))
        return rows

    def _combinations(self, plans: Sequence[Plan]) -> set[tuple[Any, ...]]:
        """The combinations of built or not of each pair looked at that plans show."""
        totals = [self.space.totals(plan) for plan in plans]
        two = combinations(self.looked_at, 2)
        return {(a, b, total[a] > SOME, total[b] > SOME) for a, b in two for total in totals}


def _plan(found: Sequence[Any]) -> Plan:
    """A plan as a file has it."""
    return Plan(found[0], tuple((i, n) for i, n in found[1]))


def _verdict(least: float, most: float, sure_of_least: bool, sure_of_most: bool) -> str:
    """What is known of an option; plans that were found show ``sometimes`` whether or not the ends are proven."""
    if least <= SOME < most:
        return "sometimes"
    if least > SOME:
        return "always" if sure_of_least else "open"
    return "never" if sure_of_most else "open"


def _frame(table: str, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=Alternatives.columns(table))
