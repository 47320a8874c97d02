"""The notebooks of docs/notebooks run from top to end, and show what they would show if they were run today.

``jupyter execute --inplace docs/notebooks/*.ipynb`` writes their outputs anew.
"""

import re

import pytest
from places import ROOT

nbformat = pytest.importorskip("nbformat", reason="the extra dev is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra dev is not installed")

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def told(notebook):
    """What each cell says in words; times and the last digits of a number depend on the machine."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            said = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            drawn = "application/vnd.plotly.v1+json" in output.get("data", {})
            texts.append("chart" if drawn else re.sub(r"\d+\.\d{3,}|\d+e-\d+", "number", said))
    return texts


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_shows_what_it_would_show_today(file, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(file, as_version=4)
    before = told(notebook)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(file.parent)}}).execute()
    assert "chart" in before and told(notebook) == before
