"""The HKSJ interval of Mantel-Haenszel random effects, from the definition."""

import math

import numpy as np
import pytest
from scipy import stats

from vertebro_outcomes.meta_analysis.revman_arithmetic import Specification, recompute
from vertebro_outcomes.tables.review_tables import Published, ReviewUnit, StudyLine

ROWS = ((12, 100, 20, 100), (5, 60, 15, 62), (30, 200, 28, 190), (2, 40, 9, 41))


def unit():
    lines = tuple(
        StudyLine(study=str(i), events_t=a, n_t=n1, events_c=c, n_c=n2)
        for i, (a, n1, c, n2) in enumerate(ROWS)
    )
    return ReviewUnit(
        "u", "overall", "", "", "", "counts", "RR", "MH", "random", lines, Published()
    )


def test_hksj_around_the_mantel_haenszel_heterogeneity():
    again = recompute(unit(), Specification("RR", "MH", "random", ci="hksj", level=0.9))
    a, n1, c, n2 = np.array(ROWS, dtype=float).T
    y = np.log(a / n1 / (c / n2))
    v = 1 / a - 1 / n1 + 1 / c - 1 / n2
    centre = math.log((a * n2 / (n1 + n2)).sum() / (c * n1 / (n1 + n2)).sum())
    q = ((y - centre) ** 2 / v).sum()
    tau2 = max(0.0, (q - 3) / ((1 / v).sum() - (v**-2.0).sum() / (1 / v).sum()))
    w = 1 / (v + tau2)
    mu = (w * y).sum() / w.sum()
    se = math.sqrt((w * (y - mu) ** 2).sum() / (3 * w.sum()))
    half = stats.t.ppf(0.95, 3) * se
    assert tau2 > 0
    assert again.tau2 == pytest.approx(tau2, rel=1e-12)
    assert again.limits == pytest.approx(
        (math.exp(mu), math.exp(mu - half), math.exp(mu + half)), rel=1e-12
    )


def test_the_wald_interval_differs():
    wald = recompute(unit(), Specification("RR", "MH", "random"))
    assert (
        wald.limits[1]
        != recompute(unit(), Specification("RR", "MH", "random", ci="hksj")).limits[1]
    )
