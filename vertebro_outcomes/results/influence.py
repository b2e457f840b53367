"""What each study does to a pooled effect or a meta-regression."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vertebro_outcomes.display.style import BLUE, INK, ORANGE, RULE
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Influence:
    """Deletion diagnostics, one row per study in `table`.

    `rstudent` deleted residual in standard errors; `dffits` change of the study's own prediction;
    `cook_d` Cook's distance; `cov_r` ratio of the generalised variances without and with the study;
    `tau2_del`, `q_del` tau² and Q without the study; `hat` leverage; `weight_pct`; `dfbetas` change
    of each coefficient in standard errors (`dfbetas_<term>` with moderators); `baujat_x` squared
    Pearson residual, `baujat_y` standardised squared change of the study's prediction;
    `influential` by the rules of `influential`.
    """

    measure: str
    method: str
    ci: str
    formula: str
    k: int
    terms: tuple[str, ...]
    table: pd.DataFrame
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per study, starting with `study`."""
        return self.table.copy()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self.table.columns:
            return self.table[name].to_numpy()
        raise AttributeError(f"Influence has no attribute {name!r}")

    @property
    def baujat(self) -> pd.DataFrame:
        """Coordinates of the Baujat plot: `study x y`."""
        table = self.table
        return pd.DataFrame(
            {"study": table["study"], "x": table["baujat_x"], "y": table["baujat_y"]}
        )

    def __str__(self) -> str:
        named = list(self.table.loc[self.table["influential"], "study"])
        found = f"influential: {', '.join(named)}" if named else "none is influential"
        distance = self.table["cook_d"]
        if distance.isna().all():
            return f"Influence of {self.k} studies ({self.method}): {found}; Cook's distance is undefined"
        return (
            f"Influence of {self.k} studies ({self.method}): {found}; largest Cook's distance "
            f"{distance.max():.2f} ({self.table.loc[distance.idxmax(), 'study']})"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self.table, caption=str(self), row_header="study")

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Baujat plot: contribution to heterogeneity against influence on the result."""
        from matplotlib.figure import Figure

        axes = ax if ax is not None else Figure(figsize=(6, 4.5)).subplots()
        table = self.table
        colours = np.where(table["influential"], ORANGE, BLUE)
        axes.scatter(table["baujat_x"], table["baujat_y"], c=list(colours), s=18)
        for study, x, y in zip(table["study"], table["baujat_x"], table["baujat_y"], strict=True):
            axes.annotate(study, (x, y), xytext=(3, 3), textcoords="offset points", color=INK)
        axes.axhline(0, color=RULE, lw=0.8, zorder=0)
        axes.set_xlabel("squared Pearson residual")
        axes.set_ylabel("influence on the study's predicted effect")
        return axes
