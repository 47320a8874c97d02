"""Every rule across rows and tables finds what breaks it, at its place, and nothing in a sound instance."""

import re
from pathlib import Path

import pytest
from builders import TABLES, TOML, edited, write_instance

from planner.errors import InstanceError
from planner.instance.checks import REGISTRY
from planner.instance.loading import load

DEFECTS = Path(__file__).parents[1] / "defects"
CAP = "cap,metric,stage,material,country,sector,origin,first_year,last_year,limit\n"
OPTION = (
    "option,facility,name,module_t,max_modules,min_modules,max_per_year,integer,capex_musd,lead_years,life_years,"
    "first_start,last_start,exclusive_group,requires,private_musd\n"
)
PAIR = "group,option\npair,first\npair,second\n"
SECOND = "b,site,B,100,,,,,9,1,10,,,,,\n"
SCENARIO = "scenario,name,probability,first_year,last_year\n"
DISRUPTION = "scenario,kind,country,stage,material,facility,fraction,reference_t\n"
MONTHS = "scenario,name,probability,first_year,last_year,first_month,months\n"
ALWAYS = SCENARIO + "s,S,0.1,2026,2030\n"
STOP = DISRUPTION + "s,export_stop,CHN,,metal,,1,\n"
OUTAGE = DISRUPTION + "s,outage,CHN,,,,1,\n"
FUND = "fund,provider,instrument,budget_musd,first_year,last_year\n"
DRAWN = "fund,option\nf,first\n"
STOCKPILE = "stockpile,country,material,initial_t,max_t,final_min_t\n"
TARIFF = "material,origin,destination,first_year,last_year,rate\n"
FREE = {"market_prices": "market,year,price_usd_per_t\nspot,,0\n"}
LAST_NEEDS_NOTHING = {"demand": TABLES["demand"].replace("2030,200", "2030,0")}
LATE = {"options": edited("options", 2, lead_years=2)}  # of first, at site
ROOM = {
    "options": "option,facility,name,module_t,max_modules,capex_musd,life_years,lead_years,ramp_years,stockpile\n"
    "room,site,Room,20,2,5,10,1,2,s\n"
}
TAKEN = "offtake,facility,option,material,take_t,agreed_usd_per_t,first_year,last_year,payer,market\n"
GUARANTEE = "facility,option,material,floor_usd_per_t,first_year,last_year,payer,market\n"
CLOSING = "facility,kind,first_year,last_year,closing_usd_per_t\n"
PIT_OM = {"facilities": edited("facilities", 2, fixed_om_usd_per_t=10)}
EVIDENCE = "table,key,column,low,high,confidence,kind\n"
DATED = EVIDENCE.rstrip("\n") + ",as_of,review_by\n"
SHARED = "option,projects,common_cause,correlation\n"
DELIVERY = "option,projects,delay_low,delay_mode,delay_high,share_high\n"
FLOOR = "scenario,sector,min_service,first_year,last_year\n"
EACH_PLANT = 'outage = "facility", years = [2026, 2027], level = 1'
LANE = "material,origin,destination,cost_usd_per_t,first_year,last_year\n"
LOTS = "material,origin,destination,cost_usd_per_t,max_t,min_t,fixed_musd\n"
ALL_LANES = LANE + "*,*,*,20,,\n"


def caps(row):
    return {"caps": CAP + row + "\n"}


def floors(*rows):
    return {"caps": CAP.replace("limit", "limit,sense") + "".join(f"{row}\n" for row in rows)}


def tree(*rows):
    """Scenarios with rebuild_after and parent; the first has a disruption."""
    head = SCENARIO.replace("last_year", "last_year,rebuild_after,parent")
    return {"scenarios": head + "".join(f"{row}\n" for row in rows), "disruptions": OUTAGE}


def working(row):
    """A working stock; magnets have no value."""
    stocks = "material,country,weeks,replace_usd_per_t\n"
    return {"working_stocks": stocks + row + "\n", "materials": edited("materials", 4, value_usd_per_t=0)}


def grouped(row):
    return {"groups": PAIR, "group_limits": f"group,measure,first_year,last_year,min,max\n{row}\n"}


def options(*rows):
    return {"options": OPTION + "\n".join(rows) + "\n"}


def disruptions(row, scenarios=ALWAYS):
    return {"scenarios": scenarios, "disruptions": DISRUPTION + row + "\n"}


def recipes(rows, processes="", operations=""):
    return {
        "recipes": TABLES["recipes"] + rows,
        "processes": TABLES["processes"] + processes,
        "operations": TABLES["operations"] + operations,
    }


def impacts(factor, cap=""):
    columns = "impact,kind,facility,process,material,origin,destination,market,option,per_t\n"
    tables = {"impacts": "impact,name,unit\ni,I,t\n", "impact_factors": columns + factor + "\n"}
    return tables | ({"caps": "cap,metric,impact,limit,sense\n" + cap + "\n"} if cap else {})


def returns(rest):
    return {"returns": "return,material,returned,t_per_t,collected,mean_life_years,shape\nr,magnet," + rest + "\n"}


SIZES = "option,size,capacity_t,capex_musd\n"
BUYER = "buyer,country,material\nb,AAA,magnet\n"
SUBSTITUTE = "substitute,name,material,country,replaced_by,t_per_t\n"


def blends(*rows, contents="x,ore,1"):
    """What ore contains, and limits on it in what is made of it."""
    return {
        "contents": f"property,material,content\n{contents}\n",
        "blends": "property,material,facility,year,min,max\n" + "".join(f"{row}\n" for row in rows),
    }


def sizes(*rows):
    """The option ``second`` (100 t for 9 MUSD) as a divisible one, and its smaller sizes."""
    divisible = edited("options", 3, integer="no")
    return {"options": divisible, "option_sizes": SIZES + "".join(f"{row}\n" for row in rows)}


def buyers(*prices, buyer=BUYER):
    """A buyer, and its prices: year, price, min_t, max_t."""
    rows = "".join(f"b,{price}\n" for price in prices or (",60000,,50",))
    return {"buyers": buyer, "buyer_prices": "buyer,year,price_usd_per_t,min_t,max_t\n" + rows}


def substitutes(row, *shares):
    shares = shares or (",0.5",)
    rows = "".join(f"s,{share}\n" for share in shares)
    return {"substitutes": SUBSTITUTE + row + "\n", "substitute_shares": "substitute,year,max_share\n" + rows}


def lane_costs(*costs):
    pairs = ("AAA,BBB", "AAA,CHN", "BBB,AAA", "CHN,AAA")
    return {"lanes": ALL_LANES + "".join(f"magnet,{p},{c},,\n" for p, c in zip(pairs, costs, strict=False))}


def survive(rule):
    return ('["CHN"]\n', f'["CHN"]\nsurvive = [{{ {rule} }}]\n')


LOOP = "recycle,magnet,input,1\nrecycle,metal,output,"
RECYCLER = {"processes": "recycle,Recycle\n", "operations": "shop,recycle,100\n"}

