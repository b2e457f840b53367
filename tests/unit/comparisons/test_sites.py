"""Sites against the limits of chance: a pinned run of R, a hand-made funnel, laws, hidden counts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.rates.funnel_limits import (
    exact_limit,
    over_dispersion,
    wide_limit,
)
from vertebro_outcomes.estimators.rates.rates_posterior import posterior_limits
from vertebro_outcomes.estimators.rates.shrunken_rates import (
    shrink_beta_binomial,
    shrink_logit_normal,
)

PINS = json.loads((Path(__file__).parents[2] / "reference" / "sites.json").read_text())
X, N = np.array(PINS["x"], float), np.array(PINS["n"], float)


def cohort(x: np.ndarray, n: np.ndarray, *, synthetic: bool = False) -> vo.Cohort:
    """A site per entry: the first x of its n patients have a leak."""
    site = np.repeat([f"s{i:02d}" for i in range(len(n))], n.astype(int))
    ids = np.array([f"p{i:04d}" for i in range(len(site))])
    had = np.concatenate([np.arange(size) < events for events, size in zip(x, n, strict=True)])
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "site": site}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
        events=pd.DataFrame({"patient_id": ids[had], "type": "cement_leakage", "day": 40}),
        synthetic=synthetic,
    )


def test_limits_and_dispersion_of_a_pinned_run() -> None:
    found = vo.complication_sites(cohort(X, N))
    frame = found.to_frame()
    names = ["low_998", "low_95", "high_95", "high_998"]
    np.testing.assert_allclose(frame[names].to_numpy().T, PINS["limits"], rtol=0, atol=1e-12)
    for pin in PINS["dispersion"]:
        fit = vo.complication_sites(cohort(X, N), winsorise=pin["winsorise"])
        assert [fit.phi, fit.p_value, fit.tau] == pytest.approx(
            [pin["phi"], pin["p"], pin["tau"]], rel=1e-10
        )
    assert set(frame["place"]) == {"within", "below 95%", "above 95%", "above 99.8%"}
    assert (frame["place_wide"] == "within").sum() > (frame["place"] == "within").sum()


def test_an_exact_limit_by_hand() -> None:
    """Ten patients at 0.2: F(0) = 0.8^10 holds more than 2.5 %, so the limit lies below 1/10."""
    f0, f4, f5 = stats.binom.cdf([0, 4, 5], 10, 0.2)
    low = exact_limit(np.array([10]), target=0.2, tail=0.025)[0]
    assert low == max(0.0, -(f0 - 0.025) / f0 / 10)
    high = exact_limit(np.array([10]), target=0.2, tail=0.975)[0]
    assert high == pytest.approx((5 - (f5 - 0.975) / (f5 - f4)) / 10, abs=1e-14)
    wide = wide_limit(np.array([10]), target=0.2, tail=0.975, tau=0.0)[0]
    assert wide == pytest.approx(0.2 + stats.norm.ppf(0.975) * np.sqrt(0.016), abs=1e-14)


def test_shrunken_rates_of_a_pinned_run() -> None:
    beta = PINS["beta_binomial"]
    fit = shrink_beta_binomial(X, N, level=0.95)
    assert fit.rate == pytest.approx(beta["posterior"], abs=1e-7)
    assert fit.spread == pytest.approx(1 / (beta["a"] + beta["b"] + 1), abs=1e-7)
    glmer = PINS["glmer"]
    normal = shrink_logit_normal(X, N, level=0.95)
    assert normal.rate == pytest.approx(expit(glmer["mode"]), abs=2e-6)
    assert normal.spread == pytest.approx(glmer["tau"], abs=1e-5)
    v, tau2 = np.array(glmer["condvar"]), glmer["tau"] ** 2
    half = 1.959963984540054 * np.sqrt(v + (v / tau2 * glmer["se"]) ** 2)
    assert normal.ci_low == pytest.approx(expit(glmer["mode"] - half), abs=1e-5)
    assert normal.ci_high == pytest.approx(expit(glmer["mode"] + half), abs=1e-5)


def test_intervals_of_the_beta_binomial_have_the_moments_they_claim() -> None:
    """By hand from a and b of the pinned run, with the variance of the mean's logit from the Hessian."""
    a, b = PINS["beta_binomial"]["a"], PINS["beta_binomial"]["b"]

    def loglik(logit: float, log_m: float) -> float:
        p, m = expit(logit), np.exp(log_m)
        return float(stats.betabinom.logpmf(X, N, m * p, m * (1 - p)).sum())

    at, h = np.array([np.log(a / b), np.log(a + b)]), 1e-3
    hessian = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            e, f = np.eye(2)[i] * h, np.eye(2)[j] * h
            signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
            hessian[i, j] = sum(s * t * loglik(*(at + s * e + t * f)) for s, t in signs) / (
                4 * h**2
            )
    var_logit = np.linalg.inv(-hessian)[0, 0]
    p, m = a / (a + b), (a + X) / (a + b + N)
    variance = m * (1 - m) / (a + b + N + 1)
    variance += ((a + b) / (a + b + N) * p * (1 - p)) ** 2 * var_logit
    size = m * (1 - m) / variance - 1
    fit = shrink_beta_binomial(X, N, level=0.9)
    assert fit.ci_low == pytest.approx(stats.beta.ppf(0.05, m * size, (1 - m) * size), abs=1e-5)
    assert fit.ci_high == pytest.approx(stats.beta.ppf(0.95, m * size, (1 - m) * size), abs=1e-5)


