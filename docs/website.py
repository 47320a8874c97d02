"""Builds the documentation as a site: the pages, one for each instance, and the pages of a run to look at.

    python docs/website.py FOLDER [--example INSTANCE] [--pages-only]

The site needs no network: open FOLDER/index.html; its search needs `python -m http.server -d FOLDER`. Zensical builds
it (the extra `docs`). The pages of the repository are taken as they are, so that their links mean the same there and
here; what they link to beside pages (an instance, a program, a table) comes along. The example is solved, with its cost
curve and with what a loss of each country costs, and its page is written in each language; `--pages-only` leaves it
out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP))  # whichever planner is installed, the pages are of this one

import planner  # noqa: E402
from planner.instance.examples import example_folder, examples  # noqa: E402

EXAMPLE = "allied-2040"
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)#\s]+)")
CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
# title of a section, and its pages in the order in which they are read
SECTIONS: dict[str, tuple[str, ...]] = {
    "Begin": ("README.md", "docs/tutorial.md", "docs/cookbook.md", "docs/what-if.md", "docs/worked-uses.md"),
    "Answers": ("docs/findings.md", "docs/disruptions.md", "docs/roadmap.md", "docs/bleecam.md"),
    "Tools": ("docs/explore.md", "docs/spreadsheets.md", "docs/languages.md"),
    "Reference": ("docs/format.md", "docs/api.md", "docs/formulation.md"),
    "Trust": ("docs/published.md", "docs/scale.md"),
    "Development": ("CONTRIBUTING.md", "docs/house.md", "CHANGELOG.md"),
}
CONFIG = """\
[project]
site_name = "magnet-planner {version}"
site_description = "{description}"
docs_dir = "pages"
site_dir = "site"
use_directory_urls = false
nav = {nav}
[project.theme]
font = false
features = ["navigation.sections", "navigation.indexes", "navigation.footer", "navigation.top", "toc.follow",
            "search.highlight", "content.code.copy"]
