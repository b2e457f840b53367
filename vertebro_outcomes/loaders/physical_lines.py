"""The lines of a delimited file, counted before it is split into records."""

import codecs
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

CHUNK_BYTES: Final = 1 << 22  # more than the longest line that the engine can hold
NEW_LINE: Final = ord("\n")
MOST_KNOWN: Final = 64  # files

_known: dict[tuple[Path, int, int, int], Future["Lines"]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Lines:
    """How many lines a file has, and how far they can be told from its records."""

    n: int
    is_plain: bool  # no cell can hold a line break or look like two
    is_even: bool  # no line is longer than the engine can hold (it would pass over it)
    is_utf8: bool


def physical_lines(path: Path) -> Lines:
    """The lines of a file as it is now; whoever asks again meanwhile waits for the first answer."""
    status = path.stat()
    key = (path, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
    with _lock:
        is_first = key not in _known
        answer = _known.setdefault(key, Future())
        while len(_known) > MOST_KNOWN:
            del _known[next(iter(_known))]
    if is_first:
        try:
            answer.set_result(_counted(path))
        except BaseException as error:  # whoever waits is told; whoever asks later counts again
            answer.set_exception(error)
            with _lock:
                _known.pop(key, None)
            raise
    return answer.result()


def _counted(path: Path) -> Lines:
    lines, returns, quotes, last = 0, 0, 0, b"\n"
    is_even = is_utf8 = is_between_letters = True
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            lines += (ends := int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == NEW_LINE)))
            is_even = is_even and (ends > 0 or len(chunk) < CHUNK_BYTES)
            quotes += b'"' in chunk  # how many does not matter
            if b"\r" in chunk or last == b"\r":  # harmless before the end of a line
                returns += chunk.count(b"\r") - (last + chunk).count(b"\r\n")
            last = chunk[-1:]
            if is_utf8 and not (is_between_letters and chunk.isascii()):
                is_utf8 = _decodes(decoder, chunk)
                is_between_letters = not decoder.getstate()[0]
    is_utf8 = is_utf8 and _decodes(decoder, b"")
    return Lines(lines + (last != b"\n"), returns == quotes == 0, is_even, is_utf8)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    """Whether what follows, the end if it is nothing, are letters of the encoding."""
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return False
    return True
