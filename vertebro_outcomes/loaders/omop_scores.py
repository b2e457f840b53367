"""Scores of an OMOP database beside their code: the unit they are recorded in, and codes not listed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from vertebro_outcomes.display.disclosure import LARGEST_HIDDEN
from vertebro_outcomes.errors import list_some
from vertebro_outcomes.loaders.instrument_words import instrument_in
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.loaders.words import squeeze
from vertebro_outcomes.tables.engine import store
from vertebro_outcomes.tables.event_types import INSTRUMENTS

UNIT: Final = "_unit"
MILLIMETRES, AS_CODED = "mm", "as coded"
_MM_CONCEPT: Final = "8588"
_MM_WORDS: Final = r"^(mm|millimet(er|re)s?)($|[^a-z])"
MOST_LISTED: Final = 20
_CODE: Final = re.compile(r"[\w.:-]{1,24}")
# What concepts and local codes of pain and function are called where they name no known score.
_SEEMS_A_SCORE: Final = re.compile(
    r"(^|_)(pain|schmerz\w*|douleur|dolor|dor|disability|oswestry|roland|morris|odi|rmdq|vas|nrs|eva|eq5d"
    r"|eq_5d|euroqol|sf_?36|sf_?12|qualeffo|quality_of_life|karnofsky|promis)(_|\d|$)"
    r"|pain|schmerz|douleur|oswestr|rmdq|eq_?5d"
)
TENS: Final = tuple(name for name, known in INSTRUMENTS.items() if known.high == 10)
MM_SCALES: Final[Mapping[str, tuple[float, float]]] = dict.fromkeys(TENS, (0.0, 100.0))


def in_units(engine: Any, source: Source) -> Source:
    """`_unit` where ratings of 0 to 10 are recorded in mm; those that cannot be in mm are refused.

    A code whose values in mm never pass ten may be on 0-10 with a wrong unit, or low in mm.
    """
    import ibis

    data = source.data
    in_mm: Any = ibis.literal(False)
    if "unit_concept_id" in data.columns:
        in_mm = in_mm | (data.unit_concept_id == _MM_CONCEPT).fill_null(False)
    if "unit_source_value" in data.columns:
        in_mm = in_mm | data.unit_source_value.lower().re_search(_MM_WORDS).fill_null(False)
    mine = in_mm & data["_instrument"].isin(TENS).fill_null(False)
    value = data.value_as_number.try_cast("float64")
    marked = data.mutate(_mm=mine, _value=value)
    own = marked.filter(marked["_mm"] & marked["_value"].notnull())
    tops = own.group_by("_instrument").aggregate(top=own["_value"].max()).to_pyarrow().to_pylist()
    if not tops:
        return source
    low = [row["_instrument"] for row in tops if row["top"] <= 10]
    unit = ibis.ifelse(marked["_mm"], MILLIMETRES, AS_CODED)
    made = store(engine, "omop", marked.mutate(**{UNIT: unit}))
    gone = made["_mm"] & made["_instrument"].isin(low or [""]) & made["_value"].notnull()
    refused = made.filter(gone).select(LINE, "value_as_number", "_instrument")
    rows = refused.order_by(LINE).to_pyarrow().to_pylist()
    said = [
        (row[LINE], row["value_as_number"], f"unit mm, but no {row['_instrument']} is above 10")
        for row in rows
    ]
    kept = made.filter(~gone).drop("_mm", "_value")
    left = store(engine, "omop", kept) if rows else made.drop("_mm", "_value")
    return replace(
        source, data=left, n_rows=source.n_rows - len(rows), refused=(*source.refused, *said)
    )


@dataclass(frozen=True)
class Unlisted:
    """A code with numbers that is not in the list of codes; `seems` is the score, `?` an unknown one."""

    code: str
    name: str
    seems: str
    rows: int
    people: int


def unlisted_codes(source: Source, kind: str, concepts: Source | None) -> list[Unlisted]:
    """Codes of one table with numbers that no list of codes reads, most rows first."""
    data = source.data
    rows = data.filter(data.value_as_number.notnull())
    if "_instrument" in data.columns:
        rows = rows.filter(rows["_instrument"].isnull())
    if "_member" in data.columns:
        rows = rows.filter(rows["_member"].notnull())
    own = [c for c in (f"{kind}_source_value", f"{kind}_concept_id") if c in data.columns]
    if not own:
        return []
    found = rows.group_by(own).aggregate(n=rows.count(), people=rows.person_id.nunique())
    facts = found.order_by(found.n.desc()).limit(1000).to_pyarrow().to_pylist()
    names = names_of(concepts, {str(fact.get(f"{kind}_concept_id") or "") for fact in facts})
    made = []
    for fact in facts:
        local, concept = (
            str(fact.get(f"{kind}_{end}") or "") for end in ("source_value", "concept_id")
        )
        name = names.get(concept, "")
        seems = instrument_in(local) or instrument_in(name)
        if seems is None and any(_SEEMS_A_SCORE.search(squeeze(t)) for t in (local, name)):
            seems = "?"
        code = local or concept
        made.append(Unlisted(code, name, seems or "", int(fact["n"]), int(fact["people"])))
    return made


def names_of(concepts: Source | None, wanted: set[str]) -> dict[str, str]:
    """Ids of concepts -> their names, where there is a table of them."""
    if concepts is None or not wanted - {"", "0"}:
        return {}
    data = concepts.data
    rows = data.filter(data.concept_id.isin(sorted(wanted - {"", "0"})))
    rows = rows.select("concept_id", "concept_name").to_pyarrow().to_pylist()
    return {row["concept_id"]: row["concept_name"] or "" for row in rows}


def said_of(source: Source, codes: Sequence[Unlisted]) -> list[str]:
    """What a load says of codes that seem to be scores; those of few people are only counted."""
    scores = [code for code in codes if code.seems]
    if not scores:
        return []
    text = list_some([words_of(code) for code in scores], most=MOST_LISTED)
    step = "name those that are in codes.scores of a mapping, with the shipped ones that you use"
    return [f"{source.name}: codes that seem to be scores are not read: {text}; {step}"]


def words_of(one: Unlisted) -> str:
    """`PAINVAS (perhaps pain_vas, 120 rows)`; the numbers of few people are not told, nor texts of theirs."""
    few = one.people <= LARGEST_HIDDEN
    code = one.code if not few or _CODE.fullmatch(one.code) else "a text"
    name = f" {one.name!r}" if one.name else ""
    seems = f"perhaps {one.seems}, " if one.seems not in ("?", "") else ""
    return f"{code}{name} ({seems}{'few' if few else one.rows} rows)"


def as_mapping(codes: Sequence[Unlisted]) -> list[str]:
    """The same as lines of a mapping file, to be uncommented; other codes of many people are named."""
    named = [code for code in codes if _CODE.fullmatch(code.code)]
    shown = [code for code in named if code.seems][:MOST_LISTED]
    made = [
        f'codes.scores."{one.code}" = "{one.seems if one.seems != "?" else "..."}"  # {words_of(one)}'
        for one in shown
    ]
    others = [words_of(one) for one in named if not one.seems and one.people > LARGEST_HIDDEN]
    if others:
        made.append(f"other codes with numbers: {list_some(others, most=MOST_LISTED)}")
    return made
