"""Colours, and how series look.

Colours are told apart by people with any kind of colour vision, and patterns, dashes or markers tell series apart
without colour too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

# Okabe and Ito's palette
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY, PALE, INK, SLATE = "#8A8F98", "#c3c8cf", "#1b1f24", "#3d4a57"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, BLACK, GREY)
DASHES = ("dot", "dash", "dashdot", "longdash", "longdashdot")
MARKERS = ("square", "diamond", "triangle-up", "cross", "x", "star")
PATTERNS = ("", "/", ".", "x", "\\", "-", "+", "|")
STAGES = (SKY, ORANGE, GREEN, BLUE, PURPLE, YELLOW)  # a stage has one colour on the whole page
SHADES = ((0.0, "#f4f6f8"), (0.02, "#fde8d7"), (0.35, "#f5a66b"), (0.7, "#d55e00"), (1.0, "#7a2e00"))  # none to much
CONCERN, CLEAN = VERMILLION, BLUE  # exposed and clean, wherever both are shown


class Look(NamedTuple):
    """How a series looks.

    colour   as plotly reads it
    pattern  of a bar
    dash     of a line; ``none`` draws only the markers
    symbol   of a marker
    width    of a line, px
    size     of a marker, px; 0 draws only the line
    hollow   whether a bar is only an outline
    """

    colour: str
    pattern: str = ""
    dash: str = "solid"
    symbol: str = "circle"
    width: float = 3
    size: float = 8
    hollow: bool = False

    def marker(self) -> dict[str, Any]:
        """The marker of a bar. The hatching is fine and white."""
        if self.hollow:
            return {"color": "rgba(255,255,255,0)", "line": {"color": self.colour, "width": 2}}
        if not self.pattern:
            return {"color": self.colour}
        hatch = {"shape": self.pattern, "fillmode": "overlay", "fgcolor": "#ffffff", "size": 7, "solidity": 0.16}
        return {"color": self.colour, "pattern": hatch}

    def line(self) -> dict[str, Any]:
        """Mode, line and marker of a line."""
        if self.dash == "none":
            edge = {"width": 3 if self.symbol.startswith("line") else 1, "color": self.colour}
            marker = {"symbol": self.symbol, "size": self.size, "color": self.colour, "line": edge}
            return {"mode": "markers", "marker": marker}
        drawn = {"line": {"color": self.colour, "width": self.width, "dash": self.dash}}
        if not self.size:
            return {"mode": "lines", **drawn}
        return {"mode": "lines+markers", **drawn, "marker": {"symbol": self.symbol, "size": self.size}}


def look(n: int, colours: Sequence[str] = SERIES) -> Look:
    """The look of the series with number ``n``, from 0."""
    return Look(
        colours[n % len(colours)], PATTERNS[n % len(PATTERNS)], DASHES[n % len(DASHES)], MARKERS[n % len(MARKERS)], 2
    )
