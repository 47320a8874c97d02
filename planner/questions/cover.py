"""The cost of holding out: least-cost stocks and capacity that serve consumers through a disruption of given length."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..arguments import checked, fraction
from ..bands import difference, span_of
from ..errors import Infeasible, UsageError, hinted
from ..instance.loading import given_instance
from ..language import _, number, p_
from ..runs.tables import PROVENANCES
from ..words import commas, figure_of, percent_of, share_of
from .study import COMPLETE, SETTINGS, Study, Table, Value, text_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..instance.instance import Instance
    from ..runs.run import Run
    from ..solving.solver import Progress
    from .stress.cases import Case, Shock
    from .stress.planned import Planned

MONTHS = (1, 3, 6, 12)


@dataclass(frozen=True, repr=False)
class Cover(Study):
    """Least-cost plans that serve consumers through a disruption, by its length.

    table     the lengths: what cover.csv holds
    stocks    each stockpile at the shock
    switches  modules built more or fewer than for 0 months
    reason    why no plan holds out, for the length that is infeasible
    """

    COMMAND, MANIFEST, OF = "cover", "cover.json", "instance"
    HOLDS = (
        Value("case", "what is lost, as in `planner stress`"),
        Value("year", "when it begins, unforeseen"),
        Value("level", "part of demand to be served in every country while it lasts"),
        Value("sectors", "those to be served; none: all"),
        COMPLETE,
        Value("reason", "why no plan holds out for the length that is infeasible"),
        SETTINGS,
        Table(
            "points",
            "Each length, 0 months first.",
            """
            months           | integer | months | how long it lasts
            objective_musd   | number  | MUSD   | present cost
            gap              | number  | share  | relative gap of the search
            extra_musd       | number  | MUSD   | present cost beyond that for 0 months, between the plans found
            extra_least_musd | number  | MUSD   | the same at least, as the gaps of both searches allow
            extra_most_musd  | number  | MUSD   | the same at most
            stock_t          | number  | t      | stocks at the shock, of all materials
            holding_musd     | number  | MUSD   | present value of holding stocks over the horizon
            capex_musd       | number  | MUSD   | overnight cost of what is built
            extra_capex_musd | number  | MUSD   | the same beyond that for 0 months
            status           | text    |        | of the solve; `infeasible`: no plan holds out so long, and the longer
                lengths were not tried
            """,
            file="cover.csv",
            attribute="table",
        ),
        Table(
            "stocks",
            "Each stockpile at the shock.",
            """
            months    | integer | months | how long the disruption lasts
            stockpile | text    |        | the stockpile
            country   | text    |        | where it is
            material  | text    |        | what lies in it
            stock_t   | number  | t      | how much
            """,
        ),
        Table(
            "switches",
            "What is built otherwise than for 0 months.",
            """
            months  | integer | months  | how long the disruption lasts
            option  | text    |         | the option
            modules | number  | modules | what is built of it
            change  | number  | modules | more than for 0 months
            """,
        ),
    )  # fmt: skip

    case: str
    year: int
    level: float
    sectors: tuple[str, ...]
    table: pd.DataFrame
    stocks: pd.DataFrame
    switches: pd.DataFrame
    reason: str = ""
    complete: bool = True
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            _(
                "{share} of {sectors} served through {case} from {year}",
                share=percent_of(self.level),
                sectors=commas(self.sectors) or _("all sectors"),
                case=self.case,
                year=self.year,
            ),
            *text_table(
                [
                    *((p_("heading", "months"), ">6"), ("MUSD", ">11"), (_("gap"), ">6"), (_("extra MUSD"), ">16")),
                    *((_("stock t"), ">9"), (_("holding"), ">8"), (_("extra capex"), ">12")),
                ],
                [
                    (
                        *(f"{r.months}", figure_of(r.objective_musd, 6), share_of(r.gap, 2)),
                        span_of(r.extra_musd, r.extra_least_musd, r.extra_most_musd),
                        *(figure_of(r.stock_t, 4), figure_of(r.holding_musd, 4), figure_of(r.extra_capex_musd, 4)),
                    )
                    for r in self.table.itertuples()
                    if r.status != "infeasible"
                ],
            ),
        ]
        impossible = self.table[self.table["status"] == "infeasible"]
        lines += [f"{r.months:>6} " + _("no plan holds out so long") for r in impossible.itertuples()]
        if self.reason:
            lines += self.reason.splitlines()[:4]
        longest = self.table.loc[self.table["status"] != "infeasible", "months"].max()
        held = self.stocks[(self.stocks["months"] == longest) & (self.stocks["stock_t"] > 1e-3)]
        if len(held):
            lines.append(_("Stocks at the shock, for {n} months:", n=longest))
        for r in held.sort_values("stock_t", ascending=False).itertuples():
            tonnes = figure_of(r.stock_t, 4)
            told = _(
                "{name}: {tonnes} t ({material}, {country})",
                name=r.stockpile,
                tonnes=tonnes,
                material=r.material,
                country=r.country,
            )
            lines.append(f"  {told}")
        built = self.switches[self.switches["months"] == longest]
        if len(built):
            lines.append(_("Built otherwise, for {n} months (modules):", n=longest))
        for r in built.reindex(built["change"].abs().sort_values(ascending=False).index).head(12).itertuples():
            lines.append("  " + _("{head}: {parts}", head=r.option, parts=number(f"{r.change:+,.3g}")))
        if not self.complete:
            lines.append(_("Interrupted: the lengths solved so far."))
        return "\n".join(lines)


@checked
def cover(
    instance: Instance | str | Path,
    against: str,
    year: int,
    *,
    months: Sequence[int] = MONTHS,
    from_month: int | None = None,
    clock: str | None = None,
    level: float | str = 0.9,
    sectors: Collection[str] = (),
    gap: float | str | None = None,
    time_limit: float | None = None,
    threads: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Cover:
    """Find what it costs to hold out for each length of a disruption; stocks and capacity are sized together.

    against  a case of `planner.stress`, such as ``export_stop:CHN``, ``outage:CHN/separation`` or a plant's
    year     in which it begins, unforeseen: the stocks held then are those of the undisturbed plan
    months   lengths. By the clock of years up to 12, or whole years as multiples of 12, and a part of a year stops that
             part of its flows, measured on the exports of the plan that need not hold out
    from_month  month of the year in which it begins, 1 to 12; None: January
    clock    ``month``: the years that it touches, and the one after, are divided into months; ``year``: a period is a
             mean over its years; None: months, or years where a period is longer than a year
    level    part of the demand of the sectors (all if none is named) that must be served in every country, in every
             month of the years that it touches (by the clock of years: in each of these); the disruption has
             probability 0: a promise that is kept, not a bet

    The plan for 0 months is solved first; caps and rules of the instance hold in all. Scenarios of the instance are
    left out. Raises UsageError for cases, years, months and sectors that cannot be, and what `solve` raises.
    """
    instance = given_instance(instance)
    gap = fraction(gap, "gap")
    level = fraction(level, "level")
    import pandas as pd

    from .solve import solve_unless_stopped
    from .stress.planned import Planned

    lengths = _lengths(instance, year, months, clock, from_month)
    _check(instance, level, sectors)
    options = {"gap": gap, "time_limit": time_limit, "threads": threads, "seed": seed}
    own = ("branch_service", "disruptions", "scenarios")
    quiet = instance.changed(without={table: {} for table in own if instance.rows(table)})
    base = solve_unless_stopped(quiet, progress=progress, **options)
    planned = Planned(quiet, base)
    trials = [
        (shock.lasts, _case(quiet, planned, against, shock)) for shock in lengths
    ]  # made before any is solved, so that a mistake is reported at once
    plans: dict[int, Run] = {0: base}
    reason, complete, failed = "", True, None
    try:
        for m, case in trials:
            if progress:
                progress(f"{m} months")
            try:
                plans[m] = solve_unless_stopped(_promised(quiet, case, level, sectors), progress=progress, **options)
            except Infeasible as stuck:
                reason, failed = str(stuck), m
                break
        cheapest = min(plans.values(), key=lambda plan: plan.objective_musd)
        if difference(cheapest.searched, base.searched).found < 0.0:  # a plan that holds out is one that need not, too
            plans[0] = base = solve_unless_stopped(quiet, start=cheapest, progress=progress, **options)
    except KeyboardInterrupt:
        complete = False
    gone = (lengths[0].from_month - 1) / 12 if lengths[0].from_month else 0.0
    rows = [_point(quiet, m, plan, base, year, gone) for m, plan in plans.items()]
    if failed is not None:
        rows.append({"months": failed, "status": "infeasible"})
    stocks = [row for m, plan in plans.items() for row in _stocks(quiet, m, plan, year, gone)]
    switches = [row for m, plan in plans.items() for row in _switches(m, plan, base)]
    return Cover(
        case=against,
        year=year,
        level=level,
        sectors=tuple(sectors),
        table=pd.DataFrame(rows, columns=Cover.columns("points")),
        stocks=pd.DataFrame(stocks, columns=Cover.columns("stocks")),
        switches=pd.DataFrame(switches, columns=Cover.columns("switches")),
        reason=reason,
        complete=complete,
        settings={**options, "from_month": from_month, "clock": "month" if lengths[0].from_month else "year"},
    )


def _lengths(
    instance: Instance, year: int, months: Sequence[int], clock: str | None, from_month: int | None
) -> list[Shock]:
    """Return a shock for each length in months, the shortest first. Raises UsageError for what cannot be."""
    from .stress.cases import Shock, clock_of

    if not months:
        raise UsageError("no length to hold out for: give months such as 1,3,6,12")
    listed = sorted(set(months))
    for m in listed:
        if m < 1:
            raise UsageError(f"months = {m}: expected 1 or more")
    by_months = clock_of(instance, clock, from_month, [Shock(1.0, year, months=m) for m in listed])
    if by_months[-1].from_month:
        return by_months
    for m in listed:
        if m > 12 and m % 12:
            raise UsageError(f"months = {m}: expected 1 to 12, or whole years such as 24, by the clock of years")
    return [Shock(1.0, year, months=m) if m <= 12 else Shock(1.0, year, years=m // 12) for m in listed]


def _check(instance: Instance, level: float, sectors: Collection[str]) -> None:
    """Raise UsageError if the level or a sector cannot be, or if the instance asks for cover itself."""
    if not 0.0 < level <= 1.0:
        raise UsageError(f"level = {level:g}: expected a part above 0, up to 1")
    known = [s.sector for s in instance.sectors]
    for sector in sectors:
        if sector not in known:
            raise UsageError(hinted(f'no sector "{sector}"', sector, known))
    if instance.survive:
        raise UsageError("an instance with [security] survive asks for cover already: take survive out of it")


def _case(instance: Instance, planned: Planned, against: str, shock: Shock) -> Case:
    """Return the case of `planner.stress` with the name ``against``. Raises UsageError if there is none."""
    from .stress.cases import cases

    candidates = cases(instance, planned, ("country", "stage", "facility", "material"), [shock], [against])
    named = [c for c in candidates if c.name == against]
    if not named:
        names = ", ".join(c.name for c in candidates if c.rows)
        raise UsageError(f'against "{against}": name one case, such as one of {names}')
    return named[0]


def _promised(instance: Instance, case: Case, level: float, sectors: Collection[str]) -> Instance:
    """Return the instance with the case as a scenario of probability 0, in which the sectors must be served.

    level    share of their demand, above 0, up to 1
    sectors  empty: all
    """
    from ..instance.tables import cells
    from .stress.cases import SCENARIO

    why = {"note": "assumption: asked for by planner cover"}
    years = {"first_year": case.first, "last_year": case.last}
    when = {"first_month": case.from_month, "months": case.months} if case.from_month else {"last_year": case.last}
    floors = [
        {"scenario": SCENARIO, "sector": s.sector, "min_service": level, **years, **why}
        for s in instance.sectors
        if not sectors or s.sector in sectors
    ]
    scenario = {"scenario": SCENARIO, "name": case.name, "probability": 0, "first_year": case.first, **when, **why}
    rows: dict[str, list[dict[str, Any]]] = {
        "scenarios": [scenario],
        "disruptions": [{**cells(row), **why} for row in case.rows],
        "branch_service": floors,
    }
    return instance.changed(rows=rows)


def _point(instance: Instance, months: int, plan: Run, base: Run, year: int, gone: float) -> dict[str, Any]:
    """Return the row of cover.csv for a length in months; ``base`` is the plan for 0 months."""
    stocks = _stocks(instance, months, plan, year, gone)
    capex = _overnight(plan)
    # to keep a promise never costs less than not to
    band = difference(plan.searched, base.searched).at_least_nothing()
    costs = plan.tables["costs"]
    holding = float(costs.loc[costs["component"] == "holding", "present_musd"].sum())
    return {
        "months": months,
        "objective_musd": plan.objective_musd,
        "gap": plan.plan["gap"],
        "extra_musd": band.found,
        "extra_least_musd": band.least,
        "extra_most_musd": band.most,
        "stock_t": sum(row[4] for row in stocks),
        "holding_musd": holding,
        "capex_musd": capex,
        "extra_capex_musd": round(capex - _overnight(base), 6),
        "status": plan.status,
    }


def _overnight(plan: Run) -> float:
    """Return the overnight cost of all that a plan builds, MUSD."""
    return float(plan.tables["builds"]["capex_musd"].sum())


def _start(instance: Instance, year: int) -> int:
    """Return the first year of the period in which a calendar year lies."""
    return max(y for y in instance.years if y <= year)


def _stocks(instance: Instance, months: int, plan: Run, year: int, gone: float) -> list[tuple[Any, ...]]:
    """Return the rows of the table ``stocks``: what each stockpile holds when the shock comes, t.

    gone  share of the year that has gone by then
    """
    from .stress.planned import Planned

    held = Planned(instance, plan).openings(_start(instance, year), gone)
    return [
        (months, s.stockpile, s.country, s.material, sum(held.get((s.stockpile, q), 0.0) for q in PROVENANCES))
        for s in instance.stockpiles
    ]


def _switches(months: int, plan: Run, base: Run) -> list[tuple[Any, ...]]:
    """Return the rows of the table ``switches``: options of which a plan builds more or fewer modules than ``base``."""
    built, was = (p.tables["builds"].groupby("option")["modules"].sum() for p in (plan, base))
    change = built.sub(was, fill_value=0.0)
    return [
        (months, option, float(built.get(option, 0.0)), float(by)) for option, by in change.items() if abs(by) > 1e-6
    ]
