"""Tables about the use of materials: what may replace them. They are part of the schema in ``tables.py``."""

from .declare import BLOCS, LARGEST_YIELD, CitedRow, fraction, key, number, reference, text, year


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
