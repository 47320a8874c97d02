"""A run and its instance as the sections of a report read them: names, stages, periods, and tonnes by place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..instance.timeline import horizon_end, periods, series_value
from ..language import N_, _
from ..runs.origin import deliveries
from ..words import money_of
from .looks import CONCERN, COUNTRIES, Look, look

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..instance.tables import Evidence, Facility, Operation, Option
    from ..runs.run import Run
    from ..runs.tables import Tables
    from .studies import Shown

Place = tuple[str, str, str, int]  # material, country, provenance, first year of a period
PROVENANCES = (N_("clean"), N_("exposed"))
STARTUP = "★"


@dataclass
class Names:
    """An instance as the sections read it: its years, money, names and chain."""

    instance: Instance

    # --- time and money ---

    @property
    def years(self) -> tuple[int, ...]:
        """First years of the periods."""
        return self.instance.years

    @cached_property
    def lengths(self) -> dict[int, int]:
        """First year of a period -> its length in years."""
        return {p.first_year: p.length for p in periods(self.instance)}

    @cached_property
    def discounts(self) -> dict[int, float]:
        """First year of a period -> present value of 1 USD in every year of it."""
        return {p.first_year: p.discount for p in periods(self.instance)}

    @property
    def end(self) -> int:
        """Last calendar year of the horizon."""
        return horizon_end(self.instance)

    @property
    def span(self) -> str:
        """The horizon in words, such as 2026-2040."""
        return str(self.years[0]) if self.end == self.years[0] else f"{self.years[0]}-{self.end}"

    @property
    def musd(self) -> str:
        """The unit of large amounts, such as MUSD."""
        return _("M{currency}", currency=self.instance.currency)

    def money(self, musd: float, digits: int = 3) -> str:
        """Return an amount (in millions) in words, such as 1.58 billion USD; ``digits`` are significant digits."""
        return money_of(musd, self.instance.currency, digits)

    # --- names ---

    @cached_property
    def countries(self) -> dict[str, str]:
        """Country -> its name, without what stands in brackets if the name is unique without it."""
        full = {c.country: c.name for c in self.instance.countries}
        brief = {c: name.split(" (")[0].strip() or c for c, name in full.items()}
        often = Counter(brief.values())
        return {c: brief[c] if often[brief[c]] == 1 else full[c] for c in full}

    @cached_property
    def country_looks(self) -> dict[str, Look]:
        """Name of a country -> its look on all pages. Those with most plants have the first colours."""
        plants = Counter(f.country for f in self.instance.facilities)
        others = sorted(set(self.countries) - self.concern, key=lambda c: (-plants[c], c))
        looks = {self.countries[c]: look(n, COUNTRIES) for n, c in enumerate(others)}
        return looks | {self.countries[c]: Look(CONCERN) for c in self.concern}

    @cached_property
    def materials(self) -> dict[str, str]:
        """Material -> its name."""
        return {m.material: m.name for m in self.instance.materials}

    @cached_property
    def facilities(self) -> dict[str, Facility]:
        """Facilities by key."""
        return {f.facility: f for f in self.instance.facilities}

    @cached_property
    def options(self) -> dict[str, Option]:
        """Options by key."""
        return {o.option: o for o in self.instance.options}

    @cached_property
    def operations_of(self) -> dict[str, list[Operation]]:
        """Facility -> what it can do."""
        found: dict[str, list[Operation]] = defaultdict(list)
        for row in self.instance.operations:
            found[row.facility].append(row)
        return dict(found)

    @cached_property
    def ranges(self) -> dict[tuple[str, str, str], Evidence]:
        """(table, key, column) -> what evidence.csv says of the number."""
        return {(e.table, e.key, e.column): e for e in self.instance.evidence}

    def project(self, option: str) -> str:
        """Return the name of an option's project, with a star for a startup; its key, if another instance has it."""
        row = self.options.get(option)
        if row is None:
            return option
        return f"{row.name} {STARTUP}" if self.facilities[row.facility].startup else row.name

    def home(self, option: str) -> str:
        """Return the name of an option's country; "" if another instance has the option."""
        row = self.options.get(option)
        return self.countries[self.facilities[row.facility].country] if row else ""

    def stage_of_project(self, option: str) -> str:
        """Return the latest stage that an option's plant can work at; "" if none."""
        row = self.options.get(option)
        return self.stage_of_facility.get(row.facility, "") if row else ""

    @cached_property
    def sectors(self) -> dict[str, str]:
        """Sector -> its name."""
        return {s.sector: s.name for s in self.instance.sectors}

    @cached_property
    def concern(self) -> frozenset[str]:
        """Countries of concern."""
        return frozenset(self.instance.countries_of_concern)

    @property
    def concern_name(self) -> str:
        """The name of the country of concern, if there is just one; else ``countries of concern``."""
        return self.countries[next(iter(self.concern))] if len(self.concern) == 1 else _("countries of concern")

    # --- the chain ---

    @cached_property
    def stage_of(self) -> dict[str, str]:
        """Strategic material -> its stage."""
        return {m.material: m.stage for m in self.instance.materials if m.strategic and m.stage}

    def strategic(self, stage: str) -> list[str]:
        """Return the strategic materials of a stage."""
        return [m for m, s in self.stage_of.items() if s == stage]

    @cached_property
    def recipes(self) -> dict[tuple[str, str], list[str]]:
        """(process, ``input`` or ``output``) -> materials."""
        materials: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self.instance.recipes:
            materials[row.process, row.role].append(row.material)
        return materials

    @cached_property
    def _yields(self) -> dict[tuple[str, str, str], dict[int | None, float]]:
        series: dict[tuple[str, str, str], dict[int | None, float]] = {
            (r.process, r.material, r.role): {None: r.t_per_t} for r in self.instance.recipes
        }
        own: dict[tuple[str, str, str], dict[int | None, float]] = defaultdict(dict)
        for row in self.instance.recipe_yields:
            own[row.process, row.material, row.role][row.year] = row.t_per_t
        return {**series, **own}

    def t_per_t(self, process: str, material: str, role: str, year: int) -> float:
        """Return the tonnes of a material per tonne of activity of a process in a year; ``role``: input or output."""
        return series_value(self._yields[process, material, role], year)

    def stage_of_process(self, process: str) -> str:
        """Return the latest stage for which a process makes a strategic material; "" if none."""
        made = {self.stage_of.get(m, "") for m in self.recipes[process, "output"]}
        return next((s for s in reversed(self.instance.stages) if s in made), "")

    @cached_property
    def stage_of_facility(self) -> dict[str, str]:
        """Facility -> the latest stage it can work at, "" if none."""
        order = {s: i for i, s in enumerate(self.instance.stages)}
        found: dict[str, str] = {}
        for row in self.instance.operations:
            stage = self.stage_of_process(row.process)
            if order.get(stage, -1) >= order.get(found.get(row.facility, ""), -1):
                found[row.facility] = stage
        return found

    def recycles(self, process: str) -> bool:
        """Whether a process makes strategic material only from others, such as scrap or swarf."""
        inputs = self.recipes[process, "input"]
        return bool(inputs) and bool(self.stage_of_process(process)) and not any(m in self.stage_of for m in inputs)


