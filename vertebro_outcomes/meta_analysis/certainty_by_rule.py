"""How far an answer carries, by rule: GRADE's starting points and steps, without a panel's judgement."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.evidence import RANDOMISED
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.outcomes import family_outcome
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.pooled_effect import PooledEffect

Level = Literal["high", "moderate", "low", "very low", "none"]
LEVELS: Final[tuple[Level, ...]] = ("very low", "low", "moderate", "high")
# GRADE guidelines 6, doi:10.1016/j.jclinepi.2011.01.012: 25 % either way is an appreciable ratio.
APPRECIABLE_RATIO: Final = 1.25
# "May represent substantial heterogeneity" from 50 %: Cochrane Handbook 10.10.2.
MUCH_HETEROGENEITY_PCT: Final = 50.0
# Assumed: where half the weight or more rests on such figures, the result does.
MUCH_UNSURE_PCT: Final = 50.0


@dataclass(frozen=True)
class Certainty:
    """A level and the steps that led to it; `none` where nothing could be computed."""

    level: Level
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.level}: {'; '.join(self.reasons)}" if self.reasons else self.level


def rate_certainty(question: Question, answer: Answer) -> Certainty:
    """Rate one answer by fixed rules.

    Parameters
    ----------
    question
        What was asked.
    answer
        What `answer` gave.

    Returns
    -------
    Certainty
        Starts high for randomised trials, low otherwise; one step down each for patients who knew
        their treatment (scores only), disagreement between studies, a single study, an interval that
        reaches from no effect to one that matters, figures not seen in the source text, or of inferred
        direction, that carry half the weight or more (less weight is said, without a step).
        Indirectness and missing studies are not rated.

    References
    ----------
    Guyatt et al. (2011), J Clin Epidemiol 64:1283-1293, doi:10.1016/j.jclinepi.2011.01.012
    (imprecision), 64:1294-1302, doi:10.1016/j.jclinepi.2011.03.017 (inconsistency).

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> question = vo.QUESTIONS[2]
    >>> rate_certainty(question, vo.answer(question, vo.load_literature())).level
    'moderate'
    """
    fit = answer.pooled
    if fit is None:
        return Certainty("none", ("no study could enter",))
    randomised = bool(answer.entered["design"].isin(RANDOMISED).all())
    level = 3 if randomised else 1
    reasons = [] if randomised else ["not all studies are randomised"]
    outcome = family_outcome(question.outcome_family)
    steps = (
        (
            bool(answer.comparator)
            and outcome.kind == "continuous"
            and not answer.entered["design"].eq("rct_sham").all(),
            "patients knew their treatment",
        ),
        (_disagree(fit), "studies disagree"),
        (answer.k == 1, "one study only"),
        (
            is_imprecise(question, answer),
            "the interval includes both no effect and one that matters",
        ),
    )
    for applies, reason in steps:
        if applies:
            level -= 1
            reasons.append(reason)
    unsure, what = unsure_weight(answer)
    if what:
        heavy = unsure >= MUCH_UNSURE_PCT
        level -= heavy
        said = f"{unsure:.0f}% of the weight rests on {what}"
        reasons.append(said if heavy else f"{said} (no step down)")
    return Certainty(LEVELS[max(level, 0)], tuple(reasons))


def unsure_weight(answer: Answer) -> tuple[float, str]:
    """Share of the weight, 0 to 100, of figures not seen in the source or of inferred direction."""
    fit = answer.pooled
    if fit is None:
        return 0.0, ""
    unseen = (answer.entered["verification"] != "seen").to_numpy()
    inferred = answer.entered["direction_basis"].astype(str).str.startswith("inferred").to_numpy()
    said = {"figures not seen in the source text": unseen, "an inferred direction": inferred}
    share = float(np.asarray(fit.weights_pct, dtype=float)[unseen | inferred].sum())
    return share, " or ".join(words for words, hit in said.items() if hit.any())


def _disagree(fit: PooledEffect) -> bool:
    return fit.k > 1 and fit.i2_pct >= MUCH_HETEROGENEITY_PCT


def is_imprecise(question: Question, answer: Answer) -> bool:
    """Whether the interval includes both no effect and one that matters, where it is known what does."""
    fit = answer.pooled
    if fit is None:
        return False
    kind = MEASURES[answer.measure]
    low, high = fit.natural(fit.ci_low), fit.natural(fit.ci_high)
    if kind.is_ratio:
        matters = low < 1 / APPRECIABLE_RATIO or high > APPRECIABLE_RATIO
        return low <= 1 <= high and matters
    least = question.worthwhile
    if answer.measure != "MD" or question.scale != "canonical" or least is None:
        return False
    return low <= 0 <= high and (low <= -least or high >= least)
