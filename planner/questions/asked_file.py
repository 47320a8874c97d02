"""A question that is asked in a TOML file: it is read into a model, and every problem is told with its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ValidationError

from ..arguments import beside, fraction
from ..errors import UsageError, hinted
from ..instance.reading import read_toml

Asked = TypeVar("Asked", bound=BaseModel)
Gap = Annotated[float | None, BeforeValidator(lambda value: fraction(value, "gap"))]


def read_asked(kind: type[Asked], path: str | Path) -> tuple[Asked, Path]:
    """Read a file; return what it asks, and the folder from which its paths start.

    kind  the model of such files
    Raises UsageError with every problem.
    """
    file = Path(path)
    try:
        written = read_toml(file.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "" if file.exists() else beside(file, lambda other: other.suffix == file.suffix)
        raise UsageError(f"{file} cannot be read: {error.strerror}; {hint}".rstrip("; ")) from error
    except ValueError as error:
        raise UsageError(f"{file} is not TOML: {error}") from error
    return asked_of(kind, written, str(file)), file.resolve().parent


def asked_of(kind: type[Asked], written: Mapping[str, Any], where: str) -> Asked:
    """Return what the keys of a file ask. Raises UsageError with every problem; ``where`` names the file in them."""
    try:
        return kind.model_validate(written)
    except ValidationError as error:
        raise UsageError("\n".join(f"{where}: {_problem(kind, e)}" for e in error.errors())) from None


def _problem(kind: type[BaseModel], error: Any) -> str:
    place = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        return hinted(f"unknown key {place}", str(error["loc"][-1]), _known(kind, error["loc"]))
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {message[0].lower()}{message[1:]}" if place else message


def _place(loc: Sequence[Any]) -> str:
    said = ""
    for part in loc:
        said += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if said else ''}{part}"
    return said


def _known(kind: type[BaseModel], loc: Sequence[Any]) -> list[str]:
    """Return the keys that the table at a place may have; ``loc`` ends with the key that is unknown."""
    for part in loc[:-1]:
        if isinstance(part, str):
            annotation = kind.model_fields[part].annotation
            inner = [of for of in (annotation, *get_args(annotation)) if isinstance(of, type)]
            kind = next((of for of in inner if issubclass(of, BaseModel)), kind)
    return list(kind.model_fields)
