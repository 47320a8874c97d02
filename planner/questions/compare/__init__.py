"""Comparison: plans side by side."""
