"""Systematic error learnt from negative controls: outcomes that the treatment cannot change."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import estimate_tau2


@dataclass(frozen=True)
class SystematicError:
    """Normal distribution of the error that more patients would not remove."""

    mean: float
    sd: float
    n_controls: int


@dataclass(frozen=True)
class Calibrated:
    """Estimates with systematic error taken off, in the scale of the estimates."""

    estimate: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    p_value: Floats


def fit_systematic_error(estimate: Floats, se: Floats) -> SystematicError:
    """Mean and standard deviation by maximum likelihood: theta_i ~ N(mean, sd^2 + se_i^2).

    Parameters
    ----------
    estimate, se : array (m,)
        One negative control each, on a scale where no effect is zero.

    Returns
    -------
    SystematicError

    Reference
    ---------
    Schuemie et al. (2014), Stat Med 33:209-218, doi:10.1002/sim.5925, section 2.3.
    """
    v = se**2
    tau2 = float(estimate_tau2(estimate[None], v[None], method="ML").tau2[0])
    w = 1.0 / (v + tau2)
    return SystematicError(float(w @ estimate / w.sum()), float(np.sqrt(tau2)), len(estimate))


def calibrate_estimates(
    estimate: Floats, se: Floats, *, error: SystematicError, level: float
) -> Calibrated:
    """Estimates, intervals and two-sided p-values with the systematic error taken into account.

    Parameters
    ----------
    estimate, se : array (m,)
        Effects of interest, on the scale of the controls.
    error : SystematicError
        Taken to be the same whatever the true effect, as negative controls alone cannot tell.
    level : float
        Of the intervals.

    Returns
    -------
    Calibrated

    Reference
    ---------
    Schuemie et al. (2018), PNAS 115:2571-2577, doi:10.1073/pnas.1708282114.
    """
    moved = estimate - error.mean
    wide = np.sqrt(se**2 + error.sd**2)
    half = -special.ndtri((1.0 - level) / 2.0) * wide
    p = 2.0 * special.ndtr(-np.abs(moved / wide))
    return Calibrated(moved, wide, moved - half, moved + half, p)
