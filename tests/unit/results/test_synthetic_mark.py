"""Whatever is computed from synthetic patients says so: in its sentence, its table and its picture."""

import inspect
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from matplotlib.text import Text

import vertebro_outcomes as vo

ARMS = {"treatment": "KP", "comparator": "VP"}
AT_DAY = {"outcome": "pain_vas", "day": 30}
CALLS = {
    "compare": {**ARMS, **AT_DAY, "method": "overlap_weighting", "covariates": ["age_years"]},
    "compare_methods": {**ARMS, **AT_DAY, "methods": ["ancova"]},
    "compare_arms": {**AT_DAY, "arms": ["KP", "VP", "NSM"], "covariates": ["age_years"]},
    "effect_by": {**ARMS, **AT_DAY, "modifier": "age_years", "cut": 75},
    "timing_claims": {**ARMS, **AT_DAY},
    "responders": {**ARMS, **AT_DAY},
    "negative_controls": {**ARMS, "controls": ["eq5d"], "day": 30, "method": "ancova"},
    "sustained_relief": {**ARMS, "outcome": "pain_vas", "day": 90},
    "area_under_curve": {**ARMS, "outcome": "pain_vas", "day": 90},
    "delta_adjusted": {**ARMS, **AT_DAY, "n_imputations": 3},
    "complication_rates": {},
    "compare_complications": ARMS,
    "cumulative_incidence": {"event": "fracture"},
    "adjacent_fractures": ARMS,
    "balance": {**ARMS, "covariates": ["age_years"]},
    "recurrent_fractures": ARMS,
    "vertebra_fractures": {},
    "mortality": ARMS,
    "site_summary": {**ARMS, "site": "A", **AT_DAY},
    "complication_chart": {"rate": 0.3},
    "complication_sites": {},
    "complication_definitions": {},
    "complication_ranking": {},
}
NO_PICTURE = {
    "site_summary",
    "compare_methods",
    "timing_claims",
    "negative_controls",
}  # aggregates to send, and tables
NOT_RESULTS = {
    "analyse_registry",
    "export_registry",
    "score_load",
}  # a bundle, files, a count of errors


@cache
def cohort(*, synthetic: bool):
    simulated, _ = vo.simulate_registry(n_patients=400, seed=3, scenario="randomised")
    return replace(simulated, synthetic=synthetic)


@cache
def result(name, *, synthetic: bool):
    data = cohort(synthetic=synthetic)
    if name == "complication_chart":
        data = dated(data)
    return getattr(vo, name)(data, **CALLS[name])


def dated(data):
    """The same events on procedures a day apart: simulated patients come without dates."""
    episodes = data.frame("episodes")
    days = pd.date_range("2020-01-01", periods=len(episodes))
    return vo.Cohort.from_frames(
        patients=data.frame("patients"), events=data.frame("events"),
        episodes=episodes.assign(treatment_date=days), synthetic=data.synthetic,
    )  # fmt: skip


def test_every_public_question_to_a_cohort_is_asked_here():
    asked = set()
    for name in dir(vo):
        function = getattr(vo, name)
        if (
            inspect.isfunction(function)
            and "cohort" in [*inspect.signature(function).parameters][:1]
        ):
            asked.add(name)
    assert asked - NOT_RESULTS == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_sentence_table_and_picture_say_synthetic_and_only_then(name):
    marked, plain = result(name, synthetic=True), result(name, synthetic=False)
    if hasattr(marked, "to_frame"):
        assert "synthetic" in str(marked).lower()
        assert "synthetic" not in str(plain).lower()
        assert "synthetic" in marked._repr_html_().lower()
    table, without = (r.to_frame() if hasattr(r, "to_frame") else r for r in (marked, plain))
    assert len(table) > 0
    assert table["synthetic"].eq(True).all()
    assert not without["synthetic"].any()


@pytest.mark.parametrize("name", sorted(set(CALLS) - NO_PICTURE))
def test_pictures_say_synthetic_and_only_then(name):
    for synthetic in (True, False):
        drawn = result(name, synthetic=synthetic).plot()
        texts = [t.get_text() for t in drawn.figure.findobj(Text)]
        assert any("synthetic" in text.lower() for text in texts) is synthetic
