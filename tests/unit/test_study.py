"""What the questions give: its tables are as declared; written and read back it is the same."""

import json
import math

import pandas as pd
import pytest
from places import INSTANCES

import planner
from planner.errors import OutputError
from planner.questions.study import Study, Value, text_table

CAPEX = {"name": "capex", "table": "options", "column": "capex_musd", "factor": [0.5, 5.0]}


def risky():
    ramp = planner.load(INSTANCES / "lead-and-ramp")
    option = {k: v for k, v in ramp.options[0].model_dump().items() if v is not None}
    return ramp.with_rows("options", {**option, "success_probability": 0.6})


@pytest.fixture(scope="module")
def studies():
    """A study of each kind, by a name that says which."""
    tiny, ramp, late = (planner.load(INSTANCES / "tiny"), planner.load(INSTANCES / "lead-and-ramp"), risky())
    plan, late_plan = planner.solve(tiny), planner.solve(late)
    of_ramp = {"instance": str(INSTANCES / "lead-and-ramp"), "change": [CAPEX]}
    return {
        "frontier": planner.frontier(tiny),
        "surface": planner.surface(tiny, "exposed_share", "stage_share:magnet", points=3),
        "explain": planner.explain(planner.solve(ramp), prices={"magnet": 30.0}),
        "explain, unbuilt": planner.explain(planner.solve(tiny, pins=planner.Pins.parse(tiny, (), ["texas-line"]))),
        "alternatives": planner.alternatives(tiny, groups=["country=USA"]),
        "stress": planner.stress(plan, k=2, workers=1),
        "delivery": planner.delivery_risk(late_plan, samples=8),
        "failing": planner.failures(late_plan),
        "hedge": planner.hedge(late, outcomes=4, trial=16, replications=1),
        "one at a time": planner.sensitivity(of_ramp, workers=1),
        "lhs": planner.sensitivity({**of_ramp, "method": "lhs", "samples": 4}, workers=1),
        "compare": planner.compare(plan, late_plan, names=["one", "two"]),
        "cover": planner.cover(planner.load(INSTANCES / "stock-cover"), "export_stop:CHN", 2027, months=[3, 12]),
        "evidence": planner.evidence(ramp),
        "weights": planner.evidence(tiny, plan),
        "diagnose": planner.diagnose(tiny),
        "break-even": planner.break_even(ramp, "narva-1", premium="magnet"),
        "concentration": planner.concentration(plan),
        "roadmap": planner.roadmap(late),
        "replay": planner.replay(late_plan, samples=4),
        "batch": planner.batch({"instance": str(INSTANCES / "tiny"), "scenario": [{"name": "as it is"}]}, workers=1),
    }


NAMES = (
    *("frontier", "surface", "explain", "explain, unbuilt", "alternatives", "stress", "delivery", "failing", "hedge"),
    *("one at a time", "lhs", "compare", "cover", "evidence", "weights", "diagnose", "break-even", "concentration"),
    *("roadmap", "replay", "batch"),
)
FITS = {
    "text": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "yes/no": lambda v: isinstance(v, bool),
}


def test_there_is_one_of_every_kind(studies):
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    assert tuple(studies) == NAMES and {type(s) for s in studies.values()} == below(Study) - {Study}


@pytest.mark.parametrize("name", NAMES)
def test_written_and_read_back_it_is_the_same(studies, tmp_path, name):
    study = studies[name]
    folder = study.write(tmp_path / "study")
    assert type(study).read(folder) == study.written()
    assert (folder / study.MANIFEST).read_text(encoding="utf-8") == study.to_json()
    assert json.loads(study.to_json()) == study.to_dict()
    with pytest.raises(OutputError, match="exists"):
        study.write(folder)
    study.write(folder, overwrite=True)


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_as_declared(studies, name):
    study = studies[name]
    for table in study.tables().values():
        frame = getattr(study, table.attribute)
        if frame is None or not len(frame.columns):  # not asked for
            continue
        named = [column for column in frame.columns if column in table.names]
        assert named == table.names and (table.further or list(frame.columns) == named), table.name
        for column in table.columns:
            for value in frame[column.name].tolist():
                blank = pd.isna(value)
                assert FITS[column.kind](value) or (blank and column.kind != "text"), (table.name, column.name, value)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_not_whole_is_told(studies, tmp_path, name):
    study = studies[name]
    folder = study.write(tmp_path / "study")
    about = json.loads((folder / study.MANIFEST).read_text())
    lacking = next(part.name for part in study.HOLDS if isinstance(part, Value))
    del about[lacking]
    (folder / study.MANIFEST).write_text(json.dumps(about))
    with pytest.raises(OutputError, match=f"does not hold '{lacking}'"):
        type(study).read(folder)
    (folder / study.MANIFEST).unlink()
    with pytest.raises(OutputError, match=f"{study.MANIFEST} is missing"):
        type(study).read(folder)


def test_no_study_has_its_own_way_of_writing():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    for kind in below(Study) - {Study}:
        assert not {"write", "read", "to_dict", "to_json"} & set(vars(kind)), kind


def test_a_text_table_has_columns_of_their_width():
    assert text_table([("a", "<3"), ("b", ">4")], [("x", "1.0")], "|") == ["a  |   b", "x  | 1.0"]


def test_json_holds_no_number_that_is_not_finite():
    from planner.runs.tables import plain

    assert plain([math.nan, math.inf, 1.5, {"a": (-math.inf, 2)}]) == [None, None, 1.5, {"a": [None, 2]}]
