"""What-ifs: each change does what the same edit of the tables does, in scripts, in overlays and on the command line."""

import csv
import json
import random
import shutil

import pytest
from drawn import valid
from places import INSTANCES, TINY, run

import planner
from planner.errors import Infeasible, InstanceError, UsageError
from planner.instance.cells import cell_of
from planner.instance.changes import VERBS, Change
from planner.instance.tables import TABLES, cells, columns
from planner.instance.which_rows import conditions


@pytest.fixture(scope="module")
def tiny():
    return planner.load(TINY)


@pytest.fixture(scope="module")
def flagship():
    return planner.load(INSTANCES / "allied-2040")


def rows(instance):
    return {table: [cells(row) for row in instance.rows(table)] for table in TABLES}


# --- what each verb does ---


def test_scale_multiplies_the_one_column_of_numbers(tiny):
    changed = tiny.what_if("scale demand=1.3")
    assert [row.demand_t for row in changed.demand] == [1.3 * row.demand_t for row in tiny.demand]
    assert changed.changes == (("scale demand=1.3", f"{len(tiny.demand)} row of demand", ""),)
    assert (changed.name, changed.path) == ("tiny-what-if", tiny.path)


def test_set_leaves_all_other_cells_as_they_are(flagship):
    changed = flagship.what_if("set options.capex_musd=999 where option=nolans")
    before, after = ({o.option: cells(o) for o in i.options} for i in (flagship, changed))
    assert after.pop("nolans") == before.pop("nolans") | {"capex_musd": "999"} and after == before


def test_set_takes_percentages_blanks_and_settings(flagship):
    changed = flagship.what_if("set tariffs.rate=5% where origin=CHN and destination=USA", "set discount_rate=3%")
    assert {r.rate for r in changed.tariffs if (r.origin, r.destination) == ("CHN", "USA")} == {0.05}
    assert {r.rate for r in changed.tariffs if r.destination != "USA"} == {
        r.rate for r in flagship.tariffs if r.destination != "USA"
    }
    assert changed.discount_rate == 0.03
    free = flagship.what_if("set options.last_start= where option=nolans")
    assert next(o for o in free.options if o.option == "nolans").last_start is None


def test_a_condition_may_name_the_plant_and_compare_numbers(flagship):
    changed = flagship.what_if('scale options.capex_musd=2 where owner="Vulcan Elements" and capex_musd>=100')
    owner = {f.facility: f.owner for f in flagship.facilities}
    for old, new in zip(flagship.options, changed.options, strict=True):
        twice = owner[old.facility] == "Vulcan Elements" and old.capex_musd >= 100
        assert new.capex_musd == old.capex_musd * (2 if twice else 1)
    assert changed.options != flagship.options


def test_cap_adds_a_cap_from_a_year_on_or_on_a_glide(tiny):
    changed = tiny.what_if("cap exposed_share=10%@2027", "cap stage_share=60%..20%@2026-2027 where stage=magnet")
    one, two = (row for row in changed.caps if row.cap != "half")
    assert (one.metric, one.limit, one.first_year, one.last_year) == ("exposed_share", 0.1, 2027, None)
    assert (two.metric, two.stage, two.limit, two.limit_end) == ("stage_share", "magnet", 0.6, 0.2)
    twice = tiny.what_if("cap exposed_share=10%@2027", "cap exposed_share=5%@2027")
    assert len(twice.caps) == len(tiny.caps) + 2


def test_without_takes_out_all_that_needs_it(flagship):
    changed = flagship.what_if('without owner="Lynas Rare Earths"')
    gone = {f.facility for f in flagship.facilities} - {f.facility for f in changed.facilities}
    assert gone == {f.facility for f in flagship.facilities if f.owner == "Lynas Rare Earths"} and gone
    for table in TABLES:
        for row in changed.rows(table):
            assert getattr(row, "facility", "") not in gone
    assert not any(row.table == "facilities" and row.key in gone for row in changed.evidence)
    assert any(row.facility in gone for row in flagship.price_floors)
    other = flagship.what_if("without country=VNM")
    assert not any("VNM" in cells(row).values() for table in TABLES for row in other.rows(table))


