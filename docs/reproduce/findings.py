"""Writes the tables of docs/findings.md, and the answers of overlays, from the runs that findings.sh leaves.

    docs/reproduce/findings.sh && python docs/reproduce/findings.py runs

A table stands between the lines ``<!-- findings.py: NAME -->`` and ``<!-- end -->``. Of one whose runs are not all
there nothing is changed, and that is said. What a table says in words (the columns of `WORDS`) is kept from the page,
by the first cell of the row. The sentences around the tables are not written by this: read them again where `git diff`
shows a change.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

import planner
from planner.bands import Band, Searched, difference

PAGE = Path(__file__).parent.parent / "findings.md"
INSTANCES = PAGE.parent.parent / "instances"
BASE = "[allied-2040](../allied-2040/README.md)"
LINK = re.escape(BASE)
TABLE = re.compile(r"(<!-- findings\.py: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
WORDS = ("what it says", "makes", "from, to")
NOTHING = "no finding"
SOME, WHOLE = 0.01, 0.995  # of a project: less is none of it, more is all of it
POINTS, MUSD = 0.02, 1000.0  # of exposure and capex: by so much plans of one cost within the gap may differ (judged)
PRICES = (50, 60, 71, 80, 92, 100, 105, 110, 115, 120, 125, 130, 135, 140, 145, 150, 160, 175, 200)
SHOWN = (71, 92, 110, 150)
PICTURES = {
    "curve-cost": "curve-cost",
    "dependence-shares": "dependence",
    "sensitivity-tornado": "tornado",
}  # of the report
STARTUPS = {
    "vulcan-benson-loan": "Vulcan Elements, Benson (loan)",
    "vulcan-benson-metal": "Vulcan Elements, own metal",
    "reelement-marion-loan": "ReElement, Marion (loan)",
    "phoenix-exeter-expansion": "Phoenix Tailings, Exeter expansion",
    "phoenix-freedom-metal-loan": "Phoenix Tailings, Freedom metal (loan)",
    "phoenix-freedom-oxide-loan": "Phoenix Tailings, Freedom oxide (loan)",
    "alta-boulder": "Alta Resource, Boulder",
    "alta-pedalpoint": "Alta Resource, with Korea Zinc",
}
VIEWS = ("china-at-cost", "allied-2040", "china-at-price")
LIMITS = (50, 20)
POLICIES = (
    *("dfars", "japan-50", "crma", "crma-benchmarks", "made-in-usa", "licence-2026", "section-232-tariff"),
    *("section-232-floor", "forge", "section-122-ended", "embedded-demand", "low-demand", "substitution"),
    "returning-magnets",
)

Rows = list[Sequence[str]]


class Runs:
    """The runs and studies of a folder, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, planner.Run] = {}

    def plan(self, name: str) -> planner.Run:
        """Return the run of this name."""
        if name not in self._read:
            self._read[name] = planner.read_run(self.folder / name)
        return self._read[name]

    def table(self, study: str, name: str) -> pd.DataFrame:
        """Return a table of a study."""
        return pd.read_csv(self.folder / study / f"{name}.csv")

    def more(self, name: str, base: str) -> Band:
        """Return by how much the least cost of one run exceeds that of another."""
        return difference(self.plan(name).searched, self.plan(base).searched)


def curve(runs: Runs) -> Rows:
    """What each step less costs."""
    points, rows, above = runs.table("curve", "frontier"), [], None
    knee = planner.Frontier.read(runs.folder / "curve").about["knee"]
    for r in points.itertuples():
        words = {1: " (least cost)", knee: " (knee)", len(points): " (least)"}.get(r.point, "")
        found = f"{percent(r.limit)}{words}", whole(r.objective_musd), f"{100 * r.gap:.2f} %"
        slope = (
            "" if above is None else whole((r.objective_musd - above.objective_musd) / (above.limit - r.limit) / 100)
        )
        clean = "-" if r.usd_per_kg_clean != r.usd_per_kg_clean else whole(r.usd_per_kg_clean)
        rows.append((*found, slope, clean, whole(r.short_t), whole(r.capex_musd)))
        above = r
    head = "exposed share at most|present cost, MUSD|gap|a point less costs, from the row above, MUSD"
    return [f"{head}|extra, USD/kg of clean magnet|short, t|capex, MUSD".split("|"), *rows]


