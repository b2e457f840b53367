"""Effects of one comparison that cannot all be right, or not for the reason given."""

from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "signs and directions"


def check_signs(rows: Sequence[Row]) -> Iterator[Finding]:
    """Significant effects on both sides of no effect; directions mixed within one source."""
    effects = [row for row in rows if row.text("treatment", "comparison")]
    yield from _both_sides(effects)
    yield from _mixed_directions(effects)


def _side(row: Row) -> int:
    """1 or -1 where the interval lies above or below no effect, treatment minus comparator; else 0."""
    low, high = row.number("ci_low"), row.number("ci_high")
    if low is None or high is None:
        return 0
    none = 1.0 if row.is_ratio else 0.0
    side = 1 if low.low > none else -1 if high.high < none else 0
    return -side if row.text("direction") == "c_minus_t" else side


def _both_sides(rows: Sequence[Row]) -> Iterator[Finding]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        names = ("outcome", "treatment", "comparator", "comparison", "measure", "subgroup")
        found.setdefault((row.study, *(row.text(name) for name in names)), []).append(row)
    for group in found.values():
        above = [row for row in group if _side(row) == 1]
        below = [row for row in group if _side(row) == -1]
        if above and below:
            first, last = above[0], below[0]
            shown = [f"{r.text('timepoint_label')}: {r.text('estimate')}" for r in (*above, *below)]
            follows = (
                "intervals of the same comparison exclude no effect on opposite sides "
                f"({first.text('estimate')} and {last.text('estimate')}): a sign, the choice of controls, "
                "or time zero differs"
            )
            yield finding(
                NAME,
                [*above, *below],
                printed="; ".join(shown),
                follows=follows,
                certainty="possible",
            )


def _mixed_directions(rows: Sequence[Row]) -> Iterator[Finding]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.text("review_id"):
            found.setdefault((row.study, row.text("comparison")), []).append(row)
    for group in found.values():
        turned = [row for row in group if row.text("direction") == "c_minus_t"]
        straight = [
            row for row in group if row.text("direction") == "t_minus_c" and row.text("estimate")
        ]
        unclear = [
            row for row in group if row.text("direction") == "not_stated" and row.text("estimate")
        ]
        if turned and (straight or unclear):
            shown = "; ".join(
                f"{r.text('outcome')} {r.text('estimate')}" for r in (*turned, *straight)
            )
            follows = "some effects read treatment minus comparator, others the reverse"
            yield finding(
                NAME,
                [*turned, *straight, *unclear],
                printed=shown,
                follows=follows,
                certainty="possible",
            )


RULE = Rule(NAME, frozenset({"effect"}), check_signs)
