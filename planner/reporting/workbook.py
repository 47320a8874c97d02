"""A run as an Excel workbook with charts; and `convert`, which also takes instances to workbooks and back.

Each sheet is one table: numbers are numbers with their unit in the header, keys stand beside names, and a chart of
Excel draws what is in its cells, so that it changes with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..arguments import checked
from ..errors import UsageError
from ..instance import datapackage
from ..instance.workbook import ENDING
from ..instance.workbook import convert as convert_instance
from ..runs.run import MANIFEST, read_run
from ..writing import whole_file
from .charts import records
from .parts import Column
from .sections.costs import NAMES
from .view import View

FORMS = {"share": "0.0%", "year": "0"}  # form of a `Column` -> format of Excel; that of numbers is by their size
WIDE, HIGH = 760, 380  # px of a chart


@checked
def convert(
    source: str | Path, target: str | Path, overwrite: bool = False, progress: Callable[[str], None] | None = None
) -> Path:
    """Convert an instance's folder to a workbook, a workbook to a folder, or a run's folder to a workbook of results.

    source     an instance's folder, an .xlsx or .ods workbook of an instance, or a run's folder
    target     an .xlsx workbook to write; for the workbook of an instance the folder to write
    overwrite  whether an existing target is replaced; all in a folder that is no table and no settings is kept
    progress   called with a line for what a reader of the result should know, such as formulas whose values are taken

    A target ``datapackage.json`` in an instance's folder describes its tables for other programs, as a data package
    (Frictionless); what an older one says beside the tables, such as a licence, is kept.

    Of an instance its own tables are converted, not those of its ``base``; the workbook of an overlay shows the rows of
    the base beside them. An unfinished instance can be converted, as only the form of files and cells is checked.
    Everything is written, or nothing, and what cannot be carried over is refused: a file that `load` does not know, a
    text that Excel changes, a table in the target without a sheet. The workbook of a run is for people, and cannot be
    converted back: figures with their bands, builds, dependence, costs, flows, funding and service, with charts.
    Raises UsageError if source and target do not fit, InstanceError if the source cannot be read, ResultError for a
    damaged run, OutputError if the target exists or cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.name == datapackage.FILE:
        datapackage.describe(source, target, overwrite)
        return target
    if not (source / MANIFEST).is_file():
        return convert_instance(source, target, overwrite, progress)
    if target.suffix.lower() != ENDING:
        raise UsageError(f"{source} is a run, of which a workbook can be made: expected a name that ends in {ENDING}")
    run = read_run(source)
    view = View(run.instance, run)
    with whole_file(target, overwrite, (ENDING,), begins=("PK",)) as made:
        _write(view, made)
    return target


def _write(view: View, file: Path) -> None:
    import xlsxwriter

    guard = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = xlsxwriter.Workbook(str(file), guard)
    for write in (_figures, _builds, _dependence, _costs, _flows, _funding, _service):
        write(view, book)
    book.close()


def _sheet(book: Any, name: str, columns: Sequence[Column], rows: Sequence[Any]) -> Any:
    """Write a table to a sheet of its own, and return the sheet."""
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#DDEBF7", "text_wrap": True, "valign": "top"})
    for c, column in enumerate(columns):
        values = [column.cell(row) for row in rows]
        shape = book.add_format({"num_format": _format(column.form, values)})
        widest = max((len(str(v)) for v in values if isinstance(v, str)), default=0)
        sheet.set_column(c, c, max(11, min(45, widest + 2)))
        sheet.write_string(0, c, column.label, head)
        for r, value in enumerate(values, start=1):
            if isinstance(value, str):
                sheet.write_string(r, c, value)
            elif value is not None:
                sheet.write_number(r, c, float(value), shape)
    sheet.set_row(0, 46)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    return sheet


