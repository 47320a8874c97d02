"""The names that a printed answer gives for the ids in it."""

import dataclasses
import shutil

import pytest
from typer.testing import CliRunner

import planner
from planner.cli import application
from planner.instance.examples import example_folder
from planner.questions.legend import legend


@pytest.fixture(scope="module")
def instance():
    return planner.load(example_folder("lead-and-ramp"))


def test_ids_in_a_text_have_their_names(instance):
    text = "capacity narva (EST), 2027; lane CHN-EST; the narva-1 line, for cars."
    assert legend(text, instance) == [
        "  CHN      China",
        "  EST      Estonia",
        "  narva    Narva magnets",
        "  narva-1  Narva line",
    ]


def test_ids_stand_beside_japanese_letters_and_marks(instance):
    assert legend("narva-1：ESTからの輸入（narva）", instance) == [
        "  EST      Estonia",
        "  narva    Narva magnets",
        "  narva-1  Narva line",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "narvas and narva_1 and EST-X are others",
        "a magnet: the stage has this word too",
        "Cars, cars: the name says no more",
    ],
)
def test_other_words_have_none(instance, text):
    assert legend(text, instance) == []


def test_an_id_of_several_words(instance):
    plant = instance.facilities[0].model_copy(update={"facility": "narva two", "name": "Another"})
    more = dataclasses.replace(instance, facilities=(plant,))
    assert legend("from narva two on", more) == ["  narva two  Another"]
    assert legend("from narva twofold", more) == []


def test_a_command_prints_them_and_json_does_not(tmp_path):
    planner.solve(example_folder("lead-and-ramp")).write(tmp_path / "run")
    printed = CliRunner().invoke(application(), ["explain", str(tmp_path / "run")]).output
    assert "Names:\n" in printed and printed.endswith("  narva-1  Narva line\n")
    assert "Names:" not in CliRunner().invoke(application(), ["explain", str(tmp_path / "run"), "--json"]).output


def test_money_on_the_terminal_has_the_currency_of_the_instance(tmp_path):
    shutil.copytree(example_folder("tiny"), tmp_path / "euro")
    settings = tmp_path / "euro" / "instance.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"USD"', '"EUR"'), encoding="utf-8")
    solved = CliRunner().invoke(application(), ["solve", str(tmp_path / "euro"), "-o", str(tmp_path / "run")])
    assert "9.75 MEUR present value" in solved.stdout and "USD" not in solved.stdout
    why = CliRunner().invoke(application(), ["explain", str(tmp_path / "run")])
    assert "EUR/kg" in why.stdout and "USD" not in why.stdout


def test_runs_are_compared_when_their_instances_are_gone_and_each_money_is_told_as_it_is(tmp_path):
    for name, currency in (("one", "EUR"), ("two", "USD")):
        folder = tmp_path / name
        shutil.copytree(example_folder("tiny"), folder)
        settings = folder / "instance.toml"
        settings.write_text(settings.read_text(encoding="utf-8").replace('"USD"', f'"{currency}"'), encoding="utf-8")
        planner.solve(folder).write(tmp_path / f"run-{name}")
    runs = [str(tmp_path / "run-one"), str(tmp_path / "run-two")]
    told = CliRunner().invoke(application(), ["compare", *runs])
    assert told.exit_code == 0 and "in EUR of 2025" in told.stdout and "in USD of 2025" in told.stdout
    shutil.rmtree(tmp_path / "one")
    told = CliRunner().invoke(application(), ["compare", *runs])
    assert told.exit_code == 0 and "9.75" in told.stdout and "Names:" not in told.stdout
