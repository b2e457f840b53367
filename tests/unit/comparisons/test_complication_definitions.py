"""Rates under every definition: counted by hand, posterior against R, published rates beside."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import beta, norm

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.rates.beta_bands import BetaPosterior, LogitNormal, beta_posterior
from vertebro_outcomes.results.complication_definitions import ComplicationDefinitions

PINS = json.loads((Path(__file__).parents[2] / "reference" / "sites.json").read_text())
RAW = Path(__file__).parents[3] / "data" / "raw" / "literature"
IDS = list("abcdefgh")
COLUMNS = [
    "patient_id", "episode_id", "level", "type", "day", "severity", "symptomatic", "detected_by"
]  # fmt: skip


def cohort(*, synthetic: bool = False, levels: bool = True, **changes: object) -> vo.Cohort:
    """Eight patients, nine procedures, one of them KP; ten treated levels, two looked at with CT."""
    episode = [*(f"e{i}" for i in IDS), "e2"]
    frames = {
        "patients": pd.DataFrame({"patient_id": IDS, "site": ["A", "B"] * 4}),
        "episodes": pd.DataFrame(
            {"patient_id": [*IDS, "a"], "episode_id": episode, "treatment": [*["VP"] * 7, "KP", "VP"]}
        ),
        "events": pd.DataFrame(
            [
                ("a", "ea", "L1", "cement_leakage_disc", 0, "mild", None, "CT"),
                ("a", "e2", "L2", "cement_leakage", 2, None, True, "fluoroscopy"),
                ("b", "eb", None, "infection", 60, "severe", True, "clinical"),
                ("c", "ec", None, "pulmonary_cement_embolism", 1, None, False, "CT"),
                ("h", "eh", "T9", "cement_leakage", 0, None, None, "fluoroscopy"),
                ("d", "ed", None, "death", 5, None, None, None),
            ],
            columns=COLUMNS,
        ),
        "fractures": pd.DataFrame(
            {
                "patient_id": ["d", "e"], "episode_id": ["ed", "ee"], "level": ["L3", "T5"],
                "day": [20, 400], "adjacent": [True, False],
            }
        ),
    }  # fmt: skip
    if levels:
        frames["levels"] = pd.DataFrame(
            {
                "patient_id": [*IDS, "a", "g"], "episode_id": [*episode, "eg"],
                "level": ["L1"] * 7 + ["T9", "L2", "L4"], "treated": True,
                "leakage_detected_by": ["CT", None, "CT"] + [None] * 7,
            }
        )  # fmt: skip
    return vo.Cohort.from_frames(**{**frames, **changes}, synthetic=synthetic)


@cache
def usual() -> ComplicationDefinitions:
    return vo.complication_definitions(cohort())


@pytest.mark.parametrize(
    ("definition", "events", "n"),
    [
        ({}, 3, 7),  # a b c; h had KP, a death is no complication
        ({"within_days": 30.0}, 2, 7),
        ({"detection": "without_ct"}, 2, 7),  # a by fluoroscopy, b
        ({"detection": "ct"}, 2, 2),  # a and c were looked at
        ({"unit": "episodes"}, 4, 8),
        ({"kind": "any_or_new_fracture"}, 5, 7),
        ({"kind": "any_or_new_fracture", "within_days": 30.0}, 3, 7),
        ({"kind": "with_symptoms"}, 2, 7),
        ({"kind": "severe"}, 1, 7),
        ({"kind": "leakage"}, 1, 7),
        ({"kind": "leakage", "unit": "levels"}, 2, 9),
        ({"kind": "leakage", "unit": "levels", "detection": "without_ct"}, 1, 9),
        ({"kind": "leakage", "unit": "levels", "detection": "ct"}, 1, 2),
        ({"kind": "leakage", "unit": "episodes"}, 2, 8),
        ({"kind": "symptomatic_leakage"}, 1, 7),
        ({"kind": "pulmonary_cement_embolism"}, 1, 7),
        ({"kind": "new_fracture"}, 2, 7),
        ({"kind": "adjacent_fracture"}, 1, 7),
    ],
)
def test_counts_by_hand(definition: dict, events: int, n: int) -> None:
    row = usual().probability("1 to 3%", **definition)
    assert [row["n_events"], row["n"]] == [events, n]
    assert row["p_below"] + row["p_inside"] + row["p_above"] == pytest.approx(1, abs=1e-12)


def test_every_definition_has_every_band_once() -> None:
    frame = usual().to_frame()
    names = ["kind", "detection", "within_days", "unit"]
    assert frame.groupby(names, dropna=False)["band"].nunique().eq(3).all()
    assert len(frame.drop_duplicates(names)) == 9 * 3 * 2 * 2 + 2 * 3 * 2
    assert not frame.duplicated([*names, "band"]).any()


def test_posterior_of_a_pinned_run() -> None:
    for pin in PINS["posterior"]:
        had = np.r_[np.ones(int(pin["x"])), np.zeros(int(pin["n"] - pin["x"]))]
        prior = "jeffreys" if pin["prior"] == 0.5 else "uniform"
        found = beta_posterior(had, np.arange(len(had)), prior=prior)
        assert found.limits(0.95) == pytest.approx(pin["limits"], rel=1e-10)
        for band, expected in zip(PINS["bands"], pin["bands"], strict=True):
            assert found.band(*band) == pytest.approx(expected, abs=1e-12)


def test_units_of_a_patient_count_less() -> None:
    """Twenty patients with two units that always agree are worth twenty, give or take the k - 1."""
    had = np.repeat(np.r_[np.ones(5), np.zeros(15)], 2)
    found = beta_posterior(had, np.repeat(np.arange(20), 2), prior="jeffreys")
    size = 0.25 * 0.75 / (20 / 19 * np.sum((2 * (had[::2] - 0.25)) ** 2) / 40**2)
    assert [found.a, found.b] == pytest.approx([0.5 + 0.25 * size, 0.5 + 0.75 * size], abs=1e-12)
    none = beta_posterior(np.zeros(40), np.repeat(np.arange(20), 2), prior="uniform")
    assert [none.a, none.b] == [1.0, 21.0]
    assert BetaPosterior(1.0, 21.0).limits(0.9) == pytest.approx(beta.ppf([0.05, 0.95], 1, 21))


def test_published_rates_beside_the_registry() -> None:
    literature = vo.load_literature(RAW)
    published = vo.published_rates(literature)
    found = vo.complication_definitions(cohort(synthetic=True), published=published)
    row = found.probability(
        "below 4%", source="literature, mean", kind="adjacent_fracture", detection="as published",
        unit="as published",
    )  # fmt: skip
    fit = published["adjacent_fracture"]
    assert fit.method == "glmm"
    assert row["p_inside"] == pytest.approx(norm.cdf((logit(0.04) - fit.estimate) / fit.se))
    further = found.probability(
        "below 4%", source="literature, a further study", kind="adjacent_fracture",
        detection="as published", unit="as published",
    )  # fmt: skip
    assert further["p_inside"] > row["p_inside"]
    assert further["ci_high"] == pytest.approx(fit.natural(fit.prediction_high))
    marked = found.to_frame().groupby("source")["synthetic"].agg(["all", "any"])
    assert marked.loc["registry"].all()
    assert not marked.drop("registry").any(axis=None)
    labels = [t.get_text() for t in found.plot().get_yticklabels()]
    assert "adjacent fracture, literature, mean" in labels
    assert "synthetic" in [text.get_text() for text in found.plot().texts]
    with pytest.raises(vo.InputError, match="argument treatment"):
        vo.published_rates(literature, treatment="NSM")
    questions = {q.id: q for q in vo.QUESTIONS}
    known = {"adjacent_fracture_kp": vo.answer(questions["adjacent_fracture_kp"], literature)}
    again = vo.published_rates(literature, treatment="KP", answers=known)
    assert again["adjacent_fracture"].k == known["adjacent_fracture_kp"].k


def test_pooled_proportions_are_those_of_the_binomial_normal_model() -> None:
    """Maximum of the likelihood integrated on a fine grid, without the package's own quadrature."""
    literature = vo.load_literature(RAW)
    fit = vo.published_rates(literature)["leakage"]
    question = next(q for q in vo.QUESTIONS if q.id == "leakage_vp")
    rows = vo.answer(question, literature).entered
    x, n = rows["events"].to_numpy(float), rows["n"].to_numpy(float)
    z = np.linspace(-9, 9, 4001)

    def value(mu: float, tau: float) -> float:
        eta = mu + tau * z[:, None]
        height = x * eta - n * np.logaddexp(0, eta) + norm.logpdf(z)[:, None]
        top = height.max(axis=0)
        return float(np.sum(top + np.log(np.exp(height - top).sum(axis=0))))

    best, tau = value(fit.estimate, np.sqrt(fit.tau2)), np.sqrt(fit.tau2)
    for step in (1e-3, -1e-3):
        assert value(fit.estimate + step, tau) < best
        assert value(fit.estimate, tau + step) < best


