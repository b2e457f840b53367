"""Identifiers that differ in capitals, zeros in front or blanks alone: they make people of one person."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.marks import FILE
from vertebro_outcomes.loaders.pseudonyms import Names
from vertebro_outcomes.loaders.records import identifiers, records_of
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import Staged
from vertebro_outcomes.tables.engine import count, stacked, store

if TYPE_CHECKING:
    import ibis.expr.types as ir

RULE: Final = (
    "another number differs from this one in capitals, zeros in front or blanks alone; they are read "
    "as two people: if they are one, write them alike"
)
# Above this many people it is looked at only where a file has people whom the largest has not.
MANY_PEOPLE: Final = 200_000
_FORE: Final = r"^([^0-9]*)0*"


def flag_spellings(engine: Any, staged: Sequence[Staged], names: Names, ledger: Ledger) -> None:
    """List the first row of every identifier that has a second spelling, in each file."""
    largest = max((item.source.n_rows for item in staged), default=0)
    if MANY_PEOPLE < names.n_people <= largest:
        return
    told = identifiers(staged).raw.strip().name("raw").as_table().distinct()
    plain = told.raw.lower().re_replace(r"\s+|\.0+$", "")
    told = told.mutate(plain=plain.re_extract(_FORE, 1) + plain.re_replace(_FORE, ""))
    again = told.group_by("plain").aggregate(n=told.count()).filter(lambda t: t.n > 1)
    twice = store(engine, "spellings", told.semi_join(again, "plain").select("raw"))
    if count(twice):
        for name in dict.fromkeys(item.source.name for item in staged):
            _flag([item for item in staged if item.source.name == name], twice, ledger)


def _flag(of_file: Sequence[Staged], twice: "ir.Table", ledger: Ledger) -> None:
    rows = stacked(
        [own.select(FILE, LINE, raw=own.patient_id.strip()) for own in map(records_of, of_file)]
    )
    rows = rows.semi_join(twice, "raw").group_by("raw", FILE)
    first = rows.aggregate(**{LINE: lambda t: t[LINE].min()})
    column = of_file[0].titles.get("patient_id", "patient_id")
    ledger.flag_cells(first, [Finding(first.raw.notnull(), RULE, column)])
