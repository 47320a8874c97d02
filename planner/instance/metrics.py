"""The dependence metrics: their names, and which columns of a cap have a meaning for each.

How a metric is computed is written where it is used: as a row of the model (``models/constraints``), as the decisions
that the row counts (``prepare/caps.py``), as the share of a plan (``solving/dependence.py``), and again in the audit,
which is independent of the others on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..language import N_


@dataclass(frozen=True, slots=True)
class Metric:
    """A dependence metric.

    name     as in caps.csv; also the name of its family of rows in the model
    label    its name in running text
    short    its name in the table of caps of the report page
    of       whether it measures one stage or material; otherwise it measures the whole chain
    columns  columns of caps.csv that narrow it, besides stage and material
    needs    columns of which at least one must be filled, to say whose dependence is meant
    floor    whether a cap may also say the least that the share must be (sense min)
    own      whether more of it is less dependence, so that a frontier raises a floor
    amount   whether it is no share but an amount, in units a year: an impact
    """

    name: str
    label: str
    short: str
    of: bool = True
    columns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    floor: bool = False
    own: bool = False
    amount: bool = False


METRICS = {
    metric.name: metric
    for metric in (
        Metric("exposed_share", N_("exposed share"), N_("traced"), of=False, columns=("country", "sector")),
        Metric("stage_share", N_("stage share"), N_("stage")),
        Metric("single_country_share", N_("single-country share"), N_("single country")),
        Metric("largest_share", N_("share of the largest suppliers"), N_("largest suppliers"), columns=("largest",),
               needs=("largest",)),
        Metric("import_share", N_("import share"), N_("imports"), columns=("country", "origin"),
               needs=("origin", "country"), floor=True),
        Metric("own_share", N_("own share"), N_("own production"), columns=("country", "recycled"), needs=("country",),
               floor=True, own=True),
        Metric("impact", N_("impact"), N_("impact"), of=False, columns=("impact",), needs=("impact",),
               floor=True, amount=True),
    )
}  # fmt: skip
