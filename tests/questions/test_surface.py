"""Cost against two metrics at once: all plans by enumeration, a covering by its word, the published knapsacks."""

import csv
import itertools
import json
import os
import random
import sys
from pathlib import Path

import pytest
from builders import write_instance
from places import INSTANCES
from typer.testing import CliRunner

import planner
from planner.cli import application
from planner.errors import Infeasible, UsageError

sys.path.append(str(Path(__file__).parents[1] / "published"))
from published_cases import knapsack

PUBLISHED = os.environ.get("PLANNER_AUGMECON")
LONG = os.environ.get("PLANNER_LONG")


def front(weights, rooms, values):
    """All triples of values that no other choice of items dominates."""

    def of(rows, chosen):
        return tuple(sum(v * x for v, x in zip(row, chosen, strict=True)) for row in rows)

    choices = itertools.product((0, 1), repeat=len(values[0]))
    found = {of(values, c) for c in choices if all(a <= r for a, r in zip(of(weights, c), rooms, strict=True))}
    return {p for p in found if not any(q != p and all(a >= b for a, b in zip(q, p, strict=True)) for q in found)}


def gained(surface, values):
    """What the plans of a surface gain of each value: all there is, less what is bought."""
    columns = ("objective_musd", "first", "second")[: len(values)]
    return [
        tuple(round(sum(row) - getattr(r, c)) for row, c in zip(values, columns, strict=True))
        for r in surface.table.itertuples()
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_exact_search_finds_all_plans_that_enumeration_finds(tmp_path, seed):
    r = random.Random(seed)
    weights = [[r.randint(10, 100) for _ in range(8)] for _ in range(2)]
    values = [[r.randint(10, 100) for _ in range(8)] for _ in range(3)]
    rooms = [sum(row) / 2 for row in weights]
    settings, tables = knapsack(weights, rooms, values)
    folder = write_instance(tmp_path / "bag", tables, settings)
    surface = planner.surface(folder, "impact:value2", "impact:value3", exact=True)
    found = gained(surface, values)
    assert len(found) == len(set(found)) and set(found) == front(weights, rooms, values)
    assert surface.complete and f"all {len(found)} plans" in str(surface)
    items = surface.builds[surface.builds["point"] == 1]["option"]  # what a plan builds are its items
    assert sum(values[0][int(name[1:])] for name in items) == found[0][0]


@pytest.mark.skipif(not PUBLISHED, reason="PLANNER_AUGMECON names the folder of the published knapsacks")
@pytest.mark.parametrize(("name", "plans"), [("2kp50", 35), ("3kp40", 389)])
def test_published_fronts_of_knapsacks(tmp_path, name, plans):
    if name == "3kp40" and not LONG:
        pytest.skip("it takes long: PLANNER_LONG=1 runs it")

    def read(file):
        with (Path(PUBLISHED) / name / f"{file}.csv").open() as lines:
            return [[float(cell) for cell in row[1:]] for row in list(csv.reader(lines))[1:]]

    weights, rooms, values = read("a"), [row[0] for row in read("b")], read("c")
    settings, tables = knapsack(weights, rooms, values)
    folder = write_instance(tmp_path / name, tables, settings)
    second = "impact:value3" if len(values) == 3 else "unserved"  # all is served
    surface = planner.surface(folder, "impact:value2", second, exact=True)
    published = {tuple(round(v) for v in row) for row in read("pareto_sols")}
    assert len(surface.table) == len(published) == plans
    assert set(gained(surface, values)) == published


def test_the_least_cost_at_any_limits_lies_within_what_a_covering_says():
    instance = planner.load(INSTANCES / "traced-cap").without("caps")
    surface = planner.surface(instance, "exposed_share", "stage_share:metal", points=9)
    assert not surface.exact and surface.open_musd >= surface.mean_open_musd > 0.0
    for exposed, stage in ((0.9, 0.2), (0.35, 0.6), (0.55, 0.15)):
        rows = (
            {"cap": "one", "metric": "exposed_share", "limit": exposed},
            {"cap": "two", "metric": "stage_share", "stage": "metal", "limit": stage},
        )
        least = planner.solve(instance.with_rows("caps", *rows)).objective_musd
        kept = surface.table[(surface.table["first"] <= exposed) & (surface.table["second"] <= stage)]
        known = kept["objective_musd"].min()
        assert known - surface.open_musd - 1e-6 <= least <= known + 1e-6


def test_a_finer_covering_leaves_less_open():
    tiny = planner.load(INSTANCES / "tiny")
    coarse, fine = (planner.surface(tiny, "exposed_share", "stage_share:magnet", points=n) for n in (2, 12))
    assert fine.mean_open_musd <= coarse.mean_open_musd and fine.unknown_share <= coarse.unknown_share
    assert coarse.table["objective_musd"].iloc[0] == pytest.approx(9.75)  # README of tiny
    assert "it is open whether any plan does" in str(fine)


def test_what_cannot_be_asked_is_refused():
    tiny = planner.load(INSTANCES / "tiny")
    with pytest.raises(UsageError, match="two different"):
        planner.surface(tiny, "exposed_share", "exposed_share")
    with pytest.raises(UsageError, match="leave gap out"):
        planner.surface(tiny, "exposed_share", "unserved", exact=True, gap=0.01)
    with pytest.raises(UsageError, match="expected 1 or more"):
        planner.surface(tiny, "exposed_share", "unserved", points=0)
    all_clean = tiny.with_rows("caps", {"cap": "never", "metric": "exposed_share", "limit": 0.0})
    with pytest.raises(Infeasible):
        planner.surface(all_clean.what_if("set sectors.min_service=1"), "exposed_share", "unserved")


def test_an_interrupt_keeps_the_plans_found(monkeypatch):
    from planner.questions.frontier.doubly import Doubly

    probe, calls = Doubly.probe, []

    def stopped(self, *args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return probe(self, *args)

    monkeypatch.setattr(Doubly, "probe", stopped)
    surface = planner.surface(planner.load(INSTANCES / "tiny"), "exposed_share", "stage_share:magnet")
    assert not surface.complete and len(surface.table) and "Interrupted" in str(surface)


@pytest.mark.parametrize("exact", [False, True])
def test_an_interrupted_search_goes_on_and_two_processes_find_what_one_finds(monkeypatch, tmp_path, exact):
    from planner.questions.frontier.doubly import Doubly

    settings, tables = knapsack([[3, 4, 5], [4, 2, 3]], [7, 7], [[5, 4, 3], [2, 5, 4], [3, 1, 6]])
    instance = planner.load(write_instance(tmp_path / "bag", tables, settings))
    kept, axes = tmp_path / "kept.jsonl", ("impact:value2", "impact:value3")
    asked = {"exact": True} if exact else {"points": 8}
    whole = planner.surface(instance, *axes, workers=1, **asked)
    probe, calls = Doubly.probe, []

    def stopped(self, *args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return probe(self, *args)

    monkeypatch.setattr(Doubly, "probe", stopped)
    assert not planner.surface(instance, *axes, workers=1, partial=kept, **asked).complete
    again = planner.surface(instance, *axes, workers=1, partial=kept, **asked)
    assert not any(probed in calls[3:] for probed in calls[:2]) and not kept.exists()
    monkeypatch.undo()
    shared = planner.surface(instance, *axes, workers=2, **asked)
    for other in (again, shared):
        assert json.loads(other.to_json()) | {"seconds": 0} == json.loads(whole.to_json()) | {"seconds": 0}


def test_the_command_writes_what_the_page_shows(tmp_path):
    tiny = str(INSTANCES / "tiny")
    asked = ["frontier", tiny, "--second", "stage_share:magnet"]
    done = CliRunner().invoke(application(), [*asked, "--points", "8", "-o", str(tmp_path / "two")])
    assert done.exit_code == 0 and "cost against exposed_share and stage_share:magnet" in done.output
    page = planner.report(planner.solve(tiny), [tmp_path / "two"])
    assert "What two wishes cost together" in page and "surface-cost" in page
    for idle in (["frontier", tiny, "--exact"], [*asked, "--glide"]):
        refused = CliRunner().invoke(application(), idle).exception
        assert isinstance(refused, UsageError) and idle[-1] in str(refused)
