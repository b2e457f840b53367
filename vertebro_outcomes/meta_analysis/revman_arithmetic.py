"""A review's pooled result, computed the way RevMan computes it.

Reference: Deeks and Higgins (2010), Statistical algorithms in Review Manager 5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.effect_sizes import means
from vertebro_outcomes.estimators.effect_sizes.two_by_two import (
    TWO_BY_TWO,
    Table,
    double_zero,
    zero_cells,
)
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval, fit_inverse_variance
from vertebro_outcomes.estimators.pooled.mantel_haenszel import fit_mantel_haenszel_revman
from vertebro_outcomes.estimators.pooled.mantel_haenszel_random import (
    fit_around_centre,
    study_effects_revman,
)
from vertebro_outcomes.estimators.pooled.peto import PetoFit, fit_peto, fit_peto_from_sums
from vertebro_outcomes.tables.review_tables import PoolMethod, PoolModel, ReviewUnit, StudyLine

LOG_MEASURES: Final = frozenset({"OR", "RR", "PETO", "HR", "IRR", "ROM"})
NAN: Final = float("nan")


@dataclass(frozen=True)
class Specification:
    """How a unit is pooled; what a review states, or an alternative to it."""

    measure: str
    method: PoolMethod
    model: PoolModel
    tau2_method: Tau2Method = "DL"
    ci: Interval = "wald"
    level: float = 0.95
    swap_events: bool = False

    def words(self) -> str:
        """`RR, Mantel-Haenszel, random effects (DL)`."""
        method = {"MH": "Mantel-Haenszel", "PETO": "Peto", "IV": "inverse variance"}
        model = (
            "common effect" if self.model == "common" else f"random effects ({self.tau2_method})"
        )
        parts = [self.measure, method.get(self.method, self.method), model]
        parts += ["HKSJ interval"] if self.ci != "wald" else []
        parts += [f"{100 * self.level:g}% interval"] if self.level != 0.95 else []
        return ", ".join(parts + (["events and non-events exchanged"] if self.swap_events else []))


@dataclass(frozen=True)
class Recomputed:
    """A pooled result on the analysis scale, with what is needed to compare it."""

    estimate: float
    se: float
    half_width: float
    tau2: float
    q: float
    k: int
    log_scale: bool

    def natural(self, value: float) -> float:
        """The reader's scale; infinity where a limit is beyond all numbers."""
        if not self.log_scale:
            return value
        return value if math.isnan(value) else math.exp(value) if value < 700 else math.inf

    @property
    def limits(self) -> tuple[float, float, float]:
        """Estimate and limits on the reader's scale."""
        low, high = self.estimate - self.half_width, self.estimate + self.half_width
        return self.natural(self.estimate), self.natural(low), self.natural(high)

    @property
    def i2_pct(self) -> float:
        """(Q - df) / Q in percent, not below 0."""
        df = self.k - 1
        return max(0.0, 100.0 * (self.q - df) / self.q) if self.q > 0 else 0.0


def stated(unit: ReviewUnit) -> Specification:
    """The specification that the review itself names."""
    return Specification(
        measure=unit.measure,
        method=unit.method,
        model=unit.model,
        tau2_method=unit.tau2_method,  # type: ignore[arg-type]
        ci=unit.ci,  # type: ignore[arg-type]
        level=unit.ci_level,
        swap_events=unit.swap_events,
    )


def recompute(unit: ReviewUnit, how: Specification | None = None) -> Recomputed:
    """Pool the lines of a unit as `how` says (default: as the review does); NaN where nothing can be."""
    how = how or stated(unit)
    log = how.measure in LOG_MEASURES or unit.log_scale
    if unit.data_type == "counts":
        estimate, se, tau2, q, k = _pool_counts(unit.lines, how)
    elif unit.data_type == "o_minus_e":
        fit = fit_peto_from_sums(_column(unit.lines, "o_minus_e"), _column(unit.lines, "variance"))
        estimate, se, tau2, q, k = _peto(fit)
    else:
        y, v = (
            _means(unit.lines, how.measure) if unit.data_type == "means" else _entered(unit.lines)
        )
        estimate, se, tau2, q, k = _inverse_variance(y, v, how)
    tail = (1 - how.level) / 2
    quantile = -special.ndtri(tail)
    if how.ci != "wald" and k > 1 and how.model == "random":
        quantile = -special.stdtrit(k - 1, tail)
    return Recomputed(estimate, se, float(quantile) * se, tau2, q, k, log)


def between_subgroups(units: Sequence[Recomputed]) -> tuple[float, int]:
    """Q between subgroups and its df, from their pooled values and standard errors (both models)."""
    known = [u for u in units if math.isfinite(u.estimate) and u.se > 0]
    if len(known) < 2:
        return NAN, 0
    y = np.array([u.estimate for u in known])
    w = np.array([u.se for u in known]) ** -2.0
    centre = (w * y).sum() / w.sum()
    return float((w * (y - centre) ** 2).sum()), len(known) - 1


