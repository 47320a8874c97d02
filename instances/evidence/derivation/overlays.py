"""Overlays of allied-2040: policies, price views, and the two buyers' instances. Each holds only what differs from the flagship."""

from __future__ import annotations

from . import china, facts
from .book import Book
from .chain import SECTORS
from .demand import GRADES, series
from .facts import Fact, assume, cite, find

MAGNET, STAGES = "magnet", ("mining", "separation", "metal", "magnet")
LATER_YEARS = ("2025", "2030", "2035", "2040")


def _policy(event: str) -> Fact:
    return find("policy_events", event=event)


def china_view(view: str) -> Book:
    """Chinese separation at another price."""
    book = Book()
    china.separation_operations(book, view)
    return book


def dfars() -> Book:
    """US defence and drones buy nothing exposed from 2027."""
    book = Book()
    rule = _policy("DFARS 252.225-7052 final rule: no mining, refining, melting or magnet making in China, Russia, Iran, North Korea")
    for sector, why in (("defence", ""), ("drones", "drones held to the same rule as defence, because most are bought for it or beside it")):
        book.add("caps", cap=f"dfars-{sector}", metric="exposed_share", country="USA", sector=sector, first_year=2027, limit=0, **cite(rule, assumed=why))
    return book


def crma() -> Book:
    """The EU's 65 per cent: of each stage's use from one third country, from 2030."""
    book = Book()
    act = next(f for f in _events("Critical Raw Materials Act 2030 benchmark") if f["parameter"] == "single_country_max")
    for stage in STAGES[1:]:
        book.add(
            "caps", cap=f"crma-{stage}", metric="import_share", stage=stage, country="EUU", origin="CHN", first_year=2030, limit=act.number("value") / 100,
            **cite(act, assumed="of the third countries only China comes near the limit; ore is left out because none comes from China"),
        )  # fmt: skip
    return book


def _events(event: str) -> list[Fact]:
    return [Fact("policy_events", f"{row['event']} {row['parameter']}", row) for row in facts.read("policy_events") if row["event"] == event]


def japan_50() -> Book:
    """Japan: at most half of what its makers use is exposed, from 2030."""
    book = Book()
    history = (find("policy_events", date="2014-09", parameter="share_non_china"), find("policy_events", date="2024", country="JPN", parameter="china_share"))
    book.add("caps", cap="japan-50", metric="exposed_share", country="JPN", first_year=2030, limit=0.5,
             **cite(*history, assumed="no such law: a planning target, traced end to end; Japan aimed at 60 per cent from outside China by 2018 and stood at 63 from China in 2024"))  # fmt: skip
    return book


def glide_20() -> Book:
    """All allied buyers: exposed share from 0.9 in 2028 to 0.2 in 2035, then held."""
    book = Book()
    why = assume("a planning target of no government, the question of the instance: what does an exposed share of 0.2 cost, and when can it be reached")
    book.add("caps", cap="glide", metric="exposed_share", first_year=2028, last_year=2035, limit=0.9, limit_end=0.2, **why)
    book.add("caps", cap="hold", metric="exposed_share", first_year=2036, limit=0.2, **why)
    return book


def stage_caps_only() -> Book:
    """The glide of glide-20 on every stage share instead of the traced share: the warning."""
    book = Book()
    why = assume("the same glide as glide-20, but stage by stage as policies state it, and nothing said about what flows through")
    for stage in STAGES:
        book.add("caps", cap=f"{stage}-glide", metric="stage_share", stage=stage, first_year=2028, last_year=2035, limit=0.9, limit_end=0.2, **why)
        book.add("caps", cap=f"{stage}-hold", metric="stage_share", stage=stage, first_year=2036, limit=0.2, **why)
    return book


MADE_IN_USA_FROM = 2032


def made_in_usa(base: Book) -> Book:
    """No foreign magnets into the USA from 2032: its lanes end the year before."""
    book = Book()
    why = assume(f"foreign magnets closed out from {MADE_IN_USA_FROM}, the first year in which plants that start now can be at full output")
    for lane in base.rows["lanes"]:
        if lane["material"] in GRADES and lane["destination"] == "USA":
            row = {column: lane[column] for column in ("material", "origin", "destination")} | {"cost_usd_per_t": float(lane["cost_usd_per_t"])}
            book.add("lanes", **row, **why, active="no")
            book.add("lanes", **row, last_year=MADE_IN_USA_FROM - 1, **why)
    return book


def embedded_demand() -> Book:
    """Magnets inside goods that the USA imports, as if they were bought by makers in the USA."""
    book = Book()
    total, direct = find("demand", region="USA", sector="total_incl_embedded", year="2028"), find("demand", region="USA", sector="total", method="source_anchor")
    factor = total.number("demand_t") / direct.number("demand_t") - 1
    why = f"{factor:.2f} x direct use, the ratio of 2028, in every year and grade: 20.6 kt in all against 7 kt bought directly; not part of the base, because others make these goods"
    book.add("sectors", sector="embedded", name="Magnets inside imported goods", shortage_usd_per_t=500_000, min_service=0,
             **cite(total, direct, assumed="shortage as in other goods; the goods could be bought elsewhere"))  # fmt: skip
    for material, grade in GRADES.items():
        for year in LATER_YEARS:
            t = sum(series("USA", parts, grade, year)[0] for _, _, _, parts, _ in SECTORS)
            book.add("demand", country="USA", sector="embedded", material=material, year=int(year), demand_t=round(factor * t, 1), **cite(total, direct, assumed=why))
    return book
