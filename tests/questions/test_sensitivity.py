"""Studies against arithmetic by hand; samples that are the same for the same seed; mistakes told with their place."""

import json
import os
import subprocess
import sys

import pytest
from places import INSTANCES, ROOT, run

import planner
from planner.bands import Searched
from planner.errors import UsageError
from planner.reporting import sensitivity_page

TINY = str(INSTANCES / "tiny")
PRICE = {"name": "price", "table": "market_prices", "column": "price_usd_per_t", "factor": [0.9, 1.1]}
FREIGHT = {"name": "freight", "table": "lanes", "column": "cost_usd_per_t", "factor": [0.5, 1.5]}


def study(*changes, **keys):
    return {"instance": TINY, "change": list(changes), **keys}


def only(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_price_counts_with_what_is_bought():
    # README of tiny: 150 t are bought, of 9.75 MUSD in all; the cap decides, so the plan stays
    plan = planner.solve(planner.load(INSTANCES / "tiny"))
    bought = plan.metrics["cost_musd"]["purchase"]
    found = planner.sensitivity(study(PRICE))
    row = only(found.tornado, metric="objective_musd")
    assert row["at_base"] == pytest.approx(9.75)
    assert row["at_high"] - row["at_low"] == pytest.approx(0.2 * bought)
    assert row["elasticity"] == pytest.approx(bought / 9.75)
    assert found.flips.empty and found.complete


def test_decisions_flip_where_explaining_the_plan_says_they_do():
    # the plant of lead-and-ramp is built up to 4.667 times its capex (93.33 % of five times)
    of = {"instance": str(INSTANCES / "lead-and-ramp"), "metrics": ["objective_musd", "built:narva-1"]}
    change = {"name": "capex", "table": "options", "column": "capex_musd"}
    stays = planner.sensitivity({**of, "change": [{**change, "factor": [0.5, 4.66]}]})
    flips = planner.sensitivity({**of, "change": [{**change, "factor": [0.5, 4.68]}]})
    assert stays.flips.empty
    assert only(flips.flips, option="narva-1")["end"] == "high"
    assert only(flips.tornado, metric="built:narva-1")["at_high"] == 0


def test_a_list_of_values_names_rows_that_are_varied_together():
    prices = {**PRICE, "factor": [0.9, 0.9 + 1e-9]}

    def saved(where):
        row = only(planner.sensitivity(study({**prices, "where": where})).tornado, metric="objective_musd")
        return row["at_base"] - row["at_low"]

    # README of tiny: 150 t of magnets are bought at 40,000 USD, and 25 t of metal at 80,000
    magnets, metal = 0.1 * 150 * 40_000 / 1e6, 0.1 * 25 * 80_000 / 1e6
    assert saved({"market": "china-magnets"}) == pytest.approx(magnets, rel=1e-6)
    assert saved({"market": ["china-magnets", "usa-metal"]}) == pytest.approx(magnets + metal, rel=1e-6)


def test_evidence_gives_each_row_its_own_range():
    tiny = planner.load(INSTANCES / "tiny")
    price = tiny.market_prices[0]
    key = "/".join("" if k is None else str(k) for k in (price.market, price.year))
    row = {"table": "market_prices", "key": key, "column": "price_usd_per_t", "confidence": "low", "kind": "estimate"}
    rows = {"evidence": [{**row, "low": price.price_usd_per_t - 1000, "high": price.price_usd_per_t + 3000}]}
    change = {"name": "price", "table": "market_prices", "column": "price_usd_per_t", "evidence": True}
    found = only(planner.sensitivity(study(change, rows=rows)).tornado, metric="objective_musd")
    tonnes = sum(planner.solve(tiny).tables["purchases"].query("market == @price.market")["t"])
    assert found["at_low"] == pytest.approx(9.75 - tonnes * 1000 / 1e6)
    assert found["at_high"] == pytest.approx(9.75 + tonnes * 3000 / 1e6)


def test_sobol_indices_of_a_linear_cost_are_the_shares_of_the_squares():
    # cost = const + a u + b v, u and v uniform: first order a^2 / (a^2 + b^2), and the total the same
    ends = planner.sensitivity(study(PRICE, FREIGHT)).tornado
    swing = ends[ends["metric"] == "objective_musd"].set_index("change")["swing"]
    share = swing["price"] ** 2 / (swing["price"] ** 2 + swing["freight"] ** 2)
    found = planner.sensitivity(study(PRICE, FREIGHT, method="sobol", samples=64, metrics=["objective_musd"])).indices
    price = only(found, change="price")
    assert price["total"] == pytest.approx(share, abs=0.05)
    assert price["first"] == pytest.approx(share, abs=0.1)


def test_latin_samples_are_the_same_for_a_seed_and_rank_the_changes():
    keys = {"method": "lhs", "samples": 16, "metrics": ["objective_musd"]}
    one = planner.sensitivity(study(PRICE, FREIGHT, **keys, seed=3))
    two = planner.sensitivity(study(PRICE, FREIGHT, **keys, seed=3), workers=2)
    other = planner.sensitivity(study(PRICE, FREIGHT, **keys, seed=4))
    assert one.samples.equals(two.samples) and not one.samples.equals(other.samples)
    assert only(one.indices, change="price")["rank_correlation"] > 0.9
    assert sorted((one.samples["price"].dropna() * 16).astype(int)) == list(range(16))  # one in each sixteenth


def test_a_study_goes_on_from_what_is_kept(tmp_path, monkeypatch):
    from planner.questions.sensitivity import trials

    solved = []
    real = trials.Solved.solve

    def failing(self, positions):
        if len(solved) == 2:
            raise KeyboardInterrupt
        solved.append(positions)
        return real(self, positions)

    partial = tmp_path / "kept.jsonl"
    monkeypatch.setattr(trials.Solved, "solve", failing)
    first = planner.sensitivity(study(PRICE, FREIGHT), partial=partial, workers=1)
    assert not first.complete and partial.is_file() and len(first.samples) == 2
    monkeypatch.setattr(trials.Solved, "solve", lambda self, p: solved.append(p) or real(self, p))
    whole = planner.sensitivity(study(PRICE, FREIGHT), partial=partial, workers=1)
    assert whole.complete and len(solved) == 5 and not partial.exists()
    foreign = ["other", "[1, 2]", '{"key": "torn', '{"key": ["a"], "result": {}}', '{"key": "a", "result": 1}']
    partial.write_text("\n".join(foreign))
    again = planner.sensitivity(study(PRICE, FREIGHT), partial=partial, workers=1)
    assert again.samples.equals(whole.samples) and len(solved) == 10 and not partial.exists()


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_script_needs_no_guard(tmp_path, way):
    script = tmp_path / "script.py"
    text = f"import planner\nprint(len(planner.sensitivity({study(PRICE)!r}, workers=2).samples))\n"
    script.write_text(text)
    command = [sys.executable, str(script) if way == "file" else "-"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=False, env=environment, timeout=120
    )
    # the base and the two ends of the price; without no_script each process would begin the study once more
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")


def test_samples_without_a_plan_are_told():
    floor = {"name": "floor", "table": "sectors", "column": "min_service", "range": [0.0, 1.0]}
    capped = {"caps": [{"cap": "none", "metric": "exposed_share", "limit": 0}]}
    found = planner.sensitivity(study(floor, rows=capped))
    assert only(found.tornado, metric="objective_musd")["status_high"] == "infeasible"
    assert "no plan" in str(found)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (study(PRICE, metod="lhs"), 'unknown key metod; did you mean "method"'),
        (study({**PRICE, "factors": [1, 2]}), r'unknown key change\[1\].factors; did you mean "factor"'),
        (study({**PRICE, "range": [1, 2]}), "expected one of factor, range"),
        (study({**PRICE, "factor": [2, 1]}), "expected low < high"),
        (study(PRICE, PRICE), "price is there twice"),
        (study({**PRICE, "table": "market_price"}), 'did you mean "market_prices"'),
        (study({**PRICE, "column": "price"}), "unknown column price"),
        (study({**PRICE, "column": "market"}), "not a column of numbers"),
        (study({**PRICE, "where": {"market": "nowhere"}}), "no row of market_prices with market = nowhere"),
        (study({**PRICE, "factor": None, "evidence": True}), "evidence.csv has no range"),
        (study(PRICE, metrics=["objectiv_musd"]), 'did you mean "objective_musd"'),
        (study(PRICE, metrics=["exposed_share@1999"]), "first year of a period"),
        (study(PRICE, metrics=["built:texas-lime"]), 'did you mean "texas-line"'),
        (study({**PRICE, "table": "sectors", "column": "min_service", "factor": None, "range": [0, 2]}), "100% of its"),
        (study(PRICE, method="sobol", samples=60), "power of 2"),
        (study(PRICE, samples=64, seed=1), "samples and seed do nothing with method one-at-a-time"),
    ],
)
def test_mistakes_are_told_before_anything_is_solved(keys, says):
    with pytest.raises(UsageError, match=says):
        planner.sensitivity(keys)


