"""A table with several rows per patient repeats what happened to the patient in each: it is one event."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vertebro_outcomes.loaders.accounts import TOLD_AGAIN
from vertebro_outcomes.loaders.format import STAGED
from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.records import Kinds
from vertebro_outcomes.loaders.staging import FEED_STEP, ORDER, Staged
from vertebro_outcomes.tables.engine import count, store_told

if TYPE_CHECKING:
    import ibis.expr.types as ir

_OTHER_TABLES: Final = {"patients", "episodes", "levels", "scores"}
_SHOWN: Final = {"events": "type", "fractures": "date"}


def told_once(
    children: Kinds, staged: Sequence[Staged], ledger: Ledger
) -> tuple[Kinds, tuple[str, ...]]:
    """The same tables, each event and fracture once, and how many rows told one again."""
    made, notes = dict(children), []
    for name in (name for name in _SHOWN if name in children):
        made[name], again = _once(children[name], staged, name, ledger)
        if again:
            notes.append(
                f"{again} rows tell one of {name} alike in every column that another row of the "
                "patient tells: it is counted once; those of a file that lists nothing else are "
                "counted each"
            )
    return made, tuple(notes)


def _once(
    rows: "ir.Table", staged: Sequence[Staged], name: str, ledger: Ledger
) -> tuple["ir.Table", int]:
    """Events or fractures; those that agree in everything are one where their rows are of patients.

    A file that lists nothing else may well list two alike: they stay two.
    """
    import ibis

    several = {item.source.name for item in staged if item.feed.table in _OTHER_TABLES}
    places = [
        item.place for item in staged if item.feed.table == name and item.source.name in several
    ]
    if not places:
        return rows, 0
    whole = [c for c in STAGED[name].names if c in rows.columns]
    place = (rows[ORDER] // FEED_STEP).cast("int64")
    window = ibis.window(group_by=[*whole, place], order_by=rows[ORDER])
    told = (ibis.row_number().over(window) > 0) & place.isin(places)
    marked = store_told(rows.get_backend(), name, rows.mutate(_again=told))
    losing = marked.filter(marked["_again"])
    again = count(losing)
    if not again:
        return rows, 0
    shown = losing["day"] if name == "fractures" else losing["type"]
    found = Finding(losing["_again"], TOLD_AGAIN, _SHOWN[name], shown)
    ledger.flag_cells(losing, [found])
    ledger.repeat(losing)
    return marked.filter(~marked["_again"]).drop("_again"), again
