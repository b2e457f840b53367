"""Studies of two or more arms as contrasts that are independent, with one variance each.

A study with m arms is known by the variances V of its m(m - 1)/2 comparisons. M = -½ J V J (J centres
on the mean of the arms) is the covariance of its arms around their mean, and its pseudo-inverse is the
weighted Laplacian of the study: its off-diagonal elements are minus the reduced weights of Rücker
(2012). Along the eigenvectors u of M the study splits into m - 1 uncorrelated contrasts √2 u'θ with
variance 2λ. A between-study variance tau² with covariance tau²/2 between comparisons that share an
arm adds tau² to each of these variances, whatever m, so a network is a regression with independent
rows: y = X mu + e, e ~ N(0, v + tau²), mu one position per treatment, defined up to a shift.

References
----------
Rücker (2012), Res Synth Methods 3:312-324, doi:10.1002/jrsm.1058, sections 2 and 4;
Rücker and Schwarzer (2014), Stat Med 33:4353-4369, doi:10.1002/sim.6236 (weights of multi-arm studies).
"""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints


@dataclass(frozen=True)
class StudyArms:
    """One study: treatments (indices), effects and variances of all pairs as m x m matrices.

    `effects[i, j]` is arm i minus arm j; both matrices have zeros on the diagonal.
    """

    treatments: Ints
    effects: Floats
    variances: Floats

    def arm_covariance(self) -> Floats:
        """M = -½ J V J: covariance of the arms around their mean."""
        v = self.variances
        rows = v.mean(axis=1)
        return -0.5 * (v - rows[:, None] - rows[None, :] + v.mean())

    def arm_variances(self) -> Floats:
        """The s with V_ij = s_i + s_j, by least squares; three arms fix them exactly."""
        m = len(self.treatments)
        rows = self.variances.sum(axis=1)
        return (rows - rows.sum() / (2 * (m - 1))) / (m - 2)

    def positions(self, tau2: float) -> tuple[Floats, float]:
        """Arms on one line by weighted least squares over all pairs, and the rest that does not fit.

        The rest is a weighted sum of squares, zero if the effects of the study close.
        """
        values, vectors = np.linalg.eigh(self.arm_covariance())
        spread = values[1:] + tau2 / 2
        u = vectors[:, 1:]
        w = -(u / spread) @ u.T  # reduced weights off the diagonal
        np.fill_diagonal(w, 0.0)
        theta = (u * spread) @ (u.T @ (w * self.effects).sum(axis=1))
        rest = self.effects - (theta[:, None] - theta[None, :])
        return theta, float((w * rest**2).sum() / 2)


@dataclass(frozen=True)
class IndependentContrasts:
    """Rows y = X mu + e with variances v; `study` is the index of the study a row belongs to.

    `open_sum` is the part of Q that comes from multi-arm studies whose effects do not close exactly.
    """

    y: Floats
    v: Floats
    x: Floats
    study: Ints
    open_sum: float


def independent_contrasts(
    studies: tuple[StudyArms, ...], *, treatments: int, tau2: float = 0.0
) -> IndependentContrasts:
    """Rotate every study into independent contrasts.

    Parameters
    ----------
    studies
        All with an M of full rank (m - 1 positive eigenvalues).
    treatments : int
        Number of treatments of the network.
    tau2 : float
        Between-study variance used to weigh the pairs of a study that does not close.
    """
    sizes = [len(study.treatments) - 1 for study in studies]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    y, v = np.empty(starts[-1]), np.empty(starts[-1])
    x = np.zeros((starts[-1], treatments))
    open_sum = 0.0
    for first, study in zip(starts[:-1], studies, strict=True):
        arms = study.treatments
        if len(arms) == 2:
            y[first], v[first] = study.effects[0, 1], study.variances[0, 1]
            x[first, arms[0]], x[first, arms[1]] = 1.0, -1.0
            continue
        rows = slice(first, first + len(arms) - 1)
        values, vectors = np.linalg.eigh(study.arm_covariance())
        theta, rest = study.positions(tau2)
        turn = np.sqrt(2.0) * vectors[:, 1:].T
        y[rows], v[rows] = turn @ theta, 2.0 * values[1:]
        x[rows, arms] = turn
        open_sum += rest
    return IndependentContrasts(y, v, x, np.repeat(np.arange(len(studies)), sizes), open_sum)


def contrasts_without_sampling_covariance(
    studies: tuple[StudyArms, ...], *, treatments: int, reference: int
) -> IndependentContrasts:
    """Rows as `independent_contrasts` makes them, had multi-arm studies no sampling covariance.

    Each study gives its contrasts against `reference` (else against its last arm) with a diagonal
    sampling covariance D and the between-study covariance tau² S, S = 1 on and ½ off the diagonal.
    With S = CC' and C⁻¹ D C'⁻¹ = U Λ U' the rows U'C⁻¹y have covariance Λ + tau² I. Not the model of
    the data, but the one that netmeta 2.8 hands to metafor for REML.
    """
    y, v, x, index = [], [], [], []
    for number, study in enumerate(studies):
        arms = study.treatments
        base = int(np.argmax(arms == reference)) if reference in arms else len(arms) - 1
        others = np.delete(np.arange(len(arms)), base)
        m = len(others)
        root = np.linalg.inv(np.linalg.cholesky(0.5 * np.eye(m) + 0.5))
        values, vectors = np.linalg.eigh((root * study.variances[others, base]) @ root.T)
        turn = vectors.T @ root
        compared = np.zeros((m, treatments))
        compared[np.arange(m), arms[others]] = 1.0
        compared[:, arms[base]] = -1.0
        y.append(turn @ study.effects[others, base])
        v.append(values)
        x.append(turn @ compared)
        index.append(np.full(m, number))
    return IndependentContrasts(
        y=np.concatenate(y),
        v=np.concatenate(v),
        x=np.concatenate(x),
        study=np.concatenate(index),
        open_sum=0.0,
    )
