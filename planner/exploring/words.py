"""All words of the page that are not of an instance or of the report, in one place, in the language that is asked for.

Words in braces are filled in. The script of the page has those whose names it needs from here too, see `page`.
"""

from __future__ import annotations

from ..language import N_, present, translated


class Words(dict[str, str]):
    """Words by name, each in the present language."""

    def __getitem__(self, name: str) -> str:
        return translated(super().__getitem__(name))

    def told(self) -> dict[str, str]:
        """Return all of them, and the code of the language under its name."""
        return {**{name: self[name] for name in self}, "language": present().code}


WORDS = Words(
    {
        # the page
        "kicker": N_("Explorer, {span}"),
        "controls": N_("What if"),
        "answer": N_("Answer"),
        "skip": N_("Skip to the answer"),
        "reset": N_("As it is"),
        "other": N_("Other what-ifs, one on each line"),
        "other help": N_("such as: scale demand=1.3 where sector=cars"),
        "apply": N_("Apply"),
        "more": N_("More limits and funds"),
        "share": N_("Copy address"),
        "copied": N_("The address is copied."),
        "command": N_("Command"),
        "overlay": N_("Download as an overlay"),
        "save": N_("Save as a run"),
        "saved": N_("Saved as {folder}."),
        "pin": N_("Pin beside others"),
        "pinned": N_("Pinned"),
        "unpin": N_("Remove"),
        "back to": N_("Show"),
        "as it is": N_("As it is"),
        "find": N_("Find a project"),
        "may": N_("may"),
        "must": N_("must"),
        "must not": N_("must not"),
        "start in": N_("start in"),
        "no limit": N_("no limit"),
        "from": N_("from"),
        "off": N_("as it is"),
        # groups of controls
        "group caps": N_("Limits on dependence"),
        "group market": N_("Demand, prices and duties"),
        "group money": N_("Public money"),
        "group disruptions": N_("Disruptions"),
        "group lost": N_("Who is not there"),
        "group projects": N_("Projects"),
        # controls
        "cap exposed_share": N_("Traced dependence, at most"),
        "cap stage_share": N_("Stage share of {stage}, at most"),
        "cap single_country_share": N_("Any one country at {stage}, at most"),
        "demand": N_("Demand"),
        "price": N_("Costs and prices in {country}"),
        "tariffs": N_("Tariffs"),
        "funds": N_("Budgets of all funds"),
        "months": N_("{scenario}: months"),
        "lost country": N_("Countries that are not there"),
        "lost owner": N_("Owners that are not there"),
        "no builds": N_("Nothing new is built in"),
        "projects": N_("Single projects"),
        # how an answer comes
        "starting": N_("The planner starts."),
        "waiting": N_("Another question is answered first."),
        "bound": N_("The exact relaxation is being solved."),
        "cost there": N_("The cost of the relaxation is there; the rest of its numbers follow."),
        "saving": N_("The plan of whole projects is searched and saved."),
        "bound there": N_("A bound: no plan costs less. Whole projects are being searched."),
        "bound only": N_("A bound: no plan costs less; parts of modules are built."),
        "standing": N_("Best plan so far {best}, no plan below {bound}."),
        "searching": N_("Whole projects are being searched; no plan is below {bound} yet."),
        "whole there": N_("A plan of whole projects, at most {gap} above the least cost."),
        "unreachable": N_("The planner does not answer. Is its command still running in the terminal?"),
        "refused": N_("This address is not valid any more: open the one that the command wrote in the terminal."),
        "relaxed": N_("bound"),
        "whole": N_("plan"),
        "difference": N_("{difference} to as it is"),
        "difference of bounds": N_("{difference} to as it is, between the bounds of both"),
        "to": N_("{least} to {most}"),
        "nothing changes": N_("as it is"),
        "what": N_("What"),
        "points": N_("points"),
        "seconds": N_("{seconds} s"),
        "matched": N_("What each change matched"),
        # the static twin
        "twin": N_(
            "A page of {places} places of these controls, whose answers were found beforehand; it needs no planner and "
            "no network. Between two of them it draws no plan. `planner explore` answers everywhere."
        ),
        "twin bound": N_("A bound: no plan costs less. No plan of whole projects was searched for this place."),
        "between": N_("between {least} and {most}"),
        "between more": N_(
            "The answer to this limit was not found beforehand; that of a looser and of a tighter one was, and "
            "the least cost never falls as a limit gets tighter."
        ),
        "between short": N_(
            "No plan keeps this limit, or the answer was not found: the next looser one costs {least}."
        ),
        "to limit": N_("Show {limit}"),
        "bound of": N_("Bound, {musd} present value"),
        "no answer": N_("No answer was found beforehand for this; the controls of this page lead to those there are."),
        # the curve
        "curve": N_("What less dependence costs"),
        "curve title": N_("A limit of {limit} costs {extra} more than no limit"),
        "curve line": N_("least cost of the relaxation"),
        "curve here": N_("the limit that you set"),
        "curve limit": N_("traced dependence, at most"),
        "curve extra": N_("extra cost, {musd}"),
        "curve caption": N_(
            "Each point is an exact relaxation with all other choices as they are: no plan is below the line."
        ),
        # near-optimal freedom
        "freedom": N_("What may be otherwise for little more"),
        "freedom help": N_(
            "Each project has a range of modules in all that costs at most so much more than the least, in the "
            "relaxation, with whatever else is as it may. Hold one, and the ranges of the others become narrower."
        ),
        "slack": N_("At most this much dearer"),
        "ranges": N_("Find the ranges"),
        "let go": N_("Hold nothing"),
        "project": N_("Project"),
        "at least": N_("At least, modules"),
        "at most": N_("At most, modules"),
        "hold at": N_("Hold at"),
        "held": N_("held at {value}"),
        "ranging": N_("The range of one project after the other is found: {count} so far."),
        "ranged": N_("All ranges are found; what no such plan builds is left out."),
        # what a stop would do
        "stop": N_("What a stop would do to this plan"),
        "stop help": N_(
            "The builds and stocks of the plan of whole projects are held, since nobody foresaw the stop and hardly "
            "anything can be built in time. What is left serves whom it can: by months, where periods are of one year."
        ),
        "stop lost": N_("What is lost"),
        "stop year": N_("from January of"),
        "stop for": N_("Months"),
        "stop waits": N_("The plan of whole projects comes first."),
        "stop sought": N_("The operations without it are being solved."),
        "lost export_stop": N_("all exports of {country}"),
        "lost outage": N_("all plants in {country}"),
        "stop of": N_("{lost}, {months} months from January {year} on"),
        "stop short": N_(
            "{tonnes} less are delivered than the plan delivers; at the price of a shortage that is worth {money}."
        ),
        "stop nothing short": N_("No tonne less is delivered than the plan delivers."),
        "stop nothing": N_("In this plan nothing of it runs, sells or exports then, so that nothing is lost."),
        "stop cost": N_("All operations from then on cost {money} more (present value, what is short included)."),
        "stop survived": N_("All demand could be served in full for {months} months from the blow on."),
        "stop decisive": N_("What is missed most: {lost}."),
        "stop from": N_("{material} from {country}"),
        "stop title": N_("{share} of the demand while it lasts is lost"),
        "stop wanted": N_("Demand while it lasts"),
        "stop lacking": N_("Lost by the stop"),
        "stop caption": N_(
            "Of each sector that loses something: its demand while the stop lasts, and what is lost of it."
        ),
        "stop table": N_("Every sector in the stop"),
        "stop sector": N_("Sector"),
        "stop throughout": N_("throughout"),
        "stop months": N_("Months served in full, if it comes first"),
        # what is compared
        "row cost_musd": N_("Cost, {musd} present value"),
        "row exposed": N_("Traced dependence, {year}"),
        "row stage": N_("Stage share of {stage}, {year}"),
        "row short_t": N_("Not delivered, t"),
        "row capex_musd": N_("Overnight cost of what is built, {musd}"),
        "row projects": N_("Projects built"),
        # errors
        "too many": N_("Too many questions wait for an answer; try again in a moment."),
        "died": N_("The process that solved this ended, perhaps for want of memory. A new one is started: ask again."),
        "defect": N_("The planner failed on this question; its terminal says more. Please report it as a defect."),
        "no folder": N_("No folder was named for runs: start the command with -o FOLDER."),
    }
)
