"""Runs the command line as ``python -m planner``."""

from .cli import main

main()
