"""The tables of a network meta-analysis: comparisons, splits, inconsistency, contributions, ranks."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.display import numbers
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.network.designs import DesignQ, QDecomposition
from vertebro_outcomes.estimators.network.fit import NetworkFit
from vertebro_outcomes.estimators.network.splitting import SplitEvidence
from vertebro_outcomes.estimators.network.streams import (
    evidence_flow,
    random_walk_shares,
    shortest_path_shares,
)
from vertebro_outcomes.measures import MEASURES

StreamMethod = Literal["shortest_path", "random_walk"]
_SHARES = {"shortest_path": shortest_path_shares, "random_walk": random_walk_shares}


def upper_pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column indices of all pairs, the earlier treatment first."""
    return np.triu_indices(count, k=1)


def pairs_against(count: int, reference: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs in the same order, the reference always second."""
    one, two = upper_pairs(count)
    swapped = one == reference
    return np.where(swapped, two, one), np.where(swapped, one, two)


def two_sided_p(statistic: Floats) -> Floats:
    """Two-sided normal p-values; NaN stays NaN."""
    return 2.0 * special.ndtr(-np.abs(statistic))


def chi_square_p(q: float, df: int) -> float:
    """Upper tail of chi-square; NaN without degrees of freedom."""
    return float(special.chdtrc(df, q)) if df > 0 and not np.isnan(q) else float("nan")


def split_table(
    treatments: Sequence[str], fit: NetworkFit, split: SplitEvidence, *, reference: int
) -> pd.DataFrame:
    """One row per pair of treatments: network, direct and indirect estimate, and their difference."""
    at = pairs_against(len(treatments), reference)
    difference = split.direct[at] - split.indirect[at]
    difference_se = np.sqrt(split.direct_se[at] ** 2 + split.indirect_se[at] ** 2)
    statistic = difference / difference_se
    return pd.DataFrame(
        {
            "comparison": [f"{treatments[i]}:{treatments[j]}" for i, j in zip(*at, strict=True)],
            "treat_t": [treatments[i] for i in at[0]],
            "treat_c": [treatments[j] for j in at[1]],
            "k": split.studies[at],
            "direct_share": split.share[at],
            "network": fit.estimate[at],
            "network_se": fit.se[at],
            "direct": split.direct[at],
            "direct_se": split.direct_se[at],
            "indirect": split.indirect[at],
            "indirect_se": split.indirect_se[at],
            "difference": difference,
            "difference_se": difference_se,
            "statistic": statistic,
            "p_value": two_sided_p(statistic),
        }
    )


def inconsistency_table(found: QDecomposition) -> pd.DataFrame:
    """Q of the whole network, within designs, between designs; indexed by `source`."""
    rows = {
        "total": (*found.total, 0.0),
        "within designs": (*found.within, 0.0),
        "between designs": (*found.between, 0.0),
        "between designs, random effects": (*found.interaction, found.tau2_within),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["q", "q_df", "tau2"])
    table["q_p_value"] = [chi_square_p(q, df) for q, df, _ in rows.values()]
    table.index.name = "source"
    return table[["q", "q_df", "q_p_value", "tau2"]].astype({"q_df": int})


def design_table(found: Sequence[DesignQ], names: Sequence[str]) -> pd.DataFrame:
    """One row per design: heterogeneity in it, and inconsistency left once it is detached."""
    return pd.DataFrame(
        [
            {
                "design": name,
                "k": part.studies,
                "q_within": part.q,
                "q_within_df": part.df,
                "q_within_p_value": chi_square_p(part.q, part.df),
                "q_between_detached": part.detached_q,
                "q_between_detached_df": part.detached_df,
                "q_between_detached_p_value": chi_square_p(part.detached_q, part.detached_df),
            }
            for name, part in zip(names, found, strict=True)
        ]
    )


def contribution_table(
    treatments: Sequence[str], fit: NetworkFit, compared: Ints, *, method: StreamMethod
) -> pd.DataFrame:
    """Proportions (rows sum to 1): row a network estimate, column a direct comparison."""
    shares_of = _SHARES[check_word("method", method, *_SHARES)]
    at = upper_pairs(len(treatments))
    names = np.array([f"{treatments[i]}:{treatments[j]}" for i, j in zip(*at, strict=True)])
    shares = []
    for i, j in zip(*(index.tolist() for index in at), strict=True):
        flow = evidence_flow(fit, source=i, sink=j)
        shares.append(shares_of(flow, source=i, sink=j)[at])
    table = pd.DataFrame(np.array(shares), index=names, columns=names)
    table.index.name = "comparison"
    return table.loc[:, compared[at] > 0]


def rank_table(treatments: Sequence[str], probability: Floats) -> pd.DataFrame:
    """Mean rank, SUCRA (0 to 1), probability of being best, and of every rank."""
    places = np.arange(1, len(treatments) + 1)
    mean_rank = probability @ places
    table = pd.DataFrame(
        {
            "mean_rank": mean_rank,
            "sucra": (len(places) - mean_rank) / (len(places) - 1),
            "p_best": probability[:, 0],
            **{f"p_rank_{place}": probability[:, place - 1] for place in places.tolist()},
        },
        index=pd.Index(treatments, name="treatment"),
    )
    return table.sort_values("mean_rank", kind="stable")


def league(
    treatments: Sequence[str],
    blocks: tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats, Floats]],
    *,
    measure: str,
) -> pd.DataFrame:
    """Text cells 'estimate (low to high)', row versus column; the treatments on the diagonal.

    `blocks`: estimate, low, high (reader's scale) for the lower and for the upper triangle.
    """
    cells = [
        [_league_cell(blocks[0 if i > j else 1], (i, j), measure) for j in range(len(treatments))]
        for i in range(len(treatments))
    ]
    for i, name in enumerate(treatments):
        cells[i][i] = name
    return pd.DataFrame(cells, index=list(treatments), columns=list(treatments))


def _league_cell(block: tuple[Floats, Floats, Floats], at: tuple[int, int], measure: str) -> str:
    estimate, low, high = (float(part[at]) for part in block)
    if np.isnan(estimate):
        return numbers.MISSING
    return numbers.estimate_with_interval(estimate, (low, high), measure=measure)


def reader_scale(
    estimate: Floats, half_width: Floats, *, measure: str
) -> tuple[Floats, Floats, Floats]:
    """Estimate and limits on the reader's scale (ratios as ratios)."""
    read = MEASURES[measure].to_natural
    return read(estimate), read(estimate - half_width), read(estimate + half_width)


def check_word(argument: str, value: object, *allowed: str) -> str:
    """Raise an InputError that lists the allowed words unless `value` is one of them."""
    if not isinstance(value, str) or value not in allowed:
        raise refuse_argument("NetworkEffect", argument, value, ", ".join(allowed))
    return value
