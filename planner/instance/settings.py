"""The keys of instance.toml: their meaning, units and ranges, and how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..errors import Issue, did_you_mean
from .cells import LARGEST_NUMBER, LARGEST_WHOLE, key_problem, text_problem
from .reading import SETTINGS_FILE, Written


class SurvivalRule(BaseModel):
    """Outages that the plan must survive: an entry of ``survive`` under ``[security]``.

    outage   what is lost: a country (its plants, and all that it exports), a stage of a country, a plant, or only what
             a country exports
    of       which: countries or blocs, ``COUNTRY STAGE``, facilities; empty: each of the kind, one at a time
    years    first and last calendar year
    from_month, months  it lasts so many months from that month of the first year on; by default the whole years
    clock    ``month``: the years are divided into months, in each of which the level must be kept; ``year``: a period
             is a mean over its years; None: months, where periods are of one year
    sectors  whom it must not hit; empty: everyone
    level    part of demand that must be served in every country, and every month (or year) of these years
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    outage: Literal["country", "stage", "facility", "export_stop"]
    years: tuple[int, int]
    level: float = Field(gt=0.0, le=1.0)
    of: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    from_month: int | None = Field(None, ge=1, le=12)
    months: int | None = Field(None, ge=1)
    clock: Literal["month", "year"] | None = None


def _setting(section: str, meaning: str, default: Any = ..., unit: str = "", **bounds: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"section": section, "unit": unit}, **bounds)


