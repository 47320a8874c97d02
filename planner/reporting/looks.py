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
WINE, OLIVE = "#882255", "#999933"  # from Tol's muted palette
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, BLACK, GREY)
DASHES = ("dot", "dash", "dashdot", "longdash", "longdashdot")
MARKERS = ("square", "diamond", "triangle-up", "cross", "x", "star")
PATTERNS = ("", "/", ".", "x", "\\", "-", "+", "|")
STAGES = (SKY, ORANGE, GREEN, BLUE, PURPLE, YELLOW)  # a stage has one colour on the whole page
SHADES = ((0.0, "#f4f6f8"), (0.02, "#fde8d7"), (0.35, "#f5a66b"), (0.7, "#d55e00"), (1.0, "#7a2e00"))  # none to much
SHADES_OF_TIME = ((0.0, "#7a2e00"), (0.35, "#d55e00"), (0.65, "#f5c69f"), (0.99, "#e3eef6"), (1.0, "#e3eef6"))
COUNTRIES = (BLUE, ORANGE, SKY, PURPLE, YELLOW, SLATE, WINE, OLIVE)  # those of no concern; green is what was recycled
CONCERN, CLEAN = VERMILLION, BLUE  # exposed and clean, wherever both are shown
PAPER, VEIL, GRID, ZERO = "#ffffff", "rgba(255,255,255,0.8)", "#e6e8eb", "#9aa0a8"  # behind names: a veil
FONTS = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
# language -> the fonts of its charts, where a saved picture would else take glyphs of another language
FONTS_OF = {"ja": "Hiragino Sans, Yu Gothic UI, Meiryo, Noto Sans CJK JP, system-ui, sans-serif"}
SEA, LAND, HALO = "#eef3f7", "#d9dee3", "0 0 3px #fff, 0 0 3px #fff, 0 0 3px #fff"
BANDS = {"exposed": "rgba(213,94,0,0.45)", "clean": "rgba(0,114,178,0.42)"}  # of a flow diagram

# what the page's script draws instead where the reader's system is dark; other colours are readable on both. A heat map
# turns round: what is darkest on white is brightest on black.
DARK = {
    BLACK: "#f2f4f7", INK: "#e6e9ed", SLATE: "#a9b4c0", PALE: "#5d6672", BLUE: "#2f93d1", WINE: "#b04a78",
    PAPER: "#14181d", VEIL: "rgba(20,24,29,0.8)", GRID: "#2b323a", ZERO: "#6b747e",
    SEA: "#1a222b", LAND: "#37414c", HALO: "0 0 3px #000, 0 0 3px #000, 0 0 3px #000",
    "#f4f6f8": "#1e242b", "#fde8d7": "#3a291e", "#f5a66b": "#96501f", "#7a2e00": "#ffc9a3",
    "#f5c69f": "#6e3f20", "#e3eef6": "#1e2b36",
    BANDS["exposed"]: "rgba(233,120,30,0.55)", BANDS["clean"]: "rgba(64,160,220,0.5)",
}  # fmt: skip


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
        hatch = {"shape": self.pattern, "fillmode": "overlay", "fgcolor": PAPER, "size": 7, "solidity": 0.16}
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
    """The look of the series with number ``n``, from 0. When colours come again, their patterns differ."""
    pattern = PATTERNS[(n + n // len(colours)) % len(PATTERNS)]
    return Look(colours[n % len(colours)], pattern, DASHES[n % len(DASHES)], MARKERS[n % len(MARKERS)], 2)
