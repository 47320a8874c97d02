"""The constraint families, one per file; ``models.FAMILIES`` is their table of contents."""