# code -> what breaks the rule: the place of the issue, and the tables that differ from the sound instance
SLIPS = [
    # names
    ("E201", "recipes.csv:4:material", {"recipes": edited("recipes", 4, material="metl")}),
    ("E201", "materials.csv:2:stage", {"materials": edited("materials", 2, stage="minning")}),
    ("E358", "lanes.csv:2:fixed_musd", {"lanes": LOTS + "*,*,*,20,,,0.5\n"}),
    ("E358", "lanes.csv:2:min_t", {"lanes": LOTS + "*,*,*,20,,5,0.5\n"}),
    ("E358", "lanes.csv:2:min_t", {"lanes": LOTS + "*,*,*,20,4,5,\n"}),
    ("E359", "instance.toml:14:survive.outage", survive(EACH_PLANT), {"lanes": LOTS + "*,*,*,20,40,5,\n"}),
    ("E201", "lanes.csv:3:origin", {"lanes": edited("lanes", 3, origin="AAB")}),
    ("E201", "demand.csv:2:sector", {"demand": edited("demand", 2, sector="car")}),
    ("E201", "caps.csv:2:country", caps("c,exposed_share,,,EUX,,,,,0.5")),
    ("E201", "operations.csv:2:source", {"operations": edited("operations", 2, source="paper")}),
    ("E201", "operations.csv:2:process", {"operations": edited("operations", 2, process="mines", active="no")}),
    ("E202", "recipe_yields.csv:2:role", {"recipe_yields": "process,material,role,year,t_per_t\nmine,ore,input,,2\n"}),
    (
        "E202",
        "operation_costs.csv:2:process",
        {"operation_costs": "facility,process,year,opex_usd_per_t\npit,press,,2\n"},
    ),
    ("E203", "operations.csv:2:facility", {"facilities": edited("facilities", 2, active="no")}),
    (
        "E203",
        "caps.csv:2:country",
        {
            **caps("c,exposed_share,,,EUR,,,,,0.5"),
            "countries": "country,name,bloc,active\nAAA,A,,\nBBB,B,,\nCHN,C,,\nDDD,D,EUR,no\n",
        },
    ),
    (
        "E203",
        "operation_costs.csv:2:facility",
        {
            "operations": edited("operations", 5, active="no"),
            "operation_costs": "facility,process,year,opex_usd_per_t\nsite,press,,2\n",
        },
    ),
    ("E204", "instance.toml:13:countries_of_concern", ('["CHN"]', '["CHM"]')),
    (
        "E204",
        "instance.toml:13:countries_of_concern",
        {"countries": "country,name,bloc,active\nAAA,A,,\nBBB,B,EUR,\nCHN,C,,\nDDD,D,,no\n"},
        ('["CHN"]', '["DDD"]'),
    ),
    # keys
    ("E301", "countries.csv:3:bloc", {"countries": edited("countries", 3, bloc="AAA")}),
    ("E302", "demand.csv:3:year", {"demand": edited("demand", 3, year="")}),
    ("E302", "market_prices.csv:2:year", {"market_prices": edited("market_prices", 2, year="")}),
    ("E303", "lanes.csv:3:first_year", {"lanes": LANE + "*,*,*,20,,2028\n*,*,*,30,2028,\n"}),
    (
        "E303",
        "tariffs.csv:3:first_year",
        {"tariffs": "material,origin,destination,first_year,last_year,rate\n*,*,AAA,,,0.1\n*,*,AAA,2029,,0.2\n"},
    ),
    ("E304", "demand.csv::", {"demand": "country,sector,material,year,demand_t\n"}),
    ("E205", "facilities.csv:2:last_year", {"facilities": edited("facilities", 2, first_year=2028, last_year=2027)}),
    ("E205", "options.csv:2:last_start", {"options": edited("options", 2, first_start=2030, last_start=2026)}),
    # caps
    ("E306", "caps.csv:2:first_year", caps("c,exposed_share,,,,,,2027,2027,0.5")),
    ("E306", "caps.csv:2:last_year", caps("c,exposed_share,,,,,,,2020,0.5")),
    ("E307", "caps.csv:2:stage", caps("c,exposed_share,metal,,,,,,,0.5")),
    ("E307", "caps.csv:2:stage", caps("c,stage_share,,,,,,,,0.5")),
    ("E307", "caps.csv:2:material", caps("c,stage_share,metal,metal,,,,,,0.5")),
    ("E308", "caps.csv:2:country", caps("c,stage_share,metal,,AAA,,,,,0.5")),
    ("E308", "caps.csv:2:sector", caps("c,import_share,metal,,AAA,cars,,,,0.5")),
    ("E308", "caps.csv:2:origin", caps("c,exposed_share,,,,,CHN,,,0.5")),
    ("E309", "caps.csv:2:origin", caps("c,import_share,metal,,,,,,,0.5")),
    (
        "E310",
        "caps.csv:2:stage",
        {**caps("c,stage_share,metal,,,,,,,0.5"), "materials": edited("materials", 3, strategic="no")},
    ),
    ("E311", "caps.csv:2:country", caps("c,exposed_share,,,EUR,,,,,0.5")),
    ("E308", "caps.csv:2:recycled", {"caps": "cap,metric,stage,recycled,limit\nc,stage_share,metal,yes,0.5\n"}),
    ("E309", "caps.csv:2:country", caps("c,own_share,metal,,,,,,,0.5")),
    ("E371", "caps.csv:2:sense", floors("c,stage_share,metal,,,,,,,0.5,min")),
    # groups
    ("E201", "group_limits.csv:2:group", grouped("pare,modules,,,,1")),
    ("E201", "groups.csv:3:option", {**grouped("pair,modules,,,,1"), "groups": PAIR.replace("second", "secnd")}),
    (
        "E203",
        "groups.csv:3:option",
        {**grouped("pair,modules,,,,1"), "options": edited("options", 3, active="no")},
    ),
    ("E205", "group_limits.csv:2:last_year", grouped("pair,modules,2028,2027,,1")),
    (
        "E373",
        "group_limits.csv:2:measure",
        {**grouped("pair,options,,,,1"), "options": edited("options", 3, integer="no")},
    ),
    ("E374", "group_limits.csv:2:min", grouped("pair,modules,,,2,1")),
    ("W553", "groups.csv:2:group", {"groups": PAIR}),
    (
        "W555",
        "groups.csv:2:option",
        {
            **grouped("pair,modules,,,,1"),
            "groups": PAIR.replace("first", "Firm"),
            "facilities": edited("facilities", 2, owner="Firm"),
        },
    ),
    ("W554", "group_limits.csv:2:max", grouped("pair,modules,,,,")),
    ("W554", "group_limits.csv:2:max", grouped("pair,capacity_t,,,,150")),  # no more than that can be started
    ("W554", "group_limits.csv:2:min", grouped("pair,capacity_t,,,151,")),
    ("W554", "group_limits.csv:2:max", grouped("pair,modules,2029,2029,,1")),  # no period begins then
    (
        "W554",
        "group_limits.csv:2:max",
        {**grouped("pair,options,,,,0"), "options": edited("options", 2, min_modules=1)},
    ),
    # facilities
    ("E372", "facilities.csv:2:capacity_t", {"facility_capacity": "facility,year,capacity_t\npit,,50\n"}),
    (
        "E372",
        "facilities.csv:2:capacity_t",
        {
            "facility_capacity": "facility,year,capacity_t\npit,,50\n",
            "facilities": edited("facilities", 2, capacity_t=0),
        },
    ),
    ("E201", "facility_capacity.csv:2:facility", {"facility_capacity": "facility,year,capacity_t\npot,,50\n"}),
    # options
    ("E312", "options.csv:2:first_start", options("a,site,A,50,,,,,5,1,10,2027,2027,,,", SECOND)),
    ("E312", "options.csv:2:lead_years", options("a,site,A,50,,,,,5,5,10,,,,,", SECOND)),
    ("E312", "options.csv:2:max_modules", options("a,site,A,50,0,,,no,5,1,10,,,,,", SECOND)),
    ("E312", "options.csv:2:max_modules", options("a,site,A,50,0.5,,,,5,1,10,,,,,", SECOND)),
    ("E312", "options.csv:2:max_per_year", options("a,site,A,50,,,0,,5,1,10,,,,,", SECOND)),
    ("E312", "options.csv:2:max_per_year", options("a,site,A,50,,,0.4,,5,1,10,,,,,", SECOND)),
    # the side of a window that lies beyond all periods is to blame, though the other is written too
    ("E312", "options.csv:2:last_start", options("a,site,A,50,,,,,5,1,10,2020,2025,,,", SECOND)),
    ("E306", "caps.csv:2:last_year", caps("c,exposed_share,,,,,,2020,2025,0.5")),
    ("E346", "closures.csv:2:last_year", {**PIT_OM, "closures": CLOSING + "pit,idle,2020,2025,\n"}),
    ("E364", "price_floors.csv:2:last_year", {"price_floors": GUARANTEE + "shop,,magnet,5,2020,2025,P,\n"}),
    ("E350", "offtakes.csv:2:last_year", {"offtakes": TAKEN + "o,shop,,magnet,5,5,2020,2025,P,\n"}),
    (
        "E355",
        "branch_service.csv:2:last_year",
        {"scenarios": ALWAYS, "disruptions": STOP, "branch_service": FLOOR + "s,cars,0.5,2020,2025\n"},
    ),
    ("W525", "tariffs.csv:2:last_year", {"tariffs": TARIFF + "*,*,AAA,2020,2025,0.1\n"}),
    ("E313", "options.csv:2:requires", options("a,site,A,50,,,,,5,1,10,,,,a,", SECOND)),
    ("E313", "options.csv:2:requires", options("a,site,A,50,,,,,5,1,10,,,,b,", "b,site,B,100,,,,no,9,1,10,,,,,")),
    ("E314", "options.csv:2:requires", options("a,site,A,50,,,,,5,1,10,,2026,,b,", "b,site,B,50,,,,,5,1,10,2028,,,,")),
    ("E314", "options.csv:2:requires", options("a,site,A,50,,,,,5,1,10,,,g,b,", "b,site,B,50,,,,,5,1,10,,,g,,")),
    ("E315", "options.csv:2:min_modules", options("a,site,A,50,2,3,,,5,1,10,,,,,", SECOND)),
    # funds
    ("E316", "funds.csv:2:last_year", {"funds": FUND + "f,F,grant,9,2020,2025\n", "fund_options": DRAWN}),
    ("E316", "funds.csv:2:first_year", {"funds": FUND + "f,F,grant,9,2031,\n", "fund_options": DRAWN}),
    ("E317", "funds.csv:2:fund", {"funds": FUND + "f,F,grant,9,,\n"}),
    (
        "E363",
        "funds.csv:2:fund",
        {"funds": FUND + "private,F,grant,9,,\n", "fund_options": "fund,option\nprivate,first\n"},
    ),
    # scenarios and disruptions
    ("E318", "scenarios.csv:2:first_year", {"scenarios": SCENARIO + "s,S,0.1,2031,2032\n", "disruptions": STOP}),
    ("E318", "scenarios.csv:2:last_year", {"scenarios": SCENARIO + "s,S,0.1,2024,2025\n", "disruptions": STOP}),
    ("E396", "scenarios.csv:2:last_year", {"scenarios": SCENARIO + "s,S,0.1,2030,\n", "disruptions": STOP}),
    ("E396", "scenarios.csv:2:first_month", {"scenarios": MONTHS + "s,S,0.1,2030,,3,\n", "disruptions": STOP}),
    ("E396", "scenarios.csv:2:months", {"scenarios": MONTHS + "s,S,0.1,2030,,,3\n", "disruptions": STOP}),
    ("E396", "scenarios.csv:2:last_year", {"scenarios": MONTHS + "s,S,0.1,2030,2030,1,3\n", "disruptions": STOP}),
    # the blow may not fall into a period of two years, and neither may the year after it
    ("E396", "scenarios.csv:2:first_year", {"scenarios": MONTHS + "s,S,0.1,2028,,1,3\n", "disruptions": STOP}),
    (
        "E396",
        "scenarios.csv:2:months",
        {"scenarios": MONTHS + "s,S,0.1,2026,,1,3\n", "disruptions": STOP},
        ("years = [2026, 2028, 2030]", "years = [2026, 2027, 2030]"),
    ),
    ("E318", "scenarios.csv:2:first_year", {"scenarios": MONTHS + "s,S,0.1,2031,,1,3\n", "disruptions": STOP}),
    ("E318", "scenarios.csv:2:months", {"scenarios": MONTHS + "s,S,0.1,2025,,12,1\n", "disruptions": STOP}),
    ("E319", "scenarios.csv:2:probability", {"scenarios": SCENARIO + "s,S,1,2026,2030\n", "disruptions": STOP}),
    ("E319", "scenarios.csv:3:probability", tree("s,S,0.2,2026,2030,,", "t,T,0.3,2027,2030,,s")),
    (
        "E319",
        "scenarios.csv:4:probability",
        tree("s,S,0.2,2026,2030,,", "t,T,0.1,2027,2030,,s", "u,U,0.15,2027,2027,,s"),
    ),
    ("E201", "scenarios.csv:3:parent", tree("s,S,0.2,2026,2030,,", "t,T,0.1,2027,2030,,S")),
    ("E394", "scenarios.csv:2:parent", tree("s,S,0.2,2026,2030,,s")),
    ("E394", "scenarios.csv:3:parent", tree("s,S,0.2,2027,2030,,t", "t,T,0.2,2027,2030,,s")),
    ("E395", "scenarios.csv:3:first_year", tree("s,S,0.2,2027,2030,,", "t,T,0.1,2026,2030,,s")),
    ("W517", "scenarios.csv:3:scenario", tree("s,S,0.2,2026,2030,,", "t,T,0.1,2027,2030,,s")),
    ("E320", "disruptions.csv:2:facility", disruptions("s,export_stop,CHN,,metal,works,1,")),
    ("E320", "disruptions.csv:2:stage", disruptions("s,demand_surge,AAA,magnet,,,1,")),
    ("E320", "disruptions.csv:2:reference_t", disruptions("s,outage,CHN,,,,1,5")),
    ("E321", "disruptions.csv:2:reference_t", disruptions("s,export_stop,CHN,,metal,,0.9,")),
    (
        "E321",
        "disruptions.csv:2:reference_t",
        disruptions("s,export_stop,CHN,,metal,,1,", SCENARIO + "s,S,0.1,2027,2027\n"),
    ),
    (
        "E322",
        "disruptions.csv:2:material",
        {**disruptions("s,export_stop,CHN,,metal,,1,"), "lanes": LANE + "ore,AAA,CHN,10,,\nmagnet,BBB,AAA,10,,\n"},
    ),
    ("E322", "disruptions.csv:2:material", disruptions("s,outage,AAA,,metal,,1,")),
    ("E322", "disruptions.csv:2:facility", disruptions("s,project_failure,,,,shop,1,")),
    ("E322", "disruptions.csv:2:country", disruptions("s,demand_surge,CHN,,,,0.5,")),
    ("E322", "disruptions.csv:2:country", disruptions("s,price_surge,CHN,,,,0.5,")),
    # markets, plants
    ("E323", "markets.csv:2:exposed", {"markets": edited("markets", 2, country="CHN", exposed="no")}),
    ("E324", "markets.csv:3:market", {"markets": TABLES["markets"] + "other,AAA,metal\n"}),
    ("E325", "market_prices.csv:3:max_t", {"market_prices": edited("market_prices", 3, max_t="")}),
    ("E326", "processes.csv:5:process", {"processes": TABLES["processes"] + "idle,Idle\n"}),
    ("W537", "stockpiles.csv:2:initial_t", {"stockpiles": STOCKPILE + "s,AAA,metal,20,10,\n"}),
    ("E327", "stockpiles.csv:2:final_min_t", {"stockpiles": STOCKPILE + "s,AAA,metal,,10,20\n"}),
    # room for 10 t and two modules of 20 t, which are half there in 2027 and so a quarter in the first period
    ("E327", "stockpiles.csv:2:final_min_t", {"stockpiles": STOCKPILE + "s,AAA,metal,,10,51\n", **ROOM}),
    ("W537", "stockpiles.csv:2:initial_t", {"stockpiles": STOCKPILE + "s,AAA,metal,21,10,50\n", **ROOM}),
    ("W521", "facilities.csv:5:capacity_t", {"stockpiles": STOCKPILE + "s,AAA,metal,,10,\n", **ROOM}),
    ("E329", "recipes.csv:6:t_per_t", recipes(LOOP + "1.3\n", **RECYCLER)),
    # suspicious
    ("W501", "operations.csv::", {"operations": "facility,process\n", "options": OPTION, "demand": TABLES["demand"]}),
    (
        "W503",
        "scenarios.csv:3:scenario",
        {
            "scenarios": SCENARIO + "Stop,S,0.1,2026,2030\nstop,S,0.1,2026,2030\n",
            "disruptions": DISRUPTION + "Stop,outage,CHN,,,,1,\nstop,outage,CHN,,,,1,\n",
        },
    ),
    ("W503", "countries.csv:5:country", {"countries": TABLES["countries"] + "chn,China,\n"}),
    ("W503", "countries.csv:3:bloc", {"countries": edited("countries", 2, bloc="eur")}),
    ("W503", "sectors.csv:2:sector", {"sectors": TABLES["sectors"] + "Cars,Cars,90000\n"}),
    ("W504", "materials.csv:2:strategic", {"materials": edited("materials", 2, stage="")}),
    ("W505", "options.csv:2:exclusive_group", {"options": edited("options", 2, exclusive_group="g")}),
    ("W506", "facilities.csv:2:first_year", {"facilities": edited("facilities", 2, first_year=202)}),
    ("W507", "facilities.csv:2:ramp_years", {"facilities": edited("facilities", 2, ramp_years=2)}),
    ("W508", "facilities.csv:2:min_use_until", {"facilities": edited("facilities", 2, min_use_until=2028)}),
    ("W508", "facilities.csv:5:min_use", {"facilities": edited("facilities", 5, min_use=0.5)}),
    ("W509", "caps.csv:2:origin", caps("c,import_share,metal,,EUR,,BBB,,,0.5")),
    (
        "W510",
        "caps.csv:2:material",
        {
            **caps("c,stage_share,,scrap,,,,,,0.5"),
            "materials": TABLES["materials"] + "scrap,Scrap,metal,yes,1,yes\n",
            "stockpiles": STOCKPILE + "s,AAA,scrap,5,10,\n",
        },
    ),
    ("W511", "options.csv:2:requires", options("a,site,A,50,,,,,5,1,10,,,,b,", "b,site,B,50,,,,,5,1,10,,,,a,")),
    ("W512", "options.csv:2:min_modules", options("a,site,A,50,9,9,1,,5,1,10,,,,,", SECOND)),
    ("W512", "options.csv:3:min_modules", options("a,site,A,50,1,1,,,5,1,10,,,g,,", "b,site,B,50,1,1,,,5,1,10,,,g,,")),
    ("W513", "options.csv:2:max_modules", options("a,site,A,50,2.5,,,,5,1,10,,,,,", SECOND)),
    ("W514", "options.csv:2:private_musd", options("a,site,A,50,,,,,5,1,10,,,,,0", SECOND)),
    (
        "W515",
        "funds.csv:2:last_year",
        {
            "funds": FUND + "f,F,grant,9,,2026\n",
            "fund_options": DRAWN,
            "options": edited("options", 2, first_start=2028),
        },
    ),
    ("W515", "funds.csv:2:budget_musd", {"funds": FUND + "f,F,grant,0,,\n", "fund_options": DRAWN}),
    (
        "W516",
        "scenarios.csv:2:first_year",
        {"scenarios": SCENARIO + "s,S,0.1,2027,2030\n", "disruptions": DISRUPTION + "s,outage,CHN,,,,1,\n"},
    ),
    ("W517", "scenarios.csv:2:scenario", {"scenarios": ALWAYS}),
    (
        "W518",
        "disruptions.csv:2:scenario",
        disruptions("s,project_failure,AAA,,,,1,", SCENARIO + "s,S,0.1,2030,2030\n")
        | {
            "options": TABLES["options"].replace("lead_years\n", "lead_years,last_start\n").replace(",1\n", ",1,2026\n")
        },
    ),
    (
        "W518",
        "disruptions.csv:2:scenario",
        disruptions("s,export_stop,CHN,,metal,,1,", SCENARIO + "s,S,0.1,2030,2030\n")
        | {"lanes": LANE + "*,*,*,20,,2028\nmagnet,*,*,20,2029,\n"},
    ),
    # rows that never act: their years, or what they act on
    ("W518", "disruptions.csv:2:fraction", disruptions("s,outage,CHN,,,,0,")),
    (
        "W518",
        "disruptions.csv:2:scenario",
        disruptions("s,outage,CHN,,,,1,", SCENARIO + "s,S,0.1,2030,2030\n")
        | {"facilities": edited("facilities", 3, last_year=2029)},
    ),
    (
        "W518",
        "disruptions.csv:2:scenario",
        disruptions("s,demand_surge,AAA,,,,1,", SCENARIO + "s,S,0.1,2030,2030\n") | LAST_NEEDS_NOTHING,
    ),
    ("W518", "disruptions.csv:2:scenario", disruptions("s,price_surge,BBB,,,,1,") | FREE),
    ("W518", "sectors.csv:3:sector", {"sectors": TABLES["sectors"] + "bikes,Bikes,5\n"}),
    ("W518", "sectors.csv:2:clean_from_year", {"sectors": edited("sectors", 2, clean_from_year=2031)}),
    (
        "W518",
        "sectors.csv:2:clean_from_year",
        {"sectors": edited("sectors", 2, clean_from_year=2030), **LAST_NEEDS_NOTHING},
    ),
    ("W518", "markets.csv:2:market", {"market_prices": "market,year,price_usd_per_t,max_t\nspot,,1500,0\n"}),
    ("W518", "stockpiles.csv:2:max_t", {"stockpiles": STOCKPILE + "s,AAA,metal,,0,\n"}),
    ("W518", "caps.csv:2:limit", caps("c,exposed_share,,,,,,2030,,0.5") | LAST_NEEDS_NOTHING),
    (
        "W518",
        "caps.csv:2:limit",
        caps("c,exposed_share,,,,,,,,0.5") | {"facilities": edited("facilities", 3, country="BBB")},
    ),
    ("W518", "caps.csv:2:limit", caps("c,import_share,,magnet,CHN,,AAA,,,0.5") | {"lanes": LANE + "*,*,AAA,20,,\n"}),
    ("W518", "caps.csv:2:limit", floors("c,import_share,,magnet,AAA,,CHN,,,0,min")),
    ("W518", "caps.csv:2:limit", floors("c,import_share,,ore,BBB,,CHN,,,0.5,min")),  # ore is used in CHN only
    (
        "W552",
        "caps.csv:2:limit",
        floors("c,import_share,,metal,EUR,,CHN,,,0.5,min") | {"lanes": LANE + "*,*,AAA,20,,\n"},
    ),
    ("W552", "caps.csv:2:limit", floors("c,own_share,metal,,EUR,,,,,0.5,min")),
    (
        "W552",
        "caps.csv:2:limit",
        {"caps": CAP.replace("limit", "limit,sense,recycled") + "c,own_share,magnet,,AAA,,,,,0.5,min,yes\n"},
    ),
    (
        "W518",
        "facility_capacity.csv:3:year",
        {
            "facility_capacity": "facility,year,capacity_t\npit,2026,900\npit,2027,800\npit,2028,700\n",
            "facilities": edited("facilities", 2, capacity_t=""),
        },
    ),
    ("W551", "caps.csv:2:limit", floors("c,import_share,,metal,EUR,,,,,0.5,min", "d,import_share,,metal,EUR,,,,,0.4,")),
    (
        "W518",
        "tariffs.csv:2:rate",
        {"tariffs": TARIFF + "metal,*,AAA,,,0.1\n", "materials": edited("materials", 3, value_usd_per_t=0)},
    ),
    ("W518", "price_floors.csv:2:floor_usd_per_t", {"price_floors": GUARANTEE + "shop,,magnet,0,,,P,\n"}),
    # with a lead of 2 years first is online in 2028 at the earliest
    (
        "W518",
        "price_floors.csv:2:floor_usd_per_t",
        {"price_floors": GUARANTEE + "site,first,magnet,5,,2026,P,\n"} | LATE,
    ),
    ("W518", "offtakes.csv:2:take_t", {"offtakes": TAKEN + "o,shop,,magnet,0,5,,,P,\n"}),
    (
        "W518",
        "fund_options.csv:2:option",
        {"funds": FUND + "f,F,grant,9,,\n", "fund_options": DRAWN, "options": edited("options", 2, capex_musd=0)},
    ),
    (
        "W518",
        "branch_service.csv:2:min_service",
        {"scenarios": ALWAYS, "disruptions": STOP, "branch_service": FLOOR + "s,cars,0,,\n"},
    ),
    (
        "W518",
        "branch_service.csv:2:sector",
        {"scenarios": ALWAYS, "disruptions": STOP, "branch_service": FLOOR + "s,cars,0.5,2030,\n"} | LAST_NEEDS_NOTHING,
    ),
    # periods begin in 2026, 2028 and 2030, so nothing is taken from what stands for 2029 between 2028 and 2030
    (
        "W518",
        "demand.csv:4:year",
        {
            "demand": TABLES["demand"].replace(
                "2030,200\n", "2028,150\nAAA,cars,magnet,2029,900\nAAA,cars,magnet,2030,200\n"
            )
        },
    ),
    # impacts
    ("E383", "impact_factors.csv:2:market", impacts("i,lane,,,,,,spot,,2")),
    ("E383", "impact_factors.csv:2:option", impacts("i,operation,,,,,,,first,2")),
    ("E201", "impact_factors.csv:2:impact", impacts("j,operation,,,,,,,,2")),
    ("E201", "impact_factors.csv:2:facility", impacts("i,operation,pitt,,,,,,,2")),
    ("E308", "caps.csv:2:impact", impacts("i,operation,,,,,,,,2", "c,exposed_share,i,0.5,")),
    ("E309", "caps.csv:2:impact", impacts("i,operation,,,,,,,,2", "c,impact,,0.5,")),
    ("W574", "impacts.csv:3:impact", impacts("i,operation,,,,,,,,2") | {"impacts": "impact,name,unit\ni,I,t\nj,J,t\n"}),
    ("W518", "impact_factors.csv:2:per_t", impacts("i,operation,,,,,,,,0")),
    ("W518", "impact_factors.csv:2:per_t", impacts("i,operation,pit,press,,,,,,2")),
    ("W518", "caps.csv:2:limit", impacts("i,operation,,,,,,,,-2", "c,impact,i,50,")),
    ("W518", "caps.csv:2:limit", impacts("i,operation,,,,,,,,2", "c,impact,i,0,min")),
    # returns
    ("E201", "returns.csv:2:returned", returns("metl,1,0.5,1,")),
    ("W572", "returns.csv:2:returned", returns("metal,1,0.5,1,")),
    ("W573", "returns.csv:2:t_per_t", returns("metal,3,0.5,1,")),
    ("W518", "returns.csv:2:return", returns("metal,1,0,1,")),
    ("W518", "returns.csv:2:return", returns("metal,1,0.5,9,")),
    (
        "W518",
        "returns.csv:2:return",
        returns("tin,1,0.5,1,") | {"materials": TABLES["materials"] + "tin,Tin,,no,1,yes\n"},
    ),
    ("E308", "caps.csv:2:largest", {"caps": "cap,metric,stage,largest,limit\nc,stage_share,metal,2,0.5\n"}),
    ("E309", "caps.csv:2:largest", {"caps": "cap,metric,stage,largest,limit\nc,largest_share,metal,,0.5\n"}),
    # blends
    ("E333", "blends.csv:2:max", blends("x,metal,,,,")),
    ("E333", "blends.csv:3:min", blends("x,metal,,2026,1,2", "x,metal,,2030,,2")),
    ("E334", "blends.csv:2:min", blends("x,metal,,,3,2")),
    ("E335", "blends.csv:2:property", blends("x,ore,,,,2", contents="x,metal,1")),
    ("E335", "blends.csv:2:property", blends("x,metal,,,,2", contents="x,metal,1")),
    ("E335", "blends.csv:2:facility", blends("x,metal,shop,,,2")),
    ("E201", "blends.csv:2:property", blends("y,metal,,,,2")),
    ("E201", "contents.csv:2:material", blends("x,metal,,,,2", contents="x,oer,1")),
    ("E302", "blends.csv:2:year", blends("x,metal,,,,2", "x,metal,,2026,,2")),
    # sizes
    ("E331", "option_sizes.csv:2:option", {"option_sizes": SIZES + "second,small,50,5\n"}),
    ("E332", "option_sizes.csv:2:capacity_t", sizes("second,small,100,5")),
    ("E332", "option_sizes.csv:3:capex_musd", sizes("second,large,60,6", "second,small,50,7")),
    ("E201", "option_sizes.csv:2:option", sizes("secnd,small,50,5")),
    # buyers
    ("E391", "buyers.csv:2:buyer", {"buyers": BUYER}),
    ("E392", "buyer_prices.csv:3:max_t", buyers("2026,60000,,50", "2030,60000,,")),
    ("E393", "buyer_prices.csv:2:min_t", buyers(",60000,60,50")),
    ("E201", "buyers.csv:2:material", buyers(buyer="buyer,country,material\nb,AAA,magent\n")),
    ("E201", "buyer_prices.csv:2:buyer", buyers(buyer="buyer,country,material\nc,AAA,magnet\n")),
    ("E302", "buyer_prices.csv:2:year", buyers(",1,,5", "2026,1,,5")),
    ("W518", "buyers.csv:2:buyer", buyers(",60000,,0")),
    (
        "W591",
        "buyers.csv:2:material",
        buyers(buyer="buyer,country,material\nb,AAA,tin\n")
        | {"materials": TABLES["materials"] + "tin,Tin,,no,1,yes\n"},
    ),
    # substitutes
    ("E381", "substitutes.csv:2:substitute", {"substitutes": SUBSTITUTE + "s,S,magnet,,,\n"}),
    ("E382", "substitutes.csv:2:replaced_by", substitutes("s,S,magnet,,magnet,")),
    ("E382", "substitutes.csv:2:t_per_t", substitutes("s,S,magnet,,,2")),
    ("E201", "substitutes.csv:2:country", substitutes("s,S,magnet,EUX,metal,")),
    ("E201", "substitute_shares.csv:2:substitute", substitutes("r,R,magnet,,metal,")),
    ("E302", "substitute_shares.csv:2:year", substitutes("s,S,magnet,,metal,", ",0.5", "2026,0.5")),
    ("W518", "substitutes.csv:2:substitute", substitutes("s,S,magnet,,metal,", ",0")),
    ("W518", "substitutes.csv:2:substitute", substitutes("s,S,magnet,BBB,metal,")),
    ("W518", "substitute_shares.csv:2:year", substitutes("s,S,magnet,,metal,", "2020,0.5", "2026,0.5", "2030,1")),
    (
        "W571",
        "substitutes.csv:2:replaced_by",
        substitutes("s,S,magnet,,tin,") | {"materials": TABLES["materials"] + "tin,Tin,,no,1,yes\n"},
    ),
    ("W518", "delivery_risk.csv:2:projects", {"delivery_risk": DELIVERY + ",startup,0,1,2,1\n"}),
    (
        "W519",
        "stockpiles.csv:2:final_min_t",
        {"stockpiles": STOCKPILE + "s,AAA,metal,,10,5\n", "materials": edited("materials", 3, value_usd_per_t=0)},
    ),
    ("W539", "working_stocks.csv:2:replace_usd_per_t", working("magnet,AAA,4,")),
    ("W539", "working_stocks.csv:2:replace_usd_per_t", working("metal,AAA,4,1499")),  # a market asks 1500
    ("W518", "working_stocks.csv:2:country", working("magnet,CHN,4,10")),
    ("W520", "facilities.csv:6:facility", {"facilities": TABLES["facilities"] + "idle,Idle,AAA,operating,5\n"}),
    ("W521", "facilities.csv:3:last_year", {"facilities": edited("facilities", 3, last_year=2020)}),
    ("W521", "facilities.csv:4:capacity_t", {"facilities": edited("facilities", 4, capacity_t=0)}),
    ("W522", "processes.csv:5:process", recipes("extra,ore,output,1\n", "extra,Extra\n")),
    ("W523", "operations.csv:2:opex_usd_per_t", {"operations": edited("operations", 2, opex_usd_per_t=-5)}),
    ("W524", "materials.csv:5:material", {"materials": TABLES["materials"] + "dust,Dust,,no,1,yes\n"}),
    ("W525", "lanes.csv:3:destination", {"lanes": ALL_LANES + "ore,AAA,AAA,5,,\n"}),
    ("W525", "lanes.csv:3:first_year", {"lanes": ALL_LANES + "ore,AAA,CHN,5,2031,\n"}),
    ("W525", "lanes.csv:2:material", {"lanes": ALL_LANES + "ore,*,*,5,,\nmetal,*,*,5,,\nmagnet,*,*,5,,\n"}),
    (
        "W525",
        "tariffs.csv:2:last_year",
        {"tariffs": "material,origin,destination,first_year,last_year,rate\n*,*,AAA,,2025,0.1\n"},
    ),
    ("W526", "processes.csv:3:process", {"lanes": LANE + "metal,*,*,20,,\nmagnet,*,*,20,,\n"}),
    ("W526", "operations.csv:5:process", {"lanes": LANE + "ore,*,*,20,,\nmagnet,*,*,20,,\n"}),
    (
        "W527",
        "demand.csv:4:material",
        {"lanes": LANE + "ore,*,*,20,,\nmetal,*,*,20,,\n", "demand": TABLES["demand"] + "CHN,cars,magnet,,5\n"},
    ),
    ("W528", "recipes.csv:7:material", recipes(LOOP + "0.5\n", **RECYCLER)),
    (
        "W529",
        "recipes.csv:8:material",
        recipes("refine,metal,input,1\nrefine,pure,output,1\n", "refine,R\n", "shop,refine,1\n")
        | {"materials": TABLES["materials"] + "pure,Pure,metal,yes,2000,yes\n"},
    ),
    (
        "W530",
        "recipes.csv:8:material",
        recipes("press,swarf,output,0.2\nrecycle,swarf,input,1\nrecycle,metal,output,0.8\n", "", "shop,recycle,100\n")
        | {
            "processes": "process,name,restores_provenance\nmine,M,\nsmelt,S,\npress,P,\nrecycle,R,yes\n",
            "materials": TABLES["materials"] + "swarf,Swarf,,no,1,yes\n",
        },
    ),
    ("W531", "lanes.csv:4:cost_usd_per_t", lane_costs(20, 20000, 30, 25)),
    ("W531", "lanes.csv:3:cost_usd_per_t", lane_costs(0.02, 20, 30, 25)),
    (
        "W532",
        "options.csv:2:capex_musd",
        options("a,site,A,50,,,,,5000,1,10,,,,,", SECOND, "c,site,C,100,,,,,9,1,10,,,,,"),
    ),
    ("E330", "demand.csv:3:demand_t", {"demand": edited("demand", 3, demand_t="2e11")}),
    ("E330", "demand.csv:3:demand_t", {"demand": edited("demand", 3, demand_t="2e-6")}),
    ("W533", "recipes.csv:3:t_per_t", {"recipes": edited("recipes", 3, t_per_t=2000)}),
    (
        "W534",
        "market_prices.csv:2:price_usd_per_t",
        {"market_prices": edited("market_prices", 2, price_usd_per_t=1500000)},
    ),
    ("E344", "price_floors.csv:2:material", {"price_floors": GUARANTEE + "pit,,metal,1,,,State,\n"}),
    ("E344", "price_floors.csv:2:option", {"price_floors": GUARANTEE + "shop,first,magnet,1,,,State,\n"}),
    ("E364", "price_floors.csv:2:first_year", {"price_floors": GUARANTEE + "shop,,magnet,1,2031,,State,\n"}),
    (
        "E365",
        "price_floors.csv:2:upside_max_musd",
        {"price_floors": "facility,material,floor_usd_per_t,payer,upside_max_musd\nshop,magnet,1,State,2\n"},
    ),
    (
        "E356",
        "options.csv:2:stockpile",
        {"options": edited("options", 2, stockpile="s"), "stockpiles": STOCKPILE + "s,BBB,metal,,10,\n"},
    ),
    ("E346", "closures.csv:2:facility", {"closures": CLOSING + "site,idle,,,\n"}),
    ("E346", "closures.csv:2:first_year", {"closures": CLOSING + "pit,idle,2031,,\n", **PIT_OM}),
    ("E346", "closures.csv:2:last_year", {"closures": CLOSING + "pit,idle,,2025,\n", **PIT_OM}),
    ("E347", "closures.csv:2:closing_usd_per_t", {"closures": CLOSING + "pit,idle,,,5\n", **PIT_OM}),
    ("W535", "closures.csv:2:facility", {"closures": CLOSING + "pit,retire,,,5\n"}),
    ("E345", "price_floors.csv:2:market", {"price_floors": GUARANTEE + "shop,,magnet,1,,,State,spot\n"}),
    ("E348", "offtakes.csv:2:material", {"offtakes": TAKEN + "army,pit,,metal,10,1,,,State,\n"}),
    ("E348", "offtakes.csv:2:option", {"offtakes": TAKEN + "army,shop,first,magnet,10,1,,,State,\n"}),
    ("E349", "offtakes.csv:2:market", {"offtakes": TAKEN + "army,shop,,magnet,10,1,,,State,spot\n"}),
    ("E350", "offtakes.csv:2:facility", {"offtakes": TAKEN + "army,site,,magnet,10,1,,,State,\n"}),
    ("E350", "offtakes.csv:2:option", {"offtakes": TAKEN + "army,site,first,magnet,10,1,,2026,State,\n"} | LATE),
    ("E350", "offtakes.csv:2:first_year", {"offtakes": TAKEN + "army,shop,,magnet,10,1,2031,,State,\n"}),
    ("W536", "offtakes.csv:2:material", {"offtakes": TAKEN + "army,pit,,ore,10,1,,,State,\n"}),
    ("E361", "evidence.csv:2:table", {"evidence": EVIDENCE + "optoins,first,capex_musd,1,2,low,fact\n"}),
    ("E361", "evidence.csv:2:key", {"evidence": EVIDENCE + "operations,pit/mien,opex_usd_per_t,1,2,low,fact\n"}),
    ("E361", "evidence.csv:2:column", {"evidence": EVIDENCE + "options,first,name,1,2,low,fact\n"}),
    ("E362", "evidence.csv:2:high", {"evidence": EVIDENCE + "options,first,capex_musd,2,1,low,fact\n"}),
    ("E366", "evidence.csv:2:as_of", {"evidence": DATED + "options,first,capex_musd,1,2,low,fact,2026-13,\n"}),
    ("E366", "evidence.csv:2:review_by", {"evidence": DATED + "options,first,capex_musd,1,2,low,fact,,soon\n"}),
    ("E342", "delivery_risk.csv:2:delay_mode", {"delivery_risk": DELIVERY + "first,one,2,1,3,\n"}),
    ("E342", "delivery_risk.csv:2:share_high", {"delivery_risk": DELIVERY + "first,one,,,,0.5\n"}),
    ("E343", "delivery_risk.csv:2:projects", {"delivery_risk": DELIVERY + "first,all,,,,\n"}),
    ("E343", "delivery_risk.csv:2:projects", {"delivery_risk": DELIVERY + ",one,,,,\n"}),
    ("E397", "delivery_risk.csv:2:correlation", {"delivery_risk": SHARED + "first,one,permits,\n"}),
    ("E397", "delivery_risk.csv:2:common_cause", {"delivery_risk": SHARED + "first,one,,0.5\n"}),
    (
        "E341",
        "instance.toml:15:weight",
        ('["CHN"]\n', '["CHN"]\n[risk]\nweight = 1.5\n'),
        {"scenarios": ALWAYS, "disruptions": STOP},
    ),
    # outages to survive, service in branches
    (
        "E351",
        "instance.toml:14:survive.of",
        survive('outage = "country", of = ["CHM"], years = [2026, 2027], level = 1'),
    ),
    ("E351", "instance.toml:14:survive.of", survive('outage = "stage", of = ["CHN"], years = [2026, 2027], level = 1')),
    (
        "E351",
        "instance.toml:14:survive.of",
        survive('outage = "facility", of = ["CHN"], years = [2026, 2027], level = 1'),
    ),
    ("E352", "instance.toml:14:survive.sectors", survive(EACH_PLANT + ', sectors = ["car"]')),
    (
        "E352",
        "instance.toml:14:survive.sectors",
        survive(EACH_PLANT + ', sectors = ["bikes"]'),
        {"sectors": TABLES["sectors"] + "bikes,Bikes,5\n"},
    ),
    ("E353", "instance.toml:14:survive.years", survive('outage = "facility", years = [2027, 2027], level = 1')),
    ("E357", "instance.toml:14:survive.months", survive(EACH_PLANT + ", months = 3")),
    ("E357", "instance.toml:14:survive.from_month", survive(EACH_PLANT + ", from_month = 3")),
    ("E357", "instance.toml:14:survive.clock", survive(EACH_PLANT + ', clock = "month"')),
    ("E357", "instance.toml:14:survive.months", survive(EACH_PLANT + ', months = 3, clock = "year"')),
    (
        "E357",
        "instance.toml:14:survive.years",
        survive('outage = "facility", years = [2030, 2030], level = 1, from_month = 8, months = 6'),
    ),
    ("E353", "instance.toml:14:survive.years", survive('outage = "facility", years = [2028, 2027], level = 1')),
    ("E353", "instance.toml:14:survive.years", survive('outage = "facility", years = [2031, 2031], level = 1')),
    ("E353", "instance.toml:14:survive.years", survive('outage = "facility", years = [2028, 2031], level = 1')),
    (
        "E354",
        "instance.toml:14:survive.of",
        survive('outage = "stage", of = ["BBB mining"], years = [2026, 2027], level = 1'),
        {"lanes": LANE + "metal,*,*,20,,\nmagnet,*,*,20,,\n"},
    ),
    (
        "E354",
        "instance.toml:14:survive.outage",
        survive('outage = "export_stop", years = [2026, 2027], level = 1'),
        {"lanes": LANE},
    ),
    (
        "E355",
        "branch_service.csv:2:last_year",
        {
            "scenarios": SCENARIO + "s,S,0.1,2028,2030\n",
            "disruptions": STOP,
            "branch_service": FLOOR + "s,cars,0.5,,2027\n",
        },
    ),
    (
        "E355",
        "branch_service.csv:2:first_year",
        {"scenarios": ALWAYS, "disruptions": STOP, "branch_service": FLOOR + "s,cars,0.5,2031,\n"},
    ),
    ("W541", "instance.toml:15:weight", ('["CHN"]\n', '["CHN"]\n[risk]\nweight = 0.5\n')),
]


