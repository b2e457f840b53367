"""Random effects around a Mantel-Haenszel estimate, as RevMan 5 combines them.

Reference: Deeks, Higgins (2010), Statistical algorithms in Review Manager 5, random-effects methods.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import TWO_BY_TWO, Table
from vertebro_outcomes.estimators.pooled.mantel_haenszel import corrected, without_information


@dataclass(frozen=True)
class AroundCentreFit:
    """Random-effects pool whose Q was taken around a given centre.

    `q` has `df` degrees of freedom; `weights` are 1/(v + tau²), 0 for a study left out.
    """

    estimate: float
    se: float
    tau2: float
    q: float
    df: int
    weights: Floats


def study_effects_revman(
    table: Table, *, measure: Literal["OR", "RR", "RD"], add: float = 0.5
) -> tuple[Floats, Floats, Bools]:
    """Each study's effect and variance, and which studies RevMan keeps.

    Studies with a zero cell get `add` in all four cells; for the risk difference only the variance is
    corrected. OR and RR: studies `without_information` are not estimable (NaN).
    """
    cells = corrected(table, add=add, add_to="only_zero")
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = TWO_BY_TWO[measure](cells)
        if measure == "RD":
            return TWO_BY_TWO["RD"](table)[0], v, np.ones(len(y), dtype=bool)
    kept = ~without_information(table, measure=measure)
    return np.where(kept, y, np.nan), np.where(kept, v, np.nan), kept


def fit_around_centre(y: Floats, v: Floats, *, centre: float) -> AroundCentreFit:
    """DerSimonian-Laird with Q taken around `centre`, the Mantel-Haenszel estimate.

    Parameters
    ----------
    y, v : arrays of length k
        Effects and sampling variances; NaN marks a study left out.
    centre
        Fixed-effect estimate the deviations are taken from.
    """
    kept = ~(np.isnan(y) | np.isnan(v))
    y1, w = y[kept], 1.0 / v[kept]
    k = len(y1)
    if not k:
        nan = float("nan")
        return AroundCentreFit(nan, nan, 0.0, 0.0, 0, np.zeros(len(y)))
    q = float(np.sum(w * (y1 - centre) ** 2))
    tau2 = 0.0
    spread = float(w.sum() - np.sum(w**2) / w.sum())
    if k > 1 and spread > 0:  # weights may differ by more than the digits of a float
        tau2 = max(0.0, (q - (k - 1)) / spread)
    weights = np.zeros(len(y))
    weights[kept] = 1.0 / (v[kept] + tau2)
    total = float(weights.sum())
    return AroundCentreFit(
        estimate=float(weights[kept] @ y1) / total,
        se=total**-0.5,
        tau2=tau2,
        q=q,
        df=k - 1,
        weights=weights,
    )
