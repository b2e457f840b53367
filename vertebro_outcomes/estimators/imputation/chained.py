"""Chained equations: every incomplete variable drawn from its regression on all the others, in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.spatial import cKDTree

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

Model = Literal["pmm", "normal"]
# Donors to draw from: Morris, White & Royston (2014), BMC Med Res Methodol 14:75,
# doi:10.1186/1471-2288-14-75, recommend about ten and find five safe where predictions are good.
DONORS: Final = 5
# Rounds through all variables; the chains settle within five to twenty: van Buuren (2018), Flexible
# Imputation of Missing Data, section 4.5, doi:10.1201/9780429492259.
ROUNDS: Final = 10
# Share of the diagonal added to X'X, so that a predictor that follows from others does no harm
# (van Buuren 2018, algorithm 3.1).
RIDGE: Final = 1e-5
_JITTER: Final = 1e-9  # breaks ties of predictions by lot, in units of their spread
_NUMBERS_AT_ONCE: Final = 4_000_000  # memory: imputations are drawn in batches of so many numbers


@dataclass(frozen=True)
class Block:
    """Columns `start` to `stop` that are one variable: a number, or the indicators of a category."""

    name: str
    start: int
    stop: int
    model: Model = "pmm"

    @property
    def columns(self) -> slice:
        return slice(self.start, self.stop)


def impute_chained(
    z: Floats,
    blocks: Sequence[Block],
    *,
    m: int,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
) -> Iterator[Floats]:
    """Completed copies of `z`, one after another.

    Parameters
    ----------
    z : array (n, p)
        One row per patient, NaN where a value was not seen; a category is blank in all its columns.
    blocks : sequence of Block
        The variables; together they cover all columns. "normal" draws from the normal distribution
        around the prediction; "pmm" takes the value of a patient with a close prediction.
    m : int
        Copies.
    rng : Generator
    rounds : int
        Passes through the incomplete variables.

    Returns
    -------
    iterator of array (n, p)
        Seen values are as they were; no more copies are held than are drawn together.

    Raises
    ------
    UnanswerableError
        At once, if a variable was seen in fewer patients than the others give it coefficients.

    Notes
    -----
    Coefficients and residual variance are drawn from their posterior under a flat prior before each
    imputation, so that the imputations are proper.

    Reference
    ---------
    van Buuren & Groothuis-Oudshoorn (2011), J Stat Softw 45(3), doi:10.18637/jss.v045.i03; draws:
    Rubin (1987), p. 167; matching of type 1: van Buuren (2018), algorithm 3.3.
    """
    blank = np.column_stack([np.isnan(z[:, b.columns]).any(axis=1) for b in blocks])
    _refuse_too_few(z, blocks, blank)
    return _copies(z, blocks, blank, m=m, rng=rng, rounds=rounds)


def _copies(
    z: Floats,
    blocks: Sequence[Block],
    blank: Bools,
    *,
    m: int,
    rng: np.random.Generator,
    rounds: int,
) -> Iterator[Floats]:
    todo = [int(j) for j in np.argsort(blank.sum(axis=0), kind="stable") if blank[:, j].any()]
    centre, scale = _centre_and_scale(z)
    known, unseen = (z - centre) / scale, np.isnan(z)
    at_once = max(1, _NUMBERS_AT_ONCE // max(z.size, 1))
    for first in range(0, m, at_once):
        size = min(at_once, m - first)
        done = _start(known, blocks, blank, size, rng)
        for _ in range(rounds if len(todo) > 1 else 1):
            for j in todo:
                _draw_block(done, known, blocks[j], blank[:, j], rng)
        for copy in done:
            yield np.asarray(np.where(unseen, copy * scale + centre, z))


def _refuse_too_few(z: Floats, blocks: Sequence[Block], blank: Bools) -> None:
    for j, block in enumerate(blocks):
        if not blank[:, j].any():
            continue
        seen = int((~blank[:, j]).sum())
        needed = z.shape[1] - (block.stop - block.start) + 1
        if seen <= needed + 1:
            raise UnanswerableError(
                f"{seen} patients with {block.name} are too few for an imputation model with "
                f"{needed} coefficients"
            )


def _centre_and_scale(z: Floats) -> tuple[Floats, Floats]:
    """Of the seen values; columns that do not vary stay as they are."""
    centre = np.nanmean(z, axis=0)
    scale = np.nanstd(z, axis=0)
    return centre, np.where(scale > 0, scale, 1.0)


def _start(
    known: Floats, blocks: Sequence[Block], blank: Bools, size: int, rng: np.random.Generator
) -> Floats:
    """Blanks filled with seen values by lot."""
    done = np.repeat(known[None], size, axis=0)
    for j, block in enumerate(blocks):
        if blank[:, j].any():
            pool = known[~blank[:, j], block.columns]
            drawn = rng.integers(len(pool), size=(size, int(blank[:, j].sum())))
            done[:, blank[:, j], block.columns] = pool[drawn]
    return done


def _draw_block(
    done: Floats, known: Floats, block: Block, blank: Bools, rng: np.random.Generator
) -> None:
    """One variable, in all copies at once."""
    others = np.delete(done, np.arange(block.start, block.stop), axis=2)
    X = np.concatenate([np.ones((*done.shape[:2], 1)), others], axis=2)
    there, gone = X[:, ~blank], X[:, blank]
    y = known[~blank, block.columns]
    hat, drawn, sigma = draw_regression(there, y, rng)
    if block.model == "normal":
        noise = rng.standard_normal((len(done), gone.shape[1], y.shape[1]))
        done[:, blank, block.columns] = gone @ drawn + sigma[:, None, :] * noise
        return
    predicted, wanted = there @ hat, gone @ drawn
    for k in range(len(done)):
        done[k, blank, block.columns] = y[nearest_donors(predicted[k], wanted[k], rng)]


def draw_regression(
    X: Floats, y: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Least squares, coefficients and residual standard deviations drawn from their posterior.

    Parameters
    ----------
    X : array (m, n, q)
        A design per copy.
    y : array (n, k)
        Standardised outcomes, the same in all copies.
    rng : Generator

    Returns
    -------
    (array (m, q, k), array (m, q, k), array (m, k))
    """
    XtX = np.swapaxes(X, 1, 2) @ X
    q = XtX.shape[1]
    diagonal = np.einsum("mqq->mq", XtX)
    XtX = XtX + np.eye(q) * np.where(diagonal > 0, RIDGE * diagonal, 1.0)[:, None, :]
    hat = np.asarray(np.linalg.solve(XtX, np.swapaxes(X, 1, 2) @ y), dtype=np.float64)
    squares = ((y - X @ hat) ** 2).sum(axis=1)
    sigma = np.sqrt(squares / rng.chisquare(X.shape[1] - q, size=squares.shape))
    # L L' = X'X, so L'^-1 e has covariance (X'X)^-1
    root = np.linalg.cholesky(XtX)
    noise = np.linalg.solve(np.swapaxes(root, 1, 2), rng.standard_normal(hat.shape))
    drawn: Floats = np.asarray(hat + sigma[:, None, :] * noise, dtype=np.float64)
    return hat, drawn, np.asarray(sigma, dtype=np.float64)


def nearest_donors(predicted: Floats, wanted: Floats, rng: np.random.Generator) -> Floats:
    """For each row of `wanted` one of the nearest rows of `predicted`, by lot; ties by lot too."""
    spread = np.ptp(predicted, axis=0).max(initial=0.0) or 1.0
    blurred = predicted + _JITTER * spread * rng.standard_normal(predicted.shape)
    donors = min(DONORS, len(predicted))
    near = cKDTree(blurred).query(wanted, k=donors)[1].reshape(len(wanted), donors)
    return np.asarray(near[np.arange(len(wanted)), rng.integers(donors, size=len(wanted))])
