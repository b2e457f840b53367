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

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.network.fit import basis, moment_trace, q_statistic
from vertebro_outcomes.estimators.network.independent_contrasts import IndependentContrasts


@dataclass(frozen=True)
class DesignQ:
    """One design: Q and df among its studies; Q and df between designs once it is detached.

    `detached_q` is NaN where the rest of the network says nothing about the effects of the design.
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


def decompose_q(rows: IndependentContrasts, design: Ints) -> QDecomposition:
    """Decompose Q.

    Parameters
    ----------
    rows
        The network.
    design : array of int
        Design of each study, numbered from 0.
    """
    z = basis(rows.x)
    q, df = q_statistic(rows, z), len(rows.y) - z.shape[1]
    apart = [_part(rows, member) for member in _members(rows, design)]
    full_q = sum(q_statistic(part, own) for part, own in apart) + rows.open_sum
    full_df = sum(len(part.y) - own.shape[1] for part, own in apart)
    t2 = 0.0
    if full_df:  # generalised DL; the trace of P is the sum over designs
        t2 = max(0.0, (full_q - full_df) / sum(moment_trace(part, own) for part, own in apart))
    interaction = q_statistic(rows, z, tau2=t2) - rows.open_sum
    interaction -= sum(q_statistic(part, own, tau2=t2) for part, own in apart)
    return QDecomposition(
        total=(q, df),
        within=(full_q, full_df),
        between=(_positive(q - full_q, df - full_df), df - full_df),
        interaction=(_positive(interaction, df - full_df), df - full_df),
        tau2_within=t2,
    )


def single_designs(rows: IndependentContrasts, design: Ints) -> tuple[DesignQ, ...]:
    """Q within each design, and between designs without it.

    A detached design has its own effects, so what is left is the rest of the network on its own.
    """
    members = _members(rows, design)
    parts = [_part(rows, member) for member in members]
    within = [q_statistic(part, own) for part, own in parts]
    dfs = [len(part.y) - own.shape[1] for part, own in parts]
    between_df = len(rows.y) - basis(rows.x).shape[1] - sum(dfs)
    found = []
    for (part, _), member, q, df in zip(parts, members, within, dfs, strict=True):
        rest, z = _part(rows, ~member)
        detached_df = len(rest.y) - z.shape[1] - (sum(dfs) - df)
        detached_q = float("nan")
        if detached_df < between_df:
            detached_q = _positive(q_statistic(rest, z) - (sum(within) - q), detached_df)
        found.append(DesignQ(len(np.unique(part.study)), q, df, detached_q, detached_df))
    return tuple(found)


def _members(rows: IndependentContrasts, design: Ints) -> list[Bools]:
    design_of_row = design[rows.study]
    return [design_of_row == d for d in range(int(design.max()) + 1)]


def _part(rows: IndependentContrasts, member: Bools) -> tuple[IndependentContrasts, Floats]:
    """Some rows as a network of their own (perhaps in parts), and independent columns for it."""
    x = rows.x[member]
    part = IndependentContrasts(rows.y[member], rows.v[member], x, rows.study[member], 0.0)
    return part, basis(x)


def _positive(q: float, df: int) -> float:
    """A difference of two Q that may fall below 0 by rounding; without df it is 0."""
    return max(0.0, q) if df else 0.0
