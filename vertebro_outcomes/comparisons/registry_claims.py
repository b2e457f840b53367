"""Claims that published figures cannot test, held against the patients of a registry."""

# ruff: noqa: PD004 -- notnull is the name Ibis gives it

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.compare import compare
from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.time_zero import AUGMENTATION
from vertebro_outcomes.errors import InputError, Problem, VertebroError
from vertebro_outcomes.estimators.rates.one_proportion import wilson
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine import count, store
from vertebro_outcomes.tables.event_types import INSTRUMENTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

Finding = Literal["for", "against", "open", "withheld"]

PAIN: Final = "pain_vas"
# Trials of severe pain ask for 7 of 10 or more: clark2016 in studies.csv.
SEVERE_PAIN: Final = 7.0
# Acute: fracture at most 6 weeks old, as in clark2016 and klazen2010, studies.csv.
ACUTE_DAYS: Final = 42
THREE_MONTHS_DAYS: Final = 90
LAST_EARLY_DAY: Final = 3  # a score on day 1 to 3 stands for the hours after the procedure
# "Very common" begins at one in ten: CIOMS Working Groups III and V, ISBN 92-9036-062-2.
RARE_BELOW: Final = 0.10
COLUMNS: Final = (
    "claim_id", "about", "finding", "estimate", "ci_low", "ci_high", "measure", "n_t", "n_c", "events",
    "because", "rule",
)  # fmt: skip


@dataclass(frozen=True)
class RegistryClaim:
    """A claim (`about`: in a few words) and its test; `rule` says what counts for and against."""

    claim_id: str
    about: str
    rule: str
    judge: Callable[[Cohort, int], dict[str, Any]]


def registry_claims(
    cohort: Cohort, *, day: int
) -> tuple[pd.DataFrame, tuple[tuple[str, VertebroError], ...]]:
    """Hold the claims that need patients against a cohort.

    Parameters
    ----------
    cohort : Cohort
    day : int
        Days after time zero of the pain scores that are compared.

    Returns
    -------
    (DataFrame, tuple)
        One row per claim that could be tested, columns `COLUMNS`; and for every other why not.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=1500, seed=1, scenario="randomised")
    >>> found, failed = registry_claims(cohort, day=90)
    >>> found["claim_id"].tolist()
    ['C14', 'C15', 'C16']
    """
    rows, failed = [], []
    for claim in REGISTRY_CLAIMS:
        try:
            row = claim.judge(cohort, day)
        except VertebroError as error:
            failed.append((f"claim {claim.claim_id}", error))
            continue
        known = {"claim_id": claim.claim_id, "about": claim.about, "rule": claim.rule}
        rows.append({**known, **row})
    return pd.DataFrame(rows, columns=list(COLUMNS)), tuple(failed)


def _least() -> float:
    known = INSTRUMENTS[PAIN].worthwhile
    assert known is not None
    return float(known)


def _kept(cohort: Cohort, patients: "ir.Table", because: str) -> Cohort:
    """The patients of a table of identifiers, in tables that are filtered where they are read."""
    if not count(patients.limit(1)):
        raise InputError(
            "registry_claims()", [Problem("patients", "nobody", because)], "nothing to be done here"
        )
    own = store(cohort.patients.get_backend(), "claim", patients.select("patient_id").distinct())
    tables = {
        name: table.semi_join(own, "patient_id").select(*table.columns)
        for name, table in cohort.tables.items()
    }
    return replace(cohort, tables=tables)


def _pain(cohort: Cohort) -> "ir.Table":
    """Every pain score on a day, of the episodes of the cohort."""
    scores = cohort.scores
    seen: Any = scores.day.notnull() & scores.value.notnull() & ~scores.value.isnan()
    wanted = scores.filter((scores.instrument == PAIN) & seen)
    return wanted.select("patient_id", "episode_id", "day", value=wanted.value.cast("float64"))


def _of_patients(cohort: Cohort, scores: "ir.Table", *, last: bool) -> "ir.Table":
    """`patient_id value` of the last (or first) of these scores of every patient.

    Of several episodes with a score on that day the last (or first) by its identifier counts.
    """
    import ibis

    at = scores.day
    pick, when = (scores.value.argmax, at.max) if last else (scores.value.argmin, at.min)
    episodes = cohort.episodes
    if count(episodes) == count(episodes.select("patient_id").distinct()):
        return scores.group_by("patient_id").aggregate(value=pick(at))
    each = scores.group_by("patient_id", "episode_id").aggregate(value=pick(at), at=when())
    order = [key.desc() if last else key for key in (each.at, each.episode_id)]
    place = ibis.row_number().over(group_by="patient_id", order_by=order)
    ranked = each.mutate(_place=place)
    return ranked.filter(ranked["_place"] == 0).select("patient_id", "value")


def _at_baseline(cohort: Cohort) -> "ir.Table":
    """The last pain score at or before day 0 of every patient."""
    pain = _pain(cohort)
    return _of_patients(cohort, pain.filter(pain.day <= 0), last=True)


