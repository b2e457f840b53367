"""Complications of two treatments compared: differences, ratios, and the number of questions asked."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.complication_patterns import ANY, Patterns, TwoArmsOnEngine
from vertebro_outcomes.comparisons.contrast_methods import (
    BOSCHLOO_UP_TO,
    Arms,
    contrast,
    table_of,
)
from vertebro_outcomes.comparisons.covariates import CONFOUNDERS
from vertebro_outcomes.comparisons.event_counts import NOT_COMPLICATIONS
from vertebro_outcomes.comparisons.follow_up import ALIKE
from vertebro_outcomes.comparisons.hazard_models import (
    check_arms,
    check_numbers,
    covariate_columns,
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

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NAME: Final = "compare_complications"
MEASURES_OF: Final[dict[str, tuple[Measure, ...]]] = {
    "newcombe": ("RD",), "score": ("RD", "RR", "OR"), "exact": ("OR",),
    "mantel_haenszel": ("RD", "RR", "OR"), "firth": ("OR",),
    "overlap_weighting": ("RD", "RR", "OR"), "g_computation": ("RD", "RR", "OR"),
}  # fmt: skip
WITH_COVARIATES: Final = ("firth", "overlap_weighting", "g_computation")
ADJUST: Final = {"benjamini_hochberg": benjamini_hochberg, "holm": holm}


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
    on_engine = TwoArmsOnEngine(cohort, (treatment, comparator), _NAME)
    arms, given, patterns = _counted(
        on_engine, stratum=stratum, covariates=covariates, method=method,
        within_days=within_days, notes=notes,
    )  # fmt: skip
    wanted = _wanted(patterns, types, treatment, comparator)
    rows, tests = [], set()
    for kind in wanted:
        had = patterns.of(kind)
        table = table_of(arms, had)
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


def _counted(
    on_engine: TwoArmsOnEngine, *, stratum: str, covariates: Sequence[str] | None, method: str,
    within_days: float | None, notes: list[str],
) -> tuple[Arms, tuple[str, ...], Patterns]:  # fmt: skip
    """Patients and events by pattern of what the method needs; blank values leave."""
    given = tuple(covariates or ())
    usual = covariates is None and method in ("overlap_weighting", "g_computation")
    stratified = method == "mantel_haenszel"
    on_engine.check_covariates(given)
    columns = (*(CONFOUNDERS if usual else given), *((stratum,) if stratified else ()))
    people = on_engine.people(columns, notes)
    if usual:
        given = on_engine.usual(people)
    keys = [*given, *((stratum,) if stratified else ())]
    if stratified and stratum not in people.columns:
        on_engine.refuse_stratum(stratum)
    if not set(keys) <= set(people.columns):
        raise _emptied()
    people = _without_blanks(people, keys, notes, stratum if stratified else "")
    patterns = on_engine.patterns(people, keys, within_days=within_days, notes=notes)
    found = patterns.people
    x, terms = covariate_columns(found, given, _NAME)
    treated = found["treated"].to_numpy(bool)
    if treated.all() or not treated.any():
        raise _emptied()
    refuse_apart(x, terms, treated, _NAME)
    place = np.asarray(pd.factorize(found[stratum])[0], dtype=np.int64) if stratified else None
    return Arms(treated, x, place, found[ALIKE].to_numpy(float)), given, patterns


def _emptied() -> InputError:
    problem = Problem("the arms", "one is empty without blank values", "patients in both")
    return InputError(f"{_NAME}()", [problem], "name fewer covariates or another stratum")


def _without_blanks(
    people: "ir.Table", keys: Sequence[str], notes: list[str], stratum: str
) -> "ir.Table":
    """Patients with a value of every key; those without are noted."""
    if not keys:
        return people
    blank = {c: _blank(people[c]) for c in keys}
    some = {c: blank[c].sum() for c in blank}
    of_covariates = [blank[c] for c in blank if c != stratum]
    either = reduce(or_, of_covariates) if of_covariates else None
    if either is not None:
        some["_either"] = either.sum()
    found = people.aggregate(**some).to_pyarrow().to_pylist()[0]
    if found.get("_either"):
        notes.append(f"{found['_either']} patients with a blank covariate are left out.")
    if stratum and found[stratum]:
        notes.append(f"{found[stratum]} patients without {stratum} are left out.")
    return people.filter(~reduce(or_, blank.values()))


def _blank(column: Any) -> Any:
    missing = column.isnull()  # noqa: PD003
    return missing | column.isnan().fill_null(False) if column.type().is_floating() else missing


def _wanted(
    patterns: Patterns, types: Sequence[str] | None, treatment: str, comparator: str
) -> list[str]:
    seen = sorted(kind for kind in patterns.had if kind != ANY)
    wanted = seen if types is None else list(dict.fromkeys(types))
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
