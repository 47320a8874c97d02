"""The exceptions of the planner, in one tree, and how the problems of an instance are shown.

::

    PlannerError                  exit code 1
      InstanceError                         2   the instance is wrong; holds all its issues
      UsageError                            2   the call or the command line is wrong
      SolveError
        Infeasible                          3   no plan can satisfy the instance
        Unbounded                           1   cannot happen with a sound formulation: a bug
        NoPlan                              4   a limit was reached before any plan was found
        SolverFailed                        1   the solver stopped for a reason of its own
      AuditError                            1   a run does not agree with its instance
      OutputError                           1   a result could not be written or read back
        ResultError                         2   a folder of results is damaged, not whole, or of another version
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

Severity = Literal["error", "warning"]

SHOWN_AT_MOST = 50
_LONGEST_VALUE = 60
_MOST_CANDIDATES = 2000  # how many names are compared letter by letter, at some microseconds each


class Sheet(str):
    """The name of a sheet of a workbook, where an issue names a file; it knows where a column stands in the sheet.

    letters  name of a column of the table -> letter of the column of the sheet
    other    letter of the column in which all other names are told
    """

    letters: Mapping[str, str]
    other: str

    def __new__(cls, name: str, letters: Mapping[str, str] | None = None, other: str = "") -> Sheet:
        sheet = super().__new__(cls, name)
        sheet.letters, sheet.other = letters or {}, other
        return sheet

    def place(self, column: str, row: int | None) -> str:
        """Return the cell as a spreadsheet names it; the row or the sheet, where that is all that is known.

        >>> demand = Sheet("demand", {"year": "D"})
        >>> demand.place("year", 7), demand.place("", 7), demand.place("", None)
        ('demand!D7', 'demand row 7', 'sheet demand')
        """
        letter = self.letters.get(column, self.other if column else "")
        return f"sheet {self}" if row is None else f"{self}!{letter}{row}" if letter else f"{self} row {row}"


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem of an instance, with the place where it can be corrected.

    file      name relative to the loaded folder, a `Sheet`, or ``(changed)`` for a row changed in a script
    line      first physical line of the record, None where there is none
    column    column of the table, or key of instance.toml; "" if the whole row or file is meant
    value     the value as written, None where nothing is written
    expected  what is wrong and what should stand there
    hint      what to write instead, often the nearest known name; "" if nothing is known
    code      code that stays the same between versions: E... for errors, W... for warnings
    near      a name that is not known, and the known ones: the hint is looked for when the issues are put in order
    """

    file: str
    line: int | None
    column: str
    value: str | None
    expected: str
    hint: str = ""
    code: str = ""
    severity: Severity = "error"
    near: tuple[str, frozenset[str]] | None = field(default=None, repr=False, compare=False)

    @property
    def place(self) -> str:
        """File and line as ``file:line``, which editors understand; in a workbook the cell, such as ``demand!E3``."""
        if isinstance(self.file, Sheet):
            return self.file.place(self.column, self.line)
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return " ".join(part for part in _parts(self) if part)


