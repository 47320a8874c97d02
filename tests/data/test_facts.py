"""The facts of the flagship: every number rests on a cell, published figures are quoted, a change goes to its rows."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INSTANCES = Path(__file__).parents[2] / "instances"
EVIDENCE = INSTANCES / "evidence"
sys.path.insert(0, str(EVIDENCE))
import quotes  # noqa: E402
from derivation import book, claims, flagship, ranges, world  # noqa: E402


@pytest.fixture
def copied(tmp_path):
    """The facts and the flagship, to be changed."""
    for name in ("evidence", "allied-2040"):
        shutil.copytree(INSTANCES / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def derive(folder, *more):
    command = [sys.executable, folder / "evidence" / "derive.py", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def edit(path, change):
    """Let ``change`` work on each row of a table, as one would in a spreadsheet; return how many rows it changed."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    before = [dict(row) for row in rows]
    for row in rows:
        change(row)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return sum(a != b for a, b in zip(before, rows, strict=True))


@pytest.mark.parametrize("instance", [flagship, world])
def test_every_number_is_read_or_computed_from_the_facts(instance):
    tables = instance.book()
    typed = set()
    for table, rows in tables.rows.items():
        if table == "sources":
            continue
        for row in rows:
            for column in book.COLUMNS[table][book.KEYS.get(table, 1) :]:
                cell = table, "/".join(tables.key(table, row)), column
                number = tables.numbers.get(cell)
                try:
                    value = float(row[column])
                except ValueError:
                    continue
                if number is None or not number.cells:
                    typed.add((table, column, value))
    # definitions: activity is counted in finished goods, a named project is one module, no service is forced, and an
    # index sells nothing
    assert typed == {
        ("recipes", "t_per_t", 1.0),
        *([("options", "max_modules", 1.0), ("market_prices", "max_t", 0.0)] if instance is flagship else []),
        ("sectors", "min_service", 0.0),
    }


def test_a_computed_number_is_as_weak_as_its_weakest_fact():
    published = ("mines", "M_USA_HALLECK", "capex_musd")
    assert claims.of_number([published]).kind == "published"
    other = ("startup_funding", "sf-004", "amount_musd")
    assert claims.of_number([published, other]).kind == "derived"
    judged = ("parameters", "china_growth", "value")
    assert claims.of_number([published, other, judged]).kind == "judgement"
    assert claims.of_number([published, judged]).review_by == min(
        claims.of_cell(published).review_by, claims.of_cell(judged).review_by
    )


def test_what_counts_as_published_is_stated_in_a_source_or_a_note():
    published = 0
    for fact, column, value in quotes.cells():
        if claims.of_cell((fact.file, fact.id, column)).kind == "published":
            assert quotes.quoted(fact, column, value), f"{fact.label} {column} = {value}"
            published += 1
    assert published > 450


def test_a_column_that_the_compiler_called_an_estimate_is_judged():
    checked = 0
    for file in ("mines", "separation"):
        for fact in claims.read(file):
            for column in fact.estimated_columns.split():
                if fact.row.get(column):
                    assert claims.of_cell((file, fact.id, column)).kind == "judgement", (fact.id, column)
                    checked += 1
    assert checked > 500


def test_every_assumption_that_carries_results_has_a_range():
    tables = flagship.book()
    ranges.evidence(tables)
    ranged = {(r["table"], r["column"]) for r in tables.rows["evidence"] if r["low"] and r["high"]}
    for cell in (
        ("options", "max_per_year"),
        ("options", "lead_years"),
        ("options", "success_probability"),
        ("options", "wacc"),
        ("options", "capex_musd"),
        ("tariffs", "rate"),
        ("lanes", "cost_usd_per_t"),
        ("facilities", "capacity_t"),
    ):
        assert cell in ranged, cell
    keys = {r["key"] for r in tables.rows["evidence"] if r["low"] and r["column"] == "capacity_t"}
    assert {
        "kachin-clays",
        "china-clays-mines",
        "china-light-mines",
        "mcre-perak",
    } <= keys  # feed that goes through China


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("mines,M_NOWHERE,,published,,,,,,,", "fact of mines/M_NOWHERE/ is no row of mines.csv"),
        ("mines,M_USA_HALLECK,capex,published,,,,,,,", "is no column of mines.csv"),
        (
            "mines,M_USA_HALLECK,opex_usd_per_kg_reo,sure,,,,,,,",
            "'sure' is none of judgement, cited, derived, published",
        ),
        ("mines,M_USA_HALLECK,opex_usd_per_kg_reo,derived,,,,,,,", "a derived number needs its formula"),
        ("mines,M_USA_HALLECK,opex_usd_per_kg_reo,,soon,,,,,,", "'soon' is no date; write 2026-11-26, 2026-11 or 2026"),
        ("mines,M_USA_HALLECK,capex_musd,published,,,,,,,", "stands in two rows"),
    ],
)
def test_a_mistake_in_a_claim_is_told_with_its_place(copied, line, told):
    path = copied / "evidence" / "claims.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}{line}\n", encoding="utf-8")
    done = derive(copied)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"claims.csv:{text.count(chr(10)) + 1}: " in done.stderr and told in done.stderr


def test_a_cell_that_is_no_number_is_told_with_its_place(copied):
    def comma(row):
        if row["id"] == "M_AUS_NOLANS":
            row["capacity_t_reo"] = "13,343"

    edit(copied / "evidence" / "facts" / "mines.csv", comma)
    done = derive(copied)
    assert done.returncode == 1
    assert "capacity_t_reo of M_AUS_NOLANS '13,343' is no number; write digits" in done.stderr
