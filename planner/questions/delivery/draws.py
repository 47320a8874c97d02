"""Outcomes of projects: whether they come, how late, at what cost and size; quasi-random, the same for every plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import UsageError

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...instance.tables import DeliveryRisk, Option

ASPECTS = 4  # success, delay, cost, size


class Luck(NamedTuple):
    """What happens to an option: see :class:`Draws`."""

    comes: bool
    delay: int
    capex: float
    share: float


AS_PLANNED = Luck(comes=True, delay=0, capex=1.0, share=1.0)
NEVER = AS_PLANNED._replace(comes=False)


@dataclass(frozen=True, slots=True)
class Draws:
    """Samples by rows, options by columns, in the order of ``options``.

    comes  whether the option's modules come at all
    delay  whole years later than planned
    capex  factor on capex_musd
    share  part of nameplate reached
    """

    options: tuple[str, ...]
    comes: np.ndarray
    delay: np.ndarray
    capex: np.ndarray
    share: np.ndarray

    def __len__(self) -> int:
        return len(self.comes)

    def luck(self, s: int) -> dict[str, Luck]:
        """What happens to each option in outcome ``s``."""
        rows = (self.comes[s].tolist(), self.delay[s].tolist(), self.capex[s].tolist(), self.share[s].tolist())
        return {option: Luck(*values) for option, *values in zip(self.options, *rows, strict=True)}


def check_uncertain(instance: Instance) -> None:
    """Raise UsageError if every project is certain."""
    if not instance.delivery_risk and all(o.success_probability == 1.0 for o in instance.options):
        raise UsageError("every project is certain: give options.csv success_probability, or rows of delivery_risk.csv")


def draw(instance: Instance, samples: int, seed: int | Sequence[int]) -> Draws:
    """Draw outcomes from a scrambled Sobol sequence, with one coordinate per project and aspect.

    The options of an exclusive group are one project in several forms (such as with and without a loan), so they
    share their fate. The draws depend on the options of the instance only, not on what is built: two plans meet the
    same luck.
    """
    from scipy.stats import qmc

    options = instance.options
    project_of = [o.exclusive_group or o.option for o in options]
    projects = sorted(set(project_of))
    where = {name: i for i, name in enumerate(projects)}
    sequence = qmc.Sobol(ASPECTS * max(1, len(projects)), scramble=True, rng=np.random.default_rng(seed))
    points = sequence.random(1 << max(0, (samples - 1).bit_length()))[:samples]
    columns = np.array([where[name] for name in project_of], dtype=int)
    uniform = [points[:, a * len(projects) + columns] if len(options) else points[:, :0] for a in range(ASPECTS)]
    risks = [_risk_of(instance, o) for o in options]
    chance = np.array([o.success_probability for o in options])
    return Draws(
        tuple(o.option for o in options),
        uniform[0] < chance,
        _whole(_triangular(uniform[1], [(r.delay_low, r.delay_mode, r.delay_high) for r in risks])),
        _triangular(uniform[2], [(r.capex_low, r.capex_mode, r.capex_high) for r in risks]),
        _triangular(uniform[3], [(r.share_low, r.share_mode, r.share_high) for r in risks]),
    )


def _risk_of(instance: Instance, option: Option) -> DeliveryRisk:
    """The row that governs an option: its own, its kind's, or that of all; certain without any."""
    from ...instance.tables import DeliveryRisk

    startup = next(f.startup for f in instance.facilities if f.facility == option.facility)
    rows = {(r.option, r.projects): r for r in instance.delivery_risk}
    kind = "startup" if startup else "established"
    for name in ((option.option, "one"), ("", kind), ("", "all")):
        if name in rows:
            return rows[name]
    return DeliveryRisk(option=option.option, projects="one", note="")


def _whole(years: np.ndarray) -> np.ndarray:
    """Delays in whole years, half a year and more up: a project that misses the beginning of a year misses the year."""
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
