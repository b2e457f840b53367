"""Values of scores that an OMOP database tells in words: as a string, as the source has it, as an answer."""

from typing import Any, Final

from vertebro_outcomes.loaders.omop_scores import names_of
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.engine import count, store

_NUMBER: Final = r"^[+-]?\d+([.,]\d+)?$"
_TEXTS: Final = ("value_as_string", "value_source_value")


def with_values(engine: Any, data: Any, kind: str, concepts: Source | None) -> Any:
    """`value_as_number` of scores, else the text that is a number, else any text, so that it is refused.

    An answer is told by the name of its concept.
    """
    import ibis

    texts = [data[c].nullif("") for c in _TEXTS if c in data.columns]
    answers = "value_as_concept_id" in data.columns
    empty = data["_instrument"].notnull() & data.value_as_number.nullif("").isnull()
    told: Any = ibis.literal(False)
    for text in texts:
        told = told | text.notnull()
    if answers:
        answer = data.value_as_concept_id.nullif("").nullif("0")
        told = told | answer.notnull()
    data = data.mutate(_told=(empty & told).fill_null(False))
    if not count(data.filter(data["_told"]).limit(1)):
        return data.drop("_told")
    data = store(engine, kind, data)
    texts = [data[c].nullif("") for c in _TEXTS if c in data.columns]
    if answers:
        texts.append(_answers(data, concepts))
    none = ibis.null("string")
    numbers = [ibis.ifelse(text.re_search(_NUMBER), text, none) for text in texts]
    value = ibis.ifelse(data["_told"], ibis.coalesce(*numbers, *texts), data.value_as_number)
    return data.mutate(value_as_number=value).drop("_told")


def _answers(data: Any, concepts: Source | None) -> Any:
    """The names of answers; without a name an answer is no number."""
    import ibis

    answer = data.value_as_concept_id.nullif("").nullif("0")
    given = data.filter(data["_told"]).select(answer=answer).distinct()
    ids = {one for one in given.answer.to_pyarrow().to_pylist() if one}
    names = {one: name for one, name in names_of(concepts, ids).items() if name}
    unnamed = ibis.ifelse(answer.notnull(), "an answer without a name", ibis.null("string"))
    return answer.cases(*sorted(names.items()), else_=unnamed) if names else unnamed
