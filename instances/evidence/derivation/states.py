"""Where a project stands: facts/states.csv.

A row says that a project reaches a state at a date, as known at ``as_of``. A date up to the row's ``as_of`` was reached, a later one is expected, and
stays so until a row says otherwise: nothing is reached only because time has passed. A slip is a row
with a new date and a new ``as_of``; the newest that is known counts, older ones keep the history: what was once committed stays so until it stalls or closes. Rows with a ``part`` speak of one plant of
choices/plants.csv and stand in place of those of its project. From the states follows whether a plant is committed, and when it can run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from .claims import DATE
from .facts import Fact, FactError, Number, path, read

STATES = ("announced", "financed", "final decision", "construction", "commissioning", "producing", "stalled", "closed")
PROJECTS = ("mines", "separation", "metal_alloy", "magnets", "recycling")
COMMITTED = STATES[2:6]  # from the final decision on
ENDED = STATES[6:]


@dataclass(frozen=True)
class Standing:
    """What follows from the states of one plant at a date.

    decided    first year in which it was committed; None: not yet, or not said
    producing  first year of output, reached or expected; None: not said
    closing    year in which it closes; None: never
    ended      why it is in no plan; blank if it is
    """

    committed: bool
    operating: bool
    decided: Number | None
    producing: Number | None
    closing: Number | None
    ended: str


_known_at: list[str] = []


def know_only(day: str) -> None:
    """From now on leave aside what was not known at ``day``, and had not happened by then."""
    _known_at[:] = [day]


def all_known() -> bool:
    """True unless `know_only` was called: then full_year and other columns without a date may be of a later day."""
    return not _known_at


@cache
def _checked() -> tuple[Fact, ...]:
    """The rows of states.csv; raises FactError where one cannot be meant."""
    known = {row.id for file in PROJECTS for row in read(file)}
    plants = {row.id for row in read("plants")}
    for row in read("states"):
        if row["project"] not in known:
            row.refuse("project", f"is no id in {', '.join(f'{file}.csv' for file in PROJECTS)}")
        if row["part"] and row["part"] not in plants:
            row.refuse("part", f"{row['part']!r} is no plant of choices/plants.csv")
        if row["state"] not in STATES:
            row.refuse("state", f"{row['state']!r} is none of {', '.join(STATES)}")
        for column in ("date", "as_of"):
            if not DATE.fullmatch(row[column]):
                row.refuse(column, f"{row[column]!r} is no date; write 2026-11-26, 2026-11 or 2026")
    return read("states")


def past(date: str, day: str) -> bool:
    """True if ``date`` is not after ``day``, as far as both say.

    >>> past("2026", "2026-11"), past("2026-12", "2026-11"), past("2026-11", "2026-11-26")
    (True, False, True)
    """
    length = min(len(date), len(day))
    return date[:length] <= day[:length]


def standing(plant: Fact) -> Standing | None:
    """Where a row of choices/plants.csv stands; None if nothing is known of it (`know_only`).

    What was written down later is known too where it had happened by then.
    """
    rows = [row for row in _checked() if row["project"] == plant["fact"] and row["part"] in ("", plant.id)]
    rows = [row for row in rows if row["part"]] or rows
    if not rows:
        raise FactError(f"{path('states')}: no row for {plant['fact']}, which choices/plants.csv uses; add its states")
    history = [
        row
        for row in sorted(rows, key=lambda row: row["as_of"])
        if all(past(row["as_of"], day) or (reached(row) and past(row["date"], day)) for day in _known_at)
    ]
    if not history:
        return None
    known = {row["state"]: row for row in history}  # the newest of each state
    order = sorted(known.values(), key=lambda row: (row["date"], STATES.index(row["state"])))
    course = [known[state] for state in COMMITTED if state in known]
    for earlier, later in pairwise(course):
        if earlier["date"][:4] > later["date"][:4]:
            later.refuse(
                "date",
                f"{later['date']!r} lies before {earlier['state']} in {earlier['date']}; correct one of the two rows",
            )
    behind = [row for row in order if reached(row)]
    ended = behind[-1] if behind and behind[-1]["state"] in ENDED else None
    closing = known.get("closed")
    return Standing(
        committed=any(row["state"] in COMMITTED and reached(row) for row in history),
        operating=any(row["state"] == "producing" for row in behind),
        decided=min((year(row) for row in history if row["state"] in COMMITTED and reached(row)), default=None),
        producing=year(known["producing"]) if "producing" in known else None,
        closing=year(closing) if closing else None,
        ended=f"{ended['state']} in {ended['date']}" if ended else "",
    )


def reached(row: Fact) -> bool:
    """True if the state had come when the row was written, False if it was expected."""
    return past(row["date"], row["as_of"])


def year(row: Fact) -> Number:
    """The calendar year of a row's date."""
    return Number(float(row["date"][:4]), [(row.file, row.id, "date")])
