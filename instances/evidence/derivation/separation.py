"""Separation plants outside China. Light and heavy circuits are two facilities: the hre_conc balance, not the nameplate, limits the heavies."""

from __future__ import annotations

from .book import Book
from .facts import Fact, Number, named, parameter
from .plants import add, committed, name, of_stage, shared_loan

ZERO = Number(0)


def tonnes(fact: Fact, part: str) -> Number:
    """Oxide per year of one circuit: Nd-Pr, or Dy+Tb."""
    if part == "light":
        return fact.number("ndpr_oxide_t")
    return (fact.optional("dy_oxide_t") or ZERO) + (fact.optional("tb_oxide_t") or ZERO)


def capex(fact: Fact, part: str) -> Number:
    """The circuit's part of the plant's capex, MUSD."""
    weight = {
        "light": fact.optional("ndpr_oxide_t") or ZERO,
        "heavy": parameter("heavy_circuit_weight") * tonnes(fact, "heavy"),
    }
    return fact.number("capex_musd") * weight[part] / (weight["light"] + weight["heavy"])


def circuits(book: Book, year: int | None = None) -> None:
    """Facilities, operations and options of all circuits outside China; with ``year`` only those that ran then."""
    for c in of_stage("separation", year):
        fact, part = named(c["fact"]), c["part"]
        share, own = c.optional("share"), c.optional("capex_musd")
        capacity = c.optional("tonnes")
        if capacity is None:
            capacity = tonnes(fact, part) if share is None else share * tonnes(fact, part)
        money = None if committed(c) else capex(fact, part) if own is None else own
        opex = c.optional("opex_usd_per_kg")
        add(
            book, c, {p: 1000 * (parameter(c["cost"] or part) if opex is None else opex) for p in c.words("processes")}, capacity,
            name=f"{name(fact)}, {part}", capex=money, loan=shared_loan(c, money),
            also="capex split by Nd-Pr + 4 x Dy-Tb" if money is not None and own is None else "",
        )  # fmt: skip
