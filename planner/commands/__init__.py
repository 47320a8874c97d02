"""The commands, one file each; a command is a thin face of the Python call of the same name.

A command's module has its name and holds a function of that name, whose docstring ends with a list of examples. A
module loads what is heavy inside its function, so that ``planner --help`` stays quick.
"""

# group -> its commands, in the order in which --help lists them
COMMANDS = {
    "Plan": ("solve", "frontier", "batch", "cover", "hedge", "roadmap", "rerun"),
    "Ask": (
        *(
            "explain",
            "diagnose",
            "alternatives",
            "stress",
            "break_even",
            "sensitivity",
            "evidence",
            "concentration",
            "replay",
        ),
    ),
    "Show": ("explore", "compare", "report", "open"),
    "Data": ("new", "examples", "validate", "convert", "export", "audit"),
}