def _wait(cohort: Cohort, day: int) -> dict[str, Any]:
    """C14: treated within three months of presentation against not within them."""
    before = _at_baseline(cohort)
    fresh = cohort.episodes.filter(cohort.episodes.fracture_age_days <= ACUTE_DAYS)
    mild = before.filter(before.value < SEVERE_PAIN).semi_join(fresh, "patient_id")
    some = _kept(cohort, mild, "mild to moderate pain of a fresh fracture")
    trial = Design(
        PAIN, "VA", "NSM", day=max(day, 2 * THREE_MONTHS_DAYS), time_zero="presentation",
        grace_days=THREE_MONTHS_DAYS,
    )  # fmt: skip
    found = compare(some, design=trial, method="clone_censor_weight")
    least = _least()
    if found.ci_low > -least:
        return _row(found, "for", "treatment within three months gains less than is worthwhile")
    if found.ci_high < 0:
        return _row(found, "against", "treatment within three months leaves less pain")
    return _row(found, "open", "the interval holds a worthwhile gain and none")


def _clefts(cohort: Cohort, day: int) -> dict[str, Any]:
    """C15: augmentation against none in patients with an intravertebral cleft."""
    levels = cohort.levels
    some = _kept(cohort, levels.filter(levels.cleft.fill_null(False)), "an intravertebral cleft")
    trial = Design(PAIN, "VA", "NSM", day=day, time_zero="presentation", grace_days=ACUTE_DAYS)
    found = compare(some, design=trial, method="clone_censor_weight")
    least = _least()
    if found.ci_high < 0:
        return _row(found, "for", "less pain after augmentation where the fracture has not united")
    if found.ci_low > -least:
        return _row(found, "against", "no worthwhile gain where the fracture has not united")
    return _row(found, "open", "the interval holds a worthwhile gain and none")


def _worse_early(cohort: Cohort, _: int) -> dict[str, Any]:
    """C16: share of treated patients whose first score within three days is above that before."""
    worse, n = _worse(cohort)
    if not n:
        problem = Problem("scores", "no pain before and on day 1 to 3", "both of some patients")
        raise InputError("registry_claims()", [problem], "record pain on the day after")
    limits = wilson(np.array([float(worse)]), np.array([float(n)]))
    low, high = float(limits[0][0]), float(limits[1][0])
    finding: Finding = "for" if high < RARE_BELOW else "against" if low >= RARE_BELOW else "open"
    words = {
        "for": "fewer than one in ten were worse within three days",
        "against": "one in ten or more were worse within three days",
        "open": "the interval holds one in ten",
    }
    return {
        "finding": finding, "estimate": worse / n, "ci_low": low, "ci_high": high, "measure": "PR",
        "n_t": n, "n_c": np.nan, "events": worse,
        "because": f"{words[finding]}; hours are not recorded",
    }  # fmt: skip


def _worse(cohort: Cohort) -> tuple[int, int]:
    """Treated patients with more pain on day 1 to 3 than before, and all with both scores."""
    pain, episodes = _pain(cohort), cohort.episodes
    treated = episodes.filter(episodes.treatment.isin(sorted(AUGMENTATION)))
    early = pain.filter(pain.day.between(1, LAST_EARLY_DAY)).semi_join(treated, "patient_id")
    after = _of_patients(cohort, early, last=False).rename(after="value")
    both = after.inner_join(_at_baseline(cohort), "patient_id")
    found = both.aggregate(n=both.count(), worse=(both.after > both.value).cast("int64").sum())
    counted = found.to_pyarrow().to_pylist()[0]
    return int(counted["worse"] or 0), int(counted["n"])


def _row(found: Comparison, finding: Finding, because: str) -> dict[str, Any]:
    if found.withheld:
        finding, because = "withheld", f"diagnostics failed: {found.withheld}"
    return {
        "finding": finding, "estimate": found.estimate, "ci_low": found.ci_low,
        "ci_high": found.ci_high, "measure": found.measure, "n_t": found.n_t, "n_c": found.n_c,
        "events": np.nan, "because": because,
    }  # fmt: skip


REGISTRY_CLAIMS: Final = (
    RegistryClaim(
        "C14",
        "mild to moderate acute pain should wait three months",
        "for: the interval excludes a worthwhile gain from augmentation within three months of "
        "presentation; against: it lies on the side of that gain",
        _wait,
    ),
    RegistryClaim(
        "C15",
        "late non-union with pain is a good indication",
        "in patients with an intravertebral cleft, for: the interval lies on the side of less pain after "
        "augmentation; against: it excludes a worthwhile gain; collapse over time is not recorded",
        _clefts,
    ),
    RegistryClaim(
        "C16",
        "pain rarely gets worse right after the procedure",
        "share of treated patients with more pain on day one to three than before, for: the interval lies "
        "below one in ten; against: above it",
        _worse_early,
    ),
)
