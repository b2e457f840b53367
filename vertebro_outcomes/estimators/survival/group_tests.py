"""Tests that several arms have the same hazard (log-rank) or the same incidence (Gray)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.ranks import ranks


@dataclass(frozen=True)
class GroupTest:
    """Chi-square test over groups; observed minus expected by group."""

    chi2: float
    df: int
    p_value: float
    score: Floats


@dataclass(frozen=True)
class _Tables:
    n: Floats  # (times, groups) at risk
    mine: Floats
    other: Floats


def _tables(
    time: Floats, cause: Ints, arm: Ints, groups: int, alike: Floats | None = None
) -> _Tables:
    distinct, cell = ranks(time)
    cell *= groups
    cell += arm
    cell *= 3
    cell += cause > 0
    cell += cause == 1
    size = distinct.size * groups * 3
    table = np.bincount(cell, alike, minlength=size).reshape(-1, groups, 3).astype(float)
    n = np.cumsum(table.sum(axis=2)[::-1], axis=0)[::-1]
    return _Tables(n, table[:, :, 2], table[:, :, 1])


def _chi2(score: Floats, variance: Floats) -> GroupTest:
    df = score.size - 1
    part = variance[:df, :df]
    if df < 1 or np.linalg.matrix_rank(part) < df:
        return GroupTest(np.nan, df, np.nan, score)
    value = float(score[:df] @ np.linalg.solve(part, score[:df]))
    return GroupTest(value, df, float(chdtrc(df, value)), score)


def logrank_test(
    time: Floats, event: Bools, *, arm: Ints, stratum: Ints | None = None
) -> GroupTest:
    """Log-rank test; with strata, scores and variances are added over strata.

    Reference: Mantel 1966; Kalbfleisch and Prentice 2002, section 1.5.
    """
    names, arm = ranks(arm)
    strata = np.zeros(time.size, dtype=np.int64) if stratum is None else stratum
    score, variance = np.zeros(names.size), np.zeros((names.size, names.size))
    for s in np.unique(strata):
        rows = strata == s
        t = _tables(time[rows], event[rows].astype(np.int64), arm[rows], names.size)
        n, d = t.n.sum(axis=1), t.mine.sum(axis=1)
        share = t.n / n[:, None]
        score += np.sum(t.mine - d[:, None] * share, axis=0)
        factor = d * (n - d) / np.where(n > 1, n - 1, 1.0)
        variance += np.diag(factor @ share) - (share * factor[:, None]).T @ share
    return _chi2(score, variance)


def gray_test(time: Floats, cause: Ints, *, arm: Ints, alike: Floats | None = None) -> GroupTest:
    """Gray's test of equal cumulative incidence of cause 1; 0 censored, 2 and above competing.

    A row stands for `alike` patients.

    Reference: Gray 1988, doi:10.1214/aos/1176350951, section 3 (rho = 0), with the
    hypergeometric factor for tied events.
    """
    names, arm = ranks(arm)
    t = _tables(time, cause, arm, names.size, alike)
    keep = (t.mine + t.other).sum(axis=1) > 0
    n, mine, other = t.n[keep], t.mine[keep], t.other[keep]
    there = n > 0
    n1 = np.where(there, n, 1.0)
    s = np.asarray(np.cumprod(np.where(there, 1 - (mine + other) / n1, 1.0), axis=0), dtype=float)
    s_minus = np.vstack([np.ones(names.size), s[:-1]])
    f = np.cumsum(s_minus * mine / n1, axis=0)
    f_minus = np.vstack([np.zeros(names.size), f[:-1]])
    s1 = np.where(s_minus > 0, s_minus, 1.0)
    # R: at risk of the subdistribution; under the null all arms share G = 1 - F
    share = np.where(there, n / s1, 0.0)
    d = mine.sum(axis=1)
    own = share * (1 - f_minus)
    score = np.sum(mine - d[:, None] * own / own.sum(axis=1)[:, None], axis=0)
    variance = _gray_variance(n=n1, s=s, s_minus=s1, other=other, share=share, d=d)
    return _chi2(score, variance)


def _gray_variance(
    *, n: Floats, s: Floats, s_minus: Floats, other: Floats, share: Floats, d: Floats
) -> Floats:
    there = share > 0
    total = share.sum(axis=1)
    part = share / total[:, None]
    f0 = np.cumsum(d / total)
    f0_minus = np.r_[0.0, f0[:-1]]
    k = part.shape[1]
    delta = share[:, :, None] * (np.eye(k)[None] - part[:, None, :])
    c = np.cumsum(delta * (d / (total * (1 - f0_minus)))[:, None, None], axis=0)
    later = c[-1] - c
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(s > 0, (1 - f0)[:, None] / s, 0.0)
        tied = np.where(
            (d > 1)[:, None], 1 - (d - 1)[:, None] / (total[:, None] * s_minus - 1), 1.0
        )
        tied2 = np.where(other > 1, 1 - (other - 1) / (n - 1), 1.0)
    a = delta + (1 - ratio)[:, None, :] * later
    first = np.where(there, tied * s_minus * (d / total)[:, None] / n, 0.0)
    b = ratio[:, None, :] * later
    second = np.where((s > 0) & (other > 0), tied2 * s_minus**2 * other / n**2, 0.0)
    return np.asarray(
        np.einsum("tir,tjr,tr->ij", a, a, first) + np.einsum("tir,tjr,tr->ij", b, b, second)
    )
