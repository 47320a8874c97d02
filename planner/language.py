"""The language of a page or of a summary.

Messages stand in the code in English, and are translated where they are used: ``_("Cost: {amount}", amount=...)`` is a
message, `n_` one with a number of things, `p_` one whose English words alone do not tell what is meant; `N_` marks a
constant that `translated` translates later. A file of ``languages``, such as ``ja.po``, holds the messages of a
language. English needs no file, and nothing is imported for it.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

ENGLISH = "en"
CHECKED = "Checked by native readers:"  # a line at the head of a file says who they are, or
NOBODY = "nobody yet"


@dataclass(frozen=True)
class Language:
    """A language: its messages, and how it writes numbers.

    code      such as ``ja``, as HTML names it
    messages  English text -> its own
    checked   whether a native reader has checked the messages
    signs     how it writes the comma, the point and the per cent sign of an English number
    large     power of ten -> how a number of that size is written, such as ``0 million``; the zeros are its digits
    """

    code: str = ENGLISH
    messages: gettext.NullTranslations = field(default_factory=gettext.NullTranslations)
    checked: bool = True
    signs: Mapping[int, str] = field(default_factory=dict)
    large: Mapping[int, str] = field(default_factory=dict)


ENGLISH_ITSELF = Language()
_present: ContextVar[Language] = ContextVar("language", default=ENGLISH_ITSELF)


def languages() -> list[str]:
    """Return the codes of the languages that there are, English first."""
    there = (file.name for file in files(__package__).joinpath("languages").iterdir())
    return [ENGLISH, *sorted(name.removesuffix(".po") for name in there if name.endswith(".po"))]


def present() -> Language:
    """Return the language in which messages are written now."""
    return _present.get()


@contextmanager
def language(code: str) -> Iterator[Language]:
    """Write messages in a language of `languages`; in this thread only, so that pages made at a time do not mix."""
    token = _present.set(ENGLISH_ITSELF if code == ENGLISH else _read(code))
    try:
        yield present()
    finally:
        _present.reset(token)


@cache
def _read(code: str) -> Language:
    """Return what a file of ``languages`` says. A message whose translation is marked as fuzzy stays English."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with files(__package__).joinpath("languages", f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    checked = [line.partition(CHECKED)[2].strip() for line in catalog.header_comment.splitlines() if CHECKED in line]
    native = bool(checked) and checked[-1] != NOBODY
    return Language(code, gettext.GNUTranslations(compiled), native, *numbers_of(code))


def numbers_of(code: str) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """Return how a language writes numbers: ``signs`` and ``large`` of `Language`."""
    from babel import Locale

    locale = Locale.parse(code)
    symbols, percent = locale.number_symbols["latn"], locale.percent_formats[None].suffix[0]
    signs = str.maketrans({",": symbols["group"], ".": symbols["decimal"], "%": percent or "%"})
    compact = locale.compact_decimal_formats
    forms = compact["long" if "long" in compact else "short"]["other"]  # a language whose both are the same has one
    return signs, {int(power): form.pattern.replace("'", "") for power, form in forms.items()}


def _(message: str, /, **values: Any) -> str:
    """Return a message in the present language; ``values`` stand for the names in braces.

    >>> _("{share} in {year}", share="5%", year=2030)
    '5% in 2030'
    """
    text = present().messages.gettext(message)
    return text.format(**values) if values else text


def n_(one: str, many: str, n: int, /, **values: Any) -> str:
    """Return a message with a number of things, which stands for ``{n}``.

    >>> n_("{n} country", "{n} countries", 1), n_("{n} country", "{n} countries", 1200)
    ('1 country', '1,200 countries')
    """
    return present().messages.ngettext(one, many, n).format(n=number(f"{n:,}"), **values)


def p_(meaning: str, message: str, /, **values: Any) -> str:
    """Return a message whose English words have another meaning elsewhere; ``meaning`` tells translators which.

    >>> p_("year", "From")
    'From'
    """
    text = present().messages.pgettext(meaning, message)
    return text.format(**values) if values else text


def N_(message: str, /) -> str:  # noqa: N802  the name that gettext's tools look for
    """Return a constant as it is: `translated` translates it where it is used."""
    return message


def translated(constant: str) -> str:
    """Return a constant that `N_` marks in the present language; what no ``N_`` marks, as it is."""
    return present().messages.gettext(constant) if constant else ""  # gettext("") is the header of a file


def number(text: str) -> str:
    """Return a number as it is written in English with the signs of the present language."""
    signs = present().signs
    return text.translate(signs) if signs else text


def large(value: float) -> tuple[float, str] | None:
    """Return a number as the present language counts, and the words around it; None for English.

    >>> with language("ja"):
    ...     print(large(1_580_000_000), large(70))
    (15.8, '{}億') (70, '{}')
    """
    sizes = present().large
    if not sizes:
        return None
    power = max((size for size in sizes if size <= abs(value)), default=1)
    pattern = sizes.get(power, "0")
    zeros = pattern.count("0")
    if pattern == "0" * zeros:  # a language without a word for this size
        return value, "{}"
    return value / (power / 10 ** (zeros - 1)), pattern.replace("0" * zeros, "{}")
