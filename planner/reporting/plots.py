"""The charts of the page as figures of plotly, for notebooks: ``plan.plot.chain(2035)``, ``frontier.plot()``.

They are taken from the sections of the page, so that a chart is drawn in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, hinted
from ..questions.explain.result import Explanation
from .parts import Figure, Section
from .sections import builds, chain, costs, dependence, explain, findings, needs, origins, worldmap
from .sections.compare import beside
from .studies import SHOWN, Shown
from .view import Names, View

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..questions.study import Study
    from ..runs.run import Run


class Plots:
    """The charts of a run. Each call returns a figure of plotly, which a notebook shows.

    year   first year of a period; None: the one that the page shows first
    stage  a stage of the chain; None: the one that the page shows first
    Raises UsageError if there is nothing to draw, or no such year or stage.
    """

    def __init__(self, run: Run) -> None:
        self._view = View(run.instance, run)

    def chain(self, year: int | None = None) -> go.Figure:
        """Return the flow diagram of the chain by country in a year."""
        return _drawn(chain.section(self._view), "chain-flows", year=year)

    def dependence(self) -> go.Figure:
        """Return the traced share and the shares of the stages by year, with their caps."""
        return _drawn(dependence.section(self._view), "dependence-shares")

    def map(self, year: int | None = None, stage: str | None = None) -> go.Figure:
        """Return the map of shipments of a stage in a year."""
        import plotly.graph_objects as go

        drawn = _drawn(worldmap.section(self._view), "map-flows", year=year, stage=stage)
        return go.Figure([worldmap.outlines(), *drawn.data], drawn.layout)  # the countries below the flows

    def builds(self) -> go.Figure:
        """Return what is built, as bars in time."""
        return _drawn(builds.section(self._view), "builds-timeline")

    def output(self, stage: str | None = None) -> go.Figure:
        """Return the tonnes made of a stage by country and year."""
        return _drawn(builds.section(self._view), "builds-output", stage=stage)

    def costs(self) -> go.Figure:
        """Return the cost by component and year."""
        return _drawn(costs.section(self._view), "costs-components")

    def funding(self) -> go.Figure:
        """Return who pays the capital by year."""
        return _drawn(needs.funding(self._view), "funding-sources")

    def origins(self) -> go.Figure:
        """Return what share of each consumer's goods went through countries of concern."""
        return _drawn(origins.section(self._view))


def of_study(study: Study, chart: str | None, choices: Mapping[str, Any]) -> go.Figure:
    """Return a chart of what a question found; the arguments are those of `Study.plot`."""
    instance = getattr(study, "instance", None) or getattr(getattr(study, "plan", None), "instance", None)
    if not isinstance(study, SHOWN) or instance is None:
        tables = ", ".join(table.attribute for table in study.tables().values())
        raise UsageError(f"{type(study).__name__} has no chart of its own; its tables are frames: {tables}")
    shown, names = Shown.of(study), Names(instance)
    if isinstance(study, Explanation):  # whose charts set what it found against the plan
        return _drawn(explain.section(View(instance, study.plan), shown), chart, **choices)
    if study.COMMAND == "compare":
        return _drawn(beside(names, shown), chart, **choices)
    return _drawn(findings.STUDIES[study.COMMAND].section(names, shown), chart, **choices)


def _drawn(section: Section | None, chart: str | None = None, **choices: Any) -> go.Figure:
    """Return a figure of a section as one of plotly.

    chart    its id, or the end of it; None: the first one
    choices  what is chosen of each control by its label in lower case; None: what the page shows first
    """
    figures = {} if section is None else {part.id: part for part in section.shown if isinstance(part, Figure)}
    found = next((figures[key] for key in figures if chart is None or key == chart or key.endswith(f"-{chart}")), None)
    if found is None and chart is not None and figures:
        raise UsageError(hinted(f"no chart {chart}; there are {', '.join(figures)}", chart, figures))
    if found is None:
        raise UsageError("there is nothing to draw" if section is None else " ".join(section.lead) or "nothing to draw")
    numbers = []
    for control in found.asked:
        asked = choices.get(control.label.lower())
        if asked is not None and asked not in control.keys:
            known = [str(key) for key in control.keys]
            text = f"{control.label.lower()} {asked}: expected one of {', '.join(known)}"
            raise UsageError(hinted(text, str(asked), known))
        numbers.append(control.first if asked is None else control.keys.index(asked))
    drawn = found.views[",".join(map(str, numbers))].to_plotly()
    drawn.update_layout(title={"text": found.title, "font": {"size": 15}}, margin={"t": 70})
    return drawn
