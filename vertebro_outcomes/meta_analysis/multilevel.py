"""Pool effects that come in clusters: several time points, scales or arms per study."""

import math
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.pooled.cluster_robust import Robust, robust_covariance
from vertebro_outcomes.estimators.pooled.clusters import Clusters, gather
from vertebro_outcomes.estimators.pooled.mixed_effects import fit_mixed_effects
from vertebro_outcomes.estimators.pooled.multilevel import (
    Likelihood,
    MultilevelFit,
    fit_multilevel,
)
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.meta_analysis.coefficient_table import certain_terms, coefficient_table
from vertebro_outcomes.meta_analysis.meta_regression import (
    JointTest,
    check_clusters,
    check_robust,
    degrees_of_freedom,
    robust_joint_test,
)
from vertebro_outcomes.meta_analysis.moderators import ModeratedStudies, moderated_studies
from vertebro_outcomes.meta_analysis.pool import check_level, check_option
from vertebro_outcomes.results.meta_regression import joint_terms
from vertebro_outcomes.results.multilevel_effect import MultilevelEffect

Quantile = Literal["wald", "t"]


def pool_multilevel(
    es: pd.DataFrame,
    formula: str = "~ 1",
    *,
    cluster: str,
    method: Likelihood = "REML",
    ci: Quantile = "wald",
    level: float = 0.95,
    rho: float = 0.0,
    robust: Robust | None = None,
    measure: str | None = None,
) -> MultilevelEffect:
    """Three-level meta-analysis: effects within clusters (studies) within their population.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` as for `pool`, the column `cluster` and those of the formula. Rows
        with a missing value in one of them are left out and listed.
    formula : str
        Moderators as for `meta_regression`; "~ 1" pools.
    cluster : str
        Column that names the study each effect belongs to.
    method
        "REML" or "ML".
    ci
        "wald" (normal) or "t" (k - p degrees of freedom); with `robust` its own degrees of freedom.
    level : float
        Confidence level, between 0 and 1.
    rho : float
        Correlation of the sampling errors of two effects of one study, 0 to below 1; 0 treats them as
        independent, which understates their dependence when the same patients are measured again.
    robust
        Cluster-robust covariance as for `meta_regression`; "CR2" guards against a wrong `rho`.
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    MultilevelEffect

    Raises
    ------
    InputError
        One effect in every cluster, a single cluster, `rho` outside its range, and what
        `meta_regression` refuses.

    References
    ----------
    Konstantopoulos (2011), Res Synth Methods 2:61-76, doi:10.1002/jrsm.35; Van den Noortgate et al.
    (2013), Behav Res Methods 45:576-594, doi:10.3758/s13428-012-0261-6; Pustejovsky and Tipton (2022),
    Prev Sci 23:425-438, doi:10.1007/s11121-021-01246-3 (constant sampling correlation).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.1, 0.2, 0.5, 0.7], "variance": [0.02] * 4, "trial": list("aabc")})
    >>> vo.pool_multilevel(es, cluster="trial").n_clusters
    3
    """
    check_option("method", method, get_args(Likelihood), function="pool_multilevel")
    check_option("ci", ci, get_args(Quantile), function="pool_multilevel")
    check_level(level, function="pool_multilevel")
    check_robust(robust, cluster, function="pool_multilevel")
    if not 0 <= rho < 1:
        raise refuse_argument("pool_multilevel", "rho", rho, "0 to below 1, such as 0.6")
    found = moderated_studies(
        es, formula, function="pool_multilevel", measure=measure, also=(cluster,)
    )
    y, v, x = found.rows.effects, found.rows.variances, found.x
    groups, names = pd.factorize(es[cluster][found.rows.kept])
    _refuse_flat(groups, p=x.shape[1], cluster=cluster)
    data = gather(y, v, x=x, cluster=groups, rho=rho)
    fit = _fit(data, method=method)
    return _result(
        found, data, fit, names=[str(names[g]) for g in groups], cluster=cluster, method=method,
        ci=ci, level=level, rho=rho, robust=robust, formula=formula,
    )  # fmt: skip


def _fit(data: Clusters, *, method: Likelihood) -> MultilevelFit:
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            return fit_multilevel(data, method=method)
    except (FloatingPointError, np.linalg.LinAlgError):
        found = "effects or variances too many orders of magnitude apart to invert their covariance"
        raise refuse_argument("pool_multilevel", "es", found, "numbers of similar size") from None


