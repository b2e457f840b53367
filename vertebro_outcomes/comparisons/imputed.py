"""The analysis repeated in every completed data set, and combined."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from vertebro_outcomes.comparisons.chained_scores import chained_scores
from vertebro_outcomes.comparisons.completion import Analysis, Completion
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.missing_scores import MONTE_CARLO_SHARE, MUCH_IMPUTED
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare
from vertebro_outcomes.comparisons.reference_scores import reference_scores
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.imputation.rubin import RubinPool, pool_imputations
from vertebro_outcomes.estimators.two_arms import ContrastFit

_WAYS: Final = {
    "multiple_imputation": chained_scores,
    "jump_to_reference": reference_scores,
    "copy_reference": reference_scores,
    "copy_increments": reference_scores,
}


def fit_imputed(people: Population, request: Request) -> Analysis:
    """The method asked for, in every completed data set.

    Raises
    ------
    InputError
        If the data determine neither the imputations nor the estimate.
    """
    found = completion(people, request)
    fits = each_fit(found, request)
    first = next(fits, None)
    if first is None:
        prepared = prepare(people, request)
        said = "No score and no covariate was missing: nothing was imputed."
        return Analysis(prepared, fit_prepared(prepared, request), (said,))
    return imputed_analysis(found, chain([first], fits), request)


def completion(people: Population, request: Request) -> Completion:
    """The imputations asked for."""
    return _WAYS[request.missing.how](people, request)


def each_fit(found: Completion, request: Request) -> Iterator[tuple[Prepared, ContrastFit]]:
    """The completed data sets, one at a time: each is as large as the cohort."""
    for completed in found.populations:
        prepared = prepare(completed, request)
        yield prepared, fit_prepared(prepared, request)


def imputed_analysis(
    found: Completion, fits: Iterable[tuple[Prepared, ContrastFit]], request: Request
) -> Analysis:
    """The combined fit of all completed data sets, shown on the first of them."""
    first: Prepared | None = None
    alone, weights, propensity = list[ContrastFit](), _Average(), _Average()
    for prepared, fit in fits:
        first = first or prepared
        weights.add(fit.weights)
        propensity.add(fit.propensity)
        alone.append(replace(fit, weights=None, propensity=None))
    assert first is not None
    fit, pool = combined(alone)
    n = {"n_imputed_t": float(found.n[0]), "n_imputed_c": float(found.n[1])}
    fit = replace(
        fit, weights=weights.value, propensity=propensity.value,
        quantities={**fit.quantities, **n},
    )  # fmt: skip
    return Analysis(first, fit, _notes(found, pool, request))


def combined(fits: list[ContrastFit]) -> tuple[ContrastFit, RubinPool]:
    """Rubin's rules on the fits; quantities are averages over the completed data sets."""
    pool = pool_imputations(
        np.array([fit.estimate for fit in fits]),
        np.array([fit.se**2 for fit in fits]),
        df_complete=float(np.mean([fit.df for fit in fits])),
    )
    names = [q for q in fits[0].quantities if all(q in fit.quantities for fit in fits)]
    quantities = {
        **{q: float(np.mean([fit.quantities[q] for fit in fits])) for q in names},
        "n_imputations": float(pool.m),
        "within_variance": pool.within,
        "between_variance": pool.between,
        "fraction_missing_information": pool.fmi,
        "monte_carlo_se": pool.monte_carlo_se,
    }
    fit = ContrastFit(estimate=pool.estimate, se=pool.se, df=pool.df, quantities=quantities)
    return fit, pool


class _Average:
    """Of weights over the completed data sets; the first where not all are of the same patients."""

    def __init__(self) -> None:
        self.first: Floats | None = None
        self.total: Floats | None = None
        self.n = 0

    def add(self, values: Floats | None) -> None:
        if values is None:
            return
        if self.first is None:
            self.first, self.total = values, np.zeros(len(values))
        if self.total is not None:
            self.total = self.total + values if len(values) == len(self.total) else None
        self.n += 1

    @property
    def value(self) -> Floats | None:
        return self.first if self.total is None else self.total / self.n


def _notes(found: Completion, pool: RubinPool, request: Request) -> tuple[str, ...]:
    plan = request.missing
    said = [*found.said, f"Fraction of missing information {number(pool.fmi, 2)}."]
    if any(plan.delta):
        added = " and ".join(
            f"{number(d, 2)} ({arm})" for d, arm in zip(plan.delta, request.arms, strict=True) if d
        )
        said.append(f"Not missing at random: imputed scores shifted by {added}.")
    if found.dead:
        done = "count with the worst score" if request.death == "composite" else "are left out"
        said.append(
            f"{found.dead} patients who died without the score {done}: death is not missing data."
        )
    share = max(n / of for n, of in zip(found.n, found.of, strict=True))
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
