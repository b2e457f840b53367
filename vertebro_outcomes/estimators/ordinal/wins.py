"""How often a patient of one arm has a higher value than one of the other, over all pairs."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


@dataclass(frozen=True)
class Wins:
    """`probability` = P(first > second) + P(equal) / 2, with its standard error and `df`."""

    probability: float
    se: float
    df: float
    share_win: float
    share_tie: float


def fit_wins(first: Floats, second: Floats) -> Wins:
    """Wilcoxon-Mann-Whitney probability with the variance of Brunner and Munzel.

    Parameters
    ----------
    first, second : array
        Values of the two arms, ties allowed.

    Returns
    -------
    Wins

    Raises
    ------
    UnanswerableError
        If every patient of one arm is above every one of the other, or an arm has one patient.

    Reference
    ---------
    Brunner & Munzel (2000), Biom J 42:17-25; Brunner, Vandemeulebroecke & Mütze (2021), Stat Med
    40:3367-3384, doi:10.1002/sim.8967 (win odds).
    """
    n, m = len(first), len(second)
    if min(n, m) < 2:
        raise UnanswerableError("an arm has fewer than two patients with a score")
    ranks = rankdata(np.concatenate([first, second]))
    # placements: how many of the other arm each value beats, ties by half
    above = ranks[:n] - rankdata(first)
    below = ranks[n:] - rankdata(second)
    v1, v0 = (float(np.var(above, ddof=1)) / m**2 / n, float(np.var(below, ddof=1)) / n**2 / m)
    p = float(above.mean() / m)
    if not v1 + v0 > 0:
        raise UnanswerableError(
            "all pairs of patients compare alike, so the spread says nothing about the probability"
        )
    ordered = np.sort(second)
    smaller = np.searchsorted(ordered, first, side="left")
    win = float(smaller.sum() / (n * m))
    tie = float((np.searchsorted(ordered, first, side="right") - smaller).sum() / (n * m))
    df = (v1 + v0) ** 2 / (v1**2 / (n - 1) + v0**2 / (m - 1))
    return Wins(p, float(np.sqrt(v1 + v0)), float(df), win, tie)
