"""The comparison of plans: their cost, dependence, builds, flows, funding and shortages side by side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from ..arguments import checked
from ..bands import WIDE, Searched, difference
from ..errors import UsageError, hinted
from ..language import N_, _, number, translated
from ..runs.outlays import by_payer
from ..runs.run import given_run
from ..runs.tables import component_in_words
from ..solving.pins import in_words
from ..words import figure_of, listed, points_of, semicolons, share_of, spans_of
from .study import NOTES, Study, Table, Value, text_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..instance.instance import Instance
    from ..runs.run import Run

SMALL_T = 0.5  # t over the common years; smaller differences in flows and shortages are not shown
NOTHING = 1e-4  # MUSD or t; a total of less in all plans is what the tolerance of the solver leaves, and is not shown
SMALL_MUSD = 1e-6  # smallest difference that is shown in the other tables, in the unit of the table
LEAST_GAP = 1e-5  # relative; smaller gaps are rarely reached in large models
SMALL_PART = 1e-6  # relative; a change of less than this part of the larger number is rounding, and is set to 0

PLANS = (
    "one column for each plan, under its name; the last column, `change`, is the last plan's number less the first "
    "plan's. It is blank for money if the plans differ in currency, price year or discount rate, and for the cost if "
    "the gaps of the searches leave open which plan costs more"
)


@dataclass(frozen=True, repr=False)
class Comparison(Study):
    """Two or more plans side by side; the first plan is the base.

    Every frame has its key columns, one column for each plan, and the column ``change``. The frames are the tables of
    the same names in HOLDS, which states their columns and units.

    names   names of the plans, which are also the names of their columns
    years   first years of the periods that all plans have; the table ``dependence`` has these years
    notes   sentences that a reader of the comparison should know
    of      digest of each plan, see `Run.digest`
    answers  in words: how cost, dependence and shortage of each plan but the base differ from the base
    money   currency, price year and discount rate of each plan, in words
    bounds  lower bound of each search, MUSD: no plan of the same instance costs less
    """

    COMMAND, MANIFEST, OF = "compare", "compare.json", "plans"
    HOLDS = (
        Value("names", "names of the plans, the base first"),
        Value("of", "digest of each plan, see `planner.Run.digest`"),
        Value("years", "first years of the periods that all plans have; `dependence` has these years"),
        Value("money", "currency, price year and discount rate of each plan; costs compare only if all are the same"),
        Value("answers", "in words: how each plan but the base differs in cost, dependence and shortage"),
        Value("bounds", "lower bound of each search, MUSD: no plan of the same instance costs less"),
        Table(
            "totals",
            "Cost and its components, capex, public money, shortage and exposed share of each plan.",
            """
            quantity | text | | what is compared
            unit     | text | | its unit
            """,
            further=PLANS,
        ),
        Table(
            "dependence",
            "The metrics `exposed_share` and `stage_share` by year, as fractions.",
            """
            metric | text    |      | the metric
            stage  | text    |      | the stage; empty for `exposed_share`
            year   | integer | year | first year of the period
            """,
            further=PLANS,
        ),
        Table(
            "builds",
            "Nameplate capacity that is started over the whole horizon, t/yr (t for a stockpile).",
            """
            option   | text | | the option
            facility | text | | its facility, or its stockpile
            country  | text | | the country of the facility
            when     | text | | start years; if the plans differ, those of each plan, separated by ` / `
            """,
            further=PLANS,
        ),
        Table(
            "flows",
            "Amounts moved between countries, t over the common years.",
            """
            material    | text | | material that is moved
            origin      | text | | country from which it is moved
            destination | text | | country to which it is moved
            """,
            further=PLANS,
        ),
        Table(
            "funding",
            "Capital by source, MUSD over the whole horizon.",
            """
            source | text | | the fund, or `private`
            """,
            further=PLANS,
        ),
        Table(
            "shortages",
            "Demand that is not served, t over the common years.",
            """
            country  | text | | country of the consumer
            sector   | text | | sector of the consumer
            material | text | | material that is short
            """,
            further=PLANS,
        ),
        NOTES,
    )  # fmt: skip

    names: tuple[str, ...]
    years: tuple[int, ...]
    totals: pd.DataFrame
    dependence: pd.DataFrame
    builds: pd.DataFrame
    flows: pd.DataFrame
    funding: pd.DataFrame
    shortages: pd.DataFrame
    notes: tuple[str, ...] = field(default=())
    answers: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    money: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    runs: tuple[Run, ...] = field(default=(), repr=False)

    @property
    def instance(self) -> Instance:
        """The instance of the base, whose names a chart shows. Raises UsageError if it is not found."""
        return self.runs[0].instance

    @property
    def figures(self) -> pd.DataFrame:
        """One row for each plan: its key figures, and how they differ from those of the base; see `figures_of`."""
        import pandas as pd

        rows = figures_of(self.names, self.of, self.money, self.bounds, self.totals.to_dict("records"))
        return pd.DataFrame(rows).set_index("plan").drop(columns="band")

    def differences(self, table: str) -> pd.DataFrame:
        """Return the rows of a table in which the plans differ, the largest difference first.

        table  name of a table of HOLDS

        A row counts as different if the numbers differ by more than rounding, if some but not all of them are blank,
        or, for ``builds``, if the start years differ.
        """
        frame = getattr(self, table)
        spread = frame[list(self.names)].max(axis=1) - frame[list(self.names)].min(axis=1)
        blank = frame[list(self.names)].isna().any(axis=1) & ~frame[list(self.names)].isna().all(axis=1)
        least = {"flows": SMALL_T, "shortages": SMALL_T}.get(table, SMALL_MUSD)
        moved = frame["when"].str.contains(" / ") if table == "builds" else blank
        kept = frame[(spread > least) | blank | moved]
        return kept.loc[spread[kept.index].sort_values(ascending=False, kind="stable").index]

    def __str__(self) -> str:
        two = len(self.names) == 2
        base = _("Plans, years {years}; the base is {name}", years=spans_of(self.years), name=self.names[0])
        lines = [*self.answers, base]
        lines += self._figures_in_text()
        nothing = (self.totals[list(self.names)].abs() <= NOTHING).all(axis=1)
        others = self.totals[~nothing & ~self.totals["quantity"].isin(["cost", "exposed share"])]
        others = others.assign(
            quantity=[quantity_in_words(q) for q in others["quantity"]],
            unit=[translated(unit) for unit in others["unit"]],
        )
        lines += [_("Totals"), *_text_table(others, ["quantity", "unit"], self.names, change=two)]
        lines += [_("Traced dependence by year"), *self._dependence_in_text()]
        for table, title in (
            ("builds", _("Built otherwise (t of capacity started)")),
            ("flows", _("Moved otherwise (t over the years in common)")),
            ("funding", _("Paid otherwise by funds and private capital (MUSD)")),
            ("shortages", _("Short otherwise (t over the years in common)")),
        ):
            rows = self.differences(table)
            if rows.empty:
                lines.append(_("{title}: nothing", title=title))
                continue
            if len(rows) > 12:
                title = _("{title}, the largest 12 of {n}", title=title, n=len(rows))
            keys = ["option", "country", *(["when"] if two else [])] if table == "builds" else self.columns(table)
            lines += [title, *_text_table(rows.head(12), keys, self.names, change=two)]
        return "\n".join(lines + [_("Note: {note}", note=n) for n in self.notes])

    def _figures_in_text(self) -> list[str]:
        """Return the key figures, one line for each plan; what is 0 in all plans is left out."""
        rows = figures_of(self.names, self.of, self.money, self.bounds, self.totals.to_dict("records"))
        shown: list[tuple[str, str, Callable[[Mapping[str, Any]], str]]] = [
            (_("plan"), "<", lambda r: str(r["plan"])),
            ("MUSD", ">", lambda r: figure_of(r["cost_musd"], 6)),
            (_("against the base"), "<", lambda r: "" if r["band"] is None else r["band"].told(figure_of)),
            (_("exposed"), ">", lambda r: share_of(r["exposed_share"])),
            (_("points"), ">", lambda r: "" if r["plan"] == self.names[0] else points_of(r["exposed_change"])),
        ]
        for column, title in (
            ("capex_musd", _("capex MUSD")),
            ("public_musd", _("public MUSD")),
            ("short_t", _("short t")),
        ):
            if any(abs(r[column]) > NOTHING for r in rows):
                shown.append((title, ">", lambda r, c=column: figure_of(r[c], 5)))  # type: ignore[misc]
        return _aligned(
            [(title, side) for title, side, _tell in shown], [[tell(r) for *_, tell in shown] for r in rows]
        )

    def _dependence_in_text(self) -> list[str]:
        """Return the traced dependence: a line for each plan, a column for each year; of two plans the change too."""
        traced = self.dependence[self.dependence["metric"] == "exposed_share"]
        rows = [[name, *(share_of(share) for share in traced[name])] for name in self.names]
        if len(self.names) == 2:
            rows.append([_("change, points"), *("-" if c != c else points_of(c) for c in traced["change"])])
        return _aligned([(_("plan"), "<"), *((str(year), ">") for year in traced["year"])], rows)


def figures_of(
    names: Sequence[str],
    of: Sequence[str],
    money: Sequence[str],
    bounds: Sequence[float],
    totals: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return the key figures of each plan of a comparison, the base first. The arguments are those of its fields.

    totals  the rows of the table of this name

    A row has ``plan``, ``cost_musd``, ``change_musd`` against the base with its range ``least_musd`` to ``most_musd``
    by the gaps of both searches, ``band`` (the same as a `Band`; None for the base, and in other money),
    ``exposed_share``, ``exposed_change``, ``capex_musd``, ``public_musd`` and ``short_t``.
    """
    told = {str(row["quantity"]): row for row in totals}
    base, nan, rows = names[0], float("nan"), []
    for name, digest, bound in zip(names, of, bounds, strict=True):
        number = {quantity: nan if row[name] is None else float(row[name]) for quantity, row in told.items()}
        band = None
        if name != base and len(set(money)) == 1:
            one, other = Searched(number["cost"], bound), Searched(float(told["cost"][base]), bounds[0])
            if digest == of[0]:  # one and the same plan
                one = other = Searched(one.cost, one.cost)
            band = difference(one, other)
        shared = told["exposed share"][base]
        rows.append(
            {
                "plan": name,
                "cost_musd": number["cost"],
                "change_musd": nan if band is None else band.found,
                "least_musd": nan if band is None else band.least,
                "most_musd": nan if band is None else band.most,
                "band": band,
                "exposed_share": number["exposed share"],
                "exposed_change": number["exposed share"] - (nan if shared is None else float(shared)),
                "capex_musd": number["capex"],
                "public_musd": number["public money"],
                "short_t": number["short"],
            }
        )
    return rows


