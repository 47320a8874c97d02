"""Loads an instance from a folder or a workbook: reads it and its bases, overlays and checks them, and freezes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..arguments import beside, checked
from ..errors import InstanceError, Issue, UsageError, did_you_mean, hinted, in_order
from . import checks
from .changes import Applied, Draft, apply_written
from .declare import Key
from .examples import example_folder, examples, located
from .instance import Content, Instance, sortable
from .reading import SETTINGS_FILE, Layer, Written, read_layer
from .rows import BadRow, Entry, parse_table
from .settings import BASE, CHANGE, Settings, parse_settings
from .sheets import BOOKS, OTHER_BOOKS, is_book, read_book
from .tables import (
    TABLES,
)

OF_LAYER = (("", BASE), ("", CHANGE))  # settings that say how a layer comes about, and are not those of the instance

MISSING = "no such folder or workbook"


@checked
def load(path: str | Path) -> Instance:
    """Load the instance in a folder or a workbook: read it and its base, check everything, and freeze it.

    path  the folder with instance.toml, or an .xlsx or .ods workbook with its tables as sheets; or the name of an
          example (see `planner.examples`) if there is nothing of that name
    Raises InstanceError with every problem found.
    """
    folder = Path(path)
    issues: list[Issue] = []
    layers = _layers(located(folder), issues)
    if not layers:
        raise InstanceError(issues, str(path))
    digest = hashlib.sha256()
    for number, layer in enumerate(layers):
        for name, content in layer.contents:  # of a workbook the tables, so that it may be saved again unchanged
            digest.update(f"{number} {name} {len(content)}\n".encode())
            digest.update(content)
    return _freeze(_merge(layers, issues), issues, digest.hexdigest(), folder, str(path))


def example(name: str) -> Instance:
    """Load an instance that comes with the planner, such as ``allied-2040``; see `planner.examples`.

    Raises UsageError if there is none of that name.
    """
    folder = example_folder(name) if isinstance(name, str) else None
    if folder is None:
        known = examples()
        raise UsageError(hinted(f"no example {name}; there are {', '.join(known)}", str(name), known))
    return load(folder)


def given_instance(instance: Instance | str | Path) -> Instance:
    """Return an instance given to a call: itself, or the one in a folder. Raises UsageError for anything else."""
    if isinstance(instance, Instance):
        return instance
    if isinstance(instance, (str, os.PathLike)):
        return load(instance)
    raise UsageError(f"{type(instance).__name__}: expected an instance, or the path of its folder or workbook")


def _layers(folder: Path, issues: list[Issue]) -> list[Layer]:
    """Read the folder and those it is based on, the deepest base first; empty if there is no instance."""
    layers: list[Layer] = []
    seen: set[Path] = set()
    current, prefix = folder, ""
    asked: Written | None = None
    while True:
        problem = _folder_problem(current, seen)
        if problem and asked is not None:
            issues.append(Issue(asked.file, asked.line, BASE, str(asked.value), problem, "", "E114"))
            break
        if problem:
            hint = _meant(folder) if problem == MISSING else ""
            issues.append(Issue(str(folder), None, "", None, problem, hint, "E100"))
            break
        seen.add(current.resolve())
        read = read_book if is_book(current) else partial(read_layer, tables=tuple(TABLES))
        layer = read(current, prefix, issues=issues)
        layers.append(layer)
        asked = layer.settings.get(("", BASE))
        if asked is None:
            break
        if not isinstance(asked.value, str) or not asked.value.strip() or Path(asked.value).is_absolute():
            expected = "expected the path of another instance, relative to this folder, or the name of an example"
            issues.append(Issue(asked.file, asked.line, BASE, str(asked.value), expected, "", "E114"))
            break
        current = based_on(current, asked.value)
        shown = Path(os.path.relpath(current, home_of(folder))).as_posix()
        prefix = f"[{shown}]" if is_book(current) else f"{shown}/"
    return layers[::-1]


def home_of(instance: Path) -> Path:
    """Return the folder from which the paths in an instance start; a workbook stands for the folder of its name."""
    return instance.with_suffix("") if is_book(instance) else instance


def based_on(instance: Path, base: str) -> Path:
    """Return the folder or workbook that an instance names as its base: the one at the path, else the example."""
    places = [home_of(instance), *([instance.parent] if is_book(instance) else [])]
    paths = [Path(os.path.normpath(place / base)) for place in places]  # the home of a workbook need not exist
    found = next((path for path in paths if path.exists()), paths[0])
    example = example_folder(base)
    return found if example is None or found.exists() else example


def _meant(path: Path) -> str:
    """Return a hint at the instance that a path probably means: one beside it, or an example."""
    return beside(path, lambda p: is_book(p) or (p / SETTINGS_FILE).is_file()) or did_you_mean(path.name, examples())


def _folder_problem(folder: Path, seen: Iterable[Path]) -> str:
    """Return why a folder or workbook cannot be read as an instance, "" if it can."""
    try:
        if not folder.exists():
            return MISSING
        if not folder.is_dir() and not is_book(folder):
            cure = f"; save it as {BOOKS[0]}" if folder.suffix.lower() in OTHER_BOOKS else ""
            return f"neither a folder nor a workbook ({' or '.join(BOOKS)}){cure}"
        if folder.is_dir() and not (folder / SETTINGS_FILE).exists():
            return f"no instance: the folder has no {SETTINGS_FILE}"
        if folder.resolve() in seen:
            return "the instances are based on each other in a circle"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    return ""


def _merge(layers: list[Layer], issues: list[Issue]) -> Content:
    """Return the rows and settings of all layers; later ones replace earlier ones of the same key."""
    settings: dict[tuple[str, str], Written] = {}
    entries: dict[str, dict[Key, Entry]] = {name: {} for name in TABLES}
    bad: dict[str, tuple[BadRow, ...]] = dict.fromkeys(TABLES, ())
    failed: dict[str, set[Key]] = {name: set() for name in TABLES}
    broken: set[str] = set()
    unnamed: set[str] = set()
    overlays: list[Entry] = []
    replaced: dict[tuple[str, Key], tuple[Entry, Entry]] = {}
    present: set[str] = set()
    applied: list[Applied] = []
    for number, layer in enumerate(layers):
        settings.update({name: value for name, value in layer.settings.items() if name not in OF_LAYER})
        broken |= layer.broken
        unnamed |= layer.broken
        present |= layer.broken | set(layer.tables)
        for name, raw in layer.tables.items():
            parsed = parse_table(name, raw, issues)
            merged = entries[name]
            if number > 0:
                overlays += [
                    entry
                    for row_key, entry in parsed.entries.items()
                    if not entry.row.active and not (row_key in merged and merged[row_key].row.active)
                ]
            for row_key, entry in parsed.entries.items():
                if row_key in merged and merged[row_key].row.active and entry.row.active:
                    replaced[name, row_key] = merged[row_key], entry
                else:
                    replaced.pop((name, row_key), None)
            merged.update(parsed.entries)
            bad[name] += parsed.bad
            for row_key in parsed.failed:
                merged.pop(row_key, None)
            failed[name] = (failed[name] - set(parsed.entries)) | parsed.failed
            if not parsed.sound:
                broken.add(name)
            if not parsed.named:
                unnamed.add(name)
        if asked := layer.settings.get(("", CHANGE)):
            draft = Draft(entries, settings, issues, broken)
            applied += apply_written(asked, draft)
            replaced = {key: pair for key, pair in replaced.items() if entries[key[0]].get(key[1]) is pair[1]}
    for name, row in TABLES.items():
        if row.REQUIRED and name not in present and row.UNLESS not in present:
            issues.append(Issue(layers[-1].file_of(name), None, "", None, "required table is missing", "", "E106"))
            broken.add(name)
            unnamed.add(name)
    return Content(
        settings,
        entries,
        bad,
        {name: frozenset(keys) for name, keys in failed.items()},
        frozenset(broken),
        frozenset(unnamed),
        tuple(overlays),
        tuple(replaced.values()),
        _freeze,
        tuple(applied),
    )


def _freeze(content: Content, issues: list[Issue], sha256: str, path: Path | None, where: str) -> Instance:
    """Sort, check and freeze the content of an instance.

    issues  problems found while reading
    where   how the instance is called in the error
    Raises InstanceError with all errors if there is one.
    """
    broken = set(content.broken)
    settings = None
    if SETTINGS_FILE not in broken:
        settings = parse_settings(content.settings, issues)
    if settings is None:
        broken.add(checks.SETTINGS)
    ordered = {name: dict(sorted(content.entries[name].items(), key=lambda item: sortable(item[0]))) for name in TABLES}
    active: dict[str, Any] = {
        name: tuple(entry.row for entry in table.values() if entry.row.active) for name, table in ordered.items()
    }
    known = settings if settings is not None else _placeholder()
    instance = Instance(
        name=known.name,
        title=known.title or known.name,
        description=known.description,
        stages=known.stages,
        years=known.years,
        last_period_years=known.last_period_years,
        currency=known.currency,
        price_year=known.price_year,
        discount_rate=known.discount_rate,
        wacc=known.wacc,
        countries_of_concern=tuple(sorted(known.countries_of_concern)),
        survive=known.survive,
        risk_measure=known.risk_measure,
        risk_weight=known.risk_weight,
        risk_alpha=known.risk_alpha,
        sha256=sha256,
        path=path,
        changes=content.applied,
        _content=replace(
            content,
            entries=ordered,
            bad={},
            failed={},
            broken=frozenset(),
            unnamed=frozenset(),
            overlays=(),
            replaced=(),
        ),
        **active,
    )
    draft = checks.Draft(
        instance,
        ordered,
        content.bad,
        content.failed,
        frozenset(broken),
        content.unnamed,
        content.settings,
        content.overlays,
        content.replaced,
    )
    found = checks.run(draft, issues)
    errors = [issue for issue in found if issue.severity == "error"]
    if errors:
        raise InstanceError(errors, where)
    return replace(instance, _suspicions=lambda: in_order(found or checks.suspicions(draft)))


def _placeholder() -> Settings:
    """Return stand-ins for settings that could not be read, so that checks that do not need them can run."""
    return Settings.model_construct(
        name="",
        title="",
        description="",
        stages=(),
        years=(0,),
        last_period_years=1,
        currency="",
        price_year=0,
        discount_rate=0.0,
        wacc=0.0,
        countries_of_concern=(),
        survive=(),
        risk_measure="cost",
        risk_weight=0.0,
        risk_alpha=0.0,
    )
