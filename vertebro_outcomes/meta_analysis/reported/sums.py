"""Baseline plus change is the end score; the difference of two arms is the difference printed."""

from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding, groups
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "sums and differences"
IMPROVEMENT: Final = (
    "IMPROVEMENT UNITS"  # a locator that begins so counts an improvement as positive
)


def check_sums(rows: Sequence[Row]) -> Iterator[Finding]:
    """Arithmetic between rows of one trial."""
    means = [row for row in rows if row.kind == "mean" and row.number("mean") is not None]
    yield from _baseline_plus_change(means)
    contrasts = [row for row in rows if row.kind == "effect" and row.text("measure") == "MD"]
    for contrast in contrasts:
        yield from _difference_of_arms(contrast, means)


def _baseline_plus_change(means: Sequence[Row]) -> Iterator[Finding]:
    for group in groups(means, "outcome", "arm", "scale_max"):
        starts = [row for row in group if row.text("kind") == "baseline"]
        for change in (row for row in group if row.text("kind") == "change"):
            ends = [
                row
                for row in group
                if row.text("kind") == "endpoint"
                and row.text("timepoint_days") == change.text("timepoint_days")
            ]
            for start in starts[:1]:
                for end in ends:
                    yield from _compare(start, change, end)


def _compare(start: Row, change: Row, end: Row) -> Iterator[Finding]:
    a, c, b = (row.number("mean") for row in (start, change, end))
    assert a is not None
    assert b is not None
    assert c is not None
    sign = -1.0 if change.text("source_locator").startswith(IMPROVEMENT) else 1.0
    total = a.value + sign * c.value
    if abs(total - b.value) > a.half_unit + b.half_unit + c.half_unit + 1e-9:
        printed = f"baseline {a.text}, change {c.text}, end {b.text}"
        follows = f"baseline and change give {total:.4g}, not {b.text}"
        yield finding(
            NAME, [start, change, end], printed=printed, follows=follows, certainty="likely"
        )


def _difference_of_arms(contrast: Row, means: Sequence[Row]) -> Iterator[Finding]:
    printed = contrast.number("estimate")
    if printed is None or contrast.text("direction") not in ("t_minus_c", "c_minus_t", ""):
        return
    same = [
        row
        for row in means
        if row.trial == contrast.trial
        and row.text("outcome") == contrast.text("outcome")
        and row.text("timepoint_days") == contrast.text("timepoint_days") != ""
        and not row.text("source_locator").startswith(IMPROVEMENT)
    ]
    sign = -1.0 if contrast.text("direction") == "c_minus_t" else 1.0
    found: list[tuple[Row, Row, float, float]] = []
    for kind in ("endpoint", "change"):
        t = [
            r
            for r in same
            if r.text("kind") == kind and r.text("arm") == contrast.text("treatment")
        ]
        c = [
            r
            for r in same
            if r.text("kind") == kind and r.text("arm") == contrast.text("comparator")
        ]
        for first, second in zip(t[:1], c[:1], strict=False):
            a, b = first.number("mean"), second.number("mean")
            assert a is not None
            assert b is not None
            slack = a.half_unit + b.half_unit + printed.half_unit + 1e-9
            found.append((first, second, sign * (a.value - b.value), slack))
    if found and all(abs(gap - printed.value) > slack for _, _, gap, slack in found):
        first, second, gap, _ = found[0]
        follows = f"the arms' means differ by {gap:.3g}, printed is {printed.text}"
        texts = f"{first.text('mean')} and {second.text('mean')}, difference {printed.text}"
        rows = [contrast, first, second]
        yield finding(NAME, rows, printed=texts, follows=follows, certainty="possible")


RULE = Rule(NAME, frozenset({"mean", "effect"}), check_sums)
