"""Print what a plan of allied-2040 gives against what was observed, or would be plausible.

    python instances/evidence/bands.py RUN      RUN is a folder written by planner solve, without a cap

A band is an observation, and nothing is tuned to it. A value outside needs an explanation, in the README of allied-2040, which also names what is fitted,
the price of Nd-Pr oxide in China, and what is held by caps and lanes that rest on other observations, the imports. An alarm watches for what no plan should do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))

from derivation import china
from derivation.chain import BULK, feed
from derivation.facts import find, read

Tables = Mapping[str, pd.DataFrame]
NAMES = ("activity", "adjustments", "builds", "capacity", "dependence", "flows", "prices", "service")
FIRST = 2026
MAGNETS = ("mag_n", "mag_sh", "mag_uh")
UNIT_VALUES = (("China export unit value, all destinations", "2024-H1"), ("China export unit value, all destinations", "2025-H1"),
               ("China export unit value to USA", "2025-H1"))  # fmt: skip
HEAVIES = ("hre_conc", "dy_oxide", "tb_oxide", "dy_metal", "tb_metal")


@dataclass(frozen=True)
class Band:
    """``low`` to ``high`` is where the least and the greatest of ``values(tables)`` should lie."""

    name: str
    low: float
    high: float
    digits: int
    basis: str
    values: Callable[[Tables], pd.Series]

    def measured(self, tables: Tables) -> tuple[float, float]:
        found = self.values(tables)
        return float(found.min()), float(found.max())

    def holds(self, tables: Tables) -> bool:
        least, most = self.measured(tables)
        return self.low <= least and most <= self.high


def _imports(region: str, year: str, sector: str = "imports_from_china") -> float:
    return find("demand", region=region, sector=sector, year=year).number("demand_t")


def _use(region: str, year: str) -> float:
    return find("demand", region=region, sector="total", year=year, method="region_total_control").number("demand_t")


def _from_china(country: str) -> Callable[[Tables], pd.Series]:
    """Share of a country's magnets that comes from China in the first year."""

    def share(tables: Tables) -> pd.Series:
        flows, service = tables["flows"], tables["service"]
        moved = flows[
            (flows.origin == "CHN")
            & (flows.destination == country)
            & (flows.year == FIRST)
            & flows.material.isin(MAGNETS)
        ]
        need = service[(service.country == country) & (service.year == FIRST)]
        return pd.Series([moved.t.sum() / need.demand_t.sum()])

    return share


def _reported(tables: Tables) -> pd.DataFrame:
    """The dependence that is always reported, of the whole chain: shares by metric, stage and year."""
    d = tables["dependence"]
    blank = {column: d[column].isna() | (d[column] == "") for column in ("cap", "material")}
    return d[blank["cap"] & blank["material"] & d.metric.isin(("exposed_share", "stage_share"))]


def _made(facilities: tuple[str, ...]) -> Callable[[Tables], pd.Series]:
    def kilotonnes(tables: Tables) -> pd.Series:
        a = tables["activity"]
        return pd.Series([a[a.facility.isin(facilities) & (a.year == FIRST)].activity_t.sum() / 1000])

    return kilotonnes


def _price(material: str, country: str, provenance: str) -> Callable[[Tables], pd.Series]:
    def usd_per_kg(tables: Tables) -> pd.Series:
        p = tables["prices"]
        of = (p.material == material) & (p.country == country) & (p.provenance == provenance) & (p.year == FIRST)
        return p[of].usd_per_t / 1000

    return usd_per_kg


def _unit_value(tables: Tables) -> pd.Series:
    """USD per kg of the magnets that leave China in the first year, by what each grade is worth there."""
    flows, prices = tables["flows"], tables["prices"]
    left = flows[(flows.origin == "CHN") & (flows.year == FIRST) & flows.material.isin(MAGNETS)]
    worth = prices[(prices.country == "CHN") & (prices.provenance == "exposed") & (prices.year == FIRST)]
    each = left.material.map(worth.set_index("material").usd_per_t)
    return pd.Series([(left.t * each).sum() / left.t.sum() / 1000])


