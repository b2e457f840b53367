"""Pool all subsets of the studies, to see which of them carry the heterogeneity.

Reference: Olkin, Dahabreh and Trikalinos (2012), Res Synth Methods 3:214-223, doi:10.1002/jrsm.1053.
"""

from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Bools
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import fit_inverse_variance
from vertebro_outcomes.meta_analysis.pool import check_option
from vertebro_outcomes.meta_analysis.study_rows import study_rows
from vertebro_outcomes.results.subsets import Subsets

MOST_SUBSETS: Final = (
    2**18
)  # beyond 18 studies a sample of this size is drawn: a minute becomes hours
SUBSETS_AT_ONCE: Final = 8192


def gosh(
    es: pd.DataFrame,
    *,
    method: Tau2Method = "REML",
    measure: str | None = None,
    most: int = MOST_SUBSETS,
    seed: int = 1,
) -> Subsets:
    """Pool every non-empty subset of the studies.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` as for `pool`; optional `study`, `measure`.
    method
        tau² estimator, or "EE".
    most : int
        With more subsets than this, a random sample of this many distinct ones is taken.
    seed : int
        Seed of that sample.

    Returns
    -------
    Subsets
        Estimate, tau² and I² of each subset, and what each study does to them.

    Raises
    ------
    InputError
        Fewer than three usable studies, or what `pool` refuses.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.1, 0.2, 0.9], "variance": [0.02, 0.02, 0.02]})
    >>> len(vo.gosh(es).estimate)
    7
    """
    check_option("method", method, TAU2_METHODS, function="gosh")
    rows = study_rows(es, function="gosh", measure=measure)
    k = len(rows.effects)
    if k < 3:
        raise refuse_argument("gosh", "es", f"{k} usable studies", "at least 3 studies")
    members = _members(k, most=most, seed=seed)
    blocks = []
    for start in range(0, len(members), SUBSETS_AT_ONCE):
        inside = members[start : start + SUBSETS_AT_ONCE]
        y = np.where(inside, rows.effects, np.nan)
        v = np.where(inside, rows.variances, np.nan)
        fit = fit_inverse_variance(y, v, method=method)
        blocks.append((fit.estimate, fit.tau2, fit.i2_pct(), fit.k))
    estimate, tau2, i2_pct, sizes = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return Subsets(
        measure=rows.measure,
        method=method,
        labels=rows.labels,
        members=members,
        estimate=estimate,
        tau2=tau2,
        i2_pct=i2_pct,
        k=sizes,
        sampled=len(members) < 2**k - 1,
        excluded=rows.excluded,
    )


def _members(k: int, *, most: int, seed: int) -> Bools:
    """Membership (B, k) of all subsets, or of a seeded sample of distinct ones."""
    if 2**k - 1 <= most:
        codes = np.arange(1, 2**k, dtype=np.int64)
        return np.asarray((codes[:, None] >> np.arange(k)) & 1 == 1)
    rng = np.random.default_rng(seed)
    inside = rng.random((int(most * 1.2), k)) < 0.5
    inside = inside[inside.any(axis=1)]
    _, first = np.unique(np.packbits(inside, axis=1), axis=0, return_index=True)
    return np.asarray(inside[np.sort(first)[:most]])
