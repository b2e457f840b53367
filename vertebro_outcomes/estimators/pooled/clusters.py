"""Effects gathered by cluster, with the sampling covariance inside each cluster.

Clusters of one size form a stack of small matrices, so that nothing of size k x k is ever built.
"""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints


@dataclass(frozen=True)
class Stack:
    """All clusters with s effects: y (c, s), orthonormal x (c, s, p), sampling covariance (c, s, s).

    `rows` (c, s) are the places of the effects in the data, `which` (c,) the numbers of the clusters.
    """

    y: Floats
    x: Floats
    sampling: Floats
    rows: Ints
    which: Ints


@dataclass(frozen=True)
class Clusters:
    """k effects in m clusters, p moderators made orthonormal.

    `back` (p, p) turns coefficients of the orthonormal moderators into those of the given ones.
    """

    stacks: tuple[Stack, ...]
    k: int
    p: int
    m: int
    back: Floats


def gather(y: Floats, v: Floats, *, x: Floats, cluster: Ints, rho: float = 0.0) -> Clusters:
    """Split the data by cluster.

    Parameters
    ----------
    y, v : arrays of length k
        Effects and sampling variances.
    x : array (k, p)
        Moderators.
    cluster : integers of length k, 0 to m - 1
    rho : correlation of the sampling errors inside a cluster, -1 < rho < 1
    """
    x, triangle = np.linalg.qr(x)
    order = np.argsort(cluster, kind="stable")
    sizes = np.bincount(cluster)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    stacks = []
    for size in np.unique(sizes):
        which = np.flatnonzero(sizes == size)
        rows = order[first[which][:, None] + np.arange(size)]
        s = np.sqrt(v[rows])
        correlation = np.where(np.eye(size, dtype=bool), 1.0, rho)
        sampling = s[:, :, None] * s[:, None, :] * correlation
        stacks.append(Stack(y[rows], x[rows], sampling, rows, which))
    return Clusters(
        tuple(stacks), k=len(y), p=x.shape[1], m=len(sizes), back=np.linalg.inv(triangle)
    )
