"""Small-study effects: second derivations, a printed test, laws, refusals, how results show themselves."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "small_study.json").read_text(encoding="utf-8")
)
SETS = ("bcg_rr", "hackshaw1998", "raudenbush1985", "egger2001_or", "bangertdrowns2004")
TESTS = ("egger", "begg", "pet", "peese", "pet_peese")
ARMS = pd.DataFrame(
    {name: PINNED["tables"]["bcg"][name] for name in ("events_t", "n_t", "events_c", "n_c")}
)
# Hedges' g of psilocybin for depression with its interval, twelve trials, and Egger's test as printed
# by dmetar in the reproducibility guide of SYPRES, github.com/pennlinc/sypres-docs.
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


def es(name="bcg_rr", sign=1.0):
    data = PINNED["sets"][name]
    return pd.DataFrame({"effect": sign * np.array(data["effect"]), "variance": data["variance"]})


def test_a_printed_egger_test():
    rows = np.array([line.split() for line in PSILOCYBIN.split("\n") if line], dtype=float)
    se = (rows[:, 2] - rows[:, 1]) / (2 * stats.norm.isf(0.025))
    table = pd.DataFrame({"effect": rows[:, 0], "se": se})
    found = vo.small_study_effects(table, test="egger")
    trials = 1e-4  # the trials are printed to four decimals
    assert found.intercept == pytest.approx(-1.575, abs=0.0005 + trials)
    assert found.statistic == pytest.approx(-1.338, abs=0.0005 + trials)
    assert found.p_value == pytest.approx(0.2105826, abs=trials)
    # dmetar builds its interval with the normal quantile
    low, high = (found.bias + z * found.bias_se for z in (-1.959964, 1.959964))
    assert (low, high) == (pytest.approx(-3.88, abs=0.005), pytest.approx(0.73, abs=0.005))


@pytest.mark.parametrize("name", SETS)
def test_egger_is_the_ordinary_regression_of_the_standardised_effect(name):
    table = es(name)
    se = np.sqrt(table["variance"].to_numpy())
    line = sm.OLS(table["effect"].to_numpy() / se, sm.add_constant(1 / se)).fit()
    found = vo.small_study_effects(table)
    assert found.intercept == pytest.approx(line.params[0], rel=1e-9)
    assert found.slope == pytest.approx(line.params[1], rel=1e-9, abs=1e-12)
    assert found.statistic == pytest.approx(line.tvalues[0], rel=1e-9)
    assert found.p_value == pytest.approx(line.pvalues[0], rel=1e-9)
    assert (found.bias_ci_low, found.bias_ci_high) == pytest.approx(tuple(line.conf_int()[0]))


@pytest.mark.parametrize("test", ["harbord", "peters"])
def test_tests_on_arms_with_statsmodels(test):
    a, n1, c, n2 = (ARMS[name].to_numpy(dtype=float) for name in ARMS.columns)
    n, m = n1 + n2, a + c
    if test == "harbord":
        v = n1 * n2 * m * (n - m) / (n**2 * (n - 1))
        z = a - n1 * m / n
        line = sm.OLS(z / np.sqrt(v), sm.add_constant(np.sqrt(v))).fit()
        expected = line.params[0], line.tvalues[0], line.pvalues[0]
    else:
        y = np.log(a * (n2 - c) / (c * (n1 - a)))  # no zero cell in these trials
        line = sm.WLS(y, sm.add_constant(1 / n), weights=1 / (1 / m + 1 / (n - m))).fit()
        expected = line.params[1], line.tvalues[1], line.pvalues[1]
    found = vo.small_study_effects(ARMS, test=test)
    assert (found.bias, found.statistic, found.p_value) == pytest.approx(expected, rel=1e-9)
    assert found.df == len(ARMS) - 2


@pytest.mark.parametrize("name", SETS)
def test_begg_counts_pairs(name):
    table = es(name)
    y, v = table["effect"].to_numpy(), table["variance"].to_numpy()
    mean = np.average(y, weights=1 / v)
    x = (y - mean) / np.sqrt(v - 1 / (1 / v).sum())
    above = np.triu_indices(len(y), 1)
    dx, dv = (np.sign(np.subtract.outer(z, z))[above] for z in (x, v))
    expected = (dx * dv).sum() / np.sqrt((dx**2).sum() * (dv**2).sum())
    assert vo.small_study_effects(table, test="begg").statistic == pytest.approx(expected)


def test_pet_peese_chooses_by_the_one_sided_test():
    rng = np.random.default_rng(1)
    v = np.linspace(0.01, 0.4, 20)
    strong = pd.DataFrame({"effect": 0.8 + 0.1 * rng.normal(size=20) * np.sqrt(v), "variance": v})
    nothing = pd.DataFrame({"effect": 1.5 * np.sqrt(v) + 0.02 * rng.normal(size=20), "variance": v})
    for table, chosen in ((strong, "peese"), (nothing, "pet")):
        found = vo.small_study_effects(table, test="pet_peese")
        assert found.chosen == chosen
        alone = vo.small_study_effects(table, test=chosen)
        assert found.intercept == alone.intercept == found.estimate
        mirrored = vo.small_study_effects(table.assign(effect=-table["effect"]), test="pet_peese")
        assert (mirrored.chosen, mirrored.estimate) == (chosen, pytest.approx(-found.estimate))


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("side", ["left", "right"])
def test_trim_and_fill_restores_a_symmetric_funnel(missing, side):
    """Nine pairs about 0.4 and one study in the middle; the most extreme ones of one side taken away."""
    distance = np.array([0.05, 0.1, 0.2, 0.28, 0.4, 0.55, 0.8, 1.1, 1.5])
    variance = np.array([0.004, 0.006, 0.01, 0.02, 0.05, 0.09, 0.16, 0.3, 0.5])
    whole = np.concatenate([-distance, [0.0], distance])
    every = np.concatenate([variance, [0.003], variance])
    order = np.argsort(whole if side == "left" else -whole)[missing:]
    table = pd.DataFrame({"effect": 0.4 + whole[order], "variance": every[order]})
    found = vo.trim_and_fill(table, method="EE")
    assert (found.k_added, found.side) == (missing, side)
    assert found.estimate == pytest.approx(0.4, abs=1e-9)
    gone = np.sort(np.delete(0.4 + whole, order))
    assert np.sort(found.filled["effect"]) == pytest.approx(gone, abs=1e-9)


@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
@pytest.mark.parametrize("name", SETS)
def test_trim_and_fill_ends_where_trimming_again_changes_nothing(name, method):
    """L0 about the pool of the studies left over gives the same number, by scipy's ranks."""
    table = es(name)
    found = vo.trim_and_fill(table, method=method)
    sign = 1 if found.side == "left" else -1
    trimmed = (sign * table["effect"]).rank(method="first") > len(table) - found.k_added
    centre = vo.pool(table[~trimmed], method=method).estimate
    away = sign * (table["effect"] - centre)
    t = stats.rankdata(away.abs())[away > 0].sum()
    n = len(table)
    assert round((4 * t - n * (n + 1)) / (2 * n - 1)) == found.k_added
    mirrored = np.sort(2 * centre - table.loc[trimmed, "effect"])
    assert np.sort(found.filled["effect"]) == pytest.approx(mirrored, rel=1e-9)


