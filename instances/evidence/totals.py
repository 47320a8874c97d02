"""Print how much of the totals that authorities publish the rows of the facts explain.

    python instances/evidence/totals.py

A share far from 100 % is no error, but needs the reason that stands beside it: capacity is not output, and plants ramp.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from derivation import states
from derivation.facts import Fact, read, reference

CONTROL = "control total"


def counted(rule: Fact, row: Fact) -> bool:
    """True if a row belongs to the total of a rule: country, year, and no control total or part of an aggregate."""
    if rule["table"] == "demand":
        return (
            row["method"] == rule["only"]
            and row["year"] == rule["by"]
            and row["region"] == (rule["countries"] or row["region"])
        )
    if any(out["fact"] == row.id and out["why"] == CONTROL for out in read("left_out")):
        return False
    country = rule["countries"].removeprefix("not ")
    if country and (row["country"] == country) == rule["countries"].startswith("not "):
        return False
    return any(
        state["project"] == row.id and not state["part"] and state["state"] == "producing" and states.reached(state)
        and states.past(state["date"], rule["by"]) for state in read("states")
    )  # fmt: skip


def shares() -> list[tuple[str, float, float, str]]:
    """(total, its value, what our rows add up to, the reason of a difference) of each row of choices/coverage.csv."""
    found = []
    for rule in read("coverage"):
        total = reference(rule["reference"]).number(rule["column"])
        ours = sum(float(row.optional(rule["sum"]) or 0) for row in read(rule["table"]) if counted(rule, row))
        found.append((rule.id, float(total), ours, rule["why"]))
    return found


def main() -> None:
    """Print the table of the page."""
    print("| total | published | our rows | share | |\n|---|---|---|---|---|")
    for name, total, ours, why in shares():
        print(f"| {name} | {total:,.0f} | {ours:,.0f} | {ours / total:.0%} | {why} |")


if __name__ == "__main__":
    main()
