"""What the cells of study lines can mean, and which reading shows the effects that a review shows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.meta_analysis.recognised_weights import half_unit
from vertebro_outcomes.meta_analysis.revman_arithmetic import (
    LOG_MEASURES,
    Specification,
    study_effects,
)
from vertebro_outcomes.tables.review_tables import ReviewUnit

SLACK: Final = 2e-6  # of stored effects, relative; RevMan stores at least six digits
LEAST_SHARE: Final = 0.5  # of the studies whose shown effect has to come out
LEVELS: Final = (0.95, 0.9, 0.99)
_RATIO_WORDS: Final = (
    ("hazard", "HR"),
    ("rate ratio", "IRR"),
    ("odds", "OR"),
    ("risk ratio", "RR"),
    ("relative risk", "RR"),
    ("peto", "OR"),
)


@dataclass(frozen=True)
class Measured:
    """A reading of the study lines whose effects are those shown."""

    unit: ReviewUnit
    how: Specification
    y: Floats
    v: Floats
    share: float
    ci_share: float


def fitting_measures(unit: ReviewUnit) -> list[Measured]:
    """Readings of the lines whose effects come out best."""
    shown = column(unit, "published_effect")
    low, high = column(unit, "published_ci_low"), column(unit, "published_ci_high")
    found = []
    with np.errstate(all="ignore"):
        for reading, how in _readings(unit):
            y, v = study_effects(reading, how)
            natural = np.exp if reading.log_scale or how.measure in LOG_MEASURES else np.asarray
            both = np.isfinite(y) & np.isfinite(shown)
            if not np.isfinite(y).any() or (np.isfinite(shown).any() and not both.any()):
                continue
            share = _share(natural(y), shown, both)
            level, ci_share = _level(y, v, low, high, natural=natural)
            found.append(Measured(reading, replace(how, level=level), y, v, share, ci_share))
            if share == ci_share == 1.0 and both.sum() > 1:
                break  # the readings that follow are rarer
    if not found:
        return []
    best = max((one.share, one.ci_share) for one in found)
    if best[0] < LEAST_SHARE:
        return []
    return [one for one in found if (one.share, one.ci_share) == best]


def _level(
    y: Floats, v: Floats, low: Floats, high: Floats, *, natural: Callable[[Floats], Floats]
) -> tuple[float, float]:
    """The confidence level whose limits come out in most studies, and their share."""
    best = LEVELS[0], -1.0
    for level in LEVELS:
        width = -special.ndtri((1 - level) / 2) * np.sqrt(v)
        of = np.isfinite(y) & np.isfinite(low) & np.isfinite(high)
        share = min(_share(natural(y - width), low, of), _share(natural(y + width), high, of))
        if share > best[1]:
            best = level, share
        if share == 1.0:
            break
    return best


def _share(computed: Floats, shown: Floats, of: Bools) -> float:
    """Share of studies whose number comes out within its rounding; 1 where none is shown."""
    if not of.any():
        return 1.0
    shown, computed = shown[of], computed[of]
    slack = 1.01 * half_unit(shown) + SLACK * np.maximum(1.0, np.abs(shown))
    return float(np.mean(np.abs(computed - shown) <= slack))


def _readings(unit: ReviewUnit) -> Iterator[tuple[ReviewUnit, Specification]]:
    """What the cells can mean, the likeliest first."""
    if _filled_cells(unit, "n_t", "n_c") and any_filled(unit, "events_t", "events_c"):
        counts = replace(unit, data_type="counts", log_scale=False)
        for swap in (False, True):
            for measure in ("RR", "OR", "RD", "PETO"):
                yield counts, Specification(measure, "MH", "common", swap_events=swap)
    if any_filled(unit, "sd_t", "sd_c"):
        means = replace(unit, data_type="means", log_scale=False)
        for measure in ("MD", "SMD"):
            yield means, Specification(measure, "IV", "common")
    name = unit.outcome.lower()
    ratio = next((code for word, code in _RATIO_WORDS if word in name), "HR")
    if any_filled(unit, "se"):
        effects = replace(unit, data_type="effects")
        yield replace(effects, log_scale=False), Specification("GEN", "IV", "common")
        yield replace(effects, log_scale=True), Specification(ratio, "IV", "common")
    if any_filled(unit, "variance") and any_filled(unit, "o_minus_e"):
        sums = replace(unit, data_type="o_minus_e", log_scale=True)
        yield sums, Specification(ratio if ratio == "HR" else "PETO", "PETO", "common")
    if _filled_cells(unit, "n_t", "n_c") and not any_filled(unit, "events_t", "events_c"):
        counts = replace(unit, data_type="counts", log_scale=False)
        yield counts, Specification("RD", "MH", "common")


def column(unit: ReviewUnit, name: str) -> Floats:
    """One field of all lines."""
    return np.array([getattr(line, name) for line in unit.lines], dtype=float)


def any_filled(unit: ReviewUnit, *names: str) -> bool:
    """Whether a field holds a number other than 0 in any line."""
    return any(bool((np.nan_to_num(column(unit, name)) != 0).any()) for name in names)


def _filled_cells(unit: ReviewUnit, *names: str) -> bool:
    return all(bool((np.nan_to_num(column(unit, name)) > 0).any()) for name in names)
