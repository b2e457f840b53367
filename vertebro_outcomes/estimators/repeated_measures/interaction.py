"""Questions about one visit of a mixed model for repeated measures, with small-sample tests."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.contrasts.mmrm import infer, visit_design
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import sums_of_patients
from vertebro_outcomes.estimators.repeated_measures.reml import RemlFit, fit_reml

_SMALLEST = 1e-12  # eigenvalues of a covariance below this share of the largest do not count


@dataclass(frozen=True)
class VisitQuestions:
    """A fitted model; questions are rows of L about the first columns of the design, at one visit."""

    fit: RemlFit
    y: Floats
    u: Floats
    design: Floats
    visit: int
    variance: str

    def at(self, L: Floats) -> tuple[Floats, Floats, Floats]:
        """Estimates, standard errors and degrees of freedom, one for each row of L."""
        found = infer(
            self.fit, self._wide(L), self.variance, y=self.y, u=self.u, design=self.design
        )
        return found.estimate, found.se, found.df

    def wald(self, L: Floats) -> tuple[float, int, float, float]:
        """F statistic, its degrees of freedom, and the p-value of L beta = 0.

        Denominator degrees of freedom by Fai and Cornelius: those of the independent contrasts that
        the covariance of L beta consists of, averaged.
        """
        q = len(L)
        b = self.at(L)[0]
        values, vectors = np.linalg.eigh(self._covariance(L))
        if values[0] <= _SMALLEST * values[-1]:
            return np.nan, q, np.nan, np.nan
        F = float(np.sum((vectors.T @ b) ** 2 / values) / q)
        df = self.at(vectors.T @ L)[2]
        if q == 1:
            joint = float(df[0])
        else:
            counted = df[df > 2.0]
            E = float(np.sum(counted / (counted - 2.0)))
            joint = 2.0 * E / (E - q) if q < E else np.nan
        return F, q, joint, float(special.fdtrc(q, joint, F))

    def _covariance(self, L: Floats) -> Floats:
        """Of L beta, from the variances of sums and differences: any kind of variance will do."""
        q = len(L)
        own = self.at(L)[1] ** 2
        cov = np.diag(own)
        for i in range(q):
            for j in range(i):
                both = self.at(np.array([L[i] + L[j], L[i] - L[j]]))[1] ** 2
                cov[i, j] = cov[j, i] = (both[0] - both[1]) / 4.0
        return cov

    def _wide(self, L: Floats) -> Floats:
        """Questions to all coefficients: each of the first columns has one per visit."""
        T, p, _ = self.design.shape
        wide = np.zeros((len(L), p))
        wide[:, np.arange(L.shape[1]) * T + self.visit] = L
        return wide


def fit_visit_questions(
    y: Floats, X: Floats, x: Floats, *, varies: Bools, visit: int, variance: str
) -> VisitQuestions:
    """REML with unstructured covariance; columns of X have a coefficient of their own at every visit.

    Parameters
    ----------
    y : array (n, T)
        Scores, NaN where not seen; every patient has one.
    X : array (n, m)
        Intercept, modifier, arm and their products.
    x : array (n, p)
        Covariates; `varies` (p,) says which have a coefficient of their own at every visit.
    visit : int
        Column of y that is asked about.
    variance : {"satterthwaite", "kenward_roger", "kenward_roger_linear", "empirical"}

    Raises
    ------
    UnanswerableError
        If the covariance or the coefficients are not determined.

    Reference
    ---------
    Fai & Cornelius (1996), J Stat Comput Simul 54:363-378, doi:10.1080/00949659608811740.
    """
    u = np.column_stack([X, x])
    design = visit_design(y.shape[1], [True] * X.shape[1] + [bool(own) for own in varies])
    fit = fit_reml(sums_of_patients(y, u, design))
    return VisitQuestions(fit, y, u, design, visit, variance)