def study_effects(unit: ReviewUnit, how: Specification | None = None) -> tuple[Floats, Floats]:
    """Effect and variance of each line (analysis scale), NaN for one that is not estimable."""
    how = how or stated(unit)
    if unit.data_type == "counts":
        table, kept = _table(unit.lines, how)
        y, v = np.full(len(kept), NAN), np.full(len(kept), NAN)
        y[kept], v[kept] = _count_effects(table, unit.lines, kept, how.measure)
        return y, v
    if unit.data_type == "means":
        return _means(unit.lines, how.measure)
    if unit.data_type == "effects":
        return _entered(unit.lines)
    v = _column(unit.lines, "variance")
    with np.errstate(divide="ignore", invalid="ignore"):
        return _usable(_column(unit.lines, "o_minus_e") / v, 1 / v, unit.lines)


Pooled = tuple[float, float, float, float, int]  # estimate, se, tau2, Q, k


def _column(lines: Sequence[StudyLine], name: str) -> Floats:
    return np.array([getattr(line, name) for line in lines], dtype=float)


def _usable(y: Floats, v: Floats, lines: Sequence[StudyLine]) -> tuple[Floats, Floats]:
    estimable = np.array([line.estimable for line in lines], dtype=bool)
    good = estimable & np.isfinite(y) & np.isfinite(v) & (v > 0)
    return np.where(good, y, NAN), np.where(good, v, NAN)


def _entered(lines: Sequence[StudyLine]) -> tuple[Floats, Floats]:
    return _usable(_column(lines, "effect"), _column(lines, "se") ** 2, lines)


def _means(lines: Sequence[StudyLine], measure: str) -> tuple[Floats, Floats]:
    arms = means.TwoMeans(*(_column(lines, name) for name in means.TwoMeans._fields))
    formula = means.hedges_g_revman if measure == "SMD" else means.mean_difference
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = formula(arms)
    return _usable(y, v, lines)


def _inverse_variance(y: Floats, v: Floats, how: Specification) -> Pooled:
    k = int(np.isfinite(y).sum())
    if k == 0:
        return NAN, NAN, NAN, NAN, 0
    method: Tau2Method = "EE" if how.model == "common" else how.tau2_method
    fit = fit_inverse_variance(y[None, :], v[None, :], method=method)
    ci: Interval = "wald" if how.model == "common" else how.ci
    se = float(fit.standard_error(ci=ci)[0])
    return float(fit.estimate[0]), se, float(fit.tau2[0]), float(fit.q[0]), k


def _table(lines: Sequence[StudyLine], how: Specification) -> tuple[Table, Bools]:
    a, n1 = _column(lines, "events_t"), _column(lines, "n_t")
    c, n2 = _column(lines, "events_c"), _column(lines, "n_c")
    if how.swap_events:
        a, c = n1 - a, n2 - c
    estimable = np.array([line.estimable for line in lines], dtype=bool)
    kept = estimable & np.isfinite(a + n1 + c + n2) & (n1 > 0) & (n2 > 0)
    a, n1, c, n2 = (x[kept] for x in (a, n1, c, n2))
    return (a, n1 - a, c, n2 - c), kept


def _count_effects(
    table: Table, lines: Sequence[StudyLine], kept: Bools, measure: str
) -> tuple[Floats, Floats]:
    """RevMan's study effects; for a risk difference with a zero cell, as the review shows it."""
    if measure == "PETO":
        with np.errstate(divide="ignore", invalid="ignore"):
            y, v = TWO_BY_TWO["PETO"](table)
        none = double_zero(table)
        return np.where(none, NAN, y), np.where(none, NAN, v)
    y, v, _ = study_effects_revman(table, measure=measure)  # type: ignore[arg-type]
    if measure == "RD":
        shown = _column(lines, "published_effect")[kept]
        plus = np.where(zero_cells(table), 0.5, 0.0)
        a, b, c, d = (cell + plus for cell in table)
        corrected = TWO_BY_TWO["RD"]((a, b, c, d))[0]
        is_corrected = np.abs(corrected - shown) < 0.01 * np.abs(y - shown)  # not by rounding
        y = np.where(is_corrected, corrected, y)
    return y, v


def _pool_counts(lines: Sequence[StudyLine], how: Specification) -> Pooled:
    table, kept = _table(lines, how)
    if not kept.any():
        return NAN, NAN, NAN, NAN, 0
    if how.method == "PETO" or how.measure == "PETO":
        return _peto(fit_peto(table))
    y, v = _count_effects(table, lines, kept, how.measure)
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0)
    if how.method == "IV" or (how.model == "random" and how.tau2_method != "DL"):
        return _inverse_variance(np.where(usable, y, NAN), np.where(usable, v, NAN), how)
    fixed = fit_mantel_haenszel_revman(table, measure=how.measure)  # type: ignore[arg-type]
    if not usable.any():
        return fixed.estimate, fixed.se, 0.0, NAN, 0
    around = fit_around_centre(
        np.where(usable, y, NAN), np.where(usable, v, NAN), centre=fixed.estimate
    )
    k = int(usable.sum())
    if how.model == "random":
        se = around.se
        if how.ci != "wald":
            tau2 = np.array([around.tau2])
            known = np.where(usable, y, NAN)[None, :], np.where(usable, v, NAN)[None, :]
            fit = fit_inverse_variance(*known, method="DL", tau2=tau2)
            se = float(fit.standard_error(ci=how.ci)[0])
        return around.estimate, se, around.tau2, around.q, k
    return fixed.estimate, fixed.se, 0.0, around.q, k


def _peto(fit: PetoFit) -> Pooled:
    k = int((fit.weights > 0).sum())
    return fit.estimate, fit.se, 0.0, fit.q, k
