"""Mantel-Haenszel pooling of two-by-two tables and of event rates.

Notation: a events and b non-events among n1 treated, c and d among n2 comparators, N = n1 + n2; for
rates x1 events in time t1, x2 in t2, T = t1 + t2.

References
----------
Robins, Breslow, Greenland (1986), Biometrics 42:311-323, doi:10.2307/2531052 (odds ratio);
Greenland, Robins (1985), Biometrics 41:55-68, doi:10.2307/2530643 (risk ratio, risk difference, rates);
Sato (1989), Biometrics 45:1323-1324, doi:10.2307/2531784 (risk difference);
Rothman, Greenland, Lash (2008), Modern Epidemiology, chapter 15 (rates).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table, double_zero, zero_cells

Correction = Literal["none", "only_zero", "all"]
DifferenceVariance = Literal["sato", "greenland_robins"]
Sums = tuple[float, float, Floats]  # pooled effect, its variance, weight of each study


@dataclass(frozen=True)
class CountFit:
    """A pooled effect on the analysis scale (log for ratios).

    `weights` (k) are the method's own, not scaled; a study without information has weight 0. NaN
    where the effect is not defined (a ratio whose numerator or denominator sum is 0).
    """

    estimate: float
    se: float
    weights: Floats


def corrected(table: Table, *, add: float = 0.5, add_to: Correction) -> Table:
    """The table with `add` in all four cells of the studies that `add_to` names."""
    if add_to == "none":
        return table
    plus = np.where(zero_cells(table) | (add_to == "all"), add, 0.0)
    a, b, c, d = table
    return a + plus, b + plus, c + plus, d + plus


def without_information(table: Table, *, measure: str) -> Bools:
    """Studies that say nothing about the measure.

    Odds ratios: no event in either arm, or nothing but events in both. Risk ratio: no event in
    either arm. Risk difference: none.
    """
    if measure == "RD":
        return np.zeros(len(table[0]), dtype=bool)
    if measure == "RR":
        return np.asarray((table[0] == 0) & (table[2] == 0))
    return double_zero(table)


def fit_mantel_haenszel(
    table: Table,
    *,
    measure: Literal["OR", "RR", "RD"],
    add: float = 0.5,
    add_to: Correction = "none",
    variance: DifferenceVariance = "sato",
    variance_add_to: Correction | None = None,
) -> CountFit:
    """Pool k two-by-two tables.

    Parameters
    ----------
    table
        Arrays a, b, c, d of length k. Leave out double-zero studies before, unless they are meant
        to enter: without a correction they change OR and RR by nothing.
    measure
        OR and RR are returned as logarithms.
    add, add_to
        Constant, and the studies whose four cells get it in the Mantel-Haenszel sums.
    variance
        Of the risk difference: "sato" or "greenland_robins".
    variance_add_to
        Risk difference only: studies whose cells are corrected in the numerator of the
        Greenland-Robins variance, whose denominator keeps the uncorrected weights. With one study
        the corrected study's own variance is used. Default: as `add_to`.
    """
    cells = corrected(table, add=add, add_to=add_to)
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure != "RD":
            return _fit(_RATIOS[measure](cells))
        if variance == "sato":
            return _fit(_difference_sato(cells))
        noisy = (
            cells if variance_add_to is None else corrected(table, add=add, add_to=variance_add_to)
        )
        return _fit(_difference_greenland_robins(cells, noisy))


def fit_mantel_haenszel_rates(
    x1: Floats, t1: Floats, x2: Floats, t2: Floats, *, measure: Literal["IRR", "IRD"]
) -> CountFit:
    """Pool k pairs of event counts over person-time. IRR is returned as logarithm."""
    total = t1 + t2
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "IRR":
            r, s = np.sum(x1 * t2 / total), np.sum(x2 * t1 / total)
            spread = np.sum(t1 * t2 * (x1 + x2) / total**2) / (r * s)
            return _fit((_log_ratio(r, s), spread, x2 * t1 / total))
        w = t1 * t2 / total
        estimate = np.sum((x1 * t2 - x2 * t1) / total) / w.sum()
        spread = np.sum((x1 * t2**2 + x2 * t1**2) / total**2) / w.sum() ** 2
        return _fit((estimate, spread, w))


def fit_mantel_haenszel_revman(table: Table, *, measure: Literal["OR", "RR", "RD"]) -> CountFit:
    """Pool as RevMan does: 0.5 in all cells of studies with a zero cell, double zeros left out.

    Odds and risk ratio: the correction enters all sums, studies `without_information` have weight 0.
    Risk difference: all studies stay, the estimate comes from the counts as they are, only the
    numerator of the Greenland-Robins variance is corrected.

    Reference: Deeks, Higgins (2010), Statistical algorithms in Review Manager 5.
    """
    if measure == "RD":
        return fit_mantel_haenszel(
            table, measure="RD", variance="greenland_robins", variance_add_to="only_zero"
        )
    kept = ~without_information(table, measure=measure)
    a, b, c, d = (cell[kept] for cell in table)
    fit = fit_mantel_haenszel((a, b, c, d), measure=measure, add_to="only_zero")
    return CountFit(fit.estimate, fit.se, _spread_out(fit.weights, kept))


def _spread_out(weights: Floats, kept: Bools) -> Floats:
    full = np.zeros(len(kept))
    full[kept] = weights
    return full


def _fit(sums: Sums) -> CountFit:
    estimate, variance, weights = sums
    known = np.isfinite(estimate) and np.isfinite(variance) and variance >= 0
    if not known:
        return CountFit(float("nan"), float("nan"), weights)
    return CountFit(float(estimate), float(np.sqrt(variance)), weights)


def _log_ratio(r: float, s: float) -> float:
    return float(np.log(r / s))


def _odds_ratio(table: Table) -> Sums:
    """Robins, Breslow and Greenland (1986), equation 3."""
    a, b, c, d = table
    n = a + b + c + d
    p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
    big_r, big_s = r.sum(), s.sum()
    variance = 0.5 * (
        np.sum(p * r) / big_r**2
        + np.sum(p * s + q * r) / (big_r * big_s)
        + np.sum(q * s) / big_s**2
    )
    return _log_ratio(big_r, big_s), variance, s


def _risk_ratio(table: Table) -> Sums:
    """Greenland and Robins (1985), equation 13."""
    a, b, c, d = table
    n1, n2 = a + b, c + d
    n = n1 + n2
    r, s = np.sum(a * n2 / n), np.sum(c * n1 / n)
    variance = np.sum((n1 * n2 * (a + c) - a * c * n) / n**2) / (r * s)
    return _log_ratio(r, s), variance, c * n1 / n


def _difference_sato(table: Table) -> Sums:
    """Sato (1989): consistent for few large and for many small tables."""
    a, b, c, d = table
    n1, n2 = a + b, c + d
    n = n1 + n2
    w = n1 * n2 / n
    delta = np.sum((a * n2 - c * n1) / n) / w.sum()
    p = (n1**2 * c - n2**2 * a + n1 * n2 * (n2 - n1) / 2) / n**2
    q = (a * d + c * b) / (2 * n)
    return delta, (delta * p.sum() + q.sum()) / w.sum() ** 2, w


def _difference_greenland_robins(table: Table, noisy: Table) -> Sums:
    """Greenland and Robins (1985), equation 5; `noisy` holds the cells of the variance's numerator."""
    a, b, c, d = table
    n1, n2 = a + b, c + d
    w = n1 * n2 / (n1 + n2)
    delta = np.sum((a * n2 - c * n1) / (n1 + n2)) / w.sum()
    a, b, c, d = noisy
    m1, m2 = a + b, c + d
    if len(a) == 1:
        return delta, float((a * b / m1**3 + c * d / m2**3)[0]), w
    numerator = np.sum((a * b * m2**3 + c * d * m1**3) / (m1 * m2 * (m1 + m2) ** 2))
    return delta, numerator / w.sum() ** 2, w


_RATIOS: Final[dict[str, Callable[[Table], Sums]]] = {"OR": _odds_ratio, "RR": _risk_ratio}
