"""Makes sure that ``models`` is the planner's own formulation: the name is common, and a folder may hide it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from .errors import PlannerError


def check_own_models() -> None:
    """Raise PlannerError, before anything of it is executed, if another ``models`` would be imported."""
    spec = find_spec("models")
    home = Path(__file__).resolve().parent.parent
    if spec is None or spec.origin is None:
        raise PlannerError("the package models, installed together with planner, is missing; install the planner again")
    if Path(spec.origin).resolve().parent.parent != home:
        raise PlannerError(
            f"{spec.origin} hides the planner's own package models; run the command planner from another folder, "
            "or rename that folder"
        )
