"""Formats numbers and names for people: no exponents, thousands separators, units, lists as in a sentence."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .language import _, large, n_, number, p_


def figure_of(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits, thousands separators, and all digits before the point.

    >>> [figure_of(x) for x in (0.01234, 9.756, 123.4, 70102.8, 0.0)]
    ['0.0123', '9.76', '123', '70,103', '0']
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "-"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0") else number(text)


def share_of(value: float, decimals: int = 1) -> str:
    """Return a share (0.5 means 50 %) as a percentage; it has more decimals where it would show 0 without.

    What is more than a hundred times the whole is a share of next to nothing, and no such number is shown.

    >>> [share_of(x) for x in (0.8337, 1.0, 0.0006, 0.0, float("nan"), 4.5e13)]
    ['83.4%', '100%', '0.06%', '0%', '-', 'over 10,000%']
    """
    if value != value:
        return "-"
    if abs(value) > 100.0:
        most = number("10,000%")
        return _("below -{share}", share=most) if value < 0 else _("over {share}", share=most)
    if 0 < abs(value) < 0.1 ** (decimals + 2):
        return number(f"{value * 100:.2g}%" if abs(value) >= 1e-5 else "0%")
    text = f"{value * 100:.{decimals}f}"
    return number(f"{text if float(text) not in (0.0, 100.0) else text[: text.index('.')]}%")


def bare(share: str) -> str:
    """Return a share in words without its per cent sign.

    >>> bare("83.4%")
    '83.4'
    """
    return share.rstrip("%").rstrip()


def written(value: Any, form: str) -> str:
    """Return a value as text for a cell of a table; "" for None and NaN.

    form  ``text``, ``link``, ``year``, ``count``, ``number`` or ``share``
    """
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if form == "share":
        return share_of(float(value))
    if form == "number":
        return figure_of(float(value), 4 if abs(value) < 1000 else 3)
    if form == "count":
        return number(f"{value:,.0f}")
    return str(value)


def tonnes_of(value: float) -> str:
    """Return tonnes as text for a sentence, rounded to three digits.

    >>> tonnes_of(1880889.0), tonnes_of(12345.6), tonnes_of(60.0)
    ('1.88 million t', '12,300 t', '60 t')
    """
    if value >= 1e4 and (counted := large(value)):
        return _("{tonnes} t", tonnes=counted[1].format(figure_of(counted[0])))
    if value >= 1e6:
        return _("{amount} million t", amount=figure_of(value / 1e6))
    if value >= 1e4:
        value = round(value, 2 - math.floor(math.log10(value)))
    return _("{tonnes} t", tonnes=figure_of(value))


def in_currency(text: str, currency: str) -> str:
    """Return a text about an instance with its currency, where the text says USD, MUSD or USD/kg for all of them.

    >>> in_currency("9.75 MUSD, 3 USD/kg", "EUR"), in_currency("9.75百万USD", "EUR")
    ('9.75 MEUR, 3 EUR/kg', '9.75百万EUR')
    """
    return text if currency == "USD" else re.sub(r"\b(M?)USD\b", rf"\g<1>{currency}", text, flags=re.ASCII)


def money_of(musd: float, currency: str, digits: int = 3) -> str:
    """Return an amount (in millions) in words; ``digits`` are significant digits.

    >>> money_of(1580.0, "USD"), money_of(0.25, "USD"), money_of(12.0, "USD")
    ('1.58 billion USD', '250 thousand USD', '12 million USD')
    """
    if counted := large(musd * 1e6):
        return _("{amount} {currency}", amount=counted[1].format(figure_of(counted[0], digits)), currency=currency)
    if abs(musd) >= 1000:
        return _("{amount} billion {currency}", amount=figure_of(musd / 1000, digits), currency=currency)
    if 1e-3 <= abs(musd) < 1:
        return _("{amount} thousand {currency}", amount=figure_of(musd * 1e3, digits), currency=currency)
    return _("{amount} million {currency}", amount=figure_of(musd, digits), currency=currency)


def rate_of(value: float) -> str:
    """Return a rate (0.05 means 5 %) as a percentage, without needless zeros.

    >>> rate_of(0.05), rate_of(0.075)
    ('5%', '7.5%')
    """
    return number(f"{value * 100:.4g}%")


def percent_of(share: float) -> str:
    """Return a share (0.5 means 50 %) as whole per cents.

    >>> percent_of(0.123)
    '12%'
    """
    return number(f"{share:.0%}")


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names as a sentence lists them; ``most`` is how many are named.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b and c', 'a, b and 2 more')
    """
    if len(names) > most:
        return n_("{names} and {n} more", "{names} and {n} more", len(names) - most, names=commas(names[:most]))
    if len(names) > 1:
        return _("{names} and {last}", names=commas(names[:-1]), last=names[-1])
    return "".join(names)


