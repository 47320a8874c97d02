"""Parts of a model that no row connects once its investment is held.

Without stocks each year, and each year of each branch, is a part of its own; what stocks connect stays together. The
parts are found from the matrix.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from .compiling import Arrays

INVESTMENT = (
    "build",
    "fill",
    "full",
    "excess",
    "chosen",
    "close",
    "nothing",
    "private",
    "fund_draw",
)  # families of first-stage columns


def first_stage(arrays: Arrays) -> np.ndarray:
    """Return which columns are decided before the operations: bool, shape (columns,)."""
    first = np.zeros(len(arrays.cost), dtype=bool)
    for family in INVESTMENT:
        first[list(arrays.columns.get(family, {}).values())] = True
    return first


def connected(links: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the part of each row and of each column of a sparse matrix, by its entries."""
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(sparse.block_array([[None, links], [links.T, None]]), directed=False)
    return label[: links.shape[0]], label[links.shape[0] :]


def part_of(arrays: Arrays, rows: np.ndarray, columns: np.ndarray) -> Arrays:
    """Return the linear programme of some rows and columns, given by their positions, without the constant."""
    return replace(
        arrays,
        cost=arrays.cost[columns],
        offset=0.0,
        matrix=sparse.csc_array(sparse.csr_array(arrays.matrix)[rows][:, columns]),
        row_lower=arrays.row_lower[rows],
        row_upper=arrays.row_upper[rows],
        col_lower=arrays.col_lower[columns],
        col_upper=arrays.col_upper[columns],
        integer=np.zeros(len(columns), dtype=bool),
        columns={},
        rows={},
    )
