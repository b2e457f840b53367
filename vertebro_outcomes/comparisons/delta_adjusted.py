"""A difference while the scores that nobody saw move away from missing at random."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from scipy import optimize

from vertebro_outcomes.comparisons.assembly import comparison_of
from vertebro_outcomes.comparisons.compare import MethodName
from vertebro_outcomes.comparisons.completion import standing
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.imputed import completion, each_fit, imputed_analysis
from vertebro_outcomes.comparisons.missing_scores import Imputation
from vertebro_outcomes.comparisons.narrow_population import requested_population
from vertebro_outcomes.comparisons.preparation import Prepared
from vertebro_outcomes.comparisons.requests import Request, checked_request
from vertebro_outcomes.comparisons.tuning import is_number
from vertebro_outcomes.comparisons.windows import nearest_in_window
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.imputation.rubin import pool_imputations
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.estimators.two_arms import ContrastFit
from vertebro_outcomes.results.delta_adjusted import DeltaAdjusted
from vertebro_outcomes.tables.cohort import Cohort

Way = Literal["multiple_imputation", "jump_to_reference", "copy_reference", "copy_increments"]
WAYS: Final = ("multiple_imputation", "jump_to_reference", "copy_reference", "copy_increments")
# Shifts shown if none are named: up to twice the smallest worthwhile change, or a fifth of the scale,
# where a reader will hardly follow any further (assumed).
WORTHWHILE_CHANGES, SHARE_OF_SCALE, STEPS = 2.0, 0.2, 9
_SEARCH: Final = 41  # shifts looked at on the way to the tipping point


def delta_adjusted(
    cohort: Cohort,
    *,
    outcome: str,
    treatment: str,
    comparator: str,
    day: int,
    method: MethodName = "ancova",
    covariates: Sequence[str] | str | None = None,
    missing: Way = "multiple_imputation",
    deltas: Sequence[float] | None = None,
    n_imputations: int | None = None,
    imputation: Imputation | None = None,
    predictors: Sequence[str] = (),
    seed: int = 1,
    variance: str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
) -> DeltaAdjusted:
    """Shift the imputed scores of one arm, then of the other, and find where the conclusion tips.

    Parameters
    ----------
    cohort : Cohort
    outcome, treatment, comparator, day, method, covariates, variance, level, window_days
        As in `compare`; methods that take the scores of all visits have `Comparison.tipping_point`.
    missing, n_imputations, imputation, predictors, seed
        As in `compare`: how the scores are imputed before they are shifted. Patients who died are not.
    deltas : sequence of float, optional
        Shifts to show, in the unit of the score; nine to both sides of 0 if not given.

    Returns
    -------
    DeltaAdjusted

    Raises
    ------
    InputError
        As `compare`, or if no score is missing.

    Notes
    -----
    Every method for means is linear in the scores and its variance quadratic, so three shifts of each
    arm determine all others exactly; the imputations are the same for all of them.

    Reference
    ---------
    Carpenter & Kenward (2013), Multiple Imputation and its Application, section 10.3,
    doi:10.1002/9781119942283; Cro et al. (2020), Stat Med 39:2815-2842, doi:10.1002/sim.8569.

    Examples
    --------
    >>> from vertebro_outcomes import simulate_registry
    >>> cohort, _ = simulate_registry(n_patients=300, seed=1, scenario="randomised")
    >>> found = delta_adjusted(
    ...     cohort, outcome="pain_vas", treatment="KP", comparator="NSM", day=90, n_imputations=10
    ... )
    >>> found.tipping["arm"].tolist()
    ['KP', 'NSM']
    """
    wanted: object = missing
    if wanted not in WAYS:
        raise refuse_argument("delta_adjusted", "missing", missing, ", ".join(WAYS))
    request = checked_request(
        cohort=cohort, outcome=outcome, treatment=treatment, comparator=comparator, day=day,
        method=method, covariates=covariates, variance=variance, level=level, window_days=window_days,
        missing={
            "missing": missing, "n_imputations": n_imputations, "imputation": imputation,
            "predictors": predictors, "seed": seed,
        },
    )  # fmt: skip
    grid = _grid(deltas, request)
    people = requested_population(cohort, request)
    y = nearest_in_window(
        people.row, people.day, people.value, n=people.n, target=request.day, window=request.window
    )
    unseen = standing(people, y, last_day=request.window[1]).unseen
    if not unseen.any():
        problem = Problem(f"day {day}", f"nobody's {outcome} is missing", "scores that are missing")
        raise InputError("delta_adjusted()", [problem], "nothing can be shifted; use compare()")
    found = completion(people, request)
    step = max(float(np.abs(grid).max()), 1e-3)
    shifts = [_Shift(request, unseen & mine, step) for mine in (people.treated, ~people.treated)]
    plain = imputed_analysis(found, _watched(each_fit(found, request), shifts), request)
    shown = comparison_of(cohort, plain.prepared, plain.fit, request, said=plain.notes)
    tips, lines = [], []
    for arm, shift, side, of in zip(request.arms, shifts, (1, -1), found.of, strict=True):
        n = int(shift.moved.sum())
        lines.append(shift.table(grid, level=level).assign(arm=arm))
        tip = shift.tipping_point(side, level=level, most=_width(request)) if n else np.nan
        tips.append({"arm": arm, "n_unseen": n, "share_unseen": n / of, "delta": tip})
    curve = pd.concat(lines, ignore_index=True)
    curve = curve[["arm", *(c for c in curve.columns if c != "arm")]]
    tipping = pd.DataFrame(tips)
    if shown.withheld:
        tipping["delta"] = np.nan
        curve[["estimate", "se", "df", "ci_low", "ci_high", "p_value"]] = np.nan
    return DeltaAdjusted(
        outcome=outcome, label=request.instrument.label, unit=request.instrument.unit,
        treatment=treatment, comparator=comparator, day=request.day, method=method, missing=missing,
        level=level, curve=curve, tipping=tipping, withheld=shown.withheld, notes=shown.notes,
        synthetic=cohort.synthetic,
    )  # fmt: skip


def _grid(deltas: Any, request: Request) -> Floats:
    if deltas is None:
        change = request.instrument.worthwhile
        far = WORTHWHILE_CHANGES * change if change else SHARE_OF_SCALE * _width(request)
        return np.linspace(-far, far, STEPS)
    if not isinstance(deltas, list | tuple) or not deltas or not all(map(is_number, deltas)):
        allowed = "numbers in the unit of the score, such as [0, 1, 2]"
        raise refuse_argument("delta_adjusted", "deltas", deltas, allowed)
    return np.array(sorted({float(d) for d in deltas}))


def _width(request: Request) -> float:
    """Of the scale: no score can be farther from another."""
    low, high = request.instrument.low, request.instrument.high
    return float(high - low) if low is not None and high is not None else 100.0


def _watched(
    fits: Iterable[tuple[Prepared, ContrastFit]], shifts: list["_Shift"]
) -> Iterator[tuple[Prepared, ContrastFit]]:
    """The same fits, while the shifts look at each completed data set as it comes."""
    for prepared, fit in fits:
        for shift in shifts:
            shift.look_at(prepared, fit)
        yield prepared, fit


@dataclass(frozen=True)
class _Shift:
    """Scores of some patients shifted: three shifts determine every other.

    `estimate` and `variance` hold the coefficients of 1, delta, delta squared, of every imputation;
    `df` its degrees of freedom had nothing been missing, or where they move with the scores (Welch)
    the data set itself.
    """

    request: Request
    moved: Bools
    step: float
    estimate: list[Floats] = field(default_factory=list)
    variance: list[Floats] = field(default_factory=list)
    df: list[float | Prepared] = field(default_factory=list)

    def look_at(self, prepared: Prepared, fit: ContrastFit) -> None:
        """A further completed data set and its fit without a shift."""
        fits = [self._fit(prepared, -self.step), fit, self._fit(prepared, self.step)]
        solve = np.linalg.inv(np.vander([-self.step, 0.0, self.step], 3, increasing=True)).T
        self.estimate.append(np.array([one.estimate for one in fits]) @ solve)
        self.variance.append(np.array([one.se**2 for one in fits]) @ solve)
        self.df.append(fit.df if len({one.df for one in fits}) == 1 else prepared)

    def _fit(self, prepared: Prepared, delta: float) -> ContrastFit:
        y = np.where(self.moved, prepared.y + delta, prepared.y)
        return fit_prepared(replace(prepared, y=y), self.request)

    def _df(self, delta: float) -> float:
        own = [df if isinstance(df, float) else self._fit(df, delta).df for df in self.df]
        return float(np.mean(own))

    def at(self, delta: float) -> tuple[float, float, float]:
        """Estimate, standard error and degrees of freedom."""
        powers = np.array([1.0, delta, delta**2])
        pool = pool_imputations(
            np.array(self.estimate) @ powers, np.array(self.variance) @ powers,
            df_complete=self._df(delta),
        )  # fmt: skip
        return pool.estimate, pool.se, pool.df

    def table(self, deltas: Floats, *, level: float) -> pd.DataFrame:
        """`delta estimate se df ci_low ci_high p_value`."""
        found = np.array([self.at(d) for d in deltas])
        estimate, se, df = found.T
        half = t_quantile(df, level=level) * se
        return pd.DataFrame(
            {
                "delta": deltas, "estimate": estimate, "se": se, "df": df,
                "ci_low": estimate - half, "ci_high": estimate + half,
                "p_value": 2.0 * t_tail(df, np.abs(estimate / se)),
            }
        )  # fmt: skip

    def tipping_point(self, side: int, *, level: float, most: float) -> float:
        """The smallest shift that makes the interval reach no effect; NaN if none up to `most` does."""
        toward = -np.sign(self.at(0.0)[0]) * side
        sign = np.sign(self.at(0.0)[0])

        def left(size: float) -> float:
            estimate, se, df = self.at(toward * size)
            return float(sign * estimate - t_quantile(np.array(df), level=level) * se)

        return _first_root(left, most) * float(toward)


def _first_root(left: Callable[[float], float], most: float) -> float:
    if left(0.0) <= 0:
        return 0.0
    sizes = np.linspace(0.0, most, _SEARCH)
    for low, high in pairwise(sizes):
        if left(float(high)) <= 0:
            return float(optimize.brentq(left, float(low), float(high), xtol=1e-10))
    return float("nan")
