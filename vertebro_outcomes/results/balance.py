"""How alike two arms are, before and after weighting."""

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
class ArmBalance:
    """`table` has one row per covariate.

    Columns: `covariate mean_t mean_c sd_t sd_c`, then `smd variance_ratio ks` each `_before` and `_after`
    weighting. `effective_n_t` and `effective_n_c` are Kish's sizes of the weighted arms.
    """

    treatment: str
    comparator: str
    method: str
    covariates: tuple[str, ...]
    n_t: int
    n_c: int
    effective_n_t: float
    effective_n_c: float
    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`table`, marked where the patients are synthetic."""
        return self.table.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        before, after = (self.table[f"smd_{when}"].abs().max() for when in ("before", "after"))
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"{self.treatment} against {self.comparator}, {self.n_t} vs {self.n_c} patients: largest "
            f"standardised difference of {len(self.table)} covariates {numbers.number(before, 3)} "
            f"before and {numbers.number(after, 3)} after {self.method.replace('_', ' ')} (effective "
            f"{self.effective_n_t:.0f} vs {self.effective_n_c:.0f} patients).{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Love plot: standardised differences before and after weighting."""
        mark = "synthetic" if self.synthetic else ""
        return draw_love_plot(self.table, limit=LARGEST_SMD, mark=mark, ax=ax)
