"""Deaths that an OMOP database tells beside its table of deaths: observations, diagnoses, discharges."""

from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.engine import count, store

DEATH: Final = "_death"
# The whole text: a death in the family or a fear of death is none of the patient.
_WORDS: Final = r"^(patient )?(death|dead|deceased|died)$"
# Where somebody was discharged to: `Expired in hospital` is of nobody else.
_DISCHARGED: Final = r"\b(expired|death|dead|deceased|died)\b"
DEATH_DATES: Final = {
    "observation": "observation_date",
    "condition_occurrence": "condition_start_date",
    "visit_occurrence": "visit_end_date",
}
_COLUMNS: Final = {
    "observation": ("observation_source_value", "observation_concept_id"),
    "condition_occurrence": ("condition_source_value", "condition_concept_id"),
    "visit_occurrence": (
        *("discharge_to_source_value", "discharged_to_source_value"),
        *("discharge_to_concept_id", "discharged_to_concept_id"),
    ),
}


def with_deaths(engine: Any, source: Source, table: str, concepts: Source | None) -> Source | None:
    """`_death` is 1 on rows whose source value, or the name of whose concept, is death.

    None where no row tells of one.
    """
    import ibis

    data = source.data
    words = _DISCHARGED if table == "visit_occurrence" else _WORDS
    told: Any = ibis.literal(False)
    known: list[str] | None = None
    for column in (c for c in _COLUMNS[table] if c in data.columns):
        if column.endswith("_source_value"):
            told = told | data[column].strip().lower().re_search(words).fill_null(False)
        elif concepts is not None:
            known = _named(concepts, words) if known is None else known
            told = told | data[column].isin(known or [""]).fill_null(False)
    if not count(data.filter(told).limit(1)):
        return None
    mark = ibis.ifelse(told, "1", ibis.null("string"))
    return replace(source, data=store(engine, "omop", data.mutate(**{DEATH: mark})))


def _named(concepts: Source, words: str) -> list[str]:
    named = concepts.data.concept_name.strip().lower().re_search(words)
    return sorted(concepts.data.filter(named).concept_id.to_pyarrow().to_pylist())
