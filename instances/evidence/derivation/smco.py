"""The instance smco-2035: samarium-cobalt magnets, a second chain from the same mines with the same engine.

Facts and estimates stand in facts/samarium.csv, what this project decides in choices/smco_*.csv; here are only formulas.
"""

from __future__ import annotations

from . import claims
from .book import Book
from .chain import down
from .facts import Fact, Number, assume, cite, find, named, read, table
from .money import government_rate, wacc

MAGNETS = {"sm2co17": ("Sm2Co17 magnets", "217"), "smco5": ("SmCo5 magnets", "15")}
SECTORS = {"defence": "Defence and aerospace", "civil": "Other (sensors, motors, oil wells, medicine)"}


def _sm(name: str) -> Fact:
    return table("samarium")[f"sm-{name}"]


def _choice(name: str) -> Number:
    return table("smco_parameters")[name].number("value")


def _per_t(fact: Fact) -> Number:
    """The value of a fact in USD per t; the facts give USD per kg."""
    return 1000 * fact.number("value")


def _need(magnet: str, metal: str) -> tuple[Number, tuple[Fact, Fact]]:
    """Tonnes of a metal that go in per tonne of finished magnet, and the facts: its content over the yield of finishing."""
    content, finished = _sm(f"{MAGNETS[magnet][1]}-{metal}"), down("syc-yield-block-fin")
    return round(content.number("value") / finished.number("value"), 3), (content, finished)


class Chain(Book):
    """The tables, each number with the range of the fact that is least sure of it."""

    def band(self, name: str, key: str, column: str, value: Number, fact: Fact) -> None:
        """Add the range of a number that is proportional to ``fact``."""
        low, high = (fact.optional(end) for end in ("low", "high"))
        if low is None or high is None:
            return
        known, claim = fact.number("value"), claims.of_number(value.cells)
        part = value / known
        self.add("evidence", table=name, key=key, column=column, low=round(low * part, 4), high=round(high * part, 4),
                 confidence=fact["confidence"] or "low", kind=claim.kind, as_of=claim.as_of, review_by=claim.review_by,
                 **cite(fact, assumed="as far as this fact is unsure, all else as it is"))  # fmt: skip


def materials(book: Chain) -> None:
    """Materials and processes with their recipes."""
    for material, name, stage in (
        ("sm_feed", "Samarium oxide contained in concentrate", "mining"),
        ("sm_oxide", "Samarium oxide", "separation"),
        ("sm_metal", "Samarium metal, or in alloy", "metal"),
        ("cobalt", "Cobalt metal", ""),
        *((magnet, name, "magnet") for magnet, (name, _) in MAGNETS.items()),
    ):
        price = {"sm_oxide": _sm("price-oxide-chn"), "sm_metal": _sm("price-metal-chn"), "cobalt": _sm("price-co")}
        value, about = None, assume("a name")
        if material in price:
            value, about = _per_t(price[material]), cite(price[material])
        elif material in MAGNETS:
            value, about = (
                china_magnet(material),
                cite(_sm("price-co"), assumed="price of a Chinese magnet, see markets"),
            )
        book.add("materials", material=material, name=name, stage=stage, strategic=bool(stage), surplus=material not in MAGNETS,
                 value_usd_per_t=value, **about)  # fmt: skip
    oxide = _sm("oxide-per-metal")
    steps = {
        "mine": ("Mining and concentrating, samarium as a by-product", [], "sm_feed"),
        "separate": ("Separation of samarium", [("sm_feed", Number(1), ())], "sm_oxide"),
        "reduce": ("Reduction to metal, alloying", [("sm_oxide", oxide.number("value"), (oxide,))], "sm_metal"),
        **{
            f"press-{magnet}": (
                f"{name}, from alloy to finished",
                [(metal, *_need(magnet, short)) for metal, short in (("sm_metal", "sm"), ("cobalt", "co"))],
                magnet,
            )
            for magnet, (name, _) in MAGNETS.items()
        },
    }
    for process, (name, inputs, made) in steps.items():
        book.add("processes", process=process, name=name, restores_provenance=False, **assume("a step of the chain"))
        for material, tonnes, facts in inputs:
            about = cite(*facts, assumed="content over the yield from block to finished magnet; swarf is not recycled") if len(facts) > 1 else (
                cite(*facts) if facts else assume("counted as contained oxide, without loss"))  # fmt: skip
            book.add("recipes", process=process, material=material, role="input", t_per_t=tonnes, **about)
            if facts:
                book.band("recipes", f"{process}/{material}/input", "t_per_t", tonnes, facts[0])
        book.add(
            "recipes",
            process=process,
            material=made,
            role="output",
            t_per_t=1,
            **assume("activity is counted in what is made"),
        )


