"""Rows that tell of a treatment once more without its date: they are of the episode that has one."""

import functools
import operator
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.marks import FILE
from vertebro_outcomes.loaders.spans import KEY
from vertebro_outcomes.tables.engine import count, store

if TYPE_CHECKING:
    import ibis.expr.types as ir

_OTHER_DATES: Final = ("presentation_date", "enrolment_date", "fracture_date")
_MARKS: Final = ("_loose", "_treated", "_least", "_most", "_repeats")
UNTOLD: Final = (
    "several treatments of the patient, and no date or number that says of which this is"
)


def with_their_episode(engine: Any, rows: "ir.Table", ledger: Ledger) -> "ir.Table":
    """Rows of episodes whose `KEY` is that of the patient's only dated episode where they repeat it.

    A row repeats it if it has neither number nor date of treatment, its other dates are the same,
    and it names the same treatment or stands in another file. Another treatment in the same file
    is another episode. Where the patient has several, the row is refused.
    """
    loose = rows.episode_id.isnull() & rows.treatment_date.isnull()
    if not count(rows.filter(loose).limit(1)):
        return rows
    marked = store(engine, "episode_rows", _beside_the_dated(rows, loose))
    which = marked["_repeats"] & (marked["_least"] != marked["_most"]) & (marked[KEY] == "")
    ledger.refuse_rows(marked, [Finding(which, UNTOLD, "treatment", marked.treatment)])
    kept = marked.filter(~which.fill_null(False))
    same = (kept["_repeats"] & (kept["_least"] == kept["_most"])).fill_null(False)
    return kept.mutate({KEY: same.ifelse(kept["_least"], kept[KEY])}).drop(*_MARKS)


def _beside_the_dated(rows: "ir.Table", loose: Any) -> "ir.Table":
    """Rows with the first and last key of the patient's dated episodes, and whether they repeat one.

    The dated are those with a date of treatment, else those with any.
    """
    import ibis

    of_patient = ibis.window(group_by="patient_id")
    rows = rows.mutate(_loose=loose, _treated=(~loose).any().over(of_patient))
    dated = (rows[KEY] != "") & ~(rows["_loose"] & rows["_treated"])

    def told(column: Any) -> tuple[Any, Any]:
        mine = ibis.ifelse(dated, column, ibis.null(column.type()))
        return mine.min().over(of_patient), mine.max().over(of_patient)

    least, most = told(rows[KEY])
    alike = [
        rows[date].isnull() | (rows[date] == told(rows[date])[0]).fill_null(False)
        for date in _OTHER_DATES
    ]
    treatments, files = told(rows.treatment), told(rows[FILE])
    named = rows.treatment.isnull()
    for treatment, file in zip(treatments, files, strict=True):
        named = named | (rows.treatment == treatment).fill_null(False) | (rows[FILE] != file)
    repeats = functools.reduce(
        operator.and_, alike, rows["_loose"] & ~dated & named.fill_null(False)
    )
    return rows.mutate(_least=least, _most=most, _repeats=repeats)
