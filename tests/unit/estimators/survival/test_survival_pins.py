"""Times to events against R's survival and cmprsk, weights, ties, strata and clusters included."""

import json
from pathlib import Path

import numpy as np
import pytest

from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen, interval
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test, logrank_test
from vertebro_outcomes.estimators.survival.kaplan_meier import fit_kaplan_meier
from vertebro_outcomes.estimators.survival.rmst import fit_rmst, fit_rmtl

PINS = json.loads((Path(__file__).parents[3] / "reference" / "survival.json").read_text())
DATA = {name: np.array(column) for name, column in PINS["data"].items()}
TIME, CAUSE, W = DATA["time"].astype(float), DATA["cause"], DATA["w"]
X = np.column_stack([DATA["x1"], DATA["x2"]]).astype(float)
AT = np.array([8.0, 40.0, 100.0])
EXACT = {"rtol": 0, "atol": 1e-10}

MODELS = {
    "cox_efron": fit_cox(TIME, CAUSE == 1, x=X),
    "cox_breslow": fit_cox(TIME, CAUSE == 1, x=X, ties="breslow"),
    "cox_full": fit_cox(TIME, CAUSE == 1, x=X, weight=W, stratum=DATA["s"], cluster=DATA["cl"]),
    "finegray": fit_fine_gray(TIME, CAUSE, x=X, ties="efron", censoring_ties="events_first"),
    "finegray_w": fit_fine_gray(
        TIME, CAUSE, x=X, ties="efron", censoring_ties="events_first", weight=W,
        cluster=DATA["cl"], censoring_weights="none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_hazard_models(name: str) -> None:
    fit, pin = MODELS[name], PINS[name]
    np.testing.assert_allclose(fit.beta, pin["beta"], **EXACT)
    np.testing.assert_allclose(fit.covariance, pin["cov"], **EXACT)
    assert fit.log_likelihood == pytest.approx(pin["loglik"][1], abs=1e-9)
    if name in ("cox_full", "finegray", "finegray_w"):
        np.testing.assert_allclose(fit.robust, pin["robust"], **EXACT)


def test_fine_gray_has_the_variance_of_crr() -> None:
    fit = fit_fine_gray(TIME, CAUSE, x=X)
    np.testing.assert_allclose(fit.beta, PINS["crr"]["beta"], **EXACT)
    np.testing.assert_allclose(fit.robust, PINS["crr"]["var"], **EXACT)
    assert fit.log_likelihood_null == pytest.approx(PINS["crr"]["loglik0"], abs=1e-9)


@pytest.mark.parametrize(("name", "with_weights"), [("zph", False), ("zph_strata", True)])
def test_proportional_hazards(name: str, with_weights: bool) -> None:
    extra = {"weight": W, "stratum": DATA["s"]} if with_weights else {}
    test = fit_cox(TIME, CAUSE == 1, x=X, test_proportional=True, **extra).proportional
    assert test is not None
    np.testing.assert_allclose([*test.chi2, test.chi2_global], PINS[name]["chi2"], **EXACT)
    np.testing.assert_allclose([*test.p_value, test.p_global], PINS[name]["p"], **EXACT)


def test_diabetic_retinopathy_as_printed() -> None:
    pin = PINS["diabetic"]
    fit = fit_cox(
        np.array(pin["time"], float), np.array(pin["status"]) == 1,
        x=np.array(pin["trt"], float)[:, None], cluster=np.array(pin["id"]),
    )  # fmt: skip
    assert fit.beta[0] == pytest.approx(-0.7766, abs=5e-5)
    assert np.sqrt(fit.robust[0, 0]) == pytest.approx(np.sqrt(pin["fit"]["robust"][0][0]), abs=1e-9)
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(0.1688, abs=5e-5)


@pytest.mark.parametrize("name", ["aj", "aj_w"])
@pytest.mark.parametrize("cause", [1, 2])
def test_aalen_johansen(name: str, cause: int) -> None:
    pin = PINS[name]
    weight = W if name == "aj_w" else None
    value, se, n = fit_aalen_johansen(TIME, CAUSE, of=cause, weight=weight).at(AT)
    low, high = interval(value, se)
    for ours, key in ((value, "p"), (se, "se"), (low, "low"), (high, "high")):
        np.testing.assert_allclose(ours, np.array(pin[key])[:, cause - 1], **EXACT)
    if name == "aj":
        assert n.tolist() == pin["n"]


def test_mgus2() -> None:
    pin = PINS["mgus2"]
    curve = fit_aalen_johansen(np.array(pin["time"], float), np.array(pin["cause"]))
    value, se, n = curve.at(np.array([120.0, 240.0, 360.0]))
    np.testing.assert_allclose(value, np.array(pin["fit"]["p"])[:, 0], **EXACT)
    np.testing.assert_allclose(se, np.array(pin["fit"]["se"])[:, 0], **EXACT)
    assert n.tolist() == pin["fit"]["n"]


@pytest.mark.parametrize("row", range(4))
def test_incidence_with_the_variance_of_cuminc(row: int) -> None:
    mine = DATA["arm"] == row % 2
    curve = fit_aalen_johansen(TIME[mine], CAUSE[mine], of=1 + row // 2, variance="aalen")
    value, se, _ = curve.at(AT)
    np.testing.assert_allclose(value, PINS["cuminc"]["est"][row], **EXACT)
    np.testing.assert_allclose(se**2, PINS["cuminc"]["var"][row], **EXACT)


@pytest.mark.parametrize("cause", [1, 2])
def test_gray(cause: int) -> None:
    order = np.where(cause == CAUSE, 1, np.where(CAUSE > 0, 2, 0))
    two = gray_test(TIME, order, arm=DATA["arm"])
    four = gray_test(TIME, order, arm=DATA["arm"] + 2 * (DATA["x1"] > 0.8))
    np.testing.assert_allclose(
        [two.chi2, two.p_value], PINS["cuminc"]["tests"][cause - 1][:2], **EXACT
    )
    assert [four.chi2, four.df] == pytest.approx(
        [PINS["gray4"]["tests"][cause - 1][0], 3], abs=1e-10
    )


def test_log_rank() -> None:
    assert logrank_test(TIME, CAUSE > 0, arm=DATA["arm"]).chi2 == pytest.approx(
        PINS["logrank"]["chisq"], abs=1e-10
    )
    stratified = logrank_test(TIME, CAUSE > 0, arm=DATA["arm"], stratum=DATA["s"])
    assert stratified.chi2 == pytest.approx(PINS["logrank_strata"]["chisq"], abs=1e-10)


@pytest.mark.parametrize(
    ("name", "scale", "extra"),
    [
        ("km", "log", {}),
        ("km_loglog", "log-log", {}),
        ("km_w", "log", {"weight": W, "variance": "infinitesimal_jackknife"}),
    ],
)
def test_kaplan_meier(name: str, scale: str, extra: dict) -> None:
    value, se, _ = fit_kaplan_meier(TIME, CAUSE > 0, **extra).at(AT)
    low, high = interval(value, se, transform=scale)
    for ours, key in ((value, "s"), (se, "se"), (low, "low"), (high, "high")):
        np.testing.assert_allclose(ours, PINS[name][key], **EXACT)


@pytest.mark.parametrize("arm", [0, 1])
def test_restricted_means(arm: int) -> None:
    mine = DATA["arm"] == arm
    free = fit_rmst(TIME[mine], CAUSE[mine] > 0, horizon=90.0)
    assert free.estimate == pytest.approx(PINS["rmst"]["est"][arm], abs=1e-10)
    assert free.se == pytest.approx(PINS["rmst"]["se"][arm], abs=1e-10)
    lost = fit_rmtl(TIME[mine], CAUSE[mine], horizon=90.0)
    assert lost.estimate == pytest.approx(PINS["rmtl"]["table"][2 + arm][2], abs=1e-10)


def test_influences_are_derivatives_by_the_weights() -> None:
    """Clustered variances against finite differences of the estimates."""
    codes = np.unique(DATA["cl"])
    step = 1e-5

    def moved(cluster: int) -> tuple[float, float]:
        found = []
        for sign in (1, -1):
            w = W + sign * step * W * (DATA["cl"] == cluster)
            curve = fit_aalen_johansen(TIME, CAUSE, weight=w)
            found.append(
                (curve.at(AT[1:2])[0][0], fit_rmtl(TIME, CAUSE, horizon=90.0, weight=w).estimate)
            )
        return tuple((a - b) / (2 * step) for a, b in zip(*found, strict=True))

    expected = np.sqrt(np.sum(np.array([moved(code) for code in codes]) ** 2, axis=0))
    se = fit_aalen_johansen(TIME, CAUSE, weight=W, cluster=DATA["cl"]).at(AT[1:2])[1][0]
    lost = fit_rmtl(TIME, CAUSE, horizon=90.0, weight=W, cluster=DATA["cl"]).se
    np.testing.assert_allclose([se, lost], expected, rtol=1e-7)


def test_laws() -> None:
    fine_gray = fit_fine_gray(TIME, CAUSE, x=X)
    shuffled = np.random.default_rng(1).permutation(TIME.size)
    again = fit_fine_gray(TIME[shuffled], CAUSE[shuffled], x=X[shuffled])
    np.testing.assert_allclose(again.robust, fine_gray.robust, rtol=1e-9)
    np.testing.assert_allclose(
        fit_fine_gray(7 * TIME, CAUSE, x=-X).beta, -fine_gray.beta, rtol=1e-9
    )
    twice = np.repeat(np.arange(TIME.size), 1 + (DATA["s"] == 1))
    counted = fit_fine_gray(TIME, CAUSE, x=X, weight=1.0 + (DATA["s"] == 1))
    repeated = fit_fine_gray(TIME[twice], CAUSE[twice], x=X[twice])
    np.testing.assert_allclose(counted.beta, repeated.beta, rtol=1e-9)
    alone = np.where(CAUSE == 1, 1, 0)
    cox = fit_cox(TIME, alone == 1, x=X, ties="breslow")
    np.testing.assert_allclose(fit_fine_gray(TIME, alone, x=X).beta, cox.beta, rtol=1e-9)
    curve = fit_aalen_johansen(TIME, alone)
    np.testing.assert_allclose(
        curve.incidence, 1 - fit_kaplan_meier(TIME, alone == 1).survival, atol=1e-14
    )


def test_no_finite_hazard_ratio_is_undefined() -> None:
    separated = (CAUSE == 1).astype(float)[:, None]
    fit = fit_cox(TIME, CAUSE == 1, x=separated)
    assert not fit.converged
    assert np.isnan(fit.beta).all()
