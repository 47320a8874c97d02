"""How a mine, plant or project of the facts becomes a facility, its operations and its options.

Committed plants (operating, or under construction with money in place) have capacity of their own and sunk capex. All others are options:
the plan decides. Nothing comes online before the year that was announced, and nothing faster than plants of its kind have been built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .book import Book
from .facts import Fact, cite
from .money import WACC_WHY, blended, success, wacc

FIRST, LAST = 2026, 2040
LAST_NAMED_START = 2032  # a named project that has not been decided by then is another project


@dataclass(frozen=True)
class Kind:
    """What plants of one kind have in common; years are whole."""

    stage: str
    derate: float  # usable share of nameplate
    lead: int  # decision to first output of a project that is already prepared
    ramp: int
    life: int
    usable: str  # the reason of the derate
    timing: str  # the reason of lead and ramp


_USABLE = "85 per cent of nameplate usable (Lynas ran at 62, China's magnet makers at 70)"
KINDS: dict[str, Kind] = {
    "mine": Kind("mining", 0.90, 2, 3, 25, "90 per cent of nameplate usable", "prepared mines need two years, ramp 3 (finance.csv ramp_fraction_year1_mine_concentrator to year3)"),
    "light": Kind("separation", 0.85, 3, 4, 25, _USABLE, "lead 3 once prepared, ramp 4"),
    "heavy": Kind("separation", 0.85, 3, 4, 25, _USABLE, "lead 3 once prepared, ramp 4"),
    "novel": Kind("separation", 0.85, 3, 6, 20, _USABLE, "lead 3 once prepared; new separation chemistry ramps over 6 years"),
    "metal": Kind("metal", 0.85, 2, 3, 20, _USABLE, "lead 2, ramp 3"),
    "magnet": Kind("magnet", 0.85, 3, 4, 20, _USABLE, "21-45 months to first output plus 12-24 months of qualification: lead 3 once prepared, ramp 4"),
    "recycler": Kind("separation", 0.85, 2, 3, 15, _USABLE, "lead 2, ramp 3"),
}  # fmt: skip


@dataclass(frozen=True)
class Loan:
    """A government loan: a cheaper twin of the option, whose private money does not reach without the fund."""

    public_musd: float
    loan_musd: float
    private_musd: float | None = None  # default: capex less public money


@dataclass(frozen=True)
class Plant:
    """One facility. Numbers are tonnes of output a year (t REO for mines, t feed for recyclers) before the derate of its kind."""

    key: str
    name: str
    owner: str
    country: str
    kind: str
    facts: tuple[Fact, ...]
    opex: Mapping[str, float]  # process -> USD per tonne of activity
    capacity: float
    committed: bool = False
    status: str = "candidate"
    startup: bool = False
    first_year: int | None = None  # committed: when its capacity starts; candidate: not online before
    ramp: int | None = None
    last_year: int | None = None
    min_use: float | None = None
    min_use_until: int | None = None
    tie: bool = False
    capacity_per_t: Mapping[str, float] = field(default_factory=dict)
    capex: float | None = None
    lead: int | None = None
    life: int | None = None
    requires: str = ""
    private: float | None = None
    loan: Loan | None = None
    success: str = "announced_feasibility_stage"
    derate: float | None = None
    why: str = ""


def add(book: Book, plant: Plant) -> None:
    """Rows of one plant in facilities, operations and options."""
    kind = KINDS[plant.kind]
    derate = kind.derate if plant.derate is None else plant.derate
    usable = round(plant.capacity * derate, 1)
    ramp = kind.ramp if plant.ramp is None else plant.ramp
    reasons = (plant.why, kind.usable if derate < 1 else "", _ramp_up(plant, ramp) if plant.committed else kind.timing)
    about = cite(*plant.facts, assumed="; ".join(w for w in reasons if w))
    book.add(
        "facilities", facility=plant.key, name=plant.name, owner=plant.owner, country=plant.country, startup=plant.startup or None,
        status=plant.status, capacity_t=usable if plant.committed else None,
        first_year=plant.first_year if plant.committed else None, ramp_years=ramp if plant.committed and plant.first_year is not None else None,
        last_year=plant.last_year, min_use=plant.min_use, min_use_until=plant.min_use_until, concern_tie=plant.tie or None, **about,
    )  # fmt: skip
    for process, opex in plant.opex.items():
        book.add(
            "operations", facility=plant.key, process=process, opex_usd_per_t=round(opex, 1), capacity_per_t=plant.capacity_per_t.get(process),
            **cite(*plant.facts, assumed=OPEX_WHY[plant.kind]),
        )  # fmt: skip
    if not plant.committed:
        options(book, plant, usable, ramp)


def _ramp_up(plant: Plant, ramp: int) -> str:
    """When a committed plant is at full output, beside the year of the fact."""
    if plant.first_year is None:
        return ""
    full, published = plant.first_year + ramp - 1, plant.facts[0].row.get("full_year", "")
    return f"full output in {full}" + (
        f" ({published} in the fact)"
        if published and int(published) != full
        else ", as in the fact"
        if published
        else ""
    )


OPEX_WHY = {
    "mine": "opex per tonne REO as published or estimated in the fact row",
    "light": "separation opex per kg Nd-Pr oxide on one basis: established 27.5, new 40, novel 50 USD, so that mine and separation together give the published all-in 40-60 (Y028-Y034)",
    "heavy": "separation opex 80 USD per kg Dy+Tb oxide (60-100)",
    "novel": "separation opex 50 USD per kg Nd-Pr oxide (40 at Heroya, which is built), 100 per kg Dy+Tb oxide; recycling 27.5 per kg oxide recovered",
    "metal": "conversion without capital: Japan 7, others 6-9 USD per kg Nd-Pr metal, 45 (30 in Japan) per kg Dy or Tb metal (syc-conv-metal-*, syc-conv-dy-metal)",
    "magnet": "conversion without capital by country, plus the dearer process of high grades (syc-conv-magnet-*)",
    "recycler": "27.5 USD per kg of oxide recovered (syc-rec-opex-long), short loop 19.6 per kg magnet (syc-rec-opex-short)",
}


def options(book: Book, plant: Plant, module: float, ramp: int) -> None:
    """The option of a candidate: one module, and its twin with a government loan where there is one."""
    kind = KINDS[plant.kind]
    prepared = kind.lead if plant.lead is None else plant.lead
    lead = max(prepared, (plant.first_year or FIRST) - FIRST)
    if plant.capex is None:
        raise ValueError(f"{plant.key}: capex is missing")
    capex = round(plant.capex, 1)
    mine = plant.kind == "mine"
    common = {
        "facility": plant.key, "module_t": module, "max_modules": 1, "integer": True, "capex_musd": capex, "lead_years": lead, "ramp_years": ramp,
        "life_years": kind.life if plant.life is None else plant.life, "first_start": FIRST, "last_start": min(LAST_NAMED_START, LAST - lead),
        "requires": plant.requires or None, "success_probability": success(plant.success),
    }  # fmt: skip
    about = cite(*plant.facts, assumed="; ".join(w for w in (plant.why, kind.usable, kind.timing, WACC_WHY) if w))
    group = f"{plant.key}-finance" if plant.loan else None
    book.add(
        "options", option=plant.key, name=plant.name, wacc=wacc(plant.country, mine=mine, startup=plant.startup), exclusive_group=group,
        private_musd=plant.private, **common, **about,
    )  # fmt: skip
    if plant.loan:
        own = capex - plant.loan.public_musd if plant.loan.private_musd is None else plant.loan.private_musd
        book.add(
            "options", option=f"{plant.key}-loan", name=f"{plant.name} with government loan", exclusive_group=group, private_musd=round(own, 1),
            wacc=blended(plant.country, plant.loan.loan_musd / capex, startup=plant.startup, mine=mine),
            **common | {"success_probability": max(success(plant.success), success("announced_with_government_loan"))},
            **cite(*plant.facts, assumed="; ".join(w for w in (plant.why, kind.usable, kind.timing, WACC_WHY) if w)
                   + "; the loan's share of capex at Treasury + 1 point; private money is capex less public money, so that the fund must pay its part"),
        )  # fmt: skip
