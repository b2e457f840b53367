"""The same data give the same numbers to 1e-9 in every Python and with every version of what we need.

The numbers stored here are no truth: what they should be is tested elsewhere, against R and printed
values. They are what one Python gave, so that another (`make versions`) can be held against it.
`python -m tests.reliability.test_same_numbers` writes them again after a change that means to move one.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

STORED = Path(__file__).with_name("numbers.json")
AGREEMENT = 1e-9
COUNTS = pd.DataFrame(
    {
        "study": list("abcdefg"),
        "events_t": [4, 6, 3, 62, 33, 18, 1],
        "n_t": [123, 306, 231, 135, 150, 210, 98],
        "events_c": [11, 29, 11, 54, 47, 37, 3],
        "n_c": [139, 303, 220, 139, 153, 205, 97],
        "year": [2001, 2003, 2004, 2009, 2011, 2014, 2019],
    }
)
CONTRASTS = pd.DataFrame(
    {
        "study": ["a", "b", "c", "d", "e", "e", "e"],
        "treat_t": ["VP", "VP", "KP", "KP", "VP", "KP", "VP"],
        "treat_c": ["NSM", "NSM", "NSM", "VP", "NSM", "NSM", "KP"],
        "effect": [-0.61, -0.32, -0.85, -0.12, -0.44, -0.5, 0.06],
        "se": [0.21, 0.33, 0.25, 0.18, 0.24, 0.26, 0.22],
    }
)
ASKED = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "day": 30}


def pooled():
    """(name, result) of published figures."""
    for measure in ("RR", "OR", "RD"):
        es = vo.effect_sizes(COUNTS, measure=measure)
        for method in ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"):
            yield f"{measure} {method}", vo.pool(es, method=method, ci="hksj")
    for measure, method in (("OR", "mantel_haenszel"), ("PETO", "peto"), ("OR", "beta_binomial")):
        yield f"{measure} {method}", vo.pool_counts(COUNTS, measure=measure, method=method)
    es = vo.effect_sizes(COUNTS, measure="RR")
    yield "egger", vo.small_study_effects(es, test="egger")
    yield "trim and fill", vo.trim_and_fill(es)
    yield "network", vo.pool_network(CONTRASTS, reference="NSM")
    yield "Bayes", vo.pool_bayes(es)


def patients():
    """(name, result) of a simulated registry."""
    cohort, _ = vo.simulate_registry(n_patients=250, seed=11)
    for method in ("ancova", "overlap_weighting", "mmrm"):
        yield method, vo.compare(cohort, **ASKED, method=method)
    yield "cumulative incidence", vo.cumulative_incidence(cohort, event="fracture", by="treatment")
    how = {"treatment": "KP", "comparator": "NSM", "covariates": ["age_years"]}
    for method in ("cox", "fine_gray"):
        yield method, vo.adjacent_fractures(cohort, method=method, **how)


def numbers(results) -> dict[str, list[float | None]]:
    """Every number of every result, in the order of its table; None where there is none."""
    found = {}
    for name, result in results():
        frame = result.to_frame().select_dtypes("number")
        cells = frame.to_numpy(float).ravel()
        found[name] = [None if np.isnan(cell) else float(cell) for cell in cells]
    return found


@pytest.mark.parametrize("part", [pooled, pytest.param(patients, marks=pytest.mark.slow)])
def test_this_python_gives_the_stored_numbers(part):
    stored = json.loads(STORED.read_text("utf-8"))[part.__name__]
    found = numbers(part)
    assert list(found) == list(stored)
    assert sum(map(len, found.values())) > 100
    for name, cells in found.items():
        expected = np.array(stored[name], dtype=float)
        assert np.array(cells, dtype=float) == pytest.approx(
            expected, rel=AGREEMENT, abs=AGREEMENT, nan_ok=True
        ), name


if __name__ == "__main__":
    every = {part.__name__: numbers(part) for part in (pooled, patients)}
    STORED.write_text(json.dumps(every, indent=0) + "\n", "utf-8")
