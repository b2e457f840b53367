"""How often complications happen under each definition, held against claimed and published rates."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.complication_sets import (
    EARLY_DAYS,
    Classes,
    UnitSets,
    classes_of,
)
from vertebro_outcomes.comparisons.occurrences import (
    COMPLICATION_KINDS,
    DETECTIONS,
    all_kinds,
    check_cohort,
    check_share,
    check_word,
    found_by,
    of_kind,
)
from vertebro_outcomes.errors import InputError, refuse_argument
from vertebro_outcomes.estimators.rates.beta_bands import PRIORS, posterior_of_totals
from vertebro_outcomes.results.complication_definitions import (
    ComplicationDefinitions,
    Prior,
    definition_rows,
    inside_bands,
)
from vertebro_outcomes.results.pooled_effect import PooledEffect
from vertebro_outcomes.tables.cohort import Cohort, Unit

_NAME: Final = "complication_definitions"
# Claimed rates of complications after vertebroplasty: claims C01 and C02 of
# data/raw/literature/claims.csv, and the range that holds both.
CLAIMED_BANDS: Final[dict[str, tuple[float, float]]] = {
    "1 to 3%": (0.01, 0.03), "below 4%": (0.0, 0.04), "1 to 4%": (0.01, 0.04)
}  # fmt: skip
TIMES: Final = (EARLY_DAYS, np.nan)  # NaN: any time
# A new fracture lies at another level than the treated one: its unit is the patient or procedure.
PER_LEVEL: Final = ("leakage", "symptomatic_leakage")


def complication_definitions(
    cohort: Any,
    *,
    treatment: str = "VP",
    bands: Mapping[str, tuple[float, float]] | None = None,
    published: Mapping[str, PooledEffect] | None = None,
    prior: Prior = "jeffreys",
    level: float = 0.95,
) -> ComplicationDefinitions:
    """The rate of complications under every definition, and the probability of each claimed band.

    Parameters
    ----------
    cohort : Cohort
        With tables `events` or `fractures`.
    treatment : str
        A name of `TREATMENTS` ("VA" holds VP, KP and VAI).
    bands : mapping, optional
        Name -> lowest and highest proportion; `CLAIMED_BANDS` if not given.
    published : mapping, optional
        Kind of complication -> pooled published proportion (measure PLO), such as
        `published_rates()` gives. Its mean and a further study are held against the same bands.
    prior : {"jeffreys", "uniform"}
        Beta prior of the registry's rate: Beta(1/2, 1/2) or Beta(1, 1).
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    ComplicationDefinitions
        One row per source, definition and band. Definitions are all pairs of kind
        (`COMPLICATION_KINDS`), detection (`any`, `without_ct`, and `ct`: of units looked at with CT),
        time (30 days, any) and unit (patients, episodes; levels for leakage).

    Raises
    ------
    InputError
        If the treatment has no patient, nothing was recorded, or an argument is unknown.

    Reference
    ---------
    Brown, Cai and DasGupta 2001, doi:10.1214/ss/1009213286 (posterior); Rao and Scott 1992,
    doi:10.2307/2532311 (several units per patient).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = [f"p{i}" for i in range(100)]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
    ...     events=pd.DataFrame({"patient_id": ids[:2], "type": "cement_leakage", "day": 0}),
    ... )
    >>> found = vo.complication_definitions(cohort)
    >>> float(round(found.probability("1 to 3%", kind="any")["p_inside"], 2))
    0.55
    """
    check_cohort(cohort, _NAME)
    check_word(_NAME, "prior", prior, PRIORS)
    check_share(_NAME, "level", level, low=0, high=1)
    asked = _bands(CLAIMED_BANDS if bands is None else bands)
    notes: list[str] = []
    rows = [
        {"source": "registry", **row, **inside}
        for row, posterior in _registry(cohort, treatment, prior=prior, level=level, notes=notes)
        for inside in inside_bands(posterior, asked)
    ]
    for kind in published or ():
        all_kinds(_NAME, kind)
    return ComplicationDefinitions(
        rates=definition_rows(rows), treatment=treatment, prior=prior,
        level=level, notes=tuple(notes), synthetic=cohort.synthetic,
    ).beside(published or {})  # fmt: skip


def _bands(bands: Any) -> dict[str, tuple[float, float]]:
    try:
        asked = {str(name): (float(low), float(high)) for name, (low, high) in bands.items()}
    except (AttributeError, TypeError, ValueError):
        asked = {}
    if not asked or not all(0 <= low < high <= 1 for low, high in asked.values()):
        allowed = "names with two proportions from 0 to 1, such as {'1 to 3%': (0.01, 0.03)}"
        raise refuse_argument(_NAME, "bands", bands, allowed)
    return asked


def _registry(
    cohort: Cohort, treatment: str, *, prior: str, level: float, notes: list[str]
) -> Iterator[tuple[dict[str, Any], Any]]:
    with classes_of(cohort, treatment=treatment, function=_NAME) as classes:
        kinds = _told(classes.frame, notes)
        sets = {unit: _sets(classes, unit, notes) for unit in get_args(Unit)}
    events = classes.frame
    for unit, units in sets.items():
        if units is None:
            continue
        if unit == "patients" and not units.scanned.any():
            notes.append("Nobody is known to have been looked at with CT; these rows are missing.")
        for kind, detection, days in product(kinds, DETECTIONS, TIMES):
            of_it = of_kind(events, kind).to_numpy(bool)
            if unit == "levels" and (kind not in PER_LEVEL or not events["n_placed"][of_it].sum()):
                continue
            base = units.scanned if detection == "ct" else np.ones_like(units.scanned)
            if not base.any():
                continue
            counted = of_it & found_by(events, detection).to_numpy(bool)
            had, of, alike = units.totals(
                counted if np.isnan(days) else counted & classes.early, base
            )
            posterior = posterior_of_totals(had, of, alike=alike, prior=prior)
            low, high = posterior.limits(level)
            n_events, n = int(alike @ had), int(alike @ of)
            yield {
                "kind": kind, "detection": detection, "within_days": days, "unit": unit,
                "n_events": n_events, "n": n, "rate": n_events / n,
                "ci_low": low if n_events else 0.0, "ci_high": high if n_events < n else 1.0,
            }, posterior  # fmt: skip


def _told(events: pd.DataFrame, notes: list[str]) -> list[str]:
    """Kinds that the registry can tell: a column that nobody filled does not show that there were none."""
    kinds = list(COMPLICATION_KINDS)
    graded = events["n_graded"].any() or (events["type"] == "serious_adverse_event").any()
    if not graded:
        kinds.remove("severe")
        notes.append("No severity is recorded: severe complications cannot be told.")
    return kinds


def _sets(classes: Classes, unit: Unit, notes: list[str]) -> UnitSets | None:
    """Units of the treatment; None where the registry has no treated levels."""
    try:
        return classes.sets(unit)
    except InputError as error:
        if unit != "levels":
            raise
        notes.append(f"No rates per level: {error.problems[0].found}.")
        return None
