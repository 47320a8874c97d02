"""Writes docs/formulation.md and docs/format.md from the docstrings of `models` and from the schema.

Also runs docs/tutorial.md from its top to its end and puts in what its commands print.

Run `python docs/build.py`; a test fails when the pages are not what it would write.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from planner import models
from planner.instance import settings
from planner.instance import tables as schema
from planner.models import objective, variables
from planner.runs import tables

HERE = Path(__file__).parent
GENERATED = "<!-- written by docs/build.py; do not edit -->\n\n"


def formulation() -> str:
    """The page of the mathematics: decisions, objective, every constraint family."""
    parts = [GENERATED, "# The formulation\n\n", inspect.getdoc(models) or "", "\n\n"]
    for title, module in (("Decisions", variables), ("Objective", objective)):
        parts += [f"## {title}\n\n", inspect.getdoc(module) or "", "\n\n"]
    for family in models.FAMILIES:
        name = family.__name__.rsplit(".", 1)[-1]
        parts += [f"## {name}\n\n", f"`models/constraints/{name}.py`\n\n", inspect.getdoc(family) or "", "\n\n"]
    return "".join(parts).rstrip() + "\n"


def instance_format() -> str:
    """The page of the tables that go in and come out."""
    parts = [GENERATED, "# The instance format\n\n"]
    parts.append("A folder of CSV tables and one `instance.toml`. UTF-8, comma, header row; blank = the default.\n\n")
    parts.append("## instance.toml\n\n| key | required | unit | meaning |\n|---|---|---|---|\n")
    for s in settings.describe_settings():
        name = f"{s.section}.{s.name}" if s.section else s.name
        parts.append(f"| `{name}` | {'yes' if s.required else 'no'} | {s.unit} | {s.meaning} |\n")
    for table in schema.describe():
        need = " (required)" if table.required else ""
        parts.append(f"\n## {table.name}.csv{need}\n\n{table.meaning}\n\n")
        parts.append(f"Key: {', '.join(f'`{k}`' for k in table.key)}\n\n")
        parts.append(
            "| column | kind | unit | range | default | refers to | meaning |\n|---|---|---|---|---|---|---|\n"
        )
        for c in table.columns:
            default = "required" if c.required else (c.default_text or "blank")
            kind = "/".join(c.choices) if c.choices else c.kind
            refers = ", ".join(c.refers)
            parts.append(f"| `{c.name}` | {kind} | {c.unit} | {c.range} | {default} | {refers} | {c.meaning} |\n")
    parts.append("\n# The tables of a run\n\n")
    for name, columns in tables.COLUMNS.items():
        parts.append(f"- `{name}.csv`: {', '.join(columns)}\n")
    for name, columns in tables.OTHER_COLUMNS.items():
        parts.append(f"\n## {name}.csv\n\nColumns: {', '.join(columns)}\n\n{tables.MEANINGS[name]}\n")
    return "".join(parts)


def tutorial() -> str:
    """The tutorial, its commands run in an empty folder: what `console` and `python` blocks print is put in anew."""
    text = (HERE / "tutorial.md").read_text(encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # a pipe is as wide as this to the tables printed
    env = {**os.environ, "PATH": path, "COLUMNS": "100", "PYTHONPATH": str(HERE.parent)}

    def printed(command: list[str], folder: str) -> str:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        # refusals and errors are what stderr has besides progress
        out = done.stdout or done.stderr
        return "\n".join(line.rstrip() for line in out.strip("\n").splitlines())

    with tempfile.TemporaryDirectory() as folder:

        def filled(block: re.Match[str]) -> str:
            kind, body = block["kind"], block["body"]
            if kind == "bash":
                subprocess.run(["bash", "-euc", body], cwd=folder, env=env, check=True)
                return block[0]
            if kind == "console":
                command = body.splitlines()[0]
                return f"```console\n{command}\n{printed(['bash', '-c', command.removeprefix('$ ')], folder)}\n```"
            return f"```python\n{body}\n```\n\n```text\n{printed([sys.executable, '-c', body], folder)}\n```"

        return re.sub(
            r"```(?P<kind>bash|console|python)\n(?P<body>.*?)\n```(\n\n```text\n.*?\n```)?", filled, text, flags=re.S
        )


PAGES = {"formulation.md": formulation, "format.md": instance_format, "tutorial.md": tutorial}

if __name__ == "__main__":
    for page, write in PAGES.items():
        (HERE / page).write_text(write(), encoding="utf-8")
