"""Area under the curve against each patient's own trapezoid in ordinary least squares."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.area import trapezoid_weights

DAYS = (0, 7, 30, 90)
QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM"}


def wide(n=60, seed=5):
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 0.8, n)
    frame = pd.DataFrame(
        {"arm": np.where(rng.random(n) < 0.5, "KP", "NSM")}, index=[f"p{i:03d}" for i in range(n)]
    )
    frame[0] = 7 + own + rng.normal(0, 0.4, n)
    for day in DAYS[1:]:
        frame[day] = 4 - 0.8 * (frame["arm"] == "KP") + own + rng.normal(0, 0.6, n)
    return frame


def cohort_of(frame, **patients):
    long = frame[list(DAYS)].stack().dropna().rename("value").rename_axis(["patient_id", "day"])
    ids = frame.index.rename("patient_id")
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, **patients}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": frame["arm"].to_numpy()}),
        scores=long.reset_index().assign(instrument="pain_vas"),
    )


FRAME = wide()
COHORT = cohort_of(FRAME)


@pytest.mark.parametrize("day", [30, 90])
def test_complete_data_give_least_squares_of_each_patients_trapezoid(day):
    days = [d for d in DAYS if d <= day]
    area = np.trapezoid(FRAME[days].to_numpy(), days, axis=1) / day
    x = np.column_stack([FRAME["arm"] == "KP", FRAME[0]]).astype(float)
    fit = sm.OLS(area, sm.add_constant(x)).fit()
    found = vo.area_under_curve(COHORT, day=day, **QUESTION)
    assert found.estimate == pytest.approx(fit.params[1], rel=1e-8)
    assert found.se == pytest.approx(fit.bse[1], rel=1e-7)
    assert found.df == pytest.approx(fit.df_resid, rel=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx(fit.conf_int()[1], rel=1e-6)
    assert found.p_value == pytest.approx(fit.pvalues[1], rel=1e-5)
    assert found.area == pytest.approx(day * fit.params[1], rel=1e-8)


def test_the_weights_add_the_visits_of_the_model_to_the_area():
    frame = FRAME.mask(np.random.default_rng(1).random(FRAME.shape) < 0.15)
    frame["arm"], frame[0] = FRAME["arm"], FRAME[0]
    cohort = cohort_of(frame)
    found = vo.area_under_curve(cohort, day=90, **QUESTION)
    model = vo.compare(cohort, day=90, method="mmrm", **QUESTION).by_visit
    by_hand = np.trapezoid(np.r_[0, model["estimate"]], np.r_[0, model["day"]]) / 90
    assert found.estimate == pytest.approx(by_hand, rel=1e-9)
    assert (found.visits["weight"] @ found.visits["estimate"]) == pytest.approx(by_hand, rel=1e-9)
    swapped = vo.area_under_curve(
        cohort, outcome="pain_vas", treatment="NSM", comparator="KP", day=90
    )
    assert swapped.estimate == pytest.approx(-found.estimate, rel=1e-7)
    assert swapped.se == pytest.approx(found.se, rel=1e-7)


def test_weights_integrate_straight_lines_exactly():
    days = (7, 30, 90)
    assert trapezoid_weights(days, 90) @ np.array(days) == pytest.approx(90 / 2)
    assert trapezoid_weights(days, 30)[-1] == 0


def test_it_shows_itself():
    found = vo.area_under_curve(COHORT, day=30, variance="kenward_roger", **QUESTION)
    assert "area from day 0 to day 30: KP minus NSM" in str(found)
    assert "points per day" in str(found)
    assert found.to_frame().loc[0, "variance"] == "kenward_roger"
    assert "weights" in found._repr_html_()
    ax = found.plot()
    assert ax.lines[0].get_xdata().tolist() == [0, 7, 30]
    assert not ax.texts


def test_synthetic_data_say_so():
    cohort, _ = vo.simulate_registry(n_patients=150, seed=2, scenario="randomised")
    found = vo.area_under_curve(cohort, day=30, **QUESTION)
    assert "Synthetic data" in str(found)
    assert [text.get_text() for text in found.plot().texts] == ["synthetic"]


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(vo.InputError, match="method"):
        vo.area_under_curve(COHORT, day=30, method="ancova", **QUESTION)
    with pytest.raises(vo.InputError, match="baseline"):
        vo.area_under_curve(COHORT, day=30, covariates=[], **QUESTION)


def test_the_tipping_point_of_the_area_makes_its_interval_reach_zero():
    frame = FRAME.copy()
    frame.loc[frame.index[::4], 90] = np.nan
    frame.loc[frame.index[::6], 30] = np.nan
    found = vo.area_under_curve(cohort_of(frame), day=90, **QUESTION)
    table = found.tipping_point().set_index("arm")
    weights = trapezoid_weights((7, 30, 90), 90)
    t = (found.ci_high - found.estimate) / found.se
    for arm, side in (("KP", 1), ("NSM", -1)):
        own = frame.loc[frame["arm"] == arm, [7, 30, 90]].isna().to_numpy() @ weights
        assert table.loc[arm, "share_unseen"] == pytest.approx(own.mean())
        assert table.loc[arm, "n_unseen"] == (own > 0).sum()
        delta = table.loc[arm, "delta"]
        assert side * delta > 0
        wide = np.sqrt(found.se**2 + delta**2 * own.var() / len(own))
        assert found.estimate + side * delta * own.mean() + t * wide == pytest.approx(0, abs=1e-9)


def test_who_died_is_not_unseen_in_the_model_of_all_visits():
    frame = FRAME.copy()
    gone = np.arange(len(frame)) % 4 == 0
    frame.loc[gone, 90] = np.nan
    dead = gone & (np.arange(len(frame)) % 8 == 0)
    cohort = cohort_of(frame, death_day=np.where(dead, 60.0, np.nan))
    found = vo.compare(cohort, day=90, method="mmrm", **QUESTION)
    kp = (frame["arm"] == "KP").to_numpy()
    assert found.n_dead == ((dead & kp).sum(), (dead & ~kp).sum())
    tips = found.tipping_point().set_index("arm")
    assert tips.loc["KP", "n_unseen"] == (gone & ~dead & kp).sum()
    assert f"{found.n_dead[0]} vs {found.n_dead[1]} of the patients died before day 90" in str(
        found
    )
    area = vo.area_under_curve(cohort, day=90, **QUESTION).tipping_point().set_index("arm")
    assert area.loc["NSM", "n_unseen"] == (gone & ~dead & ~kp).sum()
