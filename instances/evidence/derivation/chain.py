"""Countries, materials, processes, recipes and sectors: what the chain is made of.

Masses: mining materials count contained oxide (``lre_conc`` Nd+Pr oxide, ``hre_conc`` Dy+Tb oxide at 85:15), so that two materials carry the
content of every mine, mining shares compare with published shares of magnet rare earths, and no blending rule is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import Fact, assume, cite, find, read, table

Y, D = "stage_yields_costs_upstream", "stage_yields_costs_downstream"


def up(fact: str) -> Fact:
    """A fact on yields and costs upstream (mining, separation)."""
    return table(Y)[fact]


def down(fact: str) -> Fact:
    """A fact on yields and costs downstream (metal, magnet, recycling)."""
    return table(D)[fact]


HEAVY_SPLIT = {"dy_oxide": 0.85, "tb_oxide": 0.15}  # t per t of Dy+Tb oxide

COUNTRIES: tuple[tuple[str, str, str, float, float], ...] = (
    # country, name, bloc, latitude, longitude (rounded, for maps)
    ("USA", "United States", "allied", 39, -98),
    ("JPN", "Japan", "allied", 36, 138),
    ("KOR", "Korea", "allied", 36, 128),
    ("EUU", "European Union (27 members as one)", "allied", 50, 10),
    ("GBR", "United Kingdom", "allied", 54, -2),
    ("IND", "India", "allied", 22, 79),
    ("RAL", "Rest of the allied buyers (no plants; demand only)", "allied", 10, 110),
    ("AUS", "Australia", "partner", -25, 134),
    ("CAN", "Canada", "partner", 57, -100),
    ("NOR", "Norway", "partner", 61, 9),
    ("MYS", "Malaysia", "partner", 4, 103),
    ("VNM", "Viet Nam", "partner", 16, 107),
    ("BRA", "Brazil", "partner", -11, -53),
    ("CHL", "Chile", "partner", -36, -72),
    ("ZAF", "South Africa", "partner", -29, 25),
    ("MWI", "Malawi", "partner", -13, 34),
    ("AGO", "Angola", "partner", -12, 18),
    ("UGA", "Uganda", "partner", 1, 32),
    ("MDG", "Madagascar", "partner", -20, 47),
    ("GRL", "Greenland", "partner", 61, -46),
    ("SAU", "Saudi Arabia", "partner", 24, 45),
    ("TZA", "Tanzania", "", -6, 35),
    ("MMR", "Myanmar", "", 25, 98),
    ("LAO", "Laos", "", 19, 103),
    ("THA", "Thailand", "", 15, 101),
    ("NGA", "Nigeria", "", 9, 8),
    ("CHN", "China", "", 35, 104),
    ("RUS", "Russia", "", 62, 95),
    ("ROW", "Rest of the world", "", 0, 0),
)  # fmt: skip


WORLD_ONLY = ("RUS", "ROW")


def countries(book: Book, world: bool = False) -> None:
    """``countries.csv``: buyers (bloc allied), suppliers that work with them (partner), and the rest."""
    for country, name, bloc, latitude, longitude in COUNTRIES:
        if world or country not in WORLD_ONLY:
            book.add(
                "countries", country=country, name=name, bloc=bloc, latitude=latitude, longitude=longitude,
                **assume("blocs follow the demand regions of demand.csv and the countries of the projects in the fact tables; rounded centre for maps"),
            )  # fmt: skip


@dataclass(frozen=True)
class Elements:
    """Contained rare-earth metal, t per t of material. Blank elements are zero."""

    ndpr: float = 0.0
    dy: float = 0.0
    tb: float = 0.0


METAL_IN_OXIDE = {
    "ndpr": down("syc-stoich-ndpr").number("value"),
    "dy": down("syc-stoich-dy2o3").number("value"),
    "tb": down("syc-stoich-tb4o7").number("value"),
}
# What the element balance of the recipes is checked against. Finished magnets are left out: their content depends on the recipe.
CONTENT: dict[str, Elements] = {
    "lre_conc": Elements(ndpr=METAL_IN_OXIDE["ndpr"]),
    "hre_conc": Elements(dy=0.85 * METAL_IN_OXIDE["dy"], tb=0.15 * METAL_IN_OXIDE["tb"]),
    "ndpr_oxide": Elements(ndpr=METAL_IN_OXIDE["ndpr"]),
    "dy_oxide": Elements(dy=METAL_IN_OXIDE["dy"]),
    "tb_oxide": Elements(tb=METAL_IN_OXIDE["tb"]),
    "ndpr_metal": Elements(ndpr=1),
    "dy_metal": Elements(dy=1),
    "tb_metal": Elements(tb=1),
    "swarf_n": Elements(ndpr=0.303),
    "swarf_h": Elements(ndpr=0.288, dy=0.0083, tb=0.0011),
    "eol_magnet": Elements(ndpr=0.284, dy=0.0194, tb=0.0019),
}


def materials(book: Book, price: dict[str, float], price_note: dict[str, str]) -> None:
    """``materials.csv``; ``price`` gives value_usd_per_t, the base of tariffs."""
    rows = (
        ("lre_conc", "Nd+Pr oxide contained in concentrate or mixed carbonate", "mining", True, True),
        ("hre_conc", "Dy+Tb oxide (85:15) contained in concentrate or mixed carbonate", "mining", True, True),
        ("ndpr_oxide", "Nd-Pr oxide, separated", "separation", True, True),
        ("dy_oxide", "Dysprosium oxide, separated", "separation", True, True),
        ("tb_oxide", "Terbium oxide, separated", "separation", True, True),
        ("ndpr_metal", "Nd-Pr metal", "metal", True, True),
        ("dy_metal", "Dysprosium metal (or in DyFe)", "metal", True, True),
        ("tb_metal", "Terbium metal (or hydride)", "metal", True, True),
        ("mag_n", "Sintered NdFeB magnet, grades N and M (to 100 C)", "magnet", True, False),
        ("mag_sh", "Sintered NdFeB magnet, grades H and SH (to 150 C)", "magnet", True, False),
        ("mag_uh", "Sintered NdFeB magnet, grades UH and EH (to 200 C)", "magnet", True, False),
        ("swarf_n", "Grinding swarf and rejects without heavy rare earths", "", False, True),
        ("swarf_h", "Grinding swarf and rejects with Dy and Tb", "", False, True),
        ("eol_magnet", "Magnets taken out of scrapped products", "", False, True),
    )
    for material, name, stage, strategic, surplus in rows:
        book.add(
            "materials", material=material, name=name, stage=stage, strategic=strategic, surplus=surplus,
            value_usd_per_t=price.get(material), **assume(price_note.get(material, "no tariff falls on it, so no value is needed")),
        )  # fmt: skip


@dataclass(frozen=True)
class MagnetRecipe:
    """Metal per tonne of finished magnet, gross of swarf; ``adder`` USD/kg over an N magnet."""

    process: str
    name: str
    magnet: str
    ndpr: float
    dy: float
    tb: float
    adder: float
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
TERBIUM_WORTH = 3.0  # kg of dysprosium that 1 kg of terbium replaces in diffusion


def mean_content(grade: str, element: str) -> float:
    """Weight per cent of ``element`` in ``grade`` (of grade_mix.csv), weighted with allied demand of 2030."""
    tonnes = weighted = 0.0
    for row in read("demand"):
        if row["method"] != "allocation_ipf" or row["year"] != "2030" or row["region"] in ("CHN", "ROW"):
            continue
        mix = find("grade_mix", sector=row["sector"], grade=grade)
        t = float(row["demand_t"]) * mix.number("share")
        tonnes += t
        weighted += t * mix.number(f"{element}_wt_pct")
    return weighted / tonnes


def _diffused(grade: str, tb: float) -> tuple[float, float]:
    """(Dy, Tb) t per t of finished magnet on the line through the mean mix along which terbium replaces dysprosium."""
    dy_mean, tb_mean = DIFFUSED * mean_content(grade, "dy") / 100, DIFFUSED * mean_content(grade, "tb") / 100
    return round(dy_mean + TERBIUM_WORTH * (tb_mean - tb), 4), tb


def _reference(*facts: Fact, column: str = "value") -> tuple[float, ...]:
    """Gross metal need of compositions in weight per cent."""
    return tuple(round(GROSS * fact.number(column) / 100, 4) for fact in facts)


_MIX = (
    "the mean mix of the grade with diffusion (grade_mix.csv, weighted with allied demand of 2030, heavies times 1.063 because they are diffused in after machining) is varied along a line on "
    "which 1 kg of terbium does the work of 3 kg of dysprosium: between the 2-2.5 of coercivity gains and the price ratio of 3.5-4 at which makers use both; "
    "each recipe keeps at least the terbium of mixed swarf"
)
_BULK = "bulk-alloyed composition times the gross factor 1.476"
_LEAN = "grades nearly free of heavy rare earths announced by Proterial and Daido; tonnes per tonne and the dearer process are judgement"
_SH_BULK = find("grade_mix", sector="ALL_REFERENCE", grade="H/SH bulk")
_UH_BULK = (down("syc-comp-uh-ndpr"), down("syc-comp-uh-dy"), down("syc-comp-uh-tb"))


def _magnet_recipes() -> tuple[MagnetRecipe, ...]:
    n = _reference(down("syc-comp-n-ndpr"))[0]
    sh = tuple(round(GROSS * _SH_BULK.number(f"{e}_wt_pct") / 100, 4) for e in ("ndpr", "dy", "tb"))
    uh = _reference(*_UH_BULK)
    sh_ndpr = round(GROSS * mean_content("H/SH", "ndpr") / 100, 4)
    uh_ndpr = round(GROSS * mean_content("UH/EH", "ndpr") / 100, 4)
    return (
        MagnetRecipe("mag-n", "Magnet N/M", "mag_n", n, 0, 0, 0, "swarf_n", "composition times the gross factor 1.476"),
        MagnetRecipe("mag-sh-bulk", "Magnet H/SH, bulk dysprosium", "mag_sh", *sh, 1, "swarf_h", _BULK),
        MagnetRecipe(
            "mag-sh-dy",
            "Magnet H/SH, diffused dysprosium",
            "mag_sh",
            sh_ndpr,
            *_diffused("H/SH", 0.0006),
            3,
            "swarf_h",
            _MIX,
        ),
        MagnetRecipe(
            "mag-sh-tb",
            "Magnet H/SH, diffused terbium",
            "mag_sh",
            sh_ndpr,
            *_diffused("H/SH", 0.0046),
            3,
            "swarf_h",
            _MIX,
        ),
        MagnetRecipe("mag-sh-lean", "Magnet H/SH, heavy-lean", "mag_sh", 0.445, 0.004, 0, 6, "swarf_n", _LEAN),
        MagnetRecipe("mag-uh-bulk", "Magnet UH/EH, bulk dysprosium", "mag_uh", *uh, 3, "swarf_h", _BULK),
        MagnetRecipe(
            "mag-uh-dy",
            "Magnet UH/EH, diffused dysprosium",
            "mag_uh",
            uh_ndpr,
            *_diffused("UH/EH", 0.0018),
            6,
            "swarf_h",
            _MIX,
        ),
        MagnetRecipe(
            "mag-uh-tb",
            "Magnet UH/EH, diffused terbium",
            "mag_uh",
            uh_ndpr,
            *_diffused("UH/EH", 0.0113),
            6,
            "swarf_h",
            _MIX,
        ),
        MagnetRecipe("mag-uh-lean", "Magnet UH/EH, heavy-lean", "mag_uh", 0.425, 0.015, 0.002, 8, "swarf_h", _LEAN),
    )


MAGNET_RECIPES = _magnet_recipes()
LEAN = ("mag-sh-lean", "mag-uh-lean")
SWARF_T_PER_T = 0.36


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
            "recipes", process=r.process, material=r.swarf, role="output", t_per_t=SWARF_T_PER_T,
            **cite(down("syc-swarf-share"), down("syc-yield-block-fin"),
                   assumed="0.39 t of block is lost per tonne finished at the planning yield; 0.36 t is collected as swarf and rejects"),
        )  # fmt: skip


def process_recipes(book: Book) -> None:
    """Separation, metal making and recycling, for China and for others."""

    def process(key: str, name: str, flows: dict[str, float], about: dict[str, str]) -> None:
        """Positive flows are outputs, negative ones inputs."""
        book.add("processes", process=key, name=name, restores_provenance=False, **about)
        for material, t in flows.items():
            book.add(
                "recipes", process=key, material=material, role="output" if t > 0 else "input", t_per_t=abs(t), **about
            )

    heavy = "Dy+Tb oxide leaves at 85:15, the middle of the heavy-bearing deposits in mines.csv (Tb 0.13-0.25)"
    light = cite(up("Y011"), up("Y013"), assumed="1/(0.93 cracking x 0.96 extraction)")
    process("sep-light", "Separation, light", {"lre_conc": -1.12, "ndpr_oxide": 1}, light)
    process("sep-light-chn", "Separation, light, China", {"lre_conc": -1.06, "ndpr_oxide": 1},
            cite(up("Y012"), up("Y014"), assumed="1/0.94; extraction losses of 2 % return to feed"))  # fmt: skip
    split = HEAVY_SPLIT
    process("sep-heavy", "Separation, heavy", {"hre_conc": -1.16, **split},
            cite(up("Y011"), up("Y015"), assumed=f"1/(0.93 x 0.92), part of the loss returned; {heavy}"))  # fmt: skip
    process("sep-heavy-chn", "Separation, heavy, China", {"hre_conc": -1.09, **split},
            cite(up("Y012"), up("Y016"), assumed=f"1/(0.94 x 0.96), part of the loss returned; {heavy}"))  # fmt: skip
    process(
        "metal-ndpr",
        "Nd-Pr metal",
        {"ndpr_oxide": -1.238, "ndpr_metal": 1},
        cite(down("syc-stoich-ndpr"), down("syc-yield-ox-metal-new")),
    )
    process("metal-ndpr-chn", "Nd-Pr metal, China", {"ndpr_oxide": -1.2, "ndpr_metal": 1},
            cite(down("syc-mass-ox-per-metal"), down("syc-yield-ox-metal-chn")))  # fmt: skip
    process(
        "metal-dy",
        "Dysprosium metal",
        {"dy_oxide": -1.208, "dy_metal": 1},
        cite(down("syc-stoich-dy2o3"), down("syc-yield-dy-metal")),
    )
    process(
        "metal-tb",
        "Terbium metal",
        {"tb_oxide": -1.238, "tb_metal": 1},
        cite(down("syc-stoich-tb4o7"), down("syc-yield-dy-metal")),
    )
    recovered = "0.90 of the contained rare earths come back as oxide (long loop)"
    process("rec-swarf-n", "Recycling of swarf without heavies", {"swarf_n": -1, "ndpr_oxide": 0.32},
            cite(down("syc-rec-long"), down("syc-rec-mreo-cyc"), assumed=recovered))  # fmt: skip
    process("rec-swarf-h", "Recycling of swarf with heavies", {"swarf_h": -1, "ndpr_oxide": 0.305, "dy_oxide": 0.0086, "tb_oxide": 0.0012},
            cite(down("syc-rec-long"), down("syc-rec-mreo-cyc"), assumed=recovered))  # fmt: skip
    process("rec-eol", "Recycling of old magnets", {"eol_magnet": -1, "ndpr_oxide": 0.299, "dy_oxide": 0.020, "tb_oxide": 0.002},
            cite(down("syc-rec-long"), down("syc-rec-reo-ionic"), assumed=f"{recovered}; old magnets hold about 2 % Dy oxide, from bulk-alloyed times"))  # fmt: skip
    process("rec-short", "Short loop: old magnets to new N/M magnets", {"eol_magnet": -1.11, "mag_n": 1},
            cite(down("syc-rec-short"), table("recycling")["rc-gbr-hypromag"], assumed="recovery 0.90; limited grades, so N/M only"))  # fmt: skip


SECTORS: tuple[tuple[str, str, float, tuple[str, ...], tuple[str, ...]], ...] = (
    # sector, name, shortage USD/kg, sectors of demand.csv, facts on the loss
    ("defence", "Defence and aerospace", 3000, ("defence_aerospace",), ("E_VOLL_GS",)),
    ("drones", "Drones", 3000, ("drones",), ("E_VOLL_GS",)),
    ("ev", "Traction motors of electric and hybrid cars", 1500, ("ev_traction",), ("E_VOLL_CAR", "E_VOLL_NRI")),
    ("industry", "Industrial motors and robots", 900, ("industrial_motors", "robotics"), ("E_VOLL_NRI",)),
    ("wind", "Wind turbines", 600, ("wind",), ("E_VOLL_NRI",)),
    ("other", "Other (electronics, appliances, car auxiliaries)", 500,
     ("consumer_electronics", "data_centers_hdd", "hvac_appliances", "other"), ("E_VOLL_NRI",)),
)  # fmt: skip


def sectors(book: Book) -> None:
    """``sectors.csv``: what a missing magnet costs. No floors: they would make tight caps infeasible instead of dear."""
    for sector, name, shortage, _, losses in SECTORS:
        book.add(
            "sectors", sector=sector, name=name, shortage_usd_per_t=1000 * shortage, min_service=0,
            **cite(*(table("disruptions")[f] for f in losses),
                   assumed="published losses span 1,100-6,500 USD per kg of magnets not delivered; graded by how much value stands still"),
        )  # fmt: skip
