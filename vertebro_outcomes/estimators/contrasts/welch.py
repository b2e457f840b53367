"""Difference in means without adjustment and without assuming equal variances."""

import numpy as np

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


def fit_welch(data: TwoArms, *, variance: str = "welch") -> ContrastFit:
    """Treatment minus comparator, in the unit of `y`.

    Parameters
    ----------
    data : TwoArms
    variance : {"welch", "pooled"}
        Own variance of each arm, or one for both (Student).

    Returns
    -------
    ContrastFit

    Reference
    ---------
    Welch (1947), Biometrika 34:28-35, doi:10.1093/biomet/34.1-2.28.
    """
    y1, y0 = data.y[data.treated], data.y[~data.treated]
    n1, n0 = len(y1), len(y0)
    if min(n1, n0) < 2:
        raise UnanswerableError("an arm has fewer than two patients with a score")
    s1, s0 = float(np.var(y1, ddof=1)), float(np.var(y0, ddof=1))
    if variance == "pooled":
        df = float(n1 + n0 - 2)
        s1 = s0 = ((n1 - 1) * s1 + (n0 - 1) * s0) / df
    v1, v0 = s1 / n1, s0 / n0
    if v1 + v0 == 0:
        raise UnanswerableError("all scores of an arm are equal, so their spread says nothing")
    if variance == "welch":
        df = (v1 + v0) ** 2 / (v1**2 / (n1 - 1) + v0**2 / (n0 - 1))
    else:
        df = float(n1 + n0 - 2)
    return ContrastFit(
        estimate=float(y1.mean() - y0.mean()),
        se=float(np.sqrt(v1 + v0)),
        df=df,
        quantities={"mean_t": float(y1.mean()), "mean_c": float(y0.mean())},
    )


METHOD = Method(
    name="unadjusted",
    fit=fit_welch,
    kind="continuous",
    estimand="difference in means, unadjusted",
    assumptions="the arms are comparable as they are (randomised); scores missing completely at random",
    reference="Welch (1947), Biometrika 34:28-35, doi:10.1093/biomet/34.1-2.28",
    variances=("welch", "pooled"),
)
