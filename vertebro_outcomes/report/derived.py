"""Steps between the results and the sections: what a section needs of them, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.meta_analysis.beside_reviews import beside_published
from vertebro_outcomes.meta_analysis.evidence_map import evidence_map
from vertebro_outcomes.meta_analysis.literature_network import LITERATURE_NETWORKS
from vertebro_outcomes.meta_analysis.published_rates import QUESTION_OF, published_rates
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.report.gather import network_of
from vertebro_outcomes.report.literature_steps import literature_step, noted_literature
from vertebro_outcomes.report.steps import Read, Step
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.pooled_effect import PooledEffect
from vertebro_outcomes.results.registry_analysis import UnreadRegistry

RATES_OF: Final = "VP"  # whose complications a registry is held against


@dataclass(frozen=True)
class Fit:
    """How an answer was computed; `pools` if from two or more studies."""

    method: str
    ci: str
    level: float
    dialect: str
    measure: str
    pools: bool


def derived_step(name: str) -> Step | None:
    """The step of that name: one of `_DERIVED`, or a part of the literature."""
    return _DERIVED.get(name) or literature_step(name)


def reader_of(pieces: Mapping[str, Any]) -> Read:
    """Reads what is given, and what follows from it."""
    known = dict(pieces)

    def read(name: str) -> Any:
        if name not in known:
            step = derived_step(name)
            assert step is not None, name
            known[name] = step.make(read)
        return known[name]

    return read


def _answers(read: Read) -> list[tuple[Question, Answer]]:
    return [(question, read(f"answer {question.id}")) for question in read("questions")]


def _fits(read: Read) -> tuple[Fit, ...]:
    pooled = [answer.pooled for _, answer in _answers(read) if answer.pooled is not None]
    return tuple(
        Fit(fit.method, fit.ci, fit.level, fit.dialect, fit.measure, fit.k > 1) for fit in pooled
    )


def _evidence_map(read: Read) -> pd.DataFrame:
    family_of = {name: outcome.family for name, outcome in OUTCOMES.items()}
    return evidence_map(noted_literature(read), _answers(read), family_of=family_of)


def _beside_reviews(read: Read) -> pd.DataFrame:
    return beside_published(_answers(read), noted_literature(read))


def _network(question: Question, read: Read) -> NetworkEffect | None:
    return network_of(question, noted_literature(read))


def _networks(read: Read) -> list[tuple[Question, NetworkEffect]]:
    found = [(question, read(f"network {question.id}")) for question in LITERATURE_NETWORKS]
    return [(question, net) for question, net in found if net is not None]


def _published_rates(read: Read) -> dict[str, PooledEffect]:
    asked = {question.id for question in read("questions")}
    wanted = [name for name in QUESTION_OF[RATES_OF].values() if name in asked]
    answers = {name: read(f"answer {name}") for name in wanted}
    return published_rates(treatment=RATES_OF, answers=answers)


def _published_rate(read: Read) -> float | None:
    """Pooled share of patients with any complication; None where it is not asked or not known."""
    fit = read("published rates").get("any")
    return None if fit is None else float(fit.to_frame(scale="natural")["estimate"].iloc[0])


def _unread(read: Read) -> tuple[str, ...]:
    return tuple(found.name for found in read("registries") if isinstance(found, UnreadRegistry))


_DERIVED: Final = {
    "number of studies": Step(lambda read: len(read("sheet studies")), keep=True),
    "fits": Step(_fits, keep=True),
    "evidence map": Step(_evidence_map, keep=True),
    "beside reviews": Step(_beside_reviews, keep=True),
    **{
        f"network {question.id}": Step(
            partial(_network, question), f"joining the trials: {question.title}", keep=True
        )
        for question in LITERATURE_NETWORKS
    },
    "networks": Step(_networks),
    "published rates": Step(_published_rates, keep=True),
    "published rate": Step(_published_rate, keep=True),
    "unread registries": Step(_unread, keep=True),
}
