"""The same comparison of outcomes that the treatment cannot change."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arms import compare_arms
from vertebro_outcomes.comparisons.compare import compare
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort

_NAME: Final = "negative_controls"
_NUMBERS: Final = ("estimate", "se", "ci_low", "ci_high", "p_value")


def negative_controls(cohort: Cohort, *, controls: Sequence[str], **question: Any) -> pd.DataFrame:
    """Estimates of negative-control outcomes by one analysis, for `calibrate`.

    Parameters
    ----------
    cohort : Cohort
    controls : sequence of str
        Instruments of table scores that the treatment cannot change, all on one scale (the same unit,
        lowest and highest value): errors of different units have no common spread.
    **question
        Arguments of `compare`, or with `arms` of `compare_arms`, other than `outcome`: the same as for
        the effect of interest.

    Returns
    -------
    DataFrame
        `control treatment comparator estimate se ci_low ci_high p_value reason`, one row per control
        and pair of arms; a control without an estimate has NaN and says why.

    Raises
    ------
    InputError
        If a control is unknown or named twice, scales differ, or no control has an estimate.

    Reference
    ---------
    Lipsitch et al. (2010), Epidemiology 21:383-388, doi:10.1097/EDE.0b013e3181d61eeb.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=300, seed=1, scenario="randomised")
    >>> found = vo.negative_controls(
    ...     cohort, controls=["eq5d"], treatment="KP", comparator="VP", day=30, method="ancova"
    ... )
    >>> found["control"].tolist()
    ['eq5d']
    """
    _check(cohort, controls, question)
    frames, last = [], None
    for control in controls:
        try:
            if "arms" in question:
                several = compare_arms(cohort, outcome=control, **question)
                frames.append(several.contrasts.assign(control=control, reason=several.withheld))
            else:
                one = compare(cohort, outcome=control, **question)
                frames.append(one.to_frame().assign(control=control, reason=one.withheld))
        except InputError as refused:
            last = refused
            why = "; ".join(str(problem.found) for problem in refused.problems)
            pairs = {name: question.get(name, "") for name in ("treatment", "comparator")}
            empty = dict.fromkeys(_NUMBERS, np.nan)
            frames.append(pd.DataFrame([{"control": control, **pairs, **empty, "reason": why}]))
    columns = ["control", "treatment", "comparator", *_NUMBERS, "reason"]
    table = pd.concat([frame[columns] for frame in frames], ignore_index=True)
    if table["estimate"].isna().all() and last is not None:
        raise last
    return table.assign(synthetic=cohort.synthetic)


def _check(cohort: Any, controls: Any, question: dict[str, Any]) -> None:
    if not isinstance(cohort, Cohort):
        raise refuse_argument(_NAME, "cohort", type(cohort).__name__, "a vo.Cohort")
    good = isinstance(controls, list | tuple) and len(controls) > 0
    known = cohort.known_instruments
    if not good or len(set(controls)) < len(controls) or not set(controls) <= set(known):
        allowed = f"different instruments, among {', '.join(known)}"
        raise refuse_argument(_NAME, "controls", controls, allowed)
    if "outcome" in question:
        allowed = "nothing: the controls are the outcomes"
        raise refuse_argument(_NAME, "outcome", question["outcome"], allowed)
    scales = {(known[c].unit, known[c].low, known[c].high) for c in controls}
    if len(scales) > 1:
        said = "; ".join(f"{low} to {high} {unit}" for unit, low, high in sorted(scales, key=str))
        problem = Problem("argument controls", f"several scales: {said}", "one scale")
        step = "calibrate with the controls of one scale at a time"
        raise InputError(f"{_NAME}()", [problem], step)
