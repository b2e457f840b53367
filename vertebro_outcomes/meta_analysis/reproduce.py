"""Recompute every pooled number of a published review, and say what became of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.meta_analysis.recognise_specification import with_recognised
from vertebro_outcomes.meta_analysis.recompute_unit import UnitResult, check_unit
from vertebro_outcomes.meta_analysis.revman_arithmetic import Recomputed, between_subgroups
from vertebro_outcomes.meta_analysis.unstated_model import with_likely_model
from vertebro_outcomes.results.reproduction import COLUMNS, EXTRA, Reproduction
from vertebro_outcomes.tables.review_tables import Review, ReviewUnit

NAN: Final = float("nan")
MOST_SEARCHED: Final = 15  # a search for a misreading takes a tenth of a second
Progress = Callable[[int, int], None]  # units done, units in all


def reproduce(source: str | Path | Review, *, progress: Progress | None = None) -> Reproduction:
    """Recompute a published review with its own stated methods and compare.

    Parameters
    ----------
    source : path, review_id, or Review
        A RevMan 5 file (.rm5), a RevMan Web data package (zip or folder), a RevMan CSV export, an
        extraction sheet or review folder, or the identifier of a review that ships with the package.
    progress : callable, optional
        Called with the number of units done and of all units.

    Returns
    -------
    Reproduction
        One row per pooled unit with a verdict: `reproduced`; `reproduced_otherwise`, with the
        specification that prints the number; `not_reproduced`; `not_checkable`, with what is missing.

    Raises
    ------
    LoadError
        The file is missing, of no known format, broken or hostile.

    References
    ----------
    Deeks and Higgins (2010), Statistical algorithms in Review Manager 5.
    """
    review = source if isinstance(source, Review) else read_review(source)
    with np.errstate(all="ignore"):  # numbers beyond all measurement end as not reproduced
        return _reproduce(review, progress)


def _reproduce(review: Review, progress: Progress | None) -> Reproduction:
    units = with_recognised(
        [u if u.measure and u.model else with_likely_model(u) for u in review.units]
    )
    results: dict[str, UnitResult] = {}
    rows = []
    searched = 0
    for done, unit in enumerate(units):
        result = check_unit(unit, search=searched < MOST_SEARCHED)
        searched += result.verdict in ("not_reproduced", "reproduced_otherwise")
        results[unit.unit_id] = result
        if progress is not None:
            progress(done + 1, len(units))
    recomputed = {key: result.recomputed for key, result in results.items()}
    rows = [_row(unit, results[unit.unit_id], recomputed) for unit in units]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *EXTRA])
    notes = review.notes
    if searched > MOST_SEARCHED:
        notes += (f"Misreadings were searched for the first {MOST_SEARCHED} numbers that differ.",)
    return Reproduction(review.review_id, review.format, frame, notes=notes)


def _row(
    unit: ReviewUnit, result: UnitResult, recomputed: dict[str, Recomputed | None]
) -> dict[str, Any]:
    published, again = unit.published, result.recomputed
    estimate, low, high = again.limits if again is not None else (NAN, NAN, NAN)
    parts = [recomputed[key] for key in unit.subgroup_units if key in recomputed]
    between = between_subgroups([part for part in parts if part is not None])[0]

    def value(name: str) -> float:
        number = getattr(published, name)
        return number.value if number is not None else NAN

    return {
        "unit_id": unit.unit_id,
        "level": unit.level,
        "comparison": unit.comparison,
        "outcome": unit.outcome,
        "subgroup": unit.subgroup,
        "measure": unit.measure,
        "method": unit.method,
        "model": unit.model,
        "k": again.k if again is not None else 0,
        "published_estimate": value("estimate"),
        "published_ci_low": value("ci_low"),
        "published_ci_high": value("ci_high"),
        "published_tau2": value("tau2"),
        "published_q": value("q"),
        "recomputed_estimate": estimate,
        "recomputed_ci_low": low,
        "recomputed_ci_high": high,
        "recomputed_tau2": again.tau2 if again is not None else NAN,
        "recomputed_q": again.q if again is not None else NAN,
        "verdict": result.verdict,
        "specification": result.specification,
        "reason": result.reason,
        "published_i2_pct": value("i2_pct"),
        "recomputed_i2_pct": again.i2_pct if again is not None else NAN,
        "published_q_between": value("q_between"),
        "recomputed_q_between": between,
        "shown": unit.shown,
    }
