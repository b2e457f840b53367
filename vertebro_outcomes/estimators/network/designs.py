"""Q by design: heterogeneity within designs, inconsistency between them.

A design is the set of treatments a study compares. Giving every design its own effects leaves the
heterogeneity within designs; what the consistent model adds to it is inconsistency.

References
----------
Krahn, Binder and König (2013), BMC Med Res Methodol 13:35, doi:10.1186/1471-2288-13-35, table 1;
Higgins et al. (2012), Res Synth Methods 3:98-110, doi:10.1002/jrsm.1044 (design-by-treatment model);
Jackson et al. (2014), Stat Med 33:3639-3654, doi:10.1002/sim.6188 (its random-effects test).
"""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.network.fit import basis, dersimonian_laird, q_statistic
from vertebro_outcomes.estimators.network.independent_contrasts import IndependentContrasts


@dataclass(frozen=True)
class DesignQ:
    """One design: Q and df among its studies; Q and df between designs once it is detached.

    `detached_q` is NaN where the design has no effect that the rest of the network also informs.
    """

    studies: int
    q: float
    df: int
    detached_q: float
    detached_df: int


@dataclass(frozen=True)
class QDecomposition:
    """Total = within + between (common effect); between again with tau² estimated within designs."""

    total: tuple[float, int]
    within: tuple[float, int]
    between: tuple[float, int]
    interaction: tuple[float, int]
    tau2_within: float
    designs: tuple[DesignQ, ...]


def decompose_q(rows: IndependentContrasts, design: Ints) -> QDecomposition:
    """Decompose Q.

    Parameters
    ----------
    rows
        The network.
    design : array of int
        Design of each study, numbered from 0.
    """
    design_of_row = design[rows.study]
    z_net = basis(rows.x)
    own = [basis(rows.x[design_of_row == d]) for d in range(int(design.max()) + 1)]
    z_full = _block_columns(own, design_of_row)
    net, full = dersimonian_laird(rows, z_net), dersimonian_laird(rows, z_full)
    df = net.df - full.df
    t2 = full.tau2
    interaction = q_statistic(rows, z_net, tau2=t2) - q_statistic(rows, z_full, tau2=t2)
    return QDecomposition(
        total=(net.q, net.df),
        within=(full.q, full.df),
        between=(_positive(net.q - full.q, df), df),
        interaction=(_positive(interaction, df), df),
        tau2_within=t2,
        designs=tuple(
            _one_design(rows, design_of_row == d, z, full_q=full.q, full_df=full.df, df=df)
            for d, z in enumerate(own)
        ),
    )


def _one_design(
    rows: IndependentContrasts,
    member: np.ndarray,
    own: Floats,
    *,
    full_q: float,
    full_df: int,
    df: int,
) -> DesignQ:
    part = IndependentContrasts(rows.y[member], rows.v[member], own, rows.study[member], 0.0)
    apart = np.zeros((len(rows.y), own.shape[1]))
    apart[member] = own
    z = basis(np.hstack([rows.x, apart]))
    detached_df = len(rows.y) - z.shape[1] - full_df
    detachable = detached_df < df
    return DesignQ(
        studies=len(np.unique(part.study)),
        q=q_statistic(part, own),
        df=len(part.y) - own.shape[1],
        detached_q=_positive(q_statistic(rows, z) - full_q, detached_df)
        if detachable
        else float("nan"),
        detached_df=detached_df,
    )


def _block_columns(blocks: list[Floats], block_of_row: Ints) -> Floats:
    z = np.zeros((len(block_of_row), sum(block.shape[1] for block in blocks)))
    first = 0
    for d, block in enumerate(blocks):
        z[block_of_row == d, first : first + block.shape[1]] = block
        first += block.shape[1]
    return z


def _positive(q: float, df: int) -> float:
    """A difference of two Q that may fall below 0 by rounding; without df it is 0."""
    return max(0.0, q) if df else 0.0
