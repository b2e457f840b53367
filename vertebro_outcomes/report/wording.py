"""Answers in words: what was found, and how far it carries. Every number comes from the result."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from vertebro_outcomes.display import numbers
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.evidence import RANDOMISED
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.outcomes import OUTCOMES, family_outcome
from vertebro_outcomes.report.blocks import bound, joined
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.vocabulary import TREATMENTS

_MUCH_HETEROGENEITY_PCT = 50.0  # "may represent substantial", Cochrane Handbook 10.10.2
_FEW_STUDIES = 3
UNCLEAR: Final = "no clear difference"
_SCALE_UNKNOWN = ", scale not printed"
_DESIGNS: Final = {
    "rct_sham": "randomised, sham",
    "rct_open": "randomised, open",
    "quasi_rct": "quasi-randomised",
    "prospective_cohort": "prospective cohort",
    "retrospective_cohort": "retrospective cohort",
    "claims": "claims data",
    "case_series": "case series",
    "ipd_meta_analysis": "meta-analysis of single patients",
}
_OUTCOMES: Final = {  # names of the sheets that a reader would not understand
    "complication_any": "any complication",
    "responder_nrs_lt4": "pain below 4 on the numeric rating",
    "responder_vas_le3": "pain 3 or less on the visual analogue scale",
    "responder_vas_le_3": "pain 3 or less on the visual analogue scale",
    "responder_vas_50pct": "pain halved on the visual analogue scale",
    "adl_reduction": "less able in activities of daily living",
}
_KEY: Final = re.compile(r"\b[a-z]\w*\d\w*\b")  # study keys hold a year or a number
_DESIGN: Final = re.compile(r"(?<=^design: )(.+)$")
_BETTER = " (better)"
_WORSE = " (worse)"


def size(answer: Answer) -> str:
    """Estimate and interval on the reader's scale, or that there is none."""
    fit = answer.pooled
    if fit is None:
        return "no usable result"
    limits = (fit.natural(fit.ci_low), fit.natural(fit.ci_high))
    shown = numbers.estimate_with_interval(
        fit.natural(fit.estimate), limits, measure=answer.measure, unit=answer.unit
    )
    return shown if answer.unit or answer.measure != "MD" else f"{shown}{_SCALE_UNKNOWN}"


def outcome_words(name: str) -> str:
    """An outcome of the sheets as a reader says it."""
    known = OUTCOMES[name].label if name in OUTCOMES else str(name).replace("_", " ")
    return _OUTCOMES.get(name, known)


def with_labels(text: str, labels: Mapping[str, str]) -> str:
    """A sentence with studies named as readers know them instead of by their keys."""
    return _KEY.sub(lambda found: labels.get(found[0], found[0]), text)


def design_words(design: str) -> str:
    """A design of the sheets as a reader says it."""
    return _DESIGNS.get(design, design.replace("_", " ")) or "not stated"


def reason_words(reason: str) -> str:
    """Why a row is left out, its design in words."""
    return _DESIGN.sub(lambda found: design_words(found[0].replace(" ", "_")), reason)


def studies(answer: Answer) -> str:
    """'5 studies', 'one study', 'no study'."""
    return {0: "no study", 1: "one study"}.get(answer.k, f"{numbers.count(answer.k)} studies")


def arm(word: str) -> str:
    """A treatment as a reader says it."""
    return TREATMENTS[word].partition(",")[0]


def direction(answer: Answer) -> str:
    """Which side the interval speaks for: 'lower with vertebroplasty', 'no clear difference'."""
    fit = answer.pooled
    if fit is None:
        return "nothing could be computed"
    no_effect = MEASURES[answer.measure].no_effect
    if math.isnan(no_effect):
        return ""
    if fit.ci_low <= no_effect <= fit.ci_high:
        return UNCLEAR
    side = "lower" if fit.estimate < no_effect else "higher"
    good = "" if not answer.better else _BETTER if side == answer.better else _WORSE
    return f"{side} with {arm(answer.treatment)}{good}"


def worthwhile(question: Question, answer: Answer) -> float | None:
    """The smallest worthwhile difference with the sign of a benefit, where the scale is known."""
    outcome = family_outcome(question.outcome_family)
    least = question.worthwhile
    if least is None or answer.measure != "MD" or question.scale != "canonical":
        return None
    return -least if outcome.better == "lower" else least


def against_worthwhile(question: Question, answer: Answer) -> Markup:
    """How the estimate stands to the smallest worthwhile difference; empty where none is known.

    An interval that reaches a disadvantage of that size says so: it rules out a benefit, no more.
    """
    least, fit = worthwhile(question, answer), answer.pooled
    if least is None or fit is None:
        return Markup("")
    best = fit.ci_low if least < 0 else fit.ci_high
    possible = best <= least if least < 0 else best >= least
    nearest = fit.ci_high if least < 0 else fit.ci_low
    whole = nearest <= least if least < 0 else nearest >= least
    worst = (fit.ci_high >= -least) if least < 0 else (fit.ci_low <= -least)
    words = (
        "the whole interval reaches the smallest worthwhile difference of {least}"
        if whole
        else "the estimate reaches the smallest worthwhile difference of {least}, the interval "
        "includes smaller ones"
        if _reaches(question, answer)
        else "the estimate is below the smallest worthwhile difference of {least}, which the "
        "interval includes"
        if possible and not worst
        else "the interval includes the smallest worthwhile difference of {least} on either side"
        if possible
        else "the interval excludes a benefit as large as the smallest worthwhile difference of "
        "{least}, but no harm of that size"
        if worst
        else "the interval excludes the smallest worthwhile difference of {least}"
    )
    return bound(words, least=_least(question, answer))


