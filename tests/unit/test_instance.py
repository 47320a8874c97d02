"""An instance is sorted and frozen, an overlay replaces rows of its base, and changes are checked like files."""

import pickle
import shutil

import pytest
from builders import TABLES, TOML, edited, write_instance

from planner.errors import InstanceError, UsageError
from planner.instance.loading import load
from planner.instance.tables import TABLES as SCHEMA
from planner.instance.tables import cells


@pytest.fixture
def small(tmp_path):
    return load(write_instance(tmp_path / "small"))


def refused(call, *args, **kwargs):
    with pytest.raises(InstanceError) as caught:
        call(*args, **kwargs)
    return [(i.code, i.column) for i in caught.value.issues], caught.value


# --- what is loaded ---


def test_settings_and_defaults(small):
    assert (small.name, small.title, small.description) == ("small", "small", "")
    assert small.years == (2026, 2028, 2030)
    assert (small.discount_rate, small.wacc, small.last_period_years) == (0.05, 0.08, 1)
    option = small.options[0]
    assert (option.max_modules, option.integer, option.max_per_year, option.wacc) == (1.0, True, None, None)
    assert (option.requires, option.source, option.note, option.active) == ("", (), "", True)
    assert small.facilities[0].first_year is None
    assert small.caps == ()


def test_rows_are_sorted_by_key_and_files_order_does_not_matter(tmp_path, small):
    tables = {}
    for name, text in TABLES.items():
        header, *rows = text.splitlines()
        tables[name] = "\n".join([header, *reversed(rows)]) + "\n"
    other = load(write_instance(tmp_path / "other", tables))
    for name in SCHEMA:
        assert small.rows(name) == other.rows(name)
        assert [r.identity for r in small.rows(name)] == sorted(
            (r.identity for r in small.rows(name)), key=lambda k: tuple((p is not None, p) for p in k)
        )
    assert [p.year for p in small.market_prices] == [2026, 2030]


def test_rows_and_instance_cannot_be_changed(small):
    with pytest.raises(AttributeError):
        small.name = "x"
    with pytest.raises(ValueError, match="frozen"):
        small.countries[0].name = "x"


def test_markets_are_exposed_by_country_unless_they_say_so(tmp_path):
    markets = "market,country,material,exposed\na,CHN,metal,\nb,BBB,metal,\nc,BBB,metal,yes\n"
    prices = "market,year,price_usd_per_t\na,,1\nb,,1\nc,,1\n"
    instance = load(write_instance(tmp_path / "i", {**TABLES, "markets": markets, "market_prices": prices}))
    assert [instance.market_exposed(m) for m in instance.markets] == [True, False, True]
    assert instance.market_exposed("c")


def test_inactive_rows_are_kept_apart(tmp_path):
    tables = {**TABLES, "options": edited("options", 2, active="no")}
    instance = load(write_instance(tmp_path / "i", tables))
    assert [o.option for o in instance.options] == ["second"]
    assert [o.option for o in instance.all_rows("options")] == ["first", "second"]


def test_rows_written_out_read_back_as_they_were(tmp_path, small):
    tables = {name: [cells(row) for row in small.all_rows(name)] for name in SCHEMA if small.all_rows(name)}
    again = load(write_instance(tmp_path / "again", tables))
    for name in SCHEMA:
        assert again.all_rows(name) == small.all_rows(name)


def test_unknown_tables_are_a_wrong_use(small):
    with pytest.raises(UsageError, match='did you mean "demand"'):
        small.rows("demands")


# --- the digest ---


def test_the_digest_depends_on_the_content_and_not_on_the_path(tmp_path, small):
    moved = write_instance(tmp_path / "elsewhere" / "moved")
    assert load(moved).sha256 == small.sha256
    (moved / "sectors.csv").write_text(TABLES["sectors"] + "\n")
    assert load(moved).sha256 != small.sha256


