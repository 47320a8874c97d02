"""The page of us-defence-2027 says what the plan gives."""

from pathlib import Path

import pytest

import planner

FOLDER = Path(__file__).parents[2] / "instances" / "us-defence-2027"
YEARS = (2026, 2027, 2028, 2029, 2030, 2033, 2036)


@pytest.fixture(scope="module")
def page():
    """First cell -> a number for each of the years."""
    lines = [line.strip("|").split("|") for line in (FOLDER / "README.md").read_text().splitlines() if "|" in line]
    return {
        cells[0].strip(): [float(c.replace(",", "").replace(" - ", "nan")) for c in cells[1:]]
        for cells in lines
        if cells[0].endswith(", t ")
    }


@pytest.fixture(scope="module")
def tables():
    return planner.solve(planner.load(FOLDER), gap=0.005).tables


def by_year(frame, column):
    return frame.groupby("year")[column].sum().reindex(YEARS, fill_value=0.0).tolist()


def test_need_is_served_and_clean_from_2027_on(page, tables):
    served = tables["service"][tables["service"]["country"] == "DOD"]
    assert page["need, t"] == pytest.approx(by_year(served, "demand_t"), abs=1)
    assert page["short, t"] == by_year(served, "short_t") == [0.0] * len(YEARS)
    assert by_year(served, "clean_t")[1:] == pytest.approx(page["need, t"][1:], abs=1)


def test_where_it_comes_from(page, tables):
    flows = tables["flows"]
    clean = flows[(flows["destination"] == "DOD") & (flows["provenance"] == "clean")]
    # how Japan and Korea share it hardly matters to the cost
    for where, countries in (("the USA", ["USA"]), ("the EU", ["EUU"]), ("Japan and Korea", ["JPN", "KOR"])):
        arriving = clean[clean["origin"].isin(countries)]
        from_2027 = page[f"clean from {where}, t"][1:]
        assert from_2027 == pytest.approx(by_year(arriving, "t")[1:], rel=0.03, abs=5), where


def test_what_is_free_in_2027():
    # eVAC 1,700 t x 0.25, MP 850 t x 0.25, Noveon 5/6 of 1,700 t, Vulcan 85 t, all 18 months after their first output
    lanes = planner.load(FOLDER).lanes
    free = sum(x.max_t for x in lanes if (x.origin, x.destination, x.last_year) == ("USA", "DOD", 2027))
    assert free == pytest.approx(1700 * 0.25 + 850 * 0.25 + 1700 * 5 / 6 + 85, abs=2)
