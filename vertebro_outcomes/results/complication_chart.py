"""Complications in the order of the procedures, against a stated rate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.cusum import draw_cusum
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.results.site_rates import kind_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class ComplicationChart:
    """`chart` has one row per procedure: `number date event cusum signal vlad`.

    `cusum` is the log-likelihood ratio sum, 0 after a signal; `vlad` is expected minus observed
    events so far. `run_length` is the mean number of procedures until a false alarm,
    `run_length_shifted` until an alarm if the odds are `odds_ratio` times as large, `false_alarm`
    the chance of one over this many procedures, all exact for the scores used. With `risk`, the column
    of predicted probabilities, `chart` has them too, `rate` is their mean, the scores are means of those
    of single patients and run lengths are exact to the lattice they are computed on.
    """

    chart: pd.DataFrame
    kind: str
    treatment: str
    site: str | None
    within_days: float | None
    rate: float
    odds_ratio: float
    limit: float
    score_event: float
    score_none: float
    run_length: float
    run_length_shifted: float
    false_alarm: float
    risk: str = ""
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    @property
    def signals(self) -> list[int]:
        """Numbers of the procedures at which the chart signalled."""
        return [int(n) for n in self.chart.loc[self.chart["signal"], "number"]]

    def to_frame(self) -> pd.DataFrame:
        """`chart`, marked where the patients are synthetic."""
        return self.chart.assign(synthetic=self.synthetic)

    def blocks(self, largest_hidden: int) -> pd.DataFrame:
        """The chart at places between which more than so many had the event, and more had not.

        Columns `number events cusum vlad`; empty where the counts are too small for any.
        """
        event = self.chart["event"].to_numpy(bool)
        kept, had, free = [], 0, 0
        for place, one in enumerate(event):
            had, free = had + int(one), free + int(not one)
            if min(had, free) > largest_hidden:
                kept.append(place)
                had = free = 0
        if kept and max(had, free) > 0:  # the rest joins the last block
            kept[-1] = len(event) - 1
        rows = self.chart.assign(events=np.cumsum(event)).iloc[kept]
        return rows[["number", "events", "cusum", "vlad"]].reset_index(drop=True)

    def __str__(self) -> str:
        n, seen = len(self.chart), int(self.chart["event"].sum())
        days = f" within {self.within_days:g} days" if self.within_days is not None else ""
        at = f" at {self.site}" if self.site else ""
        alarms = self.signals
        found = (
            f"it signalled at procedure {', '.join(map(str, alarms))}" if alarms else "no signal"
        )
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"{kind_words(self.kind).capitalize()}{days} of {self.treatment}{at}: {seen} in {n} "
            f"procedures, {numbers.number(n * self.rate, 1)} expected {self._expected()}. "
            f"CUSUM for {self.odds_ratio:g} times the odds, limit "
            f"{numbers.number(self.limit)}: a false alarm every {numbers.count(round(self.run_length))} "
            f"procedures on average ({numbers.percent(self.false_alarm)} over this many), an alarm "
            f"after {numbers.count(round(self.run_length_shifted))} if the odds have changed so; "
            f"{found}.{mark}"
        )

    def _expected(self) -> str:
        if self.risk:
            return f"from {self.risk} (risk-adjusted, {numbers.percent(self.rate)} on average)"
        return f"at the stated rate of {numbers.percent(self.rate)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, largest_hidden: int = 0, ax: "Axes | None" = None) -> "Axes":
        """CUSUM with its limit and, in a figure of its own, the VLAD below.

        Parameters
        ----------
        largest_hidden : int
            With more than 0, only places between which larger counts lie (`blocks`) are drawn.
        ax : Axes, optional
            Drawn into, without the VLAD; a new figure if not given.
        """
        rows = self.blocks(largest_hidden) if largest_hidden else self.chart
        signals = [] if largest_hidden else self.signals
        return draw_cusum(
            rows, limit=self.limit, signals=signals, steps=not largest_hidden,
            label=kind_words(self.kind), mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
