"""Writes docs/formulation.md, docs/format.md and docs/api.md from docstrings, the schema, and what studies declare.

Also draws the layers in docs/images/house.svg from the contracts in pyproject.toml, runs docs/tutorial.md from its top
to its end and puts in what its commands print, and writes the datapackage.json of every shipped instance and of the
facts.

Run `python docs/build.py`; a test fails when the pages are not what it would write, and so does
`python docs/build.py --check`.
"""

from __future__ import annotations

import csv
import dataclasses
import html
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

import planner
from planner import models
from planner.instance import datapackage, settings
from planner.instance import tables as schema
from planner.instance.examples import example_folder, examples
from planner.models import objective, variables
from planner.questions.study import Study, Value
from planner.runs import tables

HERE = Path(__file__).parent
EVIDENCE = HERE.parent / "instances" / "evidence"
sys.path.insert(0, str(EVIDENCE))
from derivation.facts import KEYS  # noqa: E402  # the columns that name a row

# in the order of the commands
STUDIES: tuple[type[Study], ...] = (
    *(
        planner.Frontier,
        planner.Surface,
        planner.Comparison,
        planner.Explanation,
        planner.Diagnosis,
        planner.Alternatives,
    ),
    *(
        planner.Stress,
        planner.DeliveryRisk,
        planner.Failures,
        planner.Cover,
        planner.Hedge,
        planner.Roadmap,
        planner.Replay,
    ),
    *(planner.Sensitivity, planner.Evidence, planner.BreakEven, planner.Batch, planner.Concentration),
)
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
    parts.append("A folder of CSV tables and one `instance.toml`. UTF-8, comma, header row; blank = the default.\n")
    parts.append("Or a [workbook](spreadsheets.md) with the same tables as sheets, and the sheet `instance`.\n")
    parts.append("Other files and hidden ones are left alone; a table that is a link out of the folder is refused.\n")
    parts.append("With `base`, a row here replaces the whole row of the same key there: a blank cell is blank.\n")
    parts.append("`planner convert INSTANCE INSTANCE/datapackage.json` says the same of an instance in the form of\n")
    parts.append("a [Data Package](https://datapackage.org), for Frictionless and other programs that read it.\n\n")
    parts.append("## instance.toml\n\n| key | required | unit | meaning |\n|---|---|---|---|\n")
    for s in settings.describe_settings():
        name = f"{s.section}.{s.name}" if s.section else s.name
        parts.append(f"| `{name}` | {'yes' if s.required else 'no'} | {s.unit} | {s.meaning} |\n")
    for table in schema.describe():
        need = f" ({table.required})" if table.required else ""
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
    listed = ", ".join(f"`{name}.csv`" for name in (*tables.BRANCH_TABLES, *tables.BRANCH_TABLES_ONLY_WITH))
    parts.append(
        f"\n`branches/SCENARIO/` has those of {listed} that the instance has, of that branch. If the scenario lasts "
        "months, they have a column `month` after `year`: 1 to 12, blank for whole years. What is a rate is t a year "
        "in a month too; `stock_t` is what is there at its end. The months of the first year before the branch begins "
        "are those of the course that it leaves. `builds.csv` is there if its scenario, or one from whose branch it "
        "descends, has `rebuild_after`: all starts of its course.\n"
    )
    parts.append(
        "\n## plan.json\n\n"
        "The manifest of a run: what was solved with which settings, how the search ended, and the plan in a few "
        "numbers. What explains itself less:\n\n"
        "- `periods`: first year of each period -> its length in years; rates of a table count once for each of them.\n"
        "- `money`: currency, price year and discount rate of all amounts.\n"
        "- `bound_musd`: no plan of the instance costs less, with the same builds held if any were.\n"
        "- `without_projects_musd`: the least cost with nothing built but what is committed (`min_modules`); what it "
        "is above `objective_musd` is what all optional projects save together. null if there is no such plan, if "
        "builds were held, for another objective than the cost, with a risk weight, or if the search was stopped.\n"
        "- `settings.pins`: builds that were held; `settings.start`: digest of the plan that the search began with.\n"
        "- `command`: the words of the command line that made the run, without those that say where it goes, for "
        "`planner rerun`; lacking in a run that a command did not make.\n"
    )
    for name in tables.MEANINGS:
        columns = tables.COLUMNS.get(name) or tables.OTHER_COLUMNS[name]
        parts.append(f"\n## {name}.csv\n\nColumns: {', '.join(columns)}\n\n{tables.MEANINGS[name]}\n")
    parts.append(
        "\n# What the questions write\n\n"
        "With `-o FOLDER` (in Python: `write`) a question writes a folder: a CSV file for each table, and a manifest, "
        "a JSON file. `--json` prints what the manifest holds. A table that was not asked for is left out.\n"
    )
    for study in STUDIES:
        parts += _folder(study)
    return "".join(parts)


