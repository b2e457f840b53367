"""Feeds -> staged rows: typed canonical columns with file, line and the rule each misfit broke."""

# ruff: noqa: PD003, PD004 -- isnull and notnull are the names Ibis gives them

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.loaders.cells import draft, glance, judge, parse, stripped
from vertebro_outcomes.loaders.format import NO_TEXT, STAGED, Cell, Export, Feed
from vertebro_outcomes.loaders.level_cells import LEVEL, LEVEL_RULES, level_rule, with_levels
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.tables.engine import fingerprint, store
from vertebro_outcomes.tables.schema import Column
from vertebro_outcomes.tables.shown_cells import shown_cell

if TYPE_CHECKING:
    import ibis.expr.types as ir

# A misfit in one of these refuses the row; elsewhere only the cell.
ROW_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "patients": ("patient_id",),
    "episodes": ("patient_id",),
    "levels": ("patient_id", "level"),
    "scores": ("patient_id", "instrument", "value", "day", "date"),
    "events": ("patient_id", "type", "day", "date"),
    "fractures": ("patient_id", "day", "date"),
}
FILE, ORDER, REFUSED = "_file", "_order", "_refused"
RECORD = "_record"  # whether a row of the file is a record of this table
WHO: Final = "_who"  # the number of a person, by the identifier as written
FEED_STEP: Final = 10**10  # `_order` is the line within a feed, feeds one after the other
RULE, WHY = "rule ", "why "  # prefixes of the companions of a column
LONGEST_BLANK: Final = 6
GLANCE, DRAFT = "glance ", "draft "
MOST_SCANS: Final = 2  # a streamed source that feeds more tables than this is kept


@dataclass(frozen=True)
class Staged:
    """The rows of one feed on the engine; `_refused` is the rule that refuses the whole row.

    `rule COLUMN` holds the place of the broken rule in `rules`: numbers take less room than words.
    `read` are all rows that the feed looked at, `data` those of them that are a record.
    """

    feed: Feed
    source: Source
    data: "ir.Table"
    read: "ir.Table"
    place: int = 0
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # column -> what cells break
    finish: Callable[["ir.Table"], "ir.Table"] | None = None  # what is left to do with each row
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)  # column -> all it can hold

    @property
    def titles(self) -> Mapping[str, str]:
        """Canonical column -> header in the file."""
        return {name: cell.column or name for name, cell in self.feed.cells.items()}

    @property
    def repeats_lines(self) -> bool:
        """Whether one row of the file may become several rows."""
        cell = self.feed.cells.get("level")
        return cell is not None and cell.constant is None


def stage(engine: Any, export: Export) -> tuple[Export, list[Staged]]:
    """Every feed of an export, computed on the engine; the export with its rows counted."""
    feeds = list(enumerate(export.feeds))
    uses = Counter(feed.source for feed in export.feeds)
    sources = [_counted(source, export) for source in export.sources]
    by_name = {source.name: _kept(engine, source, uses) for source in sources}
    staged: dict[int, Staged] = {}
    for name, source in by_name.items():
        own = [(place, feed) for place, feed in feeds if feed.source == name]
        made = [_stage_feed(engine, feed, source, place) for place, feed in own]
        if source.settled is not None and not any(_is_whole(item) for item in made):
            settled = source.settled()
            sources = [settled if old.name == name else old for old in sources]
            kept = _kept(engine, settled, uses)
            made = [_stage_feed(engine, feed, kept, place) for place, feed in own]
        staged |= {item.place: item for item in made}
    return replace(export, sources=tuple(sources)), [staged[place] for place, _ in feeds]


def _counted(source: Source, export: Export) -> Source:
    """A source whose rows nobody will count while they are staged is counted at once."""
    numbered = (_is_numbered_later(f, source) for f in export.feeds if f.source == source.name)
    alone = sum(other.name == source.name for other in export.sources) == 1
    return source if source.settled is None or (alone and any(numbered)) else source.settled()


def _is_whole(item: Staged) -> bool:
    """Whether each line of a file became one row, none of them blank or the header once more."""
    import ibis

    cell = item.feed.cells["patient_id"]
    plain = cell.constant is None and _is_plain(STAGED[item.feed.table]["patient_id"], cell)
    if not plain or not _is_numbered_later(item.feed, item.source):
        return False
    who = item.read.patient_id
    again = ibis.cases((who.contains(cell.column), who.strip() == cell.column), else_=False)
    counts = item.read.aggregate(n=who.count(), again=again.sum()).to_pyarrow().to_pylist()[0]
    return bool(counts["n"] == item.source.n_rows and not counts["again"])


