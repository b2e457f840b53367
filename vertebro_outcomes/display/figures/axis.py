"""Where an axis begins and ends, and which values on it get a tick."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

_MOST_TICKS = 8
_ROOM_PER_TICK = 1 / 7.5  # of the axis: closer ticks would run into each other
_LONGEST_INTERVAL = 2.0  # typical half-widths shown beyond the outermost estimate


def axis_limits(
    lows: Sequence[float],
    highs: Sequence[float],
    must_show: Iterable[float],
    *,
    log: bool,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[float, float]:
    """Limits that show every value of `must_show` and, of long intervals, as much as is useful.

    Parameters
    ----------
    lows, highs : sequence of float
        Interval limits of the studies, reader's scale; a pair that holds NaN is ignored.
    must_show : iterable of float
        Values that are never cut off: estimates, the pooled interval, no effect.
    log : bool
        Distances are ratios.
    bounds : pair of float
        Values that cannot be passed, such as (0, 1) for proportions.

    Returns
    -------
    (float, float)
    """
    to_axis, from_axis = (_log, math.exp) if log else (float, float)
    needed = [x for x in map(to_axis, must_show) if math.isfinite(x)] or [0.0]
    pairs = [(to_axis(a), to_axis(b)) for a, b in zip(lows, highs, strict=True)]
    pairs = [(a, b) for a, b in pairs if not math.isnan(a) and not math.isnan(b)]
    halves = sorted((b - a) / 2 for a, b in pairs if math.isfinite(b - a))
    typical = halves[len(halves) // 2] if halves else 0.5
    first, last = min(needed), max(needed)
    reach = max(_LONGEST_INTERVAL * typical, 0.25 * (last - first))
    low = max(min([first, *(a for a, _ in pairs)]), first - reach)
    high = min(max([last, *(b for _, b in pairs)]), last + reach)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    pad = 0.03 * (high - low)
    return max(from_axis(low - pad), bounds[0]), min(from_axis(high + pad), bounds[1])


def linear_ticks(low: float, high: float) -> list[float]:
    """Round values (steps 1, 2, 2.5 or 5 times a power of ten) between the limits, 3 to 8 of them."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span) - 1)
    steps = (power * factor for factor in (1, 2, 2.5, 5, 10, 20, 25, 50))
    step = next(s for s in steps if span / s <= _MOST_TICKS - 1)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Values a reader of ratios expects (0.5, 1, 2, 5 ...) between the limits, evenly enough apart.

    The densest family is taken whose neighbours leave room for their labels; 1 is always among
    them if it lies between the limits.

    Examples
    --------
    >>> log_ticks(0.2, 6.0)
    [0.2, 0.5, 1.0, 2.0, 5.0]
    """
    span = math.log(high / low)
    for family in _families(low, high):
        ticks = sorted(x for x in family if low * (1 - 1e-9) <= x <= high * (1 + 1e-9))
        gaps = [math.log(b / a) for a, b in pairwise(ticks)]
        if len(ticks) >= 3 and min(gaps) >= span * _ROOM_PER_TICK:
            return ticks
    inside = [x for x in (low, 1.0, high) if low <= x <= high]
    return sorted({float(f"{x:.2g}") for x in inside})


def _families(low: float, high: float) -> Iterator[list[float]]:
    for step in (0.05, 0.1, 0.25, 0.5):
        if high / step < 400:
            yield [round(i * step, 10) for i in range(1, math.ceil(high / step) + 1)]
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    yield _in_decades(decades, (1, 2, 5))
    yield _in_decades(decades, (1, 3))
    for stride in (1, 2, 3):
        yield _in_decades((i for i in decades if i % stride == 0), (1,))


def _in_decades(decades: Iterable[int], digits: Sequence[int]) -> list[float]:
    return [float(f"{digit}e{i}") for i in decades for digit in digits]


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf if value == 0 else math.nan
