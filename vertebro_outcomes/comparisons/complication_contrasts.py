"""Complications of two treatments compared: differences, ratios, and the number of questions asked."""

from collections.abc import Sequence
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.contrast_methods import (
    BOSCHLOO_UP_TO,
    Arms,
    contrast,
    table_of,
)
from vertebro_outcomes.comparisons.covariates import CONFOUNDERS, MOST_MISSING
from vertebro_outcomes.comparisons.driver_budget import frame_within
from vertebro_outcomes.comparisons.event_counts import NOT_COMPLICATIONS
from vertebro_outcomes.comparisons.hazard_models import (
    all_known,
    check_arms,
    check_numbers,
    covariate_columns,
    of_arms,
)
from vertebro_outcomes.comparisons.population import words_of
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.rates.one_proportion import benjamini_hochberg, holm
from vertebro_outcomes.results.complication_contrasts import (
    WAYS,
    ComplicationContrasts,
    ContrastMethod,
    Measure,
    Multiplicity,
)
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import EVENT_TYPES

_NAME: Final = "compare_complications"
MEASURES_OF: Final[dict[str, tuple[Measure, ...]]] = {
    "newcombe": ("RD",), "score": ("RD", "RR", "OR"), "exact": ("OR",),
    "mantel_haenszel": ("RD", "RR", "OR"), "firth": ("OR",),
    "overlap_weighting": ("RD", "RR", "OR"), "g_computation": ("RD", "RR", "OR"),
}  # fmt: skip
WITH_COVARIATES: Final = ("firth", "overlap_weighting", "g_computation")
ADJUST: Final = {"benjamini_hochberg": benjamini_hochberg, "holm": holm}
_FIRST: Final = ("treatment_date", "presentation_date", "fracture_date", "episode_id")


def compare_complications(
    cohort: Any,
    *,
    treatment: str,
    comparator: str,
    types: Sequence[str] | None = None,
    within_days: float | None = None,
    measure: Measure = "RD",
    method: ContrastMethod | None = None,
    stratum: str = "site",
    covariates: Sequence[str] | None = None,
    multiplicity: Multiplicity = "benjamini_hochberg",
    level: float = 0.95,
) -> ComplicationContrasts:
    """Share of patients with each complication, treatment against comparator.

    Parameters
    ----------
    cohort : Cohort
        Of several episodes of a patient in either arm the first is used, with its events.
    treatment, comparator : str
        Names of `TREATMENTS`; "VA" holds VP, KP and VAI.
    types : sequence of str, optional
        Event types, or "any" (a complication of any type); every type seen in either arm if not
        given. `death` and `crossover` are no complications.
    within_days : float, optional
        Count events from day 0 to this day; all, undated ones too, if not given.
    measure : {"RD", "RR", "OR"}
        Risk difference, risk ratio, odds ratio.
    method : str, optional
        "newcombe" (RD, the default there), "score" (Miettinen and Nurminen, the default of RR and
        OR), "exact" (OR, conditional), "mantel_haenszel" over `stratum`, "firth" (OR, with
        covariates if named; finite where an arm has no event), "overlap_weighting" or
        "g_computation" (given covariates, sandwich variance). The first two test by Boschloo
        (Fisher where both arms hold more than 2000 patients, said in a note), "exact" by Fisher, Firth
        by its penalised likelihood ratio, the others by Wald.
    stratum : str
        Column of patients or episodes, for "mantel_haenszel".
    covariates : sequence of str, optional
        Columns of patients or episodes. For overlap weighting and g-computation the declared
        confounders that are at least 80 % complete, if not given.
    multiplicity : {"benjamini_hochberg", "holm", "none"}
        Adjustment of the p-values over the event types asked for.
    level : float
        Of the intervals, between 0 and 1; they are not adjusted for multiplicity.

    Returns
    -------
    ComplicationContrasts

    Raises
    ------
    InputError
        If an argument is unknown, an arm is empty, or no event is there to compare.

    Reference
    ---------
    Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I; Miettinen
    and Nurminen 1985, doi:10.1002/sim.4780040211; Boschloo 1970,
    doi:10.1111/j.1467-9574.1970.tb00104.x; Sato 1989, doi:10.2307/2531784; Heinze and Schemper
    2002, doi:10.1002/sim.1047; Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = [f"p{i}" for i in range(20)]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": ["VP", "KP"] * 10}),
    ...     events=pd.DataFrame({"patient_id": ids[:8:2], "type": "cement_leakage", "day": 0}),
    ... )
    >>> found = vo.compare_complications(cohort, treatment="KP", comparator="VP")
    >>> found.to_frame().estimate.tolist()
    [-0.4]
    """
    method = method or ("newcombe" if measure == "RD" else "score")
    _check(cohort, arms=(treatment, comparator), within_days=within_days, types=types)
    _check_words(measure, method, multiplicity)
    check_numbers(_NAME, level=level, terms=covariates)
    if covariates and method not in WITH_COVARIATES:
        allowed = f"none with method {method!r}; they go with {', '.join(WITH_COVARIATES)}"
        raise refuse_argument(_NAME, "covariates", list(covariates), allowed)
    notes: list[str] = []
    people = _people(cohort, treatment, comparator, notes)
    people, arms, given = _arms(
        people, treatment, stratum=stratum, covariates=covariates, method=method, notes=notes
    )
    events = _events(cohort, people, within_days, notes)
    wanted = _wanted(events, types, treatment, comparator)
    rows, tests = [], set()
    place = pd.Index(people["episode_id"]).get_indexer(events["episode_id"])
    for kind in wanted:
        had = np.zeros(len(people), dtype=bool)
        had[place if kind == "any" else place[(events["type"] == kind).to_numpy(bool)]] = True
        table = table_of(arms.treated, had)
        found = contrast(arms, had, measure=measure, method=method, level=level)
        tests.add(found.test)
        rows.append({
            "type": kind, "events_t": table.x1, "n_t": table.n1, "events_c": table.x0,
            "n_c": table.n0, "estimate": found.estimate, "ci_low": found.ci_low,
            "ci_high": found.ci_high, "p_value": found.p_value, "note": found.note,
        })  # fmt: skip
    if "fisher" in tests and method != "exact":
        notes.append(f"With more than {BOSCHLOO_UP_TO} patients P is Fisher's, not Boschloo's.")
    frame = pd.DataFrame(rows)
    frame.insert(9, "p_adjusted", _adjusted(frame["p_value"].to_numpy(float), multiplicity))
    return ComplicationContrasts(
        treatment, comparator, measure, method, multiplicity, level, frame, covariates=given,
        notes=tuple(notes), synthetic=cohort.synthetic,
    )  # fmt: skip


