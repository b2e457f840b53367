"""Rates of complications under every definition, beside claimed bands and published rates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.banded_rates import draw_banded_rates
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import list_some, refuse_argument
from vertebro_outcomes.estimators.rates.beta_bands import BetaPosterior, LogitNormal
from vertebro_outcomes.results.pooled_effect import PooledEffect
from vertebro_outcomes.results.site_rates import kind_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Prior = Literal["jeffreys", "uniform"]
COLUMNS: Final = (
    "source", "kind", "detection", "within_days", "unit", "n_studies", "n_events", "n", "rate",
    "ci_low", "ci_high", "band", "band_low", "band_high", "p_below", "p_inside", "p_above",
)  # fmt: skip
DEFINITION: Final = ("source", "kind", "detection", "within_days", "unit")
_FOUND: Final = {"any": "", "without_ct": "without CT", "ct": "of those with CT"}


@dataclass(frozen=True, eq=False, repr=False)
class ComplicationDefinitions:
    """`rates` has one row per source, definition and band.

    Columns: `source` (registry; literature, its mean and a further study), the definition (`kind
    detection within_days unit`; NaN days: any time), `n_studies` or `n_events n`, `rate ci_low
    ci_high` (for a further study the prediction interval), `band band_low band_high` and the
    probabilities `p_below p_inside p_above` that the rate lies there.
    """

    rates: pd.DataFrame
    treatment: str
    prior: Prior
    level: float
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`rates`; rows of the registry are marked where its patients are synthetic."""
        made = self.synthetic & (self.rates["source"] == "registry")
        return self.rates.assign(synthetic=made)

    def beside(self, published: "Mapping[str, PooledEffect]") -> "ComplicationDefinitions":
        """The same with published rates held against the same bands.

        Parameters
        ----------
        published : mapping
            Kind of complication -> pooled proportion (measure PLO); its mean and a further study
            have normal distributions on the logit scale.
        """
        bands = self._bands()
        rows = [row for kind, fit in published.items() for row in _literature(kind, fit, bands)]
        if not rows:
            return self
        more = definition_rows(rows)
        return replace(self, rates=pd.concat([self.rates, more], ignore_index=True))

    def probability(self, band: str, **definition: Any) -> pd.Series:
        """The first row of this band under a definition; what is not named is the usual.

        Parameters
        ----------
        band : str
            One of the bands asked for.
        **definition
            `source kind detection within_days unit`; without them the registry, any complication
            found in any way at any time, of patients.
        """
        names = self.rates["band"].unique().tolist()
        if band not in names:
            raise refuse_argument("probability", "band", band, list_some(names))
        usual = {"source": "registry", "kind": "any", "detection": "any", "within_days": np.nan,
                 "unit": "patients"}  # fmt: skip
        asked = {**usual, **definition}
        rows = self.rates.loc[self.rates["band"] == band]
        for name, value in asked.items():
            if name not in DEFINITION:
                raise refuse_argument("probability", "definition", name, ", ".join(DEFINITION))
            held = rows[name]
            rows = rows.loc[held.isna() if pd.isna(value) else held == value]
        if rows.empty:
            raise refuse_argument("probability", "definition", definition, "a row of to_frame()")
        return rows.iloc[0]

    def definitions(self) -> pd.DataFrame:
        """One row per source and definition, without the bands."""
        first = self.rates["band"] == self.rates["band"].iloc[0]
        names = [*DEFINITION, "n_studies", "n_events", "n", "rate", "ci_low", "ci_high"]
        return self.rates.loc[first, names].reset_index(drop=True)

    def __str__(self) -> str:
        own = self.rates.loc[self.rates["source"] == "registry"]
        usual = self.probability(str(own["band"].iloc[0]))
        low, high = own.loc[own["rate"].idxmin()], own.loc[own["rate"].idxmax()]
        said = [
            f"{band} {numbers.percent(row['p_inside'], 0)}"
            for band in own["band"].unique()
            for row in [self.probability(str(band))]
        ]
        most = own.loc[own["p_inside"] > 0.5].groupby("band", sort=False).size()
        total = len(own) // own["band"].nunique()
        held = ", ".join(f"{band} under {most.get(band, 0)}" for band in own["band"].unique())
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"Any complication after {self.treatment}: {usual['n_events']:g} of {usual['n']:g} "
            f"patients, {numbers.percent(usual['rate'])} ({100 * self.level:g}% interval "
            f"{numbers.percent(usual['ci_low'])} to {numbers.percent(usual['ci_high'])}). "
            f"Probability ({self.prior.capitalize() if self.prior == 'jeffreys' else self.prior} "
            f"prior) that the rate lies in the claimed band: {', '.join(said)}. Over {total} "
            f"definitions the rate moves from {numbers.percent(low['rate'])} ({definition_words(low)}) to "
            f"{numbers.percent(high['rate'])} ({definition_words(high)}); more likely than not inside: "
            f"{held} of {total}.{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, unit: str = "patients", ax: "Axes | None" = None) -> "Axes":
        """Rates of one unit under each definition, published ones too, over the claimed bands.

        Parameters
        ----------
        unit : {"patients", "episodes", "levels"}
            Rows of the registry that are drawn.
        ax : Axes, optional
            Drawn into; a new figure if not given.
        """
        rows = self.definitions()
        rows = rows.loc[(rows["unit"] == unit) | (rows["source"] != "registry")]
        return draw_banded_rates(
            [definition_words(row) for _, row in rows.iterrows()],
            rows[["rate", "ci_low", "ci_high"]].to_numpy(float),
            published=(rows["source"] != "registry").to_numpy(bool), bands=self._bands(),
            label=f"rate after {self.treatment}, % of {unit}",
            mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip

    def _bands(self) -> dict[str, tuple[float, float]]:
        rows = self.rates.drop_duplicates("band")
        limits = zip(rows["band_low"], rows["band_high"], strict=True)
        return dict(zip(rows["band"], limits, strict=True))


def definition_words(row: pd.Series) -> str:
    """A definition in a few words."""
    if row["source"] != "registry":
        return f"{kind_words(row['kind'])}, {row['source']}"
    days = "" if np.isnan(row["within_days"]) else f"{row['within_days']:g} days"
    unit = "" if row["unit"] == "patients" else f"per {str(row['unit'])[:-1]}"
    return ", ".join(filter(None, [kind_words(row["kind"]), _FOUND[row["detection"]], days, unit]))


def definition_rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows with the columns and types of `rates`."""
    whole = dict.fromkeys(("n_studies", "n_events", "n"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(whole)


def inside_bands(
    spread: BetaPosterior | LogitNormal, bands: Mapping[str, tuple[float, float]]
) -> Iterator[dict[str, Any]]:
    """Per band, the probability of lying below, inside and above it."""
    for name, (low, high) in bands.items():
        below, inside, above = spread.band(low, high)
        yield {
            "band": name, "band_low": low, "band_high": high, "p_below": below,
            "p_inside": max(inside, 0.0), "p_above": above,
        }  # fmt: skip


def _literature(
    kind: str, fit: Any, bands: Mapping[str, tuple[float, float]]
) -> list[dict[str, Any]]:
    """The pooled mean and a further study, as their normal distributions on the logit scale."""
    if not isinstance(fit, PooledEffect) or fit.measure != "PLO":
        found = getattr(fit, "measure", type(fit).__name__)
        allowed = "pooled proportions of measure PLO"
        raise refuse_argument("complication_definitions", "published", found, allowed)
    rows = []
    spreads = (
        ("literature, mean", fit.se, fit.ci_low, fit.ci_high),
        ("literature, a further study", float(np.hypot(fit.se, np.sqrt(fit.tau2))),
         fit.prediction_low, fit.prediction_high),
    )  # fmt: skip
    for source, sd, low, high in spreads:
        if not np.isfinite(low):
            continue
        own = {
            "source": source, "kind": kind, "detection": "as published", "within_days": np.nan,
            "unit": "as published", "n_studies": fit.k,
            "rate": fit.natural(fit.estimate), "ci_low": fit.natural(low),
            "ci_high": fit.natural(high),
        }  # fmt: skip
        rows += [{**own, **inside} for inside in inside_bands(LogitNormal(fit.estimate, sd), bands)]
    return rows
