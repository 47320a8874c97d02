"""What a short command loads: nothing that takes longer than a small solve and is not needed for it."""

import subprocess
import sys

from places import TINY

from planner.cli import application
from planner.commands import COMMANDS

LOADED = (
    "import sys; sys.argv = {words!r}; from planner.cli import main\n"
    "try: main()\n"
    "except SystemExit: print(*sys.modules)"
)


def test_a_small_solve_loads_neither_pandas_nor_other_commands(tmp_path):
    words = ["planner", "solve", str(TINY), "-o", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=words)], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert "planner.commands.solve" in loaded
    assert not {"pandas", "planner.commands.stress", "scipy.stats", "scipy.optimize", "plotly"} & set(loaded)
    assert (tmp_path / "run" / "plan.json").is_file()


def test_a_command_is_there_alone_or_with_all_others():
    every = {name.replace("_", "-") for names in COMMANDS.values() for name in names}

    def there(word):
        return {command.callback.__name__.replace("_", "-") for command in application(word).registered_commands}

    assert there("break-even") == {"break-even"}
    assert there("") == there("no-such") == there("--help") == there("rerun") == every
