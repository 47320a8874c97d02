"""The one place that speaks to the model and to HiGHS: compile, solve, ask again, and read the solution."""

from . import quick_imports  # noqa: F401  (here, so that it comes before scipy whichever module is asked for first)