def _kept(engine: Any, source: Source, uses: Mapping[str, int]) -> Source:
    if not source.is_streamed or uses[source.name] <= MOST_SCANS:
        return source
    return replace(source, data=store(engine, "source", source.data), is_streamed=False)


def _stage_feed(engine: Any, feed: Feed, source: Source, place: int) -> Staged:
    import ibis

    wanted = [cell.column for cell in feed.cells.values() if cell.constant is None]
    is_later = _is_numbered_later(feed, source)
    rows = source.in_order.data if is_later and source.in_order else source.data
    rows = rows.select(list(dict.fromkeys([*([] if is_later else [LINE]), *wanted, *feed.where])))
    if feed.where:
        rows = rows.filter(meant(rows, feed))
    rows = _with_drafts(with_levels(engine, rows, feed), feed, source)
    columns: dict[str, Any] = {} if is_later else {LINE: rows[LINE]}
    rules: dict[str, tuple[str, ...]] = {}
    for column in STAGED[feed.table].columns:
        if column.name in feed.cells:  # the others are blank for the whole feed
            columns |= _column(rows, column, feed, source, rules)
    picked = rows.select(**columns)
    picked = picked.mutate(**{WHO: fingerprint(engine, picked.patient_id)})
    in_place = is_later or feed.table != "scores"  # scores, which are many, are never sorted again
    data = store(engine, f"staged_{feed.table}", picked if in_place else picked.order_by(LINE))
    if is_later and source.in_order:
        data = data.mutate(**{LINE: data.rowid() + source.in_order.first_line})
    judged = {REFUSED: _refusal(data, feed), RECORD: _is_record(data, feed)}
    trace = {FILE: ibis.literal(source.name), ORDER: data[LINE] + place * FEED_STEP}
    read = data.mutate(**trace, **judged)
    kept = read.filter(read[RECORD]) if feed.needs else read
    return Staged(feed, source, kept.drop(RECORD), read, place, rules)


def meant(rows: "ir.Table", feed: Feed) -> Any:
    """True on rows that a feed is about, by its `where`; never null."""
    import ibis

    found: Any = ibis.literal(True)
    for title, allowed in feed.where.items():
        here = rows[title].lower().isin([text.lower() for text in allowed])
        found = found & here.fill_null(False)
    return found


def _is_numbered_later(feed: Feed, source: Source) -> bool:
    """Where each line becomes one row, the place of the row tells the line: counting is not needed.

    An engine that numbers rows reads the file with one thread.
    """
    splits = "level" in feed.cells and feed.cells["level"].constant is None
    return source.in_order is not None and not feed.where and not splits


def _with_drafts(rows: "ir.Table", feed: Feed, source: Source) -> "ir.Table":
    """What the cells say, in steps: each expression stands once, however often it is looked at."""
    declared = STAGED[feed.table]
    read = {
        name: cell
        for name, cell in feed.cells.items()
        if cell.constant is None and name != "level" and not _is_plain(declared[name], cell)
    }
    setting = source.setting
    quick = {
        GLANCE + name: found
        for name, cell in read.items()
        if (found := glance(rows[cell.column], declared[name], cell, setting)) is not None
    }
    rows = rows.mutate(**quick) if quick else rows
    drafts = {}
    for name, cell in read.items():
        seen = rows[GLANCE + name] if GLANCE + name in quick else None
        drafts[DRAFT + name] = draft(seen, rows[cell.column], declared[name], cell, setting)
    return rows.mutate(**drafts) if drafts else rows


