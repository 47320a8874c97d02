"""Differences between two searches: they have a sign only where no costs within the bounds have the other one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.bands import Searched, difference

ENDS = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(lambda ends: Searched(max(ends), min(ends)))


@given(ENDS, ENDS, st.floats(0, 1), st.floats(0, 1))
def test_no_least_costs_within_the_bounds_contradict_the_sign(one, other, part, share):
    band = difference(one, other)
    true = (one.bound + part * (one.cost - one.bound)) - (other.bound + share * (other.cost - other.bound))
    assert band.least - 1e-6 <= true <= band.most + 1e-6
    if band.sign:
        assert band.sign * true > 0.0 and band.sign * band.found > 0.0


@given(ENDS, ENDS)
def test_the_words_have_a_sign_only_outside_the_band(one, other):
    band = difference(one, other)
    text = band.told()
    if band.sign > 0:
        assert "more" in text and "less" not in text
    elif band.sign < 0:
        assert "less" in text and "more" not in text
    else:
        assert text == "the same" or text.startswith("between")


def test_the_same_search_is_the_same_or_open():
    assert difference(Searched(9.75, 9.75), Searched(9.75, 9.75)).told() == "the same"
    # both may cost from 90 to 100
    assert difference(Searched(100.0, 90.0), Searched(100.0, 90.0)).told() == "between 10 MUSD less and 10 MUSD more"
    # from 90 to 100 against exactly 90: dearer or the same
    assert difference(Searched(100.0, 90.0), Searched(90.0, 90.0)).told() == "between nothing and 10 MUSD more"


def test_rounding_is_no_difference():
    # the least-exposure step may spend 1e-7 of the cost
    assert difference(Searched(70_103.004, 70_103.004), Searched(70_103.0, 70_103.0)).told() == "the same"
    assert difference(Searched(70_103.1, 70_103.1), Searched(70_103.0, 70_103.0)).sign == 1


@pytest.mark.parametrize(("bound", "told"), [(108.0, "10 MUSD more (8 MUSD to 10 MUSD)"), (109.95, "10 MUSD more")])
def test_a_narrow_band_is_not_told(bound, told):
    assert difference(Searched(110.0, bound), Searched(100.0, 100.0)).told() == told