def negative_log_likelihood(theta, y, v):
    """Three-parameter selection model by scipy.stats, one study at a time."""
    mu, log_tau, log_delta = theta
    total = 0.0
    for effect, variance in zip(y, v, strict=True):
        sd = np.sqrt(variance + np.exp(2 * log_tau))
        step = stats.norm.isf(0.025) * np.sqrt(variance)
        seen = stats.norm.sf(step, mu, sd) + np.exp(log_delta) * stats.norm.cdf(step, mu, sd)
        weight = 0.0 if effect >= step else log_delta
        total -= stats.norm.logpdf(effect, mu, sd) + weight - np.log(seen)
    return total


@pytest.mark.parametrize("name", ["hackshaw1998", "bangertdrowns2004"])
def test_selection_model_is_the_maximum_of_its_likelihood(name):
    table = es(name)
    y, v = table["effect"].to_numpy(), table["variance"].to_numpy()
    found = vo.selection_model(table)
    at = np.array([found.estimate, 0.5 * np.log(found.tau2), np.log(found.weight)])
    best = -negative_log_likelihood(at, y, v)
    assert found.log_likelihood == pytest.approx(best, rel=1e-12)
    for i in range(3):  # a maximum: the slope is 0 and every step loses
        step = 1e-4 * np.eye(3)[i]
        up, down = (negative_log_likelihood(at + s * step, y, v) for s in (1, -1))
        assert abs(up - down) / 2e-4 < 1e-5
        assert min(up, down) > -best
    searched = optimize.minimize(
        negative_log_likelihood, at + np.array([0.1, 0.3, -0.4]), args=(y, v), method="BFGS"
    )
    assert -searched.fun == pytest.approx(best, abs=1e-6)
    free = vo.pool(table, method="ML")
    assert found.unadjusted_estimate == pytest.approx(free.estimate, rel=1e-9)


