"""RevMan's words for data types, measures, methods and models, put into ours."""

import math
from typing import Final

from vertebro_outcomes.loaders.reviews.review_sheet import plain
from vertebro_outcomes.printed import read_printed
from vertebro_outcomes.tables.review_tables import DataType, PoolMethod, PoolModel

LOG_MEASURES: Final = frozenset({"OR", "RR", "PETO", "HR", "IRR", "ROM"})
_TYPES: Final[tuple[tuple[str, DataType], ...]] = (
    ("dic", "counts"),
    ("con", "means"),
    ("generic", "effects"),
    ("giv", "effects"),
    ("iv", "effects"),
    ("oe", "o_minus_e"),
    ("ipd", "o_minus_e"),
    ("ind", "o_minus_e"),
)
# The more telling word first: a free text may hold several.
_MEASURES: Final = (
    ("hazard", "HR"),
    ("peto", "PETO"),
    ("odds", "OR"),
    ("rateratio", "IRR"),
    ("ratioofrates", "IRR"),
    ("incidencerate", "IRR"),
    ("ratioofmeans", "ROM"),
    ("riskratio", "RR"),
    ("relativerisk", "RR"),
    ("riskdifference", "RD"),
    ("std", "SMD"),
    ("standardi", "SMD"),
    ("smd", "SMD"),
    ("hedges", "SMD"),
    ("meandifference", "MD"),
)
_SHORT: Final = {
    "or": "OR",
    "rr": "RR",
    "rd": "RD",
    "md": "MD",
    "wmd": "MD",
    "hr": "HR",
    "irr": "IRR",
}
_NO: Final = frozenset({"no", "false", "0", "none", "off", "hide", "hidden", "notshown"})
_YES: Final = frozenset({"yes", "true", "1", "on", "show", "shown"})


def data_type(text: str) -> DataType | None:
    """`Dichotomous` -> counts, `Contrast level` -> effects; None for data that cannot be pooled."""
    word = plain(text)
    if word.startswith("contrast"):
        return "effects"
    return next((kind for start, kind in _TYPES if word.startswith(start)), None)


def measure(text: str) -> str:
    """`Risk Ratio (RR)` -> RR, `Std. Mean Difference` -> SMD; GEN where the words are unknown."""
    word = plain(text)
    found = next((code for part, code in _MEASURES if part in word), None)
    return found or _SHORT.get(word, "GEN")


def effect_measure(text: str, *, kind: DataType, log_scale: bool) -> str:
    """The measure of a unit; where words and scale of entered effects disagree the scale decides."""
    found = measure(text)
    if kind == "o_minus_e":
        return found if found in ("HR", "OR") else "PETO"
    if kind == "effects" and log_scale != (found in LOG_MEASURES):
        return "GEN"
    if kind == "counts":
        return found if found in ("OR", "RR", "RD", "PETO") else ""
    if kind == "means":
        return found if found in ("MD", "SMD") else ""
    return found


def method(text: str, *, kind: DataType, found_measure: str) -> PoolMethod:
    """`Mantel-Haenszel` -> MH, `Exp[(O-E) / Var]` -> PETO."""
    if kind == "o_minus_e" or found_measure == "PETO":
        return "PETO"
    if kind != "counts":
        return "IV"
    word = plain(text)
    if word.startswith(("peto", "exp")):
        return "PETO"
    return "MH" if word.startswith("m") else "IV"


def model(text: str, *, found_method: PoolMethod) -> PoolModel:
    """`Random effects` -> random, `Fixed effect` -> common; Peto's method has no other."""
    return "random" if "random" in plain(text) and found_method != "PETO" else "common"


def level(text: str) -> float:
    """`95%`, `95` or `0.95` -> 0.95."""
    found = read_printed(text)
    if found is None or not 0 < found.value < 100:
        return 0.95
    return found.value / 100 if found.value > 1 else found.value


def is_yes(text: str, *, otherwise: bool) -> bool:
    """A setting as a truth value; `otherwise` where it is blank or says something else."""
    word = plain(text)
    return False if word in _NO else True if word in _YES else otherwise


def entered_as_logarithms(pairs: list[tuple[float, float]], *, stated: str) -> bool:
    """Whether entered effects are logarithms of the shown ones.

    `pairs` hold entered and shown effect of each study. What the setting says counts; without one,
    or where it says no although every telling pair says yes, the numbers decide.
    """
    if is_yes(stated, otherwise=False):
        return True
    votes = []
    for entered, shown in pairs:
        if not (math.isfinite(entered) and math.isfinite(shown)) or shown <= 0:
            continue
        slack = 1e-3 * (1 + abs(entered))
        is_log, is_same = abs(math.log(shown) - entered) < slack, abs(shown - entered) < slack
        if is_log != is_same:
            votes.append(is_log)
    return bool(votes) and all(votes)
