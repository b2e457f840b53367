"""Broken files bred by what they reach: an input that runs a new line of a reader is kept and damaged on."""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType

Lines = set[tuple[CodeType, int]]
MOST_KEPT = 400


class Reached:
    """Lines run in modules whose file name holds one of `parts`, counted while in `with`."""

    def __init__(self, *parts: str) -> None:
        self._parts, self.lines = parts, set()
        self._mine: dict[CodeType, bool] = {}

    def _call(self, frame: FrameType, _event: str, _argument: object):
        code = frame.f_code
        if code not in self._mine:
            self._mine[code] = any(part in code.co_filename for part in self._parts)
        return self._line if self._mine[code] else None

    def _line(self, frame: FrameType, event: str, _argument: object):
        if event == "line":
            self.lines.add((frame.f_code, frame.f_lineno))
        return self._line

    def __enter__(self):
        self.lines, self._former = set(), sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_):
        sys.settrace(self._former)


def bred(
    seeds: Sequence[bytes],
    damage: Callable[[bytes, random.Random], bytes],
    read: Callable[[bytes], None],
    *,
    parts: Sequence[str],
    count: int,
    seed: str,
) -> Iterator[tuple[int, int]]:
    """Read `count` inputs; yields how many lines are known and how many inputs are kept.

    Young inputs are damaged more often than old ones.
    """
    draws, reached = random.Random(seed), Reached(*parts)
    kept, known = list(seeds), set()
    for number in range(count):
        parent = kept[max(draws.randrange(len(kept)), draws.randrange(len(kept)))]
        data = parent if number < len(seeds) else damage(parent, draws)
        try:
            with reached:
                read(data)
        except BaseException as error:
            error.add_note(f"{seed}, input {number}: {data[:2000]!r}")
            raise
        if not reached.lines <= known:
            known |= reached.lines
            kept = [*kept[-MOST_KEPT:], data]
        yield len(known), len(kept)
