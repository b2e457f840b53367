"""Which complication is the most common, under each definition."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.complication_definitions import TIMES
from vertebro_outcomes.comparisons.complication_sets import classes_of
from vertebro_outcomes.comparisons.occurrences import (
    DETECTIONS,
    check_cohort,
    check_share,
    check_word,
    found_by,
    of_kind,
)
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.rates.beta_bands import posterior_of_totals
from vertebro_outcomes.estimators.rates.ranks import rank_events
from vertebro_outcomes.results.complication_ranking import GROUPINGS, ComplicationRanking
from vertebro_outcomes.tables.cohort import Cohort, Unit

_NAME: Final = "complication_ranking"
UNITS: Final = ("patients", "episodes")
COLUMNS: Final = (
    "grouping", "detection", "within_days", "kind", "n_events", "n", "rate", "ci_low", "ci_high",
    "rank", "rank_low", "rank_high", "p_first",
)  # fmt: skip


def complication_ranking(
    cohort: Any,
    *,
    treatment: str = "VP",
    unit: Unit = "patients",
    level: float = 0.95,
    seed: int = 1,
) -> ComplicationRanking:
    """Complications by rate with the uncertainty of their ranks, under each definition.

    Parameters
    ----------
    cohort : Cohort
        With tables `events` or `fractures`; new fractures count as complications.
    treatment : str
        A name of `TREATMENTS` ("VA" holds VP, KP and VAI).
    unit : {"patients", "episodes"}
        A unit with several events of a kind counts once.
    level : float
        Of the limits of rates and ranks, between 0 and 1.
    seed : int
        Of the draws.

    Returns
    -------
    ComplicationRanking
        Definitions are all pairs of grouping (leaks `together`, `apart` by site, or only
        `with_symptoms`, then emboli likewise), detection (`any`, `without_ct`, `ct`) and time (30
        days, any).

    Raises
    ------
    InputError
        If the treatment has no patient or no complication.

    Reference
    ---------
    Rubin 1981, doi:10.1214/aos/1176345338 (Bayesian bootstrap); Goldstein and Spiegelhalter 1996,
    doi:10.2307/2983325 (intervals of ranks); Jeffreys limits of the rates.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = [f"p{i}" for i in range(50)]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
    ...     events=pd.DataFrame({"patient_id": ids[:9], "type": "cement_leakage_disc", "day": 0}),
    ...     fractures=pd.DataFrame({"patient_id": ids[9:11], "day": 90, "adjacent": True}),
    ... )
    >>> bool(vo.complication_ranking(cohort).claims()["leakage_first"].max() > 0.9)
    True
    """
    check_cohort(cohort, _NAME)
    check_word(_NAME, "unit", unit, UNITS)
    check_share(_NAME, "level", level, low=0, high=1)
    _check_seed(seed)
    rows = list(_ranked(cohort, treatment, unit=unit, level=level, seed=seed))
    if not rows:
        problem = Problem(f"events of {treatment}", "no complication", "at least one")
        raise InputError(f"{_NAME}()", [problem], "choose another treatment")
    notes = [] if any(row["detection"] == "ct" for row in rows) else ["Nobody is known to have been "
        "looked at with CT: there is no ranking of CT findings."]  # fmt: skip
    return ComplicationRanking(
        ranks=pd.DataFrame(rows, columns=list(COLUMNS)), treatment=treatment, unit=unit,
        level=level, seed=seed, notes=tuple(notes), synthetic=cohort.synthetic,
    )  # fmt: skip


def _check_seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise refuse_argument(_NAME, "seed", seed, "a whole number, 0 or more")


def _ranked(
    cohort: Cohort, treatment: str, *, unit: Unit, level: float, seed: int
) -> Iterator[dict[str, Any]]:
    with classes_of(cohort, treatment=treatment, function=_NAME) as classes:
        units = classes.sets(unit)
    events = classes.frame
    for grouping, detection, days in product(GROUPINGS, DETECTIONS, TIMES):
        base = units.scanned if detection == "ct" else np.ones_like(units.scanned)
        counted = found_by(events, detection).to_numpy(bool)
        if not np.isnan(days):
            counted &= classes.early
        named = _group(events, grouping).where(counted).to_numpy(object)
        of_kinds = {kind: named == kind for kind in sorted(set(named[pd.notna(named)]))}
        column = {kind: units.had[base][:, of].any(axis=1) for kind, of in of_kinds.items()}
        kinds = [kind for kind in of_kinds if column[kind].any()]
        if not kinds:
            continue
        had = np.column_stack([column[kind] for kind in kinds])
        found = rank_events(had, level=level, seed=seed, alike=units.times[base])
        for j in np.argsort(found.rank, kind="stable"):
            own, of, alike = units.totals(of_kinds[kinds[j]], base)
            low, high = posterior_of_totals(own, of, alike=alike, prior="jeffreys").limits(level)
            n_events, n = int(alike @ own), int(alike @ of)
            yield {
                "grouping": grouping, "detection": detection, "within_days": days,
                "kind": kinds[j], "n_events": n_events, "n": n,
                "rate": n_events / n, "ci_low": low, "ci_high": high if n_events < n else 1.0,
                "rank": int(found.rank[j]), "rank_low": int(found.low[j]),
                "rank_high": int(found.high[j]), "p_first": float(found.p_first[j]),
            }  # fmt: skip


def _group(events: pd.DataFrame, grouping: str) -> pd.Series:
    """The name under which an occurrence is ranked; missing where it does not count."""
    kind = events["type"].astype(object)
    kind = kind.mask(of_kind(events, "pulmonary_cement_embolism"), "pulmonary_cement_embolism")
    leak = of_kind(events, "leakage")
    if grouping == "apart":
        return kind
    if grouping == "together":
        return kind.mask(leak, "leakage")
    silent = ~of_kind(events, "with_symptoms") & ~of_kind(events, "new_fracture")
    return kind.mask(leak, "leakage").mask(silent, None)
