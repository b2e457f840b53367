"""Meta-regression: how effects change with characteristics of the studies."""

import math
from collections.abc import Callable
from typing import get_args

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.cluster_robust import (
    Robust,
    RobustCovariance,
    robust_covariance,
)
from vertebro_outcomes.estimators.pooled.clusters import gather
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import INTERVALS, Interval
from vertebro_outcomes.estimators.pooled.mixed_effects import MixedEffectsFit, fit_mixed_effects
from vertebro_outcomes.estimators.pooled.moderated_heterogeneity import tau2_standard_error
from vertebro_outcomes.estimators.pooled.permutation import wald_test
from vertebro_outcomes.estimators.pooled.weighted_regression import regressions
from vertebro_outcomes.meta_analysis.coefficient_table import certain_terms, coefficient_table
from vertebro_outcomes.meta_analysis.moderators import ModeratedStudies, moderated_studies
from vertebro_outcomes.meta_analysis.pool import check_level, check_option, pick_dialect
from vertebro_outcomes.results.meta_regression import MetaRegression, joint_terms

JointTest = tuple[float, int, float, float]


def meta_regression(
    es: pd.DataFrame,
    formula: str,
    *,
    method: Tau2Method | None = None,
    ci: Interval | None = None,
    level: float = 0.95,
    dialect: str = "metafor",
    measure: str | None = None,
    robust: Robust | None = None,
    cluster: str | None = None,
) -> MetaRegression:
    """Regress the effects of several studies on moderators, with residual heterogeneity.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale and the columns of the formula; optional
        `study`, `measure`. Rows with a missing value in one of them are left out and listed.
    formula : str
        The right-hand side, such as "~ year + blinded", "~ year * design", "~ 0 + design". Text
        columns are categories compared with the first in sorted order; True counts as 1.
    method
        tau² estimator DL HE HS SJ ML REML EB PM, or EE without residual heterogeneity. Default: the
        dialect's.
    ci
        "wald" (normal), "hksj" (Knapp-Hartung, t and F on k - p), "hksj_adhoc" (never narrower than
        wald). Default: the dialect's.
    level : float
        Confidence level of all intervals, between 0 and 1.
    dialect
        A name of `DIALECTS`; explicit arguments win over it.
    measure
        Name of `MEASURES`, if `es` has no such column.
    robust
        Cluster-robust covariance: "CR2" (bias-reduced, Satterthwaite degrees of freedom), "CR0",
        "CR1" (times m/(m - 1)), "CR1p" (times m/(m - p)), the last three with t on m - p; m clusters.
    cluster : str
        Column that tells which effects belong together; with `robust`.

    Returns
    -------
    MetaRegression
        R² compares tau² with that of the same studies without moderators. Without an intercept Q
        and tau² refer to the moderators as they stand.

    Raises
    ------
    InputError
        An unknown column, a moderator with one value, collinear moderators, too few studies, what
        `pool` refuses.

    References
    ----------
    Viechtbauer (2010), J Stat Softw 36(3), doi:10.18637/jss.v036.i03; Knapp and Hartung (2003), Stat
    Med 22:2693-2710, doi:10.1002/sim.1482; Pustejovsky and Tipton (2018), J Bus Econ Stat 36:672-683,
    doi:10.1080/07350015.2016.1247004.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.1, 0.3, 0.6, 0.6], "variance": [0.02] * 4, "year": [0, 1, 2, 3]})
    >>> vo.meta_regression(es, "~ year", method="DL").coefficients["estimate"].round(2).tolist()
    [0.13, 0.18]
    """
    rules = pick_dialect(dialect, function="meta_regression")
    method = method or rules.tau2_method
    ci = ci or rules.ci
    check_option("method", method, TAU2_METHODS, function="meta_regression")
    check_option("ci", ci, INTERVALS, function="meta_regression")
    check_level(level, function="meta_regression")
    check_robust(robust, cluster, function="meta_regression")
    also = () if cluster is None else (cluster,)
    data = moderated_studies(es, formula, function="meta_regression", measure=measure, also=also)
    y, v, x = data.rows.effects, data.rows.variances, data.x
    k, p = x.shape
    if k == p and method != "EE":
        _refuse_saturated(k, data.design.terms)
    fit = fit_mixed_effects(y[None], v[None], x=x, method=method)
    beta, terms = fit.beta[0], data.design.terms
    by_cluster = None
    if robust is None or cluster is None:
        covariance, joint = fit.covariance(ci=ci)[0], _joint_test(fit, terms, ci=ci)
    else:
        groups = pd.factorize(es[cluster][data.rows.kept])[0]
        check_clusters(int(groups.max()) + 1, p=p, cluster=cluster, function="meta_regression")
        gathered = gather(y, v, x=x, cluster=groups)
        components = np.array([0.0, fit.tau2[0]])
        by_cluster = robust_covariance(gathered, sigma2=components, kind=robust)
        covariance = by_cluster.covariance
        joint = robust_joint_test(by_cluster, beta, terms, kind=robust)
    degrees = degrees_of_freedom(
        by_cluster, kind=robust, otherwise=math.inf if ci == "wald" or k == p else float(k - p)
    )
    df = np.array([degrees(row) for row in np.eye(p)])
    without, r2_pct = _explained(fit, data, method=method)
    return MetaRegression(
        measure=data.rows.measure,
        formula=formula,
        method=method,
        ci=ci,
        level=level,
        dialect=rules.name,
        k=k,
        coefficients=coefficient_table(terms, beta, covariance=covariance, df=df, level=level),
        covariance=pd.DataFrame(covariance, index=list(terms), columns=list(terms)),
        tau2=float(fit.tau2[0]),
        tau2_se=_tau2_se(data, fit, method=method),
        tau2_without=without,
        r2_pct=r2_pct,
        i2_pct=float(fit.i2_pct()[0]),
        h2=float(fit.h2()[0]),
        q_residual=float(fit.q[0]),
        q_residual_df=k - p,
        q_residual_p_value=float(special.chdtrc(k - p, fit.q[0])) if k > p else 1.0,
        q_moderators=joint[0],
        q_moderators_df=joint[1],
        q_moderators_df2=joint[2],
        q_moderators_p_value=joint[3],
        robust=robust,
        n_clusters=None if by_cluster is None else len(by_cluster.own),
        labels=data.rows.labels,
        effects=y,
        variances=v,
        weights_pct=100.0 * fit.weights[0] / fit.weights[0].sum(),
        x=x,
        design=data.design,
        degrees=degrees,
        excluded=data.rows.excluded,
        notes=(*_notes(fit, method=method), *certain_terms(covariance)),
    )


