"""Logistic and multinomial regression of treatment on covariates by Newton's method."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

MOST_STEPS = 60
STEP_GOAL = 1e-9  # largest change of a linear predictor
_ROWS_AT_ONCE = 1 << 12  # a block and its weighted copy stay in the processor's cache
_ENOUGH_TO_SAMPLE = 100_000  # patients from which a fit to some of them saves steps over all
_SAMPLE = 16
_NEAR = 1e-3  # of the sample's linear predictor: its sampling error is larger
_COLLINEAR = 1e-10  # smallest eigenvalue of the correlation matrix of the columns
SEPARATED = (
    "the covariates separate the arms: some patients could only have had one of the treatments, "
    "so nobody shows what the other would have done for them"
)
COLLINEAR = "a covariate is constant or follows from the others"


@dataclass(frozen=True)
class LogisticFit:
    """Intercept first in `coef` (p + 1,); `probability` (n,); `covariance` is the inverse information."""

    coef: Floats
    covariance: Floats
    probability: Floats
    loglik: float
    steps: int


def fit_logistic(x: Floats, treated: Bools, *, weight: Floats | None = None) -> LogisticFit:
    """P(treated | x) = expit(b_0 + x b) by maximum likelihood.

    Parameters
    ----------
    x : array (n, p)
        Covariates without an intercept.
    treated : array of bool (n,)
    weight : array (n,), optional
        Of each patient's log-likelihood, above 0; one if not given.

    Returns
    -------
    LogisticFit

    Raises
    ------
    UnanswerableError
        If the arms are separated (complete or quasi-complete) or a column follows from the others.

    Reference
    ---------
    Albert & Anderson (1984), Biometrika 71:1-10, doi:10.1093/biomet/71.1.1 (separation).
    """
    z, centre, scale = _standardised(x)
    fit = _newton(z, np.asarray(treated, dtype=np.int64), n_classes=2, weight=weight)
    back = np.eye(len(scale) + 1)
    back[1:, 1:] = np.diag(1.0 / scale)
    back[0, 1:] = -centre / scale
    return LogisticFit(
        coef=back @ fit.coef[0],
        covariance=back @ fit.covariance @ back.T,
        probability=fit.probability[:, 1],
        loglik=fit.loglik,
        steps=fit.steps,
    )


@dataclass(frozen=True)
class MultinomialFit:
    """Class 0 is the reference: `coef` (classes - 1, p + 1), `probability` (n, classes)."""

    coef: Floats
    covariance: Floats
    probability: Floats
    loglik: float
    steps: int


def fit_multinomial(x: Floats, arm: Ints, *, weight: Floats | None = None) -> MultinomialFit:
    """Probability of each of several arms, numbered from 0, by maximum likelihood.

    Parameters
    ----------
    x : array (n, p)
        Covariates without an intercept.
    arm : array of int (n,)
        0 to K - 1, each of them present; 0 is the reference.
    weight : array (n,), optional
        Of each patient's log-likelihood, above 0; one if not given.

    Returns
    -------
    MultinomialFit

    Raises
    ------
    UnanswerableError
        As `fit_logistic`.

    Reference
    ---------
    Imbens (2000), Biometrika 87:706-710, doi:10.1093/biomet/87.3.706.
    """
    z, centre, scale = _standardised(x)
    n_classes = int(arm.max()) + 1
    fit = _newton(z, np.asarray(arm, dtype=np.int64), n_classes=n_classes, weight=weight)
    back = np.eye(len(scale) + 1)
    back[1:, 1:] = np.diag(1.0 / scale)
    back[0, 1:] = -centre / scale
    all_back = np.kron(np.eye(n_classes - 1), back)
    return MultinomialFit(
        fit.coef @ back.T,
        all_back @ fit.covariance @ all_back.T,
        fit.probability,
        fit.loglik,
        fit.steps,
    )


def _standardised(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Intercept and standardised columns, their means and standard deviations."""
    centre = x.mean(axis=0)
    z = np.empty((x.shape[1] + 1, len(x))).T  # each column in one piece of memory
    z[:, 0] = 1.0
    np.subtract(x, centre, out=z[:, 1:])
    scale = np.sqrt(np.array([column @ column for column in z.T[1:]]) / len(x))
    if (scale <= 1e-12 * np.maximum(np.abs(centre), 1.0)).any():
        raise UnanswerableError(COLLINEAR)
    z[:, 1:] /= scale
    if x.shape[1] and np.linalg.eigvalsh(z[:, 1:].T @ z[:, 1:] / len(z))[0] < _COLLINEAR:
        raise UnanswerableError(COLLINEAR)
    return z, centre, scale


