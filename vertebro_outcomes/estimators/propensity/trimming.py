"""Who leaves because hardly anybody like them had the other treatment."""

from typing import Final, Literal, get_args

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats

Trimming = Literal["symmetric", "crump", "percentile"]
TRIMMINGS: Final[tuple[str, ...]] = get_args(Trimming)
# Crump et al. (2009): 0.1 to 0.9 comes close to the optimal rule in many settings.
SYMMETRIC_AT: Final = 0.1
# Sturmer et al. (2010), Am J Epidemiol 172:843-854, doi:10.1093/aje/kwq198.
PERCENTILE_AT: Final = 0.05


def kept_range(
    e: Floats, treated: Bools, *, rule: Trimming, at: float | None = None
) -> tuple[float, float]:
    """Lowest and highest propensity of those who stay.

    Parameters
    ----------
    e : array (n,)
        Probability of treatment.
    treated : array of bool (n,)
    rule : {"symmetric", "crump", "percentile"}
        From `at` to 1 - `at`; the range with the smallest variance bound; from the quantile `at` among
        the treated to the quantile 1 - `at` among the comparators.
    at : float, optional
        0 to 0.5; `SYMMETRIC_AT` or `PERCENTILE_AT` if not given.

    Returns
    -------
    (float, float)

    Reference
    ---------
    Crump et al. (2009), Biometrika 96:187-199, doi:10.1093/biomet/asn055, theorem 1: alpha with
    1 / (alpha (1 - alpha)) = 2 E[g | g <= 1 / (alpha (1 - alpha))], g = 1 / (e (1 - e));
    Sturmer et al. (2010), Am J Epidemiol 172:843-854, doi:10.1093/aje/kwq198.
    """
    if rule == "symmetric":
        alpha = SYMMETRIC_AT if at is None else at
        return alpha, 1.0 - alpha
    if rule == "percentile":
        share = PERCENTILE_AT if at is None else at
        low, high = np.quantile(e[treated], share), np.quantile(e[~treated], 1.0 - share)
        return float(low), float(high)
    alpha = crump_alpha(e)
    return alpha, 1.0 - alpha


def crump_alpha(e: Floats) -> float:
    """The optimal symmetric limit; 0 where leaving nobody out is best."""
    g = np.sort(1.0 / (e * (1.0 - e)))
    total, k = np.cumsum(g), np.arange(1, len(g) + 1)
    best = int(np.argmin(total / k**2))
    gamma = 2.0 * total[best] / k[best]
    if best == len(g) - 1 and g[-1] <= gamma:
        return 0.0
    return float(0.5 - np.sqrt(0.25 - 1.0 / gamma))
