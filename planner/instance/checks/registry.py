"""How a rule is written and registered; `planner.instance.checks` runs the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ...errors import Issue, Severity
from ..cells import cell_of
from ..declare import Key, Row
from ..reading import SETTINGS_FILE, Place, Written
from ..rows import BadRow, Entry
from ..timeline import Period, horizon_end, largest_capacity, own_capacity_share, periods

if TYPE_CHECKING:
    from ..instance import Instance
    from ..tables import Facility

SETTINGS = "settings"  # stands for instance.toml among the tables that a rule needs


@dataclass(frozen=True, slots=True)
class Check:
    """A rule across rows or tables.

    code      stable code of its issues
    judges    table whose rows break the rule, or ``settings``
    needs     other tables that it reads; the rule runs only if all could be read without problems
    find      function that yields an issue for each violation; its docstring is the rule in a sentence
    """

    code: str
    judges: str
    needs: tuple[str, ...]
    find: Callable[[Draft], Iterable[Issue]]

    @property
    def severity(self) -> Severity:
        """``error``: the instance is refused; ``warning``: it is only reported."""
        return "error" if self.code.startswith("E") else "warning"

    @property
    def sentence(self) -> str:
        """The rule in a sentence."""
        return " ".join((self.find.__doc__ or "").split())

    def issues(self, draft: Draft) -> Iterator[Issue]:
        """Yield the violations of the rule, with its code."""
        for issue in self.find(draft):
            yield replace(issue, code=self.code, severity=self.severity)


REGISTRY: list[Check] = []


def check(
    code: str, judges: str, *needs: str
) -> Callable[[Callable[[Draft], Iterable[Issue]]], Callable[[Draft], Iterable[Issue]]]:
    """Return a decorator that registers a rule; see `Check` for the arguments."""

    def register(find: Callable[[Draft], Iterable[Issue]]) -> Callable[[Draft], Iterable[Issue]]:
        REGISTRY.append(Check(code, judges, needs, find))
        return find

    return register


@dataclass(frozen=True)
class Draft:
    """An instance that has still to be checked.

    instance   the active rows; its settings are placeholders if those of the file are wrong
    entries    all rows by table and key, inactive ones too, with their places
    bad        rows that could not be read, with those of their cells that could
    failed     keys of rows that could not be read: they exist, so a reference to them does not dangle
    broken     tables (or ``settings``) of which something could not be read
    unnamed    tables with rows of which not even the keys could be read
    settings   the keys of instance.toml with their places
    overlays   rows of overlays with active = no whose key nothing before had
    replaced   active rows of bases, each with the active row of an overlay that replaces it
    """

    instance: Instance
    entries: Mapping[str, Mapping[Key, Entry]]
    bad: Mapping[str, tuple[BadRow, ...]] = field(default_factory=dict)
    failed: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    unnamed: frozenset[str] = frozenset()
    settings: Mapping[tuple[str, str], Written] = field(default_factory=dict)
    overlays: tuple[Entry, ...] = ()
    replaced: tuple[tuple[Entry, Entry], ...] = ()

    @cached_property
    def _places(self) -> dict[int, Place]:
        return {id(e.row): e.place for table in self.entries.values() for e in table.values()}

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """The periods of the instance."""
        return periods(self.instance)

    @cached_property
    def first(self) -> int:
        """First calendar year of the horizon."""
        return self.instance.years[0]

    @cached_property
    def last(self) -> int:
        """Last calendar year of the horizon."""
        return horizon_end(self.instance)

    def has_capacity(self, facility: Facility, period: Period) -> bool:
        """Return whether a facility has capacity of its own in a period."""
        instance = self.instance
        return largest_capacity(instance, facility) > 0 and own_capacity_share(instance, facility, period) > 0

    @cached_property
    def products_of_facilities(self) -> Mapping[str, frozenset[str]]:
        """The materials that each facility can make."""
        made: dict[str, frozenset[str]] = {}
        for recipe in self.instance.recipes:
            if recipe.role == "output":
                made[recipe.process] = made.get(recipe.process, frozenset()) | {recipe.material}
        found: dict[str, frozenset[str]] = {}
        for row in self.instance.operations:
            found[row.facility] = found.get(row.facility, frozenset()) | made.get(row.process, frozenset())
        return found

    @cached_property
    def materials_of_markets(self) -> Mapping[str, str]:
        """What each market sells."""
        return {row.market: row.material for row in self.instance.markets}

    def place(self, row: Row) -> Place:
        """Return the file and the line where a row is written."""
        return self._places[id(row)]

    def at(self, row: Row, column: str, expected: str, hint: str = "") -> Issue:
        """Return an issue at a column of a row; "" stands for the whole row.

        expected  what is wrong or expected, for the message
        hint      what to write instead
        """
        place = self.place(row)
        written = place.written(column) if column else None
        if written is None and column:
            value = cell_of(getattr(row, column))
            written = value or None
        return Issue(place.file, place.line, column, written or None, expected, hint)

    def named(self, row: Row) -> str:
        """Return file and line of another row, to be named in a message."""
        return self.place(row).name

    def at_setting(self, section: str, name: str, value: str | None, expected: str, hint: str = "") -> Issue:
        """Return an issue at a key of instance.toml; ``value`` is what is written there. The rest is as in `at`."""
        written = self.settings.get((section, name))
        file, line = (written.file, written.line) if written else (SETTINGS_FILE, None)
        return Issue(file, line, name, value, expected, hint)
