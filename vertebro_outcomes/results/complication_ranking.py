"""Complications by rate, with the uncertainty of their ranks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.ranks import draw_first_places
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPINGS: Final = {
    "together": "all leaks together",
    "apart": "leaks by site",
    "with_symptoms": "leaks and emboli only with symptoms",
}
_FOUND: Final = {
    "any": "found in any way", "without_ct": "found without CT", "ct": "of those with CT"
}  # fmt: skip
SURE: Final = 0.95  # probability from which a place is called settled
_DEFINITION: Final = ["grouping", "detection", "within_days"]


@dataclass(frozen=True, eq=False, repr=False)
class ComplicationRanking:
    """`ranks` has one row per definition and kind, the most common first.

    Columns: `grouping detection within_days` (NaN: any time), `kind n_events n rate ci_low ci_high`,
    `rank` with limits `rank_low rank_high`, and `p_first`, the probability of being the most
    common. Kinds that nobody had are not listed.
    """

    ranks: pd.DataFrame
    treatment: str
    unit: str
    level: float
    seed: int
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`ranks`, marked where the patients are synthetic."""
        return self.ranks.assign(synthetic=self.synthetic)

    def claims(self) -> pd.DataFrame:
        """Per definition: the most common kind, and the probability that each claim is right.

        Columns `grouping detection within_days most_common p_most_common leakage_first
        adjacent_fracture_first`; leakage is first where any kind of it is.
        """
        rows = []
        for definition, part in self.ranks.groupby(_DEFINITION, sort=False, dropna=False):
            top = part.loc[part["p_first"].idxmax()]
            leak = part["kind"].str.startswith(("cement_leakage", "leakage", "symptomatic_leakage"))
            adjacent = part["kind"] == "adjacent_fracture"
            rows.append({
                **dict(zip(_DEFINITION, definition, strict=True)),
                "most_common": top["kind"], "p_most_common": top["p_first"],
                "leakage_first": min(1.0, part.loc[leak, "p_first"].sum()),
                "adjacent_fracture_first": part.loc[adjacent, "p_first"].sum(),
            })  # fmt: skip
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        claims = self.claims()
        leak = claims["leakage_first"] >= SURE
        adjacent = claims["adjacent_fracture_first"] >= SURE
        other = (claims["p_most_common"] >= SURE) & ~leak & ~adjacent
        third = ", ".join(sorted(claims.loc[other, "most_common"].str.replace("_", " ").unique()))
        first = self.ranks.iloc[0]
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"Most common complication after {self.treatment}, {self.unit}, under {len(claims)} "
            f"definitions: leakage with at least {numbers.percent(SURE, 0)} probability under "
            f"{leak.sum()}, adjacent fracture under {adjacent.sum()}"
            + (f", another one ({third}) under {other.sum()}" if third else "")
            + f", not settled under {(~(leak | adjacent | other)).sum()}. With "
            f"{ranking_words(claims.iloc[0])}: {str(first['kind']).replace('_', ' ')} leads with "
            f"{first['n_events']} of {first['n']} ({numbers.percent(first['rate'])}).{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Probability of the first place of leakage, adjacent fracture and others, by definition."""
        claims = self.claims()
        leak = claims["leakage_first"].to_numpy(float)
        adjacent = claims["adjacent_fracture_first"].to_numpy(float)
        return draw_first_places(
            [ranking_words(row) for _, row in claims.iterrows()],
            {
                "cement leakage": leak, "adjacent fracture": adjacent,
                "another": np.clip(1.0 - leak - adjacent, 0.0, 1.0),
            },
            label=f"probability of being the most common after {self.treatment}, %",
            mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip


def ranking_words(row: pd.Series) -> str:
    """A definition in a few words."""
    days = "any time" if np.isnan(row["within_days"]) else f"{row['within_days']:g} days"
    return f"{GROUPINGS[row['grouping']]}, {_FOUND[row['detection']]}, {days}"
