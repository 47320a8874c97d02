"""Mines outside China: one process each, from t REO to contained Nd-Pr and Dy-Tb oxide."""

from __future__ import annotations

from collections.abc import Mapping

from .book import Book
from .chain import HEAVY_ORE
from .facts import Fact, Number, cite, named, parameter
from .plants import add, name, of_stage


def mining_process(book: Book, key: str, fact: Fact, ore: str, heavy: Number | None = None, why: str = "") -> None:
    """Process and recipe of one deposit: oxide contained in its ``ore`` per tonne of REO; ``heavy`` replaces the fact's Dy+Tb share, for the reason ``why``."""
    about = cite(fact)
    book.add("processes", process=f"mine-{key}", name=f"Mining, {fact['name']}", restores_provenance=False, **about)
    share = fact.number("dy_share") + fact.number("tb_share") if heavy is None else heavy
    book.add("recipes", process=f"mine-{key}", material=ore, role="output", t_per_t=fact.number("ndpr_share"), **about)
    book.add(
        "recipes", process=f"mine-{key}", material=HEAVY_ORE, role="output", t_per_t=round(share, 6),
        **cite(fact, assumed="; ".join(w for w in ("Dy and Tb shares added; their ratio is taken as 85:15", why) if w)),
    )  # fmt: skip


def mines(book: Book, year: int | None = None, tonnes: Mapping[str, Number] | None = None) -> None:
    """Facilities, operations and options of all mines outside China; with ``year`` only those that ran then, ``tonnes`` REO instead of their capacity."""
    for mine in of_stage("mining", year):
        fact = named(mine["fact"])
        mining_process(book, mine.id, fact, mine["ore"])
        own, capex, part = (tonnes or {}).get(mine.id), fact.optional("capex_musd"), mine.optional("capex_share")
        reo = fact.number("capacity_t_reo") if own is None else own
        capex = capex if capex is None or part is None else part * capex
        also = ""
        if year is None and mine.flag("through_china"):  # the whole world is in the instance of a single year
            share = parameter("allied_share")
            reo, capex = share * reo, capex if capex is None else share * capex
            also = f"{share:.0%} of it serves the chain of this instance, as of all ore that is separated in China"
        add(
            book, mine, {f"mine-{mine.id}": 1000 * fact.number("opex_usd_per_kg_reo")}, reo, name=name(fact), capex=capex,
            usable=None if own is None else 1, life=min(parameter("longest_life"), fact.number("mine_life_years")), also=also,
        )  # fmt: skip
