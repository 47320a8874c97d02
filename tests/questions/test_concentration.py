"""The index of concentration, by hand."""

from pathlib import Path

import pytest
from places import run as command

import planner

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture(scope="module")
def tiny():
    return planner.solve(INSTANCES / "tiny")


def row(found, scope, stage, year):
    (of,) = found.table[
        (found.table["scope"] == scope) & (found.table["stage"] == stage) & (found.table["year"] == year)
    ].itertuples()
    return of


def test_halves_make_an_index_of_5000(tiny):
    found = planner.concentration(tiny)
    # 2026: China alone; 2027: 50 t from China and 50 t from Texas
    first, second = row(found, "all", "magnet", 2026), row(found, "all", "magnet", 2027)
    assert (first.hhi, first.suppliers, first.largest, first.three_largest) == pytest.approx((1e4, 1.0, "CHN", 1.0))
    assert second.hhi == pytest.approx(0.5**2 * 1e4 * 2) and second.suppliers == pytest.approx(2.0)


def test_what_allies_receive_is_counted_by_where_the_stage_was_done(tiny):
    found = planner.concentration(tiny)
    # of 100 t in 2027 the metal of 50 t was made in the USA, that of the other 50 t nobody knows where
    of = row(found, "allies", "metal", 2027)
    assert of.hhi == pytest.approx(5000.0)
    assert {of.largest} <= {"USA", "unknown"}


def test_countries_of_concern_are_no_allies():
    """Of two consumers, one in the country of concern, only the other one counts."""
    home = {"country": "CHN", "sector": "cars", "material": "magnet", "year": "", "demand_t": 900}
    cap = {"cap": "half", "metric": "exposed_share", "country": "USA", "first_year": 2027, "limit": 0.5}
    instance = planner.load(INSTANCES / "tiny").with_rows("demand", home).with_rows("caps", cap)
    found = planner.concentration(planner.solve(instance))
    # China makes 950 of 1,000 t in 2027, but of the 100 t that the USA receive only half
    assert row(found, "all", "magnet", 2027).hhi == pytest.approx(95.0**2 + 5.0**2)
    assert row(found, "allies", "magnet", 2027).hhi == pytest.approx(5000.0)


def test_surplus_is_not_supplied():
    instance = planner.load(Path(__file__).parents[1] / "cases" / "11_joint_products_with_surplus" / "instance")
    plan = planner.solve(instance)
    found = planner.concentration(plan)
    thrown = plan.tables["adjustments"].query("kind == 'surplus'")["t"].sum()
    made = plan.tables["activity"]["activity_t"].sum() * 1.05  # NdPr, and a twentieth of it Dy
    bought = plan.tables["purchases"]["t"].sum()
    assert thrown > 0
    shares = [(made - thrown) / (made - thrown + bought), bought / (made - thrown + bought)]
    by_country = len(set(plan.tables["purchases"]["country"]) | set(plan.tables["activity"]["country"]))
    expected = 1e4 * sum(s * s for s in shares) if by_country > 1 else 1e4
    assert found.table["hhi"].iloc[0] == pytest.approx(expected)


def test_the_command(tiny, tmp_path):
    tiny.write(tmp_path / "run")
    out = command("concentration", str(tmp_path / "run"), "-o", str(tmp_path / "found")).stdout
    assert "magnet" in out and "10,000" in out
    header = (tmp_path / "found" / "concentration.csv").read_text().splitlines()[0]
    assert header == "scope,stage,year,hhi,suppliers,largest,largest_share,three_largest"
