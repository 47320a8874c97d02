"""Everything that has to be green before a change is handed in; CI runs the same.

    python check.py             every step, in this order
    python check.py lint types  only these
    python check.py --fix       format, mend what the linter can mend, and write the generated pages anew

It needs nothing but the interpreter in which the package is installed with its extra ``dev``, and runs on any system:
a Makefile needs a shell that Windows has not, and nox would make an environment of its own for each step.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).parent
PYTHON = sys.executable
# import-linter has no module to be run with -m
CONTRACTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

STEPS: dict[str, Sequence[str]] = {
    "format": ("-m", "ruff", "format", "--check", "."),
    "lint": ("-m", "ruff", "check", "."),
    "types": ("-m", "mypy"),
    "contracts": ("-c", CONTRACTS),
    "docs": ("docs/build.py", "--check"),
    "tests": ("-m", "pytest"),
}
FIXES: dict[str, Sequence[str]] = {
    "lint": ("-m", "ruff", "check", "--fix", "."),
    "format": ("-m", "ruff", "format", "."),
    "docs": ("docs/build.py",),
}


def main() -> int:
    """Run what was asked for; the exit code is 1 if a step failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)} [all]")
    parser.add_argument("--fix", action="store_true", help="mend instead of check")
    asked = parser.parse_args()
    commands = FIXES if asked.fix else STEPS
    unknown = [step for step in asked.steps if step not in commands]
    if unknown:
        parser.error(f"{unknown[0]}: expected some of {', '.join(commands)}")
    env = {**os.environ, "PYTHONPATH": str(TOP)}  # this folder, not what was installed from it some time ago
    results = []
    for step, command in commands.items():
        if asked.steps and step not in asked.steps:
            continue
        print(f"== {step}", flush=True)
        begun = time.monotonic()
        failed = subprocess.run([PYTHON, *command], cwd=TOP, env=env, check=False).returncode != 0
        results.append((step, failed, time.monotonic() - begun))
    print("== together")
    for step, failed, seconds in results:
        print(f"{step:10} {'FAILED' if failed else 'green ':6} {seconds:6.1f} s")
    return int(any(failed for _, failed, _ in results))


if __name__ == "__main__":
    sys.exit(main())
