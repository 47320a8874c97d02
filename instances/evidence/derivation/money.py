"""Cost of capital by country, and the public money behind named projects."""

from __future__ import annotations

from dataclasses import dataclass

from .book import Book
from .facts import Fact, cite, table

F = "finance"


def _finance(parameter: str) -> float:
    return table(F, "parameter")[parameter].number("value")


# Countries without a row of their own in finance.csv borrow a neighbour's.
_WACC_ROW = {
    "EUU": "EU27", "NOR": "EU27", "CHL": "BRA", "MWI": "TZA", "AGO": "TZA", "UGA": "TZA", "MDG": "TZA", "SAU": "MYS", "LAO": "VNM", "MMR": "VNM",
}  # fmt: skip


def wacc(country: str, mine: bool = False, startup: bool = False) -> float:
    """Real cost of capital: the nominal value of the country less inflation, more for a mine and for venture-stage technology.

    >>> round(wacc("USA"), 3), round(wacc("JPN"), 3), round(wacc("USA", startup=True), 3)
    (0.065, 0.035, 0.125)
    """
    points = _finance(f"wacc_nominal_processing_{_WACC_ROW.get(country, country)}") - _finance("inflation_assumption")
    points += _finance("wacc_adder_mine_vs_plant") if mine else 0
    points += _finance("wacc_adder_startup_first_of_a_kind") if startup else 0
    return round(points / 100, 4)


def government_rate() -> float:
    """Real rate of a loan of the Office of Strategic Capital: ten-year Treasury + 1 point, less inflation."""
    return round((_finance("osc_all_in_rate_2026") - _finance("inflation_assumption")) / 100, 4)


def blended(country: str, share: float, startup: bool = False, mine: bool = False) -> float:
    """Cost of capital of a project of which ``share`` is a government loan."""
    return round(share * government_rate() + (1 - share) * wacc(country, mine=mine, startup=startup), 4)


WACC_WHY = "wacc = nominal country value - inflation (+ 1.5 points mine, + 6 venture-stage), finance.csv"


def success(kind: str) -> float:
    """Probability that capacity of this kind reaches commercial output (finance.csv)."""
    return _finance(f"prob_reaches_commercial_output_{kind}")


@dataclass(frozen=True)
class Fund:
    """Public money of one deal. ``deals`` are rows of startup_funding.csv (their sum is the budget) or one row with public_support_musd."""

    fund: str
    instrument: str
    deals: tuple[str, ...]
    options: tuple[str, ...]
    first_year: int
    last_year: int
    max_share: float
    why: str
    budget: float | None = None  # MUSD where the deal covers more than capex; says so in ``why``
    provider: str = ""


