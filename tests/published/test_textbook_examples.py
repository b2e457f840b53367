"""Results that papers and handbooks print, recomputed; the tolerance is what their digits allow.

Printed numbers stand here as text. A result was "printed" as quoted on the page named; where the page
shows fewer digits than the source that quotes it, the fewer are used.
"""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.printed import read_printed


def prints(value, text):
    """Whether a full-precision value rounds to the printed text."""
    return read_printed(text).is_printed_from(value)


# Viechtbauer (2005), J Educ Behav Stat 30:261-293, examples on pages 271 and 272.
VIECHTBAUER = {
    "p271": (
        [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232],
        [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040],
        {"HS": ("0.228", "77.23", "4.39"), "HE": ("0.148", "68.80", "3.21"),
         "DL": ("0.277", "80.44", "5.11"), "ML": ("0.197", "74.51", "3.92"),
         "REML": ("0.223", "76.84", "4.32"),
         "EB": ("0.192", "74.05", "3.85"),
         "SJ": ("0.199", "74.75", "3.96")},
    ),
    "p272": (
        [0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134, 0.019, 0.175, 0.056, 0.045,
         0.103, 0.121, -0.482, 0.290, 0.342],
        [0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034, 0.033, 0.031, 0.034, 0.039, 0.167,
         0.134, 0.096, 0.016, 0.035],
        {"HS": ("0.010", "22.93", "1.30"), "HE": ("0.000", "0.00", "1.00"),
         "DL": ("0.013", "27.53", "1.38"), "ML": ("0.013", "28.45", "1.40"),
         "REML": ("0.016", "32.02", "1.47"),
         "EB": ("0.010", "23.72", "1.31"),
         "SJ": ("0.025", "42.67", "1.74")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", ["HS", "HE", "DL", "ML", "REML", "EB", "SJ"])
@pytest.mark.parametrize("page", VIECHTBAUER)
def test_viechtbauer_2005_estimators_of_tau2(page, method):
    y, v, printed = VIECHTBAUER[page]
    fit = vo.pool(pd.DataFrame({"effect": y, "variance": v}), method=method)
    tau2, i2, h2 = printed[method]
    assert prints(fit.tau2, tau2)
    assert prints(fit.i2_pct, i2)
    assert prints(fit.h2, h2)


# DerSimonian and Kacker (2007), Contemp Clin Trials 28:105-114, CLASP trials, tables 3 and 4 (pages 111-112):
# tau, mean log odds ratio, standard error.
CLASP = pd.DataFrame(
    {
        "events_t": [5, 5, 12, 69, 9, 313], "n_t": [156, 303, 565, 1570, 103, 4659],
        "events_c": [8, 17, 9, 94, 11, 352], "n_c": [74, 303, 477, 1565, 105, 4650],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "tau", "mean", "se"),
    [
        ("PM", "0.3681", "-0.3811", "0.2060"),
        ("HE", "0.4410", "-0.4035", "0.2327"),
        ("DL", "0.2323", "-0.3240", "0.1540"),
        ("EB", "0.3681", "-0.3811", "0.2060"),
        pytest.param(
            "ML",
            "0.0023",
            "-0.1974",
            "0.0694",
            marks=pytest.mark.xfail(
                reason="the likelihood falls from tau² = 0 on; 0.0023 is where the search behind it stopped",
                raises=AssertionError,
                strict=True,
            ),
        ),
        ("REML", "0.1843", "-0.2980", "0.1343"),
        ("HS", "0.1330", "-0.2666", "0.1125"),
        ("SJ", "0.4572", "-0.4079", "0.2386"),
    ],
)
def test_dersimonian_and_kacker_2007(method, tau, mean, se):
    fit = vo.pool(vo.effect_sizes(CLASP, measure="OR"), method=method)
    assert prints(np.sqrt(fit.tau2), tau)
    assert prints(fit.estimate, mean)
    assert prints(fit.se, se)


# Normand (1999), Stat Med 18:321-359: lidocaine (tables III and VII), length of stay (tables VIII and IX).
LIDOCAINE = pd.DataFrame(
    {
        "n_t": [39, 44, 107, 103, 110, 154], "n_c": [43, 44, 110, 100, 106, 146],
        "events_t": [2, 4, 6, 7, 7, 11], "events_c": [1, 4, 4, 5, 3, 4],
    }
)  # fmt: skip
STROKE = pd.DataFrame(
    {
        "n_t": [155, 31, 75, 18, 8, 57, 34, 110, 60], "mean_t": [55, 27, 64, 66, 14, 19, 52, 21, 30],
        "sd_t": [47, 7, 17, 20, 8, 7, 45, 16, 27],
        "n_c": [156, 32, 71, 18, 13, 52, 33, 183, 52], "mean_c": [75, 29, 119, 137, 18, 18, 41, 31, 23],
        "sd_c": [64, 4, 29, 48, 11, 4, 34, 27, 20],
    }
)  # fmt: skip


def test_normand_1999_risk_differences_in_percent():
    es = vo.effect_sizes(LIDOCAINE, measure="RD")
    percent = es.assign(effect=100 * es["effect"], variance=1e4 * es["variance"])
    for value, text in zip(
        percent["effect"], ("2.8026", "0.0000", "1.9711", "1.7961", "3.5334", "4.4031"), strict=True
    ):
        assert prints(value, text)
    for value, text in zip(
        percent["variance"],
        ("17.7575", "37.5657", "8.1323", "10.8998", "8.0114", "6.1320"),
        strict=True,
    ):
        assert prints(value, text)
    for method in ("EE", "DL", "REML"):
        fit = vo.pool(percent, method=method)
        assert prints(fit.estimate, "2.94")
        assert prints(fit.ci_low, "0.4")
        assert prints(fit.ci_high, "5.5")
        assert prints(fit.tau2, "0.000")


@pytest.mark.parametrize(
    ("method", "estimate", "low", "high", "tau2"),
    [
        ("EE", "-3.49", "-5.03", "-1.96", None),
        ("DL", "-14.10", "-24.45", "-3.75", "218.72"),
        ("REML", "-15.12", "-32.67", "2.43", "685.20"),
    ],
)
def test_normand_1999_length_of_stay(method, estimate, low, high, tau2):
    """The paper uses the pooled standard deviation in both arms."""
    from vertebro_outcomes.estimators.effect_sizes.means import TwoMeans, pooled_sd

    columns = {name: STROKE[name].to_numpy(dtype=float) for name in TwoMeans._fields}
    sd = pooled_sd(TwoMeans(**columns))
    fit = vo.pool(vo.effect_sizes(STROKE.assign(sd_t=sd, sd_c=sd), measure="MD"), method=method)
    assert prints(fit.estimate, estimate)
    assert prints(fit.ci_low, low)
    assert prints(fit.ci_high, high)
    assert tau2 is None or prints(fit.tau2, tau2)


# Viechtbauer (2007), Stat Med 26:37-52, table II (page 44): pre-eclampsia under diuretics.
DIURETICS = pd.DataFrame(
    {
        "n_t": [131, 385, 57, 38, 1011, 1370, 506, 108, 153],
        "n_c": [136, 134, 48, 40, 760, 1336, 524, 103, 102],
        "events_t": [14, 21, 14, 6, 12, 138, 15, 6, 65],
        "events_c": [14, 17, 24, 18, 35, 175, 20, 2, 40],
    }
)


@pytest.mark.parametrize(
    ("method", "tau2"), [("DL", "0.2297"), ("ML", "0.2386"), ("REML", "0.3008"), ("SJ", "0.4563")]
)
def test_viechtbauer_2007_estimators(method, tau2):
    assert prints(vo.pool(vo.effect_sizes(DIURETICS, measure="OR"), method=method).tau2, tau2)


def test_viechtbauer_2007_q_profile_interval():
    fit = vo.pool(vo.effect_sizes(DIURETICS, measure="OR"), method="DL")
    assert prints(fit.tau2_ci_low, "0.0723")
    assert prints(fit.tau2_ci_high, "2.2027")
