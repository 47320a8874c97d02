"""The facts of the flagship: every number rests on a cell, published figures are quoted, a change goes to its rows."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import planner

INSTANCES = Path(__file__).parents[2] / "instances"
EVIDENCE = INSTANCES / "evidence"
sys.path.insert(0, str(EVIDENCE))
import quotes  # noqa: E402
import totals  # noqa: E402
from derivation import book, claims, flagship, ranges, world  # noqa: E402


@pytest.fixture
def copied(tmp_path):
    """The facts and what is derived from them, to be changed."""
    shutil.copytree(INSTANCES, tmp_path / "instances", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "instances"


def derive(folder, *more):
    command = [sys.executable, folder / "evidence" / "derive.py", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def table(folder, name):
    """Rows of a derived table of the flagship by its first column."""
    with (folder / "allied-2040" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return {next(iter(row.values())): row for row in csv.DictReader(handle)}


def differing(folder):
    """Tables of the flagship that are not as committed, but for the evidence."""
    return {
        path.stem
        for path in (folder / "allied-2040").glob("*.csv")
        if path.read_bytes() != (INSTANCES / "allied-2040" / path.name).read_bytes() and path.stem != "evidence"
    }


def append(folder, name, line):
    """Add a row to a table of the facts; return its line number."""
    path = folder / "evidence" / "facts" / f"{name}.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}{line}\n", encoding="utf-8")
    return text.count("\n") + 1


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
        if table in ("sources", "evidence"):
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


def test_the_pages_count_what_the_command_counts():
    found = planner.evidence(INSTANCES / "allied-2040", stale="2026-11-25")
    total = found.coverage.drop(columns="table").sum()
    evidence = planner.load(INSTANCES / "allied-2040").evidence
    scaled = sum(e.kind == "judgement" and " published" in e.note for e in evidence)
    page = (INSTANCES / "allied-2040" / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    published = f"of {total['numbers']:,} numbers {total['published']} are published as they stand"
    judged = f"{total['judgement']:,} are judged, {scaled} of these as a published figure times a judged factor"
    assert f"{published} and {judged}" in page
    assert f"{found.confidence['low']:,} of {total['ranged']:,} ranges are of low confidence" in page
    assert f"On 2026-11-25 {len(found.stale)} numbers were overdue" in page
    findings = (INSTANCES.parent / "docs" / "findings.md").read_text(encoding="utf-8").replace("\n", " ")
    assert published in findings
    assert f"{total['cited']} cite a source that was not verified, and {total['judgement']:,} are judged" in findings


def test_the_page_shows_how_much_of_published_totals_is_explained():
    page = (EVIDENCE / "README.md").read_text(encoding="utf-8")
    for name, total, ours, why in totals.shares():
        assert f"| {name} | {total:,.0f} | {ours:,.0f} | {ours / total:.0%} | {why} |" in page, "run totals.py"
        assert why, "a difference needs its reason"


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
        ("mines,M_NOWHERE,,published,,,,,", "fact of mines/M_NOWHERE/ is no row of mines.csv"),
        ("mines,M_USA_HALLECK,capex,published,,,,,", "is no column of mines.csv"),
        (
            "mines,M_USA_HALLECK,opex_usd_per_kg_reo,sure,,,,,",
            "'sure' is none of judgement, cited, derived, published",
        ),
        ("mines,M_USA_HALLECK,opex_usd_per_kg_reo,derived,,,,,", "a derived number needs its formula"),
        ("mines,M_USA_HALLECK,opex_usd_per_kg_reo,,soon,,,,", "'soon' is no date; write 2026-11-26, 2026-11 or 2026"),
        ("mines,M_USA_HALLECK,capex_musd,published,,,,,", "stands in two rows"),
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


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("longest_life,40,years,", "longest_life,40,years "), "not as many cells as the"),
        (
            lambda text: text.replace("parameter,value,", "parameter,worth,"),
            "is missing; parameters.csv needs a column of that name",
        ),
        (
            lambda text: text.replace("china_growth,1,", "china_growht,1,"),
            "no row 'china_growth', which another table names",
        ),
        (
            lambda text: text.replace("china_growth,1,", "china_growth,,"),
            "value of china_growth is empty; a number is needed",
        ),
    ],
)
def test_a_broken_table_is_told_with_its_cure(copied, change, told):
    path = copied / "evidence" / "choices" / "parameters.csv"
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    done = derive(copied)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "parameters.csv" in done.stderr and told in done.stderr


# --- a slip, a closure, a price -----------------------------------------------------------------------------------


def test_a_slip_is_one_row_and_nothing_else_changes(copied):
    # the refinery at Eneabba slips from 2027 to 2028; light and heavy are its two circuits
    before = table(copied, "facilities")
    append(copied, "states", "P_AUS_ENEABBA,,producing,2028,2026-12,S029,a slip")
    done = derive(copied)
    assert done.returncode == 0, done.stderr
    after = table(copied, "facilities")
    assert {key for key in after if after[key] != before[key]} == {"iluka-eneabba-light", "iluka-eneabba-heavy"}
    for key in ("iluka-eneabba-light", "iluka-eneabba-heavy"):
        old, new = before[key], after[key]
        assert {c for c in new if new[c] != old[c]} == {"first_year", "note"}
        assert (old["first_year"], new["first_year"]) == ("2027", "2028")
        # ramp of four years: full in 2030 before, where the fact says 2029, and in 2031 now
        assert "full output in 2030 (2029 in the fact)" in old["note"]
        assert "full output in 2031 (2029 in the fact)" in new["note"]
    assert differing(copied) == {"facilities"}
    assert "facilities.csv iluka-eneabba-light: first_year 2027 -> 2028" in done.stdout
    assert "states P_AUS_ENEABBA//producing/2026-12 date 2028" in done.stdout
    assert "rows changed: 2\n" in done.stdout
    # the plan follows: nothing of the refinery in 2027 any more, and the comparison tells what moves instead
    plans = [planner.solve(folder / "allied-2040", gap=0.02) for folder in (INSTANCES, copied)]
    light = [
        plan.tables["capacity"].query("facility == 'iluka-eneabba-light'").set_index("year")["capacity_t"]
        for plan in plans
    ]
    # usable 85 % of the nameplate of the fact, of which a quarter is there in the first year of four
    nameplate = float(before["iluka-eneabba-light"]["capacity_t"])
    assert light[0][2027] == pytest.approx(nameplate / 4) and light[0][2028] == pytest.approx(nameplate / 2)
    assert 2027 not in light[1] and light[1][2028] == pytest.approx(nameplate / 4)
    told = str(planner.compare(*plans, names=("as it is", "slipped")))
    assert "Moved otherwise" in told and "slipped costs between" in told


def test_an_announced_slip_is_a_later_earliest_start_and_not_a_longer_lead(copied):
    before = table(copied, "options")["nolans"]  # first output in 2029, two years after the decision
    assert (before["first_start"], before["lead_years"]) == ("2027", "2")
    append(copied, "states", "M_AUS_NOLANS,,producing,2031,2026-12,S036,a slip")
    assert derive(copied).returncode == 0
    after = table(copied, "options")["nolans"]
    assert (after["first_start"], after["lead_years"]) == ("2029", "2")
    assert differing(copied) == {"options"}


def test_a_plant_that_closes_ends_the_year_before(copied):
    append(copied, "states", "mg-deu-vac,,closed,2031-06,2026-12,estimate,made up for this test")
    done = derive(copied)
    assert done.returncode == 0, done.stderr
    assert table(copied, "facilities")["vac-hanau"]["last_year"] == "2030"
    assert "rows changed: 2\n" in done.stdout  # in the flagship, and in the world of 2024
    assert "allied-2040/facilities.csv vac-hanau: last_year blank -> 2030" in done.stdout


def test_a_closed_project_is_left_out_with_all_that_hangs_on_it(copied):
    append(copied, "states", "M_AUS_NOLANS,,closed,2026-12,2026-12,estimate,made up for this test")
    done = derive(copied)
    assert done.returncode == 0, done.stderr
    assert "left out: nolans (closed in 2026-12)" in done.stdout
    assert "left out: nolans-oxide (nolans is left out)" in done.stdout  # which needs its ore
    assert not {"nolans", "nolans-oxide"} & set(table(copied, "options"))
    assert "australia-nolans" not in table(copied, "funds")
    assert planner.load(copied / "allied-2040").name == "allied-2040"


def test_a_plant_that_ran_and_is_rebuilt_stays_committed(copied):
    # Hanau runs; a rebuilding until 2029 moves its first year, and does not make it a project that a plan may leave
    append(copied, "states", "mg-deu-vac,,producing,2029,2026-12,estimate,made up for this test")
    assert derive(copied).returncode == 0
    plant = table(copied, "facilities")["vac-hanau"]
    assert (plant["first_year"], plant["status"]) == ("2029", "construction") and plant["capacity_t"]
    assert "vac-hanau" not in table(copied, "options")


def test_what_stalls_is_no_longer_committed(copied):
    assert "pensana-longonjo" in table(copied, "facilities")
    append(copied, "states", "M_AGO_LONGONJO,,stalled,2026-12,2026-12,estimate,made up for this test")
    assert "left out: pensana-longonjo (stalled in 2026-12)" in derive(copied).stdout


def test_states_as_of_a_day_know_nothing_of_later_ones(copied, tmp_path):
    append(copied, "states", "P_AUS_ENEABBA,,producing,2029,2027-06,S029,a later slip")
    assert derive(copied).returncode == 0
    assert table(copied, "facilities")["iluka-eneabba-light"]["first_year"] == "2029"
    then = tmp_path / "then"
    done = derive(copied, "--as-of", "2026-11", "--to", then)
    assert done.returncode == 0, done.stderr
    assert table(then, "facilities")["iluka-eneabba-light"]["first_year"] == "2027"
    past = tmp_path / "past"
    done = derive(copied, "--as-of", "2024-12", "--to", past)
    assert done.returncode == 0 and "left out: mp-10x (nothing was known of it)" in done.stdout, done.stderr
    shutil.copy(copied / "allied-2040" / "instance.toml", past / "allied-2040")
    assert planner.load(past / "allied-2040").name == "allied-2040"
    # what its owner expected in August 2024; and ground was broken at Sumter in March 2024, no year of output is quoted
    # from then, and magnet plants take three years
    first = {plant: row["first_year"] for plant, row in table(past, "facilities").items()}
    assert (first["reetec-heroya"], first["evac-sumter"]) == ("2025", "2027")
    told = (EVIDENCE / "README.md").read_text(encoding="utf-8").partition("| plant | first year as of")[2]
    rows = [line.strip("| ").split(" | ") for line in told.partition("\n\n")[0].splitlines()[2:]]
    today = table(INSTANCES, "facilities")
    assert len(rows) == 8 and all([first[row[0]], today[row[0]]["first_year"]] == row[1:3] for row in rows)
    with (EVIDENCE / "choices" / "plants.csv").open(encoding="utf-8", newline="") as handle:
        plants = len(list(csv.DictReader(handle)))
    page = (EVIDENCE / "README.md").read_text(encoding="utf-8")
    assert f"{done.stdout.count('left out: ')} of {plants} plants are left out" in page
    assert derive(copied, "--as-of", "2026-11").returncode == 2  # it would overwrite the instances of today
    assert "write 2024-12-31, 2024-12 or 2024" in derive(copied, "--as-of", "soon", "--to", then).stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("P_AUS_ENEABA,,producing,2028,2026-12,S029,", "project of P_AUS_ENEABA//producing/2026-12 is no id in"),
        ("P_AUS_ENEABBA,,started,2028,2026-12,S029,", "'started' is none of announced, financed"),
        ("P_AUS_ENEABBA,,producing,in 2028,2026-12,S029,", "'in 2028' is no date; write 2026-11-26"),
        ("P_AUS_ENEABBA,eneabba,producing,2028,2026-12,S029,", "'eneabba' is no plant of choices/plants.csv"),
        ("P_AUS_ENEABBA,,construction,2029,2026-12,S029,", "lies before construction in 2029; correct one"),
        ("P_AUS_ENEABBA,,producing,2027,2026-11,S029,", "stands in two rows; each row needs a name of its own"),
    ],
)
def test_a_state_that_cannot_be_meant_is_told_with_its_place(copied, line, told):
    append(copied, "states", line)
    done = derive(copied)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "states.csv:" in done.stderr and told in done.stderr


def test_a_choice_that_contradicts_a_fact_is_told_with_its_cure(copied):
    # the fact says full output in 2029: from 2027, a ramp of two years would end in 2028
    def shorter(row):
        if row["plant"] == "iluka-eneabba-light":
            row["ramp_years"] = "2"

    assert edit(copied / "evidence" / "choices" / "plants.csv", shorter) == 1
    done = derive(copied)
    assert done.returncode == 1
    assert (
        "plants.csv:" in done.stderr and "ramp_years of iluka-eneabba-light brings full output in 2028" in done.stderr
    )
    assert "says 2029; lengthen the ramp, or correct full_year there" in done.stderr


def test_a_new_price_moves_what_follows_from_prices_only(copied):
    append(copied, "prices", "NdPr oxide,China domestic,2026-11,100,,,USD/kg ex-VAT,,made up for this test,S_ATLAS")
    done = derive(copied)
    assert done.returncode == 0, done.stderr
    assert differing(copied) == {"market_prices", "markets", "operations"}
    with (copied / "allied-2040" / "market_prices.csv").open(encoding="utf-8", newline="") as handle:
        index = [row for row in csv.DictReader(handle) if row["market"] == "ndpr-index"]
    assert [row["price_usd_per_t"] for row in index] == ["100000"]
    old, new = (
        {key: float(row["opex_usd_per_t"]) for key, row in keyed(folder).items()} for folder in (INSTANCES, copied)
    )
    moved = {key for key in new if new[key] != old[key]}
    light = {f"china-separation-light/sep-light-{ore}-chn" for ore in ("bastnaesite", "monazite", "carbonate")}
    assert moved == {*light, "china-separation-heavy/sep-heavy-chn"}
    # the mean of three yearly means: 2026 had 8 prices of mean m, so the price rises by ((8 m + 100) / 9 - m) / 3
    prices = [float(r["price"]) for r in of_2026(INSTANCES)]
    rise = (sum((*prices, 100)) / (len(prices) + 1) - sum(prices) / len(prices)) / 3
    assert [new[key] - old[key] for key in light] == pytest.approx([1000 * rise] * 3, abs=1)


def keyed(folder):
    with (folder / "allied-2040" / "operations.csv").open(encoding="utf-8", newline="") as handle:
        return {f"{row['facility']}/{row['process']}": row for row in csv.DictReader(handle)}


def of_2026(folder):
    """China's domestic Nd-Pr prices of 2026 in USD that enter the mean: one for each month."""
    with (folder / "evidence" / "facts" / "prices.csv").open(encoding="utf-8", newline="") as handle:
        return [
            row
            for row in csv.DictReader(handle)
            if (row["item"], row["market"]) == ("NdPr oxide", "China domestic")
            and row["date"].startswith("2026")
            and row["unit"].startswith("USD/kg")
            and row["repeats"] != "yes"
        ]
