"""Charts from rows and column names: what is drawn, what is downloaded, and a figure for a notebook."""

import pandas as pd
import pytest

from planner.reporting import charts
from planner.reporting.diagrams import heat
from planner.reporting.parts import Column, Control, Figure, Table
from planner.reporting.ranked import Bar, ranked

MADE = [
    {"year": 2030, "country": "Japan", "made_t": 5.0},
    {"year": 2031, "country": "Japan", "made_t": 6.0},
    {"year": 2031, "country": "Estonia", "made_t": 2.0},
]


def test_bars_of_a_group_are_summed_and_missing_years_are_nothing():
    groups = [("Japan", ["Japan"]), ("others", ["Estonia", "France"])]
    chart = charts.stacked(MADE, "year", "made_t", "country", "t", groups=groups, years=[2030, 2031, 2032])
    assert [(t["name"], t["y"]) for t in chart.traces] == [("Japan", [5.0, 6.0, 0.0]), ("others", [0.0, 2.0, 0.0])]
    assert chart.layout["yaxis"]["title"]["text"] == "t a year"
    assert len({str(t["marker"]) for t in chart.traces}) == 2


def test_a_line_has_a_gap_where_there_is_no_value():
    rows = [{"year": 2030, "clean": 0.25}, {"year": 2031, "clean": None}, {"year": 2032, "clean": float("nan")}]
    (line,) = charts.lines(rows, "year", {"clean": "clean share"}, yaxis=charts.SHARES).traces
    assert (line["name"], line["y"]) == ("clean share", [0.25, None, None])


def test_bars_that_are_ranked_have_their_names_above_and_stop_at_the_most_asked_for():
    rows = [{"project": f"<b>{n}</b>", "worth": 10.0 - n} for n in range(5)]
    chart = ranked(rows, "project", [Bar("worth", text=str)], charts.amounts("MUSD", [10.0]), most=2)
    assert chart.traces[0]["x"] == [10.0, 9.0] and chart.traces[0]["text"] == ["10.0", "9.0"]
    assert [a["text"] for a in chart.layout["annotations"]] == ["&lt;b&gt;0&lt;/b&gt;", "&lt;b&gt;1&lt;/b&gt;"]
    assert len(chart.rows) == 5  # all of them are downloaded


def test_a_cell_of_a_heat_map_holds_the_largest_of_its_values():
    rows = [{"at": "a", "of": "x", "t": 1.0}, {"at": "a", "of": "x", "t": 3.0}, {"at": "b", "of": "x", "t": None}]
    (cells,) = heat(rows, "at", "of", "t", "t", {"a": "A", "b": "B"}, {"x": "X"}).traces
    assert cells["z"] == [[3.0, None]] and cells["hovertext"] == [["X, A: 3 t", ""]]


@pytest.mark.parametrize("rows", [MADE, pd.DataFrame(MADE)])
def test_a_notebook_gets_a_figure_of_plotly(rows):
    figure = charts.stacked(rows, "year", "made_t", "country", "t").to_plotly()
    assert [bar.name for bar in figure.data] == ["Japan", "Estonia"]


def test_a_figure_offers_each_choice_and_downloads_shared_rows_once():
    views = {k: charts.stacked(MADE, "year", "made_t", "country", "t") for k in ("JPN", "EST")}
    figure = Figure("f", "Title", "Summary", views, (Control("Where", {"JPN": "Japan", "EST": "Estonia"}, "EST"),))
    assert list(figure.views) == ["0", "1"] and figure.asked[0].first == 1
    columns, rows = figure.data
    assert columns == ["year", "country", "made_t"] and len(rows) == 3
    assert figure.told == "Summary"


def test_a_table_takes_columns_functions_and_places_of_a_tuple():
    columns = (Column("Country", "country"), Column("Twice, t", lambda r: 2 * r["made_t"], "number"))
    assert Table("t", "Title", MADE, columns).cells[0] == ["Japan", 10.0]
    assert Table("t", "Title", [("a", float("nan"))], (Column("Name", 0), Column("t", 1, "number"))).cells == [
        ["a", None]
    ]
