"""The interval of a standardised mean difference has the width that its patients allow."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from scipy import special

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "standardised effect and patients"
# The standard error of a standardised difference is given by n and d alone; adjusting for baseline
# makes it smaller, dropout of a third of the patients 1.22 times as large.
TOO_WIDE: Final = 1.3
TOO_NARROW: Final = 0.6
_ARM: Final = re.compile(r"(?<![\w+])([\w+]++):(\d+)")


def check_standardised(rows: Sequence[Row]) -> Iterator[Finding]:
    """√(1/n1 + 1/n2 + d²/2N) against the printed interval; arms from the study where not printed."""
    arms = {row.study: _arms(row) for row in rows if row.kind == "study"}
    for row in rows:
        if row.kind != "effect" or row.text("measure") != "SMD" or not row.text("study_id"):
            continue
        d, low, high = row.number("estimate"), row.number("ci_low"), row.number("ci_high")
        n_t = _size(row, "n_treatment", "treatment", arms)
        n_c = _size(row, "n_comparator", "comparator", arms)
        if d is None or low is None or high is None or not n_t or not n_c:
            continue
        se = (high.value - low.value) / (2 * -special.ndtri(0.025))
        expected = math.sqrt(1 / n_t + 1 / n_c + d.value**2 / (2 * (n_t + n_c)))
        if not TOO_NARROW * expected <= se <= TOO_WIDE * expected:
            printed = f"{d.text} ({low.text} to {high.text}), n {n_t:g} and {n_c:g}"
            follows = f"its standard error is {se:.2f}, these patients give about {expected:.2f}"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="likely")


def _arms(study: Row) -> dict[str, float]:
    return {arm: float(n) for arm, n in _ARM.findall(study.text("arms"))}


def _size(row: Row, column: str, side: str, arms: dict[str, dict[str, float]]) -> float:
    number = row.number(column)
    return number.value if number else arms.get(row.study, {}).get(row.text(side), 0.0)


RULE = Rule(NAME, frozenset({"effect", "study"}), check_standardised)
