"""A published survival curve, digitised -> individual times that can be analysed again."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.survival.kaplan_meier import fit_kaplan_meier
from vertebro_outcomes.estimators.survival.reconstruction import reconstruct
from vertebro_outcomes.results.reconstructed_survival import ReconstructedSurvival

_NAME: Final = "reconstruct_survival"
_CURVE: Final = ("time", "survival")
_RISK: Final = ("time", "n_at_risk")
_MOST_PATIENTS: Final = (
    1_000_000  # each becomes a row; more is a slip of a digit, and fills the memory
)
_NEXT: Final = "correct the table; time counts from 0, survival is a proportion or a percentage"


def reconstruct_survival(
    curve: "pd.DataFrame | str | Path",
    at_risk: "pd.DataFrame | str | Path",
    *,
    total_events: int | None = None,
    arm: str = "",
) -> ReconstructedSurvival:
    """Individual times from a digitised Kaplan-Meier curve and the numbers at risk below it.

    Parameters
    ----------
    curve : DataFrame or path of a CSV
        `time survival`: points read off the curve, survival from 0 to 1 (or 0 to 100, said in the
        notes). Points that rise are set back to the lowest before them, and counted in the notes.
    at_risk : DataFrame or path of a CSV
        `time n_at_risk`: the printed numbers, the first at time 0.
    total_events : int, optional
        Number of events the paper prints; it makes the last interval right.
    arm : str
        Name of the arm.

    Returns
    -------
    ReconstructedSurvival
        `.data` has `arm time event`, one row per patient.

    Raises
    ------
    InputError
        If a column is missing, a value is impossible, or the numbers contradict each other.

    Reference
    ---------
    Guyot, Ades, Ouwens and Welton 2012, doi:10.1186/1471-2288-12-9.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> curve = pd.DataFrame({"time": [0, 10, 20, 30], "survival": [1, 0.75, 0.5, 0.25]})
    >>> numbers = pd.DataFrame({"time": [0, 20], "n_at_risk": [4, 3]})
    >>> vo.reconstruct_survival(curve, numbers).events
    3
    """
    points, risk = _numbers(curve, "curve", _CURVE), _numbers(at_risk, "at_risk", _RISK)
    notes: list[str] = []
    time, survival = _checked_curve(points, notes)
    risk_time, n = _checked_numbers(risk, time, notes)
    given: object = total_events
    if given is not None and not (isinstance(given, int) and 0 <= given <= n[0]):
        allowed = f"a whole number from 0 to {n[0]:g}"
        raise refuse_argument(_NAME, "total_events", total_events, allowed)
    if total_events is None:
        notes.append(
            "Without total_events the censorings after the last number at risk are assumed."
        )
    found = reconstruct(time, survival, risk_time=risk_time, n_at_risk=n, total_events=total_events)
    data = pd.DataFrame({"arm": arm, "time": found.time, "event": found.event})
    events = int(found.event.sum())
    if total_events is not None and events != total_events:
        notes.append(f"{events} events fit the curve, not the {total_events} given.")
    again = fit_kaplan_meier(found.time, found.event)
    half = again.time[again.survival <= 0.5]
    gap = float(np.max(np.abs(again.at(time)[0] - survival)))
    return ReconstructedSurvival(
        arm=arm, data=data, n=len(data), events=events, largest_gap=gap, notes=tuple(notes),
        median=float(half[0]) if half.size else float("nan"),
    )  # fmt: skip


def _numbers(table: Any, argument: str, columns: tuple[str, str]) -> Floats:
    if isinstance(table, str | Path):
        try:
            table = pd.read_csv(table)
        except (OSError, ValueError) as error:
            found = f"{table}: {type(error).__name__}"
            problem = Problem(f"argument {argument}", found, "a CSV file that can be read")
            raise InputError(f"{_NAME}()", [problem], "check path and content") from None
    if not isinstance(table, pd.DataFrame):
        allowed = "a DataFrame, or the path of a CSV"
        raise refuse_argument(_NAME, argument, type(table).__name__, allowed)
    missing = [c for c in columns if c not in table.columns]
    if missing:
        found = f"no column {', '.join(missing)}"
        problem = Problem(f"argument {argument}", found, f"columns {' and '.join(columns)}")
        raise InputError(f"{_NAME}()", [problem], "rename the columns")
    values = table[list(columns)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    bad = ~np.isfinite(values).all(axis=1) | (values < 0).any(axis=1)
    if bad.any() or not len(values):
        where = f"rows {', '.join(str(i + 1) for i in np.flatnonzero(bad)[:5])}"
        found = f"{where}: blank, no number, or below 0" if bad.any() else "no row"
        problem = Problem(f"argument {argument}", found, "numbers, 0 or more")
        raise InputError(f"{_NAME}()", [problem], _NEXT)
    return np.asarray(values)


def _checked_curve(points: Floats, notes: list[str]) -> tuple[Floats, Floats]:
    order = np.lexsort((-points[:, 1], points[:, 0]))
    time, survival = points[order].T
    if survival.max() > 1.5:
        notes.append("Survival was given in percent.")
        survival = survival / 100
    if survival.max() > 1 + 1e-9:
        problem = Problem("argument curve", f"survival {survival.max():g}", "0 to 1 (or 0 to 100)")
        raise InputError(f"{_NAME}()", [problem], _NEXT)
    lowest = np.minimum.accumulate(survival)
    rises = int((survival > lowest + 1e-12).sum())
    if rises:
        notes.append(f"{rises} points rose above an earlier one and were set back to it.")
    if time[0] > 0:
        time, lowest = np.r_[0.0, time], np.r_[1.0, lowest]
    final = np.r_[np.diff(time) > 0, True]  # of several points at one time the lowest
    time, lowest = time[final], lowest[final].copy()
    if time.size < 2:
        problem = Problem("argument curve", "one point", "points from 0 to the end of the curve")
        raise InputError(f"{_NAME}()", [problem], _NEXT)
    return time, lowest


def _checked_numbers(risk: Floats, time: Floats, notes: list[str]) -> tuple[Floats, Floats]:
    at, n = risk[np.argsort(risk[:, 0], kind="stable")].T
    problems = []
    if at[0] != 0:
        problems.append(
            Problem("argument at_risk", f"first time {at[0]:g}", "the number at time 0")
        )
    if np.any(np.diff(at) == 0):
        problems.append(Problem("argument at_risk", "a time stands twice", "each time once"))
    if np.any(n != np.round(n)) or n[0] < 1:
        problems.append(Problem("argument at_risk", "no count of patients", "whole numbers"))
    if n[0] > _MOST_PATIENTS:
        allowed = f"at most {_MOST_PATIENTS}"
        problems.append(Problem("argument at_risk", f"{n[0]:.0f} patients", allowed))
    if np.any(np.diff(n) > 0):
        problems.append(Problem("argument at_risk", "numbers rise", "numbers that never rise"))
    if problems:
        raise InputError(f"{_NAME}()", problems, _NEXT)
    within = at <= time[-1]
    if not within.all():
        notes.append(f"{(~within).sum()} numbers at risk after the end of the curve are not used.")
    return at[within], n[within]