def issues_of(folder):
    try:
        return load(folder).warnings
    except InstanceError as error:
        return error.issues


def shown(issue):
    return f"{issue.file}:{'' if issue.line is None else issue.line}:{issue.column}"


def write_slip(folder, changes):
    toml, tables = TOML, dict(TABLES)
    for change in changes:
        if isinstance(change, dict):
            tables.update(change)
        else:
            assert change[0] in toml
            toml = toml.replace(*change)
    return write_instance(folder, tables, toml)


def test_a_sound_instance_has_neither_errors_nor_warnings(tmp_path):
    assert load(write_instance(tmp_path / "small")).warnings == ()


@pytest.mark.parametrize(
    ("code", "place", "changes"), [(s[0], s[1], s[2:]) for s in SLIPS], ids=[f"{s[0]}-{s[1]}" for s in SLIPS]
)
def test_a_slip_is_found_at_its_place(tmp_path, code, place, changes):
    issues = issues_of(write_slip(tmp_path / "small", changes))
    assert (code, place) in [(i.code, shown(i)) for i in issues], [str(i) for i in issues]
    if code.startswith("E"):  # one slip is one error, not an avalanche
        assert {i.code for i in issues} == {code}, [str(i) for i in issues]


def test_a_year_has_twelve_months_and_a_disruption_lasts_at_least_one(tmp_path):
    tables = {**TABLES, "disruptions": STOP, "scenarios": MONTHS + "s,S,0.1,2030,,13,0\n"}
    told = {shown(i): i.expected for i in issues_of(write_instance(tmp_path / "small", tables))}
    assert "1 to 12" in told["scenarios.csv:2:first_month"] and "1 to 9999" in told["scenarios.csv:2:months"]


