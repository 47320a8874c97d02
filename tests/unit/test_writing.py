"""Results are written whole or not at all, whoever else writes there and whenever it is stopped."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from planner import writing as folders
from planner.errors import OutputError
from planner.writing import write_folder

MANIFEST = "plan.json"


def write(folder, text, overwrite=False):
    return write_folder(folder, {"a.csv": text, "branches/b/a.csv": text}, MANIFEST, lambda: text, overwrite)


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def whole(text):
    return {"a.csv": text, "branches/b/a.csv": text, MANIFEST: text}


def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_of_many_that_write_one_folder_at_once_one_does(tmp_path):
    script = (
        "import sys, time; from pathlib import Path\n"
        "from planner.errors import OutputError\nfrom planner.writing import write_folder\n"
        "def finish():\n    time.sleep(0.3)\n    return sys.argv[2]\n"
        "try:\n    write_folder(Path(sys.argv[1]), {'a.csv': sys.argv[2]}, 'plan.json', finish)\n"
        "except OutputError as error:\n    print(error); sys.exit(1)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "run"), str(n)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for n in range(6)
    ]
    said = [process.communicate()[0] for process in started]
    winners = [n for n, process in enumerate(started) if process.returncode == 0]
    assert len(winners) == 1
    assert content(tmp_path / "run") == {"a.csv": str(winners[0]), MANIFEST: str(winners[0])}
    assert sum("exists; choose another folder" in text for text in said) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("at", [1, 2])
def test_an_interrupt_while_replacing_leaves_what_was_there(tmp_path, monkeypatch, at):
    write(tmp_path / "run", "before")
    real, calls = Path.rename, []

    def stopped(self, target):
        calls.append(target)
        if len(calls) == at:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "run", "after", overwrite=True)
    monkeypatch.undo()
    assert content(tmp_path / "run") == whole("before")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_what_a_killed_process_left_is_put_back_or_removed(tmp_path):
    """Killed between its two renames: the folder is gone, what was in it lies hidden, and the new one beside it."""
    write(tmp_path / "run", "before")
    machine, process = folders._machine(), dead()
    (tmp_path / f".run.new.{machine}.{process}.abc").mkdir()
    old = tmp_path / f".run.old.{machine}.{process}.abc"
    old.mkdir()
    (tmp_path / "run").rename(old / "old")
    elsewhere = tmp_path / f".run.new.another-machine.{process}.abc"
    running = tmp_path / f".run.new.{machine}.{os.getppid()}.abc"
    elsewhere.mkdir()
    running.mkdir()
    with pytest.raises(OutputError, match="exists"):  # before any work is done
        folders.check_folder(tmp_path / "run", MANIFEST, overwrite=False)
    assert content(tmp_path / "run") == whole("before")
    write(tmp_path / "run", "after", overwrite=True)
    assert content(tmp_path / "run") == whole("after")
    assert {p.name for p in tmp_path.iterdir()} == {"run", elsewhere.name, running.name}


@pytest.mark.skipif(os.name == "nt", reason="there are no locks of folders")
def test_a_drive_without_locks_or_flushing_of_folders_will_do(tmp_path, monkeypatch):
    import fcntl
    import stat

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    def only_files(handle, flush=os.fsync):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        flush(handle)

    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(os, "fsync", only_files)
    write(tmp_path / "run", "first")
    write(tmp_path / "run", "second", overwrite=True)
    assert content(tmp_path / "run") == whole("second")
    with pytest.raises(OutputError, match="exists"):
        write(tmp_path / "run", "third")
