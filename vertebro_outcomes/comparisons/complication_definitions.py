"""How often complications happen under each definition, held against claimed and published rates."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.occurrences import (
    COMPLICATION_KINDS,
    DETECTIONS,
    KEYS,
    all_kinds,
    check_cohort,
    check_share,
    check_word,
    count_units,
    found_by,
    looked_at_with_ct,
    occurrences,
    of_kind,
)
from vertebro_outcomes.errors import InputError, refuse_argument
from vertebro_outcomes.estimators.arrays import Ints
from vertebro_outcomes.estimators.rates.beta_bands import PRIORS, beta_posterior
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
EARLY_DAYS: Final = 30.0
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
    events = occurrences(cohort, _NAME)
    own = count_units(cohort, treatment=treatment, unit="episodes", function=_NAME)
    events = events.loc[events["episode_id"].isin(own["episode_id"])]
    kinds = _told(events, notes)
    for unit in get_args(Unit):
        units = _units(cohort, treatment, unit, notes)
        if units is None:
            continue
        scanned = looked_at_with_ct(cohort, units, unit)
        if unit == "patients" and not scanned.any():
            notes.append("Nobody is known to have been looked at with CT; these rows are missing.")
        bases = {"ct": scanned, "": np.ones(len(units), dtype=bool)}
        clusters = {name: _numbers(units.loc[base, "patient_id"]) for name, base in bases.items()}
        place = _places(units, events, unit)
        for kind in kinds:
            if unit == "levels" and kind not in PER_LEVEL:
                continue
            of_it = of_kind(events, kind)
            for detection in DETECTIONS:
                looked_at = "ct" if detection == "ct" else ""
                base, cluster = bases[looked_at], clusters[looked_at]
                if not base.any() or (unit == "levels" and events.loc[of_it, "level"].isna().all()):
                    continue
                for days in TIMES:
                    counted = of_it & found_by(events, detection) & (place >= 0)
                    if not np.isnan(days):
                        counted &= events["day"] <= days
                    had = np.zeros(len(units))
                    had[place[counted.to_numpy(bool)]] = 1.0
                    had = had[base]
                    posterior = beta_posterior(had, cluster, prior=prior)
                    low, high = posterior.limits(level)
                    yield {
                        "kind": kind, "detection": detection, "within_days": days, "unit": unit,
                        "n_events": int(had.sum()), "n": had.size, "rate": float(had.mean()),
                        "ci_low": low if had.any() else 0.0,
                        "ci_high": high if not had.all() else 1.0,
                    }, posterior  # fmt: skip


def _told(events: pd.DataFrame, notes: list[str]) -> list[str]:
    """Kinds that the registry can tell: a column that nobody filled does not show that there were none."""
    kinds = list(COMPLICATION_KINDS)
    graded = events["severity"].notna().any() or (events["type"] == "serious_adverse_event").any()
    if not graded:
        kinds.remove("severe")
        notes.append("No severity is recorded: severe complications cannot be told.")
    return kinds


def _units(
    cohort: Cohort, treatment: str, unit: Unit, notes: list[str]
) -> pd.DataFrame | None:  # fmt: skip
    """Units of the treatment, once each; None where the registry has no treated levels."""
    try:
        units = count_units(cohort, treatment=treatment, unit=unit, function=_NAME)
    except InputError as error:
        if unit != "levels":
            raise
        notes.append(f"No rates per level: {error.problems[0].found}.")
        return None
    return units.drop_duplicates(KEYS[unit]).reset_index(drop=True)


def _numbers(names: pd.Series) -> Ints:
    """Equal names as equal numbers, from 0."""
    return np.asarray(pd.factorize(names)[0], dtype=np.int64)


def _places(units: pd.DataFrame, events: pd.DataFrame, unit: Unit) -> Ints:
    """The place of the unit of each event among the units, -1 for events of no unit."""
    keys = KEYS[unit]
    known = units[keys].assign(place=np.arange(len(units)))
    place = events[keys].merge(known, on=keys, how="left")["place"].fillna(-1).to_numpy(np.int64)
    return np.where(events[keys].isna().any(axis=1).to_numpy(), -1, place)
