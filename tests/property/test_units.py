"""Results do not depend on the user's units: all tonnages times k and all prices per tonne divided by k."""

import pytest
from drawn import unit_of, valid

import planner
from planner.errors import Infeasible
from planner.instance.cells import cell_of
from planner.instance.tables import TABLES, cells, columns

TONNES, PER_TONNE = ("t", "t/year"), ("USD/t", "unit/t")


def scaled(instance, k):
    """The instance in other units of mass; money stays as it is."""
    rows = {}
    for name in TABLES:
        for row in instance.all_rows(name):
            units = {c: unit_of(name, c, getattr(row, "measure", "")) for c in columns(name)}
            changed = {
                c: cell_of(getattr(row, c) * (k if unit in TONNES else 1 / k))
                for c, unit in units.items()
                if unit in (*TONNES, *PER_TONNE) and getattr(row, c) is not None
            }
            if changed:
                rows.setdefault(name, []).append(cells(row) | changed)
    return instance.changed(rows=rows)


def cost(instance):
    """Present cost, MUSD, audited; None if no plan exists."""
    try:
        return planner.solve(instance, gap=0).objective_musd
    except Infeasible:
        return None


@pytest.mark.parametrize("seed", range(8))
def test_the_unit_of_mass_changes_neither_cost_nor_feasibility(tmp_path, seed):
    instance, _, _ = valid(tmp_path / "drawn", seed)
    plain = cost(instance)
    for k in (1e-3, 64.0, 1e3, 1e6):
        other = cost(scaled(instance, k))
        assert (other is None) == (plain is None), k
        if plain is not None:
            assert other == pytest.approx(plain, rel=1e-6), k
