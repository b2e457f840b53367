"""What the report needs beside the answers: networks and claims, where the data allow them."""

from collections.abc import Sequence
from contextlib import suppress

from vertebro_outcomes.errors import InputError
from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.claims import examine_claims
from vertebro_outcomes.meta_analysis.literature_network import (
    LITERATURE_NETWORKS,
    literature_network,
)
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims
from vertebro_outcomes.results.network_effect import NetworkEffect


def networks_of(literature: Literature) -> list[tuple[Question, NetworkEffect]]:
    """The networks that can be built; a question without connected trials is left out."""
    found = []
    for question in LITERATURE_NETWORKS:
        with suppress(InputError):
            found.append((question, literature_network(question, literature)))
    return found


def claims_of(
    literature: Literature, answers: Sequence[tuple[Question, Answer]]
) -> ExaminedClaims | None:
    """The claims examined, None where no sheet of claims lies beside the others."""
    if not (literature.folder / "claims.csv").is_file():
        return None
    return examine_claims(literature, answers=answers)