@dataclass
class View(Names):
    """What a report shows: an instance, the run of it, and what else was found out about them."""

    run: Run
    studies: tuple[Shown, ...] = ()

    @property
    def plan(self) -> dict[str, Any]:
        """Content of plan.json."""
        return self.run.plan

    @property
    def tables(self) -> Tables:
        """Result tables by name."""
        return self.run.tables

    # --- tonnes a year ---

    @cached_property
    def made(self) -> dict[Place, float]:
        """t/yr made at a place; the provenance is that of what comes out."""
        tonnes: dict[Place, float] = defaultdict(float)
        for r in self.tables["activity"].itertuples():
            for m in self.recipes[r.process, "output"]:
                per_t = self.t_per_t(r.process, m, "output", r.year)
                tonnes[m, r.country, r.output_provenance, r.year] += per_t * r.activity_t
        return dict(tonnes)

    @cached_property
    def used_by_process(self) -> dict[Place, dict[str, float]]:
        """Place -> process -> t/yr that go into it; the provenance is that of what goes in."""
        tonnes: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for r in self.tables["activity"].itertuples():
            for m in self.recipes[r.process, "input"]:
                per_t = self.t_per_t(r.process, m, "input", r.year)
                tonnes[m, r.country, r.input_provenance, r.year][r.process] += per_t * r.activity_t
        return {place: dict(by) for place, by in tonnes.items()}

    @cached_property
    def delivered(self) -> dict[Place, float]:
        """t/yr delivered to demand at a place, as what is asked for or in place of another material."""
        tonnes: dict[Place, float] = defaultdict(float)
        for year, consumers in deliveries(self.instance, self.tables).items():
            for (country, _sector, material), taken in consumers.items():
                for q, t in taken.items():
                    tonnes[material, country, q, year] += t
        return dict(tonnes)

    @cached_property
    def arrived(self) -> dict[Place, dict[str, float]]:
        """Place -> country of origin -> t/yr that arrive from there."""
        tonnes: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for r in self.tables["flows"].itertuples():
            tonnes[r.material, r.destination, r.provenance, r.year][r.origin] += r.t
        return {place: dict(by) for place, by in tonnes.items()}

    @cached_property
    def sold(self) -> dict[Place, float]:
        """t/yr sold to buyers at a place."""
        tonnes: dict[Place, float] = defaultdict(float)
        for r in self.tables["sales"].itertuples() if "sales" in self.tables else ():
            tonnes[r.material, r.country, r.provenance, r.year] += r.t
        return dict(tonnes)

    @cached_property
    def drawn(self) -> dict[Place, float]:
        """t/yr drawn from stock at a place."""
        tonnes: dict[Place, float] = defaultdict(float)
        for r in self.tables["stocks"].itertuples():
            tonnes[r.material, r.country, r.provenance, r.year] += r.draw_t
        return dict(tonnes)

    @cached_property
    def downgraded(self) -> dict[tuple[str, str, int], float]:
        """(material, country, year) -> t/yr of clean material that is used as exposed."""
        rows = self.tables["adjustments"]
        return {(r.material, r.country, r.year): r.t for r in rows.itertuples() if r.kind == "downgrade"}

    def consumed(self, material: str, country: str, year: int) -> float:
        """Return the t/yr used, delivered or sold in a country, of both provenances."""
        return sum(
            sum(self.used_by_process.get((material, country, q, year), {}).values())
            + self.delivered.get((material, country, q, year), 0.0)
            + self.sold.get((material, country, q, year), 0.0)
            for q in PROVENANCES
        )

    # --- dependence ---

    @cached_property
    def exposed_share(self) -> dict[int, float]:
        """Year -> exposed share of deliveries, traced along the chain; only years with deliveries."""
        return _by_year(self.plan["metrics"]["exposed_share"])

    @cached_property
    def stage_share(self) -> dict[str, dict[int, float]]:
        """Stage -> year -> share made or bought in countries of concern; only years in which anything was."""
        return {s: _by_year(shares) for s, shares in self.plan["metrics"]["stage_share"].items()}


def _by_year(shares: Mapping[str, float | None]) -> dict[int, float]:
    return {int(y): s for y, s in shares.items() if s is not None}
