"""How a claim meets a result: each rule says what speaks for it, what against it, what leaves it open."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.display import numbers
from vertebro_outcomes.meta_analysis.claim_parts import Asked, Claim, Judged, Rule
from vertebro_outcomes.meta_analysis.pool import pool
from vertebro_outcomes.outcomes import family_outcome
from vertebro_outcomes.results.examined_claims import Finding
from vertebro_outcomes.results.pooled_effect import PooledEffect

# "About 75 percent" is read as 75 give or take this (assumed: the claims name no range).
POINT_TOLERANCE_PCT: Final = 10.0
MOST: Final = 0.5  # "mostly": more than half
_WEEKS: Final = {"week": 1.0, "month": 365.25 / 12 / 7}
_DURATION: Final = re.compile(r"([<>≤≥]?=?)\s{0,9}(?<!\d)(\d+)\s{0,9}(week|month)")
_Z: Final = float(special.ndtri(0.975))


def _natural(fit: PooledEffect) -> tuple[float, float, float]:
    return fit.natural(fit.estimate), fit.natural(fit.ci_low), fit.natural(fit.ci_high)


def _each(judge: Callable[[Claim, Asked, PooledEffect], tuple[Finding, str]]) -> Rule:
    """A rule that looks at one result after the other."""

    def rule(claim: Claim, asked: list[Asked], studies: pd.DataFrame) -> list[Judged]:
        del studies
        found = []
        for one in asked:
            if one.answer.pooled is not None:
                finding, because = judge(claim, one, one.answer.pooled)
                found.append(Judged(finding, because, one.answer.question_id))
        return found

    return rule


def _rate_in_range(claim: Claim, _: Asked, fit: PooledEffect) -> tuple[Finding, str]:
    low, high = claim["low"], claim["high"]
    if low == high:
        low, high = low - POINT_TOLERANCE_PCT, high + POINT_TOLERANCE_PCT
    low, high = (0.0 if math.isnan(low) else low), (100.0 if math.isnan(high) else high)
    ci_low, ci_high = (100 * x for x in _natural(fit)[1:])
    said = f"{numbers.as_given(low)} to {numbers.as_given(high)}%"
    if ci_low >= low and ci_high <= high:
        return "for", f"the interval lies inside {said}"
    if ci_low > high or ci_high < low:
        return "against", f"the interval lies outside {said}"
    return "open", f"the interval reaches into and out of {said}"


def _worthwhile(one: Asked) -> float:
    if one.worthwhile is None or not one.answer.unit:
        return math.nan
    return one.worthwhile


def _gain(one: Asked, fit: PooledEffect) -> tuple[float, float, float]:
    """Estimate and interval turned so that more is better."""
    values = _natural(fit)
    if family_outcome(one.family).better == "lower":
        return -values[0], -values[2], -values[1]
    return values


def _benefit(_: Claim, one: Asked, fit: PooledEffect) -> tuple[Finding, str]:
    low, high = _gain(one, fit)[1:]
    least = _worthwhile(one)
    small = high < least  # False where no smallest worthwhile difference is known
    if low > 0:
        if small:
            return "partly", f"a benefit, but below the smallest worthwhile {least:g}"
        return "for", "the interval lies on the side of benefit"
    if high < 0 or small:
        return "against", f"the interval excludes a benefit of {least:g} or more" if small else (
            "the interval lies on the side of harm"
        )
    return "open", "the interval includes no difference"


def _little_benefit(_: Claim, one: Asked, fit: PooledEffect) -> tuple[Finding, str]:
    estimate, low, high = _gain(one, fit)
    least = _worthwhile(one)
    if high < least:
        return "for", f"the interval excludes a benefit of {least:g} or more"
    if low > 0 and estimate >= least:
        return "against", f"a benefit of at least the smallest worthwhile {least:g}"
    return "open", f"the interval includes {least:g}"


def _equivalent(_: Claim, one: Asked, fit: PooledEffect) -> tuple[Finding, str]:
    low, high = _natural(fit)[1:]
    margin = _worthwhile(one)
    if -margin < low and high < margin:
        return "for", f"the interval lies within ±{margin:g}"
    if low > margin or high < -margin:
        return "against", f"the interval lies beyond ±{margin:g}"
    return "open", f"the interval reaches beyond ±{margin:g}"


def _more_than_half(_: Claim, __: Asked, fit: PooledEffect) -> tuple[Finding, str]:
    low, high = _natural(fit)[1:]
    said = f"{100 * MOST:g}%"
    if low > MOST:
        return "for", f"the interval lies above {said}"
    return (
        ("against", f"the interval lies below {said}")
        if high < MOST
        else (
            "open",
            f"the interval includes {said}",
        )
    )


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def _only_case_reports(_: Claim, one: Asked, __: PooledEffect) -> tuple[Finding, str]:
    """A study with a denominator that saw the event is more than a case report."""
    events, n = (int(one.answer.entered[name].astype(float).sum()) for name in ("events", "n"))
    if events:
        return "against", f"seen {_times(events)} in {n:,} patients that were counted"
    return "open", f"not seen in {n:,} patients, which rules out only rates above the interval"


def _most_common(_: Claim, asked: list[Asked], __: pd.DataFrame) -> list[Judged]:
    """The named event (first question) against each other event, difference of log odds."""
    named, *others = [one for one in asked if one.answer.pooled is not None]
    first = named.answer.pooled
    assert first is not None
    found = []
    for one in others:
        fit = one.answer.pooled
        assert fit is not None
        difference = first.estimate - fit.estimate
        half = _Z * math.hypot(first.se, fit.se)
        low, high = math.exp(difference - half), math.exp(difference + half)
        finding: Finding = (
            "for" if difference > half else "against" if difference < -half else "open"
        )
        words = {"for": "more often than", "against": "less often than"}.get(
            finding, "not clearly more or less often than"
        )
        rate = numbers.percent(_natural(first)[0]), numbers.percent(_natural(fit)[0])
        because = (
            f"{rate[0]}, {words} {one.answer.title[0].lower()}{one.answer.title[1:]} ({rate[1]})"
        )
        found.append(
            Judged(finding, because, one.answer.question_id, (math.exp(difference), low, high))
        )
    return found


def _peak(claim: Claim, asked: list[Asked], _: pd.DataFrame) -> list[Judged]:
    """The result nearest to the claimed day against every other one; trials taken as different."""
    usable = [one for one in asked if one.answer.pooled is not None]
    days = [float(one.answer.entered["timepoint_days"].astype(float).mean()) for one in usable]
    nearest = int(np.argmin([abs(day - claim["low"]) for day in days]))
    top = usable[nearest]
    peak = top.answer.pooled
    assert peak is not None
    gain = _gain(top, peak)[0]
    found = []
    for one, day in zip(usable, days, strict=True):
        fit = one.answer.pooled
        assert fit is not None
        if one is top:
            continue
        difference = gain - _gain(one, fit)[0]
        half = _Z * math.hypot(peak.se, fit.se)
        finding: Finding = (
            "for" if difference > half else "against" if difference < -half else "open"
        )
        words = {"for": "larger", "against": "smaller"}.get(finding, "not clearly different")
        because = f"the effect near day {days[nearest]:.0f} is {words} than near day {day:.0f}"
        values = (difference, difference - half, difference + half)
        found.append(Judged(finding, because, one.answer.question_id, values))
    return found


def fracture_age_limit_weeks(criterion: str) -> float:
    """Oldest fracture that a trial admits, in weeks: the first duration it names; NaN if unknown."""
    match = _DURATION.search(criterion)
    if match is None:
        return math.nan
    if match.group(1).startswith((">", "≥")):
        return math.inf
    return float(match.group(2)) * _WEEKS[match.group(3)]


def _early_better(claim: Claim, asked: list[Asked], studies: pd.DataFrame) -> list[Judged]:
    """Trials that admit only fractures up to the claimed age against those that admit older ones."""
    limit = claim["high"] if not math.isnan(claim["high"]) else claim["low"] * _WEEKS["month"]
    age = studies.set_index("study_id")["fracture_age_criterion"].map(fracture_age_limit_weeks)
    sign = 1.0 if not math.isnan(claim["high"]) else -1.0  # the claim praises early, or late
    found = []
    for one in asked:
        entered = one.answer.entered
        weeks = entered["study_id"].map(age).astype(float)
        early, late = entered[weeks <= limit], entered[weeks > limit]
        if early.empty or late.empty:
            continue
        one_fit, two_fit = (
            pool(rows, method="REML" if len(rows) > 1 else "EE", ci="wald")
            for rows in (early, late)
        )
        better = -1.0 if family_outcome(one.family).better == "lower" else 1.0
        difference = better * (one_fit.estimate - two_fit.estimate)
        half = _Z * math.hypot(one_fit.se, two_fit.se)
        finding: Finding = "open"
        if abs(difference) > half:
            finding = "for" if sign * difference > 0 else "against"
        because = (
            f"benefit in {len(early)} early and {len(late)} later trials, early minus later: "
            f"{numbers.estimate_with_interval(difference, (difference - half, difference + half))}"
        )
        values = (difference, difference - half, difference + half)
        found.append(Judged(finding, because, one.answer.question_id, values))
    return found


@dataclass(frozen=True)
class RuleText:
    """A rule and how it reads."""

    judge: Rule
    words: str


RULES: Final[dict[str, RuleText]] = {
    "rate_in_range": RuleText(
        _each(_rate_in_range),
        "for: the whole interval of the pooled rate lies in the claimed range (a single number "
        f"give or take {POINT_TOLERANCE_PCT:g} points); against: none of it does",
    ),
    "most_common": RuleText(
        _most_common,
        "the named event against each other event: for where its pooled odds are higher beyond chance, "
        "against where they are lower (odds ratio of rates of different studies, not of the same patients)",
    ),
    "only_case_reports": RuleText(
        _each(_only_case_reports),
        "against: a study that counted its patients saw the event; not seen leaves it open",
    ),
    "benefit": RuleText(
        _each(_benefit),
        "for: the interval lies on the side of benefit; partly: it does, but excludes the smallest "
        "worthwhile difference; against: it excludes that difference or lies on the side of harm",
    ),
    "little_benefit": RuleText(
        _each(_little_benefit),
        "for: the interval excludes the smallest worthwhile difference; against: a benefit at least "
        "that large whose interval excludes none",
    ),
    "equivalent": RuleText(
        _each(_equivalent),
        "for: the interval lies within plus or minus the smallest worthwhile difference; against: "
        "outside it",
    ),
    "more_than_half": RuleText(
        _each(_more_than_half), "for: the whole interval lies above one half; against: below it"
    ),
    "peak_at": RuleText(
        _peak,
        "the effect nearest the claimed day against that of every other time: for where it is larger "
        "beyond chance, against where it is smaller; results at two times are taken as independent, "
        "though some trials are in both",
    ),
    "early_better": RuleText(
        _early_better,
        "trials by the oldest fracture they admit: for where the difference between the groups has the "
        "claimed sign beyond chance, against where it has the other",
    ),
    "needs_patients": RuleText(
        lambda *_: [],
        "needs patients followed one by one; no published figure in the sheets tests it",
    ),
}
