"""Substitution and thrift in small chains whose cost is derived by hand; the chain is that of test_families.

AAA needs 100 t of magnets a year: from China at 21 000 USD/t (exposed), pressed at home at 30 000 (clean, at most
60 t), short at 100 000. Ferrite is sold at home at 1 000 and in China at 500 USD/t, moved at 100 USD/t.
"""

import pytest
from test_families import CARS, CHINA, HOME, SHORT, STOP, alone, base, costs, crisis  # noqa: F401

import planner

FERRITE, FERRITE_CHINA = 0.001, 0.0006  # MUSD/t


def replaced(draft, name, share, **columns):
    row = {"substitute": name, "name": name, "material": "magnet", **columns}
    points = share if isinstance(share, list) else [("", share)]
    rows = [{"substitute": name, "year": year, "max_share": part} for year, part in points]
    return draft.with_rows("substitutes", row).with_rows("substitute_shares", *rows)


def with_ferrite(draft):
    draft = draft.with_rows("materials", {"material": "ferrite", "name": "Ferrite", "surplus": "no"})
    lane = {"material": "ferrite", "origin": "CHN", "destination": "AAA", "cost_usd_per_t": 100}
    draft = draft.with_rows("lanes", lane)
    for country, usd in (("AAA", 1000), ("CHN", 500)):
        market = {"market": f"ferrite-{country}", "country": country, "material": "ferrite"}
        draft = draft.with_rows("markets", market)
        draft = draft.with_rows("market_prices", {"market": market["market"], "year": "", "price_usd_per_t": usd})
    return draft


def test_several_substitutes_together_replace_no_more_than_the_demand(base):  # noqa: F811
    i = replaced(replaced(base(), "one", 0.8, cost_usd_per_t=1000), "two", 0.7, cost_usd_per_t=2000)
    plan = costs(i, 80 * 0.001 + 20 * 0.002)
    assert plan.tables["service"][["clean_t", "exposed_t", "short_t", "replaced_t"]].values.tolist() == [
        pytest.approx([0.0, 0.0, 0.0, 100.0])
    ]
    assert plan.metrics["exposed_share"]["2030"] is None  # nothing is delivered: thrift is in neither sum


def test_what_is_replaced_counts_as_served(base):  # noqa: F811
    # 90 of 100 t must be served; home makes 60 t, and replacing costs twice what a shortage does
    i = replaced(alone(base()), "thrift", 0.3, cost_usd_per_t=200000).with_rows("sectors", {**CARS, "min_service": 0.9})
    costs(i, 60 * HOME + 30 * 0.2 + 10 * SHORT)


def test_the_share_is_a_series_and_of_the_demand_of_its_country_and_sector(base):  # noqa: F811
    # 2030: 0.1, 2031: halfway to 0.3 in 2032; the other sector cannot be replaced
    i = base(years=(2030, 2031)).with_rows("sectors", {**CARS, "sector": "ships", "name": "Ships"})
    i = i.with_rows("demand", {"country": "AAA", "sector": "ships", "material": "magnet", "year": "", "demand_t": 50})
    i = replaced(i, "thrift", [(2030, 0.1), (2032, 0.3)], sector="cars", country="AAA", cost_usd_per_t=1000)
    costs(i, 150 * CHINA * 2 - (10 + 20) * (CHINA - 0.001))


def test_a_bloc_is_all_its_countries(base):  # noqa: F811
    i = base().with_rows("countries", {"country": "AAA", "name": "Aland", "bloc": "WEST"})
    costs(replaced(i, "thrift", 0.5, country="WEST"), 50 * CHINA)


def test_in_a_surge_the_share_is_of_the_surged_demand(base):  # noqa: F811
    i = crisis(base(), 2030, 2030, 0.25, {"kind": "demand_surge", "country": "AAA", "fraction": 0.5})
    i = replaced(i, "thrift", 0.2, cost_usd_per_t=1000)
    plan = costs(i, 0.75 * (80 * CHINA + 20 * 0.001) + 0.25 * (120 * CHINA + 30 * 0.001))
    assert plan.branches["crisis"]["substitution"]["t"].tolist() == pytest.approx([30.0])
    # a stress test finds in its own way what the branch has, and each case is audited
    tested = planner.stress(plan, families=("scenario",))
    assert tested.faults == {}
    assert tested.cases.query("case == 'scenario:crisis'")["cost_musd"].tolist() == pytest.approx(
        [120 * CHINA + 30 * 0.001]
    )


def test_from_clean_from_year_on_only_clean_material_replaces(base):  # noqa: F811
    # ferrite from China is cheaper, but exposed; in the stop of what is exposed, home's is taken
    i = replaced(with_ferrite(base()), "ferrite", 0.5, replaced_by="ferrite", t_per_t=2)
    costs(i, 50 * CHINA + 50 * 2 * FERRITE_CHINA)
    clean = i.with_rows("sectors", {**CARS, "clean_from_year": 2030})
    plan = costs(clean, 50 * HOME + 50 * 2 * FERRITE)
    assert plan.tables["substitution"]["provenance"].tolist() == ["clean"]


