"""What a trial in one DataFrame must hold, and which day a visit is."""

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.vocabulary import TREATMENTS

_CALL: Final = "trial_cohort()"
_STEP: Final = "name the columns of the frame; examples are in help(vo.trial_cohort)"
# Days of `number` units: whole weeks, and months as twelfths of a year.
_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365 / 12, "year": 365.0}
_VISIT: Final = re.compile(
    r"(?:(day|week|month|year)s?\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*(day|week|month|year)s?)"
)
_START: Final = ("baseline", "randomisation", "randomization", "enrolment", "enrollment")


def refuse_trial(*problems: Problem, step: str = _STEP) -> InputError:
    """The error that says what is no trial."""
    return InputError(_CALL, problems, step)


def check_trial_columns(frame: Any, *, scores: Any, **named: Any) -> None:
    """Every column that is named exists, and the shape is told in one way.

    Raises
    ------
    InputError
        With every name that is no column and every column that has blanks or a taken name.
    """
    if not isinstance(frame, pd.DataFrame):
        raise refuse_trial(Problem("argument frame", f"a {type(frame).__name__}", "a DataFrame"))
    visit, score = named["visit"], named["score"]
    if (scores is None) == (visit is None) or (visit is None) != (score is None):
        found = "neither or both, or one of visit and score alone"
        allowed = "scores={column: day} for a wide frame, or visit= and score= for a long one"
        raise refuse_trial(Problem("arguments scores, visit, score", found, allowed))
    if scores is not None and not (isinstance(scores, Mapping) and scores):
        raise refuse_trial(Problem("argument scores", repr(scores), "{column: day}"))
    _refuse_taken_names(frame, {"patient_id": named["patient"], "treatment": named["arm"]})
    wanted = {word: column for word, column in named.items() if column is not None}
    wanted |= {f"scores, {column}": column for column in scores or ()}
    columns = list(frame.columns)
    problems = [
        Problem(f"argument {word}", f"no column {column!r}", list_some(columns, most=25))
        for word, column in wanted.items()
        if column not in columns
    ]
    problems += [
        Problem(f"column {column}", f"{int(frame[column].isna().sum())} blanks", "no blanks")
        for column in (named["patient"], named["arm"], visit)
        if column in columns and frame[column].isna().any()
    ]
    problems += [
        Problem(
            f"argument scores, {column}", repr(day), "a whole number of days, 0 for the baseline"
        )
        for column, day in (scores or {}).items()
        if isinstance(day, bool) or not isinstance(day, int | np.integer)
    ]
    if problems:
        raise refuse_trial(*problems)


def _refuse_taken_names(frame: pd.DataFrame, taken: Mapping[str, Any]) -> None:
    columns = list(frame.columns)
    problems = [
        Problem(f"column {own}", f"stands beside {column!r}, which is that", "another name")
        for own, column in taken.items()
        if own in columns and own != column
    ]
    problems += [
        Problem(f"column {column}", "stands twice in the frame", "once")
        for column in frame.columns[frame.columns.duplicated()]
    ]
    if problems:
        raise refuse_trial(*problems, step="rename the column, or leave it out")


def check_trial_arms(frame: pd.DataFrame, arm: str, arms: Any) -> None:
    """Arms bear names of the vocabulary, given by the column or by `arms`."""
    there = frame[arm].astype(str).unique().tolist()
    step = "say which arm is which: arms={'VP': 'active', 'NSM': 'usual care'}"
    if arms is None:
        strange = [word for word in there if word not in TREATMENTS]
        if strange:
            raise refuse_trial(
                Problem(f"column {arm}", list_some(strange), ", ".join(TREATMENTS)), step=step
            )
        return
    if not isinstance(arms, Mapping) or not arms:
        raise refuse_trial(
            Problem("argument arms", repr(arms), "{treatment: value of the column}"), step=step
        )
    problems = [
        Problem("argument arms", f"{word!r}", ", ".join(TREATMENTS))
        for word in arms
        if word not in TREATMENTS
    ]
    problems += [
        Problem(f"argument arms, {word}", f"{value!r} is not in column {arm}", list_some(there))
        for word, value in arms.items()
        if str(value) not in there
    ]
    if len({str(value) for value in arms.values()}) < len(arms):
        problems.append(Problem("argument arms", repr(dict(arms)), "another value for every arm"))
    if problems:
        raise refuse_trial(*problems, step=step)


def score_numbers(values: pd.Series, column: str) -> pd.Series:
    """Scores as numbers; anything else but a blank is refused."""
    number = pd.to_numeric(values, errors="coerce")
    wrong = values[number.isna() & values.notna()]
    if len(wrong):
        found = list_some(sorted({repr(value) for value in wrong}))
        raise refuse_trial(
            Problem(f"column {column}", found, "numbers, or blank where nobody saw the score")
        )
    return number.astype(float)


def visit_days(values: pd.Series, column: str, visits: Any) -> dict[Any, int]:
    """The day of every visit that occurs.

    Raises
    ------
    InputError
        If the day of a visit cannot be told.
    """
    there = values.unique().tolist()
    if visits is not None:
        unknown = [v for v in visits if v not in there]
        if unknown:
            raise refuse_trial(
                Problem("argument visits", list_some(unknown), list_some(there, most=25))
            )
        return {value: int(day) for value, day in visits.items()}
    found = {value: _day(value) for value in there}
    strange = [value for value, day in found.items() if day is None]
    if strange:
        allowed = "days as numbers, or words such as 'baseline', 'week 4', 'month 3'"
        problem = Problem(f"column {column}", list_some(strange), allowed)
        raise refuse_trial(problem, step="give the days: visits={'first': 0, 'last': 84}")
    return {value: day for value, day in found.items() if day is not None}


def _day(value: Any) -> int | None:
    """A visit as a day: `_day("week 4")` -> 28; None where it cannot be told."""
    if isinstance(value, int | float | np.number):
        return int(value) if float(value).is_integer() else None
    word = re.sub(r"[\s_\-]+", " ", str(value)).strip().lower()
    if word in _START:
        return 0
    found = _VISIT.fullmatch(word)
    if not found:
        return None
    return round(_DAYS[found[1] or found[4]] * float(found[2] or found[3]))
