"""A search that Ctrl-C ended is no answer: a study that asked for it stops too, and keeps what it had before."""

import pytest
from places import CASES, TINY

import planner
from planner.cores import free_cores
from planner.instance.tables import cells
from planner.solving import parts, search
from planner.solving.solver import Solver

TWICE = {"name": "twice", "what_if": ["scale demand=1.2"]}
PRICE = {"name": "price", "table": "market_prices", "column": "price_usd_per_t", "factor": [0.9, 1.1]}


def two_plants():
    """Two plants, of which A alone is built: B is dearer, and may answer if A is lost."""
    instance = planner.load(CASES / "60a_two_plants" / "instance").changed(without={"scenarios": {}, "disruptions": {}})
    return planner.solve(
        instance.with_rows("options", *({**cells(o), "success_probability": 0.5} for o in instance.options))
    )


STUDIES = {
    "batch": lambda _: planner.batch({"instance": str(TINY), "scenario": [{"name": "as it is"}, TWICE]}, workers=1),
    "sensitivity": lambda _: planner.sensitivity({"instance": str(TINY), "change": [PRICE]}, workers=1),
    "cover": lambda _: planner.cover("tiny", "export_stop:CHN", 2027, months=(1, 6), level=0.5),
    "failures": lambda plan: planner.failures(plan, rebuild_after=1, workers=1),
    "delivery": lambda plan: planner.delivery_risk(plan, samples=8, rebuild_after=1, workers=1),
    "stress": lambda plan: planner.stress(plan, year=2027, years=9, rebuild_after=1, only=["outage:a"], workers=1),
    "alternatives": lambda _: planner.alternatives(planner.load(TINY), slack=0.1, workers=1),
    "exposure": lambda _: planner.solve("tiny", objective="exposure", slack=0.1),
    "roadmap": lambda _: planner.roadmap(CASES / "60a_two_plants" / "instance"),
    "hedge": lambda plan: planner.hedge(plan.instance, outcomes=4, workers=1),
}


@pytest.mark.parametrize("by_parts", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_whose_search_was_stopped_ends_there(monkeypatch, name, number, by_parts):
    if by_parts:
        monkeypatch.setattr(parts, "FEWEST_COLUMNS", 0)
        monkeypatch.setattr(parts, "LARGEST_PART", 1.0)
        monkeypatch.setattr(search, "FEWEST_COLUMNS", 0)
    plan = two_plants()
    real, searches = Solver.run, []

    def run(self, *asked):
        ended = real(self, *asked)
        if self.whole.any():
            searches.append(ended)
            return "interrupted" if len(searches) == number else ended
        return ended

    monkeypatch.setattr(Solver, "run", run)
    try:
        found = STUDIES[name](plan)
    except KeyboardInterrupt:
        found = None
    if len(searches) < number:
        pytest.skip("it searches less often")
    if isinstance(found, planner.Run):  # of which the plan that is known by then may be kept
        assert found.plan["stopped"] == "interrupted"
    else:
        assert found is None or not found.complete
    # whose threads may have begun their next searches, and which solves once more for the plan that it keeps
    also = free_cores() + 1 if name == "hedge" else 0
    assert len(searches) <= number + also
