"""How a task is timed: the median of several runs after a warm-up; peak memory of one more run."""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass


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


def seconds(work: Callable[[], object], runs: int) -> tuple[float, object]:
    """Median seconds of `runs` calls after one that is not counted, and the last result."""
    result = work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def peak_mib(work: Callable[[], object]) -> float:
    """Most memory that Python and numpy held at once during one call, in MiB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def row(task: Task) -> dict[str, object]:
    """The line of the benchmark table for one task."""
    ours_s, ours = seconds(task.ours, task.runs)
    line: dict[str, object] = {
        "task": task.name,
        "size": task.size,
        "seconds": ours_s,
        "peak_mib": peak_mib(task.ours),
        "peer": task.peer_name,
        "peer_seconds": float("nan"),
        "times_faster": float("nan"),
        "largest_difference": float("nan"),
    }
    if task.peer is not None:
        peer_s, theirs = seconds(task.peer, max(1, task.runs // 2))
        line["peer_seconds"] = peer_s * task.peer_repeats
        line["times_faster"] = peer_s * task.peer_repeats / ours_s
        if task.agreement is not None:
            line["largest_difference"] = task.agreement(ours, theirs)
    return line
