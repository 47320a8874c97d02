"""What is measured of a plan, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import UsageError, hinted

if TYPE_CHECKING:
    from ...instance.instance import Instance
    from ...runs.run import Run

WHOLE = ("objective_musd", "capex_musd", "public_musd", "short_t", "exposed_share")
NAMES = (*WHOLE, "stage_share", "built")


def check(instance: Instance, metric: str) -> None:
    """Raise UsageError unless ``metric`` is one of: objective_musd, capex_musd, public_musd, short_t[@YEAR],
    exposed_share[@YEAR], stage_share:STAGE@YEAR, built:OPTION."""
    name, of, year = _parts(metric)
    if name not in NAMES:
        raise UsageError(hinted(f"metric {metric}: expected one of {', '.join(NAMES)}", name, NAMES))
    if year and (not year.isdigit() or int(year) not in instance.years):
        raise UsageError(f"metric {metric}: expected the first year of a period after @")
    if name == "stage_share" and (of not in instance.stages or not year):
        raise UsageError(hinted(f"metric {metric}: expected stage_share:STAGE@YEAR", of, instance.stages))
    options = {o.option for o in instance.options}
    if name == "built" and of not in options:
        raise UsageError(hinted(f"metric {metric}: unknown option {of}", of, options))
    if name in WHOLE and of:
        raise UsageError(f"metric {metric}: {name} is of the whole plan; leave :{of} out")


def measure(plan: Run, metric: str) -> float:
    """The value of a checked metric; NaN where nothing is delivered or made. Sums are over all years."""
    name, of, year = _parts(metric)
    metrics = plan.plan["metrics"]
    if name == "objective_musd":
        return plan.objective_musd
    if name == "capex_musd":
        return float(metrics["capex_musd"])
    if name == "public_musd":
        funding = plan.tables["funding"]
        return float(funding.loc[funding["source"] != "private", "musd"].sum())
    if name == "short_t":
        return float(metrics["short_t"][year]) if year else plan.total("service", "short_t")
    if name == "built":
        builds = plan.tables["builds"]
        return float(builds.loc[builds["option"] == of, "modules"].sum())
    if name == "stage_share":
        return _number(metrics["stage_share"][of][year])
    if year:
        return _number(metrics["exposed_share"][year])
    clean, exposed = plan.delivered()
    return exposed / (clean + exposed) if clean + exposed else float("nan")


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _parts(metric: str) -> tuple[str, str, str]:
    """Name of a metric, the stage or option it is of, and its year; "" for what is not said."""
    rest, _, year = metric.partition("@")
    name, _, of = rest.partition(":")
    return name, of, year
