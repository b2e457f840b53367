"""Mixed model for repeated measures: sums per missingness pattern, REML, small-sample inference."""
