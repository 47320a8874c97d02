"""Outcomes of projects: whether they come, how late, at what cost and size.

They are drawn quasi-randomly (a Sobol sequence) and do not depend on the plan, so that plans can be compared on them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import UsageError
from ...instance.timeline import horizon_end, start_years

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import DeliveryRisk, Option

ASPECTS = 4  # of a project, each drawn by itself: success, delay, cost, size
EDGE = 1e-12  # how near to 0 and 1 a point may lie that becomes a normal deviate, which must be finite


Project = str | tuple[str, int]  # an option; or option and start year, where that start is a project of its own


class ProjectOutcome(NamedTuple):
    """What happens to a project.

    comes  whether it comes at all
    delay  whole years later than planned
    capex  factor on capex_musd
    share  share of the planned capacity that is reached
    """

    comes: bool
    delay: int
    capex: float
    share: float


AS_PLANNED = ProjectOutcome(comes=True, delay=0, capex=1.0, share=1.0)
NEVER = AS_PLANNED._replace(comes=False)

JointOutcome = Mapping[Project, ProjectOutcome]  # what happens to each project; all others come as planned


def project_of(known: Collection[Project], option: str, year: int) -> Project:
    """Return the project to which belongs what an option starts in a year: that start if it is known, else the option.

    >>> project_of([("lines", 2030), "mine"], "lines", 2030), project_of([("lines", 2030), "mine"], "mine", 2030)
    (('lines', 2030), 'mine')
    """
    return (option, year) if (option, year) in known else option


def fate(outcome: JointOutcome, option: str, year: int) -> ProjectOutcome:
    """Return what happens in an outcome to what an option starts in a year."""
    return outcome.get(project_of(outcome, option, year), AS_PLANNED)


@dataclass(frozen=True, slots=True)
class Draws:
    """Outcomes of all projects: arrays of shape (outcomes, projects), columns in the order of ``projects``.

    comes  bool; like the others, the meaning is that in `ProjectOutcome`
    delay  whole years
    capex  factor
    share  share
    events  of shape (outcomes, scenarios), one for each scenario that is drawn beside: a number from 0 to 1
    """

    projects: tuple[Project, ...]
    comes: np.ndarray
    delay: np.ndarray
    capex: np.ndarray
    share: np.ndarray
    events: np.ndarray

    def __len__(self) -> int:
        return len(self.comes)

    def outcome(self, s: int) -> dict[Project, ProjectOutcome]:
        """Return what happens to each project in outcome ``s``, counted from 0."""
        rows = (self.comes[s].tolist(), self.delay[s].tolist(), self.capex[s].tolist(), self.share[s].tolist())
        return {project: ProjectOutcome(*values) for project, *values in zip(self.projects, *rows, strict=True)}


def uncertain(instance: Instance) -> bool:
    """Return whether some project of the instance may not come as planned."""
    return bool(instance.delivery_risk) or any(o.success_probability < 1.0 for o in instance.options)


def check_uncertain(instance: Instance) -> None:
    """Raise UsageError if every project of the instance is certain to come as planned."""
    if not uncertain(instance):
        raise UsageError("every project is certain: give options.csv success_probability, or rows of delivery_risk.csv")


def check_linear(instance: Instance) -> None:
    """Raise UsageError if the operations have whole numbers; those of each outcome must be linear."""
    if any(lane.min_t or lane.fixed_musd for lane in instance.lanes):
        raise UsageError(
            "lanes with a least lot or a fixed cost (lanes.csv min_t, fixed_musd) are used or not, but outcomes of "
            "projects are compared by linear operations: take these columns out of it"
        )


def draw(instance: Instance, samples: int, seed: int | Sequence[int], events: int = 0) -> Draws:
    """Draw outcomes from a scrambled Sobol sequence, with one coordinate per project and aspect, and per common cause.

    samples  how many; a power of 2 covers the outcomes most evenly
    seed     of the scrambling; the same seed gives the same outcomes
    events   how many numbers are drawn beside, for scenarios

    The options of an exclusive group are one project in several forms (such as with and without a loan), so the same
    happens to all of them. Of an option whose starts are `apart` each start year is a project. The draws depend on the
    options of the instance only, not on what is built: all plans are tried on the same outcomes (common random
    numbers). A common cause is the one factor of a Gaussian copula: the normal deviate of an aspect is the square root
    of the correlation times that of the cause, plus the rest of its own. So every aspect keeps its own distribution.
    Raises UsageError if the sequence has not so many coordinates.
    """
    from scipy.stats import norm, qmc

    yearly = apart(instance)
    drawn: list[tuple[Project, Option, tuple[str, int]]] = []  # options that share the last come or fail as one
    for o in instance.options:
        name = o.exclusive_group or o.option
        if o.option in yearly:
            drawn += [((o.option, year), o, (name, year)) for year in yearly[o.option]]
        else:
            drawn.append((o.option, o, (name, 0)))
    fates = {key: i for i, key in enumerate(sorted({key for *_, key in drawn}))}
    risk = {o.option: risk_of(instance, o) for o in instance.options}
    risks = [risk[o.option] for _, o, _ in drawn]
    causes = sorted({r.common_cause for r in risks} - {""})
    first_cause = ASPECTS * max(1, len(fates))
    dimensions = first_cause + len(causes) + events
    if dimensions > qmc.Sobol.MAXDIM:
        raise UsageError(
            f"{len(fates):,} projects need {dimensions:,} coordinates, and the Sobol sequence that draws outcomes has "
            f"{qmc.Sobol.MAXDIM:,}: say `apart` of fewer options in delivery_risk.csv"
        )
    sequence = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    points = sequence.random(1 << max(0, (samples - 1).bit_length()))[:samples]
    columns = np.array([fates[key] for *_, key in drawn], dtype=int)
    uniform = [points[:, a * len(fates) + columns] for a in range(ASPECTS)]
    for k, cause in enumerate(causes, start=first_cause):
        bad = norm.ppf(points[:, k].clip(EDGE, 1.0 - EDGE))[:, np.newaxis]
        of = [i for i, r in enumerate(risks) if r.common_cause == cause]
        part = np.array([risks[i].correlation for i in of])
        for aspect, worse in enumerate((1.0, 1.0, 1.0, -1.0)):  # a large number is bad but for the size
            own = norm.ppf(uniform[aspect][:, of].clip(EDGE, 1.0 - EDGE))
            uniform[aspect][:, of] = norm.cdf(worse * np.sqrt(part) * bad + np.sqrt(1.0 - part) * own)
    chance = np.array([o.success_probability for _, o, _ in drawn])
    return Draws(
        tuple(project for project, *_ in drawn),
        uniform[0] < chance,
        _whole(_triangular(uniform[1], [(r.delay_low, r.delay_mode, r.delay_high) for r in risks])),
        _triangular(uniform[2], [(r.capex_low, r.capex_mode, r.capex_high) for r in risks]),
        _triangular(uniform[3], [(r.share_low, r.share_mode, r.share_high) for r in risks]),
        points[:, dimensions - events :],
    )


def apart(instance: Instance) -> dict[str, tuple[int, ...]]:
    """Return the options of which each start is a project of its own (delivery_risk.csv), with their start years.

    The options of an exclusive group are one project in several forms, so that one of them says so for all.
    """
    end = horizon_end(instance)
    said = {o.exclusive_group or o.option for o in instance.options if risk_of(instance, o).apart}
    return {
        o.option: start_years(o, instance.years, end)
        for o in instance.options
        if (o.exclusive_group or o.option) in said
    }


def on_average(instance: Instance) -> dict[Project, ProjectOutcome]:
    """Return what each start of the options that are `apart` brings on average: its share counts the chance, too."""
    means: dict[Project, ProjectOutcome] = {}
    options = {o.option: o for o in instance.options}
    for name, years in apart(instance).items():
        risk, chance = risk_of(instance, options[name]), options[name].success_probability
        delay, capex, share = (
            sum(getattr(risk, f"{what}_{end}") for end in ("low", "mode", "high")) / 3.0
            for what in ("delay", "capex", "share")
        )
        mean = ProjectOutcome(True, int(_whole(np.array(delay))), capex, chance * share)
        means |= {(name, year): mean for year in years}
    return means


def risk_of(instance: Instance, option: Option) -> DeliveryRisk:
    """Return the row of delivery_risk.csv that governs an option: its own, its owner's, that of its kind, or of all.

    Without any, the row returned says that the option comes as planned.
    """
    from ...instance.tables import DeliveryRisk

    plant = next(f for f in instance.facilities if f.facility == option.facility)
    rows = {(r.option, r.projects): r for r in instance.delivery_risk}
    kind = "startup" if plant.startup else "established"
    keys = {o.option for o in instance.options}  # a name that is a key means that option, not an owner
    owner = "" if plant.owner in keys else plant.owner
    for name in ((option.option, "one"), (owner, "one"), ("", kind), ("", "all")):
        if name in rows:
            return rows[name]
    return DeliveryRisk(option=option.option, projects="one", note="")


def _whole(years: np.ndarray) -> np.ndarray:
    """Round delays to whole years, half a year up: a project that misses the beginning of a year misses the year."""
    return np.floor(years + 0.5).astype(int)


def _triangular(uniform: np.ndarray, ranges: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """Uniform numbers -> triangular ones, column by column; all mass at a point where low = high."""
    low, mode, high = (np.array([r[i] for r in ranges]) for i in range(3))
    span = np.where(high > low, high - low, 1.0)
    peak = (mode - low) / span
    rising = low + np.sqrt(uniform * span * (mode - low))
    falling = high - np.sqrt((1.0 - uniform) * span * (high - mode))
    drawn: np.ndarray = np.where(uniform < peak, rising, falling)
    return np.where(high > low, drawn, low)
