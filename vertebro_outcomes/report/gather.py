"""What the report needs beside the answers: networks and claims, where the data allow them."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from vertebro_outcomes.errors import InputError
from vertebro_outcomes.loaders.device_reports import list_device_reports, read_device_reports
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
    found = [(question, network_of(question, literature)) for question in LITERATURE_NETWORKS]
    return [(question, net) for question, net in found if net is not None]


def network_of(question: Question, literature: Literature) -> NetworkEffect | None:
    """The network on a question, None where no trials connect."""
    with suppress(InputError):
        return literature_network(question, literature)
    return None


def claims_of(
    literature: Literature, answers: Sequence[tuple[Question, Answer]]
) -> ExaminedClaims | None:
    """The claims examined, None where no sheet of claims lies beside the others."""
    if not (literature.folder / "claims.csv").is_file():
        return None
    return examine_claims(literature, answers=answers)


def device_reports_of(folder: Path) -> pd.DataFrame:
    """Reports of the files in a folder by event and product: `source event_type brand_name n_reports`.

    Empty where there is no folder. A count of reports is never divided by anything.
    """
    found = [
        list_device_reports(read_device_reports(path)).assign(source=path.stem)
        for path in sorted(folder.glob("*"))
        if path.suffix in (".csv", ".txt", ".json")
    ]
    columns = ["source", "event_type", "brand_name", "n_reports"]
    return pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)
