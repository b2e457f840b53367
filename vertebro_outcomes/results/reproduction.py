"""What became of a review's pooled numbers when they were computed again."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, ORANGE, QUIET
from vertebro_outcomes.display.tables import html_table

Verdict = Literal["reproduced", "reproduced_otherwise", "not_reproduced", "not_checkable"]
COLUMNS: Final = (
    "unit_id", "level", "comparison", "outcome", "subgroup", "measure", "method", "model", "k",
    "published_estimate", "published_ci_low", "published_ci_high", "published_tau2", "published_q",
    "recomputed_estimate", "recomputed_ci_low", "recomputed_ci_high", "recomputed_tau2",
    "recomputed_q", "verdict", "specification",
)  # fmt: skip
EXTRA: Final = (
    "reason", "published_i2_pct", "recomputed_i2_pct", "published_q_between",
    "recomputed_q_between", "shown",
)  # fmt: skip
SHOWN: Final = (
    "unit_id", "outcome", "subgroup", "measure", "k", "published_estimate", "published_ci_low",
    "published_ci_high", "recomputed_estimate", "recomputed_ci_low", "recomputed_ci_high",
    "verdict", "reason",
)  # fmt: skip
WORDS: Final[dict[str, str]] = {
    "reproduced": "reproduced",
    "reproduced_otherwise": "reproduced with another specification",
    "not_reproduced": "not reproduced",
    "not_checkable": "not checkable",
}


@dataclass(frozen=True, eq=False, repr=False)
class Reproduction:
    """One row per pooled unit of a review, published beside recomputed (reader's scale)."""

    review_id: str
    format: str
    rows: pd.DataFrame
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The columns `COLUMNS`, then `EXTRA` with the reason of each verdict in a sentence."""
        return self.rows.loc[:, [*COLUMNS, *EXTRA]].copy()

    @property
    def counts(self) -> dict[str, int]:
        """How many units got each verdict."""
        found = Counter(self.rows["verdict"])
        return {verdict: found.get(verdict, 0) for verdict in WORDS}

    @property
    def all_reproduced(self) -> bool:
        """Whether no unit that could be checked failed to come out."""
        return self.counts["not_reproduced"] == 0

    def to_text(self) -> str:
        """A table for a terminal: what did not come out with its reason, then the count of the rest."""
        lines = []
        for row in self.rows.itertuples():
            if row.verdict == "reproduced":
                continue
            what = ", ".join(filter(None, (row.comparison, row.outcome, row.subgroup)))
            printed = _interval(row.published_estimate, row.published_ci_low, row.published_ci_high)
            lines += [
                f"{row.unit_id}  {WORDS[row.verdict]}: {what}",
                f"    {printed}. {row.reason}",
            ]
        return "\n".join([*lines, str(self), *self.notes])

    def __str__(self) -> str:
        parts = [f"{n:,} {WORDS[verdict]}" for verdict, n in self.counts.items() if n]
        return f"{self.review_id}: {len(self.rows):,} pooled results, {', '.join(parts) or 'none'}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self.rows.loc[:, list(SHOWN)], caption=str(self))

    def plot(self, ax: Any = None) -> Any:
        """Published against recomputed estimates: on the line where a number came out."""
        from matplotlib.figure import Figure

        axes = ax if ax is not None else Figure(figsize=(5, 5)).subplots()
        known = self.rows.dropna(subset=["published_estimate", "recomputed_estimate"])
        for verdict, colour, marker in (
            ("reproduced", BLUE, "o"),
            ("reproduced_otherwise", ORANGE, "D"),
            ("not_reproduced", "black", "x"),
        ):
            some = known[known["verdict"] == verdict]
            axes.plot(
                some["published_estimate"],
                some["recomputed_estimate"],
                marker,
                color=colour,
                ls="",
                label=f"{WORDS[verdict]} ({len(some)})",
            )
        if len(known):
            ends = [known["published_estimate"].min(), known["published_estimate"].max()]
            axes.plot(ends, ends, color=QUIET, lw=0.8, zorder=0)
        axes.set_xlabel("published")
        axes.set_ylabel("recomputed")
        axes.legend(frameon=False)
        return axes


def _interval(estimate: float, low: float, high: float) -> str:
    if pd.isna(estimate):
        return "Nothing published"
    return f"Published {numbers.estimate_with_interval(estimate, (low, high))}"