def _result(
    found: ModeratedStudies,
    data: Clusters,
    fit: MultilevelFit,
    *,
    names: list[str],
    cluster: str,
    method: Likelihood,
    ci: Quantile,
    level: float,
    rho: float,
    robust: Robust | None,
    formula: str,
) -> MultilevelEffect:
    terms, (k, p) = found.design.terms, found.x.shape
    by_cluster, covariance = None, fit.covariance
    joint = _joint_test(fit, terms, left=math.inf if ci == "wald" else float(k - p))
    if robust is not None:
        check_clusters(data.m, p=p, cluster=cluster, function="pool_multilevel")
        by_cluster = robust_covariance(data, sigma2=fit.sigma2, kind=robust)
        covariance = by_cluster.covariance
        joint = robust_joint_test(by_cluster, fit.beta, terms, kind=robust)
    otherwise = math.inf if ci == "wald" else float(k - p)
    degrees = degrees_of_freedom(by_cluster, kind=robust, otherwise=otherwise)
    df = np.array([degrees(row) for row in np.eye(p)])
    low, high = math.nan, math.nan
    if terms == ("Intercept",):
        reach = float(t_quantile(df, level=level)[0]) * math.sqrt(
            float(covariance[0, 0]) + float(fit.sigma2.sum())
        )
        low, high = float(fit.beta[0]) - reach, float(fit.beta[0]) + reach
    shares = _shares(found, fit.sigma2)
    spread = np.diag(fit.sigma2_covariance)
    errors = np.sqrt(np.where(spread >= 0, spread, np.nan))  # negative where rounding took over
    note = f"The search for the variance components ({method}) did not end; nothing here is safe."
    return MultilevelEffect(
        measure=found.rows.measure,
        formula=formula,
        method=method,
        ci=ci,
        level=level,
        cluster=cluster,
        rho=rho,
        robust=robust,
        k=k,
        n_clusters=data.m,
        coefficients=coefficient_table(terms, fit.beta, covariance=covariance, df=df, level=level),
        covariance=pd.DataFrame(covariance, index=list(terms), columns=list(terms)),
        sigma2_between=float(fit.sigma2[0]),
        sigma2_within=float(fit.sigma2[1]),
        sigma2_between_se=float(errors[0]),
        sigma2_within_se=float(errors[1]),
        i2_between_pct=shares[0],
        i2_within_pct=shares[1],
        q=fit.q,
        q_df=k - p,
        q_p_value=float(special.chdtrc(k - p, fit.q)),
        q_moderators=joint[0],
        q_moderators_df=joint[1],
        q_moderators_df2=joint[2],
        q_moderators_p_value=joint[3],
        prediction_low=low,
        prediction_high=high,
        log_likelihood=fit.log_likelihood,
        aic=2.0 * (p + 2) - 2.0 * fit.log_likelihood,
        labels=found.rows.labels,
        clusters=tuple(names),
        effects=found.rows.effects,
        variances=found.rows.variances,
        data=data,
        excluded=found.rows.excluded,
        notes=(*(() if fit.converged else (note,)), *certain_terms(covariance)),
    )


def _joint_test(fit: MultilevelFit, terms: tuple[str, ...], *, left: float) -> JointTest:
    tested = joint_terms(terms)
    df = int(tested.sum())
    b, v = fit.beta[tested], fit.covariance[np.ix_(tested, tested)]
    q = float(b @ np.linalg.solve(v, b))
    if math.isinf(left):
        return q, df, left, float(special.chdtrc(df, q))
    return q / df, df, left, float(special.fdtrc(df, left, q / df))


def _shares(found: ModeratedStudies, sigma2: Floats) -> tuple[float, float]:
    """I² between and within clusters, in percent, with the typical sampling variance."""
    y, v = found.rows.effects[None], found.rows.variances[None]
    typical = float(fit_mixed_effects(y, v, x=found.x, method="EE").typical_variance[0])
    total = typical + float(sigma2.sum())
    return 100.0 * float(sigma2[0]) / total, 100.0 * float(sigma2[1]) / total


def _refuse_flat(groups: Ints, *, p: int, cluster: str) -> None:
    sizes = np.bincount(groups)
    found, next_step = "", ""
    if len(sizes) < 2:
        found, next_step = (
            f"{len(sizes)} cluster",
            "a single study cannot tell variation between studies",
        )
    elif sizes.max() == 1:
        found, next_step = "one effect in every cluster", "use pool() or meta_regression()"
    elif len(groups) <= p + 1:
        found, next_step = f"{len(groups)} effects for {p} coefficients", "use fewer moderators"
    if found:
        problem = Problem(
            f"column {cluster}", found, "two clusters or more, one with several effects"
        )
        raise InputError("pool_multilevel()", [problem], next_step)
