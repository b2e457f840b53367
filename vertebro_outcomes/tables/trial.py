"""A trial in one DataFrame, wide or long, as a cohort whose day 0 is the day of enrolment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from vertebro_outcomes.errors import Problem, list_some
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import EPISODES
from vertebro_outcomes.tables.event_types import INSTRUMENTS, Instrument
from vertebro_outcomes.tables.trial_coding import treatments_first, with_own_codes, word_of
from vertebro_outcomes.tables.trial_columns import (
    check_trial_arms,
    check_trial_columns,
    refuse_trial,
    score_numbers,
    visit_days,
)


def trial_cohort(
    frame: pd.DataFrame,
    *,
    patient: str,
    arm: str,
    outcome: str,
    arms: Mapping[str, Any] | None = None,
    scores: Mapping[str, float] | None = None,
    visit: str | None = None,
    score: str | None = None,
    visits: Mapping[Any, int] | None = None,
    baseline: str | None = None,
    instrument: Instrument | None = None,
    name: str = "trial",
    synthetic: bool = False,
) -> Cohort:
    """A cohort from the data of one trial, for `compare` and the other comparisons.

    Every other column becomes a column of patients that may serve as covariate: columns of text are
    categories, numbers are numbers (`"C(centre)"` makes categories of them). In a long frame they
    must be the same in all rows of a patient; a blank is no other value. Sex, smoking and the like may be
    coded as the trial did, 0 and 1 for instance.

    Parameters
    ----------
    frame : DataFrame
        Wide, with one row per patient and a column per visit (then give `scores`), or long, with one
        row per patient and visit (then give `visit` and `score`).
    patient, arm : str
        Columns with the patient and the arm as randomised.
    outcome : str
        A published instrument such as "pain_vas" (0 to 10), or a name for the one in `instrument`.
    arms : mapping of str to value, optional
        Which value of column `arm` is which treatment, `{"VP": "acupuncture", "NSM": "usual care"}`:
        the comparisons know the arms by the names of `TREATMENTS`. Not needed where the column holds
        those names; 1, 1.0 and True are the same value. Patients of arms that are not named are left
        out, which `notes` of the cohort say.
    scores : mapping of str to int, optional
        Wide: columns of the outcome and their days, `{"pain_0": 0, "pain_12w": 84}`.
    visit, score : str, optional
        Long: columns with the visit and the outcome. A visit is a number of days (of weeks, months or
        years where the column is called so), or words such as "baseline", "day 7", "week 4", "month 3"
        and "1 year" (a month is 365/12 days, rounded).
    visits : mapping of visit to int, optional
        Long: the day of every visit, for any other words; visits that are not named are left out.
    baseline : str, optional
        Column with the outcome at day 0, where it stands apart from the other visits.
    instrument : Instrument, optional
        The scale of an outcome of the trial's own: `vo.Instrument(low=0, high=100, better="lower")`.
    name : str
        For messages and reports.
    synthetic : bool
        True for invented data.

    Returns
    -------
    Cohort
        With `day0` "enrolment": the clock of both arms starts there.

    Raises
    ------
    InputError
        With every column, arm, visit and score that cannot be meant.

    Examples
    --------
    >>> import pandas as pd
    >>> import vertebro_outcomes as vo
    >>> wide = pd.DataFrame(
    ...     {"id": range(8), "group": ["needles", "usual care"] * 4,
    ...      "before": [62, 55, 71, 60, 48, 59, 66, 52], "after": [31, 40, 39, 47, 20, 44, 33, 35]}
    ... )
    >>> trial = vo.trial_cohort(
    ...     wide, patient="id", arm="group", arms={"VP": "needles", "NSM": "usual care"},
    ...     outcome="pain", scores={"before": 0, "after": 84},
    ...     instrument=vo.Instrument(low=0, high=100, better="lower"),
    ... )
    >>> found = vo.compare(
    ...     trial, outcome="pain", treatment="VP", comparator="NSM", day=84, method="ancova",
    ...     variance="model",
    ... )
    >>> round(found.estimate, 2)  # needles minus usual care at equal baseline
    -15.32
    """
    check_trial_columns(
        frame, scores=scores, patient=patient, arm=arm, visit=visit, score=score, baseline=baseline
    )
    if instrument is None and outcome not in INSTRUMENTS:
        step = "give its scale: instrument=vo.Instrument(low=0, high=100, better='lower')"
        raise refuse_trial(
            Problem("argument outcome", repr(outcome), "a published instrument"), step=step
        )
    arms = treatments_first(arms)
    check_trial_arms(frame, arm, arms)
    named = {word_of(value): word for word, value in (arms or {}).items()}
    rows = frame.assign(**{patient: frame[patient].map(word_of)}).reset_index(drop=True)
    treatment = rows[arm].map(word_of).astype(str).map(lambda word: named.get(word, word))
    inside = treatment.isin(named.values()) if named else treatment.notna()
    rows, treatment = rows[inside], treatment[inside]
    long = (
        _from_wide(rows, patient, scores)
        if scores is not None
        else _from_long(rows, patient, str(visit), str(score), visits)
    )
    taken = {arm, *(scores or ()), visit, score, baseline}
    people = _patients(rows.drop(columns=[c for c in taken if c in rows]), patient, treatment)
    people = with_own_codes(people)
    if baseline is not None:
        long = pd.concat([_baselines(rows, patient, baseline, long), long], ignore_index=True)
    of_episodes = [
        c for c in people if c in EPISODES.names and c not in ("patient_id", "treatment")
    ]
    made = Cohort.from_frames(
        patients=people.drop(columns=["treatment", *of_episodes]),
        episodes=people[["patient_id", "treatment", *of_episodes]].assign(day0="enrolment"),
        scores=long.assign(instrument=outcome),
        name=name, synthetic=synthetic,
        instruments=None if instrument is None else {outcome: instrument},
    )  # fmt: skip
    left = frame.loc[~inside.to_numpy(), [patient, arm]].drop_duplicates()
    others = f"{len(left)} patients of other arms left out ({list_some(left[arm].unique())})."
    return replace(made, notes=(others,)) if len(left) else made


def _from_wide(rows: pd.DataFrame, patient: str, scores: Mapping[str, float]) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "patient_id": rows[patient],
                "day": int(day),
                "value": score_numbers(rows[column], column),
            }
        )
        for column, day in scores.items()
    ]
    return _distinct(pd.concat(parts, ignore_index=True))


def _from_long(
    rows: pd.DataFrame, patient: str, visit: str, score: str, visits: Mapping[Any, int] | None
) -> pd.DataFrame:
    day_of = visit_days(rows[visit], visit, visits)
    long = pd.DataFrame(
        {"patient_id": rows[patient], "day": rows[visit].map(day_of),
         "value": score_numbers(rows[score], score)}
    )  # fmt: skip
    return _distinct(long[long["day"].notna()].astype({"day": "int64"}))


def _distinct(long: pd.DataFrame) -> pd.DataFrame:
    """Scores without blanks; two of one patient and day are refused."""
    seen = long[long["value"].notna()]
    twice = seen[seen.duplicated(["patient_id", "day"])]
    if len(twice):
        days = list_some(sorted(twice["day"].unique().tolist()))
        problem = Problem(
            "the scores", f"patients with two at day {days}", "one per patient and day"
        )
        raise refuse_trial(problem)
    return seen


def _patients(rows: pd.DataFrame, patient: str, treatment: pd.Series) -> pd.DataFrame:
    """One row per patient; what changes between the rows of a patient is refused."""
    rows = rows.rename(columns={patient: "patient_id"}).assign(treatment=treatment)
    each = rows.groupby("patient_id", sort=False)
    differing = each.nunique().gt(1).any()
    changing = [column for column in differing.index if differing[column]]
    if changing:
        problems = [
            Problem(f"column {column}", "differs between the rows of a patient", "one value each")
            for column in changing
        ]
        raise refuse_trial(
            *problems, step="drop the columns that belong to a visit, not to the patient"
        )
    return each.first().reset_index()  # what stands in one row of a patient alone counts for all


def _baselines(rows: pd.DataFrame, patient: str, column: str, long: pd.DataFrame) -> pd.DataFrame:
    """The scores of day 0 from a column of their own."""
    if (long["day"] <= 0).any():
        found = f"given as column {column}, and as a visit at day 0 or before"
        raise refuse_trial(
            Problem("the baseline", found, "one of the two"),
            step="leave baseline= out: the visit at day 0 is the baseline",
        )
    own = pd.DataFrame(
        {"patient_id": rows[patient], "day": 0, "value": score_numbers(rows[column], column)}
    )
    return _distinct(own.drop_duplicates())
