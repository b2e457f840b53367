"""The tables of an OMOP CDM as files spell them: names, headers, and what stands in for what."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vertebro_outcomes.loaders.sources import LINE, Source

if TYPE_CHECKING:
    import ibis.expr.types as ir

USED: Final = (
    "person", "observation_period", "condition_occurrence", "procedure_occurrence", "measurement",
    "observation", "death", "concept", "care_site", "episode", "cdm_source",
)  # fmt: skip
CDM_TABLES: Final = (
    *USED, "visit_occurrence", "visit_detail", "drug_exposure", "device_exposure", "note",
    "note_nlp", "specimen", "fact_relationship", "location", "provider", "cost",
    "payer_plan_period", "drug_era", "dose_era", "condition_era", "episode_event",
    "metadata", "vocabulary", "domain", "concept_class", "concept_relationship",
    "relationship", "concept_synonym", "concept_ancestor", "source_to_concept_map",
    "drug_strength", "cohort", "cohort_definition", "survey_conduct",
)  # fmt: skip


def table_name(file: Path) -> str | None:
    """`2b_CONCEPT.csv`, `Person.parquet` -> the name of the CDM table."""
    stem = Path(file.name.lower().removesuffix(".gz")).stem
    if stem in CDM_TABLES:
        return stem
    fitting = [name for name in CDM_TABLES if re.search(rf"(^|[^a-z]){name}$", stem)]
    return max(fitting, key=len) if fitting else None


def tidied(source: Source) -> Source:
    """The same table with headers in lower case and without blanks around cells."""
    names = {}
    for title in source.columns:
        lower = re.sub(r"\W+", "_", title.strip().lower())
        if lower not in names:
            names[lower] = title
    data = source.data.select(LINE, **{new: source.data[old].strip() for new, old in names.items()})
    return replace(source, data=_with_dates(data))


def _with_dates(data: "ir.Table") -> "ir.Table":
    """`X_date` from `X_datetime` where it is blank or not there; its day as it is written."""
    made = {}
    for timed in (c for c in data.columns if c.endswith("_datetime") and c != "birth_datetime"):
        day = f"{timed.removesuffix('_datetime')}_date"
        text = data[timed].re_extract(r"^(\d{4}-?\d{2}-?\d{2})", 1).nullif("").coalesce(data[timed])
        made[day] = data[day].nullif("").coalesce(text) if day in data.columns else text
    if "birth_datetime" in data.columns and "year_of_birth" not in data.columns:
        made["year_of_birth"] = data.birth_datetime.substr(0, 4)
        made["month_of_birth"] = data.birth_datetime.substr(5, 2)
        made["day_of_birth"] = data.birth_datetime.substr(8, 2)
    return data.mutate(**made) if made else data


def eras_for_occurrences(tables: dict[str, Source], others: dict[str, Source]) -> tuple[str, ...]:
    """Eras of diagnoses stand in for the diagnoses themselves where a database hands out no others."""
    known = tables.get("condition_occurrence")
    era = next((s for s in others.values() if table_name(Path(s.name)) == "condition_era"), None)
    if era is None or (known is not None and known.n_rows):
        return ()
    tidy = tidied(era)
    if not {"person_id", "condition_era_start_date"} <= set(tidy.columns):
        return ()
    if known is not None:
        others[known.name] = known
    del others[era.name]
    data = tidy.data.rename(condition_start_date="condition_era_start_date")
    tables["condition_occurrence"] = replace(tidy, data=data)
    return (f"{era.name} stands in for the diagnoses: condition_occurrence is not there or empty",)
