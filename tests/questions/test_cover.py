"""Stocks sized to hold out, against arithmetic by hand."""

import json
from pathlib import Path

import pytest

import planner
import planner.questions.solve
from planner.bands import Searched
from planner.errors import UsageError

INSTANCES = Path(__file__).parents[2] / "instances"


@pytest.fixture(scope="module")
def korea():
    """100 t/yr of cars, all from China at 40,000 USD/t; Busan can make 10; a store that opens with 5 t, 2,000 USD/t."""
    instance = planner.load(INSTANCES / "stock-cover")
    rows = [{"market": "china", "year": year, "price_usd_per_t": 40000} for year in (2026, 2027)]
    instance = instance.with_rows("market_prices", *rows)
    pile = {"stockpile": "korea", "country": "KOR", "material": "magnet", "initial_t": 5, "max_t": 1000}
    return instance.with_rows("stockpiles", {**pile, "holding_usd_per_t": 2000})


def test_stock_and_cost_by_months(korea):
    found = planner.cover(korea, "export_stop:CHN", 2027, months=(1, 3, 6, 12), level=0.9, clock="year")
    # 90 t must be had: Busan makes 10, of 100 t of exports the part of the year without the stop is left. What lies
    # in store is used in 2027 if nothing happens, so that without interest only its holding in 2026 is paid.
    stock = [0.0, 0.0, 90 - 10 - 75.0, 90 - 10 - 50.0, 90 - 10 - 0.0]
    assert found.table["months"].tolist() == [0, 1, 3, 6, 12]
    assert found.table["stock_t"].tolist() == pytest.approx(stock, abs=1e-3)
    assert found.table["extra_musd"].tolist() == pytest.approx([t * 2000e-6 for t in stock], abs=1e-5)
    assert found.table["holding_musd"].tolist() == pytest.approx([t * 2000e-6 for t in stock], abs=1e-5)
    assert found.table["extra_capex_musd"].tolist() == [0.0] * 5


def test_stock_by_the_clock_of_months(korea):
    # 7.5 t a month must be had and Busan makes 0.83: 6.67 t for each month of the stop, held at the end of 2026
    found = planner.cover(korea, "export_stop:CHN", 2027, months=(1, 3, 6, 12), level=0.9)
    stock = [m * (90 - 10) / 12 for m in (0, 1, 3, 6, 12)]
    assert found.settings["clock"] == "month" and found.table["months"].tolist() == [0, 1, 3, 6, 12]
    assert found.table["stock_t"].tolist() == pytest.approx(stock, abs=1e-3)
    assert found.table["extra_musd"].tolist() == pytest.approx([t * 2000e-6 for t in stock], abs=1e-5)
    # in July half of what lay there at the beginning of the year is used: 80 t are held for the 40 of six months
    july = planner.cover(korea, "export_stop:CHN", 2027, months=(6,), from_month=7, level=0.9)
    assert july.table["stock_t"].tolist() == pytest.approx([0.0, 40.0], abs=1e-3)
    assert july.table["extra_musd"].tolist() == pytest.approx([0.0, 80 * 2000e-6], abs=1e-5)


def test_a_stock_too_small_ends_the_curve_with_the_reason(korea):
    row = {"stockpile": "korea", "country": "KOR", "material": "magnet", "initial_t": 5, "max_t": 30}
    found = planner.cover(korea.with_rows("stockpiles", row), "export_stop:CHN", 2027, months=(3, 12, 24), level=0.9)
    assert found.table["months"].tolist() == [0, 3, 12]  # two years were not tried: one is too long already
    assert found.table["status"].tolist() == ["optimal", "optimal", "infeasible"]
    assert "max_t 30 -> 80" in found.reason  # 90 t less 10 from Busan
    assert "12 no plan holds out so long" in str(found)