def _export_values() -> list[float]:
    """Unit values of Chinese exports in USD per kg, as they would have been with Nd-Pr oxide at the price of the plan, which is fitted.

    Between a quote and the plan the oxide in a kilogram of magnet became dearer, and all else is left as it was.
    """
    oxide = feed("metal-ndpr-chn", "ndpr_oxide") * china.mean(share[0] / 100 for share in BULK.values())
    price, *_ = china.view("mean")
    values = []
    for market, half in UNIT_VALUES:
        then = [p for p in china.prices(half[:4]) if len(p["date"]) == 4 or p["date"] < f"{half[:4]}-07"]
        paid = china.mean(p.number("price") for p in then)
        values.append(
            find("prices", item="NdFeB magnet", market=market, date=half).number("price") + oxide * (price - paid)
        )
    return [float(value) for value in values]


def _quoted(*quotes: tuple[str, str, str]) -> tuple[float, float]:
    """Least and greatest price of rows of prices.csv: item, market, beginning of the date; in USD without tax."""
    found = [
        row.optional(end) or row.number("price")
        for item, market, date in quotes
        for row in read("prices")
        if row["item"] == item
        and row["market"] == market
        and row["date"].startswith(date)
        and row["unit"].startswith("USD/kg")
        for end in ("low", "high")
    ]
    return float(min(found)), float(max(found))


def _largest_country(tables: Tables) -> pd.Series:
    """kt of magnets that the largest maker outside China makes in a year."""
    a = tables["activity"]
    made = a[a.process.str.startswith("mag-") & (a.country != "CHN")]
    return pd.Series([made.groupby(["country", "year"]).activity_t.sum().max() / 1000])


def _heavies_wasted(tables: Tables) -> pd.Series:
    a = tables["adjustments"]
    return pd.Series([a[(a.kind == "surplus") & a.material.isin(HEAVIES)].t.sum()])


def _started_at_once(tables: Tables) -> pd.Series:
    b = tables["builds"]
    return pd.Series([b[b.start_year == FIRST].capex_musd.sum() / b.capex_musd.sum()])


def _cleaner_than_tonnage(tables: Tables) -> pd.Series:
    """Points by which the traced share lies below the greatest stage share, most in any year."""
    d = _reported(tables)
    stages = d[d.metric == "stage_share"].groupby("year").share.max()
    traced = d[d.metric == "exposed_share"].groupby("year").share.max()
    return pd.Series([100 * max(0.0, float((stages - traced).max()))])


def _negative(tables: Tables) -> pd.Series:
    """Per cent of all prices but those of swarf that lie below zero."""
    p = tables["prices"]
    return pd.Series([100 * float((p[~p.material.str.startswith("swarf")].usd_per_t < -1).mean())])