def printable(text: str) -> str:
    """Return text that is safe to show on a terminal: control and invisible characters become escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that ``name`` probably means, "" if none is close.

    >>> nearest("NdPr_metl", ["Dy_metal", "NdPr_metal"])
    'NdPr_metal'
    >>> nearest("capex", ["capex_musd", "option"])  # a column without its unit
    'capex_musd'
    """
    candidates = sorted(set(known))
    by_lower: dict[str, str] = {}
    for candidate in candidates:
        by_lower.setdefault(candidate.lower(), candidate)
    lowered = name.lower()
    if lowered in by_lower:
        return by_lower[lowered]
    longer = [c for c in by_lower if c.startswith(f"{lowered}_")]
    if len(longer) == 1:
        return by_lower[longer[0]]
    slack = max(2, len(lowered) // 3)
    alike = [c for c in by_lower if abs(len(c) - len(lowered)) <= slack]
    if len(alike) > _MOST_CANDIDATES:
        alike = [c for c in alike if c[:1] == lowered[:1]][:_MOST_CANDIDATES]
    close = difflib.get_close_matches(lowered, alike, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the hint ``did you mean "..."?`` with the nearest known name, "" if none is close."""
    close = nearest(name, known)
    return f'did you mean "{close}"?' if close else ""


def hinted(text: str, name: str, known: Iterable[str]) -> str:
    """A message that ends with the nearest known name, if one is close.

    >>> hinted("unknown stage refinig", "refinig", ["mining", "refining"])
    'unknown stage refinig; did you mean "refining"?'
    """
    return f"{text}; {did_you_mean(name, known)}".rstrip("; ")


def idle(names: Iterable[str], where: str) -> UsageError:
    """Return the error that some options or arguments were given which do nothing here.

    where  why they do nothing, such as ``with --failing``

    >>> str(idle(["--only", "--year"], "with --failing"))
    '--only and --year do nothing with --failing; leave them out'
    """
    listed = list(names)
    said = " and ".join((", ".join(listed[:-1]), listed[-1])) if len(listed) > 1 else listed[0]
    return UsageError(
        f"{said} {'do' if len(listed) > 1 else 'does'} nothing {where}; leave {'them' if len(listed) > 1 else 'it'} out"
    )


def in_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return the issues sorted by file and line, each once.

    The nearest of thousands of names takes milliseconds, so it is looked for only for the issues that are shown.
    """
    unique = dict.fromkeys(issues)
    ordered = sorted(unique, key=lambda i: (i.file, i.line or 0, i.code, i.column, i.expected))
    return tuple(
        issue
        if issue.near is None
        else replace(issue, hint=did_you_mean(*issue.near) if number < SHOWN_AT_MOST else "", near=None)
        for number, issue in enumerate(ordered)
    )


def render(issues: Sequence[Issue], at_most: int = SHOWN_AT_MOST) -> str:
    """Return the issues as aligned lines: place, what is written, what is wrong, code.

    at_most  how many lines are shown; a last line then says how many more there are
    """
    rows = [_parts(issue) for issue in issues[:at_most]]
    widths = [min(40, max((len(row[i]) for row in rows), default=0)) for i in range(2)]
    lines = []
    for place, written, message, code in rows:
        lines.append(f"  {place:<{widths[0]}}  {written:<{widths[1]}}  {message}  {code}".rstrip())
    if len(issues) > at_most:
        lines.append(f"  ... and {len(issues) - at_most} more")
    return "\n".join(lines)


def _parts(issue: Issue) -> tuple[str, str, str, str]:
    """Return the texts of place, what is written, what is wrong and code."""
    if issue.value is None:
        written = issue.column
    else:
        value = issue.value
        if len(value) > _LONGEST_VALUE:
            value = value[:_LONGEST_VALUE] + "..."
        written = f'{issue.column} = "{printable(value)}"' if issue.column else f'"{printable(value)}"'
    message = f"{issue.expected}; {issue.hint}" if issue.hint else issue.expected
    return printable(issue.place), printable(written), printable(message), f"[{issue.code}]"


class PlannerError(Exception):
    """The planner refuses something or cannot do it. All errors that it raises on purpose are of this class."""

    exit_code = 1


class InstanceError(PlannerError):
    """The instance is wrong. ``issues`` holds every problem found, by file and line."""

    exit_code = 2

    def __init__(self, issues: Iterable[Issue], where: str = "instance") -> None:
        self.issues = in_order(issues)
        self.where = where
        super().__init__(self.issues, where)  # all that makes it, so that it survives the way between processes

    def __str__(self) -> str:
        count = len(self.issues)
        problems = "1 problem" if count == 1 else f"{count} problems"
        return f"{printable(self.where)}: {problems}, nothing was solved\n{render(self.issues)}"


class UsageError(PlannerError):
    """The call or the command line is wrong."""

    exit_code = 2


class Reason(Protocol):
    """Why no plan can satisfy an instance; `planner.Diagnosis` is one."""

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as data for JSON."""
        ...

    def to_json(self) -> str:
        """Return the reason as JSON text."""
        ...


class SolveError(PlannerError):
    """The solve ended without a plan."""


class Infeasible(SolveError):  # noqa: N818 (a state, named as solvers name it)
    """No plan can satisfy the instance. ``diagnosis`` tells why, and the least that would change it."""

    exit_code = 3

    def __init__(self, message: str, diagnosis: Reason | None = None) -> None:
        self.diagnosis = diagnosis
        super().__init__(message, diagnosis)

    def __str__(self) -> str:
        return str(self.args[0])


class Unbounded(SolveError):  # noqa: N818 (a state, named as solvers name it)
    """The solver reports that the cost has no lower bound."""


class NoPlan(SolveError):  # noqa: N818 (a state, named as solvers name it)
    """A limit, such as the time limit, was reached before any plan was found."""

    exit_code = 4


class SolverFailed(SolveError):  # noqa: N818 (a state, named as solvers name it)
    """The solver stopped for a reason of its own."""


class AuditError(PlannerError):
    """A run does not agree with its instance."""


class OutputError(PlannerError):
    """A result could not be written or read back."""


class ResultError(OutputError):
    """A folder of results, given to be read, is damaged, not whole, or of another version."""

    exit_code = 2
