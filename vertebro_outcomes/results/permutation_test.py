"""What a permutation test of a meta-regression found."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.tables import html_table


@dataclass(frozen=True, eq=False, repr=False)
class PermutationTest:
    """Two-sided p-values by term (`p_values`) and of all moderators together (`q_p_value`)."""

    formula: str
    p_values: pd.Series
    q_p_value: float
    n_permutations: int
    exact: bool
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row per term: `term p_value`."""
        return self.p_values.rename("p_value").reset_index()

    def __str__(self) -> str:
        how = "all" if self.exact else f"random (seed {self.seed})"
        terms = "; ".join(f"{term} {numbers.p_value(p)}" for term, p in self.p_values.items())
        return (
            f"Permutation test of {self.formula.strip()}, {numbers.count(self.n_permutations)} "
            f"permutations ({how}): {terms}; moderators together {numbers.p_value(self.q_p_value)}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self.to_frame(), caption=str(self))

    def plot(self, ax: Any = None) -> Any:
        """P-values by term, a dot each, with a line at 0.05."""
        from matplotlib.figure import Figure

        axes = ax if ax is not None else Figure(figsize=(5, 3)).subplots()
        axes.plot(self.p_values.to_numpy(), np.arange(len(self.p_values)), "o", color="#0b559f")
        axes.set_yticks(np.arange(len(self.p_values)), list(map(str, self.p_values.index)))
        axes.axvline(0.05, color="0.6", lw=0.8)
        axes.set_xlim(0, 1)
        axes.set_xlabel("P (permutation)")
        return axes