def _column(
    rows: "ir.Table",
    column: Column,
    feed: Feed,
    source: Source,
    rules: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    """The typed value, and where it can fail its companions; `rules` takes the rules it may break."""
    import ibis

    cell = feed.cells[column.name]
    if cell.constant is not None:
        parsed = parse(ibis.literal(cell.constant), column, cell, source.setting)
        return {column.name: parsed.value}
    text = rows[cell.column]
    if column.name == "level":
        rules[column.name] = LEVEL_RULES
        return {column.name: rows[LEVEL], RULE + column.name: level_rule(rows, text)}
    if _is_plain(column, cell):
        return {column.name: _plain(column, text)}
    # A score is the recorded number; scales are applied when all scores are together.
    scored = feed.table == "scores" and column.name == "value"
    cell = replace(cell, scale=None) if scored else cell
    parsed = judge(rows[DRAFT + column.name], text, column, cell)
    rules[column.name] = parsed.rules
    made = {column.name: parsed.value, RULE + column.name: parsed.broken}
    return {**made, WHY + column.name: parsed.why} if cell.absent else made


def _plain(column: Column, text: Any) -> Any:
    """Identifiers of patients stay as written: each is trimmed once when it is replaced."""
    import ibis

    # Spelled as cases: engines turn a list into a join that looks at every row.
    blank = text.strip().cases(*((word, True) for word in ("", *NO_TEXT)), else_=False)
    kept = text if column.name == "patient_id" else stripped(text)
    likely = text < "!"  # most cells are not looked at: they are long, or begin otherwise
    for first in sorted({word[0] for word in NO_TEXT}):
        likely = likely | text.startswith(first)
    likely = likely & (text.length() < LONGEST_BLANK)
    return ibis.cases((~likely, kept), (blank, ibis.null("string")), else_=kept)


def _is_plain(column: Column, cell: Cell) -> bool:
    return column.type == "text" and not column.codes and not cell.codes and not cell.absent


def ibis_type(column: Column) -> str:
    """The type of a canonical column on the engine."""
    return {"text": "string", "int": "int64", "float": "float64", "bool": "boolean"}.get(
        column.type, "date"
    )


def _is_record(data: "ir.Table", feed: Feed) -> Any:
    """A row of the file is a record of this table only if one needed column was filled in."""
    import ibis

    filled: Any = ibis.literal(not feed.needs)
    for name in feed.needs:
        for filling in (name, RULE + name, WHY + name):
            if filling in data.columns:
                filled = filled | data[filling].notnull()
    return filled


def _refusal(data: "ir.Table", feed: Feed) -> Any:
    """The first rule that makes the row useless."""
    import ibis

    rules = [(data["patient_id"].isnull(), "no patient identifier")]
    for name in ROW_COLUMNS[feed.table]:
        if RULE + name in data.columns:
            rules.append((data[RULE + name].notnull(), "see cell"))
        if name in ("instrument", "type", "level") and name in data.columns:
            empty = data[name].isnull()
            if feed.table in ("scores", "events", "levels"):
                rules.append((empty, f"no {name}"))
    return ibis.cases(*rules, else_=ibis.null("string"))


def tally(staged: Staged) -> dict[str, int]:
    """How many rows of a feed are records or blank, are refused, and have a cell that broke a rule.

    `lines` are the rows of the file behind them: a cell that lists several levels makes several.
    """
    read = staged.read
    record = read[RECORD]
    ruled = [name for name in staged.feed.cells if RULE + name in read.columns]
    counts = read.aggregate(
        lines=read[LINE].nunique() if staged.repeats_lines else read.count(),
        records=record.sum(),
        blank=(~record).sum(),
        refused=read[REFUSED].count(where=record),
        **{RULE + name: read[RULE + name].count(where=record) for name in ruled},
    )
    return {name: int(value or 0) for name, value in counts.to_pyarrow().to_pylist()[0].items()}


def cell_rejects(staged: Staged, name: str) -> pd.DataFrame:
    """`source_file line column found rule` for every cell of one column that broke a rule."""
    data = staged.data
    bad = data.filter(data[RULE + name].notnull()).select(LINE, rule=data[RULE + name])
    raw = staged.source.data
    raw = raw.select(raw_line=raw[LINE], found=raw[staged.feed.cells[name].column])
    bad = bad.inner_join(raw, bad[LINE] == raw.raw_line)
    frame = bad.select(line=bad[LINE], found=bad.found, rule=bad.rule).distinct()
    frame = frame.order_by("line").to_pyarrow().to_pandas()
    frame["rule"] = frame["rule"].map(dict(enumerate(staged.rules[name])))
    column = STAGED[staged.feed.table][name]
    shown = [shown_cell(text, words=column.codes) for text in frame["found"]]
    frame["found"] = "(not shown)" if column.private else shown
    return frame.assign(source_file=staged.source.name, column=staged.titles[name])
