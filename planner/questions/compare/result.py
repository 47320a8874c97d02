"""The result of a comparison: its tables, key figures and text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from ...bands import Searched, difference
from ...language import N_, _, translated
from ...runs.tables import component_in_words
from ...words import figure_of, points_of, share_of, spans_of
from ..study import NOTES, Study, Table, Value, text_table

if TYPE_CHECKING:
    import pandas as pd

    from ...instance.instance import Instance
    from ...runs.run import Run

SMALL_T = 0.5  # t over the common years; smaller differences in flows and shortages are not shown
NOTHING = 1e-4  # MUSD or t; a total of less in all plans is what the tolerance of the solver leaves, and is not shown
SMALL_MUSD = 1e-6  # smallest difference that is shown in the other tables, in the unit of the table

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
            [(title, side) for title, side, _tell in shown], [[tell(r) for *__, tell in shown] for r in rows]
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
