"""Greedy nearest-neighbour matching on a score, in sorted order: no pairwise distances are formed."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Matches:
    """One entry per pair: rows of `treated` and `comparator` in the data, in the order of matching."""

    treated: Ints
    comparator: Ints


def match_nearest(
    score: Floats,
    treated: Bools,
    *,
    caliper: float = np.inf,
    ratio: int = 1,
    replace: bool = False,
    strata: Ints | None = None,
) -> Matches:
    """Comparators nearest to each treated patient on a score.

    Parameters
    ----------
    score : array (n,)
        Usually the logit of the propensity.
    treated : array of bool (n,)
    caliper : float
        Largest difference of scores in a pair, in the unit of `score`.
    ratio : int
        Comparators wanted per treated patient; the second is looked for when all have had their first.
    replace : bool
        Whether a comparator may serve several treated patients.
    strata : array of int (n,), optional
        Matches are sought within the same stratum only.

    Returns
    -------
    Matches

    Notes
    -----
    Treated patients come in order of falling score, those with equal scores in order of rows. Of two
    comparators at the same distance the one with the higher score is taken, of equal scores above the
    treated the first row, below the last.

    Reference
    ---------
    Rosenbaum & Rubin (1985), Am Stat 39:33-38, doi:10.1080/00031305.1985.10479383.
    """
    groups = np.zeros(len(score), dtype=np.int64) if strata is None else np.asarray(strata)
    pairs: list[tuple[Ints, Ints]] = []
    for group in np.unique(groups):
        here = groups == group
        t, c = np.flatnonzero(here & treated), np.flatnonzero(here & ~treated)
        t = t[np.argsort(-score[t], kind="stable")]
        c = c[np.argsort(score[c], kind="stable")]
        if len(t) and len(c):
            search = _with_replacement if replace else _without_replacement
            which, partner = search(score[t], score[c], caliper, ratio)
            pairs.append((t[which], c[partner]))
    empty = np.empty(0, dtype=np.int64)
    joined = [np.concatenate([p[i] for p in pairs]) if pairs else empty for i in (0, 1)]
    return Matches(joined[0].astype(np.int64), joined[1].astype(np.int64))


def _without_replacement(
    wanted: Floats, offered: Floats, caliper: float, ratio: int
) -> tuple[Ints, Ints]:
    """Greedy rounds; `above[i]` leads to the first free place at or after i, `below[i]` at or before."""
    n = len(offered)
    places = np.searchsorted(offered, wanted, side="left").tolist()
    want, offer = wanted.tolist(), offered.tolist()
    above, below = list(range(n + 1)), list(range(n + 1))  # below is shifted by one: 0 means none
    which: list[int] = []
    partner: list[int] = []
    open_for: list[int] | range = range(len(want))
    for _ in range(ratio):
        before = len(which)
        for i in open_for:
            up = places[i]
            while above[up] != up:
                above[up] = above[above[up]]
                up = above[up]
            down = places[i]
            while below[down] != down:
                below[down] = below[below[down]]
                down = below[down]
            far_up = offer[up] - want[i] if up < n else np.inf
            far_down = want[i] - offer[down - 1] if down > 0 else np.inf
            if far_up <= far_down:
                taken, far = up, far_up
            else:
                taken, far = down - 1, far_down
            if far <= caliper and far < np.inf:
                above[taken] = taken + 1
                below[taken + 1] = taken
                which.append(i)
                partner.append(taken)
        open_for = which[before:]
    return np.array(which, dtype=np.int64), np.array(partner, dtype=np.int64)


def _with_replacement(
    wanted: Floats, offered: Floats, caliper: float, ratio: int
) -> tuple[Ints, Ints]:
    """The `ratio` nearest of the 2 x ratio neighbours around each wanted score."""
    n = len(offered)
    place = np.searchsorted(offered, wanted, side="left")
    steps = np.concatenate(
        [np.arange(ratio), -1 - np.arange(ratio)]
    )  # above first where equally far
    near = place[:, None] + steps
    there = (near >= 0) & (near < n)
    distance = np.where(there, np.abs(offered[np.clip(near, 0, n - 1)] - wanted[:, None]), np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :ratio]
    rows = np.repeat(np.arange(len(wanted)), order.shape[1]).reshape(order.shape)
    good = (distance[rows, order] <= caliper) & there[rows, order]
    return rows[good].astype(np.int64), near[rows, order][good].astype(np.int64)


def caliper_width(score: Floats, *, caliper_sd: float) -> float:
    """A caliper in standard deviations of the score among all patients, in the unit of the score.

    Reference
    ---------
    Austin (2011), Pharm Stat 10:150-161, doi:10.1002/pst.433 (0.2 of the logit).
    """
    return caliper_sd * float(np.std(score, ddof=1))
