"""What codes and concepts of an OMOP database mean: source codes as sites write them, names of concepts."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vertebro_outcomes.loaders.codes import (
    FOLLOW_UP_NAME,
    FRACTURE_NAME,
    NO_FRACTURE_NAME,
    NO_TREATMENT_NAME,
    PART_OF_SCORE,
    SCORE_NAMES,
    TREATMENT_NAMES,
    CodeSets,
)
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.engine import store

# Vocabularies that sites write before a code: `CPT4:22514`, `ICD-10-CM S32.010A`.
_VOCABULARY: Final = r"(?:ICD|I9|I10|CPT|C4|HCPCS|OPS|SNOMED|SCT|LOINC|LNC|PCS|DX)[A-Z0-9-]*"
_HEAD: Final = r"^\s*([^\s,;:|^~]+)"  # `22514:59`, `S32.010A - Wedge compression fracture`
_MODIFIED: Final = r"^(\d{5})-[A-Z0-9]{2}$"  # `22514-50`
LEAST_CONCEPT_DIGITS: Final = 6  # shorter numbers are codes


@dataclass(frozen=True)
class Concepts:
    """Concept ids from the vocabulary table, by what their code or name means."""

    treatments: dict[str, str]
    fractures: frozenset[str]
    scores: dict[str, str]
    follow_ups: frozenset[str] = frozenset()


def concepts_of(source: Source | None, codes: CodeSets) -> Concepts:
    """Concepts whose code is listed, or whose name says vertebroplasty, fracture of a vertebra ..."""
    if source is None:
        return Concepts({}, frozenset(), {})
    import ibis

    data = source.data
    code = plain(data.concept_code)
    name = data.concept_name.lower()
    domain = data.domain_id.lower() if "domain_id" in data.columns else name
    done = domain.contains("procedure") & ~name.re_search(NO_TREATMENT_NAME)
    by_name = ibis.ifelse(done, _by_pattern(name, TREATMENT_NAMES), ibis.null("string"))
    treatment = looked_up(code, codes.procedures).coalesce(by_name)
    whole = ~name.re_search(PART_OF_SCORE)  # an item of a questionnaire is not its score
    by_name = ibis.ifelse(whole, _by_pattern(name, SCORE_NAMES), ibis.null("string"))
    score = looked_up(code, codes.scores).coalesce(by_name)
    named = name.re_search(FRACTURE_NAME) & ~name.re_search(NO_FRACTURE_NAME)
    named = (named & domain.contains("condition")).fill_null(False)
    first, later = _is_in(code, codes.fractures), _is_in(code, codes.follow_ups)
    later = later | (named & ~first & name.re_search(FOLLOW_UP_NAME).fill_null(False))
    found = data.select(
        id=data.concept_id,
        treatment=treatment,
        score=score,
        fracture=(first | named) & ~later,
        later=later,
    )
    found = found.filter(
        found.treatment.notnull() | found.score.notnull() | found.fracture | found.later
    )
    rows = found.to_pyarrow().to_pylist()
    return Concepts(
        {row["id"]: row["treatment"] for row in rows if row["treatment"]},
        frozenset(row["id"] for row in rows if row["fracture"]),
        {row["id"]: row["score"] for row in rows if row["score"]},
        frozenset(row["id"] for row in rows if row["later"]),
    )


CODE: Final = "_code"


def with_code(data: Any, kind: str, listed: Collection[str], *, described: bool = True) -> Any:
    """`_code`: the listed code of each row; told apart, since what follows asks for it many times."""
    found = source_code(data, f"{kind}_source_value", listed, described=described)
    return data.mutate({CODE: found})


def meaning(data: Any, kind: str, codes: Mapping[str, str], concepts: Mapping[str, str]) -> Any:
    """What the `_code` of a row says, else the ids of its concepts."""
    word = looked_up(data[CODE], codes)
    ids = {**{code: codes[code] for code in _concept_ids(codes)}, **concepts}
    for column in (f"{kind}_concept_id", f"{kind}_source_concept_id"):
        if column in data.columns:
            word = word.coalesce(looked_up(data[column], ids))
    return word


def fractures_in(
    engine: Any, data: Any, codes: CodeSets, concepts: Concepts
) -> tuple[Any, Any, Any, Any]:
    """Conditions, their listed source code, whether it is a fracture, whether a later visit of one.

    The source code is heard first, then its concept, then the standard concept.
    """
    listed = {*codes.fractures, *codes.follow_ups}
    data = store(engine, "conditions", with_code(data, "condition", listed))
    code = data[CODE]
    first, later = _is_in(code, codes.fractures), _is_in(code, codes.follow_ups)
    known = [
        {*_concept_ids(listed), *named}
        for listed, named in (
            (codes.fractures, concepts.fractures),
            (codes.follow_ups, concepts.follow_ups),
        )
    ]
    for column in ("condition_source_concept_id", "condition_concept_id"):
        if column in data.columns:
            untold = ~(first | later)
            told = [_is_in(data[column], ids) for ids in known]
            first, later = first | (untold & told[0]), later | (untold & told[1])
    return data, code, first, later


def _is_in(text: Any, some: Collection[str]) -> Any:
    return text.isin(sorted(some) or [""]).fill_null(False)


def _concept_ids(codes: Iterable[str]) -> set[str]:
    """The listed codes that may be ids of concepts."""
    return {code for code in codes if code.isdigit() and len(code) >= LEAST_CONCEPT_DIGITS}


def source_code(data: Any, column: str, listed: Collection[str], *, described: bool) -> Any:
    """The listed code that a source value is, behind the name of its vocabulary if that is told.

    Of `described` codes modifiers and words stand behind; where these may tell of something else
    (`eq5d, mobility`, `odi, not asked`) codes are not. Null where no listed code is found.
    """
    import ibis

    none = ibis.null("string")
    if column not in data.columns or not listed:
        return none
    text = data[column].upper()
    behind = text.re_extract(rf"^\s*{_VOCABULARY}[\s:|]+(.*)$", 1).nullif("")
    known = sorted(listed)
    others = [_head(text), _head(behind)] if described else [behind]
    spelled = [plain(part) for part in (text, *others)]
    return ibis.coalesce(*(ibis.ifelse(code.isin(known), code, none) for code in spelled))


def plain(text: Any) -> Any:
    """`s32.010a` -> `S32010A`."""
    return text.upper().re_replace(r"[^A-Z0-9]", "")


def _head(text: Any) -> Any:
    head = text.re_extract(_HEAD, 1)
    return head.re_extract(_MODIFIED, 1).nullif("").coalesce(head)


def looked_up(text: Any, words: Any) -> Any:
    """Text -> its word, null where there is none."""
    import ibis

    if not words:
        return ibis.null("string")
    return text.cases(*sorted(words.items()), else_=ibis.null("string"))


def _by_pattern(name: Any, patterns: Any) -> Any:
    import ibis

    branches = [(name.re_search(pattern), word) for pattern, word in patterns]
    return ibis.cases(*branches, else_=ibis.null("string"))
