"""Broken versions of a good file: bytes, cells, lines and markup damaged as real files are."""

import random
from collections.abc import Iterator

NASTY = (
    "", " ", "NA", "nan", "inf", "-inf", "1e309", "-0", "0x1F", "1,5", "1.234,5", "1'000", "½", "٣",
    "9" * 400, "-99", "9999999999999999999", "31.02.2020", "2020-13-45", "0000-00-00", "45000", "T13",
    "T12-", "Th12/L1-T4", "L6", "D12", "=1+1", "@SUM(A1)", "\t", "\x00", "\ufeff", "\u202e", "\ud7ff",
    "<script>alert(1)</script>", "'; DROP TABLE scores; --", "{{7*7}}", "%s%n", "../../etc/passwd",
    "TRUE", "None", "[]", "{}", "a" * 5000, '"', '""', "'", ";", ",", "|", "\\", "\n", "\r\n", "😀",
)  # fmt: skip


def damaged(data: bytes, draws: random.Random) -> bytes:
    """One to four damages, one after another."""
    for _ in range(draws.choice((1, 1, 1, 2, 4))):
        data = draws.choice(DAMAGES)(data, draws)
    return data


def _flip(data: bytes, draws: random.Random) -> bytes:
    if not data:
        return b"\x00"
    at = draws.randrange(len(data))
    return data[:at] + bytes([draws.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, draws: random.Random) -> bytes:
    return data[: draws.randrange(len(data) + 1)]


def _drop(data: bytes, draws: random.Random) -> bytes:
    a, b = sorted(draws.randrange(len(data) + 1) for _ in range(2))
    return data[:a] + data[min(b, a + 60) :]


def _double(data: bytes, draws: random.Random) -> bytes:
    a, b = sorted(draws.randrange(len(data) + 1) for _ in range(2))
    return data[:b] + data[a:b] + data[b:]


def _insert(data: bytes, draws: random.Random) -> bytes:
    at = draws.randrange(len(data) + 1)
    return data[:at] + draws.choice(NASTY).encode("utf-8", "surrogatepass") + data[at:]


def _lines(data: bytes, draws: random.Random) -> bytes:
    lines = data.split(b"\n")
    match draws.randrange(4):
        case 0:
            draws.shuffle(lines)
        case 1:
            lines.insert(draws.randrange(len(lines) + 1), draws.choice(lines))
        case 2:
            del lines[draws.randrange(len(lines))]
        case _:
            lines.insert(0, b"A registry, exported 2020")
    return b"\n".join(lines)


def _cell(data: bytes, draws: random.Random) -> bytes:
    """Another text in one cell of a delimited file, quoted where it has to be or not."""
    lines = data.split(b"\n")
    at = draws.randrange(len(lines))
    separator = max(b";,\t|", key=lambda mark: lines[at].count(bytes([mark])))
    cells = lines[at].split(bytes([separator]))
    text = draws.choice(NASTY).encode("utf-8", "surrogatepass")
    if draws.random() < 0.5:
        text = b'"' + text.replace(b'"', b'""') + b'"'
    cells[draws.randrange(len(cells))] = text
    lines[at] = bytes([separator]).join(cells)
    return b"\n".join(lines)


def _number(data: bytes, draws: random.Random) -> bytes:
    """Another number where there was one."""
    places = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
    if not places:
        return data
    at = draws.choice(places)
    return (
        data[:at]
        + draws.choice((b"-1", b"1e308", b"0", b"999", b"0.5", b"nan", b""))
        + data[at + 1 :]
    )


def _encoding(data: bytes, draws: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(
        draws.choice(("utf-16", "utf-8-sig", "latin-1", "utf-32", "cp500")), "replace"
    )


def _markup(data: bytes, draws: random.Random) -> bytes:
    """Tags and quotes moved, entities declared."""
    bad = (
        b"<",
        b">",
        b"&",
        b"&lol;",
        b"<![CDATA[",
        b'<!DOCTYPE a [<!ENTITY lol "x">]>',
        b"</a>",
        b'="',
    )
    at = draws.randrange(len(data) + 1)
    return data[:at] + draws.choice(bad) + data[at:]


DAMAGES = (
    _flip,
    _cut,
    _drop,
    _double,
    _insert,
    _lines,
    _cell,
    _cell,
    _cell,
    _number,
    _number,
    _encoding,
    _markup,
)


def draws_of(seed: str, count: int) -> Iterator[random.Random]:
    """As many sources of draws, each of its own seed."""
    for i in range(count):
        yield random.Random(f"{seed} {i}")
