"""Complications in the order of the procedures: CUSUM and VLAD against a stated rate."""

from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.occurrences import (
    all_kinds,
    check_cohort,
    check_days,
    check_share,
    count_units,
    occurrences,
    of_kind,
)
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.rates.cusum import (
    alarm_probability,
    cusum_path,
    cusum_scores,
    limit_for_alarms,
    limit_for_run_length,
    run_length,
    shifted_rate,
    vlad,
)
from vertebro_outcomes.results.complication_chart import ComplicationChart
from vertebro_outcomes.tables.cohort import Cohort

_NAME: Final = "complication_chart"
# Twice the odds: the shift that Steiner et al. 2000, doi:10.1093/biostatistics/1.4.441, detect.
ODDS_RATIO: Final = 2.0
# Chance of any false alarm over the chart, as a test of the whole series would have.
FALSE_ALARM: Final = 0.05
WITHIN_DAYS: Final = 30.0
LONGEST_RUN: Final = 1e7  # procedures; beyond, a run length is not computed exactly any more
ORDER: Final = "treatment_date"


def complication_chart(
    cohort: Any,
    *,
    rate: float,
    kind: str = "any",
    treatment: str = "VA",
    site: str | None = None,
    within_days: float | None = WITHIN_DAYS,
    odds_ratio: float = ODDS_RATIO,
    average_run_length: float | None = None,
    false_alarm: float = FALSE_ALARM,
) -> ComplicationChart:
    """Complications procedure by procedure, against the rate that is expected.

    Parameters
    ----------
    cohort : Cohort
        With `treatment_date` in table episodes (`vo.load(..., keep_dates=True)`), which gives the
        order.
    rate : float
        In-control rate per procedure, between 0 and 1.
    kind : str
        A name of `vo.COMPLICATION_KINDS` or an event type.
    treatment : str
        A name of `TREATMENTS` ("VA" holds VP, KP and VAI).
    site : str, optional
        One site; all if not given.
    within_days : float, optional
        Count events from day 0 to this day; all, undated ones too, if None.
    odds_ratio : float
        The change that the chart looks for; below 1 it looks for an improvement.
    average_run_length : float, optional
        Procedures between false alarms, on average; then `false_alarm` is not used.
    false_alarm : float
        Chance of a false alarm over as many procedures as the chart has, between 0 and 1.

    Returns
    -------
    ComplicationChart
        With the limit, and the run lengths and false-alarm chance that follow from it exactly.

    Raises
    ------
    InputError
        If no procedure is dated, the site is unknown, or no limit keeps the promise.

    Reference
    ---------
    Steiner et al. 2000, doi:10.1093/biostatistics/1.4.441 (scores); Brook and Evans 1972,
    doi:10.1093/biomet/59.3.539 (run lengths); Lovegrove et al. 1997,
    doi:10.1016/S0140-6736(97)06507-0 (VLAD).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = [f"p{i:02d}" for i in range(60)]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP",
    ...                            "treatment_date": pd.date_range("2020-01-01", periods=60)}),
    ...     events=pd.DataFrame({"patient_id": ids[40:48], "type": "cement_leakage", "day": 0}),
    ... )
    >>> vo.complication_chart(cohort, rate=0.03).signals
    [43, 46]
    """
    check_cohort(cohort, _NAME)
    all_kinds(_NAME, kind)
    check_days(_NAME, within_days)
    check_share(_NAME, "rate", rate, low=0, high=1)
    check_share(_NAME, "false_alarm", false_alarm, low=0, high=1)
    check_share(_NAME, "odds_ratio", odds_ratio, low=0, high=np.inf)
    if odds_ratio == 1:
        raise refuse_argument(_NAME, "odds_ratio", odds_ratio, "another number than 1")
    if average_run_length is not None:
        check_share(_NAME, "average_run_length", average_run_length, low=1, high=LONGEST_RUN)
    notes: list[str] = []
    rows = _procedures(cohort, treatment, site, notes)
    rows["event"] = _had(cohort, rows, kind, within_days)
    scores, n = cusum_scores(rate, odds_ratio), len(rows)
    limit = (
        limit_for_alarms(scores, rate=rate, n=n, at_most=false_alarm)
        if average_run_length is None
        else limit_for_run_length(scores, rate=rate, at_least=average_run_length)
    )
    if limit is None:
        raise refuse_argument(
            _NAME, "average_run_length", average_run_length, "a smaller number, or a larger rate"
        )
    event = rows["event"].to_numpy(bool)
    path = cusum_path(event, scores, limit=limit)
    rows["cusum"], rows["signal"] = path.value * scores.step, path.signal
    rows["vlad"] = vlad(event, rate)
    shifted = shifted_rate(rate, odds_ratio)
    return ComplicationChart(
        chart=rows, kind=kind, treatment=treatment, site=site, within_days=within_days, rate=rate,
        odds_ratio=odds_ratio, limit=limit * scores.step,
        score_event=scores.event * scores.step, score_none=scores.none * scores.step,
        run_length=run_length(scores, limit=limit, rate=rate),
        run_length_shifted=run_length(scores, limit=limit, rate=shifted),
        false_alarm=alarm_probability(scores, limit=limit, rate=rate, n=n), notes=tuple(notes),
        synthetic=cohort.synthetic,
    )  # fmt: skip


def _procedures(
    cohort: Cohort, treatment: str, site: str | None, notes: list[str]
) -> pd.DataFrame:  # fmt: skip
    """Procedures in the order of their dates; within a day in the order of the table."""
    extra = (ORDER,) if site is None else (ORDER, "site")
    rows = count_units(cohort, treatment=treatment, unit="episodes", function=_NAME, extra=extra)
    if site is not None:
        known = sorted(rows["site"].dropna().unique())
        if site not in known:
            raise refuse_argument(_NAME, "site", site, ", ".join(map(str, known)) or "none")
        rows = rows.loc[rows["site"] == site]
    dated = rows[ORDER].notna()
    if not dated.any():
        problem = Problem(f"episodes.{ORDER}", "no procedure is dated", "dates")
        raise InputError(f"{_NAME}()", [problem], "load the registry with keep_dates=True")
    if not dated.all():
        notes.append(f"{(~dated).sum()} procedures without a date are left out.")
    rows = rows.loc[dated].sort_values(ORDER, kind="stable").reset_index(drop=True)
    rows.insert(0, "number", np.arange(1, len(rows) + 1))
    return rows.rename(columns={ORDER: "date"})[["number", "episode_id", "date"]]


def _had(cohort: Cohort, rows: pd.DataFrame, kind: str, within_days: float | None) -> pd.Series:
    events = occurrences(cohort, _NAME)
    events = events.loc[of_kind(events, kind)]
    if within_days is not None:
        events = events.loc[events["day"] <= within_days]
    return rows.pop("episode_id").isin(events["episode_id"])
