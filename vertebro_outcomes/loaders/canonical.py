"""Tables of a load -> the canonical tables: declared columns, pseudonyms, rows in a fixed order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.loaders.records import Kinds, with_pseudonyms, without_rows
from vertebro_outcomes.loaders.staging import ORDER, Staged
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.engine import keep, keep_all, working_folder

if TYPE_CHECKING:
    import ibis.expr.types as ir


def canonical_tables(
    engine: Any,
    tables: Kinds,
    staged: Sequence[Staged],
    named: tuple["ir.Table", "ir.Table | None"],
) -> Kinds:
    """Exactly the declared columns, in the same order each time; rows of trace and dates are gone."""
    import ibis
    import pyarrow as pa

    people, absences = named
    fed = {"patients", *(item.feed.table for item in staged)}
    most_first = ["scores", *(name for name in STORED if name not in ("scores", "absences"))]
    whole = {}
    for name in most_first:
        rows = tables[name]
        rows = with_pseudonyms(rows, people) if name in fed else without_rows(rows)
        whole[name] = _in_order(engine, rows, STORED[name].names)
    made = keep_all(engine, whole, _known_words(staged))
    if absences is None:
        columns = {c: pa.array([], pa.string()) for c in STORED["absences"].names}
        made["absences"] = keep(engine, "absences", ibis.memtable(pa.table(columns)))
    else:
        own = absences.mutate(episode_id=ibis.null("string"))
        own = own.semi_join(made["patients"], "patient_id")
        own = own.select(list(STORED["absences"].names))
        made["absences"] = keep(engine, "absences", own.order_by(list(own.columns)))
    return {name: made[name] for name in STORED}


def _known_words(staged: Sequence[Staged]) -> dict[str, list[str]]:
    """Column of the scores -> every word it can hold."""
    words: dict[str, list[str]] = {}
    for item in staged:
        for column, some in item.words.items():
            words[column] = list(dict.fromkeys([*words.get(column, ()), *some]))
    return words


def _in_order(engine: Any, rows: "ir.Table", columns: Sequence[str]) -> "ir.Table":
    """The declared columns; rows by all their cells, of large tables in the order of the files.

    Either way the order is the same however many threads the engine has.
    """
    if working_folder(engine) is None or ORDER not in rows.columns:
        return rows.select(list(columns)).order_by(list(columns))
    if "leakage" in columns:  # levels come from groups; the other tables were stored in order
        rows = rows.order_by([ORDER, "level"])
    return rows.select(list(columns))
