"""What is done about scores that nobody saw: the words, and the options that go with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from vertebro_outcomes.comparisons.tuning import check_word, is_number, is_whole
from vertebro_outcomes.errors import InputError, refuse_argument
from vertebro_outcomes.estimators.emulation.adherence import TRUNCATED_AT

Missing = Literal[
    "observed",
    "multiple_imputation",
    "jump_to_reference",
    "copy_reference",
    "copy_increments",
    "censoring_weights",
]
Imputation = Literal["pmm", "normal"]
# At least as many as the percentage of patients with something missing: White, Royston & Wood (2011),
# Stat Med 30:377-399, doi:10.1002/sim.4067; fifty serve up to half of them.
N_IMPUTATIONS: Final = 50
# Share of scores imputed above which an analysis of imputed data only raises hypotheses: Jakobsen et
# al. (2017), BMC Med Res Methodol 17:162, doi:10.1186/s12874-017-0442-1.
MUCH_IMPUTED: Final = 0.4
# Of the standard error: another seed should not move the estimate by more (White et al. 2011, section 7.3).
MONTE_CARLO_SHARE: Final = 0.1
# Draws from a normal distribution keep the mean right where the patients seen lack neighbours of those not
# seen, and must not be cut at the ends of the scale: Rodwell et al. (2014), BMC Med Res Methodol 14:57,
# doi:10.1186/1471-2288-14-57. Shares of responders need values that a score can have.
FOR_MEANS: Final[Imputation] = "normal"
FOR_SHARES: Final[Imputation] = "pmm"
WEIGHED: Final = (
    "unadjusted",
    "ancova",
    "gee",
)  # least squares, so that weights of staying can enter
# Methods whose own likelihood takes scores as missing at random, or that need none of this.
ALL_VISITS: Final = ("mmrm", "clda", "gee")


@dataclass(frozen=True)
class MissingPlan:
    """`delta` is added to the imputed scores of treatment and comparator, in the unit of the score."""

    how: Missing = "observed"
    n_imputations: int = N_IMPUTATIONS
    imputation: Imputation = FOR_MEANS
    predictors: tuple[str, ...] = ()
    delta: tuple[float, float] = (0.0, 0.0)
    seed: int = 1
    truncate: float = TRUNCATED_AT


def checked_missing(
    *,
    method: str,
    of_shares: bool = False,
    missing: Any = "observed",
    n_imputations: Any = None,
    imputation: Any = None,
    predictors: Any = (),
    delta: Any = None,
    seed: Any = 1,
    variance: Any = None,
    truncate: Any = TRUNCATED_AT,
) -> MissingPlan:
    """Every option, or the first that cannot be meant.

    Raises
    ------
    InputError
        With what was found and what is allowed.
    """
    check_word("missing", missing, get_args(Missing))
    given = {
        "n_imputations": n_imputations is not None, "imputation": imputation is not None,
        "predictors": bool(predictors), "delta": delta is not None,
    }  # fmt: skip
    if missing == "observed":
        for name in (name for name, there in given.items() if there):
            raise _refused(
                name, "given with missing='observed'", "missing='multiple_imputation', ..."
            )
        return MissingPlan()
    if method in ALL_VISITS and not (method == "gee" and missing == "censoring_weights"):
        allowed = (
            "'observed' for mmrm, clda and gee, which take the scores of all visits as they are "
            "(gee also knows 'censoring_weights'); or "
            "ancova and other methods that take the day alone"
        )
        raise _refused("missing", f"{missing} with {method}", allowed)
    if missing == "censoring_weights":
        _check_weighting(method, variance, truncate, given)
    if n_imputations is not None and not (is_whole(n_imputations) and n_imputations >= 2):
        raise _refused("n_imputations", n_imputations, "a whole number from 2")
    if imputation is not None:
        if missing != "multiple_imputation":
            found = f"given with missing='{missing}'"
            raise _refused("imputation", found, "missing='multiple_imputation'")
        check_word("imputation", imputation, get_args(Imputation))
    if not isinstance(predictors, list | tuple) or not all(isinstance(p, str) for p in predictors):
        raise _refused("predictors", predictors, "a list of column names")
    if not is_whole(seed) or seed < 0:
        raise _refused("seed", seed, "a whole number from 0")
    return MissingPlan(
        how=missing,
        n_imputations=N_IMPUTATIONS if n_imputations is None else int(n_imputations),
        imputation=imputation or (FOR_SHARES if of_shares else FOR_MEANS),
        predictors=tuple(dict.fromkeys(predictors)),
        delta=_checked_delta(delta),
        seed=int(seed),
        truncate=float(truncate),
    )


def _check_weighting(method: str, variance: Any, truncate: Any, given: Mapping[str, bool]) -> None:
    """Weights have a variance of their own and nothing of an imputation."""
    if method not in WEIGHED:
        allowed = f"'multiple_imputation'; censoring_weights go with {', '.join(WEIGHED)}"
        raise _refused("missing", f"censoring_weights with {method}", allowed)
    for name in ("n_imputations", "imputation", "delta"):
        if given[name]:
            found = "given with missing='censoring_weights'"
            raise _refused(name, found, "missing='multiple_imputation'")
    if variance is not None:
        allowed = (
            "nothing with missing='censoring_weights': it stacks the models of score and staying"
        )
        raise _refused("variance", variance, allowed)
    if not is_number(truncate) or not 0.5 < truncate <= 1:
        raise _refused("truncate", truncate, "a quantile above 0.5, up to 1.0")


def _checked_delta(delta: Any) -> tuple[float, float]:
    """One number for the treatment arm, or one for each arm."""
    if delta is None:
        return 0.0, 0.0
    both: Sequence[Any] = delta if isinstance(delta, list | tuple) else (delta, 0.0)
    if len(both) != 2 or not all(is_number(part) for part in both):
        allowed = (
            "a number for the treatment arm, or (treatment, comparator), in the unit of the score"
        )
        raise _refused("delta", delta, allowed)
    return float(both[0]), float(both[1])


def refuse_imputing(function: str, missing: Any, instead: str) -> None:
    """Refuse another word than "observed" where nothing is imputed, with what answers instead.

    Raises
    ------
    InputError
        With the call that takes account of scores nobody saw.
    """
    check_word("missing", missing, get_args(Missing))
    if missing != "observed":
        raise refuse_argument(function, "missing", missing, f"'observed'; {instead}")


def _refused(argument: str, found: Any, allowed: str) -> InputError:
    return refuse_argument("compare", argument, found, allowed)
