"""The generated pages are complete and up to date."""

import importlib.util
from pathlib import Path

from planner import models
from planner.questions.study import KINDS, Study

DOCS = Path(__file__).parents[2] / "docs"


def build():
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
