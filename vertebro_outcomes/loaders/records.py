"""Staged rows of all feeds -> one table per kind, under pseudonyms; rows of one thing merged."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.format import STAGED
from vertebro_outcomes.loaders.ledger import NOT_SHOWN, Finding, Ledger
from vertebro_outcomes.loaders.marks import LEAK
from vertebro_outcomes.loaders.pseudonyms import Names, pseudonyms
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import (
    FILE,
    ORDER,
    REFUSED,
    ROW_COLUMNS,
    WHO,
    WHY,
    Staged,
    ibis_type,
)
from vertebro_outcomes.tables.engine import (
    count,
    is_blank,
    stacked,
    store,
    store_told,
    working_folder,
)
from vertebro_outcomes.tables.schema import Table
from vertebro_outcomes.tables.typed_frames import ARROW

if TYPE_CHECKING:
    import ibis.expr.types as ir

Kinds = dict[str, "ir.Table"]
PSEUDO, NAMED = "_pseudo", "_named"  # what replaces the numbers of a patient and of an episode
MOST_PARTS: Final = 3
TRACE: Final = (FILE, LINE, ORDER)
# Dates that later checks may set aside; they may come from another row than the record itself.
CHECKED_DATES: Final = ("birth_date", "death_date", "fracture_date", "followup_end_date")


def collect(
    engine: Any,
    staged: Sequence[Staged],
    key: bytes,
    scored: "Callable[[], ir.Table] | None",
) -> tuple[Kinds, Names]:
    """One table per kind with typed columns, file, line and order, patient ids replaced.

    Beside them the names of the identifiers, of which `scored` are those of the scores. The ids of
    patients are numbers, which `with_pseudonyms` replaces at the end.
    """
    others = [item for item in staged if item.feed.table != "scores"]
    names = _names(engine, others or staged, key)
    if others and scored is not None and _has_strangers(scored(), names):
        names = _names(engine, staged, key)
    parts: dict[str, list[ir.Table]] = {name: [] for name in STAGED}
    for item in staged:
        data = _of_persons(records_of(item), names)
        data = item.finish(data) if item.finish else data
        parts[item.feed.table].append(_whole(data, item.feed.table))
    return {name: _union(engine, name, parts[name]) for name in STAGED}, names


def records_of(item: Staged) -> "ir.Table":
    """The staged rows of a feed that no rule refuses."""
    if is_blank(item.data.op(), REFUSED):
        return item.data
    return item.data.filter(item.data[REFUSED].isnull())


def _names(engine: Any, staged: Sequence[Staged], key: bytes) -> Names:
    """The names of all identifiers that these feeds tell."""
    telling = _telling(staged)
    once = len(telling) == 1 and _is_of_all_rows(telling[0])
    return pseudonyms(engine, identifiers(telling), key, kind="P", once=once)


def identifiers(staged: Sequence[Staged]) -> "ir.Table":
    """The identifiers of the records as written, and their numbers; nobody's without records."""
    told = [good.select(raw=good.patient_id, number=good[WHO]) for good in map(records_of, staged)]
    if told:
        return stacked(told)
    nobody = empty("patients").select(number="patient_id")
    return nobody.select(raw=nobody.number.cast("string"), number=nobody.number)


def _telling(staged: Sequence[Staged]) -> list[Staged]:
    """Feeds without those that can only repeat the identifiers of a feed of all rows of their file."""
    whole = [item for item in staged if _is_of_all_rows(item)]
    return [
        item
        for item in staged
        if not any(
            _reads_same(item, other) and (other.place < item.place or not _is_of_all_rows(item))
            for other in whole
        )
    ]


def is_one_row_each(staged: Sequence[Staged], kind: str, names: Names) -> bool:
    """Whether it is known already that no patient has two rows in the tables of one kind."""
    own = [item for item in staged if item.feed.table == kind]
    if not names.in_turn or len(own) != 1 or own[0].repeats_lines:
        return False
    return any(
        _is_of_all_rows(item) and (item is own[0] or _reads_same(own[0], item)) for item in staged
    )


