"""``planner.sensitivity``: samples drawn, solved, and what they say of each change."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bands import Searched, difference
from ...errors import UsageError
from ..asked_file import asked_of, read_asked
from . import metrics
from .changes import Varied, resolve, varied
from .result import Sensitivity
from .study_file import StudyFile
from .trials import Positions, solve_all

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...solving.solver import Progress


SOME = 1e-6  # modules; less is none


def sensitivity(
    study: StudyFile | Mapping[str, Any] | str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    partial: Path | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Carry out a study: its file, its keys, or the study itself (paths then start from the current folder).

    workers    processes; None: one per core, where there is enough to do
    scheduler  address of a Dask scheduler to use instead, with the extra ``distributed``
    partial    file that keeps finished samples until all are done: a repeated call goes on from there

    Raises UsageError on what the study says wrong, InstanceError if its instance is not valid.
    """
    folder = Path()
    if isinstance(study, (str, Path)):
        study, folder = read_asked(StudyFile, study)
    elif not isinstance(study, StudyFile):
        study = asked_of(StudyFile, study, "study")
    instance = study.base(folder)
    changes = _changes(study, instance)
    names = [c.name for c in study.change]
    samples = _samples(study, names)
    for name in names:  # a change that leads out of what is valid is told before anything is solved
        for end in (0.0, 1.0):
            varied(instance, changes, {name: end})
    results = solve_all(study, instance, samples, partial, workers=workers, scheduler=scheduler, progress=progress)
    return _sensitivity(study, instance, changes, samples, results)


def _changes(study: StudyFile, instance: Instance) -> list[Varied]:
    """The changes, resolved in the instance. Raises UsageError with every problem of changes and metrics."""
    found: list[Varied] = []
    problems: list[str] = []
    for metric in study.metrics:
        try:
            metrics.check(instance, metric)
        except UsageError as error:
            problems.append(str(error))
    for change in study.change:
        try:
            found.append(resolve(instance, change))
        except UsageError as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\n".join(problems))
    return found


def _samples(study: StudyFile, names: Sequence[str]) -> list[Positions]:
    """The base first; then each change at its ends, or points over all of them."""
    if study.method == "one-at-a-time":
        return [{}, *({name: end} for name in names for end in (0.0, 1.0))]
    if study.method == "lhs":
        from scipy.stats import qmc

        points = qmc.LatinHypercube(len(names), rng=np.random.default_rng(study.seed)).random(study.samples)
    else:
        if study.samples & (study.samples - 1):
            raise UsageError(f"samples = {study.samples}: sobol needs a power of 2")
        points = _sobol("sample").sample(_problem(names), study.samples, calc_second_order=False, seed=study.seed)
    return [{}, *(dict(zip(names, map(float, point), strict=True)) for point in points)]


def _sobol(part: str) -> Any:
    """Return SALib's module that draws Saltelli's samples (``sample``) or shares out the variance (``analyze``)."""
    try:
        return importlib.import_module(f"SALib.{part}.sobol")
    except ModuleNotFoundError as missing:
        raise UsageError('sobol needs the extra "sobol": pip install "magnet-planner[sobol]"') from missing


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _sensitivity(
    study: StudyFile,
    instance: Instance,
    changes: Sequence[Varied],
    samples: Sequence[Positions],
    results: Sequence[dict[str, Any] | None],
) -> Sensitivity:
    """The study from its results: one for each sample, None where it was interrupted before."""
    import pandas as pd

    complete = all(r is not None for r in results)
    base = results[0]
    if base is None:
        raise KeyboardInterrupt
    values = {m: _number(base, m) for m in study.metrics}
    names = [c.name for c in study.change]
    rows = [
        (*(s.get(n, math.nan) for n in names), r["status"], _gap(r), *(_number(r, m) for m in study.metrics))
        for s, r in zip(samples, results, strict=True)
        if r is not None
    ]
    frame = pd.DataFrame(rows, columns=[*names, "status", "gap", *study.metrics])
    tornado, flips = pd.DataFrame(), pd.DataFrame()
    indices = pd.DataFrame()
    if study.method == "one-at-a-time":
        by_end = {(n, e): r for s, r in zip(samples, results, strict=True) for n, e in s.items()}
        tornado = _tornado(study, changes, base, by_end)
        flips = _flips(study, base, by_end)
    elif complete:
        indices = _indices(study, names, frame)
    return Sensitivity(study, instance, values, tornado, flips, frame, indices, complete)


