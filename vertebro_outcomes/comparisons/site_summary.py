"""One site's share of a comparison, as sums from which no patient can be read."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from vertebro_outcomes.comparisons.covariates import Covariates, as_numbers, check_names, columns_of
from vertebro_outcomes.comparisons.first_of_arms import first_of_arms
from vertebro_outcomes.comparisons.follow_up import ALIKE, COMPETING, EVENT, follow
from vertebro_outcomes.comparisons.narrow_population import Needs, narrow_population
from vertebro_outcomes.comparisons.population import Population, words_of
from vertebro_outcomes.comparisons.small_counts import hide_at_risk, hide_counts, hide_parts
from vertebro_outcomes.comparisons.windows import window_for
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.propensity.balance import covariate_balance
from vertebro_outcomes.estimators.survival.proportional_hazards import moments
from vertebro_outcomes.estimators.survival.risk_sets import risk_sets
from vertebro_outcomes.results.site_bundle import SiteBundle
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine import count

# Counts of 1 to 10 are hidden: the rule of the United States' Medicare data (CMS cell size policy).
SMALLEST_COUNT: Final = 11
PATIENTS_PER_TERM: Final = 10  # fewer patients per crossproduct could be solved for
AGREED_DAYS: Final = (0, 30, 90, 180, 365, 730)
# Where the partial likelihood is tabulated: hazard ratios of 1/20 to 20.
GRID: Final = np.linspace(-3.0, 3.0, 121)
NOT_COMPLICATIONS: Final = ("death", "crossover")
_NAME = "site_summary"


def site_summary(
    cohort: Any,
    *,
    site: Any,
    treatment: str,
    comparator: str,
    outcome: str = "pain_vas",
    day: int = 365,
    covariates: Sequence[str] = ("baseline",),
    event: str = "fracture",
    smallest_count: Any = SMALLEST_COUNT,
) -> SiteBundle:
    """Summaries of one site for `combine_sites`: no rows, no extremes, no small counts.

    Parameters
    ----------
    cohort : Cohort
        The patients of one site.
    site : str
        How the site is called in the combined result.
    treatment, comparator : str
        Two arms.
    outcome, day, covariates
        Of the analysis of covariance, as in `compare`.
    event : str
        A fracture, death or complication, as in `cumulative_incidence`.
    smallest_count : int
        The smallest count that may be shown, at least 2; smaller ones than it, but not 0, are hidden.

    Returns
    -------
    SiteBundle

    Raises
    ------
    InputError
        If an arm has fewer patients than `smallest_count`, or a name is not known.

    Reference
    ---------
    Likelihoods instead of patients: Schuemie et al. 2022, doi:10.1002/sim.9293. Sums of squares
    instead of patients: Chen et al. 2006, doi:10.1109/TKDE.2006.196.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=800, seed=1, scenario="randomised")
    >>> bundle = site_summary(cohort, site="A", treatment="KP", comparator="VP", day=90)
    >>> bundle.synthetic
    True
    """
    if not isinstance(cohort, Cohort):
        raise refuse_argument(_NAME, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    if outcome not in cohort.known_instruments:
        raise refuse_argument(_NAME, "outcome", outcome, ", ".join(cohort.known_instruments))
    if not isinstance(site, str) or not site.strip():
        raise refuse_argument(_NAME, "site", site, "how the site is called, not blank")
    if not isinstance(smallest_count, int) or smallest_count < 2:
        raise refuse_argument(_NAME, "smallest_count", smallest_count, "a whole number from 2")
    needs = Needs(("treatment", *columns_of(tuple(covariates))), day, window_for(day))
    people = narrow_population(
        cohort, outcome=outcome, arms=(treatment, comparator), needs=needs, function=_NAME
    )
    sizes = int(people.treated.sum()), int((~people.treated).sum())
    _refuse_small(sizes, (treatment, comparator), smallest_count)
    notes: list[str] = []
    return SiteBundle(
        site=site, synthetic=cohort.synthetic, smallest_count=smallest_count,
        treatment=treatment, comparator=comparator, n_t=sizes[0], n_c=sizes[1],
        **_score(people, (outcome, day), tuple(covariates), smallest_count, notes),
        **_events(cohort, (treatment, comparator), event, smallest_count, notes),
        complications=_complications(
            cohort, (treatment, comparator), smallest_count, notes, n_t=sizes[0], n_c=sizes[1]
        ),
        notes=tuple(notes),
    )  # fmt: skip


def _refuse_small(sizes: tuple[int, int], arms: tuple[str, str], smallest: int) -> None:
    small = [arm for arm, n in zip(arms, sizes, strict=True) if n < smallest]
    if small:
        problems = [
            Problem(f"arm {arm}", f"fewer than {smallest} patients", "more") for arm in small
        ]
        raise InputError(f"{_NAME}()", problems, "this site cannot take part in this comparison")


def _score(
    people: Population, asked: tuple[str, int], terms: tuple[str, ...], smallest: int,
    notes: list[str],
) -> dict[str, Any]:  # fmt: skip
    """Crossproducts of the patients with score and covariates, and the balance of the same patients."""
    outcome, day = asked
    check_names(people, terms)
    baseline, y = people.baseline(), people.score_at(day, window_for(day))
    columns = as_numbers(people, baseline, terms)
    kept: Bools = np.asarray(~np.isnan(np.column_stack([columns.x, y])).any(axis=1), dtype=bool)
    treated = people.treated[kept]
    sizes = int(treated.sum()), int((~treated).sum())
    why = _too_telling(columns, kept, treated, sizes, smallest)
    if why:
        notes.append(f"{outcome} at day {day} is not shared: {why}.")
        return {"score": None, "balance": None}
    z = np.column_stack([np.ones(len(treated)), treated, columns.x[kept], y[kept]])
    score = {
        "outcome": outcome, "day": day, "window": list(window_for(day)), "terms": list(terms),
        "n_t": sizes[0], "n_c": sizes[1], "names": ["1", "arm", *columns.names, "score"],
        "gram": (z.T @ z).tolist(),
    }  # fmt: skip
    return {"score": score, "balance": _balance(columns.names, columns.x[kept], treated)}


def _balance(names: Sequence[str], x: Floats, treated: Bools) -> list[dict[str, Any]]:
    """Mean and standard deviation of every covariate, by arm."""
    found = covariate_balance(x, treated)
    columns = ("mean_t", "sd_t", "mean_c", "sd_c")
    return [
        {"covariate": name, **{c: float(getattr(found, c)[j]) for c in columns}}
        for j, name in enumerate(names)
    ]


def _too_telling(
    columns: Covariates, kept: Bools, treated: Bools, sizes: tuple[int, int], smallest: int
) -> str:
    """Why crossproducts would show too few patients; empty if they would not."""
    if min(sizes) < smallest:
        return f"fewer than {smallest} patients of an arm have the score and all covariates"
    needed = PATIENTS_PER_TERM * (columns.x.shape[1] + 3)
    if sum(sizes) < needed:
        return f"so many covariates need at least {needed} patients"
    for name, x in zip(columns.names, columns.x[kept].T, strict=True):
        values = np.unique(x)
        for value in values if len(values) == 2 else ():
            for arm in (treated, ~treated):
                if 0 < int((x[arm] == value).sum()) < smallest:
                    return f"fewer than {smallest} patients of an arm share a value of {name}"
    return ""


def _events(
    cohort: Cohort, arms: tuple[str, str], event: str, smallest: int, notes: list[str]
) -> dict[str, Any]:
    people, said = follow(cohort, event=event, function=_NAME).counted(["treatment"])
    notes += said
    people = people[people["treatment"].isin([*words_of(arms[0]), *words_of(arms[1])])]
    treated = people["treatment"].isin(words_of(arms[0])).to_numpy(dtype=bool)
    time, cause = people["days"].to_numpy(float), people["cause"].to_numpy()
    alike = people[ALIKE].to_numpy(float)
    counts = [int(alike[arm & (cause == EVENT)].sum()) for arm in (treated, ~treated)]
    profile = None
    if min(counts) < smallest:
        notes.append(f"{event}: fewer than {smallest} in an arm, so no likelihood is shared.")
    else:
        profile = {
            "event": event, "n_t": int(alike[treated].sum()), "n_c": int(alike[~treated].sum()),
            "events_t": counts[0], "events_c": counts[1],
            **_profile(time, cause == EVENT, treated, alike),
        }  # fmt: skip
    lines = []
    for arm, mine in zip(arms, (treated, ~treated), strict=True):
        lines += _risk_sets(time[mine], cause[mine], alike[mine], arm=arm, smallest=smallest)
    return {"event": profile, "risk_sets": lines}


def _profile(time: Floats, event: Bools, treated: Bools, alike: Floats) -> dict[str, list[float]]:
    """Value and two derivatives of the log partial likelihood (Efron ties) on the grid."""
    sets = risk_sets(time, event, alike=alike)
    x = treated.astype(float)[:, None][sets.order]
    found = [moments(sets, x, np.array([at])) for at in GRID]
    return {
        "log_hazard_ratio": GRID.tolist(),
        "log_likelihood": [at.log_likelihood for at in found],
        "score": [float(at.score[0]) for at in found],
        "information": [float(at.information[0, 0]) for at in found],
    }


def _risk_sets(
    time: Floats, cause: Any, alike: Floats, *, arm: str, smallest: int
) -> list[dict[str, Any]]:
    lines = []
    for low, high in pairwise(AGREED_DAYS):
        inside = (time > low) & (time <= high)
        line = {
            "at_risk": int(alike[time > low].sum()),
            "events": int(alike[inside & (cause == EVENT)].sum()),
            "deaths": int(alike[inside & (cause == COMPETING)].sum()),
        }
        lines.append({"arm": arm, "day_from": low, "day_to": high, **line})
    for name in ("events", "deaths"):
        hide_counts(lines, name, smallest)
    hide_at_risk(lines, int(alike.sum()), smallest)
    return lines


def _complications(
    cohort: Cohort, arms: tuple[str, str], smallest: int, notes: list[str], **sizes: int
) -> list[dict[str, Any]]:
    """Patients with each type of complication, by arm; nothing where none was ever recorded."""
    events = cohort.events.filter(cohort.events.type.notin(NOT_COMPLICATIONS))
    if not count(events.limit(1)):
        notes.append("complications: none was recorded, which does not show that there were none.")
        return []
    first, _ = first_of_arms(cohort, arms, columns=(), function=_NAME)
    mine = first.select("episode_id", _t=first.treatment.isin(words_of(arms[0])))
    seen = events.select("episode_id", "type").inner_join(mine, "episode_id")
    of_arm = {f"events_{arm}": seen.episode_id.nunique(where=seen["_t"] == own)
              for arm, own in (("t", True), ("c", False))}  # fmt: skip
    by_type = seen.group_by("type").aggregate(**of_arm).order_by("type").to_pyarrow().to_pylist()
    parts = [line | sizes for line in by_type]
    whole = {"type": "any", **seen.aggregate(**of_arm).to_pyarrow().to_pylist()[0], **sizes}
    for name in ("events_t", "events_c"):
        hide_parts(whole, parts, name, smallest)
    return [whole, *parts]
