"""What became of the rows of a feed while they were read, counted in one pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.loaders.marks import RECORD, REFUSED, RULE, WHO
from vertebro_outcomes.loaders.sources import LINE

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Fact:
    """The values of one instrument in one feed; rows that are refused do not count."""

    instrument: str
    n: int
    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class Tally:
    """How many rows of a feed are records or blank, are refused, and have a cell that broke a rule.

    `lines` are the rows of the file behind them: a cell that lists several levels makes several.
    `facts` are those of scores, in order of instruments.
    """

    counts: Mapping[str, int]
    facts: tuple[Fact, ...] = ()

    @property
    def is_valued(self) -> bool:
        """Whether each score that is not refused has a value."""
        counts = self.counts
        return counts["records"] - counts["refused"] == sum(fact.n for fact in self.facts)


def tally(
    read: "ir.Table", *, scored: bool, repeats: bool, named: bool = False, title: str = ""
) -> Tally:
    """Of the rows of a feed, of `scored` ones by instrument; `repeats` where lines become several.

    If asked for, `named` counts rows with an identifier, and `again` those of them where it is the
    `title` of that column; without a title there are none.
    """
    import ibis

    record, refused = read[RECORD], read[REFUSED]
    counts: dict[str, Any] = {
        "lines": read[LINE].nunique() if repeats else read.count(),
        "records": record.sum(),
        "blank": (~record).sum(),
        "refused": refused.count(where=record),
    }
    ruled = [name for name in read.columns if name.startswith(RULE)]
    counts |= {name: read[name].count(where=record) for name in ruled}
    if named:
        counts["named"] = read[WHO].count()
    if named and title:
        who = read.patient_id
        likely = (who < "!") | ((who >= title) & (who < title + "!"))  # told by least and greatest
        counts["again"] = ibis.cases((likely, who.strip() == title), else_=False).sum()
    if not scored:
        rows = read.aggregate(**counts).to_pyarrow().to_pylist()
        return Tally(_summed(rows, counts))
    good = ibis.ifelse(record & refused.isnull(), read.value, ibis.null("float64"))
    facts = {"n": good.count(), "lowest": good.min(), "highest": good.max()}
    rows = read.group_by("instrument").aggregate(**counts, **facts).to_pyarrow().to_pylist()
    found = {row["instrument"]: row for row in rows if row["instrument"] and row["records"]}
    told = (Fact(name, *(found[name][fact] for fact in facts)) for name in sorted(found))
    return Tally(_summed(rows, counts), tuple(told))


def _summed(rows: list[dict[str, Any]], counts: Mapping[str, Any]) -> dict[str, int]:
    return {name: sum(int(row[name] or 0) for row in rows) for name in counts}
