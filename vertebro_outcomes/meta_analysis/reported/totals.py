"""Arms add up to the study, and no arm has more patients than were allocated to it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "totals and arms"
_ARM: Final = re.compile(r"(?<![\w+])([\w+]++):(\d+)")


def check_totals(rows: Sequence[Row]) -> Iterator[Finding]:
    """Sum of the arms against the total; n of an arm row against its arm; pooled arms against both."""
    arms: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.kind != "study":
            continue
        parts = [_ARM.fullmatch(part.strip()) for part in row.text("arms").split("|")]
        if not all(parts):
            continue  # an arm without its size, or sizes that count levels
        sizes: dict[str, float] = {}
        for part in filter(None, parts):
            sizes[part.group(1)] = sizes.get(part.group(1), 0.0) + float(part.group(2))
        arms[row.study] = sizes
        total = row.number("n_total")
        if total is not None and len(parts) > 1 and sum(sizes.values()) != total.value:
            printed = f"{row.text('arms')}, total {total.text}"
            follows = f"the arms add up to {sum(sizes.values()):g}"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="possible")
    for row in rows:
        n, sizes = row.number("n"), arms.get(row.study, {})
        if (
            row.kind == "study"
            or n is None
            or not sizes
            or row.text("unit") not in ("", "patients")
        ):
            continue
        arm = row.text("arm")
        if arm in sizes and n.value > sizes[arm]:
            printed = f"{arm}: n {n.text}, allocated {sizes[arm]:g}"
            follows = "more patients than the arm has"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="likely")
        everyone = sum(sizes.values())
        if (
            arm == "ALL"
            and len(sizes) > 1
            and n.value != everyone
            and row.text("timepoint_days") == "0"
        ):
            printed = f"both arms: n {n.text}, allocated {everyone:g}"
            follows = "at baseline the numbers of patients differ"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="possible")


RULE = Rule(NAME, frozenset({"study", "mean", "counts"}), check_totals)
