"""What a simulated registry must obey: known truth, seeds, the synthetic mark."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.simulate.potential import BLOCK, draw_block
from vertebro_outcomes.simulate.registry import simulated_frames
from vertebro_outcomes.simulate.scenarios import SCENARIOS
from vertebro_outcomes.simulate.truth import true_effects

N = 20_000
TABLES = ("patients", "episodes", "levels", "scores", "events", "fractures")


def difference(frames, outcome, *, day, arms=("VP", "NSM")):
    """Naive difference of means between two arms, with its standard error."""
    s = frames["scores"]
    s = s[(s.instrument == outcome) & (s.day == day) & s.value.notna()]
    arm = s.patient_id.map(frames["episodes"].set_index("patient_id").treatment)
    t, c = (s.value[arm == name] for name in arms)
    return t.mean() - c.mean(), np.hypot(t.sem(), c.sem())


def deaths_by(frames, day, arms=("VP", "NSM")):
    p = frames["patients"].set_index("patient_id").death_day
    e = frames["episodes"].set_index("patient_id")
    died = (p <= day).fillna(False)
    dead = [died[e.treatment == arm].to_numpy(dtype=float) for arm in arms]
    se = np.hypot(*(d.std() / np.sqrt(len(d)) for d in dead))
    return dead[0].mean() - dead[1].mean(), se


@pytest.fixture(scope="module")
def null():
    return simulated_frames(n_patients=N, seed=11, scenario="null")


@pytest.fixture(scope="module")
def randomised():
    return simulated_frames(n_patients=N, seed=12, scenario="randomised")


def test_null_truth_is_zero_everywhere():
    truth = true_effects("null").to_frame()
    between = truth[truth.comparator != ""]
    ratios = between.measure.isin(["HR", "RR", "subHR"])
    assert (between.value[~ratios] == 0).all()
    assert np.allclose(between.value[ratios].dropna(), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("outcome", ["pain_vas", "odi", "rmdq", "eq5d"])
@pytest.mark.parametrize("day", [0, 30, 365])
def test_null_arms_agree(null, outcome, day):
    found, se = difference(null, outcome, day=day)
    assert abs(found) < 4 * se


@pytest.mark.parametrize("outcome", ["pain_vas", "odi", "rmdq", "eq5d"])
@pytest.mark.parametrize("day", [1, 7, 30, 90, 365])
@pytest.mark.parametrize("arms", [("VP", "NSM"), ("KP", "NSM")])
def test_randomised_difference_is_the_truth(randomised, outcome, day, arms):
    truth = true_effects("randomised").value(
        outcome, treatment=arms[0], comparator=arms[1], day=day, measure="MD"
    )
    found, se = difference(randomised, outcome, day=day, arms=arms)
    assert truth != 0
    assert abs(found - truth) < 4 * se


def test_confounding_is_there_to_be_removed():
    frames = simulated_frames(n_patients=N, seed=13, scenario="confounded")
    truth = true_effects("confounded").value(
        "pain_vas", treatment="KP", comparator="NSM", day=90, measure="MD"
    )
    found, se = difference(frames, "pain_vas", day=90, arms=("KP", "NSM"))
    assert found - truth > 4 * se  # the worse off are treated


def test_immortal_time_flatters_the_procedure_although_it_does_nothing():
    frames = simulated_frames(n_patients=N, seed=14, scenario="immortal_time")
    truth = true_effects("immortal_time").value(
        "death", treatment="VP", comparator="NSM", day=365, measure="RD"
    )
    found, se = deaths_by(frames, 365)
    assert truth == 0
    assert found < -4 * se


def test_truth_is_the_mean_of_potential_outcomes():
    """By brute force in other patients: a person's outcome under both arms, no weights."""
    scenario = SCENARIOS["randomised"]
    md, died = [], []
    for number in range(12):
        block = draw_block(99, number, scenario)
        vp, nsm = block.under(1), block.under(0)
        md.append(vp.scores["pain_vas"][:, 3] - nsm.scores["pain_vas"][:, 3])
        died.append((vp.death <= 365).astype(float) - (nsm.death <= 365))
    for values, outcome, day, measure in (
        (np.concatenate(md), "pain_vas", 30, "MD"),
        (np.concatenate(died), "death", 365, "RD"),
    ):
        truth = true_effects("randomised").value(
            outcome, treatment="VP", comparator="NSM", day=day, measure=measure
        )
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(len(values))


def test_crossing_hazards_have_no_conditional_ratio():
    truth = true_effects("nonproportional").to_frame()
    assert "conditional" not in set(truth.estimand)
    hr = truth[(truth.measure == "HR") & (truth.estimand == "ATE") & (truth.outcome == "death")]
    vp = hr[(hr.treatment == "VP") & (hr.comparator == "NSM")].set_index("day")["value"]
    assert vp[30] < 0.55 < 0.7 < vp[1825]


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_every_scenario_makes_a_valid_cohort(scenario):
    frames = simulated_frames(n_patients=300, seed=5, scenario=scenario)
    cohort = vo.Cohort.from_frames(**frames, synthetic=True)
    assert cohort.attrition.n_patients.tolist() == [300]
    assert min(cohort.attrition[["n_VP", "n_KP", "n_NSM"]].iloc[0]) > 0


def test_same_seed_same_patients_whatever_comes_after():
    n = BLOCK + 100
    longer = simulated_frames(n_patients=n, seed=3, scenario="confounded")
    shorter = simulated_frames(n_patients=n - 150, seed=3, scenario="confounded")
    ids = set(shorter["patients"].patient_id)
    for name in TABLES:
        kept = longer[name][longer[name].patient_id.isin(ids)].reset_index(drop=True)
        pd.testing.assert_frame_equal(kept, shorter[name])


def test_other_seeds_give_other_patients():
    first, second = (simulated_frames(n_patients=50, seed=s, scenario="null") for s in (1, 2))
    assert not first["patients"].equals(second["patients"])


def test_the_synthetic_mark_cannot_be_lost(tmp_path):
    cohort, truth = vo.simulate_registry(n_patients=60, seed=1, scenario="null")
    kept = cohort.keep(cohort.patients.age_years > 60, because="over 60")
    assert kept.synthetic
    loaded = vo.load(kept.write(tmp_path / "written"))
    assert loaded.synthetic
    assert "synthetic" in str(loaded)
    assert "synthetic" in str(truth)
    for name in TABLES:
        pd.testing.assert_frame_equal(loaded.frame(name), kept.frame(name))


@pytest.mark.parametrize(
    "wrong",
    [{"n_patients": 0}, {"n_patients": 1.5}, {"seed": -1}, {"seed": True}, {"scenario": "nul"}],
    ids=str,
)
def test_impossible_requests_are_refused(wrong):
    with pytest.raises(vo.InputError):
        vo.simulate_registry(**({"n_patients": 10, "seed": 1, "scenario": "null"} | wrong))
