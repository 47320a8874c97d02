"""The run, the answer to an instance: the tables of a plan, its folder on disk, and what follows from them alone."""
