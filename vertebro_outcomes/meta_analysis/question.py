"""What a question to the published record is, and the time windows it can ask about."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from vertebro_outcomes.meta_analysis.evidence import RANDOMISED
from vertebro_outcomes.outcomes import family_outcome

Window = tuple[float, float]


@dataclass(frozen=True)
class Question:
    """One question: what is compared, on which outcome, when, in which studies.

    Without a comparator it asks for the proportion of one arm. `window` holds the first and last day;
    None takes any follow-up. `note` is printed with the answer; its `{names}` stand for numbers and
    studies of the sheets. `margin` replaces the smallest worthwhile difference of the outcome. The other
    fields are the arguments of `select_contrasts`.
    """

    id: str
    title: str
    outcome_family: str
    treatment: str | tuple[str, ...]
    comparator: str
    measure: str
    window: Window | None = None
    target_day: float | None = None
    designs: tuple[str, ...] = RANDOMISED
    unit: Literal["patients", "levels"] = "patients"
    scale: Literal["canonical", "printed"] = "canonical"
    missing_n: Literal["leave_out", "randomised"] = "leave_out"
    note: str = ""
    margin: float | None = None

    @property
    def worthwhile(self) -> float | None:
        """The smallest worthwhile difference: the margin, else that of the outcome; None if unknown."""
        if self.margin is not None:
            return self.margin
        known = family_outcome(self.outcome_family).worthwhile
        return None if known is None else known.value


# Visits fall near the planned day; a window ends before the next usual visit.
WINDOWS: Final[dict[str, tuple[str, Window, float]]] = {
    "1d": ("1 to 3 days", (1, 3), 1),
    "1w": ("1 to 2 weeks", (5, 16), 7),
    "1m": ("1 month", (21, 45), 30),
    "3m": ("3 months", (75, 110), 91),
    "6m": ("6 months", (150, 215), 183),
    "12m": ("12 months", (300, 430), 365),
    "24m": ("24 months", (640, 820), 730),
}


def at_times(question: Question, times: str) -> list[Question]:
    """The question at each time point of `WINDOWS` named in `times`."""
    out = []
    for time in times.split():
        words, window, day = WINDOWS[time]
        name, title = f"{question.id}_{time}", f"{question.title}, {words}"
        out.append(replace(question, id=name, title=title, window=window, target_day=day))
    return out
