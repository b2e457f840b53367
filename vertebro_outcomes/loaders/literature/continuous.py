"""Means of arms: sign of changes, spread (SD, SE, interval), and the canonical scale."""

import re
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.outcomes import OUTCOMES

# An improvement is printed positive whichever way the score runs; a change is follow-up minus baseline.
IMPROVEMENT: Final = re.compile(
    r"^IMPROVEMENT UNITS|reported as IMPROVEMENT|printed as improvement", re.MULTILINE
)
_LEVEL: Final = 0.95  # printed intervals of arm means are 95 %
_ON_SCALE: Final = ("mean", "sd", "se", "ci_low", "ci_high", "median", "q1", "q3")
_SCORES: Final = ("mean", "ci_low", "ci_high", "median", "q1", "q3")


def read_arm_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Changes as follow-up minus baseline, spreads told apart, values on the outcome's own scale.

    Adds `improvement_units` (the printed sign was turned or checked), `sd_source` (printed_sd,
    from_se, from_ci, missing), `*_canonical`, and `scale_problem` (why there is no canonical value).
    """
    out = rows.copy()
    better = out["outcome"].map(lambda name: OUTCOMES[name].better)
    says = out["source_locator"].map(lambda text: bool(IMPROVEMENT.search(text or "")))
    out["improvement_units"] = says & (out["kind"] == "change")
    flip = out["improvement_units"] & (better == "lower")
    out = _flip(out, flip.to_numpy(dtype=bool))
    out = _spread(out)
    return _canonical(out)


def _flip(rows: pd.DataFrame, flip: np.ndarray) -> pd.DataFrame:
    rows.loc[flip, ["mean", "median"]] *= -1
    for low, high in (("ci_low", "ci_high"), ("q1", "q3")):
        turned = -rows.loc[flip, [high, low]].to_numpy()
        rows.loc[flip, [low, high]] = turned
    return rows


def _spread(rows: pd.DataFrame) -> pd.DataFrame:
    from scipy import special  # slow to import; loading an export takes this module along

    n = rows["n"].astype(float).to_numpy()
    sd, se = rows["sd"].to_numpy(float), rows["se"].to_numpy(float)
    half = (rows["ci_high"] - rows["ci_low"]).to_numpy(float) / 2
    with np.errstate(invalid="ignore"):
        quantile = np.where(n > 1, special.stdtrit(n - 1, 1 - (1 - _LEVEL) / 2), np.nan)
        from_ci = half / quantile * np.sqrt(n)
        from_se = se * np.sqrt(n)
        printed = ~np.isnan(sd)
        has_se, has_ci = ~np.isnan(se), ~np.isnan(half)
        rows["sd_source"] = np.select(
            [printed, has_se, has_ci], ["printed_sd", "from_se", "from_ci"], "missing"
        )
        rows["sd"] = np.select([printed, has_se, has_ci], [sd, from_se, from_ci], np.nan)
        rows["se"] = np.where(has_se, se, rows["sd"].to_numpy() / np.sqrt(n))
    return rows


def scale_problem(outcome: str, scale_min: float, scale_max: float) -> str:
    """Why a value on this printed scale has no canonical value; empty when it has one."""
    record = OUTCOMES[outcome]
    low, high = _none(scale_min), _none(scale_max)
    if record.kind == "continuous" and record.scale_max is None:
        return "" if (low, high) == (None, None) else f"no canonical scale for {outcome}"
    if low is None and high is None:
        return "scale not printed"
    if record.factor(low, high) is None:
        return f"scale {scale_min:g} to {scale_max:g} is not declared for {outcome}"
    return ""


def _none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _canonical(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores move by slope and shift, changes and spreads by the slope alone."""
    scales = list(zip(rows["outcome"], rows["scale_min"], rows["scale_max"], strict=True))
    rows["scale_problem"] = [scale_problem(*scale) for scale in scales]
    lines = [
        (np.nan, np.nan) if problem else _line(*scale)
        for problem, scale in zip(rows["scale_problem"], scales, strict=True)
    ]
    slope, shift = np.array(lines, dtype=float).reshape(-1, 2).T
    shift_of_scores = np.where(rows["kind"] == "change", 0.0, shift)
    for column in _ON_SCALE:
        moved = rows[column].to_numpy(float) * slope
        rows[f"{column}_canonical"] = moved + (shift_of_scores if column in _SCORES else 0.0)
    return rows


def _line(outcome: str, scale_min: float, scale_max: float) -> tuple[float, float]:
    """Slope and shift from the printed to the canonical scale."""
    record = OUTCOMES[outcome]
    if record.scale_max is None:
        return 1.0, 0.0
    low, high = _none(scale_min), _none(scale_max)
    slope = record.factor(low, high)
    assert slope is not None  # scale_problem is empty
    return slope, record.rescale(0.0, scale_min=low, scale_max=high)