def bands() -> tuple[Band, ...]:
    """All bands; a function, because the facts are read here."""
    korea = _imports("KOR", "2023", "imports_from_china_9m") * 12 / 9 / _use("KOR", "2024")
    eu = _imports("EU27", "2024") / find(
        "demand", region="EU27", sector="total", year="2024", method="source_anchor"
    ).number("demand_t")
    japan = find("demand", region="JPN", sector="imports_from_china")
    light = ("lynas-kuantan-light", "lynas-kuantan-light-expansion")
    jsnm = "Japan (industry association, monthly average)"
    exports = _export_values()
    prices = {
        "ndpr": _quoted(("Nd oxide", jsnm, "2025"), ("NdPr oxide", "Europe", "2025")),
        "dy": _quoted(("Dy oxide", "China domestic", "2025"), ("Dy oxide", "FOB China", "2026")),
        "tb": _quoted(("Tb oxide", "China domestic", "2025")),
        "clean dy": _quoted(("Dy oxide", jsnm, "2025"), ("Dy oxide", "volume-weighted world", "2025")),
        "clean tb": _quoted(("Tb oxide", jsnm, "2025")),
    }
    return (
        Band("magnets of the USA from China, 2026", _imports("USA", "2025") / _use("USA", "2025"), _imports("USA", "2024") / _use("USA", "2024"), 2,
             "customs of 2025 and 2024 by use", _from_china("USA")),
        Band("magnets of the EU from China, 2026", eu - 0.05, eu + 0.05, 2, "17 of 20 kt in 2024, 5 points either way", _from_china("EUU")),
        Band("magnets of Korea from China, 2026", korea - 0.05, korea + 0.05, 2, "nine months of 2023 as a year, 5 points either way", _from_china("KOR")),
        Band("magnets of Japan from China, 2026", japan.number("low") / _use("JPN", "2025"), japan.number("high") / _use("JPN", "2025"), 2,
             "2.3-3.0 of 15.3 kt in 2025", _from_china("JPN")),
        Band("Nd-Pr oxide of Lynas, 2026, kt", 6.5, 8.0, 1, "7.0 kt in 2025", _made(light)),
        Band("Nd-Pr oxide of MP, 2026, kt", 2.5, 4.0, 1, "2.6 kt in 2025, run rate near 4", _made(("mp-mountain-pass-light",))),
        Band("clean Nd-Pr oxide in Japan, 2026, USD/kg", *prices["ndpr"], 0, "Nd oxide in Japan to Nd-Pr oxide in Europe, 2025", _price("ndpr_oxide", "JPN", "clean")),
        Band("Dy oxide in China, 2026, USD/kg", *prices["dy"], 0, "domestic in 2025, FOB in January 2026", _price("dy_oxide", "CHN", "exposed")),
        Band("clean Dy oxide in Japan, 2026, USD/kg", *prices["clean dy"], 0, "Japan in 2025, and the volume-weighted world", _price("dy_oxide", "JPN", "clean")),
        Band("Tb oxide in China, 2026, USD/kg", *prices["tb"], 0, "domestic in 2025", _price("tb_oxide", "CHN", "exposed")),
        Band("clean Tb oxide in Japan, 2026, USD/kg", *prices["clean tb"], 0, "Japan in 2025", _price("tb_oxide", "JPN", "clean")),
        Band("magnets leaving China, 2026, USD/kg", min(exports), max(exports), 0,
             "unit value of Chinese exports in the first halves of 2024 and 2025, with the oxide in them at the plan's price", _unit_value),
        Band("most magnets of one country but China, kt", 0, 40, 1, "alarm", _largest_country),
        Band("heavies thrown away, t", 0, 1, 0, "alarm", _heavies_wasted),
        Band("capex that starts in 2026, share of all", 0, 0.5, 2, "alarm", _started_at_once),
        Band("traced share below a stage share, points", 0, 0.5, 1, "alarm", _cleaner_than_tonnage),
        Band("negative prices but of swarf, per cent", 0, 0, 1, "alarm", _negative),
    )  # fmt: skip


def span(low: float, high: float, digits: int) -> str:
    """Text of a range, or of a number.

    >>> span(0.624, 0.784, 2), span(3, 3, 0)
    ('0.62-0.78', '3')
    """
    texts = dict.fromkeys(f"{value:.{digits}f}" for value in (low, high))
    return "-".join(texts)


def main() -> None:
    """Print band against value."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    missing = [name for name in NAMES if not (folder / f"{name}.csv").exists()]
    if missing:
        sys.exit(f"{folder}: no {', '.join(f'{name}.csv' for name in missing)}; write the run with planner solve -o")
    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in NAMES}
    for band in bands():
        mark = " " if band.holds(tables) else "!"
        print(
            f"{mark} {band.name:<44} {span(band.low, band.high, band.digits):>11} {span(*band.measured(tables), band.digits):>11}  {band.basis}"
        )


if __name__ == "__main__":
    main()
