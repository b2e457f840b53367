"""Weights as RevMan shows them, and what shown numbers say about rounding and tau²."""

from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import fit_inverse_variance
from vertebro_outcomes.estimators.pooled.mantel_haenszel import fit_mantel_haenszel_revman
from vertebro_outcomes.estimators.pooled.mantel_haenszel_random import fit_around_centre
from vertebro_outcomes.meta_analysis.revman_arithmetic import Specification
from vertebro_outcomes.tables.review_tables import ReviewUnit

MOST_DECIMALS: Final = 9


def decimals_of(value: float) -> int:
    """Decimals a number is written with: 1.25 -> 2."""
    text = repr(float(value))
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2].rstrip("0")) - int(exponent or 0)
    return min(max(decimals, 0), MOST_DECIMALS)


def half_unit(values: Floats) -> float:
    """Half a unit of the last decimal that any of the numbers is written with."""
    known = values[np.isfinite(values)]
    return 0.5 * 10.0 ** -max((decimals_of(value) for value in known), default=MOST_DECIMALS)


def weights_of(unit: ReviewUnit, y: Floats, v: Floats, how: Specification) -> Floats:
    """The weight of each line under a specification, not scaled; 0 or NaN where it has none."""
    with np.errstate(all="ignore"):
        if how.method == "PETO" or (how.method == "IV" and how.model == "common"):
            return np.asarray(1 / v)
        if how.method == "MH":
            return _mantel_haenszel(unit, y, v, how)
        method: Tau2Method = how.tau2_method
        return fit_inverse_variance(y[None, :], v[None, :], method=method).weights[0]


def free_tau2(v: Floats, shown_pct: Floats) -> float:
    """The tau² under which weights 1/(v + tau²) come closest to those shown, at least 0.

    1/weight is linear in v with tau² as intercept over slope; least squares in the weights
    themselves, whose errors are rounding.
    """
    used = np.isfinite(v) & (shown_pct > 0)
    if used.sum() < 2:
        return 0.0
    w, x = shown_pct[used], v[used]
    importance = w**4
    z = 1 / w
    x0, z0 = np.average(x, weights=importance), np.average(z, weights=importance)
    spread = (importance * (x - x0) ** 2).sum()
    slope = (importance * (x - x0) * (z - z0)).sum() / spread if spread > 0 else 0.0
    return float(max(0.0, z0 / slope - x0)) if slope > 0 else 0.0


def _mantel_haenszel(unit: ReviewUnit, y: Floats, v: Floats, how: Specification) -> Floats:
    a, n1, c, n2 = (
        np.array([getattr(line, name) for line in unit.lines], dtype=float)
        for name in ("events_t", "n_t", "events_c", "n_c")
    )
    if how.swap_events:
        a, c = n1 - a, n2 - c
    kept = np.isfinite(y)  # a study that is not estimable enters no sum
    a, n1, c, n2 = (cell[kept] for cell in (a, n1, c, n2))
    table: Table = (a, n1 - a, c, n2 - c)
    fit = fit_mantel_haenszel_revman(table, measure=how.measure)  # type: ignore[arg-type]
    if how.model == "random":
        return fit_around_centre(y, v, centre=fit.estimate).weights
    weights = np.zeros(len(y))
    weights[kept] = fit.weights
    return weights
