"""One treatment contrast, with what a reader needs to judge it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.difference import draw_differences
from vertebro_outcomes.display.figures.love import draw_love_plot
from vertebro_outcomes.display.figures.mirrored import draw_mirrored
from vertebro_outcomes.display.figures.trajectory import draw_trajectories
from vertebro_outcomes.display.style import QUIET
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.propensity.balance import LARGEST_SMD
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.results.margin import ALPHA, MarginTest, held_against
from vertebro_outcomes.results.tipping import tipping_points
from vertebro_outcomes.tables.column_words import term_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# How the sentence reads ratios; their estimates are logarithms.
LOGS: Final = {"OR": "against", "WO": "against"}
PlotKind = Literal["balance", "trajectory", "difference", "overlap", "weights"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Treatment minus comparator at one day, in `unit`.

    Attributes
    ----------
    measure : str
        "MD" for a difference in means, "RD" for a difference in the proportion of responders, "OR"
        and "WO" for the odds of a better score and the win odds, whose estimate and limits are logarithms.
    estimate, se, ci_low, ci_high, p_value : float
        Difference, its standard error, interval at `level`, two-sided p-value; `df` is infinite
        where the normal distribution was used.
    n_t, n_c : int
        Patients analysed in each arm.
    balance : DataFrame
        `covariate mean_t mean_c sd_t sd_c smd_before smd_after variance_ratio_before
        variance_ratio_after ks_before ks_after adjusted`; means and SDs are those before weighting,
        "after" is NaN for methods that do not weight patients.
    diagnostics : DataFrame
        `diagnostic value limit passed`.
    attrition : DataFrame
        `step n_t n_c left_t left_c`: who remains after each rule, and who left.
    protocol : DataFrame
        The target-trial table: `component protocol emulation`.
    by_visit : DataFrame or None
        `day n_t n_c mean_t mean_c se_mean_t se_mean_c estimate se ci_low ci_high` of models for all visits.
    withheld : str
        The diagnostics that failed, where the estimate is NaN because of them; empty otherwise.
    n_dead : (int, int)
        Of the analysed, those of models for all visits who died before the day without a score there.
    missing : str
        How scores that nobody saw were handled; "observed" if they were left out.
    treated, propensity, weights : array or None
        Of the analysed patients: arm, estimated probability of treatment, weight.
    """

    outcome: str
    label: str
    unit: str
    treatment: str
    comparator: str
    day: int
    window_days: tuple[int, int]
    method: str
    variance: str
    estimand: str
    level: float
    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p_value: float
    n_t: int
    n_c: int
    covariates: tuple[str, ...]
    balance: pd.DataFrame
    diagnostics: pd.DataFrame
    attrition: pd.DataFrame
    protocol: pd.DataFrame
    notes: tuple[str, ...] = ()
    by_visit: pd.DataFrame | None = None
    measure: str = "MD"
    withheld: str = ""
    treated: Bools | None = None
    propensity: Floats | None = None
    weights: Floats | None = None
    synthetic: bool = False
    missing: str = "observed"
    n_dead: tuple[int, int] = (0, 0)
    better: Literal["lower", "higher", ""] = (
        ""  # the good direction of an outcome declared for the cohort
    )

    @property
    def passed(self) -> bool:
        """Whether every diagnostic with a limit keeps to it."""
        return bool(self.diagnostics["passed"].fillna(True).astype(bool).all())

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        names = (
            "outcome measure treatment comparator day method variance missing estimand "
            "estimate se df ci_low ci_high level p_value n_t n_c passed withheld synthetic"
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names.split()}])

    def against_margin(
        self,
        margin: float | None = None,
        *,
        alpha: float = ALPHA,
        better: Literal["lower", "higher"] | None = None,
    ) -> MarginTest:
        """Equivalence and non-inferiority of the treatment by two one-sided tests.

        Parameters
        ----------
        margin : float, optional
            Largest difference that does not matter, in `unit`, above 0; the smallest worthwhile
            change of the outcome in `OUTCOMES` if not given.
        alpha : float
            Of each one-sided test; 0.025 is a 95 % interval within the margin, 0.05 a 90 % interval.
        better : {"lower", "higher"}, optional
            Which values are good; that of the outcome if not given.

        Returns
        -------
        MarginTest
            Its `verdict` is equivalent, non-inferior, inferior or not shown.

        Raises
        ------
        InputError
            If the margin is not a number above 0, or none is known for the outcome.

        Reference
        ---------
        Schuirmann (1987), J Pharmacokinet Biopharm 15:657-680, doi:10.1007/BF01068419.
        """
        return held_against(
            outcome=self.outcome, measure=self.measure, estimate=self.estimate, se=self.se,
            df=self.df, margin=margin, alpha=alpha, better=better or self._direction, label=self.label,
            unit=self.unit, arms=(self.treatment, self.comparator), day=self.day,
            synthetic=self.synthetic,
        )  # fmt: skip

    @property
    def _direction(self) -> Literal["lower", "higher"] | None:
        responders = self.better and self.measure == "RD"
        return "higher" if responders else self.better or None

    def tipping_point(self) -> pd.DataFrame:
        """How far the unseen scores of an arm must differ from missing at random to undo the result.

        Returns
        -------
        DataFrame
            `arm n_unseen share_unseen delta`, delta in `unit`: added to every unseen score of that
            arm at the day, it makes the interval reach zero. 0: the interval holds zero already; NaN:
            nobody is unseen. Who died before the day is not unseen.

        Raises
        ------
        InputError
            For methods without a likelihood of all visits: `delta_adjusted` imputes for them.
        """
        # only a likelihood of all scores says what unseen scores are under missing at random
        if self.by_visit is None or self.method not in ("mmrm", "clda"):
            raise refuse_argument(
                "tipping_point", "method", self.method, "mmrm, clda; vo.delta_adjusted for others"
            )
        visit = self.by_visit.set_index("day").loc[self.day]
        n = np.array([self.n_t, self.n_c])
        unseen = n - visit[["n_t", "n_c"]].to_numpy(dtype=int) - self.n_dead
        share = unseen / n
        return tipping_points(
            estimate=self.estimate,
            se=self.se,
            quantile=float(t_quantile(np.array(self.df), level=self.level)),
            arms=(self.treatment, self.comparator),
            n_unseen=(int(unseen[0]), int(unseen[1])),
            share=(share[0], share[1]),
            share_se=tuple(np.sqrt(share * (1 - share) / n)),
        )

    def __str__(self) -> str:
        shown = [self.estimate, self.ci_low, self.ci_high]
        shown = [float(np.exp(v)) for v in shown] if self.measure in LOGS else shown
        size = numbers.estimate_with_interval(
            shown[0], shown[1:], measure=self.measure, unit=self.unit
        )
        size = f"{size}, {100 * self.level:g}% interval, {numbers.p_value(self.p_value)}"
        size = "withheld" if self.withheld else size
        how = self.method if self.missing == "observed" else f"{self.method}, {self.missing}"
        said = (
            f"{self.label[:1].upper()}{self.label[1:]}, day {self.day}: "
            f"{self.treatment} {LOGS.get(self.measure, 'minus')} {self.comparator} = {size}, "
            f"{how.replace('_', ' ')}, "
            f"n = {numbers.count(self.n_t)} vs {numbers.count(self.n_c)}; {self.estimand}."
        )
        return " ".join([said, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        parts = [
            html_table(self.to_frame(), caption=str(self)),
            notes,
            html_table(self.balance, caption="Balance of the arms"),
            html_table(self.diagnostics, caption="Diagnostics"),
            html_table(self.attrition, caption="Who was analysed"),
        ]
        return "".join(parts)

    def plot(self, *, kind: PlotKind = "balance", ax: "Axes | None" = None) -> "Axes":
        """Love plot, or the trajectories of both arms where the method models all visits.

        Parameters
        ----------
        kind : {"balance", "trajectory", "difference", "overlap", "weights"}
            Standardised mean differences before and after adjustment; adjusted means by visit; their
            difference against the smallest worthwhile change; propensity, or weights, of both arms.
        ax : Axes, optional
            Drawn into; a new figure of fitting size if not given.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            For a figure this method has nothing for.
        """
        has = {
            "balance": True,
            "trajectory": self.by_visit is not None,
            "difference": self.by_visit is not None,
            "overlap": self.propensity is not None,
            "weights": self.weights is not None,
        }
        wanted: object = kind
        if not isinstance(wanted, str) or not has.get(wanted, False):
            allowed = ", ".join(name for name, there in has.items() if there)
            raise refuse_argument("Comparison.plot", "kind", kind, allowed)
        if kind in ("trajectory", "difference"):
            return self._draw_visits(kind, ax)
        if kind == "balance":
            mark = "synthetic" if self.synthetic else ""
            lines = self.balance.assign(covariate=self.balance["covariate"].map(term_words))
            return draw_love_plot(lines, limit=LARGEST_SMD, mark=mark, ax=ax)
        drawn = self._draw_distributions(kind, ax)
        if self.synthetic:
            drawn.set_title("synthetic", loc="right", fontsize=8, color=QUIET)
        return drawn

    def _draw_visits(self, kind: PlotKind, ax: "Axes | None") -> "Axes":
        assert self.by_visit is not None
        label = f"{self.label} ({self.unit})" if self.unit else self.label
        arms = (self.treatment, self.comparator)
        mark = "synthetic" if self.synthetic else ""
        if kind == "trajectory":
            return draw_trajectories(
                self.by_visit, arms=arms, label=label, level=self.level, mark=mark, ax=ax
            )
        known = OUTCOMES.get(self.outcome)
        change = None if known is None else known.worthwhile
        return draw_differences(
            self.by_visit, arms=arms, label=label, level=self.level, mark=mark, ax=ax,
            worthwhile=None if change is None else change.value,
            better=self.better if known is None else known.better,
        )  # fmt: skip

    def _draw_distributions(self, kind: PlotKind, ax: "Axes | None") -> "Axes":
        values = self.propensity if kind == "overlap" else self.weights
        assert values is not None
        assert self.treated is not None
        label = f"probability of {self.treatment}" if kind == "overlap" else "weight"
        arms = {
            self.treatment: values[self.treated & (values > 0)],
            self.comparator: values[~self.treated & (values > 0)],
        }
        return draw_mirrored(
            arms, label=label, limits=(0.0, 1.0) if kind == "overlap" else None, ax=ax
        )
