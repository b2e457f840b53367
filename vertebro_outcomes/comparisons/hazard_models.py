"""What every hazard model of patients shares: columns of covariates, checks, rows of coefficients."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from vertebro_outcomes.comparisons.comparable import refuse_unusable
from vertebro_outcomes.comparisons.follow_up import ALIKE, Followed
from vertebro_outcomes.comparisons.population import words_of
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.cox import HazardFit
from vertebro_outcomes.vocabulary import TREATMENTS

NOT_COVARIATES: Final = (
    "patient_id", "episode_id", "treatment", "death_day", "followup_end_day", "days", "cause",
    ALIKE,
)  # fmt: skip


def check_arms(function: str, treatment: Any, comparator: Any) -> None:
    """Refuse arms outside the vocabulary, or one arm against itself."""
    arms = ", ".join(TREATMENTS)
    if treatment not in TREATMENTS:
        raise refuse_argument(function, "treatment", treatment, arms)
    if comparator not in TREATMENTS or comparator == treatment:
        raise refuse_argument(function, "comparator", comparator, f"another arm among {arms}")


def check_numbers(function: str, *, level: Any, horizon: Any = 1.0, terms: Any = None) -> None:
    """Refuse a level, a horizon or covariates of the wrong shape."""
    if (
        isinstance(horizon, bool)
        or not isinstance(horizon, int | float)
        or not 0 < horizon < np.inf
    ):
        raise refuse_argument(function, "horizon_days", horizon, "days above 0")
    if not isinstance(level, float) or not 0 < level < 1:
        raise refuse_argument(function, "level", level, "a number between 0 and 1, such as 0.95")
    if isinstance(terms, str):
        raise refuse_argument(function, "covariates", terms, f"a list such as [{terms!r}]")


def counted(
    followed: Followed,
    names: Sequence[str],
    *,
    also: Sequence[str] = (),
    cluster: str | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Patterns of treatment, the columns named, days and ending, with the patients of each.

    `names` are covariates and checked, `also` are known to be there. Patients without a value of
    `cluster` stand one by one: they depend on nobody.
    """
    check_columns(followed, names, cluster)
    wanted = ("treatment", *also, *names, *(() if cluster is None else (cluster,)))
    people, notes = followed.counted(wanted)
    if cluster is None:
        return people, notes
    alone = people[cluster].isna().to_numpy(bool)
    times = np.where(alone, people[ALIKE].to_numpy(float), 1).astype(np.int64)
    written_out = people.loc[np.repeat(np.arange(len(people)), times)].reset_index(drop=True)
    one = np.repeat(alone, times)
    return written_out.assign(**{ALIKE: np.where(one, 1.0, written_out[ALIKE])}), notes


def check_columns(
    followed: Followed, names: Sequence[str], cluster: str | None, *, also: Sequence[str] = ()
) -> None:
    """Refuse covariates, or a cluster, that are no columns of patients or episodes, nor among `also`."""
    allowed = [*also, *(c for c in followed.columns if c not in NOT_COVARIATES)]
    asked = [("covariates", name) for name in names]
    for argument, name in [*asked, *([] if cluster is None else [("cluster", cluster)])]:
        if name not in allowed:
            raise refuse_argument(followed.function, argument, name, list_some(allowed, most=30))


def alike_of(people: pd.DataFrame) -> Floats:
    """How many patients each row stands for."""
    return people[ALIKE].to_numpy(float) if ALIKE in people else np.ones(len(people))


def all_known(people: pd.DataFrame, x: Floats, notes: list[str]) -> Bools:
    """Rows without a blank covariate, `x` (n, k); how many patients the others stand for is noted."""
    whole = np.asarray(~np.isnan(x).any(axis=1), dtype=np.bool_)
    if not whole.all():
        n = alike_of(people)[~whole].sum()
        notes.append(f"{n:.0f} patients with a blank covariate are left out.")
    return whole


def of_arms(
    people: pd.DataFrame, *, treatment: str, comparator: str, function: str
) -> pd.DataFrame:
    """The patients of both arms, `treatment` reduced to the two words asked for."""
    seen = ", ".join(sorted(people["treatment"].dropna().unique())) or "no arm at all"
    name = pd.Series(pd.NA, index=people.index, dtype="object")
    for arm in (comparator, treatment):
        mine = people["treatment"].isin(words_of(arm))
        if not mine.any():
            raise refuse_argument(function, "treatment or comparator", arm, seen)
        name[mine] = arm
    return people.assign(treatment=name).loc[name.notna()].reset_index(drop=True)


def covariate_columns(
    people: pd.DataFrame, covariates: tuple[str, ...], function: str
) -> tuple[Floats, list[str]]:
    """Numbers as they are, words as indicators against the first in the alphabet; blank is NaN."""
    allowed = [c for c in people.columns if c not in NOT_COVARIATES]
    blocks, terms = [np.empty((len(people), 0))], []
    for name in covariates:
        if name not in allowed:
            raise refuse_argument(function, "covariates", name, list_some(allowed, most=30))
        values = people[name]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            number = values.astype("Float64").to_numpy(float, na_value=np.nan)
            refuse_unusable(number, name, function)
            blocks.append(number[:, None])
            terms.append(name)
            continue
        for word in sorted(values.dropna().unique())[1:]:
            column = np.where(values.isna(), np.nan, (values == word).fillna(False).astype(float))
            blocks.append(column[:, None])
            terms.append(f"{name}: {word}")
    return np.column_stack(blocks), terms


def clusters_of(people: pd.DataFrame, cluster: str | None, function: str) -> Ints | None:
    """Numbers of the groups of a column; patients without one stand for themselves."""
    if cluster is None:
        return None
    allowed = [c for c in people.columns if c not in NOT_COVARIATES]
    if cluster not in allowed:
        raise refuse_argument(function, "cluster", cluster, list_some(allowed, most=30))
    codes = pd.factorize(people[cluster])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=0) + 1 + np.arange(int(alone.sum()))
    if len(codes) > 1 and len(np.unique(codes)) < 2:
        problem = Problem(f"column {cluster}", "one group only", "at least two groups of patients")
        raise InputError(f"{function}()", [problem], "leave out cluster")
    return codes


def refuse_unfitted(fit: HazardFit, terms: Sequence[str], function: str) -> None:
    """Refuse a likelihood that rises for ever."""
    if fit.converged and (np.diag(fit.robust) > 0).all():
        return
    if fit.converged:
        found = "every patient fares exactly as the model says, so that no spread is left"
        problem = Problem("events", found, "events on more than one day, in more than one cluster")
        raise InputError(f"{function}()", [problem], "compare the cumulative incidence instead")
    found = f"the likelihood of {', '.join(terms)} has no finite maximum in these patients"
    problem = Problem("argument covariates", found, "covariates that vary and do not repeat others")
    raise InputError(f"{function}()", [problem], "leave out a covariate or join rare categories")


def coefficient_rows(
    terms: Sequence[str], estimate: Floats, se: Floats, level: float
) -> pd.DataFrame:
    """`term estimate se ci_low ci_high p_value`."""
    z = float(ndtri((1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(estimate / se))
    return pd.DataFrame(
        {"term": list(terms), "estimate": estimate, "se": se, "ci_low": estimate - z * se,
         "ci_high": estimate + z * se, "p_value": p}
    )  # fmt: skip
