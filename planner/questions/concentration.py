"""Concentration: how few countries a stage of the chain hangs on, by the Herfindahl-Hirschman index (HHI).

The HHI is the sum of the squared shares of all suppliers in per cent: 10,000 with one supplier, 10,000 / n with n equal
ones. It is measured twice: over all that the instance makes or sells of a stage, and over what consumers outside the
countries of concern received, by where it was done (origin.csv).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..arguments import checked
from ..language import _, number, translated
from ..runs.run import given_run
from ..words import figure_of, share_of
from .study import OF_PLAN, Study, Table, Value, text_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..instance.instance import Instance
    from ..runs.run import Run

ALL, ALLIES = "all", "allies"
LARGEST = 3  # suppliers whose shares are added up beside the largest one's


@dataclass(frozen=True, repr=False)
class Concentration(Study):
    """How concentrated the supply of a plan is, by stage and year.

    table  what concentration.csv holds
    """

    COMMAND, MANIFEST, OF = "concentration", "concentration.json", "plan"
    HOLDS = (
        Value("instance", "name, title and sha256 of the instance", "instance.identity"),
        OF_PLAN,
        Table(
            "concentration",
            "Each scope, stage and year in which something was supplied.",
            """
            scope         | text    |       | `all`: all that is made, less surplus, or bought of the strategic
                materials of the stage, by country; `allies`: what consumers outside the countries of concern
                received, by where the stage was done (also `recycled`, `unknown` and `initial stock`, as in origin.csv)
            stage         | text    |       | stage of the chain
            year          | integer |       | first year of the period
            hhi           | number  |       | sum of the squared shares in per cent: 10,000 with one supplier
            suppliers     | number  |       | how many suppliers of one size would give this index: 10,000 / hhi
            largest       | text    |       | the largest supplier
            largest_share | number  | share | its share
            three_largest | number  | share | share of the three largest
            """,
            attribute="table",
        ),
    )

    instance: Instance
    table: pd.DataFrame
    of: str

    def __str__(self) -> str:
        said = {
            ALL: _("Over all the instance:"),
            ALLIES: _("Among what consumers outside the countries of concern received:"),
        }
        columns = [(_("stage"), "<12"), (_("year"), ">5"), ("HHI", ">7"), (_("suppliers"), ">10"),
                   (_("largest"), "<20"), (_("three largest"), ">14")]  # fmt: skip
        lines = [_("Concentration by the Herfindahl-Hirschman index ({most}: one supplier)", most=number("10,000"))]
        for scope, words in said.items():
            rows = [
                (
                    *(r.stage, f"{r.year}", number(f"{r.hhi:,.0f}"), figure_of(r.suppliers)),
                    *(f"{translated(r.largest)} {share_of(r.largest_share)}", share_of(r.three_largest)),
                )
                for r in self.table[self.table["scope"] == scope].itertuples()
            ]
            lines += [words, *(text_table(columns, rows) if rows else ["  " + _("nothing")])]
        return "\n".join(lines)


@checked
def concentration(run: Run | str | Path) -> Concentration:
    """Measure how concentrated the supply of a plan is: the Herfindahl-Hirschman index by stage and year.

    run  the run, or its folder

    Raises UsageError on a run whose instance is missing or changed.
    """
    run = given_run(run)
    import pandas as pd

    instance = run.instance
    rows = []
    for scope, supplied in ((ALL, _supplied(instance, run)), (ALLIES, _received(instance, run))):
        for (stage, year), by_supplier in sorted(supplied.items(), key=lambda of: _order(instance, of[0])):
            if (whole := sum(by_supplier.values())) > instance.negligible_t:
                rows.append((scope, stage, year, *_index({s: t / whole for s, t in by_supplier.items()})))
    return Concentration(instance, pd.DataFrame(rows, columns=Concentration.columns("concentration")), run.digest)


def _order(instance: Instance, key: tuple[str, int]) -> tuple[int, int]:
    return instance.stages.index(key[0]), key[1]


def _index(shares: Mapping[str, float]) -> tuple[float, float, str, float, float]:
    """Return the index, the number of equal suppliers, the largest with its share, and that of the three largest.

    >>> _index({"AAA": 0.5, "BBB": 0.5})
    (5000.0, 2.0, 'AAA', 0.5, 1.0)
    """
    hhi = 1e4 * sum(share * share for share in shares.values())
    ranked = sorted(shares, key=lambda s: (-shares[s], s))
    return hhi, 1e4 / hhi, ranked[0], shares[ranked[0]], sum(shares[s] for s in ranked[:LARGEST])


Supplied = dict[tuple[str, int], dict[str, float]]  # (stage, year) -> supplier -> t/yr


def _supplied(instance: Instance, run: Run) -> Supplied:
    """Return what each country makes, less surplus, or sells of the strategic materials of each stage."""
    from ..instance.timeline import series_value

    stage_of = {m.material: m.stage for m in instance.materials if m.strategic and m.stage}
    yields: dict[tuple[str, str], dict[int | None, float]] = defaultdict(dict)
    for y in instance.recipe_yields:
        if y.role == "output":
            yields[y.process, y.material][y.year] = y.t_per_t
    outputs: dict[str, list[tuple[str, dict[int | None, float]]]] = defaultdict(list)
    for r in instance.recipes:
        if r.role == "output" and r.material in stage_of:
            series = yields.get((r.process, r.material)) or {None: r.t_per_t}
            outputs[r.process].append((r.material, series))
    found: Supplied = defaultdict(lambda: defaultdict(float))
    for a in run.tables["activity"].itertuples():
        for material, series in outputs[a.process]:
            found[stage_of[material], int(a.year)][a.country] += a.activity_t * series_value(series, int(a.year))
    for p in run.tables["purchases"].itertuples():
        if p.material in stage_of:
            found[stage_of[p.material], int(p.year)][p.country] += p.t
    for s in run.tables["adjustments"].itertuples():
        if s.kind == "surplus" and s.material in stage_of:
            found[stage_of[s.material], int(s.year)][s.country] -= s.t
    return found


def _received(instance: Instance, run: Run) -> Supplied:
    """Return where each stage was done of what consumers outside the countries of concern received."""
    found: Supplied = defaultdict(lambda: defaultdict(float))
    for r in run.tables["origin"].itertuples():
        if r.country not in instance.countries_of_concern:
            found[r.stage, int(r.year)][r.origin] += r.t
    return found
