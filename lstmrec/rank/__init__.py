"""Ranking and its measures, in numpy alone."""
