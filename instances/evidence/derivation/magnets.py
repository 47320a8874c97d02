"""Magnet makers outside China."""

from __future__ import annotations

from .book import Book
from .chain import SHORT_LOOP, down, magnet_adders
from .facts import Fact, Number, named, table
from .plants import Loan, add, committed, country, name, of_stage


def makes(choice: Fact) -> tuple[str, ...]:
    """The processes of a maker; ``standard`` are all ways to make magnets but the heavy-lean ones, ``with_lean`` those too."""
    adders = magnet_adders()
    match choice["processes"]:
        case "standard":
            return tuple(p for p, (how, _) in adders.items() if how != "lean")
        case "with_lean":
            return tuple(adders)
        case _:
            return choice.words("processes")


def conversion(where: str) -> Number:
    """USD per kg of finished N magnet in a country, without capital."""
    return table("countries")[where].number("magnet_usd_per_kg")


def operations(where: str, processes: tuple[str, ...]) -> dict[str, Number]:
    """Process -> USD per tonne of finished magnet in a country."""
    adders = magnet_adders()
    return {
        p: 1000 * (down("syc-rec-opex-short").number("value") if p == SHORT_LOOP else conversion(where) + adders[p][1])
        for p in processes
    }


def _loan(maker: Fact, capex: Number) -> Loan | None:
    """Public money of a maker: its own deals, the loan first; or, where the fact itself is named, its public support in which the loan has the part of the deals."""
    keys = maker.words("loan_deals")
    if not keys:
        return None
    deals = [named(key).number("amount_musd") for key in keys if key != maker["fact"]]
    if maker["fact"] in keys:
        public = named(maker["fact"]).number("public_support_musd")
        return Loan(public, public * deals[0] / sum(deals))
    return Loan(sum(deals), deals[0])


def makers(book: Book, year: int | None = None) -> None:
    """Facilities, operations and options of all magnet makers outside China; with ``year`` only those that ran then, without short loops."""
    for m in of_stage("magnet", year):
        if year is not None and m["processes"] == SHORT_LOOP:
            continue
        fact = named(m["fact"])
        finished, own, metal = m.optional("share"), m.optional("capex_musd"), m.optional("metal_t")
        capacity = fact.number("capacity_t_per_year")
        capex = None
        if not committed(m):
            if m["capex_fact"]:
                capex = named(m["capex_fact"]).number("value") / 1e6 * capacity
            else:
                capex = fact.number("capex_musd") if own is None else own
            if metal is not None:
                capex = capex - down("syc-capex-metal-planning").number("value") / 1e6 * metal
        add(
            book, m, operations(country(fact), makes(m)), capacity if finished is None else capacity * finished, name=name(fact), capex=capex,
            loan=None if capex is None else _loan(m, capex),
        )  # fmt: skip