class Settings(BaseModel):
    """The keys of instance.toml; ``section`` tells where each stands."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    schema_version: int = _setting("", "version of this format: 1", ge=1, le=1, alias="schema")
    name: str = _setting("", "short name of the instance", min_length=1)
    title: str = _setting("", "title of reports; the name if not given", "")
    description: str = _setting("", "what the instance is about", "")
    stages: tuple[str, ...] = _setting("", "the stages, in the order of the chain", min_length=1)
    years: tuple[int, ...] = _setting("time", "first calendar year of each period, increasing", min_length=1)
    last_period_years: int = _setting("time", "length of the last period", unit="years", ge=1, le=1000)
    currency: str = _setting("finance", "currency of all money", min_length=1)
    price_year: int = _setting("finance", "year of the prices", unit="year", ge=1, le=LARGEST_WHOLE)
    discount_rate: float = _setting("finance", "discount rate, real, per year", unit="fraction", ge=0.0, le=1.0)
    wacc: float = _setting(
        "finance", "default cost of capital of an option, real, per year", unit="fraction", ge=0.0, le=1.0
    )
    countries_of_concern: tuple[str, ...] = _setting("security", "countries on which dependence is measured")
    survive: tuple[SurvivalRule, ...] = _setting(
        "security",
        "outages in which the plan must go on serving, a list of tables with the keys `outage` (`country`: its plants "
        "and its exports are lost; `stage`: the same of one stage, written `COUNTRY STAGE`; `facility`; `export_stop` "
        "of a country), `of` (a list of names; if not given, each of the kind in turn), `years` (first and last "
        "calendar year, whole periods), `sectors` (if not given, all), `level` (part of demand to be served, in every "
        "country and every month of these years); and `from_month` with `months` (it lasts so many months from that "
        "month of the first year on, not the whole years) and `clock` (`month`, or `year`: a year counts as one mean; "
        "months, if periods are of one year)",
        (),
    )
    risk_measure: Literal["cost", "unserved"] = _setting(
        "risk", "what must not go badly: `cost` or `unserved` demand", "cost", alias="measure"
    )
    risk_weight: float = _setting(
        "risk",
        "weight of the mean of the worst outcomes: for `cost` the part (below 1) of the objective that it makes, "
        "for `unserved` a price of its tonnes",
        0.0,
        "fraction, or USD/t",
        ge=0.0,
        le=LARGEST_NUMBER,
        alias="weight",
    )
    risk_alpha: float = _setting(
        "risk", "the worst outcomes are those beyond this probability", 0.95, "fraction", ge=0.0, lt=1.0, alias="alpha"
    )

    @field_validator("years")
    @classmethod
    def _increasing(cls, years: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= y <= LARGEST_WHOLE for y in years):
            raise ValueError(f"years between 1 and {LARGEST_WHOLE}")
        if any(later <= earlier for earlier, later in pairwise(years)):
            raise ValueError("years that increase from one to the next")
        return years

    @field_validator("name", "title", "currency")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if problem := text_problem(value, multiline=False):
            raise ValueError(problem)
        return value

    @field_validator("stages")
    @classmethod
    def _stage_names(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        for stage in stages:
            if problem := key_problem(stage):
                raise ValueError(f'{problem}, unlike "{stage}"' if stage else "names that are not empty")
        if len(set(stages)) < len(stages):
            raise ValueError("each stage once")
        return stages

    @field_validator("countries_of_concern")
    @classmethod
    def _each_once(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(countries)) < len(countries):
            raise ValueError("each country once")
        return countries


BASE = "base"  # the key of instance.toml that names the instance an overlay starts from
CHANGE = "change"  # the key that holds what-ifs


@cache
def setting_sections() -> dict[str, str]:
    """The section of each key of instance.toml, as it is written there ("" for keys before any section)."""
    sections = {BASE: "", CHANGE: ""}
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra
        sections[info.alias or name] = str(extra["section"]) if isinstance(extra, dict) else ""
    return sections


def parse_settings(written: Mapping[tuple[str, str], Written], issues: list[Issue]) -> Settings | None:
    """Typed settings out of the merged keys of instance.toml; None, with issues, if anything is wrong."""
    sections = setting_sections()
    before = len(issues)
    values: dict[str, Any] = {}
    for (section, name), item in written.items():
        if section not in sections.values():
            if not name:
                hint = did_you_mean(section, set(sections.values()) - {""})
                issues.append(Issue(item.file, item.line, section, None, "unknown section", hint, "E113"))
            continue
        if section and not name:
            continue
        if name in sections.values() and not section:
            expected = f"a section; write [{name}] on a line of its own"
            issues.append(Issue(item.file, item.line, name, _toml(item.value), expected, "", "E113"))
            continue
        if sections.get(name) != section:
            issues.append(_unknown_setting(section, name, item, sections))
            continue
        if name == "survive":
            values[name] = _survival_rules(item, issues)
        elif name != BASE:
            values[name] = tuple(item.value) if isinstance(item.value, list) else item.value
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        issues.extend(_setting_issue(detail, written, sections) for detail in error.errors())
    return settings if len(issues) == before else None


def _survival_rules(item: Written, issues: list[Issue]) -> tuple[SurvivalRule, ...]:
    """The entries of ``survive``; issues name the line of the entry."""
    if not isinstance(item.value, list) or not all(isinstance(entry, (dict, SurvivalRule)) for entry in item.value):
        expected = 'expected a list of tables, such as [{ outage = "country", of = ["CHN"], years = [2030, 2031], ...}]'
        issues.append(Issue(item.file, item.line, "survive", _toml(item.value), expected, "", "E113"))
        return ()
    rules = []
    for number, entry in enumerate(item.value):
        if isinstance(entry, SurvivalRule):
            rules.append(entry)
            continue
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
        try:
            rules.append(SurvivalRule.model_validate(values))
        except ValidationError as error:
            names = sorted({str(detail["loc"][0]) for detail in error.errors(include_url=False)})
            issues += [_survival_issue(item, number, name, entry) for name in names]
    return tuple(rules)


def _survival_issue(item: Written, number: int, name: str, entry: Mapping[str, Any]) -> Issue:
    line = item.line_of(number)
    if name not in entry:
        return Issue(item.file, line, f"survive.{name}", None, "required key is missing", _SURVIVAL[name], "E106")
    if name not in SurvivalRule.model_fields:
        hint = did_you_mean(name, SurvivalRule.model_fields)
        return Issue(item.file, line, f"survive.{name}", _toml(entry[name]), "unknown key", hint, "E113")
    choices = ("country", "stage", "facility", "export_stop")
    hint = did_you_mean(str(entry[name]), choices) if name == "outage" else ""
    return Issue(item.file, line, f"survive.{name}", _toml(entry[name]), _SURVIVAL[name], hint, "E113")


_SURVIVAL = {
    "outage": "expected one of country, stage, facility, export_stop",
    "of": 'expected a list of names, such as ["CHN"]; without it, each of the kind in turn',
    "years": "expected the first and the last calendar year, such as [2030, 2031]",
    "from_month": "expected a month of the first year, 1 to 12",
    "months": "expected a number of months, 1 or more",
    "clock": "expected month or year",
    "sectors": 'expected a list of sectors, such as ["defence"]; without it, all',
    "level": "expected a number above 0, up to 1, such as 0.9 for 90 % of demand",
}


def _unknown_setting(section: str, name: str, item: Written, sections: Mapping[str, str]) -> Issue:
    home = sections.get(name)
    if home is None:
        hint = did_you_mean(name, sections)
    else:
        hint = f"it belongs under [{home}]" if home else "it belongs before the first section"
    return Issue(item.file, item.line, name, _toml(item.value), "unknown key", hint, "E113")


def _setting_issue(detail: Any, written: Mapping[tuple[str, str], Written], sections: Mapping[str, str]) -> Issue:
    name = str(detail["loc"][0])
    section = sections[name]
    item = written.get((section, name))
    if item is None:
        where = f" under [{section}]" if section else ""
        return Issue(SETTINGS_FILE, None, name, None, f"required key{where} is missing", "", "E106")
    if detail["type"] == "value_error":
        expected = f"expected {detail['ctx']['error']}"
    else:
        expected = _SETTING_EXPECTED.get(name, "another kind of value is expected")
    return Issue(item.file, item.line, name, _toml(item.value), expected, "", "E113")


_SETTING_EXPECTED = {
    "schema": "expected 1, the version of the format",
    "name": "expected a text in quotes",
    "title": "expected a text in quotes",
    "description": "expected a text in quotes",
    "stages": 'expected a list of names, such as ["mining", "separation"]',
    "years": "expected a list of whole numbers, such as [2026, 2028]",
    "last_period_years": "expected a whole number, 1 to 1000",
    "currency": 'expected a text in quotes, such as "USD"',
    "price_year": "expected a year, a whole number without quotes",
    "discount_rate": "expected a number between 0 and 1, such as 0.05 for 5 %",
    "wacc": "expected a number between 0 and 1, such as 0.08 for 8 %",
    "countries_of_concern": 'expected a list of countries, such as ["CHN"]',
}


def _toml(value: Any) -> str | None:
    """A value as it would stand in TOML, near enough for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@dataclass(frozen=True)
class SettingDescription:
    """What the schema says of one key of instance.toml."""

    section: str
    name: str
    required: bool
    unit: str
    meaning: str


def describe_settings() -> tuple[SettingDescription, ...]:
    """Every key of instance.toml, for the page on the instance format."""
    result = [
        SettingDescription("", BASE, False, "", "another instance this one starts from; its folder, relative to this")
    ]
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        result.append(
            SettingDescription(
                str(extra["section"]),
                info.alias or name,
                info.is_required(),
                str(extra["unit"]),
                info.description or "",
            )
        )
    return tuple(result)
