"""Complications of two arms compared, on one cohort whose numbers R had too."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons import contrast_methods
from vertebro_outcomes.estimators.rates.two_proportions import TwoProportions, newcombe

PINS = json.loads((Path(__file__).parents[2] / "reference" / "complications.json").read_text())
DATA = pd.DataFrame(PINS["data"])
IDS = [f"p{i:03d}" for i in range(len(DATA))]
ARMS = {"treatment": "KP", "comparator": "VP"}
GIVEN = ["age_years", "sex"]


def pinned(*, rare: bool = False, synthetic: bool = False, **words: str) -> vo.Cohort:
    """KP is `treated`; `y` are leakages on day 5, the rare event infections on day 50."""
    names = {"KP": "KP", "VP": "VP", **words}
    events = pd.DataFrame({"patient_id": np.array(IDS)[DATA["y"] == 1]})
    events = events.assign(type="cement_leakage", day=5)
    if rare:
        other = pd.DataFrame({"patient_id": np.array(IDS)[np.array(PINS["rare"]) == 1]})
        events = pd.concat([events, other.assign(type="infection", day=50)], ignore_index=True)
    return vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {
                "patient_id": IDS, "age_years": DATA["age"],
                "sex": np.where(DATA["female"] == 1, "female", "male"),
                "site": "S" + DATA["site"].astype(str),
            }
        ),
        episodes=pd.DataFrame(
            {"patient_id": IDS, "treatment": np.where(DATA["treated"] == 1, names["KP"], names["VP"])}
        ),
        events=events, synthetic=synthetic,
    )  # fmt: skip


def row(cohort: vo.Cohort, **options: object) -> pd.Series:
    found = vo.compare_complications(cohort, **{**ARMS, **options}).to_frame()
    return found.set_index("type").loc["cement_leakage"]


def test_difference_by_default() -> None:
    found = row(pinned())
    y, t = DATA["y"] == 1, DATA["treated"] == 1
    counts = (int((y & t).sum()), int(t.sum()), int((y & ~t).sum()), int((~t).sum()))
    assert tuple(found[["events_t", "n_t", "events_c", "n_c"]]) == counts
    limits = newcombe(TwoProportions(*counts))
    assert found["estimate"] == pytest.approx(y[t].mean() - y[~t].mean(), abs=1e-15)
    assert (found["ci_low"], found["ci_high"]) == (limits.ci_low, limits.ci_high)


@pytest.mark.parametrize(("measure", "name"), [("OR", "or"), ("RR", "rr"), ("RD", "rd")])
def test_mantel_haenszel_over_sites(measure: str, name: str) -> None:
    """mantelhaen.test (odds ratio), the published variances in R's own algebra (the others)."""
    found = row(pinned(), measure=measure, method="mantel_haenszel")
    assert found[["estimate", "ci_low", "ci_high"]].tolist() == pytest.approx(
        PINS["mantel_haenszel"][name], rel=1e-10
    )


@pytest.mark.parametrize("method", ["g_computation", "overlap_weighting"])
@pytest.mark.parametrize(("place", "measure"), list(enumerate(("RD", "RR", "OR"))))
def test_given_covariates(method: str, place: int, measure: str) -> None:
    found = row(pinned(), measure=measure, method=method)  # the declared confounders: age and sex
    named = row(pinned(), measure=measure, method=method, covariates=GIVEN)
    assert found.equals(named)
    pin = PINS["overlap" if method == "overlap_weighting" else method]
    estimate, se = pin["estimate"][place], pin["se"][place]
    expected = estimate + np.array([0, -1, 1]) * 1.959963984540054 * se
    assert found[["estimate", "ci_low", "ci_high"]].tolist() == pytest.approx(
        expected if measure == "RD" else np.exp(expected), rel=1e-6
    )


