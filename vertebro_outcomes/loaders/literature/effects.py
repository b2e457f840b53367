"""Printed differences and ratios, turned to treatment minus (or over) comparator."""

import re
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.loaders.literature.arms import read_contrast_arm
from vertebro_outcomes.loaders.literature.continuous import scale_problem
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.vocabulary import TREATMENTS

_LIMITS: Final = ["ci_low", "ci_high"]
_EFFECT: Final = ["estimate", "ci_low", "ci_high"]
_SCALED: Final = ("MD",)  # measures in the unit of the outcome
_SCALE_WORDS: Final = re.compile(r"(?:scored )?\b0-(10|23|24|100)\b(?: scale| here)")
_PERCENTAGE_POINTS: Final = "percentage points"


def is_ratio(measure: "pd.Series[str]") -> np.ndarray:
    """Which rows hold a ratio (printed on the natural scale, no effect at 1)."""
    ratios = {name for name, record in MEASURES.items() if record.is_ratio}
    return measure.isin(ratios).to_numpy(dtype=bool)


def to_treatment_minus_comparator(rows: pd.DataFrame) -> pd.DataFrame:
    """Estimate and limits as treatment minus (or over) comparator, wherever the direction is known.

    `c_minus_t` changes sign (a ratio is inverted) and its limits change place; an improvement is
    turned into the sign of the outcome's own scale; `not_stated` is left as printed. Adds `flipped`
    and `direction_problem` (why the row must not be pooled, or empty).
    """
    out = rows.copy()
    ratio = is_ratio(out["measure"])
    improvement = (out["direction"] == "improvement_t_minus_c").to_numpy()
    better = out["outcome"].map(lambda name: OUTCOMES[name].better).to_numpy()
    flip = (out["direction"] == "c_minus_t").to_numpy() | (improvement & (better == "lower"))
    out = turn(out, flip, ratio)
    out["flipped"] = flip
    unclear = improvement & ((better == "") | ratio)
    out["direction_problem"] = np.select(
        [(out["direction"] == "not_stated").to_numpy(), unclear],
        ["direction not stated", "improvement of an outcome without a better direction"],
        "",
    )
    return out


def turn(rows: pd.DataFrame, flip: np.ndarray, ratio: np.ndarray) -> pd.DataFrame:
    """The marked rows the other way round: minus the difference, one over the ratio, limits swapped."""
    out = rows.copy()
    for suffix in ("", "_canonical"):
        names = [f"{name}{suffix}" for name in _EFFECT]
        if not set(names) <= set(out.columns):
            continue
        values = out[names].to_numpy(float)
        with np.errstate(divide="ignore"):
            turned = np.where(ratio[:, None], 1.0 / values, -values)[:, [0, 2, 1]]
        out[names] = np.where(flip[:, None], turned, values)
    return out


def read_contrasts(rows: pd.DataFrame, arm_means: pd.DataFrame) -> pd.DataFrame:
    """Contrasts with direction, treatments of the vocabulary, scale, and whether they can be pooled.

    The scale of a difference is read from its locator, else from the arm means of the same trial
    and outcome (`scale_source`); it is never guessed. Differences of percentages become shares.
    """
    out = to_treatment_minus_comparator(rows)
    for side in ("treatment", "comparator"):
        out[f"{side}_printed"] = out[side]
        arms = out[side].map(read_contrast_arm)
        out[side] = arms.map(lambda arm: arm.treatment).astype(object)
        out[f"{side}_kind"] = arms.map(lambda arm: arm.kind)
    out = _with_scale(out, arm_means)
    out = _with_canonical_effect(out)
    reasons = [_problem(row) for _, row in out.iterrows()]
    out["poolable"] = [not reason for reason in reasons]
    out["not_poolable_because"] = reasons
    return out


