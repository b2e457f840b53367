"""An answer in a few plain words, by rule: how sure, and whether the difference matters."""

import math
from typing import Final

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.certainty_by_rule import Level, is_imprecise
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.wording import UNCLEAR, direction, worthwhile
from vertebro_outcomes.results.answer import Answer

# "Probably", "may" and "very uncertain" for moderate, low and very low certainty:
# GRADE guidelines 26, doi:10.1016/j.jclinepi.2019.10.014.
_SURE: Final[dict[Level, str]] = {
    "high": "",
    "moderate": "probably ",
    "low": "perhaps ",
    "very low": "very uncertain: ",
    "none": "",
}
# An interval that leaves everything open says nothing that one could be more or less sure of.
_OPEN: Final = "unclear whether there is a difference"
_HUNDRED, _THOUSAND = 100, 1000


def in_short(question: Question, answer: Answer, level: Level) -> str:
    """A few words for readers without statistics.

    Parameters
    ----------
    question
        What was asked.
    answer
        What was found.
    level
        The certainty of `rate_certainty`.

    Returns
    -------
    str
        Such as 'Probably no difference that matters' or 'Perhaps about 3 of 100 patients'.
    """
    if answer.pooled is None:
        return "Nothing could be computed"
    effect = _effect(question, answer)
    said = effect if effect == _OPEN else f"{_SURE[level]}{effect}"
    return said[:1].upper() + said[1:]


def _effect(question: Question, answer: Answer) -> str:
    fit = answer.pooled
    assert fit is not None
    if math.isnan(MEASURES[answer.measure].no_effect):
        return how_many(fit.natural(fit.estimate), of=question.unit)
    least = worthwhile(question, answer)
    said = direction(answer)
    if least is None:
        told = MEASURES[answer.measure].is_ratio and not is_imprecise(question, answer)
        return said if said != UNCLEAR else "little or no difference" if told else _OPEN
    near, far = (
        (fit.ci_high, fit.ci_low) if least < 0 else (-fit.ci_low, -fit.ci_high)
    )  # a benefit is negative here
    if far > -abs(least) and near >= abs(least):
        return "no benefit that matters" if said == UNCLEAR else said
    if far > -abs(least):
        return (
            "no difference that matters" if said == UNCLEAR else "a difference too small to matter"
        )
    if said == UNCLEAR:
        return _OPEN
    if near <= -abs(least):
        return f"a difference that matters: {said}"
    reaches = (fit.estimate if least < 0 else -fit.estimate) <= -abs(least)
    return f"a difference that {'may well matter' if reaches else 'may be too small to matter'}: {said}"


def how_many(proportion: float, *, of: str) -> str:
    """A proportion as people are counted: 'about 27 of 100 patients'.

    Examples
    --------
    >>> how_many(0.273, of="patients"), how_many(0.0013, of="levels"), how_many(0.0001, of="patients")
    ('about 27 of 100 patients', 'about 1 of 1,000 levels', 'fewer than 1 of 1,000 patients')
    """
    for base in (_HUNDRED, _THOUSAND):
        if round(proportion * base) >= 1:
            return f"about {round(proportion * base)} of {count(base)} {of}"
    return f"fewer than 1 of {count(_THOUSAND)} {of}"
