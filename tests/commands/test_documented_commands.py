"""Every command in README and docs is one that there is, with options that it has."""

import re
import shlex

import pytest
import typer
from places import INSTANCES

from planner.cli import application
from planner.instance.examples import examples

TOP = INSTANCES.parent
PAGES = sorted([TOP / "README.md", *(TOP / "docs").glob("*.md"), *INSTANCES.glob("*/README.md")])
COMMANDS = typer.main.get_command(application()).commands


def commands(text):
    """The lines of consoles that begin with planner, continued ones as one; what follows a pipe or is redirected is not
    the planner's."""
    for block in re.findall(r"```(?:console|bash|sh)\n(.*?)```", text, re.S):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if line.startswith("$ planner "):
                yield re.split(r" [|>&] ?| 2>", line[2:])[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_commands_of_a_page(page):
    wrong = []
    for line in commands(page.read_text(encoding="utf-8")):
        _planner, name, *words = shlex.split(line, comments=True)
        if name.startswith("-"):
            continue
        if name not in COMMANDS:
            wrong.append(line)
            continue
        known = {o for p in COMMANDS[name].params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
        wrong += [f"{line}: {w}" for w in words if re.match(r"--?[a-z]", w) and w.partition("=")[0] not in known]
    assert not wrong


def test_the_cookbook_has_twenty_questions_about_instances_that_there_are():
    text = (TOP / "docs" / "cookbook.md").read_text(encoding="utf-8")
    assert re.findall(r"^\*\*(\d+)\.", text, re.M) == [str(n) for n in range(1, 21)]
    for line in commands(text):
        of = shlex.split(line)[2]
        assert of in examples() or of.startswith("runs/") or (TOP / of).exists(), line
