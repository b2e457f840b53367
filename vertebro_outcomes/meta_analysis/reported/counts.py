"""Counts against the number of patients and against a percentage printed beside them."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.printed import Printed, read_printed
from vertebro_outcomes.results.reported_findings import Certainty, Finding

NAME: Final = "count and percentage"
_PERCENT: Final = re.compile(r"(?<!\d)(\d+(?:\.\d+)?)\s{0,9}%(?!\s*CI)")
_ARM: Final = re.compile(r"(?<![\w+])([\w+]++):(\d+)")
ABOUT: Final = (
    "nearly",
    "about",
    "approximately",
    "almost",
    "roughly",
    "over",
    "more than",
    "up to",
)
STILL_THERE: Final = (
    0.8  # of the allocated; trials of this field keep at least four fifths to the end
)
ABOUT_POINTS: Final = 2.5  # percentage points that a word like "nearly" may hide


def check_counts(rows: Sequence[Row]) -> Iterator[Finding]:
    """Events within n; the percentage printed beside a count is that count's."""
    allocated = {
        row.study: dict(_ARM.findall(row.text("arms"))) for row in rows if row.kind == "study"
    }
    for row in rows:
        if row.kind != "counts":
            continue
        events, n = row.number("events"), row.number("n")
        if events is not None and n is not None and events.value > n.value:
            printed = f"{events.text} of {n.text}"
            follows = "more events than patients"
            yield finding(NAME, [row], printed=printed, follows=follows, certainty="certain")
        elif events is None and n is None:
            arm = read_printed(allocated.get(row.study, {}).get(row.text("arm")))
            if arm is not None:
                yield from _compare(row, None, arm, least=math.ceil(STILL_THERE * arm.value))
        elif n is not None and n.value > 0:
            yield from _compare(row, events, n)


def printed_percentages(row: Row) -> list[tuple[Printed, bool]]:
    """Percentages that the row prints about itself, and whether a word like 'nearly' goes with each.

    From a column `percent`, or from the locator where it tells what the source prints.
    """
    own = row.text("percent", "percent_printed")
    number = read_printed(own)
    if number is not None:
        return [(number, False)]
    locator = row.text("source_locator")
    if "print" not in locator:
        return []
    found = []
    for match in _PERCENT.finditer(locator):
        before = locator[max(0, match.start() - 20) : match.start()].lower()
        number = read_printed(match.group(1))
        assert number is not None
        found.append((number, any(before.rstrip(' "“').endswith(word) for word in ABOUT)))
    return found


def _compare(
    row: Row, events: Printed | None, n: Printed, least: int | None = None
) -> Iterator[Finding]:
    """One finding where no printed percentage fits; a row may print those of other arms too.

    `least` is the smallest denominator to try where only the allocated number is known.
    """
    percents = printed_percentages(row)
    if not percents or any(
        _fits(number, events, n, is_about, least) for number, is_about in percents
    ):
        return
    texts = " and ".join(f"{percent.text} %" for percent, _ in percents)
    if events is not None:
        printed = f"{events.text} of {n.text}, printed as {texts}"
        follows = f"{events.text} of {n.text} is {100 * events.value / n.value:.3g} %"
    else:
        printed = f"{texts} of {n.text}"
        patients = n.text if least is None else f"{least} to {n.text}"
        follows = f"no whole number of {patients} patients is {texts}"
    certainty: Certainty = "likely" if least is None else "possible"
    yield finding(NAME, [row], printed=printed, follows=follows, certainty=certainty)


def _fits(
    percent: Printed, events: Printed | None, n: Printed, is_about: bool, least: int | None
) -> bool:
    if events is not None:
        slack = ABOUT_POINTS if is_about else 1e-9
        return percent.is_printed_from(100 * events.value / n.value, slack=slack)
    sizes = [n.value] if least is None else range(least, int(n.value) + 1)
    return is_about or any(_some_count_gives(percent, size) for size in sizes)


def _some_count_gives(percent: Printed, n: float) -> bool:
    nearest = int(percent.value * n / 100)
    return any(percent.is_printed_from(100 * e / n) for e in (nearest, nearest + 1))


RULE = Rule(NAME, frozenset({"counts", "study"}), check_counts)