def test_names_that_differ_in_case_are_told_with_both_places():
    # texas-line costs 6 MUSD, Texas-Line 5 MUSD: two projects, of which the plan takes the cheaper
    warnings = load(DEFECTS / "keys_apart_by_case").warnings
    assert [(w.code, w.place, w.column, w.value) for w in warnings] == [
        ("W503", "options.csv:2", "option", "texas-line")
    ]
    assert '"Texas-Line" (options.csv:3) only in case' in warnings[0].expected


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("transit_weeks", "-1", 'lanes.csv:2 transit_weeks = "-1" out of range, expected 0 to 51 (weeks) [E105]'),
        ("transit_weeks", "52", 'lanes.csv:2 transit_weeks = "52" out of range, expected 0 to 51 (weeks) [E105]'),
        ("transit_weeks", "6 weeks", "E104"),
        ("transit_days", "40", 'unknown column of lanes.csv; did you mean "transit_weeks"? [E107]'),
    ],
)
def test_weeks_under_way_are_of_less_than_a_year(tmp_path, column, cell, said):
    lanes = f"material,origin,destination,cost_usd_per_t,{column}\n*,*,*,20,{cell}\n"
    (issue,) = issues_of(write_slip(tmp_path / "small", ({"lanes": lanes},)))
    assert said in str(issue)


