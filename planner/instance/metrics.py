"""The dependence metrics: what each is called, and which columns of a cap mean something for it.

The sums behind a metric stand where they are needed: as a row of the model (``models/constraints``), as the places
that the row speaks of (``prepare/caps.py``), as what a plan has of it (``solving/dependence.py``), and once more in the
audit, which restates them on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A dependence metric.

    name     as in caps.csv, and the name of its family of rows in the model
    label    in running text
    short    in the table of caps of the page
    of       whether it is of one stage or material; otherwise it is of the whole chain
    columns  columns of caps.csv that narrow it, besides stage and material
    needs    columns of which one at least must be filled, so that the cap says whose dependence is meant
    """

    name: str
    label: str
    short: str
    of: bool = True
    columns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


METRICS = {
    metric.name: metric
    for metric in (
        Metric("exposed_share", "exposed share", "traced", of=False, columns=("country", "sector")),
        Metric("stage_share", "stage share", "stage"),
        Metric("single_country_share", "single-country share", "single country"),
        Metric("import_share", "import share", "imports", columns=("country", "origin"), needs=("origin", "country")),
    )
}
