"""Balancing weights: which population each kind makes the two arms stand for."""

from typing import Literal, get_args

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

WeightKind = Literal["overlap", "ate", "att", "atc", "matching"]
ArmsWeightKind = Literal["overlap", "ate", "matching"]
WEIGHT_KINDS: tuple[str, ...] = get_args(WeightKind)


def balancing_weights(e: Floats, treated: Bools, *, kind: WeightKind) -> Floats:
    """Weight of every patient.

    Parameters
    ----------
    e : array (n,)
        Probability of treatment, between 0 and 1.
    treated : array of bool (n,)
    kind : {"overlap", "ate", "att", "atc", "matching"}
        h(e) / P(own arm) with h = e(1 - e), 1, e, 1 - e, min(e, 1 - e).

    Returns
    -------
    array (n,)

    Reference
    ---------
    Li, Morgan & Zaslavsky (2018), J Am Stat Assoc 113:390-400, doi:10.1080/01621459.2016.1260466,
    table 1; matching weights: Li & Greene (2013), Int J Biostat 9:215-234, doi:10.1515/ijb-2012-0030.
    """
    own = np.where(treated, e, 1.0 - e)
    return tilting(e, kind=kind) / own


def tilting(e: Floats, *, kind: WeightKind) -> Floats:
    """h(e), the density of the target population relative to the patients at hand."""
    match kind:
        case "overlap":
            return e * (1.0 - e)
        case "ate":
            return np.ones_like(e)
        case "att":
            return e
        case "atc":
            return 1.0 - e
        case "matching":
            return np.minimum(e, 1.0 - e)


def weight_slopes(e: Floats, treated: Bools, *, kind: WeightKind) -> Floats:
    """Derivative of each patient's weight by the linear predictor logit(e)."""
    match kind:
        case "overlap":
            slope = e * (1.0 - e)
            return np.where(treated, -slope, slope)
        case "ate":
            return np.where(treated, -(1.0 - e) / e, e / (1.0 - e))
        case "att":
            return np.where(treated, 0.0, e / (1.0 - e))
        case "atc":
            return np.where(treated, -(1.0 - e) / e, 0.0)
        case "matching":
            above = np.where(e > 0.5, -(1.0 - e) / e, 0.0)
            below = np.where(e < 0.5, e / (1.0 - e), 0.0)
            return np.where(treated, above, below)


def stabilised(weights: Floats, treated: Bools) -> Floats:
    """The same weights times the share of the patient's own arm; normalised means do not change."""
    share = float(np.mean(treated))
    return weights * np.where(treated, share, 1.0 - share)


def multinomial_weights(probability: Floats, arm: Floats | Ints, *, kind: ArmsWeightKind) -> Floats:
    """Weights for several arms, h(p) / P(own arm) with h = 1, 1 / sum(1 / p), min(p).

    Reference
    ---------
    Li & Li (2019), Ann Appl Stat 13:2389-2415, doi:10.1214/19-AOAS1282, section 2; matching weights:
    Yoshida et al. (2017), Epidemiology 28:387-395, doi:10.1097/EDE.0000000000000627.
    """
    own = probability[np.arange(len(arm)), np.asarray(arm, dtype=np.int64)]
    if kind == "ate":
        return np.asarray(1.0 / own)
    if kind == "matching":
        return np.asarray(probability.min(axis=1) / own)
    return np.asarray(1.0 / (1.0 / probability).sum(axis=1) / own)
