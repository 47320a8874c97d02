"""Outcomes of projects: whether they come, how late, at what cost and size.

They are drawn quasi-randomly (a Sobol sequence) and do not depend on the plan, so that plans can be compared on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import UsageError

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import DeliveryRisk, Option

ASPECTS = 4  # of a project, each drawn by itself: success, delay, cost, size
EDGE = 1e-12  # how near to 0 and 1 a point may lie that becomes a normal deviate, which must be finite


class ProjectOutcome(NamedTuple):
    """What happens to the project of an option.

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


@dataclass(frozen=True, slots=True)
class Draws:
    """Outcomes of all projects: arrays of shape (outcomes, options), columns in the order of ``options``.

    comes  bool; like the others, the meaning is that in `ProjectOutcome`
    delay  whole years
    capex  factor
    share  share
    events  of shape (outcomes, scenarios), one for each scenario that is drawn beside: a number from 0 to 1
    """

    options: tuple[str, ...]
    comes: np.ndarray
    delay: np.ndarray
    capex: np.ndarray
    share: np.ndarray
    events: np.ndarray

    def __len__(self) -> int:
        return len(self.comes)

    def outcome(self, s: int) -> dict[str, ProjectOutcome]:
        """Return what happens to each option in outcome ``s``, counted from 0."""
        rows = (self.comes[s].tolist(), self.delay[s].tolist(), self.capex[s].tolist(), self.share[s].tolist())
        return {option: ProjectOutcome(*values) for option, *values in zip(self.options, *rows, strict=True)}


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
    happens to all of them. The draws depend on the options of the instance only, not on what is built: all plans are
    tried on the same outcomes (common random numbers). A common cause is the one factor of a Gaussian copula: the
    normal deviate of an aspect is the square root of the correlation times that of the cause, plus the rest of its
    own. So every aspect keeps its own distribution.
    """
    from scipy.stats import norm, qmc

    options = instance.options
    project_of = [o.exclusive_group or o.option for o in options]
    projects = sorted(set(project_of))
    where = {name: i for i, name in enumerate(projects)}
    risks = [risk_of(instance, o) for o in options]
    causes = sorted({r.common_cause for r in risks} - {""})
    first_cause = ASPECTS * max(1, len(projects))
    dimensions = first_cause + len(causes) + events
    sequence = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    points = sequence.random(1 << max(0, (samples - 1).bit_length()))[:samples]
    columns = np.array([where[name] for name in project_of], dtype=int)
    uniform = [points[:, a * len(projects) + columns] if len(options) else points[:, :0] for a in range(ASPECTS)]
    for k, cause in enumerate(causes, start=first_cause):
        bad = norm.ppf(points[:, k].clip(EDGE, 1.0 - EDGE))[:, np.newaxis]
        of = [i for i, r in enumerate(risks) if r.common_cause == cause]
        part = np.array([risks[i].correlation for i in of])
        for aspect, worse in enumerate((1.0, 1.0, 1.0, -1.0)):  # a large number is bad but for the size
            own = norm.ppf(uniform[aspect][:, of].clip(EDGE, 1.0 - EDGE))
            uniform[aspect][:, of] = norm.cdf(worse * np.sqrt(part) * bad + np.sqrt(1.0 - part) * own)
    chance = np.array([o.success_probability for o in options])
    return Draws(
        tuple(o.option for o in options),
        uniform[0] < chance,
        _whole(_triangular(uniform[1], [(r.delay_low, r.delay_mode, r.delay_high) for r in risks])),
        _triangular(uniform[2], [(r.capex_low, r.capex_mode, r.capex_high) for r in risks]),
        _triangular(uniform[3], [(r.share_low, r.share_mode, r.share_high) for r in risks]),
        points[:, dimensions - events :],
    )


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
