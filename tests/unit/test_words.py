"""Numbers as people read them: nothing that is no number, and no share of next to nothing."""

from pathlib import Path

import pytest
from places import INSTANCES

import planner
from planner.auditing.facts import recovery
from planner.instance.finance import capital_recovery_factor
from planner.instance.tables import cells
from planner.questions.summary import show
from planner.words import share_of


@pytest.mark.parametrize("rate", [1e-17, 1e-12, 1e-9, 3e-8, 1e-6, 1e-3, 0.08, 3.0])
@pytest.mark.parametrize("years", [1, 3, 20, 60])
def test_annuities_are_exact_near_a_rate_of_nothing(rate, years):
    # the present value of the payments is 1: sum over k of CRF (1 + w)^-k
    paid = capital_recovery_factor(rate, years)
    assert sum(paid * (1.0 + rate) ** -k for k in range(1, years + 1)) == pytest.approx(1.0, rel=1e-12)
    assert recovery(rate, years) == pytest.approx(paid, rel=1e-12)


def test_a_plan_at_a_rate_of_nothing_is_solved_and_audited():
    # README of tiny: 6 MUSD of capex over 20 years without interest are 0.3 a year; the rest costs 9.45
    tiny = planner.load(INSTANCES / "tiny")
    free, nearly = (
        planner.solve(tiny.with_rows("options", {**cells(tiny.options[0]), "wacc": wacc})).objective_musd
        for wacc in (0.0, 1e-17)
    )
    assert free == pytest.approx(nearly, rel=1e-12)


def test_a_cost_that_credits_leave_next_to_nothing_of_has_no_huge_shares(capsys):
    # what is bought costs 150 t at 40,000 USD/t = 6 MUSD, as README of tiny says; a credit on the line takes all back
    tiny = planner.load(INSTANCES / "tiny")
    plan = planner.solve(tiny)
    plan.plan["metrics"]["cost_musd"] |= {"opex": -plan.objective_musd + 2.2e-16, "purchase": plan.objective_musd}
    plan.plan["objective_musd"] = 2.2e-16
    show(tiny, plan, Path("x"))
    out = capsys.readouterr().out
    assert "nan" not in out and not [word for word in out.split() if word.endswith("%)") and len(word) > 8], out


def test_shares_of_next_to_nothing_and_of_nothing():
    assert [share_of(x) for x in (4.5e13, -4.5e13, float("nan"), 0.99999, 1e-12)] == [
        *("over 10,000%", "below -10,000%", "-", "100%", "0%"),
    ]
    assert [share_of(x, 2) for x in (0.00024, 0.00004, 0.0, 0.5)] == ["0.02%", "0.004%", "0%", "50.00%"]


@pytest.mark.parametrize(
    ("bound", "told"), [(9.75, "9.75 MUSD\n"), (5.0, "9.75 MUSD, but by the gap up to 4.75 MUSD may")]
)
def test_that_no_project_pays_is_told_only_as_far_as_the_gap_allows(bound, told, capsys):
    tiny = planner.load(INSTANCES / "tiny")
    plan = planner.solve(tiny)
    plan.plan |= {"without_projects_musd": plan.objective_musd, "bound_musd": bound}
    show(tiny, plan, Path("x"))
    assert f"No optional project pays in this plan: without any the cost is {told}" in capsys.readouterr().out
