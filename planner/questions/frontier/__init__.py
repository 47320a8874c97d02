"""The least cost of each level of dependence: the cost of security."""
