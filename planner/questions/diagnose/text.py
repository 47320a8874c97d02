"""A diagnosis as a page of text: the cause first, then the way out, then how it comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .diagnose import Edit
    from .result import Cause, Diagnosis

AT_MOST = 12  # lines of a section


def text(d: Diagnosis) -> str:
    """The diagnosis as lines; the first three name the cause and the way out."""
    if d.feasible:
        return "\n".join([f"{d.name} is feasible: a plan exists", *(f"  {fact}" for fact in d.facts)])
    if d.outages:
        return f"{d.name} has no plan: {d.outages}"
    lines = _sentence(d)
    lines += _edits(d)
    for number, cause in enumerate(d.causes):
        lines += _cause(cause, number + 1 if len(d.causes) > 1 else 0)
    if d.others:
        lines += ["Instead, each of these alone would do:", *_cut([f"  {e}" for e in d.others])]
    if d.caps:
        lines += ["What could be asked:", *(f"  {c}" for c in d.caps)]
    if not d.complete:
        lines.append("Interrupted: what was found before is told; there may be more conflicts and other ways out.")
    return "\n".join(lines)


def _sentence(d: Diagnosis) -> list[str]:
    if not d.causes:
        why = "was not found in the time allowed" if d.complete else "was not looked for to the end"
        return [f"{d.name} has no plan; what contradicts what {why}"]
    first = d.causes[0]
    whole = " in whole modules" if first.whole else ""
    asked = "; and ".join(_short(first.asked)) or "what is asked"
    lines = [f"{d.name} has no plan: {asked}: this cannot be met{whole}{_beyond(d.causes)}"]
    because = (*first.scarce[:2], *first.limits[:3]) or first.chain[:2]
    if because:
        lines.append(f"because {'; '.join(because)}")
    return lines


def _beyond(causes: tuple[Cause, ...]) -> str:
    """What later conflicts speak of that the first does not."""
    seen = {cell for cells in causes[0].about for cell in cells}
    more: list[str] = []
    for cause in causes[1:]:
        for cells, asked in zip(cause.about, cause.asked, strict=True):
            if set(cells) - seen:
                seen.update(cells)
                more.append(asked)
    return f"; nor, then, can {'; and '.join(_short(tuple(more)))}" if more else ""


def _short(asked: tuple[str, ...]) -> tuple[str, ...]:
    return asked if len(asked) <= 5 else (*asked[:5], f"{len(asked) - 5} more below")


def _edits(d: Diagnosis) -> list[str]:
    if not d.edits:
        return ["No relaxation was found in the time allowed"]
    proof = "" if d.proven else "; the search was cut short, a smaller one may exist"
    checked = "solved again with it: a plan exists" if d.verified else "NOT confirmed by solving again"
    if len(d.edits) == 1:
        return [f"Least relaxation: {d.edits[0]}", f"  ({checked}{proof})"]
    shown = "; ".join(str(e) for e in d.edits[:3]) + (f"; and {len(d.edits) - 3} more" if len(d.edits) > 3 else "")
    lines = [f"Least relaxation, {len(d.edits)} edits together: {shown}", f"  ({checked}{proof})"]
    if len(d.edits) > 3:
        lines += _all(d.edits)
    return lines


def _all(edits: tuple[Edit, ...]) -> list[str]:
    return [f"  {e}" for e in edits]


def _cause(cause: Cause, number: int) -> list[str]:
    title = f"Conflict {number}" if number else "The conflict"
    title += ", of which no part can be spared:" if cause.minimal else ", perhaps not the smallest:"
    lines = [f"  asked: {line}" for line in cause.asked]
    lines += [f"  {line}" for line in cause.chain]
    lines += [f"  so: {line}" for line in cause.scarce]
    return [title, *_cut(lines, 24)]


def _cut(lines: list[str], at_most: int = AT_MOST) -> list[str]:
    return lines if len(lines) <= at_most else [*lines[:at_most], f"  ... {len(lines) - at_most} more"]
