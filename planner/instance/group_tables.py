"""Tables of the sizes of options, of groups of options and of limits on these; part of the schema in ``tables.py``."""

from typing import Literal

from .declare import OWNERS, CitedRow, choice, number, reference, text, year


class OptionSize(CitedRow):
    """A smaller size in which an option can be built, with what it costs; its row in options.csv is the largest size.

    The size of each start is decided: one of the sizes, or any between two of them, where the cost is on the line
    between theirs. The smallest is the least that can be built at once. So a larger plant can be cheaper per tonne.
    """

    TABLE = "option_sizes"
    KEY = ("option", "size")

    option: str = reference("options", "the option, of which modules are divisible (integer is no)")
    size: str = text("short name of the size", name=True)
    capacity_t: float = number("nameplate capacity in all; smaller than module_t of the option", "t/year", gt=0.0)
    capex_musd: float = number("overnight cost in all; at most that of the next larger size", "MUSD")


class Group(CitedRow):
    """A member of a group of options, which group_limits limits; an option may be in several groups."""

    TABLE = "groups"
    KEY = ("group", "option")

    group: str = text("name of the group", name=True)
    option: str = reference(("options", OWNERS), "an option of it, or else an owner: all options of its facilities")


class GroupLimit(CitedRow):
    """A limit on what is started of a group of options in some years, over all periods that begin in them."""

    TABLE = "group_limits"
    KEY = ("group", "measure", "first_year", "last_year")

    group: str = reference("groups", "the group")
    measure: Literal["options", "modules", "capacity_t", "capex_musd"] = choice(
        "what is counted: different options that are started at all (all must be of whole modules), modules, nameplate "
        "capacity in t/year, or overnight cost in MUSD"
    )
    first_year: int | None = year("first calendar year in which a start counts", "first year of the horizon")
    last_year: int | None = year("last calendar year in which a start counts", "last calendar year of the horizon")
    min: float = number("least of it", "as measure", 0.0)
    max: float | None = number("most of it", "as measure", None, "no limit")