def caveats(answer: Answer) -> list[Markup]:
    """What limits the answer: few studies, disagreement, design, figures not seen in the source."""
    fit = answer.pooled
    if fit is None:
        return []
    found = []
    no_effect = MEASURES[answer.measure].no_effect
    if answer.k < _FEW_STUDIES:
        found.append(bound("{k} only", k=studies(answer)))
    if answer.k > 1 and fit.i2_pct >= _MUCH_HETEROGENEITY_PCT:
        found.append(bound("studies disagree (I² = {i2}%)", i2=numbers.number(fit.i2_pct, 0)))
    clear = not fit.ci_low <= no_effect <= fit.ci_high
    if clear and answer.k > 1 and fit.prediction_low <= no_effect <= fit.prediction_high:
        limits = (fit.natural(fit.prediction_low), fit.natural(fit.prediction_high))
        shown = numbers.interval(limits, answer.measure)
        found.append(bound("a new study may find none (prediction interval {pi})", pi=shown))
    other = int((~answer.entered["design"].isin(RANDOMISED)).sum())
    if other and answer.comparator:
        found.append(
            bound("{n} of {k} not randomised", n=numbers.count(other), k=numbers.count(answer.k))
        )
    doubtful = int((answer.entered["verification"] != "seen").sum())
    if doubtful:
        found.append(
            bound(
                "{n} of {k} not seen in the source text",
                n=numbers.count(doubtful),
                k=numbers.count(answer.k),
            )
        )
    return found


def sentence(question: Question, answer: Answer) -> Markup:
    """The finding in one sentence, for text and for readers who cannot see the figure."""
    if answer.pooled is None:
        return bound("No study could enter.")
    kind = MEASURES[answer.measure].label.partition(" (")[0].capitalize()
    parts = [bound("{kind} {size}, {k}", kind=kind, size=size(answer), k=studies(answer))]
    parts += [bound("{words}", words=words) for words in (direction(answer),) if words]
    parts += [words for words in (against_worthwhile(question, answer),) if words]
    return bound("{said}.", said=joined(parts, "; "))


def tally(pairs: Sequence[tuple[Question, Answer]]) -> Markup:
    """Several answers in one or two sentences: how many favour which side, how many are clear."""
    usable = [(question, answer) for question, answer in pairs if answer.pooled is not None]
    if not usable:
        return bound("No result could be computed.")
    said = [direction(answer) for _, answer in usable]
    unclear = said.count(UNCLEAR)
    better = sum(words.endswith(_BETTER) for words in said)
    worse = sum(words.endswith(_WORSE) for words in said)
    treated, compared = (_shared(usable, side) for side in ("treatment", "comparator"))
    counts = (
        (better, "favour", treated),
        (worse, "favour", compared),
        (unclear, "show", UNCLEAR),
    )
    parts = [
        f"{numbers.count(n)} {verb}{'s' if n == 1 else ''} {what}" for n, verb, what in counts if n
    ]
    first = bound("Of {n}: {parts}.", n=_results(len(usable)), parts=joined(parts))
    judged = [(q, a) for q, a in usable if worthwhile(q, a) is not None]
    least = {_least(q, a) for q, a in judged}
    if len(least) != 1:
        return first
    reached = sum(_reaches(question, answer) for question, answer in judged)
    return bound(
        "{first} The smallest worthwhile difference of {least} is reached by {reached} of {n} "
        "estimates.",
        first=first,
        reached=numbers.count(reached) if reached else "none",
        least=least.pop(),
        n=numbers.count(len(judged)),
    )


def _results(n: int) -> str:
    return "one result" if n == 1 else f"{numbers.count(n)} results"


def _shared(pairs: Sequence[tuple[Question, Answer]], side: str) -> str:
    """The treatment on one side, if all answers have the same."""
    words = {arm(getattr(answer, side)) for _, answer in pairs}
    return (
        words.pop()
        if len(words) == 1
        else {"treatment": "the treatment named first"}.get(side, "the one named second")
    )


def _least(question: Question, answer: Answer) -> str:
    least = worthwhile(question, answer)
    assert least is not None
    return numbers.amount(abs(least), answer.unit)


def _reaches(question: Question, answer: Answer) -> bool:
    least, fit = worthwhile(question, answer), answer.pooled
    if least is None or fit is None:
        return False
    return fit.estimate <= least if least < 0 else fit.estimate >= least