def _format(form: str, values: Sequence[Any]) -> str:
    """Return the format of Excel for a column: as many decimals as its largest number needs."""
    if form != "number":
        return FORMS.get(form, "@")
    largest = max((abs(v) for v in values if v is not None), default=0.0)
    return "#,##0" if largest >= 1000 else "#,##0.0" if largest >= 10 else "#,##0.000"


def _chart(
    book: Any, sheet: Any, kind: dict[str, str], title: str, axis: str, series: Sequence[int], rows: int
) -> None:
    """Put a chart beside a table whose first column is the axis.

    kind    type and subtype, as xlsxwriter names them
    axis    title of the axis of values, with its unit
    series  the columns that are drawn
    rows    number of rows of the table
    """
    if not rows or not series:
        return
    chart = book.add_chart(kind)
    name = sheet.get_name()
    for c in series:
        shown = {"categories": [name, 1, 0, rows, 0], "values": [name, 1, c, rows, c], "name": [name, 0, c]}
        chart.add_series({**shown, **({"gap": 60} if kind["type"] != "line" else {"marker": {"type": "automatic"}})})
    chart.set_title({"name": title, "name_font": {"size": 12}})
    amounts = {"name": axis, "num_format": "0%" if axis == "share" else "#,##0"}
    if kind["type"] == "bar":  # whose values run across, and whose first row is to be on top
        chart.set_x_axis(amounts)
        chart.set_y_axis({"reverse": True})
        chart.set_legend({"none": True})
    else:
        chart.set_y_axis(amounts)
        chart.set_legend({"position": "bottom"})
    chart.set_size({"width": WIDE, "height": HIGH})
    sheet.insert_chart(1, max(series) + 3, chart)


def _pivot(
    rows: Sequence[Any], by: Callable[[Any], str], value: str, years: Sequence[int]
) -> tuple[list[str], list[Any]]:
    """Return the groups, the largest first, and a row for each year: group -> sum of ``value``."""
    sums: dict[int, dict[str, float]] = {year: defaultdict(float) for year in years}
    total: dict[str, float] = defaultdict(float)
    for row in rows:
        sums[int(row["year"])][by(row)] += row[value]
        total[by(row)] += abs(row[value])
    groups = sorted((group for group, amount in total.items() if amount > 1e-9), key=lambda g: (-total[g], g))
    return groups, [{"year": year, **sums[year]} for year in years]


def _figures(view: View, book: Any) -> None:
    """The figures that sum the plan up, each with the band in which it is known to lie."""
    run, plan = view.run, view.plan
    cost, bound = run.searched
    exposed, total = run.delivered()[1], sum(run.delivered())
    funding = run.tables["funding"]
    public = float(funding.loc[funding["source"] != "private", "musd"].sum())
    short, demand = run.total("service", "short_t"), run.total("service", "demand_t")
    last = view.years[-1]
    gap = "the least cost of this instance lies between the bound of the search and the cost of this plan"
    rows: list[tuple[str, float | None, float | None, float | None, str, str]] = [
        ("Cost, present value", cost, bound, cost, view.musd, gap),
        ("Gap of the search", float(plan["gap"]), None, None, "share", f"the plan is {run.status}"),
    ]
    without = plan.get("without_projects_musd")
    if without is not None:
        told = "cost without any optional project, less the cost with them"
        rows.append(("All optional projects save", without - cost, without - cost, without - bound, view.musd, told))
    rows += [
        ("Capital of what is built, overnight", float(plan["metrics"]["capex_musd"]), None, None, view.musd, ""),
        ("Public money", public, None, None, view.musd, "what funds pay of that capital"),
        ("Demand", demand, None, None, "t", "over the whole horizon"),
        ("Short", short, None, None, "t", "demand that is not served"),
        ("Exposed share of deliveries", exposed / total if total else None, None, None, "share", "over the horizon"),
        (f"Exposed share in {last}", view.exposed_share.get(last), None, None, "share", "traced along the chain"),
    ]
    for stage, shares in view.stage_share.items():
        told = f"made or bought in {view.concern_name} at this stage alone"
        rows.append((f"Share of {stage} in {last}", shares.get(last), None, None, "share", told))
    sheet = book.add_worksheet("figures")
    bold, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "bottom": 1})
    sheet.write_string(0, 0, view.instance.title or view.instance.name, bold)
    money = f"{view.instance.currency} of {view.instance.price_year}"
    sheet.write_string(1, 0, f"{view.span}; money in {money}, present values of {view.years[0]}")
    for c, title in enumerate(("figure", "value", "from", "to", "unit", "what it means")):
        sheet.write_string(3, c, title, head)
    for r, (label, *numbers, unit, told) in enumerate(rows, start=4):
        shape = book.add_format({"num_format": _format("share" if unit == "share" else "number", numbers)})
        sheet.write_string(r, 0, label)
        for c, number in enumerate(numbers, start=1):
            if number is not None:
                sheet.write_number(r, c, number, shape)
        sheet.write_string(r, 4, "" if unit == "share" else unit)
        sheet.write_string(r, 5, told)
    foot = len(rows) + 5
    for label, text in (
        ("made by", f"magnet-planner {plan['versions']['planner']}"),
        ("instance", f"{view.instance.name}, sha256 {view.instance.sha256}"),
        *(("note", note) for note in plan.get("notes", ())),
    ):
        sheet.write_string(foot, 0, label)
        sheet.write_string(foot, 1, text)
        foot += 1
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, 3, 14)
    sheet.set_column(4, 4, 8, book.add_format({"indent": 1}))
    sheet.set_column(5, 5, 80)


