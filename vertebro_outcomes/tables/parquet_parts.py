"""Parquet files of the same columns -> one file: their row groups, as packed, one after the other.

A file is data, then a footer that says where in the file each row group lies. Data are copied as
they are; the footers are read, moved and written as one, in the compact protocol of Apache Thrift.
"""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

MARK: Final = b"PAR1"
CHUNK_BYTES: Final = 1 << 20
# Numbers of fields and of types as parquet.thrift and the compact protocol give them.
NUM_ROWS, ROW_GROUPS = 3, 4
COLUMNS, GROUP_OFFSET, GROUP_ORDINAL = 1, 5, 7
CHUNK_OFFSET, CHUNK_DATA = 2, 3
CHUNK_PLACES: Final = (CHUNK_OFFSET, 4, 6)  # of the chunk, its index of offsets, of its columns
DATA_PLACES: Final = (9, 10, 11, 14)  # of data, index and dictionary pages, of the bloom filter
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
WHOLE: Final = (4, 5, 6)

Struct = dict[int, tuple[int, Any]]  # number of a field -> its type and value


def join_parts(parts: Sequence[Path], target: Path) -> None:
    """Write the rows of all `parts`, in this order, as one file; the parts stay.

    Reference
    ---------
    Apache Parquet, file format and parquet.thrift: https://parquet.apache.org/docs/file-format/
    """
    whole: Struct = {}
    with target.open("wb") as out:
        out.write(MARK)
        for part in parts:
            with part.open("rb") as source:
                footer, end = _footer(source)
                _move(footer, out.tell() - len(MARK))
                _copy_data(source, out, end)
            whole = _added(whole, footer) if whole else footer
        written = BytesIO()
        _write_struct(written, whole)
        packed = written.getvalue()
        out.write(packed + len(packed).to_bytes(4, "little") + MARK)


def _footer(source: IO[bytes]) -> tuple[Struct, int]:
    """What a file says of its row groups, and where its data end."""
    source.seek(-8, 2)
    end = source.tell() - int.from_bytes(source.read(4), "little")
    assert source.read(4) == MARK
    source.seek(end)
    return _read_struct(source), end


def _copy_data(source: IO[bytes], out: IO[bytes], end: int) -> None:
    source.seek(len(MARK))
    while left := end - source.tell():
        out.write(source.read(min(left, CHUNK_BYTES)))


def _move(footer: Struct, by: int) -> None:
    """Every place in the file lies so many bytes further down."""
    for group in footer[ROW_GROUPS][1][1]:
        _moved(group, (GROUP_OFFSET,), by)
        for chunk in group[COLUMNS][1][1]:
            _moved(chunk, CHUNK_PLACES, by)
            _moved(chunk[CHUNK_DATA][1], DATA_PLACES, by)


def _moved(struct: Struct, places: Sequence[int], by: int) -> None:
    for place in places:
        if struct.get(place, (0, 0))[1]:  # 0 stands for no place
            kind, value = struct[place]
            struct[place] = (kind, value + by)


def _added(whole: Struct, more: Struct) -> Struct:
    """One footer with the row groups of both."""
    kind, (inner, groups) = whole[ROW_GROUPS]
    further = more[ROW_GROUPS][1][1]
    for place, group in enumerate(further, start=len(groups)):
        if GROUP_ORDINAL in group:
            group[GROUP_ORDINAL] = (group[GROUP_ORDINAL][0], place)
    rows = whole[NUM_ROWS][1] + more[NUM_ROWS][1]
    return {
        **whole,
        NUM_ROWS: (whole[NUM_ROWS][0], rows),
        ROW_GROUPS: (kind, (inner, [*groups, *further])),
    }


def _read_struct(data: IO[bytes]) -> Struct:
    struct: Struct = {}
    number = 0
    while head := data.read(1)[0]:
        kind = head & 0x0F
        number = number + (head >> 4) if head >> 4 else _signed(_read_number(data))
        struct[number] = (kind, kind == TRUE if kind in (TRUE, FALSE) else _read(data, kind))
    return struct


def _read(data: IO[bytes], kind: int) -> Any:
    if kind in WHOLE:
        return _signed(_read_number(data))
    if kind == BINARY:
        return data.read(_read_number(data))
    if kind == STRUCT:
        return _read_struct(data)
    if kind in (LIST, SET):
        head = data.read(1)[0]
        size = head >> 4 if head >> 4 < 15 else _read_number(data)
        return head & 0x0F, [_read(data, head & 0x0F) for _ in range(size)]
    assert kind in (TRUE, FALSE, BYTE, DOUBLE), f"no footer of Parquet holds the type {kind}"
    return data.read(8 if kind == DOUBLE else 1)


def _write_struct(out: IO[bytes], struct: Struct) -> None:
    last = 0
    for number, (kind, value) in struct.items():
        kept = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        if 0 < number - last < 16:
            out.write(bytes([(number - last) << 4 | kept]))
        else:
            out.write(bytes([kept]))
            _write_number(out, _unsigned(number))
        if kind not in (TRUE, FALSE):
            _write(out, kind, value)
        last = number
    out.write(b"\0")


def _write(out: IO[bytes], kind: int, value: Any) -> None:
    if kind in WHOLE:
        _write_number(out, _unsigned(value))
    elif kind == BINARY:
        _write_number(out, len(value))
        out.write(value)
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind in (LIST, SET):
        inner, items = value
        out.write(bytes([min(len(items), 15) << 4 | inner]))
        if len(items) >= 15:
            _write_number(out, len(items))
        for item in items:
            _write(out, inner, item)
    else:
        out.write(value)


def _read_number(data: IO[bytes]) -> int:
    """Seven bits a byte, lowest first."""
    number = shift = 0
    while True:
        byte = data.read(1)[0]
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number


def _write_number(out: IO[bytes], number: int) -> None:
    while number >= 0x80:
        out.write(bytes([number & 0x7F | 0x80]))
        number >>= 7
    out.write(bytes([number]))


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _unsigned(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1
