"""Risk of each vertebra to break, by distance from the treated level and other risk factors."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

from vertebro_outcomes.comparisons.hazard_models import (
    check_numbers,
    coefficient_rows,
)
from vertebro_outcomes.comparisons.spine_patterns import OF_LEVEL, OF_VERTEBRA
from vertebro_outcomes.comparisons.vertebra_rows import (
    AT_RISK,
    FAR,
    VertebraRows,
    vertebra_rows,
)
from vertebro_outcomes.comparisons.vertebra_terms import Term, term_of
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Wholes
from vertebro_outcomes.estimators.survival.piecewise import fit_piecewise, fit_shared_frailty
from vertebro_outcomes.estimators.survival.units import Units, cells
from vertebro_outcomes.results.vertebra_risk import VertebraRisk

_NAME: Final = "vertebra_fractures"
VertebraVariance = Literal["cluster", "frailty"]
VertebraEvent = Literal["fracture", "symptomatic_fracture"]
FEW_CODES: Final = 5_000_000
INTERVALS_DAYS: Final = (30.0, 90.0, 180.0, 365.0, 730.0)
YEAR: Final = 365.25


def vertebra_fractures(
    cohort: Any,
    *,
    covariates: Sequence[str] = ("distance", "region"),
    event: VertebraEvent = "fracture",
    variance: VertebraVariance = "cluster",
    cuts: Mapping[str, Sequence[float]] | None = None,
    intervals_days: Sequence[float] = INTERVALS_DAYS,
    level: float = 0.95,
) -> VertebraRisk:
    """Hazard of a new fracture of each untreated, unfractured vertebra from T4 to L5.

    A piecewise-exponential model fitted on events and time at risk by interval and covariate
    pattern, which is exact for the rows; death and the end of follow-up censor a vertebra.

    Parameters
    ----------
    cohort : Cohort
        With `levels` (treated and fractured vertebrae), `fractures` with levels, and follow-up.
    covariates : sequence of str
        `distance` (1, 2, 3 against 4 and more levels from the nearest treated one), `region`
        (transitional T10 to L2, and L3 to L5, against T4 to T9) or `level` (each against L3);
        `disc_leakage`, `cement_ml` (ml) and `kyphosis_correction_deg` (degrees) of the nearest
        treated level; `treatment`; columns of patients or episodes. Numbers enter linearly.
    event : {"fracture", "symptomatic_fracture"}
        Which new fractures count.
    variance : {"cluster", "frailty"}
        Sandwich by patient, or a gamma frailty shared by the vertebrae of a patient.
    cuts : mapping of str to increasing numbers, optional
        Numeric covariates to be cut into classes, such as ``{"cement_ml": [4, 6]}``.
    intervals_days : increasing days
        Within each interval the hazard is constant; one without a fracture joins its neighbour.
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    VertebraRisk
        `.coefficients` are log hazard ratios; `.incidence` rates by level and distance.

    Raises
    ------
    InputError
        If nothing broke, no level is recorded, or a covariate cannot be estimated.

    Reference
    ---------
    Friedman 1982, doi:10.1214/aos/1176345694; Laird and Olivier 1981, doi:10.2307/2287816;
    Clayton 1978, doi:10.1093/biomet/65.1.141.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=1000, seed=1)
    >>> res = vo.vertebra_fractures(cohort)
    >>> res.coefficients["term"].tolist()[:2]
    ['distance: 1', 'distance: 2']
    """
    inner = _check(covariates, event, variance, cuts, intervals_days)
    check_numbers(_NAME, level=level)
    names = tuple(dict.fromkeys(covariates))
    elsewhere = (*OF_VERTEBRA, *OF_LEVEL)
    rows = vertebra_rows(
        cohort, event=event, columns=[name for name in names if name not in elsewhere],
        of_level=[name for name in names if name in OF_LEVEL], function=_NAME,
    )  # fmt: skip
    if not rows.event.any():
        words = event.replace("_", " ")
        problem = Problem(words, "no vertebra at risk had one", "at least one")
        raise InputError(
            f"{_NAME}()", [problem], "count another event, or report the rule of three"
        )
    notes = list(rows.notes)
    blocks = [
        term_of(rows, name, cuts=dict(cuts or {}).get(name), function=_NAME, notes=notes)
        for name in names
    ]
    codes, z, terms, whole = _patterns(blocks, rows, notes)
    z, terms, whole = _estimable(codes, z, terms, rows=rows, whole=whole, notes=notes)
    codes, z = _renumbered(codes[whole], z)
    units = Units(
        rows.patient[whole], codes, rows.time[whole], rows.event[whole], z,
        _usable(rows.time[whole & rows.event], inner), rows.alike,
    )  # fmt: skip
    fit = fit_shared_frailty(units) if variance == "frailty" else fit_piecewise(units)
    if not fit.converged:
        found = f"the likelihood of {', '.join(terms)} has no finite maximum"
        problem = Problem("argument covariates", found, "covariates that do not repeat others")
        raise InputError(f"{_NAME}()", [problem], "leave out a covariate or join rare classes")
    k = units.starts.size
    covariance = fit.covariance if variance == "frailty" else fit.robust
    se = np.sqrt(np.diag(covariance))
    table = coefficient_rows(terms, fit.beta[k:], se[k:], level)
    starts = units.starts
    baseline = pd.DataFrame(
        {"from_day": starts, "to_day": np.r_[starts[1:], np.inf],
         "rate_per_1000_years": 1000 * YEAR * np.exp(fit.beta[:k])}
    )  # fmt: skip
    return VertebraRisk(
        event=event, variance=variance, coefficients=table, baseline=baseline,
        incidence=_incidence(rows, level), theta=fit.theta, theta_se=fit.theta_se, level=level,
        n_patients=int(rows.alike[np.unique(units.patient)].sum()), n_vertebrae=fit.n_rows,
        n_fractures=fit.n_events, notes=tuple(notes), synthetic=cohort.synthetic,
    )  # fmt: skip


def _check(
    covariates: Any, event: Any, variance: Any, cuts: Any, intervals: Any
) -> Floats:  # fmt: skip
    if isinstance(covariates, str):
        raise refuse_argument(_NAME, "covariates", covariates, f"a list such as [{covariates!r}]")
    if {"level", "region"} <= set(covariates):
        raise refuse_argument(_NAME, "covariates", list(covariates), "level or region, not both")
    for name, value, words in (
        ("event", event, get_args(VertebraEvent)),
        ("variance", variance, get_args(VertebraVariance)),
    ):
        if value not in words:
            raise refuse_argument(_NAME, name, value, ", ".join(words))
    for name, limits in {"intervals_days": intervals, **dict(cuts or {})}.items():
        _check_limits(name, limits)
    inner = np.asarray(list(intervals), dtype=float)
    if np.any(inner <= 0):
        raise refuse_argument(_NAME, "intervals_days", intervals, "increasing days above 0")
    unknown = sorted(set(cuts or {}) - set(covariates))
    if unknown:
        raise refuse_argument(_NAME, "cuts", unknown, "names that are also in covariates")
    return inner


def _check_limits(name: str, limits: Any) -> None:
    try:
        inner = np.asarray(list(limits), dtype=float)
    except (TypeError, ValueError):
        inner = np.array([np.nan])
    if not (np.all(np.isfinite(inner)) and np.all(np.diff(inner) > 0)):
        where = name if name == "intervals_days" else "cuts"
        raise refuse_argument(_NAME, where, limits, f"increasing numbers for {name}")
    if name != "intervals_days" and not inner.size:
        raise refuse_argument(_NAME, "cuts", limits, f"at least one number for {name}")


def _patterns(
    blocks: list[Term], rows: VertebraRows, notes: list[str]
) -> tuple[Wholes, Floats, list[str], Bools]:
    """Pattern of every entry, covariates of the patterns, and the entries without a blank."""
    whole = np.ones(rows.patient.size, dtype=bool)
    code: Wholes = np.zeros(rows.patient.size, dtype=np.int32)
    z, terms = np.empty((1, 0)), []
    for own, classes, names in blocks:
        whole &= own >= 0
        joint = code * np.int64(classes.shape[0]) + np.maximum(own, 0)
        seen, code = _distinct(joint, code_max=int(joint.max(initial=0)))
        z = np.column_stack([z[seen // classes.shape[0]], classes[seen % classes.shape[0]]])
        terms += names
    if not whole.all():
        n, lost = rows.times(~whole).sum(), np.unique(rows.patient[~whole])
        notes.append(
            f"{n:.0f} vertebrae of {rows.alike[lost].sum():.0f} patients with a blank covariate are "
            "left out."
        )
    return code, z, terms, whole


def _distinct(code: Wholes, *, code_max: int) -> tuple[Wholes, Wholes]:
    """Distinct codes and each entry's place among them, by counting where the codes are few."""
    if code_max > FEW_CODES:
        seen, place = np.unique(code, return_inverse=True)
        return seen, place.astype(np.int32)
    there = np.bincount(code, minlength=code_max + 1) > 0
    return np.flatnonzero(there), (np.cumsum(there, dtype=np.int32) - 1)[code]


