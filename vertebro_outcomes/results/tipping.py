"""How much worse the unseen scores would have to be for a conclusion to change."""

import numpy as np
import pandas as pd
from scipy import optimize


def tipping_points(
    *,
    estimate: float,
    se: float,
    quantile: float,
    arms: tuple[str, str],
    n_unseen: tuple[int, int],
    share: tuple[float, float],
    share_se: tuple[float, float],
) -> pd.DataFrame:
    """Shift of the unseen scores of one arm at which the interval just reaches no effect.

    Parameters
    ----------
    estimate, se : float
        Difference under missing at random, and its standard error.
    quantile : float
        Half-width of the interval in standard errors.
    arms : (str, str)
        Treatment and comparator.
    n_unseen : (int, int)
        Their patients without a score they could have had; who died could have none.
    share : (float, float)
        What a shift of one point of the unseen scores moves the mean of the arm by.
    share_se : (float, float)
        Standard errors of the shares.

    Returns
    -------
    DataFrame
        `arm n_unseen share_unseen delta`; delta is 0 where the interval holds no effect already and
        NaN where nobody is unseen or no shift of this arm would do.

    Notes
    -----
    A shift of delta moves the mean of an arm by delta times its unseen share pi, and adds
    delta^2 var(pi) to the variance because that share is itself estimated, pi (1 - pi) / n for one visit;
    the covariance of the share with the means is left out.

    Reference
    ---------
    Lu (2014), Stat Med 33:1134-1145, doi:10.1002/sim.6008 (means of a pattern mixture without
    imputation; here the shift is delta).
    """
    toward_zero = -1.0 if estimate > 0 else 1.0
    rows = []
    for i, side in enumerate((1.0, -1.0)):
        size = _smallest_shift(abs(estimate), se, quantile, share[i], share_se[i])
        delta = 0.0 if size == 0 else side * toward_zero * size
        rows.append(
            {"arm": arms[i], "n_unseen": n_unseen[i], "share_unseen": share[i], "delta": delta}
        )
    return pd.DataFrame(rows)


def _smallest_shift(
    size: float, se: float, quantile: float, share: float, share_se: float
) -> float:
    def left(delta: float) -> float:
        return size - delta * share - quantile * float(np.hypot(se, delta * share_se))

    if left(0.0) <= 0:
        return 0.0
    if share <= 0:
        return float("nan")
    return float(optimize.brentq(left, 0.0, size / share, xtol=1e-12))
