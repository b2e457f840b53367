"""Probability of treatment given covariates: models, weights, matching, balance."""
