"""Complications of two treatments compared, one row per event type."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.contrasts import draw_contrasts
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measure = Literal["RD", "RR", "OR"]
ContrastMethod = Literal[
    "newcombe", "score", "exact", "mantel_haenszel", "firth", "overlap_weighting", "g_computation"
]
Multiplicity = Literal["benjamini_hochberg", "holm", "none"]
MEASURES: Final = {"RD": "risk difference", "RR": "risk ratio", "OR": "odds ratio"}
WAYS: Final = {
    "newcombe": "Newcombe interval",
    "score": "Miettinen-Nurminen score interval",
    "exact": "exact conditional interval",
    "mantel_haenszel": "Mantel-Haenszel",
    "firth": "Firth logistic regression, profile interval",
    "overlap_weighting": "overlap weighting",
    "g_computation": "g-computation from a logistic model",
}
_ADJUSTED: Final = {
    "benjamini_hochberg": "false discovery rate by Benjamini-Hochberg",
    "holm": "Holm",
}


@dataclass(frozen=True, eq=False, repr=False)
class ComplicationContrasts:
    """Treatment against comparator.

    `contrasts` has one row per event type: `type events_t n_t events_c n_c estimate ci_low ci_high
    p_value p_adjusted note`. Risk differences are proportions, ratios are ratios; a limit without
    end is infinite, and what the data cannot tell is NaN with its reason in `note`.
    """

    treatment: str
    comparator: str
    measure: Measure
    method: ContrastMethod
    multiplicity: Multiplicity
    level: float
    contrasts: pd.DataFrame
    covariates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`contrasts`, marked where the patients are synthetic."""
        return self.contrasts.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        said = [
            f"{row.type.replace('_', ' ')} {row.events_t} of {row.n_t} vs {row.events_c} of "
            f"{row.n_c}, {self._estimate(row.estimate, row.ci_low, row.ci_high)}, "
            f"{numbers.p_value(row.p_value)}"
            + (
                ""
                if self.multiplicity == "none"
                else f", adjusted {numbers.p_value(row.p_adjusted)}"
            )
            for row in self.contrasts.itertuples()
        ]
        many = int(self.contrasts["p_value"].notna().sum())  # the others have no test to adjust
        over = (
            "not adjusted for the number of event types"
            if self.multiplicity == "none"
            else f"adjusted over {many} event type{'' if many == 1 else 's'} "
            f"({_ADJUSTED[self.multiplicity]})"
        )
        given = f", given {', '.join(self.covariates)}" if self.covariates else ""
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"{self.treatment} against {self.comparator}, patients with the event, "
            f"{MEASURES[self.measure]} ({WAYS[self.method]}, {100 * self.level:g}%{given}): "
            f"{'; '.join(said)}. P-values are {over}.{mark}"
        )

    __repr__ = __str__

    def _estimate(self, estimate: float, low: float, high: float) -> str:
        return numbers.estimate_with_interval(estimate, (low, high), measure=self.measure)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Forest over event types; a limit without end is an arrow."""
        labels = [
            f"{row.type.replace('_', ' ')} ({row.events_t}/{row.n_t} vs {row.events_c}/{row.n_c})"
            for row in self.contrasts.itertuples()
        ]
        limits = self.contrasts[["estimate", "ci_low", "ci_high"]].to_numpy(float)
        texts = [self._estimate(*row) for row in limits.tolist()]
        what = f"{MEASURES[self.measure]}, {self.treatment} against {self.comparator}"
        return draw_contrasts(
            labels, limits, texts=texts, label=what, ratio=self.measure != "RD",
            mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