def _number(result: Mapping[str, Any] | None, metric: str) -> float:
    value = None if result is None else result["metrics"].get(metric)
    return math.nan if value is None else float(value)


def _gap(result: Mapping[str, Any]) -> float:
    """Return the relative gap of a sample; NaN: it has no plan."""
    if result["searched"] is None:
        return math.nan
    cost, bound = result["searched"]
    return (cost - bound) / max(abs(cost), 1e-9)


def _swing(metric: str, low: Mapping[str, Any] | None, high: Mapping[str, Any] | None) -> tuple[float, float]:
    """Return the least and the most that the cost rises from the low to the high end by the gaps; NaN for others."""
    known = [r["searched"] for r in (low, high) if r is not None and r["searched"] is not None]
    if metric != "objective_musd" or len(known) < 2:
        return math.nan, math.nan
    band = difference(Searched(*known[1]), Searched(*known[0]))
    return (0.0, 0.0) if band.same else (band.least, band.most)


Ends = Mapping[tuple[str, float], dict[str, Any] | None]


def _tornado(study: StudyFile, changes: Sequence[Varied], base: Mapping[str, Any], by_end: Ends) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for change in changes:
        name = change.change.name
        low, high = by_end[name, 0.0], by_end[name, 1.0]
        for metric in study.metrics:
            a, b, at_base = _number(low, metric), _number(high, metric), _number(base, metric)
            least, most = _swing(metric, low, high)
            # within the gaps the cost may as well fall as rise
            sized = change.span == change.span and abs(at_base) > 1e-12 and not least < 0.0 < most
            elasticity = (b - a) / at_base / change.span if sized else math.nan
            status = ["" if r is None else r["status"] for r in (low, high)]
            rows.append((name, metric, a, at_base, b, b - a, least, most, elasticity, *status))
    return pd.DataFrame(rows, columns=Sensitivity.columns("tornado"))


def _flips(study: StudyFile, base: Mapping[str, Any], by_end: Ends) -> pd.DataFrame:
    """Options built at an end and not in the base, or the other way round."""
    import pandas as pd

    rows = []
    for change in study.change:
        for end, word in ((0.0, "low"), (1.0, "high")):
            result = by_end[change.name, end]
            if result is None or result["status"] not in ("optimal", "feasible"):
                continue
            for option in sorted({*base["built"], *result["built"]}):
                before, now = base["built"].get(option, 0.0), result["built"].get(option, 0.0)
                if (before > SOME) != (now > SOME):
                    rows.append((change.name, word, option, before, now))
    return pd.DataFrame(rows, columns=Sensitivity.columns("flips"))


def _indices(study: StudyFile, names: Sequence[str], frame: pd.DataFrame) -> pd.DataFrame:
    """What each change weighs in each metric: Spearman's rank correlation, or Sobol's shares of the variance."""
    import pandas as pd

    drawn = frame.iloc[1:]
    rows: list[tuple[Any, ...]] = []
    for metric in study.metrics:
        found = drawn[metric].to_numpy(dtype=float)
        if study.method == "lhs":
            for name in names:
                known = drawn[[name, metric]].dropna()
                varies = known[metric].nunique() > 1
                rows.append((name, metric, known[name].corr(known[metric], method="spearman") if varies else 0.0))
            continue
        if (found != found).any() or found.std() == 0.0:
            continue  # without a plan in some samples, or without any variation, there are no variances to share out
        said = _sobol("analyze").analyze(_problem(names), found, calc_second_order=False, seed=study.seed)
        for k, name in enumerate(names):
            numbers = (said["S1"][k], said["S1_conf"][k], said["ST"][k], said["ST_conf"][k])
            rows.append((name, metric, *(float(n) for n in numbers)))
    own = ["rank_correlation"] if study.method == "lhs" else ["first", "first_half_width", "total", "total_half_width"]
    return pd.DataFrame(rows, columns=[*Sensitivity.columns("indices"), *own])
