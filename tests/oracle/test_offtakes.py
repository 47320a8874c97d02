"""Offtakes: what a plant must make because a buyer takes it, and what that costs whom, by hand.

`tiny`: 100 t of magnets a year; from China for 41 000 USD/t, or pressed by texas-line (60 t, 6 MUSD over ten years) for
20 000 and half a tonne of metal at 80 000, so 60 000 USD/t beside the 0.6 MUSD a year of the line.
"""

import pytest
from places import INSTANCES

import planner
from planner.errors import Infeasible, InstanceError


@pytest.fixture(scope="module")
def tiny():
    """Without its cap, so that nothing but an offtake makes the line worth building or running."""
    return planner.load(INSTANCES / "tiny").without("caps")


def take(**columns):
    return {
        "offtake": "army", "facility": "texas", "option": "texas-line", "material": "magnet", "payer": "Army",
        "take_t": 40, "agreed_usd_per_t": 70000, "market": "china-magnets", **columns,
    }  # fmt: skip


def own(instance, **columns):
    """The plant in Texas with 20 t of its own."""
    row = next(f for f in instance.facilities if f.facility == "texas")
    cells = {k: v for k, v in row.model_dump().items() if v is not None}
    return instance.with_rows("facilities", {**cells, "capacity_t": 20, "status": "operating", **columns})


def made(plan, year=2027):
    """Tonnes; the second step may spend a ten-millionth of the cost on a little more."""
    rows = plan.tables["activity"].query(f"facility == 'texas' and year == {year}")
    return pytest.approx(float(rows["activity_t"].sum()), rel=2e-5)


def test_an_option_that_is_not_built_owes_nothing(tiny):
    plan = planner.solve(tiny.with_rows("offtakes", take()))
    assert plan.tables["builds"].empty and plan.tables["offtakes"].empty
    assert plan.objective_musd == pytest.approx(2 * 100 * 0.041)


def test_what_is_taken_of_a_built_option_is_made_and_the_buyer_pays_what_was_agreed(tiny):
    instance = tiny.with_rows("offtakes", take())
    plan = planner.solve(instance, pins=planner.Pins.parse(instance, force=["texas-line@2026"]))
    # 200 t in two years, 40 of them at 60 000 instead of 41 000, and a year of the line
    assert plan.objective_musd == pytest.approx(200 * 0.041 + 40 * 0.019 + 0.6)
    assert made(plan) == 40
    (row,) = plan.tables["offtakes"].itertuples()
    # 40 t x (70 000 - 40 000)
    assert (row.offtake, row.payer, row.year, row.t) == ("army", "Army", 2027, pytest.approx(40))
    assert row.outlay_musd == pytest.approx(1.2)


def test_an_agreed_price_below_the_market_is_a_gain(tiny):
    instance = tiny.with_rows("offtakes", take(agreed_usd_per_t=30000))
    plan = planner.solve(instance, pins=planner.Pins.parse(instance, force=["texas-line@2026"]))
    assert plan.tables["offtakes"]["outlay_musd"].tolist() == pytest.approx([-0.4])


def test_offtakes_of_a_plant_add_up_and_those_of_own_capacity_bind_without_a_build(tiny):
    instance = own(tiny).with_rows(
        "offtakes",
        take(offtake="navy", option="", take_t=5, last_year=2026),
        take(offtake="air", option="", take_t=7),
        take(),
    )
    plan = planner.solve(instance, pins=planner.Pins.parse(instance, force=["texas-line@2026"]))
    # own capacity in both years, the line from 2027 on; the navy takes in 2026 only
    assert (made(plan, 2026), made(plan)) == (12, 47)
    owed = plan.tables["offtakes"].set_index(["offtake", "year"])["t"].to_dict()
    assert owed == pytest.approx({("navy", 2026): 5, ("air", 2026): 7, ("air", 2027): 7, ("army", 2027): 40})


def test_during_a_ramp_it_takes_in_proportion(tiny):
    instance = own(tiny, first_year=2026, ramp_years=4).with_rows("offtakes", take(option="", take_t=16))
    plan = planner.solve(instance)
    # a quarter, then half of the plant
    assert (made(plan, 2026), made(plan)) == (4, 8)


def test_the_duty_is_priced_in_explain(tiny):
    instance = own(tiny).with_rows("offtakes", take(option="", take_t=8))
    plan = planner.solve(instance)
    binding = planner.explain(plan).binding
    duties = binding[binding["kind"] == "offtake"]
    # a tonne pressed for 60 000 instead of bought for 41 000
    assert dict(zip(duties["year"], duties["worth_musd"], strict=True)) == pytest.approx({2026: 0.019, 2027: 0.019})
    assert set(duties["name"]) == {"texas magnet"}