def _builds(view: View, book: Any) -> None:
    rows = records(view.tables["builds"])
    columns = (
        Column("project", lambda r: view.options[r["option"]].name),
        Column("owner", lambda r: view.facilities[r["facility"]].owner),
        Column("country", lambda r: view.countries[r["country"]]),
        Column("stage", lambda r: view.stage_of_project(r["option"])),
        Column("start", "start_year", "year"),
        Column("online", "online_year", "year"),
        Column("modules", "modules", "number"),
        Column("capacity, t a year", "capacity_t", "number"),
        Column(f"capital, {view.musd} overnight", "capex_musd", "number"),
        Column("option", "option"),
        Column("facility", "facility"),
    )
    _sheet(book, "builds", columns, rows)
    started = [{**r, "year": r["start_year"]} for r in rows]
    years = sorted({r["year"] for r in started})
    groups, sums = _pivot(started, lambda r: view.stage_of_project(r["option"]) or "other", "capex_musd", years)
    title = f"Capital of what is started, {view.musd}"
    _yearly(book, "builds by year", title, view.musd, groups, sums)


def _yearly(
    book: Any, name: str, title: str, unit: str, groups: Sequence[str], sums: Sequence[Any], form: str = "number"
) -> None:
    """Write a table of groups by year with its chart: stacked columns of amounts, or lines of shares."""
    columns = [Column("year", "year", "year"), *(Column(group, group, form) for group in groups)]
    sheet = _sheet(book, name, columns, sums)
    kind = {"type": "line"} if form == "share" else {"type": "column", "subtype": "stacked"}
    _chart(book, sheet, kind, title, unit, range(1, len(columns)), len(sums))


def _dependence(view: View, book: Any) -> None:
    shares = {"traced": view.exposed_share, **view.stage_share}
    rows = [{"year": year, **{name: of.get(year) for name, of in shares.items()}} for year in view.years]
    title = f"Dependence on {view.concern_name}: traced along the chain, and of each stage alone"
    _yearly(book, "dependence", title, "share", list(shares), rows, "share")
    table = view.tables["dependence"]
    caps = records(table[table["cap"] != ""])
    form = "number" if any(r["metric"] == "impact" for r in caps) else "share"  # impacts are in units a year
    columns = (
        Column("cap", "cap"),
        Column("metric", "metric"),
        Column("stage", "stage"),
        Column("material", lambda r: view.materials.get(r["material"], "")),
        Column("country", lambda r: view.countries.get(r["country"], r["country"])),
        Column("year", "year", "year"),
        Column("reached", "share", form),
        Column("limit", "limit", form),
        Column(f"a point more saves, {view.musd} present value", "marginal_musd_per_point", "number"),
    )
    if caps:
        _sheet(book, "caps", columns, caps)


