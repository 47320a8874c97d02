"""An instance in which every rule of the contract is at work, and runs put together by hand, for the audit's tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from planner.instance.instance import Instance

EVERYTHING_TOML = """\
schema = 1
name = "everything"
stages = ["separation", "metal", "magnet"]
[time]
years = [2026, 2027, 2029]
last_period_years = 2
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0.05
wacc = 0.08
[security]
countries_of_concern = ["CHN"]
"""

EVERYTHING: dict[str, str] = {
    "countries": "country,name,bloc\nCHN,China,\nDEU,Germany,EUR\nFRA,France,EUR\nUSA,United States,\n",
    "materials": (
        "material,name,stage,strategic,value_usd_per_t,surplus\n"
        "dy,Dysprosium,separation,,300000,yes\n"
        "magnet,Magnet,magnet,yes,70000,no\n"
        "metal,Metal,metal,yes,80000,no\n"
        "oxide,Oxide,separation,yes,60000,no\n"
        "swarf,Swarf,,,2000,yes\n"
        # a chain of its own, which what is written about the others does not know
        "coil,Coil,,,,\nferrite,Ferrite,,,,\nold-coil,Old coil,,,,no\n"
    ),
    "processes": (
        "process,name,restores_provenance\n"
        "press,Press,\nrecycle,Recycle,yes\nreduce,Reduce,\nseparate,Separate,\nseparate-dy,Separate with dysprosium,\n"
        "wind,Wind again,yes\ncast,Cast,\n"
    ),
    "recipes": (
        "process,material,role,t_per_t\n"
        "press,dy,input,0.02\npress,metal,input,1.25\npress,magnet,output,1\npress,swarf,output,0.25\n"
        "recycle,swarf,input,1\nrecycle,metal,output,0.6\n"
        "reduce,oxide,input,1.2\nreduce,metal,output,1\n"
        "separate,oxide,output,1\n"
        "separate-dy,oxide,output,1\nseparate-dy,dy,output,0.05\nwind,old-coil,input,1.25\nwind,coil,output,1\n"
        "cast,ferrite,input,1\ncast,coil,output,1\n"
    ),
    "recipe_yields": ("process,material,role,year,t_per_t\npress,metal,input,2026,1.25\npress,metal,input,2030,1.05\n"),
    "facilities": (
        "facility,name,country,status,capacity_t,first_year,last_year,ramp_years,min_use,min_use_until,"
        "fixed_om_usd_per_t,concern_tie\n"
        "chn-reduce,Baotou,CHN,operating,300,,,0,0,,0,no\n"
        "chn-separate,Ganzhou,CHN,operating,400,,,0,0,,0,no\n"
        "deu-press,Hanau,DEU,operating,100,,,0,0.3,2027,500,no\n"
        "deu-reduce,Goslar,DEU,operating,30,2025,2029,4,0,,200,yes\n"
        "new-press,Fort Worth,USA,candidate,0,,,0,0,,300,no\n"
        "new-reduce,Reno,USA,candidate,0,,,0,0,,300,no\n"
        "usa-press,Sumter,USA,operating,50,,,0,0,,0,no\n"
        "usa-recycle,Austin,USA,operating,10,,,0,0,,0,no\n"
        "usa-separate,Mountain Pass,USA,operating,120,2025,,3,0,,100,no\n"
        "fra-wind,Lyon,FRA,operating,40,,,0,0,,0,no\n"
    ),
    "operations": (
        "facility,process,opex_usd_per_t,capacity_per_t\n"
        "chn-reduce,reduce,3000,1\nchn-separate,separate,2000,1\ndeu-press,press,9000,1\n"
        "deu-reduce,reduce,8000,1.5\nnew-press,press,7000,1\nnew-reduce,reduce,5000,1\nusa-press,press,12000,1\n"
        "usa-recycle,recycle,1000,1\nusa-separate,separate-dy,4000,1\nfra-wind,wind,5000,1\nfra-wind,cast,900000,1\n"
    ),
    "operation_costs": ("facility,process,year,opex_usd_per_t\ndeu-press,press,2026,9000\ndeu-press,press,2030,7000\n"),
    "options": (
        "option,facility,name,module_t,max_modules,min_modules,max_per_year,integer,capex_musd,lead_years,"
        "ramp_years,life_years,exclusive_group,requires,private_musd,first_start,last_start\n"
        "press-big,new-press,Big line,60,1,0,,yes,9,1,2,10,line,,,,\n"
        "press-small,new-press,Small line,20,2,0,1,yes,2.5,1,0,10,line,,,,\n"
        "reduce-more,new-reduce,Extension,20,2,0,0.75,no,0.5,0,0,4,,reduce-start,,,\n"
        "reduce-start,new-reduce,First cells,30,2,1,1,yes,4,2,0,10,,,2.5,2026,2027\n"
    ),
    "option_sizes": "option,size,capacity_t,capex_musd\nreduce-more,half,10,0.3\nreduce-more,least,4,0.2\n",
    "groups": "group,option\ncells,reduce-more\ncells,reduce-start\nlines,press-big\nlines,press-small\n",
    "group_limits": (
        "group,measure,first_year,last_year,min,max\n"
        "cells,capacity_t,,2028,20,95\nlines,options,2027,,,1\nlines,capex_musd,,,,12\n"
    ),
    "lanes": (
        "material,origin,destination,cost_usd_per_t,max_t,first_year,last_year,min_t,fixed_musd,transit_weeks\n"
        "dy,*,*,200,,,,,,\nmagnet,*,*,200,,,,,,\nmagnet,*,USA,300,,,,,,\nmagnet,CHN,*,250,25,,,,,6.5\n"
        "metal,*,*,200,,,,,,6.5\nmetal,CHN,USA,150,40,,2028,5,0.05,6.5\noxide,*,*,200,,,,,,\nswarf,*,USA,200,,,,,,\n"
    ),
    "tariffs": (
        "material,origin,destination,first_year,last_year,rate\n"
        "*,CHN,USA,,,0.25\nmagnet,CHN,*,2027,,0.1\nmetal,*,DEU,,,0.02\n"
    ),
    "sectors": (
        "sector,name,shortage_usd_per_t,min_service,clean_from_year\n"
        "cars,Cars,300000,0.5,\ndefence,Defence,2000000,,2027\npumps,Pumps,400000,,\n"
    ),
    "demand": (
        "country,sector,material,year,demand_t\n"
        "DEU,cars,magnet,2026,60\nDEU,cars,magnet,2030,90\nFRA,cars,magnet,,10\n"
        "USA,cars,magnet,2026,40\nUSA,cars,magnet,2030,100\nUSA,defence,magnet,,8\n"
        "FRA,pumps,coil,,50\n"
    ),
    "markets": (
        "market,country,material,exposed\nchn-magnet,CHN,magnet,\nfra-dy,FRA,dy,\nfra-metal,FRA,metal,yes\n"
        "fra-coil,FRA,coil,\nfra-ferrite,FRA,ferrite,\nfra-ferrite-chn,FRA,ferrite,yes\n"
    ),
    "market_prices": (
        "market,year,price_usd_per_t,max_t\n"
        "chn-magnet,2026,60000,30\nchn-magnet,2030,80000,20\nfra-dy,,400000,\nfra-metal,,95000,15\n"
        "fra-coil,,50000,\nfra-ferrite,,2000,8\nfra-ferrite-chn,,1000,10\n"
    ),
    "stockpiles": (
        "stockpile,country,material,initial_t,initial_exposed,max_t,holding_usd_per_t,final_min_t\n"
        "deu-metal,DEU,metal,12,yes,40,100,10\nusa-magnet,USA,magnet,0,,20,100,4\n"
    ),
    "contents": "property,material,content\nage,old-coil,2\nage,ferrite,1\n",
    "blends": "property,material,facility,year,min,max\nage,coil,fra-wind,,1.5,4\n",
    "buyers": "buyer,country,material,clean_only\nwinder,FRA,coil,\nexport,FRA,old-coil,yes\n",
    "buyer_prices": (
        "buyer,year,price_usd_per_t,min_t,max_t\nexport,,60000,,3\nwinder,2026,60000,0.5,2\nwinder,2030,40000,1.5,4\n"
    ),
    "substitutes": (
        "substitute,name,material,country,sector,replaced_by,t_per_t,cost_usd_per_t\n"
        "ferrite,Ferrite,coil,EUR,,ferrite,2,500\nthrift,Thrift,coil,,pumps,,,700\n"
    ),
    "substitute_shares": "substitute,year,max_share\nferrite,2026,0.1\nferrite,2030,0.3\nthrift,,0.1\n",
    "impacts": "impact,name,unit,price_usd_per_unit\nco2,Emissions,t CO2,2\njobs,Jobs,persons,\n",
    "impact_factors": (
        "impact,kind,facility,process,material,origin,destination,market,option,per_t\n"
        "co2,operation,fra-wind,,,,,,,3\nco2,operation,,wind,,,,,,0.5\nco2,purchase,,,,,,fra-coil,,40\n"
        "co2,build,,,,,,,press-big,0.01\njobs,operation,fra-wind,,,,,,,0.1\n"
        "jobs,build,,,,,,,reduce-start,0.2\n"
    ),
    "returns": (
        "return,material,sector,country,returned,t_per_t,collected,mean_life_years,shape\n"
        "old-coils,coil,pumps,EUR,old-coil,0.9,0.6,1.5,2\n"
    ),
    "closures": (
        "facility,kind,first_year,last_year,avoided_share,closing_usd_per_t\n"
        "deu-press,idle,2027,,0.8,\nusa-separate,retire,2026,2027,1,50\n"
    ),
    "caps": (
        "cap,metric,stage,material,country,sector,origin,first_year,last_year,limit,limit_end,sense,impact,largest\n"
        "air,impact,,,,,,2029,,600,,,co2,\nfew,largest_share,metal,,,,,2029,,0.999,,,,2\n"
        "work,impact,,,,,,2026,2028,0.3,0.2,min,jobs,\nhome,own_share,magnet,,USA,,,2027,,0.4,0.5,min,,\n"
        "imports,import_share,,metal,EUR,,CHN,2027,,0.8,0.7,,,\n"
        "one,single_country_share,metal,,,,,2027,,0.75,,,,\n"
        "refining,stage_share,metal,,,,,2026,2029,0.95,0.65,,,\n"
        "traced,exposed_share,,,EUR,cars,,2027,2029,0.9,0.7,,,\n"
    ),
    "funds": (
        "fund,provider,instrument,budget_musd,first_year,last_year,max_share\n"
        "doe,Energy,grant,3,2026,2028,0.3\neib,Bank,loan,1.5,2027,,0.3\n"
    ),
    "fund_options": "fund,option\ndoe,reduce-start\neib,press-big\neib,reduce-start\n",
    "price_floors": (
        "facility,option,material,floor_usd_per_t,first_year,last_year,payer,market\n"
        "deu-press,,magnet,90000,2027,,Berlin,chn-magnet\nnew-reduce,reduce-more,metal,40000,,,Energy,\n"
    ),
    "offtakes": (
        "offtake,facility,option,material,take_t,agreed_usd_per_t,first_year,last_year,payer,market\n"
        "fort,new-press,press-small,magnet,5,90000,,,Army,\nnavy,deu-press,,magnet,40,30000,2026,2027,Navy,chn-magnet\n"
    ),
    "scenarios": (
        "scenario,name,probability,first_year,last_year,rebuild_after,parent\n"
        "failure,Failure,0.1,2027,2027,,\nstop,Stop,0.2,2028,2030,1,\nworse,Stop and fire,0.05,2029,2030,,stop\n"
    ),
    "disruptions": (
        "scenario,kind,country,stage,material,facility,fraction,reference_t\n"
        "failure,outage,EUR,magnet,,,0.4,\n"
        "failure,project_failure,,,,,0.5,\n"
        "stop,demand_surge,EUR,,magnet,,0.2,\n"
        "stop,export_stop,CHN,,metal,,0.8,60\n"
        "stop,export_stop,CHN,,oxide,,0.8,60\n"
        "stop,price_surge,CHN,,,,0.5,\n"
        "worse,outage,USA,magnet,,,0.5,\n"
    ),
}

COLUMNS: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "builds": "option facility country start_year online_year modules capacity_t capex_musd",
        "capacity": "facility country year capacity_t used_t",
        "activity": "facility process country input_provenance output_provenance year activity_t",
        "flows": "material origin destination provenance year t freight_musd tariff_musd",
        "purchases": "market country material provenance year t cost_musd",
        "service": "country sector material year demand_t clean_t exposed_t short_t",
        "stocks": "stockpile country material provenance year put_t draw_t stock_t",
        "adjustments": "kind material country provenance year t",
        "dependence": "cap metric stage material country sector year share limit marginal_musd_per_point",
        "prices": "material country provenance year usd_per_t",
        "costs": "component year musd present_musd",
        "funding": "option source year musd",
    }.items()
}
OPERATIONS = ("activity", "flows", "purchases", "service", "stocks", "adjustments")

Rows = Mapping[str, Iterable[Sequence[Any]]]


@dataclass
class HandRun:
    """A run with the same attributes as one that is read back."""

    plan: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    branches: dict[str, dict[str, pd.DataFrame]] = field(default_factory=dict)


def hand_run(
    instance: Instance,
    tables: Rows,
    costs: Mapping[str, Mapping[int, float]],
    exposed: Mapping[int, float] | None = None,
    stages: Mapping[str, Mapping[int, float]] | None = None,
    materials: Mapping[str, Mapping[int, float]] | None = None,
    branches: Mapping[str, Rows] | None = None,
) -> HandRun:
    """A proven optimal run out of rows written by hand, for periods of one year.

    costs                       MUSD by component and year
    exposed, stages, materials  shares by year; a year that is not named has none
    """
    blank = float("nan")
    years = instance.years
    discount = {y: (1 + instance.discount_rate) ** -(y - years[0]) for y in years}
    present = {c: sum(v * discount[y] for y, v in by_year.items()) for c, by_year in costs.items()}
    reported = [("", "exposed_share", "", "", "", "", y, (exposed or {}).get(y, blank), blank, blank) for y in years]
    for stage in instance.stages:
        share = (stages or {}).get(stage, {})
        reported += [("", "stage_share", stage, "", "", "", y, share.get(y, blank), blank, blank) for y in years]
    for row in instance.materials:
        if row.strategic:
            share = (materials or {}).get(row.material, {})
            name = row.material
            reported += [("", "stage_share", "", name, "", "", y, share.get(y, blank), blank, blank) for y in years]
    all_tables = {
        **tables,
        "dependence": [*tables.get("dependence", ()), *reported],
        "costs": [(c, y, v, v * discount[y]) for c, by_year in costs.items() for y, v in by_year.items()],
    }
    plan = {
        "schema": 1,
        "instance": {"name": instance.name, "title": instance.title, "sha256": instance.sha256},
        "versions": {},
        "settings": {},
        "status": "optimal",
        "objective_musd": sum(present.values()),
        "bound_musd": sum(present.values()),
        "gap": 0.0,
        "seconds": {},
        "size": {},
        "metrics": {
            "exposed_share": {str(y): (exposed or {}).get(y) for y in years},
            "stage_share": {s: {str(y): (stages or {}).get(s, {}).get(y) for y in years} for s in instance.stages},
            "short_t": {str(y): sum(row[7] for row in tables["service"] if row[3] == y) for y in years},
            "demand_t": {str(y): sum(row[4] for row in tables["service"] if row[3] == y) for y in years},
            "capex_musd": sum(row[7] for row in tables.get("builds", ())),
            "cost_musd": present,
        },
    }
    return HandRun(
        plan,
        {name: _frame(name, all_tables.get(name, ())) for name in COLUMNS},
        {s: {name: _frame(name, rows.get(name, ())) for name in OPERATIONS} for s, rows in (branches or {}).items()},
    )


def _frame(name: str, rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    return pd.DataFrame([list(row) for row in sorted(rows)], columns=list(COLUMNS[name]))
