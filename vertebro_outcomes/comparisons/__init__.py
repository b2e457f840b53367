"""Cohort in, comparison out: design, population, method, result."""
