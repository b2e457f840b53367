"""The analysis repeated in every completed data set, and combined."""

from dataclasses import dataclass, replace

import numpy as np

from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.incomplete import Incomplete, incomplete
from vertebro_outcomes.comparisons.missing_scores import MONTE_CARLO_SHARE, MUCH_IMPUTED
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.imputation.chained import impute_chained
from vertebro_outcomes.estimators.imputation.rubin import RubinPool, pool_imputations
from vertebro_outcomes.estimators.two_arms import ContrastFit
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


@dataclass(frozen=True)
class Imputed:
    """The combined fit, the first completed data set as it was analysed, and what is said about it."""

    prepared: Prepared
    fit: ContrastFit
    notes: tuple[str, ...]


def fit_imputed(people: Population, request: Request) -> Imputed:
    """The method asked for, in every completed data set.

    Raises
    ------
    InputError
        If the data determine neither the imputations nor the estimate.
    """
    found = incomplete(people, request)
    if not np.isnan(found.z).any():
        prepared = prepare(people, request)
        said = "No score and no covariate was missing: nothing was imputed."
        return Imputed(prepared, fit_prepared(prepared, request), (said,))
    copies = _copies(found, request)
    fits: list[ContrastFit] = []
    first: Prepared | None = None
    for z in copies:
        prepared = prepare(found.completed(z, request, delta=request.missing.delta), request)
        fits.append(fit_prepared(prepared, request))
        first = first or prepared
    assert first is not None
    fit, pool = combined(fits)
    n = _imputed_counts(found)
    fit = replace(fit, quantities={**fit.quantities, "n_imputed_t": n[0], "n_imputed_c": n[1]})
    return Imputed(first, fit, _notes(found, pool, request, n))


def combined(fits: list[ContrastFit]) -> tuple[ContrastFit, RubinPool]:
    """Rubin's rules on the fits; weights and quantities are averages over the completed data sets."""
    dfs = [fit.df for fit in fits]
    pool = pool_imputations(
        np.array([fit.estimate for fit in fits]),
        np.array([fit.se**2 for fit in fits]),
        df_complete=float(np.mean(dfs)),
    )
    names = [q for q in fits[0].quantities if all(q in fit.quantities for fit in fits)]
    return (
        ContrastFit(
            estimate=pool.estimate,
            se=pool.se,
            df=pool.df,
            weights=_average([fit.weights for fit in fits]),
            propensity=_average([fit.propensity for fit in fits]),
            quantities={
                **{q: float(np.mean([fit.quantities[q] for fit in fits])) for q in names},
                "n_imputations": float(pool.m),
                "within_variance": pool.within,
                "between_variance": pool.between,
                "fraction_missing_information": pool.fmi,
                "monte_carlo_se": pool.monte_carlo_se,
            },
        ),
        pool,
    )


def _average(values: list[Floats | None]) -> Floats | None:
    known = [v for v in values if v is not None]
    if not known or any(len(v) != len(known[0]) for v in known):
        return known[0] if known else None
    return np.asarray(np.mean(known, axis=0))


def _copies(found: Incomplete, request: Request) -> Floats:
    """Completed copies, each arm on its own, so that effects may differ in everything."""
    plan = request.missing
    copies = np.repeat(found.z[None], plan.n_imputations, axis=0)
    for arm, mine in zip(request.arms, (found.treated, ~found.treated), strict=True):
        if not np.isnan(found.z[mine]).any():
            continue
        rng = np.random.default_rng([plan.seed, *arm.encode()])  # an arm's draws follow its name
        try:
            copies[:, mine] = impute_chained(
                found.z[mine], found.blocks, m=plan.n_imputations, rng=rng
            )
        except UnanswerableError as reason:
            problem = Problem(f"arm {arm}", str(reason), "more patients, or fewer predictors")
            step = "name fewer covariates and predictors, or use missing='observed'"
            raise InputError("compare()", [problem], step) from None
    return copies


def _imputed_counts(found: Incomplete) -> tuple[float, float]:
    gone = found.unseen & ~found.dead[found.rows]
    return float((gone & found.treated).sum()), float((gone & ~found.treated).sum())


def _notes(
    found: Incomplete, pool: RubinPool, request: Request, n: tuple[float, float]
) -> tuple[str, ...]:
    plan, alive = request.missing, ~found.dead[found.rows]
    of = [int((alive & mine).sum()) for mine in (found.treated, ~found.treated)]
    how = {"pmm": "predictive mean matching", "normal": "normal draws"}[plan.imputation]
    used = [b.name for b in found.blocks if b.name != "score" and not b.name.startswith("day ")]
    if found.days:
        used.append(f"the scores of day {', '.join(map(str, found.days))}")
    said = [
        f"Scores for day {request.day} imputed for {n[0]:.0f} of {of[0]} vs {n[1]:.0f} of {of[1]} patients, "
        f"{pool.m} times, in each arm by chained equations ({how}) from {', '.join(used) or 'the arm'}; "
        f"missing at random given these. Fraction of missing information {number(pool.fmi, 2)}."
    ]
    if any(plan.delta):
        added = " and ".join(
            f"{number(d, 2)} ({arm})" for d, arm in zip(plan.delta, request.arms, strict=True) if d
        )
        said.append(f"Not missing at random: imputed scores shifted by {added}.")
    if found.dead.any():
        done = "with the worst score" if request.death == "composite" else "are left out"
        said.append(
            f"{int(found.dead.sum())} patients who died without the score {done}: death is not missing data."
        )
    if found.unused_days:
        listed = ", ".join(str(d) for d in found.unused_days)
        said.append(f"Too few scores for the imputation to use the visits of day {listed}.")
    share = max(n[0] / of[0], n[1] / of[1])
    if share > MUCH_IMPUTED:
        said.append(
            f"{100 * share:.0f}% of the scores of an arm were imputed: this only raises hypotheses."
        )
    if pool.monte_carlo_se > MONTE_CARLO_SHARE * pool.se:
        said.append(
            f"Another seed would move the estimate by about {number(pool.monte_carlo_se, 2)}: "
            "raise n_imputations."
        )
    return tuple(said)
