"""How much each direct comparison contributes to each network estimate.

A row of the hat matrix is a flow of one unit of evidence from the first treatment of a comparison to
the second over the edges of the network. The flow is taken apart into streams (a path and the flow on
it); each stream is divided equally among the edges of its path.

References
----------
Papakonstantinou et al. (2018), F1000Research 7:610, doi:10.12688/f1000research.14770.3 (flows, streams);
Davies, Papakonstantinou, Nikolakopoulou, Rücker and Galla (2022), Stat Med 41:2091-2114,
doi:10.1002/sim.9346 (streams as random walks).
"""

from collections import deque
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.network.fit import NetworkFit

EMPTY_FLOW: Final = 1e-10  # of the one unit; a smaller flow is rounding


def evidence_flow(fit: NetworkFit, *, source: int, sink: int) -> Floats:
    """Row of the hat matrix as signed flows: `[i, j]` from i to j, antisymmetric.

    With reduced weights w the flow is w_ij (phi_i - phi_j), phi = L⁺(e_source - e_sink).
    """
    phi = fit.covariance[:, source] - fit.covariance[:, sink]
    w = -fit.laplacian
    flow = w * (phi[:, None] - phi[None, :])
    flow[np.abs(flow) < EMPTY_FLOW] = 0.0
    return flow


def shortest_path_shares(flow: Floats, *, source: int, sink: int) -> Floats:
    """Streams along shortest paths first (fewest edges; ties by the order of treatments)."""
    left = np.maximum(flow, 0.0)
    shares = np.zeros_like(left)
    while (path := _shortest_path(left, source=source, sink=sink)) is not None:
        edges = np.array(path[:-1]), np.array(path[1:])
        stream = left[edges].min()
        shares[edges] += stream / len(edges[0])
        rest = left[edges] - stream
        left[edges] = np.where(rest < EMPTY_FLOW, 0.0, rest)
    return shares + shares.T


def random_walk_shares(flow: Floats, *, source: int, sink: int) -> Floats:
    """All paths at once, each with the probability of a walker who follows the flow."""
    forward = np.maximum(flow, 0.0)
    out = forward.sum(axis=1, keepdims=True)
    step = np.divide(forward, out, out=np.zeros_like(forward), where=out > 0)
    n = len(flow)
    arrive = np.zeros((n, n))  # [length, node]: the walker from the source
    leave = np.zeros((n, n))  # [length, node]: from a node to the sink
    arrive[0, source] = leave[0, sink] = 1.0
    for length in range(1, n):
        arrive[length] = arrive[length - 1] @ step
        leave[length] = step @ leave[length - 1]
    shares = np.zeros_like(forward)
    for before in range(n):
        for after in range(n - 1 - before):
            through = np.outer(arrive[before], leave[after]) * step
            shares += through / (before + after + 1)
    return shares + shares.T


def _shortest_path(left: Floats, *, source: int, sink: int) -> list[int] | None:
    """Breadth first over the edges that still carry flow."""
    came_from = {source: source}
    queue = deque([source])
    while queue:
        node = queue.popleft()
        if node == sink:
            break
        following: Ints = np.flatnonzero(left[node])
        for neighbour in following.tolist():
            if neighbour not in came_from:
                came_from[neighbour] = node
                queue.append(neighbour)
    if sink not in came_from:
        return None
    path = [sink]
    while path[-1] != source:
        path.append(came_from[path[-1]])
    return path[::-1]
