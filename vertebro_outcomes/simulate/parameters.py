"""Every number of the structural model: value, unit, where it comes from, what it means.

`source` is "assumed", or an expression over rows of `data/raw/literature`: `cohort_profile[88].value`
is column value in line 88 of cohort_profile.csv. A test computes each from the sheets.

The registry stands for patients as published open-label trials and national registries describe
them: pain and its course from Klazen 2010, Evans 2016, Wardlaw 2009 and Boonen 2011, patients from
a trial of both procedures (Dohm 2014), deaths from claims data. Sham-controlled trials found far
smaller differences of pain; the simulator takes no side, it needs an effect to be found.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.simulate.declared import DECLARED


@dataclass(frozen=True)
class Parameter:
    """One declared number; `source` says which rows it comes from, or "assumed"."""

    name: str
    value: float
    unit: str
    source: str
    meaning: str


PARAMETERS: Final[dict[str, Parameter]] = {row[0]: Parameter(*row) for row in DECLARED}
VISITS: Final = (0, 1, 7, 30, 90, 180, 365, 730)


def number(name: str) -> float:
    """The declared value of a parameter."""
    return PARAMETERS[name].value


def course(prefix: str) -> tuple[float, ...]:
    """A value per visit: linear in log(1 + day) between the declared days, constant outside them."""
    known = {
        int(name.removeprefix(f"{prefix}_")): p.value
        for name, p in PARAMETERS.items()
        if name.startswith(f"{prefix}_") and name.removeprefix(f"{prefix}_").isdigit()
    }
    days = sorted(known)
    found = np.interp(np.log1p(VISITS), np.log1p(days), [known[day] for day in days])
    return tuple(float(value) for value in found)


NSM_PAIN: Final = course("pain_nsm")
# The procedure acts at once: the first declared difference holds from day 1.
EFFECT: Final = {arm: (0.0, *course(f"effect_{arm.lower()}")[1:]) for arm in ("VP", "KP")}
# Intercept, slope on pain and SD of the other scores.
OTHER_SCORES: Final = {
    name: (number(f"{name}_start"), number(f"{name}_slope"), number(f"{name}_sd"))
    for name in ("odi", "rmdq", "eq5d")
}
# Share of index fractures by level, T1 to L5: T11, T12 and L1 as printed among listed levels, the
# thoracic total as printed (cohort_profile.csv 121, 124, 127, 133 and 257), the rest assumed.
LEVEL_SHARE: Final = (
    *(0.0, 0.0, 0.0, 0.01, 0.02, 0.03, 0.05, 0.06, 0.05, 0.05, 0.11, 0.16),
    *(0.19, 0.11, 0.08, 0.06, 0.02),
)
LEAK_SITE_SHARE: Final = tuple(
    number(f"leak_{site}") for site in ("disc", "epidural", "foraminal", "venous", "paravertebral")
)
_LAST_DAY: Final = {
    "symptomatic_leakage": 2, "nerve_root_irritation": 7, "pulmonary_cement_embolism": 2,
    "infection": 30, "haematoma": 3, "rib_fracture": 30, "pneumonia": 30,
    "urinary_tract_infection": 30, "thrombosis": 30,
}  # fmt: skip


def _risk(name: str, arm: str) -> float:
    declared = PARAMETERS.get(f"risk_{name}_{arm}")
    return declared.value if declared is not None else 0.0


# 30-day probabilities under NSM, VP and KP, and the last day on which the event may happen (assumed).
EVENT_RISK: Final[dict[str, tuple[float, float, float, int]]] = {
    name: (_risk(name, "nsm"), _risk(name, "vp"), _risk(name, "kp"), last)
    for name, last in _LAST_DAY.items()
}


def simulation_parameters() -> pd.DataFrame:
    """The declared numbers of the simulated registry.

    Returns
    -------
    DataFrame
        `name value unit source meaning`; `source` is an expression over rows of `data/raw/literature`
        (`cohort_profile[88].value`: line 88 of cohort_profile.csv) or "assumed".

    Examples
    --------
    >>> simulation_parameters().columns.tolist()
    ['name', 'value', 'unit', 'source', 'meaning']
    """
    return pd.DataFrame([vars(p) for p in PARAMETERS.values()])
