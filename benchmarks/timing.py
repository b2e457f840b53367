"""How a task is timed: the median of several runs after a warm-up, and the most memory it added."""

import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

LONG_S = 5.0  # a task that takes this long is timed once: the warm-up was its run
SAMPLED_EVERY_S = 0.02  # oftener, what is timed waits for it


@dataclass(frozen=True)
class Task:
    """One thing to time: ours, and the same done by a peer (None where no peer is installed)."""

    name: str
    size: str
    ours: Callable[[], object]
    peer_name: str = ""
    peer: Callable[[], object] | None = None
    peer_repeats: int = 1  # the peer's time is for one of this many pieces of our work
    agreement: Callable[[object, object], float] | None = None
    runs: int = 5
    turns: int = 1  # ours and the peer's are timed in turn so often, and the medians count


class Memory:
    """Most memory that this process and its children held inside the `with`, beyond the start."""

    def __enter__(self) -> "Memory":
        self.mib = float("nan")
        self._start, self._peak, self._done = _resident_mib(), 0.0, threading.Event()
        self._watch = threading.Thread(target=self._sample, daemon=True)
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._done.set()
        self._watch.join()
        self.mib = max(self._peak - self._start, 0.0)

    def _sample(self) -> None:
        while not self._done.wait(SAMPLED_EVERY_S):
            self._peak = max(self._peak, _resident_mib())


def _resident_mib() -> float:
    """Resident memory of this process and its children; NaN where /proc does not tell."""
    own = Path("/proc/self")
    if not own.exists():
        return float("nan")
    children = [
        Path("/proc") / number
        for task in (own / "task").iterdir()
        for number in _read(task / "children").split()
    ]
    pages = [int((_read(place / "statm").split() or ["0", "0"])[1]) for place in (own, *children)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:  # a process that has just ended
        return ""


def seconds(work: Callable[[], object], runs: int) -> tuple[float, object]:
    """Median seconds of `runs` calls after one that is not counted, and the last result.

    A call of many seconds needs no warm-up and is not repeated.
    """
    start = time.perf_counter()
    result = work()
    first = time.perf_counter() - start
    if first > LONG_S:
        return first, result
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def row(task: Task) -> dict[str, object]:
    """The line of the benchmark table for one task."""
    ours_s, peer_s, mib = [], [], []
    for _ in range(task.turns):
        with Memory() as memory:
            taken, ours = seconds(task.ours, task.runs)
        ours_s.append(taken)
        mib.append(memory.mib)
        if task.peer is not None:
            taken, theirs = seconds(task.peer, max(1, task.runs // 2))
            peer_s.append(taken * task.peer_repeats)
    line: dict[str, object] = {
        "task": task.name,
        "size": task.size,
        "seconds": statistics.median(ours_s),
        "peak_mib": max(mib),
        "peer": task.peer_name,
        "peer_seconds": float("nan"),
        "times_faster": float("nan"),
        "largest_difference": float("nan"),
    }
    if task.peer is not None:
        line["peer_seconds"] = statistics.median(peer_s)
        line["times_faster"] = statistics.median(peer_s) / statistics.median(ours_s)
        if task.agreement is not None:
            line["largest_difference"] = task.agreement(ours, theirs)
    return line