def api() -> str:
    """The page of the public names: the calls, then the classes, each with its docstring and where it is defined."""
    stub = (Path(planner.__file__).parent / "__init__.pyi").read_text(encoding="utf-8")
    homes = {name: home for home, name in re.findall(r"^from \.(\S+) import \w+ as (\w+)$", stub, flags=re.M)}
    names = {name: getattr(planner, name) for name in sorted(homes, key=str.lower)}
    calls = {name: it for name, it in names.items() if not inspect.isclass(it)}
    classes = {name: it for name, it in names.items() if inspect.isclass(it)}
    parts = [GENERATED, "# The Python calls\n\n", f"{API}\n\n"]
    parts.append(f"- Calls: {', '.join(f'[`{name}`](#{name.lower()})' for name in calls)}\n")
    parts.append(f"- Classes: {', '.join(f'[`{name}`](#class-{name.lower()})' for name in classes)}\n")
    for name, it in {**calls, **classes}.items():
        home = homes[name].replace(".", "/")
        home += "/__init__.py" if (Path(planner.__file__).parent / home).is_dir() else ".py"
        if it.__name__ != name:
            parts.append(f"\n## class {name}\n\nThe same class as [`{it.__name__}`](#class-{it.__name__.lower()}).\n")
            continue
        parts.append(f"\n## {'class ' if inspect.isclass(it) else ''}{name}\n\n`planner/{home}`\n\n")
        if inspect.isclass(it):
            parts.append(_class(name, it))
        else:
            parts.append(f"```python\n{_signature(f'planner.{name}', it)}\n```\n\n{_prose(it)}\n")
    return "".join(parts)


API = """Every public name of `planner`, from its docstring; the [tutorial](tutorial.md) shows how they work together.
Only these names are promised: what is imported from a module below `planner` may move from one version to the next.
Amounts are in tonnes a year, money is in millions of USD of the instance's price year (`_musd`), shares are fractions
of 1, unless a docstring says otherwise. What goes wrong is raised as a `PlannerError`."""


def _class(name: str, it: type) -> str:
    """Docstring of a class, how it is called where users call it, and its public methods and properties."""
    parts = [f"{_prose(it)}\n"]
    fields = {field.name for field in dataclasses.fields(it)} if dataclasses.is_dataclass(it) else set()
    of_the_house = [base for base in it.__mro__ if base.__module__.startswith("planner")]
    members: dict[str, Any] = {}
    for base in reversed(of_the_house):
        members.update(vars(base))
    lines = []
    for member, value in members.items():
        if member.startswith("_") or member in fields:
            continue
        if isinstance(value, property):
            lines.append(f"- `{member}`: {_first(value)}\n")
        elif isinstance(value, (classmethod, staticmethod)):
            lines.append(f"- `{name}.{_signature(member, getattr(it, member), one_line=True)}`: {_first(value)}\n")
        elif inspect.isfunction(value):
            lines.append(f"- `{_signature(member, value, one_line=True, bound=True)}`: {_first(value)}\n")
    return "".join([*parts, "\n" if lines else "", *lines])


