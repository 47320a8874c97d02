"""Describes the tables of an instance's folder as a data package, so that other programs can read and check them.

The form is that of Frictionless, Data Package 2.0 (https://datapackage.org): a file beside the tables that gives their
columns with type, unit, range and meaning, their keys, and which column refers to which table. It follows from the
declarations of the tables, and holds no data.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InstanceError, Issue, OutputError, UsageError, did_you_mean
from ..writing import whole_file
from .declare import Column
from .reading import Layer, read_folder
from .settings import BASE
from .tables import TABLES, columns

FILE = "datapackage.json"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES = {"number": "number", "whole": "integer", "flag": "boolean", "sources": "list"}
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}


def describe(folder: Path, file: Path, overwrite: bool) -> None:
    """Write the description of a folder's tables beside them; what an older one says beside the tables is kept.

    Raises UsageError if the file would lie elsewhere, and as `package` does; OutputError if it cannot be written.
    """
    if file.parent.resolve() != folder.resolve():
        raise UsageError(f"{file} would not lie beside the tables; write {folder / FILE}")
    kept: dict[str, Any] = {}
    if overwrite and file.is_file():
        try:
            kept = dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"{file} is not replaced, because it is no data package; move it away") from error
    text = package(folder, kept)
    with whole_file(file, overwrite, (file.suffix,), begins=("{",)) as made:
        made.write_text(text, encoding="utf-8", newline="\n")


def package(folder: Path, further: Mapping[str, Any]) -> str:
    """Return the text of datapackage.json for the tables of a folder, without those of its base.

    further  entries to take over that do not follow from the tables, such as a version or a licence; others are ignored

    Raises UsageError if there is nothing to describe, InstanceError if the tables cannot be read.
    """
    layer = read_folder(folder, TABLES)
    if unknown := list(_unknown_columns(layer)):
        raise InstanceError(unknown, str(folder))
    resources = [_resource(table, layer) for table in TABLES if table in layer.tables]
    if not resources:
        raise UsageError(f"{folder} has no table of its own to describe")
    settings = {name: written.value for (section, name), written in layer.settings.items() if not section}
    name = str(settings.get("name", layer.folder.name))
    made = {
        "$schema": PROFILE,
        "name": re.sub(r"[^a-z0-9._-]+", "-", name.lower()),
        "title": str(settings.get("title", name)),
        "description": _description(settings),
    }
    own = {key: value for key, value in further.items() if key not in (*made, "resources")}
    return json.dumps(made | own | {"resources": resources}, indent=1, ensure_ascii=False) + "\n"


def _unknown_columns(layer: Layer) -> Iterator[Issue]:
    for table, raw in layer.tables.items():
        for name in raw.header:
            if name not in columns(table):
                hint = did_you_mean(name, columns(table))
                yield Issue(raw.file, raw.line, name, None, f"unknown column of {raw.file}", hint, "E107")


def _description(settings: Mapping[str, Any]) -> str:
    parts = [str(settings.get("description", ""))]
    if BASE in settings:
        parts.append(
            f'An overlay of "{settings[BASE]}": a row here replaces the row of the same key there, or adds one; '
            "its columns may refer to rows that stand only there."
        )
    return " ".join(filter(None, parts))


def _resource(table: str, layer: Layer) -> dict[str, Any]:
    """Return the entry of a table, with the columns that its file has, in their order there."""
    header = layer.tables[table].header
    row = TABLES[table]
    known = columns(table)
    meaning = " ".join((row.__doc__ or "").split())
    schema: dict[str, Any] = {
        "fields": [_field(known[name]) for name in header],
        "missingValues": [""],
        # a part of the key that the file does not have is blank in all its rows
        "primaryKey": [name for name in row.KEY if name in header],
    }
    if foreign := [] if ("", BASE) in layer.settings else _foreign_keys(table, layer):
        schema["foreignKeys"] = foreign
    return {
        "name": table,
        "path": f"{table}.csv",
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": meaning,
        "schema": schema,
    }


def _field(column: Column) -> dict[str, Any]:
    meaning = column.meaning if column.required else f"{column.meaning}; blank: {column.default_text or 'blank'}"
    field: dict[str, Any] = {"name": column.name, "type": _TYPES.get(column.kind, "string"), "description": meaning}
    if column.kind == "flag":
        field |= {"trueValues": ["yes"], "falseValues": ["no"]}
    if column.kind == "sources":
        field |= {"delimiter": ";", "itemType": "string"}
    if column.unit:
        field["unit"] = column.unit
    constraints: dict[str, Any] = {"required": True} if column.required else {}
    constraints |= {_BOUNDS[name]: bound for name, bound in column.bounds.items()}
    if column.choices:
        constraints["enum"] = list(column.choices)
    return field | ({"constraints": constraints} if constraints else {})


def _foreign_keys(table: str, layer: Layer) -> list[dict[str, Any]]:
    """Return which columns refer to which other table of the folder.

    A data package cannot say that * stands for any key, that a cell names a row of one of two tables, or one of several
    rows: such columns only say it in words.
    """
    header = layer.tables[table].header
    found = [_refer([c.name], c.refers[0]) for c in columns(table).values() if _plain(c) and c.name in header]
    found += [_refer(names, to) for names, to in TABLES[table].TOGETHER.items()]
    return [key for key in found if key["reference"]["resource"] in layer.tables]


def _plain(column: Column) -> bool:
    return column.kind == "reference" and not column.wildcard and len(column.refers) == 1 and column.refers[0] in TABLES


def _refer(names: Sequence[str], to: str) -> dict[str, Any]:
    return {"fields": list(names), "reference": {"resource": to, "fields": list(TABLES[to].KEY)}}
