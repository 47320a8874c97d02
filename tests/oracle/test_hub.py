"""A hub, and a way with a fixed cost, in the language as it is: what passes the hub is handled there by a plant.

AAA needs 100 t of goods a year, made in BBB for nothing. By land they cost 50 000 USD/t. By the port of CCC they cost
10 000, and each year in which the port is rented costs 2 MUSD, for up to 80 t.
"""

import pytest
from test_families import base, costs  # noqa: F401


@pytest.fixture
def ports(base):  # noqa: F811
    def make(need=100, years=(2030,)):
        draft = base(years=years, concern=())
        empty = ("materials", "processes", "recipes", "facilities", "operations", "markets", "market_prices", "lanes")
        draft.tables |= {key: [] for key in empty}
        draft = draft.with_rows("materials", *({"material": m, "name": m} for m in ("goods", "magnet")))
        draft = draft.with_rows("processes", *({"process": p, "name": p} for p in ("make", "load", "take over")))
        draft = draft.with_rows(
            "recipes",
            {"process": "make", "material": "goods", "role": "output", "t_per_t": 1},
            *({"process": p, "material": m, "role": r, "t_per_t": 1}
              for p in ("load", "take over") for m, r in (("goods", "input"), ("magnet", "output"))),
        )  # fmt: skip
        plant = {"status": "operating", "capacity_t": 1000}
        draft = draft.with_rows(
            "facilities",
            {"facility": "works", "name": "Works", "country": "BBB", **plant},
            {"facility": "door", "name": "Door", "country": "AAA", **plant},
            {"facility": "port", "name": "Port", "country": "CHN", "status": "candidate", "capacity_t": 0},
        )
        draft = draft.with_rows(
            "operations",
            *({"facility": f, "process": p} for f, p in (("works", "make"), ("door", "take over"), ("port", "load"))),
        )
        rent = {"option": "rent", "facility": "port", "name": "Rent", "module_t": 80, "capex_musd": 2, "life_years": 1}
        draft = draft.with_rows("options", {**rent, "max_modules": 9, "max_per_year": 1})
        draft = draft.with_rows(
            "lanes",
            {"material": "goods", "origin": "BBB", "destination": "AAA", "cost_usd_per_t": 50000},
            {"material": "goods", "origin": "BBB", "destination": "CHN", "cost_usd_per_t": 5000},
            {"material": "magnet", "origin": "CHN", "destination": "AAA", "cost_usd_per_t": 5000},
        )
        row = {"country": "AAA", "sector": "cars", "material": "magnet", "year": "", "demand_t": need}
        return draft.with_rows("demand", row)

    return make


def test_the_hub_is_rented_where_it_pays(ports):
    # 80 t by the port: 0.8 and 2 MUSD instead of 4; the rest by land
    costs(ports(), 80 * 0.010 + 2 + 20 * 0.050)


def test_with_little_to_move_the_way_without_a_fixed_cost_is_taken(ports):
    # 40 t save 1.6 MUSD, less than the rent
    costs(ports(40), 40 * 0.050)


def test_each_year_of_use_is_rented(ports):
    costs(ports(years=(2030, 2031)), 2 * (80 * 0.010 + 2 + 20 * 0.050))