def test_every_rule_has_a_test():
    elsewhere = {"W502", "W538"}  # rows of overlays: test_instance.py
    assert {rule.code for rule in REGISTRY} == {slip[0] for slip in SLIPS} | elsewhere


def test_every_rule_has_a_code_of_its_own_and_a_sentence():
    codes = [rule.code for rule in REGISTRY]
    assert len(set(codes)) == len(codes)
    for rule in REGISTRY:
        assert re.fullmatch(r"[EW]\d{3}", rule.code)
        assert rule.sentence.endswith("."), rule.code


def test_a_slip_in_one_row_does_not_hide_a_slip_in_another(tmp_path):
    tables = {
        **TABLES,
        "recipes": edited("recipes", 4, material="metl"),
        "facilities": edited("facilities", 2, capacity_t="1,000".replace(",", "_")),
        "caps": CAP + "c,exposed_share,,,,,,2027,2027,0.5\n",
        "demand": edited("demand", 2, country=""),
    }
    found = {(i.code, shown(i)) for i in issues_of(write_instance(tmp_path / "small", tables))}
    assert found == {
        ("E201", "recipes.csv:4:material"),
        ("E104", "facilities.csv:2:capacity_t"),
        ("E306", "caps.csv:2:first_year"),
        ("E106", "demand.csv:2:country"),
    }


