"""Which projects are in every plan of nearly the least cost, and which in none."""
