"""Plans against a second reading of the contract: the full model, built from the files without the planner."""

import pytest
from drawn import valid
from pandas import NA
from reference import CLEAN, EXPOSED, Reference

import planner

SEEDS = range(40)
CASH = 1e-6  # relative


def values_of(reference, plan):
    """A plan's tables as values of the reference's columns."""
    x = [0.0] * len(reference.bounds)
    period = {year: t for t, year in enumerate(reference.years)}

    def put(name, amount):
        if amount > 1e-6 or name in reference.columns:
            x[reference.columns[name]] += amount

    for (b, option, year), modules in builds_of(plan).items():
        if reference.builder(b, period[year]) == b:  # a branch's table has the starts too that it shares
            put(("build", b, option, period[year]), modules)
        if ("chosen", b, option) in reference.columns:
            x[reference.columns["chosen", b, option]] = 1.0
    for (b, o, t), segments in reference.segments.items():
        size = x[reference.columns["build", b, o, t]] * reference.options[o].number("module_t")
        for one, weights, ((small, _), (large, _)) in segments if size > 0.0 else ():
            if small - 1e-6 <= size <= large + 1e-6:
                part = (size - small) / (large - small)
                x[one], x[weights[0]], x[weights[1]] = 1.0, 1.0 - part, part
                break
    for name, k in reference.columns.items():
        if name[0] == "started":
            terms, *_ = reference.rows["started", *name[1:], "least"]
            x[k] = float(any(x[j] > 0.5 for j in terms if j != k))
    for r in plan.tables["funding"].itertuples():
        own = (
            ("private", None, r.option, r.year) if r.source == "private" else ("draw", None, r.source, r.option, r.year)
        )
        put(own, r.musd)

    def when(r):
        month = getattr(r, "month", None)
        return period[r.year] if month is None or month is NA else (period[r.year], int(month))

    for b, tables in [(None, plan.tables), *plan.branches.items()]:
        for r in tables["activity"].itertuples():
            put(("activity", b, r.facility, r.process, r.input_provenance, when(r)), r.activity_t)
        for r in tables["flows"].itertuples():
            put(("ship", b, r.material, r.origin, r.destination, r.provenance, when(r)), r.t)
            used = reference.columns.get(("used", b, r.material, r.origin, r.destination, when(r)))
            if used is not None and r.t > 0.0:
                x[used] = 1.0
        for r in tables["flows"].itertuples() if "arrived_t" in tables["flows"] else ():
            land = reference.columns.get(("land", b, r.material, r.origin, r.destination, r.provenance, when(r)))
            if land is not None:
                x[land] = r.arrived_t - sum(part * x[k] for k, part in reference.landed[land])
        for r in tables["purchases"].itertuples():
            put(("buy", b, r.market, when(r)), r.t)
        for r in tables["sales"].itertuples() if "sales" in tables else ():
            put(("sell", b, r.buyer, r.provenance, when(r)), r.t)
        for r in tables["service"].itertuples():
            need = r.country, r.sector, r.material
            put(("deliver", b, *need, CLEAN, when(r)), r.clean_t)
            put(("deliver", b, *need, EXPOSED, when(r)), r.exposed_t)
            put(("short", b, *need, when(r)), r.short_t)
        for r in tables["substitution"].itertuples() if "substitution" in tables else ():
            need = r.country, r.sector, r.material
            put(("swap", b, r.substitute, *need, r.provenance, when(r)), r.t)
        for r in tables["returned"].rename(columns={"return": "name"}).itertuples() if "returned" in tables else ():
            put(("collect", b, r.name, r.country, r.provenance, when(r)), r.t)
        for r in tables["stocks"].itertuples():
            for name, amount in (("put", r.put_t), ("draw", r.draw_t), ("stock", r.stock_t)):
                put((name, b, r.stockpile, r.provenance, when(r)), amount)
        for r in tables["working_stocks"].itertuples() if "working_stocks" in tables else ():
            put(("run down", b, r.material, r.country, r.provenance, when(r)), r.t)
        for r in tables["adjustments"].itertuples():
            of = (r.provenance,) if r.kind == "surplus" else ()
            put((r.kind, b, r.material, r.country, *of, when(r)), r.t)
    for name, k in reference.columns.items():
        if name[0] == "missing":  # no table shows it: what is lacking of final_min_t
            terms, least, _ = reference.rows["final", *name[1:]]
            x[k] = max(0.0, least - sum(a * x[j] for j, a in terms.items()))
    return x


def builds_of(plan):
    """(branch, option, start year) -> modules, of the plan (None) first, then of branches with builds of their own."""
    tables = [(None, plan.tables["builds"]), *((b, of["builds"]) for b, of in plan.branches.items() if "builds" in of)]
    return {(b, r.option, r.start_year): r.modules for b, of in tables for r in of.itertuples()}


def broken(reference, x):
    """Rows and bounds of the reference that values do not keep."""
    for name, k in reference.columns.items():
        low, high = reference.bounds[k]
        if not low - 1e-5 <= x[k] <= high + 1e-5 + 1e-6 * min(abs(high), 1e9):
            yield name, x[k], (low, high)
    for name, (terms, low, high) in reference.rows.items():
        if name[0] in ("paid", "private", "budget", "part") and name[1]:
            continue  # no table shows who pays for the builds of a branch
        parts = [a * x[k] for k, a in terms.items()]
        room = 2e-6 * max(1.0, sum(map(abs, parts)))
        if not low - room <= sum(parts) <= high + room:
            yield name, sum(parts), (low, high)


def costs_of(reference, x):
    found = {}
    for (k, component, t), amount in reference.costs.items():
        key = component, reference.years[t]
        found[key] = found.get(key, 0.0) + amount * (1.0 if k is None else x[k])
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_what_the_contract_says(tmp_path, seed):
    instance, *_ = valid(tmp_path / "i", seed)
    reference = Reference(tmp_path / "i")
    least, _ = reference.solve()
    if least is None:
        with pytest.raises(planner.PlannerError) as caught:
            planner.solve(instance, gap=0.0)
        assert caught.value.exit_code == 3
        return
    plan = planner.solve(instance, gap=0.0)
    assert plan.status == "optimal"
    assert plan.objective_musd == pytest.approx(least, rel=3e-7, abs=1e-8)

    x = values_of(reference, plan)
    assert list(broken(reference, x)) == []
    costs = costs_of(reference, x)
    for r in plan.tables["costs"].itertuples():
        assert r.present_musd == pytest.approx(costs.get((r.component, r.year), 0.0), rel=CASH, abs=1e-7), r

    builds = builds_of(plan)
    weights = reference.exposure()
    exposed = float(weights @ x)
    at_best, _ = reference.solve(builds, cost=weights, ceiling=least + 1.2e-7 * abs(least) + 1e-12)
    at_worst, _ = reference.solve(builds, cost=weights, ceiling=least + 1e-9 * abs(least) + 1e-12)
    room = 3e-6 * max(1.0, sum(p * 1e3 for p in reference.present))
    assert at_best - room <= exposed <= at_worst + room
