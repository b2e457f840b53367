"""Claims counted by the engine against the same claims from whole tables in pandas."""

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.registry_analysis import _with_follow_up
from vertebro_outcomes.comparisons.registry_claims import registry_claims


@pytest.fixture(scope="module")
def cohort():
    """Some patients have a second episode, with scores on the same days, and some no follow-up."""
    made, _ = vo.simulate_registry(n_patients=1200, seed=2, scenario="randomised")
    frames = {name: made.frame(name) for name in made.tables}
    episodes, scores = frames["episodes"], frames["scores"]
    again = episodes.iloc[:200].assign(episode_id=lambda d: d["episode_id"] + "z")
    twice = scores[scores["episode_id"].isin(episodes["episode_id"][:200])]
    twice = twice.assign(episode_id=twice["episode_id"] + "z", value=0.7 * twice["value"])
    episodes.loc[300:310, "followup_end_day"] = 0
    episodes.loc[311:320, "followup_end_day"] = pd.NA
    scores.loc[scores.index % 17 == 0, "value"] = float("nan")
    frames["episodes"], frames["scores"] = pd.concat([episodes, again]), pd.concat([scores, twice])
    return vo.Cohort.from_frames(**frames, synthetic=True)


def at_baseline(scores):
    early = scores[(scores["instrument"] == "pain_vas") & (scores["day"] <= 0)]
    early = early[early["value"].notna()].sort_values("day", kind="stable")
    return early.groupby("patient_id")["value"].last()


def plainly(cohort):
    """The patients of C14 and C15, and the counts of C16, from whole tables."""
    scores, episodes, levels = map(cohort.frame, ("scores", "episodes", "levels"))
    before = at_baseline(scores)
    acute = episodes.loc[episodes["fracture_age_days"] <= 42, "patient_id"]
    mild = before.index[(before < 7) & before.index.isin(acute)]
    cleft = levels.loc[levels["cleft"].fillna(False).astype(bool), "patient_id"]
    treated = episodes.loc[episodes["treatment"].isin(["VP", "KP", "VAI", "VA"]), "patient_id"]
    pain = scores[(scores["instrument"] == "pain_vas") & scores["value"].notna()]
    first = pain[pain["day"].between(1, 3) & pain["patient_id"].isin(treated)]
    after = first.sort_values("day", kind="stable").groupby("patient_id")["value"].first()
    both = pd.concat({"before": before, "after": after}, axis=1, join="inner")
    return mild, cleft, int((both["after"] > both["before"]).sum()), len(both)


def kept(cohort, patients):
    own = cohort.frame("patients")["patient_id"].isin(patients).to_numpy(bool)
    return cohort.keep(own, because="of the claim")


def test_claims_equal_those_from_whole_tables(cohort):
    found, failed = registry_claims(cohort, day=90)
    assert failed == ()
    found = found.set_index("claim_id")
    mild, cleft, worse, n = plainly(cohort)
    assert (found.loc["C16", "events"], found.loc["C16", "n_t"]) == (worse, n)
    for claim, patients, day, grace in (("C14", mild, 180, 90), ("C15", cleft, 90, 42)):
        trial = vo.Design(
            "pain_vas", "VA", "NSM", day=day, time_zero="presentation", grace_days=grace
        )
        plain = vo.compare(kept(cohort, patients), design=trial, method="clone_censor_weight")
        assert plain.withheld == ""
        for column in ("estimate", "ci_low", "ci_high", "n_t", "n_c"):
            expected = pytest.approx(getattr(plain, column), rel=1e-8)
            assert found.loc[claim, column] == expected


def test_who_was_never_seen_again_is_left_out(cohort):
    ends = cohort.frame("episodes").groupby("patient_id")["followup_end_day"].max()
    last = cohort.frame("patients")["patient_id"].map(ends)
    expected = kept(cohort, cohort.frame("patients")["patient_id"][(last > 0).fillna(True)])
    found = _with_follow_up(cohort)
    assert len(ends) - len(found.frame("patients")) > 0
    for name in ("patients", "episodes", "scores"):
        pd.testing.assert_frame_equal(found.frame(name), expected.frame(name))
    line = found.attrition.iloc[-1]
    assert line["step"] == "followed after day 0"
    assert _with_follow_up(found) is found
