"""Scores as ordered categories: odds that are proportional over the scale, and wins."""
