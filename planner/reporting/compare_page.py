"""A comparison as one HTML page without network: tables that sort, readable on a phone and by a screen reader."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ..questions.compare import Comparison

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:75rem;margin:auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.25rem .7rem;border-bottom:1px solid #ccc;text-align:left;white-space:nowrap}
td.n,th.n{text-align:right}th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:2px solid #0072b2}.up{color:#a33c00}.down{color:#00558a}
@media print{th button::after{content:""}}
"""
_SORT = """
for(const b of document.querySelectorAll('th button'))b.addEventListener('click',()=>{
const th=b.parentElement,t=th.closest('table'),i=[...th.parentElement.children].indexOf(th);
const up=th.getAttribute('aria-sort')!=='ascending';
for(const o of th.parentElement.children)o.removeAttribute('aria-sort');
th.setAttribute('aria-sort',up?'ascending':'descending');
const v=r=>{const c=r.children[i];return c.dataset.v===undefined?c.textContent:+c.dataset.v};
const rows=[...t.tBodies[0].rows].sort((a,b)=>{const x=v(a),y=v(b);
return (typeof x==='number'?(isNaN(x)?1:isNaN(y)?-1:x-y):x.localeCompare(y))*(up?1:-1)});
t.tBodies[0].append(...rows)});
"""
_TITLES = {
    "totals": "Totals",
    "dependence": "Dependence by year",
    "builds": "What is built otherwise (t of capacity started)",
    "flows": "What moves otherwise (t a year, summed over periods)",
    "funding": "Who pays otherwise (MUSD)",
    "shortages": "Who is short otherwise (t a year, summed over periods)",
}


def page(found: Comparison) -> str:
    """The page as text; everything that comes from an instance is escaped."""
    names = " | ".join(found.names)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">",
        f"<title>{escape(names)}</title><style>{_STYLE}</style></head><body><h1>{escape(names)}</h1>",
        f"<p>Years {found.years[0]}-{found.years[-1]}. Changes are of the last plan against {escape(found.names[0])}.",
        *(f" {escape(note.capitalize())}." for note in found.notes),
        "</p>",
    ]
    for table, title in _TITLES.items():
        whole = table in ("totals", "dependence")
        frame = getattr(found, table) if whole else found.differences(table)
        parts.append(f"<h2>{escape(title)}</h2>")
        parts.append(_table(frame, found.names, table == "dependence") if len(frame) else "<p>Nothing.</p>")
    return "".join([*parts, f"<script>{_SORT}</script></body></html>\n"])


def _table(frame: pd.DataFrame, names: tuple[str, ...], share: bool) -> str:
    numbers = {*names, "change"}
    head = "".join(
        f'<th scope="col"{" class=n" if c in numbers else ""}><button type="button">{escape(str(c))}</button></th>'
        for c in frame.columns
    )
    body = []
    for row in frame.to_dict("records"):
        cells = []
        for column, value in row.items():
            if column not in numbers:
                cells.append(f"<td>{escape(str(value))}</td>")
                continue
            number = float(value)
            text = "-" if number != number else f"{number:.1%}" if share else f"{number:,.6g}"
            colour = ""
            if column == "change" and abs(number) > 1e-9:
                colour = " up" if number > 0 else " down"
                text = f"+{text}" if number > 0 else text
            cells.append(f'<td class="n{colour}" data-v="{number!r}">{text}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
