"""Every error survives the way between processes, with all that it says."""

import pickle

import pytest

from planner import errors
from planner.errors import Infeasible, InstanceError, Issue, PlannerError


def kinds(root=PlannerError):
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


def of(kind):
    issue = Issue("demand.csv", 3, "demand_t", "1,200", "expected a number", "write 1200", "E104")
    if kind is InstanceError:
        return InstanceError([issue], "there")
    return Infeasible("none", {"a": 1}) if kind is Infeasible else kind("what went wrong")


@pytest.mark.parametrize("kind", [k for k in kinds() if k.__module__ == errors.__name__], ids=lambda k: k.__name__)
def test_an_error_is_the_same_after_pickling(kind):
    error = of(kind)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind and str(back) == str(error) and back.exit_code == error.exit_code
    assert vars(back) == vars(error)


def test_the_nearest_name_is_looked_for_only_where_it_is_shown(monkeypatch):
    # 10,000 unknown names beside 3,000 known ones that look alike: 20 ms each would be 200 s; 50 are shown
    looked = []
    monkeypatch.setattr(errors, "did_you_mean", lambda name, known: looked.append(name) or f"like {name}")
    known = frozenset(f"refinery-{n:05d}" for n in range(3000))
    issues = [Issue("a.csv", n, "x", f"r{n}", "unknown", code="E201", near=(f"r{n}", known)) for n in range(10_000)]
    shown = InstanceError(reversed(issues)).issues
    assert looked == [f"r{n}" for n in range(50)] == [i.value for i in shown[:50]]
    assert [i.hint for i in shown] == [f"like {name}" for name in looked] + [""] * 9950
