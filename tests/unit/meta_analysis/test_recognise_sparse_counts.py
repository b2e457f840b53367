"""Zero cells, double zeros and studies that are not estimable, by RevMan's rules written out here."""

import math
from itertools import product

import numpy as np
import pytest

from vertebro_outcomes.meta_analysis.recognise_specification import with_recognised
from vertebro_outcomes.meta_analysis.revman_arithmetic import recompute
from vertebro_outcomes.tables.review_tables import Published, ReviewUnit, StudyLine

Z = 1.959963984540054
CASES = list(product(("OR", "RR", "RD"), ("MH", "IV"), ("common", "random")))


def effects(a, n1, c, n2, measure):
    """0.5 in all cells of a study with a zero cell; for the risk difference in its variance only."""
    plus = np.where((a == 0) | (c == 0) | (a == n1) | (c == n2), 0.5, 0.0)
    a5, b5, c5, d5 = a + plus, n1 - a + plus, c + plus, n2 - c + plus
    m1, m2 = a5 + b5, c5 + d5
    if measure == "OR":
        return np.log(a5 * d5 / b5 / c5), 1 / a5 + 1 / b5 + 1 / c5 + 1 / d5, b5 * c5 / (m1 + m2)
    if measure == "RR":
        return np.log(a5 / m1 / (c5 / m2)), 1 / a5 - 1 / m1 + 1 / c5 - 1 / m2, c5 * m1 / (m1 + m2)
    return a / n1 - c / n2, a5 * b5 / m1**3 + c5 * d5 / m2**3, n1 * n2 / (n1 + n2)


def tau2_around(y, v, centre):
    w = 1 / v
    q = (w * (y - centre) ** 2).sum()
    return max(0.0, (q - (len(y) - 1)) / (w.sum() - (w**2).sum() / w.sum()))


def pooled(y, v, mh, method, model, is_ratio):
    """Weights and pooled value on the analysis scale."""
    if model == "common" and method == "IV":
        return 1 / v, ((1 / v) * y).sum() / (1 / v).sum()
    centre = (mh * np.exp(y)).sum() / mh.sum() if is_ratio else (mh * y).sum() / mh.sum()
    centre = math.log(centre) if is_ratio else centre
    if model == "common":
        return mh, centre
    if method == "IV":
        centre = ((1 / v) * y).sum() / (1 / v).sum()
    w = 1 / (v + tau2_around(y, v, centre))
    return w, (w * y).sum() / w.sum()


def sparse(measure, method, model, *, seed, k=9):
    rng = np.random.default_rng(seed)
    n1, n2 = rng.integers(15, 120, k).astype(float), rng.integers(15, 120, k).astype(float)
    a = rng.binomial(n1.astype(int), 0.03 * np.exp(rng.normal(0, 1, k)).clip(0, 9)).astype(float)
    c = rng.binomial(n2.astype(int), 0.04, k).astype(float)
    a[0] = c[0] = a[1] = 0.0
    c[1] = c[2] = a[2] = 3.0
    kept = np.ones(k, bool) if measure == "RD" else (a + c) > 0
    y, v, mh = effects(a[kept], n1[kept], c[kept], n2[kept], measure)
    weight, estimate = pooled(y, v, mh, method, model, measure != "RD")
    natural = np.exp if measure != "RD" else np.asarray
    shown = np.zeros((4, k))  # a study that is not estimable shows 0 everywhere
    half = Z * np.sqrt(v)
    shown[:, kept] = [natural(y), natural(y - half), natural(y + half), 100 * weight / weight.sum()]
    lines = tuple(
        StudyLine(
            study=f"S{i}", events_t=a[i], n_t=n1[i], events_c=c[i], n_c=n2[i], sd_t=0.0, se=0.3,
            o_minus_e=0.0, variance=2.0, effect=0.0, estimable=bool(kept[i]),
            published_effect=shown[0, i], published_ci_low=shown[1, i],
            published_ci_high=shown[2, i], published_weight_pct=shown[3, i],
        )
        for i in range(k)
    )  # fmt: skip
    unit = ReviewUnit("x", "overall", "", "", "", "counts", "", "", "", lines, Published())
    return unit, estimate


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("measure", "method", "model"), CASES)
def test_measure_and_pooled_value(measure, method, model, seed):
    """Without heterogeneity several specifications are one and the same number."""
    unit, estimate = sparse(measure, method, model, seed=seed)
    (found,) = with_recognised([unit])
    assert found.measure == measure
    assert recompute(found).estimate == pytest.approx(estimate, abs=1e-9)
    shown = math.exp(estimate) if measure != "RD" else estimate
    assert found.published.estimate.value == pytest.approx(shown, rel=1e-9, abs=1e-9)


def test_the_grid_is_whole():
    assert len(CASES) == 12
