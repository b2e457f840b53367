"""What a contrast of a continuous outcome takes, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class TwoArms:
    """Patients of two arms.

    Attributes
    ----------
    y : array (n,)
        Outcome; no missing values, except for methods that take `visits`.
    treated : array of bool (n,)
        True in the treatment arm.
    x : array (n, p)
        Covariates as numbers, without an intercept, no missing values.
    cluster : array of int (n,), optional
        Site of each patient, for variances that allow for sites.
    visits : array (n, T), optional
        Outcome at every visit, NaN where it was not seen; `visit` is the one asked for.
    varies : array of bool (p,), optional
        Covariates whose effect may differ between visits; the others have one effect.
    n_ratio : int
        Comparators per treated patient, for matching.
    before : array (n,), optional
        The score at baseline, NaN where it was not seen, for models that take it as an outcome.
    caliper_sd : float
        Of the logit of the propensity, for matching.
    strata : array of int (n,), optional
        Matches are sought within the same stratum only.
    weight : array (n,), optional
        Of each patient at all visits, for estimating equations.
    """

    y: Floats
    treated: Bools
    x: Floats
    cluster: Ints | None = None
    visits: Floats | None = None
    visit: int = 0
    varies: Bools | None = None
    n_ratio: int = 1
    before: Floats | None = None
    caliper_sd: float = 0.2
    strata: Ints | None = None
    weight: Floats | None = None


@dataclass(frozen=True)
class VisitFits:
    """Adjusted means of both arms and their difference at every visit, one value per visit."""

    estimate: Floats
    se: Floats
    df: Floats
    mean_t: Floats
    mean_c: Floats
    se_mean_t: Floats
    se_mean_c: Floats


@dataclass(frozen=True)
class ContrastFit:
    """Treatment minus comparator in the unit of `y`.

    `df` is infinite where the normal distribution is meant. `weights` (n,) are those of the outcome
    comparison (zero = did not enter), `propensity` (n,) the estimated probability of treatment.
    """

    estimate: float
    se: float
    df: float = np.inf
    weights: Floats | None = None
    propensity: Floats | None = None
    quantities: Mapping[str, float] = field(default_factory=dict)
    by_visit: VisitFits | None = None
