"""Measure, method and model recognised from shown effects and weights.

What a review shows is computed here from the textbook formulas, not by the package.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from vertebro_outcomes.meta_analysis.recognise_specification import (
    pooled_from_weights,
    recognise,
    recognise_specification,
    with_recognised,
)
from vertebro_outcomes.tables.review_tables import Published, ReviewUnit, StudyLine

Z = 1.959963984540054
COUNT_CASES = [
    ("counts", measure, method, model)
    for measure in ("OR", "RR", "RD")
    for method in ("MH", "IV")
    for model in ("common", "random")
] + [("counts", "PETO", "PETO", "common")]
OTHER_CASES = [
    (kind, measure, "IV", model)
    for kind, measure in (("means", "MD"), ("means", "SMD"), ("effects", "GEN"), ("effects", "HR"))
    for model in ("common", "random")
] + [("o_minus_e", "HR", "PETO", "common")]


def counts(rng, k):
    n1, n2 = rng.integers(20, 200, k).astype(float), rng.integers(20, 200, k).astype(float)
    p = rng.uniform(0.1, 0.5, k)
    odds = np.exp(np.log(p / (1 - p)) + rng.normal(-0.4, 0.9, k))
    a = np.maximum(1.0, rng.binomial(n1.astype(int), odds / (1 + odds)))
    c = np.maximum(1.0, rng.binomial(n2.astype(int), p))
    return np.minimum(a, n1 - 1), n1, np.minimum(c, n2 - 1), n2


def count_effects(a, n1, c, n2, measure):
    b, d, n = n1 - a, n2 - c, n1 + n2
    if measure == "OR":
        return np.log(a * d / b / c), 1 / a + 1 / b + 1 / c + 1 / d, b * c / n
    if measure == "RR":
        return np.log(a / n1 / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2, c * n1 / n
    if measure == "RD":
        return a / n1 - c / n2, a * b / n1**3 + c * d / n2**3, n1 * n2 / n
    m = a + c
    v = n1 * n2 * m * (n - m) / (n**2 * (n - 1))
    return (a - n1 * m / n) / v, 1 / v, v


def tau2_dl(y, v, centre=None):
    w = 1 / v
    if len(y) < 2:
        return 0.0
    centre = (w * y).sum() / w.sum() if centre is None else centre
    q = (w * (y - centre) ** 2).sum()
    return max(0.0, (q - (len(y) - 1)) / (w.sum() - (w**2).sum() / w.sum()))


def shown_weights(y, v, mh, method, model, natural):
    if model == "common":
        return mh if method in ("MH", "PETO") else 1 / v
    centre = None
    if method == "MH":
        pooled = (mh * natural(y)).sum() / mh.sum()
        centre = math.log(pooled) if natural is np.exp else pooled
    return 1 / (v + tau2_dl(y, v, centre))


def unit_of(kind, cells, y, v, weights, natural, *, decimals=8):
    lines = tuple(
        StudyLine(
            study=f"Study {i}",
            published_effect=round(float(natural(y[i])), decimals),
            published_ci_low=round(float(natural(y[i] - Z * v[i] ** 0.5)), decimals),
            published_ci_high=round(float(natural(y[i] + Z * v[i] ** 0.5)), decimals),
            published_weight_pct=round(100 * float(weights[i] / weights.sum()), decimals),
            **{name: float(column[i]) for name, column in cells.items()},
        )
        for i in range(len(y))
    )
    return ReviewUnit("CMP-001.01", "overall", "", "", "", kind, "", "", "", lines, Published())


def example(kind, measure, method, model, *, seed, k=8, decimals=8):
    rng = np.random.default_rng(seed)
    if kind == "counts":
        a, n1, c, n2 = counts(rng, k)
        y, v, mh = count_effects(a, n1, c, n2, measure)
        cells = {"events_t": a, "n_t": n1, "events_c": c, "n_c": n2}
        cells |= {"effect": 0 * a, "se": v**0.5, "variance": v}  # filled although not meant
    elif kind == "means":
        n1, n2 = rng.integers(15, 90, k).astype(float), rng.integers(15, 90, k).astype(float)
        sd1, sd2 = rng.uniform(5, 12, k), rng.uniform(5, 12, k)
        m1, m2 = rng.normal(40, 5, k), rng.normal(44, 5, k)
        cells = {"mean_t": m1, "sd_t": sd1, "n_t": n1, "mean_c": m2, "sd_c": sd2, "n_c": n2}
        y, v = m1 - m2, sd1**2 / n1 + sd2**2 / n2
        if measure == "SMD":
            n = n1 + n2
            s = (((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n - 2)) ** 0.5
            y = (m1 - m2) / s * (1 - 3 / (4 * n - 9))
            v = n / (n1 * n2) + y**2 / (2 * (n - 3.94))
        mh = 1 / v
    elif kind == "effects":
        y, v = rng.normal(-0.3, 1.2, k), rng.uniform(0.02, 0.3, k)
        cells, mh = {"effect": y, "se": v**0.5}, 1 / v
    else:
        v = 1 / rng.uniform(5, 40, k)
        y = rng.normal(-0.2, 0.3, k)
        cells, mh = {"o_minus_e": y / v, "variance": 1 / v}, 1 / v
    natural = np.exp if measure in ("OR", "RR", "PETO", "HR") else (lambda x: x)
    weights = shown_weights(y, v, mh, method, model, natural)
    return unit_of(kind, cells, y, v, weights, natural, decimals=decimals)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("kind", "measure", "method", "model"), COUNT_CASES + OTHER_CASES)
def test_stored_numbers_are_recognised(kind, measure, method, model, seed):
    unit = example(kind, measure, method, model, seed=seed)
    assert recognise_specification(unit) == (kind, measure, method, model)


def test_the_grid_is_whole():
    assert len(COUNT_CASES) == 13
    assert len(OTHER_CASES) == 9


def test_at_least_96_percent_are_recognised_from_rounded_numbers():
    """Effects to two decimals and weights to two, as forest plots print them.

    Such weights often leave open whether Q was taken around the Mantel-Haenszel value; measure and
    model stay visible.
    """
    tried = right = 0
    for seed in range(6):
        for case in COUNT_CASES + OTHER_CASES:
            found = recognise_specification(example(*case, seed=100 + seed, decimals=2))
            tried += 1
            right += found is not None and (found[0], found[1], found[3]) == (*case[:2], case[3])
    assert tried == 6 * 22
    assert right / tried >= 0.96


def test_non_events_counted_as_events_are_seen():
    unit = example("counts", "RR", "MH", "common", seed=3)
    swapped = replace(
        unit,
        lines=tuple(
            replace(line, events_t=line.n_t - line.events_t, events_c=line.n_c - line.events_c)
            for line in unit.lines
        ),
    )
    found = recognise(swapped)
    assert found is not None
    assert (found.how.measure, found.how.swap_events) == ("RR", True)


def test_one_study_shows_no_model():
    found = recognise(example("means", "MD", "IV", "random", seed=1, k=1))
    assert found is not None
    assert found.how.model == "common"
    assert "random" in found.note


def test_ties_go_to_the_model_the_review_shows_elsewhere():
    clear = [example("means", "MD", "IV", "random", seed=seed) for seed in range(3)]
    tie = example("means", "MD", "IV", "random", seed=1, k=1)
    assert [unit.model for unit in with_recognised([*clear, tie])] == ["random"] * 4


@pytest.mark.parametrize(("kind", "measure", "method", "model"), COUNT_CASES + OTHER_CASES)
def test_the_pooled_value_follows_from_weights(kind, measure, method, model):
    """Against the closed form of each method."""
    unit = example(kind, measure, method, model, seed=7)
    (done,) = with_recognised([unit])
    y = np.array([line.published_effect for line in unit.lines])
    w = np.array([line.published_weight_pct for line in unit.lines])
    is_log = done.log_scale and not (method == "MH" and model == "common")
    expected = math.exp((w * np.log(y)).sum() / 100) if is_log else (w * y).sum() / 100
    found = pooled_from_weights(done)
    assert found is not None
    assert found.value == pytest.approx(expected, rel=1e-7)
    assert done.published.estimate == found


def test_numbers_that_fit_nothing_are_not_named():
    unit = example("means", "MD", "IV", "common", seed=2)
    lines = tuple(
        StudyLine(study=line.study, mean_t=1.0, sd_t=2.0, n_t=10, mean_c=0.0, sd_c=2.0, n_c=10,
                  published_effect=50.0 + i, published_weight_pct=12.5)
        for i, line in enumerate(unit.lines)
    )  # fmt: skip
    broken = ReviewUnit("x", "overall", "", "", "", "means", "", "", "", lines, Published())
    assert recognise_specification(broken) is None


def test_no_lines_no_specification():
    unit = ReviewUnit("x", "overall", "", "", "", "counts", "", "", "", (), Published())
    assert recognise_specification(unit) is None