def test_the_digest_covers_the_base(tmp_path):
    base = write_instance(tmp_path / "base")
    overlay = write_instance(tmp_path / "over", {}, 'name = "over"\nbase = "../base"\n')
    before = load(overlay).sha256
    (base / "sectors.csv").write_text(TABLES["sectors"].replace("90000", "80000"))
    assert load(overlay).sha256 != before


# --- overlays ---


def overlay(tmp_path, tables=None, toml=""):
    write_instance(tmp_path / "base")
    return write_instance(tmp_path / "over", tables or {}, f'name = "over"\nbase = "../base"\n{toml}')


def test_an_overlay_of_settings_only(tmp_path):
    instance = load(overlay(tmp_path, toml="[finance]\nwacc = 0.1\n"))
    assert (instance.name, instance.wacc, instance.discount_rate) == ("over", 0.1, 0.05)
    assert len(instance.recipes) == 5


def test_a_row_replaces_the_whole_row_adds_one_or_removes_one(tmp_path):
    options = (
        "option,facility,name,module_t,capex_musd,life_years,active\n"
        "first,site,First,60,5,10,\nsecond,site,Second,100,9,10,no\nthird,site,Third,10,1,10,\n"
    )
    instance = load(overlay(tmp_path, {"options": options}))
    assert [(o.option, o.module_t, o.lead_years) for o in instance.options] == [("first", 60, 0), ("third", 10, 0)]
    assert [o.option for o in instance.all_rows("options")] == ["first", "second", "third"]


def test_a_base_of_a_base(tmp_path):
    overlay(tmp_path, toml="[finance]\nwacc = 0.1\n")
    top = write_instance(tmp_path / "top", {}, 'name = "top"\nbase = "../over"\n[finance]\ndiscount_rate = 0\n')
    instance = load(top)
    assert (instance.name, instance.wacc, instance.discount_rate) == ("top", 0.1, 0.0)


def test_removing_what_others_refer_to_is_an_error_at_their_place(tmp_path):
    facilities = "facility,name,country,status,active\npit,Pit,AAA,operating,no\n"
    found, error = refused(load, overlay(tmp_path, {"facilities": facilities}))
    assert found == [("E203", "facility")]
    assert error.issues[0].place == "../base/operations.csv:2"
    assert "(facilities.csv:2)" in error.issues[0].expected


def test_slips_in_a_base_are_told_with_its_path(tmp_path):
    folder = overlay(tmp_path)
    (tmp_path / "base" / "sectors.csv").write_text("sector,name,shortage_usd_per_t\ncars,Cars,x\n")
    _, error = refused(load, folder)
    assert error.issues[0].place == "../base/sectors.csv:2"


def test_a_row_of_an_overlay_that_removes_nothing_is_suspicious(tmp_path):
    options = "option,facility,name,module_t,capex_musd,life_years,active\nfrist,site,First,60,5,10,no\n"
    warnings = load(overlay(tmp_path, {"options": options})).warnings
    assert [(w.code, w.place) for w in warnings] == [("W502", "options.csv:2")]


FULL = (
    "option,facility,name,module_t,capex_musd,lead_years,ramp_years,life_years,wacc,private_musd,exclusive_group\n"
    "loan,site,Loan,50,5,3,4,10,0.06,2,either\nown,site,Own,50,6,3,4,10,0.06,2,either\n"
)


def test_what_a_row_of_an_overlay_leaves_blank_is_told_with_what_its_base_fills(tmp_path):
    # the cheaper twin has a lead of 3 years, a ramp of 4 and so on in the base, and none of them in the overlay
    options = "option,facility,name,module_t,capex_musd,life_years\nloan,site,Loan,50,4,10\n"
    folder = overlay(tmp_path, {"options": options})
    (tmp_path / "base" / "options.csv").write_text(FULL)
    warnings = [w for w in load(folder).warnings if w.code == "W538"]
    assert [w.place for w in warnings] == ["options.csv:2"]
    assert warnings[0].expected == (
        "replaces the whole row of ../base/options.csv:2, and leaves blank lead_years (3), ramp_years (4), "
        "wacc (0.06), exclusive_group (either), private_musd (2)"
    )


