"""Time to lasting relief: onsets by hand and worked out in R, curves of survival::survfit, laws."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.survival.sustained import sustained_onset

PINNED = json.loads((Path(__file__).parents[2] / "reference" / "relief.json").read_text())
QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "VP"}


def frames(data=PINNED["data"]):
    """The cohort of the pinned run."""
    n = len(data["arm"])
    ids = [f"p{i:04d}" for i in range(n)]
    scores = [
        {"patient_id": ids[i], "day": day, "value": value}
        for i in range(n)
        for day, value in zip([0, *data["days"]], [data["baseline"][i], *data["scores"][i]], strict=True)
        if value is not None
    ]  # fmt: skip
    death = pd.Series(data["death"], dtype=float)
    return {
        "patients": pd.DataFrame({"patient_id": ids, "death_day": death}),
        "episodes": pd.DataFrame(
            {"patient_id": ids, "treatment": data["arm"], "day0": "treatment"}
        ),
        "scores": pd.DataFrame(scores).assign(instrument="pain_vas"),
    }


COHORT = vo.Cohort.from_frames(**frames())


@cache
def relief(**options):
    return vo.sustained_relief(COHORT, **QUESTION | {"day": 180} | options)


def test_the_first_visit_from_which_it_holds_at_every_later_one():
    visits = [
        (0, 7, False), (0, 30, True), (0, 90, True),  # from day 30 on
        (1, 7, True), (1, 30, False), (1, 90, True),  # lost at day 30: from day 90 on
        (2, 7, True), (2, 90, False),  # lost for good
        (4, 30, True),  # seen once
    ]  # fmt: skip
    row, day, holds = (np.array(column) for column in zip(*visits, strict=True))
    found = sustained_onset(row, day, holds, n=5)
    assert found.onset.tolist() == pytest.approx([30, 90, np.nan, np.nan, 30], nan_ok=True)
    assert found.before.tolist() == pytest.approx([7, 30, np.nan, np.nan, 0], nan_ok=True)
    assert found.last.tolist() == pytest.approx([90, 90, 90, np.nan, 30], nan_ok=True)
    assert found.later.tolist() == [1, 0, 0, 0, 0]
    assert found.ever.tolist() == [True, True, True, False, True]


def test_endings_are_those_worked_out_in_r():
    found = relief()
    cause = np.array([-1 if c is None else c for c in PINNED["cause"]])
    arm = np.array(PINNED["data"]["arm"])
    for line in found.arms.to_dict("records"):
        own = cause[arm == line["arm"]]
        assert line["relief"] == (own == 1).sum()
        assert line["died_without"] == (own == 2).sum()
        assert line["censored"] == (own == 0).sum()
    assert (found.n_t, found.n_c) == tuple(
        int(((arm == a) & (cause >= 0)).sum()) for a in ("KP", "VP")
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain", {}),
        ("weighted", {"method": "overlap_weighting", "covariates": ("baseline",)}),
    ],
)
def test_incidence_and_mean_days_are_those_of_survfit(name, options):
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}
    found = vo.sustained_relief(
        COHORT, day=180, days=[30, 90], failed="show", **QUESTION, **options
    )
    table, r = found.contrasts.set_index("measure"), PINNED[name]
    share = table.loc["incidence"]
    assert share["day"].tolist() == [30, 90, 180]
    p, se = np.array(r["p"]), np.array(r["se"])
    assert share[["value_t", "value_c"]].to_numpy() == pytest.approx(p, rel=1e-8)
    assert share["se"].to_numpy() == pytest.approx(np.hypot(*se.T), rel=1e-8)
    mean = dict(zip(r["rows"], np.array(r["rmean"])[:, 2], strict=True))
    days, free = table.loc["days_in_relief"], table.loc["days_without_relief"]
    for side, arm in (("t", "KP"), ("c", "VP")):
        assert days[f"value_{side}"] == pytest.approx(mean[f"arm={arm}, relief"], rel=1e-8)
        assert free[f"value_{side}"] == pytest.approx(mean[f"arm={arm}, (s0)"], rel=1e-8)


def test_numbers_at_risk_are_patients_whatever_their_weights():
    plain = relief().curves
    weighed = vo.sustained_relief(
        COHORT, day=180, method="ate_weighting", covariates=["baseline"], failed="show", **QUESTION
    ).curves
    for arm, n in (("KP", relief().n_t), ("VP", relief().n_c)):
        assert plain[arm].n_at_risk[0] == n
        assert weighed[arm].n_at_risk.tolist() == plain[arm].n_at_risk.tolist()


def test_laws():
    swapped = vo.sustained_relief(
        COHORT, outcome="pain_vas", treatment="VP", comparator="KP", day=180
    )
    assert swapped.estimate == pytest.approx(-relief().estimate, rel=1e-12)
    assert swapped.ci_low == pytest.approx(-relief().ci_high, rel=1e-12)
    assert swapped.se == pytest.approx(relief().se, rel=1e-12)
    assert swapped.p_value == pytest.approx(relief().p_value, rel=1e-9)
    assert swapped.gray_p_value == pytest.approx(relief().gray_p_value, rel=1e-9)
    f = {name: table.sample(frac=1, random_state=3) for name, table in frames().items()}
    again = vo.sustained_relief(vo.Cohort.from_frames(**f), day=180, **QUESTION)
    pd.testing.assert_frame_equal(again.contrasts, relief().contrasts)


def test_a_confirmation_can_be_asked_for():
    confirmed = relief(later_visits=1)
    assert confirmed.arms["relief"].tolist() == relief().arms["confirmed_later"].tolist()
    assert confirmed.arms["relief"].sum() < relief().arms["relief"].sum()
    assert "could confirm them" in str(relief())
    assert "could confirm them" not in str(confirmed)


def test_pain_that_was_mild_at_day_0_cannot_be_relieved():
    f = frames()
    f["scores"].loc[(f["scores"]["patient_id"] == "p0000") & (f["scores"]["day"] == 0), "value"] = 2
    found = vo.sustained_relief(
        vo.Cohort.from_frames(**f), response="at_most_3", day=180, **QUESTION
    )
    lines = found.attrition.set_index("step")
    assert lines.loc["in relief at day 0 already", ["left_t", "left_c"]].tolist() == [1, 0]


def test_a_design_says_who_and_how():
    f = frames()
    n = len(f["patients"])
    f["patients"]["age_years"] = np.random.default_rng(1).normal(75, 6, n).round()
    cohort = vo.Cohort.from_frames(**f)
    trial = vo.Design(
        "pain_vas", "KP", "VP", day=180, estimand="ATT",
        eligibility=(vo.Rule("old enough", "age_years", at_least=70),),
    )  # fmt: skip
    by_design = vo.sustained_relief(cohort, design=trial, covariates=["baseline"])
    by_hand = vo.sustained_relief(
        cohort.keep(cohort.patients.age_years >= 70, because="old"), day=180,
        method="att_weighting", covariates=["baseline"], **QUESTION,
    )  # fmt: skip
    assert by_design.method == "att_weighting"
    assert by_design.estimate == by_hand.estimate
    assert by_design.n_t + by_design.n_c < n


def test_scores_after_a_change_of_treatment_can_be_set_aside():
    f = frames()
    f["events"] = pd.DataFrame(
        {"patient_id": ["p0000", "p0001"], "type": "crossover", "day": [8, 8]}
    )
    cohort = vo.Cohort.from_frames(**f)
    trial = vo.Design("pain_vas", "KP", "VP", day=180, crossover="hypothetical")
    aside = vo.sustained_relief(cohort, design=trial, method="ate_weighting", failed="show")
    late = f["scores"]["patient_id"].isin(["p0000", "p0001"]) & (f["scores"]["day"] > 8)
    without = f | {"scores": f["scores"][~late]}
    by_hand = vo.sustained_relief(
        vo.Cohort.from_frames(**without), day=180, method="ate_weighting", failed="show", **QUESTION
    )
    assert aside.arms["relief"].tolist() == by_hand.arms["relief"].tolist()
    assert aside.estimate == pytest.approx(by_hand.estimate, rel=1e-12)


def test_weights_that_fail_withhold_the_estimate():
    f = frames()
    treated = f["episodes"]["treatment"] == "KP"
    n = len(treated)
    f["patients"]["x"] = np.random.default_rng(2).normal(size=n) + 3.5 * treated
    cohort = vo.Cohort.from_frames(**f)
    options = {"day": 180, "method": "ate_weighting", "covariates": ["x"], **QUESTION}
    found = vo.sustained_relief(cohort, **options)
    assert found.withheld
    assert np.isnan(found.estimate)
    assert "withheld" in str(found)
    with pytest.raises(vo.InputError, match="withheld"):
        found.plot()
    shown = vo.sustained_relief(cohort, failed="show", **options)
    assert np.isfinite(shown.estimate)
    assert "should not be relied on" in str(shown)


def test_it_shows_itself():
    found = relief()
    assert "lasting relief (at least 30 % better than at baseline) by day 180" in str(found)
    assert "Relief is seen at visits only" in found._repr_html_()
    assert found.to_frame()["measure"].tolist()[-2:] == ["days_in_relief", "days_without_relief"]
    ax = found.plot()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["KP", "VP"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "mmrm"}, "unadjusted"),
        ({"method": "ancova"}, "method"),
        ({"later_visits": -1}, "later_visits"),
        ({"later_visits": 9}, "nobody had lasting relief"),
        ({"days": [0]}, "days above 0"),
        ({"day": 400}, "nobody is followed beyond day 180"),
        ({"design": "trial"}, "vo.Design"),
        ({"method": "overlap_weighting", "covariates": ["nonsense"]}, "nonsense"),
        ({"design": vo.Design("pain_vas", "KP", "VP", day=180)}, "the design says it"),
        (
            {
                "design": vo.Design(
                    "death", "VA", "NSM", day=365, time_zero="presentation", grace_days=42
                )
            },
            "a design from day 0",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.sustained_relief(COHORT, **QUESTION | {"day": 180} | options)


def test_arms_that_cannot_be_compared_are_refused():
    f = frames()
    treated = f["episodes"]["treatment"] == "KP"
    f["patients"]["x"] = np.where(treated, 1.0, 0.0) + np.arange(len(treated)) / 1e4
    f["patients"]["blank"] = np.where(treated, np.nan, 1.0)
    cohort = vo.Cohort.from_frames(**f)
    options = {"day": 180, "method": "overlap_weighting", **QUESTION}
    with pytest.raises(vo.InputError, match="no overlap in x"):
        vo.sustained_relief(cohort, covariates=["x"], **options)
    with pytest.raises(vo.InputError, match="every covariate"):
        vo.sustained_relief(cohort, covariates=["blank"], **options)
    early = f | {
        "scores": f["scores"][f["scores"]["day"] == 0],
        "patients": f["patients"][["patient_id"]],
    }
    with pytest.raises(vo.InputError, match="after day 0"):
        vo.sustained_relief(vo.Cohort.from_frames(**early), day=180, **QUESTION)
