"""Queries are built of millions of small objects; the collector need not look at them so often."""

import gc

gc.set_threshold(20_000, 20, 50)
