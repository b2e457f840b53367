"""Lines of a plain file, read as dates and numbers where each cell of a column is written as one.

Splitting lines and reading cells in one go is faster than reading texts first. Anything out of the
ordinary ends it, and every cell is read as text.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

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

        types = {"text": pa.string(), "number": pa.float64(), "date": pa.date32()}
        schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])
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
                ready, ahead = ahead, beside.submit(_records, block, how)
                if ready is not None:
                    yield from ready.result()
            if ahead is not None:
                yield from ahead.result()

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines, some megabytes at a time."""
        with self.path.open("rb") as stream:
            for _ in range(self.above):
                stream.readline()
            rest = b""
            while chunk := stream.read(BLOCK_BYTES):
                end = chunk.rfind(b"\n") + 1
                yield rest + chunk[:end]
                rest = chunk[end:]
            if rest:
                yield rest


def _records(block: bytes, how: Mapping[str, Any]) -> "list[pa.RecordBatch]":
    """The batches of a block; raises where a cell cannot be told from another by what was read."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as arrow

    if b"\0" in block:
        raise pa.ArrowInvalid("a sign that ends texts")
    table = arrow.read_csv(pa.py_buffer(block), **how)
    for column in table.columns:
        if pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py():
            raise pa.ArrowInvalid("a word for a number without end")  # `inf` and `nan` are texts
    return list(table.to_batches())
