"""Claims and what the published record says to each: verdict, evidence, contradictions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, HOUSE, ORANGE, QUIET, RULE
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Finding = Literal["for", "against", "partly", "open"]
Verdict = Literal["supported", "contradicted", "mixed", "cannot be tested with these data"]
VERDICTS: Final[tuple[Verdict, ...]] = (
    "supported",
    "contradicted",
    "mixed",
    "cannot be tested with these data",
)
_LABELS: Final = {"claim_id": "Claim", "claim": "Said", "verdict": "Verdict", "because": "Because"}


@dataclass(frozen=True, eq=False, repr=False)
class ExaminedClaims:
    """One row per claim in `table`, one row per result that speaks to a claim in `evidence`.

    `table`: `claim_id topic claim verdict rule n_for n_against n_partly n_open because
    contradicts source_line`. `evidence`: `claim_id question_id title measure unit k estimate ci_low
    ci_high finding because`, on the reader's scale.
    """

    table: pd.DataFrame
    evidence: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row per claim."""
        return self.table.copy()

    @property
    def counts(self) -> dict[str, int]:
        """Number of claims per verdict, every verdict named."""
        found = self.table["verdict"].value_counts()
        return {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}

    def about(self, claim_id: str) -> pd.DataFrame:
        """The results that speak to one claim."""
        return self.evidence[self.evidence["claim_id"] == claim_id].reset_index(drop=True)

    def __str__(self) -> str:
        said = ", ".join(f"{n} {verdict}" for verdict, n in self.counts.items() if n)
        lines = [f"{len(self.table)} claims: {said}"]
        lines += [
            f"{row.claim_id}: {row.claim}: {row.verdict} ({row.because})"
            for row in self.table.itertuples()
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        shown = self.table[list(_LABELS)]
        return html_table(shown, caption="Claims examined", labels=_LABELS)

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Results for, against and open, one bar per claim."""
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        with rc_context(HOUSE):
            if ax is None:
                figure = Figure(figsize=(6.5, 1.2 + 0.27 * len(self.table)), layout="constrained")
                ax = figure.add_subplot()
            y = np.arange(len(self.table))
            left = np.zeros(len(self.table))
            kinds = (
                ("n_for", "for", BLUE, ""),
                ("n_partly", "partly", "#9ecae1", "//"),
                ("n_against", "against", ORANGE, ""),
                ("n_open", "leaves it open", RULE, ".."),
            )
            for column, label, colour, hatch in kinds:
                width = self.table[column].to_numpy(float)
                ax.barh(
                    y, width, left=left, color=colour, hatch=hatch, label=label, edgecolor=QUIET
                )
                left += width
            ax.set_yticks(y, self.table["claim_id"] + " " + self.table["verdict"])
            ax.invert_yaxis()
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            ax.set_xlabel("results that speak to the claim")
            ax.legend(loc="lower right", frameon=False)
        return ax


def evidence_text(row: "pd.Series[object]") -> str:
    """Estimate, interval and number of studies of one line of evidence."""
    limits = (float(str(row["ci_low"])), float(str(row["ci_high"])))
    size = numbers.estimate_with_interval(
        float(str(row["estimate"])), limits, measure=str(row["measure"]), unit=str(row["unit"])
    )
    kind = f"{row['measure']} " if MEASURES[str(row["measure"])].is_ratio else ""
    studies = f"{row['k']}\N{NO-BREAK SPACE}{'study' if row['k'] == 1 else 'studies'}"
    return f"{kind}{size}, {studies}"
