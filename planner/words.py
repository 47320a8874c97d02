"""Numbers as people read them: without an exponent, with separators."""

from __future__ import annotations

import math


def figure_of(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, all digits before the point, and separators.

    >>> [figure_of(x) for x in (0.01234, 9.756, 123.4, 70102.8, 0.0)]
    ['0.0123', '9.76', '123', '70,103', '0']
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "-"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0") else text
