"""The protocol of the target trial beside what was done with the data at hand."""

from collections.abc import Sequence

import pandas as pd

from vertebro_outcomes.comparisons.design import Design, protocol_rows
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.column_words import term_words

COLUMNS = ["component", "protocol", "emulation"]


def emulated_protocol(design: Design, method: Method, cohort: Cohort) -> pd.DataFrame:
    """`component protocol emulation` of a trial whose time zero is presentation."""
    name = method.name
    done = {
        "eligibility": _steps(cohort),
        "strategies": {
            "clone_censor_weight": "every patient is cloned into both strategies; a clone leaves when the "
            "patient's own course departs from it",
            "landmark": f"what patients had had by day {design.grace_days}, in those still under observation",
        }.get(name, "as treated at any time"),
        "assignment": "as treated in care; weights from the baseline covariates",
        "time zero": "the day of presentation"
        if name != "naive_from_procedure"
        else "the procedure for the treated, presentation for the others: not the same day (biased)",
        "grace period": f"{design.grace_days} days",
        "follow-up": "until the outcome, death or the last day known"
        + (f"; counted from day {design.grace_days}" if name == "landmark" else ""),
        "outcome": _outcome(design),
        "estimand": method.estimand,
    }
    return _table(design, done)


def day0_protocol(
    design: Design,
    *,
    estimand: str,
    day0: tuple[str, ...],
    covariates: Sequence[str],
    cohort: Cohort,
) -> pd.DataFrame:
    """`component protocol emulation` of a comparison that starts at day 0 of the cohort."""
    start = ", ".join(day0) if day0 else "not recorded"
    terms = "; ".join(map(term_words, covariates))
    adjusted = f"adjusted for {terms}" if terms else "not adjusted"
    done = {
        "eligibility": _steps(cohort),
        "strategies": "treatment recorded for the first episode",
        "assignment": f"as treated; {adjusted}",
        "time zero": f"day 0 of the episode ({start})",
        "grace period": "none",
        "follow-up": f"to day {design.day}",
        "outcome": _outcome(design),
        "estimand": estimand,
    }
    return _table(design, done)


def _steps(cohort: Cohort) -> str:
    return "; ".join(cohort.attrition["step"].iloc[1:]) or "no restriction"


def _outcome(design: Design) -> str:
    if design.window_days is None:
        return f"by day {design.day}, as recorded"
    low, high = design.window_days
    return f"score nearest to day {design.day} from day {low} to {high}"


def _table(design: Design, done: dict[str, str]) -> pd.DataFrame:
    rows = [(part, said, done.get(part, said)) for part, said in protocol_rows(design)]
    return pd.DataFrame(rows, columns=COLUMNS)
