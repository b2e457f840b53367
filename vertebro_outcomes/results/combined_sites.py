"""Several sites' summaries put together, with what was exact and what could only be approximated."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import escape
from scipy.special import ndtri

from vertebro_outcomes.display.numbers import estimate_with_interval
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import list_some, refuse_argument

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
        `analysis measure site estimate se`: what each site adds.
    balance : DataFrame
        `covariate mean_t sd_t mean_c sd_c smd` of the patients of the scores, of all sites.
    rates : DataFrame
        `type events_t n_t events_c n_c sites`: patients with complications at the sites that show
        the counts of both arms.
    risk_sets : DataFrame
        `arm day_from day_to at_risk events deaths` of all sites; NaN where a site hides its number.
    """

    treatment: str
    comparator: str
    level: float
    synthetic: bool
    results: pd.DataFrame
    sites: pd.DataFrame
    balance: pd.DataFrame
    rates: pd.DataFrame
    risk_sets: pd.DataFrame
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The results, marked where a site is synthetic."""
        return self.results.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        mark = "SYNTHETIC data. " if self.synthetic else ""
        said = []
        for row in self.results.itertuples():
            values = [row.estimate, row.ci_low, row.ci_high]
            if row.measure in ("HR", "OR", "RR"):
                values = [_exp(value) for value in values]
            shown = estimate_with_interval(values[0], values[1:], measure=row.measure)
            how = "as with all patients in one file" if row.exact else "approximate"
            said.append(
                f"{row.analysis}: {row.measure} {shown}, {row.method}, {row.k} sites, {how}"
            )
        title = f"{mark}{self.treatment} against {self.comparator} over sites"
        return "; ".join([title, *said]) + "."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        title = str(self).split(";")[0]
        tables = [html_table(self.results, caption=title)]
        for name, table in self.tables().items():
            tables.append(html_table(table, caption=f"{title}: {name}"))
        return f"{''.join(map(str, tables))}{notes}"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Balance, complications and numbers at risk over all sites, where there are any."""
        found = {
            "balance": self.balance,
            "patients with complications": self.rates,
            "numbers at risk and events": self.risk_sets,
        }
        return {name: table for name, table in found.items() if len(table)}

    def plot(self, *, analysis: str | None = None, ax: "Axes | None" = None) -> "Axes":
        """Site estimates of one analysis (the first if not named) with the combined one below."""
        import matplotlib.pyplot as plt

        ax = ax if ax is not None else plt.gca()
        chosen = analysis or str(self.results["analysis"].iloc[0])
        found = self.results[self.results["analysis"] == chosen]
        if found.empty:
            known = list_some(list(dict.fromkeys(self.results["analysis"])), most=20)
            raise refuse_argument("CombinedSites.plot", "analysis", chosen, known)
        whole = found.iloc[0]
        mine = (self.sites["analysis"] == chosen) & (self.sites["measure"] == whole["measure"])
        rows = self.sites[mine]
        names = [*rows["site"], "combined"]
        at = [*rows["estimate"], whole["estimate"]]
        half = float(ndtri((1 + self.level) / 2)) * rows["se"]
        sides = [
            [*half, whole["estimate"] - whole["ci_low"]],
            [*half, whole["ci_high"] - whole["estimate"]],
        ]
        ax.errorbar(at, range(len(names)), xerr=sides, fmt="s", color="black", capsize=2)
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.axvline(0.0, color="grey", linewidth=0.8)
        scale = "log " if whole["measure"] in ("HR", "OR", "RR") else ""
        mark = " (synthetic data)" if self.synthetic else ""
        ax.set_xlabel(f"{chosen}: {scale}{whole['measure']}{mark}")
        return ax


def _exp(value: float) -> float:
    return float(2.718281828459045**value)
