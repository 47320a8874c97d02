"""Tables of scenarios, of what must hold in them, and of the risks of projects; part of the schema in ``tables.py``."""

from typing import Literal

from .declare import (
    BLOCS,
    OWNERS,
    STAGES,
    CitedRow,
    choice,
    flag,
    fraction,
    key,
    number,
    reference,
    text,
    whole_months,
    whole_years,
    year,
)


class Scenario(CitedRow):
    """A scenario: a set of disruptions that come together, with their time and probability.

    It lasts whole years, from `first_year` to `last_year`, and what happens in a period is then the mean of its years;
    or `months` calendar months from `first_month` of `first_year` on. The years that it touches and the one after are
    then divided into months, in which nothing but stocks makes up for what another month lacks; these must be periods
    of one year. The branch begins with the first of its months, with stocks between those at the ends of that year and
    of the year before. Rates stay t per year. Caps are lifted in the whole of each year that it touches, and hold in
    the year after as means over its months; clean-only rules are lifted in its months alone.
    """

    TABLE = "scenarios"
    KEY = ("scenario",)

    scenario: str = key("short name; also the name of the branch's folder", folder=True)
    name: str = text("name in full")
    probability: float = fraction(
        "probability; of all without a parent together below 1, of those with one a part of the parent's"
    )
    first_year: int = year("first calendar year of the disruption", default=...)
    last_year: int | None = year(
        "last calendar year of the disruption; blank with `months`, else required", "the scenario is in months"
    )
    first_month: int | None = whole_months(
        "calendar month of first_year in which the disruption begins, 1 to 12; with `months` only", "whole years", 12
    )
    months: int | None = whole_months(
        "how many calendar months the disruption lasts; with `first_month` only", "whole years"
    )
    rebuild_after: int | None = whole_years(
        "years from first_year on after which the branch starts what is best for it, whatever the plan starts then",
        None,
        blank="never: its starts are those of the course it leaves",
    )
    parent: str = reference(
        "scenarios", "the scenario whose branch it leaves; its disruptions go on acting", "it leaves the plan"
    )

    @property
    def last_disrupted_year(self) -> int:
        """The last calendar year that the disruption touches."""
        if self.months is not None:
            return self.first_year + ((self.first_month or 1) + self.months - 2) // 12
        return self.first_year if self.last_year is None else self.last_year


class Disruption(CitedRow):
    """A disruption of a scenario."""

    TABLE = "disruptions"
    KEY = ("scenario", "kind", "country", "stage", "material", "facility")

    scenario: str = reference("scenarios", "the scenario")
    kind: Literal["export_stop", "outage", "project_failure", "demand_surge", "price_surge"] = choice("what happens")
    country: str = reference(("countries", BLOCS), "country or bloc that is hit", "any")
    stage: str = reference(STAGES, "stage of the materials that are hit; not for demand_surge", "any")
    material: str = reference("materials", "material that is hit", "any")
    facility: str = reference(
        ("facilities", OWNERS),
        "facility that is hit, or else an owner whose facilities are; for outage and project_failure only",
        "any",
    )
    fraction: float = number("part that is lost, or by which demand or price rises (may then exceed 1)", "fraction")
    reference_t: float | None = number(
        "undisturbed yearly exports of the material from the country; for export_stop only",
        "t/year",
        None,
        "none",
    )


class BranchService(CitedRow):
    """A service floor that must hold in the branch of a scenario too, in the periods that overlap its years."""

    TABLE = "branch_service"
    KEY = ("scenario", "sector")

    scenario: str = reference("scenarios", "the scenario")
    sector: str = reference("sectors", "the sector")
    min_service: float = fraction("part of its demand that must be served in the branch, in every country and year")
    first_year: int | None = year("first calendar year in which it must hold", "the branch's beginning")
    last_year: int | None = year("last calendar year in which it must hold", "the end of the horizon")


class DeliveryRisk(CitedRow):
    """The risk that projects come late, cost more, or are smaller than planned; used by risk analyses only.

    Delay, cost and size are drawn from triangular distributions; delays are rounded to whole years, half a year up.
    The probability that a project comes at all is ``success_probability`` of options. A row for an option goes before
    one for its owner, that before one for its kind of owner, and that before ``all``.

    Projects whose rows name the same ``common_cause`` (a technology, an owner, a country's permits) hang together: the
    normal deviates behind their outcomes share one factor. It makes projects fail, come late, cost more and stay small.

    An option may stand for many projects that nobody has announced, of which so many may start a year. With ``apart``
    these are told apart by their start year; a common cause then holds together what starts in different years, too.
    """

    TABLE = "delivery_risk"
    KEY = ("option", "projects")

    option: str = reference(
        ("options", OWNERS),
        "the option, or else an owner: all options of its facilities",
        "every option of the projects named",
    )
    projects: Literal["one", "startup", "established", "all"] = choice(
        "`one` with an option or owner; else whose options: of startups, of established owners, of all"
    )
    apart: bool = flag(
        "whether what an option starts in each year is a project of its own: it comes, fails, is late, dear or small "
        "by itself, what starts in the same year together. One option of an exclusive group says so for all"
    )
    delay_low: float = number("shortest delay", "years", 0.0)
    delay_mode: float = number("most likely delay", "years", 0.0)
    delay_high: float = number("longest delay", "years", 0.0)
    capex_low: float = number("least cost, as a factor on capex_musd", "factor", 1.0)
    capex_mode: float = number("most likely cost", "factor", 1.0)
    capex_high: float = number("highest cost", "factor", 1.0)
    share_low: float = fraction("smallest part of nameplate that is reached", 1.0)
    share_mode: float = fraction("most likely part of nameplate", 1.0)
    share_high: float = fraction("largest part of nameplate", 1.0)
    common_cause: str = text("what the outcomes of these projects have in common, a name", "nothing")
    correlation: float = fraction("part of the variance of each outcome that the common cause explains", 0.0)
