"""Mantel-Haenszel and Peto, from checked rows to the numbers of a pooled effect."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vertebro_outcomes.dialects import Dialect
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes import proportions, rates
from vertebro_outcomes.estimators.effect_sizes.two_by_two import (
    TWO_BY_TWO,
    double_zero,
    zero_cells,
)
from vertebro_outcomes.estimators.pooled.mantel_haenszel import (
    CountFit,
    corrected,
    fit_mantel_haenszel,
    fit_mantel_haenszel_rates,
    fit_mantel_haenszel_revman,
)
from vertebro_outcomes.estimators.pooled.mantel_haenszel_random import (
    fit_around_centre,
    study_effects_revman,
)
from vertebro_outcomes.estimators.pooled.peto import fit_peto
from vertebro_outcomes.meta_analysis.count_rows import (
    CountRows,
    is_rate_measure,
    is_two_by_two,
)

Effects = Literal["common", "random"]
ADD: Final = 0.5  # to the cells of studies with a zero cell, for their own effects
_NAN: Final = float("nan")


@dataclass(frozen=True)
class CountPool:
    """What a method found; `effects` and `variances` are each study's own, NaN where undefined."""

    estimate: float
    se: float
    effects: Floats
    variances: Floats
    weights: Floats
    tau2: float
    q: float
    q_df: int
    i2_pct: float
    h2: float
    random: bool
    notes: tuple[str, ...] = ()


def pool_mantel_haenszel(rows: CountRows, *, rules: Dialect, effects: Effects) -> CountPool:
    """Mantel-Haenszel; with random effects DerSimonian-Laird around it."""
    revman = rules.name != "metafor" and rows.measure not in ("IRR", "IRD")
    y, v = study_effects(rows, revman=revman)
    fit = _fit_mantel_haenszel(rows, revman=revman)
    around = fit_around_centre(y, v, centre=fit.estimate)
    i2, h2 = _from_q(around.q, around.df)
    notes = corrections_note(rows, in_sums=revman)
    if effects == "common" or len(rows.labels) == 1:
        found = fit.estimate, fit.se, fit.weights, 0.0
    else:
        found = around.estimate, around.se, around.weights, around.tau2
        notes += ("tau² by DerSimonian-Laird with Q taken around the Mantel-Haenszel estimate.",)
    return CountPool(
        estimate=found[0],
        se=found[1],
        effects=y,
        variances=v,
        weights=found[2],
        tau2=found[3],
        q=around.q,
        q_df=max(around.df, 0),
        i2_pct=i2,
        h2=h2,
        random=effects == "random",
        notes=notes,
    )


def _fit_mantel_haenszel(rows: CountRows, *, revman: bool) -> CountFit:
    x, measure = rows.columns, rows.measure
    if is_rate_measure(measure):
        return fit_mantel_haenszel_rates(
            x["events_t"], x["time_t"], x["events_c"], x["time_c"], measure=measure
        )
    assert is_two_by_two(measure)
    if revman:
        return fit_mantel_haenszel_revman(rows.table, measure=measure)
    return fit_mantel_haenszel(rows.table, measure=measure)


def pool_peto(rows: CountRows) -> CountPool:
    """Peto's one-step odds ratio."""
    fit = fit_peto(rows.table)
    i2, h2 = _from_q(fit.q, fit.df)
    return CountPool(
        estimate=fit.estimate,
        se=fit.se,
        effects=fit.observed_minus_expected / fit.weights,
        variances=1.0 / fit.weights,
        weights=fit.weights,
        tau2=0.0,
        q=fit.q,
        q_df=fit.df,
        i2_pct=i2,
        h2=h2,
        random=False,
    )


def study_effects(rows: CountRows, *, revman: bool) -> tuple[Floats, Floats]:
    """Each study's own effect and variance, 0.5 added where a cell is zero.

    Without `revman`, studies with no (or with only) events are NaN whatever the measure.
    """
    x, measure = rows.columns, rows.measure
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "PLO":
            plus = np.where((x["events"] == 0) | (x["events"] == x["n"]), ADD, 0.0)
            return proportions.logit(x["events"] + plus, x["n"] + 2 * plus)
        if is_rate_measure(measure):
            formula = rates.rate_ratio if measure == "IRR" else rates.rate_difference
            a, c = x["events_t"], x["events_c"]
            plus = np.where((a == 0) | (c == 0), ADD, 0.0)
            y, v = formula(a + plus, x["time_t"], c + plus, x["time_c"])
            silent = (a == 0) & (c == 0)
        elif revman and is_two_by_two(measure):
            y, v, kept = study_effects_revman(rows.table, measure=measure)
            silent = ~kept
        else:
            y, v = TWO_BY_TWO[measure](corrected(rows.table, add=ADD, add_to="only_zero"))
            silent = double_zero(rows.table)
    return np.where(silent, _NAN, y), np.where(silent, _NAN, v)


def _from_q(q: float, df: int) -> tuple[float, float]:
    """I² in percent and H² from Q."""
    if df < 1:
        return 0.0, 1.0
    return (100.0 * (q - df) / q if q > df else 0.0), q / df


def corrections_note(rows: CountRows, *, in_sums: bool) -> tuple[str, ...]:
    """A sentence naming the studies with a zero cell; `in_sums`: their correction reaches the pool."""
    x = rows.columns
    if rows.measure == "PLO":
        zero = (x["events"] == 0) | (x["events"] == x["n"])
    elif rows.measure in ("IRR", "IRD"):
        zero = (x["events_t"] == 0) | (x["events_c"] == 0)
    else:
        zero = zero_cells(rows.table)
    if not zero.any():
        return ()
    names = ", ".join(label for label, bad in zip(rows.labels, zero, strict=True) if bad)
    where = "their own effects only"
    if in_sums:
        both = "their own variances and the pooled one"
        where = both if rows.measure == "RD" else "their own effects and the pooled sums"
    return (f"Zero cell: {names}. {ADD} was added to all cells for {where}.",)
