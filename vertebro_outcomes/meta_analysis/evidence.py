"""Which published rows answer a question: one per trial, and a reason for every row left out."""

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.loaders.literature.trials import DATA_SOURCES
from vertebro_outcomes.meta_analysis.candidates import (
    Ask,
    one_arm_candidates,
    two_arm_candidates,
)
from vertebro_outcomes.outcomes import FAMILIES
from vertebro_outcomes.vocabulary import TREATMENTS

RANDOMISED: Final = ("rct_sham", "rct_open")
COMPARATIVE: Final = (*RANDOMISED, "quasi_rct", "prospective_cohort", "retrospective_cohort")
OBSERVATIONAL: Final = ("claims", "prospective_cohort", "retrospective_cohort")
ANY_STUDY: Final = (*COMPARATIVE, "claims", "case_series", "")
MEASURED: Final = ("MD", "SMD", "ROM", "OR", "RR", "RD", "PETO", "HR")

# Analyses of one trial that yield to another one of the same trial.
_YIELDS: Final = re.compile(r"as treated|post hoc|all eligible|secondary analysis", re.IGNORECASE)
_OUT_COLUMNS: Final = [
    "study_id",
    "trial_id",
    "outcome",
    "timepoint_label",
    "printed",
    "source_lines",
    "reason",
]


@dataclass(frozen=True, eq=False)
class Evidence:
    """`rows`: one per trial, with the columns `effect_sizes` takes and the lines they come from.

    `left_out`: every other row about the question, with the reason in words.
    """

    rows: pd.DataFrame
    left_out: pd.DataFrame


def select_contrasts(
    literature: Literature,
    *,
    outcome_family: str,
    treatment: str | tuple[str, ...],
    comparator: str | tuple[str, ...],
    measure: str,
    day_window: tuple[float, float] | None = None,
    target_day: float | None = None,
    designs: tuple[str, ...] = RANDOMISED,
    unit: Literal["patients", "levels"] = "patients",
    scale: Literal["canonical", "printed"] = "canonical",
    inferred: Literal["include", "exclude"] = "include",
    missing_n: Literal["leave_out", "randomised"] = "leave_out",
) -> Evidence:
    """One row per trial that compares two treatments, and every row left out with its reason.

    Of several rows of a trial the one is used that is not an as-treated or post hoc analysis, then the
    nearest to `target_day`, then two arms with printed counts or SDs, then a printed contrast with an
    interval, then arms whose SD comes from a standard error or interval; then the outcome named first
    in the family, a stated direction, the main report, the first line.

    Parameters
    ----------
    literature
        As `load_literature()` gives.
    outcome_family
        A name of `FAMILIES`, like "pain".
    treatment, comparator
        Words of the vocabulary, or several.
    measure
        OR RR RD PETO (counts), MD SMD ROM (means), HR.
    day_window
        First and last day, both included; None takes any time, printed or not.
    target_day
        Preferred day; default: the middle of the window.
    designs
        Study designs that may enter.
    unit
        What counts are of.
    scale
        "canonical": on the outcome's scale, rows without a printed scale are left out; "printed": as
        printed (for a single trial).
    inferred
        Whether contrasts enter whose direction is inferred and not stated.
    missing_n
        "randomised" fills arms without a printed n with the patients randomised, and marks them.

    Returns
    -------
    Evidence
    """
    ask = Ask(
        family=_family(outcome_family, "select_contrasts"),
        treatments=_treatments(treatment, "treatment", "select_contrasts"),
        comparators=_treatments(comparator, "comparator", "select_contrasts"),
        measure=measure,
        unit=unit,
        scale=scale,
        missing_n=missing_n,
    )
    if measure not in MEASURED:
        raise refuse_argument("select_contrasts", "measure", measure, ", ".join(MEASURED))
    rows = two_arm_candidates(literature, ask)
    if inferred == "exclude":
        doubt = rows["direction_basis"].astype(str).str.startswith("inferred")
        rows.loc[doubt & (rows["problem"] == ""), "problem"] = "direction inferred, not stated"
    return _choose(rows, ask, designs=designs, window=day_window, target=target_day)


def select_proportions(
    literature: Literature,
    *,
    outcome_family: str,
    treatment: str | tuple[str, ...],
    day_window: tuple[float, float] | None = None,
    target_day: float | None = None,
    designs: tuple[str, ...] = ANY_STUDY,
    unit: Literal["patients", "levels"] = "patients",
) -> Evidence:
    """One arm per trial with events of n; parameters as `select_contrasts`.

    Of several rows of a trial the nearest to `target_day` is used, then the one with most patients.
    """
    ask = Ask(
        family=_family(outcome_family, "select_proportions"),
        treatments=_treatments(treatment, "treatment", "select_proportions"),
        comparators=(),
        measure="PR",
        unit=unit,
        scale="canonical",
        missing_n="leave_out",
    )
    rows = one_arm_candidates(literature, ask)
    evidence = _choose(rows, ask, designs=designs, window=day_window, target=target_day)
    renamed = evidence.rows.rename(columns={"events_t": "events", "n_t": "n"})
    return Evidence(renamed, evidence.left_out)


