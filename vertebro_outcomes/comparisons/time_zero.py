"""When the clock starts, and what is wrong where it starts at different points in the two arms."""

from typing import Final

import pandas as pd

from vertebro_outcomes.comparisons.population import Population, words_of

AUGMENTATION: Final = frozenset({"VP", "KP", "VAI", "VA"})
NEXT: Final = (
    " vo.Design(..., time_zero='presentation', grace_days=42) states the trial that avoids this."
)


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
            + NEXT
        )
    if day0 & {"presentation", "fracture"}:
        return ""
    return (
        f"Exposed to immortal time: the clock of {procedure} starts at the procedure, which NSM does not "
        "have, so treated patients had to survive and stay eligible until then and the two clocks may not "
        "start at the same point of the illness." + NEXT
    )
