"""Readers of published reviews: a file per format, found by `recognise`."""