def _start(z: Floats, arm: Ints, *, n_classes: int, weight: Floats | None) -> Floats:
    """The shares of the arms; with very many patients, the coefficients of a sixteenth of them."""
    if len(z) >= _ENOUGH_TO_SAMPLE:
        some = slice(None, None, _SAMPLE)
        own = None if weight is None else weight[some]
        try:
            return _newton(z[some], arm[some], n_classes=n_classes, weight=own, goal=_NEAR).coef
        except UnanswerableError:
            pass  # a rare category that the sample has in one arm only
    counts = np.bincount(arm, weight, minlength=n_classes)
    if not counts.all():
        raise UnanswerableError(SEPARATED)
    coef = np.zeros((n_classes - 1, z.shape[1]))
    coef[:, 0] = np.log(counts[1:] / counts[0])
    return coef


def _newton(
    z: Floats,
    arm: Ints,
    *,
    n_classes: int,
    weight: Floats | None = None,
    goal: float = STEP_GOAL,
) -> MultinomialFit:
    coef = _start(z, arm, n_classes=n_classes, weight=weight)
    shape = coef.shape
    loglik, score, information = _derivatives(z, arm, coef, weight)
    size = np.inf
    for step in range(MOST_STEPS):
        try:
            np.linalg.cholesky(information)
            solved = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            raise UnanswerableError(SEPARATED) from None
        direction = np.asarray(solved, dtype=np.float64).reshape(shape)
        size = float(max(np.abs(rows @ direction.T).max() for rows in _blocks(z)))
        # In separated data each Newton step moves by about one for ever while the slope dies away.
        if float(score @ direction.ravel()) < 1e-7 and size > 0.3:
            raise UnanswerableError(SEPARATED)
        if size < goal:
            probability = np.vstack([_probabilities(rows, coef) for rows in _blocks(z)])
            covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
            return MultinomialFit(coef, covariance, probability, loglik, step)
        coef, loglik, score, information = _improve(
            z, arm, coef, direction, loglik=loglik, weight=weight
        )
    raise UnanswerableError(SEPARATED)


def _improve(
    z: Floats, arm: Ints, coef: Floats, direction: Floats, *, loglik: float, weight: Floats | None
) -> tuple[Floats, float, Floats, Floats]:
    size = 1.0
    for _ in range(30):
        tried = coef + size * direction
        there = _derivatives(z, arm, tried, weight)
        if there[0] >= loglik - 1e-12 * abs(loglik):
            return tried, *there
        size /= 2.0
    raise UnanswerableError(SEPARATED)


def _derivatives(
    z: Floats, arm: Ints, coef: Floats, weight: Floats | None
) -> tuple[float, Floats, Floats]:
    """Log-likelihood, its slope and the information, summed over blocks of rows."""
    K, p = coef.shape
    loglik, score, information = 0.0, np.zeros((K, p)), np.zeros((K, p, K, p))
    at = 0
    for rows in _blocks(z):
        mine = arm[at : at + len(rows)]
        own_weight = 1.0 if weight is None else weight[at : at + len(rows)]
        at += len(rows)
        probability = _probabilities(rows, coef)
        own = probability[np.arange(len(rows)), mine]
        loglik += float((own_weight * np.log(np.maximum(own, 1e-300))).sum())
        for a in range(K):
            residual = own_weight * ((mine == a + 1) - probability[:, a + 1])
            score[a] += residual @ rows
            curve = own_weight * probability[:, a + 1] * (1.0 - probability[:, a + 1])
            half = (
                rows * np.sqrt(curve)[:, None]
            )  # its product with itself is symmetric: half the work
            information[a, :, a] += half.T @ half
            for b in range(a + 1, K):
                curve = -own_weight * probability[:, a + 1] * probability[:, b + 1]
                block = (rows * curve[:, None]).T @ rows
                information[a, :, b] += block
                information[b, :, a] += block.T
    return loglik, score.ravel(), information.reshape(K * p, K * p)


def _probabilities(rows: Floats, coef: Floats) -> Floats:
    linear = rows @ coef.T
    if linear.shape[1] == 1:
        e = special.expit(linear[:, 0])
        return np.column_stack([special.expit(-linear[:, 0]), e])
    with_reference = np.column_stack([np.zeros(len(rows)), linear])
    return np.asarray(special.softmax(with_reference, axis=1))


def _blocks(z: Floats) -> Iterator[Floats]:
    for start in range(0, len(z), _ROWS_AT_ONCE):
        yield z[start : start + _ROWS_AT_ONCE]
