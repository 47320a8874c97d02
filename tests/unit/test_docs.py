"""The generated pages are complete and up to date."""

import importlib.util
from pathlib import Path

from planner import models
from planner.questions.study import KINDS, Study

DOCS = Path(__file__).parents[2] / "docs"


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build():
    return loaded("build")


def test_pages_are_what_the_code_says():
    for page, write in build().PAGES.items():
        assert (DOCS / page).read_text(encoding="utf-8") == write(), f"run python docs/build.py ({page})"


def test_every_family_has_formula_symbols_and_dual():
    folder = Path(models.__file__).parent / "constraints"
    files = {p.stem for p in folder.glob("*.py")} - {"__init__", "supply"}
    assert files == {f.__name__.rsplit(".", 1)[-1] for f in models.FAMILIES}
    for family in models.FAMILIES:
        text = family.__doc__
        assert ".. math::" in text and "unit" in text and "Dual" in text, family.__name__


def test_every_study_is_on_the_page_of_the_format():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    studies = build().STUDIES
    assert set(studies) == below(Study) - {Study}
    for study in studies:
        for table in study.tables().values():
            assert table.columns and all(c.meaning and c.kind in KINDS for c in table.columns), (study, table.name)


def test_the_site_has_every_page_and_no_link_that_leads_nowhere(tmp_path):
    website = loaded("website")
    pages = website.assembled(tmp_path)  # raises where a link leads nowhere
    shown = {place for places in website.SECTIONS.values() for place in places}
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= shown
    assert all((tmp_path / "instances" / name / "README.md").is_file() for name in website.examples())
    # what is linked to comes along
    for page in tmp_path.rglob("*.md"):
        for text in website.CODE.split(page.read_text(encoding="utf-8")):
            for link in () if text.startswith("`") else website.LINK.finditer(text):
                assert "://" in link["target"] or (page.parent / link["target"]).is_file(), (page, link["target"])
    assert pages.missing == []


def test_a_link_that_leads_nowhere_is_told(tmp_path, monkeypatch):
    website = loaded("website")
    (tmp_path / "README.md").write_text(
        "# Top\n\nSee [this](docs/nothing.md) and `[that](x.md)`.\n\n```\n[no](y.md)\n```\n"
    )
    monkeypatch.setattr(website, "TOP", tmp_path)
    pages = website.Pages(tmp_path / "out")
    pages.take(website.Path("README.md"))
    assert pages.missing == ["README.md: docs/nothing.md"]