def test_the_room_that_options_add_counts(tmp_path):
    tables = {**TABLES, "stockpiles": STOCKPILE + "s,AAA,metal,,10,50\n", **ROOM}
    assert not [i for i in issues_of(write_instance(tmp_path / "small", tables)) if i.file == "stockpiles.csv"]


def test_an_option_that_adds_room_is_not_compared_with_plants(tmp_path):
    # 20 000 t of room at 0.0001 MUSD, between plants of 50 to 100 t at millions
    rooms = ROOM["options"].replace("room,site,Room,20,2,5", "room,site,Room,20000,2,0.0001")
    plants = "".join(f"{name},site,{name},50,1,5,10,1,0,\n" for name in "abc")
    tables = {**TABLES, "stockpiles": STOCKPILE + "s,AAA,metal,,10,\n", "options": rooms + plants}
    assert load(write_instance(tmp_path / "small", tables)).warnings == ()


def test_an_inactive_row_needs_no_effect(tmp_path):
    row = CAP.replace("limit", "limit,active") + "c,exposed_share,,,,,,2027,2027,0.5,no\n"
    assert load(write_instance(tmp_path / "small", {**TABLES, "caps": row})).warnings == ()


def test_a_loop_that_loses_mass_is_no_error(tmp_path):
    # 1 t magnet -> 1.19 t metal -> 1.19 / 1.2 t magnet: a little less than it began with
    tables = {**TABLES, **recipes(LOOP + "1.19\n", **RECYCLER)}
    assert {i.code for i in issues_of(write_instance(tmp_path / "small", tables))} == {"W528"}