def test_a_row_of_an_overlay_that_says_what_is_meant_is_not_suspicious(tmp_path):
    # 0 is what a blank lead means: it is written, so it is meant; a blank sense or origin is blank in the base too
    row = "loan,site,Loan,50,4,0,0,10,0.08,2,either\n"
    folder = overlay(tmp_path, {"options": FULL.splitlines()[0] + "\n" + row})
    (tmp_path / "base" / "options.csv").write_text(FULL)
    assert not [w for w in load(folder).warnings if w.code == "W538"]
    folder = overlay(tmp_path, {"sectors": "sector,name,shortage_usd_per_t\ncars,Cars,80000\n"})
    assert not [w for w in load(folder).warnings if w.code == "W538"]


def test_many_rows_of_an_overlay_that_leave_the_same_blank_are_told_once(tmp_path):
    prices = [f"spot,{year},1500,40" for year in range(2026, 2032)]
    folder = overlay(tmp_path, {"market_prices": "\n".join(["market,year,price_usd_per_t,max_t", *prices]) + "\n"})
    (tmp_path / "base" / "market_prices.csv").write_text(
        (tmp_path / "over" / "market_prices.csv").read_text().replace("1500", "1400")
    )
    (tmp_path / "over" / "market_prices.csv").write_text(
        "\n".join(["market,year,price_usd_per_t", *(price.removesuffix(",40") for price in prices)]) + "\n"
    )
    (warning,) = [w for w in load(folder).warnings if w.code == "W538"]
    assert warning.place == "market_prices.csv:2" and warning.expected.endswith("leave blank max_t (6 rows)")


def test_bases_that_cannot_be(tmp_path):
    folder = write_instance(tmp_path / "over", {}, 'name = "over"\nbase = "../nowhere"\n')
    found, _ = refused(load, folder)
    assert ("E114", "base") in found
    for base in ("../over", ".", "../ring", "/tmp", ""):
        write_instance(tmp_path / "ring", {}, 'base = "../over"\n')
        folder = write_instance(tmp_path / "over", {}, f'name = "over"\nbase = "{base}"\n')
        found, _ = refused(load, folder)
        assert ("E114", "base") in found, base


def test_a_whole_copy_with_a_changed_row_is_the_same_as_an_overlay(tmp_path):
    row = edited("demand", 2, demand_t=150)
    over = load(overlay(tmp_path, {"demand": "\n".join(row.splitlines()[:2]) + "\n"}))
    shutil.copytree(tmp_path / "base", tmp_path / "copy")
    (tmp_path / "copy" / "demand.csv").write_text(row)
    assert over.demand == load(tmp_path / "copy").demand


# --- changes ---


def test_rows_are_added_and_replaced(small):
    changed = small.with_rows("caps", {"cap": "c", "metric": "exposed_share", "limit": 0.5, "first_year": 2028})
    assert (changed.caps[0].limit, changed.caps[0].first_year, changed.caps[0].country) == (0.5, 2028, "")
    assert small.caps == ()
    changed = changed.with_rows("caps", {"cap": "c", "metric": "exposed_share", "limit": "0.4"})
    assert [(c.limit, c.first_year) for c in changed.caps] == [(0.4, None)]
    assert changed.path is None
    assert len({small.sha256, changed.sha256}) == 2


def test_a_row_given_by_values_keeps_them_exactly(small):
    value = 0.1 + 0.2
    row = {**cells(small.sectors[0]), "min_service": value, "source": (), "clean_from_year": None, "active": True}
    assert small.with_rows("sectors", row).sectors[0].min_service == value