def enters(runs: Runs) -> Rows:
    """What is built first at which limit, of startups and American projects."""
    points, switches = runs.table("curve", "frontier"), runs.table("curve", "switches")
    instance = runs.plan("allied-2040").instance
    plants = {f.facility: f for f in instance.facilities}
    told = {
        o.option
        for o in instance.options
        if (plants[o.facility].startup or plants[o.facility].country == "USA") and not o.option.startswith("unnamed-")
    }
    built = {option for option, _year in runs.plan("allied-2040").builds}
    seen = {project(instance, o) for o in built & told}
    rows: Rows = [("no limit", named(instance, sorted(built & told)))]
    for r in points.itertuples():
        on = switches[(switches["point"] == r.point) & (switches["change"] == "on")]
        new = [o for o in sorted(set(on["option"]) & told) if project(instance, o) not in seen]
        seen |= {project(instance, o) for o in new}
        if new:
            rows.append((percent(r.limit), named(instance, new)))
    return [("exposed share at most", "enters"), *rows]


def cost(runs: Runs) -> Rows:
    """The same limits under three views of China's price."""
    rows: Rows = []
    for limit in ("", *(f"-{limit}" for limit in LIMITS)):
        cells = [f"{limit[1:]} %" if limit else "no limit"]
        for view in VIEWS:
            more = told(runs.more(view + limit, view)) if limit else ""
            cells += [whole(runs.plan(view + limit).objective_musd), more]
        rows.append(cells)
    head = "exposed at most|at cost|more than without a limit|between|more|at price|more"
    return [head.split("|"), *rows]


def policies(runs: Runs) -> Rows:
    """What each policy costs and changes."""
    rows: Rows = []
    for name in ("allied-2040", *POLICIES):
        plan = runs.plan(name)
        change = "" if name == "allied-2040" else told(runs.more(name, "allied-2040"))
        shown = "none" if name == "allied-2040" else f"`{name}`"
        rows.append((shown, whole(plan.objective_musd), change, exposed(plan), whole(short(plan)), ""))
    head = "overlay|present cost, MUSD|more than without, MUSD|exposed 2030, 2035, 2040|short, t|what it says"
    return [head.split("|"), *rows]


def prices(runs: Runs) -> Rows:
    """From which Chinese price on each project pays; projects that pay alike share a row."""
    shares: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(PRICES))
    instance = runs.plan(f"at-{PRICES[0]}").instance
    most = {o.option: (o.max_modules or 1.0) for o in instance.options}
    for i, price in enumerate(PRICES):
        for (option, _year), modules in runs.plan(f"at-{price}").builds.items():
            if not option.startswith("unnamed-"):
                shares[option][i] += modules / most[option]
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    order: dict[tuple[str, ...], tuple[int, int]] = {}
    for option, of in sorted(shares.items()):
        if max(of) <= SOME:
            continue
        cells = (step(of, SOME), step(of, WHOLE), *(part(of[PRICES.index(p)]) for p in SHOWN))
        alike[cells].append(option)
        order[cells] = tuple(next((i for i, s in enumerate(of) if s > least), len(of)) for least in (SOME, WHOLE))
    rows: Rows = [(named(instance, options), *cells) for cells, options in alike.items()]
    rows.sort(key=lambda row: (order[tuple(row[1:])], row[0]))
    head = ["project", "its first tonnes pay from, USD/kg", "all of it pays from"]
    return [[*head, *(f"share that pays at {p}" if p == SHOWN[0] else f"{p}" for p in SHOWN)], *rows]


def lacks(runs: Runs) -> Rows:
    """What the startups lack, USD per kg of what they make in each year in which they run fully."""
    instance = runs.plan(f"at-{SHOWN[0]}").instance
    rows: Rows = []
    for option, label in STARTUPS.items():
        cells = []
        for price in SHOWN:
            built = sum(n for (o, _), n in runs.plan(f"at-{price}").builds.items() if o == option)
            most = next(o.max_modules or 1.0 for o in instance.options if o.option == option)
            share = part(built / most)
            cells.append(
                "pays" if share == "all" else f"pays, {share} of it" if share != "-" else lack(runs, price, option)
            )
        rows.append((label, "", *cells))
    return [("", "makes", *(f"at {p}{' USD/kg' if p == SHOWN[-1] else ''}" for p in SHOWN)), *rows]


def lack(runs: Runs, price: int, option: str) -> str:
    """Return what an option lacks at a price, USD/kg, as `planner explain` has it."""
    entry = runs.table(f"lacks-{price}", "entry")
    found = entry[(entry["option"] == option) & (entry["change"] == "opex")]["threshold"]
    return f"{float(found.iloc[0]) / 1000:.1f}" if len(found) else "-"


