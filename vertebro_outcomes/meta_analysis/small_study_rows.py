"""What the tests for small-study effects need of each study: effect, precision, arms."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.small_study import Counts, is_constant
from vertebro_outcomes.meta_analysis.arm_checks import check_arms
from vertebro_outcomes.meta_analysis.effect_sizes import effect_sizes
from vertebro_outcomes.meta_analysis.study_rows import (
    numeric_column,
    require_columns,
    study_labels,
    study_rows,
)
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

FUNCTION: Final = "small_study_effects"
BY_ARMS: Final = ("peters", "harbord", "macaskill", "deeks")
_ARMS = ("events_t", "n_t", "events_c", "n_c")


@dataclass(frozen=True)
class SizedStudies:
    """The usable studies; what a test does not need is NaN."""

    y: Floats
    v: Floats
    counts: Counts
    labels: tuple[str, ...]
    excluded: tuple[ExcludedStudy, ...]
    measure: str

    def studies(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "study": list(self.labels),
                "effect": self.y,
                "variance": self.v,
                "se": np.sqrt(self.v),
            }
        )


def studies_by_precision(es: pd.DataFrame, measure: str | None) -> SizedStudies:
    """Studies with an effect and its variance."""
    rows = study_rows(es, function=FUNCTION, measure=measure)
    none = np.full(len(rows.effects), np.nan)
    counts = Counts(none, none, none, none)
    return SizedStudies(
        rows.effects, rows.variances, counts, rows.labels, rows.excluded, rows.measure
    )


def studies_by_arms(es: pd.DataFrame, test: str, measure: str | None) -> SizedStudies:
    """Studies with what the test needs of both arms; effects are computed where none are given."""
    if not isinstance(es, pd.DataFrame):
        raise refuse_argument(FUNCTION, "es", type(es).__name__, "a DataFrame")
    needed = ("n_t", "n_c") if test == "deeks" and "effect" in es.columns else _ARMS
    require_columns(es, needed, function=FUNCTION)
    columns = {name: numeric_column(es, name, function=FUNCTION) for name in needed}
    check_arms(es, columns, function=FUNCTION)
    if "effect" not in es.columns:
        es = effect_sizes(es, measure="OR")
    rows = study_rows(es, function=FUNCTION, measure=measure)
    none = np.full(len(es), np.nan)
    counts = Counts(*(columns.get(name, none) for name in ("events_t", "n_t", "events_c", "n_c")))
    enough = (counts.n1 > 0) & (counts.n2 > 0)
    if test != "deeks":
        enough &= counts.usable
    if test != "harbord":
        enough &= rows.kept
    effects, variances = (np.full(len(es), np.nan) for _ in range(2))
    effects[rows.kept], variances[rows.kept] = rows.effects, rows.variances
    reasons = {gone.study: gone.reason for gone in rows.excluded} if test != "harbord" else {}
    labels = study_labels(es)
    return SizedStudies(
        y=effects[enough],
        v=variances[enough],
        counts=Counts(counts.a[enough], counts.n1[enough], counts.c[enough], counts.n2[enough]),
        labels=tuple(label for label, keep in zip(labels, enough, strict=True) if keep),
        excluded=tuple(
            ExcludedStudy(label, reasons.get(label, _NO_CONTRAST))
            for label, keep in zip(labels, enough, strict=True)
            if not keep
        ),
        measure=rows.measure,
    )


_NO_CONTRAST = "no event, events in all patients, or counts missing"


def check_sizes_differ(data: SizedStudies, test: str) -> None:
    """Raise an InputError where the measure of size of the test is the same in all studies."""
    size, column = data.v, "variance"
    if test in ("peters", "macaskill"):
        size, column = data.counts.n, "n_t + n_c"
    elif test == "deeks":
        size, column = data.counts.n1 * data.counts.n2 / data.counts.n, "n_t, n_c"
    elif test == "harbord":
        m, n = data.counts.events, data.counts.n
        size, column = data.counts.n1 * data.counts.n2 * m * (n - m) / (n**2 * (n - 1)), "arms"
    if is_constant(size):
        problem = Problem(
            f"column {column}",
            "all studies have the same size or precision",
            "studies that differ in size",
        )
        raise InputError(
            f"{FUNCTION}()", [problem], "without small and large studies nothing can be tested"
        )
