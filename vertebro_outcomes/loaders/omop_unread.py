"""Procedures and diagnoses that no list reads: codes near listed ones, and bare concepts."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from vertebro_outcomes.errors import list_some
from vertebro_outcomes.loaders.codes import CodeSets, plain_code
from vertebro_outcomes.loaders.omop_scores import MOST_LISTED, Unlisted, words_of
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.engine import count

READ: Final = "_read"  # 1 where a list or the name of the concept says what a row is
_TOKEN: Final = re.compile(r"[A-Z0-9][A-Z0-9.-]*")
_LEAST, _FINER, _COARSER = 4, 2, 3  # signs of a code, and how many more or fewer are still near


def said_of_unread(tables: Mapping[str, Source], codes: CodeSets) -> list[str]:
    """What a load says of rows of procedures and diagnoses that it leaves out."""
    kinds = {
        "procedure": ("procedures", codes.procedures),
        "condition": ("fractures", {*codes.fractures, *codes.follow_ups}),
    }
    notes = []
    for kind, (key, listed) in kinds.items():
        source = tables.get(f"{kind}_occurrence")
        if source is not None:
            notes += _near(source, kind, key, listed)
            notes += _bare(source, kind, tables.get("concept"))
    return notes


def _near(source: Source, kind: str, key: str, listed: Iterable[str]) -> list[str]:
    data, column = source.data, f"{kind}_source_value"
    if column not in data.columns:
        return []
    rows = data.filter(data[READ].isnull() & data[column].notnull())
    found = rows.group_by(column).aggregate(n=rows.count(), people=rows.person_id.nunique())
    facts = found.order_by([found.n.desc(), column]).to_pyarrow().to_pylist()
    known = near_words(listed)
    near = [
        Unlisted(fact[column], "", "?", int(fact["n"]), int(fact["people"]))
        for fact in facts
        if is_near(fact[column], known)
    ]
    if not near:
        return []
    text = list_some([words_of(one) for one in near], most=MOST_LISTED)
    step = (
        f"name those that are meant in codes.{key} of a mapping, with the listed ones that you use"
    )
    return [f"{source.name}: codes near listed ones are not read: {text}; {step}"]


def near_words(listed: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The listed codes, and what is left of them without their last signs."""
    codes = frozenset(listed)
    return codes, frozenset(code[:-n] for code in codes for n in range(1, _COARSER + 1))


def is_near(text: str, known: tuple[frozenset[str], frozenset[str]]) -> bool:
    """Whether a word of a source value is a listed code with a sign or two more, or some fewer.

    A word with letters is near too where its last sign alone is another; numbers say too little.
    """
    codes, stems = known
    words = {plain_code(word) for word in _TOKEN.findall(text.upper())}
    return any(
        any(word[: len(word) - n] in codes for n in range(_FINER + 1))
        or (not word.isdigit() and (word in stems or word[:-1] in stems))
        for word in words
        if len(word) >= _LEAST
    )


def _bare(source: Source, kind: str, concepts: Source | None) -> list[str]:
    """Rows that tell their concept alone, where nothing says what concepts mean."""
    if concepts is not None and concepts.n_rows:
        return []
    data, concept = source.data, f"{kind}_concept_id"
    if concept not in data.columns:
        return []
    bare: Any = data[READ].isnull() & ~data[concept].fill_null("0").isin(["", "0"])
    if f"{kind}_source_value" in data.columns:
        bare = bare & (data[f"{kind}_source_value"].fill_null("") == "")
    n = count(data.filter(bare))
    if not n:
        return []
    rows = "1 row tells a concept and no code" if n == 1 else f"{n} rows tell a concept and no code"
    return [
        f"{source.name}: {rows}, and without the table concept what it is cannot be known: "
        "put concept.csv beside it"
    ]
