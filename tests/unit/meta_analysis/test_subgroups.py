"""Subgroups and the test between them, against metafor and by algebra."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "reference" / "metafor_moderators.json").read_text("utf-8")
)
PINNED = REFERENCE["subgroups"]


def frame(name):
    return pd.DataFrame(PINNED[name]["data"])


def test_the_pins_are_there():
    assert len(PINNED) == 5


@pytest.mark.parametrize("name", PINNED)
def test_subgroups_as_in_r(name):
    data = PINNED[name]
    own = vo.subgroups(frame(name), by="group", method=data["method"])
    assert list(own.groups) == data["names"]
    for i, group in enumerate(data["names"]):
        assert own[group].estimate == pytest.approx(data["estimate"][i], rel=1e-8)
        assert own[group].se == pytest.approx(data["se"][i], rel=1e-8)
        assert own[group].tau2 == pytest.approx(np.atleast_1d(data["tau2"])[i], rel=1e-8, abs=1e-10)
    assert own.q_between == pytest.approx(data["q_between"], rel=1e-7)
    assert own.q_between_p_value == pytest.approx(data["q_between_p_value"], rel=1e-7)
    shared = vo.subgroups(frame(name), by="group", method=data["method"], common_tau2=True)
    assert shared.q_between == pytest.approx(data["q_between_common"], rel=1e-7)
    assert shared.q_between_p_value == pytest.approx(data["q_between_common_p_value"], rel=1e-7)
    for fit in shared.groups.values():
        assert fit.tau2 == pytest.approx(data["tau2_common"], rel=1e-7, abs=1e-10)
    assert own.overall.k == sum(fit.k for fit in own.groups.values())


@pytest.mark.parametrize("ci", ["wald", "hksj", "hksj_adhoc"])
def test_one_tau2_is_a_meta_regression(ci):
    es = frame("bcg_allocation_REML")
    shared = vo.subgroups(es, by="group", method="REML", ci=ci, common_tau2=True)
    means = vo.meta_regression(es, "~ 0 + group", method="REML", ci=ci).coefficients
    for name, fit in shared.groups.items():
        for quantity in ("estimate", "se", "ci_low", "ci_high", "p_value"):
            expected = means.loc[f"group[{name}]", quantity]
            assert getattr(fit, quantity) == pytest.approx(expected, rel=1e-8)
    pinned = next(
        fit for fit in REFERENCE["regressions"]["bcg_allocation"]["fits"]
        if (fit["method"], fit["ci"]) == ("REML", ci)
    )  # fmt: skip
    assert shared.q_between == pytest.approx(pinned["q_moderators"], rel=1e-7)
    assert shared.q_between_p_value == pytest.approx(pinned["q_moderators_p_value"], rel=1e-7)


def test_common_effect_heterogeneity_adds_up():
    """Q of all studies is Q within plus Q between when the weights are those of a common effect."""
    parts = vo.subgroups(frame("bcg_allocation_EE"), by="group", method="EE")
    within = sum(fit.q for fit in parts.groups.values())
    assert within + parts.q_between == pytest.approx(parts.overall.q, rel=1e-12)


def test_rows_without_a_subgroup_are_listed_and_order_does_not_matter():
    es = frame("bcg_allocation_DL")
    es.loc[2, "group"] = None
    found = vo.subgroups(es, by="group", method="DL")
    assert [(e.study, e.reason) for e in found.excluded] == [("row 3", "missing: group")]
    again = vo.subgroups(es.sample(frac=1, random_state=1), by="group", method="DL")
    assert again.q_between == pytest.approx(found.q_between, rel=1e-10)
    assert list(again.groups) == list(found.groups)


def test_single_studies_and_refusals():
    es = pd.DataFrame(
        {"effect": [0.1, 0.5, 0.4], "variance": [0.02] * 3, "g": list("abb"), "one": 1}
    )
    assert vo.subgroups(es, by="g")["a"].estimate == 0.1
    for by, words in (("one", "1 subgroup"), ("colour", "colour")):
        with pytest.raises(vo.InputError, match=words):
            vo.subgroups(es, by=by)
    with pytest.raises(vo.InputError, match="method"):
        vo.subgroups(es, by="g", method="XX")


def test_the_result_shows_itself():
    found = vo.subgroups(frame("bcg_allocation_REML").assign(measure="RR"), by="group")
    assert "test for subgroup differences Q = " in str(found)
    assert found.to_frame(scale="natural")["subgroup"].tolist()[-1] == "all studies"
    assert "<table>" in found._repr_html_()
    assert found.plot().get_xlabel() == "risk ratio"
