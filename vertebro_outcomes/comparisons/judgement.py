"""Balance and diagnostics of a fit, and the sentences a reader must not miss."""

from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.errors import list_some
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.propensity.balance import (
    LARGEST_SMD,
    Balance,
    balance_before_and_after,
    covariate_balance,
    effective_n,
    equipoise_share,
)
from vertebro_outcomes.estimators.propensity.e_value import e_values_of_difference
from vertebro_outcomes.estimators.two_arms import ContrastFit

# An arm whose weights leave less than this share of it as effective sample rests on few patients.
SMALLEST_EFFECTIVE_SHARE: Final = 0.1
# Of one patient in an arm, or three times an equal share where the arm is small.
LARGEST_WEIGHT_SHARE: Final = 0.2
LARGEST_EQUAL_SHARES: Final = 3.0
# Between 0.1 and this an imbalance is said; beyond it the estimate is withheld: Stuart (2010), Stat Sci
# 25:1-21, doi:10.1214/09-STS313. Differences that a lot would leave in so few patients do not count.
WITHHELD_SMD: Final = 0.25
# Of the patients the estimate stands for: beyond the propensities of the other arm, nobody shows what it
# would have done for them. A fifth of them makes the answer an extrapolation (assumed).
LARGEST_SHARE_ALONE: Final = 0.2
HIDES: Final = ("mean_t", "mean_c", "e_value", "e_value_ci")  # would give a withheld estimate away
_DESCRIBED: Final = ("mean_t", "mean_c", "sd_t", "sd_c")  # before weighting
_MEASURES: Final = ("smd", "variance_ratio", "ks")


def balance_table(
    covariates: Covariates, treated: Bools, weights: Floats | None, adjusted: tuple[str, ...]
) -> pd.DataFrame:
    """One line per column of `covariates`; blanks are left out column by column."""
    rows = []
    x = covariates.x
    whole = ~np.isnan(x.sum(axis=0))  # a blank makes the sum a blank
    place = np.cumsum(whole) - 1
    together = _balance(x if whole.all() else x[:, whole], treated, weights)
    for j, name in enumerate(covariates.names):
        line: dict[str, Any] = {"covariate": name}
        found, at = together, int(place[j])
        if not whole[j]:
            there = ~np.isnan(x[:, j])
            own = None if weights is None else weights[there]
            found, at = _balance(x[there, j : j + 1], treated[there], own), 0
        if found is not None:
            before, after = found
            line |= {name: getattr(before, name)[at] for name in _DESCRIBED}
            for measure in _MEASURES:
                line[f"{measure}_before"] = getattr(before, measure)[at]
                line[f"{measure}_after"] = np.nan if after is None else getattr(after, measure)[at]
        line["adjusted"] = covariates.source[j] in adjusted
        rows.append(line)
    columns = ["covariate", *_DESCRIBED]
    columns += [f"{m}_{when}" for m in _MEASURES for when in ("before", "after")] + ["adjusted"]
    return pd.DataFrame(rows, columns=columns)


def _balance(
    x: Floats, treated: Bools, weights: Floats | None
) -> tuple[Balance, Balance | None] | None:
    """Before and after weighting; None where an arm has nobody."""
    if not treated.any() or treated.all():
        return None
    if weights is None:
        return covariate_balance(x, treated), None
    return balance_before_and_after(x, treated, weights)


def diagnostics_table(
    fit: ContrastFit,
    balance: pd.DataFrame,
    *,
    treated: Bools,
    y: Floats,
    limits: tuple[float, float],
    adjusts: str,
    measure: str,
    weighs_staying: bool = False,
) -> pd.DataFrame:
    """`diagnostic value limit passed`; `passed` is missing where there is no limit."""
    rows: list[tuple[str, float, float, object]] = []

    def add(name: str, value: float, limit: float = np.nan, passed: object = None) -> None:
        rows.append((name, float(value), limit, passed))

    for when in ("before", "after"):
        smd = balance[f"smd_{when}"].abs().max() if len(balance) else np.nan
        if not np.isnan(smd):
            judged = when == "after"
            add(
                f"largest_smd_{when}", smd, LARGEST_SMD if judged else np.nan,
                bool(smd <= LARGEST_SMD) if judged else None,
            )  # fmt: skip
    if fit.propensity is not None:
        add("propensity_lowest", fit.propensity.min())
        add("propensity_highest", fit.propensity.max())
        add("equipoise_share", equipoise_share(fit.propensity, treated))
    rows += _weight_rows(fit, treated)
    if weighs_staying and fit.weights is not None:
        weighs = fit.weights > 0
        rows += concentration_rows(fit.weights[weighs], treated[weighs])
    if adjusts == "propensity" and fit.weights is not None:
        rows += _imbalance_row(fit.weights, balance, treated)
    sd = np.sqrt((np.nanvar(y[treated], ddof=1) + np.nanvar(y[~treated], ddof=1)) / 2.0)
    if sd > 0 and measure == "MD":  # the conversion to a risk ratio is one for differences in means
        point, limit = e_values_of_difference(fit.estimate, limits, sd=float(sd))
        add("e_value", point)
        add("e_value_ci", limit)
    for name, value in fit.quantities.items():
        add(name, value)
    frame = pd.DataFrame(rows, columns=["diagnostic", "value", "limit", "passed"])
    return frame.astype({"passed": "boolean"})


