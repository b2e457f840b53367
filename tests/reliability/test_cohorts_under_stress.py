"""Degenerate patients get a result that holds together or one of our messages, from every analysis.

The usual run takes each variant of each call to one cohort, another for every variant;
`pytest -m slow` takes all to all, with `VERTEBRO_FUZZ=0.1` every tenth.
"""

import inspect
import os
from collections import Counter
from itertools import chain

import numpy as np
import pytest

import vertebro_outcomes as vo
from tests.reliability.stress.honest import ANSWERED, outcome_of
from tests.reliability.stress.patients import ARMS, CALLS, MAKERS, cohort_of
from tests.reliability.stress.studies import STRESS
from tests.reliability.tally import tally
from vertebro_outcomes.estimators.survival.aalen_johansen import interval

EACH = max(1, round(1 / float(os.environ.get("VERTEBRO_FUZZ", "1"))))  # every so many cohorts
PLACES = {name: place for place, name in enumerate(CALLS)}


def test_every_public_analysis_is_put_under_stress():
    public = {name for name, home in vo._HOME_OF.items() if home.startswith("comparisons.")}
    of_cohorts = {
        name
        for name in public
        if inspect.isfunction(getattr(vo, name))
        and "cohort" in inspect.signature(getattr(vo, name)).parameters
    }
    assert len(of_cohorts) > 15
    assert of_cohorts <= set(CALLS)


# Public functions that estimate nothing from tables of the caller: they read and write files, take the
# published literature as it was loaded, or simulate.
NO_ESTIMATE = {
    "analyse_registries", "answer", "build_report", "check", "claims_of", "examine_claims",
    "export_registry", "find_settings", "level_distance", "literature_network", "load", "load_claims",
    "load_literature", "load_settings", "make_report", "networks_of", "normalise", "normalise_all",
    "parse_level", "parse_levels", "propose_mapping", "published_rates", "read_site_bundle", "read_table",
    "reproduce", "reproduce_literature", "run_notebooks", "score_load", "select_contrasts",
    "select_proportions", "simulate_registry", "simulate_to", "simulation_parameters", "trial_cohort",
    "write_extraction_template", "write_reproduction", "write_tables",
}  # fmt: skip


def test_whatever_else_is_public_estimates_nothing():
    functions = {name for name in vo._HOME_OF if inspect.isfunction(getattr(vo, name))}
    tried = set(CALLS) | set(chain.from_iterable(calls for _, calls, _ in STRESS))
    assert functions - tried == NO_ESTIMATE


def judged(call, label: str, what: str) -> str:
    try:
        return outcome_of(call, cohort_of(what))
    except BaseException as error:
        error.add_note(f"{label}, {what}")
        raise


@pytest.mark.parametrize("name", CALLS)
def test_degenerate_patients(name):
    cohorts = list(MAKERS)
    for place, (label, call) in enumerate(CALLS[name].items()):
        if label.startswith("clone_censor_weight"):  # hundreds of samples drawn again
            continue
        judged(call, label, cohorts[(7 * PLACES[name] + 5 * place + 1) % len(cohorts)])


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_degenerate_patients_in_every_variant(name):
    found = Counter(
        judged(call, label, what)
        for place, (label, call) in enumerate(CALLS[name].items())
        for what in list(MAKERS)[place % EACH :: EACH]
    )
    assert EACH > 1 or found[ANSWERED]
    tally("statistics under stress", name, inputs=found.total(), answered=found[ANSWERED])


def test_a_curve_without_spread_has_no_interval():
    """One of one had the fracture: 100%, and nothing is known of how sure that is."""
    for transform in ("log", "log-log", "plain"):
        low, high = interval(np.array([1.0, 0.0]), np.array([0.0, 0.0]), transform=transform)
        assert np.isnan(low).all()
        assert np.isnan(high).all()
    frame = vo.cumulative_incidence(cohort_of("fractures in one arm")).to_frame()
    assert frame.loc[frame["se"] == 0, ["ci_low", "ci_high"]].isna().all(axis=None)


def test_a_trial_whose_outcome_never_varies_has_no_interval():
    for what in ("every score zero", "every score the same"):
        with pytest.raises(vo.InputError, match="does not vary, so its spread says nothing"):
            vo.compare(
                cohort_of(what), **ARMS, outcome="pain_vas", day=90, method="clone_censor_weight"
            )


def test_one_cluster_says_nothing_on_spread():
    for call in (vo.cumulative_incidence, vo.adjacent_fractures):
        how = {} if call is vo.cumulative_incidence else {**ARMS, "event": "fracture"}
        with pytest.raises(vo.InputError, match="at least two groups"):
            call(cohort_of("one site"), cluster="site", **how)


def test_a_site_whose_scores_cannot_be_fitted_is_named_and_the_others_are_combined():
    found = CALLS["combine_sites"]["with ordinary ones"](cohort_of("every score the same"))
    assert "no estimate of A alone, where a column does not vary" in " ".join(found.notes)
    assert {"ordinary 6", "ordinary 7"} <= set(found.sites["site"])


def test_events_of_all_on_one_day_have_no_robust_error():
    with pytest.raises(vo.InputError, match="no spread is left"):
        vo.adjacent_fractures(cohort_of("everybody fractures at once"), **ARMS, method="fine_gray")
