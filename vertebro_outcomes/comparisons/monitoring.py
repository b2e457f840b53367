"""Complications in the order of the procedures: CUSUM and VLAD against a stated rate."""

# ruff: noqa: PD004 -- notnull is the name Ibis gives it

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS, refuse_beyond
from vertebro_outcomes.comparisons.occurrence_counts import (
    occurrence_table,
    of_kind_there,
    unit_table,
)
from vertebro_outcomes.comparisons.occurrences import (
    all_kinds,
    check_cohort,
    check_days,
    check_share,
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
from vertebro_outcomes.estimators.rates.risk_cusum import (
    risk_alarm_probability,
    risk_cusum_path,
    risk_limit_for_alarms,
    risk_limit_for_run_length,
    risk_run_length,
    risk_scores,
)
from vertebro_outcomes.results.complication_chart import ComplicationChart
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import EPISODES, PATIENTS
from vertebro_outcomes.tables.engine import count
from vertebro_outcomes.tables.typed_frames import to_pandas

if TYPE_CHECKING:
    import ibis.expr.types as ir

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
    rate: float | None = None,
    risk: str | None = None,
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
    rate : float, optional
        In-control rate per procedure, between 0 and 1, the same for all.
    risk : str, optional
        Instead of `rate`: a column of patients or episodes with the probability of the event that a
        model (not fitted to these procedures) predicts for each, between 0 and 1. The chart then
        adjusts for who was treated, and its run lengths hold for patients drawn from these.
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
        With the limit, and the run lengths and false-alarm chance that follow from it: exactly, or
        with `risk` on a fine lattice.

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
    if (rate is None) == (risk is None):
        given = "neither" if rate is None else "both"
        raise refuse_argument(
            _NAME, "rate", given, "either rate, or risk with a column of predictions"
        )
    if rate is not None:
        check_share(_NAME, "rate", rate, low=0, high=1)
    check_share(_NAME, "false_alarm", false_alarm, low=0, high=1)
    check_share(_NAME, "odds_ratio", odds_ratio, low=0, high=np.inf)
    if odds_ratio == 1:
        raise refuse_argument(_NAME, "odds_ratio", odds_ratio, "another number than 1")
    if average_run_length is not None:
        check_share(_NAME, "average_run_length", average_run_length, low=1, high=LONGEST_RUN)
    notes: list[str] = []
    table = _procedures(cohort, treatment, site, risk, notes)
    rows = _charted(table.left_join(_had(cohort, kind, within_days), "episode_id"), risk)
    if risk is not None:
        rows = _with_risks(rows, risk, notes)
    rows.insert(0, "number", np.arange(1, len(rows) + 1))
    promise = _Promise(odds_ratio, average_run_length, false_alarm)
    found = _steady(rows, rate, promise) if rate is not None else _adjusted(rows, promise)
    return ComplicationChart(
        chart=found.pop("rows"), kind=kind, treatment=treatment, site=site, within_days=within_days,
        odds_ratio=odds_ratio, risk=risk or "", notes=tuple(notes), synthetic=cohort.synthetic, **found,
    )  # fmt: skip


@dataclass(frozen=True)
class _Promise:
    """What the chart looks for, and how often it may be wrong."""

    odds_ratio: float
    average_run_length: float | None
    false_alarm: float

    def kept(self, limit: Any) -> Any:
        """The limit, or a refusal where none keeps the promise."""
        if limit is not None:
            return limit
        name = "false_alarm" if self.average_run_length is None else "average_run_length"
        allowed = (
            "a promise that some limit keeps: fewer procedures between alarms, or a larger rate"
        )
        raise refuse_argument(_NAME, name, getattr(self, name), allowed)


def _steady(rows: pd.DataFrame, rate: float, promise: _Promise) -> dict[str, Any]:
    """The chart of one rate for all, with exact run lengths."""
    scores, n = cusum_scores(rate, promise.odds_ratio), len(rows)
    limit = promise.kept(
        limit_for_alarms(scores, rate=rate, n=n, at_most=promise.false_alarm)
        if promise.average_run_length is None
        else limit_for_run_length(scores, rate=rate, at_least=promise.average_run_length)
    )
    event = rows["event"].to_numpy(bool)
    path = cusum_path(event, scores, limit=limit)
    shifted = shifted_rate(rate, promise.odds_ratio)
    return {
        "rows": rows.assign(
            cusum=path.value * scores.step, signal=path.signal, vlad=vlad(event, rate)
        ),
        "rate": rate, "limit": limit * scores.step,
        "score_event": scores.event * scores.step, "score_none": scores.none * scores.step,
        "run_length": run_length(scores, limit=limit, rate=rate),
        "run_length_shifted": run_length(scores, limit=limit, rate=shifted),
        "false_alarm": alarm_probability(scores, limit=limit, rate=rate, n=n),
    }  # fmt: skip


def _adjusted(rows: pd.DataFrame, promise: _Promise) -> dict[str, Any]:
    """The chart of patients with predicted risks."""
    risk, event = rows["risk"].to_numpy(float), rows["event"].to_numpy(bool)
    scores = risk_scores(risk, promise.odds_ratio)
    limit = promise.kept(
        risk_limit_for_alarms(scores, at_most=promise.false_alarm)
        if promise.average_run_length is None
        else risk_limit_for_run_length(scores, at_least=promise.average_run_length)
    )
    path = risk_cusum_path(event, scores, limit=limit)
    return {
        "rows": rows.assign(cusum=path.value, signal=path.signal, vlad=vlad(event, risk)),
        "rate": float(risk.mean()), "limit": limit,
        "score_event": float(scores.event.mean()), "score_none": float(scores.none.mean()),
        "run_length": risk_run_length(scores, limit=limit, chance=scores.risk),
        "run_length_shifted": risk_run_length(scores, limit=limit, chance=scores.shifted),
        "false_alarm": risk_alarm_probability(scores, limit=limit, chance=scores.risk),
    }  # fmt: skip


def _procedures(
    cohort: Cohort, treatment: str, site: str | None, risk: str | None, notes: list[str]
) -> "ir.Table":
    """Procedures with a date."""
    extra = tuple(dict.fromkeys(c for c in (ORDER, site and "site", risk) if c))
    rows = unit_table(cohort, treatment, unit="episodes", function=_NAME, columns=extra)
    if site is not None:
        held = rows.select("site").distinct().to_pyarrow()["site"].to_pylist()
        known = sorted(name for name in held if name is not None)
        if site not in known:
            raise refuse_argument(_NAME, "site", site, ", ".join(map(str, known)) or "none")
        rows = rows.filter(rows.site == site)
    dated = rows.filter(rows[ORDER].notnull())
    n, undated = count(dated), count(rows) - count(dated)
    refuse_beyond(n, MOST_ROWS, where="cohort", what="procedures", function=_NAME)
    if not n:
        problem = Problem(f"episodes.{ORDER}", "no procedure is dated", "dates")
        raise InputError(f"{_NAME}()", [problem], "load the registry with keep_dates=True")
    if undated:
        notes.append(f"{undated} procedures without a date are left out.")
    return dated


def _charted(table: "ir.Table", risk: str | None) -> pd.DataFrame:
    """`date event` (and the risk) in the order of the dates; within a day in that of the tables."""
    own = [*([risk] if risk is not None else [])]
    ordered = table.order_by([ORDER, "patient_id", "episode_id"])
    ordered = ordered.select(ORDER, *own, event=ordered["_had"].fill_null(False))
    rows = to_pandas(ordered.to_pyarrow(), PATIENTS, EPISODES).rename(columns={ORDER: "date"})
    return rows.astype({"event": bool})[["date", *own, "event"]]


def _with_risks(rows: pd.DataFrame, column: str, notes: list[str]) -> pd.DataFrame:
    """Procedures with a predicted probability; others leave."""
    risk = pd.to_numeric(rows[column], errors="coerce").astype(float)
    blank = risk.isna()
    wrong = int((~blank & ~((risk > 0) & (risk < 1))).sum())
    if wrong or blank.all():
        found = f"{wrong} values outside 0 to 1" if wrong else "no number"
        problem = Problem(f"column {column}", found, "predicted probabilities above 0 and below 1")
        raise InputError(
            f"{_NAME}()", [problem], "give each procedure the risk that a model predicts"
        )
    if blank.any():
        notes.append(f"{int(blank.sum())} procedures without {column} are left out.")
    kept = rows.assign(risk=risk)[~blank].reset_index(drop=True)
    return kept[["date", "risk", "event"]]


def _had(cohort: Cohort, kind: str, within_days: float | None) -> "ir.Table":
    """Episodes with the event."""
    events = occurrence_table(cohort, _NAME)
    events = events.filter(of_kind_there(events, kind))
    if within_days is not None:
        events = events.filter((events.day <= within_days).fill_null(False))
    return events.select("episode_id").distinct().mutate(_had=True)
