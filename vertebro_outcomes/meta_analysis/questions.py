"""From a question to its answer: the rows, one effect per trial, the pool."""

from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.effect_sizes import effect_sizes
from vertebro_outcomes.meta_analysis.evidence import (
    Evidence,
    select_contrasts,
    select_proportions,
)
from vertebro_outcomes.meta_analysis.note_words import note_words
from vertebro_outcomes.meta_analysis.pool import pool
from vertebro_outcomes.meta_analysis.question_list import QUESTIONS, Question
from vertebro_outcomes.outcomes import FAMILIES, family_outcome
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.pooled_effect import PooledEffect

__all__ = ["QUESTIONS", "Answer", "Question", "answer"]

METHOD: Final = "REML"  # tau² estimator of every answer: Veroniki 2016, doi:10.1002/jrsm.1164
INTERVAL: Final = "wald"  # normal quantile, as the reviews in the record use it
_NUMBERS: Final = ("effect", "ci_low", "ci_high", "ci_level", "se")
_KEPT: Final = ("effect", "variance", "se", "measure", "corrected", "excluded_because")


def answer(question: Question, literature: Literature) -> Answer:
    """What the published record says on a question.

    Parameters
    ----------
    question
        One of `QUESTIONS`, or your own.
    literature
        As `load_literature()` gives.

    Returns
    -------
    Answer
        The trials that entered (random effects, REML, where there are two or more), and every row
        left out with its reason.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> answer(QUESTIONS[2], vo.load_literature()).k
    3
    """
    record = _record(question, literature)
    evidence = _evidence(question, record)
    es = _effects(evidence.rows, question.measure)
    labels = record.studies.set_index("study_id")["label"]
    es["study"] = es["study_id"].map(labels)
    unusable = es["effect"].isna()
    dropped = es[unusable].rename(columns={"excluded_because": "reason"})
    left_out = pd.concat([evidence.left_out, dropped[list(evidence.left_out.columns)]])
    es = es[~unusable].reset_index(drop=True)
    outcome = family_outcome(question.outcome_family)
    treatment = question.treatment if isinstance(question.treatment, str) else "VA"
    return Answer(
        question_id=question.id,
        title=question.title,
        measure=question.measure,
        treatment=treatment,
        comparator=question.comparator,
        unit=outcome.unit if question.measure == "MD" and question.scale == "canonical" else "",
        better=outcome.better,
        entered=es,
        left_out=left_out.assign(study=left_out["study_id"].map(labels)).reset_index(drop=True),
        pooled=_pool(es, question.measure),
        notes=_notes(question, es, literature),
    )


def _record(question: Question, literature: Literature) -> Literature:
    """What there is on the outcome about the treatments in question: nothing else is looked at."""
    named = (question.treatment, question.comparator)
    words = [word for side in named for word in ([side] if isinstance(side, str) else side) if word]
    return literature.about(FAMILIES.get(question.outcome_family, ()), treatments=words)


def _evidence(question: Question, literature: Literature) -> Evidence:
    if not question.comparator:
        return select_proportions(
            literature,
            outcome_family=question.outcome_family,
            treatment=question.treatment,
            day_window=question.window,
            target_day=question.target_day,
            designs=question.designs,
            unit=question.unit,
        )
    return select_contrasts(
        literature,
        outcome_family=question.outcome_family,
        treatment=question.treatment,
        comparator=question.comparator,
        measure=question.measure,
        day_window=question.window,
        target_day=question.target_day,
        designs=question.designs,
        unit=question.unit,
        scale=question.scale,
        missing_n=question.missing_n,
    )


def _effects(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Arms through the formula of the measure; printed contrasts by their interval (log for ratios)."""
    rows = rows.copy()
    needed = MEASURES[measure].columns
    for name in {*_NUMBERS, *needed}:
        if name in rows.columns:
            rows[name] = rows[name].astype(float)
    printed = (rows["source"] == "contrast").to_numpy(dtype=bool)
    parts = []
    if (~printed).any():
        arms = rows[~printed].drop(columns=["effect", "se"])
        parts.append(effect_sizes(arms, measure=measure))
    if printed.any():
        given = rows[printed].assign(ci_level=rows["ci_level"].fillna(95.0))
        parts.append(effect_sizes(given, measure="HR" if MEASURES[measure].is_ratio else "GEN"))
    if not parts:
        return rows.assign(**dict.fromkeys(_KEPT, np.nan))
    es = pd.concat(parts).loc[rows.index]
    return es[[*rows.columns.difference(_KEPT, sort=False), *_KEPT]].assign(measure=measure)


def _pool(es: pd.DataFrame, measure: str) -> PooledEffect | None:
    if es.empty:
        return None
    return pool(es, method=METHOD if len(es) > 1 else "EE", ci=INTERVAL, measure=measure)


def _notes(question: Question, es: pd.DataFrame, literature: Literature) -> tuple[str, ...]:
    notes = [note_words(question.note, literature)] if question.note else []
    if len(es) == 1:
        notes.append("One study only: its own result is shown, nothing is pooled.")
    for column, value, words in (
        (
            "verification",
            "corroborated",
            "not seen in a retrieved text, corroborated by a printed result",
        ),
        ("n_source", "randomised", "with the numbers randomised, numbers at follow-up not printed"),
        ("sd_source", "from_ci", "with an SD that comes from a printed interval"),
        ("sd_source", "from_se", "with an SD that comes from a printed standard error"),
    ):
        names = es.loc[es[column] == value, "study"].tolist()
        if names:
            notes.append(f"{', '.join(names)}: {words}.")
    inferred = es["direction_basis"].astype(str).str.startswith("inferred")
    if inferred.any():
        names = es.loc[inferred, "study"].tolist()
        notes.append(f"{', '.join(names)}: direction inferred, not stated in the retrieved text.")
    return tuple(notes)
