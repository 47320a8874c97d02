"""Rules on recipes that feed each other: no mass from nothing, no double counting, no needless clean provenance."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ...errors import Issue, SolverFailed
from ..tables import Recipe
from ..timeline import series_value
from .registry import SETTINGS, Draft, check

Net = dict[str, dict[str, float]]  # process -> material -> tonnes made less tonnes used, per tonne of activity
GAIN = 1e-9  # t of mass from nothing per t of activity; less is rounding


@check("E329", "recipes", "processes", "recipe_yields", "materials", SETTINGS)
def no_mass_from_nothing(draft: Draft) -> Iterable[Issue]:
    """Processes that feed each other must not make more than they take."""
    rows = {(r.process, r.material, r.role): r for r in draft.instance.recipes}
    tested: list[Net] = []
    for period in draft.periods:
        closed = _closed(_figures(draft, period.first_year))
        if not closed or closed in tested:
            continue
        tested.append(closed)
        if _cannot_gain(closed):
            continue
        gaining = _gaining(closed)
        if gaining:
            material = next(m for p, m, role in sorted(rows) if p == gaining[0] and role == "output")
            loop = " -> ".join((*gaining, gaining[0]))
            expected = f"mass from nothing: the loop {loop} makes more than it takes"
            yield draft.at(rows[gaining[0], material, "output"], "t_per_t", expected, "check its yields")
            return


def _figures(draft: Draft, year: int) -> dict[tuple[str, str, str], float]:
    """Return the t per t of activity of each (process, material, role) at the beginning of a period."""
    series: defaultdict[tuple[str, str, str], dict[int | None, float]] = defaultdict(dict)
    for point in draft.instance.recipe_yields:
        series[point.process, point.material, point.role][point.year] = point.t_per_t
    figures = {(r.process, r.material, r.role): r.t_per_t for r in draft.instance.recipes}
    return {k: series_value(series[k], year) if k in series else value for k, value in figures.items()}


def _closed(figures: Mapping[tuple[str, str, str], float]) -> Net:
    """Return the processes that can be fed by each other alone, with what each makes and takes.

    A process without inputs is not among them: it may make mass, such as ore.
    """
    inputs: defaultdict[str, set[str]] = defaultdict(set)
    outputs: defaultdict[str, set[str]] = defaultdict(set)
    for process, material, role in figures:
        (inputs if role == "input" else outputs)[process].add(material)
    left = {process for process in outputs if inputs[process]}
    while True:
        made = {material for process in left for material in outputs[process]}
        fed = {process for process in left if inputs[process] <= made}
        if fed == left:
            break
        left = fed
    net: Net = {process: {} for process in sorted(left)}
    for (process, material, role), tonnes in sorted(figures.items()):
        if process in left:
            sign = 1.0 if role == "output" else -1.0
            net[process][material] = net[process].get(material, 0.0) + sign * tonnes
    return net


def _cannot_gain(net: Net) -> bool:
    """Return whether weights on materials prove that no mix of the processes can make mass from nothing.

    The proof is a weight for each material with which no process makes more than it takes. It is quick, and is found
    for nearly all real recipes; if it is not found within 200 rounds, the exact test decides.
    """
    weight = {material: 1.0 for per_tonne in net.values() for material in per_tonne}
    for _ in range(200):
        if max(weight.values()) > 1e100:  # they grow without end
            return False
        grown = False
        for per_tonne in net.values():
            made = sum(t * weight[m] for m, t in per_tonne.items() if t > 0)
            taken = sum(-t * weight[m] for m, t in per_tonne.items() if t < 0)
            if made > taken * (1 + 1e-12):
                if taken == 0.0:
                    return False
                for material, tonnes in per_tonne.items():
                    if tonnes < 0:
                        weight[material] *= made / taken
                grown = True
        if not grown:
            return True
    return False


def _gaining(net: Net) -> list[str]:
    """Return processes that together make mass from nothing, in the order of the loop; empty if none can.

    A linear programme decides: the activities sum to 1, no material is used that they do not make, and the mass that is
    left over is maximised. Raises SolverFailed if it cannot be solved.
    """
    from ...quiet_highs import least  # only here, as few instances need it

    processes = list(net)
    materials = sorted({material for per_tonne in net.values() for material in per_tonne})
    rows: list[tuple[float, float, dict[int, float]]] = [(1.0, 1.0, dict.fromkeys(range(len(processes)), 1.0))]
    for material in materials:
        used = {i: net[p][material] for i, p in enumerate(processes) if net[p].get(material)}
        rows.append((0.0, math.inf, used))
    try:
        solution = least([-sum(net[process].values()) for process in processes], rows)
    except RuntimeError as error:
        raise SolverFailed(f"{error}, so it is not known whether recipes make mass from nothing") from error
    if solution is None or -solution[0] <= GAIN:  # no mix of the processes can feed itself, or it gains nothing
        return []
    return _in_loop_order([p for p, x in zip(processes, solution[1], strict=True) if x > GAIN], net)


def _in_loop_order(processes: list[str], net: Net) -> list[str]:
    """Return the processes ordered so that each follows one that feeds it, as far as possible."""
    order, rest = [processes[0]], processes[1:]
    while rest:
        made = {m for m, t in net[order[-1]].items() if t > 0}
        following = next((p for p in rest if any(net[p].get(m, 0.0) < 0 for m in made)), rest[0])
        order.append(following)
        rest.remove(following)
    return order


@check("W528", "recipes")
def finished_stays_finished(draft: Draft) -> Iterable[Issue]:
    """A finished strategic material should not come back to its own stage, where it would count twice."""
    stage = {m.material: m.stage for m in draft.instance.materials if m.strategic and m.stage}
    finished = {d.material for d in draft.instance.demand} & set(stage)
    made = _made_from(draft)
    for row in draft.instance.recipes:
        if row.role == "input" and row.material in finished:
            reached = _downstream(row.process, draft, made)
            again = sorted(m for m in reached if stage.get(m) == stage[row.material])
            if again:
                expected = f"a finished material that comes back to the stage {stage[row.material]} as {again[0]}"
                yield draft.at(row, "material", f"{expected}, and counts there twice")


@check("W529", "recipes")
def one_strategic_material_per_link(draft: Draft) -> Iterable[Issue]:
    """A strategic material should not be made from one of its own stage: the tonnes would count twice."""
    stage = {m.material: m.stage for m in draft.instance.materials if m.strategic and m.stage}
    inputs: defaultdict[str, list[Recipe]] = defaultdict(list)
    for row in draft.instance.recipes:
        if row.role == "input":
            inputs[row.process].append(row)
    for row in draft.instance.recipes:
        if row.role != "output" or row.material not in stage:
            continue
        for used in inputs[row.process]:
            if stage.get(used.material) == stage[row.material]:
                expected = f"made from {used.material}, which counts in the stage {stage[row.material]} too"
                yield draft.at(row, "material", expected)


def _made_from(draft: Draft) -> Mapping[str, list[str]]:
    """Map each material to the processes that use it."""
    users: defaultdict[str, list[str]] = defaultdict(list)
    for row in draft.instance.recipes:
        if row.role == "input":
            users[row.material].append(row.process)
    return users


def _downstream(process: str, draft: Draft, users: Mapping[str, list[str]]) -> set[str]:
    """Return the materials that a process makes, directly or through others; ``users``: see `_made_from`."""
    outputs: defaultdict[str, list[str]] = defaultdict(list)
    for row in draft.instance.recipes:
        if row.role == "output":
            outputs[row.process].append(row.material)
    reached: set[str] = set()
    waiting = list(outputs[process])
    while waiting:
        material = waiting.pop()
        if material not in reached:
            reached.add(material)
            for user in users.get(material, ()):
                waiting.extend(outputs[user])
    return reached


@check("W530", "recipes")
def restores_what_was_used(draft: Draft) -> Iterable[Issue]:
    """A process that restores provenance should be fed with old material, not with another's by-product."""
    restoring = {p.process for p in draft.instance.processes if p.restores_provenance}
    outputs: defaultdict[str, list[str]] = defaultdict(list)
    for row in draft.instance.recipes:
        if row.role == "output":
            outputs[row.process].append(row.material)
    for row in draft.instance.recipes:
        if row.role != "input" or row.process not in restoring:
            continue
        makers = sorted(p for p, made in outputs.items() if p != row.process and row.material in made and len(made) > 1)
        if makers:
            expected = f"a by-product of {makers[0]}, so exposed material becomes clean on the way"
            yield draft.at(row, "material", expected)
