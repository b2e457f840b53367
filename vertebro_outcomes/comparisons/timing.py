"""The claims on timing, asked of a cohort in one call."""

from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.effect_by import effect_by
from vertebro_outcomes.comparisons.modifiers import TIMING_CUTS
from vertebro_outcomes.tables.cohort import Cohort

CLAIMS: Final = {"8 weeks": "C11", "2 months": "C12", "3 months": "C14"}


def timing_claims(cohort: Cohort, **question: Any) -> pd.DataFrame:
    """The effect in younger and older fractures at each limit that claims about timing name.

    Parameters
    ----------
    cohort : Cohort
    **question
        As for `effect_by`, without modifier, cut and continuous.

    Returns
    -------
    DataFrame
        `claim limit cut_days` and, of `effect_by` cut there, `n_t_early n_c_early early early_ci_low
        early_ci_high n_t_late n_c_late late late_ci_low late_ci_high difference se ci_low ci_high
        p_value withheld`; the difference is late minus early. `p_holm` is adjusted for the three limits. The
        age of the fracture is that at day 0; it shows what happened to patients who came early or
        late, not what waiting would do to one patient.

    Raises
    ------
    InputError
        As `effect_by`.

    Reference
    ---------
    Holm (1979), Scand J Stat 6:65-70.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=3000, seed=1, scenario="randomised")
    >>> found = vo.timing_claims(
    ...     cohort, outcome="pain_vas", treatment="VP", comparator="NSM", day=30
    ... )
    >>> found["claim"].tolist()
    ['C11', 'C12', 'C14']
    """
    lines = []
    for limit, days in TIMING_CUTS.items():
        asked = {**question, "modifier": "fracture_age_days", "cut": limit}
        found = effect_by(cohort, **asked)
        line: dict[str, Any] = {"claim": CLAIMS[limit], "limit": limit, "cut_days": days}
        for word, row in zip(("early", "late"), found.effects.to_dict("records"), strict=True):
            line |= {f"n_t_{word}": row["n_t"], f"n_c_{word}": row["n_c"], word: row["estimate"]}
            line |= {f"{word}_ci_low": row["ci_low"], f"{word}_ci_high": row["ci_high"]}
        difference = found.interaction.drop(columns="term").iloc[0].to_dict()
        line |= {"difference": difference.pop("estimate"), **difference, "withheld": found.withheld}
        lines.append(line)
    frame = pd.DataFrame(lines).assign(synthetic=cohort.synthetic)
    order = np.argsort(frame["p_value"].to_numpy())
    steps = frame["p_value"].to_numpy()[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return frame.assign(p_holm=adjusted)