def test_sites_that_differ_by_chance_share_one_rate() -> None:
    """One proportion of 40 among 400: its Wald interval on the logit scale, or its beta moments."""
    x, n = np.array([10.0, 11, 9, 10]), np.full(4, 100.0)
    half = 1.959963984540054 * np.sqrt(1 / 40 + 1 / 360)
    wald = expit(np.log(0.1 / 0.9) + np.array([-half, half]))
    beta = stats.beta.ppf([0.025, 0.975], 0.1 * 399, 0.9 * 399)
    for shrink, (low, high) in ((shrink_logit_normal, wald), (shrink_beta_binomial, beta)):
        fit = shrink(x, n, level=0.95)
        assert fit.rate == pytest.approx(np.full(4, 0.1), abs=1e-8)
        assert fit.ci_low == pytest.approx(np.full(4, low), abs=1e-5)
        assert fit.ci_high == pytest.approx(np.full(4, high), abs=1e-5)
    calm = over_dispersion(x, n, target=0.1, winsorise=0.1)
    assert calm.tau == 0
    assert calm.p_value > 0.5


def test_names_and_order_of_sites_change_nothing() -> None:
    order = np.random.default_rng(1).permutation(len(X))
    one = vo.complication_sites(cohort(X, N)).to_frame().drop(columns="site")
    two = vo.complication_sites(cohort(X[order], N[order])).to_frame().drop(columns="site")
    pd.testing.assert_frame_equal(one.iloc[order].reset_index(drop=True), two, rtol=1e-7)


def test_small_counts_are_not_drawn_and_cannot_be_told_from_the_rest() -> None:
    found = vo.complication_sites(cohort(np.array([3, 40, 50, 60]), np.full(4, 200)))
    assert found.hidden(10).tolist() == [True, True, False, False]  # one alone would follow
    texts = [t.get_text() for t in found.plot(largest_hidden=10).texts]
    assert texts == ["s02", "s03"]
    assert "2 sites with small counts" in found.plot(largest_hidden=10).get_title()
    assert len(found.plot().texts) == 4


def test_the_sentence_says_what_the_intervals_count() -> None:
    data = cohort(X, N)
    full, plug_in = vo.complication_sites(data), vo.complication_sites(data, interval="plug_in")
    assert "count the uncertainty of mean and spread" in str(full)
    assert "not of the spread" in str(plug_in)
    assert (full.sites["shrunken"] == plug_in.sites["shrunken"]).all()
    low, high = posterior_limits(X, N, model="beta_binomial", level=0.95)
    assert full.sites["ci_low"].to_numpy() == pytest.approx(low)
    assert full.sites["ci_high"].to_numpy() == pytest.approx(high)
    assert plug_in.sites["ci_low"].to_numpy() == pytest.approx(
        shrink_beta_binomial(X, N, level=0.95).ci_low
    )