def _is_of_all_rows(item: Staged) -> bool:
    feed = item.feed
    return ROW_COLUMNS[feed.table] == ("patient_id",) and not feed.where and not feed.needs


def _reads_same(one: Staged, other: Staged) -> bool:
    same = one.feed.cells["patient_id"] == other.feed.cells["patient_id"]
    return same and one.source.name == other.source.name and one is not other


def _has_strangers(scored: "ir.Table", names: Names) -> bool:
    """Whether scores are about people whom no other table has, told by their numbers alone.

    That a stranger's number is somebody's is as unlikely as that two pseudonyms are equal.
    """
    return bool(count(scored.anti_join(names.table, "number").limit(1)))


def _of_persons(data: "ir.Table", names: Names) -> "ir.Table":
    """One number for each person, however the identifier is spelled."""
    if names.is_plain:
        return data.mutate(patient_id=data[WHO])
    own = names.table.select("number", "person")
    joined = data.inner_join(own, data[WHO] == own.number)
    return joined.mutate(patient_id=joined.person).drop("number", "person")


def _whole(data: "ir.Table", name: str) -> "ir.Table":
    """Every staged column of a table, in order."""
    further = {"scores": [WHY + "value"], "levels": [LEAK]}.get(name, [])
    columns = [*STAGED[name].names, *TRACE, *further]
    return data.select([column_of(data, c, name) for c in columns])


def _union(engine: Any, name: str, parts: Sequence["ir.Table"]) -> "ir.Table":
    """The rows of all feeds; of many they are kept, as each query would name every feed again.

    Those of large exports are too many to be kept twice.
    """
    whole = stacked(parts) if parts else empty(name)
    is_long = len(parts) > MOST_PARTS and working_folder(engine) is None
    return store(engine, f"all_{name}", whole) if is_long else whole


def column_of(data: "ir.Table", name: str, table: str) -> Any:
    """A column of a feed, or blanks of the declared type."""
    import ibis

    if name in data.columns:
        return data[name]
    declared = STAGED[table]
    kind = ibis_type(declared[name]) if name in declared.names else "string"
    return ibis.null(kind).name(name)


def empty(name: str) -> "ir.Table":
    """A staged table of this kind without rows."""
    import ibis

    rows = blank(STAGED[name]).mutate({mark: ibis.null("int64") for mark in (LINE, ORDER)})
    rows = rows.mutate({FILE: ibis.null("string"), "patient_id": ibis.null("int64")})
    further = {"scores": WHY + "value", "levels": LEAK}.get(name)
    return rows.mutate({further: ibis.null("string")}) if further else rows


def blank(table: Table) -> "ir.Table":
    """A table of these columns without rows."""
    import ibis
    import pyarrow as pa

    return ibis.memtable(pa.table({c.name: pa.array([], ARROW[c.type]) for c in table.columns}))


def episode_name(pseudo: Any, number: Any) -> Any:
    """The name of an episode, by the pseudonym of its patient and its number among theirs."""
    return "E" + pseudo.substr(1) + "-" + number.cast("string")


def with_pseudonyms(table: "ir.Table", people: "ir.Table") -> "ir.Table":
    """Pseudonyms in place of the numbers of patients and of their episodes."""
    if PSEUDO in table.columns:
        return table.mutate(patient_id=table[PSEUDO], episode_id=table[NAMED])
    joined = table.inner_join(people, table.patient_id == people.number).drop("number")
    if "episode_id" in table.columns:
        joined = joined.mutate(episode_id=episode_name(joined.pseudo, joined.episode_id))
    return joined.mutate(patient_id=joined.pseudo).drop("pseudo")


