"""Write the tables of the instances from the facts and the choices.

    python instances/evidence/derive.py            writes into instances/, and tells which facts and rows changed
    python instances/evidence/derive.py --diff     only tells, and writes nothing
    python instances/evidence/derive.py --to DIR   writes into DIR instead (a test compares both, byte for byte)

    python instances/evidence/derive.py --as-of 2024-12 --to DIR
                                                   with the states of projects as they were known then

Only CSV tables are written; instance.toml and README.md of each instance are kept by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from derivation.facts import FactError, read

try:
    from derivation import changes, claims, flagship, overlays, plants, policies, ranges, smco, states, world
except FactError as error:  # some tables are read with the modules
    sys.exit(str(error))

INSTANCES = Path(__file__).resolve().parent.parent


def tables() -> dict[str, str]:
    """Path below instances/ -> text of every derived table."""
    base = flagship.book()
    ranges.evidence(base)
    base.add_sources(frozenset(row["source"] for row in base.rows["sources"]))
    books = {
        "allied-2040": base,
        "all-served": overlays.all_served(base),
        "china-at-cost": overlays.china_view("cost"),
        "china-at-price": overlays.china_view("price"),
        "crma": overlays.caps("crma"),
        "dfars": overlays.caps("dfars"),
        "embedded-demand": overlays.embedded_demand(base),
        "exposed-5": overlays.caps("exposed-5"),
        "forge": policies.floor(base, forge=True),
        "glide-20": overlays.caps("glide-20"),
        "goods-at-sea": overlays.goods_at_sea(base),
        "japan-50": overlays.caps("japan-50"),
        "japan-auto-2035": overlays.japan_auto(base),
        "licence-2026": policies.licence(base),
        "made-in-usa": overlays.made_in_usa(base),
        "returning-magnets": overlays.returning_magnets(base),
        "section-122-ended": policies.without_section_122(base),
        "section-232-floor": policies.floor(base, ("USA",)),
        "section-232-tariff": policies.tariff(base),
        "smco-2035": smco.book(),
        "stage-caps-only": overlays.caps("stage-caps-only"),
        "stop-2028": overlays.stop_2028(),
        "stop-2028-stocks": overlays.stop_2028_stocks(base),
        "vault-2028": policies.vault(base),
        "venture-2025": policies.venture(base),
        "substitution": overlays.substitution(base),
        "us-defence-2027": overlays.us_defence(base),
        "working-stocks": overlays.working_stocks(base),
        "world-2024": world.book(),
    }
    known = frozenset(base.cited())
    for name, book in books.items():
        if name not in ("allied-2040", "smco-2035", "world-2024"):
            book.add_sources(known)
    return {f"{name}/{file}": text for name, book in books.items() for file, text in book.files().items()}


def main() -> None:
    """Write all tables, and tell what changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--to", type=Path, default=INSTANCES, metavar="DIR", help="folder to write into (default: instances/)"
    )
    parser.add_argument("--diff", action="store_true", help="tell what would change, and write nothing")
    parser.add_argument("--as-of", metavar="DATE", help="leave aside states of projects that were not known then")
    arguments = parser.parse_args()
    if arguments.as_of:
        if not claims.DATE.fullmatch(arguments.as_of):
            parser.error(f"--as-of: {arguments.as_of!r} is no date; write 2024-12-31, 2024-12 or 2024")
        if arguments.to == INSTANCES:
            parser.error("--as-of needs --to, so that the instances of today are not overwritten")
        states.know_only(arguments.as_of)
    new = tables()
    folder: Path = arguments.to
    names = {path.partition("/")[0] for path in new}
    old = {
        f"{name}/{file.name}": file.read_text(encoding="utf-8")
        for name in names
        for file in (folder / name).glob("*.csv")
    }
    print("\n".join(changes.told(old, new)))
    for plant in read("plants"):
        if reason := plants.left_out(plant):
            print(f"left out: {plant.id} ({reason})")
    if arguments.diff:
        return
    for path, text in new.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
    for path in old.keys() - new.keys():
        (folder / path).unlink()


if __name__ == "__main__":
    try:
        main()
    except FactError as error:
        sys.exit(str(error))