def test_changes_are_checked_like_files(small):
    found, error = refused(
        small.with_rows, "caps", {"cap": "c", "metric": "stage_share", "stage": "metals", "limit": 2}
    )
    assert found == [("E105", "limit"), ("E201", "stage")]
    assert error.issues[0].file == "caps c (changed)"
    found, _ = refused(small.with_rows, "caps", {"cap": "c", "metric": "stage_share", "stage": "metals", "limit": 1})
    assert found == [("E201", "stage")]
    found, _ = refused(small.with_rows, "caps", {"cap": "c", "metrics": "stage_share"})
    assert set(found) == {("E107", "metrics"), ("E106", "metric"), ("E106", "limit")}
    found, _ = refused(small.with_rows, "sectors", {"sector": "x", "name": "X", "shortage_usd_per_t": float("nan")})
    assert found == [("E104", "shortage_usd_per_t")]


def test_rows_are_taken_away(small):
    changed = small.without("options", option="first")
    assert [o.option for o in changed.options] == ["second"]
    assert small.without("options").options == ()
    found, _ = refused(small.without, "facilities", facility="pit")
    assert found == [("E201", "facility")]
    with pytest.raises(UsageError, match="no row of options"):
        small.without("options", option="frist")
    with pytest.raises(UsageError, match='did you mean "option"'):
        small.without("options", optoin="first")


def test_changes_that_need_each_other_are_checked_together(small):
    market = {"market": "other", "country": "AAA", "material": "metal"}
    found, _ = refused(small.with_rows, "markets", market)
    assert found == [("E324", "market")]  # no price
    price = {"market": "other", "price_usd_per_t": 1500}
    changed = small.changed(rows={"markets": [market], "market_prices": [price]}, settings={"wacc": 0.1})
    assert [m.market for m in changed.markets] == ["other", "spot"]
    assert changed.wacc == 0.1
    assert changed.changed(without={"markets": {"market": "other"}, "market_prices": {"market": "other"}}).markets == (
        small.markets
    )


def test_columns_are_scaled(small):
    changed = small.scaled("demand", "demand_t", 1.5, year=2026)
    assert [d.demand_t for d in changed.demand] == [150.0, 200.0]
    changed = small.scaled("options", "private_musd", 2)  # no limit stays no limit
    assert [o.private_musd for o in changed.options] == [None, None]
    with pytest.raises(UsageError, match="not a column of numbers"):
        small.scaled("options", "life_years", 2)
    found, _ = refused(small.scaled, "operations", "capacity_per_t", -1)
    assert {code for code, _ in found} == {"E105"}


def test_settings_are_changed(small):
    changed = small.with_settings(discount_rate=0.02, years=(2026, 2027), countries_of_concern={"CHN", "BBB"})
    assert (changed.discount_rate, changed.years) == (0.02, (2026, 2027))
    assert changed.countries_of_concern == ("BBB", "CHN")
    found, _ = refused(small.with_settings, discount_rate=5)
    assert found == [("E113", "discount_rate")]
    found, _ = refused(small.with_settings, countries_of_concern=["CHM"])
    assert found == [("E204", "countries_of_concern")]
    with pytest.raises(UsageError, match="unknown setting"):
        small.with_settings(discount=0.1)


def test_equal_changes_have_equal_digests(small, tmp_path):
    again = load(write_instance(tmp_path / "again"))
    first = small.scaled("demand", "demand_t", 2).with_settings(wacc=0.1)
    assert first.sha256 == again.scaled("demand", "demand_t", 2).with_settings(wacc=0.1).sha256
    assert first.sha256 != small.scaled("demand", "demand_t", 3).with_settings(wacc=0.1).sha256


def test_a_changed_instance_still_has_its_warnings(small):
    changed = small.with_rows(
        "scenarios", {"scenario": "s", "name": "S", "probability": 0, "first_year": 2026, "last_year": 2030}
    )
    elsewhere = pickle.loads(pickle.dumps(changed))  # before anybody has asked for them here
    assert [w.code for w in elsewhere.warnings] == ["W517"]
    assert [w.code for w in changed.warnings] == ["W517"]
    assert TOML  # the sound instance itself has none
    assert small.warnings == ()
