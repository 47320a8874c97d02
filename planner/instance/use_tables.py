"""Tables about the use of materials: who buys them, what may replace them, and what comes back after their use.

They are part of the schema in ``tables.py``.
"""

from typing import Any

from pydantic import create_model

from .declare import BLOCS, LARGEST_YIELD, CitedRow, flag, fraction, key, number, reference, text, year


class Buyer(CitedRow):
    """Somebody outside the modelled chain who buys a material: what is sold to him earns his price.

    What is sold is used in his country: it counts there as used in import and own shares, and what was made for it in
    stage shares, but not in the exposed share, which is of what sectors receive.
    """

    TABLE = "buyers"
    KEY = ("buyer",)

    buyer: str = key("short name")
    country: str = reference("countries", "where it buys; the material must be made there or brought there")
    material: str = reference("materials", "what it buys")
    clean_only: bool = flag("whether it buys clean material only, whatever happens")


class BuyerPrice(CitedRow):
    """The price that a buyer pays, and the least and the most that it buys; a series."""

    TABLE = "buyer_prices"
    KEY = ("buyer", "year")

    buyer: str = reference("buyers", "the buyer")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    price_usd_per_t: float = number("price; below 0 it is paid for taking the material", "USD/t", ge=-1e12)
    min_t: float = number("least that must be sold to it, but in disrupted courses", "t/year", 0.0)
    max_t: float | None = number("most that it buys; for one buyer always blank or never", "t/year", None, "no limit")


class Substitute(CitedRow):
    """What can replace part of a demand: another material, or thrift or redesign, which needs none.

    What is replaced counts as served. The other material is delivered in the consumer's country; its provenance counts
    in the exposed share in tonnes replaced, and from clean_from_year on it must be clean. Thrift counts in no share.
    """

    TABLE = "substitutes"
    KEY = ("substitute",)

    substitute: str = key("short name")
    name: str = text("name in full")
    material: str = reference("materials", "the material asked for that it replaces")
    country: str = reference(("countries", BLOCS), "country or bloc of the consumers", "any")
    sector: str = reference("sectors", "the consumers", "any")
    replaced_by: str = reference("materials", "what is taken instead", "none is needed: thrift or redesign")
    t_per_t: float | None = number(
        "tonnes of replaced_by per tonne replaced", "t/t", None, "1; without replaced_by it must be blank",
        gt=0.0, le=LARGEST_YIELD,
    )  # fmt: skip
    cost_usd_per_t: float = number("cost per tonne replaced, beside that of the other material", "USD/t", 0.0)


class SubstituteShare(CitedRow):
    """How much of each demand that it matches a substitute can replace at most; a series."""

    TABLE = "substitute_shares"
    KEY = ("substitute", "year")

    substitute: str = reference("substitutes", "the substitute")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    max_share: float = fraction("largest part of the demand, raised by a surge as it is")


class ReturnRow(CitedRow):
    """A row of returns.csv but for its key, whose name is a word of Python; see `Return`."""

    TABLE = "returns"
    KEY = ("return",)

    material: str = reference("materials", "what was delivered; what a substitute replaces does not come back")
    sector: str = reference("sectors", "to whom", "any")
    country: str = reference(("countries", BLOCS), "country or bloc where it was used, and where it comes back", "any")
    returned: str = reference("materials", "what it comes back as")
    t_per_t: float = number("tonnes of returned per tonne delivered", "t/t", 1.0, gt=0.0, le=LARGEST_YIELD)
    collected: float = fraction("part of it that can be collected")
    mean_life_years: float = number("mean time in use", "years", gt=0.0, le=1000.0)
    shape: float | None = number(
        "shape of the Weibull distribution of the time in use", "", None,
        "all comes back after mean_life_years, half a year rounded up", gt=0.0, le=1000.0,
    )  # fmt: skip

    @property
    def called(self) -> str:
        """Its key."""
        return str(self.identity[0])


# what a class body cannot hold: a field named by a word of Python
_KEY: dict[str, Any] = {"return": (str, key("short name"))}
Return = create_model("Return", __base__=ReturnRow, __module__=__name__, **_KEY)
Return.__doc__ = """What comes back, after years of use, of material that was delivered within the horizon.

As much as is collected may be used in the country, or sent from it, without cost; nobody has to collect it. It is
clean or exposed as what was delivered, and counts in no share as made.
"""
