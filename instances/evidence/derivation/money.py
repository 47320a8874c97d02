"""Cost of capital by country, and the public money behind named projects."""

from __future__ import annotations

from .book import Book
from .chain import SHORT_LOOP
from .facts import Fact, Number, cite, find, named, read, table

REMAINING = "credit_remaining_"


def _finance(parameter: str) -> Number:
    return table("finance")[parameter].number("value")


def nominal(country: str) -> Fact:
    """The nominal cost of capital of a country; one without a row of its own in finance.csv borrows a neighbour's."""
    return table("finance")[f"wacc_nominal_processing_{table('countries')[country]['wacc_as'] or country}"]


def wacc(country: str, mine: bool = False, startup: bool = False) -> Number:
    """Real cost of capital: the nominal value of the country less inflation, more for a mine and for venture-stage technology.

    >>> round(wacc("USA"), 3), round(wacc("JPN"), 3), round(wacc("USA", startup=True), 3)
    (0.065, 0.035, 0.125)
    """
    points = nominal(country).number("value") - _finance("inflation_assumption")
    points += _finance("wacc_adder_mine_vs_plant") if mine else 0
    points += _finance("wacc_adder_startup_first_of_a_kind") if startup else 0
    return round(points / 100, 4)


def government_rate() -> Number:
    """Real rate of a loan of the Office of Strategic Capital: ten-year Treasury + 1 point, less inflation."""
    return round((_finance("osc_all_in_rate_2026") - _finance("inflation_assumption")) / 100, 4)


def blended(country: str, share: float, startup: bool = False, mine: bool = False) -> Number:
    """Cost of capital of a project of which ``share`` is a government loan."""
    return round(share * government_rate() + (1 - share) * wacc(country, mine=mine, startup=startup), 4)


WACC_WHY = "wacc = nominal country value - inflation (+ 1.5 points mine, + 6 venture-stage), finance.csv"


def success(kind: str) -> Number:
    """Probability that capacity of this kind reaches commercial output (finance.csv)."""
    return _finance(f"prob_reaches_commercial_output_{kind}")


def production_credit(book: Book) -> None:
    """``operation_costs.csv``: the American credit on the production cost of critical minerals (45X), until it is phased out.

    It goes to what makes oxides and metals in the USA. What remains of it falls in a straight line, so that the first and the last year say all.
    """
    rate = find("policy_events", event="Section 45X credit on critical mineral production cost")
    left = {
        Number(float(row["parameter"].removeprefix(REMAINING)), [(row.file, row.id, "parameter")]): row
        for row in read("policy_events")
        if row["parameter"].startswith(REMAINING)
    }
    where = {row["facility"]: row["country"] for row in book.rows["facilities"]}
    for row in book.rows["operations"]:
        if (
            where[row["facility"]] != "USA"
            or not row["process"].startswith(("sep-", "metal-", "rec-"))
            or row["process"] == SHORT_LOOP
        ):
            continue
        cost = book.number("operations", row, "opex_usd_per_t")
        assert cost is not None
        for year in (min(left), max(left)):
            remaining = left[year]
            credit = rate.number("value") / 100 * remaining.number("value") / 100
            book.add(
                "operation_costs", facility=row["facility"], process=row["process"], year=year, opex_usd_per_t=round((1 - credit) * cost, 1),
                **cite(rate, remaining, assumed=f"{float(credit):.1%} of the running cost is paid back, of every step to oxide and to metal"),
            )  # fmt: skip


def _amount(deal: Fact) -> Number:
    return deal.number("amount_musd" if deal.file == "startup_funding" else "public_support_musd")


def funds(book: Book) -> None:
    """``funds.csv`` and ``fund_options.csv``. Budgets are the published amounts; transfers, so they cost nothing in the objective.

    A deal is a row of startup_funding.csv, or one that has public_support_musd; a budget is given where the deal covers more than capex.
    """
    there = {row["option"] for row in book.rows["options"]}
    for fund in read("funds"):
        options = [option for option in fund.words("options") if option in there]
        if not options:
            continue  # its projects are in no plan
        deals = [named(key) for key in fund.words("deals")]
        about = cite(*deals, assumed=f"years and share of capex: {fund['why']}")
        budget = fund.optional("budget_musd")
        book.add(
            "funds", fund=fund.id, provider=fund["provider"] or deals[0]["provider"], instrument=fund["instrument"],
            budget_musd=sum(map(_amount, deals)) if budget is None else budget,
            first_year=fund.number("first_year"), last_year=fund.number("last_year"), max_share=fund.number("max_share"), **about,
        )  # fmt: skip
        for option in options:
            book.add("fund_options", fund=fund.id, option=option, **about)
