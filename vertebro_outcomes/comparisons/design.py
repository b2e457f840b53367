"""The target trial that a comparison emulates, stated before anything is computed."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from vertebro_outcomes.comparisons.population import Population, words_of
from vertebro_outcomes.vocabulary import TREATMENTS

AUGMENTATION: Final = frozenset({"VP", "KP", "VAI", "VA"})


@dataclass(frozen=True)
class Design:
    """What is compared, in whom, from when, until when.

    Attributes
    ----------
    outcome, treatment, comparator : str
        Names of the vocabulary; the effect is treatment minus comparator.
    day : int
        Day of the outcome, counted from day 0.
    window_days : (int, int)
        First and last day whose score may stand for `day`.
    estimand : str
        Whose average effect.
    eligibility : tuple of str
        Named rules, in the order in which they were applied.
    intercurrent_events : str
        How crossover and death are handled.
    day0 : tuple of str
        Which dates the cohort calls day 0.
    """

    outcome: str
    treatment: str
    comparator: str
    day: int
    window_days: tuple[int, int]
    estimand: str
    eligibility: tuple[str, ...]
    day0: tuple[str, ...]
    intercurrent_events: str = (
        "a later treatment of the other kind: treatment policy (the score counts as it is); death: not "
        "missing data, patients who died without a score are counted apart"
    )

    def to_frame(self) -> pd.DataFrame:
        """The target-trial table: `component protocol emulation`."""
        arms = f"{TREATMENTS[self.treatment]} against {TREATMENTS[self.comparator]}"
        window = f"score nearest to day {self.day} from day {self.window_days[0]} to {self.window_days[1]}"
        start = ", ".join(self.day0) if self.day0 else "not recorded"
        rows = [
            ("eligibility", "stated before treatment", "; ".join(self.eligibility) or "as loaded"),
            ("strategies", arms, "treatment recorded for the first episode"),
            ("assignment", "at random", "as treated; covariates as the method says"),
            ("time zero", "assignment", f"day 0 of the episode ({start})"),
            ("outcome", f"{self.outcome} at day {self.day}", window),
            ("estimand", self.estimand, self.estimand),
            ("intercurrent events", "treatment policy", self.intercurrent_events),
        ]
        return pd.DataFrame(rows, columns=["component", "protocol", "emulation"])


def immortal_time_note(people: Population, treatment: str, comparator: str) -> str:
    """Why a comparison of a procedure with no procedure may start the clock too late; empty if sound."""
    arms = {treatment, comparator}
    if "NSM" not in arms or not (arms - {"NSM"}) & AUGMENTATION:
        return ""
    procedure = treatment if comparator == "NSM" else comparator
    frame = people.frame[people.frame["treatment"].isin(words_of(procedure))]
    day0 = set(frame["day0"].dropna().unique()) if "day0" in frame else set()
    if day0 == {"enrolment"}:
        return ""
    waited = pd.to_numeric(frame.get("treatment_day"), errors="coerce")
    if day0 & {"presentation", "fracture"} and waited is not None and (waited > 0).any():
        return (
            f"Exposed to immortal time: patients count as {procedure} from day 0 although they were treated "
            "later, so they could not have died or dropped out before their treatment; NSM patients could."
        )
    if day0 & {"presentation", "fracture"}:
        return ""
    return (
        f"Exposed to immortal time: the clock of {procedure} starts at the procedure, which NSM does not "
        "have, so treated patients had to survive and stay eligible until then and the two clocks may not "
        "start at the same point of the illness."
    )
