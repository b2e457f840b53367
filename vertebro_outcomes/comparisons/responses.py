"""Who counts as a responder: the published definitions, applied to a score and its baseline."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.tables.event_types import Instrument


@dataclass(frozen=True)
class Response:
    """One definition; `share` is an improvement as a share of the baseline."""

    name: str
    label: str
    reference: str
    share: float = np.nan
    needs_baseline: bool = True


_IMMPACT: Final = "Dworkin et al. (2008), J Pain 9:105-121, doi:10.1016/j.jpain.2007.09.005"
RESPONSES: Final[dict[str, Response]] = {
    item.name: item
    for item in (
        Response("better_30pct", "at least 30 % better than at baseline", _IMMPACT, 0.30),
        Response("better_50pct", "at least 50 % better than at baseline", _IMMPACT, 0.50),
        Response(
            "at_most_3",
            "pain at most 3 of 10",
            "Boonstra et al. (2014), Pain 155:2545-2550, doi:10.1016/j.pain.2014.09.014",
            needs_baseline=False,
        ),
        Response(
            "worthwhile",
            "better by the smallest worthwhile change",
            "the worthwhile change of the outcome in vo.OUTCOMES, or of the declared instrument",
        ),
    )
}


def as_response(
    y: Floats, baseline: Floats, *, outcome: str, instrument: Instrument, response: Response
) -> Floats:
    """1 for responders, 0 for others, NaN where it is not defined (no score, baseline blank or zero).

    Raises
    ------
    InputError
        If the definition does not fit the outcome.
    """
    if response.name == "at_most_3":
        if (instrument.low, instrument.high) != (0, 10):
            _refuse(outcome, response, "a pain score from 0 to 10")
        return np.where(np.isnan(y), np.nan, (y <= 3.0).astype(float))
    if instrument.better not in ("lower", "higher"):
        _refuse(outcome, response, "an outcome with a better direction")
    gain = baseline - y if instrument.better == "lower" else y - baseline
    if response.name == "worthwhile":
        if instrument.worthwhile is None:
            _refuse(
                outcome, response, "an outcome with a smallest worthwhile change in vo.OUTCOMES"
            )
        assert instrument.worthwhile is not None
        needed = np.full(len(y), instrument.worthwhile)
    else:
        if instrument.low != 0:
            _refuse(outcome, response, "an outcome whose scale starts at zero")
        needed = np.where(baseline > 0, response.share * baseline, np.nan)
    slack = 1e-9  # scores are written in decimals: 3.0 - 2.1 is meant to be 0.9
    return np.where(np.isnan(gain - needed), np.nan, (gain >= needed - slack).astype(float))


def _refuse(outcome: str, response: Response, allowed: str) -> None:
    problem = Problem("argument response", f"{response.name!r} with {outcome}", allowed)
    raise InputError("compare()", [problem], "choose another definition or outcome")
