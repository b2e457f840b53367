"""What a trial in one DataFrame must hold, and which day a visit is."""

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.tables.trial_coding import word_of
from vertebro_outcomes.vocabulary import TREATMENTS

_CALL: Final = "trial_cohort()"
_STEP: Final = "name the columns of the frame; examples are in help(vo.trial_cohort)"
# Days of `number` units: whole weeks, and months as twelfths of a year.
_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365 / 12, "year": 365.0}
_SHORT: Final = {
    "day": "day", "days": "day", "dy": "day", "week": "week", "weeks": "week", "wk": "week", "wks": "week",
    "month": "month", "months": "month", "mo": "month", "year": "year", "years": "year", "yr": "year",
}  # fmt: skip
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
        if not _is_day(day)
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
    there = list(dict.fromkeys(word_of(value) for value in frame[arm].unique()))
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
        if word_of(value) not in there
    ]
    if len({word_of(value) for value in arms.values()}) < len(arms):
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
        return _stated_days(there, visits)
    unit = _unit_of(column)
    if not unit and _are_counted(there):
        asked = f"{list_some(there)}: days, or the number of the visit?"
        problem = Problem(f"column {column}", asked, "days, or visits with their days")
        raise refuse_trial(problem, step="give the days: visits={0: 0, 1: 28, 2: 84}")
    found = {value: _day(value, _DAYS[unit or "day"]) for value in there}
    strange = [value for value, day in found.items() if day is None]
    if strange:
        allowed = "days as numbers, or words such as 'baseline', 'week 4', 'month 3'"
        problem = Problem(f"column {column}", list_some(strange), allowed)
        raise refuse_trial(problem, step="give the days: visits={'first': 0, 'last': 84}")
    return {value: day for value, day in found.items() if day is not None}


def _stated_days(there: list[Any], visits: Any) -> dict[Any, int]:
    """The days a user gives, whether visits are written as numbers or as words."""
    if not isinstance(visits, Mapping):
        raise refuse_trial(Problem("argument visits", repr(visits), "{visit: day}"))
    by_word = {word_of(value): value for value in there}
    problems = [
        Problem(f"argument visits, {visit}", "no such visit", list_some(there, most=25))
        for visit in visits
        if word_of(visit) not in by_word
    ]
    problems += [
        Problem(f"argument visits, {visit}", repr(day), "a whole number of days")
        for visit, day in visits.items()
        if not _is_day(day)
    ]
    if problems:
        raise refuse_trial(*problems)
    return {by_word[word_of(visit)]: int(day) for visit, day in visits.items()}


def _is_day(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and float(value).is_integer()


def _unit_of(column: str) -> str:
    """What the numbers of a column called "week" or "visit_months" count; empty if it does not say."""
    words = re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", str(column)).lower())
    return next((_SHORT[word] for word in words if word in _SHORT), "")


def _are_counted(values: list[Any]) -> bool:
    """Numbers 0, 1, 2 ... or 1, 2, 3 ...: as likely to count the visits as the days."""
    if not all(_is_day(value) for value in values) or len(values) < 2:
        return False
    ordered = sorted(int(value) for value in values)
    return ordered[0] in (0, 1) and ordered == list(range(ordered[0], ordered[0] + len(ordered)))


def _day(value: Any, unit: float = 1.0) -> int | None:
    """A visit as a day: `_day("week 4")` -> 28, numbers in units of days; None where it cannot be told."""
    if isinstance(value, int | float | np.number):
        whole = float(value).is_integer() or unit > 1
        return round(float(value) * unit) if whole else None
    word = re.sub(r"[\s_\-]+", " ", str(value)).strip().lower()
    if word in _START:
        return 0
    found = _VISIT.fullmatch(word)
    if not found:
        return None
    return round(_DAYS[found[1] or found[4]] * float(found[2] or found[3]))
