"""Who stays for the analysis, rule by rule."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.comparisons.formula import is_formula
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats

RARE = 0.05  # share of patients below which a category counts as rare
# So few, and at most a tenth of the patients, often miss one arm by chance alone.
RARE_PATIENTS, RARE_AT_MOST = 10, 0.1
MOST_LEVELS = 20  # a column with more values is a measurement, not a list of categories
MOST_DAYS_NAMED = 12  # in a message
FEWEST = 2  # patients with a score in each arm


@dataclass
class FlowChart:
    """Counts the patients of both arms who remain after each rule."""

    treated: Bools
    kept: Bools = field(init=False)
    lines: list[tuple[str, int, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = np.ones(len(self.treated), dtype=bool)

    def _in_arms(self, mask: Bools) -> tuple[int, int]:
        return int((mask & self.treated).sum()), int((mask & ~self.treated).sum())

    def start(self, step: str, left: tuple[int, int]) -> None:
        """The first line; `left` counts episodes that were set aside before."""
        self.lines.append((step, *self._in_arms(self.kept), *left))

    def drop(self, out: Bools, because: str, *, always: bool = False) -> None:
        """Patients leave; a rule nobody breaks gets a line only if `always`."""
        leaving = self.kept & out
        self.kept = self.kept & ~out
        if leaving.any() or always:
            self.lines.append((because, *self._in_arms(self.kept), *self._in_arms(leaving)))

    def to_frame(self) -> pd.DataFrame:
        """`step n_t n_c left_t left_c`."""
        return pd.DataFrame(self.lines, columns=["step", "n_t", "n_c", "left_t", "left_c"])


def died_without_score(people: Population, seen: Bools, *, last_day: int) -> Bools:
    """Dead by `last_day` and no score: not missing data."""
    if "death_day" not in people.frame:
        return np.zeros(people.n, dtype=bool)
    death = pd.to_numeric(people.frame["death_day"], errors="coerce").to_numpy(
        float, na_value=np.nan
    )
    return np.asarray(~seen & (death <= last_day))


def analysed(
    people: Population,
    *,
    seen: Bools,
    day: int,
    last_day: int,
    covariates: Covariates,
    any_visit: bool,
    undefined: Bools | None = None,
) -> FlowChart:
    """Rules in order: death, score, response (`undefined`: cannot be told), covariates.

    Raises
    ------
    InputError
        If an arm has no score at all.
    """
    flow = FlowChart(people.treated)
    flow.start("first episode of the patient", people.later_episodes)
    dead = died_without_score(people, seen, last_day=last_day)
    flow.drop(dead, f"died by day {last_day} without a score", always=True)
    flow.drop(
        ~seen, "no score after day 0" if any_visit else f"no score for day {day}", always=True
    )
    if undefined is not None:
        flow.drop(undefined, "response not defined (baseline blank or zero)")
    some = np.isnan(covariates.x.sum(axis=0))  # a blank makes the sum a blank
    for term in dict.fromkeys(s for s, blank in zip(covariates.source, some, strict=True) if blank):
        blank = np.asarray(np.isnan(covariates.of((term,)).x).any(axis=1), dtype=bool)
        flow.drop(blank, f"{term} not recorded")
    return flow


def drop_without_counterpart(flow: FlowChart, people: Population, terms: tuple[str, ...]) -> None:
    """Leave out rare categories that only one arm has: nobody shows what the other would have done.

    Only for covariates nobody named; a common category of one arm is refused later as no overlap.
    """
    for term in terms:
        if term not in people.frame:
            continue
        values = people.frame[term]
        if pd.api.types.is_float_dtype(values.dtype) or values[flow.kept].nunique() > MOST_LEVELS:
            continue
        n = int(flow.kept.sum())
        rare = max(RARE * n, min(RARE_PATIENTS, RARE_AT_MOST * n))
        counts = pd.crosstab(values[flow.kept], flow.treated[flow.kept])
        one_arm = counts.index[(counts == 0).any(axis=1) & (counts.sum(axis=1) < rare)]
        for level in one_arm:
            mask = np.asarray(values == level, dtype=bool)
            flow.drop(mask, f"{term} {level}, which only one arm has")


def days_with_scores(people: Population, outcome: str) -> str:
    """On which days after day 0 there are scores, for a message."""
    days = people.days_after_day0()
    if not days.size:
        return f"{outcome} was never recorded after day 0"
    if days.size > MOST_DAYS_NAMED:
        return f"{outcome} was recorded from day {days[0]} to {days[-1]}"
    return f"{outcome} was recorded on day {', '.join(map(str, days))}"


def refuse_empty_arms(
    flow: FlowChart, people: Population, *, arms: tuple[str, str], outcome: str, day: int
) -> None:
    """Refuse an arm in which fewer than two patients are left, with the rule that emptied it."""
    chart = flow.to_frame()
    for column, arm in zip(("n_t", "n_c"), arms, strict=True):
        left = int(chart[column].iloc[-1])
        if left >= FEWEST:
            continue
        emptied = chart.loc[chart[column] < FEWEST, "step"].iloc[0]
        found = f"{left} patients are left after the rule '{emptied}'"
        allowed = f"at least {FEWEST} patients with {outcome} at day {day} and all covariates"
        recorded = days_with_scores(people, outcome)
        raise InputError(
            "compare()",
            [Problem(f"arm {arm}", found, allowed)],
            f"choose another day ({recorded}), wider window_days, or covariates that were recorded",
        )


def refuse_one_value(covariates: Covariates, kept: Bools) -> None:
    """Refuse covariates that are the same for everybody who is analysed.

    Indicators of a category that nobody analysed has may be constant; other columns may not.
    """
    problems = []
    same = np.ptp(covariates.x if kept.all() else covariates.x[kept], axis=0) == 0
    for term in dict.fromkeys(s for s, c in zip(covariates.source, same, strict=True) if c):
        own = covariates.of((term,))
        constant = same[[source == term for source in covariates.source]]
        if is_formula(term):
            names = [n for n, c in zip(own.names, constant, strict=True) if c and "[" not in n]
        else:
            names = [term] if constant.all() else []
        for name in names:
            found = "has one value in all analysed patients"
            problems.append(Problem(f"covariate {name}", found, "a covariate that varies"))
    if problems:
        raise InputError("compare()", problems, "leave it out; it cannot confound anything here")


def varying_terms(covariates: Covariates, kept: Bools) -> tuple[str, ...]:
    """Covariates with more than one value among those who are analysed."""
    x = covariates.x[kept]
    varies = np.ptp(x, axis=0) > 0 if len(x) else np.zeros(x.shape[1], dtype=bool)
    return tuple(dict.fromkeys(s for s, v in zip(covariates.source, varies, strict=True) if v))


def without_constant_columns(covariates: Covariates, kept: Bools) -> Covariates:
    """Indicator columns of categories that nobody analysed has are left out."""
    x = covariates.x if kept.all() else covariates.x[kept]
    varies = np.flatnonzero(np.ptp(x, axis=0) > 0) if len(x) else np.arange(0)
    if len(varies) == x.shape[1]:
        return covariates
    return Covariates(
        covariates.x[:, varies],
        tuple(covariates.names[j] for j in varies),
        tuple(covariates.source[j] for j in varies),
    )


def separating(covariates: Covariates, kept: Bools, treated: Bools) -> list[str]:
    """Covariates whose values alone tell some patients' arm: ranges that do not meet, rare categories."""
    found = []
    x, a = covariates.x[kept], treated[kept]
    for j, name in enumerate(covariates.names):
        t, c = x[a, j], x[~a, j]
        if t.min() >= c.max() or c.min() >= t.max() or _only_one_arm(t, c):
            found.append(name)
    return found


def _only_one_arm(t: Floats, c: Floats) -> bool:
    both = np.unique(np.concatenate([np.unique(t), np.unique(c)]))
    return len(both) == 2 and (len(np.unique(t)) == 1 or len(np.unique(c)) == 1)
