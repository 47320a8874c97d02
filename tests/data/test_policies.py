"""Overlays for rules and means of 2026: their numbers by hand, and, slowly, what they do to the plan."""

import csv
import os
from functools import cache

import pytest
from places import INSTANCES

import planner

slow = pytest.mark.skipif("PLANNER_LONG" not in os.environ, reason="takes minutes: .ci/long flagship")


def rows(name, table):
    with (INSTANCES / name / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def loaded(name):
    return planner.load(INSTANCES / name)


@cache
def plan(name):
    return planner.solve(loaded(name), gap=1e-3)


def duty(name, material, origin, destination, year):
    """The duty on a movement by the rule of the format, with the changes of the instance made."""
    meant = (material, origin, destination)
    found = [
        (tuple(part != "*" for part in (t.material, t.origin, t.destination)), t.rate)
        for t in loaded(name).tariffs
        if all(part in ("*", of) for part, of in zip((t.material, t.origin, t.destination), meant, strict=True))
        and (t.first_year or 0) <= year <= (t.last_year or 9999)
    ]
    return max(found)[1] if found else 0.0


@pytest.mark.parametrize("origin", ["CHN", "JPN", "VNM"])
def test_a_section_232_duty_comes_on_top_of_what_stands_from_2027_on(origin):
    for year, more in ((2026, 0.0), (2027, 0.25), (2040, 0.25)):
        there = duty("allied-2040", "mag_n", origin, "USA", year)
        assert duty("section-232-tariff", "mag_n", origin, "USA", year) == pytest.approx(there + more, abs=1e-4)
    assert duty("section-232-tariff", "mag_n", origin, "EUU", 2030) == duty("allied-2040", "mag_n", origin, "EUU", 2030)


def test_a_floor_lifts_chinese_oxide_to_the_reference_price():
    # the base of the duty is the Chinese price of oxide, 72 USD/kg; the reference of the US government is 110
    price = next(m.value_usd_per_t for m in loaded("allied-2040").materials if m.material == "ndpr_oxide")
    levy = 110_000 / price - 1
    for name, where in (("forge", "JPN"), ("forge", "EUU")):
        more = duty(name, "ndpr_oxide", "CHN", where, 2027) - duty("allied-2040", "ndpr_oxide", "CHN", where, 2027)
        assert more == pytest.approx(levy, abs=1e-4)
    # the American floor stops at the American border, and no floor meets goods that are not Chinese
    assert duty("section-232-floor", "ndpr_oxide", "CHN", "JPN", 2027) == duty(
        "allied-2040", "ndpr_oxide", "CHN", "JPN", 2027
    )
    for name in ("forge", "section-232-floor"):
        assert duty(name, "mag_n", "VNM", "USA", 2027) == duty("allied-2040", "mag_n", "VNM", "USA", 2027)


def test_the_levy_on_a_magnet_is_that_of_the_oxide_in_it():
    # Nd-Pr is worth 38,000 USD/t more at the border; a tonne of the plain grade needs its oxide, as the recipes say
    price = {m.material: m.value_usd_per_t for m in loaded("allied-2040").materials}
    more = duty("forge", "mag_n", "CHN", "KOR", 2030) - duty("allied-2040", "mag_n", "CHN", "KOR", 2030)
    oxide = more * price["mag_n"] / (110_000 - price["ndpr_oxide"])
    needed = {(r.process, r.material): r.t_per_t for r in loaded("allied-2040").recipes if r.role == "input"}
    gross = needed["mag-n", "ndpr_metal"] * needed["metal-ndpr", "ndpr_oxide"]
    assert 0.30 * 1.17 < oxide < gross  # 30 per cent of its mass at least, and less than what goes in with the swarf


def test_section_122_is_ten_points_for_its_days_of_2026():
    # 24 February to 23 July: 150 days
    for origin in ("CHN", "JPN"):
        with_it, without = (duty(n, "mag_sh", origin, "USA", 2026) for n in ("allied-2040", "section-122-ended"))
        assert with_it - without == pytest.approx(0.10 * 150 / 365, abs=1e-3)
        assert duty("section-122-ended", "mag_sh", origin, "USA", 2027) == duty(
            "allied-2040", "mag_sh", origin, "USA", 2027
        )


def test_heavies_leave_china_as_in_september_2025():
    lanes = [row for row in rows("licence-2026", "lanes") if row["origin"] == "CHN"]
    for element, tonnes in (("dy", 12 * 18.043), ("tb", 12 * 18.043 * 650 / 3500)):
        most = sum(float(row["max_t"]) for row in lanes if row["material"].startswith(f"{element}_"))
        # countries without magnet makers have none, and one of the makers' countries has no lane for oxide
        assert 0.7 * tonnes < most <= tonnes * 1.01
    waited = 45 * 7 / 5 / 365  # years
    value = {m.material: m.value_usd_per_t for m in loaded("allied-2040").materials}
    base = {
        (lane.material, lane.destination): lane.cost_usd_per_t
        for lane in loaded("allied-2040").lanes
        if lane.origin == "CHN"
    }
    for row in lanes:
        dearer = float(row["cost_usd_per_t"]) - base[row["material"], row["destination"]]
        assert 0.10 < dearer / value[row["material"]] / waited < 0.30  # a year of carrying costs 10-30 per cent


def test_low_demand_is_what_the_iea_says_of_magnet_rare_earths():
    def total(name, year):
        return sum(d.demand_t for d in loaded(name).demand if d.year == year)

    now = total("allied-2040", 2025)
    assert total("low-demand", 2025) == now
    assert total("low-demand", 2030) / now == pytest.approx(4 / 3, abs=2e-3)  # a third more (S_IEA26C)
    assert total("low-demand", 2035) / now == pytest.approx(1.5, abs=2e-3)  # a half more (S_IEA3TN)
    # then as 131 kt in 2030 grow to 181 kt in 2050 (S_IEA24)
    assert total("low-demand", 2040) / now == pytest.approx(1.5 * (181 / 131) ** (5 / 20), abs=3e-3)


def test_a_quarter_of_european_oxide_comes_from_old_magnets_and_no_recipe_changes():
    rules, base = loaded("crma-benchmarks"), loaded("allied-2040")
    floor = next(c for c in rules.caps if c.recycled)
    assert (floor.metric, floor.country, floor.sense, floor.limit, floor.first_year) == (
        "own_share", "EUU", "min", 0.25, 2030,
    )  # fmt: skip
    assert {p.process for p in rules.processes if p.restores_provenance} == {"rec-eol"}
    # the mark cleans nothing: whoever sells old magnets sells them as clean
    fed = {r.material for r in rules.recipes if r.process == "rec-eol" and r.role == "input"}
    sold = {m.market: rules.market_exposed(m) for m in rules.markets if m.material in fed}
    assert sold and not any(sold.values())
    # what the EU can collect: a fifth of the 20 kt of its demand of 2025, and of its demand of 2040
    used = {y: sum(d.demand_t for d in base.demand if (d.country, d.year) == ("EUU", y)) for y in (2025, 2040)}
    most = {p.year: p.max_t for p in rules.market_prices if p.market == "eol-euu"}
    assert most[2030] == pytest.approx(0.2 * used[2025], rel=0.01)
    assert most[2040] == pytest.approx(0.2 * used[2040], rel=0.01)


def test_nothing_replaces_magnets_at_once_and_iron_nitride_no_more_than_its_plant_makes():
    instance = loaded("substitution")
    first = {}
    for share in instance.substitute_shares:
        first.setdefault(share.substitute, {})[share.year] = share.max_share
    assert all(shares[min(shares)] <= 0.02 < max(shares.values()) for shares in first.values())
    for year in (2030, 2040):
        replaced = ("USA", "other", "mag_n", year)
        used = sum(d.demand_t for d in instance.demand if (d.country, d.sector, d.material, d.year) == replaced)
        assert first["iron-nitride"][year] * used == pytest.approx(1500, rel=0.01)


def test_the_vault_holds_sixty_days_of_american_magnets():
    used = sum(d.demand_t for d in loaded("allied-2040").demand if d.country == "USA" and d.year == 2030)
    held = sum(float(row["max_t"]) for row in rows("vault-2028", "stockpiles"))
    assert held == pytest.approx(used * 60 / 365, abs=0.3)


def test_startups_have_no_private_money_but_venture_capital():
    instance = loaded("venture-2025")
    startups = {f.facility for f in instance.facilities if f.startup}
    drawing = {f.option for f in instance.fund_options if f.fund == "venture"}
    assert drawing == {o.option for o in instance.options if o.facility in startups}
    assert all(o.private_musd == 0 for o in instance.options if o.option in drawing)


@slow
def test_what_the_rules_do():
    base = plan("allied-2040")
    more = {
        name: plan(name).objective_musd - base.objective_musd
        for name in ("forge", "section-232-floor", "section-232-tariff")
    }
    # a rule that only takes away choices, or makes some dearer, never saves money; beyond the gap of both searches
    assert all(extra > -2e-3 * base.objective_musd for extra in more.values())
    # what all borders ask costs more than what one does
    assert more["forge"] > more["section-232-floor"]

    # a reference price at all borders is met by others' goods, a duty of one country on everybody is not
    def exposed(name):
        return plan(name).metrics["exposed_share"]["2035"]

    assert exposed("forge") < exposed("allied-2040") - 0.05
    assert exposed("section-232-tariff") > exposed("allied-2040") - 0.05


@slow
def test_venture_money_of_a_year_is_spent_and_more_would_help():
    lean = plan("venture-2025")
    assert lean.tables["funding"].query("source == 'venture'").musd.sum() <= 628.5 + 1e-3
    none = planner.solve(loaded("venture-2025").what_if("scale funds.budget_musd=0 where fund=venture"), gap=1e-3)
    assert none.objective_musd > lean.objective_musd
