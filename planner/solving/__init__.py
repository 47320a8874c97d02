"""The one place that speaks to the model and to HiGHS: compile, solve, ask again, and read the solution."""
