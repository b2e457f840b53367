"""Covariates of two arms before and after weighting, from patients counted by pattern."""

from collections.abc import Sequence
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arm_weights import FIXED, Adjust, with_weights
from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS
from vertebro_outcomes.comparisons.follow_up import ALIKE, first_episodes
from vertebro_outcomes.comparisons.hazard_models import (
    NOT_COVARIATES,
    alike_of,
    check_arms,
    check_numbers,
    covariate_columns,
    of_arms,
)
from vertebro_outcomes.comparisons.population import words_of
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.propensity.balance import balance_before_and_after, effective_n
from vertebro_outcomes.results.balance import ArmBalance
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import EPISODES, PATIENTS
from vertebro_outcomes.tables.typed_frames import to_pandas

_NAME: Final = "balance"
METHODS: Final = tuple(word for word in get_args(Adjust) if word != "none")


def balance(
    cohort: Any,
    *,
    treatment: str,
    comparator: str,
    covariates: Sequence[str],
    method: str = "overlap_weighting",
) -> ArmBalance:
    """Standardised differences of two arms before and after propensity weighting.

    The engine that holds the tables counts patients by arm and pattern of the covariates; the
    propensity is fitted to the patterns, which is the fit to the patients.

    Parameters
    ----------
    cohort : Cohort
    treatment, comparator : str
        Two arms, each patient with the first episode (by its identifier).
    covariates : sequence of str
        Columns of patients or episodes, in the propensity and in the table.
    method : {"overlap_weighting", "ate_weighting", "att_weighting"}
        Which patients the weighted arms stand for.

    Returns
    -------
    ArmBalance

    Raises
    ------
    InputError
        If an arm is empty, a covariate is unknown, or covariates separate the arms.

    Reference
    ---------
    Austin 2009, doi:10.1002/sim.3697; Li, Morgan and Zaslavsky 2018,
    doi:10.1080/01621459.2016.1260466.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=500, seed=1)
    >>> found = vo.balance(cohort, treatment="KP", comparator="NSM", covariates=["age_years"])
    >>> bool(abs(found.table.smd_after[0]) < 1e-6)
    True
    """
    if not isinstance(cohort, Cohort):
        raise refuse_argument(_NAME, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    check_arms(_NAME, treatment, comparator)
    check_numbers(_NAME, level=0.95, terms=covariates)
    if method not in METHODS:
        raise refuse_argument(_NAME, "method", method, ", ".join(METHODS))
    given = tuple(covariates)
    if not given:
        raise refuse_argument(_NAME, "covariates", covariates, "at least one column")
    people, notes = _patterns(cohort, given, (*words_of(treatment), *words_of(comparator)))
    people = of_arms(people, treatment=treatment, comparator=comparator, function=_NAME)
    people, w = with_weights(
        people, covariates=given, adjust=method, function=_NAME, notes=notes,  # type: ignore[arg-type]
        arm=(people["treatment"] == treatment).to_numpy(float),
    )  # fmt: skip
    assert w is not None
    x, names = covariate_columns(people, given, _NAME)
    treated, f = (people["treatment"] == treatment).to_numpy(bool), alike_of(people)
    before, after = balance_before_and_after(x, treated, w, alike=f)
    described = {name: getattr(before, name) for name in ("mean_t", "mean_c", "sd_t", "sd_c")}
    table = pd.DataFrame({"covariate": names} | described)
    for measure in ("smd", "variance_ratio", "ks"):
        table[f"{measure}_before"] = getattr(before, measure)
        table[f"{measure}_after"] = getattr(after, measure)
    return ArmBalance(
        treatment=treatment, comparator=comparator, method=method, covariates=given,
        n_t=int(f[treated].sum()), n_c=int(f[~treated].sum()),
        effective_n_t=effective_n(w[treated], f[treated]),
        effective_n_c=effective_n(w[~treated], f[~treated]), table=table,
        notes=tuple(note for note in notes if note != FIXED), synthetic=cohort.synthetic,
    )  # fmt: skip


def _patterns(
    cohort: Cohort, covariates: tuple[str, ...], arms: tuple[str, ...]
) -> tuple[pd.DataFrame, list[str]]:
    """Patients of the arms counted by pattern, on the engine."""
    people, notes = first_episodes(cohort)
    allowed = [c for c in people.columns if c not in NOT_COVARIATES]
    for name in covariates:
        if name not in allowed:
            raise refuse_argument(_NAME, "covariates", name, list_some(allowed, most=30))
    keys = ["treatment", *covariates]
    mine = people.filter(people.treatment.isin(arms))
    counted = mine.group_by(keys).aggregate(**{ALIKE: mine.count()}).order_by(keys)
    frame = to_pandas(counted.limit(MOST_ROWS + 1).to_pyarrow(), PATIENTS, EPISODES)
    if len(frame) > MOST_ROWS:
        found = f"more than {MOST_ROWS:,} patterns of {', '.join(covariates)}"
        problem = Problem("argument covariates", found, "columns with few different values")
        raise InputError(f"{_NAME}()", [problem], "round measurements, or name fewer columns")
    return frame.assign(**{ALIKE: frame[ALIKE].to_numpy(np.float64)}), notes
