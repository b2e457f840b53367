"""The text columns of a source -> the typed columns of its feeds, each with the rule a misfit broke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.cells import (
    closed_words,
    draft,
    glance,
    is_coded,
    judge,
    same_in_all,
    stripped,
)
from vertebro_outcomes.loaders.format import NO_TEXT, STAGED, Cell, Feed
from vertebro_outcomes.loaders.level_cells import (
    LEVEL,
    LEVEL_RULES,
    N_LEVELS,
    leak_of_some,
    level_rule,
    of_each,
)
from vertebro_outcomes.loaders.marks import LEAK, RULE, WHY
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.typed_lines import Kind, is_written_as
from vertebro_outcomes.tables.schema import Column

if TYPE_CHECKING:
    import ibis.expr.types as ir

LONGEST_BLANK: Final = 6
GLANCED_FROM: Final = 20_000  # rows; below, glances and kinds take longer than they save


@dataclass(frozen=True)
class Columns:
    """Canonical columns and their companions as expressions, and the rules that cells may break.

    `words` is all that a column can hold, where that is known, likely words first.
    """

    values: Mapping[str, Any]
    rules: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Sequence[str]]


def typed_columns(
    rows: "ir.Table", source: Source, feeds: Sequence[Feed]
) -> tuple["ir.Table", list[Columns]]:
    """The columns of each feed, over the table that comes with them; of `rows`, some may be read already.

    What cells say is read in steps: each expression stands once, however often it is looked at.
    """
    cells = {
        (place, name): cell
        for place, feed in enumerate(feeds)
        for name, cell in feed.cells.items()
        if cell.constant is None and name != "level" and not is_plain(_declared(feed, name), cell)
    }
    glances, strict = {}, rows.get_backend().name == "duckdb"
    unread = {key: cell for key, cell in cells.items() if rows[cell.column].type().is_string()}
    for (place, name), cell in unread.items() if source.n_rows >= GLANCED_FROM else ():
        column, usual = _declared(feeds[place], name), source.usual.get(cell.column, ())
        text, how = rows[cell.column], source.setting
        found = glance(text, column, cell, how, usual=usual, strict=strict)
        if found is not None:
            glances[f"glance {place} {name}"] = found
    rows = rows.mutate(**glances) if glances else rows
    drafts = {}
    for (place, name), cell in cells.items():
        glanced = f"glance {place} {name}"
        seen = rows[glanced] if glanced in glances else None
        column, text = _declared(feeds[place], name), rows[cell.column]
        drafts[f"draft {place} {name}"] = draft(seen, text, column, cell, source.setting)
    rows = rows.mutate(**drafts) if drafts else rows
    return rows, [_columns(rows, place, feed, source) for place, feed in enumerate(feeds)]


def kinds_of(source: Source, feeds: Sequence[Feed]) -> dict[str, Kind]:
    """The columns that feeds look at, each with what all its cells may be read as, as far as one sees.

    None of a short source: what they save is less than they cost.
    """
    kinds: dict[str, Kind] = {}
    for feed in feeds if source.n_rows >= GLANCED_FROM else ():
        for name, cell in feed.cells.items():
            if cell.constant is None:
                kind = _kind(_declared(feed, name), cell, source)
                kinds[cell.column] = kind if kinds.get(cell.column, kind) == kind else "text"
    return kinds


def _kind(column: Column, cell: Cell, source: Source) -> Kind:
    usual, how = source.usual.get(cell.column, ()), source.setting
    kind: Kind = "text"
    if cell.absent or is_coded(column, cell):
        return "text"
    if column.type == "date" and (cell.dates or how.dates) == "iso":
        kind = "date"
    elif column.type in ("int", "float") and not (cell.thousands or how.thousands):
        same = (cell.decimal or how.decimal) == how.decimal
        kind = "number" if same else "text"
    return kind if all(is_written_as(text, kind) for text in usual) else "text"


def _declared(feed: Feed, name: str) -> Column:
    return STAGED[feed.table][name]


def _columns(rows: "ir.Table", place: int, feed: Feed, source: Source) -> Columns:
    """Columns without a cell are blank for the whole feed."""
    values: dict[str, Any] = {}
    rules: dict[str, tuple[str, ...]] = {}
    words: dict[str, Sequence[str]] = {}
    for column in STAGED[feed.table].columns:
        cell, name = feed.cells.get(column.name), column.name
        if cell is None:
            continue
        if cell.constant is not None:
            values[name] = same_in_all(cell.constant, column, cell, source.setting)
        elif name == "level":
            rules[name] = LEVEL_RULES
            values |= {name: rows[LEVEL], RULE + name: level_rule(rows, rows[cell.column])}
        elif is_plain(column, cell):
            values[name] = _plain(column, rows[cell.column])
        else:
            # A score is the recorded number; scales are applied when all scores are together.
            scored = feed.table == "scores" and name == "value"
            cell = replace(cell, scale=None) if scored else cell
            parsed = judge(rows[f"draft {place} {name}"], rows[cell.column], column, cell)
            if name == "leakage" and N_LEVELS in rows.columns:
                values[LEAK] = leak_of_some(rows, parsed.value)
            parsed = of_each(rows, name, parsed) if feed.table == "levels" else parsed
            rules[name] = parsed.rules
            known = closed_words(column, cell, usual=source.usual.get(cell.column, ()))
            words |= {name: known} if known else {}
            values |= {name: parsed.value, RULE + name: parsed.broken}
            values |= {WHY + name: parsed.why} if cell.absent else {}
    return Columns(values, rules, words)


def is_plain(column: Column, cell: Cell) -> bool:
    """Whether the text itself is the value."""
    return column.type == "text" and not column.codes and not cell.codes and not cell.absent


def _plain(column: Column, text: Any) -> Any:
    """Identifiers of patients stay as written: each is trimmed once when it is replaced."""
    import ibis

    # Spelled as cases: engines turn a list into a join that looks at every row.
    blank = text.strip().cases(*((word, True) for word in ("", *NO_TEXT)), else_=False)
    kept = text if column.name == "patient_id" else stripped(text)
    likely = text < "!"  # most cells are not looked at: they are long, or begin otherwise
    for first in sorted({word[0] for word in NO_TEXT}):
        likely = likely | text.startswith(first)
    long = text.length() >= LONGEST_BLANK
    return ibis.cases((long, kept), (~likely, kept), (blank, ibis.null("string")), else_=kept)
