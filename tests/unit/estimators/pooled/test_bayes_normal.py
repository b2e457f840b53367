"""The posterior of the normal-normal model: a double integral, printed values, laws."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo

REFERENCE = Path(__file__).parents[3] / "reference" / "bayes.json"
PINNED = json.loads(REFERENCE.read_text(encoding="utf-8"))["sets"]
FITS = [
    pytest.param(name, fit, id=f"{name}-{fit['tau_prior'][0]}-{'-'.join(map(str, fit['mean_prior']))}")
    for name, data in PINNED.items()
    for fit in data["fits"]
]  # fmt: skip
COMPARED = [
    "mean", "sd", "median", "ci_low", "ci_high", "prediction_low", "prediction_high", "tau_mean",
    "tau_median", "tau_ci_low", "tau_ci_high", "bf_no_effect", "bf_no_heterogeneity",
]  # fmt: skip

# Pooled by bayesmeta with dhalfnormal(scale = 0.5) for tau and normal(0, 1) for the mean; Hedges' g and
# output as printed in the reproducibility guide of SYPRES, psilocybin for depression (12 trials),
# github.com/pennlinc/sypres-docs. The interval of each trial is printed to four decimals.
PSILOCYBIN = """
-1.4215 -2.2271 -0.6160
-2.4807 -3.5637 -1.3976
-0.7092 -1.0308 -0.3876
-1.2731 -1.8827 -0.6635
-1.7297 -2.7230 -0.7365
-0.3347 -1.0987 0.4294
-0.8700 -1.2941 -0.4459
-0.3806 -1.0314 0.2701
-0.1417 -0.8599 0.5765
-0.7940 -1.5967 0.0086
-0.8275 -1.5562 -0.0988
-0.9384 -1.5120 -0.3648
"""
PRINTED = {
    "median": -0.8714675, "mean": -0.8763131, "sd": 0.1426918, "ci_low": -1.1694173, "ci_high": -0.5981181,
    "tau_median": 0.2990692, "tau_mean": 0.3127251, "tau_sd": 0.1835568, "tau_ci_low": 0.0,
    "tau_ci_high": 0.6373571,
}  # fmt: skip
TRIALS_READ_TO = 1e-4  # rounding of the inputs moves the posterior by less than this


def table(effect, variance):
    return pd.DataFrame({"effect": np.atleast_1d(effect), "variance": np.atleast_1d(variance)})


def schools():
    return table(PINNED["schools"]["effect"], PINNED["schools"]["variance"])


def prior_of(given):
    return given if len(given) > 1 else given[0]


def test_the_grid_is_whole():
    assert set(PINNED) == {"schools", "bcg_rr", "hackshaw1998", "invented_two", "invented_one"}
    per_set = {name: len(data["fits"]) for name, data in PINNED.items()}
    # flat and half-Cauchy priors are left out where mean or standard deviation of tau do not exist
    assert per_set == {
        "schools": 18, "bcg_rr": 18, "hackshaw1998": 18, "invented_two": 14, "invented_one": 12,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "pinned"), FITS)
def test_posterior_equals_one_dimensional_integration_in_r(name, pinned):
    data = PINNED[name]
    fit = vo.pool_bayes(
        table(data["effect"], data["variance"]),
        tau_prior=prior_of(pinned["tau_prior"]),
        mean_prior=prior_of(pinned["mean_prior"]),
    )
    for quantity in COMPARED:
        if pinned[quantity] is None:
            assert np.isnan(getattr(fit, quantity))
        else:
            assert getattr(fit, quantity) == pytest.approx(pinned[quantity], rel=1e-7, abs=1e-8), (
                quantity
            )
    assert fit.prob_below(0.0) == pytest.approx(pinned["prob_below_zero"], rel=1e-8)


def double_integral(effect, variance, *, log_tau_prior, mean_sd, upper=np.inf):
    """Moments on a grid over mu and tau; mu is not integrated in closed form.

    Gauss-Legendre in both directions: 400 nodes of mu, 600 of log tau.
    """
    x, wx = np.polynomial.legendre.leggauss(400)
    z, wz = np.polynomial.legendre.leggauss(600)
    spread = np.sqrt(np.max(variance))
    mu = np.mean(effect) + 30 * spread * x**3  # dense in the middle
    wmu = wx * 90 * spread * x**2
    low, high = -16.0, min(np.log(upper), 9.0)
    log_tau = low + (high - low) * (z + 1) / 2
    tau, wtau = np.exp(log_tau), wz * np.exp(log_tau)
    total = variance[:, None, None] + (tau**2)[None, None, :]
    misfit = (effect[:, None, None] - mu[None, :, None]) ** 2 / total
    joint = -0.5 * (np.log(total) + misfit).sum(axis=0) - 0.5 * (mu[:, None] / mean_sd) ** 2
    joint = joint + log_tau_prior(tau)[None, :]
    mass = np.exp(joint - joint.max()) * wmu[:, None] * wtau[None, :]
    mass /= mass.sum()
    mean = (mass * mu[:, None]).sum()
    return {
        "mean": mean,
        "sd": np.sqrt((mass * (mu[:, None] - mean) ** 2).sum()),
        "tau_mean": (mass * tau[None, :]).sum(),
        "new_study_sd": np.sqrt((mass * ((mu[:, None] - mean) ** 2 + tau[None, :] ** 2)).sum()),
    }


@pytest.mark.parametrize(
    ("prior", "log_density", "upper"),
    [
        (("half_normal", 8.0), lambda t: -0.5 * (t / 8) ** 2, np.inf),
        (("half_cauchy", 8.0), lambda t: -np.log1p((t / 8) ** 2), np.inf),
        (("uniform", 30.0), lambda t: 0 * t, 30.0),
        (("log_normal", 1.5, 0.7), lambda t: stats.lognorm.logpdf(t, 0.7, scale=np.exp(1.5)), np.inf),
        (
            ("log_normal_tau2", 3.0, 1.4),
            lambda t: stats.lognorm.logpdf(t**2, 1.4, scale=np.exp(3.0)) + np.log(t),
            np.inf,
        ),
    ],
)  # fmt: skip
def test_posterior_equals_a_double_integral(prior, log_density, upper):
    es = schools()
    expected = double_integral(
        es["effect"].to_numpy(), es["variance"].to_numpy(),
        log_tau_prior=log_density, mean_sd=50.0, upper=upper,
    )  # fmt: skip
    fit = vo.pool_bayes(es, tau_prior=prior, mean_prior=("normal", 0, 50))
    for quantity in ("mean", "sd", "tau_mean"):
        assert getattr(fit, quantity) == pytest.approx(expected[quantity], rel=1e-6)
    assert fit.posterior.new_study.sd() == pytest.approx(expected["new_study_sd"], rel=1e-6)


def test_a_printed_bayesmeta_analysis():
    rows = np.array([line.split() for line in PSILOCYBIN.split("\n") if line], dtype=float)
    se = (rows[:, 2] - rows[:, 1]) / (2 * stats.norm.isf(0.025))
    fit = vo.pool_bayes(
        table(rows[:, 0], se**2),
        tau_prior=("half_normal", 0.5), mean_prior=("normal", 0, 1), interval="shortest",
    )  # fmt: skip
    for quantity, printed in PRINTED.items():
        assert getattr(fit, quantity) == pytest.approx(printed, abs=TRIALS_READ_TO), quantity


def test_one_study_under_a_flat_mean_is_the_prior_of_tau_and_a_symmetric_posterior():
    fit = vo.pool_bayes(table(-0.7, 0.2), mean_prior="flat", tau_prior=("half_normal", 0.5))
    assert fit.tau_median == pytest.approx(stats.halfnorm.ppf(0.5, scale=0.5), rel=1e-10)
    assert fit.estimate == pytest.approx(-0.7, abs=1e-12)
    assert fit.se == pytest.approx(np.sqrt(0.2 + 0.25), rel=1e-10)  # E tau² = scale²


def test_moments_that_do_not_exist_are_not_invented():
    fit = vo.pool_bayes(table(-0.7, 0.2), mean_prior="flat", tau_prior=("half_cauchy", 0.5))
    assert np.isnan(fit.mean)
    assert fit.estimate == fit.median == pytest.approx(-0.7, abs=1e-9)
    assert fit.tau_mean == fit.se == np.inf
    assert fit.tau_median == pytest.approx(0.5, rel=1e-10)
    assert "no mean" in fit.notes[0]


def test_known_tau_reduces_to_weighted_averages():
    """A log-normal prior narrow as a spike at tau = 0.3 gives the closed form for known tau."""
    y, v = np.array([0.1, 0.9, -0.4]), np.array([0.02, 0.3, 0.1])
    fit = vo.pool_bayes(table(y, v), tau_prior=("log_normal", np.log(0.3), 1e-6), mean_prior="flat")
    w = 1 / (v + 0.09)
    mean, variance = (w @ y) / w.sum(), 1 / w.sum()
    assert fit.estimate == pytest.approx(mean, rel=1e-6)
    assert fit.se == pytest.approx(np.sqrt(variance), rel=1e-6)
    reach = stats.norm.isf(0.025) * np.sqrt(variance + 0.09)
    assert fit.prediction_high == pytest.approx(mean + reach, rel=1e-6)
    own = fit.shrinkage["estimate"].to_numpy()
    assert own == pytest.approx((y / v + mean / 0.09) / (1 / v + 1 / 0.09), rel=1e-6)


def test_a_tiny_tau_reduces_to_the_common_effect():
    es = schools()
    w = 1 / es["variance"]
    fit = vo.pool_bayes(es, tau_prior=("half_normal", 1e-8), mean_prior="flat")
    assert fit.estimate == pytest.approx((w * es["effect"]).sum() / w.sum(), rel=1e-9)
    assert fit.se == pytest.approx(w.sum() ** -0.5, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e4])
def test_laws(scale):
    es = table(PINNED["bcg_rr"]["effect"], PINNED["bcg_rr"]["variance"])
    first = vo.pool_bayes(es, tau_prior=("half_cauchy", 0.5), interval="shortest")
    swapped = vo.pool_bayes(
        es.assign(effect=-es["effect"])[::-1], tau_prior=("half_cauchy", 0.5), interval="shortest"
    )
    assert swapped.estimate == pytest.approx(-first.estimate, rel=1e-11)
    assert swapped.ci_low == pytest.approx(-first.ci_high, rel=1e-9)
    assert swapped.prob_below(0) == pytest.approx(first.prob_above(0), rel=1e-11)
    units = vo.pool_bayes(
        table(scale * es["effect"], scale**2 * es["variance"]),
        tau_prior=("half_cauchy", 0.5 * scale), mean_prior=("normal", 0, 4 * scale),
        interval="shortest",
    )  # fmt: skip
    for quantity in ("estimate", "ci_low", "tau", "prediction_high", "tau_ci_high"):
        assert getattr(units, quantity) == pytest.approx(scale * getattr(first, quantity), rel=1e-9)
    assert units.bf_no_effect == pytest.approx(first.bf_no_effect, rel=1e-9)


def test_the_shortest_interval_is_shorter_and_holds_the_level():
    fit = vo.pool_bayes(schools(), tau_prior=("half_cauchy", 25), mean_prior=("normal", 0, 50))
    low, high = fit.shortest
    assert fit.prob_below(high) - fit.prob_below(low) == pytest.approx(0.95, rel=1e-12)
    assert high - low < fit.ci_high - fit.ci_low
    start, end = fit.tau_shortest
    assert (start, fit.posterior.tau.cdf(end)) == (0.0, pytest.approx(0.95, rel=1e-12))


def test_variances_of_ten_orders_and_many_studies():
    rng = np.random.default_rng(5)
    v = 10 ** rng.uniform(-8, 2, 3000)
    fit = vo.pool_bayes(table(rng.normal(0.3, np.sqrt(v + 0.04)), v))
    assert fit.posterior.tau.converged
    assert fit.tau == pytest.approx(0.2, abs=0.01)
    assert fit.estimate == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"tau_prior": "flat", "mean_prior": "flat"}, "2 studies"),
        ({"tau_prior": ("half_normal", -1)}, "-1"),
        ({"tau_prior": ("half_normal", "wide")}, "wide"),
        ({"tau_prior": ("gamma", 1, 1)}, "gamma"),
        ({"tau_prior": 0.5}, "0.5"),
        ({"mean_prior": ("normal", 0)}, "normal"),
        ({"mean_prior": ("normal", 0, 0)}, "normal"),
        ({"level": 95}, "95"),
        ({"interval": "hpd"}, "hpd"),
    ],
)
def test_what_is_refused(options, found):
    with pytest.raises(vo.InputError, match=found):
        vo.pool_bayes(table([-1.0, -0.2], [0.3, 0.1]), **options)


def test_a_flat_prior_of_tau_with_three_studies_is_proper():
    fit = vo.pool_bayes(
        table([-1.0, -0.2, 0.1], [0.3, 0.1, 0.2]), tau_prior="flat", mean_prior="flat"
    )
    assert np.isfinite([fit.median, fit.ci_low, fit.tau_median, fit.prediction_high]).all()
    assert fit.posterior.tau.cdf(fit.tau_median) == pytest.approx(0.5, rel=1e-12)
    assert np.isnan(fit.bf_no_effect)
    assert np.isnan(fit.bf_no_heterogeneity)


def test_the_result_shows_itself():
    es = table([-0.9, -0.3, np.nan], [0.1, 0.05, 0.2]).assign(measure="RR", study=["A", "B", "C"])
    fit = vo.pool_bayes(es)
    assert str(fit).startswith("risk ratio 0.58 (0.26 to 1.22), 95% credible interval")
    assert "1 left out" in str(fit)
    assert fit.excluded[0].study == "C"
    natural = fit.to_frame(scale="natural").iloc[0]
    assert natural["estimate"] == pytest.approx(np.exp(fit.estimate))
    assert fit.studies["weight_pct"].sum() == pytest.approx(100)
    assert "<table>" in fit._repr_html_()
    assert fit.plot().get_xlabel() == "risk ratio"


def test_default_priors_on_a_scale_in_points_are_pointed_out():
    es = table([-1.0, -0.2], [0.3, 0.1]).assign(measure="MD")
    assert "own unit" in vo.pool_bayes(es).notes[0]
    assert not vo.pool_bayes(es, tau_prior=("half_normal", 2)).notes
    assert not vo.pool_bayes(es.assign(measure="SMD")).notes
