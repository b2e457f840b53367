"""Several sites' summaries put together, with what was exact and what could only be approximated."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display.numbers import number, ratio
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class CombinedSites:
    """Treatment against comparator over sites.

    Attributes
    ----------
    results : DataFrame
        `analysis measure method k estimate se ci_low ci_high tau2 exact`; ratios on the log scale.
        `exact` says whether the same patients in one file would give the same number.
    sites : DataFrame
        `analysis site estimate se`: what each site adds.
    """

    treatment: str
    comparator: str
    level: float
    synthetic: bool
    results: pd.DataFrame
    sites: pd.DataFrame
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The results, marked where a site is synthetic."""
        return self.results.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        mark = "SYNTHETIC data. " if self.synthetic else ""
        said = []
        for row in self.results.itertuples():
            is_log = row.measure in ("HR", "OR", "RR")
            show = ratio if is_log else number
            power = pd.Series([row.estimate, row.ci_low, row.ci_high])
            values = [show(v) for v in (power.map(_exp) if is_log else power)]
            how = "as with all patients in one file" if row.exact else "approximate"
            said.append(
                f"{row.analysis}: {row.measure} {values[0]} ({values[1]} to {values[2]}), "
                f"{row.method}, {row.k} sites, {how}"
            )
        title = f"{mark}{self.treatment} against {self.comparator} over sites"
        return "; ".join([title, *said]) + "."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.results, caption=str(self).split(';')[0])}{notes}"

    def plot(self, *, analysis: str | None = None, ax: "Axes | None" = None) -> "Axes":
        """Site estimates of one analysis (the first if not named) with the combined one below."""
        import matplotlib.pyplot as plt

        ax = ax if ax is not None else plt.gca()
        chosen = analysis or str(self.results["analysis"].iloc[0])
        rows = self.sites[self.sites["analysis"] == chosen]
        whole = self.results[self.results["analysis"] == chosen].iloc[0]
        names = [*rows["site"], "combined"]
        at = [*rows["estimate"], whole["estimate"]]
        half = [*(1.959964 * rows["se"]), 1.959964 * whole["se"]]
        ax.errorbar(at, range(len(names)), xerr=half, fmt="s", color="black", capsize=2)
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.axvline(0.0, color="grey", linewidth=0.8)
        scale = "log " if whole["measure"] in ("HR", "OR", "RR") else ""
        mark = " (synthetic data)" if self.synthetic else ""
        ax.set_xlabel(f"{chosen}: {scale}{whole['measure']}{mark}")
        return ax


def _exp(value: float) -> float:
    return float(2.718281828459045**value)
