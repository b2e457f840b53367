"""What happens to a pooled effect over the subsets of its studies."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

OUTLIER_I2_DROP: Final = 25.0  # percentage points of mean I²: from "substantial" to "moderate"


@dataclass(frozen=True, eq=False, repr=False)
class Subsets:
    """Pooled results of subsets of studies, analysis scale; `members` is (B, k) True = inside."""

    measure: str
    method: str
    labels: tuple[str, ...]
    members: Bools
    estimate: Floats
    tau2: Floats
    i2_pct: Floats
    k: Ints
    sampled: bool
    excluded: tuple[ExcludedStudy, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per subset: `k estimate tau2 i2_pct` and a True/False column per study."""
        frame = pd.DataFrame(
            {"k": self.k, "estimate": self.estimate, "tau2": self.tau2, "i2_pct": self.i2_pct}
        )
        inside = pd.DataFrame(self.members, columns=[f"with {label}" for label in self.labels])
        return pd.concat([frame, inside], axis=1)

    def by_study(self) -> pd.DataFrame:
        """Mean estimate and I² of the subsets with and without each study, largest change first.

        `outlier` marks a study without which the mean I² falls by `OUTLIER_I2_DROP` points.
        """
        rows = []
        for i, label in enumerate(self.labels):
            inside = self.members[:, i]
            rows.append(
                {
                    "study": label,
                    "estimate_with": np.mean(self.estimate[inside]),
                    "estimate_without": np.mean(self.estimate[~inside]),
                    "i2_pct_with": np.mean(self.i2_pct[inside]),
                    "i2_pct_without": np.mean(self.i2_pct[~inside]),
                }
            )
        frame = pd.DataFrame(rows)
        frame["i2_pct_change"] = frame["i2_pct_with"] - frame["i2_pct_without"]
        frame["outlier"] = frame["i2_pct_change"] >= OUTLIER_I2_DROP
        order = frame["i2_pct_change"].abs().sort_values(ascending=False, kind="stable").index
        return frame.loc[order].reset_index(drop=True)

    def outliers(self) -> tuple[str, ...]:
        """Studies that carry the heterogeneity, by the rule of `by_study`."""
        frame = self.by_study()
        return tuple(frame.loc[frame["outlier"], "study"])

    def __str__(self) -> str:
        low, high = (float(x) for x in np.quantile(self.estimate, [0.025, 0.975]))
        read = MEASURES[self.measure].to_natural
        spread = numbers.interval((float(read(low)), float(read(high))), self.measure)
        named = ", ".join(self.outliers())
        return (
            f"{'A sample of ' if self.sampled else 'All '}{len(self.estimate):,} subsets of "
            f"{len(self.labels)} studies ({self.method}): the middle 95% of pooled estimates is "
            f"{spread}, median I² {numbers.number(float(np.median(self.i2_pct)), 0)}%; "
            + (
                f"heterogeneity rests on {named}"
                if named
                else "no single study carries heterogeneity"
            )
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self.by_study(), caption=str(self))

    def plot(self, ax: Any = None, *, study: str | None = None) -> Any:
        """Heterogeneity against effect, a dot per subset; those with `study` in a second colour.

        `study` defaults to the one whose absence changes I² most.
        """
        from matplotlib.figure import Figure

        axes = ax if ax is not None else Figure(figsize=(6, 4.5)).subplots()
        marked = self.labels.index(study if study is not None else self.by_study()["study"][0])
        inside = self.members[:, marked]
        for rows, colour, words in (
            (~inside, "0.6", f"without {self.labels[marked]}"),
            (inside, "#0b559f", f"with {self.labels[marked]}"),
        ):
            x = MEASURES[self.measure].to_natural(self.estimate[rows])
            axes.plot(x, self.i2_pct[rows], ".", ms=2, color=colour, label=words, rasterized=True)
        if MEASURES[self.measure].is_ratio:
            axes.set_xscale("log")
        axes.set_xlabel(f"pooled {MEASURES[self.measure].label}")
        axes.set_ylabel("I² (%)")
        axes.legend(loc="best", markerscale=5)
        return axes
