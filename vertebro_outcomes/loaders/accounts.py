"""Where every row of a file went: used, rejected and ignored rows are counted each for itself.

No count follows from the others, so a row that is lost on the way leaves a sum that does not add up.
"""

# ruff: noqa: PD004 -- notnull is the name Ibis gives it

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from vertebro_outcomes.loaders.format import Export
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.loaders.staging import FEED_STEP, FILE, ORDER, RECORD, Staged, meant
from vertebro_outcomes.tables.cohort import ACCOUNT_COLUMNS, IGNORED_COLUMNS
from vertebro_outcomes.tables.engine import count, stacked, store

if TYPE_CHECKING:
    import ibis.expr.types as ir

REPEATS: Final = "repeats a record that is kept"
TOLD_AGAIN: Final = f"{REPEATS}: told alike in another row of the patient, counted once"
NOT_FILLED: Final = "nothing filled in that is mapped"
NOT_MEANT: Final = "none of the records that the mapping selects"
NOT_MAPPED: Final = "no column of this file is mapped"
_RULES: Final = (REPEATS, NOT_FILLED, NOT_MEANT)


@dataclass
class Fate:
    """What became of the rows of one feed.

    Every row of the file is outside the feed, blank or (once or several times) a record; every
    record is used, refused or repeats another.
    """

    outside: int = 0
    blank: int = 0
    records: int = 0
    refused: int = 0
    repeats: int = 0

    @property
    def ignored(self) -> int:
        return self.outside + self.blank + self.repeats


@dataclass(frozen=True)
class Account:
    """`files`: the sums per file; `ignored`: per file and rule the rows that nothing was made of."""

    files: pd.DataFrame
    ignored: pd.DataFrame


@dataclass(frozen=True)
class Traces:
    """What a load remembers of its rows: tables with file, line and order, and refused lines.

    `written` are the rows of the finished tables, of those whose rows are not merged.
    """

    used: Mapping[str, "ir.Table"]
    written: Mapping[str, int]
    repeats: Sequence["ir.Table"]
    fates: Mapping[int, Fate]
    refused: pd.DataFrame


def fate(item: Staged, counts: Mapping[str, int]) -> Fate:
    """The rows of a feed as read, by the counts of `tally`; asserts that the file is whole."""
    outside = 0
    if item.feed.where:
        rows = item.source.data
        outside = count(rows.filter(~meant(rows, item.feed)))
    whole = outside + counts["lines"]
    assert whole == item.source.n_rows, (
        f"{item.source.name}: {item.source.n_rows} rows were read, and {whole} became "
        f"{item.feed.table} or were passed over"
    )
    return Fate(outside, counts["blank"], counts["records"], counts["refused"])