def in_file_order(table: "ir.Table") -> "ir.Table":
    """Rows as they come in the files; what lists nobody has no such order."""
    row = [c for c in (ORDER, "level") if c in table.columns]
    return table.order_by(row) if row else table


def merge(
    engine: Any,
    rows: "ir.Table",
    by: Sequence[str],
    *,
    name: str,
    ledger: Ledger,
) -> "ir.Table":
    """Rows about the same thing become one: per column the first value in file order.

    A later row that says otherwise is flagged cell by cell.
    """
    if not (some_repeat(rows, by[:1]) and some_repeat(rows, by)):
        return rows
    rest = [c for c in rows.columns if c not in (*by, *TRACE)]
    filled = rows.aggregate(**{c: rows[c].count() for c in rest}).to_pyarrow().to_pylist()[0]
    told = [c for c in rest if filled[c]]
    firsts = {c: rows[c].argmin(rows[ORDER], where=rows[c].notnull()) for c in told}
    traces = {c: rows[c].argmin(rows[ORDER]) for c in (FILE, LINE)}
    for own in (c for c in CHECKED_DATES if c in told):  # the row that gave it, for the ledger
        given = rows[own].notnull()
        traces |= {f"{c} {own}": rows[c].argmin(rows[ORDER], where=given) for c in (FILE, LINE)}
    kinds = {f"n {c}": rows[c].min() != rows[c].max() for c in told}
    merged = rows.group_by(list(by)).aggregate(
        **firsts, **traces, **{ORDER: rows[ORDER].min()}, **kinds
    )
    merged = store_told(engine, f"merged_{name}", in_file_order(merged))
    _flag_contradictions(rows, merged, by, (name, told), ledger)
    blank = {c: ibis_null(rows[c]) for c in rest if c not in told}
    return merged.drop(*kinds).mutate(**blank)


def some_repeat(rows: "ir.Table", by: Sequence[str]) -> bool:
    """Whether two rows agree in these columns."""
    groups = rows.group_by(list(by)).aggregate(n=rows.count())
    return bool(count(groups.filter(groups.n > 1).limit(1)))


def ibis_null(column: Any) -> Any:
    """A blank of the type of a column."""
    import ibis

    return ibis.null(column.type())


def _flag_contradictions(
    rows: "ir.Table",
    merged: "ir.Table",
    by: Sequence[str],
    told: tuple[str, Sequence[str]],
    ledger: Ledger,
) -> None:
    name, columns = told
    if not columns:  # nothing but the key is told, so nothing can be contradicted
        return
    counts = merged.aggregate(**{c: merged[f"n {c}"].sum() for c in columns}).to_pyarrow()
    for column in columns:
        if not (counts[column][0].as_py() or 0):
            continue
        kept = merged.filter(merged[f"n {column}"]).select(*by, kept=merged[column])
        pairs = rows.inner_join(kept, list(by))
        other = pairs[column].notnull() & (pairs[column] != pairs.kept)
        private = column in STAGED[name].names and STAGED[name][column].private
        rule = f"two records for one of {name} disagree; the first value is kept"
        found = NOT_SHOWN if private else pairs[column]
        ledger.flag_cells(pairs, [Finding(other, rule, column, found)])


def stated_absences(staged: Sequence[Staged], names: Names) -> "ir.Table | None":
    """`patient_id table column reason` for cells with a stated reason; scores carry their own."""
    import ibis

    told = [
        data.filter(data[WHY + column].notnull()).select(
            number=data[WHO],
            table=ibis.literal(item.feed.table),
            column=ibis.literal(column),
            reason=data[WHY + column],
        )
        for item in staged
        if item.feed.table != "scores"
        for data in (records_of(item),)
        for column in item.feed.cells
        if WHY + column in data.columns
    ]
    if not told:
        return None
    whole = stacked(told)
    named = (
        whole.inner_join(names.table, "number").rename(patient_id="pseudo").drop("number", "person")
    )
    return named.distinct()