QUANTITIES = (  # of the table ``totals``, with their units
    N_("cost"), N_("capex"), N_("public money"), N_("outlays of floors and offtakes"), N_("short"),
    N_("replaced by substitutes"), N_("exposed share"), N_("MUSD present"), N_("MUSD overnight"), N_("units"),
    N_("of deliveries"),
)  # fmt: skip
KEYS = (N_("quantity"), N_("unit"), N_("option"), N_("country"), N_("when"), N_("facility"), N_("material"),
        N_("origin"), N_("destination"), N_("source"), N_("sector"))  # fmt: skip


def quantity_in_words(quantity: str) -> str:
    """Return a quantity of the table ``totals`` in words."""
    if quantity.startswith("of which "):
        return _("of which {component}", component=component_in_words(quantity.removeprefix("of which ")))
    if quantity.startswith("impact "):
        return _("impact {of}", of=quantity.removeprefix("impact "))
    return translated(quantity)


def _aligned(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of text; a column has a title and a side, ``<`` or ``>``."""
    widths = [max(cell_len(title), *(cell_len(row[c]) for row in rows)) for c, (title, _side) in enumerate(columns)]
    wide = [(title, f"{side}{width}") for (title, side), width in zip(columns, widths, strict=True)]
    return [f"  {line}".rstrip() for line in text_table(wide, rows, "  ")]


def _text_table(frame: pd.DataFrame, keys: Sequence[str], names: Sequence[str], change: bool) -> list[str]:
    """Return the rows of a frame as aligned lines of text.

    keys    columns printed as text
    names   columns of the plans, printed as numbers
    change  whether the column ``change`` follows
    """

    def number(value: float) -> str:
        return "-" if value != value else figure_of(value, 5) if abs(value) >= 1e-9 else "0"

    def signed(value: float) -> str:
        return f"+{number(value)}" if value >= 1e-9 else number(value)

    more = [(_("change"), ">")] if change else []
    return _aligned(
        [*((translated(key), "<") for key in keys), *((name, ">") for name in names), *more],
        [
            [
                *(str(row[k]) for k in keys),
                *(number(row[n]) for n in names),
                *(signed(row["change"]) for _column in more),
            ]
            for row in frame.to_dict("records")
        ],
    )


@checked
def compare(*plans: Run | str | Path, names: Sequence[str] | None = None, base: str | None = None) -> Comparison:
    """Compare two or more plans: every other one with the base.

    plans  runs, or their folders
    names  one name for each plan; None: the names of the instances, numbered if two are the same
    base   the name of the plan that is the base, which becomes the first; None: the first

    Plans with different horizons are compared on the years that they share: dependence in years in which a period
    begins in all of them, amounts over the calendar years that all of them cover. Costs, builds and funding are always
    of the whole horizon. Raises UsageError if fewer than two plans are given, if there is not one name for each, if the
    base is none of them, or if the plans share no first year of a period.
    """
    import pandas as pd

    runs = [given_run(plan) for plan in plans]
    if len(runs) < 2:
        raise UsageError("expected two plans or more to compare")
    called = _names([str(p.plan["instance"]["name"]) for p in runs] if names is None else list(names))
    if len(called) != len(runs):
        raise UsageError(f"{len(called)} names for {len(runs)} plans")
    if base is not None:
        if base not in called:
            raise UsageError(hinted(f"base {base}: none of the plans {', '.join(called)}", base, called))
        first = called.index(base)
        runs.insert(0, runs.pop(first))
        called.insert(0, called.pop(first))
    common = sorted(set.intersection(*(set(p.lengths) for p in runs)))
    if not common:
        raise UsageError("the plans have no year in common in which a period begins")
    notes = []
    if any(p.lengths != runs[0].lengths for p in runs):
        notes.append(_("the plans have different periods: dependence, flows and shortages are of the years in common"))
        notes.append(_("costs are present values of each plan's own horizon and first year"))
    money = tuple(_money(p.plan.get("money")) for p in runs)
    if len(set(money)) > 1:
        told = semicolons(_("{plan} in {money}", plan=n, money=m) for n, m in zip(called, money, strict=True))
        notes.append(_("costs cannot be compared, because they are in different money: {parts}", parts=told))
    else:
        notes += _how_sure(called, runs)
    notes += [
        _("{name} is a linear relaxation: a bound on the cost, and no plan", name=name)
        for name, plan in zip(called, runs, strict=True)
        if plan.plan["settings"].get("relaxed")
    ]
    notes += [
        _("{name} was solved with builds held: {held}", name=name, held=held)
        for name, plan in zip(called, runs, strict=True)
        if (held := in_words(plan.plan["settings"].get("pins")))
    ]
    span = frozenset(common), frozenset.intersection(*(p.calendar_years for p in runs))
    frames = {t: _frame(t, called, [_measured(t, p, *span) for p in runs]) for t in Comparison.tables()}
    if len(set(money)) > 1:
        frames["totals"].loc[frames["totals"]["unit"].str.startswith("MUSD"), "change"] = float("nan")
        frames["funding"]["change"] = float("nan")
    elif not _apart(runs[-1], runs[0]):
        frames["totals"].loc[frames["totals"]["quantity"] == "cost", "change"] = float("nan")
    starts = [_starts(p) for p in runs]
    of = tuple(p.digest for p in runs)
    when = [_when(starts, str(option)) for option in frames["builds"]["option"]]
    frames["builds"].insert(3, "when", pd.Series(when, dtype=object))
    bounds = tuple(p.searched.bound for p in runs)
    answers = [] if len(set(money)) > 1 else _answers(called, runs, frames["totals"])
    return Comparison(
        tuple(called),
        tuple(common),
        **frames,
        notes=tuple(notes),
        answers=tuple(answers),
        of=of,
        money=money,
        bounds=bounds,
        runs=tuple(runs),
    )


def _answers(names: Sequence[str], plans: Sequence[Run], totals: pd.DataFrame) -> list[str]:
    """Return for each plan but the base a sentence that tells how it differs in cost, dependence and shortage."""
    told = totals.set_index("quantity")
    answers = []
    for name, plan in list(zip(names, plans, strict=True))[1:]:
        band = difference(plan.searched, plans[0].searched)
        said = {"plan": name, "change": band.told(), "base": names[0]}
        if band.same:
            costs = _("{plan} costs the same as {base}", **said)
        elif band.sign:
            costs = _("{plan} costs {change} than {base}", **said)
        else:
            costs = _("{plan} costs {change}", **said)
        base, other = told.loc["exposed share", [names[0], name]]
        short = told.loc["short", name] - told.loc["short", names[0]]
        parts = [costs]
        if base == base and other == other:
            parts.append(
                _("{share} of deliveries are exposed in place of {base}", share=share_of(other), base=share_of(base))
            )
        if abs(short) > SMALL_T:
            tonnes = figure_of(abs(short), 4)
            parts.append(
                _("{tonnes} t more are short", tonnes=tonnes)
                if short > 0.0
                else _("{tonnes} t less are short", tonnes=tonnes)
            )
        answers.append(semicolons(parts))
    return answers


def _apart(plan: Run, base: Run) -> bool:
    """Return whether the gaps of the two searches settle how the least costs of the two instances compare."""
    band = difference(plan.searched, base.searched)
    return band.same or band.sign != 0 or plan.digest == base.digest


def _how_sure(names: Sequence[str], plans: Sequence[Run]) -> list[str]:
    """Return notes on what the gaps of the searches leave open.

    One kind of note names a plan whose least cost cannot be told apart from that of the base, or only roughly. The
    other kind names a plan that would cost less with the builds of another one.
    """
    notes = []
    for name, plan in list(zip(names, plans, strict=True))[1:]:
        band = difference(plan.searched, plans[0].searched)
        gaps = listed([share_of(p.plan["gap"]) for p in (plans[0], plan)])
        if not _apart(plan, plans[0]):
            notes.append(
                _(
                    "the gaps of the searches ({gaps}) leave open whether {plan} or {base} costs more: the least cost "
                    "of {plan} is {change}. Differences in what they build and move may come from the gaps too; "
                    "{cure}",
                    gaps=gaps,
                    plan=name,
                    base=names[0],
                    change=band.told(),
                    cure=_to_settle(band.found, plans[0], plan),
                )
            )
        elif band.sign and band.most - band.least > WIDE * abs(band.found):
            notes.append(
                _(
                    "the least cost of {plan} is {change} than that of {base}, by the gaps of the searches ({gaps})",
                    plan=name,
                    change=band.told(),
                    base=names[0],
                    gaps=gaps,
                )
            )
    for name, plan in zip(names, plans, strict=True):
        tried = ((improved(plan, by), other) for other, by in zip(names, plans, strict=True))
        cheaper = [(cost, other) for cost, other in tried if cost is not None]
        if cheaper:
            cost, other = min(cheaper)
            notes.append(
                _(
                    "{plan} can be improved: its search ended at a gap, and with the builds of {other} it costs "
                    "{amount} MUSD less; solve it again with --start and the run of {other}",
                    plan=name,
                    other=other,
                    amount=figure_of(plan.objective_musd - cost, 4),
                )
            )
    return notes


def _to_settle(found: float, base: Run, plan: Run) -> str:
    """Return what gap would settle a difference as large as was found, MUSD, and how long the searches took."""
    took = listed([_("{n} s", n=f"{p.plan['seconds']['solve']:.0f}") for p in (base, plan)])
    cost = max(abs(base.objective_musd), abs(plan.objective_musd))
    gap = 0.5 * abs(found) / cost
    if gap < LEAST_GAP:
        return _(
            "the plans that were found cost the same, so no gap settles which costs more; solved again with --gap "
            "{gap} both are known to {amount} MUSD (so far the searches took {took})",
            gap=f"{LEAST_GAP:g}",
            amount=figure_of(LEAST_GAP * cost, 2),
            took=took,
        )
    digit = 10.0 ** math.floor(math.log10(gap))
    return _(
        "a difference as large as was found, {amount} MUSD, is settled by --gap {gap} (so far the searches took "
        "{took})",
        amount=figure_of(abs(found), 4),
        gap=f"{digit * math.floor(gap / digit):.1g}",
        took=took,
    )


def improved(plan: Run, by: Run) -> float | None:
    """Return the cost of a plan's instance with the builds of another plan, MUSD; None if ``plan`` costs no more.

    plan  the plan that may be improved
    by    the plan whose builds are tried

    The builds are tried only if they can improve ``plan``: if ``by`` costs less than ``plan``, but not less than the
    lower bound of ``plan``. Plans with held builds, another objective, a risk measure or outages to survive are left
    out, since their cost is not the least cost of the instance.
    """
    room = difference(by.searched, plan.searched)
    least_cost = not plan.plan["settings"].get("pins") and not plan.plan["settings"].get("objective")
    least_cost &= "survive" not in plan.plan and "risk" not in plan.plan
    if not least_cost or room.found >= -room.rounding or room.sign or plan.lengths != by.lengths:
        return None

    from ..solving.pins import Pins
    from ..solving.programme import Programme
    from ..solving.solver import Settings

    try:
        programme = Programme.of(plan.instance, Settings(), Pins.of(plan.instance, by))
    except UsageError:  # the instance is missing or changed, or it does not permit these builds
        return None
    found = programme.find()
    cost = programme.cost(found.x) if found.held else plan.objective_musd
    return cost if cost < plan.objective_musd - room.rounding else None


def _money(money: Mapping[str, Any] | None) -> str:
    """Return currency, price year and discount rate of a run in words; None: the run does not record them."""
    if money is None:
        return _("money that its run does not tell")
    return _(
        "{currency} of {price_year} at {rate} % a year",
        currency=money["currency"],
        price_year=money["price_year"],
        rate=number(f"{100 * money['discount_rate']:.3g}"),
    )


def _names(wished: list[str]) -> list[str]:
    """Return the names, numbered so that they differ from each other and from the key columns of all tables."""
    taken: set[str] = {"change", *(key for table in Comparison.tables() for key in Comparison.columns(table))}
    result = []
    for name in wished:
        unique, n = name, 2
        while unique in taken:
            unique, n = f"{name} ({n})", n + 1
        taken.add(unique)
        result.append(unique)
    return result


Measured = dict[tuple[Hashable, ...], float]  # values of the key columns -> number of one plan


def _totals(plan: Run, years: Collection[int]) -> Measured:
    """Return the numbers of a plan in the table ``totals``.

    years  calendar years over which outlays, shortage and exposed share are summed up; the rest is of the whole horizon
    """
    metrics = plan.plan["metrics"]
    found: Measured = {("cost", "MUSD present"): float(plan.plan["objective_musd"])}
    for component, musd in metrics["cost_musd"].items():
        found[f"of which {component.replace('_', ' ')}", "MUSD present"] = float(musd)
    found["capex", "MUSD overnight"] = float(metrics["capex_musd"])
    funding = plan.tables["funding"]
    found["public money", "MUSD"] = float(funding.loc[funding["source"] != "private", "musd"].sum())
    if owed := by_payer(plan.tables):
        counted = plan.years_counted(years)
        outlay = sum(musd * counted[year] for of in owed.values() for year, musd in of.items())
        found["outlays of floors and offtakes", "MUSD"] = outlay
    clean, exposed = plan.delivered(years)
    found["short", "t"] = plan.total("service", "short_t", years)
    if "impact_totals" in plan.tables:
        units = plan.spread("impact_totals", "units", years)
        for impact, amount in zip(plan.tables["impact_totals"]["impact"], units, strict=True):
            key = (f"impact {impact}", "units")
            found[key] = found.get(key, 0.0) + amount
    if "substitution" in plan.tables:
        found["replaced by substitutes", "t"] = plan.total("service", "replaced_t", years)
    found["exposed share", "of deliveries"] = exposed / (clean + exposed) if clean + exposed else float("nan")
    return found


def _dependence(plan: Run, years: Collection[int]) -> Measured:
    """Return the exposed share and the stage shares of a plan in the given first years of periods, as fractions."""
    rows = plan.tables["dependence"]
    rows = rows[(rows["cap"] == "") & (rows["material"] == "") & rows["year"].isin(years)]
    return {(r.metric, r.stage, int(r.year)): float(r.share) for r in rows.itertuples()}


def _starts(plan: Run) -> dict[str, list[int]]:
    """Return the start years of each option that a plan builds."""
    found: dict[str, list[int]] = defaultdict(list)
    for r in plan.tables["builds"].itertuples():
        found[str(r.option)].append(int(r.start_year))
    return found


def _when(starts: Sequence[Mapping[str, Sequence[int]]], option: str) -> str:
    """Return the start years of an option as text: of each plan, or once if they are the same in all plans.

    starts  option -> start years, for each plan
    """
    said = [spans_of(s.get(option, ())) or "-" for s in starts]
    return said[0] if len(set(said)) == 1 else " / ".join(said)


_SUMMED = {  # table of a comparison -> table of a run, column that is summed up, whether only the common years count
    "builds": ("builds", "capacity_t", False),  # a start is a decision of the whole horizon
    "flows": ("flows", "t", True),
    "funding": ("funding", "musd", False),
    "shortages": ("service", "short_t", True),
}


def _measured(table: str, plan: Run, first_years: Collection[int], years: Collection[int]) -> Measured:
    """Return the numbers of a plan in a table of the comparison, by the values of its key columns.

    first_years  first years of periods that all plans have
    years        calendar years that all plans have
    """
    if table not in _SUMMED:
        return _totals(plan, years) if table == "totals" else _dependence(plan, first_years)
    source, column, by_year = _SUMMED[table]
    rows = plan.tables[source]
    amounts = plan.spread(source, column, years) if by_year else rows[column]
    found: Measured = defaultdict(float)
    for key, amount in zip(rows[_keys(table)].itertuples(index=False), amounts, strict=True):
        if amount > 0.0 or not by_year:
            found[tuple(key)] += float(amount)
    return dict(found)


def _keys(table: str) -> list[str]:
    """Return the key columns by which numbers are collected; ``when`` is added to the table afterwards."""
    return [key for key in Comparison.columns(table) if key != "when"]


def _frame(table: str, names: Sequence[str], measured: Sequence[Measured]) -> pd.DataFrame:
    """Return a table of the comparison: key columns, one column for each plan, and ``change``.

    names     names of the plans
    measured  numbers of each plan, in the order of ``names``; a missing number is 0, or blank in ``dependence``
    """
    import pandas as pd

    blank = float("nan") if table == "dependence" else 0.0
    keys = list(dict.fromkeys(key for m in measured for key in m))
    if table != "totals":
        keys.sort(key=lambda key: tuple((isinstance(part, str), part) for part in key))
    rows = [(*key, *(m.get(key, blank) for m in measured)) for key in keys]
    frame = pd.DataFrame(rows, columns=[*_keys(table), *names])
    for name in names:
        frame[name] = frame[name].astype(float)
    change = frame[names[-1]] - frame[names[0]]
    least = SMALL_PART * frame[[names[-1], names[0]]].abs().max(axis=1)
    frame["change"] = change.mask(change.abs() <= least, 0.0)
    return frame
