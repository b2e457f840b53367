"""What must hold for pooled counts, whatever the data; and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

import vertebro_outcomes as vo

RECIPES = [
    *((m, "mantel_haenszel", None, e) for m in ("OR", "RR", "RD") for e in ("common", "random")),
    ("PETO", "peto", None, None),
    *(("OR", "glmm", model, None) for model in ("UM.FS", "UM.RS", "CM.EL", "CM.AL")),
    *((m, "beta_binomial", None, None) for m in ("OR", "RR", "RD")),
    ("OR", "firth", None, None),
]
TRIALS = pd.DataFrame(
    [("A", 4, 60, 9, 58), ("B", 12, 100, 10, 103), ("C", 0, 40, 3, 41), ("D", 7, 90, 20, 88)],
    columns=["study", "events_t", "n_t", "events_c", "n_c"],
)
RATES = pd.DataFrame(
    [(4, 410.0, 9, 395.0), (12, 900.5, 10, 880.0), (0, 120.0, 3, 130.0), (7, 700.0, 20, 640.0)],
    columns=["events_t", "time_t", "events_c", "time_c"],
)
SILENT = pd.DataFrame([("Z", 0, 30, 0, 31)], columns=TRIALS.columns)


def pooled(table, recipe, **more):
    measure, method, model, effects = recipe
    return vo.pool_counts(
        table, measure=measure, method=method, model=model, effects=effects, **more
    )


def swapped(table):
    turn = {c: c[:-1] + ("c" if c.endswith("t") else "t") for c in table if c[-2:] in ("_t", "_c")}
    return table.rename(columns=turn)


def test_every_method_has_a_recipe():
    assert {r[1] for r in RECIPES} == {"mantel_haenszel", "peto", "glmm", "beta_binomial", "firth"}
    assert len(RECIPES) == 15


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("dialect", ["metafor", "revman5"])
def test_swapping_arms_flips_the_sign(recipe, dialect):
    one, other = (
        pooled(TRIALS, recipe, dialect=dialect),
        pooled(swapped(TRIALS), recipe, dialect=dialect),
    )
    assert other.estimate == pytest.approx(-one.estimate, abs=1e-8)
    assert other.se == pytest.approx(one.se, abs=1e-7)
    assert other.tau2 == pytest.approx(one.tau2, abs=1e-7, nan_ok=True)
    if recipe[2] != "UM.RS":  # its Q compares with random intercepts of the comparator arms
        assert other.q == pytest.approx(one.q, abs=1e-8, nan_ok=True)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_order_of_studies_changes_nothing(recipe):
    one, other = pooled(TRIALS, recipe), pooled(TRIALS.iloc[[2, 0, 3, 1]], recipe)
    assert other.estimate == pytest.approx(one.estimate, abs=1e-9)
    assert other.se == pytest.approx(one.se, abs=1e-8)
    assert other.labels == ("C", "A", "D", "B")


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_study_without_events_is_listed_or_kept(recipe):
    one, other = pooled(TRIALS, recipe), pooled(pd.concat([TRIALS, SILENT]), recipe)
    if recipe[0] == "RD" or recipe[1] == "beta_binomial":
        assert other.excluded == ()
        assert other.k == 5
    else:
        assert [x.study for x in other.excluded] == ["Z"]
        assert "no event in either arm" in other.excluded[0].reason
        assert other.estimate == pytest.approx(one.estimate, abs=1e-12)
        assert other.k == 4


def test_a_larger_unit_of_time_scales_the_rate_difference_only():
    years = RATES.assign(time_t=RATES.time_t / 10, time_c=RATES.time_c / 10)
    for model in ("UM.FS", "UM.RS", "CM.EL"):
        one = vo.pool_counts(RATES, measure="IRR", method="glmm", model=model)
        other = vo.pool_counts(years, measure="IRR", method="glmm", model=model)
        assert other.estimate == pytest.approx(one.estimate, abs=1e-8)
    one, other = (vo.pool_counts(t, measure="IRD") for t in (RATES, years))
    assert other.estimate == pytest.approx(10 * one.estimate, rel=1e-12)
    assert other.se == pytest.approx(10 * one.se, rel=1e-12)
    assert vo.pool_counts(years, measure="IRR").estimate == pytest.approx(
        vo.pool_counts(RATES, measure="IRR").estimate, rel=1e-12
    )


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(1, 60), st.integers(1, 30), st.integers(1, 60)),
        min_size=1,
        max_size=6,
    )
)
def test_events_and_non_events_exchanged_flip_the_odds_ratio(rows):
    a, b, c, d = np.array(rows).T
    table = pd.DataFrame({"events_t": a, "n_t": a + b, "events_c": c, "n_c": c + d})
    other = table.assign(events_t=b, events_c=d)
    for method, model in (("mantel_haenszel", None), ("glmm", "UM.FS"), ("glmm", "CM.EL")):
        one, two = (
            vo.pool_counts(t, measure="OR", method=method, model=model) for t in (table, other)
        )
        assert two.estimate == pytest.approx(-one.estimate, abs=1e-6)
        assert two.se == pytest.approx(one.se, abs=1e-6)


def test_one_study_is_returned_as_it_is():
    one = TRIALS.iloc[[3]]
    a, b, c, d = 7, 83, 20, 68
    for method in ("mantel_haenszel", "glmm"):
        fit = vo.pool_counts(one, measure="OR", method=method)
        assert fit.estimate == pytest.approx(math.log(a * d / (b * c)), abs=1e-9)
        assert fit.se == pytest.approx(math.sqrt(1 / a + 1 / b + 1 / c + 1 / d), abs=1e-7)
        assert (fit.tau2, fit.q_df) == (0, 0)
        assert any("One study only" in note for note in fit.notes)
    exact = vo.pool_counts(one, measure="OR", method="glmm", model="CM.EL")
    fisher = stats.contingency.odds_ratio([[a, b], [c, d]], kind="conditional").statistic
    assert exact.estimate == pytest.approx(math.log(fisher), abs=1e-8)


def test_equal_effects_give_no_heterogeneity():
    same = pd.DataFrame({"events_t": [10, 20, 40], "n_t": [100, 200, 400]}).assign(
        events_c=[20, 40, 80], n_c=[100, 200, 400]
    )
    for model in ("UM.FS", "UM.RS", "CM.EL", "CM.AL"):
        fit = vo.pool_counts(same, measure="OR", method="glmm", model=model)
        assert fit.tau2 == 0
        assert not any("did not end" in note for note in fit.notes)
    assert vo.pool_counts(same, measure="RR").estimate == pytest.approx(math.log(0.5))


def test_the_logit_normal_mean_maximises_the_likelihood():
    """Any small move away from the estimate lowers the likelihood integrated by scipy."""
    x, n = np.array([1, 4, 0, 9, 3]), np.array([30, 41, 25, 60, 52])
    table = pd.DataFrame({"events": x, "n": n})
    fit = vo.pool_counts(table, measure="PLO", method="glmm", quadrature_points=51)

    def log_likelihood(mu, tau):
        total = 0.0
        for xi, ni in zip(x, n, strict=True):
            value = integrate.quad(
                lambda u, xi=xi, ni=ni: stats.binom.pmf(xi, ni, 1 / (1 + np.exp(-mu - tau * u)))
                * stats.norm.pdf(u), -9, 9, epsabs=1e-14, epsrel=1e-12,
            )[0]  # fmt: skip
            total += math.log(value)
        return total

    tau, h = math.sqrt(fit.tau2), 1e-3
    top = log_likelihood(fit.estimate, tau)
    for move in ((h, 0), (-h, 0), (0, h), (0, -h)):
        assert log_likelihood(fit.estimate + move[0], tau + move[1]) < top
    slope = (log_likelihood(fit.estimate + h, tau) - log_likelihood(fit.estimate - h, tau)) / (
        2 * h
    )
    assert slope == pytest.approx(0, abs=1e-4)


def test_interval_prediction_and_texts():
    fit = vo.pool_counts(TRIALS, measure="OR", method="glmm", level=0.9)
    z = stats.norm.isf(0.05)
    assert fit.ci_high - fit.ci_low == pytest.approx(2 * z * fit.se)
    reach = z * math.sqrt(fit.tau2 + fit.se**2)
    assert fit.prediction_high == pytest.approx(fit.estimate + reach)
    assert "odds ratio" in str(fit)
    assert fit.to_frame(scale="natural").estimate.item() == pytest.approx(math.exp(fit.estimate))
    random = pooled(TRIALS, ("RR", "mantel_haenszel", None, "random"), dialect="meta8")
    t = stats.t.isf(0.025, 3)
    assert random.prediction_high - random.estimate == pytest.approx(
        t * math.sqrt(random.tau2 + random.se**2)
    )
    assert math.isnan(vo.pool_counts(TRIALS, measure="RR").prediction_low)
    assert vo.pool_counts(TRIALS, measure="RR").weights_pct.sum() == pytest.approx(100)


def test_peto_may_be_asked_for_as_an_odds_ratio():
    fit = vo.pool_counts(TRIALS, measure="OR", method="peto")
    assert fit.measure == "PETO"
    assert vo.pool_counts(TRIALS, measure="PETO").estimate == fit.estimate
    one_arm = pd.DataFrame({"events": [3, 5, 9], "n": [30, 41, 66]})
    assert vo.pool_counts(one_arm, measure="PLO").method == "glmm"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events_t": [61, 12, 0, 7]}, "more events than n_t"),
        ({"events_c": [9, -1, 3, 20]}, "negative count"),
        ({"events_t": [4.5, 12, 0, 7]}, "not whole"),
        ({"n_t": [60, 0, 40, 90]}, "below 1"),
        ({"events_t": ["4", "x", "0", "7"]}, "text that is no number"),
        ({"events_t": 0, "events_c": 0}, "none with information"),
        ({"events_t": np.nan}, "none with information"),
        ({"events_t": 0}, "infinite"),
    ],
)
@pytest.mark.parametrize("method", ["mantel_haenszel", "glmm"])
def test_impossible_counts_are_refused(change, words, method):
    with pytest.raises(vo.InputError, match=words):
        vo.pool_counts(TRIALS.assign(**change), measure="OR", method=method)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"measure": "MD"}, "OR, RR, RD, IRR, IRD"),
        ({"measure": "RR", "method": "glmm"}, "OR, IRR, PLO"),
        ({"measure": "OR", "method": "exact"}, "mantel_haenszel, peto"),
        ({"measure": "OR", "method": "glmm", "model": "CM.XX"}, "UM.FS"),
        ({"measure": "OR", "model": "UM.FS"}, "none for measure OR"),
        ({"measure": "PETO", "method": "peto", "effects": "random"}, "common"),
        ({"measure": "OR", "level": 95}, "between 0 and 1"),
        ({"measure": "OR", "dialect": "stata"}, "metafor"),
        ({"measure": "OR", "method": "glmm", "quadrature_points": 0}, "1 to 101"),
        ({"measure": "IRR"}, "time_t"),
    ],
)
def test_impossible_requests_are_refused(arguments, words):
    with pytest.raises(vo.InputError, match=words):
        vo.pool_counts(TRIALS, **arguments)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_an_arm_without_any_event_has_no_beta_binomial(measure):
    with pytest.raises(vo.InputError, match="infinite"):
        vo.pool_counts(TRIALS.assign(events_t=0), measure=measure, method="beta_binomial")


@pytest.mark.parametrize("model", ["CM.EL", "CM.AL"])
def test_a_likelihood_without_a_maximum_is_refused(model):
    """Each study has an empty cell, on either side: the likelihood rises with tau² for ever."""
    rows = [(1, 124, 0, 183), (0, 442, 3, 289)]
    table = pd.DataFrame(rows, columns=TRIALS.columns[1:])
    with pytest.raises(vo.InputError, match="has no maximum"):
        vo.pool_counts(table, measure="OR", method="glmm", model=model)


def test_a_flat_start_does_not_stop_the_search():
    """The first step from these counts is long in one study's intercept only."""
    table = pd.DataFrame(
        [(6, 20, 12, 377), (11, 19, 42, 260), (1, 9, 33, 401), (0, 13, 7, 100), (2, 11, 4, 62)],
        columns=TRIALS.columns[1:],
    )
    fit = vo.pool_counts(table, measure="OR", method="glmm")
    assert not any("did not end" in note for note in fit.notes)
    assert fit.estimate == pytest.approx(1.55732521, abs=1e-8)  # lme4::glmer, nAGQ = 7
    assert fit.tau2 == 0


def test_no_event_at_all_has_no_risk_difference_without_a_correction():
    none = TRIALS.assign(events_t=0, events_c=0)
    with pytest.raises(vo.InputError, match="no standard error"):
        vo.pool_counts(none, measure="RD")
    fit = vo.pool_counts(none, measure="RD", dialect="revman5")
    assert fit.estimate == 0
    assert fit.se > 0


def test_rows_with_a_gap_are_listed_and_the_rest_is_pooled():
    gap = pd.concat([TRIALS, SILENT.assign(study="G", n_c=np.nan)])
    fit = vo.pool_counts(gap, measure="RR")
    assert [(x.study, x.reason) for x in fit.excluded] == [("G", "missing: n_c")]
    assert fit.estimate == vo.pool_counts(TRIALS, measure="RR").estimate


def test_zero_cells_are_named():
    fit = vo.pool_counts(TRIALS, measure="RR", dialect="revman5")
    assert any("Zero cell: C." in note and "pooled sums" in note for note in fit.notes)
