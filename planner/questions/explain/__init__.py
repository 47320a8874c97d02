"""Why a plan is as it is: what binds, what a unit more is worth, and what unbuilt projects lack."""
