"""How far a pooled result depends on how it was made."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, ORANGE, QUIET
from vertebro_outcomes.display.tables import html_table

ROUNDING_SLACK: Final = 1e-9  # a value that prints as x.xx5 may lie on either side in binary
SHOWN: Final = ("measure", "method", "ci", "zero_cells", "reading", "estimate", "ci_low", "ci_high")


@dataclass(frozen=True)
class Published:
    """A printed result on the reader's scale; NaN for a number that was not printed."""

    estimate: float
    ci_low: float
    ci_high: float
    decimals: int

    def is_printed_by(self, frame: pd.DataFrame) -> "pd.Series[bool]":
        """Rows whose estimate and limits round to the printed numbers."""
        half = 0.5 * 10.0**-self.decimals + ROUNDING_SLACK
        fits = pd.Series(True, index=frame.index)
        for name in ("estimate", "ci_low", "ci_high"):
            value = getattr(self, name)
            if not np.isnan(value):
                fits &= (frame[name] - value).abs() <= half
        return fits


@dataclass(frozen=True, eq=False, repr=False)
class Multiverse:
    """One row per specification, on the reader's scale.

    `specifications`: `measure variant weighting method ci zero_cells k estimate ci_low ci_high
    no_effect change reading`; a row changes at most one thing in the table (`change`, in words
    `reading`).
    """

    specifications: pd.DataFrame
    published: Published | None
    labels: tuple[str, ...]
    worthwhile: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """All specifications, with the column `matches` (False where nothing was published)."""
        if self.published is None:
            return self.specifications.assign(matches=False)
        return self.specifications.assign(matches=self.published.is_printed_by(self.specifications))

    @cached_property
    def matches(self) -> pd.DataFrame:
        """Specifications that print the published numbers; those that change nothing come first."""
        frame = self.to_frame()
        return frame[frame["matches"]].drop(columns="matches").reset_index(drop=True)

    def explanations(self) -> tuple[str, ...]:
        """The readings that print the published numbers, simplest first; empty if none does."""
        return tuple(dict.fromkeys(self.matches["reading"]))

    def summary(self) -> pd.DataFrame:
        """Per measure: number of specifications, range of estimates, share with the sign of most.

        `excludes_no_effect_pct` is the share of intervals without the value of no effect;
        `worthwhile_pct` the share of estimates at or beyond the smallest worthwhile effect.
        """
        rows = []
        for measure, group in self.specifications.groupby("measure", sort=False):
            above = (group["estimate"] > group["no_effect"]).mean()
            outside = (group["ci_low"] > group["no_effect"]) | (
                group["ci_high"] < group["no_effect"]
            )
            rows.append(
                {
                    "measure": measure,
                    "specifications": len(group),
                    "lowest": group["estimate"].min(),
                    "median": group["estimate"].median(),
                    "highest": group["estimate"].max(),
                    "same_sign_pct": 100.0 * max(above, 1.0 - above),
                    "excludes_no_effect_pct": 100.0 * outside.mean(),
                    "worthwhile_pct": self._worthwhile_pct(group["estimate"]),
                }
            )
        return pd.DataFrame(rows)

    def _worthwhile_pct(self, estimates: "pd.Series[float]") -> float:
        if self.worthwhile is None:
            return float("nan")
        beyond = (
            estimates <= self.worthwhile if self.worthwhile < 0 else estimates >= self.worthwhile
        )
        return float(100.0 * beyond.mean())

    def __str__(self) -> str:
        parts = [f"{len(self.specifications):,} specifications of {len(self.labels)} studies"]
        for row in self.summary().itertuples():
            spread = numbers.interval((row.lowest, row.highest), str(row.measure))
            share = numbers.number(row.same_sign_pct, 0)
            parts.append(f"{row.measure} {spread}, {share}% on one side of no effect")
        if self.published is not None:
            parts.append(self._verdict())
        return "; ".join(parts)

    __repr__ = __str__

    def _verdict(self) -> str:
        found = self.explanations()
        if not found:
            return "none prints the published numbers"
        plain = (self.matches["change"] == "none").any()
        if plain:
            return (
                f"{len(self.matches):,} print the published numbers, some of the table as it stands"
            )
        return f"{len(self.matches):,} print the published numbers, only with: {'; or '.join(found[:3])}"

    def _repr_html_(self) -> str:
        table = self.summary() if self.matches.empty else self.matches.loc[:19, list(SHOWN)]
        return html_table(table, caption=str(self))

    def plot(self, ax: Any = None, *, measure: str | None = None) -> Any:
        """Specification curve: all estimates of one measure in order, with intervals and matches."""
        from matplotlib.figure import Figure

        axes = ax if ax is not None else Figure(figsize=(7, 4)).subplots()
        frame = self.to_frame()
        wanted = measure if measure is not None else frame["measure"].iloc[0]
        frame = frame[frame["measure"] == wanted].sort_values("estimate", kind="stable")
        x = np.arange(len(frame))
        axes.fill_between(x, frame["ci_low"], frame["ci_high"], color=QUIET, alpha=0.25, lw=0)
        axes.plot(x, frame["estimate"], color=BLUE, lw=1.2, label="estimate (band: 95% interval)")
        hits = frame["matches"].to_numpy()
        if hits.any():
            axes.plot(
                x[hits], frame["estimate"][hits], "D", color=ORANGE, ms=4, label="as published"
            )
        axes.axhline(frame["no_effect"].iloc[0], color="0.2", lw=0.8)
        if wanted in ("RR", "OR", "PETO", "ROM"):
            axes.set_yscale("log")
        axes.set_xlabel(f"{len(frame):,} specifications in order of their estimate")
        axes.set_ylabel(str(wanted))
        axes.legend(loc="best", frameon=False)
        return axes