def test_forbid_names_the_other_twin_and_takes_owners(flagship):
    one = flagship.what_if("forbid vulcan-benson")
    assert "vulcan-benson-loan of the same exclusive group can still be built" in one.changes[0].did
    every = flagship.what_if('forbid owner="Vulcan Elements"')
    left = {o.option for o in every.options}
    assert {o.option for o in flagship.options} - left == {"vulcan-benson", "vulcan-benson-loan", "vulcan-benson-metal"}
    assert "osc-vulcan" not in {f.fund for f in every.funds}  # nothing may draw on it any more
    pins = planner.Pins.parse(flagship, forbid=['owner="Vulcan Elements"'])
    assert set(pins.forbid) == {o.option for o in flagship.options} - left


def test_force_is_a_least_number_of_starts(tiny):
    # README of tiny: in 2026 it is started anyway; 0.6 MUSD a year of it, no more than without
    plan = planner.solve(tiny.what_if("force texas-line@2026"))
    assert plan.objective_musd == pytest.approx(9.75) and plan.builds == {("texas-line", 2026): 1.0}
    # started in 2027 it would come after the horizon, so the wish is refused in words
    with pytest.raises(Infeasible, match=r"at least 1 module started from 2027 to 2027.*force texas-line@2027"):
        planner.solve(tiny.what_if("force texas-line@2027"))


def test_a_what_if_of_a_what_if_keeps_both(tiny):
    changed = tiny.what_if("scale demand=2").what_if("scale demand=0.5", name="again")
    assert [made.change for made in changed.changes] == ["scale demand=2", "scale demand=0.5"]
    assert changed.demand == tiny.demand and changed.name == "again" and changed.sha256 != tiny.sha256


# --- the same as edits by hand ---


def written(folder):
    """The tables of a folder as they are written: table -> rows of texts."""
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


def write(folder, table, listed):
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)


@pytest.mark.parametrize("seed", range(100))
def test_a_random_what_if_is_the_edit_by_hand(tmp_path, seed):
    base, *_ = valid(tmp_path / "base", seed)
    tables, r = written(tmp_path / "base"), random.Random(f"what if {seed}")
    table, column = r.choice(
        [
            (table, name)
            for table, listed in tables.items()
            for name, of in columns(table).items()
            if of.kind == "number" and name not in TABLES[table].KEY and any(row.get(name) for row in listed)
        ]
    )
    texts = [n for n in tables[table][0] if columns(table)[n].kind in ("key", "reference", "text", "choice", "whole")]
    filter_, verb, number = r.choice(texts), r.choice(("scale", "set")), round(r.uniform(0.5, 0.99), 3)
    default = columns(table)[filter_].default
    usual = "" if default in (None, ...) else cell_of(default)  # what a blank cell means
    value = r.choice([row for row in tables[table] if row.get("active") != "no"])[filter_] or usual
    met, blank = False, columns(table)[column].default  # a blank cell means its default, None: no limit
    for row in tables[table]:
        held = row[column] or (blank if isinstance(blank, float) else None)
        if (row[filter_] or usual) == value and row.get("active") != "no" and (held is not None or verb == "set"):
            row[column] = repr(float(held) * number) if verb == "scale" else repr(number)
            met = True
    change = f'{verb} {table}.{column}={number} where {filter_}="{value}"'
    if not met:  # all are blank, which means no limit and stays so
        with pytest.raises(UsageError, match="no row of"):
            base.what_if(change)
        return
    shutil.copytree(tmp_path / "base", tmp_path / "edited")
    write(tmp_path / "edited", table, tables[table])
    try:
        wanted = planner.load(tmp_path / "edited")
    except InstanceError as by_hand:
        with pytest.raises(InstanceError) as refused:
            base.what_if(change)
        assert {i.code for i in refused.value.issues} == {i.code for i in by_hand.issues}
        return
    assert rows(base.what_if(change)) == rows(wanted)


