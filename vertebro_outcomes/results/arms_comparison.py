"""Several treatments compared at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.love import draw_love_plot
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.propensity.balance import LARGEST_SMD

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class ArmsComparison:
    """Weighted means of several arms and every difference between two of them.

    Attributes
    ----------
    arms, n, effective_n, mean : tuple
        Name, patients, effective sample size and weighted mean of each arm.
    contrasts : DataFrame
        `treatment comparator estimate se ci_low ci_high p_value`.
    balance : DataFrame
        `covariate smd_before smd_after`: the largest between two arms, without sign.
    withheld : str
        The diagnostics that failed, where the estimates are NaN because of them; empty otherwise.
    """

    outcome: str
    day: int
    arms: tuple[str, ...]
    method: str
    estimand: str
    level: float
    n: tuple[int, ...]
    effective_n: tuple[float, ...]
    mean: tuple[float, ...]
    contrasts: pd.DataFrame
    balance: pd.DataFrame
    covariates: tuple[str, ...]
    notes: tuple[str, ...] = ()
    withheld: str = ""
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """One row per pair."""
        size = dict(zip(self.arms, self.n, strict=True))
        return self.contrasts.assign(
            outcome=self.outcome, day=self.day, method=self.method, estimand=self.estimand,
            n_t=self.contrasts["treatment"].map(size), n_c=self.contrasts["comparator"].map(size),
            withheld=self.withheld, synthetic=self.synthetic,
        )  # fmt: skip

    def __str__(self) -> str:
        said = [
            f"{row['treatment']} minus {row['comparator']} = "
            + numbers.estimate_with_interval(row["estimate"], (row["ci_low"], row["ci_high"]))
            for _, row in self.contrasts.iterrows()
        ]
        apart = self.balance[self.balance["smd_after"] > LARGEST_SMD]
        residual = (
            [f"Residual imbalance above {LARGEST_SMD}: {', '.join(apart['covariate'])}."]
            if len(apart)
            else []
        )
        said = ["estimates withheld"] if self.withheld else said
        groups = ", ".join(
            f"{a} {numbers.count(n)}" for a, n in zip(self.arms, self.n, strict=True)
        )
        head = (
            f"{self.outcome}, day {self.day}, {100 * self.level:g}% intervals: {'; '.join(said)}; "
            f"{self.method.replace('_', ' ')}, n = {groups}; {self.estimand}."
        )
        return " ".join([head, *residual, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        balance = html_table(self.balance, caption="Largest difference between two arms")
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}{balance}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Love plot of the largest difference between two arms."""
        mark = "synthetic" if self.synthetic else ""
        return draw_love_plot(self.balance, limit=LARGEST_SMD, mark=mark, ax=ax)
