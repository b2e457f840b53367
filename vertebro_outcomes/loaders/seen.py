"""What the scores of each person say together: when they were last seen, whether some may repeat.

It follows from the scores as staged, before an episode is looked for: one group per identifier costs
less than a join per score.
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.pseudonyms import Names
from vertebro_outcomes.loaders.records import column_of, records_of
from vertebro_outcomes.loaders.staging import WHO, Staged
from vertebro_outcomes.tables.engine import count, is_blank, stacked, store
from vertebro_outcomes.tables.engine_functions import function, raised
from vertebro_outcomes.tables.engine_words import begin

if TYPE_CHECKING:
    import ibis.expr.types as ir

# The last day that is told, the last date of the rest, and the same of rows that hold a value.
LATEST: Final = {
    "last_day": "int64",
    "alive_day": "int64",
    "last_date": "date",
    "alive_date": "date",
}
FLAGS, APART = 61, 7
FACTS: Final = {"n_scores": "int64", "flags": "int64", **LATEST}


def facts_of(engine: Any, staged: Sequence[Staged]) -> "Callable[[], ir.Table] | None":
    """`number` and `FACTS` of each identifier that has scores; None where no feed is about scores.

    They are being looked for, and whoever asks waits for them.
    """
    import ibis

    told: list[ir.Table] = []
    instruments: set[str] = set()
    valued = True
    for item in staged:
        if item.feed.table == "scores":
            instruments |= set(item.words["instrument"])
            valued = valued and item.tally.is_valued
            good = records_of(item)
            cells = [column_of(good, c, "scores") for c in ("instrument", "day", "date", "value")]
            told.append(good.select(good[WHO].name("number"), *cells))
    if not told:
        return None
    rows = stacked(told)
    # Columns that are blank by definition are not looked at.
    blank = [name for name in LATEST if is_blank(rows.op(), name.split("_")[1])]
    blank += [name for name in ("alive_day", "alive_date") if valued and name not in blank]
    alive = rows.value.notnull()
    date = rows.date if "last_day" in blank else rows.day.isnull().ifelse(rows.date, None)
    latest = {
        "last_day": rows.day.max(),
        "alive_day": rows.day.max(where=alive),
        "last_date": date.max(),
        "alive_date": date.max(where=alive),
    }
    facts = rows.group_by("number").aggregate(
        n_scores=rows.count(),
        flags=raised(_flag(rows, sorted(instruments))),
        **{name: found for name, found in latest.items() if name not in blank},
    )
    found = begin(engine, "facts", facts)

    def waited_for() -> "ir.Table":
        facts = found().mutate(**{name: ibis.null(LATEST[name]) for name in blank})
        # Where each score has a value, who was seen last was alive.
        return facts.mutate(alive_day="last_day", alive_date="last_date") if valued else facts

    return functools.cache(waited_for)


def of_persons(facts: "ir.Table", names: Names) -> "ir.Table":
    """The facts of persons, who may have several identifiers: `number` is that of the person."""
    if names.is_plain:
        return facts
    joined = facts.inner_join(names.table.select("number", "person"), "number")
    latest = {name: joined[name].max() for name in LATEST}
    merged = joined.group_by(number=joined.person).aggregate(
        n_scores=joined.n_scores.sum(), flags=raised(joined.flags), **latest
    )
    return merged.select("number", *FACTS)


def since_1970(date: Any) -> Any:
    """The number of a date, which is faster to compare and to hash."""
    import ibis

    return date.delta(ibis.date("1970-01-01"), unit="day").cast("int64")


def _when(scores: "ir.Table") -> Any:
    """Told days and the numbers of dates; of rows with neither one number."""
    return scores.day.coalesce(since_1970(scores.date), -1)


def _flag(scores: "ir.Table", instruments: Sequence[str]) -> Any:
    """One of 61 flags that a score raises, chosen by its instrument and its day or date.

    A prime number, so that visits of one instrument at even distances raise different ones.
    """
    import ibis

    places = [(name, place * APART % FLAGS) for place, name in enumerate(instruments)]
    of_instrument = scores.instrument.cases(*places, else_=0) if places else 0
    chosen = (_when(scores) % FLAGS + of_instrument + FLAGS) % FLAGS
    return ibis.literal(1, "int64") << chosen


def is_crowded(facts: "ir.Table") -> Any:
    """True for persons of whom two scores may be of one instrument and day.

    Where as many flags are up as there are scores, no two agree, unless some tell their day and some
    their date: nothing is looked at again.
    """
    up = function("bit_count", ("int64",), "int64")(facts.flags)
    return ((up < facts.n_scores) | is_mixed(facts)).fill_null(False)


def is_mixed(facts: "ir.Table") -> Any:
    """True for persons of whose scores some tell their day and some their date."""
    return facts.last_day.notnull() & facts.last_date.notnull()


def repeating(engine: Any, scores: "ir.Table", crowds: "ir.Table") -> "ir.Table | None":
    """`patient_id` of those of the `crowds` who have two scores of one instrument and day.

    `crowds` has `patient_id, mixed`; where days and dates are mixed that cannot be told, and is
    taken for granted.
    """
    rows = scores.inner_join(crowds, "patient_id")
    seen = rows.group_by(["patient_id", "instrument", _when(rows).name("_when")])
    again = seen.aggregate(n=rows.count(), mixed=rows.mixed.any())
    again = again.filter((again.n > 1) | again.mixed).select("patient_id").distinct()
    again = store(engine, "repeating", again)
    return again if count(again) else None
