"""What a load says of the cohort that codes of an OMOP database make."""

from collections.abc import Mapping
from typing import Any, Final

from vertebro_outcomes.loaders.codes import CodeSets
from vertebro_outcomes.loaders.omop_cohort import (
    CLEAN_WINDOW_DAYS,
    FOLLOWED,
    LATER,
    LOOK_BACK_DAYS,
    RIVAL,
    members,
)
from vertebro_outcomes.loaders.omop_scores import said_of, unlisted_codes
from vertebro_outcomes.loaders.omop_unread import said_of_unread
from vertebro_outcomes.loaders.sources import Source

_RULES: Final = (
    "index fracture: first vertebral fracture, for treated patients the one treated; a new "
    f"fracture follows {CLEAN_WINDOW_DAYS} days without such a diagnosis",
    "codes of procedures and diagnoses are configuration: review them for this database",
)
_SEVERAL: Final = (
    f"several fractures in the {LOOK_BACK_DAYS} days before the procedure, and codes do not tell which "
    "was treated: the last one is taken; where the database knows better, map the episodes"
)
_AGAIN: Final = (
    "treated again on a later day; only the first treatment is an episode: where the others matter, map "
    "the episodes"
)
_BOTH: Final = (
    "codes of VP and of KP on the day of the procedure: read as KP, of which cement is a step"
)
_FOLLOWED: Final = (
    "diagnoses of a vertebral fracture at later visits or of its sequelae alone: when it was is not told, "
    "so they are no patients without a procedure"
)
_IN_VIEW_AGAIN: Final = (
    "in view again after a gap: follow-up ends with the period in view that holds day 0"
)


def notes_of(tables: Mapping[str, Source], codes: CodeSets) -> list[str]:
    """The rules of entry, how many people they are hard for, and what is not read."""
    people = members(tables)
    notes = [*_RULES, *_of_conditions(tables, people), *_of_procedures(tables)]
    if "observation_period" in tables and "_again" in tables["observation_period"].columns:
        rows = tables["observation_period"].data
        notes += _said(rows.filter(rows["_again"].notnull()), ("is ", "are "), _IN_VIEW_AGAIN)
    if people is None or not people.distinct().count().to_pyarrow().as_py():
        notes.append("nobody entered the cohort: no procedure or vertebral fracture of the codes")
    return [*notes, *said_of_unread(tables, codes)]


def unlisted_scores(tables: Mapping[str, Source]) -> list[str]:
    """What is said of codes with numbers that seem to be scores and are in no list."""
    concepts = tables.get("concept")
    kinds = [kind for kind in ("measurement", "observation") if kind in tables]
    return [
        note
        for kind in kinds
        for note in said_of(tables[kind], unlisted_codes(tables[kind], kind, concepts))
    ]


def _of_conditions(tables: Mapping[str, Source], people: Any) -> list[str]:
    if "condition_occurrence" not in tables:
        return []
    rows = tables["condition_occurrence"].data
    followed = rows.filter(rows["_role"] == FOLLOWED).anti_join(people, "person_id")
    has = ("has ", "have ")
    return [
        *_said(rows.filter(rows["_role"] == RIVAL), has, _SEVERAL),
        *_said(followed, has, _FOLLOWED),
    ]


def _of_procedures(tables: Mapping[str, Source]) -> list[str]:
    if "procedure_occurrence" not in tables:
        return []
    rows = tables["procedure_occurrence"].data
    days = rows.filter(rows["_treatment"].notnull()).group_by("person_id", "_date")
    days = days.aggregate(
        kinds=rows["_treatment"].nunique(), first=(rows["_role"] == "index").any()
    )
    both = days.filter((days.kinds > 1) & days["first"])
    again = rows.filter(rows["_role"] == LATER)
    return [*_said(both, ("has ", "have "), _BOTH), *_said(again, ("was ", "were "), _AGAIN)]


def _said(rows: Any, verbs: tuple[str, str], what: str) -> list[str]:
    n = rows.person_id.nunique().to_pyarrow().as_py() or 0
    if not n:
        return []
    return [f"1 person {verbs[0]}{what}" if n == 1 else f"{n} people {verbs[1]}{what}"]