def sensitivity(runs: Runs) -> Rows:
    """How much each assumption moves cost, exposure and capex; the one that moves cost most first."""
    tornado, samples = runs.table("sensitivity", "tornado"), runs.table("sensitivity", "samples")
    at = {change: rows.set_index("metric") for change, rows in tornado.groupby("change", sort=False)}
    base = samples.iloc[0]
    rows: list[tuple[float, Sequence[str]]] = []
    for change, of in at.items():
        ends = [samples[samples[change] == end].iloc[0] for end in (0.0, 1.0)]
        bands = [difference(searched(end), searched(base)) for end in ends]
        costs = []
        for band, end in zip(bands, ends, strict=True):
            lack = end["short_t"] - base["short_t"]
            costs.append(signed(band) + (f" ({whole(round(lack, -2))} t short)" if lack > 50.0 else ""))
        share, capex = of.loc["exposed_share"], of.loc["capex_musd"]
        moved = abs(share["at_high"] - share["at_low"]) >= POINTS
        shares = f"{100 * share['at_low']:.0f} to {100 * share['at_high']:.0f} %" if moved else NOTHING
        built = capex["at_high"] - capex["at_low"]
        money = f"{whole(capex['at_low'])} to {whole(capex['at_high'])}" if abs(built) >= MUSD else NOTHING
        rows.append((max(abs(b.found) for b in bands), (change, "", *costs, shares, money)))
    head = "assumption|from, to|cost changes by, MUSD, at the low end|at the high end|exposed, low to high"
    return [f"{head}|capex, MUSD, low to high".split("|"), *(row for _, row in sorted(rows, key=lambda row: -row[0]))]


def regrets(runs: Runs) -> Rows:
    """The projects of all nine plans of `cost`, and in how many of the plans of `sensitivity` they are."""
    instance = runs.plan("allied-2040").instance
    names = [view + end for view in VIEWS for end in ("", *(f"-{limit}" for limit in LIMITS))]
    built = [{project(instance, o) for o, _ in runs.plan(n).builds if not o.startswith("unnamed-")} for n in names]
    flips = runs.table("sensitivity", "flips")
    ends = [
        (change, end)
        for change in dict.fromkeys(runs.table("sensitivity", "tornado")["change"])
        for end in ("low", "high")
    ]
    rows: list[tuple[int, Sequence[str]]] = []
    for name in sorted(set.intersection(*built)):
        of = [o.option for o in instance.options if name in (o.option, o.exclusive_group)]
        mine = flips[flips["option"].isin(of)]
        at_base = mine.empty or mine["modules_base"].max() >= SOME  # only what is otherwise at an end is a flip
        built_at = {end: rows["modules"].sum() >= SOME for end, rows in mine.groupby(["change", "end"])}
        without = [f"{change}, {end}" for change, end in ends if not built_at.get((change, end), at_base)]
        cells = named(instance, of[:1]), f"{len(ends) - len(without)}", "; ".join(without) or "nowhere"
        rows.append((len(without), cells))
    return [("project", f"of {len(ends)}", "where it is left out"), *(row for _, row in sorted(rows))]


def served(runs: Runs) -> Rows:
    """How clean deliveries can be, and from when, if nobody may be short."""
    rows: Rows = [("from", "exposed at least", "more than the least cost, MUSD")]
    for year in (2028, 2030):
        last = runs.table(f"served-{year}", "frontier").iloc[-1]
        band = difference(
            Searched(float(last["objective_musd"]), float(last["bound_musd"])), runs.plan("allied-2040").searched
        )
        proven = planner.Frontier.read(runs.folder / f"served-{year}").about["complete"]
        least = percent(last["limit"]) + ("" if proven else " was reached; that it is the least was not proven")
        rows.append((f"{year}", least, told(band)))
    return rows


def searched(sample: pd.Series) -> Searched:
    """Return cost and bound of a sample of a sensitivity study."""
    cost = float(sample["objective_musd"])
    return Searched(cost, cost - float(sample["gap"]) * abs(cost))


def signed(band: Band) -> str:
    """Return a change of the cost with its sign, MUSD, rounded to what the gaps leave of it."""
    if not band.sign:
        return NOTHING
    return f"{whole(round(band.least, -2))} to {whole(round(band.most, -2))}"


TABLES: dict[str, Callable[[Runs], Rows]] = {
    of.__name__: of for of in (prices, lacks, sensitivity, regrets, served, curve, enters, cost, policies)
}


def step(shares: Sequence[float], least: float) -> str:
    """Return between which two prices a project begins to pay, and until which it does."""
    pays = [i for i, share in enumerate(shares) if share > least]
    if not pays:
        return "-"
    first, last = pays[0], pays[-1]
    text = f"{PRICES[first]} or less" if first == 0 else f"{PRICES[first - 1]} to {PRICES[first]}"
    return text if last == len(PRICES) - 1 else f"{text}, until {PRICES[last]}"


def part(share: float) -> str:
    """Return which part of a project is built."""
    return "-" if share <= SOME else "all" if share >= WHOLE else f"{round(100 * share)} %"


def told(band: Band) -> str:
    """Return a difference in cost, MUSD, as the range that the gaps of both searches allow."""
    if not band.sign:
        return f"{NOTHING} ({whole(band.least)} to {whole(band.most)})"
    low, high = sorted((abs(band.least), abs(band.most)))
    return f"{whole(low)} to {whole(high)}{'' if band.sign > 0 else ' less'}"


