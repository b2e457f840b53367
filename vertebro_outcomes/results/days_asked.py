"""Curves of several arms read at the days that somebody asks for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats

Curve = TypeVar("Curve")
# Days -> estimate, standard error, lower and upper limit, and how many are at risk.
Reading = tuple[Floats, Floats, Floats, Floats, Any]


def read_at(
    days: Sequence[float],
    curves: Mapping[str, Curve],
    read: Callable[[Curve, Floats], Reading],
    *,
    by: str = "treatment",
) -> pd.DataFrame:
    """One row per arm and day: `treatment day estimate se ci_low ci_high n_at_risk`.

    Raises
    ------
    InputError
        If a day is no number or lies before day 0.
    """
    try:
        wanted = np.atleast_1d(np.asarray(days, dtype=float))
    except (TypeError, ValueError):
        raise refuse_argument("at", "days", days, "numbers of days, 0 or later") from None
    if wanted.ndim != 1 or not np.all(wanted >= 0):
        raise refuse_argument("at", "days", days, "numbers of days, 0 or later")
    parts = []
    for arm, curve in curves.items():
        columns = ("estimate", "se", "ci_low", "ci_high", "n_at_risk")
        found = dict(zip(columns, read(curve, wanted), strict=True))
        parts.append(pd.DataFrame({by: arm, "day": wanted, **found}))
    return pd.concat(parts, ignore_index=True)