@pytest.mark.parametrize("test", TESTS)
def test_laws_of_the_tests(test):
    first = vo.small_study_effects(es(), test=test)
    swapped = vo.small_study_effects(es(sign=-1.0), test=test)
    shuffled = vo.small_study_effects(es().sample(frac=1, random_state=3), test=test)
    scaled = vo.small_study_effects(
        pd.DataFrame({"effect": 10 * es()["effect"], "variance": 100 * es()["variance"]}), test=test
    )
    assert swapped.statistic == pytest.approx(-first.statistic, rel=1e-9)
    assert shuffled.p_value == pytest.approx(first.p_value, rel=1e-9)
    assert scaled.p_value == pytest.approx(first.p_value, rel=1e-9)
    if test != "begg":
        assert swapped.limit == pytest.approx(-first.limit, rel=1e-9)
        assert scaled.limit == pytest.approx(10 * first.limit, rel=1e-9)


def test_laws_of_the_corrected_pools():
    for run in (vo.trim_and_fill, vo.selection_model):
        first, swapped = run(es()), run(es(sign=-1.0))
        shuffled = run(es().sample(frac=1, random_state=3))
        assert swapped.estimate == pytest.approx(-first.estimate, rel=1e-9)
        assert swapped.ci_low == pytest.approx(-first.ci_high, rel=1e-9)
        assert shuffled.estimate == pytest.approx(first.estimate, rel=1e-7)
    arms = ARMS.rename(
        columns={"events_t": "events_c", "n_t": "n_c", "events_c": "events_t", "n_c": "n_t"}
    )
    for test in ("harbord", "peters", "macaskill", "deeks"):
        turned = vo.small_study_effects(arms, test=test)
        assert turned.bias == pytest.approx(-vo.small_study_effects(ARMS, test=test).bias, rel=1e-9)


def test_trials_without_an_event_are_listed():
    table = pd.concat([ARMS, pd.DataFrame([{"events_t": 0, "n_t": 20, "events_c": 0, "n_c": 22}])])
    for test in ("harbord", "peters"):
        found = vo.small_study_effects(table, test=test)
        assert found.p_value == pytest.approx(vo.small_study_effects(ARMS, test=test).p_value)
        assert [gone.study for gone in found.excluded] == ["row 14"]


