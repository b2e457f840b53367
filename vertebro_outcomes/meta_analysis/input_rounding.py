"""What the rounding of printed inputs leaves open for a pooled value."""

from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.meta_analysis.revman_arithmetic import Specification, recompute
from vertebro_outcomes.printed import read_printed
from vertebro_outcomes.tables.review_tables import ReviewUnit, StudyLine

Range = tuple[float, float]
COUNTED: Final = frozenset({"events_t", "n_t", "events_c", "n_c"})  # counts are not rounded


def rounding_range(unit: ReviewUnit, how: Specification) -> tuple[Range, Range, Range]:
    """Smallest and largest estimate, lower and upper limit over all inputs that print the same.

    Each rounded input is moved to both ends of what rounds to its text, one at a time; the largest
    moves add up (exact to first order, and on the safe side of chance).
    """
    centre = recompute(unit, how).limits
    down, up = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for i, line in enumerate(unit.lines):
        for name, text in line.texts:
            number = read_printed(text)
            if name in COUNTED or number is None:
                continue
            moves = []
            for end in (number.low, number.high):
                lines = list(unit.lines)
                lines[i] = _with_number(line, name, end)
                moved = recompute(replace(unit, lines=tuple(lines)), how).limits
                moves.append([b - a for a, b in zip(centre, moved, strict=True)])
            for j in range(3):
                down[j] += min(0.0, *(move[j] for move in moves))
                up[j] += max(0.0, *(move[j] for move in moves))
    ranges = [(c + d, c + u) for c, d, u in zip(centre, down, up, strict=True)]
    return ranges[0], ranges[1], ranges[2]


def _with_number(line: StudyLine, name: str, value: float) -> StudyLine:
    changed: dict[str, Any] = {name: value}
    return replace(line, **changed)