def china_magnet(magnet: str) -> Number:
    """Price of a Chinese magnet, USD per t: its metals at Chinese prices and the conversion."""
    samarium, cobalt = _need(magnet, "sm")[0], _need(magnet, "co")[0]
    conversion = _per_t(down("syc-conv-magnet-chn")) * _sm("conv-factor").number("value")
    return round(samarium * _per_t(_sm("price-metal-chn")) + cobalt * _per_t(_sm("price-co")) + conversion)


def _tonnes(row: Fact, column: str) -> tuple[Number, tuple[Fact, ...]]:
    """Tonnes a year of a plant or module: a cell of a fact, times another fact where the row names one."""
    fact = named(row[column])
    tonnes, facts = fact.number(row["column"]), (fact,)
    if row["times"]:
        share = table("samarium")[row["times"]]
        tonnes, facts = tonnes * share.number("value"), (fact, share)
    return tonnes, facts


def plants(book: Chain) -> None:
    """Plants with what they can run and its cost."""
    usable = _choice("usable")
    for plant in read("smco_plants"):
        key = plant.id
        nameplate, facts = _tonnes(plant, "capacity") if plant["capacity"] else (Number(0), ())
        capacity = round(usable * nameplate, 1)
        why = f"{plant['why']}; {float(usable):.0%} of nameplate usable" if facts else plant["why"]
        book.add("facilities", facility=key, name=plant["name"], owner=plant["owner"], country=plant["country"], status=plant["status"],
                 startup=plant.flag("startup") or None, capacity_t=capacity, first_year=plant.optional("first_year"),
                 ramp_years=plant.optional("ramp_years"), min_use=plant.optional("min_use"), **(cite(*facts, assumed=why) if facts else assume(why)))  # fmt: skip
        if facts:
            book.band("facilities", key, "capacity_t", capacity, facts[-1])
        cost = down(plant["cost"]) if plant["cost"].startswith("syc") else table("samarium")[plant["cost"]]
        press = plant["process"] == "press"
        opex = round(_per_t(cost) * (_sm("conv-factor").number("value") if press else 1))
        for process in [f"press-{magnet}" for magnet in MAGNETS] if press else [plant["process"]]:
            book.add("operations", facility=key, process=process, opex_usd_per_t=opex,
                     **cite(cost, *([_sm("conv-factor")] if press else []), assumed="as the fact says, for all plants of its kind"))  # fmt: skip
            book.band("operations", f"{key}/{process}", "opex_usd_per_t", opex, _sm("conv-factor") if press else cost)


def options(book: Chain) -> None:
    """What can be built, and the loan of the Department of War for samarium."""
    country = {plant.id: plant["country"] for plant in read("smco_plants")}
    for option in read("smco_options"):
        tonnes, facts = _tonnes(option, "module")
        module = round(_choice("usable") * tonnes, 1)
        paid = named(option["capex"])
        if option["capex_column"] == "amount_musd":
            capex = paid.number("amount_musd")
        else:
            capex = tonnes * paid.number("value") / (1 if paid["unit"].startswith("MUSD") else 1e6)
        lent = paid.file == "startup_funding"
        book.add("options", option=option.id, facility=option["plant"], name=option["name"], module_t=module, max_modules=option.number("max_modules"),
                 integer=True, capex_musd=round(capex, 2), lead_years=option.number("lead_years"), ramp_years=option.number("ramp_years"),
                 life_years=option.number("life_years"), first_start=option.optional("first_start"),
                 wacc=government_rate() if lent else wacc(_near(country[option["plant"]])), success_probability=option.number("success"),
                 **cite(*facts, paid, assumed=f"{option['why']}; lead, ramp, life, number of modules and chance are judgement"))  # fmt: skip
        book.band("options", option.id, "module_t", module, facts[-1])
        if not lent:
            book.band("options", option.id, "capex_musd", round(capex, 2), paid)
    loan = named("sf-031")
    book.add("funds", fund="dow-samarium", provider=loan["provider"], instrument="loan", budget_musd=loan.number("amount_musd"), max_share=1,
             **cite(loan, assumed="may pay for the whole line"))  # fmt: skip
    book.add("fund_options", fund="dow-samarium", option="mp-samarium", **cite(loan))


def _near(country: str) -> str:
    """The country of the facts whose cost of capital counts for ``country``."""
    return country if country in table("countries") else "EUU"