def test_few_studies_are_tested_with_a_warning():
    found = vo.small_study_effects(es()[:5])
    assert found.k == 5
    assert "little power" in found.notes[0]
    assert not [n for n in vo.small_study_effects(es()).notes if "power" in n]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: vo.small_study_effects(es()[:2]), "2 usable studies"),
        (lambda: vo.small_study_effects(es().assign(variance=0.1)), "same size"),
        (lambda: vo.small_study_effects(es().assign(variance=0.1), test="begg"), "same size"),
        (lambda: vo.small_study_effects(es(), test="harbord"), "columns events_t"),
        (lambda: vo.small_study_effects(es(), test="funnel"), "funnel"),
        (lambda: vo.small_study_effects(es(), test="begg", model="rma"), "rma"),
        (lambda: vo.small_study_effects(ARMS), "column effect"),
        (lambda: vo.small_study_effects(ARMS.assign(events_t=999999), test="peters"), "events_t"),
        (lambda: vo.small_study_effects(ARMS.to_numpy(), test="peters"), "ndarray"),
        (lambda: vo.small_study_effects(es().assign(effect=np.nan)), "0 usable"),
        (lambda: vo.trim_and_fill(es()[:2]), "2 usable studies"),
        (lambda: vo.trim_and_fill(es(), estimator="L1"), "L1"),
        (lambda: vo.trim_and_fill(es(), side="up"), "up"),
        (lambda: vo.selection_model(es()[:3]), "3 studies"),
        (lambda: vo.selection_model(es().assign(effect=9.0, variance=0.1)), "every study"),
        (lambda: vo.selection_model(es(), alpha=5), "5"),
        (lambda: vo.funnel_data(es().assign(effect=np.nan)), "no usable study"),
    ],
)
def test_what_is_refused(call, found):
    with pytest.raises(vo.InputError, match=found):
        call()


def test_funnel_contours_follow_the_p_value():
    frame = vo.funnel_data(es().assign(measure="RR"))
    z = (frame["effect"] / frame["se"]).abs()
    for label, low, high in (
        ("p >= 0.1", 0.0, 1.6448536), ("p < 0.1", 1.6448536, 1.959964), ("p < 0.05", 1.959964, 2.5758293),
        ("p < 0.01", 2.5758293, np.inf),
    ):  # fmt: skip
        assert ((frame["contour"] == label) == ((z >= low) & (z < high))).all()
    outside = (frame["effect"] < frame["p05_low"]) | (frame["effect"] > frame["p05_high"])
    assert (outside == (frame["p_value"] < 0.05)).all()
    assert frame["centre"].iloc[0] == pytest.approx(vo.pool(es(), method="EE").estimate)
    one_arm = vo.funnel_data(es().assign(measure="PLO"))
    assert one_arm["p10_low"].isna().all()
    assert one_arm["contour"].isna().all()


def test_results_show_themselves():
    table = es().assign(measure="RR")
    egger = vo.small_study_effects(table)
    assert str(egger).startswith(
        "Egger's test: bias −2.11 (−5.43 to 1.21), t = −1.40, df = 11, P = 0.19, 13 studies"
    )
    assert str(vo.small_study_effects(table, test="begg")).startswith(
        "Begg and Mazumdar's rank test"
    )
    pet = vo.small_study_effects(table, test="pet_peese")
    assert "corrected risk ratio" in str(pet)
    fill = vo.trim_and_fill(table)
    assert "1 study added on the right" in str(fill)
    assert fill.to_frame()["pool"].tolist() == ["unadjusted", "filled"]
    assert fill.studies["filled"].sum() == fill.k_added == 1
    selected = vo.selection_model(table)
    assert selected.alternative == "less"
    natural = selected.to_frame(scale="natural").iloc[0]
    assert natural["estimate"] == pytest.approx(np.exp(selected.estimate))
    for result in (egger, pet, fill, selected):
        assert "<table>" in result._repr_html_()
        axes = result.plot()
        assert axes.get_ylim()[1] == 0  # the largest study stands on top
        assert axes.get_xlabel() == "risk ratio"


@pytest.mark.parametrize("test", ["egger", "begg"])
def test_equal_effects_leave_nothing_to_test(test):
    table = pd.DataFrame({"effect": [0.3] * 5, "variance": [0.1, 0.2, 0.3, 0.4, 0.5]})
    found = vo.small_study_effects(table, test=test)
    assert np.isnan(found.p_value)
    assert "not defined" in found.notes[-1] or "no scatter" in found.notes[-1]
    if test == "egger":
        assert (found.bias, found.limit) == (0.0, pytest.approx(0.3))
    assert vo.trim_and_fill(table).k_added == 0
