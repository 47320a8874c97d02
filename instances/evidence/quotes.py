"""Follow cells of the facts to the figure that is quoted from their source.

    python instances/evidence/quotes.py            draws 100 cells that cite a source, always the same, and shows what is quoted
    python instances/evidence/quotes.py --seed 7   draws others

A figure is found if the source's ``what_it_supports`` or the text of the fact's row states it, in the unit of the cell, in thousands or in per cent.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from derivation import claims
from derivation.facts import SOURCE_FILES, Fact, path, read, source

SEED, DRAWN = 2026, 100
FIGURE = re.compile(r"(?<![\d.])(\d[\d,]*(?:\.\d+)?)\s*(kt\b|k\b|ktpa\b|bn\b|billion\b|B\b|%|per cent\b)?")
SCALES = {"%": 0.01, "per cent": 0.01, "": 1.0}  # kilotonnes, billions of a cell in millions, and thousands: 1000
NOT_FOLLOWED = ("as_of", "year", "date", "start", "end", "low", "high")  # when, and the range of another cell
TEXTS = ("notes", "conditions", "event", "effect", "capacity_basis", "method", "products")


def stated(value: float, text: str) -> bool:
    """True if ``text`` states ``value``.

    >>> stated(1250, "10X $1.25B+, 1,500 jobs"), stated(0.23, "NdPr 23% of TREO"), stated(12, "112 t in 2012")
    (True, True, False)
    """
    for digits, unit in FIGURE.findall(text):
        figure = float(digits.replace(",", "") or 0)
        for scale in {1.0, SCALES.get(unit, 1000.0)}:
            if abs(figure * scale - value) <= 1e-6 * abs(value):
                return True
    return False


def cells() -> Iterator[tuple[Fact, str, float]]:
    """Cells with numbers of facts that cite a source: row, column, value."""
    for file in sorted(p.stem for p in path("mines").parent.glob("*.csv")):
        if file in SOURCE_FILES:
            continue
        for fact in read(file):
            for column, text in fact.row.items():
                if (file, column) == ("states", "date") and claims.of_cell((file, fact.id, column)).kind != "judgement":
                    yield fact, column, float(text[:4])  # the year of a state
                number = column not in NOT_FOLLOWED and re.fullmatch(r"-?\d+(\.\d+)?", text or "")
                if number and claims.of_cell((file, fact.id, column)).kind != "judgement":
                    yield fact, column, float(text)


def quoted(fact: Fact, column: str, value: float) -> str:
    """The text that states the value of a cell, with the id of its source; blank if there is none."""
    claim = claims.of_cell((fact.file, fact.id, column))
    for id_ in claim.sources:
        if stated(value, source(id_)["what_it_supports"]):
            return f"{id_}: {source(id_)['what_it_supports']}"
    own = " ".join(fact.row.get(c, "") for c in TEXTS).partition("EST_FIELDS")[0]
    return f"{fact.label}: {own}" if stated(value, own) else ""


def drawn(seed: int = SEED) -> list[tuple[Fact, str, float]]:
    """``DRAWN`` cells that cite a source, by a seed."""
    return random.Random(seed).sample(list(cells()), DRAWN)


def main() -> None:
    """Print the cells that are drawn, with their quotes, and those without one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the draw (default: {SEED})")
    missed = 0
    for fact, column, value in drawn(parser.parse_args().seed):
        kind, text = claims.of_cell((fact.file, fact.id, column)).kind, quoted(fact, column, value)
        missed += kind != "published"
        print(
            f"{kind:<9} {fact.file}.csv {fact.id} {column} = {value:g}  {text if kind == 'published' else 'NOT FOUND'}"
        )
    print(
        f"{DRAWN - missed} of {DRAWN} cells are published figures; of {missed} the sources are cited and the figure was not found in what is quoted"
    )


if __name__ == "__main__":
    main()
