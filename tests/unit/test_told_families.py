"""Every family of constraints says what it says when it binds, or says why it says nothing."""

import pytest
from builders import write_instance
from test_families import TABLES, TOML

import planner
from planner import models
from planner.instance.metrics import METRICS
from planner.instance.tables import columns
from planner.questions.diagnose.words import _TELLERS
from planner.solving.families import FAMILIES


def rows_of_the_model():
    """Names of all families of rows that the formulation can add, with everything switched on."""
    import ast
    import inspect

    names = set()
    for module in models.FAMILIES:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                called = getattr(node.value.func, "id", "")
                names |= {t.attr for t in node.targets if isinstance(t, ast.Attribute) and called == "Constraint"}
    return names


def test_every_family_of_the_model_has_its_record():
    rows = rows_of_the_model()
    assert len(rows) >= 28
    assert not rows - set(FAMILIES)
    told_as_bounds = {"service", "clean_only", "buy", "build"}
    assert set(FAMILIES) - rows == told_as_bounds


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_no_family_is_silent_without_a_reason(family):
    assert bool(family.kind) != bool(family.silent)
    if family.kind:
        assert family.unit and family.table
    if family.table:
        assert family.column in columns(family.table)
    if family.gives and family.name not in METRICS:
        name = f"upper:{family.name}" if family.bounds else family.name
        assert (name in _TELLERS) != (family.words is not None), "diagnose has nothing to say of it, or two things"


def test_a_fund_s_share_that_binds_is_told(tmp_path):
    """A line of 3 MUSD a module, 1 of it private; the fund may pay a quarter: 0.444 modules, and what more would save.

    Built are n modules with 3 n <= 1 + draws and draws <= 0.25 x 3 n: n = 1 / 2.25. A hundredth more of the share lets
    n grow to 1 / (3 x 0.74), so that the saving per hundredth is the saving per module times that growth.
    """
    tables = dict(TABLES)
    toml = TOML.format(years=[2026], last=1, rate=0.0, concern='["CHN"]')
    tables.pop("lanes", None)
    tables["options"] = (
        "option,name,facility,module_t,max_modules,integer,capex_musd,private_musd,lead_years,ramp_years,life_years\n"
        "line,Line,plant,20,2,no,3,1,0,0,30\n"
    )
    tables["funds"] = "fund,provider,instrument,budget_musd,max_share\naid,state,grant,9,0.25\n"
    tables["fund_options"] = "fund,option\naid,line\n"
    instance = planner.load(write_instance(tmp_path / "i", tables, toml))
    plan = planner.solve(instance)
    built = sum(plan.builds.values())
    assert built == pytest.approx(1 / 2.25)
    binding = planner.explain(plan).binding
    row = binding[binding["kind"] == "fund_share"].iloc[0]
    more = planner.solve(instance.scaled("funds", "max_share", 0.26 / 0.25))
    assert row["worth_musd"] == pytest.approx(plan.objective_musd - more.objective_musd, rel=0.03)
    assert row["name"] == "aid" and "25% of line" in row["says"]
