"""The commands, one file each; a command is a thin face of the Python call of the same name.

A command's module has its name and holds a function of that name. A module loads what is heavy inside its
function, so that ``planner --help`` stays quick.
"""

# in the order in which --help lists them
COMMANDS = (
    *("validate", "solve", "frontier", "compare", "explain", "diagnose", "alternatives", "stress", "cover", "hedge"),
    *("roadmap", "break_even", "sensitivity", "batch", "evidence", "concentration", "report", "audit", "convert"),
    *("export", "examples", "new"),
)