def _estimable(
    codes: Wholes,
    z: Floats,
    terms: list[str],
    *,
    rows: VertebraRows,
    whole: Bools,
    notes: list[str],
) -> tuple[Floats, list[str], Bools]:
    """Without covariates that do not vary and without classes in which nothing broke."""
    keep, hit = [], whole & rows.event
    n = np.bincount(codes[whole], rows.times(whole), minlength=z.shape[0])
    broken = np.bincount(codes[hit], minlength=z.shape[0]) > 0
    used = n > 0
    for j, name in enumerate(terms):
        kinds, inside = np.unique(z[used, j]), used & (z[:, j] == 1)
        if kinds.size < 2:
            notes.append(f"{name} does not vary and is left out.")
            continue
        if set(kinds) == {0.0, 1.0} and not broken[inside].any():
            count = int(n[inside].sum())
            notes.append(f"None of the {count} vertebrae with {name} broke: no ratio, left out.")
            used &= ~inside
            continue
        keep.append(j)
    return z[:, keep], [terms[j] for j in keep], whole & used[codes]


def _renumbered(codes: Wholes, z: Floats) -> tuple[Wholes, Floats]:
    distinct, merged = np.unique(z, axis=0, return_inverse=True)
    return merged.ravel().astype(np.int32)[codes], distinct


