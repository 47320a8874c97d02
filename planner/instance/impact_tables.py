"""Tables of impacts: emissions, water, jobs and the like. They are part of the schema in ``tables.py``."""

from typing import Literal

from .declare import CitedRow, choice, key, number, reference, text


class Impact(CitedRow):
    """Something that operations and investment cause or need, beside materials and money: emissions, water, jobs.

    A cap of the metric ``impact`` limits it, or asks for a least amount of it; a price makes it part of the cost.
    """

    TABLE = "impacts"
    KEY = ("impact",)

    impact: str = key("short name")
    name: str = text("name in full")
    unit: str = text("what it is counted in")
    price_usd_per_unit: float = number("cost of a unit", "USD/unit", 0.0)


class ImpactFactor(CitedRow):
    """What a tonne causes of an impact; all rows that match something add up, and a blank cell matches anything.

    `operation` counts tonnes of activity, by facility and process; `lane` tonnes moved, by material, origin and
    destination; `purchase` tonnes bought, by market; `build` tonnes a year of nameplate started, by option. A column
    that means nothing for the kind must be blank.
    """

    TABLE = "impact_factors"
    KEY = ("impact", "kind", "facility", "process", "material", "origin", "destination", "market", "option")

    impact: str = reference("impacts", "the impact")
    kind: Literal["operation", "lane", "purchase", "build"] = choice("what causes it")
    facility: str = reference("facilities", "the facility; for operation only", "any")
    process: str = reference("processes", "the process; for operation only", "any")
    material: str = reference("materials", "what moves; for lane only", "any")
    origin: str = reference("countries", "from where; for lane only", "any")
    destination: str = reference("countries", "to where; for lane only", "any")
    market: str = reference("markets", "the market; for purchase only", "any")
    option: str = reference("options", "the option; for build only", "any")
    per_t: float = number("units per tonne; negative for a credit", "unit/t", ge=None)


# kind of an impact factor -> columns that have a meaning for it
MEANT = {
    "operation": ("facility", "process"),
    "lane": ("material", "origin", "destination"),
    "purchase": ("market",),
    "build": ("option",),
}