def test_bands_of_a_logit_normal_by_hand() -> None:
    below, inside, above = LogitNormal(logit(0.03), 0.5).band(0.01, 0.03)
    assert above == pytest.approx(0.5)
    assert below == pytest.approx(norm.cdf((logit(0.01) - logit(0.03)) / 0.5))
    assert inside == pytest.approx(0.5 - below)
    assert LogitNormal(0.0, 1.0).band(0.0, 1.0) == (0.0, 1.0, 0.0)


def test_what_is_not_recorded_is_said() -> None:
    events = pd.DataFrame(
        {"patient_id": ["a"], "episode_id": ["ea"], "type": ["fever"], "day": [0]}
    )
    found = vo.complication_definitions(cohort(events=events, levels=False))
    assert "severe" not in set(found.to_frame()["kind"])
    assert "ct" not in set(found.to_frame()["detection"])
    assert "levels" not in set(found.to_frame()["unit"])
    assert len(found.notes) == 3
    assert "No severity" in found._repr_html_()


def test_sentence_names_prior_band_and_range() -> None:
    text = str(vo.complication_definitions(cohort(), prior="uniform", level=0.9))
    assert "3 of 7 patients, 42.9% (90% interval" in text
    assert "uniform prior" in text
    assert "1 to 3%" in text
    assert "Jeffreys prior" in str(usual())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"prior": "gut"}, "argument prior"),
        ({"level": 1.0}, "argument level"),
        ({"treatment": "NSM"}, "none to count"),
        ({"treatment": "GLUE"}, "argument treatment"),
        ({"bands": {"all": (0.4, 0.2)}}, "argument bands"),
        ({"bands": {}}, "argument bands"),
        ({"bands": "1-3"}, "argument bands"),
        ({"published": {"leakage": 0.03}}, "argument published"),
        ({"published": {"luck": None}}, "argument kind"),
    ],
)
def test_wrong_questions_are_refused_in_words(asked: dict, said: str) -> None:
    with pytest.raises(vo.InputError, match=said):
        vo.complication_definitions(cohort(), **asked)


def test_rows_that_are_not_there_are_refused_in_words() -> None:
    found = vo.complication_definitions(cohort(), bands={"few": (0, 0.1)})
    for how in ({"band": "many"}, {"band": "few", "colour": 1}, {"band": "few", "unit": "levels"}):
        with pytest.raises(vo.InputError):
            found.probability(how.pop("band"), **how)
