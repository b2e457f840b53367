"""How sure a proposal is of the columns that stand side by side for vertebrae, treatments or events."""

from collections.abc import Mapping, Sequence
from typing import Any

from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.proposal_line import Line
from vertebro_outcomes.loaders.proposed_entries import entry_of
from vertebro_outcomes.loaders.sources import Source


def lines_beside(
    source: Source, feeds: Sequence[Mapping[str, Any]], lines: Sequence[Line]
) -> list[Line]:
    """A line for each column of `feeds` that no line is about: it is one of several of its kind."""
    texts = ColumnTexts(source)
    known = {line.column for line in lines if line.source == source.name}
    made: dict[tuple[str, str, str], Line] = {}
    for feed in (feed for feed in feeds if feed["source"] == source.name):
        for target, cell in feed["columns"].items():
            column, table = cell.get("column", ""), feed["table"]
            if not column or column in known or (table, target, column) in made:
                continue
            _, fits, why = entry_of(source, column, (table, target), texts)
            said = f"{why}; one of several side by side"
            sure = round(0.8 * fits, 2)
            line = Line(source.name, table, target, column, sure, said, cell)
            made[table, target, column] = line
    return list(made.values())
