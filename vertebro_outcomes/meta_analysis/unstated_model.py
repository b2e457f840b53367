"""The model of a pooled number that was printed without saying how its studies were pooled."""

from dataclasses import replace
from typing import Final

from vertebro_outcomes.meta_analysis.misreadings import find_misreading
from vertebro_outcomes.meta_analysis.revman_arithmetic import recompute, stated
from vertebro_outcomes.tables.review_tables import PoolModel, ReviewUnit

MODELS: Final[tuple[PoolModel, ...]] = ("random", "common")


def with_likely_model(unit: ReviewUnit) -> ReviewUnit:
    """The unit with the model that prints its numbers, from the inputs as they stand if possible.

    If neither model prints them, the one that does after a single misreading of an input; if there is
    none, random effects.
    """
    if unit.model or not unit.measure or len(unit.lines) < 2 or unit.published.estimate is None:
        return unit
    tried = [replace(unit, model=model) for model in MODELS]
    for candidate in tried:
        if prints_published(candidate):
            return candidate
    for candidate in tried:
        if find_misreading(candidate, stated(candidate)):
            return candidate
    return tried[0]


def prints_published(unit: ReviewUnit) -> bool:
    """Whether the stated specification gives the printed estimate and limits."""
    published = unit.published
    numbers = (published.estimate, published.ci_low, published.ci_high)
    return all(
        number is None or number.is_printed_from(value)
        for number, value in zip(numbers, recompute(unit).limits, strict=True)
    )
