"""Which numbers of an instance have a source, and which of their ranges weigh most in a plan."""
