"""A standard deviation far below those of the other studies: a standard error, or a misprint."""

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "spread too small"
# Standard deviations of one score differ by less than a factor of two between trials; a standard
# error of 30 patients is five times too small.
TOO_SMALL: Final = 1 / 3
FEWEST_OTHERS: Final = 4
AS_SHARE_OF_SCALE: Final = 0.04  # without enough other trials: 0.4 points of 10


def check_spreads(rows: Sequence[Row]) -> Iterator[Finding]:
    """Each SD against the median SD of the same outcome in the other studies, as shares of scale."""
    shares = [(row, share) for row in rows if (share := _share_of_scale(row)) is not None]
    for row, share in shares:
        others = [
            s for other, s in shares if _family(other) == _family(row) and other.trial != row.trial
        ]
        if len(others) >= FEWEST_OTHERS:
            usual = statistics.median(others)
            small, basis = share < TOO_SMALL * usual, f"{len(others)} values of other studies"
        else:
            usual, small, basis = math.nan, share < AS_SHARE_OF_SCALE, "the width of the scale"
        if small:
            yield _finding(row, share, usual, basis)


def _finding(row: Row, share: float, usual: float, basis: str) -> Finding:
    sd, n = row.number("sd"), row.number("n")
    assert sd is not None
    follows = f"the spread is implausibly small against {basis}"
    certainty = "likely"
    if n is not None:
        if_se = sd.value * math.sqrt(n.value)
        follows += f"; read as a standard error it is an SD of {if_se:.3g}"
        if not math.isnan(usual) and 0.4 < share * math.sqrt(n.value) / usual < 2.5:
            follows += ", as usual elsewhere"
    else:
        certainty = "possible"
    printed = f"SD {sd.text}" + (f", n {n.text}" if n else ", n not printed")
    return finding(NAME, [row], printed=printed, follows=follows, certainty=certainty)  # type: ignore[arg-type]


def _family(row: Row) -> str:
    name = row.text("outcome")
    return OUTCOMES[name].family if name in OUTCOMES else name


def _share_of_scale(row: Row) -> float | None:
    """The SD as a share of the scale's width; on an unprinted scale that of the outcome's own."""
    sd = row.number("sd")
    if sd is None or sd.value <= 0:
        return None
    low, high = row.number("scale_min"), row.number("scale_max")
    if low is not None and high is not None and high.value > low.value:
        return sd.value / (high.value - low.value)
    outcome = OUTCOMES.get(row.text("outcome"))
    if outcome is None or outcome.scale_min is None or outcome.scale_max is None:
        return None
    width = outcome.scale_max - outcome.scale_min
    return sd.value / width if width > 0 else None


RULE = Rule(NAME, frozenset({"mean"}), check_spreads)
