"""Every defensible way to pool one outcome, and which of them print a published number.

Reference: Voracek, Kossmeier and Tran (2019), Z Psychol 227:64-82, doi:10.1027/2151-2604/a000357.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.effect_sizes import means, two_by_two
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval, fit_inverse_variance
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.multiverse_counts import mantel_haenszel_frames
from vertebro_outcomes.meta_analysis.readings import (
    Columns,
    Family,
    Reading,
    StudyTable,
    read_study_table,
    readings,
)
from vertebro_outcomes.results.multiverse import Multiverse, Published

RANDOM_METHODS: Final[tuple[Tau2Method, ...]] = ("DL", "HE", "HS", "SJ", "ML", "REML", "PM")
MODELS: Final[tuple[tuple[Tau2Method, tuple[Interval, ...]], ...]] = (
    ("EE", ("wald",)),
    *((method, ("wald", "hksj", "hksj_adhoc")) for method in RANDOM_METHODS),
)
ZERO_RULES: Final = (
    "0.5_only_zero_drop_double",
    "0.5_only_zero",
    "0.5_if_any_zero",
    "0.5_all",
    "none",
)
NO_RULE: Final = "not needed"


@dataclass(frozen=True)
class _Effects:
    """Effects and variances (readings x studies) under one measure and one rule for zero cells."""

    measure: str
    variant: str
    zero_rule: str
    y: Floats
    v: Floats


def multiverse(
    table: pd.DataFrame,
    *,
    published: Sequence[float] | None = None,
    decimals: int = 2,
    measure: str | None = None,
    errors: bool = False,
    worthwhile: float | None = None,
) -> Multiverse:
    """Pool one outcome under every combination of measure, model, interval, zero rule and reading.

    Parameters
    ----------
    table : DataFrame
        One row per study: `events_t n_t events_c n_c`, or `mean_t sd_t n_t mean_c sd_c n_c`, or
        `effect variance`; optional `study`, `trial` (reports with the same value are duplicates),
        `kind` ("change" = follow-up minus baseline).
    published : (estimate, ci_low, ci_high), optional
        The printed numbers on the reader's scale; NaN for one that was not printed.
    decimals : int
        Digits after the point of the printed numbers.
    measure
        Only specifications with this measure. Default: all that the columns allow.
    errors : bool
        Also readings that are mistakes rather than choices (transposed digits, events for
        non-events, a score ten times too large).
    worthwhile : float, optional
        Smallest worthwhile effect on the reader's scale, with its sign.

    Returns
    -------
    Multiverse
        A row per specification; `matches` are those that print the published numbers.

    Raises
    ------
    InputError
        Columns of no known family, impossible numbers, `published` without three numbers.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> arms = pd.DataFrame({"events_t": [3, 7], "n_t": [40, 52], "events_c": [9, 12], "n_c": [41, 50]})
    >>> vo.multiverse(arms, published=(0.48, 0.24, 0.96)).matches["measure"].unique().tolist()
    ['RR']
    """
    wanted = _published(published, decimals)
    study_table = read_study_table(table, function="multiverse")
    measures = MEASURES_OF[study_table.family]
    if measure is not None:
        if measure not in measures:
            raise refuse_argument("multiverse", "measure", measure, ", ".join(measures))
        measures = (measure,)
    ways = [way for way in readings(study_table) if way.defensible or errors]
    frames = [
        frame
        for effects in _all_effects(study_table, ways, measures)
        for frame in _pool_models(effects)
    ]
    if study_table.family == "counts":
        frames += mantel_haenszel_frames([way.columns for way in ways], measures)
    if not frames:
        raise refuse_argument(
            "multiverse",
            "table",
            f"{len(table)} rows, none with an effect and its variance",
            "at least one study whose effect is defined",
        )
    specifications = pd.concat(frames, ignore_index=True)
    words = pd.DataFrame({"change": [w.change for w in ways], "reading": [w.words for w in ways]})
    specifications = specifications.join(words, on="way").sort_values("way", kind="stable")
    specifications = specifications[specifications["k"] > 0].reset_index(drop=True)
    return Multiverse(
        specifications=specifications.drop(columns="way"),
        published=wanted,
        labels=study_table.labels,
        worthwhile=worthwhile,
    )


def _published(published: Sequence[float] | None, decimals: int) -> Published | None:
    if published is None:
        return None
    try:
        estimate, low, high = (float(value) for value in published)
    except (TypeError, ValueError):
        allowed = "three numbers: estimate, ci_low, ci_high (NaN where none was printed)"
        raise refuse_argument("multiverse", "published", published, allowed) from None
    if not 0 <= decimals <= 15:
        raise refuse_argument("multiverse", "decimals", decimals, "a whole number from 0 to 15")
    return Published(estimate, low, high, decimals)


def _all_effects(
    table: StudyTable, ways: list[Reading], measures: tuple[str, ...]
) -> Iterator[_Effects]:
    stacked = {name: np.stack([way.columns[name] for way in ways]) for name in table.columns}
    make = {"counts": _count_effects, "means": _mean_effects, "effects": _given_effects}
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for measure in measures:
            for effects in make[table.family](stacked, measure):
                usable = np.isfinite(effects.y) & np.isfinite(effects.v) & (effects.v > 0)
                y, v = (np.where(usable, x, np.nan) for x in (effects.y, effects.v))
                yield _Effects(effects.measure, effects.variant, effects.zero_rule, y, v)


def _count_effects(x: Columns, measure: str) -> Iterator[_Effects]:
    cells = x["events_t"], x["n_t"] - x["events_t"], x["events_c"], x["n_c"] - x["events_c"]
    zero, double = two_by_two.zero_cells(cells), two_by_two.double_zero(cells)
    formula = two_by_two.TWO_BY_TWO[measure]
    for rule in ZERO_RULES if zero.any() and measure != "PETO" else (NO_RULE,):
        plus = np.where(_corrected(rule, zero), 0.5, 0.0)
        a, b, c, d = (cell + plus for cell in cells)
        y, v = formula((a, b, c, d))
        dropped = double & (rule.endswith("drop_double") or measure == "PETO") & (measure != "RD")
        dropped |= zero & (rule == "none") & (measure != "RD")
        yield _Effects(measure, "", rule, np.where(dropped, np.nan, y), v)


def _corrected(rule: str, zero: Bools) -> Bools:
    if rule.startswith("0.5_only_zero"):
        return zero
    if rule == "0.5_if_any_zero":
        return np.broadcast_to(zero.any(axis=1, keepdims=True), zero.shape)
    return np.full_like(zero, rule == "0.5_all")


def _mean_effects(x: Columns, measure: str) -> Iterator[_Effects]:
    arms = means.TwoMeans(**x)
    formulas: dict[str, dict[str, Callable[[means.TwoMeans], tuple[Floats, Floats]]]] = {
        "MD": {"": means.mean_difference},
        "SMD": {"exact": means.hedges_g, "revman": means.hedges_g_revman},
        "ROM": {"": means.ratio_of_means},
    }
    for variant, formula in formulas[measure].items():
        yield _Effects(measure, variant, NO_RULE, *formula(arms))


def _given_effects(x: Columns, measure: str) -> Iterator[_Effects]:
    yield _Effects(measure, "", NO_RULE, x["effect"], x["variance"])


MEASURES_OF: Final[dict[Family, tuple[str, ...]]] = {
    "counts": ("RR", "OR", "RD", "PETO"),
    "means": ("MD", "SMD", "ROM"),
    "effects": ("GEN",),
}


def _pool_models(effects: _Effects) -> Iterator[pd.DataFrame]:
    if np.isnan(effects.y).all():
        return
    kind = MEASURES[effects.measure]
    models = (
        MODELS if effects.measure != "PETO" else MODELS[:1]
    )  # Peto's weights are a common effect's
    for method, intervals in models:
        fit = fit_inverse_variance(effects.y, effects.v, method=method)
        for ci in intervals:
            half = fit.quantile(ci=ci, level=0.95) * fit.standard_error(ci=ci)
            yield pd.DataFrame(
                {
                    "measure": effects.measure,
                    "variant": effects.variant,
                    "weighting": "inverse variance",
                    "method": method,
                    "ci": ci,
                    "zero_cells": effects.zero_rule,
                    "k": fit.k,
                    "estimate": kind.to_natural(fit.estimate),
                    "ci_low": kind.to_natural(fit.estimate - half),
                    "ci_high": kind.to_natural(fit.estimate + half),
                    "no_effect": float(kind.to_natural(kind.no_effect)),
                    "way": np.arange(len(fit.k)),
                }
            )
