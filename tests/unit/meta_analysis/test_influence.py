"""Deletion diagnostics, leave-one-out and cumulative pools against metafor, and by refitting."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "metafor_moderators.json").read_text("utf-8")
)["diagnostics"]
SAME_AS = {"cov_r": "cov_ratio", "tau2_del": "tau2_deleted", "q_del": "q_deleted"}
QUANTITIES = (
    *("rstudent", "dffits", "cook_d", "cov_r", "tau2_del", "q_del", "hat", "weight_pct"),
    *("baujat_x", "baujat_y", "influential"),
)
OF_A_POOL = (
    *("estimate", "se", "ci_low", "ci_high", "statistic", "p_value", "tau2", "i2_pct", "h2"),
    *("q", "q_p_value", "prediction_low", "prediction_high", "k"),
)
METHODS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
# One step of R's Fisher scoring stays at tau² = 0, a lower maximum of the likelihood than ours.
STUCK = ("bcg_ML_wald", 5)


def frame(name):
    data = PINNED[name]
    es = pd.DataFrame(data["data"])
    return es.assign(time=data["order"]) if "order" in data else es


def close(expected):
    return pytest.approx(np.array(expected, dtype=float), rel=1e-6, abs=1e-8, nan_ok=False)


def test_the_grid_is_whole():
    assert {name for name in PINNED if name.startswith("bcg_") and "latitude" not in name} == {
        *(f"bcg_{method}_wald" for method in METHODS),
        *(f"bcg_{method}_{ci}" for method in ("DL", "REML") for ci in ("hksj", "hksj_adhoc")),
    }
    sets = {"bcg_", "hackshaw1998", "raudenbush1985", "normand1999", "molloy2014", "bcg_latitude"}
    assert all(any(name.startswith(one) for name in PINNED) for one in sets)


@pytest.mark.parametrize("name", PINNED)
def test_influence_is_that_of_metafor(name):
    data = PINNED[name]
    found = vo.influence(
        frame(name), formula=data["formula"] or "~ 1", method=data["method"], ci=data["ci"]
    )
    for quantity in QUANTITIES:
        pinned = data[SAME_AS.get(quantity, quantity)]
        assert getattr(found, quantity).astype(float) == close(pinned), quantity
    names = {"intrcpt": "Intercept"}
    for term, pinned in data["dfbetas"].items():
        full_name = f"dfbetas_{names.get(term, term)}"
        column = "dfbetas" if found.terms == ("Intercept",) else full_name
        assert found.to_frame()[column].to_numpy() == close(pinned)


@pytest.mark.parametrize("name", [name for name in PINNED if "order" in PINNED[name]])
@pytest.mark.parametrize("kind", ["leave_one_out", "cumulative"])
def test_repeated_pools_are_those_of_metafor(name, kind):
    data = PINNED[name]
    options = {"order": "time"} if kind == "cumulative" else {}
    found = getattr(vo, kind)(frame(name), method=data["method"], ci=data["ci"], **options)
    rows = np.arange(len(found.labels))
    if kind == "cumulative" and name == STUCK[0]:
        rows = np.delete(rows, STUCK[1])
    for quantity, pinned in data[kind].items():
        if pinned is None:  # R has no tau² under EE, and prints t values elsewhere
            assert (data["method"], quantity) == ("EE", "tau2") or quantity == "statistic"
            continue
        expected = np.array(pinned, dtype=float)[rows]
        slack = {"abs": 1e-4} if quantity == "i2_pct" else {"rel": 1e-6, "abs": 1e-7}
        assert getattr(found, quantity)[rows] == pytest.approx(expected, **slack), quantity


def test_where_r_stays_at_a_lower_maximum_ours_is_higher():
    es = frame(STUCK[0]).sort_values("time").iloc[: STUCK[1] + 1]
    y, v = es["effect"].to_numpy(), es["variance"].to_numpy()

    def height(tau2):
        w = 1 / (v + tau2)
        return 0.5 * (np.log(w).sum() - (w * (y - (w * y).sum() / w.sum()) ** 2).sum())

    ours = vo.pool(es, method="ML").tau2
    theirs = PINNED[STUCK[0]]["cumulative"]["tau2"][STUCK[1]]
    assert height(ours) > height(theirs) + 0.1
    assert height(ours) >= max(height(t) for t in np.linspace(0, 1, 2001)) - 1e-9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ci", ["wald", "hksj", "hksj_adhoc"])
def test_repeated_pools_equal_pool(method, ci):
    es = frame("hackshaw1998_DL_wald").iloc[:9]
    without = vo.leave_one_out(es, method=method, ci=ci)
    steps = vo.cumulative(es, order="time", method=method, ci=ci)
    in_order = es.sort_values("time", kind="stable")
    for found, parts in (
        (without, [es.drop(index=i) for i in es.index]),
        (steps, [in_order.iloc[: i + 1] for i in range(len(es))]),
    ):
        for i, part in enumerate(parts):
            fit = vo.pool(part, method=method, ci=ci)
            for quantity in OF_A_POOL:
                one = getattr(found, quantity)[i]
                both_missing = math.isnan(one) and math.isnan(getattr(fit, quantity))
                assert both_missing or one == pytest.approx(
                    getattr(fit, quantity), rel=1e-8, abs=1e-10
                )


def test_deletion_by_refitting():
    """Definitions of Viechtbauer and Cheung (2010), from calls of pool."""
    es = frame("hackshaw1998_REML_wald").iloc[:8]
    found = vo.influence(es, method="REML")
    full = vo.pool(es, method="REML")
    for place, i in enumerate(es.index):
        rest = vo.pool(es.drop(index=i), method="REML")
        y, v = es.loc[i, "effect"], es.loc[i, "variance"]
        deleted = (y - rest.estimate) / math.sqrt(v + rest.tau2 + rest.se**2)
        assert found.rstudent[place] == pytest.approx(deleted, rel=1e-8)
        cook = (full.estimate - rest.estimate) ** 2 / full.se**2
        assert found.cook_d[place] == pytest.approx(cook, rel=1e-8)
        assert found.cov_r[place] == pytest.approx(rest.se**2 / full.se**2, rel=1e-8)
        assert found.baujat_y[place] == pytest.approx(
            (full.estimate - rest.estimate) ** 2 / rest.se**2, rel=1e-8
        )
    assert found.weight_pct == pytest.approx(full.weights_pct, rel=1e-9)


def test_a_level_only_one_study_has_gives_nan_and_a_note():
    es = pd.DataFrame(
        {"effect": [0.1, 0.2, 0.4, 0.3, 0.9], "variance": [0.02] * 5, "g": list("aaaab")}
    )
    found = vo.influence(es, formula="~ g", method="DL")
    assert math.isnan(found.cook_d[4])
    assert not np.isnan(found.cook_d[:4]).any()
    assert "NaN" in found.notes[0]


def test_order_of_rows_and_ties():
    es = pd.DataFrame(
        {
            "study": list("abcd"),
            "effect": [0.1, 0.5, 0.9, 0.2],
            "variance": [0.02] * 4,
            "year": [2010, 2001, 2010, np.nan],
        }
    )
    found = vo.cumulative(es, method="DL")
    assert found.labels == ("b", "a", "c")
    assert [(e.study, e.reason) for e in found.excluded] == [("d", "missing: year")]
    assert vo.cumulative(es, order=None).labels == ("a", "b", "c", "d")
    shuffled = vo.leave_one_out(es.iloc[::-1], method="REML").to_frame().set_index("study")
    assert shuffled.loc["a", "estimate"] == pytest.approx(
        vo.leave_one_out(es, method="REML").estimate[0], rel=1e-9
    )


def test_refusals_name_the_cause():
    es = pd.DataFrame({"effect": [0.1], "variance": [0.02], "year": [2000]})
    with pytest.raises(vo.InputError, match="at least 2 studies"):
        vo.leave_one_out(es)
    with pytest.raises(vo.InputError, match="at least 2 studies"):
        vo.influence(es)
    with pytest.raises(vo.InputError, match="month"):
        vo.cumulative(es, order="month")
    with pytest.raises(vo.InputError, match="sorted"):
        vo.cumulative(pd.concat([es, es]).assign(year=[2000, "unknown"]))
    for function in (vo.leave_one_out, vo.cumulative, vo.influence):
        with pytest.raises(vo.InputError, match="method"):
            function(pd.concat([es, es]), method="XX")
    assert vo.cumulative(es).k.tolist() == [1]


def test_results_show_themselves():
    es = frame("bcg_REML_wald").assign(measure="RR", year=range(13))
    for result in (vo.leave_one_out(es), vo.cumulative(es), vo.influence(es)):
        assert "<table>" in result._repr_html_()
        assert result.plot() is not None
        assert len(result.to_frame()) == 13
    assert "Leaving out one of 13 studies" in str(vo.leave_one_out(es))
    assert "Cumulative risk ratio" in str(vo.cumulative(es))
    natural = vo.leave_one_out(es).to_frame(scale="natural")
    assert natural["estimate"].to_numpy() == pytest.approx(np.exp(vo.leave_one_out(es).estimate))
    assert list(vo.influence(es).baujat.columns) == ["study", "x", "y"]
    with pytest.raises(AttributeError):
        vo.influence(es).nothing  # noqa: B018
