"""The instance, the question that a plan answers: its tables are read, checked all together, then frozen."""
