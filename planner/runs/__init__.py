"""What is answered: the tables of a plan, its folder on disk, and what follows from them alone."""
