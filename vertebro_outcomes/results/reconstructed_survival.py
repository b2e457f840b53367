"""Individual times rebuilt from a published survival curve."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.incidence import draw_incidence
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.survival.kaplan_meier import fit_kaplan_meier

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class ReconstructedSurvival:
    """`data` has one row per patient: `arm time event`; `n`, `events` count them.

    `median` is the first time at which at most half are event-free (NaN if never);
    `largest_gap` the largest distance between the rebuilt and the digitised curve.
    """

    arm: str
    data: pd.DataFrame
    n: int
    events: int
    median: float
    largest_gap: float
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per patient: `arm time event`."""
        return self.data.copy()

    def __str__(self) -> str:
        middle = "not reached" if np.isnan(self.median) else f"{self.median:g}"
        name = f"{self.arm}: " if self.arm else ""
        return (
            f"{name}{self.n} patients and {self.events} events rebuilt from a digitised curve "
            f"(Guyot's method), median {middle}, curve met within "
            f"{numbers.percent(self.largest_gap)}."
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.data.head(10), caption=str(self))}{notes}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """One minus Kaplan-Meier of the rebuilt patients, with numbers at risk."""
        curve = fit_kaplan_meier(
            self.data["time"].to_numpy(float), self.data["event"].to_numpy(bool)
        )
        gone, name = 1 - curve.survival, self.arm or "rebuilt"
        ticks = np.linspace(0, float(curve.time[-1]), 5)
        return draw_incidence(
            {name: (curve.time, gone, gone, gone)}, ticks=ticks,
            at_risk={name: curve.at(ticks)[2]}, label="with event", ax=ax,
        )  # fmt: skip
