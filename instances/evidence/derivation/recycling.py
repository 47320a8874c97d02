"""Recyclers outside China, and the old magnets they can get."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .chain import down
from .facts import Fact, assume, cite, table
from .mining import country, name, ran
from .plants import Loan, Plant, add

PER_OXIDE = 27.5  # USD per kg of oxide recovered: syc-rec-opex-long
OXIDE_PER_FEED = {
    "rec-swarf-n": 0.32,
    "rec-swarf-h": 0.3148,
    "rec-eol": 0.321,
}  # t per t, the sum of the recipe's outputs
ALL_FEED = tuple(OXIDE_PER_FEED)
SWARF = ("rec-swarf-n", "rec-swarf-h")


@dataclass(frozen=True)
class Recycler:
    """A recycler; ``tonnes`` of feed a year, or of oxide a year with ``by_oxide``."""

    key: str
    facts: tuple[Fact, ...]
    tonnes: float
    processes: tuple[str, ...] = ALL_FEED
    committed: bool = False
    status: str = "candidate"
    first_year: int | None = None
    ramp: int | None = None
    by_oxide: bool = False
    opex_per_oxide: float = PER_OXIDE
    concentrates: bool = False  # also separates concentrates
    capex: float | None = None
    startup: bool = True
    success: str = "announced_feasibility_stage"
    loan: Loan | None = None
    private: float | None = None
    kind: str = "recycler"
    requires: str = ""
    why: str = ""


def _r(key: str) -> Fact:
    return table("recycling")[key]


def _s(key: str) -> Fact:
    return table("separation")[key]


def _d(key: str) -> Fact:
    return table("startup_funding")[key]


_FEED_COST = "capex at 55 k$ per t of feed (between syc-capex-rec-cyc-sc and syc-capex-rec-ionic)"


def recyclers() -> tuple[Recycler, ...]:
    """All recyclers; a function, because the facts are read here."""
    marion, freedom = _s("P_USA_REEL_MAR"), table("metal_alloy")["ma-usa-phx-freedom"]
    demonstration = table("metal_alloy")["ma-usa-phx-doe"]
    return (
        Recycler("japan-swarf", (_r("rc-jpn-inhouse"),), 3000, SWARF, True, "operating", startup=False, opex_per_oxide=20,
                 why="in-plant; 25 per cent of Japanese alloy; cheaper than a stand-alone plant"),
        Recycler("caremag-lacq-recycling", (_r("rc-fra-caremag"),), 2000, ALL_FEED, True, "construction", 2027, 3),
        Recycler("cyclic-kingston", (_r("rc-can-cyclic"),), 500, ALL_FEED, True, "operating", 2026, 2, opex_per_oxide=35,
                 why="makes mixed oxide that Solvay separates: toll of about 7.5 USD per kg added, separated oxide counted here"),
        Recycler("geomega-st-hubert", (_r("rc-can-geomega"),), 400, SWARF, True, "construction", 2026, 3),
        Recycler("reecycle-houston", (_r("rc-usa-reecycle"),), 50, ("rec-eol",), True, "construction", 2026, 3, by_oxide=True),
        Recycler("cyclic-mcbee", (_r("rc-usa-cyclic-sc"),), 2000, capex=82, opex_per_oxide=35, why="toll of Solvay added as at Kingston"),
        Recycler("cyclic-mcbee-2", (_r("rc-usa-cyclic-sc2"),), 4000, capex=164, opex_per_oxide=35, requires="cyclic-mcbee",
                 why="at the 41 k$ per t of the first step; toll of Solvay added"),
        Recycler("ionic-belfast", (_r("rc-gbr-ionic"),), 1200, capex=108.7, private=102.3, why="private money is capex less the grants"),
        Recycler("inspiree-ceccano", (_r("rc-ita-inspiree"),), 2000, ("rec-eol",), capex=110, startup=False,
                 why=f"the published 8.6 MUSD buy an oxalate plant without separation; {_FEED_COST}"),
        Recycler("reelement-marion", (marion, _r("rc-usa-reelement-mar"), _d("sf-011"), _d("sf-012")), 2000, by_oxide=True, concentrates=True, capex=160,
                 kind="novel", success="startup_pilot_only", loan=Loan(80, 80),
                 why="2,000 t of oxides from magnets or concentrates; one plant, 160 MUSD once (the loan and its match)"),
        Recycler("alta-pedalpoint", (_r("rc-usa-alta-kz"), _d("sf-017")), 100, ("rec-eol",), by_oxide=True, capex=18.3, kind="novel",
                 success="startup_pilot_only", opex_per_oxide=40, why=f"joint venture with Korea Zinc; {_FEED_COST}"),
        Recycler("alta-boulder", (_s("P_USA_ALTA"), _d("sf-014")), 265, by_oxide=True, capex=60, kind="novel", success="startup_pilot_only",
                 opex_per_oxide=40, concentrates=True, why="no capacity or later round found"),
        Recycler("phoenix-freedom-oxide", (freedom, _d("sf-079")), 3000, (), by_oxide=True, concentrates=True, capex=430, kind="novel",
                 success="startup_pilot_only", loan=Loan(344, 344),
                 why="capacity not published: 3,000 t of oxide and metal is what 625 MUSD buy at 120 + 65 k$ per t with the loan at 80 per cent"),
        Recycler("phoenix-demonstration", (demonstration, _d("sf-021")), 500, (), by_oxide=True, concentrates=True, capex=147.8, kind="novel",
                 success="startup_pilot_only", private=81.8, why="separation side of a separation-to-metal demonstration; private money is the published cost share"),
    )  # fmt: skip


NAMES = {
    "reelement-marion": "ReElement Marion Supersite phase 1",
    "phoenix-freedom-oxide": "Phoenix Tailings Freedom Facility, separation",
    "alta-boulder": "Alta Resource Technologies Boulder",
}
LEFT_OUT = {
    "rc-gbr-hypromag": "in magnets.csv", "rc-deu-hypromag": "in magnets.csv", "rc-usa-hypromag": "in magnets.csv", "rc-usa-noveon": "in magnets.csv",
    "rc-fra-magree": "in magnets.csv", "rc-fra-magfactory": "in magnets.csv",
    "rc-usa-cyclic-mesa": "takes scrap apart, no oxide", "rc-gbr-ionic-demo": "10 t", "rc-usa-wd": "one-off pilot",
    "rc-deu-heraeus": "powder for bonded magnets", "rc-deu-heraeus2": "powder for bonded magnets", "rc-usa-reelement-nob": "in separation.csv",
    "rc-usa-mp": "capacity not disclosed", "rc-vnm-showa": "2010 data, perhaps closed", "rc-deu-rocklink": "no source", "rc-usa-emt": "no tonnage",
    "rc-chn-jlmag": "part of rc-chn-agg",
}  # fmt: skip


def recycling_plants(book: Book, year: int | None = None) -> None:
    """Facilities, operations and options of all recyclers outside China; with ``year`` only those that ran then."""
    for r in recyclers():
        if not ran(year, r.committed, r.first_year):
            continue
        fact = r.facts[0]
        opex = {p: 1000 * r.opex_per_oxide * OXIDE_PER_FEED[p] for p in r.processes}
        per_t = {p: OXIDE_PER_FEED[p] for p in r.processes} if r.by_oxide else {}
        if r.concentrates:
            opex |= {"sep-light": 50_000.0, "sep-heavy": 100_000.0}
        committed = r.committed
        add(book, Plant(
            key=r.key, name=NAMES.get(r.key, name(fact)), owner=fact["owner"], country=country(fact), kind=r.kind, facts=r.facts, opex=opex,
            capacity=r.tonnes, committed=committed, status=r.status, startup=r.startup, first_year=r.first_year if committed else int(fact["first_year"]),
            ramp=r.ramp, capacity_per_t=per_t, capex=r.capex, success=r.success, loan=r.loan, private=r.private, requires=r.requires, why=r.why,
        ))  # fmt: skip


COLLECTED = {2026: 300, 2030: 1200, 2035: 3500, 2040: 7000}  # t of old magnets a year that allied recyclers can get
COLLECTED_SPLIT = {"USA": 0.22, "EUU": 0.33, "JPN": 0.22, "KOR": 0.09, "GBR": 0.04, "IND": 0.05, "CAN": 0.05}
FEED_PRICE = 12.0  # USD per kg


def old_magnets(book: Book) -> None:
    """Markets of old magnets: clean wherever they are collected, limited by what can be collected."""
    facts = (
        down("syc-rec-eol-global"),
        down("syc-rec-eol-rate"),
        down("syc-rec-eol-rate-2035"),
        down("syc-rec-feed-price"),
    )
    reason = (
        "rising from about 1 per cent of what is discarded to a quarter of what the allied countries discard; split by the stock of cars and electronics; "
        "12 USD per kg lies in the 8-20 of the fact"
    )
    for where, share in COLLECTED_SPLIT.items():
        market = f"eol-{where.lower()}"
        book.add(
            "markets", market=market, country=where, material="eol_magnet", exposed=False,
            **assume("an old magnet is scrap of the country that collects it, whoever made it"),
        )  # fmt: skip
        for year, t in COLLECTED.items():
            book.add(
                "market_prices",
                market=market,
                year=year,
                price_usd_per_t=1000 * FEED_PRICE,
                max_t=t * share,
                **cite(*facts, assumed=reason),
            )
