"""A row that stands for several patients gives what the rows written out give."""

import numpy as np
import pytest

from vertebro_outcomes.estimators.propensity.logistic import fit_logistic, fit_multinomial
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test
from vertebro_outcomes.estimators.survival.kaplan_meier import fit_kaplan_meier
from vertebro_outcomes.estimators.survival.rmst import fit_rmst, fit_rmtl

CLOSE = {"rtol": 1e-9, "atol": 1e-11}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    n = 120
    x = np.column_stack([rng.integers(0, 2, n), rng.integers(50, 90, n)]).astype(float)
    return {
        "time": rng.integers(1, 25, n).astype(float),
        "cause": rng.integers(0, 3, n).astype(np.int64),
        "x": x,
        "weight": rng.uniform(0.5, 2.0, n),
        "cluster": rng.integers(0, 9, n).astype(np.int64),
        "alike": rng.integers(1, 6, n).astype(float),
    }


def written_out(rows):
    times = rows["alike"].astype(int)
    return {name: np.repeat(column, times, axis=0) for name, column in rows.items()}


def both(rows, fit):
    """The fit of patterns with their numbers, and of the patients one by one."""
    return fit(rows, rows["alike"]), fit(written_out(rows), None)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_hazard_models(rows, ties, weighted, clustered):
    for model in ("cox", "fine_gray"):

        def fit(d, alike, model=model):
            options = {
                "x": d["x"], "ties": ties, "alike": alike,
                "weight": d["weight"] if weighted else None,
                "cluster": d["cluster"] if clustered else None,
            }  # fmt: skip
            if model == "cox":
                return fit_cox(d["time"], d["cause"] == 1, test_proportional=True, **options)
            return fit_fine_gray(d["time"], d["cause"], **options)

        counted, plain = both(rows, fit)
        for name in ("beta", "covariance", "robust", "log_likelihood", "n", "n_events"):
            np.testing.assert_allclose(getattr(counted, name), getattr(plain, name), **CLOSE)
        if model == "cox":
            np.testing.assert_allclose(
                counted.proportional.chi2, plain.proportional.chi2, rtol=1e-8
            )
            assert counted.proportional.chi2_global == pytest.approx(
                plain.proportional.chi2_global, rel=1e-8
            )


def test_rows_of_one_person_are_summed_before_they_are_squared(rows):
    """Follow-up cut in two pieces: contributions of a patient add up, those of others do not."""

    def fit(d, alike):
        n, cut = d["time"].size, 10.0
        late = d["time"] > cut
        patient = np.r_[np.arange(n), np.flatnonzero(late)]
        stop = np.r_[np.minimum(d["time"], cut), d["time"][late]]
        event = np.r_[(d["cause"] == 1) & ~late, (d["cause"] == 1)[late]]
        entry = np.r_[np.zeros(n), np.full(int(late.sum()), cut)]
        return fit_cox(
            stop, event, x=d["x"][patient], entry=entry, weight=d["weight"][patient],
            person=patient, alike=None if alike is None else alike[patient],
        )  # fmt: skip

    counted, plain = both(rows, fit)
    whole = fit_cox(
        rows["time"], rows["cause"] == 1, x=rows["x"], weight=rows["weight"], alike=rows["alike"]
    )
    np.testing.assert_allclose(counted.robust, plain.robust, **CLOSE)
    np.testing.assert_allclose(counted.beta, whole.beta, rtol=1e-8)
    np.testing.assert_allclose(counted.robust, whole.robust, rtol=1e-8)


@pytest.mark.parametrize("how", ["plain", "weighted", "clustered", "aalen"])
def test_curves_and_mean_days(rows, how):
    def options(d):
        return {
            "weight": d["weight"] if how in ("weighted", "clustered") else None,
            "cluster": d["cluster"] if how == "clustered" else None,
        }

    def incidence(d, alike):
        kind = "aalen" if how == "aalen" else "infinitesimal_jackknife"
        return fit_aalen_johansen(d["time"], d["cause"], variance=kind, alike=alike, **options(d))

    def survival(d, alike):
        return fit_kaplan_meier(d["time"], d["cause"] == 2, alike=alike, **options(d))

    def lost(d, alike):
        return fit_rmtl(d["time"], d["cause"], horizon=15.0, alike=alike, **options(d))

    def free(d, alike):
        return fit_rmst(d["time"], d["cause"] > 0, horizon=15.0, alike=alike)

    for fit, names in (
        (incidence, ("time", "incidence", "se", "n_at_risk", "free_of_any")),
        (survival, ("time", "survival", "se", "n_at_risk")),
        (lost, ("estimate", "se")),
        (free, ("estimate", "se")),
    ):
        counted, plain = both(rows, fit)
        for name in names:
            np.testing.assert_allclose(getattr(counted, name), getattr(plain, name), **CLOSE)


def test_gray_and_propensities(rows):
    def gray(d, alike):
        return gray_test(d["time"], d["cause"], arm=d["x"][:, 0].astype(np.int64), alike=alike)

    counted, plain = both(rows, gray)
    np.testing.assert_allclose(counted.chi2, plain.chi2, **CLOSE)
    for fit in (
        lambda d, alike: fit_logistic(d["x"][:, 1:], d["x"][:, 0] == 1, weight=alike),
        lambda d, alike: fit_multinomial(d["x"], d["cause"], weight=alike),
    ):
        counted, plain = both(rows, fit)
        np.testing.assert_allclose(counted.coef, plain.coef, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(counted.covariance, plain.covariance, rtol=1e-8, atol=1e-10)
