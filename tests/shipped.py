"""The shipped literature and what the package says of it, computed once in a test process."""

import functools
from pathlib import Path
from typing import Any

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.literature.load import Literature
from vertebro_outcomes.meta_analysis.literature_network import (
    LITERATURE_NETWORKS,
    literature_network,
)
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.results.answer import Answer

RAW = Path(__file__).parents[1] / "data" / "raw"


@functools.cache
def literature() -> Literature:
    return vo.load_literature(RAW / "literature")


@functools.cache
def answer_of(question_id: str) -> Answer:
    question = next(question for question in vo.QUESTIONS if question.id == question_id)
    return vo.answer(question, literature())


def answers() -> list[tuple[Question, Answer]]:
    return [(question, answer_of(question.id)) for question in vo.QUESTIONS]


@functools.cache
def examined() -> dict[str, Any]:
    """What a report on the literature shows beside its answers."""
    return {
        "findings": vo.check_reported(literature()),
        "reproduction": vo.reproduce_literature(literature()),
    }


@functools.cache
def claims() -> Any:
    return vo.examine_claims(literature(), answers=answers())


@functools.cache
def networks() -> list[tuple[Any, Any]]:
    return [
        (question, literature_network(question, literature())) for question in LITERATURE_NETWORKS
    ]
