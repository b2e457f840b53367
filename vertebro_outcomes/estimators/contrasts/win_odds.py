"""Win odds: how often a patient of the treatment does better than one of the comparator."""

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.ordinal.wins import fit_wins
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


def fit_win_odds(data: TwoArms, *, variance: str = "placements") -> ContrastFit:
    """Log of P(win) + P(tie) / 2 over P(loss) + P(tie) / 2, over all pairs of patients.

    Parameters
    ----------
    data : TwoArms
    variance : {"placements"}
        Brunner and Munzel's, carried to the log odds, which keeps the interval between 0 and 1.

    Returns
    -------
    ContrastFit
        `quantities` hold the probability and the shares of pairs won, tied and lost.

    Raises
    ------
    UnanswerableError
        If an arm has one patient, or one arm wins every pair.

    Reference
    ---------
    Brunner, Vandemeulebroecke & Mütze (2021), Stat Med 40:3367-3384, doi:10.1002/sim.8967.
    """
    assert variance == "placements"
    found = fit_wins(data.y[data.treated], data.y[~data.treated])
    p = found.probability
    if not 0.0 < p < 1.0:
        raise UnanswerableError("one arm wins every pair of patients: the win odds are infinite")
    return ContrastFit(
        estimate=float(special.logit(p)),
        se=found.se / (p * (1.0 - p)),
        df=found.df,
        quantities={
            "win_odds": p / (1.0 - p),
            "win_probability": p,
            "win_probability_se": found.se,
            "share_win": found.share_win,
            "share_tie": found.share_tie,
            "share_loss": 1.0 - found.share_win - found.share_tie,
            "brunner_munzel_p": _two_sided(p, found.se, found.df),
        },
    )


def _two_sided(p: float, se: float, df: float) -> float:
    """Of the probability against one half, on its own scale."""
    return float(2.0 * special.stdtr(df, -np.abs(p - 0.5) / se))


METHOD = Method(
    name="win_odds",
    fit=fit_win_odds,
    kind="ordinal",
    estimand="odds that a patient of the treatment has the better score of a random pair",
    assumptions="the arms are comparable as they are (randomised); scores missing completely at random",
    reference="Brunner, Vandemeulebroecke & Mütze (2021), Stat Med 40:3367-3384, doi:10.1002/sim.8967",
    variances=("placements",),
    measure="WO",
)
