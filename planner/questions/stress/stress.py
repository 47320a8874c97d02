"""The call ``stress``: it tries all cases, in parallel and resumable, and then combinations of the worst ones."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...arguments import checked, fraction
from ...errors import UsageError, idle
from ...instance.loading import given_instance
from ...language import N_, _, number
from ...runs.run import given_run
from ..many import Finished, Many, partial_file
from .answered import answerable
from .cases import FAMILIES, NOTHING, OUTAGE, STOP, Case, Shock, cases, clock_of, together
from .planned import Planned
from .result import FINISHED, Set, Stress, frames
from .trial import Trying

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run
    from ...solving.solver import Progress
    from ..many import Result

SETS = 150  # so many combinations of one size are all tried; of more, the worst are searched (`_Study._grown`)
ANSWERED = 10  # so many of the worst disruptions are answered
BEAM = 8  # the worst cases, and the worst combinations, that this search extends by one more loss


@checked
def stress(
    run: Run | str | Path,
    *,
    instance: Instance | str | Path | None = None,
    year: int | Collection[int] | None = None,
    years: int = 1,
    months: int | None = None,
    from_month: int | None = None,
    clock: str | None = None,
    level: float | str = 1.0,
    severity: float | Collection[float] = 1.0,
    squeeze: float | Collection[float] | None = None,
    wait: float = 0.0,
    families: Collection[str] = FAMILIES,
    only: Collection[str] = (),
    k: int = 1,
    rebuild_after: int | None = 1,
    audit: bool = True,
    survival: bool = True,
    workers: int | None = None,
    scheduler: str | None = None,
    folder: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Stress:
    """Try disruptions on a plan one by one; each re-solves its operations, with builds and stocks held.

    What the worst of them cost if something else may be started is told beside that (``rebuild_after``).

    run        what `solve` or `read_run` gave
    instance   another instance to try the plan in, such as one with other scenarios [the plan's own]
    year       first calendar year, or several; None: the one in which the plan delivers most exposed tonnes
    years      how many calendar years a disruption lasts
    months     how many months it lasts, instead
    from_month month of the year in which it begins, 1 to 12; None: January
    clock      ``month``: the years that a disruption touches, and the one after, are divided into months, and nothing
               but stocks makes up for what another month lacks; ``year``: a period is a yearly mean, six months of a
               stop take half of the year's exports or capacity, and what there is may be used at any time of the year;
               None: months, or years where a period is longer than a year
    level      by the clock of months: share of what the plan serves, above 0 to 1, that counts as served in the months
               for which a consumer holds out
    severity   part that is lost while it lasts, above 0 to 1, or several
    squeeze    instead of ``severity``: share of its normal exports, 0 to below 1, that a country still licenses, or
               several. Only exports are lost then; what is normal are those of the plan
    wait       weeks at the beginning of a squeeze in which nothing leaves, until the first licences are given
    families   of ``country`` (a stop of all exports; an outage of all plants), ``stage`` (the same of one stage of a
               country), ``facility`` (outage), ``material`` (a stop of one export: the heat map), ``scenario`` (those
               of the instance, as they stand), ``owner`` (an outage of all plants of an owner; not if none is given)
    only       names of cases, countries, blocs, stages, materials, facilities, owners or scenarios; empty: all
    k          also losses of up to k plants, or countries' exports, at once: all of them if they are few, else grown
               from the worst by what is worst alone and by what each leans on most (which may miss a worse one)
    rebuild_after  years from the blow on after which something else may be started: beside what a disruption costs
               held to the plan, an upper bound, stands what it costs free to answer. Where nothing started then can be
               online before it is over, both are the same, and nothing is searched; else an answer is a search of a
               whole plan, so that only the ANSWERED worst disruptions have one. None: never
    audit      recompute every case, and every answer, from the raw tables; what does not hold stands in ``faults``
    survival   also search for how many months from the blow each consumer could be kept, if it comes first (not of
               single consumers in large instances with goods under way, where each search takes seconds); by the
               clock of years how long each disruption could last before each consumer loses service
    workers    processes; None: one per core, where there is enough to do
    scheduler  address of a Dask scheduler to use instead, with the extra ``distributed``
    folder     write the results there. Finished cases are kept, so that a call that was stopped goes on when repeated
    overwrite  replace results of another plan in ``folder``

    The branch of the contract applies: nothing was foreseen, service floors and least use are lifted, caps and
    clean-only rules too while the disruption lasts, shortage pays. A partial stop of exports is measured on the plan's
    exports in the first period it touches. Without stockpiles and failing projects periods do not depend on each other,
    so that only those of the disruption are solved; else the branch runs to the end of the horizon.
    Raises UsageError on names, years and settings that cannot be, and on runs of other instances.
    """
    run = given_run(run)
    level = fraction(level, "level")
    instance = None if instance is None else given_instance(instance)
    from ...solving.solver import Settings

    if rebuild_after is not None and rebuild_after < 0:
        raise UsageError(f"rebuild_after = {rebuild_after}: expected 0 or more, or None for never")
    if k < 1:
        raise UsageError(f"k = {k}: expected 1 or more")
    if overwrite and folder is None:
        raise idle(["overwrite"], "without a folder")
    instance = instance or run.instance
    planned = Planned(instance, run)
    if not 0.0 < level <= 1.0:
        raise UsageError(f"level = {level:g}: expected a part above 0, up to 1")
    parts = _parts_lost(severity, squeeze, wait)
    given = [Shock(s, y, years, months, wait=wait) for y in _years(planned, year) for s in parts]
    shocks = clock_of(instance, clock, from_month, given)
    by_months = any(shock.from_month for shock in shocks)
    if level != 1.0 and not (by_months and survival):
        raise idle(["level"], "by the clock of years, or without survival")
    asked = cases(instance, planned, families, shocks, only)
    if squeeze is not None:
        asked = [case for case in asked if case.kind in (STOP, NOTHING)]
    if all(not case.rows for case in asked):
        raise UsageError("there is nothing to try: the plan runs, sells and exports nothing of these families then")
    when = {"year": year is not None, "years": years != 1, "months": months is not None, "severity": severity != 1.0}
    when |= {"from_month": from_month is not None, "clock": clock is not None, "squeeze": squeeze is not None}
    if any(when.values()) and all(case.family == "scenario" for case in asked if case.rows):
        raise idle(
            [name for name, given in when.items() if given], "for scenarios, which say when and how much is lost"
        )
    if k > 1 and not any(_joins(case) for case in asked):
        raise idle(["k"], "without two plants or two countries' exports that can be lost")
    target = None if folder is None else Path(folder)
    digest = run.digest_in(instance.sha256)
    goes_on = target is not None and _is_of(target, digest)
    if target is not None and not goes_on:
        Stress.check_folder(target, overwrite)
    finished = Finished(
        [digest, {"audit": audit, "survival": survival, "level": level}],
        None if target is None else partial_file(target),
        [] if target is None else [target / FINISHED],
    )
    trying = Trying.of(instance, run, Settings(), audit, survival, level)
    with Many(trying, finished, "cases", workers=workers, scheduler=scheduler, progress=progress) as many:
        study = _Study(many)
        try:
            study.run(asked)
            for size in range(2, k + 1):
                study.run(study.larger(asked, size))
            if rebuild_after is not None:
                study.answer(instance, rebuild_after)
            complete = True
        except KeyboardInterrupt:
            complete = False
    if not study.done:
        raise KeyboardInterrupt
    found = _results(instance, study, complete, audit, digest)
    if clock is None and not by_months:
        note = _("by the clock of years: a period that a disruption touches, or the one after, is longer than a year")
        found = replace(found, notes=(*found.notes, note))
    found.settings.update(
        {"years": years, "months": months, "from_month": from_month, "clock": "month" if by_months else "year",
         "level": level, "severity": severity, "squeeze": squeeze, "wait": wait, "families": list(families),
         "only": list(only), "k": k, "rebuild_after": rebuild_after}
    )  # fmt: skip
    if target is not None:
        found.write(target, overwrite or goes_on)
        finished.forget()
    return found


def _parts_lost(
    severity: float | Collection[float], squeeze: float | Collection[float] | None, wait: float
) -> list[float]:
    """Return the parts that are lost, one for each shock of a year. Raises UsageError on what cannot be."""
    if squeeze is None:
        if wait:
            raise idle(["wait"], "without a squeeze")
        return [severity] if isinstance(severity, (int, float)) else [*severity]
    if severity != 1.0:
        raise UsageError("give squeeze, the part that still leaves, or severity, the part that is lost, not both")
    left = [squeeze] if isinstance(squeeze, (int, float)) else [*squeeze]
    for part in left:
        if not 0.0 <= part < 1.0:
            raise UsageError(f"squeeze = {part:g}: expected a part from 0 to below 1")
    return [1.0 - part for part in left]


def _years(planned: Planned, year: int | Collection[int] | None) -> list[int]:
    """Return the years asked for; without any, the one in which the plan delivers most exposed tonnes."""
    if year is None:
        return [max(planned.instance.years, key=lambda y: (planned.exposed[y], -y))]
    return sorted({year} if isinstance(year, int) else set(year))


def _is_of(folder: Path, digest: str) -> bool:
    """Whether a folder holds a stress study of the plan with this digest."""
    try:
        return bool(json.loads((folder / Stress.MANIFEST).read_text(encoding="utf-8"))["of"] == digest)
    except (OSError, ValueError, KeyError, TypeError):
        return False


class _Study:
    """The cases that are done, and which combinations to try next.

    done  key of a case -> the case and its result
    sets  name of a combination -> what kind of combination it is
    """

    def __init__(self, many: Many) -> None:
        self.many = many
        self.done: dict[tuple[Any, ...], tuple[Case, Result]] = {}
        self.sets: dict[str, Set] = {}
        self.answers: dict[tuple[Any, ...], Case] = {}

    def answer(self, instance: Instance, after: int) -> None:
        """Add to the cases done what they cost free to answer: those that nothing can answer, and the worst others."""
        found = [(case, result) for case, result in self.done.values() if "extra_cost_musd" in result and case.rows]
        worst = {case.key: case for case in self._worst([case for case, __ in found], len(found))}
        asked = [c for c in worst.values() if self.done[c.key][1]["lost_t"] > 0.0 and answerable(instance, c, after)]
        chosen = {self.key(free): free for c in asked[:ANSWERED] for free in (replace(c, after=after),)}
        saved = {chosen[key].key: result for key, result in self.many.results(chosen)}
        self.answers = {case.key: case for case in chosen.values()}
        for case, result in found:
            of = saved.get(case.key, {})
            if case.key not in saved and not case.fails and (case not in asked):
                of = {"saved_musd": 0.0, "answered_lost_t": result["lost_t"], "answered_gap": math.nan}
            if of.get("saved_musd") is not None:
                answered = {**of, "answered_musd": result["extra_cost_musd"] - of["saved_musd"]}
                found_wrong = [result["audit"], *([f"answered: {of['audit']}"] if of.get("audit") else [])]
                answered["audit"] = "; ".join(filter(None, found_wrong))
                self.done[case.key] = case, {**result, **answered}

    def run(self, asked: Sequence[Case]) -> None:
        """Try cases. Of several with the same rows and years only the first is solved; it stands for all."""
        different: dict[tuple[Any, ...], Case] = {}
        for case in sorted(asked, key=lambda c: (*c.when, c.family, c.name)):
            different.setdefault(case.key, case)
        by_key = {self.key(case): case for case in different.values()}
        for key, result in self.many.results(by_key):
            self.done[by_key[key].key] = by_key[key], result

    def key(self, case: Case) -> str:
        """Return the key under which the result of a case is kept."""
        rows = [row.model_dump(exclude={"note", "source", "active"}) for row in case.rows]
        return self.many.finished.key({**asdict(case), "rows": rows})

    def larger(self, asked: Sequence[Case], size: int) -> list[Case]:
        """Return the combinations of ``size`` losses to try, of plants and of countries' exports, for each shock."""
        groups: dict[tuple[Any, ...], list[Case]] = {}
        for case in asked:
            if group := _joins(case):
                groups.setdefault((group, *case.when), []).append(case)
        found = []
        for (group, *shock), singles in groups.items():
            exhaustive = math.comb(len(singles), size) <= SETS
            chosen = list(combinations(singles, size)) if exhaustive else self._grown(singles, shock, size)
            for parts in chosen:
                case = together(parts)
                self.sets[case.name] = Set(size, group, exhaustive)
                found.append(case)
        return found

    def _grown(self, singles: Sequence[Case], shock: Sequence[Any], size: int) -> list[tuple[Case, ...]]:
        """Return the worst combinations of one size less, each extended by one more loss (a beam search).

        The losses added are those that are worst alone, and the plants that the combination leans on most.
        """
        by_name = {c.name: c for c in singles}
        worst = self._worst(singles)
        bases: list[tuple[Case, ...]] = [(c,) for c in worst]
        if size > 2:
            smaller = [
                (case, tuple(by_name[n] for n in case.name.split(" + ")))
                for case, __ in self.done.values()
                if case.name.count(" + ") == size - 2 and case.when == tuple(shock)
                if set(case.name.split(" + ")) <= set(by_name)
            ]
            parts_of = {case.key: parts for case, parts in smaller}
            bases = [parts_of[c.key] for c in self._worst([c for c, __ in smaller])]
        found: dict[str, tuple[Case, ...]] = {}
        for base in bases:
            whole = together(base) if len(base) > 1 else base[0]
            leaning = [by_name.get(f"{OUTAGE}:{f}") for f in self.done[whole.key][1]["critical"]]
            for more in [*worst, *(c for c in leaning if c is not None)]:
                if more not in base:
                    parts = (*base, more)
                    found.setdefault(together(parts).name, parts)
        return list(found.values())

    def _worst(self, candidates: Sequence[Case], most: int = BEAM) -> list[Case]:
        """Return the worst cases, at most so many: by the cost of lost service, then by extra cost."""

        def harm(case: Case) -> tuple[float, float, str]:
            result = self.done[case.key][1]
            return -result.get("lost_musd", math.inf), -result.get("extra_cost_musd", math.inf), case.name

        return sorted(candidates, key=harm)[:most]


def _joins(case: Case) -> str:
    """Return with what a case can be lost at once: other ``plants``, other ``countries``; "" if with nothing."""
    if case.family == "facility":
        return N_("plants")
    return N_("countries") if case.family == "country" and case.kind == STOP else ""


def _results(instance: Instance, study: _Study, complete: bool, audited: bool, digest: str) -> Stress:
    """Return the study of what was tried; ``complete`` is False if it was interrupted."""
    results = [result for __, result in study.done.values()]
    tables = frames(results, study.sets)
    faults = {f"{r['case']} {r['year']}": r["audit"] for r in results if r["audit"]}
    notes = []
    short = sum(r["lost_t"] for r in results if r["kind"] == "none")
    if short > 0.0:
        notes.append(
            _(
                "{tonnes} t are left short beyond the plan where nothing is lost: with service floors lifted it does "
                "not pay to serve them",
                tonnes=number(f"{short:,.4g}"),
            )
        )
    return Stress(
        **tables,
        title=instance.title or instance.name,
        audited=audited,
        complete=complete,
        faults=faults,
        notes=tuple(notes),
        finished=study.many.finished.text(
            study.key(case) for case in (*(case for case, __ in study.done.values()), *study.answers.values())
        ),
        of=digest,
        instance=instance,
    )