[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"
[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"
[project.plugins.search]
[project.markdown_extensions]
tables = {{}}
toc.permalink = true
pymdownx.superfences = {{}}
pymdownx.highlight.pygments_lang_class = true
"""


def title(page: str) -> str:
    """Return the heading of a page."""
    return next(line[2:] for line in page.splitlines() if line.startswith("# "))


def of_folder(folder: Path) -> str:
    """Return the page of a folder that has none: what an instance says of itself, or what lies in it."""
    path = folder / "instance.toml"
    lines = []
    if path.is_file():
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        lines = [f"# {settings.get('title', settings['name'])}", "", settings.get("description", "")]
        if "base" in settings:
            base = os.path.normpath(folder / settings["base"])
            lines += [
                "",
                f"It starts from [{Path(base).name}]({os.path.relpath(base, folder)}), and changes what stands in:",
            ]
    else:
        lines = [f"# {folder.name.capitalize()}"]
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.name != "README.md")
    return "\n".join([*lines, "", *(f"- [{_named(f)}]({f.name})" for f in files)]) + "\n"


def _named(file: Path) -> str:
    return title(file.read_text(encoding="utf-8")) if file.suffix == ".md" else file.name


class Pages:
    """The pages in a folder, by their place in the repository, with all that they link to."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.done: set[Path] = set()
        self.missing: list[str] = []

    def take(self, place: Path) -> Path:
        """Copy a page or another file of the repository, and what it links to; return where a link to it leads."""
        source = TOP / place
        if source.is_dir():
            place = place / "README.md"
        if place in self.done:
            return place
        self.done.add(place)
        target = self.folder / ("index.md" if place == Path("README.md") else place)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not (source / "README.md").is_file():
            target.write_text(self._linked(of_folder(source), place), encoding="utf-8")
        elif place.suffix == ".md":
            target.write_text(self._linked((TOP / place).read_text(encoding="utf-8"), place), encoding="utf-8")
        else:
            shutil.copyfile(TOP / place, target)
        return place

    def _linked(self, text: str, place: Path) -> str:
        """Return a page with its links taken along; those to folders lead to the page of the folder."""

        def follow(match: re.Match[str]) -> str:
            target = match["target"]
            if "://" in target or target.startswith("mailto:"):
                return match[0]
            found = Path(os.path.normpath(place.parent / target))
            if not (TOP / found).exists() or found.parts[:1] == ("..",):
                self.missing.append(f"{place}: {target}")
                return match[0]
            there = self.take(found)
            there = Path("index.md") if there == Path("README.md") else there
            return match["before"] + Path(os.path.relpath(there, place.parent)).as_posix()

        # what stands in code is no link
        return "".join(part if part.startswith("`") else LINK.sub(follow, part) for part in CODE.split(text))


def example_pages(name: str, folder: Path) -> list[tuple[str, str]]:
    """Solve an example, and write its page in each language with two studies; return title and file of each."""
    folder.mkdir(parents=True)
    instance = planner.load(example_folder(name))
    plan = planner.solve(instance, progress=_told)
    # a limit from the first years on would count what nobody can build in time
    curve = planner.frontier(instance, from_year=instance.years[2 * len(instance.years) // 5], progress=_told)
    stops = planner.stress(plan, progress=_told)
    made = []
    for language, says in (("en", "An example: the page of a run"), ("ja", "The same in Japanese")):
        file = f"{name}.html" if language == "en" else f"{name}-{language}.html"
        (folder / file).write_text(planner.report(plan, [curve, stops], language=language), encoding="utf-8")
        made.append((says, file))
    return made


def _told(line: str) -> None:
    print(line, file=sys.stderr)


def nav(pages: Pages, runs: list[tuple[str, str]]) -> str:
    """Return the order of the pages as an array of TOML."""

    def entry(place: str) -> str:
        file = "index.md" if place == "README.md" else place
        called = json.dumps(title((pages.folder / file).read_text(encoding="utf-8")))  # a string of TOML too
        return f'{{ {called} = "{file}" }}'

    sections = [(name, [entry(place) for place in places]) for name, places in SECTIONS.items()]
    of_instances = [entry((Path("instances") / name / "README.md").as_posix()) for name in examples()]
    sections.insert(2, ("Instances", of_instances))
    if runs:
        sections.insert(1, ("A run to look at", [f'{{ "{says}" = "runs/{file}" }}' for says, file in runs]))
    sections[-1][1].append('{ "Decisions" = "docs/decisions/README.md" }')
    return "[" + ", ".join(f'{{ "{name}" = [{", ".join(of)}] }}' for name, of in sections) + "]"


def assembled(folder: Path) -> Pages:
    """Return all pages of the site in a folder. Raises SystemExit, with the links that lead nowhere."""
    pages = Pages(folder)
    for place in [place for places in SECTIONS.values() for place in places]:
        pages.take(Path(place))
    for name in examples():
        pages.take(Path("instances") / name)
    pages.take(Path("docs/decisions"))
    if pages.missing:
        raise SystemExit("these links lead nowhere:\n" + "\n".join(pages.missing))
    return pages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the site goes; it must not be there yet")
    parser.add_argument("--example", default=EXAMPLE, help=f"the instance of the run to look at [{EXAMPLE}]")
    parser.add_argument("--pages-only", action="store_true", help="without the run to look at")
    asked = parser.parse_args()
    if asked.folder.exists():
        parser.error(f"{asked.folder} is there already: remove it, or give another folder")
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as work:
        pages = assembled(Path(work) / "pages")
        runs = [] if asked.pages_only else example_pages(asked.example, pages.folder / "runs")
        settings = CONFIG.format(version=project["version"], description=project["description"], nav=nav(pages, runs))
        (Path(work) / "zensical.toml").write_text(settings, encoding="utf-8")
        subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=work, check=True)
        (Path(work) / "site" / "404.html").unlink()  # for servers at the top of a domain
        shutil.copytree(Path(work) / "site", asked.folder)
    print(f"open {asked.folder / 'index.html'}")


if __name__ == "__main__":
    main()
