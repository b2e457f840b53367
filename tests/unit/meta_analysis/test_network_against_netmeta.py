"""Networks pinned from netmeta 2.8-2, REML also from metafor's rma.mv; scripts beside the numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

REFERENCE = Path(__file__).parents[2] / "reference"


def pinned(name):
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))


NETMETA = pinned("netmeta_reference.json")
REML = pinned("network_reml.json")["networks"]
ARMS = pinned("network_arms.json")
NAMES = ("senn2013", "woods2010", "linde2015", "dong2013")
ANCHOR = dict.fromkeys(NAMES, "Placebo") | {"senn2013": "plac"}


def contrasts(name):
    return pd.DataFrame(NETMETA[name]["contrasts"])


def pool(name, **options):
    return vo.pool_network(contrasts(name), measure=NETMETA[name]["measure"], **options)


def close(ours, pin, *, within=1e-10):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(pin, float), atol=within, rtol=0)


def test_the_grid_is_whole():
    assert set(NAMES) == set(NETMETA) == set(REML)
    assert {len(NETMETA[name]["treatments"]) for name in NAMES} == {10, 4, 9, 6}
    # every network has studies of more than two arms, and one has a four-arm study
    sizes = [contrasts(name).groupby("study").size().max() for name in NAMES]
    assert min(sizes) == 3
    assert max(sizes) == 6


@pytest.mark.parametrize("name", NAMES)
def test_treatments_come_in_the_order_of_netmeta(name):
    assert list(pool(name).treatments) == NETMETA[name]["treatments"]


@pytest.mark.parametrize("name", NAMES)
def test_common_and_random_effects(name):
    net, pin = pool(name), NETMETA[name]
    assert net.tau2 == pytest.approx(pin["random_dl"]["tau2"], rel=1e-12, abs=1e-14)
    for model, key in (("common", "common"), ("random", "random_dl")):
        close(net.estimate(model), pin[key]["estimate"])
        close(net.se(model), pin[key]["se"])


@pytest.mark.parametrize("name", NAMES)
def test_heterogeneity_of_the_network(name):
    net, pin = pool(name), NETMETA[name]
    assert (net.q, net.q_df) == (pytest.approx(pin["q"], rel=1e-10), pin["df"])
    assert net.i2_pct == pytest.approx(100 * pin["i2"], abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_reml_of_netmeta(name):
    """Without the sampling covariance of multi-arm studies, as netmeta 2.8 computes it."""
    net = pool(name, method="REML", reference=ANCHOR[name])
    pin = NETMETA[name]["random_reml"]
    assert net.tau2 == pytest.approx(pin["tau2"], abs=1e-8)
    assert net.tau2 == pytest.approx(REML[name]["diagonal"]["tau2"], abs=2e-8)
    close(net.estimate(), pin["estimate"], within=1e-8)
    close(net.se(), pin["se"], within=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_reml_of_the_exact_model(name):
    """metafor::rma.mv with the full sampling covariance and tau²/2 between contrasts of a study."""
    net, pin = pool(name, method="REML_exact"), REML[name]["exact"]
    assert net.treatments[0] == REML[name]["first"]
    assert net.tau2 == pytest.approx(pin["tau2"], abs=2e-8)
    first = REML[name]["first"]
    close(net.estimate()[first].drop(first), pin["estimate"], within=2e-8)
    close(net.se()[first].drop(first), pin["se"], within=5e-8)


@pytest.mark.parametrize("name", NAMES)
def test_q_by_design(name):
    table, pin = pool(name).inconsistency(), NETMETA[name]
    for ours, row in zip(
        ("total", "within designs", "between designs"), pin["q_decomposition"], strict=True
    ):
        assert table.loc[ours, "q"] == pytest.approx(row["Q"], abs=1e-10)
        assert table.loc[ours, "q_df"] == row["df"]
        assert table.loc[ours, "q_p_value"] == pytest.approx(row["pval"], rel=1e-9)
    last, row = table.loc["between designs, random effects"], pin["q_interaction"][0]
    assert last["q"] == pytest.approx(row["Q"], abs=1e-10)
    assert last["q_p_value"] == pytest.approx(row["pval"], rel=1e-9)
    assert np.sqrt(last["tau2"]) == pytest.approx(row["tau.within"], abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_node_splitting(name):
    ours = pool(name, reference=ANCHOR[name]).node_split().set_index("comparison")
    pin = pd.DataFrame(NETMETA[name]["node_split_random"]).set_index("comparison").astype(float)
    assert list(ours.index) == list(pin.index)
    columns = {"direct": "direct", "direct_se": "direct_se", "indirect": "indirect"}
    columns |= {"indirect_se": "indirect_se", "difference": "difference", "z": "statistic"}
    for theirs, mine in (columns | {"p": "p_value"}).items():
        close(ours[mine], pin[theirs], within=1e-9)  # NaN in the same places
    assert pin["difference"].notna().any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["random", "common"])
def test_p_scores(name, model):
    ours = pool(name).p_scores(small_is_good=True, model=model)
    assert ours.to_dict() == pytest.approx(NETMETA[name][f"p_scores_{model}"], abs=1e-10)


@pytest.mark.parametrize("name", ["woods2010", "dong2013", "linde2015"])
def test_contrasts_from_arms(name):
    """netmeta::pairwise; the pin has no study with a comparison of two arms without events."""
    made = vo.network_contrasts(pd.DataFrame(ARMS[name]), measure="OR")
    made = made[made["effect"].notna()]
    pin = contrasts(name)
    extra = set(made["study"]) - set(pin["study"])
    assert extra == ({"33", "41"} if name == "dong2013" else set())
    made = made[~made["study"].isin(extra)]

    def oriented(table):
        flip = table["treat_t"] > table["treat_c"]
        first, last = (
            table[["treat_t", "treat_c"]].min(axis=1),
            table[["treat_t", "treat_c"]].max(axis=1),
        )
        effect = table["effect"].where(~flip, -table["effect"])
        frame = pd.DataFrame(
            {"study": table["study"], "a": first, "b": last, "y": effect, "se": table["se"]}
        )
        return frame.set_index(["study", "a", "b"]).sort_index()

    ours, theirs = oriented(made), oriented(pin)
    assert list(ours.index) == list(theirs.index)
    close(ours, theirs, within=1e-12)
