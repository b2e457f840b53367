"""Empirical covariance of the coefficients: patients are the clusters, Sigma only a working model."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import patterns_of
from vertebro_outcomes.estimators.repeated_measures.reml import RemlFit
from vertebro_outcomes.estimators.repeated_measures.small_sample import ContrastEstimates


def infer_contrasts_empirically(
    fit: RemlFit, L: Floats, *, y: Floats, u: Floats, design: Floats
) -> ContrastEstimates:
    """Contrasts L beta with the sandwich (CR0) and its degrees of freedom under the working model.

    Parameters
    ----------
    fit : RemlFit
    L : array (m, p)
        One contrast per row.
    y, u, design : arrays
        The data as in `sums_of_patients`; one more pass over them is needed.

    Returns
    -------
    ContrastEstimates

    Reference
    ---------
    Liang & Zeger (1986), Biometrika 73:13-22, doi:10.1093/biomet/73.1.13; degrees of freedom of Bell &
    McCaffrey (2002), Survey Methodology 28:169-181, as trace(G)^2 / trace(G G).
    """
    seen, which = patterns_of(y)
    p, m = len(fit.beta), len(L)
    meat = np.zeros((p, p))
    trace, squares, mixed = np.zeros(m), np.zeros(m), np.zeros(m)
    AA = np.zeros((m, p, p))
    MC = fit.covariance @ L.T
    for pattern in np.flatnonzero(seen.any(axis=1)):
        at, mine = np.flatnonzero(seen[pattern]), which == pattern
        W = np.linalg.inv(fit.Sigma[np.ix_(at, at)])
        X = np.einsum("jpq,nq->njp", design[at], u[mine], optimize=True)
        r = y[np.ix_(mine, at)] - X @ fit.beta
        WX = W @ X
        scores = np.einsum("njp,nj->np", WX, r, optimize=True)
        meat += scores.T @ scores
        g = WX @ MC  # (n, visits, m): weights of a patient's scores in each contrast
        own = np.einsum("njm,jk,nkm->nm", g, fit.Sigma[np.ix_(at, at)], g, optimize=True)
        a = np.einsum("njp,njm->nmp", X, g, optimize=True)
        back = np.einsum("nmp,pr,nmr->nm", a, fit.covariance, a, optimize=True)
        trace += (own - back).sum(axis=0)
        squares += (own**2).sum(axis=0)
        mixed += (own * back).sum(axis=0)
        AA += np.einsum("nmp,nmr->mpr", a, a, optimize=True)
    V = fit.covariance @ meat @ fit.covariance
    PhiAA = fit.covariance @ AA
    df = trace**2 / (squares - 2 * mixed + np.einsum("mpr,mrp->m", PhiAA, PhiAA))
    return ContrastEstimates(L @ fit.beta, np.sqrt(np.einsum("mp,pr,mr->m", L, V, L)), df)
