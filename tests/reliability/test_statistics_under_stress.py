"""Degenerate data get a result that holds together or one of our messages, from every public call.

The usual run takes each call through a part of the data, another part for each variant;
`pytest -m slow` takes every variant through all.
"""

import inspect
from collections import Counter
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vertebro_outcomes as vo
from tests.reliability.stress.honest import ANSWERED, complaints, outcome_of
from tests.reliability.stress.studies import EFFECTS, SPREAD, STRESS, effects_table
from tests.reliability.tally import tally

ALL = {
    f"{name} of {kind}": (variants, data)
    for kind, calls, data in STRESS
    for name, variants in calls.items()
}


def test_every_public_synthesis_is_put_under_stress():
    public = {name for name, home in vo._HOME_OF.items() if home.startswith("meta_analysis.")}
    of_tables = {
        name
        for name in public
        if inspect.isfunction(getattr(vo, name))
        and {"es", "table", "contrasts", "fits"}
        & set(inspect.signature(getattr(vo, name)).parameters)
    }
    assert len(of_tables) > 15
    assert of_tables <= set(chain.from_iterable(calls for _, calls, _ in STRESS))


def run(variants, data, *, part: int) -> Counter:
    """Every `part`-th pair of variant and table (the first variant meets all tables)."""
    found = Counter()
    for place, (label, call) in enumerate(variants.items()):
        for number, (what, table) in enumerate(data.items()):
            if place and (place + number) % part:
                continue
            try:
                found[outcome_of(call, table.copy())] += 1
            except BaseException as error:
                error.add_note(f"{label}, {what}")
                raise
    return found


@pytest.mark.parametrize("name", ALL)
def test_degenerate_studies(name):
    found = run(*ALL[name], part=7)
    assert found.total() >= 12
    assert found[ANSWERED]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_degenerate_studies_in_every_variant(name):
    found = run(*ALL[name], part=1)
    tally("statistics under stress", name, inputs=found.total(), answered=found[ANSWERED])


NUMBERS = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-12, 1e12, -1e-300, np.nan, np.inf, 0.5])
)
SPREADS = st.one_of(
    st.floats(1e-12, 1e12), st.sampled_from([0.0, -1.0, 1e-12, 1e-300, 1e300, np.nan, np.inf])
)


@given(st.lists(st.tuples(NUMBERS, SPREADS), max_size=6), st.sampled_from(["DL", "REML", "PM", "SJ"]),
       st.sampled_from(["wald", "hksj", "hksj_adhoc"]))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_effects_pool_or_are_refused(studies, method, ci):
    es = effects_table([y for y, _ in studies], [v for _, v in studies])
    outcome_of(lambda es: vo.pool(es, method=method, ci=ci), es)


COUNT = st.one_of(st.integers(0, 40), st.sampled_from([0, 1, 10**9]))


@given(st.lists(st.tuples(COUNT, COUNT, COUNT, COUNT), max_size=4), st.sampled_from(["OR", "RR", "RD"]),
       st.sampled_from(["metafor", "revman5"]))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_any_counts_pool_or_are_refused(cells, measure, dialect):
    table = pd.DataFrame(cells, columns=["events_t", "n_t", "events_c", "n_c"])
    outcome_of(lambda t: vo.pool_counts(t, measure=measure, dialect=dialect), table)
    outcome_of(lambda t: vo.effect_sizes(t, measure=measure, dialect=dialect), table)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"estimate": 1.0, "ci_low": 2.0, "ci_high": 3.0}, "excludes"),
        ({"estimate": np.nan, "ci_low": 2.0, "ci_high": 3.0}, "without an estimate"),
        ({"estimate": 1.0, "ci_low": 1.0, "ci_high": 1.0, "se": 0.0}, "certainty"),
        ({"estimate": 1.0, "se": -0.1}, "negative"),
        ({"estimate": np.inf}, "infinite"),
        ({"p_value": 1.1}, "p_value outside"),
    ],
)
def test_the_judge_sees_a_dishonest_answer(row, word):
    assert any(word in complaint for complaint in complaints(pd.DataFrame([row]), ""))


