"""One pooled number: recomputed as stated, then otherwise, with a verdict and its reason."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS
from vertebro_outcomes.estimators.pooled.inverse_variance import INTERVALS
from vertebro_outcomes.meta_analysis.input_rounding import rounding_range
from vertebro_outcomes.meta_analysis.misreadings import find_misreading
from vertebro_outcomes.meta_analysis.revman_arithmetic import (
    Recomputed,
    Specification,
    recompute,
    stated,
)
from vertebro_outcomes.printed import Printed
from vertebro_outcomes.results.reproduction import Verdict
from vertebro_outcomes.tables.review_tables import (
    MEASURES_OF,
    PoolMethod,
    PoolModel,
    ReviewUnit,
)

EFFECT_TOLERANCE: Final = 1e-6  # stored numbers carry more than six digits
HETEROGENEITY_TOLERANCE: Final = 1e-5
_MEASURES_OF: Final = {"counts": ("RR", "OR", "RD"), "means": ("MD", "SMD")}


@dataclass(frozen=True)
class UnitResult:
    """Verdict on one unit, the specification it rests on, and the reason in a sentence."""

    verdict: Verdict
    specification: str
    reason: str
    recomputed: Recomputed | None


def check_unit(unit: ReviewUnit, *, search: bool = True) -> UnitResult:
    """Recompute one unit and compare it with what was published.

    `search`: look for a single misreading of the study lines where no specification fits.
    """
    how = stated(unit)
    again = recompute(unit, how) if unit.lines and _is_known(unit) else None
    obstacle = _obstacle(unit, again)
    if again is None or obstacle:
        return UnitResult("not_checkable", "", obstacle, again)
    agreement = _agreement(unit, again) if _matches(unit, again) else _within_rounding(unit, how)
    if agreement:
        return UnitResult("reproduced", how.words(), agreement, again)
    return _explain(unit, how, again, search=search)


def _is_known(unit: ReviewUnit) -> bool:
    """Whether the measure is one of the data type; entered effects may have any."""
    known = MEASURES_OF.get(unit.data_type) if unit.data_type in _MEASURES_OF else None
    return bool(unit.measure) and (known is None or unit.measure in known)


def _obstacle(unit: ReviewUnit, again: Recomputed | None) -> str:
    """Why a unit cannot be checked, in a sentence; '' if it can."""
    if unit.missing:
        return f"{unit.missing[0].upper()}{unit.missing[1:]}."
    if unit.published.estimate is None:
        return "No pooled number was published."
    if unit.measure and not _is_known(unit):
        return f"The file names {unit.measure} as the measure of {unit.data_type}."
    if not unit.measure or not unit.model:
        return (
            f"The {'model' if unit.measure else 'measure and model'} cannot be told from the file."
        )
    if again is None or again.k == 0 or not math.isfinite(again.estimate):
        return "No study line has usable numbers."
    return ""


def _explain(
    unit: ReviewUnit, how: Specification, again: Recomputed, *, search: bool
) -> UnitResult:
    """A number that does not come out as stated: the specification or the change that prints it."""
    for other in _alternatives(unit, how):
        if _matches(unit, recompute(unit, other)):
            reason = f"It comes out as {other.words()}; stated is {how.words()}."
            return UnitResult("reproduced_otherwise", other.words(), reason, again)
    misreading = find_misreading(unit, how) if search else ""
    if misreading:
        reason = f"It comes out with {misreading}; the lines as they stand give {_shown(again)}."
        return UnitResult("reproduced_otherwise", f"{how.words()}; {misreading}", reason, again)
    reason = f"{how.words()} gives {_shown(again)}; no alternative tried prints the number."
    return UnitResult("not_reproduced", how.words(), reason, again)


def _close(number: Printed | None, value: float, tolerance: float) -> bool:
    """Whether a value is the published one: within `tolerance` if that is not 0, else as printed."""
    if number is None:
        return True
    if math.isinf(value):
        return number.value > 1e6
    slack = tolerance * max(1.0, abs(number.value)) or number.half_unit
    return math.isfinite(value) and abs(value - number.value) <= slack * (1 + 1e-9) + 1e-12


def _matches(unit: ReviewUnit, again: Recomputed) -> bool:
    tolerance = 0.0 if _is_rounded(unit) else EFFECT_TOLERANCE
    return all(
        _close(number, value, tolerance)
        for number, value in zip(_numbers(unit), again.limits, strict=True)
    )


def _numbers(unit: ReviewUnit) -> tuple[Printed | None, Printed | None, Printed | None]:
    published = unit.published
    return published.estimate, published.ci_low, published.ci_high


def _is_rounded(unit: ReviewUnit) -> bool:
    """Whether the published numbers are rounded; stored in full, one of three has many digits."""
    known = [number.half_unit for number in _numbers(unit) if number is not None]
    return not unit.full_precision or min(known, default=1.0) > EFFECT_TOLERANCE


def _agreement(unit: ReviewUnit, again: Recomputed) -> str:
    published = unit.published
    tolerance = 0.0 if _is_rounded(unit) else HETEROGENEITY_TOLERANCE
    differ = [
        f"{name} {number.text} against {value:.6g}"
        for name, number, value in (
            ("tau²", published.tau2, again.tau2),
            ("Q", published.q, again.q),
        )
        if number is not None and again.k > 1 and not _close(number, value, tolerance)
    ]
    if differ:
        return f"Effect and interval come out; heterogeneity does not: {', '.join(differ)}."
    return "Effect and interval come out" + (
        "." if _is_rounded(unit) else " with all their digits."
    )


def _within_rounding(unit: ReviewUnit, how: Specification) -> str:
    """A sentence if the published numbers lie in what rounding of the inputs leaves open; else ''."""
    if unit.full_precision:
        return ""
    ranges = rounding_range(unit, how)
    for number, (low, high) in zip(_numbers(unit), ranges, strict=True):
        if number is not None and (number.high < low or number.low > high):
            return ""
    low, high = ranges[0]
    if low == high:
        return ""
    return f"Within rounding: the printed inputs leave {low:.4g} to {high:.4g} open."


def _alternatives(unit: ReviewUnit, how: Specification) -> Iterator[Specification]:
    """Other specifications, the fewest changes first."""
    yield from _other_intervals(how)
    if unit.data_type == "counts":
        yield replace(how, swap_events=not how.swap_events)
    methods: tuple[PoolMethod, ...] = (
        ("MH", "IV", "PETO") if unit.data_type == "counts" else ("IV",)
    )
    models: tuple[PoolModel, ...] = ("common", "random")
    for measure in dict.fromkeys((how.measure, *_MEASURES_OF.get(unit.data_type, ()))):
        for method in methods:
            for model in models:
                yield replace(how, measure=measure, method=method, model=model)
    for tau2_method in TAU2_METHODS[1:]:
        for ci in INTERVALS[:2]:
            yield replace(how, method="IV", model="random", tau2_method=tau2_method, ci=ci)


def _other_intervals(how: Specification) -> Iterator[Specification]:
    for level in (0.95, 0.90, 0.99):
        if level != how.level:
            yield replace(how, level=level)
    for interval in INTERVALS:
        if how.model == "random" and interval != how.ci:
            yield replace(how, ci=interval)


def _shown(again: Recomputed) -> str:
    estimate, low, high = again.limits
    return f"{estimate:.4g} ({low:.4g} to {high:.4g})"
