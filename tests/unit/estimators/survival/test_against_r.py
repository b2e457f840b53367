"""Times to events against R's survival and cmprsk, on small data with ties; `tests/reference/survival.R`."""

import json
from pathlib import Path

import numpy as np
import pytest

from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test, logrank_test
from vertebro_outcomes.estimators.survival.kaplan_meier import fit_kaplan_meier
from vertebro_outcomes.estimators.survival.rmst import fit_rmst, fit_rmtl

R = json.loads((Path(__file__).parents[3] / "reference" / "survival.json").read_text())
D = {name: np.array(values) for name, values in R["data"].items()}
TIME, CAUSE = D["time"].astype(float), D["cause"].astype(np.int64)
X = np.column_stack([D["x1"], D["x2"]]).astype(float)
AT = (8, 40, 100)


def at(times, values):
    return np.array([values[np.searchsorted(times, day, side="right") - 1] for day in AT])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox(ties):
    fit = fit_cox(TIME, CAUSE == 1, x=X, ties=ties)
    pin = R[f"cox_{ties}"]
    assert fit.beta == pytest.approx(pin["beta"], abs=1e-8)
    assert fit.covariance == pytest.approx(np.array(pin["cov"]), rel=1e-6)
    assert (fit.log_likelihood_null, fit.log_likelihood) == pytest.approx(
        tuple(pin["loglik"]), rel=1e-9
    )


def test_cox_with_weights_strata_and_clusters():
    fit = fit_cox(
        TIME, CAUSE == 1, x=X, weight=D["w"].astype(float), stratum=D["s"].astype(np.int64),
        cluster=D["cl"].astype(np.int64),
    )  # fmt: skip
    pin = R["cox_full"]
    assert fit.beta == pytest.approx(pin["beta"], abs=1e-8)
    assert fit.covariance == pytest.approx(np.array(pin["cov"]), rel=1e-6)
    assert fit.robust == pytest.approx(np.array(pin["robust"]), rel=1e-6)


def test_proportional_hazards_score_test():
    found = fit_cox(TIME, CAUSE == 1, x=X, test_proportional=True).proportional
    assert [*found.chi2, found.chi2_global] == pytest.approx(R["zph"]["chi2"], rel=1e-5)
    assert [*found.p_value, found.p_global] == pytest.approx(R["zph"]["p"], rel=1e-5)


def test_diabetic_retinopathy():
    """Clustered by patient; the coefficient is printed as -0.7766, the naive error as 0.1688."""
    eyes = R["diabetic"]
    fit = fit_cox(
        np.array(eyes["time"], dtype=float), np.array(eyes["status"]) == 1,
        x=np.array(eyes["trt"], dtype=float)[:, None], cluster=np.array(eyes["id"], dtype=np.int64),
    )  # fmt: skip
    assert f"{fit.beta[0]:.4f}" == "-0.7766"
    assert f"{np.sqrt(fit.covariance[0, 0]):.4f}" == "0.1688"
    assert fit.robust == pytest.approx(np.array(eyes["fit"]["robust"]), rel=1e-8)


def test_fine_gray_of_finegray_and_coxph():
    fit = fit_fine_gray(TIME, CAUSE, x=X, ties="efron", censoring_ties="events_first")
    assert fit.beta == pytest.approx(R["finegray"]["beta"], abs=1e-8)
    assert fit.robust == pytest.approx(np.array(R["finegray"]["robust"]), rel=1e-6)


def test_fine_gray_of_crr():
    fit = fit_fine_gray(TIME, CAUSE, x=X)
    assert fit.beta == pytest.approx(R["crr"]["beta"], abs=1e-8)
    assert fit.robust == pytest.approx(np.array(R["crr"]["var"]), rel=1e-6)


@pytest.mark.parametrize(("name", "weight"), [("aj", None), ("aj_w", "w")])
@pytest.mark.parametrize("cause", [1, 2])
def test_aalen_johansen(name, weight, cause):
    weights = None if weight is None else D[weight].astype(float)
    curve = fit_aalen_johansen(TIME, CAUSE, of=cause, weight=weights)
    pin = R[name]
    assert at(curve.time, curve.incidence) == pytest.approx(
        np.array(pin["p"])[:, cause - 1], abs=1e-9
    )
    assert at(curve.time, curve.se) == pytest.approx(np.array(pin["se"])[:, cause - 1], abs=1e-8)


def test_mgus2_cumulative_incidence():
    pin = R["mgus2"]
    time, cause = np.array(pin["time"], dtype=float), np.array(pin["cause"], dtype=np.int64)
    curve = fit_aalen_johansen(time, cause)
    for i, month in enumerate((120, 240, 360)):
        row = np.searchsorted(curve.time, month, side="right") - 1
        assert curve.incidence[row] == pytest.approx(pin["fit"]["p"][i][0], abs=1e-9)


def test_gray_and_logrank():
    arm = D["arm"].astype(np.int64)
    found = gray_test(TIME, CAUSE, arm=arm)
    assert [found.chi2, found.p_value] == pytest.approx(R["cuminc"]["tests"][0][:2], rel=1e-6)
    assert logrank_test(TIME, CAUSE > 0, arm=arm).chi2 == pytest.approx(
        R["logrank"]["chisq"], rel=1e-9
    )
    strata = D["s"].astype(np.int64)
    assert logrank_test(TIME, CAUSE > 0, arm=arm, stratum=strata).chi2 == pytest.approx(
        R["logrank_strata"]["chisq"], rel=1e-9
    )


def test_kaplan_meier_and_restricted_mean():
    curve = fit_kaplan_meier(TIME, CAUSE > 0)
    assert at(curve.time, curve.survival) == pytest.approx(R["km"]["s"], abs=1e-12)
    assert at(curve.time, curve.se) == pytest.approx(R["km"]["se"], abs=1e-9)
    for arm in (0, 1):
        mine = D["arm"] == arm
        mean = fit_rmst(TIME[mine], CAUSE[mine] > 0, horizon=90.0)
        assert mean.estimate == pytest.approx(R["rmst"]["est"][arm], rel=1e-9)
        assert mean.se == pytest.approx(R["rmst"]["se"][arm], rel=1e-6)


def test_the_order_of_patients_changes_nothing_and_swapped_causes_swap():
    order = np.random.default_rng(3).permutation(len(TIME))
    a = fit_aalen_johansen(TIME, CAUSE)
    b = fit_aalen_johansen(TIME[order], CAUSE[order])
    assert b.incidence == pytest.approx(a.incidence, abs=1e-12)
    lost = [fit_rmtl(TIME, CAUSE, of=cause, horizon=90.0).estimate for cause in (1, 2)]
    alive = fit_rmst(TIME, CAUSE > 0, horizon=90.0).estimate
    assert alive + sum(lost) == pytest.approx(90.0, rel=1e-12)