def _usable(day: Wholes, inner: Floats) -> Floats:
    """Limits that leave a fracture in every interval."""
    kept: list[float] = []
    for cut in inner:
        begin = kept[-1] if kept else 0.0
        if ((day > begin) & (day <= cut)).any() and (day > cut).any():
            kept.append(float(cut))
    return np.array(kept)


def _incidence(rows: VertebraRows, level: float) -> pd.DataFrame:
    """Vertebrae, fractures, years and rate by level and distance; exact Poisson limits."""
    away = np.minimum(rows.distance, FAR)
    classes = len(AT_RISK) * FAR
    cell = rows.place * np.int8(FAR) + away - 1
    z = np.empty((classes, 0))
    table = Units(rows.patient, cell, rows.time, rows.event, z, np.empty(0), rows.alike)
    events, time = (part[0] for part in cells(table))
    years, tail = time / YEAR, (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(events > 0, gammaincinv(np.maximum(events, 1), tail), 0.0) / years
        high = gammaincinv(events + 1, 1 - tail) / years
        rate = events / years
    frame = pd.DataFrame(
        {"level": np.repeat(AT_RISK, FAR),
         "distance": np.tile([*map(str, range(1, FAR)), f"{FAR}+"], len(AT_RISK)),
         "vertebrae": np.bincount(cell, rows.times(), minlength=classes).astype(int),
         "fractures": events.astype(int),
         "years": years, "rate_per_1000_years": 1000 * rate, "ci_low": 1000 * low,
         "ci_high": 1000 * high}
    )  # fmt: skip
    return frame.loc[frame["years"] > 0].reset_index(drop=True)
