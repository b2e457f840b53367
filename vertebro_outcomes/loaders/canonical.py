"""Tables of a load -> the canonical tables: declared columns, pseudonyms, rows in a fixed order."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.pseudonyms import Names
from vertebro_outcomes.loaders.records import NAMED, PSEUDO, Kinds, blank, with_pseudonyms
from vertebro_outcomes.loaders.spans import SPAN, Spans
from vertebro_outcomes.loaders.staging import ORDER, Staged
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.engine import is_blank, working_folder
from vertebro_outcomes.tables.engine_files import keep, keep_all
from vertebro_outcomes.tables.parquet_rows import Coded

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NAMES: Final = {"patient_id": PSEUDO, "episode_id": NAMED}
NAMED_LATE: Final = ("episodes", "scores")
MOST_JOINED: Final = 3_000_000  # patients; the names of more leave no room for anything else


def canonical_tables(
    engine: Any,
    tables: Kinds,
    staged: Sequence[Staged],
    names: Names,
    absences: "ir.Table | None",
    *,
    spans: Spans,
) -> Kinds:
    """Exactly the declared columns, in the same order each time; rows of trace and dates are gone.

    Tables that no feed fills have no rows.
    """
    import ibis

    is_large = working_folder(engine) is not None
    is_sorted = not is_large or names.n_people > MOST_JOINED
    whole: dict[str, ir.Table] = {}
    coded: dict[str, Callable[[], Coded]] = {}
    words: dict[str, Mapping[str, Sequence[str]]] = {}
    texts = functools.cache(partial(_names_of, spans))
    for name in sorted(tables, key=_turn):
        rows, columns = tables[name], list(STORED[name].names)
        words[name] = _known_words(staged) if name == "scores" else _codes(name, rows)
        if name in NAMED_LATE and SPAN in rows.columns:
            coded[name] = partial(_as_in, name, texts)
            columns = [SPAN, *(c for c in columns if c not in _NAMES)]
        else:
            rows = with_pseudonyms(rows, names.people)
        whole[name] = _in_order(rows, columns, is_large=is_large, is_sorted=is_sorted)
    made = keep_all(engine, whole, words, coded)
    if absences is not None:
        own = absences.mutate(episode_id=ibis.null("string"))
        own = own.semi_join(made["patients"], "patient_id")
        own = own.select(list(STORED["absences"].names))
        made["absences"] = keep(engine, "absences", own.order_by(list(own.columns)))
    for name in STORED:
        if name not in made:
            made[name] = keep(engine, name, blank(STORED[name]))
    return {name: made[name] for name in STORED}


def _turn(name: str) -> int:
    """What is looked up in names comes last: they are fetched while the rest is written."""
    return NAMED_LATE.index(name) if name in NAMED_LATE else -1


def _names_of(spans: Spans) -> Coded:
    """The names of the patient and the episode of each span."""
    found = spans.table.select(**_NAMES).to_pyarrow()
    texts = {name: found[name].combine_chunks() for name in _NAMES}
    blank = any(column.null_count for column in found.columns)
    return Coded(SPAN, texts, plain=not spans.several and not blank)


def _as_in(name: str, names: Callable[[], Coded]) -> Coded:
    """The names as columns of one table, of which only that of episodes has each once."""
    found = names()
    texts = {column: found.texts[column] for column in STORED[name].names if column in _NAMES}
    return replace(found, texts=texts, repeats=name != "episodes")


def _codes(name: str, rows: "ir.Table") -> dict[str, Sequence[str]]:
    """The columns of patients and episodes that hold declared words, and are told."""
    if name not in ("patients", "episodes"):
        return {}
    told = [c for c in STORED[name].columns if c.codes and not is_blank(rows.op(), c.name)]
    return {column.name: column.codes for column in told}


def _known_words(staged: Sequence[Staged]) -> dict[str, list[str]]:
    """Column of the scores -> every word it can hold."""
    words: dict[str, list[str]] = {}
    for item in staged:
        for column, some in item.words.items():
            words[column] = list(dict.fromkeys([*words.get(column, ()), *some]))
    return words


def _in_order(
    rows: "ir.Table", columns: Sequence[str], *, is_large: bool, is_sorted: bool
) -> "ir.Table":
    """The declared columns; rows by all their cells, of large tables in the order of the files.

    Either way the order is the same however many threads the engine has. Rows joined by one thread
    come as they stand in their file, but for some within each two thousand that a join finds later,
    as long as what is joined to them fits into memory.
    """
    if not is_large or ORDER not in rows.columns:
        return rows.select(list(columns)).order_by(list(columns))
    if "leakage" in columns:
        rows = rows.order_by([ORDER, "level"])
    elif is_sorted:  # the other tables were stored in order
        rows = rows.order_by(ORDER)
    return rows.select(list(columns))
