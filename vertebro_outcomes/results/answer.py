"""What the published record says on one question: the studies that entered, the pool, the rest."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import PooledEffect

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """`entered` holds one row per trial, with `study`, `effect`, `variance`, `se` (analysis scale),
    what was printed and the lines it stands on; `left_out` every other row with its reason.

    `pooled` is None where nothing could enter; with one trial it is that trial's own result.
    """

    question_id: str
    title: str
    measure: str
    treatment: str
    comparator: str
    unit: str
    better: Literal["lower", "higher", ""]
    entered: pd.DataFrame
    left_out: pd.DataFrame
    pooled: PooledEffect | None
    notes: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Trials that entered."""
        return len(self.entered)

    def to_frame(self) -> pd.DataFrame:
        """The trials on the reader's scale: `study effect ci_low ci_high printed source_lines ...`."""
        half = special.ndtri(0.975) * np.sqrt(self.entered["variance"].to_numpy(float))
        effect = self.entered["effect"].to_numpy(float)
        read = MEASURES[self.measure].to_natural
        names = [
            "study_id",
            "trial_id",
            "timepoint_label",
            "printed",
            "source_lines",
            "verification",
        ]
        flags = ["source", "n_source", "sd_source", "direction_basis"]
        return pd.DataFrame(
            {
                "study": self.entered["study"],
                "effect": read(effect),
                "ci_low": read(effect - half),
                "ci_high": read(effect + half),
                **{name: self.entered[name] for name in (*names, *flags)},
            }
        )

    def __str__(self) -> str:
        if self.pooled is None:
            said = "no study could enter"
        elif self.k == 1:
            said = f"one study, not pooled ({self.entered['study'].iloc[0]}): {self.pooled}"
        else:
            said = str(self.pooled)
        rest = len(self.left_out)
        return f"{self.title}: {said}; {rest} other {'row' if rest == 1 else 'rows'} left out"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        entered = html_table(self.to_frame(), caption=str(self))
        return f"{entered}{notes}{html_table(self.left_out, caption='Left out')}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes | None":
        """Forest plot of the trials, None where nothing entered."""
        if self.pooled is None:
            return None
        arms = (self.treatment, self.comparator) if self.comparator else ()
        return self.pooled.plot(arms=arms, better=self.better or None, unit=self.unit, ax=ax)