def _weight_rows(fit: ContrastFit, treated: Bools) -> list[tuple[str, float, float, object]]:
    """Effective sample size and heaviest patient of each arm, for methods that weight patients."""
    if fit.weights is None or fit.propensity is None:
        return []
    rows: list[tuple[str, float, float, object]] = []
    for arm, name in ((treated, "t"), (~treated, "c")):
        w = fit.weights[arm]
        share, largest = effective_n(w) / int((w > 0).sum()), float(w.max() / w.sum())
        most = max(LARGEST_WEIGHT_SHARE, LARGEST_EQUAL_SHARES / int((w > 0).sum()))
        enough, spread = share >= SMALLEST_EFFECTIVE_SHARE, largest <= most
        alone = _share_alone(fit, arm)
        rows += [
            (f"effective_n_{name}", effective_n(w), np.nan, None),
            (f"effective_share_{name}", share, SMALLEST_EFFECTIVE_SHARE, bool(enough)),
            (f"largest_weight_share_{name}", largest, most, bool(spread)),
            (f"share_alone_{name}", alone, LARGEST_SHARE_ALONE, bool(alone <= LARGEST_SHARE_ALONE)),
        ]
    return rows


def concentration_rows(w: Floats, treated: Bools) -> list[tuple[str, float, float, object]]:
    """Effective sample size and heaviest patient of each arm, whatever the weights are for."""
    rows: list[tuple[str, float, float, object]] = []
    for arm, name in ((treated, "t"), (~treated, "c")):
        own = w[arm]
        n, share = effective_n(own), effective_n(own) / len(own)
        most = max(LARGEST_WEIGHT_SHARE, LARGEST_EQUAL_SHARES / len(own))
        largest = float(own.max() / own.sum())
        rows += [
            (f"effective_n_{name}", n, np.nan, None),
            (
                f"effective_share_{name}",
                share,
                SMALLEST_EFFECTIVE_SHARE,
                share >= SMALLEST_EFFECTIVE_SHARE,
            ),
            (f"largest_weight_share_{name}", largest, most, largest <= most),
        ]
    return rows


def weighted_diagnostics(w: Floats, treated: Bools, balance: pd.DataFrame) -> pd.DataFrame:
    """`diagnostic value limit passed` of weights that do not come from one propensity."""
    rows = concentration_rows(w, treated)
    for when in ("before", "after"):
        smd = balance[f"smd_{when}"].abs().max() if len(balance) else np.nan
        if not np.isnan(smd):
            good = bool(smd <= LARGEST_SMD) if when == "after" else None
            limit = LARGEST_SMD if when == "after" else np.nan
            rows.append((f"largest_smd_{when}", float(smd), limit, good))
    rows += _imbalance_row(w, balance, treated) if len(balance) else []
    frame = pd.DataFrame(rows, columns=["diagnostic", "value", "limit", "passed"])
    return frame.astype({"passed": "boolean"})


def _share_alone(fit: ContrastFit, arm: Bools) -> float:
    """Weight of an arm's patients whose propensity lies beyond all of the other arm."""
    assert fit.weights is not None
    assert fit.propensity is not None
    e, w = fit.propensity, fit.weights
    other = e[~arm]
    beyond = (e[arm] < other.min()) | (e[arm] > other.max())
    return float(w[arm] @ beyond / w[arm].sum())


def _imbalance_row(
    w: Floats, balance: pd.DataFrame, treated: Bools
) -> list[tuple[str, float, float, object]]:
    smd = balance.loc[balance["adjusted"].astype(bool), "smd_after"].abs().max()
    if np.isnan(smd):
        return []
    by_lot = 1.96 * np.sqrt(1.0 / effective_n(w[treated]) + 1.0 / effective_n(w[~treated]))
    limit = max(WITHHELD_SMD, float(by_lot))
    return [("imbalance_of_adjusted", float(smd), limit, bool(smd <= limit))]


def imbalance_sentence(balance: pd.DataFrame, *, weighted: bool, adjusts: str) -> str:
    """Names the covariates that still differ by more than 0.1; empty if none does."""
    column = "smd_after" if weighted else "smd_before"
    if adjusts == "none" or weighted:
        apart = balance[balance[column].abs() > LARGEST_SMD]
        kind = "Residual imbalance"
    else:  # an outcome model: what it was given is accounted for by the model, the rest is not
        apart = balance[(balance[column].abs() > LARGEST_SMD) & ~balance["adjusted"].astype(bool)]
        kind = "Imbalance that was not adjusted for"
    if not len(apart):
        return ""
    apart = apart.assign(size=apart[column].abs()).sort_values("size", ascending=False)
    named = [f"{row.covariate} ({number(getattr(row, column), 2)})" for row in apart.itertuples()]
    return f"{kind}: the arms differ by more than {LARGEST_SMD} standard deviations in {list_some(named)}."


def failure_words(diagnostics: pd.DataFrame) -> str:
    """Names the diagnostics beyond their limits; empty if all keep to them.

    `largest_smd` counts every declared confounder: it has its own sentence and withholds nothing.
    """
    failed = diagnostics[~diagnostics["passed"].fillna(True).astype(bool)]
    failed = failed[~failed["diagnostic"].str.startswith("largest_smd")]
    if not len(failed):
        return ""
    said = [
        f"{row.diagnostic.replace('_', ' ')} {number(row.value, 2)} (limit {number(row.limit, 2)})"
        for row in failed.itertuples()
    ]
    return ", ".join(said)


def failure_sentence(words: str, *, withheld: bool) -> str:
    """What failed, and what was done about it; empty if nothing failed."""
    if not words:
        return ""
    if withheld:
        return f"Estimate withheld, because diagnostics failed: {words}. failed='show' shows it."
    return f"Diagnostics failed, so the estimate should not be relied on: {words}."


def without_numbers(diagnostics: pd.DataFrame) -> pd.DataFrame:
    """The diagnostics of a withheld estimate: what would give it away is blank."""
    return diagnostics.assign(
        value=diagnostics["value"].mask(diagnostics["diagnostic"].isin(HIDES))
    )