def _with_scale(rows: pd.DataFrame, arm_means: pd.DataFrame) -> pd.DataFrame:
    lows, highs, sources = [], [], []
    printed = arm_means.dropna(subset=["scale_max"])
    for _, row in rows.iterrows():
        words = _SCALE_WORDS.search(row["source_locator"] or "")
        same = printed[
            (printed["trial_id"] == row["trial_id"]) & (printed["outcome"] == row["outcome"])
        ]
        scales = same[["scale_min", "scale_max"]].drop_duplicates()
        if words:
            low, high, source = 0.0, float(words.group(1)), "locator"
        elif len(scales) == 1:
            low, high = (float(x) for x in scales.iloc[0])
            source = f"arm means, {same['source_line'].iloc[0]}"
        else:
            low, high, source = np.nan, np.nan, "not printed" if not len(scales) else "several"
        lows.append(low)
        highs.append(high)
        sources.append(source)
    return rows.assign(scale_min=lows, scale_max=highs, scale_source=sources)


def _with_canonical_effect(rows: pd.DataFrame) -> pd.DataFrame:
    problems, factors = [], []
    for _, row in rows.iterrows():
        problem, factor = "", 1.0
        if row["measure"] in _SCALED:
            problem = scale_problem(row["outcome"], row["scale_min"], row["scale_max"])
            factor = _factor(row) if not problem else np.nan
        elif row["measure"] == "RD" and _PERCENTAGE_POINTS in (row["source_locator"] or ""):
            factor = 0.01
        elif row["measure"] == "RD" and abs(row["estimate"]) > 1:
            problem, factor = "risk difference above 1, unit not printed", np.nan
        problems.append(problem)
        factors.append(factor)
    out = rows.assign(scale_problem=problems)
    for name in _EFFECT:
        out[f"{name}_canonical"] = rows[name].to_numpy(float) * np.array(factors)
    return out


def _factor(row: pd.Series) -> float:
    outcome = OUTCOMES[row["outcome"]]
    if outcome.scale_max is None:
        return 1.0
    limits = (None if np.isnan(x) else float(x) for x in (row["scale_min"], row["scale_max"]))
    factor = outcome.factor(*limits)
    assert factor is not None  # scale_problem is empty
    return factor


def _problem(row: pd.Series) -> str:
    if row["treatment_kind"] == "factor":
        return "a risk factor, not a treatment comparison"
    if row["treatment"] is None or row["comparator"] is None:
        return "an arm is not one of the treatments"
    if row["direction_problem"]:
        return str(row["direction_problem"])
    if not row["measure"]:
        return "no effect measure printed (p-value only)"
    if row["measure"] not in MEASURES:
        return f"{row['measure']} cannot be pooled"
    if np.isnan(row["estimate"]):
        return "estimate not printed"
    if np.isnan(row["se"]) and row[_LIMITS].isna().any():
        return "no standard error or interval printed"
    return str(row["scale_problem"])


def orient(contrasts: pd.DataFrame, treatment: str, comparator: str) -> pd.DataFrame:
    """The contrasts of two treatments, all as `treatment` minus (or over) `comparator`.

    Parameters
    ----------
    contrasts
        Canonical contrasts, as `load_literature().contrasts`.
    treatment, comparator
        Words of the vocabulary.

    Returns
    -------
    DataFrame
        Rows of either order; `swapped` marks those that were turned.
    """
    for name, word in (("treatment", treatment), ("comparator", comparator)):
        if word not in TREATMENTS:
            raise refuse_argument("orient", name, word, ", ".join(TREATMENTS))
    same = (contrasts["treatment"] == treatment) & (contrasts["comparator"] == comparator)
    swapped = (contrasts["treatment"] == comparator) & (contrasts["comparator"] == treatment)
    out = contrasts[same | swapped].copy()
    turned = swapped[same | swapped].to_numpy()
    out = turn(out, turned, is_ratio(out["measure"]))
    out["swapped"] = turned
    for left, right in (
        ("treatment", "comparator"),
        ("treatment_printed", "comparator_printed"),
        ("treatment_kind", "comparator_kind"),
        ("n_treatment", "n_comparator"),
    ):
        if {left, right} <= set(out.columns):
            first, second = out[left].copy(), out[right].copy()
            out[left] = first.where(~turned, second)
            out[right] = second.where(~turned, first)
    return out
