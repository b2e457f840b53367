"""How much worse the unseen scores would have to be for a conclusion to change."""

import numpy as np
import pandas as pd
from scipy import optimize


def tipping_points(
    *,
    estimate: float,
    se: float,
    quantile: float,
    n: tuple[int, int],
    n_seen: tuple[int, int],
    arms: tuple[str, str],
) -> pd.DataFrame:
    """Shift of the unseen scores of one arm at which the interval just reaches no effect.

    Parameters
    ----------
    estimate, se : float
        Difference under missing at random, and its standard error.
    quantile : float
        Half-width of the interval in standard errors.
    n, n_seen : (int, int)
        Patients in the model and with a score at the day, treatment and comparator.
    arms : (str, str)
        Their names.

    Returns
    -------
    DataFrame
        `arm n_unseen share_unseen delta`; delta is 0 where the interval holds no effect already and
        NaN where nobody is unseen or no shift of this arm would do.

    Notes
    -----
    A shift of delta moves the mean of an arm by delta times its unseen share pi, and adds
    delta^2 pi (1 - pi) / n to the variance because that share is itself estimated; the covariance of the
    share with the means is left out.

    Reference
    ---------
    Lu (2014), Stat Med 33:1134-1145, doi:10.1002/sim.6008 (means of a pattern mixture without
    imputation; here the shift is delta).
    """
    toward_zero = -1.0 if estimate > 0 else 1.0
    rows = []
    for arm, total, seen, side in zip(arms, n, n_seen, (1.0, -1.0), strict=True):
        share = 1.0 - seen / total
        size = _smallest_shift(abs(estimate), se, quantile, share, total)
        delta = 0.0 if size == 0 else side * toward_zero * size
        rows.append({"arm": arm, "n_unseen": total - seen, "share_unseen": share, "delta": delta})
    return pd.DataFrame(rows)


def _smallest_shift(size: float, se: float, quantile: float, share: float, n: int) -> float:
    def left(delta: float) -> float:
        return (
            size - delta * share - quantile * np.hypot(se, delta * np.sqrt(share * (1 - share) / n))
        )

    if left(0.0) <= 0:
        return 0.0
    if share <= 0:
        return float("nan")
    return float(optimize.brentq(left, 0.0, size / share, xtol=1e-12))
