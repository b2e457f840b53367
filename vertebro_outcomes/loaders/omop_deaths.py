"""Deaths that an OMOP database tells as observations, beside or in place of its table of deaths."""

from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.engine import store

DEATH: Final = "_death"
# The whole text: a death in the family or a fear of death is none of the patient.
_WORDS: Final = r"^(patient )?(death|dead|deceased|died)$"


def with_deaths(engine: Any, source: Source, concepts: Source | None) -> Source:
    """`_death` is 1 on observations whose source value, or the name of whose concept, is death."""
    import ibis

    data = source.data
    told: Any = ibis.literal(False)
    if "observation_source_value" in data.columns:
        said = data.observation_source_value.strip().lower()
        told = told | said.re_search(_WORDS).fill_null(False)
    if concepts is not None and "observation_concept_id" in data.columns:
        named = concepts.data.concept_name.strip().lower().re_search(_WORDS)
        known = concepts.data.filter(named).concept_id.to_pyarrow().to_pylist()
        told = told | data.observation_concept_id.isin(sorted(known) or [""]).fill_null(False)
    mark = ibis.ifelse(told, "1", ibis.null("string"))
    return replace(source, data=store(engine, "omop", data.mutate(**{DEATH: mark})))
