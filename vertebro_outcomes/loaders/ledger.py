"""The account of a load: every refused cell and row, and per file where each row went."""

# ruff: noqa: PD003, PD004 -- isnull and notnull are the names Ibis gives them

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.loaders.accounts import Account, Fate, Traces, account, fate, per_feed
from vertebro_outcomes.loaders.format import STAGED, Export
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import (
    FILE,
    ORDER,
    RECORD,
    REFUSED,
    RULE,
    Staged,
    cell_rejects,
)
from vertebro_outcomes.tables.cohort import REJECT_COLUMNS
from vertebro_outcomes.tables.engine import store
from vertebro_outcomes.tables.shown_cells import shown_cell
from vertebro_outcomes.tables.storage import empty_ledger

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_SHOWN: Final = "(not shown)"
_WORDS: Final = {c.name: c.codes for table in STAGED.values() for c in table.columns if c.codes}


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
    used: dict[str, "ir.Table"] = field(default_factory=dict)  # kind -> its rows that are used
    repeats: list["ir.Table"] = field(default_factory=list)
    refused: list[pd.DataFrame] = field(default_factory=list)
    fates: dict[int, Fate] = field(default_factory=dict)  # place of a feed -> what became of it

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
        if leave and total:
            self._count_leaving(rows, findings)
        return total

    def _count_leaving(self, rows: "ir.Table", findings: Sequence[Finding]) -> None:
        """Per feed the rows that leave, each once; rows refused before have been counted."""
        leaving = functools.reduce(operator.or_, (f.wrong.fill_null(False) for f in findings))
        if REFUSED in rows.columns:
            leaving = leaving & rows[REFUSED].isnull()
        for place, n in per_feed(rows.filter(leaving)).items():
            self.fates[place].refused += n

    def repeat(self, rows: "ir.Table") -> None:
        """Rows that say once more what another row said: they are ignored."""
        rows = store(rows.get_backend(), "repeats", rows.select(FILE, LINE, ORDER))
        self.repeats.append(rows)
        for place, n in per_feed(rows).items():
            self.fates[place].repeats += n

    def add_staged(self, staged: Sequence[Staged]) -> list[Staged]:
        """Cells and rows refused while the feeds were read; gives the feeds as counted."""
        counted = []
        for item in staged:
            counts = item.tally.counts
            self.fates[item.place] = fate(item, counts)
            for name in item.feed.cells:
                if counts.get(RULE + name):
                    self.frames.append(cell_rejects(item, name))
            if counts["refused"]:
                self._add_refused(item)
            counted.append(_as_counted(item, counts))
        return counted

    def _add_refused(self, item: Staged) -> None:
        gone = item.data.filter(item.data[REFUSED].notnull())
        lines = gone.select(line=gone[LINE], rule=gone[REFUSED]).distinct()
        frame = lines.order_by(["line", "rule"]).to_pyarrow().to_pandas()
        frame = frame.assign(source_file=item.source.name, found="blank")
        self.refused.append(frame[["source_file", "line"]])
        for rule, rows in frame[frame["rule"] != "see cell"].groupby("rule", sort=True):
            column = (
                "patient_id"
                if "patient" in str(rule)
                else str(rule).removeprefix("no ").split(":")[0]
            )
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

    def settle(
        self, export: Export, staged: Sequence[Staged], written: Mapping[str, int]
    ) -> Account:
        """Where every row of every file went; that nothing is lost is asserted.

        `written` are the rows of the finished tables whose rows are not merged.
        """
        gone = pd.concat([*self.refused, _NO_LINES], ignore_index=True).drop_duplicates()
        return account(export, staged, Traces(self.used, written, self.repeats, self.fates, gone))


def _as_counted(staged: Staged, counts: Mapping[str, int]) -> Staged:
    """The same rows; where none is blank or none refused, nobody has to look for such any more."""
    import ibis

    read, kept = staged.read, staged.data
    if not counts["refused"]:
        read, kept = (t.mutate({REFUSED: ibis.null("string")}) for t in (read, kept))
    if not counts["blank"]:
        read = read.mutate({RECORD: True})
        kept = read.drop(RECORD)
    return replace(staged, data=kept, read=read)


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
        words = _WORDS.get(item.column, ())
        frame["found"] = [shown_cell(text, words=words) for text in frame["found"]]
    return frame.assign(column=item.column, rule=item.rule)