def test_a_project_earns_less_by_what_its_offtake_costs(tiny):
    instance = tiny.with_rows("offtakes", take())
    pins = planner.Pins.parse(instance, force=["texas-line@2026"])
    projects = planner.explain(planner.solve(instance, pins=pins)).projects
    (row,) = projects[projects["option"] == "texas-line"].itertuples()
    # 40 t that must be pressed cost 19 000 USD/t more than bought ones; its capacity saves nothing
    assert row.earns_musd == pytest.approx(-40 * 0.019)
    assert row.value_musd == pytest.approx(-(0.6 + 40 * 0.019))


def test_an_offtake_holds_in_the_plan_and_not_in_a_branch(tiny):
    instance = own(tiny).changed(
        rows={
            "offtakes": [take(option="", take_t=8)],
            "scenarios": [
                {"scenario": "strike", "name": "Strike", "probability": 0.1, "first_year": 2027, "last_year": 2027}
            ],
            "disruptions": [{"scenario": "strike", "kind": "outage", "facility": "texas", "fraction": 1}],
        }
    )
    plan = planner.solve(instance)
    assert made(plan) == 8
    assert plan.branches["strike"]["activity"].query("facility == 'texas'").empty


def test_what_cannot_be_made_is_diagnosed(tiny):
    instance = own(tiny).with_rows("offtakes", take(option="", take_t=24))
    with pytest.raises(Infeasible) as caught:
        planner.solve(instance)
    (edit,) = caught.value.diagnosis.edits
    # 20 t are there
    assert (edit.table, edit.key, edit.column, edit.new) == ("offtakes", ("army",), "take_t", pytest.approx(20))
    assert "take_t of offtake army: 24 t of magnet must be made by texas" in str(caught.value).splitlines()[0]


def test_a_committed_line_that_cannot_make_what_is_taken_is_diagnosed(tiny):
    instance = tiny.with_rows("offtakes", take(take_t=70))
    pins = planner.Pins.parse(instance, force=["texas-line@2026"])
    found = planner.diagnose(instance, pins)
    # 60 t a module; dropping the pin is easier than dropping the offtake
    assert [(e.table, e.column) for e in found.edits] == [("pins", "force")]
    assert [(e.table, e.column, e.new) for e in found.others] == [("offtakes", "take_t", 0)]
    assert "70 t of magnet" in str(found).splitlines()[0]


def test_the_audit_finds_what_is_not_made_and_what_is_not_owed(tiny, tmp_path):
    instance = own(tiny).changed(
        rows={
            "offtakes": [take(option="", take_t=8)],
            "price_floors": [{"facility": "texas", "material": "magnet", "payer": "State", "floor_usd_per_t": 70000}],
        }
    )
    planner.solve(instance).write(tmp_path / "run")
    run = planner.read_run(tmp_path / "run")
    assert planner.audit(instance, run).ok
    less = run.tables["activity"].copy()
    less.loc[less["facility"] == "texas", "activity_t"] *= 0.9
    run.tables["activity"] = less
    assert "offtake" in kinds(instance, run)
    for table in ("offtakes", "price_floors"):
        for column in ("t", "price_usd_per_t", "outlay_musd"):
            run = planner.read_run(tmp_path / "run")
            run.tables[table].loc[0, column] += 0.5
            assert kinds(instance, run) == {"outlays"}, (table, column)
        run = planner.read_run(tmp_path / "run")
        run.tables[table] = run.tables[table].iloc[1:]
        assert kinds(instance, run) == {"outlays"}, table


def kinds(instance, run):
    return {check.kind for check in planner.audit(instance, run).checks if not check.ok}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"material": "metal"}, "texas does not make it"),
        ({"market": "usa-metal"}, "sells metal, not magnet"),
        ({"option": ""}, "has no capacity of its own in these years"),
        ({"first_year": 2028}, "no period begins in its years"),
        ({"take_t": -1}, "take_t"),
    ],
)
def test_what_cannot_be_taken_is_refused(tiny, columns, says):
    with pytest.raises(InstanceError, match=says):
        tiny.with_rows("offtakes", take(**columns))


def test_the_summary_and_the_page_tell_who_pays(tiny, capsys):
    from pathlib import Path

    from planner.questions.summary import show

    instance = tiny.with_rows("offtakes", take())
    plan = planner.solve(instance, pins=planner.Pins.parse(instance, force=["texas-line@2026"]))
    show(instance, plan, Path("runs/x"))
    assert "Army: 1.2 a year in 2027, 1.2 in all, against the price of china-magnets" in capsys.readouterr().out
    page = planner.report(plan)
    assert "Army" in page and "army" in page
