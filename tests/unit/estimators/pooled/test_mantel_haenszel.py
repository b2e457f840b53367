"""Mantel-Haenszel and Peto against other software and against their algebra written out."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from meta_analyze import meta_binary
from statsmodels.stats.contingency_tables import StratifiedTable

from vertebro_outcomes.estimators.pooled.mantel_haenszel import (
    corrected,
    fit_mantel_haenszel,
    fit_mantel_haenszel_revman,
    without_information,
)
from vertebro_outcomes.estimators.pooled.mantel_haenszel_random import (
    fit_around_centre,
    study_effects_revman,
)
from vertebro_outcomes.estimators.pooled.mantel_haenszel_tests import (
    association_test,
    common_odds_ratio_test,
    rate_association_test,
)
from vertebro_outcomes.estimators.pooled.peto import fit_peto, fit_peto_from_sums

REFERENCE = json.loads(
    (Path(__file__).parents[3] / "reference" / "counts.json").read_text(encoding="utf-8")
)
SEVERAL = [n for n, r in REFERENCE["two_by_two"].items() if len(r["data"]) > 1]
SPARSE = REFERENCE["two_by_two"]["sparse"]["data"]


def cells(name):
    data = pd.DataFrame(REFERENCE["two_by_two"][name]["data"]).astype(
        dict.fromkeys(("events_t", "n_t", "events_c", "n_c"), float)
    )
    a, n1, c, n2 = (data[x].to_numpy() for x in ("events_t", "n_t", "events_c", "n_c"))
    return a, n1 - a, c, n2 - c


@pytest.mark.parametrize("name", SEVERAL)
def test_odds_ratio_equals_statsmodels(name):
    a, b, c, d = cells(name)
    other = StratifiedTable([np.array(t).reshape(2, 2) for t in zip(a, b, c, d, strict=True)])
    fit = fit_mantel_haenszel((a, b, c, d), measure="OR")
    assert fit.estimate == pytest.approx(other.logodds_pooled, rel=1e-12)
    assert fit.se == pytest.approx(other.logodds_pooled_se, rel=1e-12)


@pytest.mark.parametrize("scope", ["none", "only_zero_studies"])
@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize("name", SEVERAL)
def test_sums_equal_another_package(name, measure, scope):
    """The other package also leaves out, for RR, a study with nothing but events."""
    table = cells(name)
    kept = ~without_information(table, measure="OR" if measure == "RR" else measure)
    a, b, c, d = (cell[kept] for cell in table)
    other = meta_binary(
        pd.DataFrame({"a": a, "n1": a + b, "c": c, "n2": c + d}),
        event_treat="a", n_treat="n1", event_control="c", n_control="n2",
        measure=measure, method="MH",
        mh_continuity_correction=0.5 if scope != "none" else 0.0, mh_correction_scope=scope,
    )  # fmt: skip
    add_to = "none" if scope == "none" else "only_zero"
    fit = fit_mantel_haenszel((a, b, c, d), measure=measure, add_to=add_to)
    assert fit.estimate == pytest.approx(other.estimate, rel=1e-11, abs=1e-14)
    assert fit.se == pytest.approx(other.standard_error, rel=1e-11)


def test_revman_ratios_written_out():
    """0/50 v 2/52 and 0/60 v 1/61 become 0.5/51 v 2.5/53 and 0.5/61 v 1.5/62; 0/80 v 0/82 is out."""
    rows = [(0.5, 51, 2.5, 53), (1, 100, 3, 98), (3, 120, 5, 119), (0.5, 61, 1.5, 62)]
    r = sum(a * n2 / (n1 + n2) for a, n1, c, n2 in rows)
    s = sum(c * n1 / (n1 + n2) for a, n1, c, n2 in rows)
    p = sum((n1 * n2 * (a + c) - a * c * (n1 + n2)) / (n1 + n2) ** 2 for a, n1, c, n2 in rows)
    fit = fit_mantel_haenszel_revman(cells("sparse"), measure="RR")
    assert fit.estimate == pytest.approx(math.log(r / s), rel=1e-13)
    assert fit.se == pytest.approx(math.sqrt(p / (r * s)), rel=1e-13)
    assert fit.weights[2] == 0
    odds = fit_mantel_haenszel_revman(cells("sparse"), measure="OR")
    u = sum(a * (n2 - c) / (n1 + n2) for a, n1, c, n2 in rows)
    v = sum((n1 - a) * c / (n1 + n2) for a, n1, c, n2 in rows)
    assert odds.estimate == pytest.approx(math.log(u / v), rel=1e-13)


def test_revman_risk_difference_written_out():
    """Estimate and denominator from the counts, numerator of the variance from corrected cells."""
    plain = [(0, 50, 2, 52), (1, 100, 3, 98), (0, 80, 0, 82), (3, 120, 5, 119), (0, 60, 1, 61)]
    filled = [(0.5, 51, 2.5, 53), plain[1], (0.5, 81, 0.5, 83), plain[3], (0.5, 61, 1.5, 62)]
    weight = [n1 * n2 / (n1 + n2) for _, n1, _, n2 in plain]
    delta = sum(w * (a / n1 - c / n2) for w, (a, n1, c, n2) in zip(weight, plain, strict=True))
    top = sum(
        (a * (n1 - a) * n2**3 + c * (n2 - c) * n1**3) / (n1 * n2 * (n1 + n2) ** 2)
        for a, n1, c, n2 in filled
    )
    fit = fit_mantel_haenszel_revman(cells("sparse"), measure="RD")
    assert fit.estimate == pytest.approx(delta / sum(weight), rel=1e-13)
    assert fit.se == pytest.approx(math.sqrt(top) / sum(weight), rel=1e-13)


def test_revman_risk_difference_of_one_study_has_the_studys_own_error():
    one = tuple(np.array([float(x)]) for x in (0, 50, 2, 50))
    fit = fit_mantel_haenszel_revman(one, measure="RD")
    assert fit.estimate == pytest.approx(-2 / 52, rel=1e-13)
    own = 0.5 * 50.5 / 51**3 + 2.5 * 50.5 / 53**3
    assert fit.se == pytest.approx(math.sqrt(own), rel=1e-13)


def test_revman_keeps_a_study_with_nothing_but_events_for_the_risk_ratio_only():
    table = cells("all_events")
    assert without_information(table, measure="OR").tolist() == [True, False, False, False]
    assert not without_information(table, measure="RR").any()
    y, v, kept = study_effects_revman(table, measure="RR")
    assert kept.all()
    assert y[0] == pytest.approx(math.log(12.5 / 13) - math.log(14.5 / 15), rel=1e-13)
    assert v[0] == pytest.approx(1 / 12.5 - 1 / 13 + 1 / 14.5 - 1 / 15, rel=1e-12)


def test_random_effects_around_a_centre_written_out():
    y, v = np.array([0.4, -0.1, 0.9, np.nan]), np.array([0.04, 0.09, 0.05, np.nan])
    fit = fit_around_centre(y, v, centre=0.5)
    q = 0.01 / 0.04 + 0.36 / 0.09 + 0.16 / 0.05
    w = [1 / 0.04, 1 / 0.09, 1 / 0.05]
    tau2 = (q - 2) / (sum(w) - sum(x * x for x in w) / sum(w))
    star = [1 / (0.04 + tau2), 1 / (0.09 + tau2), 1 / (0.05 + tau2)]
    mean = (0.4 * star[0] - 0.1 * star[1] + 0.9 * star[2]) / sum(star)
    assert (fit.q, fit.df) == (pytest.approx(q), 2)
    assert fit.tau2 == pytest.approx(tau2, rel=1e-13)
    assert fit.estimate == pytest.approx(mean, rel=1e-13)
    assert fit.se == pytest.approx(sum(star) ** -0.5, rel=1e-13)
    assert fit.weights[3] == 0


@pytest.mark.parametrize("name", SEVERAL)
def test_association_tests_equal_r(name):
    record, table = REFERENCE["two_by_two"][name], cells(name)
    expected = record["mantelhaen"]
    assert association_test(table).statistic == pytest.approx(expected["statistic"], rel=1e-9)
    plain = association_test(table, continuity=False)
    assert plain.statistic == pytest.approx(expected["uncorrected"], rel=1e-9)
    odds_ratio = math.exp(fit_mantel_haenszel(table, measure="OR").estimate)
    expected = record["mantel_haenszel"]["OR"]
    for tarone, word in ((True, "tarone"), (False, "breslow_day")):
        found = common_odds_ratio_test(table, odds_ratio=odds_ratio, tarone=tarone)
        assert found.statistic == pytest.approx(expected[word], rel=1e-8, abs=1e-12)
        assert found.df == expected["k_q"] - 1


@pytest.mark.parametrize("name", REFERENCE["rates"])
def test_rate_association_equals_metafor(name):
    data = pd.DataFrame(REFERENCE["rates"][name]["data"])
    x = [data[c].to_numpy(float) for c in ("events_t", "time_t", "events_c", "time_c")]
    expected = REFERENCE["rates"][name]["mantel_haenszel"]["IRR"]["cmh"]
    assert rate_association_test(*x).statistic == pytest.approx(expected, rel=1e-9)


def test_corrections_reach_the_studies_they_name():
    table = cells("sparse")
    assert corrected(table, add_to="none") is table
    assert (corrected(table, add_to="only_zero")[0] - table[0]).tolist() == [0.5, 0, 0.5, 0, 0.5]
    assert (corrected(table, add=0.1, add_to="all")[3] - table[3]) == pytest.approx([0.1] * 5)


def test_peto_from_sums_written_out():
    fit = fit_peto_from_sums(np.array([-2.0, 1.0, 0.0]), np.array([4.0, 3.0, 0.0]))
    assert fit.estimate == pytest.approx(-1 / 7)
    assert fit.se == pytest.approx(7**-0.5)
    assert fit.q == pytest.approx(4 / 4 + 1 / 3 - 1 / 7)
    assert fit.df == 1
    assert math.isnan(fit_peto(tuple(np.array([x]) for x in (0.0, 5.0, 0.0, 6.0))).estimate)
