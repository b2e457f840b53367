"""Analysis of covariance: least squares on arm and covariates, with a robust variance."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_COLLINEAR = 1e-10  # smallest singular value of the scaled design
_FULL_LEVERAGE = 1e-9


def fit_ancova(data: TwoArms, *, variance: str = "hc3") -> ContrastFit:
    """Coefficient of the arm in y ~ arm + covariates.

    Parameters
    ----------
    data : TwoArms
    variance : {"hc3", "hc2", "model"}
        Heteroscedasticity-consistent (HC3, HC2), or the usual one of least squares. The degrees of
        freedom are n - p for all of them.

    Returns
    -------
    ContrastFit
        `quantities` hold the adjusted means at the average covariates and all three standard errors.

    Raises
    ------
    UnanswerableError
        If a covariate follows from the others, or there are too few patients.

    Reference
    ---------
    MacKinnon & White (1985), J Econometrics 29:305-325, doi:10.1016/0304-4076(85)90158-7;
    Vickers & Altman (2001), BMJ 323:1123-1124, doi:10.1136/bmj.323.7321.1123.
    """
    n, centre = len(data.y), data.x.mean(axis=0)
    X = np.column_stack([np.ones(n), data.treated.astype(float), data.x - centre])
    p = X.shape[1]
    if n <= p:
        raise UnanswerableError(f"{n} patients are too few for {p} coefficients")
    scale = np.sqrt((X**2).mean(axis=0))
    if (scale == 0).any():
        raise UnanswerableError("a covariate is constant or follows from the others")
    R = np.linalg.qr(X / scale, mode="r")
    if np.linalg.svd(R, compute_uv=False)[-1] < np.sqrt(n) * _COLLINEAR:
        raise UnanswerableError("a covariate is constant or follows from the others")
    half = np.linalg.inv(R) / scale[:, None]  # (X'X)^-1 = half half'
    gram = half @ half.T
    beta = gram @ (X.T @ data.y)
    beta += gram @ (X.T @ (data.y - X @ beta))
    residual = data.y - X @ beta
    if float(residual @ residual) <= 1e-20 * max(float(data.y @ data.y), 1e-300):
        raise UnanswerableError("the scores follow exactly from arm and covariates")
    se = _standard_errors(X, half, residual)
    middle = float(data.treated.mean())
    return ContrastFit(
        estimate=float(beta[1]),
        se=se[variance],
        df=float(n - p),
        quantities={
            "mean_t": float(beta[0] + beta[1]),
            "mean_c": float(beta[0]),
            "share_treated": middle,
            **{f"se_{name}": value for name, value in se.items()},
        },
    )


def _standard_errors(X: Floats, half: Floats, residual: Floats) -> dict[str, float]:
    n, p = X.shape
    gram = half @ half.T
    leverage = np.einsum("ij,ij->i", X @ half, X @ half)
    lever = X @ gram[1]  # what each score contributes to the coefficient of the arm
    left = np.maximum(1.0 - leverage, _FULL_LEVERAGE)
    return {
        "hc3": float(np.sqrt(np.sum((lever * residual / left) ** 2))),
        "hc2": float(np.sqrt(np.sum((lever * residual) ** 2 / left))),
        "model": float(np.sqrt(gram[1, 1] * (residual @ residual) / (n - p))),
    }


METHOD = Method(
    name="ancova",
    fit=fit_ancova,
    kind="continuous",
    estimand="difference in means at equal baseline and covariates",
    assumptions="effect of the covariates linear and equal in both arms; scores missing at random given "
    "arm and covariates; no unmeasured confounding",
    reference="Vickers & Altman (2001), BMJ 323:1123-1124, doi:10.1136/bmj.323.7321.1123",
    variances=("hc3", "hc2", "model"),
    adjusts="outcome_model",
)