def test_a_loop_that_needs_something_from_outside_is_no_error(tmp_path):
    # each turn gains a third of a tonne, but needs ore, which no process of the loop makes
    tables = {**TABLES, **recipes(LOOP + "1.6\nrecycle,ore,input,1\n", **RECYCLER)}
    assert not [i for i in issues_of(write_instance(tmp_path / "small", tables)) if i.severity == "error"]


def test_a_loop_that_gains_in_a_later_year_only_is_an_error(tmp_path):
    yields = "process,material,role,year,t_per_t\nrecycle,metal,output,2026,1\nrecycle,metal,output,2030,1.5\n"
    tables = {**TABLES, **recipes(LOOP + "1\n", **RECYCLER), "recipe_yields": yields}
    assert {i.code for i in issues_of(write_instance(tmp_path / "small", tables))} == {"E329"}


def test_two_outputs_that_come_back_together_are_weighed_together(tmp_path):
    # 1 magnet -> 0.7 metal and 0.7 scrap, 1 scrap -> 1 metal: neither way gains, both together 1.4 / 1.2 do
    rows = LOOP + "0.7\nrecycle,scrap,output,0.7\nmelt,scrap,input,1\nmelt,metal,output,1\n"
    changes = recipes(rows, "recycle,R\nmelt,Melt\n", "shop,recycle,1\nshop,melt,1\n")
    changes["materials"] = TABLES["materials"] + "scrap,Scrap,,no,1,yes\n"
    issues = issues_of(write_instance(tmp_path / "small", {**TABLES, **changes}))
    assert {i.code for i in issues} == {"E329"}
    assert all(name in issues[0].expected for name in ("press", "recycle", "melt"))


