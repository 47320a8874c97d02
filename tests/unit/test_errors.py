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
