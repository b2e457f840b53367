"""Responders in two arms under every published definition, and the cumulative responder curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.compare import MethodName, compare
from vertebro_outcomes.comparisons.missing_scores import Missing
from vertebro_outcomes.comparisons.narrow_population import narrow_population, needs_of
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.requests import ORDINAL, REPEATED, Request, checked_request
from vertebro_outcomes.comparisons.responses import RESPONSES, Response, as_response
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.results.responders import Responders
from vertebro_outcomes.tables.cohort import Cohort

_DECIMALS = 9  # scores are written in decimals: 8.1 - 6.1 and 7.1 - 5.1 are one improvement
_WHO = "Of patients with a score at the day; those who died before it are not counted."
_FILLED = (
    "The differences also stand for patients alive without the score ({how}); the shares do not."
)


def responders(
    cohort: Cohort,
    *,
    outcome: str,
    treatment: str,
    comparator: str,
    day: int,
    method: MethodName = "unadjusted",
    covariates: Sequence[str] | str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
    missing: Missing = "observed",
    n_imputations: int | None = None,
    predictors: Sequence[str] = (),
    seed: int = 1,
) -> Responders:
    """Difference in the share of responders under each published definition.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An instrument of table scores, such as "pain_vas".
    treatment, comparator : str
        Names of `TREATMENTS`.
    day : int
        Days from day 0, at least 1.
    method : str
        As in `compare`, for a response; all definitions by the same one.
    covariates : sequence of str, or a formula, optional
        As in `compare`.
    level : float
        Of the intervals, between 0 and 1.
    window_days : (int, int), optional
        First and last day whose score may stand for `day`.
    missing, n_imputations, predictors, seed
        As in `compare`, for the differences; the shares, counts and the curve stay those of the scores
        that were seen.

    Returns
    -------
    Responders
        Shares are of the patients with a score; estimates are those of the method. `plot` shows the
        cumulative responder curve.

    Raises
    ------
    InputError
        If an argument is unknown, an arm is empty, or nobody has scores at day 0 and the day.

    Reference
    ---------
    Dworkin et al. (2008), J Pain 9:105-121, doi:10.1016/j.jpain.2007.09.005 (definitions); Farrar et
    al. (2006), J Pain Symptom Manage 31:369-377, doi:10.1016/j.jpainsymman.2005.08.018 (curve).

    Examples
    --------
    >>> from vertebro_outcomes import simulate_registry
    >>> cohort, _ = simulate_registry(n_patients=200, seed=1, scenario="randomised")
    >>> found = responders(cohort, outcome="pain_vas", treatment="KP", comparator="NSM", day=30)
    >>> found.to_frame()["response"].tolist()
    ['better_30pct', 'better_50pct', 'at_most_3', 'worthwhile']
    """
    gaps = {
        "missing": missing, "n_imputations": n_imputations, "predictors": predictors, "seed": seed,
    }  # fmt: skip
    request = checked_request(
        cohort=cohort, outcome=outcome, treatment=treatment, comparator=comparator, day=day,
        method=method, covariates=covariates, variance=None, level=level, window_days=window_days,
        missing=gaps,
    )  # fmt: skip
    if method in REPEATED or request.method.kind == ORDINAL:
        allowed = "a method that takes the day alone"
        raise refuse_argument("responders", "method", method, allowed)
    if request.instrument.better not in ("lower", "higher"):
        allowed = "an outcome with a better direction"
        raise refuse_argument("responders", "outcome", outcome, allowed)
    people = narrow_population(cohort, outcome=outcome, arms=request.arms, needs=needs_of(request))
    baseline, y = people.baseline(), people.score_at(day, request.window)
    gain = baseline - y if request.instrument.better == "lower" else y - baseline
    curve, n_t, n_c = _curve(gain, people, request)
    rows = []
    for response in RESPONSES.values():
        line = {
            "response": response.name, "definition": response.label,
            "reference": response.reference,
        }  # fmt: skip
        options = {
            "outcome": outcome, "treatment": treatment, "comparator": comparator, "day": day,
            "method": method, "covariates": covariates, "level": level,
            "window_days": window_days, "response": response.name, **gaps,
        }  # fmt: skip
        counts = _counts(y, baseline, people, request, response)
        rows.append(line | counts | _contrast(cohort, options))
    imputed = _FILLED.format(how=missing.replace("_", " ")) if missing != "observed" else ""
    notes = (
        _WHO,
        imputed,
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    return Responders(
        outcome=outcome, label=request.instrument.label, unit=request.instrument.unit,
        treatment=treatment, comparator=comparator, day=int(day), method=method, level=level,
        n_t=n_t, n_c=n_c, table=pd.DataFrame(rows), curve=curve,
        notes=tuple(note for note in notes if note), synthetic=cohort.synthetic,
    )  # fmt: skip


def _curve(gain: Floats, people: Population, request: Request) -> tuple[pd.DataFrame, int, int]:
    known = ~np.isnan(gain)
    size = np.round(gain, _DECIMALS)
    t, c = (np.sort(size[known & arm]) for arm in (people.treated, ~people.treated))
    for arm, own in zip(request.arms, (t, c), strict=True):
        if len(own) == 0:
            found = f"nobody has {request.outcome} at day 0 and at day {request.day}"
            problem = Problem(f"arm {arm}", found, "patients with both scores")
            raise InputError("responders()", [problem], "choose another day, or wider window_days")
    x = np.unique(np.r_[t, c])
    at_least = [len(own) - np.searchsorted(own, x, side="left") for own in (t, c)]
    curve = pd.DataFrame(
        {
            "improvement": x, "responders_t": at_least[0], "responders_c": at_least[1],
            "share_t": at_least[0] / len(t), "share_c": at_least[1] / len(c),
        }
    )  # fmt: skip
    return curve, len(t), len(c)


def _counts(
    y: Floats, baseline: Floats, people: Population, request: Request, response: Response
) -> dict[str, Any]:
    """Patients with a defined response and responders of both arms, as seen."""
    try:
        responded = as_response(
            y, baseline, outcome=request.outcome, instrument=request.instrument, response=response
        )
    except InputError:
        responded = np.full(len(y), np.nan)
    found: dict[str, Any] = {}
    known = ~np.isnan(responded)
    for suffix, arm in (("t", people.treated), ("c", ~people.treated)):
        n, yes = int((known & arm).sum()), int(np.nansum(responded[arm]))
        found |= {f"n_{suffix}": n, f"responders_{suffix}": yes}
        found[f"share_{suffix}"] = yes / n if n else np.nan
    return found


def _contrast(cohort: Cohort, options: dict[str, Any]) -> dict[str, Any]:
    """Estimate and interval, or the reason why there is none."""
    names = ("estimate", "se", "ci_low", "ci_high", "p_value")
    try:
        found = compare(cohort, **options)
    except InputError as refused:
        reason = "; ".join(str(problem.found) for problem in refused.problems)
        return dict.fromkeys(names, np.nan) | {"reason": reason}
    return {name: getattr(found, name) for name in names} | {"reason": found.withheld}
