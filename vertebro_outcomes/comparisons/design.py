"""The target trial that a comparison emulates, stated before anything is computed."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from vertebro_outcomes.comparisons.time_zero import AUGMENTATION
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import EVENT_TYPES, FRACTURES, INSTRUMENTS
from vertebro_outcomes.vocabulary import TREATMENTS

TimeZero = Literal["day0", "procedure", "presentation"]
Estimand = Literal["ATE", "ATT", "ATO"]
Crossover = Literal["treatment_policy", "hypothetical"]
Death = Literal["while_alive", "composite"]

CROSSOVER_WORDS: Final = {
    "treatment_policy": "treatment policy: what happens after a change of treatment counts as it is",
    "hypothetical": "hypothetical: what happens after a change of treatment is set aside",
}
DEATH_WORDS: Final = {
    "while_alive": "while alive: scores of those who live; deaths are counted apart, never missing data",
    "composite": "composite: who died before the day counts with the worst score of the scale",
}
ESTIMAND_WORDS: Final = {
    "ATE": "average effect in all eligible patients (ATE)",
    "ATT": "average effect in those who were treated (ATT)",
    "ATO": "average effect in patients who could have had either treatment (ATO)",
}
METHOD_FOR: Final = {
    "ATE": "ate_weighting",
    "ATT": "att_weighting",
    "ATO": "overlap_weighting",
}


@dataclass(frozen=True)
class Rule:
    """One eligibility rule: a name for the flow chart and a condition on one column.

    Parameters
    ----------
    name : str
        What the flow chart prints, such as "fracture at most 6 weeks old".
    column : str
        A column of table patients or episodes. A blank does not meet the rule.
    at_least, at_most : float, optional
        Limits, both included, in the unit of the column.
    one_of : tuple of str, optional
        Words of the column that are let in.

    Examples
    --------
    >>> Rule("fracture at most 6 weeks old", "fracture_age_days", at_most=42).condition
    'fracture_age_days at most 42'
    """

    name: str
    column: str
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] = ()

    @property
    def condition(self) -> str:
        """The condition in words."""
        said = []
        if self.at_least is not None:
            said.append(f"at least {self.at_least:g}")
        if self.at_most is not None:
            said.append(f"at most {self.at_most:g}")
        if self.one_of:
            said.append(f"one of {', '.join(map(str, self.one_of))}")
        return f"{self.column} {' and '.join(said)}"

    def keep(self, cohort: Cohort) -> Cohort:
        """The cohort without those who do not meet the rule.

        Raises
        ------
        InputError
            If there is no such column, or no condition.
        """
        owner = next(
            (t for t in ("patients", "episodes") if self.column in cohort.tables[t].columns), ""
        )
        if not owner:
            columns = sorted({*cohort.patients.columns, *cohort.episodes.columns})
            problem = Problem(
                f"rule {self.name!r}", f"no column {self.column!r}", list_some(columns, most=40)
            )
            raise InputError("Design", [problem], "name a column of patients or episodes")
        column: Any = cohort.tables[owner][self.column]
        conditions = [
            column >= self.at_least if self.at_least is not None else None,
            column <= self.at_most if self.at_most is not None else None,
            column.isin(list(self.one_of)) if self.one_of else None,
        ]
        wanted = [c for c in conditions if c is not None]
        if not wanted:
            problem = Problem(f"rule {self.name!r}", "no condition", "at_least, at_most or one_of")
            raise InputError("Design", [problem], "say which values are let in")
        whole = wanted[0]
        for other in wanted[1:]:
            whole = whole & other
        return cohort.keep(whole, because=self.name)


@dataclass(frozen=True)
class Design:
    """The target trial: who, which strategies, from when, until when, which effect.

    Parameters
    ----------
    outcome : str
        An instrument of table scores; with presentation as time zero also `death`, `fracture`,
        `adjacent_fracture`, `symptomatic_fracture` or an event type.
    treatment, comparator : str
        Names of `TREATMENTS`; the effect is treatment minus comparator.
    day : int
        Day of the outcome after time zero.
    time_zero : {"day0", "procedure", "presentation"}
        When follow-up starts: day 0 of the cohort as it was loaded; the procedure (both arms must have
        one); presentation (for a comparison with no procedure).
    grace_days : int, optional
        Days after presentation within which the treatment strategy must have started; needed with
        presentation, refused otherwise.
    estimand : {"ATE", "ATT", "ATO"}
        Whose average effect; with presentation it is the ATE.
    eligibility : tuple of Rule
        Applied in order; each is a line of the flow chart.
    crossover : {"treatment_policy", "hypothetical"}
        What a later change of treatment does.
    death : {"while_alive", "composite"}
        What death before the day of a score does. Deaths compete with other events in any case.
    window_days : (int, int), optional
        First and last day whose score may stand for `day`.

    Raises
    ------
    InputError
        If the statement contradicts itself.

    Reference
    ---------
    Hernan & Robins (2016), Am J Epidemiol 183:758-764, doi:10.1093/aje/kwv254; intercurrent events:
    ICH E9(R1), https://database.ich.org/sites/default/files/E9-R1_Step4_Guideline_2019_1203.pdf.

    Examples
    --------
    >>> trial = Design("death", "VA", "NSM", day=365, time_zero="presentation", grace_days=42)
    >>> trial.to_frame()["component"].tolist()[:4]
    ['eligibility', 'strategies', 'assignment', 'time zero']
    """

    outcome: str
    treatment: str
    comparator: str
    day: int
    time_zero: TimeZero = "day0"
    grace_days: int | None = None
    estimand: Estimand = "ATE"
    eligibility: tuple[Rule, ...] = ()
    crossover: Crossover = "treatment_policy"
    death: Death = "while_alive"
    window_days: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        words = {
            "time_zero": ("day0", "procedure", "presentation"), "estimand": tuple(ESTIMAND_WORDS),
            "crossover": tuple(CROSSOVER_WORDS), "death": tuple(DEATH_WORDS),
            "treatment": tuple(TREATMENTS), "comparator": tuple(TREATMENTS),
        }  # fmt: skip
        for name, allowed in words.items():
            if getattr(self, name) not in allowed:
                raise refuse_argument("Design", name, getattr(self, name), ", ".join(allowed))
        if not all(isinstance(rule, Rule) for rule in self.eligibility):
            raise refuse_argument("Design", "eligibility", self.eligibility, "a tuple of vo.Rule")
        self._check_clock()

    def _check_clock(self) -> None:
        if self.time_zero == "procedure" and not {self.treatment, self.comparator} <= PROCEDURES:
            allowed = "'presentation' with grace_days: the arm without a procedure has no such day"
            raise refuse_argument("Design", "time_zero", "procedure", allowed)
        if self.time_zero != "presentation":
            if self.grace_days is not None:
                allowed = "nothing: only strategies that start at presentation have a grace period"
                raise refuse_argument("Design", "grace_days", self.grace_days, allowed)
            return
        good = isinstance(self.grace_days, int) and not isinstance(self.grace_days, bool)
        if not good or not 0 <= int(self.grace_days or 0) < self.day:
            allowed = f"whole days from 0 to before day {self.day}, such as 42"
            raise refuse_argument("Design", "grace_days", self.grace_days, allowed)
        if self.treatment not in AUGMENTATION or self.comparator != "NSM":
            found = f"{self.treatment} against {self.comparator}"
            allowed = "VP, KP, VAI or VA as treatment and NSM as comparator"
            raise refuse_argument("Design", "treatment", found, allowed)
        if self.estimand != "ATE":
            raise refuse_argument("Design", "estimand", self.estimand, "ATE with presentation")

    def eligible(self, cohort: Cohort) -> Cohort:
        """The cohort after every rule; `attrition` gains a line for each."""
        for rule in self.eligibility:
            cohort = rule.keep(cohort)
        return cohort

    def to_frame(self) -> pd.DataFrame:
        """The statement as a table: `component protocol`."""
        return pd.DataFrame(protocol_rows(self), columns=["component", "protocol"])

    def __str__(self) -> str:
        rows = self.to_frame()
        said = "; ".join(
            f"{c}: {p}" for c, p in zip(rows["component"], rows["protocol"], strict=True)
        )
        return f"Target trial. {said}."

    __repr__ = __str__


PROCEDURES: Final = AUGMENTATION | {"SHAM", "FACET"}


def protocol_rows(design: Design) -> list[tuple[str, str]]:
    """Component and what the target trial would do."""
    t, c = TREATMENTS[design.treatment], TREATMENTS[design.comparator]
    start = {
        "day0": "assignment", "procedure": "the procedure", "presentation": "presentation",
    }[design.time_zero]  # fmt: skip
    grace = "none"
    if design.grace_days is not None:
        grace = f"{design.grace_days} days from presentation"
        t = f"{t} within {design.grace_days} days"
        never = design.crossover == "hypothetical"
        c = f"{c}, no augmentation {'at any time' if never else f'within {design.grace_days} days'}"
    return [
        ("eligibility", _rules(design)),
        ("strategies", f"{t} against {c}"),
        ("assignment", "at random, not blinded"),
        ("time zero", start),
        ("grace period", grace),
        ("follow-up", f"{design.day} days from time zero, or to death or loss"),
        ("outcome", f"{_outcome_words(design)} at day {design.day}"),
        ("estimand", ESTIMAND_WORDS[design.estimand]),
        ("intercurrent event: change of treatment", CROSSOVER_WORDS[design.crossover]),
        ("intercurrent event: death", _death_words(design)),
    ]  # fmt: skip


def _rules(design: Design) -> str:
    return "; ".join(f"{r.name} ({r.condition})" for r in design.eligibility) or "no restriction"


def _outcome_words(design: Design) -> str:
    known = INSTRUMENTS.get(design.outcome)
    return known.label if known else design.outcome.replace("_", " ")


def _death_words(design: Design) -> str:
    if design.outcome == "death":
        return "the outcome itself"
    if design.outcome in (*FRACTURES, *EVENT_TYPES):
        return "a competing event: who died before the day without the outcome will not have it"
    return DEATH_WORDS[design.death]
