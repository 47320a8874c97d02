"""How a mine, plant or project of the facts becomes a facility, its operations and its options.

A row of choices/plants.csv says which plant of the facts stands in the instances and what is decided about it. Committed plants (operating, or under
construction with money in place) have capacity of their own and sunk capex. All others are options: the plan decides. Nothing comes online before the
year that was announced, and nothing faster than plants of its kind have been built (choices/kinds.csv).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .book import Book
from .facts import Fact, Number, cite, named, parameter, read, table
from .money import WACC_WHY, blended, success, wacc
from .states import all_known, standing

FIRST, LAST = parameter("first_year"), parameter("last_year")


@dataclass(frozen=True)
class Loan:
    """A government loan: a cheaper twin of the option, whose private money does not reach without the fund. MUSD."""

    public_musd: float
    loan_musd: float


def country(fact: Fact) -> str:
    """The country of a plant in the instance: member states of the EU are one country."""
    region = table("regions").get(fact["country"])
    return fact["country"] if region is None else region["country"]


def name(fact: Fact) -> str:
    """Name as published, with the member state where the EU hides it."""
    return fact["name"] if country(fact) == fact["country"] else f"{fact['name']} ({fact['country']})"


def of_stage(stage: str, year: int | None = None) -> list[Fact]:
    """The plants of one stage in choices/plants.csv that the instances know; with ``year`` only those that produced then."""
    rows = [row for row in read("plants") if row["stage"] == stage]
    if year is None:
        return [row for row in rows if not row.flag("world_only") and not left_out(row)]
    return [row for row in rows if (at := standing(row)) and at.operating and at.producing and at.producing <= year]


def left_out(choice: Fact) -> str:
    """Why a plant is in no instance: it has ended, nothing is known of it yet, or what it requires is left out; blank if it is in."""
    at = standing(choice)
    if at is None:
        return "nothing was known of it"
    needed = table("plants").get(choice["requires"])
    return at.ended or (f"{needed.id} is left out" if needed and left_out(needed) else "")


def committed(choice: Fact) -> bool:
    """True if money is in place: from the final decision on, unless the choice leaves it to the plan all the same."""
    at = standing(choice)
    return at is not None and at.committed and not choice.flag("optional")


def add(
    book: Book,
    choice: Fact,
    opex: Mapping[str, float],
    capacity: Number,
    *,
    name: str,
    capex: Number | None = None,
    loan: Loan | None = None,
    capacity_per_t: Mapping[str, float] | None = None,
    usable: float | None = None,
    life: float | None = None,
    also: str = "",
) -> None:
    """Rows of one plant in facilities, operations and options.

    choice          its row of choices/plants.csv
    opex            process -> USD per tonne of activity
    capacity        tonnes of output a year (t REO for mines, t feed for recyclers), of which a part is usable
    capex           MUSD, needed for what is not committed
    capacity_per_t  process -> tonnes of capacity per tonne of activity, where it is not 1
    usable          share of the capacity that is usable, instead of the choice's and the kind's
    life            years, instead of the kind's
    also            a reason beside the choice's
    """
    kind, fact = table("kinds")[choice["kind"]], named(choice["fact"])
    facts = (fact, *(named(deal) for deal in choice.words("deals")))
    at, sunk = standing(choice), committed(choice)
    assert at is not None  # of_stage leaves out what nothing is known of
    share = next(x for x in (usable, choice.optional("usable"), kind.number("usable")) if x is not None)
    tonnes = round(capacity * share, 1)
    ramp = choice.optional("ramp_years")
    ramp = kind.number("ramp_years") if ramp is None else ramp
    producing = at.producing
    if producing is None and sunk and at.decided is not None and not all_known():  # nobody had said by then
        producing = at.decided + kind.number("lead_years")
    if sunk and producing is None:
        choice.refuse(
            "fact", f"{fact.id} is under way, and facts/states.csv does not say when it produces; add that state"
        )
    first_year = producing if sunk and producing is not None and producing + ramp > FIRST else None  # else full before
    if sunk and first_year is not None and all_known():
        _check_ramp(choice, fact, first_year + ramp - 1)
    startup = (choice if choice["startup"] else fact)["startup"] == "yes"
    timing = _ramp_up(first_year, ramp, fact) if sunk else kind["why_timing"]
    why = "; ".join(w for w in (choice["why"], also) if w)
    reasons = (why, kind["why_usable"] if share < 1 else "", timing)
    about = cite(*facts, assumed="; ".join(w for w in reasons if w))
    book.add(
        "facilities", facility=choice.id, name=name, owner=fact["owner"], country=country(fact), startup=startup or None,
        status="candidate" if not sunk else "operating" if at.operating else "construction", capacity_t=tonnes if sunk else None,
        first_year=first_year, last_year=None if at.closing is None else at.closing - 1, ramp_years=None if first_year is None else ramp,
        min_use=choice.optional("min_use"), concern_tie=choice.flag("tie") or None, **about,
    )  # fmt: skip
    for process, usd in opex.items():
        book.add(
            "operations", facility=choice.id, process=process, opex_usd_per_t=round(usd, 1), capacity_per_t=(capacity_per_t or {}).get(process),
            **cite(*facts, assumed=kind["why_opex"]),
        )  # fmt: skip
    if sunk:
        return
    if capex is None:
        fact.refuse(
            "capex_musd", f"is empty, and {choice.id} is not committed; give a capex there or in choices/plants.csv"
        )
    capex = round(capex, 1)
    lead = kind.number("lead_years")
    earliest = FIRST if producing is None else max(FIRST, producing - lead)
    mine = choice["stage"] == "mining"
    if not choice["success"]:
        choice.refuse(
            "success",
            f"is blank, and {fact.id} is not committed; write a kind of prob_reaches_commercial_output in finance.csv",
        )
    chance = success(choice["success"])
    common = {
        "facility": choice.id, "module_t": tonnes, "max_modules": 1, "integer": True, "capex_musd": capex, "lead_years": lead, "ramp_years": ramp,
        "life_years": kind.number("life_years") if life is None else life, "first_start": earliest, "last_start": max(earliest, min(parameter("last_named_start"), LAST - lead)),
        "requires": choice["requires"] or None, "success_probability": chance,
    }  # fmt: skip
    assumed = "; ".join(w for w in (why, kind["why_usable"], kind["why_timing"], WACC_WHY) if w)
    group = f"{choice.id}-finance" if loan else None
    book.add(
        "options", option=choice.id, name=name, wacc=wacc(country(fact), mine=mine, startup=startup), exclusive_group=group,
        private_musd=choice.optional("private_musd"), **common, **cite(*facts, assumed=assumed),
    )  # fmt: skip
    if loan:
        book.add(
            "options", option=f"{choice.id}-loan", name=f"{name} with government loan", exclusive_group=group,
            private_musd=round(capex - loan.public_musd, 1), wacc=blended(country(fact), loan.loan_musd / capex, startup=startup, mine=mine),
            **common | {"success_probability": max(chance, success("announced_with_government_loan"))},
            **cite(*facts, assumed=f"{assumed}; the loan's share of capex at Treasury + 1 point; private money is capex less public money, "
                                   "so that the fund must pay its part"),
        )  # fmt: skip


def _check_ramp(choice: Fact, fact: Fact, full: Number) -> None:
    """A plant as a whole cannot be at full output before the fact says."""
    published = fact.optional("full_year")
    if published is not None and full < published and choice.optional("share") is None:
        choice.refuse(
            "ramp_years",
            f"brings full output in {full}, and {fact.label} says {published}; lengthen the ramp, or correct full_year there",
        )


def _ramp_up(first_year: Number | None, ramp: Number, fact: Fact) -> str:
    """When a committed plant is at full output, beside the year of the fact."""
    if first_year is None:
        return ""
    full, published = first_year + ramp - 1, fact.optional("full_year")
    return f"full output in {full}" + (
        "" if published is None else ", as in the fact" if published == full else f" ({published} in the fact)"
    )


def shared_loan(choice: Fact, capex: Number | None) -> Loan | None:
    """The loan of a plant of which ``loan_share`` of the capex is a government loan."""
    share = choice.optional("loan_share")
    if share is None or capex is None:
        return None
    return Loan(round(share * capex, 1), round(share * capex, 1))
