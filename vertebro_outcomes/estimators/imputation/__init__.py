"""Scores nobody saw: drawn several times from what was seen, analysed each time, combined."""
