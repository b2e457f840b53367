"""Effects of event counts over person-time.

Reference: Rothman, Greenland and Lash (2008), Modern Epidemiology, 3rd edition, chapter 14.
"""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats

Effect = tuple[Floats, Floats]


def rate_ratio(events_t: Floats, time_t: Floats, events_c: Floats, time_c: Floats) -> Effect:
    """Log incidence rate ratio and its variance."""
    return np.log((events_t / time_t) / (events_c / time_c)), 1 / events_t + 1 / events_c


def rate_difference(events_t: Floats, time_t: Floats, events_c: Floats, time_c: Floats) -> Effect:
    """Incidence rate difference (per unit of the time given) and its variance."""
    return events_t / time_t - events_c / time_c, events_t / time_t**2 + events_c / time_c**2
