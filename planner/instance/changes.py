"""What-ifs: changes of an instance in one short language, on the command line, in instance.toml and in scripts.

    scale demand=1.3 where sector=cars
    set tariffs.rate=0 where origin=CHN
    cap exposed_share=10%@2032
    without owner="Lynas Rare Earths"
    forbid nolans
    force nolans@2028:1

In instance.toml a change is ``[[change]]`` with the verb as key: ``scale = "demand=1.3"``. A change of cells leaves all
other cells of the rows as they are. A condition after ``where`` may name a column of the table, or one of the option or
the plant that a row belongs to, such as its owner.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import Issue, UsageError, did_you_mean, hinted
from .cells import cell_of
from .declare import NAMED_IN, Key, joined_key
from .metrics import METRICS
from .reading import Written
from .rows import Entry, rows_given
from .settings import BASE, CHANGE, setting_sections
from .tables import TABLES, cells, columns
from .which_rows import Condition, conditions, read_number, selected, unquoted

OWNERS = ("owner", "startup")  # columns of facilities that tell whose they are
NOT_ASKED = (BASE, CHANGE, "schema")  # keys of instance.toml that say how to read it
_TARGET = re.compile(r"\s*(?P<table>\w+)(?:\.(?P<column>\w+))?\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|.*?)\s*")
_LIMIT = re.compile(
    r"(?P<metric>\w+)\s*=\s*(?P<limit>[^@.\s]+(?:\.\d+%?)?)(?:\.\.(?P<end>[^@\s]+))?"
    r"(?:@(?P<first>\d+)(?:-(?P<last>\d+))?)?"
)

Entries = dict[str, dict[Key, Entry]]


class Applied(NamedTuple):
    """A change that was made.

    change  as it is written
    did     what it matched, in words such as ``448 rows of demand``
    place   file and line where it stands; "" if it was asked for after the instance was loaded
    """

    change: str
    did: str
    place: str = ""


@dataclass
class Draft:
    """The rows and settings of an instance that a change may replace, and the problems of the rows that it writes.

    broken  tables of which a changed row is not valid
    """

    entries: Entries
    settings: dict[tuple[str, str], Written]
    issues: list[Issue]
    broken: set[str]


@dataclass(frozen=True)
class Change:
    """One change: a verb of `VERBS` and what follows it."""

    verb: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Change:
        """Read a change such as ``scale demand=1.3``. Raises UsageError if the verb is unknown or alone."""
        verb, _, rest = text.strip().partition(" ")
        if verb not in VERBS:
            raise UsageError(
                hinted(f'"{text}": expected a change that begins with one of {", ".join(VERBS)}', verb, VERBS)
            )
        return cls(verb, rest.strip())

    def __str__(self) -> str:
        return f"{self.verb} {self.text}"

    def apply(self, draft: Draft) -> Applied:
        """Change the rows and settings of a draft. Raises UsageError if the change cannot be read or matches nothing.

        Changed rows that are not valid go to the draft's issues.
        """
        try:
            return Applied(str(self), VERBS[self.verb](self.text, draft, str(self)))
        except UsageError as error:
            raise UsageError(f"{self}: {error}") from None


# --- the verbs ------------------------------------------------------------------------------------------------


def _split(text: str) -> tuple[str, list[Condition]]:
    """Return what stands before ``where``, and the conditions after it."""
    before, *after = re.split(r"\s+where(?:\s+|$)", text, maxsplit=1)
    asked = conditions(after[0]) if after else []
    if after and not asked:
        raise UsageError('nothing follows "where"')
    return before.strip(), asked


def _target(text: str, form: str) -> tuple[str, str, str, list[Condition]]:
    """Read ``TABLE.COLUMN=VALUE where ...``; the column may be left out where only one holds numbers."""
    before, asked = _split(text)
    match = _TARGET.fullmatch(before)
    if match is None:
        raise UsageError(f"expected {form}")
    return match["table"], match["column"] or "", unquoted(match["value"]), asked


def _column(table: str, column: str) -> str:
    """Return the column that is meant; without a name the only one of the table that holds numbers."""
    if table not in TABLES:
        raise UsageError(hinted(f"unknown table {table}", table, TABLES))
    known = columns(table)
    if column:
        if column not in known:
            raise UsageError(hinted(f"unknown column {column} of {table}", column, known))
        if column in TABLES[table].KEY:
            raise UsageError(f"{column} is a key of {table}: a row with another key is another row")
        return column
    numbers = [name for name, of in known.items() if of.kind == "number" and name not in TABLES[table].KEY]
    if len(numbers) == 1:
        return numbers[0]
    said = ", ".join(f"{table}.{name}" for name in numbers)
    raise UsageError(f"say which column of {table}: {said}" if numbers else f"{table} holds no numbers")


def _set(text: str, draft: Draft, label: str) -> str:
    form = "TABLE.COLUMN=VALUE where COLUMN=VALUE, such as tariffs.rate=0 where origin=CHN"
    table, column, value, asked = _target(text, form)
    sections = setting_sections()
    if table in sections and not column:
        table, column = sections[table], table
    if table in sections.values():
        return _set_setting(table, column, value, asked, draft, label)
    column = _column(table, column)
    kind = columns(table)[column].kind
    if kind == "number" and value:
        value = cell_of(read_number(value, column))
    found = selected(draft.entries, table, asked)
    return _write(draft, table, [(entry, {column: value}) for entry in found], label)


def _set_setting(section: str, name: str, value: str, asked: list[Condition], draft: Draft, label: str) -> str:
    known = {f"{of}.{key}" if of else key for key, of in setting_sections().items() if key not in NOT_ASKED}
    written = f"{section}.{name}" if section else name
    if written not in known:
        raise UsageError(hinted(f"unknown setting {written}", written, known))
    if asked:
        raise UsageError(f"{written} is a setting of instance.toml and has no rows: leave out what follows where")
    draft.settings[section, name] = Written(_toml_value(value), label, None)
    return f"the setting {written}"


def _scale(text: str, draft: Draft, label: str) -> str:
    form = "TABLE.COLUMN=FACTOR where COLUMN=VALUE, such as demand=1.3 where sector=cars"
    table, column, value, asked = _target(text, form)
    column = _column(table, column)
    if columns(table)[column].kind != "number":
        raise UsageError(f"{table}.{column} is not a column of numbers that can be multiplied")
    factor = read_number(value, "the factor")
    found = [e for e in selected(draft.entries, table, asked) if getattr(e.row, column) is not None]
    if not found:
        raise UsageError(f"no row of {table} with {' and '.join(map(str, asked)) or 'any value'} has a {column}")
    return _write(draft, table, [(e, {column: cell_of(getattr(e.row, column) * factor)}) for e in found], label)


def _cap(text: str, draft: Draft, label: str) -> str:
    before, asked = _split(text)
    match = _LIMIT.fullmatch(before)
    if match is None:
        form = "METRIC=LIMIT@FIRST-LAST where COLUMN=VALUE"
        raise UsageError(f"expected {form}, such as exposed_share=10%@2032 or stage_share=60%..20%@2028-2036")
    if match["metric"] not in METRICS:
        raise UsageError(hinted(f"unknown metric {match['metric']}", match["metric"], METRICS))
    row = {"metric": match["metric"], "limit": cell_of(read_number(match["limit"], "the limit"))}
    if match["end"]:
        row["limit_end"] = cell_of(read_number(match["end"], "the limit at the end"))
    row |= {"first_year": match["first"] or "", "last_year": match["last"] or ""}
    known = [name for name in columns("caps") if name not in row and name != "cap"]
    for condition in asked:
        if condition.sign != "=":
            raise UsageError(f"{condition}: expected COLUMN=VALUE")
        if condition.column not in known:
            raise UsageError(hinted(f"unknown column {condition.column} of caps", condition.column, known))
        row[condition.column] = condition.value
    name = "-".join(part for part in (match["metric"], *(c.value for c in asked), match["first"]) if part)
    _add(draft, "caps", {"cap": _unused(draft, "caps", name), **row}, label)
    return "a cap"


def _without(text: str, draft: Draft, label: str) -> str:
    table, asked = _named(text)
    return _remove(draft, table, selected(draft.entries, table, asked))


def _named(text: str) -> tuple[str, list[Condition]]:
    """Read ``TABLE where ...``, or conditions whose first column tells the table: that whose key it is, or an owner."""
    before, asked = _split(text)
    if asked:
        return before, asked
    if "=" not in text:
        raise UsageError('expected COLUMN=VALUE or TABLE where COLUMN=VALUE, such as owner="MP Materials"')
    asked = conditions(text)
    first = asked[0].column
    owned = dict.fromkeys(OWNERS, "facilities")
    by_key = {row.KEY[0]: table for table, row in TABLES.items() if len(row.KEY) == 1} | owned
    if first not in by_key:
        raise UsageError(hinted(f"{first} is no key of one table; write TABLE where {text}", first, by_key))
    return by_key[first], asked


def _forbid(text: str, draft: Draft, label: str) -> str:
    asked = conditions(text) if "=" in text else [Condition("option", "=", unquoted(text))]
    found = selected(draft.entries, "options", asked)
    twins = other_choices(draft.entries, [entry.row for entry in found])
    did = _remove(draft, "options", found)
    return f"{did}; {twins}" if twins else did


def other_choices(entries: Mapping[str, Mapping[Key, Entry]], forbidden: Sequence[Any]) -> str:
    """Return in words which options can be built in place of forbidden ones that exclude them; "" if none can."""
    names = {row.option for row in forbidden}
    groups = {row.exclusive_group for row in forbidden} - {""}
    left = sorted(
        entry.row.option  # type: ignore[attr-defined]
        for entry in entries["options"].values()
        if entry.row.active and entry.row.exclusive_group in groups and entry.row.option not in names  # type: ignore[attr-defined]
    )
    return f"{', '.join(left)} of the same exclusive group can still be built" if left else ""


def _force(text: str, draft: Draft, label: str) -> str:
    match = re.fullmatch(r"(?P<owner>owner *= *)?(?P<name>.+)@(?P<year>\d+)(?::(?P<modules>[\d.]+))?", text.strip())
    if match is None:
        raise UsageError('expected OPTION@YEAR or OPTION@YEAR:MODULES, such as nolans@2028, or owner="NAME"@YEAR')
    name = unquoted(match["name"].strip()) if match["owner"] else match["name"]
    found = selected(draft.entries, "options", [Condition("owner" if match["owner"] else "option", "=", name)])
    most = min(1.0, *(entry.row.max_modules for entry in found))  # type: ignore[attr-defined]
    modules = read_number(match["modules"], "modules") if match["modules"] else most
    group = _unused(draft, "groups", f"force-{name}-{match['year']}")
    for entry in found:
        _add(draft, "groups", {"group": group, "option": entry.row.option}, label)  # type: ignore[attr-defined]
    limit = {"group": group, "measure": "modules", "min": cell_of(modules)}
    _add(draft, "group_limits", limit | {"first_year": match["year"], "last_year": match["year"]}, label)
    return "a limit"


VERBS: dict[str, Callable[[str, Draft, str], str]] = {
    "scale": _scale,
    "set": _set,
    "cap": _cap,
    "without": _without,
    "forbid": _forbid,
    "force": _force,
}


# --- rows written and removed ---------------------------------------------------------------------------------


def _write(draft: Draft, table: str, changed: Iterable[tuple[Entry, Mapping[str, str]]], label: str) -> str:
    """Write rows again with other cells; return how many."""
    rows = [{**cells(entry.row), **other} for entry, other in changed]
    _read(draft, table, rows, label)
    return f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} of {table}"


def _add(draft: Draft, table: str, row: Mapping[str, str], label: str) -> None:
    _read(draft, table, [row], label)


def _read(draft: Draft, table: str, rows: Sequence[Mapping[str, str]], label: str) -> None:
    parsed = rows_given(table, rows, draft.issues, label)
    draft.entries[table] = {**draft.entries[table], **parsed.entries}
    if not parsed.sound:
        draft.broken.add(table)


def _remove(draft: Draft, table: str, found: Sequence[Entry]) -> str:
    """Remove rows and all rows that refer to them; return how many of which tables."""
    count: dict[str, int] = {}
    left: list[tuple[str, set[Key]]] = [(table, {entry.row.identity for entry in found})]
    while left:
        table, keys = left.pop()
        keys = {key for key in keys if key in draft.entries[table]}
        if not keys:
            continue
        count[table] = count.get(table, 0) + len(keys)
        rows = [draft.entries[table][key].row for key in keys]
        draft.entries[table] = {key: e for key, e in draft.entries[table].items() if key not in keys}
        names = {joined_key(row) for row in rows}
        parts = {key[0] for key in keys} - {key[0] for key in draft.entries[table]}
        for column in (column for named, column in NAMED_IN.values() if named == table):  # blocs and owners
            still = {getattr(entry.row, column) for entry in draft.entries[table].values()}
            # a name that is the key of something means that
            still |= {"", *(key[0] for of in draft.entries.values() for key in of if len(key) == 1)}
            parts |= {getattr(row, column) for row in rows} - still
        for other, entries in draft.entries.items():
            left.append((other, {key for key, e in entries.items() if _refers(other, e.row, table, names, parts)}))
        if table == "fund_options":  # a fund on which no option may draw is none
            left.append(("funds", {(part,) for part in parts}))
    return ", ".join(f"{n:,} {'row' if n == 1 else 'rows'} of {name}" for name, n in count.items())


def _refers(other: str, row: Any, table: str, names: set[str], parts: set[Any]) -> bool:
    """Whether a row of another table needs a row of ``table`` that is gone.

    names  the keys that are gone, each as one text
    parts  first parts of keys with which no row is left
    """
    if other == "evidence":
        return row.table == table and row.key in names
    together = [own for own, to in type(row).TOGETHER.items() if to == table]
    if any("/".join(cell_of(getattr(row, column)) for column in own) in names for own in together):
        return True
    targets = {table, *(target for target, (named, _) in NAMED_IN.items() if named == table)}
    referring = [n for n, column in columns(other).items() if not targets.isdisjoint(column.refers) and n != "source"]
    return any(getattr(row, name) in parts for name in referring)


def _unused(draft: Draft, table: str, name: str) -> str:
    """Return ``name``, with a number behind it if a row of the table has it already as (first part of) its key."""
    taken = {key[0] for key in draft.entries[table]}
    numbered = (f"{name}-{n}" for n in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


# --- values ---------------------------------------------------------------------------------------------------


def _toml_value(text: str) -> Any:
    """Read a value as instance.toml has it; what is no TOML is a text, and ``7%`` is 0.07."""
    if re.fullmatch(r"[-+.\d]+%", text):
        return read_number(text, "the value")
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def apply_written(written: Written, draft: Draft) -> list[Applied]:
    """Make the changes that an instance.toml holds, in their order; problems go to the draft's issues."""
    applied = []
    listed = written.value if isinstance(written.value, list) else [written.value]
    for number, entry in enumerate(listed):
        line = written.line_of(number)
        verb, text = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else ("", "")
        if verb not in VERBS or not isinstance(text, str):
            expected = f'expected one of {", ".join(VERBS)}, with a text, such as scale = "demand=1.3"'
            hint = did_you_mean(verb, VERBS)
            draft.issues.append(Issue(written.file, line, CHANGE, str(entry), expected, hint, "E115"))
            continue
        place = written.file if line is None else f"{written.file}:{line}"
        try:
            applied.append(Change(verb, text.strip()).apply(draft)._replace(place=place))
        except UsageError as error:
            draft.issues.append(Issue(written.file, line, CHANGE, None, str(error), "", "E115"))
    return applied


def to_toml(changes: Iterable[Change]) -> str:
    """Return changes as instance.toml holds them."""
    quoted = ((change.verb, change.text.replace("\\", "\\\\").replace('"', '\\"')) for change in changes)
    return "".join(f'\n[[{CHANGE}]]\n{verb} = "{text}"\n' for verb, text in quoted)
