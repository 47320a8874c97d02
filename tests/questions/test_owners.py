"""An owner's name in groups.csv and disruptions.csv stands for all of its projects and plants."""

import pytest
from audit_runs import EVERYTHING, EVERYTHING_TOML
from builders import write_instance

import planner
from planner.instance.wildcards import hit_facilities, options_of

OWNED = {"new-press": "Firm", "new-reduce": "Firm", "usa-press": "Firm", "deu-press": "Press", "deu-reduce": "Other"}
SCENARIOS = "scenario,name,probability,first_year,last_year,rebuild_after\nfall,Firm falls,0.3,2028,2029,1\n"
WHOLE = ("groups", "group_limits", "option_sizes", "branch_service", "delivery_risk")  # written anew, or left out


def written(folder, groups, plants, projects):
    """The instance with owners, a group of options, an outage of plants and a failure of the projects of some."""
    head, *rows = EVERYTHING["facilities"].splitlines()
    facilities = [f"{head},owner", *(f"{row},{OWNED.get(row.split(',')[0], '')}" for row in rows)]
    tables = {name: text for name, text in EVERYTHING.items() if name not in WHOLE} | {
        "facilities": "\n".join(facilities) + "\n",
        "scenarios": SCENARIOS,
        "disruptions": "scenario,kind,facility,fraction\n"
        + "".join(f"fall,outage,{plant},1\n" for plant in plants)
        + "".join(f"fall,project_failure,{plant},1\n" for plant in projects),
        "groups": "group,option\n" + "".join(f"firm,{option}\n" for option in groups),
        "group_limits": "group,measure,first_year,last_year,min,max\nfirm,capex_musd,,,,8\n",
    }
    return planner.load(write_instance(folder, tables, EVERYTHING_TOML))


@pytest.fixture(scope="module")
def by_owner(tmp_path_factory):
    return written(tmp_path_factory.mktemp("owners") / "i", ["Firm"], ["Firm"], ["Firm"])


def test_an_owner_is_all_its_projects_and_all_its_plants(by_owner, tmp_path):
    options = ["press-big", "press-small", "reduce-more", "reduce-start"]
    projects = ["new-press", "new-reduce"]
    one_by_one = written(tmp_path / "i", options, [*projects, "usa-press"], projects)
    short, long = planner.solve(by_owner, gap=0.0), planner.solve(one_by_one, gap=0.0)
    assert short.objective_musd == pytest.approx(long.objective_musd, rel=1e-9)
    assert short.tables["builds"].equals(long.tables["builds"])
    assert planner.audit(by_owner, short).ok
    # the group and the failure both decide the plan, so that neither is without effect
    free = by_owner.what_if("set group_limits.max=80")
    assert planner.solve(free, gap=0.0).objective_musd < short.objective_musd - 1e-6
    safe = by_owner.what_if("set disruptions.fraction=0")
    assert planner.solve(safe, gap=0.0).objective_musd < short.objective_musd - 1e-6


def test_the_audit_counts_what_an_owner_starts(by_owner):
    plan = planner.solve(by_owner.what_if("set group_limits.max=80"), gap=0.0)
    assert "groups" in {check.kind for check in planner.audit(by_owner, plan).checks if not check.ok}


def test_a_name_that_is_a_key_means_that_alone(tmp_path):
    # owners may be called as a plant or a project is: the key counts, as in an instance without owners
    named = written(tmp_path / "i", ["press-big"], ["usa-press"], [])
    for owner in ("press-big", "usa-press"):
        called = named.what_if(f"set facilities.owner={owner} where facility!=usa-press")
        assert options_of(called, "firm") == {"press-big"}
        assert hit_facilities(called, called.disruptions[0]) == {"usa-press"}
        plan = planner.solve(called, gap=0.0)  # and the audit agrees
        assert plan.objective_musd == pytest.approx(planner.solve(named, gap=0.0).objective_musd, rel=1e-9)
    # its plants gone, the rows of the plant and of the project that are called as it was stay
    gone = named.what_if("set facilities.owner=usa-press where facility=fra-wind", "without owner=usa-press")
    assert gone.disruptions and gone.groups and "fra-wind" not in {f.facility for f in gone.facilities}


def test_without_the_owner_its_rows_are_gone(by_owner):
    gone = by_owner.what_if('without owner="Firm"')
    assert not gone.groups and not gone.group_limits and not gone.disruptions


def test_an_owner_is_forced_by_any_of_its_projects(by_owner):
    free = by_owner.what_if("set group_limits.max=80")
    forced = free.what_if('force owner="Firm"@2027:2')
    made = [planner.solve(instance, gap=0.0).tables["builds"] for instance in (free, forced)]
    before, after = (builds.modules[builds.start_year == 2027].sum() for builds in made)
    assert before < 2.0 <= after + 1e-6
    with pytest.raises(planner.PlannerError, match='no row of options with owner = Frm; did you mean "Firm"'):
        free.what_if("force owner=Frm@2027")


def test_alternatives_span_the_projects_of_an_owner(by_owner):
    found = planner.alternatives(by_owner, slack=0.05, groups=["owner=Firm"], plans=0, gap=0.0).groups
    assert list(found["group"]) == ["owner=Firm"] and found["most_t"][0] >= found["least_t"][0] > 0.0
