"""Complications at each site against the limits of chance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import hide_groups
from vertebro_outcomes.display.figures.site_funnel import draw_site_funnel
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.rates.funnel_limits import exact_limit, wide_limit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shrinkage = Literal["beta_binomial", "logit_normal"]
ShrunkenInterval = Literal["posterior", "plug_in"]
# What the intervals of the shrunken rates count, besides the chance of each site.
INTERVALS: Final = {
    "posterior": "intervals count the uncertainty of mean and spread",
    "plug_in": "intervals count the uncertainty of the mean, not of the spread",
}
# Two and three standard deviations, the limits of Spiegelhalter 2005, doi:10.1002/sim.1970.
INNER: Final = 0.95
OUTER: Final = 0.998
_MODELS: Final = {"beta_binomial": "beta-binomial", "logit_normal": "logit-normal"}
_KINDS: Final = {
    "any": "any complication",
    "severe": "severe complication",
    "cement_leakage_disc": "cement leakage into the disc",
    "cement_leakage_epidural": "cement leakage into the spinal canal",
    "cement_leakage_foraminal": "cement leakage into a nerve-root foramen",
    "cement_leakage_venous": "cement leakage into a vein",
    "cement_leakage_paravertebral": "cement leakage beside the vertebra",
}
_SMOOTH: Final = 200  # places at which limits are drawn


def kind_words(kind: str) -> str:
    """A kind of complication in words: `any` alone would not say of what."""
    return _KINDS.get(kind, kind.replace("_", " "))


@dataclass(frozen=True, eq=False, repr=False)
class SiteRates:
    """`sites` has one row per site; counts are in full (`hidden` tells which are small).

    Columns: the site, `n_events n rate`, exact limits of chance around `target` (`low_95 high_95
    low_998 high_998`), limits that allow for the spread between sites (`wide_...`), `z`, `place` and
    `place_wide` (within, or beyond which limit), `shrunken ci_low ci_high`. `phi` is the mean square of
    the winsorised z-scores, `p_value` tests that they vary by chance, `tau` is the standard
    deviation between sites (proportion). `mean` and `spread` belong to the shrinkage model.
    """

    sites: pd.DataFrame
    kind: str
    by: str
    unit: str
    treatment: str | None
    within_days: float | None
    target: float
    stated: bool
    winsorise: float
    phi: float
    p_value: float
    tau: float
    shrinkage: Shrinkage
    mean: float
    spread: float
    level: float
    interval: ShrunkenInterval = "posterior"
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`sites`, marked where the patients are synthetic."""
        return self.sites.assign(synthetic=self.synthetic)

    def hidden(self, largest_hidden: int) -> "np.ndarray":
        """Which sites may not be shown: small counts, and as many more as keep these unknown."""
        return hide_groups(self.sites["n_events"], self.sites["n"], largest_hidden=largest_hidden)

    def __str__(self) -> str:
        rows = self.sites
        total, most = int(rows["n_events"].sum()), int(rows["n"].sum())
        of = f" after {self.treatment}" if self.treatment else ""
        days = f" within {self.within_days:g} days" if self.within_days is not None else ""
        beyond = {w: int(rows["place"].str.endswith(w).sum()) for w in (" 95%", " 99.8%")}
        allowed = (
            f"{int((rows['place_wide'] != 'within').sum())} beyond limits that allow for it"
            if self.tau > 0
            else "no more than chance makes"
        )
        low, high = rows["shrunken"].min(), rows["shrunken"].max()
        centre = "stated target" if self.stated else "all sites together"
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"{kind_words(self.kind).capitalize()}{of}{days} at {len(rows)} sites, "
            f"{total} of {most} {self.unit}: around {numbers.percent(self.target)} ({centre}), "
            f"{beyond[' 95%'] + beyond[' 99.8%']} beyond the exact 95% limits, "
            f"{beyond[' 99.8%']} of these beyond 99.8%. Over-dispersion phi "
            f"{numbers.number(self.phi)} ({numbers.p_value(self.p_value)}), between-site standard "
            f"deviation {numbers.percent(self.tau, 2)}: {allowed}. Shrunken rates "
            f"({_MODELS[self.shrinkage]}) from {numbers.percent(low)} to {numbers.percent(high)}; "
            f"{INTERVALS[self.interval]}."
            f"{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, largest_hidden: int = 0, ax: "Axes | None" = None) -> "Axes":
        """Funnel: rate against size, exact limits, wider ones where sites differ beyond chance.

        Parameters
        ----------
        largest_hidden : int
            Sites with a count from 1 to this are not drawn; 0 draws all.
        ax : Axes, optional
            Drawn into; a new figure if not given.
        """
        hidden = self.hidden(largest_hidden) if largest_hidden else np.zeros(len(self.sites), bool)
        shown = self.sites.loc[~hidden]
        most = float(self.sites["n"].max())
        sizes = np.unique(np.rint(np.geomspace(max(2.0, most / 100), 1.05 * most, _SMOOTH)))
        tails = {w: ((1 - w) / 2, (1 + w) / 2) for w in (INNER, OUTER)}
        exact = {
            f"{100 * w:g}%": [exact_limit(sizes, target=self.target, tail=t) for t in pair]
            for w, pair in tails.items()
        }
        wide = {
            f"{100 * w:g}%, sites differ": [
                wide_limit(sizes, target=self.target, tail=t, tau=self.tau) for t in pair
            ]
            for w, pair in tails.items()
            if self.tau > 0
        }
        return draw_site_funnel(
            shown, sizes=sizes, exact=exact, wide=wide, target=self.target, name=self.by,
            label=f"{kind_words(self.kind)}, % of {self.unit}", unit=self.unit,
            left_out=int(hidden.sum()), mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