def trade(book: Chain) -> None:
    """Lanes, the duty of the USA on Chinese magnets, outside sellers, and the stock of La Rochelle."""
    freight = _sm("freight")
    for lane in read("smco_lanes"):
        book.add("lanes", material=lane["material"], origin=lane["origin"], destination=lane["destination"], cost_usd_per_t=_per_t(freight),
                 **cite(freight, assumed="the same everywhere; ore only goes where it is or can be separated"))  # fmt: skip
    duty = find("trade_costs", item="total_duty_magnets", origin="CHN", destination="USA", year="2027")
    for magnet in MAGNETS:
        book.add("tariffs", material=magnet, origin="CHN", destination="USA", rate=duty.number("value") / 100,
                 **cite(duty, assumed="the same subheading 8505.11 as NdFeB, in all years"))  # fmt: skip
    sellers = [("sm_oxide", "CHN", _per_t(_sm("price-oxide-chn")), (_sm("price-oxide-chn"),)), ("sm_metal", "CHN", _per_t(_sm("price-metal-chn")), (_sm("price-metal-chn"),)),
               ("cobalt", "CHN", _per_t(_sm("price-co")), (_sm("price-co"),)),
               ("cobalt", "NOR", _per_t(_sm("price-co")) * (1 + _sm("co-premium").number("value")), (_sm("price-co"), _sm("co-premium"))),
               *((magnet, "CHN", china_magnet(magnet), (_sm("price-metal-chn"), _sm("price-co"), _sm("conv-factor"), down("syc-conv-magnet-chn"))) for magnet in MAGNETS)]  # fmt: skip
    for material, country, price, facts in sellers:
        market = f"{country.lower()}-{material}"
        about = cite(*facts, assumed="any amount at one price; allied cobalt is a refinery outside China, counted in Norway" if country == "NOR"
                     else "any amount at one price, to whoever is no defence buyer")  # fmt: skip
        book.add("markets", market=market, country=country, material=material, **about)
        book.add("market_prices", market=market, price_usd_per_t=round(price), **about)
        if material not in MAGNETS:
            book.band("market_prices", f"{market}/", "price_usd_per_t", round(price), facts[0])
    stock = _sm("solvay-stock")
    book.add("stockpiles", stockpile="la-rochelle", country="FRA", material="sm_feed", initial_t=stock.number("value"), initial_exposed=False,
             max_t=stock.number("value"), holding_usd_per_t=_choice("holding"), final_min_t=0, **cite(stock, assumed="counts as clean, since it is older than the rule"))  # fmt: skip
    book.band("stockpiles", "la-rochelle", "initial_t", stock.number("value"), stock)


def demand(book: Chain) -> None:
    """Sectors and demand: US defence by the facts, allied defence in the proportion of NdFeB, civil use as the rest of the allied market."""
    rule = find("policy_events", date="2024-05-30", parameter="china_share_defence_max")
    for sector, name in SECTORS.items():
        about = cite(rule, assumed="taken for allied defence as a whole") if sector == "defence" else assume("no rule")
        book.add("sectors", sector=sector, name=name, shortage_usd_per_t=1000 * _choice(f"{sector}_shortage"),
                 clean_from_year=_choice("clean_from") if sector == "defence" else None, **about)  # fmt: skip
    usa, growth = _sm("defence-usa"), _sm("growth")
    value, price, share = _sm("world-value"), _sm("magnet-price"), _sm("allied-share")
    allied = value.number("value") * 1000 / price.number("value") * share.number("value")
    here = {
        region: find("demand", region=region, sector="defence_aerospace", year="2025", method="allocation_ipf")
        for region in ("USA", "EU27", "GBR", "JPN")
    }
    ratio = {"USA": ("USA",), "DEU": ("EU27", "GBR"), "JPN": ("JPN",)}
    parts = {"USA": _sm("part-usa"), "DEU": _sm("part-europe"), "JPN": _sm("part-japan")}
    split = _sm("part-15")
    for country, regions in ratio.items():
        tonnes = {
            "defence": usa.number("value")
            * sum(here[r].number("demand_t") for r in regions)
            / here["USA"].number("demand_t")
        }
        grown = (1 + growth.number("value")) ** (int(_choice("first_year")) - int(value["year"]))
        tonnes["civil"] = parts[country].number("value") * allied * grown - tonnes["defence"]
        about = {
            "defence": cite(usa, split, growth, *(here[r] for r in regions), assumed="US defence in the facts, others as their NdFeB for defence to the American; Europe is counted in Germany"),
            "civil": cite(value, price, share, parts[country], split, growth, assumed="the allied part of the world's value at a mean price, less defence; Europe is counted in Germany"),
        }  # fmt: skip
        for sector, base in tonnes.items():
            for magnet, of in (("smco5", split.number("value")), ("sm2co17", 1 - split.number("value"))):
                for year in range(int(_choice("first_year")), int(_choice("last_year")) + 1):
                    t = round(base * of * (1 + growth.number("value")) ** (year - int(_choice("first_year"))), 1)
                    book.add(
                        "demand",
                        country=country,
                        sector=sector,
                        material=magnet,
                        year=year,
                        demand_t=t,
                        **about[sector],
                    )
                    book.band(
                        "demand",
                        f"{country}/{sector}/{magnet}/{year}",
                        "demand_t",
                        t,
                        usa if sector == "defence" else share,
                    )


def book() -> Book:
    """All tables of smco-2035."""
    b = Chain()
    for country in read("smco_countries"):
        b.add(
            "countries",
            country=country.id,
            **{c: country[c] for c in ("name", "bloc", "latitude", "longitude")},
            **assume("a point on the map"),
        )
    materials(b)
    plants(b)
    options(b)
    trade(b)
    demand(b)
    b.add_sources()
    return b
