"""What a user may choose about a report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from vertebro_outcomes.comparisons.registry_analysis import DAY, OUTCOME, STRATEGIES, Strategy
from vertebro_outcomes.display.disclosure import LARGEST_HIDDEN
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.outcomes import FAMILIES, OUTCOMES


@dataclass(frozen=True)
class ReportSettings:
    """What a user may choose about a report; the defaults are those of a report without a file.

    Attributes
    ----------
    title : str
        Instead of the usual one.
    sections : tuple of str
        Anchors of the sections to print; empty prints all.
    margins : mapping
        Smallest worthwhile difference by outcome or family of outcomes, in the unit of the outcome.
    largest_hidden : int
        Registry counts from 1 to this are hidden.
    outcomes : tuple of str
        Score instruments compared in registries; the first is the main one.
    day : int
        Days from day 0 of the comparison.
    strategies : tuple of Strategy
        Which treatments are compared and how.
    complication_rate : float or None
        Rate of complications that the chart over time holds registries against; the pooled published
        one if None.
    """

    title: str = ""
    sections: tuple[str, ...] = ()
    margins: Mapping[str, float] | None = None
    largest_hidden: int = LARGEST_HIDDEN
    outcomes: tuple[str, ...] = (OUTCOME,)
    day: int = DAY
    strategies: tuple[Strategy, ...] = STRATEGIES
    complication_rate: float | None = None

    def record(self) -> dict[str, Any]:
        """The settings as JSON can hold them, for the record of inputs."""
        plain = asdict(self)
        plain["strategies"] = [
            {**s, "covariates": list(s["covariates"])} for s in plain["strategies"]
        ]
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    def prints(self, identity: str) -> bool:
        """Whether the section with this anchor is printed."""
        return not self.sections or identity in self.sections

    def margin(self, outcome: str) -> float | None:
        """The margin set for an outcome or for its family, None where none is set."""
        family = OUTCOMES[outcome].family if outcome in OUTCOMES else outcome
        given = self.margins or {}
        return given.get(outcome, given.get(family))

    def asked(self, questions: Sequence[Question]) -> list[Question]:
        """The questions with the margins that are set."""
        given = self.margins or {}
        out = []
        for question in questions:
            names = (question.outcome_family, *FAMILIES.get(question.outcome_family, ()))
            margin = next((given[name] for name in names if name in given), None)
            out.append(question if margin is None else replace(question, margin=margin))
        return out
