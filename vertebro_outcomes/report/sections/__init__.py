"""One file per section, each declaring `SECTION`."""
