"""A test for small-study effects, and what it says the effect of a very large study would be."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.funnel import draw_funnel
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {
    "egger": "Egger's test",
    "begg": "Begg and Mazumdar's rank test",
    "peters": "Peters' test",
    "harbord": "Harbord's test",
    "macaskill": "Macaskill's test",
    "deeks": "Deeks' test",
    "pet": "PET",
    "peese": "PEESE",
    "pet_peese": "PET-PEESE",
}
_CORRECTS = ("pet", "peese", "pet_peese")


@dataclass(frozen=True, eq=False, repr=False)
class SmallStudyTest:
    """One test; what a test does not have is NaN.

    `statistic` is t with `df` degrees of freedom, z where `df` is infinite, Kendall's tau for "begg"; it
    tests `bias`, and for PET and PEESE the corrected effect. `bias` (`bias_se`, `bias_ci_low`,
    `bias_ci_high`) is the coefficient that measures small-study effects, `limit` (`limit_se`,
    `limit_ci_low`, `limit_ci_high`) the effect that remains as the standard error goes to 0.

    `intercept` and `slope` are those of the regression as its authors write it. For "egger" and
    "harbord" (effect/se on 1/se; Z/sqrt(V) on sqrt(V)) the intercept is `bias` and the slope `limit`; for
    all others (effect on a measure of size) the intercept is `limit` and the slope `bias`.
    """

    test: str
    model: str
    measure: str
    level: float
    k: int
    statistic: float
    df: float
    p_value: float
    intercept: float
    slope: float
    bias: float
    bias_se: float
    bias_ci_low: float
    bias_ci_high: float
    limit: float
    limit_se: float
    limit_ci_low: float
    limit_ci_high: float
    chosen: str
    studies: pd.DataFrame
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        """The effect without small-study effects (`limit`)."""
        return self.limit

    def to_frame(self) -> pd.DataFrame:
        """One row with every number, analysis scale."""
        names = [
            "test", "model", "measure", "level", "k", "statistic", "df", "p_value", "intercept", "slope",
            "bias", "bias_se", "bias_ci_low", "bias_ci_high",
            "limit", "limit_se", "limit_ci_low", "limit_ci_high", "chosen",
        ]  # fmt: skip
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __str__(self) -> str:
        name = _NAMES[self.test] + (" (mixed-effects model)" if self.model == "rma" else "")
        p = numbers.p_value(self.p_value)
        studies = f"{self.k} studies"
        if self.test == "begg":
            tau = f"Kendall's \N{GREEK SMALL LETTER TAU} = {numbers.number(self.statistic)}"
            return f"{name}: {tau}, {p}, {studies}"
        letter = "z" if np.isinf(self.df) else "t"
        df = "" if np.isinf(self.df) else f", df = {self.df:g}"
        tested = f"{letter} = {numbers.number(self.statistic)}{df}, {p}"
        if self.test in _CORRECTS:
            read = MEASURES[self.measure].to_natural
            ends = float(read(self.limit_ci_low, None)), float(read(self.limit_ci_high, None))
            size = numbers.estimate_with_interval(
                float(read(self.limit, None)), ends, measure=self.measure
            )
            chosen = f" ({self.chosen.upper()} chosen)" if self.test == "pet_peese" else ""
            return f"{name}{chosen}: corrected {MEASURES[self.measure].label} {size}, {tested}, {studies}"
        bias = numbers.estimate_with_interval(self.bias, (self.bias_ci_low, self.bias_ci_high))
        return f"{name}: bias {bias}, {tested}, {studies}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        row = self.to_frame().iloc[0]
        frame = pd.DataFrame({"quantity": list(row.index), "value": row.tolist()})
        return str(html_table(frame, caption=str(self)))

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Contour-enhanced funnel plot of the studies."""
        return draw_funnel(self.studies, measure=self.measure, ax=ax)
