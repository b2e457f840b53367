"""How strong unmeasured confounding would have to be to explain an effect away."""

import numpy as np


def e_value(ratio: float) -> float:
    """E-value of a risk ratio: RR + sqrt(RR (RR - 1)), of its inverse where RR < 1.

    Reference
    ---------
    VanderWeele & Ding (2017), Ann Intern Med 167:268-274, doi:10.7326/M16-2607.

    Examples
    --------
    >>> round(e_value(3.9), 2)
    7.26
    """
    ratio = max(ratio, 1.0 / ratio)
    return float(ratio + np.sqrt(ratio * (ratio - 1.0)))


def e_values_of_difference(
    estimate: float, limits: tuple[float, float], *, sd: float
) -> tuple[float, float]:
    """E-values of a difference in means and of the limit of its interval nearer to zero.

    The difference in standard deviations d is read as a risk ratio exp(0.91 d); an interval that
    holds zero has the E-value 1.

    Reference
    ---------
    VanderWeele & Ding (2017), table 2.
    """
    nearer = min(limits, key=abs)
    crosses = limits[0] <= 0.0 <= limits[1]
    at_limit = 1.0 if crosses else e_value(float(np.exp(0.91 * nearer / sd)))
    return e_value(float(np.exp(0.91 * estimate / sd))), at_limit
