"""Countries, materials, processes, recipes and sectors: what the chain is made of.

Masses: mining materials count contained oxide (Nd+Pr oxide in three kinds of ore that are cracked in different ways, ``hre_conc`` Dy+Tb oxide at 85:15,
which any heavy circuit takes), so that few materials carry the content of every mine, mining shares compare with published shares of magnet rare earths, and no blending rule is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .book import Book
from .facts import Fact, Number, assume, cite, find, named, parameter, read, table

Y, D = "stage_yields_costs_upstream", "stage_yields_costs_downstream"


def up(fact: str) -> Fact:
    """A fact on yields and costs upstream (mining, separation)."""
    return table(Y)[fact]


def down(fact: str) -> Fact:
    """A fact on yields and costs downstream (metal, magnet, recycling)."""
    return table(D)[fact]


def countries(book: Book, world: bool = False) -> None:
    """``countries.csv``: buyers (bloc allied), suppliers that work with them (partner), and the rest."""
    for row in read("countries"):
        if world or not row.flag("world_only"):
            book.add(
                "countries", country=row.id, name=row["name"], bloc=row["bloc"], latitude=row.number("latitude"), longitude=row.number("longitude"),
                **assume("blocs follow the demand regions of demand.csv and the countries of the projects in the fact tables; rounded centre for maps"),
            )  # fmt: skip


@dataclass(frozen=True)
class Elements:
    """Contained rare-earth metal, t per t of material. Blank elements are zero."""

    ndpr: float = 0.0
    dy: float = 0.0
    tb: float = 0.0


def feed(process: str, material: str) -> Number:
    """t of ``material`` that go into a tonne of ``process``."""
    return table("recipes")[f"{process}/{material}/input"].number("t_per_t")


def made(process: str, material: str) -> Number:
    """t of ``material`` that come out of a tonne of ``process``."""
    return table("recipes")[f"{process}/{material}/output"].number("t_per_t")


HEAVY_ORE = "hre_conc"
LIGHT_ORES = tuple(row.id for row in read("materials") if row["stage"] == "mining" and row.id != HEAVY_ORE)


def light_circuits(china: bool = False) -> tuple[str, ...]:
    """The processes that separate light ore, one for each kind of it, in China or elsewhere."""
    return tuple(
        row.id for row in read("processes") if row.id.startswith("sep-light-") and row.id.endswith("-chn") == china
    )


def _content() -> dict[str, Elements]:
    oxide = {
        "ndpr": down("syc-stoich-ndpr").number("value"),
        "dy": down("syc-stoich-dy2o3").number("value"),
        "tb": down("syc-stoich-tb4o7").number("value"),
    }
    ndpr = Elements(ndpr=oxide["ndpr"])
    return {
        **dict.fromkeys(LIGHT_ORES, ndpr),
        "hre_conc": Elements(
            dy=made("sep-heavy", "dy_oxide") * oxide["dy"], tb=made("sep-heavy", "tb_oxide") * oxide["tb"]
        ),
        "ndpr_oxide": ndpr,
        "dy_oxide": Elements(dy=oxide["dy"]),
        "tb_oxide": Elements(tb=oxide["tb"]),
        "ndpr_metal": Elements(ndpr=1),
        "dy_metal": Elements(dy=1),
        "tb_metal": Elements(tb=1),
        **{
            row.id: Elements(*(row.number(e) for e in ("ndpr", "dy", "tb"))) for row in read("materials") if row["ndpr"]
        },
    }


# What the element balance of the recipes is checked against. Finished magnets are left out: their content depends on the recipe.
CONTENT = _content()


def value(material: Fact) -> Number | None:
    """USD per tonne on which a duty falls; ``value_as`` names the material to whose value the price ratio of the grade is put."""
    if not material["value_as"]:
        return material.optional("value_usd_per_t")
    return table("materials")[material["value_as"]].number("value_usd_per_t") * find(
        "prices", item="NdFeB magnet UH/EH"
    ).number("price")


def materials(book: Book) -> None:
    """``materials.csv``."""
    for row in read("materials"):
        book.add(
            "materials", material=row.id, name=row["name"], stage=row["stage"], strategic=row.flag("strategic"), surplus=row.flag("surplus"),
            value_usd_per_t=value(row), **assume(row["why"] or "no tariff falls on it, so no value is needed"),
        )  # fmt: skip


@dataclass(frozen=True)
class MagnetRecipe:
    """Metal per tonne of finished magnet, gross of swarf; ``adder`` USD/kg over an N magnet."""

    process: str
    name: str
    magnet: str
    ndpr: Number
    dy: Number
    tb: Number
    adder: Number
    swarf: str
    why: str


GROSS = 1 / (
    down("syc-yield-metal-alloy").number("value")
    * down("syc-yield-alloy-block").number("value")
    * down("syc-yield-block-fin").number("value")
)  # metal bought per metal in the finished magnet: 1.476
DIFFUSED = GROSS * down("syc-yield-block-fin").number(
    "value"
)  # the same for what is diffused in after machining: 1.063


def demand_year(name: str) -> str:
    """A year of demand.csv that choices/parameters.csv names."""
    return str(parameter(name))


@cache
def mean_content(grade: str, element: str) -> Number:
    """Weight per cent of ``element`` in ``grade`` (of grade_mix.csv), weighted with allied demand of 2030."""
    tonnes = weighted = Number(0)
    for row in read("demand"):
        if (
            row["method"] != "allocation_ipf"
            or row["year"] != demand_year("weights_year")
            or row["region"] in ("CHN", "ROW")
        ):
            continue
        mix = table("grade_mix")[f"{row['sector']}/{grade}"]
        t = row.number("demand_t") * mix.number("share")
        tonnes += t
        weighted += t * mix.number(f"{element}_wt_pct")
    return weighted / tonnes


def _diffused(grade: str, tb: Number) -> tuple[Number, Number]:
    """(Dy, Tb) t per t of finished magnet on the line through the mean mix along which terbium replaces dysprosium."""
    dy_mean, tb_mean = DIFFUSED * mean_content(grade, "dy") / 100, DIFFUSED * mean_content(grade, "tb") / 100
    return round(dy_mean + parameter("terbium_worth") * (tb_mean - tb), 4), tb


_SH_BULK = find("grade_mix", sector="ALL_REFERENCE", grade="H/SH bulk")
_UH_BULK = (down("syc-comp-uh-ndpr"), down("syc-comp-uh-dy"), down("syc-comp-uh-tb"))
_GRADES = {"mag_sh": "H/SH", "mag_uh": "UH/EH"}
BULK: dict[str, tuple[Number, ...]] = {  # composition by weight per cent, by magnet
    "mag_n": (down("syc-comp-n-ndpr").number("value"),),
    "mag_sh": tuple(_SH_BULK.number(f"{e}_wt_pct") for e in ("ndpr", "dy", "tb")),
    "mag_uh": tuple(fact.number("value") for fact in _UH_BULK),
}


def _metals(row: Fact) -> tuple[Number, Number, Number]:
    """Nd-Pr, Dy and Tb metal in t per t of finished magnet of a row of choices/magnet_recipes.csv."""
    match row["how"]:
        case "bulk":
            found = tuple(round(GROSS * part / 100, 4) for part in BULK[row["magnet"]])
        case "diffused":
            grade = _GRADES[row["magnet"]]
            found = (round(GROSS * mean_content(grade, "ndpr") / 100, 4), *_diffused(grade, row.number("tb")))
        case _:
            found = tuple(row.number(e) for e in ("ndpr", "dy", "tb"))
    ndpr, dy, tb = (*found, Number(0), Number(0))[:3]
    return ndpr, dy, tb


MAGNET_RECIPES = tuple(
    MagnetRecipe(r.id, r["name"], r["magnet"], *_metals(r), r.number("adder_usd_per_kg"), r["swarf"], r["why"])
    for r in read("magnet_recipes")
)
LEAN = tuple(r.id for r in read("magnet_recipes") if r["how"] == "lean")
SHORT_LOOP, LONG_LOOP = "rec-short", "syc-rec-opex-long"  # a process, and the fact on the cost of the others


def magnet_adders() -> dict[str, tuple[str, Number]]:
    """Way to make a magnet -> how it brings in heavies, and USD per kg over the conversion of an N magnet."""
    return {r.id: (r["how"], r.number("adder_usd_per_kg")) for r in read("magnet_recipes")}


def magnet_recipes(book: Book) -> None:
    """Nine ways to make three grades, each with its swarf."""
    yields = (down("syc-yield-metal-alloy"), down("syc-yield-alloy-block"), down("syc-yield-block-fin"))
    diffusion = (
        find("grade_mix", sector="ALL_REFERENCE", grade="H/SH GBD"),
        find("grade_mix", sector="ALL_REFERENCE", grade="UH/EH GBD"),
    )
    basis = {"mag-n": (down("syc-comp-n-ndpr"),), "mag-sh-bulk": (_SH_BULK,), "mag-uh-bulk": _UH_BULK}
    for r in MAGNET_RECIPES:
        about = cite(*basis.get(r.process, diffusion), *yields, assumed=r.why)
        if r.process in LEAN:
            about = {"source": "dn-proterial-hre;dn-daido-net", "note": f"assumption: {r.why}"}
        book.add("processes", process=r.process, name=r.name, restores_provenance=False, **about)
        for material, t in (("ndpr_metal", r.ndpr), ("dy_metal", r.dy), ("tb_metal", r.tb)):
            if t:
                book.add("recipes", process=r.process, material=material, role="input", t_per_t=t, **about)
        book.add(
            "recipes",
            process=r.process,
            material=r.magnet,
            role="output",
            t_per_t=1,
            **assume("activity is counted in finished magnets"),
        )
        book.add(
            "recipes", process=r.process, material=r.swarf, role="output", t_per_t=parameter("swarf_per_magnet"),
            **cite(down("syc-swarf-share"), down("syc-yield-block-fin"),
                   assumed="0.39 t of block is lost per tonne finished at the planning yield; 0.36 t is collected as swarf and rejects"),
        )  # fmt: skip


def process_recipes(book: Book) -> None:
    """Separation, metal making and recycling, for China and for others."""
    for process in read("processes"):
        about = cite(*(named(fact) for fact in process.words("facts")), assumed=process["why"])
        book.add("processes", process=process.id, name=process["name"], restores_provenance=False, **about)
        for row in read("recipes"):
            if row["process"] == process.id:
                book.add(
                    "recipes", process=process.id, material=row["material"], role=row["role"], t_per_t=row.number("t_per_t"), **about
                )  # fmt: skip


def oxide_per_feed(process: str) -> Number:
    """t of oxide from a tonne of swarf or old magnets."""
    return sum(
        (row.number("t_per_t") for row in read("recipes") if (row["process"], row["role"]) == (process, "output")),
        Number(0),
    )


def sectors(book: Book) -> None:
    """``sectors.csv``: what a missing magnet costs. No floors: they would make tight caps infeasible instead of dear."""
    for row in read("sectors"):
        book.add(
            "sectors", sector=row.id, name=row["name"], shortage_usd_per_t=1000 * row.number("shortage_usd_per_kg"), min_service=0,
            **cite(*map(named, row.words("losses")),
                   assumed="published losses span 1,100-6,500 USD per kg of magnets not delivered; graded by how much value stands still"),
        )  # fmt: skip
