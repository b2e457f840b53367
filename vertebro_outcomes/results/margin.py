"""One difference held against a margin: equivalence and non-inferiority of the treatment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.margin import draw_margin
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.tables.event_types import INSTRUMENTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Better = Literal["lower", "higher"]
Verdict = Literal["equivalent", "non-inferior", "inferior", "not shown", "withheld"]

# One-sided, of each test: the level regulators ask of non-inferiority (ICH E9, section 3.5 with 5.5);
# 0.05, a 90 % interval, is Schuirmann's own choice and is shown beside it.
ALPHA: Final = 0.025


@dataclass(frozen=True, eq=False, repr=False)
class MarginTest:
    """`verdict` on the treatment at `alpha`, with both one-sided p-values.

    Attributes
    ----------
    margin, margin_source : float, str
        Largest difference that does not matter, in `unit`, and where it comes from.
    p_not_worse, p_not_better : float
        One-sided p-values of the claims that the treatment is not worse, and not better, than the
        comparator by the margin; the larger is that of equivalence.
    p_inferior : float
        One-sided p-value of the claim that it is worse by more than the margin.
    """

    label: str
    unit: str
    measure: str
    treatment: str
    comparator: str
    day: int
    better: Better
    margin: float
    margin_source: str
    alpha: float
    estimate: float
    se: float
    df: float
    p_not_worse: float
    p_not_better: float
    p_inferior: float
    synthetic: bool = False

    @property
    def p_equivalent(self) -> float:
        """Of the two one-sided tests together."""
        return max(self.p_not_worse, self.p_not_better)

    @property
    def verdict(self) -> Verdict:
        """Equivalent before non-inferior; inferior when the interval lies wholly beyond the margin."""
        return self._verdict_at(self.alpha)

    def _verdict_at(self, alpha: float) -> Verdict:
        if np.isnan(self.p_not_worse):
            return "withheld"
        if self.p_equivalent < alpha:
            return "equivalent"
        if self.p_not_worse < alpha:
            return "non-inferior"
        return "inferior" if self.p_inferior < alpha else "not shown"

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided interval of the difference, `level` between 0 and 1."""
        half = float(t_quantile(np.array(self.df), level=level)) * self.se
        return self.estimate - half, self.estimate + half

    def to_frame(self) -> pd.DataFrame:
        """`level ci_low ci_high margin p_not_worse p_not_better p_equivalent verdict`, 90 % and 95 %."""
        rows = []
        for level in (0.90, 0.95):
            low, high = self.interval(level)
            rows.append(
                {
                    "level": level, "estimate": self.estimate, "ci_low": low, "ci_high": high,
                    "margin": self.margin, "better": self.better,
                    "p_not_worse": self.p_not_worse, "p_not_better": self.p_not_better,
                    "p_equivalent": self.p_equivalent,
                    "verdict": self._verdict_at((1.0 - level) / 2.0),
                    "synthetic": self.synthetic,
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        words = {
            "equivalent": f"{self.treatment} is equivalent to {self.comparator}",
            "non-inferior": f"{self.treatment} is non-inferior to {self.comparator}",
            "inferior": f"{self.treatment} is inferior to {self.comparator}",
            "not shown": f"neither equivalence nor non-inferiority of {self.treatment} to "
            f"{self.comparator} is shown",
            "withheld": "withheld",
        }
        unit = f" {self.unit}" if self.unit else ""
        margin = numbers.percent(self.margin) if self.measure == "RD" else f"{self.margin:g}{unit}"
        said = (
            f"{self.label[:1].upper()}{self.label[1:]}, day {self.day}, margin {margin} "
            f"({self.margin_source}): {words[self.verdict]}"
        )
        mark = " Synthetic data." if self.synthetic else ""
        if self.verdict == "withheld":
            return f"{said}.{mark}"
        level = 1.0 - 2.0 * self.alpha
        size = numbers.estimate_with_interval(
            self.estimate, self.interval(level), measure=self.measure, unit=self.unit
        )
        low, high = self.interval(0.90)
        ninety = numbers.interval((low, high), self.measure)
        return (
            f"{said}; difference {size}, {100 * level:g}% interval (90%: {ninety[1:-1]}); equivalence "
            f"{numbers.p_value(self.p_equivalent)}, non-inferiority "
            f"{numbers.p_value(self.p_not_worse)}, each one-sided at {100 * self.alpha:g}%.{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self.to_frame(), caption=str(self))

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Both intervals between the margins.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; a new figure if not given.

        Raises
        ------
        InputError
            If the estimate is withheld.
        """
        if self.verdict == "withheld":
            raise refuse_argument("MarginTest.plot", "verdict", "withheld", "a shown estimate")
        unit = f" ({self.unit})" if self.unit else ""
        label = f"{self.treatment} minus {self.comparator}{unit}"
        left, right = self.treatment, self.comparator
        left, right = (left, right) if self.better == "lower" else (right, left)
        return draw_margin(
            self.estimate,
            {"90%": self.interval(0.90), "95%": self.interval(0.95)},
            margin=self.margin,
            label=label,
            sides=(f"{left} better", f"{right} better"),
            mark="synthetic" if self.synthetic else "",
            ax=ax,
        )


def held_against(
    *,
    outcome: str,
    measure: str,
    estimate: float,
    se: float,
    df: float,
    margin: float | None,
    alpha: float,
    better: str | None,
    label: str,
    unit: str,
    arms: tuple[str, str],
    day: int,
    synthetic: bool,
) -> MarginTest:
    """Two one-sided tests of a difference.

    Raises
    ------
    InputError
        If margin, alpha or direction are not given where they must be, or cannot be meant.
    """
    size, source = _margin_of(outcome, measure, margin)
    given: object = alpha
    if not isinstance(given, float) or not 0 < given < 0.5:
        raise refuse_argument("against_margin", "alpha", alpha, "above 0 and below 0.5")
    good = _direction(outcome, measure, better)
    worse = -estimate if good == "higher" else estimate  # how much worse the treatment is

    def tail(distance: float) -> float:
        return float(t_tail(np.array(df), np.array(distance / se)))

    return MarginTest(
        label=label, unit=unit, measure=measure, treatment=arms[0], comparator=arms[1], day=day,
        better=good, margin=size, margin_source=source, alpha=alpha,
        estimate=estimate, se=se, df=df, p_not_worse=tail(size - worse),
        p_not_better=tail(size + worse), p_inferior=tail(worse - size), synthetic=synthetic,
    )  # fmt: skip


def _margin_of(outcome: str, measure: str, margin: object) -> tuple[float, str]:
    if measure not in ("MD", "RD"):
        allowed = "MD or RD: an odds ratio has no margin in points"
        raise refuse_argument("against_margin", "measure", measure, allowed)
    if margin is None:
        known = OUTCOMES[outcome].worthwhile if outcome in OUTCOMES else None
        if measure != "MD" or known is None:
            allowed = "a number above 0: no smallest worthwhile change is known here"
            raise refuse_argument("against_margin", "margin", margin, allowed)
        return known.value, f"smallest worthwhile change, {known.method}, {known.study_id}"
    if not isinstance(margin, int | float) or isinstance(margin, bool) or not 0 < margin < np.inf:
        raise refuse_argument("against_margin", "margin", margin, "a number above 0")
    return float(margin), "as stated"


def _direction(outcome: str, measure: str, better: str | None) -> Better:
    if better is None:
        known = INSTRUMENTS[outcome].better if outcome in INSTRUMENTS else ""
        # the share of patients who respond is good when high, whichever way the score runs
        better = "higher" if known and measure == "RD" else known
    if better == "lower":
        return "lower"
    if better == "higher":
        return "higher"
    raise refuse_argument("against_margin", "better", better, "lower, higher")
