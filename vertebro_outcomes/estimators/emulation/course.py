"""What is observed of patients who are followed from a common day 0, treated or not as time goes by."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

CENSORED, EVENT, COMPETING = 0, 1, 2
NEVER = np.inf


@dataclass(frozen=True)
class Course:
    """One row per patient; days are whole numbers from time zero.

    Attributes
    ----------
    time : array (n,)
        Day of the event, of the competing event, or last day followed.
    cause : array of int (n,)
        0 censored, 1 event, 2 competing event.
    own : array (n,)
        Day on which the treatment of interest started, infinite if it never did.
    other : array (n,)
        Day on which a third treatment started, infinite if none did.
    x : array (n, p)
        Baseline covariates as numbers; p may be 0.
    grace : int
        Last day on which the treatment may start under the treatment strategy.
    day : int
        Day of the outcome, after `grace`.
    y : array (n,), optional
        A score at `day`, NaN where not seen; `time` and `cause` then say how long a patient was followed.
    never : bool
        Whether the comparator strategy forbids treatment up to `day` instead of up to `grace`.
    cluster : array of int (n,), optional
        Site of each patient.
    """

    time: Floats
    cause: Ints
    own: Floats
    other: Floats
    x: Floats
    grace: int
    day: int
    y: Floats | None = None
    never: bool = False
    cluster: Ints | None = None

    @property
    def first(self) -> Floats:
        """Day of the first treatment of any kind."""
        return np.minimum(self.own, self.other)

    def rows(self, keep: Bools | Ints) -> "Course":
        """The course of some of the patients, or of patients drawn again."""
        return Course(
            time=self.time[keep], cause=self.cause[keep], own=self.own[keep],
            other=self.other[keep], x=self.x[keep], grace=self.grace, day=self.day,
            y=None if self.y is None else self.y[keep], never=self.never,
            cluster=None if self.cluster is None else self.cluster[keep],
        )  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Cumulative incidence of the event by day, a step at each."""

    day: Floats
    incidence: Floats


@dataclass(frozen=True)
class EmulationFit:
    """Risk, or mean score, at the day asked for under both strategies.

    `influence_t` and `influence_c` (n,) are each patient's share in value - truth, weights taken as
    known. `weights` are those of the patients who kept to a strategy to the end of the grace period
    (`in_t`, `in_c`; 0: kept to neither).
    """

    value_t: float
    value_c: float
    influence_t: Floats
    influence_c: Floats
    weights: Floats
    in_t: Bools
    in_c: Bools
    curve_t: Curve | None = None
    curve_c: Curve | None = None
    propensity: Floats | None = None
    cap_t: float = np.inf
    cap_c: float = np.inf

    @property
    def estimate(self) -> float:
        """Treatment strategy minus comparator strategy."""
        return self.value_t - self.value_c
