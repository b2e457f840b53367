"""Our own pooled answers beside the pooled numbers that reviews print on the same question."""

import re
from collections.abc import Iterable
from typing import Final

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.results.answer import Answer

DAYS_PER: Final = {"day": 1, "week": 7, "month": 30.4, "year": 365}
_TIME: Final = re.compile(r"(\d+) (day|week|month|year)s?")
COLUMNS: Final = [
    "question", "measure", "k", "estimate", "ci_low", "ci_high", "review_id", "published_when",
    "published_k", "published_estimate", "published_ci_low", "published_ci_high", "source_line",
]  # fmt: skip


def beside_published(
    answers: Iterable[tuple[Question, Answer]], literature: Literature
) -> pd.DataFrame:
    """Each answer with every printed pool of the same outcome, measure and pair of treatments.

    Reader's scale, treatment minus (or over) comparator as in the question; a printed pool whose
    direction is not stated is left out, and so are subgroups. Where the question has a time window, only
    pools whose label names a time within it stand beside it.
    """
    pools = literature.pooled_published
    pools = pools[
        pools["estimate"].notna() & (pools["direction_problem"] == "") & (pools["subgroup"] == "")
    ]
    family = pools["outcome"].map(lambda name: OUTCOMES[name].family)
    rows = []
    for question, answer in answers:
        if answer.pooled is None or not question.comparator:
            continue
        same = pools[(family == question.outcome_family) & (pools["measure"] == answer.measure)]
        ours = answer.pooled.to_frame(scale="natural").iloc[0]
        for _, pool in same.iterrows():
            turned = _turned(pool, answer)
            if turned is not None and _in_window(str(pool["timepoint_label"]), question):
                rows.append(
                    {
                        "question": answer.title,
                        "measure": answer.measure,
                        "k": answer.k,
                        **{name: ours[name] for name in ("estimate", "ci_low", "ci_high")},
                        "review_id": pool["review_id"],
                        "published_when": pool["timepoint_label"],
                        "published_k": pool["k_studies"],
                        **turned,
                        "source_line": pool["source_line"],
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _in_window(label: str, question: Question) -> bool:
    if question.window is None:
        return True
    time = _TIME.fullmatch(label.strip().lower())
    if time is None:
        return False
    first, last = question.window
    return first <= int(time.group(1)) * DAYS_PER[time.group(2)] <= last


def _turned(pool: "pd.Series[object]", answer: Answer) -> dict[str, float] | None:
    """The printed numbers in the direction of the answer; None for another pair of treatments."""
    numbers = [float(str(pool[name])) for name in ("estimate", "ci_low", "ci_high")]
    pair = (pool["treatment"], pool["comparator"])
    if pair == (answer.comparator, answer.treatment):
        estimate, low, high = numbers
        is_ratio = MEASURES[answer.measure].is_ratio
        numbers = [1 / estimate, 1 / high, 1 / low] if is_ratio else [-estimate, -high, -low]
    elif pair != (answer.treatment, answer.comparator):
        return None
    names = ("published_estimate", "published_ci_low", "published_ci_high")
    return dict(zip(names, numbers, strict=True))
