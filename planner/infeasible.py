"""Why nothing works: the least relaxation, in weighted tonnes and points, that makes an instance feasible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

import models

from .solving import Settings, Solver, compile_model

if TYPE_CHECKING:
    from .prepare import Prepared

# families whose rows come from a wish of the user; balances and capacities are never relaxed
_RELAXED = {
    "least_use": 1.0,
    "stock_floor": 1.0,
    "modules_least": -1.0,
    "exposed_share": -1.0,
    "stage_share": -1.0,
    "single_country_share": -1.0,
    "import_share": -1.0,
    "private_limit": -1.0,
    "fund_budget": -1.0,
    "exclusive_group": -1.0,
}


def reasons(prepared: Prepared) -> list[str]:
    """Sentences that name the rows to relax and by how much, worst first; whole numbers are relaxed too."""
    data = prepared.data
    arrays = compile_model(models.build(data))
    short = arrays.columns.get("short", {})
    asked = {d: data.need[d].max_short for d in short}
    arrays.integer[:] = False
    for d, k in short.items():
        arrays.col_upper[k] = data.need[d].demand
    arrays.cost[:] = 0.0
    solver = Solver(arrays, Settings())
    slack: list[tuple[str, Any]] = []
    for d, k in short.items():
        # one column for what is short beyond the floor: short - extra <= allowed
        column = solver.highs.getNumCol()
        solver.check(solver.highs.addCol(1.0, 0.0, highspy.kHighsInf, 0, [], []), "a slack")
        solver.check(
            solver.highs.addRow(
                -highspy.kHighsInf, asked[d], 2, np.array([k, column], dtype=np.int32), np.array([1.0, -1.0])
            ),
            "a slack",
        )
        slack.append(("short", d))
    for family, sign in _RELAXED.items():
        for index, row in arrays.rows.get(family, {}).items():
            upward = 1.0 if family in ("least_use", "stock_floor", "modules_least") else sign
            solver.check(
                solver.highs.addCol(
                    1.0, 0.0, highspy.kHighsInf, 1, np.array([row], dtype=np.int32), np.array([upward])
                ),
                "a slack",
            )
            slack.append((family, index))
    if solver.run_lp() != "optimal":
        return ["no single rule is to blame: the whole numbers of the builds, or several rules together, conflict"]
    values = np.array(solver.highs.getSolution().col_value)[arrays.matrix.shape[1] :]
    found = [
        (float(v), _sentence(prepared, family, index, float(v)))
        for v, (family, index) in zip(values, slack, strict=True)
        if v > 1e-9
    ]
    if not found:
        return ["with fractions of modules a plan exists: the whole numbers of the builds cannot be met"]
    return [sentence for _, sentence in sorted(found, key=lambda f: (-f[0], f[1]))[:20]]


def _sentence(prepared: Prepared, family: str, index: Any, amount: float) -> str:
    data = prepared.data
    tonnes = f"{amount * 1e3:,.6g} t"
    if family == "short":
        need = data.need[index]
        return (
            f"  sectors.csv min_service of sector {need.sector}: {need.material} in {need.country}, "
            f"{data.nodes[need.node].year}, cannot be served; {tonnes} of {need.demand * 1e3:,.6g} t too little supply"
        )
    if family == "least_use":
        limit = data.capacity[index]
        return (
            f"  facilities.csv min_use of {limit.facility}: in {data.nodes[limit.node].year} it cannot be used enough; "
            f"{tonnes} of {limit.least_use * 1e3:,.6g} t missing"
        )
    if family == "stock_floor":
        floor = data.stock_floor[index]
        return f"  stockpiles.csv final_min_t of {floor.stockpile}: {tonnes} of {floor.floor * 1e3:,.6g} t missing"
    if family == "modules_least":
        modules = data.modules[index]
        return (
            f"  options.csv min_modules of {modules.option}: {amount:.6g} of {modules.least:g} modules cannot be built"
        )
    if family in ("exposed_share", "stage_share", "single_country_share", "import_share"):
        cap = getattr(data, family)[index]
        where = f" of {cap.country}" if cap.country else ""
        return (
            f"  caps.csv {cap.cap} ({family}{where}) in {data.nodes[cap.node].year}: "
            f"limit {cap.limit:g} is exceeded by {tonnes}"
        )
    if family == "private_limit":
        return f"  options.csv private_musd of {data.private_limit[index].option}: {amount:,.6g} MUSD too little"
    if family == "fund_budget":
        return f"  funds.csv budget_musd of {data.fund_limit[index].fund}: {amount:,.6g} MUSD too little"
    return f"  options.csv exclusive_group {index}: more than one of its options would have to be built"
