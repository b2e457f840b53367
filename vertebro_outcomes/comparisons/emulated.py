"""From the fit of a target trial to its result: balance, weights, protocol, what must be said."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.courses import Observed
from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.fitting import NO_SPREAD
from vertebro_outcomes.comparisons.judgement import (
    balance_table,
    failure_sentence,
    failure_words,
    imbalance_sentence,
    weighted_diagnostics,
    without_numbers,
)
from vertebro_outcomes.comparisons.protocol import emulated_protocol
from vertebro_outcomes.comparisons.sample import without_constant_columns
from vertebro_outcomes.comparisons.windows import window_for
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.emulation.course import EmulationFit
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.e_value import e_value
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.results.emulated_trial import EmulatedTrial
from vertebro_outcomes.tables.cohort import Cohort

NAIVE: Final = "naive_from_procedure"
BIASED: Final = (
    "Biased by design: the clock of the treated starts at their procedure, so nobody of them could die, "
    "recover or leave while waiting; shown for comparison only."
)


@dataclass(frozen=True)
class EmulationRequest:
    """What was asked for."""

    design: Design
    method: Method
    variance: str
    level: float
    failed: str


def emulated_trial(
    cohort: Cohort,
    seen: Observed,
    fit: EmulationFit,
    request: EmulationRequest,
    *,
    se: float,
    used: Covariates,
    shown: Covariates,
) -> EmulatedTrial:
    """The result of one target trial."""
    _refuse_no_spread(fit, se, request)
    design, kept = request.design, seen.flow.kept
    in_one = fit.in_t | fit.in_c
    w, treated = fit.weights[in_one], fit.in_t[in_one]
    columns = without_constant_columns(
        Covariates(shown.x[kept][in_one], shown.names, shown.source), np.ones(len(w), dtype=bool)
    )
    terms = tuple(dict.fromkeys(used.source))
    balance = balance_table(columns, treated, w, terms)
    diagnostics = weighted_diagnostics(w, treated, balance)
    is_score = design.outcome in cohort.known_instruments
    ratio = (np.nan,) * 3 if is_score else _ratio(fit, request.level)
    diagnostics = pd.concat([diagnostics, _e_values(ratio)], ignore_index=True)
    failed = failure_words(diagnostics)
    withheld = bool(failed) and request.failed == "withhold"
    naive = request.method.name == NAIVE
    estimate, se = (np.nan, np.nan) if withheld else (fit.estimate, se)
    half = float(t_quantile(np.array(np.inf), level=request.level)) * se
    notes = (
        BIASED if naive else "",
        imbalance_sentence(balance, weighted=True, adjusts="propensity"),
        failure_sentence(failed, withheld=withheld),
        _cloned(seen, request.method.name),
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    return EmulatedTrial(
        outcome=design.outcome, label=_label(design, cohort), unit=_unit(design, cohort),
        treatment=design.treatment,
        comparator=design.comparator, day=design.day,
        window_days=design.window_days or (window_for(design.day) if is_score else (design.day, design.day)),
        method=request.method.name, variance=request.variance, estimand=request.method.estimand,
        level=request.level, estimate=estimate, se=se, df=np.inf, ci_low=estimate - half,
        ci_high=estimate + half,
        p_value=float(2.0 * t_tail(np.array(np.inf), np.array(abs(estimate / se)))) if se > 0 else np.nan,
        n_t=int(fit.in_t.sum()), n_c=int(fit.in_c.sum()), covariates=terms, balance=balance,
        diagnostics=without_numbers(diagnostics) if withheld else diagnostics,
        attrition=seen.flow.to_frame(), protocol=emulated_protocol(design, request.method, cohort),
        measure="MD" if is_score else "RD", notes=tuple(note for note in notes if note),
        withheld=failed if withheld else "", treated=treated, weights=w, propensity=None,
        synthetic=cohort.synthetic,
        grace_days=int(design.grace_days or 0), biased=naive,
        value_t=np.nan if withheld else fit.value_t, value_c=np.nan if withheld else fit.value_c,
        risk_ratio=(np.nan,) * 3 if withheld else ratio,
        weight_table=_weight_table(w, treated, fit, design), curves=None if withheld else _curves(fit),
    )  # fmt: skip


def _refuse_no_spread(fit: EmulationFit, se: float, request: EmulationRequest) -> None:
    """A standard error that is none would pass for certainty."""
    if se <= NO_SPREAD * max(abs(fit.value_t), abs(fit.value_c)):
        problem = Problem(
            f"method {request.method.name}",
            f"{request.design.outcome} does not vary, so its spread says nothing",
            "outcomes that differ within the arms",
        )
        raise InputError("emulate()", [problem], "look at the outcome, or choose another day")


def _cloned(seen: Observed, method: str) -> str:
    n = int(seen.flow.kept.sum())
    if method == "clone_censor_weight":
        return f"All {n:,} eligible patients stand in both strategies until they leave one."
    return ""


def _label(design: Design, cohort: Cohort) -> str:
    if design.outcome in cohort.known_instruments:
        return cohort.known_instruments[design.outcome].label
    return f"{design.outcome.replace('_', ' ')}, risk"


def _unit(design: Design, cohort: Cohort) -> str:
    instrument = cohort.known_instruments.get(design.outcome)
    return "" if instrument is None else instrument.unit


def _ratio(fit: EmulationFit, level: float) -> tuple[float, float, float]:
    """Risk ratio with the interval of its logarithm (delta method)."""
    if min(fit.value_t, fit.value_c) <= 0:
        return np.nan, np.nan, np.nan
    psi = fit.influence_t / fit.value_t - fit.influence_c / fit.value_c
    half = float(t_quantile(np.array(np.inf), level=level)) * float(np.sqrt(psi @ psi))
    log = float(np.log(fit.value_t / fit.value_c))
    return float(np.exp(log)), float(np.exp(log - half)), float(np.exp(log + half))


def _e_values(ratio: tuple[float, float, float]) -> pd.DataFrame:
    """E-values of the risk ratio and of the limit nearer to 1 (1 where the interval holds 1)."""
    point, low, high = ratio
    nearest = 1.0 if low <= 1.0 <= high else (low if point > 1 else high)
    values = (
        [] if np.isnan(point) else [("e_value", e_value(point)), ("e_value_ci", e_value(nearest))]
    )
    frame = pd.DataFrame(values, columns=["diagnostic", "value"]).assign(limit=np.nan, passed=None)
    return frame.astype({"value": float, "limit": float, "passed": "boolean"})


def _weight_table(w: Floats, treated: Bools, fit: EmulationFit, design: Design) -> pd.DataFrame:
    """`arm n mean sd min p1 median p99 max truncated_at n_truncated`."""
    rows: list[dict[str, Any]] = []
    for arm, mine, cap in (
        (design.treatment, treated, fit.cap_t), (design.comparator, ~treated, fit.cap_c),
    ):  # fmt: skip
        own = w[mine]
        low, middle, high = np.quantile(own, [0.01, 0.5, 0.99])
        cut = int((own >= cap).sum()) if own.max() > own.min() else 0
        rows.append(
            {"arm": arm, "n": len(own), "mean": own.mean(), "sd": own.std(), "min": own.min(),
             "p1": low, "median": middle, "p99": high, "max": own.max(),
             "truncated_at": cap if cut else np.nan, "n_truncated": cut}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _curves(fit: EmulationFit) -> pd.DataFrame | None:
    """`arm day risk` of both strategies."""
    if fit.curve_t is None or fit.curve_c is None:
        return None
    parts = [
        pd.DataFrame({"arm": arm, "day": curve.day, "risk": curve.incidence})
        for arm, curve in (("treatment", fit.curve_t), ("comparator", fit.curve_c))
    ]
    return pd.concat(parts, ignore_index=True)
