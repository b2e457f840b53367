"""The lines of a delimited file, counted before it is split into records."""

from pathlib import Path
from typing import Final

import numpy as np

CHUNK_BYTES: Final = 1 << 22  # more than the longest line that the engine can hold
NEW_LINE: Final = ord("\n")


def physical_lines(path: Path) -> tuple[int, bool, bool]:
    """How many lines a file has, whether no cell can hold a line break or look like two, and
    whether no line is longer than the engine can hold (it would pass over it).
    """
    lines, returns, quotes, last, is_even = 0, 0, 0, b"\n", True
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            lines += (ends := int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == NEW_LINE)))
            is_even = is_even and (ends > 0 or len(chunk) < CHUNK_BYTES)
            quotes += chunk.count(b'"')
            if b"\r" in chunk or last == b"\r":  # harmless before the end of a line
                returns += chunk.count(b"\r") - (last + chunk).count(b"\r\n")
            last = chunk[-1:]
    return lines + (last != b"\n"), returns == quotes == 0, is_even
