"""Mantel-Haenszel specifications of a multiverse, with the zero-cell rules of two programs."""

from collections.abc import Callable, Iterator
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table, zero_cells
from vertebro_outcomes.estimators.pooled.mantel_haenszel import (
    fit_mantel_haenszel,
    fit_mantel_haenszel_revman,
)
from vertebro_outcomes.estimators.pooled.mantel_haenszel_random import (
    fit_around_centre,
    study_effects_revman,
)
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.readings import Columns

CountMeasure = Literal["RR", "OR", "RD"]
COUNT_MEASURES: Final[tuple[CountMeasure, ...]] = ("RR", "OR", "RD")
Pooled = tuple[float, float]  # estimate and standard error, analysis scale


def mantel_haenszel_frames(ways: list[Columns], measures: tuple[str, ...]) -> list[pd.DataFrame]:
    """A frame per measure and program, a row per reading, in the columns of the multiverse."""
    tables = [_cells(way) for way in ways]
    frames = []
    for measure in (m for m in COUNT_MEASURES if m in measures):
        for variant, method, rule, pool in _programs(measure):
            pooled = [pool(table) if len(table[0]) else (np.nan, np.nan) for table in tables]
            words = {"variant": variant, "method": method, "rule": rule}
            frames.append(_frame(pooled, tables, measure=measure, **words))
    return frames


def _programs(
    measure: CountMeasure,
) -> Iterator[tuple[str, str, str, Callable[[Table], Pooled]]]:
    """Variant, model, zero-cell rule and how a table is pooled."""

    def plain(table: Table) -> Pooled:
        fit = fit_mantel_haenszel(table, measure=measure)
        return fit.estimate, fit.se

    def revman(table: Table) -> Pooled:
        fit = fit_mantel_haenszel_revman(table, measure=measure)
        return fit.estimate, fit.se

    def revman_random(table: Table) -> Pooled:
        y, v, kept = study_effects_revman(table, measure=measure)
        usable = kept & (v > 0)
        if not usable.any():
            return np.nan, np.nan
        centre = fit_mantel_haenszel_revman(table, measure=measure).estimate
        fit = fit_around_centre(np.where(usable, y, np.nan), v, centre=centre)
        return fit.estimate, fit.se

    yield "", "EE", "none", plain
    yield "revman", "EE", "0.5_only_zero_drop_double", revman
    yield "revman", "DL", "0.5_only_zero_drop_double", revman_random


def _cells(columns: Columns) -> Table:
    there = ~np.isnan(np.stack(list(columns.values()))).any(axis=0)
    a, n1, c, n2 = (columns[name][there] for name in ("events_t", "n_t", "events_c", "n_c"))
    return a, n1 - a, c, n2 - c


def _frame(
    pooled: list[Pooled],
    tables: list[Table],
    *,
    measure: CountMeasure,
    variant: str,
    method: str,
    rule: str,
) -> pd.DataFrame:
    kind = MEASURES[measure]
    estimate, se = np.array(pooled, dtype=float).reshape(-1, 2).T
    half = -special.ndtri(0.025) * se
    any_zero = any(zero_cells(table).any() for table in tables)
    known = np.isfinite(estimate) & np.isfinite(se)
    return pd.DataFrame(
        {
            "measure": measure,
            "variant": variant,
            "weighting": "Mantel-Haenszel",
            "method": method,
            "ci": "wald",
            "zero_cells": rule if any_zero else "not needed",
            "k": np.where(known, [len(table[0]) for table in tables], 0),
            "estimate": kind.to_natural(estimate),
            "ci_low": kind.to_natural(estimate - half),
            "ci_high": kind.to_natural(estimate + half),
            "no_effect": float(kind.to_natural(kind.no_effect)),
            "way": np.arange(len(tables)),
        }
    )
