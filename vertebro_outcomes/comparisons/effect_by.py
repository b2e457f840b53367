"""Whether an effect depends on something known before treatment: age of the fracture, baseline, level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.comparisons.judgement import failure_sentence
from vertebro_outcomes.comparisons.missing_scores import Missing, refuse_imputing
from vertebro_outcomes.comparisons.modified_models import (
    MODIFIED,
    ModifiedMethod,
    Questions,
    fit_modified,
    weights_failure,
)
from vertebro_outcomes.comparisons.modifiers import (
    CALL,
    REGION,
    bands_of,
    columns_of_modifier,
    curve_of,
    modifier_values,
    refuse_thin_bands,
    with_regions,
)
from vertebro_outcomes.comparisons.narrow_population import requested_population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare
from vertebro_outcomes.comparisons.requests import Request, checked_request
from vertebro_outcomes.comparisons.sample import without_constant_columns
from vertebro_outcomes.comparisons.tuning import Failed, check_word
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.results.effect_by import MULTIPLICITY, EffectBy
from vertebro_outcomes.tables.cohort import Cohort

POINTS: Final = 61  # of a curve
SHOWN: Final = (
    0.05,
    0.95,
)  # quantiles between which a curve is drawn; beyond them there are few patients


def effect_by(
    cohort: Cohort,
    *,
    outcome: str,
    treatment: str,
    comparator: str,
    day: int,
    modifier: str,
    cut: Sequence[float] | float | str | None = None,
    continuous: Literal["linear", "spline"] | None = None,
    method: ModifiedMethod = "ancova",
    covariates: Sequence[str] | str | None = None,
    variance: str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
    failed: Failed = "withhold",
    missing: Missing = "observed",
) -> EffectBy:
    """Difference in a score, treatment minus comparator, by a modifier, and the test of interaction.

    One model of all patients: arm, modifier, arm by modifier, covariates. By least squares at the
    day; for "mmrm" at every visit, with an unstructured covariance; for weights without covariates,
    which then belong to the propensity. The modifier also has a main effect; a covariate with the same
    column is then left out of a curve's model. The propensity always holds the modifier.

    Parameters
    ----------
    cohort : Cohort
    outcome, treatment, comparator, day, window_days
        As for `compare`.
    modifier : str
        "baseline", a column of patients or episodes such as "fracture_age_days" (days) or
        "age_years", or "level_region" (T1-T10, T11-L2, L3-L5, several).
    cut : sequence of float, or a name of `TIMING_CUTS`, optional
        Upper ends of the bands of a measurement, each included; a name ("8 weeks", "2 months",
        "3 months") is in days. Without it, and without `continuous`, categories are the bands.
    continuous : {"linear", "spline"}, optional
        Instead of bands: the effect as a line, or a restricted cubic spline with 4 knots.
    method : {"ancova", "mmrm", "overlap_weighting", "ate_weighting", "att_weighting", "matching_weighting"}
    covariates : sequence of str, or a formula, optional
        As for `compare`.
    variance : str, optional
        A word of `METHODS[method].variances`, but not by site; its first is the default.
    level : float
        Of the intervals, between 0 and 1.
    failed : {"withhold", "show"}
        Whether effects are shown although the weights or the balance they leave fail their limits.
    missing : {"observed"}
        Patients with a score for the day are analysed, or by "mmrm" those with any score, which holds
        where scores are missing at random. Nothing is imputed.

    Returns
    -------
    EffectBy

    Raises
    ------
    InputError
        If an argument is unknown, a band has too few patients, or the data do not determine it.

    Reference
    ---------
    Kent et al. (2020), Ann Intern Med 172:35-45, doi:10.7326/M18-3667; splines: Harrell (2015),
    equation 2.25, doi:10.1007/978-3-319-19425-7.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=800, seed=1, scenario="randomised")
    >>> found = vo.effect_by(
    ...     cohort, outcome="pain_vas", treatment="VP", comparator="NSM", day=30,
    ...     modifier="fracture_age_days", cut="8 weeks",
    ... )
    >>> found.effects["band"].tolist()
    ['up to 56', 'over 56']
    """
    if method not in MODIFIED:
        raise refuse_argument(CALL, "method", method, ", ".join(MODIFIED))
    if variance == "sandwich_site":
        raise refuse_argument(CALL, "variance", variance, "sandwich, fixed_propensity")
    if continuous not in (None, "linear", "spline"):
        raise refuse_argument(CALL, "continuous", continuous, "linear, spline, or None")
    check_word("failed", failed, get_args(Failed))
    refuse_imputing(CALL, missing, "method='mmrm' takes the scores of all visits as they are")
    if cut is not None and continuous is not None:
        raise refuse_argument(CALL, "cut", cut, "either cut or continuous")
    if isinstance(cut, str) and modifier != "fracture_age_days":
        raise refuse_argument(CALL, "cut", cut, "numbers; named cuts are of fracture_age_days")
    request = checked_request(
        cohort=cohort, outcome=outcome, treatment=treatment, comparator=comparator, day=day,
        method=method, covariates=covariates, variance=variance, level=level,
        window_days=window_days,
    )  # fmt: skip
    if modifier == REGION:
        cohort = with_regions(cohort)
    people = requested_population(cohort, request, *columns_of_modifier(modifier))
    prepared = prepare(people, request)
    values = modifier_values(people, prepared.baseline, modifier).reset_index(drop=True)
    prepared.flow.drop(values.isna().to_numpy(dtype=bool), f"{modifier} not recorded")
    asked = (
        _in_bands(prepared, values, cut, request)
        if continuous is None
        else _along_curve(prepared, values, continuous, modifier)
    )
    used = _covariates(prepared, asked)
    fit = fit_modified(prepared, request, asked.X, used)
    terms = tuple(dict.fromkeys(used.source))
    words = weights_failure(fit, prepared, used)
    withheld = words if failed == "withhold" else ""
    notes = (
        failure_sentence(words, withheld=bool(withheld)),
        MULTIPLICITY,
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    said = _Said(modifier, continuous or "bands", terms, tuple(filter(None, notes)))
    found = _result(prepared, asked, fit, request, said, synthetic=cohort.synthetic)
    return found.without_numbers(withheld) if withheld else found


@dataclass(frozen=True)
class _Said:
    """How the result speaks of the modifier and the data."""

    modifier: str
    shape: str
    covariates: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """Columns of the model before the covariates, and the questions to it."""

    X: Floats  # of the analysed patients
    effects: Floats  # rows of L that give the effects
    shown: pd.DataFrame  # what the effects belong to
    test: Floats  # rows of L that are zero without interaction
    terms: tuple[str, ...]  # of the rows that are shown as interaction
    bent: Floats | None = None  # rows of L that are zero on a straight line
    skip: str = ""  # a covariate that the modifier stands for


def _in_bands(prepared: Prepared, values: pd.Series, cut: Any, request: Request) -> _Asked:
    flow = prepared.flow
    bands = bands_of(values.where(flow.kept), cut)
    at_day = flow.kept & ~np.isnan(prepared.y)  # with all visits in the model, others stay too
    refuse_thin_bands(bands, at_day, flow.treated, request.arms)
    k = len(bands.names)
    here = np.eye(k)[bands.code[flow.kept]]
    arm = flow.treated[flow.kept]
    L = np.hstack([np.zeros((k, k)), np.eye(k)])
    shown = pd.DataFrame(
        {
            "band": bands.names,
            "n_t": here[arm].sum(axis=0).astype(int),
            "n_c": here[~arm].sum(axis=0).astype(int),
        }
    )
    terms = tuple(f"{name} minus {bands.names[0]}" for name in bands.names[1:])
    return _Asked(np.hstack([here, here * arm[:, None]]), L, shown, L[1:] - L[:1], terms)


def _along_curve(prepared: Prepared, values: pd.Series, shape: str, modifier: str) -> _Asked:
    kept = prepared.flow.kept
    x, curve = curve_of(values, kept, shape)
    refuse_apart(x[kept, None], (modifier,), prepared.flow.treated[kept], CALL)
    basis, arm = curve(x[kept]), prepared.flow.treated[kept].astype(float)[:, None]
    m = basis.shape[1]
    X = np.hstack([np.ones_like(arm), basis, arm, arm * basis])
    low, high = (float(q) for q in np.quantile(x[kept], SHOWN))
    grid = np.linspace(low, high, POINTS)
    before = np.zeros((POINTS, 1 + m))
    L = np.hstack([before, np.ones((POINTS, 1)), curve(grid)])
    test = np.hstack([np.zeros((m, 2 + m)), np.eye(m)])
    terms = (f"per unit of {modifier}",) if shape == "linear" else ()
    shown = pd.DataFrame({"value": grid})
    return _Asked(X, L, shown, test, terms, bent=test[1:], skip=modifier)


def _covariates(prepared: Prepared, asked: _Asked) -> Covariates:
    """The covariates that vary, without the one that the modifier itself stands for."""
    used = without_constant_columns(prepared.used, prepared.flow.kept)
    kept = [j for j, name in enumerate(used.names) if name != asked.skip]
    return Covariates(
        used.x[:, kept], tuple(used.names[j] for j in kept), tuple(used.source[j] for j in kept)
    )


def _result(
    prepared: Prepared,
    asked: _Asked,
    fit: Questions,
    request: Request,
    said: _Said,
    *,
    synthetic: bool,
) -> EffectBy:
    f_value, f_df, df, p_value = fit.wald(asked.test)
    bent = asked.bent is not None and len(asked.bent) > 0
    p_nonlinear = fit.wald(asked.bent)[3] if bent and asked.bent is not None else np.nan
    effects = _lines(fit, asked.effects, request.level).drop(columns="p_value")
    interaction = _lines(fit, asked.test[: len(asked.terms)], request.level)
    arm = prepared.flow.treated[prepared.flow.kept]
    return EffectBy(
        outcome=request.outcome, label=request.instrument.label, unit=request.instrument.unit,
        treatment=request.arms[0], comparator=request.arms[1], day=request.day,
        modifier=said.modifier, shape=said.shape, method=request.method.name,
        variance=request.variance, level=request.level,
        n_t=int(arm.sum()), n_c=int((~arm).sum()),
        effects=pd.concat([asked.shown, effects], axis=1),
        interaction=interaction.pipe(_named, asked.terms),
        f_value=f_value, f_df=f_df, df=df, p_value=p_value, p_nonlinear=p_nonlinear,
        covariates=said.covariates,
        attrition=prepared.flow.to_frame(), notes=said.notes, synthetic=synthetic,
    )  # fmt: skip


def _named(frame: pd.DataFrame, terms: tuple[str, ...]) -> pd.DataFrame:
    frame.insert(0, "term", list(terms))
    return frame


def _lines(fit: Questions, L: Floats, level: float) -> pd.DataFrame:
    if not len(L):
        return pd.DataFrame(columns=["estimate", "se", "ci_low", "ci_high", "p_value"], dtype=float)
    estimate, se, df = fit.at(L)
    half = t_quantile(df, level=level) * se
    return pd.DataFrame(
        {"estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half,
         "p_value": 2.0 * t_tail(df, np.abs(estimate / se))}
    )  # fmt: skip
