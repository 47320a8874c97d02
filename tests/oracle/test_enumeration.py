"""Small investment problems against every combination of builds, tried one by one.

The rules of investment (how many, how fast, one of a group, what comes first) are written here once more, in
Python; the linear program of each combination is the model without its investment family.
"""

import itertools
import random

import numpy as np
import pytest
from builders import write_instance
from test_families import TABLES, TOML

import planner
from planner import models
from planner.prepare import prepare
from planner.solving.compiling import compiled
from planner.solving.programme import Programme
from planner.solving.solver import Settings

YEARS = (2030, 2032, 2033)
OPTIONS = "option,facility,name,module_t,max_modules,min_modules,max_per_year,capex_musd,lead_years,ramp_years,"
OPTIONS += "life_years,first_start,last_start,exclusive_group,requires\n"


def instance(folder, seed):
    """AAA with two or three options on its plant and one on a second one, drawn at random."""
    draw = random.Random(seed)
    rows = []
    for name in "abc"[: draw.choice((2, 3))]:
        most = draw.choice((1, 2))
        pace = draw.choice(("", 1, 0.5))  # 0.5 a year: one module in a period of two years
        rows.append(
            {
                "option": name,
                "module": draw.choice((10, 15, 25)),
                "most": most,
                "least": draw.choice((0, 0, 0, 1)) if name == "a" else 0,
                "pace": pace,
                "capex": draw.choice((4, 8, 12, 20)),
                "lead": draw.choice((0, 1, 2)),
                "ramp": draw.choice((0, 2)),
                "life": draw.choice((2, 5)),
                "first": draw.choice(("", 2032)) if pace != 0.5 else "",
                "last": "",
                "group": "site" if name in "ab" and seed % 2 else "",
                "requires": "a" if name == "c" else "",
            }
        )
    lines = [",".join(str(v) for v in (r["option"], "plant", r["option"].upper(), *list(r.values())[1:])) for r in rows]
    tables = {
        **TABLES,
        "options": OPTIONS + "\n".join(lines) + "\n",
        "demand": "country,sector,material,year,demand_t\nAAA,cars,magnet,2030,70\nAAA,cars,magnet,2033,130\n",
        "lanes": "material,origin,destination,cost_usd_per_t,max_t\nmagnet,CHN,AAA,15000,20\n",
        "sectors": "sector,name,shortage_usd_per_t\ncars,Cars,120000\n",
        "caps": "cap,metric,limit,limit_end\nless,exposed_share,0.3,0.1\n",
    }
    toml = TOML.format(years=list(YEARS), last=2, rate=0.07, concern='["CHN"]')
    return planner.load(write_instance(folder, tables, toml))


def allowed(inst, starts, counts):
    """Whether numbers of modules, by (option, year), keep the rules."""
    length = dict(zip(YEARS, (2, 1, 2), strict=True))
    options = {o.option: o for o in inst.options}
    built = dict.fromkeys(options, 0)
    by_start = dict(zip(starts, counts, strict=True))
    for (name, year), n in by_start.items():
        option = options[name]
        built[name] += n
        if option.max_per_year is not None and n > option.max_per_year * length[year]:
            return False
        if n and option.requires:
            before = sum(k for (other, y), k in by_start.items() if other == option.requires and y <= year)
            if n > option.max_modules * before:
                return False
    if any(not o.min_modules <= built[o.option] <= o.max_modules for o in inst.options):
        return False
    return sum(1 for o in inst.options if o.exclusive_group and built[o.option]) <= 1


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_is_the_best_of_all_combinations(tmp_path, monkeypatch, seed):
    inst = instance(tmp_path / "i", seed)
    data = prepare(inst).data
    starts = [(start.option, start.year) for start in data.build]
    for name, year in starts:
        option = next(o for o in inst.options if o.option == name)
        assert (option.first_start or 0) <= year and year + option.lead_years <= 2034
    most = {o.option: o.max_modules for o in inst.options}
    choices = itertools.product(*(range(int(most[name]) + 1) for name, _ in starts))
    combinations = [counts for counts in choices if allowed(inst, starts, counts)]
    try:
        planned = planner.solve(inst, gap=0).objective_musd
    except planner.PlannerError as error:
        assert error.exit_code == 3 and not combinations
        return

    without = tuple(f for f in models.FAMILIES if not f.__name__.endswith(".investment"))
    monkeypatch.setattr(models, "FAMILIES", without)
    arrays = compiled(data)
    columns = [arrays.columns["build"][i] for i in range(len(starts))]
    arrays.integer[:] = False
    best = np.inf
    for counts in combinations:
        arrays.col_lower[columns] = arrays.col_upper[columns] = counts
        programme = Programme(arrays, Settings())
        programme.option(presolve="off")
        found = programme.find()
        assert found.optimal
        best = min(best, programme.cost(found.x))
    assert combinations
    assert planned == pytest.approx(best, rel=3e-7)