def _family(name: str, function: str) -> str:
    if name not in FAMILIES:
        raise refuse_argument(function, "outcome_family", name, "a name of FAMILIES, like 'pain'")
    return name


def _treatments(words: str | tuple[str, ...], argument: str, function: str) -> tuple[str, ...]:
    given = (words,) if isinstance(words, str) else tuple(words)
    for word in given:
        if word not in TREATMENTS:
            raise refuse_argument(function, argument, word, ", ".join(TREATMENTS))
    return given


def _choose(
    rows: pd.DataFrame,
    ask: Ask,
    *,
    designs: tuple[str, ...],
    window: tuple[float, float] | None,
    target: float | None,
) -> Evidence:
    rows = rows.copy()
    rows["reason"] = [_reason(row, designs, window) for _, row in rows.iterrows()]
    usable = rows[rows["reason"] == ""].copy()
    usable = _by_preference(usable, ask, _target(window, target))
    best = usable.drop_duplicates("trial_id")
    rest = usable[~usable.index.isin(best.index)].copy()
    used = best.set_index("trial_id")["source_lines"]
    rest["reason"] = "the same trial enters with " + rest["trial_id"].map(used).astype(str)
    best, shared = _without_shared_patients(best)
    left = pd.concat([rows[rows["reason"] != ""], rest, shared]).sort_index()
    kept = best.sort_index().reset_index(drop=True).drop(columns=["reason", "problem"])
    return Evidence(kept, left[_OUT_COLUMNS].reset_index(drop=True))


def _target(window: tuple[float, float] | None, target: float | None) -> float:
    if target is not None:
        return target
    return float("nan") if window is None else sum(window) / 2


def _reason(row: pd.Series, designs: tuple[str, ...], window: tuple[float, float] | None) -> str:
    review = row["problem"].startswith(("a figure of a review", "holds the patients"))
    if not review and row["design"] not in designs:
        design = str(row["design"]).replace("_", " ") or "not stated"
        return f"design: {design}"
    if window is not None and not review:
        if np.isnan(row["timepoint_days"]):
            return f"time point not printed ({row['timepoint_label']})"
        if not window[0] <= row["timepoint_days"] <= window[1]:
            return f"other time point ({row['timepoint_label']})"
    return str(row["problem"])


def _by_preference(rows: pd.DataFrame, ask: Ask, target: float) -> pd.DataFrame:
    # a printed difference says more than arms whose spread or size had to be supplied
    derived = rows["sd_source"].isin(["from_se", "from_ci"]) | (rows["n_source"] == "randomised")
    contrast = rows["source"] == "contrast"
    order = pd.DataFrame(
        {
            "yields": rows["timepoint_label"].map(lambda label: bool(_YIELDS.search(label))),
            "distance": (rows["timepoint_days"] - target).abs(),
            "source": np.select([derived, contrast], [2, 1], 0),
            "outcome": rows["outcome"].map({name: i for i, name in enumerate(ask.outcomes)}),
            "inferred": rows["direction_basis"].astype(str).str.startswith("inferred"),
            "n": -rows["n_t"].astype(float) if not ask.comparators else 0,
            "companion": rows["study_id"] != rows["trial_id"],
            "line": np.arange(len(rows)),
        },
        index=rows.index,
    )
    return rows.loc[order.sort_values(list(order.columns)).index]


def _without_shared_patients(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of studies that read the same records in the same years the largest stays."""
    size = rows["n_t"].astype(float).fillna(0) + rows["n_c"].astype(float).fillna(0)
    kept: list[tuple[str, object]] = []
    reasons: dict[object, str] = {}
    for index in size.sort_values(ascending=False, kind="stable").index:
        study = str(rows.loc[index, "study_id"])
        source = DATA_SOURCES.get(study)
        shared = [
            k for k, _ in kept if source and k in DATA_SOURCES and source.overlaps(DATA_SOURCES[k])
        ]
        if shared:
            reasons[index] = (
                f"may hold the patients of {shared[0]} again ({DATA_SOURCES[shared[0]]})"
            )
        else:
            kept.append((study, index))
    out = rows.loc[list(reasons)].copy()
    out["reason"] = pd.Series(reasons, dtype=object)
    return rows.drop(index=list(reasons)), out
