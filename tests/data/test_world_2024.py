"""The page of world-2024 says of the model what the model gives, and of the observations what the facts say."""

import csv
import sys
from pathlib import Path

import pytest

import planner

WORLD = Path(__file__).parents[2] / "instances" / "world-2024"
FACTS = WORLD.parent / "evidence" / "facts"
sys.path.insert(0, str(WORLD.parent / "evidence"))
from imports import imports  # noqa: E402


def fact(table, column, **where):
    with (FACTS / f"{table}.csv").open(encoding="utf-8", newline="") as handle:
        found = [row for row in csv.DictReader(handle) if all(row[k] == v for k, v in where.items())]
    assert len(found) == 1, where
    return float(found[0][column])


@pytest.fixture(scope="module")
def page():
    """First cell -> the numbers of the cells model and observed."""
    rows = [line.strip("| \n").split("|") for line in (WORLD / "README.md").read_text().splitlines() if "|" in line]
    return {cells[0].strip(): [_number(c) for c in cells[1:3]] for cells in rows if any(c.isdigit() for c in cells[1])}


def _number(cell):
    return float("".join(c for c in cell.replace("about", "") if c.isdigit() or c == "."))


@pytest.fixture(scope="module")
def plan():
    return planner.solve(planner.load(WORLD))


def test_imports_of_magnets_from_china():
    table = (WORLD / "README.md").read_text().partition("| magnets from China, t |")[2].splitlines()[2:6]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table]
    page = {c[0].removeprefix("to ").removeprefix("the "): [_number(n) for n in c[1:4]] for c in cells}
    for region, (least, most) in imports().items():
        assert page[region][:2] == pytest.approx([least, most], rel=1e-3), region
    china = {"sector": "imports_from_china", "year": "2024"}
    assert page["USA"][2] == fact("demand", "demand_t", region="USA", **china)
    assert page["EU"][2] == fact("demand", "demand_t", region="EU27", **china)
    assert page["Japan"][2] == fact("demand", "demand_t", region="JPN", sector="imports_from_china", year="2025")
    nine_months = fact("demand", "demand_t", region="KOR", sector="imports_from_china_9m", year="2023")
    assert page["Korea"][2] == pytest.approx(nine_months * 12 / 9, rel=1e-3)


def test_prices_in_china(page, plan):
    prices = plan.tables["prices"]
    mine = prices[(prices["country"] == "CHN") & (prices["provenance"] == "exposed")].set_index("material")
    mean = {"market": "China domestic", "date": "2024"}
    cny_per_usd = fact("prices", "price", item="NdPr oxide", unit="CNY/kg", **mean) / fact(
        "prices", "price", item="NdPr oxide", unit="USD/kg", **mean
    )
    for name, material in (("NdPr", "ndpr_oxide"), ("Dy", "dy_oxide"), ("Tb", "tb_oxide")):
        model, observed = page[f"{name} oxide in China, USD/kg"]
        assert model == pytest.approx(mine.loc[material, "usd_per_t"] / 1000, rel=0.01)
        published = fact("prices", "price", item=f"{name} oxide", unit="CNY/kg", **mean)
        assert observed == pytest.approx(published / cny_per_usd, rel=0.01)
    flows = plan.tables["flows"]
    sold = flows[(flows["origin"] == "CHN") & flows["material"].str.startswith("mag_")].groupby("material")["t"].sum()
    model, observed = page["Magnets leaving China, USD/kg"]
    assert model == pytest.approx(
        sum(t * mine.loc[m, "usd_per_t"] for m, t in sold.items()) / sold.sum() / 1000, rel=0.01
    )
    assert observed == fact("prices", "price", item="NdFeB magnet", date="2024-H1")