def _check(cohort: Any, *, arms: tuple[Any, Any], within_days: Any, types: Any) -> None:
    if not isinstance(cohort, Cohort):
        raise refuse_argument(_NAME, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    check_arms(_NAME, *arms)
    if set(words_of(arms[0])) & set(words_of(arms[1])):
        raise refuse_argument(_NAME, "comparator", arms[1], f"an arm apart from {arms[0]}")
    if within_days is not None and not (isinstance(within_days, int | float) and within_days >= 0):
        raise refuse_argument(_NAME, "within_days", within_days, "a number of days, 0 or later")
    if types is None:
        return
    if isinstance(types, str) or not len(types):
        raise refuse_argument(_NAME, "types", types, f"a list such as [{types or 'infection'!r}]")
    known = ["any", *(kind for kind in EVENT_TYPES if kind not in NOT_COMPLICATIONS)]
    for kind in types:
        if kind not in known:
            raise refuse_argument(_NAME, "types", kind, list_some(known, most=60))


def _check_words(measure: Any, method: Any, multiplicity: Any) -> None:
    for name, word, allowed in (
        ("measure", measure, get_args(Measure)),
        ("method", method, tuple(WAYS)),
        ("multiplicity", multiplicity, get_args(Multiplicity)),
    ):
        if word not in allowed:
            raise refuse_argument(_NAME, name, word, ", ".join(allowed))
    if measure not in MEASURES_OF[method]:
        possible = f"{', '.join(MEASURES_OF[method])} with method {method!r}"
        raise refuse_argument(_NAME, "measure", measure, possible)


def _people(cohort: Cohort, treatment: str, comparator: str, notes: list[str]) -> pd.DataFrame:
    """One row per patient: the first episode in either arm."""
    episodes, patients = (
        frame_within(cohort, "episodes", function=_NAME),
        frame_within(cohort, "patients", function=_NAME),
    )
    both = of_arms(episodes, treatment=treatment, comparator=comparator, function=_NAME)
    by = [name for name in _FIRST if name in both.columns]
    first = both.sort_values(["patient_id", *by], kind="stable").drop_duplicates("patient_id")
    if len(first) < len(both):
        notes.append(f"{len(both) - len(first)} later episodes of a patient do not count.")
    for arm in (treatment, comparator):
        if not (first["treatment"] == arm).any():
            problem = Problem(f"arm {arm}", "no patient has it as first treatment", "some patients")
            raise InputError(f"{_NAME}()", [problem], "choose other arms")
    extra = [c for c in patients.columns if c == "patient_id" or c not in first.columns]
    return first.merge(patients[extra], on="patient_id").reset_index(drop=True)


def _arms(
    people: pd.DataFrame, treatment: str, *, stratum: str, covariates: Sequence[str] | None,
    method: str, notes: list[str],
) -> tuple[pd.DataFrame, Arms, tuple[str, ...]]:  # fmt: skip
    given = tuple(covariates or ())
    if covariates is None and method in ("overlap_weighting", "g_computation"):
        given = _usual(people)
    x, terms = covariate_columns(people, given, _NAME)
    whole = all_known(people, x, notes)
    if method == "mantel_haenszel":
        if stratum not in people.columns or people[stratum].isna().all():
            filled = [c for c in people.columns if people[c].notna().any()]
            raise refuse_argument(_NAME, "stratum", stratum, list_some(filled, most=40))
        known = people[stratum].notna().to_numpy(bool)
        if not known.all():
            notes.append(f"{(~known).sum()} patients without {stratum} are left out.")
        whole &= known
    people, x = people.loc[whole].reset_index(drop=True), x[whole]
    treated = (people["treatment"] == treatment).to_numpy(bool)
    if treated.all() or not treated.any():
        problem = Problem("the arms", "one is empty without blank values", "patients in both")
        raise InputError(f"{_NAME}()", [problem], "name fewer covariates or another stratum")
    refuse_apart(x, terms, treated, _NAME)
    place = None
    if method == "mantel_haenszel":
        place = np.asarray(pd.factorize(people[stratum])[0], dtype=np.int64)
    return people, Arms(treated, x, place), given


def _usual(people: pd.DataFrame) -> tuple[str, ...]:
    """Declared confounders that vary and are nearly complete."""
    return tuple(
        name for name in CONFOUNDERS
        if name in people.columns and people[name].isna().mean() <= MOST_MISSING
        and len(people[name].dropna().unique()) > 1
    )  # fmt: skip


def _events(
    cohort: Cohort, people: pd.DataFrame, within_days: float | None, notes: list[str]
) -> pd.DataFrame:
    events = frame_within(cohort, "events", function=_NAME)
    events = events.loc[~events["type"].isin(NOT_COMPLICATIONS)]
    if events.empty:
        problem = Problem("table events", "no complication was recorded", "at least one event")
        step = "load the events; an empty table does not show that there were none"
        raise InputError(f"{_NAME}()", [problem], step)
    events = events.loc[events["episode_id"].isin(people["episode_id"])]
    early = (events["day"] < 0).fillna(False)
    if early.any():
        problem = Problem("table events, column day", f"{early.sum()} before day 0", "0 or later")
        raise InputError(f"{_NAME}()", [problem], "correct these days in the source")
    if within_days is None:
        return events
    undated = events["day"].isna()
    if undated.any():
        notes.append(f"{undated.sum()} events without a day are not counted.")
    return events.loc[(events["day"] <= within_days).fillna(False)]


def _wanted(
    events: pd.DataFrame, types: Sequence[str] | None, treatment: str, comparator: str
) -> list[str]:
    wanted = sorted(events["type"].unique()) if types is None else list(dict.fromkeys(types))
    if not wanted:
        found = f"no complication of {treatment} or {comparator} in this time"
        problem = Problem("table events", found, "at least one event in either arm")
        step = "name types to compare arms without events, or look at complication_rates"
        raise InputError(f"{_NAME}()", [problem], step)
    return wanted


def _adjusted(p: Floats, multiplicity: str) -> Floats:
    """Over the types with a p-value; without adjustment the same values."""
    out, known = p.copy(), ~np.isnan(p)
    if multiplicity in ADJUST and known.any():
        out[known] = ADJUST[multiplicity](p[known])
    return out
