"""Lines of a plain file, read as dates and numbers where each cell of a column is written as one.

Splitting lines and reading cells in one go is faster than reading texts first. Anything out of the
ordinary ends it, and every cell is read as text.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "number", "date"]
BLOCK_BYTES: Final = 1 << 24
PART_BYTES: Final = 1 << 22  # of a block, which becomes one batch
_NUMBER: Final = re.compile(r"-?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def is_written_as(text: str, kind: Kind) -> bool:
    """Whether a text, or a blank, is read as one of that kind; a number with comma or point."""
    pattern = {"number": _NUMBER, "date": _DATE}.get(kind)
    return not text or pattern is None or pattern.fullmatch(text) is not None


def schema_of(kinds: Mapping[str, Kind]) -> "pa.Schema":
    """The types that columns of these kinds are read as."""
    import pyarrow as pa

    types = {"text": pa.string(), "number": pa.float64(), "date": pa.date32()}
    return pa.schema([(name, types[kind]) for name, kind in kinds.items()])


@dataclass(frozen=True)
class TypedLines:
    """A file in UTF-8 without quotes, of which each line below the first `above` is a record."""

    path: Path
    separator: str
    header: tuple[str, ...]
    above: int

    @property
    def is_told(self) -> bool:
        """Whether a line is sure to be read as a record: blank ones of a single column are not."""
        return self.above > 0 and len(self.header) > 1

    def read(self, kinds: Mapping[str, Kind], *, decimal: str = ".") -> "pa.RecordBatchReader":
        """The columns of `kinds` in the order of the lines; blanks are null.

        A cell that is not of its kind, or a line with more or fewer cells, ends the reading.
        """
        import pyarrow as pa

        schema = schema_of(kinds)
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema, decimal))

    def _batches(self, schema: "pa.Schema", decimal: str) -> Iterator["pa.RecordBatch"]:
        import pyarrow.csv as arrow

        how = {
            "read_options": arrow.ReadOptions(
                block_size=PART_BYTES, column_names=list(self.header)
            ),
            "parse_options": arrow.ParseOptions(
                delimiter=self.separator,
                quote_char=False,
                double_quote=False,
                ignore_empty_lines=False,
            ),
            "convert_options": arrow.ConvertOptions(
                column_types=schema,
                include_columns=schema.names,
                null_values=[""],
                strings_can_be_null=True,
                decimal_point=decimal,
            ),
        }
        with ThreadPoolExecutor(1) as beside:  # a block is read while the last one is worked on
            ahead: Future[list[pa.RecordBatch]] | None = None
            for block in self._blocks():
                ready, ahead = ahead, beside.submit(_records, *block, how)
                if ready is not None:
                    yield from ready.result()
            if ahead is not None:
                yield from ahead.result()

    def _blocks(self) -> Iterator[tuple[bytearray, int]]:
        """Some megabytes, and where their last whole line ends; gone when the next but one is read."""
        with self.path.open("rb") as stream:
            for _ in range(self.above):
                stream.readline()
            one, other = bytearray(BLOCK_BYTES), bytearray(BLOCK_BYTES)
            rest = b""
            while True:
                if len(rest) >= len(one) // 2:  # a line of many megabytes
                    one = bytearray(4 * len(rest))
                one[: len(rest)] = rest
                filled = len(rest) + _fill(stream, memoryview(one)[len(rest) :])
                end = one.rfind(b"\n", 0, filled) + 1 if filled == len(one) else filled
                if not filled:
                    return
                rest = bytes(memoryview(one)[end:filled])
                if end:
                    yield one, end
                one, other = other, one


def _fill(stream: BinaryIO, room: memoryview) -> int:
    """How many bytes of a file, of which there may be fewer, went into a room."""
    filled = 0
    while filled < len(room) and (n := stream.readinto(room[filled:])):  # type: ignore[attr-defined]
        filled += n
    return filled


def _records(block: bytearray, end: int, how: Mapping[str, Any]) -> "list[pa.RecordBatch]":
    """The batches of a block up to its `end`; raises where one cell cannot be told from another."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as arrow

    if block.find(b"\0", 0, end) >= 0:
        raise pa.ArrowInvalid("a sign that ends texts")
    table = arrow.read_csv(pa.py_buffer(memoryview(block)[:end]), **how)
    for column in table.columns:
        if pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py():
            raise pa.ArrowInvalid("a word for a number without end")  # `inf` and `nan` are texts
    return list(table.to_batches())
