"""One event type in two arms: estimate, interval and p-value by each method."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.pooled.mantel_haenszel import fit_mantel_haenszel
from vertebro_outcomes.estimators.rates.firth_logistic import fit_firth_logistic
from vertebro_outcomes.estimators.rates.standardised_risks import (
    standardised_risks,
    weighted_risks,
)
from vertebro_outcomes.estimators.rates.two_proportions import (
    TwoProportions,
    exact_odds_ratio,
    exact_p_value,
    newcombe,
    score_difference,
    score_odds_ratio,
    score_ratio,
)
from vertebro_outcomes.estimators.unanswerable import UnanswerableError
from vertebro_outcomes.results.complication_contrasts import ContrastMethod, Measure

# Patients in both arms above which Fisher's test stands for Boschloo's, whose search over the common
# rate takes 0.7 s for each event type here.
BOSCHLOO_UP_TO: Final = 2000
SCORE: Final = {"RD": score_difference, "RR": score_ratio, "OR": score_odds_ratio}
NO_EVENT: Final = "no event in either arm"


@dataclass(frozen=True)
class Arms:
    """Patients of both arms, with what the methods need of them."""

    treated: Bools
    x: Floats
    stratum: Ints | None


@dataclass(frozen=True)
class Contrast:
    """On the reader's scale: ratios are ratios."""

    estimate: float
    ci_low: float
    ci_high: float
    p_value: float
    test: str
    note: str = ""


def contrast(
    arms: Arms, event: Bools, *, measure: Measure, method: ContrastMethod, level: float
) -> Contrast:
    """Compare the shares with the event; NaN with a note where the data cannot tell."""
    if method in ("newcombe", "score", "exact"):
        return _from_counts(arms, event, measure=measure, method=method, level=level)
    if method == "firth":
        try:
            fit = fit_firth_logistic(
                np.column_stack([arms.treated, arms.x]).astype(float), event, level=level
            )
        except UnanswerableError as reason:
            return _unknown(str(reason))
        low, high = float(np.exp(fit.ci_low)), float(np.exp(fit.ci_high))
        note = "" if event.any() else NO_EVENT
        return Contrast(float(np.exp(fit.estimate)), low, high, fit.p_value, "firth", note)
    if not event.any() or event.all():
        return _unknown(f"{NO_EVENT if not event.any() else 'every patient had it'}: no interval")
    if method == "mantel_haenszel":
        return _mantel_haenszel(arms, event, measure=measure, level=level)
    try:
        if method == "overlap_weighting":
            risks = weighted_risks(arms.x, arms.treated, event, kind="overlap")
        else:
            risks = standardised_risks(arms.x, arms.treated, event)
    except UnanswerableError as reason:
        return _unknown(str(reason))
    none = not event[arms.treated].any() or not event[~arms.treated].any()
    if none and (measure != "RD" or method == "overlap_weighting"):
        return _unknown("an arm without events: no interval by this method; firth or score has one")
    return _wald(*risks.contrast(measure), measure=measure, level=level)


def table_of(treated: Bools, event: Bools) -> TwoProportions:
    """Counts of both arms."""
    return TwoProportions(
        int((event & treated).sum()), int(treated.sum()),
        int((event & ~treated).sum()), int((~treated).sum()),
    )  # fmt: skip


def _from_counts(
    arms: Arms, event: Bools, *, measure: Measure, method: ContrastMethod, level: float
) -> Contrast:
    table = table_of(arms.treated, event)
    if method == "newcombe":
        found = newcombe(table, level=level)
    elif method == "score":
        found = SCORE[measure](table, level=level)
    else:
        found = exact_odds_ratio(table, level=level)
    up_to = 0 if method == "exact" else BOSCHLOO_UP_TO
    p, test = exact_p_value(table, boschloo_up_to=up_to)
    note = ""
    if not event.any():
        note = NO_EVENT
    elif measure != "RD":
        if found.ci_high == np.inf:
            note = "the upper limit is infinite: nothing bounds the ratio from above"
        elif found.ci_low == 0:
            note = "the lower limit is 0: nothing bounds the ratio from below"
    return Contrast(found.estimate, found.ci_low, found.ci_high, p, test, note)


def _mantel_haenszel(arms: Arms, event: Bools, *, measure: Measure, level: float) -> Contrast:
    stratum = np.zeros(event.size, dtype=np.int64) if arms.stratum is None else arms.stratum
    k, treated = int(stratum.max()) + 1, arms.treated

    def cell(mine: Bools) -> Floats:
        return np.bincount(stratum[mine], minlength=k).astype(float)

    a, b, c, d = (
        cell(event & treated), cell(~event & treated), cell(event & ~treated),
        cell(~event & ~treated),
    )  # fmt: skip
    both = (a + b > 0) & (c + d > 0)
    if not both.any():
        return _unknown("no stratum has patients of both arms")
    alone = int((~both).sum())
    note = f"{alone} strata with one arm only say nothing" if alone else ""
    table = (a[both], b[both], c[both], d[both])
    fit = fit_mantel_haenszel(table, measure=measure)
    if np.isnan(fit.estimate) or not fit.se > 0:
        return _unknown("an arm without events: no interval by this method; firth or score has one")
    found = _wald(fit.estimate, fit.se, measure=measure, level=level)
    return Contrast(found.estimate, found.ci_low, found.ci_high, found.p_value, "wald", note)


def _wald(estimate: float, se: float, *, measure: Measure, level: float) -> Contrast:
    z = float(ndtri((1 + level) / 2))
    limits = np.array([estimate, estimate - z * se, estimate + z * se])
    shown = limits if measure == "RD" else np.exp(limits)
    p = float(2 * ndtr(-abs(estimate / se)))
    return Contrast(float(shown[0]), float(shown[1]), float(shown[2]), p, "wald")


def _unknown(why: str) -> Contrast:
    nan = float("nan")
    return Contrast(nan, nan, nan, nan, "", why)
