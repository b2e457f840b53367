"""How much complications differ between sites: funnel, spread beyond chance, shrunken rates."""

from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.occurrence_counts import counts_by_group
from vertebro_outcomes.comparisons.occurrences import (
    KEYS,
    all_kinds,
    check_cohort,
    check_days,
    check_share,
    check_word,
)
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.rates.funnel_limits import (
    exact_limit,
    over_dispersion,
    wide_limit,
)
from vertebro_outcomes.estimators.rates.rates_posterior import posterior_limits
from vertebro_outcomes.estimators.rates.shrunken_rates import (
    shrink_beta_binomial,
    shrink_logit_normal,
)
from vertebro_outcomes.results.site_rates import (
    INNER,
    INTERVALS,
    OUTER,
    Shrinkage,
    ShrunkenInterval,
    SiteRates,
)
from vertebro_outcomes.tables.cohort import Unit

_NAME: Final = "complication_sites"
SHRINK: Final = {"beta_binomial": shrink_beta_binomial, "logit_normal": shrink_logit_normal}
# A tenth of the scores at either end, as Spiegelhalter 2005 (doi:10.1002/sim.1970, section 4.3).
WINSORISE: Final = 0.1
FEWEST_SITES: Final = 2


def complication_sites(
    cohort: Any,
    *,
    kind: str = "any",
    treatment: str | None = None,
    by: str = "site",
    unit: Unit = "patients",
    within_days: float | None = None,
    target: float | None = None,
    winsorise: float = WINSORISE,
    shrinkage: Shrinkage = "beta_binomial",
    interval: ShrunkenInterval = "posterior",
    level: float = 0.95,
) -> SiteRates:
    """Rate of a complication at each site, against the limits of chance around a target.

    Parameters
    ----------
    cohort : Cohort
        With tables `events` or `fractures`.
    kind : str
        A name of `vo.COMPLICATION_KINDS` or an event type.
    treatment : str, optional
        A name of `TREATMENTS` ("VA" holds VP, KP and VAI); all treatments if not given.
    by : str
        Column of patients or episodes that tells the sites apart.
    unit : {"patients", "episodes", "levels"}
        A unit with several events counts once. The limits take units as independent.
    within_days : float, optional
        Count events from day 0 to this day; all, undated ones too, if not given.
    target : float, optional
        Proportion between 0 and 1 that sites are held against; that of all sites together if not
        given.
    winsorise : float, 0 to below 0.5
        Share of the z-scores pulled in at either end before their spread is measured.
    shrinkage : {"beta_binomial", "logit_normal"}
        Model of the rates between sites, by maximum likelihood.
    interval : {"posterior", "plug_in"}
        Intervals of the shrunken rates: averaged over all means and spreads that the sites allow, by
        their likelihood; or at the best estimate of the spread, which is too narrow where few sites or
        events tell it.
    level : float
        Of the intervals of the shrunken rates, between 0 and 1.

    Returns
    -------
    SiteRates

    Raises
    ------
    InputError
        If there are fewer than two sites, no event, or nothing but events.

    Reference
    ---------
    Spiegelhalter 2005, doi:10.1002/sim.1970 (limits, phi, tau); Griffiths 1973, doi:10.2307/2529131
    (beta-binomial); Gelman 2006, doi:10.1214/06-BA117A (posterior); Kass and Steffey 1989,
    doi:10.1080/01621459.1989.10478825 (plug-in intervals).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = [f"p{i}" for i in range(60)]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids, "site": ["A", "B", "C"] * 20}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
    ...     events=pd.DataFrame({"patient_id": ids[:9:3], "type": "cement_leakage", "day": 0}),
    ... )
    >>> vo.complication_sites(cohort).to_frame().n_events.tolist()
    [3, 0, 0]
    """
    check_cohort(cohort, _NAME)
    all_kinds(_NAME, kind)
    check_word(_NAME, "unit", unit, KEYS)
    check_word(_NAME, "shrinkage", shrinkage, SHRINK)
    check_word(_NAME, "interval", interval, INTERVALS)
    check_days(_NAME, within_days)
    check_share(_NAME, "level", level, low=0, high=1)
    check_share(_NAME, "winsorise", winsorise, low=-1e-12, high=0.5)
    if target is not None:
        check_share(_NAME, "target", target, low=0, high=1)
    notes: list[str] = []
    sites = _counts(cohort, kind, treatment, by=by, unit=unit, within_days=within_days, notes=notes)
    x, n = sites["n_events"].to_numpy(float), sites["n"].to_numpy(float)
    centre = float(x.sum() / n.sum()) if target is None else float(target)
    spread = over_dispersion(x, n, target=centre, winsorise=winsorise)
    drawn = SHRINK[shrinkage](x, n, level=level)
    limits = drawn.ci_low, drawn.ci_high
    if interval == "posterior":
        limits = posterior_limits(x, n, model=shrinkage, level=level)
    for name, width in (("95", INNER), ("998", OUTER)):
        for side, tail in (("low", (1 - width) / 2), ("high", (1 + width) / 2)):
            sites[f"{side}_{name}"] = exact_limit(n, target=centre, tail=tail)
    for name, width in (("95", INNER), ("998", OUTER)):
        for side, tail in (("low", (1 - width) / 2), ("high", (1 + width) / 2)):
            limit = wide_limit(n, target=centre, tail=tail, tau=spread.tau)
            sites[f"wide_{side}_{name}"] = limit
    sites["z"] = spread.z
    sites["place"] = _place(sites, "")
    sites["place_wide"] = _place(sites, "wide_") if spread.tau > 0 else sites["place"]
    sites["shrunken"], sites["ci_low"], sites["ci_high"] = drawn.rate, *limits
    return SiteRates(
        sites=sites, kind=kind, by=by, unit=unit, treatment=treatment, within_days=within_days,
        target=centre, stated=target is not None, winsorise=winsorise, phi=spread.phi,
        p_value=spread.p_value, tau=spread.tau, shrinkage=shrinkage, mean=drawn.mean,
        spread=drawn.spread, interval=interval, level=level, notes=tuple(notes), synthetic=cohort.synthetic,
    )  # fmt: skip


def _counts(
    cohort: Any, kind: str, treatment: str | None, *, by: str, unit: Unit,
    within_days: float | None, notes: list[str],
) -> pd.DataFrame:  # fmt: skip
    """One row per site: units and those of them with the event."""
    sites = counts_by_group(
        cohort, kind=kind, treatment=treatment, by=by, unit=unit, within_days=within_days,
        function=_NAME, notes=notes,
    )  # fmt: skip
    total, most = int(sites["n_events"].sum()), int(sites["n"].sum())
    if len(sites) < FEWEST_SITES or not 0 < total < most:
        found = f"{len(sites)} with {total} events among {most} {unit}"
        problem = Problem(
            f"sites ({by})", found, "two or more sites, some units with, some without"
        )
        raise InputError(f"{_NAME}()", [problem], "choose another kind, treatment or column")
    sites.insert(3, "rate", sites["n_events"] / sites["n"])
    return sites


def _place(sites: pd.DataFrame, which: str) -> list[str]:
    """Where each rate lies: within the limits, or beyond which of them."""
    rate = sites["rate"]
    out = np.full(len(sites), "within", dtype=object)
    for name in ("95", "998"):
        words = "95%" if name == "95" else "99.8%"
        out[(rate < sites[f"{which}low_{name}"]).to_numpy()] = f"below {words}"
        out[(rate > sites[f"{which}high_{name}"]).to_numpy()] = f"above {words}"
    return [str(word) for word in out]