CHANGES = ("scale demand=1.2", "set caps.limit=0.4", "force texas-line@2026", "cap exposed_share=45%@2027")


def test_a_what_if_is_the_overlay_that_it_writes(tmp_path, tiny):
    folder = planner.new(tmp_path / "overlay", TINY, changes=CHANGES)
    overlay, changed = planner.load(folder), tiny.what_if(*CHANGES, name="overlay")
    assert rows(overlay) == rows(changed)
    assert [made.place for made in overlay.changes] == [f"instance.toml:{7 + 3 * n}" for n in range(len(CHANGES))]
    one, two = planner.solve(overlay), planner.solve(changed)
    assert one.files() == two.files()
    for plan in (one, two):
        for key in ("instance", "seconds"):
            plan.plan.pop(key)
    assert one.plan == two.plan


def test_an_overlay_changes_its_own_rows_and_not_what_comes_after(tmp_path):
    one = planner.new(tmp_path / "one", TINY, changes=["scale demand=2"])
    two = tmp_path / "two"
    two.mkdir()
    (two / "instance.toml").write_text('schema = 1\nbase = "../one"\nname = "two"\n')
    (two / "demand.csv").write_text("country,sector,material,year,demand_t,note\nUSA,cars,magnet,,7,assumption: own\n")
    assert [row.demand_t for row in planner.load(one).demand] == [200.0]
    assert [row.demand_t for row in planner.load(two).demand] == [7.0]


# --- what cannot be ---

BAD = [
    ("scale demnd=1.3", 'unknown table demnd; did you mean "demand"'),
    ("scale demand.tonnes=1.3", "unknown column tonnes of demand"),
    ("scale demand=much", "expected a number"),
    ("scale demand=1.3 where sector=care", 'no row of demand with sector = care; did you mean "cars"'),
    ("scale demand=1.3 where sectr=cars", 'unknown column sectr of demand; did you mean "sector"'),
    ("scale demand=1.3 where sector>cars", "only = and !="),
    ("scale demand=1.3 where ", "nothing follows"),
    ("scale demand", "expected TABLE.COLUMN=FACTOR"),
    ("scale options=2", "say which column of options"),
    ("set demand.sector=x", "sector is a key of demand"),
    ("set finance.discount=3%", 'unknown setting finance.discount; did you mean "finance.discount_rate"'),
    ("set discount_rate=3% where country=USA", "has no rows"),
    ("cap exposed=10%", 'unknown metric exposed; did you mean "exposed_share"'),
    ("cap exposed_share", "expected METRIC=LIMIT"),
    ("cap exposed_share=10% where stag=magnet", 'unknown column stag of caps; did you mean "stage"'),
    ("without owner=Nobody", "no row of facilities with owner = Nobody"),
    ("without everything", "expected COLUMN=VALUE"),
    ("without demand_t=3", "demand_t is no key of one table"),
    ("forbid texas", 'did you mean "texas-line"'),
    ("force texas-line", "expected OPTION@YEAR"),
    ("sclae demand=1", 'begins with one of scale, set, cap, without, forbid, force; did you mean "scale"'),
]


@pytest.mark.parametrize(("change", "cure"), BAD)
def test_what_cannot_be_names_the_cure(tiny, change, cure):
    with pytest.raises(UsageError) as caught:
        tiny.what_if(change)
    assert cure in str(caught.value)


def test_a_value_that_is_no_cell_is_told_with_the_change(tiny):
    with pytest.raises(InstanceError, match=r"set options.lead_years=soon.*lead_years = \"soon\".*not a whole number"):
        tiny.what_if("set options.lead_years=soon")
    with pytest.raises(UsageError, match="expected a text"):
        tiny.what_if(3)


