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
    """Patterns of patients of both arms with what the methods need, and the patients of each."""

    treated: Bools
    x: Floats
    stratum: Ints | None
    alike: Floats


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
    arms: Arms, had: Floats, *, measure: Measure, method: ContrastMethod, level: float
) -> Contrast:
    """Compare the shares with the event, which `had` patients of each pattern had.

    NaN with a note where the data cannot tell.
    """
    if method in ("newcombe", "score", "exact"):
        return _from_counts(arms, had, measure=measure, method=method, level=level)
    if method == "mantel_haenszel" and 0 < had.sum() < arms.alike.sum():
        return _mantel_haenszel(arms, had, measure=measure, level=level)
    arms, event = _with_and_without(arms, had)
    if method == "firth":
        try:
            columns = np.column_stack([arms.treated, arms.x]).astype(float)
            fit = fit_firth_logistic(columns, event, level=level, alike=arms.alike)
        except UnanswerableError as reason:
            return _unknown(str(reason))
        low, high = float(np.exp(fit.ci_low)), float(np.exp(fit.ci_high))
        note = "" if event.any() else NO_EVENT
        return Contrast(float(np.exp(fit.estimate)), low, high, fit.p_value, "firth", note)
    if not event.any() or event.all():
        return _unknown(f"{NO_EVENT if not event.any() else 'every patient had it'}: no interval")
    try:
        if method == "overlap_weighting":
            risks = weighted_risks(arms.x, arms.treated, event, kind="overlap", alike=arms.alike)
        else:
            risks = standardised_risks(arms.x, arms.treated, event, alike=arms.alike)
    except UnanswerableError as reason:
        return _unknown(str(reason))
    none = not event[arms.treated].any() or not event[~arms.treated].any()
    if none and (measure != "RD" or method == "overlap_weighting"):
        return _unknown("an arm without events: no interval by this method; firth or score has one")
    return _wald(*risks.contrast(measure), measure=measure, level=level)


def table_of(arms: Arms, had: Floats) -> TwoProportions:
    """Counts of both arms."""
    t, c = arms.treated, ~arms.treated
    counts = (had[t], arms.alike[t], had[c], arms.alike[c])
    return TwoProportions(*(round(n.sum()) for n in counts))


def _with_and_without(arms: Arms, had: Floats) -> tuple[Arms, Bools]:
    """Each pattern as a row of those with the event and a row of those without."""
    alike = np.concatenate([had, arms.alike - had])
    some = alike > 0
    event = np.repeat([True, False], len(had))[some]
    x, treated = np.vstack([arms.x, arms.x])[some], np.tile(arms.treated, 2)[some]
    return Arms(treated, x, None, alike[some]), event


def _from_counts(
    arms: Arms, had: Floats, *, measure: Measure, method: ContrastMethod, level: float
) -> Contrast:
    table = table_of(arms, had)
    if method == "newcombe":
        found = newcombe(table, level=level)
    elif method == "score":
        found = SCORE[measure](table, level=level)
    else:
        found = exact_odds_ratio(table, level=level)
    up_to = 0 if method == "exact" else BOSCHLOO_UP_TO
    p, test = exact_p_value(table, boschloo_up_to=up_to)
    note = ""
    if not had.any():
        note = NO_EVENT
    elif measure != "RD":
        if found.ci_high == np.inf:
            note = "the upper limit is infinite: nothing bounds the ratio from above"
        elif found.ci_low == 0:
            note = "the lower limit is 0: nothing bounds the ratio from below"
    return Contrast(found.estimate, found.ci_low, found.ci_high, p, test, note)


def _mantel_haenszel(arms: Arms, had: Floats, *, measure: Measure, level: float) -> Contrast:
    stratum = np.zeros(had.size, dtype=np.int64) if arms.stratum is None else arms.stratum
    k, treated = int(stratum.max()) + 1, arms.treated

    def cell(n: Floats, mine: Bools) -> Floats:
        return np.bincount(stratum[mine], n[mine], minlength=k).astype(float)

    without = arms.alike - had
    a, b, c, d = (
        cell(had, treated), cell(without, treated), cell(had, ~treated), cell(without, ~treated),
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
