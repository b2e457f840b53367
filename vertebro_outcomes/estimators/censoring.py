"""Patients who stayed stand for those who left: weights by the inverse probability of staying."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.propensity.logistic import SEPARATED, fit_logistic
from vertebro_outcomes.estimators.two_arms import ContrastFit
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_INDEPENDENT: Final = 1e-9  # of a column of unit length, what the columns before it leave over
_NO_MODEL = (
    "what was known before tells for certain who left: nobody like them stayed to stand for them"
)


@dataclass(frozen=True)
class Staying:
    """Who was still seen at or after every visit, and what was known just before it.

    Attributes
    ----------
    stayed : array of bool (n, J)
        Once False, False for good; True at the last visit means that the outcome was seen.
    history : array (n, J, p)
        Regressors of staying, no missing values where the patient was still there.
    treated : array of bool (n,)
    """

    stayed: Bools
    history: Floats
    treated: Bools

    @property
    def at_risk(self) -> Bools:
        """Still there just before each visit."""
        first = np.ones((len(self.stayed), 1), dtype=bool)
        return np.column_stack([first, self.stayed[:, :-1]])


@dataclass(frozen=True)
class StayingWeights:
    """`w` (n,), zero for who left; `slope` (n, k) its derivatives; `influence` (n, k) of the parameters."""

    w: Floats
    slope: Floats
    influence: Floats
    n_cut: int
    n_left: int


def fit_censored(
    y: Floats, x: Floats, data: Staying, *, used: Bools, truncate: float
) -> tuple[ContrastFit, StayingWeights]:
    """Weighted least squares of those who stayed on arm and covariates.

    Parameters
    ----------
    y : array (n,)
        Outcome; NaN where it was not seen.
    x : array (n, p)
        Covariates of the analysis, without an intercept.
    data : Staying
    used : array of bool (n,)
        Patients whose outcome is analysed; all of them stayed.
    truncate : float
        Quantile of the weights of each arm above which they are cut; 1 for none.

    Returns
    -------
    (ContrastFit, StayingWeights)
        The variance stacks the estimating equations of the outcome, of staying and of the stabilising
        shares, times n / (n - p); `weights` are those of the patients in `used`.

    Raises
    ------
    UnanswerableError
        If staying is certain given what was known, or a covariate follows from the others.

    Reference
    ---------
    Robins, Rotnitzky & Zhao (1995), J Am Stat Assoc 90:106-121, doi:10.1080/01621459.1995.10476493;
    Cole & Hernan (2008), Am J Epidemiol 168:656-664, doi:10.1093/aje/kwn164 (stabilised, cut).
    """
    staying = staying_weights(data, truncate=truncate)
    w = np.where(used, staying.w, 0.0)
    n, q = int(used.sum()), x.shape[1] + 2
    centre = x[used].mean(axis=0)
    X = np.column_stack([np.ones(len(y)), data.treated.astype(float), x - centre])
    X = np.where(used[:, None], X, 0.0)
    if n <= q or len(_independent(X[used])) < q:
        raise UnanswerableError("a covariate is constant or follows from the others")
    gram = X.T @ (w[:, None] * X)
    score = np.where(used, y, 0.0)
    beta = np.linalg.solve(gram, X.T @ (w * score))
    r = np.where(used, score - X @ beta, 0.0)
    slope = np.where(used[:, None], staying.slope, 0.0)
    D = X.T @ (
        r[:, None] * slope
    )  # how the equations of the outcome move with the weights' parameters
    psi = (w * r)[:, None] * X + staying.influence @ D.T
    lever = np.linalg.solve(gram, psi.T)
    se = {
        name: float(np.sqrt(n / (n - q) * own @ own))
        for name, own in (("t", lever[0] + lever[1]), ("c", lever[0]), ("both", lever[1]))
    }
    shown = staying.w[used]
    fit = ContrastFit(
        estimate=float(beta[1]),
        se=se["both"],
        df=float(n - q),
        weights=shown,
        quantities={
            "mean_t": float(beta[0] + beta[1]),
            "mean_c": float(beta[0]),
            "se_mean_t": se["t"],
            "se_mean_c": se["c"],
            "weight_mean": float(shown.mean()),
            "weight_lowest": float(shown.min()),
            "weight_median": float(np.median(shown)),
            "weight_highest": float(shown.max()),
            "weights_cut": float(staying.n_cut),
        },
    )
    return fit, staying


def staying_weights(data: Staying, *, truncate: float) -> StayingWeights:
    """Stabilised weights: share of the arm that stayed over the probability of staying, over all visits.

    Raises
    ------
    UnanswerableError
        If staying is certain given what was known.
    """
    n, J = data.stayed.shape
    leaving = [j for j in range(J) if (data.at_risk[:, j] & ~data.stayed[:, j]).any()]
    w, slopes, influences = np.ones(n), [np.empty((n, 0))], [np.empty((n, 0))]
    if leaving:
        model, H, risk = _probabilities(data, leaving)
        p = np.ones((n, len(leaving)))
        p[risk] = model.probability
        score, slope = np.zeros((n, H.shape[2])), np.zeros((n, H.shape[2]))
        for k, j in enumerate(leaving):
            here = data.at_risk[:, j][:, None] * H[:, k]
            score += (data.stayed[:, j] - p[:, k])[:, None] * here
            slope -= (1.0 - p[:, k])[:, None] * here
        w = w / p.prod(axis=1)
        slopes.append(slope)
        influences.append(score @ model.covariance)
    for j in leaving:
        for arm in (data.treated, ~data.treated):
            there = data.at_risk[:, j] & arm
            share = float(data.stayed[there, j].mean())
            if share == 0.0:
                raise UnanswerableError(_NO_MODEL)
            w = np.where(arm, w * share, w)
            slopes.append((arm / share)[:, None])
            own = there * (data.stayed[:, j] - share) / there.sum()
            influences.append(own[:, None])
    w = np.where(data.stayed[:, -1], w, 0.0)
    slope = w[:, None] * np.hstack(slopes)
    n_cut = 0
    for arm in (data.treated, ~data.treated):
        mine = arm & data.stayed[:, -1]
        most = float(np.quantile(w[mine], truncate))
        high = mine & (w > most * (1.0 + 1e-12))
        w, slope = np.where(high, most, w), np.where(high[:, None], 0.0, slope)
        n_cut += int(high.sum())
    return StayingWeights(w, slope, np.hstack(influences), n_cut, int((~data.stayed[:, -1]).sum()))


@dataclass(frozen=True)
class _Model:
    probability: Floats
    covariance: Floats


def _probabilities(data: Staying, leaving: list[int]) -> tuple[_Model, Floats, Bools]:
    """One logistic regression for all visits at which somebody left, with an intercept for each."""
    n = len(data.stayed)
    risk = data.at_risk[:, leaving]
    visit = np.broadcast_to(np.eye(len(leaving))[:, 1:], (n, len(leaving), len(leaving) - 1))
    H = np.concatenate([visit, data.history[:, leaving]], axis=2)
    rows = H[risk]
    kept = _independent(np.column_stack([np.ones(len(rows)), rows])) - 1
    H = H[:, :, kept[kept >= 0]]
    try:
        fit = fit_logistic(H[risk], data.stayed[:, leaving][risk])
    except UnanswerableError as reason:
        raise UnanswerableError(_NO_MODEL if str(reason) == SEPARATED else str(reason)) from None
    H = np.concatenate([np.ones((*H.shape[:2], 1)), H], axis=2)
    H = np.where(risk[:, :, None], H, 0.0)
    return _Model(fit.probability, fit.covariance), H, risk


def _independent(X: Floats) -> Ints:
    """Columns that do not follow from those before them."""
    kept: list[int] = []
    Q = np.empty((len(X), 0))
    for j in range(X.shape[1]):
        size = float(np.linalg.norm(X[:, j]))
        if size == 0.0:
            continue
        v = X[:, j] / size
        v = v - Q @ (Q.T @ v)
        v = v - Q @ (Q.T @ v)
        left = float(np.linalg.norm(v))
        if left > _INDEPENDENT:
            kept.append(j)
            Q = np.column_stack([Q, v / left])
    return np.array(kept, dtype=np.int64)