def test_the_command_writes_tables_and_a_chart_with_escaped_names(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        f'instance = "{TINY}"\n[[change]]\nname = "<script>x</script>"\ntable = "market_prices"\n'
        'column = "price_usd_per_t"\nfactor = [0.9, 1.1]\n'
    )
    done = run("sensitivity", file, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["method"] == "one-at-a-time"
    assert "<script>x</script>" not in (tmp_path / "out" / "chart.html").read_text()
    file.write_text("nothing")
    assert run("sensitivity", file).returncode == 2


@pytest.mark.parametrize("name", ["lead-and-ramp", "allied-2040"])
def test_shipped_studies_can_be_read(name):
    from planner.questions.asked_file import read_asked
    from planner.questions.sensitivity.changes import resolve
    from planner.questions.sensitivity.study_file import StudyFile

    read, folder = read_asked(StudyFile, ROOT / "studies" / f"{name}.toml")
    instance = read.base(folder)
    assert all(resolve(instance, change).rows for change in read.change)


def test_every_problem_of_a_study_is_told_at_once():
    study = {
        "instance": str(INSTANCES / "lead-and-ramp"),
        "metrics": ["shortt"],
        "change": [
            {"name": "a", "table": "optons", "column": "capex_musd", "factor": [0.5, 2]},
            {"name": "b", "table": "options", "column": "capex", "factor": [0.5, 2]},
            {"name": "c", "table": "options", "column": "capex_musd", "where": {"option": "none"}, "factor": [0.5, 2]},
        ],
    }
    with pytest.raises(UsageError) as caught:
        planner.sensitivity(study)
    said = str(caught.value).splitlines()
    assert len(said) == 4
    assert "short_t" in said[0] and "options" in said[1]
    assert said[2] == 'change b: unknown column capex of options; did you mean "capex_musd"?'
    assert "no row of options with option = none" in said[3]


def test_what_the_gaps_leave_open_is_not_told_as_an_effect(monkeypatch):
    # every search might end 3 MUSD above the least cost; the price moves it by 0.2 of 6
    at = planner.Run.objective_musd.fget
    monkeypatch.setattr(planner.Run, "searched", property(lambda run: Searched(at(run), at(run) - 3.0)))
    bought = planner.solve(planner.load(INSTANCES / "tiny")).metrics["cost_musd"]["purchase"]
    found = planner.sensitivity(study(PRICE, metrics=["objective_musd"]), workers=1)
    row = only(found.tornado, metric="objective_musd")
    assert [row["swing_least"], row["swing_most"]] == pytest.approx([0.2 * bought - 3, 0.2 * bought + 3])
    assert row["elasticity"] != row["elasticity"] and found.gap == pytest.approx(3 / row["at_low"])
    assert "within the gaps" in str(found) and "elasticity" not in str(found)
    assert "The gaps of the solves leave open what moves the cost most" in sensitivity_page(found)


def test_without_salib_only_a_sobol_study_names_the_extra(monkeypatch):
    for name in [n for n in sys.modules if n.startswith("SALib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    drawn = planner.sensitivity(study(PRICE, FREIGHT, method="lhs", samples=4, metrics=["objective_musd"]), workers=1)
    assert len(drawn.samples) == 5
    with pytest.raises(UsageError, match=r"magnet-planner\[sobol\]"):
        planner.sensitivity(study(PRICE, FREIGHT, method="sobol", samples=4, metrics=["objective_musd"]), workers=1)


def test_what_ifs_of_a_study_are_made_before_anything_is_varied():
    # README of tiny: 9.75 MUSD; with 130 t a year 21.99, as compare tells
    study = {
        "instance": "tiny",
        "what_if": ["scale demand=1.3"],
        "metrics": ["objective_musd"],
        "change": [{"name": "line", "table": "options", "column": "capex_musd", "factor": [0.5, 1.5]}],
    }
    assert planner.sensitivity(study, workers=1).base["objective_musd"] == pytest.approx(21.99)
    with pytest.raises(UsageError, match='did you mean "demand"'):
        planner.sensitivity(study | {"what_if": ["scale demnd=1.3"]}, workers=1)
