"""What a claim is held against, and what one result says to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import Finding


@dataclass(frozen=True)
class Asked:
    """An answer, the name of the outcome family that it is about, its smallest worthwhile difference."""

    family: str
    answer: Answer
    worthwhile: float | None = None


@dataclass(frozen=True)
class Judged:
    """What one result says to a claim; `values` replaces estimate and interval where the rule made them."""

    finding: Finding
    because: str
    question_id: str
    values: tuple[float, float, float] | None = None


Claim = Mapping[str, Any]
Rule = Callable[[Claim, list[Asked], pd.DataFrame], list[Judged]]
