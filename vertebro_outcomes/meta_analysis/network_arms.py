"""From a long table of arms to all pairwise contrasts of every study."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.network.arm_effects import ARM_EFFECTS, ArmEffects
from vertebro_outcomes.meta_analysis.arm_checks import check_arms
from vertebro_outcomes.meta_analysis.study_rows import numeric_column, require_columns

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("OR", "RR", "RD"), ("events", "n")),
    **dict.fromkeys(("MD", "SMD", "ROM"), ("mean", "sd", "n")),
    **dict.fromkeys(("IRR", "IRD"), ("events", "time")),
}
_OUTPUT: Final = [
    *("study", "treat_t", "treat_c", "effect", "se", "variance"),
    *("measure", "corrected", "excluded_because"),
]
_NO_EVENTS: Final = "no event in any arm, or events in all"
_UNDEFINED: Final = "the effect is not defined for these numbers"


def network_contrasts(
    arms: pd.DataFrame, *, measure: str, add: float = 0.5, drop_double_zero: bool = True
) -> pd.DataFrame:
    """All pairs of arms of every study, as `pool_network` wants them.

    Parameters
    ----------
    arms : DataFrame
        One row per arm: `study treatment` and `events n` (OR RR RD), `mean sd n` (MD SMD ROM) or
        `events time` (IRR IRD). Arms with a missing number are left out of their study.
    measure
        "OR", "RR", "RD", "MD", "SMD", "ROM", "IRR" or "IRD".
    add : float, at least 0
        Added to events and non-events (to events for IRR and IRD) of every arm of a study with an
        empty cell, so that the effects of the study still add up.
    drop_double_zero
        Leave out studies without an event in any arm, or with events in all patients (OR RR IRR).

    Returns
    -------
    DataFrame
        `study treat_t treat_c effect se variance measure corrected excluded_because`; of two arms
        the one that stands first in the table is `treat_t`. Pairs left out have effect NaN.

    Raises
    ------
    InputError
        Missing columns, impossible counts, a study with one arm, a treatment twice in a study.

    Notes
    -----
    Two arms give what `effect_sizes` gives. Standardised means of several arms share the standard
    deviation pooled over all of them (N - m degrees of freedom).

    References
    ----------
    Crippa and Orsini (2016), BMC Med Res Methodol 16:91, doi:10.1186/s12874-016-0189-0.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> arms = pd.DataFrame({"study": ["a"] * 3, "treatment": ["VP", "KP", "NSM"],
    ...                      "events": [4, 6, 9], "n": [50, 52, 49]})
    >>> vo.network_contrasts(arms, measure="RR")["effect"].round(3).tolist()
    [-0.366, -0.831, -0.465]
    """
    function = "network_contrasts"
    if measure not in _COLUMNS:
        raise refuse_argument(function, "measure", measure, ", ".join(_COLUMNS))
    if not isinstance(arms, pd.DataFrame):
        raise refuse_argument(function, "arms", type(arms).__name__, "a DataFrame")
    if not 0 <= add < np.inf:
        raise refuse_argument(function, "add", add, "a number of at least 0")
    require_columns(arms, ("study", "treatment", *_COLUMNS[measure]), function=function)
    columns = {name: numeric_column(arms, name, function=function) for name in _COLUMNS[measure]}
    check_arms(arms, columns, function=function)
    treatment = [str(x).strip() for x in arms["treatment"].tolist()]
    rows: list[dict[str, Any]] = []
    for label, places in _members(
        [str(x).strip() for x in arms["study"].tolist()], treatment
    ).items():
        part = tuple(column[places] for column in columns.values())
        names = [treatment[i] for i in places]
        pairs = _pairs(part, names, measure=measure, add=add, drop=drop_double_zero)
        rows += [{"study": label, "measure": measure, **pair} for pair in pairs]
    return pd.DataFrame(rows, columns=_OUTPUT)


def _members(study: Sequence[str], treatment: Sequence[str]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for i, label in enumerate(study):
        members.setdefault(label, []).append(i)
    alone = [label for label, places in members.items() if len(places) == 1]
    twice = [
        label
        for label, places in members.items()
        if len({treatment[i] for i in places}) < len(places)
    ]
    problems = [
        Problem(f"column {name}", f"{words} {list_some(labels)}", allowed)
        for name, words, labels, allowed in (
            ("study", "only one arm in", alone, "two or more arms per study"),
            ("treatment", "a treatment stands twice in", twice, "one row per treatment of a study"),
        )
        if labels
    ]
    if problems:
        raise InputError("network_contrasts()", problems, "combine arms, or drop these studies")
    return members


def _pairs(
    arms: tuple[Floats, ...], names: Sequence[str], *, measure: str, add: float, drop: bool
) -> list[dict[str, Any]]:
    known = np.array([not np.isnan(column).any() for column in zip(*arms, strict=True)])
    present = tuple(column[known] for column in arms)
    dropped = drop and measure in {"OR", "RR", "IRR"} and _double_zero(present, measure)
    corrected = not dropped and add > 0 and bool(_empty_cells(present, measure).any())
    if corrected:
        sizes = present[1] + 2 * add if measure in {"OR", "RR", "RD"} else present[1]
        present = (present[0] + add, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        made = ARM_EFFECTS[measure](present) if known.any() else None
    place = np.cumsum(known) - 1
    return [
        {
            "treat_t": names[i],
            "treat_c": names[j],
            "corrected": corrected and bool(known[i] and known[j]),
            **_one_pair(
                made if known[i] and known[j] else None,
                (int(place[i]), int(place[j])),
                dropped=dropped,
            ),
        }
        for i, j in combinations(range(len(names)), 2)
    ]


def _one_pair(made: ArmEffects | None, at: tuple[int, int], *, dropped: bool) -> dict[str, Any]:
    effect, variance, reason = np.nan, np.nan, "a number of one of the arms is missing"
    if made is not None:
        effect, variance = made.pair(*at)
        usable = np.isfinite(effect) and np.isfinite(variance) and variance > 0
        reason = _NO_EVENTS if dropped else "" if usable else _UNDEFINED
    if reason:
        effect, variance = np.nan, np.nan
    return {
        "effect": effect,
        "se": np.sqrt(variance),
        "variance": variance,
        "excluded_because": reason or None,
    }


def _empty_cells(arms: tuple[Floats, ...], measure: str) -> Bools:
    if measure in {"OR", "RR", "RD"}:
        return (arms[0] == 0) | (arms[0] == arms[1])
    return arms[0] == 0 if measure in {"IRR", "IRD"} else np.zeros(len(arms[0]), dtype=bool)


def _double_zero(arms: tuple[Floats, ...], measure: str) -> bool:
    none, everyone = (arms[0] == 0).all(), measure != "IRR" and (arms[0] == arms[1]).all()
    return bool(len(arms[0]) and (none or everyone))