def test_time_target_and_kind() -> None:
    data = cohort(X, N, synthetic=True)
    with pytest.raises(vo.InputError, match="0 events"):
        vo.complication_sites(data, within_days=30)
    stated = vo.complication_sites(data, target=0.03, kind="leakage", within_days=40)
    assert "stated target" in str(stated)
    assert "Synthetic data" in str(stated)
    assert stated.plot().get_title() == "synthetic"
    assert "Leakage within 40 days" in str(stated)
    assert "shrunken" in stated._repr_html_()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "bad luck"}, "argument kind"),
        ({"by": "patient_id"}, "argument by"),
        ({"unit": "rooms"}, "argument unit"),
        ({"treatment": "GLUE"}, "argument treatment"),
        ({"treatment": "KP"}, "none to count"),
        ({"target": 0.0}, "argument target"),
        ({"interval": "wide"}, "argument interval"),
        ({"winsorise": 0.5}, "argument winsorise"),
        ({"level": 95}, "argument level"),
        ({"within_days": -1}, "argument within_days"),
        ({"shrinkage": "hope"}, "argument shrinkage"),
        ({"kind": "infection"}, "0 events"),
    ],
)
def test_wrong_questions_are_refused_in_words(asked: dict, said: str) -> None:
    with pytest.raises(vo.InputError, match=said):
        vo.complication_sites(cohort(X, N), **asked)


def test_other_tables_are_refused_in_words() -> None:
    with pytest.raises(vo.InputError, match="a Cohort"):
        vo.complication_sites("x")
    with pytest.raises(vo.InputError, match="1 with"):
        vo.complication_sites(cohort(X[:1], N[:1]))
    ids = ["a", "b", "c"]
    people = pd.DataFrame({"patient_id": ids, "site": ["A", "B", None]})
    treated = pd.DataFrame({"patient_id": ids, "treatment": "VP"})
    with pytest.raises(vo.InputError, match="both are empty"):
        vo.complication_sites(vo.Cohort.from_frames(patients=people, episodes=treated))
    early = pd.DataFrame({"patient_id": ["a"], "type": "fever", "day": [-3]})
    with pytest.raises(vo.InputError, match="before day 0"):
        vo.complication_sites(
            vo.Cohort.from_frames(patients=people, episodes=treated, events=early)
        )
    fine = vo.Cohort.from_frames(patients=people, episodes=treated, events=early.assign(day=3))
    assert "1 patients without site" in vo.complication_sites(fine).notes[0]


POSTERIOR = json.loads(
    (Path(__file__).parents[2] / "reference" / "site_posterior.json").read_text()
)


@pytest.mark.parametrize("model", ["beta_binomial", "logit_normal"])
def test_limits_that_count_the_spread_are_those_of_a_mixture(model) -> None:
    x, n = (np.array(POSTERIOR[name], dtype=float) for name in ("x", "n"))
    low, high = posterior_limits(x, n, model=model, level=0.95)
    expected = np.array(POSTERIOR[model])
    at = np.arange(len(x)) if model == "beta_binomial" else POSTERIOR["logit_normal_sites"]
    assert low[at] == pytest.approx(expected[:, 0], abs=2e-5)
    assert high[at] == pytest.approx(expected[:, 1], abs=2e-5)
    fit = {"beta_binomial": shrink_beta_binomial, "logit_normal": shrink_logit_normal}[model]
    plug_in = fit(x, n, level=0.95)
    assert (high - low > plug_in.ci_high - plug_in.ci_low).all()
    again = posterior_limits(n - x, n, model=model, level=0.95)
    assert again[0] == pytest.approx(1 - high, abs=1e-8)
    back = posterior_limits(x[::-1], n[::-1], model=model, level=0.95)
    assert back[0][::-1] == pytest.approx(low, rel=1e-9)


def test_many_events_at_each_site_leave_the_spread_no_say() -> None:
    x, n = np.array([300.0, 400.0, 500.0]), np.array([1000.0, 1000.0, 1100.0])
    low, high = posterior_limits(x, n, model="logit_normal", level=0.95)
    own = stats.beta.ppf([[0.025], [0.975]], x + 0.5, n - x + 0.5)
    assert low == pytest.approx(own[0], abs=0.004)
    assert high == pytest.approx(own[1], abs=0.004)
