"""The same question pooled otherwise: common or random effects, with or without open-label trials."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from vertebro_outcomes.meta_analysis.pool import pool
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.meta_analysis.questions import INTERVAL, METHOD
from vertebro_outcomes.results.answer import Answer


@dataclass(frozen=True)
class Variant:
    """One way of pooling: `name` for files, `label` for readers."""

    name: str
    label: str
    answer: Answer


def answer_variants(
    question: Question, answer: Answer, answers: Sequence[tuple[Question, Answer]]
) -> tuple[Variant, ...]:
    """The answer as it stands first, then pooled otherwise; only itself where that changes nothing.

    Parameters
    ----------
    question, answer
        What was asked and found.
    answers
        All questions with their answers; the open-label trials of the same question come from there.

    Returns
    -------
    tuple of Variant
        Common effect where two or more trials entered; for sham-controlled questions also with the
        open-label trials against non-surgical care added.
    """
    found = []
    if answer.k > 1:
        found.append(Variant("common", "common effect", _pooled(answer, "EE")))
    opened = _with_open(question, answer, answers)
    if opened is not None:
        found.append(Variant("open", "random effects, open-label trials added", opened))
        common = _pooled(opened, "EE")
        found.append(Variant("open_common", "common effect, open-label trials added", common))
    first = Variant("", "random effects" if answer.k > 1 else "as reported", answer)
    return (first, *found)


def is_sister(question: Question, other: Question) -> bool:
    """Whether `other` asks of open-label trials what `question` asks of sham-controlled ones."""
    return question.comparator == "SHAM" and (
        other.outcome_family, other.treatment, other.comparator, other.measure, other.window
    ) == (question.outcome_family, question.treatment, "NSM", question.measure, question.window)  # fmt: skip


def _pooled(answer: Answer, method: Literal["EE", "REML"]) -> Answer:
    fit = pool(answer.entered, method=method, ci=INTERVAL, measure=answer.measure)
    return replace(answer, pooled=fit)


def _with_open(
    question: Question, answer: Answer, answers: Sequence[tuple[Question, Answer]]
) -> Answer | None:
    if not answer.k:
        return None
    same = [other for asked, other in answers if other.k and is_sister(question, asked)]
    if not same:
        return None
    trials = pd.concat([answer.entered, same[0].entered], ignore_index=True)
    joined = replace(
        answer,
        title=f"{answer.title}, open-label trials against non-surgical care added",
        comparator="control",
        entered=trials,
    )
    return _pooled(joined, METHOD)