def per_feed(rows: "ir.Table") -> dict[int, int]:
    """Place of a feed -> how many of these rows come from it."""
    place = (rows[ORDER] // FEED_STEP).cast("int64")
    counts = rows.group_by(place=place).aggregate(n=rows.count()).to_pyarrow()
    return {row["place"]: row["n"] for row in counts.to_pylist()}


def account(export: Export, staged: Sequence[Staged], traces: Traces) -> Account:
    """The account of every file; raises where a row is lost or counted twice."""
    used = _used(staged, traces)
    files, ignored = [], []
    of_file = {s.name: [i for i in staged if i.source.name == s.name] for s in export.sources}
    mixed = [s.name for s in export.sources if _is_mixed(s, of_file[s.name], used)]
    lines = _used_lines(mixed, traces) if mixed else None
    for source in export.sources:
        n_used, n_refused, passed = _split(source, of_file[source.name], used, lines, traces)
        rules = {**source.set_aside, **passed}
        counts = (n_used, n_refused + len(source.refused), sum(rules.values()))
        assert source.rows_in == sum(counts), (
            f"{source.name}: {source.rows_in} rows in, but {counts[0]} used, {counts[1]} rejected "
            f"and {counts[2]} ignored"
        )
        files.append((source.name, source.rows_in, *counts))
        ignored += [(source.name, rule, n) for rule, n in rules.items() if n]
    return Account(
        pd.DataFrame(files, columns=list(ACCOUNT_COLUMNS)),
        pd.DataFrame(ignored, columns=list(IGNORED_COLUMNS)).astype({"rows": "int64"}),
    )


def _used(staged: Sequence[Staged], traces: Traces) -> dict[int, int]:
    """Place of a feed -> its records that reached a table; asserts that no record is lost."""
    used: dict[int, int] = {}
    for name, table in traces.used.items():
        places = [item.place for item in staged if item.feed.table == name]
        n_written = traces.written.get(name)
        if len(places) == 1 and n_written is not None:  # what came out is counted, not expected
            used[places[0]] = n_written
            continue
        counts = per_feed(table) if places else {}
        n = sum(counts.values())
        assert n_written in (n, None), f"{name}: {n} rows used, but {n_written} written"
        used |= counts
    for item in staged:
        fate_here, n = traces.fates[item.place], used.get(item.place, 0)
        known = n + fate_here.refused + fate_here.repeats
        assert fate_here.records == known, (
            f"{item.source.name}: {fate_here.records} records of {item.feed.table}, but {n} used, "
            f"{fate_here.refused} rejected and {fate_here.repeats} repeats"
        )
    return used


def _is_full(source: Source, feeds: Sequence[Staged], used: Mapping[int, int]) -> bool:
    """Whether one feed uses each row of the file."""
    plain = [item for item in feeds if not item.repeats_lines]
    return any(used.get(item.place, 0) == source.n_rows for item in plain)


def _is_alone(feeds: Sequence[Staged]) -> bool:
    """Whether each row of the file is at most one row of the only feed: counting rows is enough."""
    return len(feeds) == 1 and not feeds[0].repeats_lines


def _is_mixed(source: Source, feeds: Sequence[Staged], used: Mapping[int, int]) -> bool:
    """Whether it must be seen which rows of the file some feed uses."""
    some = any(used.get(item.place) for item in feeds)
    return some and not _is_full(source, feeds, used) and not _is_alone(feeds)


def _split(
    source: Source,
    feeds: Sequence[Staged],
    used: Mapping[int, int],
    lines: "ir.Table | None",
    traces: Traces,
) -> tuple[int, int, dict[str, int]]:
    """(used, refused, ignored by rule) rows of a source; a row used by one feed is used.

    `lines` are the used lines of the sources that are mixed.
    """
    if not feeds:
        return 0, 0, {NOT_MAPPED: source.n_rows}
    if _is_full(source, feeds, used):
        return source.n_rows, 0, {}
    if _is_alone(feeds):
        one = traces.fates[feeds[0].place]
        rules = dict(zip(_RULES, (one.repeats, one.blank, one.outside), strict=True))
        return used.get(feeds[0].place, 0), one.refused, rules
    wanted = traces.refused.loc[traces.refused["source_file"] == source.name, "line"]
    n_used, n_refused = 0, len(wanted)
    if lines is not None and _is_mixed(source, feeds, used):
        own = lines.filter(lines[FILE] == source.name)
        n_used = count(own)
        n_refused -= _how_many(own, wanted)
    return n_used, n_refused, _passed_over(source, feeds, traces)


def _used_lines(names: Sequence[str], traces: Traces) -> "ir.Table":
    """The lines of these sources that some table uses, each once."""
    parts = [table.filter(table[FILE].isin(names)) for table in traces.used.values()]
    whole = stacked([part.select(FILE, LINE) for part in parts])
    return store(whole.get_backend(), "lines", whole.distinct())


def _passed_over(source: Source, feeds: Sequence[Staged], traces: Traces) -> dict[str, int]:
    """Rows of a file that no feed makes anything of, by the rule of the feed that came nearest."""
    import ibis

    if not all(traces.fates[item.place].ignored for item in feeds):
        return {}
    rows, marks = source.data, []
    for item in feeds:
        marks.append([(_RULES.index(NOT_MEANT), ~meant(rows, item.feed))])
        for rank, lines in _set_aside(item, traces):
            mark = f"_aside {len(marks)} {rank}"
            seen = lines.select(**{mark: lines[LINE]}).distinct()
            rows = rows.left_join(seen, rows[LINE] == seen[mark])
            marks[-1].append((rank, ibis._[mark].notnull()))
    ranks = [
        ibis.cases(*((true, rank) for rank, true in reversed(own)), else_=len(_RULES))
        for own in marks
    ]
    marked = rows.select(**{f"_{place}": rank for place, rank in enumerate(ranks)})
    each = [marked[c] for c in marked.columns]
    passed = marked.filter(ibis.greatest(*each) < len(_RULES)).select(nearest=ibis.least(*each))
    counts = passed.group_by("nearest").aggregate(n=passed.count()).to_pyarrow()
    found = {row["nearest"]: row["n"] for row in counts.to_pylist()}
    return {_RULES[rank]: n for rank, n in sorted(found.items())}


def _set_aside(item: Staged, traces: Traces) -> list[tuple[int, "ir.Table"]]:
    """Lines of a feed without a record, and lines whose record repeats another."""
    one = traces.fates[item.place]
    made = []
    if one.blank:
        made.append((_RULES.index(NOT_FILLED), item.read.filter(~item.read[RECORD])))
    if one.repeats:
        for table in traces.repeats:
            mine = table[ORDER] // FEED_STEP == item.place
            made.append((_RULES.index(REPEATS), table.filter(mine)))
    return made


def _how_many(lines: "ir.Table", wanted: pd.Series) -> int:
    """How many of the wanted lines are among the lines."""
    import pyarrow as pa

    if wanted.empty:
        return 0
    engine = lines.get_backend()
    asked = store(engine, "refused", pa.table({LINE: pa.array(wanted, pa.int64())}))
    return count(asked.semi_join(lines, LINE))
