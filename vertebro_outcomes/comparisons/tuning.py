"""Options of the propensity analyses: trimming, caliper, exact strata, splines, failed diagnostics."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.propensity.trimming import Trimming

Continuous = Literal["linear", "spline"]
Failed = Literal["withhold", "show"]
Weights = Literal["none", "overlap", "ate", "att", "matching"]
Trim = Literal["none", "symmetric", "crump", "percentile"]
# Of the logit of the propensity: Austin (2011), Pharm Stat 10:150-161, doi:10.1002/pst.433.
CALIPER_SD: Final = 0.2


@dataclass(frozen=True)
class Tuning:
    """`continuous` is None where nobody chose: splines for covariates nobody named either."""

    n_ratio: int = 1
    trim: Trimming | None = None
    trim_at: float | None = None
    caliper_sd: float = CALIPER_SD
    exact: tuple[str, ...] = ()
    continuous: Continuous | None = None
    failed: Failed = "withhold"


def checked_tuning(
    *,
    adjusts: str,
    method: str,
    n_ratio: Any = 1,
    trim: Any = "none",
    trim_at: Any = None,
    caliper_sd: Any = None,
    exact: Any = (),
    continuous: Any = None,
    failed: Any = "withhold",
) -> Tuning:
    """Every option, or the first that cannot be meant.

    Raises
    ------
    InputError
        With what was found and what is allowed.
    """
    if not is_whole(n_ratio) or n_ratio < 1:
        raise refuse_argument("compare", "n_ratio", n_ratio, "a whole number from 1")
    check_word("trim", trim, get_args(Trim))
    check_word("failed", failed, get_args(Failed))
    if continuous is not None:
        check_word("continuous", continuous, get_args(Continuous))
    if trim != "none" and adjusts not in ("propensity", "both"):
        allowed = "'none'; only methods with a propensity trim by it"
        raise refuse_argument("compare", "trim", f"{trim} with {method}", allowed)
    if trim_at is not None and (trim not in ("symmetric", "percentile") or not _share(trim_at)):
        allowed = "above 0 and below 0.5, with trim='symmetric' or 'percentile'"
        raise refuse_argument("compare", "trim_at", trim_at, allowed)
    if caliper_sd is not None and not (is_number(caliper_sd) and caliper_sd > 0):
        allowed = "standard deviations of the logit of the propensity, above 0"
        raise refuse_argument("compare", "caliper_sd", caliper_sd, allowed)
    if not isinstance(exact, list | tuple) or not all(isinstance(name, str) for name in exact):
        raise refuse_argument("compare", "exact", exact, "a list of column names")
    for name, given in (("caliper_sd", caliper_sd is not None), ("exact", bool(exact))):
        if given and method != "matching":
            raise refuse_argument("compare", name, f"given with {method}", "method='matching'")
    return Tuning(
        n_ratio=int(n_ratio),
        trim=None if trim == "none" else trim,
        trim_at=trim_at,
        caliper_sd=CALIPER_SD if caliper_sd is None else float(caliper_sd),
        exact=tuple(dict.fromkeys(exact)),
        continuous=continuous,
        failed=failed,
    )


def check_word(argument: str, found: Any, allowed: Collection[str]) -> None:
    """Refuse what is not one of the words."""
    if not isinstance(found, str) or found not in allowed:
        raise refuse_argument("compare", argument, found, ", ".join(allowed))


def is_whole(value: Any) -> bool:
    """A whole number; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """A finite number; True and False are none."""
    return (is_whole(value) or isinstance(value, float | np.floating)) and bool(np.isfinite(value))


def _share(value: Any) -> bool:
    return is_number(value) and 0 < value < 0.5
