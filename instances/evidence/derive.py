"""Write the tables of the instances from the facts and the declared choices.

    python instances/evidence/derive.py            writes into instances/
    python instances/evidence/derive.py --to DIR   writes into DIR instead (a test compares both, byte for byte)

Only CSV tables are written; instance.toml and README.md of each instance are kept by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from derivation import flagship  # noqa: E402  the package lies beside this script

INSTANCES = Path(__file__).resolve().parent.parent


def tables() -> dict[str, str]:
    """Path below instances/ -> text of every derived table."""
    books = {"allied-2040": flagship.book()}
    return {f"{name}/{file}": text for name, book in books.items() for file, text in book.files().items()}


def main() -> None:
    """Write all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=INSTANCES, metavar="DIR", help="folder to write into (default: instances/)")
    folder: Path = parser.parse_args().to
    for path, text in tables().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
