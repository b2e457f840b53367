"""Cement that leaked from a vertebra is a complication: where no event tells of it, it becomes one."""

from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.ledger import Ledger
from vertebro_outcomes.loaders.marks import LEAK, ORDER
from vertebro_outcomes.loaders.records import Kinds, merge
from vertebro_outcomes.loaders.spans import NUMBER, PERSON
from vertebro_outcomes.tables.cohort_tables import EVENTS
from vertebro_outcomes.tables.engine import count, is_blank, store_told

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PREFIX: Final = "cement_leakage"
_KINDS: Final = tuple(
    name for name in EVENTS["type"].codes if name.startswith((_PREFIX, "symptomatic_leakage"))
)
LEAKS_TOLD: Final = "leaks told beside vertebrae, and by no event, are complications too: {} added"
LEAKS_OF_SEVERAL: Final = (
    "leaks told once of several vertebrae are those of none: {} are one complication each, without a"
    " level"
)
_COLUMNS: Final = (*EVENTS.names, ORDER)


def vertebrae(
    engine: Any, children: Kinds, seen: "ir.Table", ledger: Ledger
) -> tuple[Kinds, int, tuple[str, ...]]:
    """One row per vertebra, and the leaks that no event tells as events; how many, and notes."""
    if "levels" not in children:
        return children, 0, ()
    by, told = ["patient_id", "episode_id", "level"], children["levels"]
    levels = merge(engine, told.drop(LEAK), by, name="levels", ledger=ledger)
    return _with_leaks(engine, {**children, "levels": levels}, told, seen)


def _with_leaks(
    engine: Any, children: Kinds, told: "ir.Table", episodes: "ir.Table"
) -> tuple[Kinds, int, tuple[str, ...]]:
    """The same tables, events with the leaks that only rows of vertebrae tell; how many, and notes.

    `children` has one row for each vertebra, `told` the rows as read, of which some tell a leak of
    several vertebrae. An event of the episode that is a leak tells of one at the same vertebra or, where
    it names none, of any; one of several vertebrae is told by any. It leaked on the day of treatment.
    """
    levels, events = children["levels"], children.get("events")
    if is_blank(told.op(), "leakage"):
        return children, 0, ()
    several = told.filter(told[LEAK].notnull()).aggregate(n=told[ORDER].nunique())
    n_several = several.to_pyarrow()["n"][0].as_py() or 0
    notes = (LEAKS_OF_SEVERAL.format(n_several),) if n_several else ()
    leaks = _leaks(levels, told)
    if events is not None:
        known = events.filter(events.type.isin(_KINDS))
        known = known.select("patient_id", "episode_id", "level")
        here = (
            known.level.isnull() | leaks.level.isnull() | (known.level == leaks.level)
        ).fill_null(True)
        same = [
            leaks.patient_id == known.patient_id,
            leaks.episode_id.identical_to(known.episode_id),
        ]
        leaks = leaks.anti_join(known, [*same, here])
    on = episodes.select(of=PERSON, at=NUMBER, treated="treatment_day")
    leaks = leaks.left_join(on, [leaks.patient_id == on.of, leaks.episode_id == on["at"]])
    leaks = store_told(engine, "leaks", _as_events(leaks, day=leaks.treated))
    added = count(leaks)
    if not added:
        return children, 0, notes
    whole = leaks if events is None else events.select(_COLUMNS).union(leaks)
    whole = store_told(engine, "events", whole.order_by([ORDER, "level", "type"]))
    return {**children, "events": whole}, added, (*notes, LEAKS_TOLD.format(added))


def _leaks(levels: "ir.Table", told: "ir.Table") -> "ir.Table":
    """One row per vertebra that leaked, and one per row of a file that says so of several at once."""
    import ibis

    one = levels.filter((levels.leakage != "none").fill_null(False))
    one = one.select(
        "patient_id", "episode_id", "level", ORDER, site="leakage", by="leakage_detected_by"
    )
    several = told.filter(told[LEAK].notnull())
    keys = ["patient_id", "episode_id", ORDER]
    several = several.group_by([*keys, LEAK]).aggregate(by=several.leakage_detected_by.min())
    several = several.select(
        "patient_id", "episode_id", ibis.null("string").name("level"), ORDER, several[LEAK].name("site"), "by"
    )  # fmt: skip
    return one.union(several)


def _as_events(leaks: "ir.Table", *, day: Any) -> "ir.Table":
    import ibis

    cells: dict[str, Any] = {
        "type": ibis.literal(f"{_PREFIX}_") + leaks.site,
        "day": ibis.ifelse(day >= 0, day.cast("int64"), ibis.null("int64")),
        "detected_by": leaks.by,
    }
    own = ("patient_id", "episode_id", "level", ORDER)
    kinds = {"bool": "boolean", "int": "int64"}
    for column in EVENTS.columns:
        if column.name not in (*own, *cells):
            cells[column.name] = ibis.null(kinds.get(column.type, "string"))
    return leaks.mutate(**cells).select(_COLUMNS)
