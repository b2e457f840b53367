"""A p-value fits the interval beside it."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from scipy import special

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.printed import Printed
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "p-value and interval"
# On the scale of z; t quantiles of small trials, adjustment and other tests move z by less than this.
Z_APART: Final = 1.0


def check_p_values(rows: Sequence[Row]) -> Iterator[Finding]:
    """The side of 5 % that p and interval are on, and how far apart they are."""
    for row in rows:
        p, estimate = row.number("p_value"), row.number("estimate")
        low, high = row.number("ci_low"), row.number("ci_high")
        if p is None or estimate is None or low is None or high is None or not 0 <= p.value <= 1:
            continue
        if (row.is_ratio and low.low <= 0) or not low.low <= estimate.value <= high.high:
            continue
        none = 1.0 if row.is_ratio else 0.0
        outside = low.low > none or high.high < none
        inside = low.high < none < high.low
        significant = p.high < 0.05 or (p.relation == "<" and p.value <= 0.05)
        not_significant = p.relation != "<" and p.low > 0.05
        printed = f"{estimate.text} ({low.text} to {high.text}), p {p.text}"
        level = (row.number("ci_level") or Printed("95", 95.0, 0.0)).value
        level = level / 100 if level > 1 else level
        if level == 0.95 and ((outside and not_significant) or (inside and significant)):
            side = "excludes" if outside else "includes"
            follows = f"the interval {side} no effect, the p-value says the opposite"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="likely")
        elif p.relation == "=" and p.value > 0:
            yield from _apart(row, p, (estimate, low, high), level=level, printed=printed)


def _apart(
    row: Row, p: Printed, numbers: tuple[Printed, Printed, Printed], *, level: float, printed: str
) -> Iterator[Finding]:
    read = math.log if row.is_ratio else float
    estimate, low, high = numbers
    half = (read(high.value) - read(low.value)) / 2
    if half <= 0:
        return
    rounding = (
        abs(read(estimate.high) - read(estimate.low)) / 2
        + abs(read(high.high) - read(high.low)) / 2
    )
    z = abs(read(estimate.value)) * -special.ndtri((1 - level) / 2) / half
    slack = z * rounding / half + rounding / half
    z_low = -special.ndtri(min(p.high, 1.0) / 2)
    z_high = -special.ndtri(max(p.low, 1e-300) / 2)
    if z - slack > z_high + Z_APART or z + slack < z_low - Z_APART:
        implied = 2 * special.ndtr(-z)
        follows = f"the interval implies p of about {implied:.2g}, printed is {p.text}"
        yield finding(NAME, [row], printed=printed, follows=follows, certainty="possible")


RULE = Rule(NAME, frozenset({"effect"}), check_p_values)
