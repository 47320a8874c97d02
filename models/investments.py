"""Decisions and rows of investment: starts, sizes, closures, groups of options, and who pays; part of ``data.py``."""

from __future__ import annotations

from typing import NamedTuple

PLAN = ""  # the branch name of undisturbed operations

Terms = list[tuple[int, float]]  # (position of a decision in its list, coefficient)


class Start(NamedTuple):
    """Modules of an option that are started in a period; ``facility`` or ``stockpile`` is what they enlarge.

    branch       the course that decides on them; other branches may share the start
    probability  that of all courses which share it: by so much its cost counts
    """

    option: str
    facility: str
    period: int  # position of the period
    year: int  # its first calendar year
    max_modules: float  # that can be started in it
    integer: bool
    annuity: float  # MUSD per module, present value over the horizon
    fixed_om: float  # MUSD per module, present value over the horizon
    stockpile: str = ""  # blank: the facility grows
    impact: float = 0.0  # MUSD per module, present value of the priced impacts of building it
    branch: str = PLAN
    probability: float = 1.0

    @property
    def cost(self) -> float:
        """MUSD per module, present value over the horizon, in a course that has the start."""
        return self.annuity + self.fixed_om + self.impact

    @property
    def key(self) -> tuple[str, int] | tuple[str, int, str]:
        """Option and year; of a start that a branch decides on its scenario too."""
        return (self.option, self.year) if self.branch == PLAN else (self.option, self.year, self.branch)

    @property
    def expected_cost(self) -> float:
        """MUSD per module, present value over the horizon times probability."""
        return self.cost * self.probability


class SizeStep(NamedTuple):
    """From one size of an option to the next larger one, the first from nothing to the smallest size.

    before  position in ``ModelData.fill`` of the step that must be whole first; None: the first step, all or nothing
    """

    option: str
    year: int  # of the start
    share: float  # modules that it adds
    capex: float  # MUSD overnight beyond the same share of a whole module
    before: int | None
    last: bool


class Sized(NamedTuple):
    """A start of an option with sizes: modules are parts of its largest size, and cost more than that part of it."""

    option: str
    year: int
    start: int  # build
    annuity: float  # MUSD of present value per MUSD overnight
    steps: tuple[int, ...]  # fill
    probability: float = 1.0  # that of all courses that share the start


class Closing(NamedTuple):
    """Own capacity of a facility that is closed: for one period (``idle``), or from that period on (``retire``)."""

    facility: str
    kind: str
    first: int  # position of the period it begins in
    last: int  # position of the last period it holds in
    cost: float  # MUSD for the whole plant, present value: closing it, less the fixed O&M avoided


class Choice(NamedTuple):
    """Whether an option is started at all, in some periods.

    most     the most modules that it can have, over all periods
    counted  whether a limit on a group counts it: then it is started exactly if some module is; else (for an exclusive
             group) at least then
    branch   the course of whose starts it tells
    """

    option: str
    starts: tuple[int, ...]  # build
    most: float  # modules
    counted: bool = False
    branch: str = PLAN


class ExclusiveGroup(NamedTuple):
    """Options of which a course starts at most one."""

    group: str
    branch: str
    chosen: tuple[int, ...]  # chosen


class GroupLimit(NamedTuple):
    """How much of a group of options is started in some years, by a measure: ``options`` or another.

    first_year, last_year  None: the first, the last year of the horizon
    least, most            a number of options or modules, kt (``capacity_t``) or MUSD (``capex_musd``)
    """

    group: str
    measure: str
    first_year: int | None
    last_year: int | None
    least: float
    most: float | None  # None: no limit
    modules: Terms  # build, what one module counts
    options: tuple[int, ...]  # chosen: for the measure ``options``
    branch: str = PLAN  # the course whose starts it counts
    excess: tuple[int, ...] = ()  # excess, MUSD: for the measure ``capex_musd``


class ModuleLimit(NamedTuple):
    """How many modules of an option are built in all periods together, in one course."""

    option: str
    starts: tuple[int, ...]  # build
    least: float  # modules
    most: float  # modules
    chosen: int | None  # chosen; None: the option is in no exclusive group
    branch: str = PLAN  # the course whose starts it counts


class Requirement(NamedTuple):
    """An option can be started in a period only if the required one was started in it or before."""

    option: str
    required: str
    start: int  # build: the start that is allowed or not
    max_modules: float
    earlier: tuple[int, ...]  # build: starts of the required option up to that period, in the same course


class Spending(NamedTuple):
    """Capex of an option in a calendar year, to be paid by private money and funds."""

    option: str
    year: int
    capex: Terms  # build, MUSD per module
    private: int
    draws: tuple[int, ...]  # fund_draw
    branch: str = PLAN  # the course whose starts are paid for; so in the next three
    excess: tuple[tuple[int, float], ...] = ()  # excess, share of it that is paid in the year


class PrivateLimit(NamedTuple):
    """The most private money for an option in all years together."""

    option: str
    limit: float  # MUSD
    private: tuple[int, ...]
    branch: str = PLAN


class FundLimit(NamedTuple):
    """The budget of a fund, for all options and years together."""

    fund: str
    budget: float  # MUSD
    draws: tuple[int, ...]  # fund_draw
    branch: str = PLAN


class FundShare(NamedTuple):
    """The most that a fund pays of the capex of an option."""

    fund: str
    option: str
    max_share: float  # 0 to 1
    draws: tuple[int, ...]  # fund_draw
    capex: Terms  # build, MUSD per module
    branch: str = PLAN
    excess: tuple[int, ...] = ()  # excess, MUSD


class Payment(NamedTuple):
    """Money spent on an option in a calendar year, in one course; ``fund`` is blank for private money."""

    option: str
    year: int
    branch: str
    fund: str = ""
