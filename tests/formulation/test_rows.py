"""A golden row for each family of constraints: a coefficient cannot change unseen while the optimum stays.

``rows.txt`` holds, for one instance with everything in it, the longest row of each family with names that a reader
knows. ``ACCEPT=1 pytest tests/formulation`` writes it anew; each change of it needs a reason in its commit.
"""

import os
from pathlib import Path

from audit_runs import EVERYTHING, EVERYTHING_TOML
from builders import write_instance

import planner
from planner import models
from planner.prepare import prepare
from planner.solving.compiling import compiled
from planner.solving.families import FAMILIES

GOLDEN = Path(__file__).with_name("rows.txt")


# the same by single years, with a stop of some months, what firms hold, and a stock that is released slowly
IN_MONTHS_TOML = EVERYTHING_TOML.replace(
    "[2026, 2027, 2029]\nlast_period_years = 2", "[2026, 2027, 2028, 2029, 2030]\nlast_period_years = 1"
)
IN_MONTHS = {
    **EVERYTHING,
    "working_stocks": "material,country,weeks\nmetal,DEU,8\n",
    "stockpiles": EVERYTHING["stockpiles"]
    .replace("final_min_t\n", "final_min_t,release_max_t\n")
    .replace(",4\n", ",4,1\n")
    .replace(",10\n", ",10,\n"),
    "scenarios": "scenario,name,probability,first_year,first_month,months\nstop,Stop,0.2,2027,4,2\n",
    "disruptions": "scenario,kind,country,stage,material,facility,fraction\nstop,export_stop,CHN,,metal,,1\n",
}


def thing(data, family, index):
    """What a column or row is of: the texts and years of its record in ``data``."""
    lists = {
        "short": data.need, "demand": data.need, "put": data.stock, "draw": data.stock, "stock_balance": data.stock,
        "stock_draw": data.stock, "balance": data.pools, "node_cost": data.nodes, "node_cost_is": data.nodes,
        "beyond": data.outcomes, "beyond_tail": data.outcomes, "capacity_limit": data.capacity,
        "lane_least": data.lane_limit, "under_way": data.land,
        "least_use": data.capacity, "transit_limit": data.transit, "modules_most": data.modules,
        "modules_least": data.modules, "fund_budget": data.fund_limit, "collect_limit": data.collect,
        "surplus": [data.pools[p] for p in data.surplus],
        "downgrade": [data.pools[clean] for clean, _ in data.downgrade], **data.caps,
    }  # fmt: skip
    if family == "surplus_limit":
        record = data.pools[index]
    else:
        records = lists.get(family, getattr(data, family, None))
        if not isinstance(records, list) or not isinstance(index, int) or index >= len(records):
            return str(index)
        record = records[index]
    if isinstance(record, (str, tuple)) and not hasattr(record, "_fields"):
        return " ".join(map(str, record)) if isinstance(record, tuple) else record
    fields = record._fields if hasattr(record, "_fields") else record.__slots__
    words = [v for f in fields if isinstance(v := getattr(record, f), str) and v]
    if hasattr(record, "need"):
        words = [data.need[record.need].country, data.need[record.need].sector, *words]
    node = data.nodes[record.node] if isinstance(getattr(record, "node", None), int) else None
    if node is not None:
        words += [node.branch, str(node.year)] if node.branch else [str(node.year)]
    elif hasattr(record, "year"):
        words.append(str(record.year))
    return " ".join(words)


def written(data, arrays, family, index):
    """A row as text: its sides and, by column, its coefficients."""
    row = arrays.rows[family][index]
    names = {k: f"{f}[{thing(data, f, i)}]" for f, of in arrays.columns.items() for i, k in of.items()}
    by_row = arrays.matrix.tocsr()
    span = slice(by_row.indptr[row], by_row.indptr[row + 1])
    entries = sorted(zip(map(names.get, by_row.indices[span].tolist()), by_row.data[span].tolist(), strict=True))
    lines = [f"  {value:+.12g} {name}" for name, value in entries]
    return "\n".join(
        [
            f"{arrays.row_lower[row]:.12g} <= {family}[{thing(data, family, index)}] <= {arrays.row_upper[row]:.12g}",
            *lines,
        ]
    )


def rows(folder):
    """Family -> its longest row, and of these the first."""
    instance = planner.load(write_instance(folder, EVERYTHING, EVERYTHING_TOML))
    found = {}
    in_months = planner.load(write_instance(folder.with_name("in-months"), IN_MONTHS, IN_MONTHS_TOML))
    for asked in (instance, instance.with_settings(measure="cost", weight=0.25, alpha=0.8), in_months):
        data = prepare(asked).data
        arrays = compiled(data)
        length = (arrays.matrix.tocsr() != 0).sum(axis=1)
        for family, of in arrays.rows.items():
            index = max(of, key=lambda i: length[of[i]])
            found.setdefault(family, written(data, arrays, family, index))
    return found


def text(folder):
    return "\n\n".join(row for _, row in sorted(rows(folder).items())) + "\n"


def test_a_row_of_each_family_is_what_it_was(tmp_path):
    if os.environ.get("ACCEPT"):
        GOLDEN.write_text(text(tmp_path / "accepted"), encoding="utf-8")
    assert text(tmp_path / "everything") == GOLDEN.read_text(encoding="utf-8")


def test_every_family_of_the_model_has_its_golden_row(tmp_path):
    bounds = {"service", "clean_only", "buy", "build"}  # of decisions, no rows
    assert set(rows(tmp_path / "everything")) == set(FAMILIES) - bounds
    assert len(models.FAMILIES) == 29
