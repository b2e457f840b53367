"""Strategies contrasted: clones with weights, a landmark, and the naive clock for comparison only."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.emulation.adherence import TRUNCATED_AT, Clones, clones_of
from vertebro_outcomes.estimators.emulation.course import CENSORED, Course, Curve, EmulationFit
from vertebro_outcomes.estimators.emulation.weighted_incidence import weighted_incidence
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.propensity.weights import balancing_weights, stabilised
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


def fit_clone_censor_weight(course: Course, *, truncate: float = TRUNCATED_AT) -> EmulationFit:
    """Risk (or mean score) under both strategies: clones, artificially censored, weighted.

    Parameters
    ----------
    course : Course
    truncate : float
        Quantile at which the weights of each arm are cut.

    Returns
    -------
    EmulationFit

    Raises
    ------
    UnanswerableError
        If nobody keeps to a strategy.

    Reference
    ---------
    Hernan & Robins (2016), doi:10.1093/aje/kwv254; Maringe et al. (2020), doi:10.1093/ije/dyaa057.
    """
    t, c = clones_of(course, truncate=truncate)
    G = float(course.grace)
    in_t, in_c = t.kept_to(G), c.kept_to(G)
    weights = np.where(in_t, t.weight_on(G + 1.0), np.where(in_c, c.weight_on(G + 1.0), 0.0))
    value_t, psi_t, curve_t = _value(t, course)
    value_c, psi_c, curve_c = _value(c, course)
    return EmulationFit(
        value_t=value_t, value_c=value_c, influence_t=psi_t, influence_c=psi_c, weights=weights,
        in_t=in_t, in_c=in_c, curve_t=curve_t, curve_c=curve_c, cap_t=t.cap, cap_c=c.cap,
    )  # fmt: skip


def _value(arm: Clones, course: Course) -> tuple[float, Floats, Curve | None]:
    """Risk at the day; or the weighted mean of the scores of those who kept to the strategy till then."""
    day = float(course.day)
    if course.y is None:
        return weighted_incidence(
            arm.last, arm.cause, weight_on=arm.weight_on, settled=arm.settled, day=day
        )
    until = np.minimum(course.time, day)
    kept = (arm.last >= until) & ~np.isnan(course.y)
    if kept.sum() < 2:
        raise UnanswerableError("fewer than two patients kept to a strategy and have a score")
    w = np.where(kept, arm.weight_on(until), 0.0)
    y = np.where(kept, course.y, 0.0)
    mean = float(w @ y / w.sum())
    return mean, np.asarray(np.where(kept, w * (y - mean) / w.sum(), 0.0)), None


def fit_landmark(course: Course, *, truncate: float = TRUNCATED_AT) -> EmulationFit:
    """Patients still at risk after the grace period, by what they had by then, weighted for covariates.

    Returns
    -------
    EmulationFit
        Risks are those from the landmark to `course.day`, among patients who reached it.

    Reference
    ---------
    Anderson, Cain & Gelber (1983), J Clin Oncol 1:710-719, doi:10.1200/JCO.1983.1.11.710;
    Dafni (2011), Circ Cardiovasc Qual Outcomes 4:363-371, doi:10.1161/CIRCOUTCOMES.110.957951.
    """
    L = float(course.grace)
    own = (course.own <= L) & (course.own <= course.other)
    enters = (course.time > L) & (own | (course.first > L))
    leaves = course.time
    if course.never:
        leaves = np.where(own, course.time, np.minimum(course.time, course.first - 1.0))
        enters &= leaves > L
    cause = np.where(leaves < course.time, CENSORED, course.cause)
    return _two_groups(course, own, enters, _End(leaves, cause), start=L, truncate=truncate)


def fit_naive_from_procedure(course: Course, *, truncate: float = TRUNCATED_AT) -> EmulationFit:
    """The clock of the treated starts at their procedure, that of the others at time zero: biased.

    Patients who die waiting count against the comparator; kept to show how large that error is.

    Reference
    ---------
    Suissa (2008), Am J Epidemiol 167:492-499, doi:10.1093/aje/kwm324 (immortal time).
    """
    own = np.isfinite(course.own) & (course.own <= course.other) & (course.own <= course.time)
    enters = own | ~np.isfinite(course.first)
    leaves = np.where(own, course.time - course.own, course.time)
    end = _End(leaves, course.cause)
    return _two_groups(course, own, enters, end, start=-1.0, truncate=truncate)


@dataclass(frozen=True)
class _End:
    last: Floats
    cause: Ints


def _two_groups(
    course: Course, own: Bools, enters: Bools, end: _End, *, start: float, truncate: float
) -> EmulationFit:
    """Both groups weighted to all who enter (ATE) on baseline covariates."""
    for group, name in ((own & enters, "treated"), (~own & enters, "untreated")):
        if group.sum() < 2:
            raise UnanswerableError(f"fewer than two {name} patients enter the comparison")
    e = np.full(len(own), float(own[enters].mean()))
    if course.x.shape[1]:
        e[enters] = fit_logistic(course.x[enters], own[enters]).probability
    w = np.zeros(len(own))
    w[enters] = stabilised(balancing_weights(e[enters], own[enters], kind="ate"), own[enters])
    groups = own & enters, ~own & enters
    for group in groups:
        w[group] = np.minimum(w[group], np.quantile(w[group], truncate))
    found = [_group_value(course, group, w, end, start) for group in groups]
    (value_t, psi_t, curve_t), (value_c, psi_c, curve_c) = found
    return EmulationFit(
        value_t=value_t, value_c=value_c, influence_t=psi_t, influence_c=psi_c, weights=w,
        in_t=groups[0], in_c=groups[1], curve_t=curve_t, curve_c=curve_c, propensity=e,
        cap_t=float(w[groups[0]].max()), cap_c=float(w[groups[1]].max()),
    )  # fmt: skip


def _group_value(
    course: Course, group: Bools, w: Floats, end: _End, start: float
) -> tuple[float, Floats, Curve | None]:
    if course.y is None:
        last = np.where(group, end.last, start - 1.0)
        return weighted_incidence(
            last,
            end.cause,
            weight_on=lambda _: w,
            settled=start,
            day=float(course.day),
            start=start,
        )
    there = group & ~np.isnan(course.y)
    if there.sum() < 2:
        raise UnanswerableError("fewer than two patients of an arm have a score")
    y = np.where(there, course.y, 0.0)
    mean = float(w[there] @ y[there] / w[there].sum())
    return mean, np.asarray(np.where(there, w * (y - mean) / w[there].sum(), 0.0)), None