def check_robust(robust: str | None, cluster: str | None, *, function: str) -> None:
    """A known correction, and a cluster column whenever one is asked for."""
    if robust is not None:
        check_option("robust", robust, get_args(Robust), function=function)
        if cluster is None:
            raise refuse_argument(function, "cluster", None, "the column that names the clusters")
    elif cluster is not None and function == "meta_regression":
        raise refuse_argument(
            function, "robust", None, f"{', '.join(get_args(Robust))} with cluster"
        )


def check_clusters(m: int, *, p: int, cluster: str, function: str) -> None:
    """More clusters than coefficients."""
    if m <= p:
        problem = Problem(f"column {cluster}", f"{m} clusters", f"more than {p}, the coefficients")
        raise InputError(f"{function}()", [problem], "use fewer moderators, or leave out robust")


def degrees_of_freedom(
    by_cluster: RobustCovariance | None, *, kind: Robust | None, otherwise: float
) -> Callable[[Floats], float]:
    """Degrees of freedom of any combination of coefficients."""
    if by_cluster is None:
        return lambda _: otherwise
    if kind == "CR2":
        return by_cluster.df
    m, p = by_cluster.own.shape[:2]
    return lambda _: float(m - p)


def robust_joint_test(
    by_cluster: RobustCovariance, beta: Floats, terms: tuple[str, ...], *, kind: Robust
) -> JointTest:
    """F, its degrees of freedom and p: approximate Hotelling for CR2, F on m - p otherwise."""
    tested = joint_terms(terms)
    if kind == "CR2":
        f, df, df2, p_value = by_cluster.joint_test(beta, tested)
        return float(f), int(df), float(df2), float(p_value)
    m, p = by_cluster.own.shape[:2]
    df = int(tested.sum())
    v = by_cluster.covariance[np.ix_(tested, tested)]
    f = float(beta[tested] @ np.linalg.solve(v, beta[tested])) / df
    return f, df, float(m - p), float(special.fdtrc(df, m - p, f))


def _joint_test(fit: MixedEffectsFit, terms: tuple[str, ...], *, ci: Interval) -> JointTest:
    tested = joint_terms(terms)
    df, left = int(tested.sum()), int(fit.df[0])
    q = float(wald_test(fit, tested, ci=ci)[0])
    if ci == "wald" or left == 0:
        return q, df, math.inf, float(special.chdtrc(df, q))
    return q / df, df, float(left), float(special.fdtrc(df, left, q / df))


def _explained(
    fit: MixedEffectsFit, data: ModeratedStudies, *, method: Tau2Method
) -> tuple[float, float]:
    """tau² without moderators, and the share they explain (by Q per degree of freedom under EE)."""
    y, v = data.rows.effects[None], data.rows.variances[None]
    mean = fit_mixed_effects(y, v, x=np.ones((y.shape[1], 1)), method=method)
    without = float(mean.tau2[0])
    if not data.design.has_intercept or len(data.design.terms) == 1 or not fit.df[0]:
        return without, math.nan
    if method == "EE":
        before, after = float(mean.q[0] / mean.df[0]), float(fit.q[0] / fit.df[0])
    else:
        before, after = without, float(fit.tau2[0])
    return without, 100.0 * max(0.0, (before - after) / before) if before > 0 else 0.0


def _tau2_se(data: ModeratedStudies, fit: MixedEffectsFit, *, method: Tau2Method) -> float:
    if method not in ("REML", "ML"):
        return math.nan
    arrays = regressions(data.rows.effects[None], data.rows.variances[None], data.x)
    return float(tau2_standard_error(arrays, fit.tau2, restricted=method == "REML")[0])


def _refuse_saturated(k: int, terms: tuple[str, ...]) -> None:
    problem = Problem(
        "argument es",
        f"{k} studies for {len(terms)} coefficients: nothing is left to estimate tau² from",
        f"at least {len(terms) + 1} studies, or method='EE'",
    )
    raise InputError("meta_regression()", [problem], "use fewer moderators or levels")


def _notes(fit: MixedEffectsFit, *, method: str) -> tuple[str, ...]:
    if fit.converged[0]:
        return ()
    return (f"The search for tau² ({method}) did not end; estimates and intervals are not safe.",)
