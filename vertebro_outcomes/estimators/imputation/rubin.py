"""One estimate from several imputations: Rubin's rules with the degrees of freedom of small samples."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


@dataclass(frozen=True)
class RubinPool:
    """`within`, `between` and `total` are variances; `df` those of the t distribution.

    `increase` is the relative increase in variance due to missing values, `fmi` the fraction of missing
    information, `monte_carlo_se` what another seed would change in the estimate.
    """

    m: int
    estimate: float
    within: float
    between: float
    total: float
    df: float
    increase: float
    fmi: float

    @property
    def se(self) -> float:
        """Standard error of the estimate."""
        return float(np.sqrt(self.total))

    @property
    def monte_carlo_se(self) -> float:
        """Standard error of the estimate over repetitions of the imputation."""
        return float(np.sqrt(self.between / self.m))


def pool_imputations(
    estimates: Floats, variances: Floats, *, df_complete: float = np.inf
) -> RubinPool:
    """Combine the analyses of `m` completed data sets.

    Parameters
    ----------
    estimates, variances : array (m,)
        Estimate and squared standard error in every completed data set, m at least 2.
    df_complete : float
        Degrees of freedom had nothing been missing; infinite for the normal distribution.

    Returns
    -------
    RubinPool

    Raises
    ------
    UnanswerableError
        With fewer than two imputations, or an estimate that is not a number.

    Reference
    ---------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys, equations 3.1.2 to 3.1.10,
    doi:10.1002/9780470316696; Barnard & Rubin (1999), Biometrika 86:948-955,
    doi:10.1093/biomet/86.4.948, equation 3.

    Examples
    --------
    >>> pool = pool_imputations(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    >>> pool.estimate, pool.total
    (2.0, 5.0)
    """
    Q, U = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    m = len(Q)
    if m < 2:
        raise UnanswerableError("one imputation says nothing about what was missing")
    if not (np.isfinite(Q).all() and np.isfinite(U).all() and (U > 0).all()):
        raise UnanswerableError("an imputed data set has no estimate")
    within, between = float(U.mean()), float(Q.var(ddof=1))
    extra = (1.0 + 1.0 / m) * between
    total = within + extra
    df = _degrees_of_freedom(m, extra / total, df_complete)
    r = extra / within
    fmi = (r + 2.0 / (df + 3.0)) / (r + 1.0)
    return RubinPool(m, float(Q.mean()), within, between, total, df, r, float(fmi))


def _degrees_of_freedom(m: int, share: float, df_complete: float) -> float:
    """`share` of the variance due to missing values: lambda of Barnard & Rubin."""
    by_imputation = (m - 1) / share**2 if share > 0 else np.inf
    if not np.isfinite(df_complete):
        return float(by_imputation)
    observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share)
    if not np.isfinite(by_imputation):
        return float(observed)
    return float(by_imputation * observed / (by_imputation + observed))