def test_the_cases_of_the_contract_are_accepted():
    folders = sorted(Path(__file__).parents[1].glob("cases/*/instance"))
    assert folders
    warned = {folder.parent.name: [w.code for w in load(folder).warnings] for folder in folders}
    # the overlay shows that a row replaces the whole row: it leaves min_service blank, which its base fills
    expected = {"07_recycling_restores_provenance": ["W530"], "33_own_share_and_recycling": ["W530"]}
    expected |= {"16b_overlay": ["W538"], "47_collected_is_not_made": ["W572"], "60b_two_plants_fixed": ["W538"]}
    assert {name: codes for name, codes in warned.items() if codes} == expected


def test_a_scenario_may_be_a_date_at_which_one_learns(tmp_path):
    # of good: nothing strikes, but it may build, and late leaves it; of date: it is the parent of what strikes
    scenarios = tree(
        "s,S,0.1,2026,2030,,date", "date,D,0.3,2026,2027,,", "good,G,0.2,2026,2027,0,", "late,L,0.2,2028,2029,1,good"
    )
    assert load(write_instance(tmp_path / "small", {**TABLES, **scenarios})).warnings == ()


def test_what_rounding_leaves_of_a_parents_probability_is_no_error(tmp_path):
    # 0.1 + 0.2 is a little more than 0.3 in binary numbers
    scenarios = tree("s,S,0.3,2026,2030,,", "a,A,0.1,2028,2030,0,s", "b,B,0.2,2028,2030,0,s")
    assert load(write_instance(tmp_path / "small", {**TABLES, **scenarios})).warnings == ()


def test_an_unknown_name_is_found_in_a_row_with_another_slip(tmp_path):
    tables = {**TABLES, "operations": edited("operations", 2, process="mien", opex_usd_per_t="cheap")}
    found = {(i.code, shown(i), i.hint) for i in issues_of(write_instance(tmp_path / "small", tables))}
    assert found == {
        ("E104", "operations.csv:2:opex_usd_per_t", ""),
        ("E201", "operations.csv:2:process", 'did you mean "mine"?'),
    }
