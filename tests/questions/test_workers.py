"""Processes that work for a study end with it, however it ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from planner.errors import UsageError
from planner.questions import many

ASKS = """
from test_workers import Sleeping

from planner.questions.many import Processes


work = Processes(Sleeping(), 3)
for _, pid in work.results(dict.fromkeys(range(6), 0.5)):
    print(pid, flush=True)
list(work.results({1: 60.0, 2: 60.0, 3: 60.0}))
"""


class Sleeping:
    """Sleeps for as long as it is told, and tells in which process; below 0 another process dies of it."""

    def __call__(self):
        return self.sleep

    def sleep(self, seconds):
        if seconds < 0.0 and multiprocessing.parent_process() is not None:
            os._exit(3)
        time.sleep(abs(seconds))
        return os.getpid()


def alive(pid):
    """Whether a process runs, and is not only waiting to be fetched by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_no_worker_outlives_a_study_that_is_killed():
    study = subprocess.Popen(
        [sys.executable, "-c", ASKS],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])},
    )
    workers = {int(study.stdout.readline()) for _ in range(6)} - {study.pid}
    assert workers and all(alive(pid) for pid in workers)
    study.send_signal(signal.SIGKILL)
    study.wait()
    study.stdout.close()
    until = time.monotonic() + 30.0
    while any(alive(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def shared(todo, workers):
    """The process in which each piece was done."""
    with closing(many.Processes(Sleeping(), workers)) as work:
        return dict(work.results(todo))


def test_this_process_works_beside_the_others():
    by = shared(dict.fromkeys(range(12), 0.3), 2)
    assert sorted(by) == list(range(12)) and os.getpid() in by.values() and len(set(by.values())) == 2


def test_others_join_while_a_long_piece_is_done_here(monkeypatch):
    monkeypatch.setattr(many, "ALONE", 0.2)
    monkeypatch.setattr(many, "WORTH", 0.3)
    monkeypatch.setattr(many, "all_cores", lambda: 2)
    by = shared({"long": 4.0, "a": 0.1, "b": 0.1, "c": 0.1}, None)
    assert by["long"] == os.getpid() and {by["a"], by["b"], by["c"]}.isdisjoint({os.getpid()})


def test_one_piece_is_done_here_however_many_processes_may_work():
    with closing(many.Processes(Sleeping(), 2)) as work:
        assert [*work.results({"one": 0.0})] == [("one", os.getpid())]
        assert {*dict(work.results(dict.fromkeys(range(12), 0.3))).values()} > {os.getpid()}


@pytest.mark.parametrize("todo", [dict.fromkeys(range(50), 0.001), {"only": 0.5}, {}])
def test_little_work_is_done_here(todo, monkeypatch):
    monkeypatch.setattr(many, "ALONE", 0.2)
    assert set(shared(todo, None).values()) <= {os.getpid()}


def test_processes_that_die_end_with_one_message():
    with pytest.raises(UsageError, match="ended early, as when memory runs out; with workers=1"):
        shared(dict.fromkeys(range(4), -2.0), 2)


class Stopped:
    """Does pieces at once in other processes; in the one that asks it is stopped once these had time to do some."""

    def __call__(self):
        return self.work

    def work(self, piece):
        if multiprocessing.parent_process() is None:
            time.sleep(10.0)
            raise KeyboardInterrupt
        return piece


def test_what_others_have_done_is_kept_when_this_process_is_stopped():
    kept = {}
    with closing(many.Processes(Stopped(), 2)) as work, pytest.raises(KeyboardInterrupt):
        for key, result in work.results({k: k for k in range(4)}):
            kept[key] = result
    # the first to wait goes to the other process, the next is done here
    assert kept == {0: 0, 2: 2, 3: 3}