def test_an_overlay_tells_file_and_line_of_what_is_wrong(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    text = f'schema = 1\nbase = "{TINY}"\nname = "x"\n\n[[change]]\nscale = "demnd=2"\n[[change]]\nsclae = "demand=2"\n'
    (folder / "instance.toml").write_text(text.replace(str(TINY), "tiny"))
    with pytest.raises(InstanceError) as caught:
        planner.load(folder)
    found = [(i.file, i.line, i.code) for i in caught.value.issues]
    assert found == [("instance.toml", 5, "E115"), ("instance.toml", 7, "E115")]
    assert 'did you mean "demand"' in str(caught.value) and 'did you mean "scale"' in str(caught.value)


def test_a_bad_what_if_on_the_command_line_exits_2_and_writes_nothing(tmp_path):
    result = run("solve", "tiny", "--scale", "demnd=1.3", cwd=tmp_path)
    assert result.returncode == 2 and 'did you mean "demand"' in result.stderr and not list(tmp_path.iterdir())


# --- conditions as text ---


def test_conditions_are_read_with_and_without_quotes():
    found = conditions('owner = "Sand and Sons" and capex_musd>=100 and name=Sand and Sons and country != USA')
    assert [(c.column, c.sign, c.value) for c in found] == [
        ("owner", "=", "Sand and Sons"),
        ("capex_musd", ">=", "100"),
        ("name", "=", "Sand and Sons"),
        ("country", "!=", "USA"),
    ]
    assert [str(Change.parse(f"{verb} x")) for verb in VERBS] == [f"{verb} x" for verb in VERBS]


# --- on the command line ---


def test_solve_compare_and_later_questions_know_the_what_if(tmp_path):
    # README of tiny: 100 t a year; with 130 t in 2027 the line of 60 t and half of the rest leave 10 t short
    solved = run("solve", "tiny", "--scale", "demand=1.3", "-o", "more", cwd=tmp_path)
    assert solved.returncode == 0, solved.stderr
    assert "scale demand=1.3: 1 row of demand" in solved.stderr
    about = json.loads((tmp_path / "more" / "plan.json").read_text())["instance"]
    assert about["changes"] == [{"change": "scale demand=1.3", "did": "1 row of demand", "place": ""}]
    explained = run("explain", "more", cwd=tmp_path)  # it finds the instance and makes the change again
    assert explained.returncode == 0, explained.stderr
    compared = run("compare", "tiny", "--scale", "demand=1.3", cwd=tmp_path)
    assert compared.stdout.startswith("what-if costs 12.24 MUSD more than tiny; 76.0% of deliveries are exposed")
    refused = run("compare", "more", "more", "--scale", "demand=2", cwd=tmp_path)
    assert refused.returncode == 2 and "name only that" in refused.stderr


def test_stress_tries_a_plan_in_its_instance_after_a_what_if(tmp_path):
    # the line of tiny makes 50 t in 2027; if China sells 50 t at most, nothing stands in for it
    assert run("solve", "tiny", "-o", "base", cwd=tmp_path).returncode == 0
    asked = ("stress", "base", "--year", "2027", "--only", "outage:texas", "--json")
    as_it_is, limited = (
        json.loads(run(*asked, *more, cwd=tmp_path).stdout)["cases"]
        for more in ((), ("--set", "market_prices.max_t=50"))
    )
    lost = [{case["case"]: case["lost_t"] for case in cases}["outage:texas"] for cases in (as_it_is, limited)]
    assert lost == pytest.approx([0.0, 50.0])


def test_new_writes_the_what_if_as_an_overlay(tmp_path):
    made = run("new", "more", "--base", "tiny", "--scale", "demand=1.3", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert '[[change]]\nscale = "demand=1.3"\n' in (tmp_path / "more" / "instance.toml").read_text()
    valid = run("validate", "more", cwd=tmp_path)
    assert "instance.toml:7: scale demand=1.3: 1 row of demand" in valid.stdout
    alone = run("new", "other", "--scale", "demand=1.3", cwd=tmp_path)
    assert alone.returncode == 2 and "name its base" in alone.stderr and not (tmp_path / "other").exists()


def test_the_version_is_a_public_name():
    from importlib.metadata import version

    assert planner.__version__ == version("magnet-planner")
