"""Tables of funds, guaranteed prices and take-or-pay contracts; part of the schema in ``tables.py``."""

from typing import Literal

from .declare import CitedRow, choice, fraction, key, number, reference, text, year


class Fund(CitedRow):
    """A fund of public or other money on which options may draw."""

    TABLE = "funds"
    KEY = ("fund",)

    fund: str = key("short name")
    provider: str = text("who pays")
    instrument: Literal["grant", "loan", "equity"] = choice("in what form")
    budget_musd: float = number("money in all", "MUSD")
    first_year: int | None = year("first calendar year in which it pays", "first year of the horizon")
    last_year: int | None = year("last calendar year in which it pays", "last calendar year of the horizon")
    max_share: float = fraction("largest part of an option's capex", 1.0)


class FundOption(CitedRow):
    """An option that may draw on a fund."""

    TABLE = "fund_options"
    KEY = ("fund", "option")

    fund: str = reference("funds", "the fund")
    option: str = reference("options", "the option")


class PriceFloor(CitedRow):
    """A price that is guaranteed to a plant; what the payer would owe is a separate result, and no cost of the plan."""

    TABLE = "price_floors"
    KEY = ("facility", "option", "material")

    facility: str = reference("facilities", "the plant")
    option: str = reference("options", "only what modules of this option of it make", "all that the plant makes")
    material: str = reference("materials", "what it sells")
    floor_usd_per_t: float = number("guaranteed price", "USD/t")
    first_year: int | None = year("first calendar year", "first year of the horizon")
    last_year: int | None = year("last calendar year", "last year of the horizon")
    payer: str = text("who pays the difference")
    market: str = reference(
        "markets",
        "the market whose price counts; one with max_t 0 sells nothing, and is an index",
        "the plan's own price in the plant's country, which is no market price",
    )
    max_t: float | None = number("what is covered at most", "t/year", None, "all that is made")
    upside_share: float = fraction("part of the price above the upside's beginning that the plant returns", 0.0)
    upside_from_usd_per_t: float | None = number("price at which the upside begins", "USD/t", None, "the floor")
    upside_max_musd: float | None = number("what the plant returns at most", "MUSD/year", None, "no limit")


class Offtake(CitedRow):
    """A take-or-pay contract: a buyer commits to take an amount of what a plant makes, and the plan must make it.

    Offtakes of one plant and material add up. They bind the plan, but not its branches. What the payer loses or gains
    against the market price is a separate result (offtakes.csv of a run), and no cost of the plan.
    """

    TABLE = "offtakes"
    KEY = ("offtake",)

    offtake: str = key("short name")
    facility: str = reference("facilities", "the plant")
    option: str = reference(
        "options",
        "an option of the plant: take_t is then per module of it, and nothing is taken if it is not built",
        "of the plant's own capacity",
    )
    material: str = reference("materials", "what is taken")
    take_t: float = number("taken at full capacity; during a ramp, or before and after, in proportion", "t/year")
    agreed_usd_per_t: float = number("price paid", "USD/t")
    first_year: int | None = year("first calendar year", "first year of the horizon")
    last_year: int | None = year("last calendar year", "last year of the horizon")
    payer: str = text("who takes and pays")
    market: str = reference("markets", "the market whose price counts", "the plan's own price in the plant's country")