def _signature(name: str, call: Any, one_line: bool = False, bound: bool = False) -> str:
    """A call as it is written, types as in the code; on one line, or one argument a line where it is long."""
    signature = inspect.signature(call)
    arguments = list(signature.parameters.values())[1 if bound else 0 :]
    text = _unquoted(str(signature.replace(parameters=arguments)))
    if one_line or len(name + text) <= 100:
        return name + text
    lines, keyword = [], False
    for argument in arguments:
        if argument.kind is argument.KEYWORD_ONLY and not keyword:
            lines.append("    *,")
            keyword = True
        lines.append(f"    {_unquoted(str(argument))},")
    gives = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    return "\n".join([f"{name}(", *lines, f"){gives}"])


def _unquoted(signature: str) -> str:
    """Without the quotes around types."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", signature)


def _prose(it: Any) -> str:
    """A docstring as Markdown: its indented and two-column lines stay as they stand, the rest is text."""
    blocks = []
    for block in re.split(r"\n\s*\n", (inspect.getdoc(it) or "").replace(":func:", "")):
        table = re.search(r"^(\S+|\S+, \S+)  +\S", block, flags=re.M) or ">>>" in block or block.startswith(" ")
        blocks.append(f"```text\n{block}\n```" if table else block.replace("``", "`"))
    return "\n\n".join(blocks)


def _first(it: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(it) or "").split("\n\n")[0].split()).replace("``", "`")


LAYERS = "One way through the layers"  # the contract of the import linter that the picture shows
SAYS = {
    "cli": "the command planner, its exit codes",
    "commands": "one file a command: arguments in, text out",
    "exploring": "a local page that is asked again and again",
    "reporting": "a run as one HTML page: charts, sections",
    "questions": "one folder or file a question: solve, frontier, explain, stress ...",
    "solving": "asks HiGHS: Programme, measures, families, solution",
    "prepare": "instance to model data",
    "auditing": "the second road: recomputes a run",
    "runs": "what is answered: tables, folder, Run",
    "instance": "what is asked: tables, reading, checks",
    "models": "the mathematics, in Pyomo",
    "writing": "files and folders, whole or not at all",
    "arguments": "what is given to a call",
    "errors": "what can go wrong",
    "bands": "how sure a difference is",
    "bars": "how far a call is",
    "cores": "how many there are",
    "garbage": "when it is looked for",
    "above": "shows by a layer above",
    "words": "how numbers read",
    "language": "messages in other languages",
    "quiet_highs": "a HiGHS that is silent",
}


def house() -> str:
    """The layers as a drawing (SVG): a box above may import those below it, boxes beside each other may not."""
    contracts = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(c["layers"] for c in contracts["tool"]["importlinter"]["contracts"] if c["name"] == LAYERS)
    width, height, gap = 860, 52, 14
    boxes = []
    for depth, layer in enumerate(layers):
        names = [name.strip().removeprefix("planner.") for name in layer.split("|")]
        wide = (width - gap * (len(names) - 1)) / len(names)
        for place, name in enumerate(names):
            x, y = place * (wide + gap), depth * (height + gap)
            boxes.append(
                f'<g transform="translate({x:.0f} {y})"><rect width="{wide:.0f}" height="{height}" rx="6"/>'
                f'<text x="14" y="21" class="name">{name}</text>'
                f'<text x="14" y="40">{html.escape(SAYS[name])}</text></g>\n'
            )
    high = len(layers) * (height + gap) + 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {width + 20} {high + 20}" role="img" '
        f'aria-label="The layers of planner, from the command line at the top to the ground">\n'
        "<!-- drawn by docs/build.py from the contracts in pyproject.toml; do not edit -->\n"
        "<style>rect { fill: #f4f6f8; stroke: #0072b2 } text { font: 13px sans-serif; fill: #1b1f24 } "
        ".name { font-weight: bold }</style>\n"
        f'<rect x="-10" y="-10" width="{width + 20}" height="{high + 20}" style="fill: #ffffff; stroke: none"/>\n'
        f"{''.join(boxes)}"
        f'<text x="0" y="{high}">A box may import what stands in the rows below it, '
        "never what stands above it or beside it.</text>\n"
        "</svg>\n"
    )


def _folder(study: type[Study]) -> list[str]:
    """What the folder of a study holds."""
    parts = [f"\n## planner {study.COMMAND}: {study.MANIFEST}\n\n| entry of the manifest | meaning |\n|---|---|\n"]
    for part in study.HOLDS:
        if isinstance(part, Value):
            parts.append(f"| `{part.name}` | {part.meaning} |\n")
        elif part.in_manifest:
            parts.append(f"| `{part.name}` | the rows of `{part.file}` |\n")
    for table in study.tables().values():
        parts.append(f"\n### {table.file} of planner {study.COMMAND}\n\n{table.meaning}\n\n")
        parts.append("| column | kind | unit | meaning |\n|---|---|---|---|\n")
        parts += [f"| `{c.name}` | {c.kind} | {c.unit} | {c.meaning} |\n" for c in table.columns]
        if table.further:
            parts.append(f"\nFurther columns: {table.further}.\n")
    return parts


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


def _of_the_data() -> dict[str, Any]:
    """What every data package says of the data as a whole: the version and licence of CITATION.cff."""
    citation = yaml.safe_load((HERE.parent / "CITATION.cff").read_text(encoding="utf-8"))
    data = next(reference for reference in citation["references"] if reference["type"] == "data")
    return {
        "version": data["version"],
        "licenses": [{"name": data["license"], "path": "https://creativecommons.org/licenses/by/4.0/"}],
        "contributors": [{"title": author["name"]} for author in data["authors"]],
    }


def facts_package() -> str:
    """The description of the facts and choices, from the dictionary of their columns, columns.csv."""
    with (EVIDENCE / "columns.csv").open(encoding="utf-8", newline="") as file:
        said = {(row["table"], row["column"]): row for row in csv.DictReader(file)}
    resources = []
    for path in (*sorted(EVIDENCE.glob("facts/*.csv")), *sorted(EVIDENCE.glob("choices/*.csv"))):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        table, fields = path.stem, []
        for name in header:
            row = said.get((table, name)) or said.get(("*", name))
            if row is None or (table, "") not in said:
                raise SystemExit(f"instances/evidence/columns.csv: say what column {name} of {table}.csv means")
            unit = {"unit": row["unit"]} if row["unit"] else {}
            flags = {"trueValues": ["yes"], "falseValues": ["no"]} if row["type"] == "boolean" else {}
            fields.append({"name": name, "type": row["type"], "description": row["meaning"], **unit, **flags})
        resources.append(
            {
                "name": table,
                "path": f"{path.parent.name}/{path.name}",
                "type": "table",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "description": said[table, ""]["meaning"],
                "schema": {"fields": fields, "missingValues": [""], "primaryKey": KEYS.get(table, (header[0],))},
            }
        )
    made = {
        "$schema": datapackage.PROFILE,
        "name": "magnet-supply-facts",
        "title": "Facts of magnet supply chains, and the choices of the instances",
        "description": "What others say of mines, plants, prices, demand and policies, each row with its sources, and "
        "what this project decides about them.",
    }
    return json.dumps(made | _of_the_data() | {"resources": resources}, indent=1, ensure_ascii=False) + "\n"


def packages() -> dict[str, Callable[[], str]]:
    """The description of the tables of every shipped instance."""
    folders = [example_folder(name) for name in examples()]
    return {
        f"../instances/{folder.name}/{datapackage.FILE}": partial(datapackage.package, folder, _of_the_data())
        for folder in folders
        if folder is not None and any(folder.glob("*.csv"))
    }


PAGES = {
    "formulation.md": formulation,
    "format.md": instance_format,
    "api.md": api,
    "images/house.svg": house,
    "tutorial.md": tutorial,
    **packages(),
    f"../instances/evidence/{datapackage.FILE}": facts_package,
}

if __name__ == "__main__":
    written = {page: write() for page, write in PAGES.items()}
    if "--check" in sys.argv[1:]:
        there = {page: (HERE / page).read_text(encoding="utf-8") for page in written if (HERE / page).is_file()}
        stale = [page for page, text in written.items() if there.get(page) != text]
        sys.exit(f"{', '.join(stale)}: run python docs/build.py" if stale else 0)
    for page, text in written.items():
        (HERE / page).write_text(text, encoding="utf-8")
