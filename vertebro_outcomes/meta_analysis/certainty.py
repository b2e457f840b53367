"""Absolute effects per outcome, and the numbers (not the judgements) behind GRADE's domains."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.absolute_effect import (
    overlapping_share,
    risk_with_treatment,
    sample_size_two_means,
    sample_size_two_risks,
)
from vertebro_outcomes.estimators.pooled.mixed_effects import fit_mixed_effects
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import PooledEffect
from vertebro_outcomes.results.summary_of_findings import SummaryOfFindings

ALPHA: Final = 0.05  # of the optimal information size, two-sided (GRADE guidelines 6)
POWER: Final = 0.80
RELATIVE_RISK_REDUCTION: Final = 0.25  # the plausible effect GRADE guidelines 6 size trials for
STANDARDISED_DIFFERENCE: Final = 0.2  # a small effect in standard deviations, same source

PerOutcome = float | Mapping[str, float]

_ASSUMPTIONS: Final = {
    "RR": "RR: the risk ratio holds at the stated baseline risk.",
    "OR": "OR: the odds ratio holds at the stated baseline risk.",
    "PETO": "PETO: the Peto odds ratio is read as an odds ratio at the stated baseline risk.",
    "HR": "HR: hazards are proportional; the baseline risk is that by a stated time.",
    "RD": "RD: the risk difference is taken as it is, whatever the baseline risk.",
}


def summary_of_findings(
    fits: Mapping[str, PooledEffect],
    *,
    baseline_risk: PerOutcome | None = None,
    participants: PerOutcome | None = None,
    mcid: PerOutcome | None = None,
    sd: PerOutcome | None = None,
) -> SummaryOfFindings:
    """One row per outcome as in a summary-of-findings table.

    Parameters
    ----------
    fits : mapping of str to PooledEffect
        Outcome name -> pooled effect.
    baseline_risk : float or mapping
        Risk with the comparator, 0 to 1 (outside 0 and 1 for RR, OR, HR excluded); one number for all
        outcomes or one per outcome. Outcomes without one get no absolute effect.
    participants : int or mapping, optional
        People in the pooled studies, to compare with the optimal information size.
    mcid : float or mapping, optional
        Smallest difference that matters, either direction: per 1000 people for risks, in the unit of
        the outcome for means. Mappings may leave outcomes out.
    sd : float or mapping, optional
        Standard deviation of a mean outcome (MD), for its optimal information size with `mcid`.

    Returns
    -------
    SummaryOfFindings
        The interval of the absolute effect carries the uncertainty of the relative effect only. The
        optimal information size is that of one trial with 80% power at 5% for a relative risk
        reduction of 25%, for `mcid` with MD, for 0.2 standard deviations with SMD.

    Raises
    ------
    InputError
        A value that is no `PooledEffect`, a baseline risk outside 0 to 1, an unknown outcome name.

    References
    ----------
    Guyatt et al. (2011), J Clin Epidemiol 64:383-394, doi:10.1016/j.jclinepi.2010.04.026, and
    64:1283-1293, doi:10.1016/j.jclinepi.2011.01.012; Egger et al. (1997), BMJ 315:629-634,
    doi:10.1136/bmj.315.7109.629.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [-0.7, -0.7], "variance": [0.04, 0.04], "measure": "RR"})
    >>> sof = vo.summary_of_findings({"fracture": vo.pool(es, method="EE")}, baseline_risk=0.2)
    >>> sof.to_frame()["difference_per_1000"].round().tolist()
    [-101.0]
    """
    _refuse_other_results(fits)
    given = {
        "baseline_risk": _per_outcome(baseline_risk, fits, "baseline_risk"),
        "participants": _per_outcome(participants, fits, "participants"),
        "mcid": _per_outcome(mcid, fits, "mcid"),
        "sd": _per_outcome(sd, fits, "sd"),
    }
    _check_risks(given["baseline_risk"])
    rows = [
        _row(name, fit, **{key: values[name] for key, values in given.items()})
        for name, fit in fits.items()
    ]
    measures = list(dict.fromkeys(fit.measure for fit in fits.values()))
    return SummaryOfFindings(
        table=pd.DataFrame(rows),
        assumptions=tuple(_ASSUMPTIONS[name] for name in measures if name in _ASSUMPTIONS),
        notes=(
            f"Optimal information size: alpha {ALPHA:g} two-sided, power {POWER:.0%}; risks "
            f"{RELATIVE_RISK_REDUCTION:.0%} lower than the baseline, means apart by the smallest "
            f"difference that matters, {STANDARDISED_DIFFERENCE:g} standard deviations for SMD.",
        ),
    )


_NAME: Final = "summary_of_findings"


def _refuse_other_results(fits: Any) -> None:
    if not isinstance(fits, Mapping) or not fits:
        raise refuse_argument(
            _NAME, "fits", type(fits).__name__, "a mapping outcome -> PooledEffect"
        )
    strange = [name for name, fit in fits.items() if not isinstance(fit, PooledEffect)]
    if strange:
        raise refuse_argument(_NAME, "fits", strange, "results of pool() or pool_counts()")
    endless = [name for name, fit in fits.items() if np.isinf(fit.natural(fit.estimate))]
    if endless:
        found = f"{', '.join(endless)}: an effect too large to be read back"
        raise refuse_argument(_NAME, "fits", found, "finite effects on the natural scale")


def _per_outcome(
    value: PerOutcome | None, fits: Mapping[str, PooledEffect], argument: str
) -> dict[str, float]:
    if value is None:
        return dict.fromkeys(fits, math.nan)
    given = value if isinstance(value, Mapping) else dict.fromkeys(fits, value)
    unknown = [name for name in given if name not in fits]
    if unknown:
        raise refuse_argument(_NAME, argument, unknown, f"outcomes: {', '.join(fits)}")
    try:
        return {name: float(given.get(name, math.nan)) for name in fits}
    except (TypeError, ValueError):
        raise refuse_argument(_NAME, argument, value, "numbers") from None


def _check_risks(risks: Mapping[str, float]) -> None:
    problems = [
        Problem(f"baseline_risk of {name}", f"{risk:g}", "a risk between 0 and 1, such as 0.12")
        for name, risk in risks.items()
        if not (math.isnan(risk) or 0 < risk < 1)
    ]
    if problems:
        raise InputError(f"{_NAME}()", problems, "give risks as proportions, not percentages")


def _row(
    name: str,
    fit: PooledEffect,
    *,
    baseline_risk: float,
    participants: float,
    mcid: float,
    sd: float,
) -> dict[str, Any]:
    natural = np.array([fit.natural(x) for x in (fit.estimate, fit.ci_low, fit.ci_high)])
    risks = risk_with_treatment(natural, baseline=baseline_risk, measure=fit.measure)
    difference = 1000.0 * (risks - baseline_risk)
    no_effect = MEASURES[fit.measure].no_effect
    needed = _information_size(fit.measure, baseline_risk=baseline_risk, mcid=mcid, sd=sd)
    limits = difference[1:] if np.isfinite(difference[0]) else natural[1:]
    half = special.ndtri((1 + fit.level) / 2) * np.sqrt(fit.variances)
    overlap = overlapping_share(fit.effects - half, fit.effects + half)
    return {
        "outcome": name,
        "measure": fit.measure,
        "k": fit.k,
        "participants": participants,
        "estimate": natural[0],
        "ci_low": natural[1],
        "ci_high": natural[2],
        "p_value": fit.p_value,
        "baseline_per_1000": 1000.0 * baseline_risk,
        "with_treatment_per_1000": 1000.0 * risks[0],
        "difference_per_1000": difference[0],
        "difference_low_per_1000": difference[1],
        "difference_high_per_1000": difference[2],
        "optimal_information_size": needed,
        "reaches_optimal_size": _known(participants >= needed, participants, needed),
        "ci_crosses_no_effect": _crosses((fit.ci_low, fit.ci_high), no_effect),
        "ci_crosses_mcid": _crosses_either(limits, mcid),
        "tau2": fit.tau2,
        "i2_pct": fit.i2_pct,
        "prediction_low": fit.natural(fit.prediction_low),
        "prediction_high": fit.natural(fit.prediction_high),
        "prediction_crosses_no_effect": _crosses(
            (fit.prediction_low, fit.prediction_high), no_effect
        ),
        "intervals_overlapping_pct": 100.0 * overlap,
        "egger_p_value": _egger_p_value(fit),
    }


def _information_size(measure: str, *, baseline_risk: float, mcid: float, sd: float) -> float:
    if measure == "SMD":
        return sample_size_two_means(STANDARDISED_DIFFERENCE, sd=1.0, alpha=ALPHA, power=POWER)
    if measure == "MD":
        if math.isnan(mcid) or math.isnan(sd):
            return math.nan
        return sample_size_two_means(mcid, sd=sd, alpha=ALPHA, power=POWER)
    if measure not in _ASSUMPTIONS or math.isnan(baseline_risk):
        return math.nan
    lower = (1.0 - RELATIVE_RISK_REDUCTION) * baseline_risk
    return sample_size_two_risks(lower, baseline_risk, alpha=ALPHA, power=POWER)


def _known(answer: bool, *needed: float) -> bool | None:
    return None if any(math.isnan(value) for value in needed) else bool(answer)


def _crosses(limits: tuple[float, float], value: float) -> bool | None:
    return _known(limits[0] <= value <= limits[1], *limits, value)


def _crosses_either(limits: np.ndarray, mcid: float) -> bool | None:
    low, high = (float(limit) for limit in limits)
    inside = any(low <= bound <= high for bound in (mcid, -mcid))
    return _known(inside, low, high, mcid)


def _egger_p_value(fit: PooledEffect) -> float:
    """Regression of effects on their standard errors, weights 1/variance, t on k - 2."""
    se = np.sqrt(fit.variances)
    if len(se) < 3 or np.ptp(se) <= 1e-12 * se.max():
        return math.nan
    x = np.column_stack([np.ones(len(se)), se])
    line = fit_mixed_effects(fit.effects[None], fit.variances[None], x=x, method="EE")
    spread = float(line.covariance(ci="hksj")[0, 1, 1])
    if not spread > 0:
        return math.nan
    t = float(line.beta[0, 1]) / math.sqrt(spread)
    return float(2.0 * special.stdtr(len(se) - 2, -abs(t)))
