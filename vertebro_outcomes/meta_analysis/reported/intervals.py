"""An estimate lies inside its interval, and in its middle on the scale it was analysed on."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.printed import Printed
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "estimate and interval"
# Rounding explains a displacement up to the sum of the half units; a tenth of the half-width beyond it
# is more than profile or t intervals of the size of these trials show.
OFF_CENTRE: Final = 0.1
RANGES: Final = frozenset({"RANGE_PCT"})


def check_intervals(rows: Sequence[Row]) -> Iterator[Finding]:
    """Limits in order, estimate inside, estimate in the middle."""
    for row in rows:
        estimate, low, high = row.number("estimate"), row.number("ci_low"), row.number("ci_high")
        if low is None or high is None or row.text("measure") in RANGES:
            continue
        printed = f"{row.text('estimate')} ({low.text} to {high.text})"
        if low.low > high.high:
            follows = "the lower limit is above the upper one"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="certain")
        elif estimate is not None and (estimate.high < low.low or estimate.low > high.high):
            follows = "the estimate lies outside its own interval"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="certain")
        elif estimate is not None:
            yield from _off_centre(row, estimate, low, high, printed)


def _off_centre(
    row: Row, estimate: Printed, low: Printed, high: Printed, printed: str
) -> Iterator[Finding]:
    if row.is_ratio and min(estimate.low, low.low) <= 0:
        return
    read = math.log if row.is_ratio else float
    half = (read(high.value) - read(low.value)) / 2
    nearest = _distance(
        (read(estimate.low), read(estimate.high)),
        ((read(low.low) + read(high.low)) / 2, (read(low.high) + read(high.high)) / 2),
    )
    if half > 0 and nearest > OFF_CENTRE * half:
        middle = (read(high.value) + read(low.value)) / 2
        shown = math.exp(middle) if row.is_ratio else middle
        scale = "on the log scale " if row.is_ratio else ""
        follows = f"the middle of the interval {scale}is {shown:.3g}, not {estimate.text}"
        yield finding(NAME, [row], printed=printed, follows=follows, certainty="possible")


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return max(0.0, a[0] - b[1], b[0] - a[1])


RULE = Rule(NAME, frozenset({"effect"}), check_intervals)
