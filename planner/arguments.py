"""Checks of the arguments of public calls: a value of a type that the annotations do not permit is refused."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

from .bars import bar, wanted
from .errors import UsageError, nearest
from .language import language, languages

P = ParamSpec("P")
R = TypeVar("R")

# name of a type in an annotation -> the type that is accepted, and its description in a message
SIMPLE: Mapping[str, tuple[type, str]] = {
    "int": (Integral, "a whole number"),
    "float": (Real, "a number"),
    "bool": (bool, "True or False"),
    "str": (str, "a text"),
    "Path": (PathLike, "a path"),
    "None": (type(None), "None"),
}
SEVERAL = re.compile(r"(?:Collection|Sequence)\[(int|float|str)\]")


@contextmanager
def in_language(code: str | None) -> Iterator[None]:
    """Write messages in a language within a block; None: as around it.

    Raises UsageError, which lists those there are, for another one.
    """
    if code is not None and code not in languages():
        raise UsageError(f"language {code}: expected one of {', '.join(languages())}")
    with nullcontext() if code is None else language(code):
        yield


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public call so that it raises UsageError for an argument of a type that its annotations do not permit.

    Only parameters that are annotated with the types of ``SIMPLE``, or with collections of numbers or texts, are
    checked. Parameters with other annotations are checked by the call itself. True and False are not accepted as
    numbers. A call with a parameter ``progress`` that is not given shows a bar to a person who waits; see `bars`.
    """
    signature = inspect.signature(function)
    simple: dict[str, list[str]] = {}
    for name, parameter in signature.parameters.items():
        words = str(parameter.annotation).split(" | ")
        if all(word in SIMPLE or SEVERAL.fullmatch(word) for word in words):
            simple[name] = words

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind(*args, **kwargs).arguments
        for name, value in given.items():
            if name in simple and not any(_is(value, word) for word in simple[name]):
                expected = " or ".join(_called(word) for word in simple[name] if word != "None")
                raise UsageError(f"{name} = {str(value)[:60]!r}: expected {expected}")
        if "progress" in signature.parameters and "progress" not in given and wanted():
            with bar() as tell:
                kwargs["progress"] = tell
                return function(*args, **kwargs)
        return function(*args, **kwargs)

    return asked


def _is(value: Any, word: str) -> bool:
    """Return whether a value is of the type ``word`` of an annotation; True and False do not count as numbers."""
    several = SEVERAL.fullmatch(word)
    if several:
        listed = isinstance(value, Collection) and not isinstance(value, str)
        return listed and all(_is(one, several[1]) for one in value)
    return isinstance(value, SIMPLE[word][0]) and (word == "bool" or not isinstance(value, bool))


def _called(word: str) -> str:
    """Return how a message describes the type ``word`` of an annotation."""
    several = SEVERAL.fullmatch(word)
    return f"several of these in a list: {SIMPLE[several[1]][1]}" if several else SIMPLE[word][1]


@overload
def fraction(value: float | str, name: str) -> float: ...


@overload
def fraction(value: float | str | None, name: str) -> float | None: ...


def fraction(value: float | str | None, name: str) -> float | None:
    """Return the number that a fraction stands for; ``3%`` is read as 0.03. Each fraction of a call is read here.

    value  a number, or a text such as ``0.03`` or ``3%``; the range is not checked; None stays None
    name   name of the argument, for the message

    Raises UsageError if the text is neither a number nor a percentage.

    >>> fraction("3%", "slack")
    0.03
    """
    if value is None:
        return None
    try:
        if isinstance(value, str) and value.strip().endswith("%"):
            return float(value.strip()[:-1]) / 100.0
        return float(value)
    except ValueError:
        raise UsageError(f'{name} "{value}": expected a percentage such as 3%, or a fraction such as 0.03') from None


def beside(path: Path, meant: Callable[[Path], bool]) -> str:
    """Return the hint ``did you mean "..."?`` with what lies beside a path that does not exist; "" if nothing is close.

    meant  whether something that lies there is of the kind that is asked for
    """
    try:
        close = nearest(path.name, [other.name for other in path.parent.iterdir() if meant(other)])
    except OSError:
        close = ""
    return f'did you mean "{path.parent / close}"?' if close else ""
