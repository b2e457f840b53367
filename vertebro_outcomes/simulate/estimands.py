"""Weighted functionals of potential event times that are known without censoring."""

import numpy as np


def weighted_mean(value: np.ndarray, weight: np.ndarray) -> float:
    """The mean of `value` in the population that `weight` describes."""
    return float(np.dot(value, weight) / weight.sum())


class Curve:
    """Weighted share of a population with the event by day t; times may be infinite."""

    def __init__(self, time: np.ndarray, weight: np.ndarray) -> None:
        order = np.argsort(time, kind="stable")
        self._time = time[order]
        self._share = np.concatenate([[0.0], weight[order].cumsum()]) / weight.sum()

    def at(self, day: float) -> float:
        """Share with the event on or before `day`."""
        return float(self._share[np.searchsorted(self._time, day, side="right")])

    def mean_free(self, day: int) -> float:
        """Mean number of days without the event up to `day`: the area under 1 - share."""
        steps = np.arange(day)
        at = np.searchsorted(self._time, steps, side="right")
        return float((1 - self._share[at]).sum())


class HazardRatio:
    """The constant ratio that solves the population Cox score equation up to a horizon.

    Both arms hold the whole population, nobody is censored before the horizon; a time made
    infinite stays in the risk set, which gives the subdistribution ratio. `event` says whose time
    is an event (both arms; everybody's by default).

    Reference: Struthers and Kalbfleisch (1986), Biometrika 73:363-369, doi:10.1093/biomet/73.2.363
    (the limit of the partial-likelihood estimate).
    """

    def __init__(
        self,
        times: tuple[np.ndarray, np.ndarray],
        weight: np.ndarray,
        *,
        longest: int,
        event: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        seen = event if event is not None else (np.ones(len(weight)), np.ones(len(weight)))
        self._events, self._at_risk = [], []
        size = longest + 2
        for time, counted in zip(times, seen, strict=True):
            day = np.minimum(time, size - 1).astype(np.int64)
            leaving = np.bincount(day, weights=weight, minlength=size)
            self._at_risk.append(leaving[::-1].cumsum()[::-1])
            self._events.append(np.bincount(day, weights=weight * counted, minlength=size))

    def at(self, horizon: int) -> float:
        """The ratio up to `horizon` days; NaN where an arm has no event."""
        d_t, d_c = (d[: horizon + 1] for d in self._events)
        r_t, r_c = (r[: horizon + 1] for r in self._at_risk)
        if d_t.sum() == 0 or d_c.sum() == 0:
            return float("nan")
        some = d_t + d_c > 0
        d_t, d_c, r_t, r_c = d_t[some], d_c[some], r_t[some], r_c[some]
        low, high = -10.0, 10.0
        for _ in range(60):  # the score falls in beta: bisection to 2e-17
            beta = (low + high) / 2
            expected = np.exp(beta) * r_t / (np.exp(beta) * r_t + r_c)
            if (d_t - (d_t + d_c) * expected).sum() > 0:
                low = beta
            else:
                high = beta
        return float(np.exp((low + high) / 2))
