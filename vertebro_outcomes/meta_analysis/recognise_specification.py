"""Which measure, method and model a review used, recognised from the effects and weights it shows.

Every candidate is computed by RevMan's arithmetic and compared with each study's shown effect,
interval and weight. Where several fit, the simplest does: with one study, or without
heterogeneity, common and random effects show the same numbers.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.meta_analysis.recognised_measures import (
    Measured,
    any_filled,
    column,
    fitting_measures,
)
from vertebro_outcomes.meta_analysis.recognised_weights import (
    free_tau2,
    half_unit,
    weights_of,
)
from vertebro_outcomes.meta_analysis.revman_arithmetic import (
    LOG_MEASURES,
    Specification,
)
from vertebro_outcomes.printed import Printed
from vertebro_outcomes.tables.review_tables import (
    DataType,
    PoolMethod,
    PoolModel,
    Published,
    ReviewUnit,
)

WEIGHT_SLACK_PCT: Final = 5e-5
CLOSE_PCT: Final = 0.5  # weights further off than this are no match at all


@dataclass(frozen=True)
class Recognised:
    """A specification that shows the numbers a review shows; `note` says what stays open."""

    data_type: DataType
    how: Specification
    log_scale: bool
    note: str = ""


def recognise_specification(
    unit: ReviewUnit,
) -> tuple[DataType, str, PoolMethod, PoolModel] | None:
    """Data type, measure, method and model of a pooled set; None where no candidate fits.

    Needs study lines with shown effects, or weights that sum to 100.
    """
    found = recognise(unit)
    if found is None:
        return None
    return found.data_type, found.how.measure, found.how.method, found.how.model


def recognise(unit: ReviewUnit, *, prefer: PoolModel = "") -> Recognised | None:
    """The same with tau² estimator, level and what stays open; `prefer` breaks ties of models."""
    shown = column(unit, "published_weight_pct")
    shows_nothing = not any_filled(unit, "published_effect", "published_weight_pct")
    measured = [] if shows_nothing else fitting_measures(unit)
    if not measured:
        return None
    best: tuple[float, Measured, list[Specification]] | None = None
    for reading in measured:
        off, fitting = _models(reading, shown)
        if best is None or off < best[0]:
            best = off, reading, fitting
    assert best is not None
    off, reading, fitting = best
    if off > CLOSE_PCT and np.nansum(shown) > 0:
        return None
    how = next((one for one in fitting if one.model == prefer), fitting[0])
    others = {(one.method, one.model) for one in fitting} - {(how.method, how.model)}
    notes = [f"{other[0]} {other[1]} shows the same weights" for other in sorted(others)]
    if not np.nansum(shown) > 0:
        notes.append("no weights are shown, so the model stays open")
    elif off > _weight_slack(shown):
        notes.append(f"weights agree to {off:.2g} percent only")
    return Recognised(
        reading.unit.data_type,
        replace(how, level=reading.how.level),
        reading.unit.log_scale or how.measure in LOG_MEASURES,
        "; ".join(notes),
    )


def with_recognised(units: Sequence[ReviewUnit]) -> tuple[ReviewUnit, ...]:
    """Units without measure or model get what was recognised, and the pooled value that follows.

    Ties between common and random effects go to the model that other units of the review show.
    """
    first = [None if unit.measure and unit.model else recognise(unit) for unit in units]
    decided = [found.how.model for found in first if found is not None and not found.note]
    random, common = decided.count("random"), decided.count("common")
    prefer: PoolModel = "random" if random > common else "common" if common else ""
    done = []
    for unit, found in zip(units, first, strict=True):
        if found is not None and found.note and prefer and found.how.model != prefer:
            found = recognise(unit, prefer=prefer)  # noqa: PLW2901 -- the same study lines again
        done.append(unit if found is None else _filled(unit, found))
    return tuple(done)


def pooled_from_weights(unit: ReviewUnit) -> Printed | None:
    """The pooled value a recognised unit shows: Σ weight x effect / 100 on the pooling scale.

    The pooling scale of Mantel-Haenszel common-effect ratios is the ratio itself, of all other
    ratios its logarithm.
    """
    shown = column(unit, "published_effect")
    weight = np.nan_to_num(column(unit, "published_weight_pct"))
    used = (weight > 0) & np.isfinite(shown)
    log = (unit.measure in LOG_MEASURES or unit.log_scale) and not (
        unit.method == "MH" and unit.model == "common"
    )
    if not used.any() or (log and (shown[used] <= 0).any()):
        return None
    effect, w = shown[used], weight[used]
    half = half_unit(effect)
    x, half_x = (np.log(effect), half / effect) if log else (effect, np.full(len(effect), half))
    centre = float((w * x).sum() / w.sum())
    spread = float((w * half_x).sum() + half_unit(w) * np.abs(x - centre).sum()) / float(w.sum())
    value = math.exp(centre) if log else centre
    return Printed(repr(value), value, max((value if log else 1.0) * spread, 1e-7))


def _filled(unit: ReviewUnit, found: Recognised) -> ReviewUnit:
    how = found.how
    unit = replace(
        unit,
        data_type=found.data_type,
        measure=how.measure,
        method=how.method,
        model=how.model,
        tau2_method=how.tau2_method,
        ci_level=how.level,
        swap_events=how.swap_events,
        log_scale=found.log_scale,
    )
    if unit.published.estimate is not None or unit.missing:
        return unit
    weights_pct = unit.published.weights_pct
    published = Published(estimate=pooled_from_weights(unit), weights_pct=weights_pct)
    return replace(unit, published=published, full_precision=False)


def _models(reading: Measured, shown: Floats) -> tuple[float, list[Specification]]:
    """How far the closest weights are off (percent), and the specifications that fit them."""
    if not np.nansum(shown) > 0:
        return 0.0, [next(_candidates(reading))]
    slack = _weight_slack(shown)
    candidates: list[tuple[float, Specification]] = []
    for how in _candidates(reading):
        if how.tau2_method != "DL" and any(off <= slack for off, _ in candidates):
            break
        weights = weights_of(reading.unit, reading.y, reading.v, how)
        candidates.append((_furthest(weights, shown), how))
    fitting = [how for off, how in candidates if off <= slack]
    if fitting:
        return 0.0, fitting
    if reading.how.method != "PETO":
        with np.errstate(all="ignore"):
            free = _furthest(1 / (reading.v + free_tau2(reading.v, shown)), shown)
        if free <= slack:
            return 0.0, [_random(reading)]
    off, how = min(candidates, key=lambda pair: pair[0])
    return off, [how]


def _random(reading: Measured) -> Specification:
    """Random effects whose tau² is none of the usual estimates."""
    method: PoolMethod = "MH" if reading.unit.data_type == "counts" else "IV"
    return replace(reading.how, method=method, model="random")


def _candidates(reading: Measured) -> Iterator[Specification]:
    how = reading.how
    if how.measure == "PETO" or reading.unit.data_type == "o_minus_e":
        yield replace(how, method="PETO", model="common")
        return
    if reading.unit.data_type == "counts":
        yield replace(how, method="MH", model="common")
        yield replace(how, method="MH", model="random")
    yield replace(how, method="IV", model="common")
    yield replace(how, method="IV", model="random")
    yield replace(how, method="IV", model="random", tau2_method="REML")


def _weight_slack(shown: Floats) -> float:
    return 1.01 * half_unit(shown[np.isfinite(shown)]) + WEIGHT_SLACK_PCT


def _furthest(weights: Floats, shown: Floats) -> float:
    """Largest difference between computed and shown weights, in percent."""
    weights = np.where(np.isfinite(weights), weights, 0.0)
    total = weights.sum()
    if not total > 0:
        return math.inf
    return float(np.max(np.abs(100 * weights / total - np.nan_to_num(shown))))
