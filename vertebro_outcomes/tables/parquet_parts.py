"""Parquet files of one schema, one after the other in one file: footers are merged, cells not read.

The footer is a struct of Thrift's compact protocol (`parquet.thrift` of the Apache Parquet format;
the compact protocol's specification). Only its places and counts change: what else it holds is
written as it was read.
"""

import io
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC: Final = b"PAR1"
TAIL: Final = 8  # the length of the footer and the magic number
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
# Fields of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData by their numbers.
SCHEMA, NUM_ROWS, ROW_GROUPS = 2, 3, 4
COLUMNS, GROUP_PLACE, ORDINAL = 1, 5, 7
CHUNK_PLACES: Final = (2, 4, 6)  # the chunk itself, its offset index, its column index
META_DATA: Final = 3
PAGE_PLACES: Final = (9, 10, 11, 14)  # data, index and dictionary pages, bloom filter

Fields = dict[int, tuple[int, Any]]  # number of a field -> its type and value


def join_parts(parts: Iterable["bytes | pa.Buffer"], whole: Path) -> None:
    """One file with the row groups of all parts, in their order.

    Parameters
    ----------
    parts : iterable of bytes or pyarrow.Buffer
        One or more Parquet files with the same schema; each is written before the next is asked for.
    whole : Path
        The file to write.
    """
    merged: Fields = {}
    with whole.open("wb") as target:
        for part in parts:
            text = memoryview(part)
            footer, end = _footer(text)
            if not merged:
                target.write(text[:end])
                merged = footer
                continue
            assert footer[SCHEMA] == merged[SCHEMA], "parts of one table have two schemas"
            _append(merged, footer, target.tell() - len(MAGIC))
            target.write(text[len(MAGIC) : end])
        last = _struct_text(merged)
        target.write(last + struct.pack("<I", len(last)) + MAGIC)


def _footer(file: memoryview) -> tuple[Fields, int]:
    """What the footer says, and where it begins."""
    end = len(file) - TAIL
    (length,) = struct.unpack("<I", file[end : end + 4])
    return _read_struct(io.BytesIO(file[end - length : end])), end - length


def _append(merged: Fields, footer: Fields, shift: int) -> None:
    """The row groups of a part whose bytes now stand `shift` further down."""
    groups = footer[ROW_GROUPS][1][1]
    known = merged[ROW_GROUPS][1][1]
    for group in groups:
        _move(group, (GROUP_PLACE,), shift)
        if ORDINAL in group:
            group[ORDINAL] = (I16, len(known))
        for chunk in group[COLUMNS][1][1]:
            _move(chunk, CHUNK_PLACES, shift)
            _move(chunk[META_DATA][1], PAGE_PLACES, shift)
        known.append(group)
    merged[NUM_ROWS] = (I64, merged[NUM_ROWS][1] + footer[NUM_ROWS][1])


def _move(fields: Fields, places: Sequence[int], shift: int) -> None:
    """Places are counted from the beginning of the file; 0 stands for none."""
    for place in places:
        if place in fields and fields[place][1]:
            kind, value = fields[place]
            fields[place] = (kind, value + shift)


def _read_struct(text: io.BytesIO) -> Fields:
    fields: Fields = {}
    number = 0
    while head := text.read(1)[0]:
        kind, step = head & 15, head >> 4
        number = number + step if step else _signed(_number(text))
        fields[number] = (kind, _read(text, kind))
    return fields


def _read(text: io.BytesIO, kind: int, *, in_list: bool = False) -> Any:
    if kind in (TRUE, FALSE):
        return text.read(1)[0] if in_list else None
    if kind == BYTE:
        return text.read(1)
    if kind in (I16, I32, I64):
        return _signed(_number(text))
    if kind == DOUBLE:
        return text.read(8)
    if kind == BINARY:
        return text.read(_number(text))
    if kind in (LIST, SET):
        head = text.read(1)[0]
        n = head >> 4 if head >> 4 < 15 else _number(text)
        return head & 15, [_read(text, head & 15, in_list=True) for _ in range(n)]
    assert kind == STRUCT, f"a footer with a value of type {kind}"
    return _read_struct(text)


def _number(text: io.BytesIO) -> int:
    """A number of as many bytes as it needs, seven bits in each, the lowest first."""
    found = place = 0
    while True:
        byte = text.read(1)[0]
        found |= (byte & 127) << place
        place += 7
        if byte < 128:
            return found


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _struct_text(fields: Fields) -> bytes:
    text, last = bytearray(), 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - last
        if 0 < step < 16:
            text.append(step << 4 | kind)
        else:
            text += bytes([kind]) + _number_text(_unsigned(number))
        text += _text(kind, value)
        last = number
    return bytes(text) + b"\0"


def _text(kind: int, value: Any, *, in_list: bool = False) -> bytes:
    if kind in (TRUE, FALSE):
        return bytes([value]) if in_list else b""
    if kind in (BYTE, DOUBLE):
        return bytes(value)
    if kind in (I16, I32, I64):
        return _number_text(_unsigned(value))
    if kind == BINARY:
        return _number_text(len(value)) + bytes(value)
    if kind in (LIST, SET):
        of, items = value
        n = len(items)
        head = bytes([n << 4 | of]) if n < 15 else bytes([15 << 4 | of]) + _number_text(n)
        return head + b"".join(_text(of, item, in_list=True) for item in items)
    return _struct_text(value)


def _number_text(number: int) -> bytes:
    text = bytearray()
    while number > 127:
        text.append(number & 127 | 128)
        number >>= 7
    return bytes([*text, number])


def _unsigned(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1
