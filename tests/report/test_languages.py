"""Pages and summaries in other languages: all messages translated, nothing of the page left out, English as it was."""

import ast
import gettext
import re
import string
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from importlib.resources import files
from pathlib import Path
from threading import Barrier

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from pages import Elements, drawings, opened
from places import CASES, INSTANCES, TINY, run
from typer.main import get_command
from typer.testing import CliRunner

import planner
from planner import language
from planner.arguments import in_language
from planner.cli import application
from planner.errors import Infeasible, UsageError
from planner.instance.tables import TABLES
from planner.language import ENGLISH, Language, _, languages, numbers_of, translated
from planner.questions.many import Finished, pool
from planner.questions.summary import summary
from planner.words import figure_of, listed, money_of, share_of, tonnes_of

OTHERS = [code for code in languages() if code != ENGLISH]
MEND = "docs/languages.md has the two commands that bring the file up to date"
KEYWORDS = {"_": None, "n_": (1, 2), "p_": ((1, "c"), 2), "N_": None}


def messages():
    """All messages of the code, as `pybabel extract` finds them: (context, English, English of several)."""
    mappings = tomllib.loads((INSTANCES.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]
    ways = [(m["pattern"], m["method"]) for m in mappings["mappings"]]
    folder = Path(planner.__file__).parent
    found = extract_from_dir(folder, ways, keywords=KEYWORDS)
    one = ((context, (text, "") if isinstance(text, str) else text) for *_place, text, _comments, context in found)
    return {(context, *text) for context, text in one}


def translations(code):
    """The same of a file -> what it says for each number of things, and whether that is marked as fuzzy."""
    with files(planner).joinpath("languages", f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    return {
        (m.context, *((m.id, "") if isinstance(m.id, str) else m.id)): (
            [m.string] if isinstance(m.string, str) else list(m.string), m.fuzzy)
        for m in catalog
        if m.id
    }  # fmt: skip


def names(text):
    return {name for _text, name, _form, _turn in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated_and_no_other_is_there(code):
    wanted, found = messages(), translations(code)
    assert len(wanted) > 1000  # what is extracted is not next to nothing
    missing = sorted(str(m[1]) for m in wanted if not all(found.get(m, ([""], False))[0]))
    unsure = sorted(str(m[1]) for m, (_said, fuzzy) in found.items() if fuzzy)
    left = sorted(str(m[1]) for m in set(found) - wanted)
    assert not missing, f"{code}.po has no translation of {missing[:5]}; {MEND}"
    assert not unsure, f"{code}.po has unsure (fuzzy) translations of {unsure[:5]}; check them and remove the mark"
    assert not left, f"{code}.po has messages that are not in the code any more: {left[:5]}; {MEND}"


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_placeholders_of_its_message(code):
    wrong = {
        one: said
        for (_context, one, many), (strings, _fuzzy) in translations(code).items()
        for said in strings
        if names(said) not in (names(one), names(many or one))
    }
    assert not wrong


def test_english_needs_no_catalogue():
    script = (
        "import sys, planner, planner.reporting as r; from planner.questions.summary import summary;"
        f"run = planner.solve(planner.load({str(INSTANCES / 'tiny')!r})); r.report(run); summary(run);"
        "sys.exit('babel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_two_languages_in_two_threads_do_not_mix():
    both = Barrier(2)

    def said(code):
        with in_language(code):
            both.wait(10)
            return _("Project")

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(said, ["en", "ja"])) == ["Project", "プロジェクト"]


def test_other_processes_write_in_the_language_of_those_who_ask():
    # a worker that translates what it is given, in two processes of their own
    with in_language("ja"), closing(pool(partial(partial, translated), 2, None)) as others:
        assert dict(others.results({1: "none"})) == {1: "なし"}
        key = Finished([], None).key("work")
    assert key != Finished([], None).key("work")  # what it wrote is not taken for the same in English


def test_an_unknown_language_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(UsageError, match=r"language xx: expected one of en, .*ja"), in_language("xx"):
        pass
    done = run("solve", INSTANCES / "tiny", "-o", tmp_path / "run", "--language", "xx")
    assert done.returncode == 2 and "expected one of en" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.fixture
def speaks():
    """Makes the tests speak a language of which there is no file."""
    tokens = []
    yield lambda spoken: tokens.append(language._present.set(spoken))
    for token in reversed(tokens):
        language._present.reset(token)


def test_a_command_prints_and_writes_in_the_language_asked_for(tmp_path):
    done = run("solve", INSTANCES / "tiny", "-o", tmp_path / "run", "--report", "--language", "ja")
    # 9.75 MUSD and proven, by the README of tiny
    assert "現在価値 9.75百万USD（最適性を証明済み" in done.stdout and done.returncode == 0
    assert (
        (tmp_path / "run" / "report.html").read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="ja">')
    )
    # a page in one language may be replaced by one in another
    again = run("report", tmp_path / "run", "--overwrite")
    assert again.returncode == 0
    assert '<html lang="en">' in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_numbers_are_written_as_the_language_writes_them(speaks):
    with in_language("ja"):
        assert (figure_of(12345.6), share_of(0.5)) == ("12,346", "50.0%")
        # a thousand million are ten oku: 1.58e9 = 15.8 x 1e8; 1,880,889 t = 188 man t
        assert money_of(1580.0, "USD") == "15.8億USD"
        assert tonnes_of(1880889.0) == "188万 t"
        assert listed(["a", "b", "c"]) == "a、b、c"
    assert money_of(1580.0, "USD") == "1.58 billion USD"
    speaks(Language("de", signs=numbers_of("de")[0], large=numbers_of("de")[1]))
    assert (figure_of(12345.6), share_of(0.5)) == ("12.346", "50,0\xa0%")
    assert money_of(1580.0, "USD") == "1,58 Milliarden USD"


class Marked(gettext.NullTranslations):
    """Puts every message that is extracted in brackets."""

    def __init__(self):
        super().__init__()
        self.known = {text for _context, *texts in messages() for text in texts}

    def gettext(self, message):
        return f"⟦{message}⟧" if message in self.known else message

    def ngettext(self, one, many, n):
        return self.gettext(one if n == 1 else many)

    def pgettext(self, context, message):
        return self.gettext(message)


def unmarked(text):
    """What of a text stands in no brackets, which may lie in each other."""
    while text != (text := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)):
        pass
    return re.sub(r"<[^>]*>|&[a-z]+;|%\{[^}]*\}", " ", text)


def drawn_texts(part, key=""):
    """All texts of a chart that a reader sees."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from drawn_texts(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from drawn_texts(value, key)
    elif isinstance(part, str) and key in ("name", "text", "ticktext", "customdata", "hovertext"):
        yield part


def texts(page):
    """All texts of a page that a reader sees or hears, but for the sections of `NOT_YET`."""
    figures = drawings(page)
    for name in NOT_YET:
        (section,) = re.findall(rf'<section id="{name}" .*?</section>', page, re.S)
        page = page.replace(section, "")
        figures = {key: drawn for key, drawn in figures.items() if f'id="{key}"' not in section}
    elements = Elements(page)
    spoken = [attrs[key] for _tag, attrs in elements.tags for key in ("aria-label", "aria-valuetext") if key in attrs]
    charts = [text for drawn in figures.values() for text in drawn_texts(drawn["views"])]
    captions = [text for drawn in figures.values() for text in drawn["captions"].values()]
    return [*elements.words, *spoken, *charts, *captions]


@pytest.fixture(scope="module")
def tiny():
    """The run of tiny, and all that is cheaply shown beside it."""
    plan = planner.solve(planner.load(INSTANCES / "tiny"))
    other = planner.solve(plan.instance, pins=planner.Pins(forbid=["texas-line"]))
    studies = [
        planner.frontier(plan.instance, points=3),
        planner.explain(plan),
        planner.alternatives(plan.instance, slack=0.1),
        planner.stress(plan, workers=1),
        planner.compare(plan, other, names=["with", "without"]),
    ]
    return plan, studies


def given(instance):
    """All words that an instance gives."""
    data = {
        value
        for table in TABLES
        for row in instance.rows(table)
        for value in row.model_dump().values()
        if isinstance(value, str) and value
    }
    return data | {*instance.stages, instance.title, instance.name, instance.description}


NOT_YET = ()  # ids of sections whose messages are not in the catalogue yet, and stay English
# what stays English: names of tables, checks and settings, which are the words of files; and what a study says in words
# of its own, since it was written by another command
KEPT = {"t", "kt", "kg", "USD", "MUSD", "CSV", "csv", "sha256", "planner", "with", "without"}
SENTENCES = ("says", "decisive", "market_price")  # columns of studies
OF_FILES = {"table-facts", "table-evidence", "table-audit", "table-sources", "table-studies"}


def test_nothing_of_the_page_is_left_out(tiny, speaks):
    plan, studies = tiny
    data = given(plan.instance)
    rows = [row for study in studies for table in study.written().tables.values() for row in table]
    data |= {str(row[column]) for row in rows for column in SENTENCES if row.get(column)}
    speaks(Language("xx", Marked()))
    page = planner.report(plan, studies)
    for name in OF_FILES:
        page = re.sub(rf'<table class="sortable" id="{name}">.*?</table>', "", page, flags=re.S)
    left = set()
    for text in [*texts(page), *summary(plan).splitlines()]:
        rest = unmarked(text)
        for value in sorted(data, key=len, reverse=True):
            rest = rest.replace(value, " ")
        rest = re.sub(r"\b[0-9a-f]{64}\b", " ", rest)
        left |= {
            (rest.strip(), text)
            for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", rest)
            if len(word) > 1 and word not in KEPT
        }
    assert left == set()


WORDS = re.compile(r"\b(the|of|and|is|are|in|for|by|at|with|no|what|which|every)\b [a-z]")


def test_a_page_in_japanese_reads_japanese_in_a_browser(tiny, browser, tmp_path):
    plan, _studies = tiny
    page = planner.report(plan, language="ja")
    assert page.startswith('<!doctype html>\n<html lang="ja">') and "日本語を母語とする人" in page
    tab = opened(browser, tmp_path, page, width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    shown = tab.evaluate(
        """(hidden) => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                   while (walk.nextNode()) if (!walk.currentNode.parentElement.closest(hidden))
                     found.push(walk.currentNode.textContent.trim());
                   return found.filter(Boolean); }""",
        ", ".join(["script", "style", *(f"#{name}" for name in NOT_YET)]),
    )
    instance = plan.instance
    given = {
        instance.title,
        instance.description,
        *(s.title for s in instance.sources),
        *(f.name for f in instance.facilities),
        *(row.note for row in (*instance.options, *instance.facilities, *instance.caps)),
    }
    assert [text for text in shown if WORDS.search(text) and text not in given] == []
    assert sum(bool(re.search(r"[぀-ヿ一-鿿]", text)) for text in shown) > 100
    assert tab.complaints == []


# --- what the commands print ---

ENGLISH_ONLY = {"audit", "convert", "examples", "export", "hedge", "new", "rerun", "validate"}
PAGES = {"explore", "open", "report"}  # what they print is where the page is
LEAD = INSTANCES / "lead-and-ramp"
GALLIUM, STOCK = INSTANCES / "gallium-2035", INSTANCES / "stock-cover"
TWO_PLANTS = CASES / "60a_two_plants/instance"  # one may fail, the other may be started then
UNCERTAIN = ("--set", "options.success_probability=0.7")
CHANGE = """
[[change]]
name = "demand"
table = "demand"
column = "demand_t"
factor = [0.5, 1.5]
"""
FILES = {  # of the folder that {} stands for below
    "tornado.toml": f'instance = "{TINY}"\nmetrics = ["objective_musd", "built:texas-line"]\n{CHANGE}',
    "samples.toml": f'instance = "{TINY}"\nmethod = "lhs"\nsamples = 4\n{CHANGE}',
    "batch.toml": f"""
[[scenario]]
name = "tiny"
instance = "{TINY}"
[[scenario]]
name = "lead"
instance = "{LEAD}"
[[scenario]]
name = "more"
instance = "{TINY}"
what_if = ["scale demand=1.3"]
[[scenario]]
name = "impossible"
instance = "{CASES / "19_infeasible_floor/instance"}"
""",
}
ASKED = {
    "alternatives": [[TWO_PLANTS], [LEAD, "--group", "country=EST"]],
    "batch": [["{}/batch.toml"]],
    "break-even": [[TINY, "--option", "texas-line", of, *more] for of, *more in (["--subsidy"], ["--price", "magnet"])],
    "compare": [["{}/tiny", "{}/without"]],
    "concentration": [["{}/tiny"]],
    "cover": [
        [TINY, "--against", "outage:texas", "--year", "2027", "--months", "3,12"],
        [STOCK, "--against", "export_stop:CHN", "--year", "2026", "--months", "3"],  # no plan holds out
    ],
    "diagnose": [[TINY], [CASES / "19_infeasible_floor/instance"]],
    "evidence": [[TINY, "--run", "{}/tiny", "--stale", "2027"], [GALLIUM, "--stale", "2028"]],
    "explain": [["{}/tiny", "--prices", "magnet=60"], ["{}/two"], ["{}/lead", "--projects", "0"]],
    "frontier": [[TINY, "--points", "3"], [TINY, "--second", "unserved", "--points", "4"]],
    "replay": [["{}/two", "{}/roadmap", "--samples", "4"]],
    "roadmap": [[TWO_PLANTS], [LEAD, *UNCERTAIN]],
    "sensitivity": [["{}/tornado.toml"], ["{}/samples.toml"]],
    "solve": [[TINY, "-o", "{}/again"]],
    "stress": [
        *(["{}/tiny"], ["{}/traced", "--k", "2"], ["{}/two", "--failing"]),
        ["{}/lead", "--delivery", "4", *UNCERTAIN],
    ],
}
SENTENCE = re.compile(r"[A-Za-z]+(?:[ ,;:()-]+[A-Za-z]+){2,}")


@pytest.fixture(scope="module")
def asked(tiny, tmp_path_factory):
    """The folder of `FILES`, with runs of small instances and a roadmap, and all words that instances give."""
    folder = tmp_path_factory.mktemp("asked")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    plan, _studies = tiny
    two, lead, traced = (planner.solve(planner.load(of)) for of in (TWO_PLANTS, LEAD, INSTANCES / "traced-cap"))
    without = planner.solve(plan.instance, pins=planner.Pins(forbid=["texas-line"]))
    planner.roadmap(two.instance).write(folder / "roadmap")
    runs = {"tiny": plan, "without": without, "two": two, "lead": lead, "traced": traced}
    for name, run_of in runs.items():
        run_of.write(folder / name)
    instances = (planner.load(GALLIUM), planner.load(STOCK), *(of.instance for of in runs.values()))
    return folder, set().union(*map(given, instances))


def test_every_command_that_answers_has_the_language():
    commands = get_command(application()).commands
    speaking = {name for name, of in commands.items() if any("--language" in p.opts for p in of.params)}
    assert speaking == set(ASKED) | PAGES and set(commands) - speaking == ENGLISH_ONLY


@pytest.mark.parametrize("command", [(name, *of) for name, lines in ASKED.items() for of in lines], ids=str)
def test_no_english_sentence_is_printed_in_japanese(asked, command):
    folder, data = asked
    line = [str(word).replace("{}", str(folder)) for word in command]
    done = CliRunner().invoke(application(), [*line, "--language", "ja"])
    assert done.exit_code == 0 or isinstance(done.exception, Infeasible), done.stderr
    assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", done.stdout)
    text = re.sub(r"what if: .*", "", done.stdout.replace(str(folder), ""))  # a what-if is in the words of commands
    for value in sorted(data, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z]){re.escape(value)}(?![A-Za-z])", "0", text)
    assert SENTENCE.findall(text) == []


def test_the_name_that_translates_is_nothing_else():
    # Python 3.12.1 takes it for a local variable where a comprehension of the same function has one of that name
    named = []
    for file in sorted(Path(planner.__file__).parent.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        translates = any(
            isinstance(n, ast.ImportFrom) and n.module == "language" and "_" in [a.name for a in n.names] for n in nodes
        )
        stored = [n.lineno for n in nodes if isinstance(n, ast.Name) and n.id == "_" and isinstance(n.ctx, ast.Store)]
        within = [m for n in nodes if isinstance(n, ast.JoinedStr) for m in ast.walk(n) if isinstance(m, ast.Call)]
        messages_there = [m for m in within if isinstance(m.func, ast.Name) and m.func.id in ("_", "n_", "p_", "N_")]
        named += [f"{file}:{m.lineno}: a message within an f-string, where it is not found" for m in messages_there]
        named += [f"{file}:{line}" for line in stored if translates]
    assert not named
