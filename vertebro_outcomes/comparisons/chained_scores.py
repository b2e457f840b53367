"""Scores, baselines and covariates imputed by chained equations, each arm on its own."""

from collections.abc import Iterator

import numpy as np

from vertebro_outcomes.comparisons.completion import Completion
from vertebro_outcomes.comparisons.incomplete import Incomplete, incomplete
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.imputation.chained import impute_chained
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


def chained_scores(people: Population, request: Request) -> Completion:
    """Every imputation of what is missing.

    Raises
    ------
    InputError
        If an arm has too few patients for the imputation.
    """
    found = incomplete(people, request)
    if not np.isnan(found.z).any():
        return Completion(())
    copies = _copies(found, request)
    n, of = found.stands.counts(people.treated)
    return Completion(
        (found.completed(z, request) for z in copies),
        n,
        of,
        int(found.stands.dead.sum()),
        _said(found, request, n, of),
    )


def _copies(found: Incomplete, request: Request) -> Iterator[Floats]:
    """Completed copies, one after another; each arm on its own, so that effects may differ in everything."""
    plan, treated, drawn = request.missing, found.people.treated[found.rows], []
    for arm, mine in zip(request.arms, (treated, ~treated), strict=True):
        if not np.isnan(found.z[mine]).any():
            continue
        rng = np.random.default_rng([plan.seed, *arm.encode()])  # an arm's draws follow its name
        try:
            copies = impute_chained(found.z[mine], found.blocks, m=plan.n_imputations, rng=rng)
        except UnanswerableError as reason:
            problem = Problem(f"arm {arm}", str(reason), "more patients, or fewer predictors")
            step = "name fewer covariates and predictors, or use missing='observed'"
            raise InputError("compare()", [problem], step) from None
        drawn.append((mine, copies))
    return (_together(found.z, drawn) for _ in range(plan.n_imputations))


def _together(z: Floats, drawn: list[tuple[Bools, Iterator[Floats]]]) -> Floats:
    """The next copy of each arm in its place."""
    whole = z.copy()
    for mine, copies in drawn:
        whole[mine] = next(copies)
    return whole


def _said(
    found: Incomplete, request: Request, n: tuple[int, int], of: tuple[int, int]
) -> tuple[str, ...]:
    plan = request.missing
    how = {"pmm": "predictive mean matching", "normal": "normal draws"}[plan.imputation]
    used = [b.name for b in found.blocks if b.name != "score" and not b.name.startswith("day ")]
    if found.days:
        used.append(f"the scores of day {', '.join(map(str, found.days))}")
    said = [
        f"Scores for day {request.day} imputed for {n[0]} of {of[0]} vs {n[1]} of {of[1]} patients, "
        f"{plan.n_imputations} times, in each arm by chained equations ({how}) from "
        f"{', '.join(used) or 'the arm'}; missing at random given these."
    ]
    if found.unused_days:
        listed = ", ".join(str(d) for d in found.unused_days)
        said.append(f"Too few scores for the imputation to use the visits of day {listed}.")
    return tuple(said)
