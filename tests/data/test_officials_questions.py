"""The five questions that officials ask first, each as one command on the whole flagship, to a gap that is quick."""

import os
import re

import pytest
from places import run

pytestmark = pytest.mark.skipif("PLANNER_LONG" not in os.environ, reason="takes minutes: .ci/long flagship")

BAND = r"(costs [\d,.]+ MUSD (more|less)|costs between [\d,.]+ MUSD less and [\d,.]+ MUSD more|costs the same)"
QUICK = ("--gap", "0.005")


@pytest.mark.parametrize(
    ("what_if", "sign"),
    [
        (("--scale", "demand=1.3"), "more"),  # a third more to make, of 70 billion
        (("--set", "tariffs.rate=0"), "less"),  # 1.5 billion of tariffs are not paid any more
        (("--without", 'owner="Lynas Rare Earths"'), ""),  # fewer choices, but within this gap it is open
        (("--without", 'owner="Vulcan Elements"'), ""),
    ],
)
def test_one_command_answers_in_words_with_its_band(tmp_path, what_if, sign):
    answered = run("compare", "allied-2040", *what_if, *QUICK, cwd=tmp_path)
    assert answered.returncode == 0, answered.stderr
    first = answered.stdout.splitlines()[0]
    assert re.match(rf"what-if {BAND}", first) and "of deliveries are exposed in place of" in first
    if sign:
        assert f"MUSD {sign}" in first
    if "between" in first:
        assert "--gap" in answered.stdout and "so far the searches took" in answered.stdout
    assert re.search(r"\d+ rows? of \w+", answered.stderr)  # what it matched


def test_ten_per_cent_by_2032_at_least_public_money(tmp_path):
    asked = ("--cap", "exposed_share=10%@2032", "--objective", "public", "--slack", "3%", "--gap", "0.01")
    answered = run("solve", "allied-2040", *asked, "-o", "run", cwd=tmp_path)
    assert answered.returncode == 0, answered.stderr
    assert "the one with the least public for at most" in answered.stdout
    shares = dict(re.findall(r"^ (20\d\d) +([\d.]+)%", answered.stdout, flags=re.M))
    assert all(float(shares[str(year)]) <= 10.0 for year in range(2032, 2041))
    assert "no violation" in answered.stdout