def _costs(view: View, book: Any) -> None:
    rows = records(view.tables["costs"])
    groups, sums = _pivot(rows, lambda r: NAMES[r["component"]], "musd", view.years)
    _yearly(book, "costs", "Cost a year by component", f"{view.musd} a year", groups, sums)
    present: dict[str, float] = defaultdict(float)
    for row in rows:
        present[NAMES[row["component"]]] += row["present_musd"]
    listed = [{"name": name, "musd": present[name]} for name in groups]
    columns = (Column("component", "name"), Column(f"present value, {view.musd}", "musd", "number"))
    sheet = _sheet(book, "costs present value", columns, listed)
    _chart(book, sheet, {"type": "bar"}, "Present value by component", view.musd, [1], len(listed))


def _flows(view: View, book: Any) -> None:
    rows = records(view.tables["flows"])
    counted = view.run.years_counted()
    columns = (
        Column("material", lambda r: view.materials[r["material"]]),
        Column("from", lambda r: view.countries[r["origin"]]),
        Column("to", lambda r: view.countries[r["destination"]]),
        Column("provenance", "provenance"),
        Column("year", "year", "year"),
        Column("t a year", "t", "number"),
        Column(f"freight, {view.musd} a year", "freight_musd", "number"),
        Column(f"tariff, {view.musd} a year", "tariff_musd", "number"),
    )
    _sheet(book, "flows", columns, rows)
    total: dict[str, float] = defaultdict(float)
    for r in rows:
        way = f"{view.materials[r['material']]}: {view.countries[r['origin']]} to {view.countries[r['destination']]}"
        total[way] += r["t"] * counted[int(r["year"])]
    largest = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:15]
    listed = [{"way": way, "t": t} for way, t in largest]
    sheet = _sheet(book, "largest flows", (Column("flow", "way"), Column("t over the horizon", "t", "number")), listed)
    _chart(
        book, sheet, {"type": "bar"}, "The largest flows between countries, t over the horizon", "t", [1], len(listed)
    )


def _funding(view: View, book: Any) -> None:
    rows = records(view.tables["funding"])
    funds = {f.fund: f for f in view.instance.funds}

    def called(row: Any) -> str:
        source = row["source"]
        return f"{funds[source].provider} ({source})" if source in funds else "private capital"

    columns = (
        Column("project", lambda r: view.options[r["option"]].name),
        Column("source", called),
        Column("instrument", lambda r: funds[r["source"]].instrument if r["source"] in funds else ""),
        Column("year", "year", "year"),
        Column(view.musd, "musd", "number"),
        Column("option", "option"),
    )
    _sheet(book, "funding", columns, rows)
    groups, sums = _pivot(rows, called, "musd", sorted({int(r["year"]) for r in rows}))
    if groups:
        _yearly(book, "funding by year", "Who pays the capital", view.musd, groups, sums)


def _service(view: View, book: Any) -> None:
    columns = (
        Column("country", lambda r: view.countries[r["country"]]),
        Column("sector", lambda r: view.sectors[r["sector"]]),
        Column("material", lambda r: view.materials[r["material"]]),
        Column("year", "year", "year"),
        Column("demand, t a year", "demand_t", "number"),
        Column("clean, t a year", "clean_t", "number"),
        Column("exposed, t a year", "exposed_t", "number"),
        Column("short, t a year", "short_t", "number"),
    )
    _sheet(book, "service", columns, records(view.tables["service"]))