def test_an_exposed_swap_counts_in_tonnes_replaced(base):  # noqa: F811
    # exposed at most 0.4 of 100 t; of these the ferrite of China takes part, home's the rest of its 50 t
    i = replaced(with_ferrite(base()), "ferrite", 0.5, replaced_by="ferrite", t_per_t=2)
    i = i.with_rows("caps", {"cap": "c", "metric": "exposed_share", "limit": 0.4})
    best = min(
        # e t of exposed ferrite, the other 40 - e exposed t are magnets
        (e * 2 * FERRITE_CHINA + (50 - e) * 2 * FERRITE + (40 - e) * CHINA + (10 + e) * HOME, e)
        for e in range(41)
    )
    plan = costs(i, best[0])
    assert plan.metrics["exposed_share"]["2030"] == pytest.approx(0.4)
    marginal = plan.tables["dependence"].query("cap == 'c'")["marginal_musd_per_point"].tolist()
    assert marginal == pytest.approx([HOME - CHINA])


def test_of_plans_of_equal_cost_the_one_with_the_fewest_exposed_swaps_is_told(base):  # noqa: F811
    # ferrite costs the same at home and from China: 1 100 USD/t
    i = replaced(with_ferrite(base()), "ferrite", 1, replaced_by="ferrite")
    i = i.with_rows("market_prices", {"market": "ferrite-AAA", "year": "", "price_usd_per_t": 600})
    assert costs(i, 100 * FERRITE_CHINA).metrics["exposed_share"]["2030"] == pytest.approx(0.0, abs=1e-6)


def test_what_replaces_may_be_asked_for_itself_and_counts_in_import_shares(base):  # noqa: F811
    # ferrite is strategic; AAA uses 30 t of its own and 2 x 50 t for magnets; at most half of the 130 t from China
    i = replaced(with_ferrite(base()), "ferrite", 0.5, replaced_by="ferrite", t_per_t=2)
    material = {"material": "ferrite", "name": "Ferrite", "stage": "magnet", "strategic": "yes", "surplus": "no"}
    i = i.with_rows("materials", material)
    i = i.with_rows("demand", {"country": "AAA", "sector": "cars", "material": "ferrite", "year": "", "demand_t": 30})
    i = i.with_rows(
        "caps", {"cap": "c", "metric": "import_share", "material": "ferrite", "country": "AAA", "limit": 0.5}
    )
    plan = costs(i, 50 * CHINA + 65 * FERRITE_CHINA + 65 * FERRITE)
    origin = plan.tables["origin"].query("material == 'ferrite' and stage == 'magnet'")
    assert origin.groupby("origin")["t"].sum().to_dict() == pytest.approx({"AAA": 65.0, "CHN": 65.0}, rel=1e-5)


def test_explain_tells_what_more_of_a_substitute_would_save(base):  # noqa: F811
    plan = planner.solve(replaced(base(), "thrift", 0.2, cost_usd_per_t=5000).load())
    binding = planner.explain(plan).binding.query("kind == 'substitute'")
    assert binding["name"].tolist() == ["thrift cars"]
    assert binding["worth_musd"].tolist() == pytest.approx([CHINA - 0.005])
    assert binding["says"].tolist() == ["replaces at most 20 t of magnet of cars"]


def test_diagnose_knows_what_could_be_replaced(base):  # noqa: F811
    # home makes 60 t and 10 t are replaced: 70 of the 90 t that must be served
    i = replaced(alone(base()), "thrift", 0.1).with_rows("sectors", {**CARS, "min_service": 0.9})
    with pytest.raises(planner.PlannerError, match="at most 70 t of 100 t") as caught:
        planner.solve(i.load())
    assert "min_service 0.9 -> 0.7" in str(caught.value)


def test_plans_are_compared_by_what_they_replace(base, tmp_path):  # noqa: F811
    without = planner.solve(base().load())
    plan = planner.solve(replaced(base(), "thrift", 0.2, cost_usd_per_t=5000).load())
    totals = planner.compare(without, plan).totals.set_index("quantity")
    assert totals.loc["of which substitution"].tolist()[-1] == pytest.approx(0.1)
    assert totals.loc["replaced by substitutes"].tolist()[-1] == pytest.approx(20)
    plan.write(tmp_path / "run")
    assert planner.read_run(tmp_path / "run").tables["service"]["replaced_t"].tolist() == pytest.approx([20.0])
    page = planner.report(plan)
    assert "Replaced by substitutes" in page and "20 t are replaced" in page


def test_a_project_that_fails_leaves_what_is_replaced(base):  # noqa: F811
    # deliveries in an outcome: thrift needs no material, so it is no delivery that could be exposed
    option = {
        "option": "line", "facility": "plant", "name": "Line", "module_t": 40, "capex_musd": 0.1, "life_years": 10,
        "success_probability": 0.5,
    }  # fmt: skip
    i = replaced(alone(base()), "thrift", 0.2, cost_usd_per_t=1000).with_rows("options", option)
    plan = costs(i, 80 * HOME + 20 * 0.001 + 0.01)
    risk = planner.delivery_risk(plan, samples=8, workers=1)
    failed = risk.samples.query("short_t > 0")
    assert failed["short_t"].tolist() == pytest.approx([20.0] * len(failed))


def test_the_stop_of_a_material_is_answered_by_a_substitute(base):  # noqa: F811
    # in the branch nothing comes from China: 60 t from home, thrift 20 t at 50 000, 20 t short
    i = crisis(base(), 2030, 2030, 0.5, STOP)
    i = replaced(i, "thrift", 0.2, cost_usd_per_t=50000)
    costs(i, 0.5 * 100 * CHINA + 0.5 * (60 * HOME + 20 * 0.05 + 20 * SHORT))
