"""Meta-regression against R's metafor (`tests/reference/metafor_moderators.R`), algebra and print."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "metafor_moderators.json").read_text("utf-8")
)
METHODS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
CLOSED_FORM = {"EE", "DL", "HE", "HS", "SJ"}
INTERVALS = ("wald", "hksj", "hksj_adhoc")
FITS = [
    pytest.param(name, fit, id=f"{name}-{fit['method']}-{fit['ci']}")
    for name, data in PINNED["regressions"].items()
    for fit in data["fits"]
]
BY_TERM = ("estimate", "se", "ci_low", "ci_high", "statistic", "p_value")
OF_MODEL = (
    *("tau2", "q_moderators", "q_moderators_p_value", "q_residual", "q_residual_p_value"),
    *("r2_pct", "i2_pct", "h2", "tau2_ci_low", "tau2_ci_high"),
)
NOT_IN_EE = {"tau2_ci_low", "tau2_ci_high", "tau2_se"}


def frame(name, part="regressions"):
    return pd.DataFrame(PINNED[part][name]["data"])


def test_the_grid_is_whole():
    assert len(PINNED["regressions"]) == 11
    for data in PINNED["regressions"].values():
        pairs = [(fit["method"], fit["ci"]) for fit in data["fits"]]
        assert sorted(pairs) == sorted(itertools.product(METHODS, INTERVALS))


@pytest.mark.parametrize(("name", "pinned"), FITS)
def test_it_prints_what_rma_prints(name, pinned):
    formula, method = PINNED["regressions"][name]["formula"], pinned["method"]
    reg = vo.meta_regression(frame(name), formula, method=method, ci=pinned["ci"])
    tolerance = {"rel": 1e-9, "abs": 1e-10} if method in CLOSED_FORM else {"rel": 1e-6, "abs": 1e-7}
    for quantity in BY_TERM:
        found = reg.coefficients[quantity].to_numpy()
        assert found == pytest.approx(np.array(pinned[quantity]), **tolerance), quantity
    assert reg.covariance.to_numpy() == pytest.approx(np.array(pinned["vcov"]), **tolerance)
    for quantity in OF_MODEL:
        if method == "EE" and quantity in NOT_IN_EE:
            assert math.isnan(getattr(reg, quantity))
            continue
        slack = {"rel": 1e-6, "abs": 1e-6} if quantity.startswith("tau2_ci") else tolerance
        if quantity == "i2_pct" and pinned["tau2"] < 1e-10:
            slack = {"abs": 1e-4}  # R stops at tau² = 1e-15, which is not 0 beside tiny variances
        assert getattr(reg, quantity) == pytest.approx(pinned[quantity], **slack), quantity
    if method in ("REML", "ML"):
        assert reg.tau2_se == pytest.approx(pinned["tau2_se"], rel=1e-6)


@pytest.mark.parametrize(("name", "pinned"), [p for p in FITS if "REML" in p.id])
def test_predictions_are_those_of_predict_rma(name, pinned):
    data = PINNED["regressions"][name]
    reg = vo.meta_regression(frame(name), data["formula"], method="REML", ci=pinned["ci"])
    predicted = np.atleast_1d(pinned["predicted"])
    x = np.column_stack([np.ones(len(predicted)), np.atleast_2d(data["new_at"])])
    reg_x = reg.x
    at = [np.flatnonzero((reg_x == row).all(axis=1)) for row in x]
    everywhere = reg.predict()
    b, v = reg.coefficients["estimate"].to_numpy(), reg.covariance.to_numpy()
    assert x @ b == pytest.approx(predicted, rel=1e-6, abs=1e-7)
    se = np.sqrt(np.einsum("ij,jl,il->i", x, v, x))
    assert se == pytest.approx(np.atleast_1d(pinned["predicted_se"]), rel=1e-6)
    for rows, low, high in zip(
        at,
        np.atleast_1d(pinned["prediction_low"]),
        np.atleast_1d(pinned["prediction_high"]),
        strict=True,
    ):
        for row in rows:
            assert everywhere["prediction_low"].iloc[row] == pytest.approx(low, rel=1e-6)
            assert everywhere["prediction_high"].iloc[row] == pytest.approx(high, rel=1e-6)


def test_prediction_at_new_moderators():
    pinned = next(
        f for f in PINNED["regressions"]["bcg_latitude_year"]["fits"]
        if (f["method"], f["ci"]) == ("REML", "hksj")
    )  # fmt: skip
    reg = vo.meta_regression(frame("bcg_latitude_year"), "~ ablat + year", method="REML", ci="hksj")
    found = reg.predict(pd.DataFrame({"year": [1950, 1970], "ablat": [10, 50]}))
    for column, name in (
        ("estimate", "predicted"),
        ("se", "predicted_se"),
        ("ci_low", "predicted_ci_low"),
        ("ci_high", "predicted_ci_high"),
        ("prediction_low", "prediction_low"),
        ("prediction_high", "prediction_high"),
    ):
        assert found[column].to_numpy() == pytest.approx(np.array(pinned[name]), rel=1e-6), column
    es = frame("bcg_allocation")
    groups = vo.meta_regression(es, "~ alloc").predict(pd.DataFrame({"alloc": ["random"]}))
    assert groups["estimate"].iloc[0] == pytest.approx(
        vo.meta_regression(es, "~ 0 + alloc").coefficients["estimate"]["alloc[random]"], rel=1e-9
    )


@pytest.mark.parametrize("name", PINNED["no_intercept"])
def test_without_intercept_it_follows_rma_mv(name):
    """metafor's rma() mean-centres here, so the pins are rma.mv's (optimised to about 1e-7)."""
    data = PINNED["no_intercept"][name]
    es = pd.DataFrame(data["data"])
    reg = vo.meta_regression(es, data["formula"], method="REML")
    for quantity in ("estimate", "se"):
        found = reg.coefficients[quantity].to_numpy()
        assert found == pytest.approx(np.atleast_1d(data[quantity]), rel=1e-6, abs=1e-7)
    for quantity in ("tau2", "q_moderators", "q_residual"):
        assert getattr(reg, quantity) == pytest.approx(data[quantity], rel=1e-6, abs=1e-7)
    common = vo.meta_regression(es, data["formula"], method="EE").coefficients
    assert common["estimate"].to_numpy() == pytest.approx(
        np.atleast_1d(data["common_estimate"]), rel=1e-9
    )
    assert common["se"].to_numpy() == pytest.approx(np.atleast_1d(data["common_se"]), rel=1e-9)


@pytest.mark.parametrize("formula", ["~ ablat + year", "~ 0 + ablat", "~ 0 + alloc"])
def test_closed_form_estimators_by_matrices(formula):
    """DL and HE written with the k x k projection, as in Raudenbush (2009)."""
    es = frame("bcg_latitude_year").assign(alloc=frame("bcg_allocation")["alloc"])
    reg = vo.meta_regression(es, formula, method="DL")
    y, v, x = reg.effects, reg.variances, reg.x
    k, p = x.shape
    w = np.diag(1 / v)
    project = w - w @ x @ np.linalg.inv(x.T @ w @ x) @ x.T @ w
    dl = max(0.0, (y @ project @ y - (k - p)) / np.trace(project))
    flat = np.eye(k) - x @ np.linalg.inv(x.T @ x) @ x.T
    he = max(0.0, (y @ flat @ y - np.trace(flat @ np.diag(v))) / (k - p))
    assert reg.q_residual == pytest.approx(y @ project @ y, rel=1e-9)
    assert reg.tau2 == pytest.approx(dl, rel=1e-9)
    assert vo.meta_regression(es, formula, method="HE").tau2 == pytest.approx(he, rel=1e-8)
    for method, sign in (("REML", 1), ("ML", 0)):
        fit = vo.meta_regression(es, formula, method=method)

        def height(tau2, sign=sign):
            big = np.diag(v + tau2)
            inverse = np.linalg.inv(big)
            m = x.T @ inverse @ x
            r = y - x @ np.linalg.solve(m, x.T @ inverse @ y)
            half = sign * np.linalg.slogdet(m)[1]
            return -0.5 * (np.linalg.slogdet(big)[1] + half + r @ inverse @ r)

        grid = np.linspace(0, 2, 401)
        assert height(fit.tau2) >= max(height(t) for t in grid) - 1e-12


PRINTED = 0.5e-4


def test_numbers_as_metafor_prints_them():
    """The printed output of metafor 3.8-1 for `rma(yi, vi, mods = ~ ablat + year)` on the BCG trials."""
    reg = vo.meta_regression(frame("bcg_latitude_year"), "~ ablat + year", method="REML")
    for term, estimate, se, p_value in (
        ("ablat", "-0.0280", "0.0102", "0.0062"),
        ("year", "0.0019", "0.0147", "0.8966"),
    ):
        row = reg.coefficients.loc[term]
        for quantity, printed in (("estimate", estimate), ("se", se), ("p_value", p_value)):
            assert row[quantity] == pytest.approx(float(printed), abs=PRINTED)
    assert f"{reg.tau2:.4f} {reg.tau2_se:.4f}" == "0.1108 0.0845"
    assert f"{reg.q_residual:.4f}" == "28.3251"
    assert list(reg.coefficients.index) == ["Intercept", "ablat", "year"]


@pytest.mark.parametrize("name", PINNED["permutations"])
def test_exact_permutation_test_is_that_of_permutest(name):
    data = PINNED["permutations"][name]
    reg = vo.meta_regression(
        pd.DataFrame(data["data"]), data["formula"], method=data["method"], ci=data["ci"]
    )
    test = reg.permutation_test()
    assert test.exact
    assert test.n_permutations == data["iterations"]
    assert test.p_values.to_numpy() == pytest.approx(np.atleast_1d(data["p_value"]), abs=1e-12)
    if "q_p_value" in data:
        assert test.q_p_value == pytest.approx(data["q_p_value"], abs=1e-12)


def test_random_permutations_repeat_with_the_seed_and_come_near_the_exact_value():
    data = PINNED["permutations"]["bcg_first_seven_latitude"]
    reg = vo.meta_regression(pd.DataFrame(data["data"]), "~ ablat", method="DL")
    first, again, other = (reg.permutation_test(most=1500, seed=s) for s in (3, 3, 4))
    assert first.p_values.tolist() == again.p_values.tolist() != other.p_values.tolist()
    assert not first.exact
    four_errors = 4 * math.sqrt(0.186 * 0.814 / 1500)
    assert first.p_values["ablat"] == pytest.approx(data["p_value"][1], abs=four_errors)


@pytest.mark.parametrize("method", METHODS)
def test_an_intercept_alone_is_pool(method):
    es = frame("bcg_latitude")
    reg, fit = (
        vo.meta_regression(es, "~ 1", method=method, ci="hksj"),
        vo.pool(es, method=method, ci="hksj"),
    )
    row = reg.coefficients.loc["Intercept"]
    for quantity in BY_TERM:
        assert row[quantity] == pytest.approx(getattr(fit, quantity), rel=1e-8)
    for mine, theirs in (("tau2", "tau2"), ("q_residual", "q"), ("i2_pct", "i2_pct"), ("h2", "h2")):
        assert getattr(reg, mine) == pytest.approx(getattr(fit, theirs), rel=1e-8)
    predicted = reg.predict().iloc[0]
    if method != "EE":
        assert predicted["prediction_low"] == pytest.approx(fit.prediction_low, rel=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_order_sign_and_units(method):
    es = frame("bcg_latitude_year")
    base = vo.meta_regression(es, "~ ablat + year", method=method)
    shuffled = vo.meta_regression(
        es.sample(frac=1, random_state=2), "~ ablat + year", method=method
    )
    swapped = vo.meta_regression(es.assign(effect=-es["effect"]), "~ ablat + year", method=method)
    scaled = vo.meta_regression(
        es.assign(effect=10 * es["effect"], variance=100 * es["variance"]),
        "~ ablat + year",
        method=method,
    )
    turned = vo.meta_regression(es.assign(year=es["year"] - 1900), "~ year + ablat", method=method)
    b = base.coefficients["estimate"]
    assert shuffled.coefficients["estimate"].to_numpy() == pytest.approx(b.to_numpy(), rel=1e-8)
    assert swapped.coefficients["estimate"].to_numpy() == pytest.approx(-b.to_numpy(), rel=1e-8)
    assert scaled.coefficients["estimate"].to_numpy() == pytest.approx(10 * b.to_numpy(), rel=1e-8)
    assert scaled.tau2 == pytest.approx(100 * base.tau2, rel=1e-7, abs=1e-9)
    assert turned.coefficients["estimate"]["year"] == pytest.approx(b["year"], rel=1e-7)


def test_ten_thousand_effects_are_quick_and_need_no_large_matrix():
    rng = np.random.default_rng(5)
    es = pd.DataFrame(
        {
            "effect": rng.normal(size=10_000),
            "variance": rng.uniform(0.1, 1, 10_000),
            "x": rng.normal(size=10_000),
        }
    )
    reg = vo.meta_regression(es, "~ x")
    assert reg.k == 10_000
    assert 0 < reg.tau2 < 1


ES = pd.DataFrame(
    {
        "study": list("abcdef"),
        "effect": [0.1, 0.4, 0.3, 0.8, 0.2, 0.5],
        "variance": [0.02, 0.03, 0.02, 0.05, 0.04, 0.03],
        "year": [2001.0, 2005, np.nan, 2010, 2012, 2015],
        "twice": [4002.0, 4010, 4012, 4020, 4024, 4030],
        "same": ["x"] * 6,
        "blinded": ["yes", "no", "yes", "yes", "no", None],
        "negative": [-1.0, 2, 3, 4, 5, 6],
    }
)


def test_rows_without_a_moderator_are_listed():
    reg = vo.meta_regression(ES, "~ year + blinded")
    assert {e.study: e.reason for e in reg.excluded} == {
        "c": "missing: year",
        "f": "missing: blinded",
    }
    assert reg.k == 4
    assert list(reg.coefficients.index) == ["Intercept", "year", "blinded[T.yes]"]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("~ colour", "colour"),
        ("~ same", "same.*one value only"),
        ("~ year + twice", "twice.*year"),
        ("~ year * blinded", "4 studies with all moderators for 4|4 studies for 4"),
        ("~ year +", "right-hand side"),
        ("effect ~ year", "right-hand side"),
        ("", "right-hand side"),
        ("~ np.log(negative)", "undefined for some studies"),
        ("~ 0", "at least one term"),
        ("~ nothing(year)", "nothing"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_a_reason(formula, words):
    with pytest.raises(vo.InputError, match=words):
        vo.meta_regression(ES, formula)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "XX"},
        {"ci": "t"},
        {"level": 2},
        {"robust": "CR2"},
        {"cluster": "same"},
        {"robust": "CR9", "cluster": "study"},
    ],
)
def test_unknown_options_are_refused(options):
    with pytest.raises(vo.InputError):
        vo.meta_regression(ES, "~ year", **options)


def test_new_rows_must_fit_the_formula():
    reg = vo.meta_regression(ES, "~ blinded")
    for new in ({"year": [1]}, {"blinded": ["maybe"]}, {"blinded": [None]}):
        with pytest.raises(vo.InputError, match="blinded"):
            reg.predict(pd.DataFrame(new))
    with pytest.raises(vo.InputError, match="year"):
        vo.meta_regression(ES, "~ year").predict(pd.DataFrame({"year": ["old"]}))


def test_other_kinds_of_columns():
    es = ES.assign(
        grade=pd.Categorical(list("aabbab"), categories=list("abc")),
        truth=[True, False, True, False, True, False],
        count=pd.array([1, 2, 3, 4, 5, 7], dtype="Int64"),
    )
    assert list(vo.meta_regression(es, "~ grade").coefficients.index) == ["Intercept", "grade[T.b]"]
    assert list(vo.meta_regression(es, "~ truth").coefficients.index) == [
        "Intercept",
        "truth",
    ]
    assert list(vo.meta_regression(es, "~ count").coefficients.index) == ["Intercept", "count"]


def test_a_result_shows_itself():
    reg = vo.meta_regression(frame("bcg_latitude").assign(measure="RR"), "~ ablat")
    assert "Meta-regression of the log risk ratio on ablat (REML), 13 studies: ablat" in str(reg)
    assert "R² = 76%" in str(reg)
    assert list(reg.to_frame().columns) == [
        "term",
        *(["estimate", "se", "ci_low", "ci_high", "statistic", "df", "p_value"]),
    ]
    assert "<table>" in reg._repr_html_()
    assert reg.plot().get_xlabel() == "ablat"
    natural = reg.predict(pd.DataFrame({"ablat": [30]}), scale="natural")
    assert natural["estimate"].iloc[0] == pytest.approx(
        math.exp(reg.predict(pd.DataFrame({"ablat": [30]}))["estimate"].iloc[0])
    )
    assert "permutations (random (seed 1))" in str(reg.permutation_test(most=50))
    with pytest.raises(vo.InputError, match="moderator"):
        vo.meta_regression(frame("bcg_allocation"), "~ alloc").plot()
