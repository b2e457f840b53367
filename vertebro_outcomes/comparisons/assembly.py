"""From a fit to the result: balance, diagnostics, protocol, notes, and what is withheld."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import Covariates, columns_of
from vertebro_outcomes.comparisons.design import Design, Estimand
from vertebro_outcomes.comparisons.intercurrent import crossover_note
from vertebro_outcomes.comparisons.judgement import (
    balance_table,
    diagnostics_table,
    failure_sentence,
    failure_words,
    imbalance_sentence,
    without_numbers,
)
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared
from vertebro_outcomes.comparisons.protocol import day0_protocol
from vertebro_outcomes.comparisons.reference_scores import GOES_ON, reference_estimand
from vertebro_outcomes.comparisons.requests import ORDINAL, Request
from vertebro_outcomes.comparisons.sample import died_without_score, without_constant_columns
from vertebro_outcomes.comparisons.time_zero import immortal_time_note
from vertebro_outcomes.display.numbers import p_value
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.estimators.two_arms import ContrastFit
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.tables.cohort import Cohort

WEIGHTED_FOR: Final[dict[str, tuple[str, Estimand]]] = {
    "overlap": ("weighted to the overlap population (ATO)", "ATO"),
    "matching": ("weighted to patients whom pairs would match", "ATO"),
    "ate": ("weighted to all patients (ATE)", "ATE"),
    "att": ("weighted to the treated (ATT)", "ATT"),
}
UNEVEN: Final = 0.05  # of the test of proportional odds, below which it is said


def comparison_of(
    cohort: Cohort,
    prepared: Prepared,
    fit: ContrastFit,
    request: Request,
    *,
    said: tuple[str, ...] = (),
) -> Comparison:
    """The result of one comparison; `said` are sentences on how missing scores were handled."""
    kept, people = prepared.flow.kept, prepared.people
    treated = people.treated[kept]
    half = float(t_quantile(np.array(fit.df), level=request.level)) * fit.se
    limits = fit.estimate - half, fit.estimate + half
    shown = without_constant_columns(
        prepared.shown
        if kept.all()
        else Covariates(prepared.shown.x[kept], prepared.shown.names, prepared.shown.source),
        np.ones(int(kept.sum()), dtype=bool),
    )
    weighted = fit.weights is not None and fit.propensity is not None
    terms = tuple(dict.fromkeys(prepared.used.source))
    adjusted = (
        *terms,
        *columns_of(terms),
    )  # "baseline" is adjusted for by "~ baseline + age_years"
    balance = balance_table(shown, treated, fit.weights if weighted else None, adjusted)
    measure = request.method.measure if request.response is None else "RD"
    diagnostics = diagnostics_table(
        fit, balance, treated=treated, y=prepared.y[kept], limits=limits,
        adjusts=request.method.adjusts, measure=measure,
        weighs_staying=request.missing.how == "censoring_weights",
    )  # fmt: skip
    failed = failure_words(diagnostics)
    withheld = bool(failed) and request.tuning.failed == "withhold"
    if withheld:
        limits, diagnostics = (np.nan, np.nan), without_numbers(diagnostics)
        fit = replace(fit, estimate=np.nan, se=np.nan, by_visit=None)
    design = Design(
        request.outcome, *request.arms, day=request.day, window_days=request.window,
        estimand=_estimand_of(request), crossover=request.crossover, death=request.death,
    )  # fmt: skip
    protocol = day0_protocol(
        design,
        estimand=estimand_words(request),
        day0=_day0(people),
        covariates=terms,
        cohort=cohort,
    )
    matched = fit.quantities.get("n_treated_matched")
    used = (
        np.ones(len(treated), dtype=bool)
        if matched is None or fit.weights is None
        else fit.weights > 0
    )
    unit, label = request.instrument.unit, request.instrument.label
    if measure != "MD":
        unit = ""
    if request.response is not None:
        label = f"{label}, {request.response.label}"
    sentence = failure_sentence(failed, withheld=withheld)
    notes = _notes(cohort, prepared, fit, request, balance=balance, failure=sentence, gaps=said)
    estimand = estimand_words(request)
    return Comparison(
        outcome=request.outcome, label=label, unit=unit,
        treatment=request.arms[0], comparator=request.arms[1], day=request.day,
        window_days=request.window, method=request.method.name, variance=request.variance,
        estimand=estimand, level=request.level,
        estimate=fit.estimate, se=fit.se, df=fit.df, ci_low=limits[0], ci_high=limits[1],
        p_value=_p_value(fit), n_t=int((treated & used).sum()), n_c=int((~treated & used).sum()),
        covariates=terms, balance=balance, diagnostics=diagnostics,
        attrition=prepared.flow.to_frame(), protocol=protocol,
        measure=measure,
        by_visit=visit_table(prepared, fit, level=request.level),
        notes=notes, withheld=failed if withheld else "", propensity=fit.propensity,
        weights=fit.weights, treated=treated, synthetic=cohort.synthetic,
        missing=request.missing.how, n_dead=_dead(prepared, request),
        better=request.instrument.better,
    )  # fmt: skip


def _notes(
    cohort: Cohort,
    prepared: Prepared,
    fit: ContrastFit,
    request: Request,
    *,
    balance: pd.DataFrame,
    failure: str,
    gaps: tuple[str, ...],
) -> tuple[str, ...]:
    """What a reader must not miss, the gravest first."""
    people, kept = prepared.people, prepared.flow.kept
    weighted = fit.weights is not None and fit.propensity is not None
    said = (
        immortal_time_note(people, *request.arms),
        imbalance_sentence(balance, weighted=weighted, adjusts=request.method.adjusts),
        failure,
        *gaps,
        *_remarks(prepared, fit, request),
        crossover_note(cohort, people, kept, day=request.day),
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    return tuple(note for note in said if note)


def visit_table(prepared: Prepared, fit: ContrastFit, *, level: float) -> pd.DataFrame | None:
    """`day n_t n_c mean_t mean_c estimate se ci_low ci_high`, one line per visit of a model."""
    visits, found = prepared.visits, fit.by_visit
    if visits is None or found is None:
        return None
    seen = ~np.isnan(visits[prepared.flow.kept])
    treated = prepared.people.treated[prepared.flow.kept]
    half = t_quantile(found.df, level=level) * found.se
    return pd.DataFrame(
        {
            "day": list(prepared.visit_days),
            "n_t": seen[treated].sum(axis=0),
            "n_c": seen[~treated].sum(axis=0),
            "mean_t": found.mean_t,
            "mean_c": found.mean_c,
            "se_mean_t": found.se_mean_t,
            "se_mean_c": found.se_mean_c,
            "estimate": found.estimate,
            "se": found.se,
            "ci_low": found.estimate - half,
            "ci_high": found.estimate + half,
        }
    )


def _dead(prepared: Prepared, request: Request) -> tuple[int, int]:
    """Analysed patients of each arm who died before the visit asked for, after other scores."""
    if prepared.visits is None:
        return 0, 0
    people, seen = prepared.people, ~np.isnan(prepared.visits[:, prepared.visit])
    dead = died_without_score(people, seen, last_day=request.window[1]) & prepared.flow.kept
    return int((dead & people.treated).sum()), int((dead & ~people.treated).sum())


def _p_value(fit: ContrastFit) -> float:
    return float(2.0 * t_tail(np.array(fit.df), np.array(abs(fit.estimate / fit.se))))


def estimand_words(request: Request) -> str:
    """The estimand of the method, and what is assumed of those who left."""
    own, how = request.method.estimand, request.missing.how
    if request.weights != "none":
        own = f"{own}, {WEIGHTED_FOR[request.weights][0]}"
    return f"{own}, {reference_estimand(how, request.arms)}" if how in GOES_ON else own


def _estimand_of(request: Request) -> Estimand:
    if request.weights != "none":
        return WEIGHTED_FOR[request.weights][1]
    words: dict[str, Estimand] = {"(ATT": "ATT", "(ATO": "ATO"}
    return next((word for mark, word in words.items() if mark in request.method.estimand), "ATE")


def _day0(people: Population) -> tuple[str, ...]:
    found: Any = people.frame["day0"].dropna().unique() if "day0" in people.frame else ()
    return tuple(sorted(str(word) for word in found))


def _remarks(prepared: Prepared, fit: ContrastFit, request: Request) -> list[str]:
    """What else a reader should know."""
    notes = []
    if prepared.sparse and request.chosen is None and request.method.adjusts != "none":
        notes.append(f"Not adjusted for, too often blank: {', '.join(prepared.sparse)}.")
    if not request.chosen and request.method.name == "win_odds":
        notes.append("Win odds are not adjusted for any covariate; proportional_odds is.")
    if request.chosen and request.method.adjusts == "none":
        instead = "proportional_odds" if request.method.kind == ORDINAL else "ancova"
        notes.append(
            f"Not adjusted for {', '.join(request.chosen)}: {request.method.name} takes no covariates, "
            f"{instead} does."
        )
    if prepared.visit_days:
        notes.append(f"Visits in the model: day {', '.join(str(d) for d in prepared.visit_days)}.")
    n_t, n_c = _dead(prepared, request)
    if n_t + n_c:
        notes.append(
            f"{n_t} vs {n_c} of the patients died before day {request.day} after earlier scores, which the "
            "model uses; death is not missing data."
        )
    partners = fit.quantities.get("n_comparators_used")
    if partners is not None and request.variance == "replacement":
        notes.append(
            f"Matched with replacement: {partners:.0f} patients of {request.arms[1]} serve "
            f"{fit.quantities['n_treated_matched']:.0f} of {request.arms[0]}."
        )
    if request.weights != "none":
        notes.append(
            "Patients are weighted by a propensity of the same covariates; the variance takes the "
            "weights as known."
        )
    uneven = fit.quantities.get("proportional_odds_p", np.nan)
    if uneven < UNEVEN:
        notes.append(
            f"The odds ratio is not the same over the scale ({p_value(uneven)}): it is an average of "
            "its cuts."
        )
    left = fit.quantities.get("n_treated_unmatched", 0)
    if left:
        notes.append(
            f"{left:.0f} patients of {request.arms[0]} found no partner within the caliper."
        )
    return notes