def exposed(plan: planner.Run, years: Sequence[int] = (2030, 2035, 2040)) -> str:
    """Return the exposed shares of some years in per cent."""
    shares = plan.metrics["exposed_share"]
    return ", ".join(f"{100 * shares[str(y)]:.0f}" for y in years) + " %"


def short(plan: planner.Run) -> float:
    """Return what is short over the horizon, t."""
    return plan.total("service", "short_t")


def project(instance: planner.Instance, option: str) -> str:
    """Return the project of which an option is one form."""
    return next(o.exclusive_group or option for o in instance.options if o.option == option)


def named(instance: planner.Instance, options: Sequence[str]) -> str:
    """Return the names of options, of which one with a loan says so."""
    names = {o.option: o.name or o.option for o in instance.options}
    return "; ".join(names[o] for o in options)


def whole(number: float) -> str:
    """Return a number without decimals, with thousands separators."""
    text = f"{number:,.0f}"
    return "0" if text == "-0" else text


def percent(share: float) -> str:
    """Return a share in whole per cent."""
    return f"{100 * share:.0f} %"


def markdown(rows: Rows, before: str) -> str:
    """Return a table as Markdown; columns in words are those of the table ``before`` it."""
    head, *body = rows
    told = {cells[0]: cells for cells in (split(line) for line in before.strip().splitlines()[2:])}
    kept = [head.index(word) for word in WORDS if word in head]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in body:
        cells = list(row)
        for column in kept:
            cells[column] = told[cells[0]][column] if cells[0] in told else ""
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def split(line: str) -> list[str]:
    """Return the cells of a line of a Markdown table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def answer(runs: Runs, name: str, page: str) -> str:
    """Return the page of an overlay with the figures of its run in its answer: cost, what is more, exposure, capex."""
    before, mark, rest = page.partition("**Answer**")
    text, end, after = rest.partition("\n\n")
    plan, base = runs.plan(name), runs.plan("allied-2040")
    band = runs.more(name, "allied-2040")
    more = told(band).removesuffix(" less")
    side = "" if not band.sign else " more" if band.sign > 0 else " less"
    cost, there = whole(plan.objective_musd), whole(base.objective_musd)
    for pattern, new in (
        (r"(`\): )[\d,]+ MUSD", rf"\g<1>{cost} MUSD"),
        (
            rf"against [\d,]+ of {LINK}: ({NOTHING} \(.*?\)|[\d,]+ to [\d,]+ (more|less))",
            f"against {there} of {BASE}: {more}{side}",
        ),
        (rf"[\d,]+ to [\d,]+ (more|less) than {LINK}", f"{more}{side} than {BASE}"),
        (r"\d+, \d+(?:, | and )\d+ % exposed in 2030,(\s)2035", rf"{exposed(plan)} exposed in 2030,\g<1>2035"),
        (r"\d+, \d+(?:, | and )\d+ % there", f"{exposed(base)} there"),
        (r"[\d,]+ MUSD of capex", f"{whole(plan.metrics['capex_musd'])} MUSD of capex"),
    ):
        text = re.sub(pattern, new, text)
    return before + mark + text + end + after


def draw(runs: Runs) -> None:
    """Draw the figures of the page of the least-cost plan, its curve and its sensitivities, as pictures."""
    from playwright.sync_api import sync_playwright

    page = planner.report(runs.plan("allied-2040"), [runs.folder / "curve", runs.folder / "sensitivity"])
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page(viewport={"width": 1100, "height": 900})
        (Path(folder) / "page.html").write_text(page, "utf-8")
        shown.goto((Path(folder) / "page.html").as_uri())
        shown.add_style_tag(content="nav, figcaption, .tools, .controls { display: none !important }")
        for figure, name in PICTURES.items():
            shown.locator(f"#{figure}").scroll_into_view_if_needed()
            shown.wait_for_selector(f"#{figure} svg.main-svg")
            shown.locator(f"#{figure}").screenshot(path=PAGE.parent / "images" / f"{name}.png")


def main(folder: Path) -> None:
    """Write every table whose runs are there, and draw the pictures."""
    runs = Runs(folder)

    def written(found: re.Match[str]) -> str:
        try:
            return found[1] + markdown(TABLES[found[2]](runs), found[3]) + found[4]
        except (planner.PlannerError, OSError) as missing:
            print(f"{found[2]}: left as it is ({missing})")
            return found[0]

    PAGE.write_text(TABLE.sub(written, PAGE.read_text("utf-8")), "utf-8")
    for name in (*POLICIES, *VIEWS, "glide-20", "stage-caps-only"):
        page = INSTANCES / name / "README.md"
        if (folder / name).is_dir() and name != "allied-2040":
            page.write_text(answer(runs, name, page.read_text("utf-8")), "utf-8")
    draw(runs)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
