"""Which studies carry the result: deletion diagnostics."""

from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.pooled.deletion import deletion_diagnostics
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import INTERVALS, Interval
from vertebro_outcomes.meta_analysis.moderators import moderated_studies
from vertebro_outcomes.meta_analysis.pool import check_option, pick_dialect
from vertebro_outcomes.results.influence import Influence

PER_STUDY: Final = (
    *("rstudent", "dffits", "cook_d", "cov_r", "tau2_del", "q_del", "hat", "weight_pct"),
    *("baujat_x", "baujat_y", "influential"),
)


def influence(
    es: pd.DataFrame,
    *,
    formula: str = "~ 1",
    method: Tau2Method | None = None,
    ci: Interval | None = None,
    dialect: str = "metafor",
    measure: str | None = None,
) -> Influence:
    """Deletion diagnostics of a pooled effect or a meta-regression.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` as for `pool`, and the columns of the formula.
    formula : str
        Moderators as for `meta_regression`; "~ 1" is the pooled effect.
    method, ci, dialect, measure
        As for `pool`; with "hksj" the standard errors are scaled as there.

    Returns
    -------
    Influence
        Studentised deleted residuals, DFFITS, Cook's distance, covariance ratio, tau² and Q without
        the study, hat values, weights, DFBETAS, Baujat coordinates. NaN where the other studies do
        not determine the model.

    Raises
    ------
    InputError
        Too few studies, or what `meta_regression` refuses.

    References
    ----------
    Viechtbauer and Cheung (2010), Res Synth Methods 1:112-125, doi:10.1002/jrsm.11.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.1, 0.2, 0.15, 2.0], "variance": [0.02] * 4})
    >>> vo.influence(es, method="DL").to_frame()["study"].tolist()[-1]
    'row 4'
    """
    rules = pick_dialect(dialect, function="influence")
    method, ci = method or rules.tau2_method, ci or rules.ci
    check_option("method", method, TAU2_METHODS, function="influence")
    check_option("ci", ci, INTERVALS, function="influence")
    data = moderated_studies(es, formula, function="influence", measure=measure)
    k, p = data.x.shape
    if k < p + 1:
        short = f"{k} usable studies for {p} coefficients"
        problem = Problem("argument es", short, f"at least {p + 1} studies")
        raise InputError("influence()", [problem], "diagnose a model with fewer coefficients")
    found = deletion_diagnostics(
        data.rows.effects, data.rows.variances, x=data.x, method=method, ci=ci
    )
    table = pd.DataFrame(
        {"study": list(data.rows.labels)} | {name: getattr(found, name) for name in PER_STUDY}
    )
    terms = data.design.terms
    for j, term in enumerate(terms):
        name = "dfbetas" if terms == ("Intercept",) else f"dfbetas_{term}"
        table.insert(table.columns.get_loc("baujat_x"), name, found.dfbetas[:, j])
    open_ends = int((~found.converged).sum())
    undefined = bool(np.isnan(found.cook_d).any())
    notes = (
        *(
            (f"The search for tau² did not end without {open_ends} of the studies.",)
            * bool(open_ends)
        ),
        *(("NaN: without that study the others do not determine the model.",) * undefined),
    )
    return Influence(
        measure=data.rows.measure,
        method=method,
        ci=ci,
        formula=formula,
        k=k,
        terms=terms,
        table=table,
        excluded=data.rows.excluded,
        notes=notes,
    )
