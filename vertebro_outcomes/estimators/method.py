"""A way to compare two groups, declared once: what it estimates, what it assumes, where it is from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Method:
    """`kind` is what it compares (`continuous`, `ordinal`, `time_to_event`, ...).

    `variances` are the words its `variance` option knows, the default first; `adjusts` says what happens
    to covariates: `none`, `outcome_model`, `propensity` or `both`. `measure` is a word of `MEASURES` or
    "WO" for win odds; the estimates of ratios are logarithms.
    """

    name: str
    fit: Callable[..., Any]
    kind: str
    estimand: str
    assumptions: str
    reference: str
    variances: tuple[str, ...] = ()
    adjusts: str = "none"
    measure: str = "MD"