def es_of(name: str) -> pd.DataFrame:
    return EFFECTS[name].copy()


def test_more_patients_at_risk_than_a_registry_has_are_a_slip_of_a_digit():
    """Each would become a row."""
    curve = pd.DataFrame({"time": [0, 10], "survival": [1.0, 0.5]})
    numbers = pd.DataFrame({"time": [0], "n_at_risk": [10**9]})
    with pytest.raises(vo.InputError, match="1000000000 patients; allowed: at most 1000000"):
        vo.reconstruct_survival(curve, numbers)


def test_no_spread_at_all_is_not_passed_off_as_certainty():
    fit = vo.pool(es_of("the same effect"), ci="hksj")
    assert fit.ci_high - fit.ci_low < 1e-12
    assert "no certainty" in fit._repr_html_()
    assert "no certainty" in vo.leave_one_out(es_of("the same effect"), ci="hksj")._repr_html_()


def test_numbers_beyond_double_precision_are_refused_with_their_study():
    for es in (es_of("variances at the end of doubles"), effects_table([1e60, 0.0], [1.0, 1.0])):
        with pytest.raises(vo.InputError, match=r"in S0.*1e-50 to 1e50"):
            vo.pool(es)
    with pytest.raises(vo.InputError, match=r"rows 0.*1e-50 to 1e50"):
        vo.pool_many([[1.0, 1e60]], [[1.0, 1.0]])
    with pytest.raises(vo.InputError, match="k >= 1"):
        vo.pool_many(np.zeros((1, 0)), np.zeros((1, 0)))


def test_an_overwhelming_weight_does_not_swallow_the_other():
    """With two studies DerSimonian-Laird is ((y1 - y2)² - v1 - v2) / 2."""
    es = effects_table([0.0, 129.0], [16384.0, 1e-12])
    fit = vo.pool(es, method="DL")
    assert fit.tau2 == pytest.approx((129.0**2 - 16384.0) / 2, rel=1e-12)
    assert fit.i2_pct == pytest.approx(100 * (1 - 16384.0 / 129.0**2), rel=1e-9)


def test_a_covariance_that_cannot_be_inverted_is_told():
    es = effects_table([1e6, -1e6, 2e6, 0.0, 1.0], [1e-50, 1e50, 1e-50, 1.0, 1.0])
    with pytest.raises(vo.InputError, match="orders of magnitude"):
        vo.pool_multilevel(es, cluster="group")
    with pytest.raises(vo.InputError, match="too far from the priors"):
        vo.pool_bayes(effects_table([1e50, -1e50], [1e-50, 1e50]))


def test_too_many_tables_to_sum_over_name_another_model():
    table = STRESS[1][2]["huge counts"]
    with pytest.raises(vo.InputError, match=r"UM\.FS"):
        vo.pool_counts(table, measure="OR", method="glmm", model="CM.EL")


def test_an_undefined_influence_is_said():
    found = vo.influence(es_of("all zero"), ci="hksj")
    assert "Cook's distance is undefined" in str(found)


def test_two_subgroups_of_one_study_share_no_heterogeneity():
    found = vo.subgroups(es_of("two studies"), by="group", common_tau2=True)
    assert found["g0"].tau2 == 0.0
    assert found["g0"].i2_pct == 0.0


def test_an_effect_that_cannot_be_read_back_has_no_absolute_risk():
    fit = vo.pool(effects_table([1e4] * 3, [1.0] * 3), measure="RR")
    with pytest.raises(vo.InputError, match="too large to be read back"):
        vo.summary_of_findings({"death": fit}, baseline_risk=0.1)


def test_a_multiverse_without_a_study_is_refused():
    with pytest.raises(vo.InputError, match="none with an effect"):
        vo.multiverse(STRESS[2][2]["no spread"], measure="MD")


def test_infinite_controls_are_refused():
    one = pd.DataFrame({"estimate": [0.3], "se": [0.1]})
    controls = pd.DataFrame({"estimate": [np.inf, *SPREAD], "se": [0.1] * 6})
    with pytest.raises(vo.InputError, match="infinite"):
        vo.calibrate(one, controls=controls)
