"""What becomes of a difference when the scores that nobody saw are worse than predicted."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.delta import draw_deltas
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class DeltaAdjusted:
    """A difference for every shift of the imputed scores of one arm.

    Attributes
    ----------
    curve : DataFrame
        `arm delta estimate se df ci_low ci_high p_value`; delta, in `unit`, is added to every imputed
        score of that arm; 0 is the analysis as `missing` says.
    tipping : DataFrame
        `arm n_unseen share_unseen delta`: the shift at which the interval reaches no effect. 0: it holds
        none already; NaN: nobody is unseen, or no shift within the scale does it.
    """

    outcome: str
    label: str
    unit: str
    treatment: str
    comparator: str
    day: int
    method: str
    missing: str
    level: float
    curve: pd.DataFrame
    tipping: pd.DataFrame
    withheld: str = ""
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`curve` with what was asked."""
        asked = ("outcome", "treatment", "comparator", "day", "method", "missing")
        frame = pd.DataFrame({name: [getattr(self, name)] * len(self.curve) for name in asked})
        frame = pd.concat([frame, self.curve], axis=1)
        return frame.assign(level=self.level, synthetic=self.synthetic)

    def __str__(self) -> str:
        head = (
            f"{self.label[:1].upper()}{self.label[1:]}, day {self.day}: {self.treatment} minus "
            f"{self.comparator}, {self.method.replace('_', ' ')}, {self.missing.replace('_', ' ')}"
        )
        said = [self._arm(row._asdict()) for row in self.tipping.itertuples(index=False)]
        found = "withheld" if self.withheld else "; ".join(said)
        return " ".join([f"{head}: {found}.", *self.notes])

    def _arm(self, row: dict[str, float]) -> str:
        arm, delta = row["arm"], row["delta"]
        if row["n_unseen"] == 0:
            return f"no score of {arm} was missing"
        share = f"{row['n_unseen']} scores ({100 * row['share_unseen']:.0f}%) of {arm}"
        if pd.isna(delta):
            return f"no shift of the {share} within the scale makes the interval reach no effect"
        if delta == 0:
            return f"the interval holds no effect before the {share} are shifted"
        size = f"{numbers.number(abs(delta), 2)} {self.unit}".strip()
        way = "higher" if delta > 0 else "lower"
        return (
            f"the {100 * self.level:g}% interval reaches no effect when the {share} that nobody saw are "
            f"{size} {way} than imputed"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        tipping = html_table(self.tipping, caption="Tipping points")
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}{tipping}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """The difference with its interval against the shift.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; a new figure if not given.
        """
        unit = f" ({self.unit})" if self.unit else ""
        return draw_deltas(
            self.curve, label=f"{self.treatment} minus {self.comparator}{unit}", unit=self.unit,
            mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
