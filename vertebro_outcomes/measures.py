"""Effect measures: what each is called, on which scale it is analysed, how to read it back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

Transform = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Measure:
    """One effect measure.

    `to_natural` takes analysis-scale values to the reader's scale; `no_effect` is the value of no
    difference on the analysis scale (NaN for one-arm measures, which compare nothing).
    """

    name: str
    label: str
    scale: str  # "identity", "log", "logit", "arcsine", "freeman_tukey"
    no_effect: float
    columns: tuple[str, ...]

    def to_natural(self, value: "np.ndarray | float", n: float | None = None) -> np.ndarray:
        """Analysis scale -> reader's scale. `n`: harmonic mean sample size, for Freeman-Tukey only."""
        x = np.asarray(value, dtype=float)
        if self.scale == "freeman_tukey":
            return _freeman_tukey_to_proportion(x, n)
        with np.errstate(over="ignore"):  # a log ratio of 1000 is read back as infinite
            return _TO_NATURAL[self.scale](x)

    @property
    def is_ratio(self) -> bool:
        return self.scale == "log" and not np.isnan(self.no_effect)


def _sin_squared(x: np.ndarray) -> np.ndarray:
    return np.sin(np.clip(x, 0.0, np.pi / 2)) ** 2


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def _freeman_tukey_to_proportion(x: np.ndarray, n: float | None) -> np.ndarray:
    """Miller (1978), The American Statistician 32:138, doi:10.1080/00031305.1978.10479283.

    The transform is half the sum of two arcsines, so the argument is doubled first.
    """
    if n is None:
        return np.full_like(x, np.nan)
    low = 0.5 * np.arcsin(np.sqrt(1.0 / (n + 1.0)))
    high = 0.5 * (np.arcsin(np.sqrt(n / (n + 1.0))) + np.pi / 2)
    t = 2.0 * np.clip(x, low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.sin(t) + (np.sin(t) - 1.0 / np.sin(t)) / n
    root = np.sqrt(np.clip(1.0 - inner**2, 0.0, None))
    p = 0.5 * (1.0 - np.sign(np.cos(t)) * root)
    return np.where(x <= low, 0.0, np.where(x >= high, 1.0, p))


_TO_NATURAL: Final[dict[str, Transform]] = {
    "identity": lambda x: x,
    "log": np.exp,
    "logit": _logistic,
    "arcsine": _sin_squared,
}

_TWO_BY_TWO = ("events_t", "n_t", "events_c", "n_c")
_TWO_MEANS = ("mean_t", "sd_t", "n_t", "mean_c", "sd_c", "n_c")
_TWO_RATES = ("events_t", "time_t", "events_c", "time_c")
_ONE_ARM = ("events", "n")
_NAN = float("nan")

MEASURES: Final[dict[str, Measure]] = {
    measure.name: measure
    for measure in (
        Measure("OR", "odds ratio", "log", 0.0, _TWO_BY_TWO),
        Measure("RR", "risk ratio", "log", 0.0, _TWO_BY_TWO),
        Measure("RD", "risk difference", "identity", 0.0, _TWO_BY_TWO),
        Measure("PETO", "Peto odds ratio", "log", 0.0, _TWO_BY_TWO),
        Measure("MD", "mean difference", "identity", 0.0, _TWO_MEANS),
        Measure("SMD", "standardised mean difference", "identity", 0.0, _TWO_MEANS),
        Measure("ROM", "ratio of means", "log", 0.0, _TWO_MEANS),
        Measure("IRR", "incidence rate ratio", "log", 0.0, _TWO_RATES),
        Measure("IRD", "incidence rate difference", "identity", 0.0, _TWO_RATES),
        Measure("PR", "proportion", "identity", _NAN, _ONE_ARM),
        Measure("PLN", "proportion (log)", "log", _NAN, _ONE_ARM),
        Measure("PLO", "proportion (logit)", "logit", _NAN, _ONE_ARM),
        Measure("PAS", "proportion (arcsine)", "arcsine", _NAN, _ONE_ARM),
        Measure("PFT", "proportion (double arcsine)", "freeman_tukey", _NAN, _ONE_ARM),
        Measure("MN", "mean", "identity", _NAN, ("mean", "sd", "n")),
        Measure("HR", "hazard ratio", "log", 0.0, ("effect",)),
        Measure("GEN", "effect", "identity", 0.0, ("effect",)),
    )
}
