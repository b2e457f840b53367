"""Two groups of patients compared; every module here that declares `METHOD` is found by itself."""
