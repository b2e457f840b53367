"""A mean and a standard deviation that patients on the printed scale can have.

References
----------
Brown and Heathers (2017), Soc Psychol Personal Sci 8:363-369, doi:10.1177/1948550616673876 (GRIM);
Heathers et al. (2018), PeerJ Preprints 6:e26968, doi:10.7287/peerj.preprints.26968 (bounds of the SD).
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "mean and spread on the scale"
WHOLE_NUMBER_OUTCOMES: Final = ("pain_nrs", "rmdq")  # patients answer in whole points


def check_means(rows: Sequence[Row]) -> Iterator[Finding]:
    """Mean on the scale; standard deviation no larger than the scale allows; GRIM."""
    for row in rows:
        mean, n = row.number("mean"), row.number("n")
        if mean is None:
            continue
        low, high = row.number("scale_min"), row.number("scale_max")
        if low is not None and high is not None and row.text("kind") != "change":
            if mean.high < low.value or mean.low > high.value:
                printed = f"mean {mean.text} on {low.text} to {high.text}"
                follows = "the mean is off the scale"
                yield finding(NAME, [row], printed=printed, follows=follows, certainty="certain")
                continue
            yield from _spread_too_large(row, low.value, high.value)
        if n is not None and row.text("outcome").startswith(WHOLE_NUMBER_OUTCOMES):
            yield from _grim(row)


def _spread_too_large(row: Row, low: float, high: float) -> Iterator[Finding]:
    mean, sd, n = row.number("mean"), row.number("sd"), row.number("n")
    if mean is None or sd is None:
        return
    middle = min(max((low + high) / 2, mean.low), mean.high)
    variance = max(0.0, (high - middle) * (middle - low))
    factor = n.value / (n.value - 1) if n is not None and n.value > 1 else 2.0
    largest = math.sqrt(variance * factor)
    if sd.low > largest + 1e-9:
        printed = f"mean {mean.text}, SD {sd.text}" + (f", n {n.text}" if n else "")
        follows = f"on {low:g} to {high:g} the SD cannot exceed {largest:.3g}"
        yield finding(NAME, [row], printed=printed, follows=follows, certainty="certain")


def _grim(row: Row) -> Iterator[Finding]:
    mean, n = row.number("mean"), row.number("n")
    assert mean is not None
    assert n is not None
    if n.value < 1 or 2 * mean.half_unit * n.value >= 1:
        return  # every printed mean is possible with so many patients
    nearest = round(mean.value * n.value)
    if not any(
        mean.is_printed_from(total / n.value) for total in (nearest - 1, nearest, nearest + 1)
    ):
        printed = f"mean {mean.text}, n {n.text}"
        follows = f"no sum of whole points over {n.text} patients has this mean"
        yield finding(NAME, [row], printed=printed, follows=follows, certainty="possible")


RULE = Rule(NAME, frozenset({"mean"}), check_means)
