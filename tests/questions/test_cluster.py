"""What runs in parallel, on a Dask cluster: a real scheduler and two workers on the loopback."""

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from test_alternatives import four_plants
from test_diagnose import two_caps_too_tight

import planner
from planner.errors import UsageError
from planner.questions.many import Cluster

INSTANCES = Path(__file__).parents[2] / "instances"
PATIENCE = 60.0  # seconds until everything answers


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Address of a scheduler, and a call that starts workers until it has two, each a process with one thread."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("cluster")
    told = folder / "scheduler.json"
    here = ["--host", "127.0.0.1"]
    started = []

    def start(program, *options):
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        log = (folder / f"{len(started)}.log").open("w")
        started.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))
        return started[-1]

    try:
        start("dask_scheduler", *here, "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
        ends = time.monotonic() + PATIENCE
        while not told.exists() or not told.read_text().strip().endswith("}"):
            assert time.monotonic() < ends and started[0].poll() is None, (folder / "0.log").read_text()
            time.sleep(0.1)
        address = json.loads(told.read_text())["address"]

        def two_workers():
            while sum(process.poll() is None for process in started) < 3:
                start("dask_worker", address, *here, "--nthreads", "1", "--no-nanny", "--no-dashboard")
            _wait_for_workers(address, time.monotonic() + PATIENCE, folder)
            return started[-1]

        yield address, two_workers
    finally:
        for process in reversed(started):
            process.kill()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def cluster(started):
    """Address of a scheduler with two workers."""
    address, two_workers = started
    two_workers()
    return address


def _wait_for_workers(address, ends, folder):
    from distributed import Client

    with Client(address, timeout="20s", set_as_default=False) as client:
        while len(client.scheduler_info()["workers"]) < 2:
            assert time.monotonic() < ends, "".join(log.read_text() for log in folder.glob("*.log"))
            time.sleep(0.1)


def test_a_cluster_gives_what_one_process_gives(cluster, tmp_path):
    instance = planner.load(INSTANCES / "tiny")
    plan = planner.solve(instance)
    here = planner.stress(plan, year=[2026, 2027], workers=1)
    there = planner.stress(plan, year=[2026, 2027], scheduler=cluster, folder=tmp_path / "study")
    assert len(here.cases) > 4
    for name in ("cases", "by_sector", "heat"):
        assert getattr(here, name).equals(getattr(there, name)), name
    assert there.complete and there.audited and not there.faults
    assert _busy(cluster) == 2  # both workers tried some


def _busy(address):
    from distributed import Client

    def trials():
        from planner.questions import many as workers

        return len(workers._there)

    with Client(address, timeout="20s", set_as_default=False) as client:
        return sum(1 for count in client.run(trials).values() if count)


def test_a_second_study_on_the_same_cluster_is_of_its_own_plan(cluster):
    instance = planner.load(INSTANCES / "stock-cover")
    plan = planner.solve(instance)
    here = planner.stress(plan, workers=1)
    assert here.cases.equals(planner.stress(plan, scheduler=cluster).cases)


def test_the_samples_of_a_sensitivity_study_are_the_same_there(cluster):
    freight = {"name": "freight", "table": "lanes", "column": "cost_usd_per_t", "factor": [0.5, 1.5]}
    study = {"instance": str(INSTANCES / "tiny"), "change": [freight]}
    here = planner.sensitivity(study, workers=1)
    assert here.samples.equals(planner.sensitivity(study, scheduler=cluster).samples)


def risky():
    instance = planner.load(INSTANCES / "lead-and-ramp")
    risk = {"option": "narva-1", "projects": "one", "delay_low": 0, "delay_mode": 1, "delay_high": 3}
    return instance.with_rows("delivery_risk", risk)


def test_outcomes_of_projects_and_a_hedge_are_the_same_there(cluster):
    plan = planner.solve(risky())
    for question in (
        partial(planner.delivery_risk, plan, samples=8),
        partial(planner.failures, plan),
        partial(planner.hedge, plan.instance, plan, outcomes=4, trial=8),
    ):
        assert question(workers=1).to_json() == question(scheduler=cluster).to_json()


def _killing(monkeypatch, worker):
    """Kill a worker once the first result is there."""
    real = Cluster.results

    def results(self, todo):
        for found in real(self, todo):
            worker.kill()
            worker.wait(PATIENCE)
            yield found

    monkeypatch.setattr(Cluster, "results", results)


QUESTIONS = {
    "explain": lambda **where: planner.explain(planner.solve(four_plants()), exact=["a"], **where),
    "frontier": lambda **where: planner.frontier(four_plants(), points=9, **where),
    "alternatives": lambda **where: planner.alternatives(four_plants(), slack=0.15, **where),
    "diagnose": lambda **where: planner.diagnose(two_caps_too_tight(), **where),
    "stress": lambda **where: planner.stress(planner.solve(planner.load(INSTANCES / "tiny")), **where),
    "hedge": lambda **where: planner.hedge(risky(), outcomes=4, trial=8, **where),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_worker_that_is_killed_changes_nothing(started, monkeypatch, question):
    address, two_workers = started
    here = question(workers=1)
    worker = two_workers()
    _killing(monkeypatch, worker)
    there = question(scheduler=address)
    assert worker.poll() is not None
    assert_same(here, there)


def assert_same(here, there):
    """Two studies found the same; the time that they took may differ."""
    assert str(here) == str(there)
    for table in type(here).tables().values():
        one, other = getattr(here, table.attribute), getattr(there, table.attribute)
        assert one.equals(other), table.attribute


@pytest.mark.parametrize("command", ["explain", "alternatives", "diagnose"])
def test_two_processes_find_what_one_finds(command):
    assert_same(QUESTIONS[command](workers=1), QUESTIONS[command](workers=2))


def test_no_scheduler_is_a_clear_error(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("planner.questions.many.ANSWERS", 1.0)
    instance = planner.load(INSTANCES / "tiny")
    with pytest.raises(UsageError, match="no Dask scheduler answers at tcp"):
        planner.stress(planner.solve(instance), scheduler="tcp://127.0.0.1:1")
