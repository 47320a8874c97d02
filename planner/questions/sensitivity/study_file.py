"""A study as it is written: one instance, what is varied, what is measured, how it is sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...errors import InstanceError, UsageError, idle
from ..asked_file import Gap

if TYPE_CHECKING:
    from pathlib import Path

    from ...instance.instance import Instance

METHODS = ("one-at-a-time", "lhs", "sobol")


class Change(BaseModel):
    """What is varied: a column of the rows of a table, by a factor, over a range, or over its evidence.

    where     column -> value that the rows have, or a list of values, one of which they have; empty: all rows of the
              table
    factor    low and high factor on each row's own value
    range     low and high value, the same for all rows
    evidence  from the low to the high of evidence.csv, each row over its own; rows without are left alone
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    table: str
    column: str
    where: dict[str, Any] = Field(default_factory=dict)
    factor: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    evidence: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Change:
        ways = (self.factor is not None) + (self.range is not None) + self.evidence
        if ways != 1:
            raise ValueError("expected one of factor, range and evidence = true")
        span = self.factor or self.range
        if span is not None and not span[0] < span[1]:
            raise ValueError(f"expected low < high, not {span[0]:g} and {span[1]:g}")
        return self


class Solving(BaseModel):
    """How each sample is solved; see `solve`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gap: Gap = None
    time_limit: float | None = None


class StudyFile(BaseModel):
    """A sensitivity study as it is asked for.

    instance  folder, relative to the study's file, or the name of an example
    what_if   what-ifs made in it before anything is varied, such as ``scale demand=1.3``; see docs/what-if.md
    rows      table -> rows to add or replace in it after these
    settings  keys of instance.toml to replace in it
    samples   points for ``lhs``; for ``sobol`` the base number N, of which N (changes + 2) points are made
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance: str
    title: str = ""
    method: Literal["one-at-a-time", "lhs", "sobol"] = "one-at-a-time"
    samples: int = Field(64, ge=2, le=100_000)
    seed: int = Field(0, ge=0)
    metrics: tuple[str, ...] = ("objective_musd", "exposed_share", "short_t")
    change: tuple[Change, ...] = Field(min_length=1)
    what_if: tuple[str, ...] = ()
    rows: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    solve: Solving = Field(default_factory=Solving)

    @model_validator(mode="after")
    def _names(self) -> StudyFile:
        names = [c.name for c in self.change]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"the change {twice[0]} is there twice")
        drawn = sorted({"samples", "seed"} & self.model_fields_set)
        if self.method == "one-at-a-time" and drawn:
            raise ValueError(str(idle(drawn, "with method one-at-a-time, which draws nothing")))
        return self

    def base(self, folder: Path) -> Instance:
        """The instance that is varied; ``folder`` is that of the study's file."""
        from ...instance.loading import load

        beside = folder / self.instance
        instance = load(beside if beside.exists() else self.instance)
        if self.what_if:
            instance = instance.what_if(*self.what_if, name=instance.name)
        if not self.rows and not self.settings:
            return instance
        try:
            return instance.changed(rows=self.rows, settings=self.settings or None)
        except InstanceError as error:
            raise UsageError(f"rows and settings of the study do not fit {self.instance}\n{error}") from error
