"""The rows of a query -> a Parquet file, a row group for each batch."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vertebro_outcomes.tables.parquet_parts import join_parts

if TYPE_CHECKING:
    import pyarrow as pa

ROWS: Final = 122_880  # of a batch, which is 60 of the engine's own
PACKERS: Final = 2
AHEAD: Final = 4  # batches that are being packed while the next ones are asked for


@dataclass(frozen=True)
class Coded:
    """A column of places in lists of texts, which in a file becomes a column for each list.

    Texts that come again and again are so neither joined nor compared. All lists have one length;
    they are `plain` if no list has a blank or the same text at two places. A place `repeats` unless
    it comes once.
    """

    place: str
    texts: Mapping[str, "pa.Array"]
    plain: bool = False
    repeats: bool = True


def write_rows(rows: "pa.RecordBatchReader", path: Path, coded: Coded | None = None) -> None:
    """A file of these rows.

    Identifiers, which are columns with names that end in `_id`, are kept in dictionaries only where
    they are `coded`; else they are not packed, as pseudonyms are random. The least and greatest are
    told of whole numbers and dates alone: words and measurements come in any order.

    Parameters
    ----------
    rows : pyarrow.RecordBatchReader
        In batches of at most `ROWS` rows.
    path : Path
        The file to write.
    coded : Coded, optional
        The column to replace.
    """
    codes = _Codes(rows.schema, coded) if coded else None
    schema = codes.schema if codes else rows.schema
    pack = partial(_packed, schema, _how(schema, coded))
    batches = (codes.batch(batch) for batch in rows) if codes else iter(rows)
    with ThreadPoolExecutor(PACKERS) as beside:
        join_parts(_in_turn(pack, batches, beside), path)


def _in_turn(
    pack: Callable[["pa.RecordBatch | None"], Any],
    batches: Iterator["pa.RecordBatch"],
    beside: Executor,
) -> Iterator[Any]:
    """What is made of each batch, in their order; of none if there are none."""
    begun = deque([beside.submit(pack, next(batches, None))])
    for batch in batches:
        begun.append(beside.submit(pack, batch))
        if len(begun) > AHEAD:
            yield begun.popleft().result()
    for part in begun:
        yield part.result()


def _packed(
    schema: "pa.Schema", how: Mapping[str, Any], batch: "pa.RecordBatch | None"
) -> "pa.Buffer":
    """A Parquet file of one row group, in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = pa.BufferOutputStream()
    with pq.ParquetWriter(packed, schema, **how) as writer:
        if batch is not None:
            writer.write_batch(batch, row_group_size=ROWS)
    return packed.getvalue()


def _how(schema: "pa.Schema", coded: Coded | None) -> dict[str, Any]:
    plain = [name for name in schema.names if not name.endswith("_id")]
    return {
        "use_dictionary": [*plain, *(coded.texts if coded and coded.repeats else ())],
        "write_statistics": [name for name in plain if _is_told(schema.field(name).type)],
        "compression": {
            name: "snappy" if name in plain or (coded and coded.repeats) else "none"
            for name in schema.names
        },
        "store_schema": False,
    }


def _is_told(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_date(kind) or pa.types.is_boolean(kind)


class _Codes:
    """Batches with the texts of a coded column; the dictionary of each holds what stands in it."""

    def __init__(self, schema: "pa.Schema", coded: Coded) -> None:
        import pyarrow as pa

        self.at = schema.names.index(coded.place)
        self.plain, self.repeats = coded.plain, coded.repeats
        kind = pa.dictionary(pa.int32(), pa.string()) if self.repeats else pa.string()
        told = [pa.field(name, kind) for name in coded.texts]
        fields = list(schema)
        self.schema = pa.schema([*fields[: self.at], *told, *fields[self.at + 1 :]])
        self.texts = list(coded.texts.values())
        self.first = np.zeros(max(map(len, self.texts)), np.int32)
        self.rows = np.arange(ROWS, dtype=np.int32)

    def batch(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        """Rows with the texts at their places."""
        import pyarrow as pa

        if self.repeats:
            different, numbers = self._numbered(batch.column(self.at).to_numpy())
            plain, here = self.plain, pa.array(different)
            made = [_looked_up(texts.take(here), numbers, plain=plain) for texts in self.texts]
        else:
            made = [texts.take(batch.column(self.at)) for texts in self.texts]
        columns = batch.columns
        columns = [*columns[: self.at], *made, *columns[self.at + 1 :]]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _numbered(self, places: Any) -> tuple[Any, Any]:
        """The different places, and for each row the number of its own among them.

        Whichever row of a place is written last stands for it.
        """
        rows = self.rows[: len(places)]
        self.first[places] = rows
        different = places[self.first[places] == rows]
        self.first[different] = rows[: len(different)]
        return different, self.first[places]


def _looked_up(texts: "pa.Array", numbers: Any, *, plain: bool) -> "pa.DictionaryArray":
    """The text of each number; a text that stands at several is once in the dictionary, no text never.

    The writer takes it for granted: what else it is handed is followed by whatever lay in memory.
    """
    import pyarrow as pa

    if plain:
        return pa.DictionaryArray.from_arrays(pa.array(numbers), texts)
    told = texts.dictionary_encode()
    return pa.DictionaryArray.from_arrays(told.indices.take(pa.array(numbers)), told.dictionary)