FUNDS: tuple[Fund, ...] = (
    Fund("osc-vulcan", "loan", ("sf-003",), ("vulcan-benson-loan",), 2026, 2030, 0.80, "conditional commitment, closing not found; drawn while the plant is built"),
    Fund("chips-vulcan", "equity", ("sf-004",), ("vulcan-benson-loan",), 2026, 2030, 0.10, "preliminary letter of intent; for magnet equipment"),
    Fund("osc-reelement", "loan", ("sf-011",), ("reelement-marion-loan",), 2026, 2030, 0.55,
         "conditional, matched one to one by private capital; under review in May 2026, nothing disbursed"),
    Fund("osc-phoenix", "loan", ("sf-079",), ("phoenix-freedom-oxide-loan", "phoenix-freedom-metal-loan"), 2026, 2032, 0.85,
         "conditional; capacity of the Freedom plant not published"),
    Fund("doe-phoenix", "grant", ("sf-021",), ("phoenix-demonstration",), 2026, 2031, 0.50, "at least half must be private"),
    Fund("osc-energy-fuels", "loan", ("sf-080",), ("energy-fuels-white-mesa-2-light-loan", "energy-fuels-white-mesa-2-heavy-loan", "american-metals-plant-loan"),
         2026, 2032, 0.85, "conditional; covers separation and metal together"),
    Fund("chips-usa-rare-earth", "equity", ("sf-040",), ("usa-rare-earth-blacksburg-loan", "usa-rare-earth-stillwater-metal", "round-top", "round-top-oxide-light", "round-top-oxide"),
         2026, 2031, 0.20, "definitive June 2026; shares and warrants; covers five projects"),
    Fund("chips-usa-rare-earth-loan", "loan", ("sf-041",), ("usa-rare-earth-blacksburg-loan", "usa-rare-earth-stillwater-metal", "round-top", "round-top-oxide-light", "round-top-oxide"),
         2026, 2031, 0.50, "definitive June 2026; 15 years at Treasury + 1.5 points; first liens; milestones"),
    Fund("australia-nolans", "loan", ("M_AUS_NOLANS",), ("nolans",), 2026, 2032, 0.90, "EFA, NAIF, EDC, NRFC and KfW money, partly conditional on the investment decision",
         provider="Export Finance Australia, NAIF, EDC, NRFC, KfW"),
    Fund("australia-yangibana", "loan", ("M_AUS_YANGIBANA",), ("yangibana",), 2026, 2031, 0.70, "conditional on Australian processing",
         provider="NAIF, Export Finance Australia"),
    Fund("canada-strange-lake", "loan", ("M_CAN_STRANGELAKE",), ("strange-lake",), 2026, 2034, 0.50, "committed to the whole project",
         provider="EDC, Canada Infrastructure Bank"),
    Fund("dfc-serra-verde", "loan", ("sf-081",), ("serra-verde-2",), 2026, 2032, 0.50, "closed June 2026; first for the optimisation of phase 1, so phase 2 may draw on what is left",
         budget=200),
    Fund("louisiana-aclara", "grant", ("sf-060",), ("aclara-louisiana-light", "aclara-louisiana-heavy"), 2026, 2031, 0.20, "state incentives"),
    Fund("france-lcm-lacq", "grant", ("sf-046",), ("lcm-lacq",), 2026, 2031, 0.45, "tax credit of up to 45 per cent of eligible equipment and real estate finance"),
    Fund("india-repm-capital", "grant", ("sf-074",), ("india-scheme",), 2026, 2033, 0.15,
         "only the capital subsidy (INR 750 crore of 7,280 at 88); the sales incentive is a transfer on output, not money for capex", budget=85),
    Fund("virginia-ls-cable", "grant", ("sf-072",), ("ls-cable-chesapeake",), 2026, 2031, 0.10, "Virginia opportunity fund; for the whole complex"),
    Fund("france-magree", "grant", ("rc-fra-magfactory",), ("magree-magfactory",), 2026, 2031, 0.30, "30 per cent state funded", provider="French government"),
    Fund("uk-ionic", "grant", ("sf-063",), ("ionic-belfast",), 2026, 2031, 0.20, "Innovate UK; the DRIVE35 offer of January 2026 is separate"),
)  # fmt: skip


def _deal(key: str) -> Fact:
    for file in ("startup_funding", "mines", "recycling"):
        if key in table(file):
            return table(file)[key]
    raise ValueError(f"no deal {key}")


def _amount(deal: Fact) -> float:
    return deal.number("amount_musd" if deal.file == "startup_funding" else "public_support_musd")


def funds(book: Book) -> None:
    """``funds.csv`` and ``fund_options.csv``. Budgets are the published amounts; transfers, so they cost nothing in the objective."""
    for fund in FUNDS:
        deals = [_deal(key) for key in fund.deals]
        about = cite(*deals, assumed=f"years and share of capex: {fund.why}")
        book.add(
            "funds", fund=fund.fund, provider=fund.provider or deals[0]["provider"], instrument=fund.instrument,
            budget_musd=sum(map(_amount, deals)) if fund.budget is None else fund.budget,
            first_year=fund.first_year, last_year=fund.last_year, max_share=fund.max_share, **about,
        )  # fmt: skip
        for option in fund.options:
            book.add("fund_options", fund=fund.fund, option=option, **about)
