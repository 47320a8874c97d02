"""An explanation in a page of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...solving.families import FAMILIES
from ...words import figure_of

if TYPE_CHECKING:
    import pandas as pd

    from .result import Explanation

AT_MOST = 12  # lines of a section
UNITS = {family.kind: family.saved_by for family in FAMILIES.values() if family.kind} | {
    "lead_time": "a year earlier",
    "clean_only": "a point exposed",
}
YEARS_SHOWN = 6


def text(e: Explanation) -> str:
    """Sections in the order of the questions; long ones are cut, the frames are whole."""
    lines = [f"Why this plan: {e.instance.title} ({e.objective_musd:,.6g} MUSD present value)"]
    lines += _binding(e)
    lines += _premiums(e)
    lines += _built(e)
    lines += _unbuilt(e)
    lines += _bottlenecks(e)
    lines += _support(e)
    lines += [f"Note: {note}" for note in e.notes]
    return "\n".join(lines)


def _cut(lines: list[str], frame: str, at_most: int = AT_MOST) -> list[str]:
    if len(lines) <= at_most:
        return lines
    return [*lines[:at_most], f"  ... {len(lines) - at_most} more in {frame}"]


def _number(value: Any) -> str:
    return "-" if value is None or value != value else figure_of(value, 4)


def _binding(e: Explanation) -> list[str]:
    if e.binding.empty:
        return ["What binds: nothing; no cap, capacity, budget or lead time makes the plan dearer"]
    lines = []
    keys = ["kind", "name", "country", "unit", "how"]
    groups = [(key, rows) for key, rows in e.binding.groupby(keys, sort=False)]
    for (kind, name, country, _unit, how), rows in sorted(groups, key=lambda g: -g[1]["worth_musd"].sum()):
        top = rows.iloc[0]
        total = rows["worth_musd"].sum()
        what = f"{kind.replace('_', ' ')} {name}{f' ({country})' if country else ''}"
        years = sorted({int(y) for y in rows["year"] if y})
        when = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}, most in {top.year}" if years else ""
        detail = "; ".join(part for part in (when, str(top.says)) if part)
        lines.append(f"  {_number(total):>9}  {UNITS[kind]:<15} {what}: {detail} [{how}]")
    return ["What binds (MUSD present value that one unit saves, in all its years):", *_cut(lines, "binding")]


def _premiums(e: Explanation) -> list[str]:
    known = e.premiums[e.premiums["premium_usd_per_kg"].notna()]
    if known.empty:
        return ["Clean premium: none can be told; no material has both a clean and an exposed price in one place"]
    years = _some(sorted({int(y) for y in known["year"]}))
    middle = known.pivot_table(index="material", columns="year", values="premium_usd_per_kg", aggfunc="median")
    width = max(8, *(len(str(m)) for m in middle.index))
    lines = [f"  {'':<{width}}" + "".join(f"{y:>9}" for y in years)]
    for material in middle.index:
        cells = "".join(f"{_number(round(middle.loc[material, y], 3) + 0.0):>9}" for y in years)
        lines.append(f"  {material:<{width}}{cells}")
    return ["Clean premium (USD/kg above exposed, median over countries; dual):", *_cut(lines, "premiums", 30)]


def _some(years: list[int]) -> list[int]:
    if len(years) <= YEARS_SHOWN:
        return years
    step = (len(years) - 1) / (YEARS_SHOWN - 1)
    return [years[round(i * step)] for i in range(YEARS_SHOWN)]


def _built(e: Explanation) -> list[str]:
    built = e.projects[e.projects["built"] == "yes"]
    if built.empty:
        return ["Built: nothing"]
    lines = []
    for p in built.itertuples():
        line = f"  {p.option} ({p.country}), {figure_of(p.capacity_t, 5)} t from {p.start_year}: "
        if p.value_musd == p.value_musd:
            line += f"without it {_more(p.value_musd)}{_range(p)} [{p.value_how}]"
            if p.also_without and p.project_value_musd == p.project_value_musd:
                line += f"; also without {p.also_without} {_more(p.project_value_musd)}"
        else:
            line += f"[{p.value_how or 'not re-solved'}]"
        cost = p.annuity_musd + p.fixed_om_musd
        lines.append(f"{line}; earns {_number(p.earns_musd)} at the margin, costs {_number(cost)} [dual]")
    return ["Built (MUSD present value):", *_cut(lines, "projects")]


def _more(amount: float) -> str:
    return f"{_number(abs(amount))} {'more' if amount >= 0 else 'less'}"


def _range(p: Any) -> str:
    if not math.isfinite(p.value_least_musd) or p.value_most_musd - p.value_least_musd <= 1e-6 * abs(p.value_musd):
        return ""
    return f" ({_number(p.value_least_musd)} to {_number(p.value_most_musd)})"


def _unbuilt(e: Explanation) -> list[str]:
    rows = e.projects[e.projects["built"] == "no"]
    if rows.empty:
        return []
    lines = []
    for p in rows.itertuples():
        mine = e.entry[e.entry["option"] == p.option]
        solved = mine[mine["how"].str.startswith("re-solve")]
        best = solved if not solved.empty else mine[~mine["how"].str.startswith("not ")]
        says = "; ".join(
            f"{' or '.join(rows['says'])} [{how}]" for how, rows in best[best["says"] != ""].groupby("how", sort=False)
        )
        costs = f"building it costs {_number(p.cost_if_built_musd)} more; " if p.cost_if_built_musd > 0 else ""
        lines.append(f"  {p.option} ({p.country}): {costs}{says}")
    return ["Not built, and what each lacks:", *_cut(lines, "entry")]


def _bottlenecks(e: Explanation) -> list[str]:
    first = e.bottlenecks[e.bottlenecks["rank"] == 1]
    if first.empty:
        return ["Bottleneck: none; no capacity or market limit binds"]
    lines = []
    for year, rows in first.groupby("year", sort=True):
        parts = [
            f"{r.provenance} {r.material} {_number(r.worth_musd_per_percent)} MUSD "
            f"({_number(r.worth_usd_per_kg)} USD/kg)"
            for r in rows.itertuples()
        ]
        lines.append(f"  {year}: {'; '.join(parts)}")
    title = "Bottleneck of each year (what 1 % more capacity or supply would save that year; dual):"
    return [title, *_cut(lines, "bottlenecks", 30)]


def _support(e: Explanation) -> list[str]:
    table: pd.DataFrame = e.price_support
    if table.empty:
        return []
    lines = []
    for option, rows in table.groupby("option", sort=True):
        made = rows["output_t"].sum()
        known = rows[rows["market_usd_per_kg"].notna()]
        first = rows.iloc[0]
        line = f"  {option}: {first.material} costs {_number(first.cost_usd_per_kg)} USD/kg"
        if known.empty or made <= 0:
            lines.append(f"{line}; no market price is known, give one with --prices {first.material}=USD_PER_KG")
            continue
        price = (known["market_usd_per_kg"] * known["output_t"]).sum() / max(known["output_t"].sum(), 1e-9)
        outlay, busy = known["support_musd"].sum(), (known["output_t"] > 0).sum()
        paid = (known["support_musd"] > 1e-9).sum()
        where = ", ".join(sorted(set(known["market_price"])))
        if outlay <= 1e-9:
            lines.append(f"{line}, the market pays {_number(price)} ({where}): no support")
            continue
        per_kg = outlay * 1e3 / known["output_t"].sum()
        lines.append(
            f"{line}, the market pays {_number(price)} ({where}): "
            f"support {_number(per_kg)} USD/kg, {_number(outlay / max(busy, 1))} MUSD a year"
            f"{'' if paid == busy else f' (in {paid} of {busy} years, when the price is lower)'}"
        )
    title = "Price support (levelised cost less by-products against the market price; means over all it makes):"
    return [title, *_cut(lines, "price_support")]
