"""One number of one trial, printed differently in two places."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding, groups
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "reports differ"
SAME_EFFECT: Final = (
    "outcome", "timepoint_days", "timepoint_label", "treatment", "comparator", "comparison", "measure",
    "subgroup", "model", "adjusted",
)  # fmt: skip
SAME_ARM: Final = ("outcome", "timepoint_days", "arm", "unit")
OTHER_VERSION: Final = re.compile(
    r"(?:earlier|uncorrected|other|second) [^;,]*? prints? (\d+(?:\.\d+)?)\b(?!\s*%)"
)
SAME_MEAN: Final = ("outcome", "timepoint_days", "arm", "kind", "scale_max")


def check_reports(rows: Sequence[Row]) -> Iterator[Finding]:
    """The same quantity with different numbers; rows without a time point are compared by label."""
    apart = {row.study for row in rows if row.kind == "study" and "subgroup" in row.text("label")}
    rows = [row for row in rows if row.study not in apart and row.kind != "study"]
    effects = [row for row in rows if row.kind == "effect" and row.text("measure") != "COUNT"]
    yield from _differ(effects, SAME_EFFECT, ("estimate", "ci_low", "ci_high"))
    timed = [row for row in rows if row.text("timepoint_days")]
    counts = [row for row in timed if row.kind == "counts"]
    yield from _differ(counts, SAME_ARM, ("events", "n"))
    yield from _other_versions([row for row in rows if row.kind == "counts"])
    yield from _differ([row for row in timed if row.kind == "mean"], SAME_MEAN, ("mean", "sd", "n"))
    yield from _differ(
        [row for row in rows if row.kind == "study"], ("registration",), ("n_total",)
    )


def _differ(
    rows: Sequence[Row], same: tuple[str, ...], numbers: tuple[str, ...]
) -> Iterator[Finding]:
    for group in groups(rows, *same):
        for name in numbers:
            printed = [row for row in group if row.number(name) is not None]
            texts = dict.fromkeys(row.text(name) for row in printed)
            if len(texts) > 1 and _apart(printed, name):
                follows = f"{name} is printed as {' and as '.join(texts)}"
                shown = "; ".join(f"{row.row_id}: {row.text(name)}" for row in printed)
                yield finding(NAME, printed, printed=shown, follows=follows, certainty="likely")
                break


def _apart(rows: Sequence[Row], name: str) -> bool:
    """Whether two of the numbers differ by more than rounding; a sign put the other way is none."""
    found = []
    for row in rows:
        number = row.number(name)
        assert number is not None
        turn = -1.0 if row.text("direction") == "c_minus_t" and not row.is_ratio else 1.0
        found.append((turn * number.value, number.half_unit))
    found.sort()
    return any(b[0] - a[0] > a[1] + b[1] + 1e-9 for a, b in pairwise(found))


def _other_versions(counts: Sequence[Row]) -> Iterator[Finding]:
    """A locator that tells of another version of the source with another count."""
    for row in counts:
        other = OTHER_VERSION.search(row.text("source_locator"))
        if other and row.text("events") and other.group(1) != row.text("events"):
            printed = f"{row.text('events')}, in another version {other.group(1)}"
            follows = f"events is printed as {row.text('events')} and as {other.group(1)}"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="likely")


RULE = Rule(NAME, frozenset({"effect", "counts", "mean", "study"}), check_reports)
