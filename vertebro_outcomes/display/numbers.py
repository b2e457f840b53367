"""How a number is printed: digits, minus signs, intervals, p-values; nothing else decides that."""

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"  # printed where a value is missing or undefined

# Ratios get two decimals from 0.1 to 10, fewer above and more below: at most three digits.
_RATIO_DIGITS = ((100.0, 0), (10.0, 1), (0.095, 2), (0.0095, 3))
_SMALLEST_RATIO_DECIMALS = 4
_SMALLEST_P = 0.001
_EQUAL_DIGITS = 12  # numbers equal to so many digits print alike, however they were computed


def number(value: float, decimals: int = 2) -> str:
    """A number with a true minus sign and fixed decimals; never '−0.0'.

    Parameters
    ----------
    value : float
        Any finite or missing value; NaN prints as an en dash, infinity as the sign of infinity.
    decimals : int
        Digits after the point, 0 or more.

    Returns
    -------
    str

    Examples
    --------
    >>> number(1234567.0, 0)
    '1,234,567'
    """
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    text = f"{float(f'{value:.{_EQUAL_DIGITS}g}'):,.{decimals}f}"
    if text.startswith("-"):
        digits = text[1:]
        return f"{MINUS}{digits}" if digits.strip("0.,") else digits
    return text


def count(value: float) -> str:
    """A whole number with separated thousands; a count that is not whole keeps one decimal."""
    return number(value, 0 if math.isnan(value) or float(value).is_integer() else 1)


def amount(value: float, unit: str) -> str:
    """A number as it was given, with its unit: '1.5 points', '1 point'.

    Examples
    --------
    >>> amount(1.5, "points"), amount(-1.0, "points"), amount(2.0, "")
    ('1.5 points', '\u22121 point', '2')
    """
    one = abs(value) == 1 and unit.endswith("s") and " " not in unit
    return f"{as_given(value)} {unit.removesuffix('s') if one else unit}".strip()


def as_given(value: float) -> str:
    """A number with the digits it was given with, at most six: 1.5, 3.29, −10."""
    text = f"{abs(value):.6g}"
    return f"{MINUS}{text}" if value < 0 else text


def ratio(value: float) -> str:
    """A ratio with the digits its size deserves: 0.52, 0.052, 12.3, 140."""
    if math.isnan(value) or math.isinf(value):
        return number(value)
    size = abs(value)
    if size == 0:
        return number(0.0, 2)
    decimals = next((d for bound, d in _RATIO_DIGITS if size >= bound), _SMALLEST_RATIO_DECIMALS)
    return number(value, decimals)


def percent(proportion: float, decimals: int = 1) -> str:
    """A proportion (0 to 1) in percent; a share that is not nothing is never printed as 0%.

    Examples
    --------
    >>> percent(0.1234), percent(0.0002), percent(0.0)
    ('12.3%', '<0.1%', '0.0%')
    """
    if math.isnan(proportion):
        return MISSING
    step = 10.0**-decimals
    shown = 100.0 * proportion
    if 0 < shown < step / 2:
        return f"<{step:.{decimals}f}%"
    if 100.0 - step / 2 < shown < 100.0:
        return f">{100.0 - step:.{decimals}f}%"
    return f"{number(shown, decimals)}%"


def effect(value: float, measure: str, decimals: int | None = None) -> str:
    """One effect on the reader's scale, with the digits usual for its measure.

    Ratios by size, proportions and risk differences in percent, everything else with `decimals`
    (2 if None). A value that would round to no effect without being it gets one digit more.
    """
    if measure in _PROPORTIONS:
        return percent(value, 1 if decimals is None else decimals)
    decimals = 2 if decimals is None else decimals
    shown = ratio(value) if measure in _RATIOS else number(value, decimals)
    no_effect = number(1.0, 2) if measure in _RATIOS else number(0.0, decimals)
    if shown != no_effect:
        return shown
    finer = number(value, 3 if measure in _RATIOS else decimals + 1)
    return shown if set(finer) <= set(no_effect) else finer


def interval(limits: Sequence[float], measure: str = "MD", decimals: int | None = None) -> str:
    """An interval: `interval((-1.8, -0.2), decimals=1)` -> '(−1.8 to −0.2)'."""
    low, high = limits
    if math.isnan(low) and math.isnan(high):
        return f"({MISSING})"
    return f"({effect(low, measure, decimals)} to {effect(high, measure, decimals)})"


def estimate_with_interval(
    estimate: float,
    limits: Sequence[float],
    *,
    measure: str = "MD",
    unit: str = "",
    decimals: int | None = None,
) -> str:
    """Estimate and interval: '−1.0 points (−1.8 to −0.2)', or '0.68 (0.48 to 0.96)'.

    Parameters
    ----------
    estimate : float
        On the reader's scale (ratios as ratios, proportions from 0 to 1).
    limits : pair of float
        Lower and upper limit, same scale.
    measure : str
        A name of `MEASURES`; decides digits and percent signs.
    unit : str
        Unit printed after the estimate, such as "points"; nothing if empty.
    decimals : int, optional
        Digits of measures that are neither ratios nor proportions; 2 if not given.

    Returns
    -------
    str

    Examples
    --------
    >>> estimate_with_interval(0.68, (0.48, 0.96), measure="RR")
    '0.68 (0.48 to 0.96)'
    """
    if math.isnan(estimate):
        return "not estimable"
    size = effect(estimate, measure, decimals)
    return f"{size}{' ' + unit if unit else ''} {interval(limits, measure, decimals)}"


def p_value(p: float) -> str:
    """A p-value in words: 'P = 0.03', 'P = 0.004', 'P < 0.001', 'P > 0.99'.

    Three decimals below 0.01 and from 0.045 to 0.055, where two would hide the side of 0.05.
    """
    if math.isnan(p):
        return f"P {MISSING}"
    if p < _SMALLEST_P:
        return "P < 0.001"
    if p > 0.99:
        return "P > 0.99"
    near_five_percent = 0.045 <= p < 0.055
    return f"P = {p:.{3 if p < 0.0095 or near_five_percent else 2}f}"


def variance_component(tau2: float) -> str:
    """A between-study variance: two decimals, or two significant digits if it is small."""
    if math.isnan(tau2):
        return MISSING
    if tau2 == 0:
        return "0"
    if tau2 >= 0.095:
        return number(tau2, 2)
    if tau2 < 1e-4:
        return "<0.0001"
    return number(tau2, 1 - math.floor(math.log10(tau2)))


def heterogeneity(*, tau2: float, i2_pct: float, q: float, q_df: float, q_p_value: float) -> str:
    """The heterogeneity line: 'τ² = 0.31; I² = 92%; Q = 152.2, df = 12 (P < 0.001)'.

    Each part that is NaN is left out.
    """
    parts = []
    if not math.isnan(tau2):
        shown = variance_component(tau2)
        parts.append(f"τ² {'' if shown.startswith('<') else '= '}{shown.replace('<', '< ')}")
    if not math.isnan(i2_pct):
        parts.append(f"I² = {number(i2_pct, 0)}%")
    if not math.isnan(q):
        parts.append(f"Q = {number(q, 1)}, df = {count(q_df)} ({p_value(q_p_value)})")
    return "; ".join(parts)


_RATIOS = frozenset({"OR", "RR", "PETO", "ROM", "IRR", "HR", "WO"})
_PROPORTIONS = frozenset({"RD", "PR", "PLN", "PLO", "PAS", "PFT"})
