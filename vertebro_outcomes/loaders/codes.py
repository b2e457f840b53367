"""Procedure, diagnosis and score codes of health records: the shipped list, and the user's own."""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.literature.load import literature_folder
from vertebro_outcomes.tables.event_types import INSTRUMENTS
from vertebro_outcomes.vocabulary import TREATMENTS

# LOINC codes of pain ratings and the OMOP concept of the first; more may be given by the user.
SCORE_CODES: Final[dict[str, str]] = {
    "725143": "pain_nrs",  # Pain severity - 0-10 verbal numeric rating [Score] - Reported
    "382143": "pain_vas",  # Pain severity [Score] Visual analog score
    "43055141": "pain_nrs",
}
SCORE_NAMES: Final = (
    (r"pain severity.*(verbal|numeric)", "pain_nrs"),
    (r"pain severity.*visual|visual analog.*pain", "pain_vas"),
    (r"oswestry", "odi"),
    (r"roland.?morris", "rmdq"),
)
PART_OF_SCORE: Final = (
    r"section|\bitems?\b|\bquestion\b|panel|intensity|lifting|walking|sitting|standing|sleeping"
    r"|personal care|travel|social life|sex life|\bgoal|\bchange\b|interpretation|(least|worst) pain"
    r"|\b(leg|arm|knee|hip|shoulder|neck|chest|head|abdom\w*|foot|hand)\b"
)
TREATMENT_NAMES: Final = ((r"kyphoplasty", "KP"), (r"vertebroplasty", "VP"))
# `VP or cement step of KP` is read as its first word, `KP fracture reduction step` as KP.
_FIRST_TREATMENT = re.compile(r"^(VP|KP|VAI|NSM|SHAM|FACET|VA)\b")
_FRACTURE = re.compile(r"vertebral fracture|collapsed vertebra", re.I)
FRACTURE_NAME: Final = (
    r"(vertebra|\bspin(e|al)\b).*(fracture|collaps)|(fracture|collaps).*(vertebra|\bspin(e|al)\b)"
)
# Spines of other bones, fractures that were or may be, and those of another cause than the listed ones.
NO_FRACTURE_NAME: Final = (
    r"(iliac|ischial|tibial?|scapular?|nasal|mandib\w*|alar) spine|spine of (the )?(\w+ )?(ilium|ischium"
    r"|tibia|scapula|maxilla|sphenoid)|history|\bold\b|healed|late effect|\brisk\b|suspect|screening"
    r"|\b(without|not?)\b (\w+ ){0,3}fracture|an(a)?esthe|\bbirth\b|neoplas|metasta|malignan"
    r"|tumou?r|stress|fatigue"
)
# The same fracture at a later visit, or what it left behind: it begins none.
FOLLOW_UP_NAME: Final = (
    r"subsequent encounter|sequela|aftercare|(routine|delayed) healing|(non|mal|delayed )\s?-?union"
)
NO_TREATMENT_NAME: Final = r"history|remov|declin|cancel|planned|not (done|carried)|refus"
_FOLLOW_UP = re.compile(r"subsequent encounter|sequela", re.I)
_FIRST_VISIT: Final = "A"  # last sign of an ICD-10-CM code of a fracture
# OPS lists 5-839.9 "ff.": one more sign behind it counts the vertebrae.
_FINER: Final = "0123456789X"
# The level an ICD-10-CM code names alone; codes that name two levels give none.
LEVEL_OF_STEM: Final[dict[str, str]] = {
    **{f"S220{n}": f"T{n}" for n in range(1, 5)},
    **{f"S320{n}": f"L{n}" for n in range(1, 6)},
}


@dataclass(frozen=True)
class CodeSets:
    """Code (without dots, upper case) or concept id -> what it means here."""

    procedures: Mapping[str, str]
    fractures: frozenset[str]
    scores: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())
    follow_ups: frozenset[str] = frozenset()  # later visits and sequelae of a listed fracture


def plain_code(code: str) -> str:
    """`S32.010A` -> `S32010A`."""
    return re.sub(r"[^A-Z0-9]", "", str(code).upper())


def code_sets(given: Any = None) -> CodeSets:
    """The shipped codes, or those of a mapping's `codes`: a CSV path, or tables of codes.

    `procedures` and `fractures` say who enters and replace the shipped list of that kind; `scores`
    are added to the shipped ones, and what they say of a code is what counts.
    """
    shipped = _from_csv(literature_folder() / "codes.csv")
    if given is None:
        return shipped
    if isinstance(given, str | Path):
        own = _from_csv(Path(given))
        return CodeSets(
            own.procedures,
            own.fractures,
            shipped.scores,
            (f"codes: {Path(given).name}",),
            own.follow_ups,
        )
    _refuse_unknown(given)
    procedures = {plain_code(k): str(v) for k, v in given.get("procedures", {}).items()}
    scores = {plain_code(k): str(v) for k, v in given.get("scores", {}).items()}
    fractures = frozenset(plain_code(code) for code in given.get("fractures", ()))
    return CodeSets(
        procedures or shipped.procedures,
        fractures or shipped.fractures,
        {**shipped.scores, **scores},
        (f"codes of the mapping for {', '.join(given)}",),
        frozenset() if fractures else shipped.follow_ups,
    )


def _from_csv(path: Path) -> CodeSets:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        problem = Problem(path.name, error.strerror or "cannot be read", "a CSV of codes")
        raise LoadError(path.name, [problem], "check the path of the codes") from None
    if rows and not {"code", "treatment_or_condition"} <= set(rows[0]):
        problem = Problem(path.name, ", ".join(rows[0]), "columns code, treatment_or_condition")
        raise LoadError(path.name, [problem], "name the columns as in the shipped codes.csv")
    procedures: dict[str, str] = {}
    fractures: set[str] = set()
    later: set[str] = set()
    for row in rows:
        meaning, code = (row["treatment_or_condition"] or "").strip(), plain_code(row["code"])
        treatment = _FIRST_TREATMENT.match(meaning)
        if treatment:
            word = "VA" if meaning == "VP or KP" else treatment[1]
            finer = [code + sign for sign in _FINER if row.get("system") == "OPS"]
            procedures |= dict.fromkeys([code, *finer], word)
        elif _FRACTURE.search(meaning):
            (later if _FOLLOW_UP.search(row.get("meaning") or "") else fractures).add(code)
    return CodeSets(
        procedures, frozenset(fractures), SCORE_CODES, follow_ups=_follow_ups(fractures, later)
    )


def _follow_ups(fractures: Collection[str], later: Collection[str]) -> frozenset[str]:
    """Codes of later visits: those listed, and first visits with the last sign of such a code."""
    ends = {code[-1] for code in later if code[:-1] + _FIRST_VISIT in fractures}
    firsts = [code[:-1] for code in fractures if len(code) == 7 and code[-1] == _FIRST_VISIT]
    return frozenset({*later, *(stem + end for stem in firsts for end in ends)} - {*fractures})


def _refuse_unknown(given: Mapping[str, Any]) -> None:
    allowed = {"procedures": tuple(TREATMENTS), "scores": tuple(INSTRUMENTS)}
    problems = [
        Problem(f"mapping, codes.{key}", "unknown key", "procedures, fractures, scores")
        for key in given
        if key not in ("procedures", "fractures", "scores")
    ]
    problems += [
        Problem(f"mapping, codes.{kind}.{code}", repr(word), ", ".join(words))
        for kind, words in allowed.items()
        for code, word in given.get(kind, {}).items()
        if word not in words
    ]
    if problems:
        raise LoadError("mapping", problems, "correct the codes of the mapping file")
