"""A linear programme that falls apart as it is: its components are solved one by one, on all cores.

Without investment and stocks each year is a component. The simplex needs about the square of the columns in steps, so
ten years one by one take a tenth of the time of the whole. Their bases put together are an optimal basis of the whole,
from which everything that is asked of it next goes on.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..cores import free_cores
from .blocks import connected, part_of
from .programme import AT_LOWER, BASIC, Programme, basis_of, statuses
from .solver import Settings

FEWEST_COLUMNS = 20_000  # smaller programmes are solved as fast as a whole
LEAST_COMPONENT = 2_000  # columns; smaller components are solved several at a time
LARGEST_COMPONENT = 0.6  # of the columns; with a larger one there is nothing to gain


def basis_by_components(programme: Programme, seconds: float | None) -> Any:
    """Return an optimal basis of a linear programme from those of its components.

    seconds  how long each component may take; None: no limit
    Returns None if it is small, if nothing much of it falls apart, or if a component has no optimum. Ctrl-C stops the
    searches and raises KeyboardInterrupt.
    """
    arrays = programme.arrays
    rows, columns = arrays.matrix.shape
    if columns < FEWEST_COLUMNS:
        return None
    of_row, of_column = connected(arrays.matrix)
    sizes = np.bincount(of_column, minlength=int(max(of_row.max(), of_column.max())) + 1)
    if sizes.max() > LARGEST_COMPONENT * columns:
        return None
    gathered = (np.cumsum(sizes) - 1) // LEAST_COMPONENT  # component -> number of what is solved together
    _, together = np.unique(gathered, return_inverse=True)
    settings = Settings(seed=programme.settings.seed)
    places, parts = [], []
    for k in range(together.max() + 1):
        mine, own = np.flatnonzero(together[of_row] == k), np.flatnonzero(together[of_column] == k)
        places.append((mine, own))
        parts.append(Programme(part_of(arrays, mine, own), settings))
    if not _solved(parts, seconds):
        return None
    of_columns, of_rows = np.full(columns, AT_LOWER, np.uint8), np.full(rows, BASIC, np.uint8)
    for (mine, own), part in zip(places, parts, strict=True):
        column_status, row_status = statuses(part.basis)
        of_columns[own] = np.frombuffer(column_status, np.uint8)
        of_rows[mine] = np.frombuffer(row_status, np.uint8)
    return basis_of(of_columns, of_rows)


def _solved(parts: list[Programme], seconds: float | None) -> bool:
    """Solve all parts at the same time; return whether each has an optimum."""
    for part in parts:
        part.highs.HandleUserInterrupt = True
    with ThreadPoolExecutor(free_cores()) as threads:
        try:
            found = threads.map(lambda part: part.find(seconds=seconds, sure=False, watched=False), parts)
            return all(of.optimal for of in found)
        except KeyboardInterrupt:
            for part in parts:
                part.highs.cancelSolve()
            raise