def test_firth() -> None:
    found = row(pinned(), measure="OR", method="firth", covariates=GIVEN)
    pin = PINS["firth"]
    expected = np.exp([pin["estimate"], pin["low"], pin["high"]])
    assert found[["estimate", "ci_low", "ci_high"]].tolist() == pytest.approx(expected, rel=1e-6)
    assert found["p_value"] == pytest.approx(pin["p"], abs=1e-7)


def test_an_arm_without_events() -> None:
    """Some methods have an answer there, and the others say that they have none."""
    cohort = pinned(rare=True)

    def infection(**options: object) -> pd.Series:
        found = vo.compare_complications(cohort, **{**ARMS, **options}).to_frame()
        return found.set_index("type").loc["infection"]

    plain = infection()
    assert plain["events_t"] == 0
    assert plain["ci_low"] < plain["estimate"] < 0
    firth = infection(measure="OR", method="firth")
    assert firth["ci_low"] == pytest.approx(np.exp(PINS["firth_separated"]["low"]), rel=1e-4)
    for method in ("score", "exact"):
        odds = infection(measure="OR", method=method)
        assert odds["estimate"] == odds["ci_low"] == 0
        assert np.isfinite(odds["ci_high"])
        assert "lower limit is 0" in odds["note"]
    turned = infection(measure="OR", treatment="VP", comparator="KP")
    assert turned["ci_high"] == np.inf
    assert "upper limit is infinite" in turned["note"]
    for method in ("mantel_haenszel", "g_computation", "overlap_weighting"):
        lost = infection(measure="OR", method=method)
        assert np.isnan(lost["estimate"])
        assert np.isnan(lost["p_adjusted"])
        assert lost["note"]
    drawn = vo.compare_complications(cohort, **ARMS, measure="OR").plot()
    assert drawn.get_xscale() == "log"
    none = vo.compare_complications(cohort, **ARMS, types=["stroke", "any"]).to_frame()
    assert none.loc[0, ["estimate", "p_value", "note"]].tolist() == [0, 1, "no event in either arm"]
    assert none.loc[1, "events_c"] >= plain["events_c"]
    assert "no interval" in str(
        vo.compare_complications(cohort, **ARMS, types=["stroke"], method="mantel_haenszel")
        .to_frame().loc[0, "note"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "measure"),
    [("newcombe", "RD"), ("score", "RR"), ("mantel_haenszel", "OR"), ("g_computation", "RD"),
     ("overlap_weighting", "RR"), ("firth", "OR")],
)  # fmt: skip
def test_swapping_the_arms(method: str, measure: str) -> None:
    found = row(pinned(), method=method, measure=measure)
    swapped = row(pinned(), method=method, measure=measure, treatment="VP", comparator="KP")
    here, there = found[["ci_low", "ci_high"]].to_numpy(float), swapped[["ci_high", "ci_low"]]
    mirrored = -there.to_numpy(float) if measure == "RD" else 1 / there.to_numpy(float)
    assert here == pytest.approx(mirrored, rel=1e-7)
    assert found["p_value"] == pytest.approx(swapped["p_value"], rel=1e-7)


def test_several_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = pinned(rare=True)
    found = vo.compare_complications(cohort, **ARMS)
    p = found.to_frame()["p_value"].to_numpy()
    low, high = np.sort(p)
    assert found.to_frame()["p_adjusted"].max() == pytest.approx(high)
    assert found.to_frame()["p_adjusted"].min() == pytest.approx(min(2 * low, high))
    holm = vo.compare_complications(cohort, **ARMS, multiplicity="holm").to_frame()
    assert holm["p_adjusted"].min() == pytest.approx(2 * low)
    none = vo.compare_complications(cohort, **ARMS, multiplicity="none")
    assert none.to_frame()["p_adjusted"].tolist() == p.tolist()
    assert "not adjusted" in str(none)
    assert "adjusted over 2 event types (false discovery rate" in str(found)
    assert not found.notes
    monkeypatch.setattr(contrast_methods, "BOSCHLOO_UP_TO", 200)
    large = vo.compare_complications(cohort, **ARMS)
    assert "Fisher's, not Boschloo's" in " ".join(large.notes)
    cells = large.to_frame().loc[1, ["events_t", "n_t", "events_c", "n_c"]].astype(int)
    a, n, c, m = cells
    fisher = stats.fisher_exact([[a, c], [n - a, m - c]]).pvalue
    assert large.to_frame().loc[1, "p_value"] == pytest.approx(fisher, abs=1e-12)
    fewer = vo.compare_complications(cohort, **ARMS, method="mantel_haenszel", measure="OR")
    assert "adjusted over 1 event type (" in str(fewer)  # the other one has no test
    early = vo.compare_complications(cohort, **ARMS, within_days=30).to_frame()
    assert early["type"].tolist() == ["cement_leakage"]