def test_capacity_is_built_where_it_is_cheaper_than_stock(korea):
    """Holding at 200,000 USD/t and year; modules of 10 t for 0.5 MUSD, all paid in the one year they last."""
    pile = {"stockpile": "korea", "country": "KOR", "material": "magnet", "initial_t": 5, "max_t": 1000}
    dear = korea.with_rows("stockpiles", {**pile, "holding_usd_per_t": 200_000})
    more = {"option": "busan-2", "facility": "busan", "name": "Busan 2", "module_t": 10, "max_modules": 9}
    built = dear.with_rows("options", {**more, "capex_musd": 0.5, "life_years": 1, "first_start": 2027})
    found = planner.cover(built, "export_stop:CHN", 2027, months=(12,), level=0.9)
    last = found.table.iloc[-1]
    # 80 t of modules for 8 x 0.5 MUSD against 80 x 0.2 MUSD of holding
    assert (last["stock_t"], last["extra_capex_musd"], last["extra_musd"]) == pytest.approx((0.0, 4.0, 4.0), abs=1e-3)
    assert found.switches[["option", "change"]].values.tolist() == [["busan-2", 8.0]]


def test_written_and_read(korea, tmp_path):
    found = planner.cover(korea, "export_stop:CHN", 2027, months=(6,), level=0.9)
    folder = found.write(tmp_path / "cover")
    assert {f.name for f in folder.iterdir()} == {"cover.csv", "stocks.csv", "switches.csv", "cover.json"}
    assert json.loads((folder / "cover.json").read_text())["points"][1]["stock_t"] == pytest.approx(40.0, abs=1e-3)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"against": "export_stop:CHM"}, "export_stop:CHN"),
        ({"against": "CHN"}, "name one case"),
        ({"year": 2040}, "a year of the horizon"),
        ({"months": (18,), "clock": "year"}, "whole years"),
        ({"months": (0,)}, "expected 1 or more"),
        ({"from_month": 13}, "expected 1 to 12"),
        ({"months": ()}, "no length"),
        ({"level": 0.0}, "above 0"),
        ({"sectors": ["car"]}, "cars"),
    ],
)
def test_slips_are_told(korea, asked, words):
    with pytest.raises(UsageError, match=words):
        planner.cover(korea, **{"against": "export_stop:CHN", "year": 2027, **asked})


def test_what_a_length_costs_is_told_as_exactly_as_the_gaps_allow(korea, monkeypatch):
    # 80 t held for 2,000 USD cost 0.16 MUSD; each search might have ended 0.05 MUSD above the least cost
    at = planner.Run.objective_musd.fget
    monkeypatch.setattr(planner.Run, "searched", property(lambda run: Searched(at(run), at(run) - 0.05)))
    months = planner.cover(korea, "export_stop:CHN", 2027, months=(1, 12), level=0.9, clock="year").table.set_index(
        "months"
    )
    ends = months[["extra_least_musd", "extra_musd", "extra_most_musd"]]
    assert ends.loc[12].tolist() == pytest.approx([0.16 - 0.05, 0.16, 0.16 + 0.05], abs=1e-5)
    assert ends.loc[1].tolist() == pytest.approx([0.0, 0.0, 0.05], abs=1e-5)  # to hold out never costs less than not to


def test_a_plan_that_holds_out_and_costs_less_improves_the_one_that_need_not(korea, monkeypatch):
    """The plan for 0 months is one of a search that ended early: 5 MUSD dearer than what it can be."""
    real, asked = planner.questions.solve.solve, []

    def early(instance, **options):
        plan = real(instance, **options)
        asked.append(options.get("start"))
        if len(asked) == 1:
            plan.plan["objective_musd"] += 5.0
        return plan

    monkeypatch.setattr(planner.questions.solve, "solve", early)
    found = planner.cover(korea, "export_stop:CHN", 2027, months=(1, 12), level=0.9, clock="year")
    assert asked[:3] == [None] * 3 and asked[3] is not None
    assert found.table["extra_musd"].tolist() == pytest.approx([0.0, 0.0, 0.16], abs=1e-5)
