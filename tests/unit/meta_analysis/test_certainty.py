"""Summary-of-findings rows: absolute effects by the Cochrane Handbook's formulas, and their laws."""

import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.absolute_effect import (
    overlapping_share,
    risk_with_treatment,
    sample_size_two_means,
    sample_size_two_risks,
)


def pooled(effects, variances=None, measure="RR", **options):
    variances = [0.04] * len(effects) if variances is None else variances
    es = pd.DataFrame({"effect": effects, "variance": variances, "measure": measure})
    return vo.pool(es, method="DL", **options)


@pytest.mark.parametrize(
    ("measure", "relative", "fewer"), [("RR", 0.92, "24"), ("OR", 0.73, "62"), ("PETO", 0.73, "62")]
)
def test_fewer_per_1000_by_the_formulas_of_the_cochrane_handbook(measure, relative, fewer):
    """By hand: 1000 * 0.3 * (1 - 0.92) = 24; odds 0.3/0.7 * 0.73 = 0.3129, 1000 * (0.3 - 0.2383) = 62."""
    fit = pooled([math.log(relative)], measure=measure)
    row = vo.summary_of_findings({"death": fit}, baseline_risk=0.3).to_frame().iloc[0]
    assert f"{-row['difference_per_1000']:.0f}" == fewer


@pytest.mark.parametrize("baseline", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("relative", [0.2, 1.0, 1.1])
def test_absolute_effects_return_to_the_relative_effect(baseline, relative):
    at = {
        name: float(risk_with_treatment(np.array(relative), baseline=baseline, measure=name))
        for name in ("RR", "OR", "HR")
    }
    assert at["RR"] / baseline == pytest.approx(relative, rel=1e-12)
    odds = (at["OR"] / (1 - at["OR"])) / (baseline / (1 - baseline))
    assert odds == pytest.approx(relative, rel=1e-12)
    assert math.log(1 - at["HR"]) / math.log(1 - baseline) == pytest.approx(relative, rel=1e-12)


def test_risks_stay_between_0_and_1_and_differences_are_added():
    assert risk_with_treatment(np.array([8.0]), baseline=0.4, measure="RR").tolist() == [1.0]
    assert risk_with_treatment(np.array([-0.1, 0.2]), baseline=0.05, measure="RD") == pytest.approx(
        [0, 0.25]
    )
    assert np.isnan(risk_with_treatment(np.array([1.0]), baseline=0.4, measure="SMD")).all()


def test_sample_sizes_against_statsmodels():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.stats.power import NormalIndPower
    per_arm = NormalIndPower().solve_power(effect_size=0.2, alpha=0.05, power=0.8)
    assert sample_size_two_means(0.2, sd=1.0, alpha=0.05, power=0.8) == 2 * math.ceil(per_arm)
    per_arm = sample_size_two_risks(0.2, 0.3, alpha=0.05, power=0.8) / 2

    def power(n):
        error, pooled_error = math.sqrt((0.16 + 0.21) / n), math.sqrt(2 * 0.25 * 0.75 / n)
        return stats.norm.sf((stats.norm.isf(0.025) * pooled_error - 0.1) / error)

    assert power(per_arm) >= 0.8 > power(per_arm - 1)
    assert math.isnan(sample_size_two_risks(0.2, 0.2, alpha=0.05, power=0.8))
    assert math.isnan(sample_size_two_means(0.0, sd=1.0, alpha=0.05, power=0.8))


def test_overlap_by_pairs():
    rng = np.random.default_rng(2)
    low = rng.normal(size=12)
    high = low + rng.uniform(0.1, 1.0, 12)
    pairs = list(itertools.combinations(range(12), 2))
    together = sum(low[i] <= high[j] and low[j] <= high[i] for i, j in pairs)
    assert overlapping_share(low, high) == pytest.approx(together / len(pairs), rel=1e-12)
    assert math.isnan(overlapping_share(low[:1], high[:1]))


def test_egger_by_ordinary_least_squares_of_the_standard_normal_deviates():
    y, se = np.array([0.9, 0.7, 0.3, 0.35, 0.2]), np.array([0.5, 0.4, 0.2, 0.15, 0.1])
    fit = pooled(y, se**2)
    found = vo.summary_of_findings({"x": fit}).to_frame()["egger_p_value"].iloc[0]
    import statsmodels.api as sm

    line = sm.OLS(y / se, sm.add_constant(1 / se)).fit()
    assert found == pytest.approx(line.pvalues[0], rel=1e-9)


def test_the_numbers_behind_each_domain():
    fit = pooled([-0.5, -0.3, -0.9, 0.2], [0.02, 0.03, 0.02, 0.05])
    row = vo.summary_of_findings(
        {"fracture": fit}, baseline_risk={"fracture": 0.2}, participants=900, mcid={"fracture": 20}
    ).to_frame().iloc[0]  # fmt: skip
    assert row["estimate"] == pytest.approx(math.exp(fit.estimate))
    assert row["difference_low_per_1000"] == pytest.approx(200 * (math.exp(fit.ci_low) - 1))
    assert row["difference_high_per_1000"] == pytest.approx(200 * (math.exp(fit.ci_high) - 1))
    assert row["i2_pct"] == fit.i2_pct
    assert row["prediction_low"] == pytest.approx(math.exp(fit.prediction_low))
    assert row["optimal_information_size"] == sample_size_two_risks(
        0.15, 0.2, alpha=0.05, power=0.8
    )
    assert not row["reaches_optimal_size"]
    assert row["ci_crosses_no_effect"] == (fit.ci_low < 0 < fit.ci_high)
    assert row["ci_crosses_mcid"] == (
        row["difference_low_per_1000"] < -20 < row["difference_high_per_1000"]
    )
    assert row["prediction_crosses_no_effect"] == (fit.prediction_low < 0 < fit.prediction_high)


def test_means_have_no_absolute_risk_but_an_information_size():
    fits = {
        "pain": pooled([-1.0, -0.8], measure="MD"),
        "function": pooled([0.2, 0.4], measure="SMD"),
    }
    frame = vo.summary_of_findings(fits, mcid={"pain": 1.5}, sd={"pain": 2.5}).to_frame()
    assert frame["difference_per_1000"].isna().all()
    assert frame["optimal_information_size"].tolist() == [
        sample_size_two_means(1.5, sd=2.5, alpha=0.05, power=0.8), 786.0,
    ]  # fmt: skip
    assert frame["ci_crosses_mcid"].tolist() == [False, None]
    assert frame["reaches_optimal_size"].tolist() == [None, None]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baseline_risk": 20}, "proportions"),
        ({"baseline_risk": {"other": 0.2}}, "other"),
        ({"baseline_risk": {"death": "high"}}, "numbers"),
    ],
)
def test_refusals(options, words):
    with pytest.raises(vo.InputError, match=words):
        vo.summary_of_findings({"death": pooled([0.1])}, **options)


@pytest.mark.parametrize("fits", [{}, [1], {"death": 3}])
def test_only_pooled_effects(fits):
    with pytest.raises(vo.InputError, match="fits"):
        vo.summary_of_findings(fits)


def test_it_shows_itself():
    sof = vo.summary_of_findings(
        {"death": pooled([-0.1, -0.2]), "pain": pooled([1.0], measure="MD")},
        baseline_risk={"death": 0.1},
    )
    assert "death: RR 0.86" in str(sof)
    assert "from a baseline of 100 per 1000" in str(sof)
    assert sof.assumptions == ("RR: the risk ratio holds at the stated baseline risk.",)
    assert "<table>" in sof._repr_html_()
    assert sof.plot() is not None
