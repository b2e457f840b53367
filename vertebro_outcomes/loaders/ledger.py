"""The account of a load: every refused cell and row, and per file where each row went."""

# ruff: noqa: PD004 -- isnull and notnull are the names Ibis gives them

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.loaders.format import Export
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.loaders.staging import FILE, REFUSED, Staged, cell_rejects, shorten
from vertebro_outcomes.tables.cohort import ACCOUNT_COLUMNS, REJECT_COLUMNS
from vertebro_outcomes.tables.engine import count, store
from vertebro_outcomes.tables.storage import empty_ledger

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_SHOWN: Final = "(not shown)"


@dataclass
class Ledger:
    """Collects refusals while tables are put together; `used` and `refused` hold file and line."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    used: list["ir.Table"] = field(default_factory=list)
    refused: list["ir.Table"] = field(default_factory=list)

    def refuse_rows(
        self, rows: "ir.Table", rule: str, *, column: str, found: Any = NOT_SHOWN
    ) -> None:
        """Rows that leave the cohort; `found` is an expression over `rows` or a fixed text."""
        self._note(rows, rule, column, found)
        self.refused.append(rows.select(FILE, LINE))

    def flag_cells(self, rows: "ir.Table", rule: str, *, column: str, found: Any) -> None:
        """Cells that were set aside while their row stays."""
        self._note(rows, rule, column, found)

    def _note(self, rows: "ir.Table", rule: str, column: str, found: Any) -> None:
        import ibis

        shown = ibis.literal(found) if isinstance(found, str) else found.cast("string")
        file, line = rows[FILE], rows[LINE]
        if f"{LINE} {column}" in rows.columns:  # another row than the first gave this cell
            file, line = (rows[f"{mark} {column}"].coalesce(rows[mark]) for mark in (FILE, LINE))
        picked = rows.select(source_file=file, line=line, found=shown)
        frame = picked.distinct().order_by(["source_file", "line"]).to_pyarrow().to_pandas()
        if len(frame):
            if not isinstance(found, str):
                frame["found"] = frame["found"].map(shorten)
            self.frames.append(frame.assign(column=column, rule=rule))

    def add_staged(self, staged: Sequence[Staged]) -> None:
        """Cells and rows refused while the feeds were read, and by the reader itself."""
        for item in staged:
            self.frames.append(cell_rejects(item))
            gone = item.data.filter(item.data[REFUSED].notnull())
            self.refused.append(gone.select(FILE, LINE))
            missing = gone.filter(gone[REFUSED] != "see cell")
            for rule in missing.select(REFUSED).distinct().to_pyarrow()[REFUSED].to_pylist():
                column = "patient_id" if "patient" in rule else rule.removeprefix("no ")
                title = item.titles.get(column, column)
                self._note(missing.filter(missing[REFUSED] == rule), rule, title, "blank")

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
            .sort_values(["source_file", "line", "column", "rule"], ignore_index=True)
            .reset_index(drop=True)
        )

    def accounting(self, export: Export) -> pd.DataFrame:
        """Per file `rows_in rows_used rows_rejected rows_ignored`; the sum is asserted."""
        used = _lines(self.used)
        refused = _lines(self.refused)
        lines = [self._account(source, used, refused) for source in export.sources]
        return pd.DataFrame(lines, columns=list(ACCOUNT_COLUMNS))

    def _account(
        self, source: Source, used: "ir.Table | None", refused: "ir.Table | None"
    ) -> dict[str, Any]:
        here = _of(used, source)
        gone = _of(refused, source)
        n_used = count(here) if here is not None else 0
        if gone is not None and here is not None:
            gone = gone.anti_join(here, LINE)
        n_refused = count(gone) if gone is not None else 0
        touched = [table for table in (here, gone) if table is not None]
        left = source.n_rows
        if touched and source.n_rows != n_used + n_refused:
            rest = source.data.select(LINE)
            for table in touched:
                rest = rest.anti_join(table, LINE)
            left = count(rest)
        elif touched:
            left = 0
        rejected = n_refused + len(source.refused)
        ignored = left + sum(source.set_aside.values())
        total = n_used + rejected + ignored
        assert source.rows_in == total, f"{source.name}: rows unaccounted for"
        counts = (source.name, source.rows_in, n_used, rejected, ignored)
        return dict(zip(ACCOUNT_COLUMNS, counts, strict=True))


def _lines(tables: Sequence["ir.Table"]) -> "ir.Table | None":
    """File and line, each once."""
    whole: Any = None
    for table in tables:
        part = table.select(FILE, LINE)
        whole = part if whole is None else whole.union(part)
    return store(whole.get_backend(), "lines", whole.distinct()) if whole is not None else None


def _of(lines: "ir.Table | None", source: Source) -> "ir.Table | None":
    return None if lines is None else lines.filter(lines[FILE] == source.name).select(LINE)
