"""Commands that write one file: only a file of their own kind is replaced, and it is written whole."""

import shutil

import pytest
from places import TINY, run

from planner import writing
from planner.errors import OutputError, UsageError
from planner.reporting import check_page, write_page
from planner.writing import whole_file


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(TINY, folder / "tiny")
    assert run("solve", "tiny", "-o", "run", "--report", cwd=folder).returncode == 0
    return folder


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        ("report", "run", "-o", "tiny/demand.csv"),
        ("report", "run", "-o", "run/plan.json"),
        ("compare", "run", "run", "--html", "tiny/demand.csv"),
        ("frontier", "tiny", "--report", "tiny/demand.csv"),
        ("export", "tiny", "tiny/demand.csv"),
        ("convert", "tiny", "tiny/demand.csv"),
        # the ending is right, but it is somebody else's page or workbook
        ("report", "run", "-o", "other.html"),
        ("compare", "run", "run", "--html", "other.html"),
        ("frontier", "tiny", "--report", "other.html"),
        ("convert", "tiny", "other.xlsx"),
    ],
)
def test_a_file_of_another_kind_is_not_replaced(project, command):
    for name in ("other.html", "other.xlsx"):
        (project / name).write_text("<!doctype html>\n<html>mine</html>\n")
    before = content(project)
    done = run(*command, "--overwrite", cwd=project)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and command[-1] in done.stderr
    assert content(project) == before


def test_a_page_replaces_a_page_and_only_when_asked(project):
    page = project / "run" / "report.html"
    before = page.read_bytes()
    assert run("report", "run", cwd=project).returncode == 1
    assert run("compare", "run", "run", "--html", "run/report.html", "--overwrite", cwd=project).returncode == 0
    assert page.read_bytes() != before
    assert run("report", "run", "--overwrite", cwd=project).returncode == 0
    assert page.read_bytes() == before
    assert not [p.name for p in (project / "run").iterdir() if p.name.startswith(".")]


def test_what_fails_half_way_leaves_the_old_file(tmp_path):
    file = tmp_path / "a.html"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(file, True, (".html",)) as made:
        made.write_text("ne")
        raise ZeroDivisionError
    assert file.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    file = tmp_path / "a.html"
    with pytest.raises(OutputError, match="exists"), whole_file(file, False, (".html",)) as made:
        made.write_text("mine")
        file.write_text("of another process")
    assert file.read_text() == "of another process" and [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    page = tmp_path / "a.html"
    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_page("text", page)
    assert not any(tmp_path.iterdir())


def test_a_page_ends_in_html(tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.html"):
        check_page(tmp_path / "report", False)
