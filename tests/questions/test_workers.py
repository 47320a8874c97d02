"""Processes that work for a study end with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ASKS = """
from test_workers import Sleeping

from planner.questions.many import Processes


work = Processes(Sleeping(), 2)
for _, pid in work._in_others({1: 0.0, 2: 0.0, 3: 0.0, 4: 0.0}):
    print(pid, flush=True)
list(work._in_others({1: 60.0, 2: 60.0}))
"""


class Sleeping:
    """Sleeps for as long as it is told, and tells in which process."""

    def __call__(self):
        return self.sleep

    def sleep(self, seconds):
        time.sleep(seconds)
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
    workers = {int(study.stdout.readline()) for _ in range(4)}
    assert workers and all(alive(pid) for pid in workers)
    study.send_signal(signal.SIGKILL)
    study.wait()
    study.stdout.close()
    until = time.monotonic() + 30.0
    while any(alive(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)
