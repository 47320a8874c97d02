"""Synthetic instances of any size: mines -> separation -> metal -> magnets -> regions; invented numbers, seeded."""

from __future__ import annotations

import csv
import random
from pathlib import Path

YEARS = tuple(range(2026, 2036))
STAGES = ("mining", "separation", "metal", "magnet")
COUNTRIES = 20
SECTORS = ("cars", "wind", "drives", "defence")

TOML = """\
schema = 1
name = "benchmark"
title = "Synthetic chain for timing; every number is invented"
stages = ["mining", "separation", "metal", "magnet"]
[time]
years = {years}
last_period_years = 1
[finance]
currency = "USD"
price_year = 2025
discount_rate = 0.05
wacc = 0.08
[security]
countries_of_concern = ["C00", "C01"]
"""

Rows = list[dict[str, object]]


def generate(folder: Path, grades: int, plants: int, options: int, seed: int = 0) -> Path:
    """Write an instance: ``grades`` parallel chains, ``plants`` per stage and grade, ``options`` with whole modules."""
    draw = random.Random(seed)
    countries = [f"C{i:02}" for i in range(COUNTRIES)]
    tables: dict[str, Rows] = {
        "countries": [{"country": c, "name": c, "bloc": "FRIENDS" if c > "C09" else ""} for c in countries],
        "materials": [],
        "processes": [],
        "recipes": [],
        "facilities": [],
        "operations": [],
        "options": [],
        "lanes": [
            {"material": "*", "origin": "*", "destination": "*", "cost_usd_per_t": 300},
            *(
                {"material": "*", "origin": c, "destination": "*", "cost_usd_per_t": draw.randint(100, 900)}
                for c in countries
            ),
        ],
        "tariffs": [{"material": "*", "origin": "C00", "destination": "*", "rate": 0.25}],
        "sectors": [{"sector": s, "name": s, "shortage_usd_per_t": 400_000} for s in SECTORS],
        "demand": [],
        "caps": [
            {"cap": "traced", "metric": "exposed_share", "limit": 0.8, "limit_end": 0.3},
            {"cap": "metal", "metric": "stage_share", "stage": "metal", "limit": 0.8, "limit_end": 0.4},
        ],
    }
    for g in range(grades):
        chain = [f"{stage}-{g:03}" for stage in STAGES]
        for k, (stage, material) in enumerate(zip(STAGES, chain, strict=True)):
            value = 2_000 * 4**k
            tables["materials"].append(
                {"material": material, "name": material, "stage": stage, "strategic": "yes", "value_usd_per_t": value}
                | {"surplus": "no" if stage == "magnet" else "yes"}
            )
            tables["processes"].append({"process": f"make-{material}", "name": material})
            tables["recipes"].append(
                {"process": f"make-{material}", "material": material, "role": "output", "t_per_t": 1}
            )
            if k:
                tables["recipes"].append(
                    {"process": f"make-{material}", "material": chain[k - 1], "role": "input", "t_per_t": 1.1}
                )
            for n in range(plants):
                country = countries[n % 2] if n % 3 == 0 else draw.choice(countries)
                cheap = 0.6 if country in ("C00", "C01") else 1.0
                name = f"{material}-{n:03}"
                tables["facilities"].append(
                    {"facility": name, "name": name, "country": country, "status": "operating"}
                    | {"capacity_t": draw.randint(400, 1600), "fixed_om_usd_per_t": 50}
                )
                tables["operations"].append(
                    {"facility": name, "process": f"make-{material}"}
                    | {"opex_usd_per_t": round(value * draw.uniform(0.3, 0.9) * cheap)}
                )
        for country in countries:
            for sector in SECTORS:
                start = draw.randint(20, 100)
                for year, tonnes in ((YEARS[0], start), (YEARS[-1], 2 * start)):
                    tables["demand"].append(
                        {"country": country, "sector": sector, "material": chain[-1], "year": year, "demand_t": tonnes}
                    )
    allied = [f for f in tables["facilities"] if f["country"] > "C01"]  # type: ignore[operator]
    for row in draw.sample(allied, min(options, len(allied))):
        tables["options"].append(
            {"option": f"{row['facility']}-more", "facility": row["facility"], "name": f"{row['name']} expansion"}
            | {"module_t": 500, "max_modules": 3, "capex_musd": draw.randint(5, 40), "lead_years": 2, "ramp_years": 2}
            | {"life_years": 15}
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instance.toml").write_text(TOML.format(years=list(YEARS)), encoding="utf-8")
    for name, rows in tables.items():
        if rows:
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
                writer.writeheader()
                writer.writerows(rows)
    return folder
