"""Covariates that can be compared: numbers that can be computed with, seen at similar values in both arms."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats

LARGEST: Final = 1e100  # its square is still a number


def refuse_unusable(x: Floats, name: str, function: str) -> None:
    """Refuse a covariate that is infinite, or beyond any measurement, for somebody.

    Raises
    ------
    InputError
        With the number of patients.
    """
    if np.fmax.reduce(x, initial=0.0) > LARGEST or np.fmin.reduce(x, initial=0.0) < -LARGEST:
        bad = int((np.abs(x) > LARGEST).sum())  # a blank (NaN) is no such number
        found = f"infinite, or beyond any measurement, in {bad} patients"
        problem = Problem(f"column {name}", found, "finite numbers, or blanks")
        raise InputError(f"{function}()", [problem], "leave these values blank, or correct them")


def refuse_apart(x: Floats, names: Sequence[str], treated: Bools, function: str) -> None:
    """Refuse covariates whose ranges in the two arms do not meet: a model would only extrapolate.

    Raises
    ------
    InputError
        With every such covariate.
    """
    t, c = x[treated], x[~treated]
    if not len(t) or not len(c):
        return
    apart = (t.min(axis=0) > c.max(axis=0)) | (c.min(axis=0) > t.max(axis=0))
    problems = [
        Problem(
            f"covariate {name}", f"no overlap in {name}: its ranges in the arms do not meet",
            "values that patients of both arms have",
        )
        for name, gap in zip(names, apart, strict=True)
        if gap
    ]  # fmt: skip
    if problems:
        step = (
            "restrict the cohort to patients who could have had either treatment, or leave it out"
        )
        raise InputError(f"{function}()", problems, step)
