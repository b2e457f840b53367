"""How a delimited file begins and ends: its titles, its first texts, its footers."""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from vertebro_outcomes.loaders.delimited import WIDTH_WITH_FOOTERS as WIDE
from vertebro_outcomes.loaders.delimited import Dialect, ends_table
from vertebro_outcomes.loaders.missing_header import LOOKED_AT, is_record, numbered_titles

TAIL_BYTES: Final = 1 << 16
FIRST_LINES: Final = 1000
QUARTERED_BYTES: Final = 1 << 24
MOST_USUAL: Final = 20


def titles_of(path: Path, dialect: Dialect) -> tuple[list[str], int]:
    """The headers as written, and how many lines stand above the first record."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=dialect.separator, quoting=dialect.quoting)
        for _ in range(dialect.title_rows):
            next(reader, [])
        start = reader.line_num
        titles = [title.strip() for title in next(reader, [])]
        while titles and not titles[-1]:
            titles.pop()
        above = reader.line_num
        if is_record(titles, list(islice(reader, LOOKED_AT))):
            return numbered_titles(len(titles)), start
        return titles, above


def usual_texts(
    path: Path, dialect: Dialect, header: list[str], above: int
) -> dict[str, list[str]]:
    """The texts of each column in some lines of a file, frequent ones first.

    They are the first lines, and of a large file as many further down: it may be sorted.
    """
    with suppress(csv.Error):
        lines = [line for part in _parts(path, above) for line in part]
        rows = csv.reader(lines, delimiter=dialect.separator, quoting=dialect.quoting)
        columns = zip(*(row for row in rows if len(row) == len(header)), strict=True)
        counts = zip(header, map(Counter, columns), strict=False)
        return {name: [t for t, _ in count.most_common(MOST_USUAL)] for name, count in counts}
    return {}


def _parts(path: Path, above: int) -> Iterator[list[str]]:
    """Lines below the header, and of large files some from each quarter that follows."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield list(islice(stream, above, above + FIRST_LINES))
    size = path.stat().st_size
    with path.open("rb") as stream:
        for quarter in (1, 2, 3) if size > QUARTERED_BYTES else ():
            stream.seek(quarter * size // 4)
            stream.readline()  # the rest of a line
            lines = islice(stream, FIRST_LINES)
            yield [line.decode("utf-8", errors="replace") for line in lines]


def footers_of(path: Path, dialect: Dialect, width: int) -> tuple[int, int]:
    """How many records at the end of the file are no records, and how many of those are not blank.

    Totals and notes stand in the last lines; blank lines between and below them go with them.
    """
    if width < WIDE:
        return 0, 0
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = stream.read().decode("utf-8", errors="replace").splitlines()[1:]
    trailing = footers = 0
    seen: list[bool] = []
    for line in reversed(lines):
        if dialect.quote and line.count('"') % 2:
            break
        cells = next(csv.reader([line], delimiter=dialect.separator, quoting=dialect.quoting), [])
        filled = [place for place, cell in enumerate(cells) if cell.strip()]
        if filled and not ends_table(cells[filled[0]], filled):
            break
        if line:  # the engine passes over lines without anything
            seen.append(bool(filled))
    for place, is_footer in enumerate(seen, start=1):
        trailing = place if is_footer else trailing
        footers += is_footer
    return trailing, footers