def commas(parts: Iterable[str]) -> str:
    """Return parts of a sentence one after the other, with commas between them.

    >>> commas(["Japan 5 t", "Estonia 3 t"])
    'Japan 5 t, Estonia 3 t'
    """
    return p_("between parts", ", ").join(parts)


def full_stop(sentence: str) -> str:
    """Return words as a sentence.

    >>> full_stop("Nothing is built")
    'Nothing is built.'
    """
    return _("{sentence}.", sentence=sentence)


def semicolons(parts: Iterable[str]) -> str:
    """Return parts of a sentence that may have commas of their own, with semicolons between them."""
    return p_("between parts", "; ").join(parts)


def told(head: str, parts: Iterable[str]) -> str:
    """Return a heading and its parts as one sentence; "none" stands for no parts.

    >>> told("Largest makers", ["Japan 5 t", "Estonia 3 t"]), told("Not delivered", [])
    ('Largest makers: Japan 5 t; Estonia 3 t.', 'Not delivered: none.')
    """
    return full_stop(_("{head}: {parts}", head=head, parts=semicolons(parts) or _("none")))


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number of things, with the word for one of them or for many.

    >>> counted(1, "project"), counted(3, "country", "countries")
    ('1 project', '3 countries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def spans_of(years: Iterable[int]) -> str:
    """Return years as text; those that follow each other become a span.

    >>> spans_of([2026, 2027, 2028, 2031]), spans_of([])
    ('2026-2028, 2031', '')
    """
    spans: list[list[int]] = []
    for year in sorted(set(years)):
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)


def points_of(share: float) -> str:
    """Return a difference of shares as percentage points with its sign.

    >>> points_of(0.0187), points_of(-0.0004), points_of(0.0)
    ('+1.9', '-0.04', '0')
    """
    text = bare(share_of(abs(share)))
    return text if text in ("0", "-") else f"{'-' if share < 0 else '+'}{text}"


def capital(text: str) -> str:
    """Return text with its first letter a capital.

    >>> capital("cap USA 2030")
    'Cap USA 2030'
    """
    return text[:1].upper() + text[1:]


def shortened(text: str, most: int) -> str:
    """Return a name cut to ``most`` characters.

    >>> shortened("Mountain Pass", 20), shortened("Mountain Pass", 9)
    ('Mountain Pass', 'Mountain…')
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def brief_number(value: float) -> str:
    """Return a number as a short text, for a cell of a heat map: two digits, k for thousands, M for millions.

    >>> [brief_number(x) for x in (1e-15, 3.14159, 412.3, 12345.0, 2345678.0)]
    ['0', '3.1', '412', '12k', '2.3M']
    """
    if abs(value) >= 1e4:
        if counted := large(value):
            return counted[1].format(figure_of(counted[0], 2))
        return f"{figure_of(value / 1e6, 2)}M" if abs(value) >= 1e6 else f"{figure_of(value / 1e3, 2)}k"
    return figure_of(value, 2) if abs(value) >= 5e-4 else "0"


def blank(value: Any) -> Any:
    """Return the value, or None if it is a float that is not finite, which JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def paragraphs(text: str, tables: Iterable[str] = ()) -> str:
    """Return text as HTML for a notebook: its first line as a title, the rest as it is set; then tables in HTML.

    >>> paragraphs("Tiny\\n2 < 3")
    '<b>Tiny</b><pre style="white-space:pre-wrap">2 &lt; 3</pre>'
    """
    title, __, rest = (html.escape(text, quote=False)).partition("\n")
    body = f'<pre style="white-space:pre-wrap">{rest}</pre>' if rest else ""
    return f"<b>{title}</b>{body}{''.join(tables)}"
