"""Tables of what materials contain, and of limits on it in what is blended; part of the schema in ``tables.py``."""

from .declare import CitedRow, number, reference, text, year


class Content(CitedRow):
    """How much of a property a material has per tonne, such as ash or hardness; without a row it has none."""

    TABLE = "contents"
    KEY = ("property", "material")

    property: str = text("name of the property", name=True)
    material: str = reference("materials", "the material")
    content: float = number("how much a tonne has of it, in any unit of its own", "", ge=-1e12)


class Blend(CitedRow):
    """A limit on a property of what is made: the inputs of all processes that make a material at a plant are blended.

    What they contain together, per tonne of the material that they make there, must lie between min and max; a series.
    It is physics, and holds in branches too.
    """

    TABLE = "blends"
    KEY = ("property", "material", "facility", "year")

    property: str = reference("contents", "the property")
    material: str = reference("materials", "what is made by blending")
    facility: str = reference("facilities", "the plant", "each plant that makes it, by itself")
    year: int | None = year("year of the figure; linear between years, held outside", "every year")
    min: float | None = number("least per tonne; for one series always blank or never", "", None, "no limit", ge=-1e12)
    max: float | None = number("most per tonne; for one series always blank or never", "", None, "no limit", ge=-1e12)
