"""What is given to a call from Python: folders for instances and runs, fractions as text, and clear refusals."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from places import TINY

import planner
from planner.arguments import checked, fraction
from planner.errors import PlannerError, UsageError


@pytest.fixture(scope="module")
def instance():
    return planner.load(TINY)


@pytest.fixture(scope="module")
def plan(instance):
    return planner.solve(instance)


@pytest.fixture(scope="module")
def folder(plan, tmp_path_factory):
    return plan.write(tmp_path_factory.mktemp("runs") / "tiny")


OF_OTHERS = ("load", "read_run", "convert", "new", "sensitivity", "batch", "example", "examples")
CALLS = {
    name: getattr(planner, name)
    for name in planner.__all__
    if inspect.isfunction(getattr(planner, name)) and name not in OF_OTHERS
}

MORE = {"cover": ["outage:USA", 2027], "break_even": ["texas-line"], "surface": ["exposed_share", "unserved"]}
LITTLE = {
    "hedge": {"outcomes": 2},
    "frontier": {"points": 2},
    "surface": {"points": 2},
    "explain": {"projects": 0},
    "break_even": {"subsidy": True},
}


def first_parameter(call):
    return next(iter(inspect.signature(call).parameters.values()))


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("wrong", [None, 3, [], {}, object()])
def test_every_call_refuses_what_is_no_instance_and_no_run(name, wrong, plan):
    more = MORE.get(name, []) + ([plan] if name in ("audit", "compare") else [])
    with pytest.raises(UsageError, match=r"expected (an instance|a run)"):
        CALLS[name](wrong, *more)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_call_takes_folders(name, plan, folder):
    call = CALLS[name]
    runs = first_parameter(call).name in ("run", "runs", "plans")
    more = MORE.get(name, []) + {"audit": [plan], "compare": [folder]}.get(name, [])
    little = LITTLE.get(name, {})
    for path in (folder, str(folder)) if runs else (TINY, str(TINY)):
        try:
            assert call(path, *more, **little) is not None
        except PlannerError as error:  # nothing of tiny is uncertain
            refused = {
                "roadmap": "nothing is uncertain",
                **dict.fromkeys(("hedge", "delivery_risk", "replay"), "every project is"),
            }
            assert name in refused and refused[name] in str(error)


def test_every_annotation_of_a_call_can_be_read():
    # a misspelt word in an annotation would switch the check of its parameter off
    for name, call in CALLS.items():
        for parameter in inspect.signature(call).parameters.values():
            assert isinstance(parameter.annotation, str), (name, parameter.name)


def test_a_fraction_may_be_a_percentage(instance):
    assert planner.alternatives(instance, slack="3%").slack == planner.alternatives(instance).slack == 0.03
    assert fraction(" 12.5 % ".replace(" %", "%"), "x") == 0.125 and fraction("0.5", "x") == 0.5
    with pytest.raises(UsageError, match='slack "much": expected a percentage such as 3%'):
        planner.alternatives(instance, slack="much")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda i, p: planner.solve(i, gap="1x"), 'gap "1x": expected a percentage such as 3%'),
        (lambda i, p: planner.solve(i, time_limit="10"), "time_limit = '10': expected a number"),
        (lambda i, p: planner.solve(i, threads=1.5), "threads = '1.5': expected a whole number"),
        (lambda i, p: planner.solve(i, audit="no"), "audit = 'no': expected True or False"),
        (lambda i, p: planner.solve(i, pins="texas-line@2027"), "pins: expected planner.Pins, not str"),
        (lambda i, p: planner.frontier(i, points="3"), "points = '3': expected a whole number"),
        (lambda i, p: planner.frontier(i, metric=3), "metric = '3': expected a text"),
        (lambda i, p: planner.stress(p, year="2027"), "year = '2027': expected a whole number or several"),
        (lambda i, p: planner.stress(p, families="country"), "families = 'country': expected several of these"),
        (lambda i, p: planner.explain(p, exact="texas-line"), "exact = 'texas-line': expected several of these"),
        (lambda i, p: planner.report(p, "x.html"), "studies = x.html: expected a list of folders; the text that this"),
        (lambda i, p: planner.load(None), "path = 'None': expected a text or a path"),
        (lambda i, p: planner.read_run(3), "folder = '3': expected a text or a path"),
        (lambda i, p: planner.convert(3, "a.xlsx"), "source = '3': expected a text or a path"),
        (lambda i, p: p.write(None), "folder = 'None': expected a text or a path"),
        (lambda i, p: p.tables["bulds"], 'this run has no table bulds; did you mean "builds"?'),
        (lambda i, p: i.with_rows("caps", [{"cap": "x"}]), "rows of caps: expected for each row a mapping"),
        (lambda i, p: i.with_rows("caps", "x"), "rows of caps: expected for each row a mapping"),
        (lambda i, p: i.changed(rows={"caps": {"cap": "x"}}), "rows of caps: expected for each row a mapping"),
        (lambda i, p: i.changed(rows=[1]), "rows: expected a mapping, not list"),
        (lambda i, p: i.without("cap", cap="half"), 'unknown table cap; did you mean "caps"?'),
        (lambda i, p: i.scaled("demand", "demand_t", "2x"), "factor = '2x': expected a number"),
    ],
)
def test_what_a_call_does_not_take_is_told_in_its_words(call, says, instance, plan):
    with pytest.raises(UsageError) as refused:
        call(instance, plan)
    assert says in str(refused.value)


def test_numbers_of_numpy_and_rows_of_an_instance_are_taken(instance):
    assert planner.solve(instance, gap=np.float64(0.0), seed=np.int64(1)).status == "optimal"
    assert instance.with_rows("demand", *instance.demand).demand == instance.demand


def test_a_checked_call_keeps_its_name_and_signature():
    @checked
    def call(path: "str | Path", several: "Collection[int]" = (), other: "Unknown" = None) -> int:  # noqa: F821
        """Do it."""
        return 1

    assert (call.__name__, call.__doc__, call("a", [1, 2], object())) == ("call", "Do it.", 1)
    assert list(inspect.signature(call).parameters) == ["path", "several", "other"]
    with pytest.raises(UsageError, match="several"):
        call(Path("a"), [1, "2"])
