"""The tables of an OMOP CDM as files spell them: names, headers, and what stands in for what."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.format import NO_TEXT
from vertebro_outcomes.loaders.look_up import is_among
from vertebro_outcomes.loaders.sources import LINE, Source

if TYPE_CHECKING:
    import ibis.expr.types as ir

USED: Final = (
    "person", "observation_period", "condition_occurrence", "procedure_occurrence", "measurement",
    "observation", "death", "concept", "care_site", "episode", "cdm_source", "visit_occurrence",
)  # fmt: skip
CDM_TABLES: Final = (
    *USED, "visit_detail", "drug_exposure", "device_exposure", "note",
    "note_nlp", "specimen", "fact_relationship", "location", "provider", "cost",
    "payer_plan_period", "drug_era", "dose_era", "condition_era", "episode_event",
    "metadata", "vocabulary", "domain", "concept_class", "concept_relationship",
    "relationship", "concept_synonym", "concept_ancestor", "source_to_concept_map",
    "drug_strength", "cohort", "cohort_definition", "survey_conduct",
)  # fmt: skip


# Parts of one table: `measurement_2`, `person000000000001`, `part-00000-...` in a folder of its name.
_PART: Final = r"[_.-]?(part|chunk|shard)?[_.-]?\d+$"
_SPELLED: Final = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})([T ].*)?$"
_COMPACT: Final = r"^\d{8}([T ].*)?$"


def table_name(file: Path) -> str | None:
    """`2b_CONCEPT.csv`, `Person.parquet`, `person/part-0.csv` -> the name of the CDM table."""
    stem = _stem(file)
    if re.match(r"(part|chunk|shard)?[_.-]?\d", stem) and file.parent.name.lower() in CDM_TABLES:
        return file.parent.name.lower()
    for plain in (stem, re.sub(_PART, "", stem)):
        if plain in CDM_TABLES:
            return plain
    fitting = [name for name in CDM_TABLES if re.search(rf"(^|[^a-z]){name}$", stem)]
    return max(fitting, key=len) if fitting else None


def one_of(name: str, sources: Sequence[Source]) -> Source | None:
    """Of files that seem to hold one table the only one that has its name; none where they are parts."""
    if len(sources) == 1:
        return sources[0]
    own = [source for source in sources if _stem(Path(source.name)) == name]
    parts = [s for s in sources if re.sub(_PART, "", _stem(Path(s.name))) in (name, "")]
    return own[0] if len(own) == 1 and len(parts) == 1 else None


def _stem(file: Path) -> str:
    return Path(file.name.lower().removesuffix(".gz")).stem


def tidied(source: Source) -> Source:
    """The same table with headers in lower case, without blanks around cells or decimals of ids."""
    names = {}
    for title in source.columns:
        lower = re.sub(r"\W+", "_", title.strip().lower())
        if lower not in names:
            names[lower] = title
    cells = {new: source.data[old].strip() for new, old in names.items()}
    whole = {new: _whole(cell) for new, cell in cells.items() if new.endswith("_id")}
    return replace(source, data=_with_dates(source.data.select(LINE, **{**cells, **whole})))


def _whole(text: "ir.StringValue") -> Any:
    """`12.0`, as a program writes whole numbers beside blanks, is 12."""
    import ibis

    return ibis.ifelse(text.contains("."), text.re_replace(r"\.0+$", ""), text)


def _with_dates(data: "ir.Table") -> "ir.Table":
    """Dates in ISO where they begin with the year; `X_date` from `X_datetime` where it is not told."""
    made = {c: iso_day(data[c]) for c in data.columns if c.endswith("_date")}
    for timed in (c for c in data.columns if c.endswith("_datetime") and c != "birth_datetime"):
        day, text = f"{timed.removesuffix('_datetime')}_date", iso_day(data[timed])
        made[day] = made[day].coalesce(text) if day in made else text
    if "birth_datetime" in data.columns:
        born = iso_day(data.birth_datetime)
        known = data.year_of_birth.nullif("") if "year_of_birth" in data.columns else None
        for name, start, length in (("year", 0, 4), ("month", 5, 2), ("day", 8, 2)):
            column, part = f"{name}_of_birth", born.substr(start, length)
            told = data[column] if known is not None and column in data.columns else None
            made[column] = (
                part if told is None or known is None else known.isnull().ifelse(part, told)
            )
    return data.mutate(**made) if made else data


def iso_day(text: Any) -> Any:
    """`2019/3/1`, `20190301`, `2019-03-01T10:00` -> `2019-03-01`; other texts as they are."""
    import ibis

    plain = (text.length() == 10) & (text.substr(4, 1) == "-") & (text.substr(7, 1) == "-")
    year, month, day = (text.re_extract(_SPELLED, n) for n in (1, 2, 3))
    spelled = year + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0")
    compact = text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2)
    return ibis.cases(
        (plain, text),
        (is_among(text, ["", *NO_TEXT]), ibis.null("string")),
        (text.re_search(_SPELLED), spelled),
        (text.re_search(_COMPACT), compact),
        else_=text,
    )


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
