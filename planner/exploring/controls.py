"""What the page lets a reader change, each with the what-ifs that it stands for.

A control is plain data for the page's script. Its ``texts`` are what-ifs with gaps: a list of parts, between which its
values stand. So the script needs to know nothing of the language, and finds the values of a what-if that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..instance.metrics import METRICS
from .words import WORDS

if TYPE_CHECKING:
    from ..instance.instance import Instance

FIRST = 0.4  # of the horizon after which a cap begins, until the reader says otherwise
Control = dict[str, Any]


def controls(instance: Instance) -> list[Control]:
    """Return the controls of an instance, in the order of the page.

    Each has an ``id``, a ``group``, a ``label`` and a ``kind``:
    ``cap``       a slider of limits in per cent and a list of years; ``texts`` with two gaps
    ``factor``    a slider of factors; ``texts`` with one gap
    ``months``    a slider of months, likewise
    ``ticks``     names to tick, ``choices``: each with a ``label`` and a ``text``
    ``projects``  projects to ask for or to forbid: each with a ``label``, the ``must`` with a gap for a year of
                  ``years``, and the text ``not``
    """
    found = [*_caps(instance), *_factors(instance), *_stops(instance), *_ticks(instance), _projects(instance)]
    return [control for control in found if control is not None]


def _quoted(name: str) -> str | None:
    """Return a name as a what-if holds it; None if it cannot hold it."""
    if re.fullmatch(r"[\w.-]+", name):
        return name
    return next((f"{mark}{name}{mark}" for mark in "\"'" if mark not in name), None)


def _caps(instance: Instance) -> list[Control]:
    """A cap on each metric that is a share of the whole chain or of a stage, and needs no country to be named."""
    years = list(instance.years)
    first = years[min(len(years) - 1, round(FIRST * len(years)))]
    found: list[Control] = []
    for metric in METRICS.values():
        if metric.needs or metric.amount:
            continue
        for stage in instance.stages if metric.of else [""]:
            name = _quoted(stage) if stage else ""
            if name is None:
                continue
            after = f" where stage={name}" if stage else ""
            label = WORDS[f"cap {metric.name}"].format(stage=stage)
            parts = [f"cap {metric.name}=", "%@", after]
            limits = {"least": 0, "most": 100, "step": 1, "start": 100}
            found.append(
                {"id": f"cap-{len(found)}", "group": "caps", "kind": "cap", "label": label, "texts": [parts],
                 "years": years, "first": first, "main": not metric.of, **limits}
            )  # fmt: skip
    return found


def _factor(name: str, group: str, label: str, texts: list[list[str]], least: float, most: float) -> Control | None:
    """A slider of factors, 1 as it is; None if it would change nothing."""
    steps = {"least": least, "most": most, "step": 0.05, "start": 1}
    return (
        {"id": name, "group": group, "kind": "factor", "label": label, "texts": texts, **steps, "main": True}
        if texts
        else None
    )


def _factors(instance: Instance) -> list[Control | None]:
    concern = set(instance.countries_of_concern)
    names = {c.country: c.name for c in instance.countries}
    found = [_factor("demand", "market", WORDS["demand"], [["scale demand=", ""]], 0.5, 1.5)]
    home = {f.facility: f.country for f in instance.facilities}
    for country in sorted(concern):
        texts = []
        quoted = _quoted(country)
        if quoted and any(home[o.facility] == country for o in instance.operations):
            texts.append(["scale operations.opex_usd_per_t=", f" where country={quoted}"])
        priced = {row.market for row in instance.market_prices}
        markets = [_quoted(m.market) for m in instance.markets if m.country == country and m.market in priced]
        texts += [["scale market_prices.price_usd_per_t=", f" where market={m}"] for m in markets if m]
        label = WORDS["price"].format(country=names.get(country, country))
        found.append(_factor(f"price-{country}", "market", label, texts, 0.5, 2))
    tariffs = [["scale tariffs.rate=", ""]] if instance.tariffs else []
    found.append(_factor("tariffs", "market", WORDS["tariffs"], tariffs, 0, 3))
    if instance.funds:
        found.append(_factor("funds", "money", WORDS["funds"], [["scale funds.budget_musd=", ""]], 0, 3))
        for row in instance.funds:
            quoted = _quoted(row.fund)
            texts = [["scale funds.budget_musd=", f" where fund={quoted}"]] if quoted else []
            made = _factor(f"fund-{row.fund}", "money", f"{row.provider}: {row.fund}", texts, 0, 3)
            found.append(None if made is None else {**made, "main": False})
    return found


def _stops(instance: Instance) -> list[Control]:
    """For how many months each disruption of the instance lasts, if it is in months."""
    found = []
    for row in instance.scenarios:
        if row.months is not None and (quoted := _quoted(row.scenario)):
            found.append(
                {"id": f"months-{row.scenario}", "group": "disruptions", "kind": "months", "main": True,
                 "label": WORDS["months"].format(scenario=row.name), "least": 1, "most": max(24, row.months), "step": 1,
                 "start": row.months, "texts": [["set scenarios.months=", f" where scenario={quoted}"]]}
            )  # fmt: skip
    return found


def _ticks(instance: Instance) -> list[Control | None]:
    names = {c.country: c.name for c in instance.countries}
    owners = sorted({f.owner for f in instance.facilities if f.owner})
    home = {f.facility: f.country for f in instance.facilities}
    building = sorted({home[o.facility] for o in instance.options})
    return [
        _tick("lost-country", "lost", "lost country", "without country=", names.items()),
        _tick("lost-owner", "lost", "lost owner", "without owner=", ((o, o) for o in owners)),
        _tick("no-builds", "projects", "no builds", "forbid country=", ((c, names.get(c, c)) for c in building)),
    ]


def _tick(name: str, group: str, label: str, before: str, named: Iterable[tuple[str, str]]) -> Control | None:
    choices = [
        {"label": words, "text": before + quoted} for key, words in named if (quoted := _quoted(key)) is not None
    ]
    choices.sort(key=lambda choice: choice["label"])
    return {"id": name, "group": group, "kind": "ticks", "label": WORDS[label], "choices": choices} if choices else None


def _projects(instance: Instance) -> Control | None:
    facilities = {f.facility: f for f in instance.facilities}
    names = {c.country: c.name for c in instance.countries}
    rows = []
    for row in instance.options:
        quoted = _quoted(row.option)
        first, last = row.first_start or instance.years[0], row.last_start or instance.years[-1]
        years = [year for year in instance.years if first <= year <= last]
        if quoted is None or not years:
            continue
        country = facilities[row.facility].country
        rows.append(
            {"label": row.name, "where": names.get(country, country), "key": row.option, "years": years,
             "must": [f"force {row.option}@", ""], "not": f"forbid {quoted}"}
        )  # fmt: skip
    rows.sort(key=lambda project: (project["where"], project["label"]))
    if not rows:
        return None
    return {"id": "projects", "group": "projects", "kind": "projects", "label": WORDS["projects"], "choices": rows}