def test_augmentation_holds_its_types() -> None:
    found = row(pinned(VP="NSM"), treatment="VA", comparator="NSM")
    assert found[["n_t", "n_c"]].tolist() == [126, 114]
    assert found["estimate"] == row(pinned())["estimate"]


def test_it_shows_itself() -> None:
    found = vo.compare_complications(pinned(rare=True, synthetic=True), **ARMS)
    assert "KP against VP" in str(found)
    assert str(found).endswith("Synthetic data.")
    assert "Synthetic data" in found._repr_html_()
    axes = found.plot()
    assert axes.get_title() == "synthetic"
    assert len(axes.get_yticklabels()) == 2
    given = vo.compare_complications(pinned(), **ARMS, method="g_computation", covariates=["sex"])
    assert "given sex" in str(given)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"types": ["vertigo"]}, "'vertigo'"),
        ({"types": "infection"}, "a list such as"),
        ({"types": ["death"]}, "'death'"),
        ({"comparator": "NSM"}, "NSM"),
        ({"treatment": "VA"}, "apart from VA"),
        ({"measure": "HR"}, "RD, RR, OR"),
        ({"measure": "RR", "method": "newcombe"}, "RD with method 'newcombe'"),
        ({"method": "guess"}, "newcombe, score"),
        ({"multiplicity": "bonferroni"}, "benjamini_hochberg"),
        ({"within_days": -1}, "0 or later"),
        ({"within_days": 2}, "no complication of KP or VP"),
        ({"covariates": ["sex"]}, "none with method"),
        ({"method": "g_computation", "covariates": ["height"]}, "height"),
        ({"method": "mantel_haenszel", "stratum": "ward"}, "ward"),
        ({"level": 2.0}, "between 0 and 1"),
    ],
)  # fmt: skip
def test_what_is_refused(options: dict, words: str) -> None:
    with pytest.raises(vo.InputError, match=words):
        vo.compare_complications(pinned(), **{**ARMS, **options})


def test_no_cohort_no_events_and_days_before_the_first() -> None:
    with pytest.raises(vo.InputError, match="a Cohort"):
        vo.compare_complications(DATA, **ARMS)
    ids = ["a", "b", "c", "d"]
    frames = {
        "patients": pd.DataFrame({"patient_id": ids, "age_years": [70, 80, None, 60]}),
        "episodes": pd.DataFrame({"patient_id": ids, "treatment": ["KP", "VP", "VP", "VP"]}),
    }
    with pytest.raises(vo.InputError, match="no complication was recorded"):
        vo.compare_complications(vo.Cohort.from_frames(**frames), **ARMS)
    events = pd.DataFrame({"patient_id": ["a"], "type": ["infection"], "day": [-3]})
    with pytest.raises(vo.InputError, match="before day 0"):
        vo.compare_complications(vo.Cohort.from_frames(**frames, events=events), **ARMS)
    cohort = vo.Cohort.from_frames(**frames, events=events.assign(day=None))
    found = vo.compare_complications(
        cohort, **ARMS, measure="OR", method="firth", covariates=["age_years"], within_days=9,
        types=["infection"],
    )  # fmt: skip
    assert "1 patients with a blank covariate" in " ".join(found.notes)
    assert "without a day" in " ".join(found.notes)
