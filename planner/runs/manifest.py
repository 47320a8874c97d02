"""What plan.json must hold: read back, it is checked once here, so that nothing that reads a run checks again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import ResultError

SCHEMA = 1  # version of plan.json and of a run's tables

Year = Annotated[str, Field(pattern=r"^[0-9]{1,4}$")]


class _Part(BaseModel):
    """An object in plan.json; it may hold more than is named here."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, defer_build=True)


class _Change(_Part):
    change: str
    did: str
    place: str


class _Instance(_Part):
    name: str
    title: str
    sha256: str
    path: str | None = None
    changes: list[_Change] = []


class _Money(_Part):
    currency: str
    price_year: int
    discount_rate: float


class _Versions(_Part):
    __pydantic_extra__: dict[str, str]

    planner: str


class _Pins(_Part):
    fixed_choices: int
    force: list[Annotated[list[Any], Field(min_length=3, max_length=3)]]
    forbid: list[str]

    @model_validator(mode="after")
    def _forced(self) -> _Pins:
        for option, year, modules in self.force:
            if not (isinstance(option, str) and type(year) is int and type(modules) in (int, float)):
                raise ValueError("expected lists of an option, a year and a number of modules")
        return self


class _Objective(_Part):
    name: Literal["public", "exposure"]
    slack: float | None


class _Settings(_Part):
    gap: float
    pins: _Pins | None = None
    objective: _Objective | None = None


class _Stage(_Part):
    objective: str
    value: float
    bound: float
    ceiling_musd: float | None = None


class _Seconds(_Part):
    __pydantic_extra__: dict[str, float]

    solve: float
    write: float
    total: float


class _Metrics(_Part):
    exposed_share: dict[Year, float | None]
    stage_share: dict[str, dict[Year, float | None]]
    short_t: dict[Year, float]
    demand_t: dict[Year, float]
    capex_musd: float
    cost_musd: dict[str, float]


class _Case(_Part):
    outage: str


class _Survive(_Part):
    tried: int
    included: int
    audited: bool
    cases: list[_Case]


class _Risk(_Part):
    measure: Literal["cost", "unserved"]
    weight: float
    alpha: float
    objective_musd: float
    bound_musd: float
    mean_of_worst_musd: float | None = None
    mean_of_worst_t: float | None = None

    @model_validator(mode="after")
    def _measured(self) -> _Risk:
        if (self.mean_of_worst_musd if self.measure == "cost" else self.mean_of_worst_t) is None:
            raise ValueError("the mean of the worst outcomes is missing")
        return self


class _Compared(_Part):
    kind: str
    comparisons: int
    failed: int
    absolute: float
    unit: str


class _Audit(_Part):
    ok: bool
    comparisons: int
    tolerance: float
    checks: list[_Compared]


class Manifest(_Part):
    """The content of plan.json, as `planner.solve` writes it. Keys with a default are lacking in older runs."""

    instance: _Instance
    periods: dict[Year, Annotated[int, Field(ge=1)]] | None = None
    money: _Money | None = None
    versions: _Versions
    settings: _Settings
    status: Literal["optimal", "feasible"]
    objective_musd: float
    bound_musd: float
    gap: float
    seconds: _Seconds
    size: dict[str, int]
    metrics: _Metrics
    certificate: dict[str, float | None] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    command: list[str] = Field(default_factory=list)
    stages: list[_Stage] = Field(default_factory=list)
    survive: _Survive | None = None
    risk: _Risk | None = None
    audit: _Audit | None = None

    @model_validator(mode="after")
    def _whole(self) -> Manifest:
        metrics = self.metrics
        years = list(metrics.exposed_share) if self.periods is None else list(self.periods)
        for name, its_years in (
            ("exposed_share", list(metrics.exposed_share)),
            ("short_t", list(metrics.short_t)),
            ("demand_t", list(metrics.demand_t)),
            *((f"stage_share.{stage}", list(shares)) for stage, shares in metrics.stage_share.items()),
        ):
            if its_years != years:
                raise ValueError(f"metrics.{name} is not of the years {', '.join(years)}")
        if self.settings.objective and (len(self.stages) < 2 or self.stages[1].ceiling_musd is None):
            raise ValueError("settings.objective needs the steps of the search in stages")
        return self


def read_manifest(file: Path) -> dict[str, Any]:
    """Return the content of plan.json. Raises ResultError, which names what is wrong in it; OSError if unreadable."""

    def no_number(name: str) -> NoReturn:
        raise ValueError(f"{name} is not a number")

    try:
        plan = json.loads(file.read_text(encoding="utf-8"), parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{file} is not JSON that can be read: {error}") from None
    if not isinstance(plan, dict):
        raise ResultError(f"{file} does not hold a plan")
    if plan.get("schema") != SCHEMA or isinstance(plan["schema"], bool):
        said = f"schema {plan['schema']!r}"[:60] if "schema" in plan else "no schema"
        raise ResultError(f"{file} has {said}, this planner reads schema {SCHEMA}: solve the instance again")
    try:
        Manifest.model_validate(plan)
    except (ValidationError, RecursionError) as error:
        raise ResultError(f"{file} is damaged: {'; '.join(_problems(error))}") from None
    return plan


def _problems(error: ValidationError | RecursionError) -> Iterator[str]:
    """Yield what is wrong, the first three problems of many."""
    if isinstance(error, RecursionError):
        yield "it is nested too deep"
        return
    found = error.errors(include_url=False, include_input=False)
    for detail in found[:3]:
        place = _place(detail["loc"])
        message = "is missing" if detail["type"] == "missing" else detail["msg"].removeprefix("Value error, ")
        yield f"{place} {message}" if detail["type"] == "missing" else f"{place}: {message}" if place else message
    if len(found) > 3:
        yield f"and {len(found) - 3} more"


def _place(loc: Sequence[Any]) -> str:
    return ".".join(str(part)[:40] for part in loc)
