"""The account of a load: every refused cell and row, and per file where each row went."""

# ruff: noqa: PD004 -- isnull and notnull are the names Ibis gives them

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.loaders.format import Export
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.loaders.staging import (
    FEED_STEP,
    FILE,
    ORDER,
    REFUSED,
    RULE,
    Staged,
    cell_rejects,
    shorten,
    tally,
)
from vertebro_outcomes.tables.cohort import ACCOUNT_COLUMNS, REJECT_COLUMNS
from vertebro_outcomes.tables.engine import count, store
from vertebro_outcomes.tables.storage import empty_ledger

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_SHOWN: Final = "(not shown)"


@dataclass(frozen=True)
class Finding:
    """`wrong` marks rows of a table that break `rule`; `found` is an expression or a fixed text."""

    wrong: Any
    rule: str
    column: str
    found: Any = NOT_SHOWN


@dataclass
class Ledger:
    """Collects refusals while tables are put together; `used` tables hold file, line and order."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    used: list["ir.Table"] = field(default_factory=list)
    refused: list[pd.DataFrame] = field(default_factory=list)

    def refuse_rows(self, rows: "ir.Table", findings: Sequence[Finding]) -> int:
        """Rows that leave the cohort; returns how many there are."""
        return self._note(rows, findings, leave=True)

    def flag_cells(self, rows: "ir.Table", findings: Sequence[Finding]) -> int:
        """Cells that were set aside while their row stays; returns how many there are."""
        return self._note(rows, findings, leave=False)

    def _note(self, rows: "ir.Table", findings: Sequence[Finding], *, leave: bool) -> int:
        """All findings are counted in one pass; rows are fetched only for those that occur."""
        counts = rows.aggregate(
            **{f"n{i}": item.wrong.fill_null(False).sum() for i, item in enumerate(findings)}
        ).to_pyarrow()
        total = 0
        for i, item in enumerate(findings):
            n = counts[f"n{i}"][0].as_py() or 0
            if n:
                frame = _fetched(rows.filter(item.wrong), item)
                self.frames.append(frame)
                if leave:
                    self.refused.append(frame[["source_file", "line"]])
            total += n
        return total

    def add_staged(self, staged: Sequence[Staged]) -> None:
        """Cells and rows refused while the feeds were read."""
        for item in staged:
            counts = tally(item)
            for name in item.feed.cells:
                if counts.get(RULE + name):
                    self.frames.append(cell_rejects(item, name))
            if counts["refused"]:
                self._add_refused(item)

    def _add_refused(self, item: Staged) -> None:
        gone = item.data.filter(item.data[REFUSED].notnull())
        lines = gone.select(line=gone[LINE], rule=gone[REFUSED]).distinct()
        frame = lines.order_by(["line", "rule"]).to_pyarrow().to_pandas()
        frame = frame.assign(source_file=item.source.name, found="blank")
        self.refused.append(frame[["source_file", "line"]])
        for rule, rows in frame[frame["rule"] != "see cell"].groupby("rule", sort=True):
            column = "patient_id" if "patient" in str(rule) else str(rule).removeprefix("no ")
            self.frames.append(rows.assign(column=item.titles.get(column, column)))

    def rejects(self, export: Export) -> pd.DataFrame:
        """`source_file line column found rule`, in the order of files and lines."""
        reader = [
            {"source_file": s.name, "line": line, "column": "", "found": found, "rule": rule}
            for s in export.sources
            for line, found, rule in s.refused
        ]
        frames = [frame for frame in [*self.frames, pd.DataFrame(reader)] if len(frame)]
        if not frames:
            return empty_ledger(REJECT_COLUMNS)
        whole = pd.concat(frames, ignore_index=True)[list(REJECT_COLUMNS)]
        whole["line"] = whole["line"].astype("int64")
        whole["found"] = whole["found"].astype(object).where(whole["found"].notna(), "")
        return (
            whole.drop_duplicates()
            .sort_values(["source_file", "line", "column", "rule", "found"], ignore_index=True)
            .reset_index(drop=True)
        )

    def accounting(self, export: Export, staged: Sequence[Staged]) -> pd.DataFrame:
        """Per file `rows_in rows_used rows_rejected rows_ignored`; the sum is asserted."""
        used = self._used_rows()
        gone = pd.concat([*self.refused, _NO_LINES], ignore_index=True).drop_duplicates()
        lines = []
        for source in export.sources:
            feeds = [item for item in staged if item.source.name == source.name]
            refused = gone.loc[gone["source_file"] == source.name, "line"]
            n_used, n_refused = self._split(source, feeds, used, refused)
            rejected = n_refused + len(source.refused)
            ignored = source.n_rows - n_used - n_refused + sum(source.set_aside.values())
            total = n_used + rejected + ignored
            assert ignored >= 0, f"{source.name}: rows counted twice"
            assert source.rows_in == total, f"{source.name}: rows unaccounted for"
            counts = (source.name, source.rows_in, n_used, rejected, ignored)
            lines.append(dict(zip(ACCOUNT_COLUMNS, counts, strict=True)))
        return pd.DataFrame(lines, columns=list(ACCOUNT_COLUMNS))

    def _used_rows(self) -> dict[int, int]:
        """Place of a feed -> its rows that became part of a table."""
        found: dict[int, int] = {}
        for table in self.used:
            place = (table[ORDER] // FEED_STEP).cast("int64")
            counts = table.group_by(place=place).aggregate(n=table.count()).to_pyarrow()
            for row in counts.to_pylist():
                found[row["place"]] = found.get(row["place"], 0) + row["n"]
        return found

    def _split(
        self,
        source: Source,
        feeds: Sequence[Staged],
        used: dict[int, int],
        refused: pd.Series,
    ) -> tuple[int, int]:
        """(used, refused) rows of a source; a row used by one feed is used.

        Where each row of the file is at most one row of a feed, counting rows is enough.
        """
        plain = [used.get(item.place, 0) for item in feeds if not item.repeats_lines]
        if plain and max(plain) == source.n_rows:
            return source.n_rows, 0
        if len(feeds) == len(plain) == 1:
            return plain[0], len(refused)
        if not any(used.get(item.place) for item in feeds):
            return 0, len(refused)
        lines = self._lines(source)
        n_used = count(lines)
        if refused.empty:
            return n_used, 0
        return n_used, len(refused) - _how_many(lines, refused)

    def _lines(self, source: Source) -> "ir.Table":
        """The lines of a source that some table uses, each once."""
        whole: Any = None
        for table in self.used:
            part = table.filter(table[FILE] == source.name).select(LINE)
            whole = part if whole is None else whole.union(part)
        return store(whole.get_backend(), "lines", whole.distinct())


_NO_LINES: Final = pd.DataFrame({"source_file": [], "line": pd.Series(dtype="int64")})


def _fetched(rows: "ir.Table", item: Finding) -> pd.DataFrame:
    import ibis

    fixed = isinstance(item.found, str)
    shown = ibis.literal(item.found) if fixed else item.found.cast("string")
    file, line = rows[FILE], rows[LINE]
    if f"{LINE} {item.column}" in rows.columns:  # another row than the first gave this cell
        file, line = (rows[f"{mark} {item.column}"].coalesce(rows[mark]) for mark in (FILE, LINE))
    picked = rows.select(source_file=file, line=line, found=shown)
    frame = picked.distinct().order_by(["source_file", "line"]).to_pyarrow().to_pandas()
    if not fixed:
        frame["found"] = frame["found"].map(shorten)
    return frame.assign(column=item.column, rule=item.rule)


def _how_many(lines: "ir.Table", wanted: pd.Series) -> int:
    """How many of the wanted lines are among the lines."""
    import pyarrow as pa

    engine = lines.get_backend()
    asked = store(engine, "refused", pa.table({LINE: pa.array(wanted, pa.int64())}))
    return count(asked.semi_join(lines, LINE))
