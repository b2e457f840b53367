"""The report: a study handed in, pages written out."""
