"""Three-level models and cluster-robust variances against rma.mv and clubSandwich, and by algebra."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "metafor_multilevel.json").read_text("utf-8")
)
THREE, ONE = PINNED["multilevel"], PINNED["meta_regression"]
KINDS = ("CR0", "CR1", "CR1p", "CR2")
# rma.mv optimises by finite differences: its variance components agree to about 1e-7 (boundary 1e-8)
CLOSE = {"rel": 1e-6, "abs": 1e-7}


def three(name, **options):
    data = THREE[name]
    return vo.pool_multilevel(
        pd.DataFrame(data["data"]), data["formula"], cluster=data["cluster"],
        method=data["method"], rho=data["rho"], **options,
    )  # fmt: skip


def one(name, **options):
    data = ONE[name]
    es = pd.DataFrame(data["data"])
    return vo.meta_regression(es, data["formula"], cluster=data["cluster"], **options)


def column(fit, name):
    return fit.coefficients[name].to_numpy()


def test_the_pins_are_whole():
    assert len(THREE) == 13
    assert len(ONE) == 6
    assert {data["method"] for data in THREE.values()} == {"REML", "ML"}
    assert {data["rho"] for data in THREE.values()} == {0, 0.4, 0.6}
    for data in (*THREE.values(), *ONE.values()):
        assert set(KINDS) < set(data["robust"])


@pytest.mark.parametrize("name", THREE)
def test_three_levels_as_rma_mv(name):
    data, fit = THREE[name], three(name)
    assert [fit.sigma2_between, fit.sigma2_within] == pytest.approx(data["sigma2"], **CLOSE)
    for quantity in ("estimate", "se", "statistic", "p_value", "ci_low", "ci_high"):
        assert column(fit, quantity) == pytest.approx(np.atleast_1d(data[quantity]), **CLOSE), (
            quantity
        )
    for quantity in ("q", "q_moderators"):
        assert getattr(fit, quantity) == pytest.approx(data[quantity], rel=1e-6)
    assert fit.q_p_value == pytest.approx(data["q_p_value"], rel=1e-8)
    assert fit.log_likelihood == pytest.approx(data["log_likelihood"], abs=1e-8)
    assert fit.aic == pytest.approx(data["aic"], abs=1e-7)
    if data["prediction_low"] is not None:
        assert fit.prediction_low == pytest.approx(data["prediction_low"], **CLOSE)
        assert fit.prediction_high == pytest.approx(data["prediction_high"], **CLOSE)
    if data["profile"]:
        limits = fit.variance_intervals()
        for level in ("between", "within"):
            found = limits.loc[level, ["ci_low", "ci_high"]].to_numpy(dtype=float)
            assert found == pytest.approx(data["profile"][level], **CLOSE)
    assert fit.notes == ()


@pytest.mark.parametrize("name", [*THREE, *ONE])
@pytest.mark.parametrize("kind", KINDS)
def test_robust_covariance_as_clubsandwich(name, kind):
    data = THREE.get(name) or ONE[name]
    fit = (three if name in THREE else one)(name, robust=kind)
    pinned = data["robust"][kind]
    assert fit.covariance.to_numpy() == pytest.approx(
        np.atleast_2d(pinned["vcov"]), rel=1e-5 if name in THREE else 1e-9, abs=1e-9
    )
    slack = {"rel": 1e-6} if name in THREE else {"rel": 1e-9}
    if kind == "CR2":
        assert column(fit, "df") == pytest.approx(np.atleast_1d(pinned["df"]), **slack)
    if kind == "CR1p":
        theirs = data["robust"]["metafor_adjusted"]
        assert column(fit, "se") == pytest.approx(np.atleast_1d(theirs["se"]), rel=1e-5)
        assert set(column(fit, "df")) == {theirs["df"]}
        for quantity in ("p_value", "ci_low", "ci_high"):
            expected = np.atleast_1d(theirs[quantity])
            assert column(fit, quantity) == pytest.approx(expected, rel=1e-5, abs=1e-8)
        assert fit.q_moderators == pytest.approx(theirs["qm"], rel=1e-5)
        assert fit.q_moderators_p_value == pytest.approx(theirs["qmp"], rel=1e-4)


@pytest.mark.parametrize("name", [*THREE, *ONE])
def test_joint_test_is_the_approximate_hotelling_test(name):
    """clubSandwich's Wald_test(test = "HTZ") of all coefficients."""
    from vertebro_outcomes.estimators.pooled.cluster_robust import robust_covariance
    from vertebro_outcomes.estimators.pooled.clusters import gather

    data = THREE.get(name) or ONE[name]
    pinned = data["robust"]["wald_htz"]
    es = pd.DataFrame(data["data"])
    if name in THREE:
        fit = three(name)
        gathered, sigma2 = fit.data, np.array([fit.sigma2_between, fit.sigma2_within])
    else:
        fit = one(name, robust="CR2")
        groups = pd.factorize(es[data["cluster"]])[0]
        gathered, sigma2 = (
            gather(fit.effects, fit.variances, x=fit.x, cluster=groups),
            np.array([0, fit.tau2]),
        )
    robust = robust_covariance(gathered, sigma2=sigma2, kind="CR2")
    beta = column(fit, "estimate")
    f, df, df2, p_value = robust.joint_test(beta, np.ones(len(beta), dtype=bool))
    assert [f, df, df2, p_value] == pytest.approx(
        [pinned[key] for key in ("f", "df_num", "df", "p")], rel=2e-6
    )


def test_printed_example_of_school_calendars():
    """Konstantopoulos (2011) as analysed on metafor-project.org: four printed decimals."""
    fit = three("konstantopoulos2011_REML")
    assert f"{fit.sigma2_between:.4f} {fit.sigma2_within:.4f}" == "0.0651 0.0327"
    assert (
        f"{fit.estimate:.4f} {fit.se:.4f} {fit.statistic:.4f} {fit.p_value:.4f}"
        == "0.1847 0.0846 2.1845 0.0289"
    )
    assert f"{fit.q:.4f}" == "578.8640"


@pytest.mark.parametrize(("method", "rho"), [("REML", 0.0), ("ML", 0.3)])
def test_the_likelihood_by_dense_matrices_is_highest_at_our_estimates(method, rho):
    es = pd.DataFrame(THREE["assink2016_REML"]["data"]).iloc[:40]
    fit = vo.pool_multilevel(es, cluster="paper", method=method, rho=rho)
    y, v = es["effect"].to_numpy(), es["variance"].to_numpy()
    same = es["paper"].to_numpy()[:, None] == es["paper"].to_numpy()[None, :]
    sampling = np.sqrt(np.outer(v, v)) * np.where(np.eye(len(y)), 1.0, rho) * same

    def height(between, within):
        big = sampling + between * same + within * np.eye(len(y))
        inverse = np.linalg.inv(big)
        total = inverse.sum()
        r = y - inverse.sum(axis=0) @ y / total
        value = -0.5 * (
            len(y) * math.log(2 * math.pi) + np.linalg.slogdet(big)[1] + r @ inverse @ r
        )
        if method == "REML":
            value += 0.5 * (math.log(2 * math.pi) - math.log(total) + math.log(len(y)))
        return value

    best = height(fit.sigma2_between, fit.sigma2_within)
    assert fit.log_likelihood == pytest.approx(best, abs=1e-9)
    for a in (-0.05, 0, 0.05):
        for b in (-0.05, 0, 0.05):
            assert height(fit.sigma2_between * (1 + a), fit.sigma2_within * (1 + b)) <= best + 1e-12


def test_single_effects_per_cluster_make_cr2_the_hc2_variance():
    es = pd.DataFrame(ONE["raudenbush1985_single"]["data"])
    fit = vo.meta_regression(es, "~ weeks", method="EE", robust="CR2", cluster="id")
    w, x = 1 / fit.variances, fit.x
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    hat = w * np.einsum("ij,jl,il->i", x, bread, x)
    e = fit.effects - x @ column(fit, "estimate")
    meat = x.T @ ((w**2 * e**2 / (1 - hat))[:, None] * x)
    assert fit.covariance.to_numpy() == pytest.approx(bread @ meat @ bread, rel=1e-9)


def test_laws():
    es = pd.DataFrame(THREE["assink2016_REML"]["data"])
    fit = vo.pool_multilevel(es, cluster="paper", robust="CR2")
    shuffled = vo.pool_multilevel(es.sample(frac=1, random_state=3), cluster="paper", robust="CR2")
    swapped = vo.pool_multilevel(es.assign(effect=-es["effect"]), cluster="paper", robust="CR2")
    scaled = vo.pool_multilevel(
        es.assign(effect=100 * es["effect"], variance=1e4 * es["variance"]),
        cluster="paper",
        robust="CR2",
    )
    for other, factor in ((shuffled, 1), (swapped, -1), (scaled, 100)):
        assert other.estimate == pytest.approx(factor * fit.estimate, rel=1e-8)
        assert other.se == pytest.approx(abs(factor) * fit.se, rel=1e-8)
        assert other.sigma2_between == pytest.approx(factor**2 * fit.sigma2_between, rel=1e-7)
        assert other.coefficients["df"].iloc[0] == pytest.approx(
            fit.coefficients["df"].iloc[0], rel=1e-7
        )
    renamed = es.assign(paper=es["paper"].map(lambda n: f"trial {99 - n}"))
    assert vo.pool_multilevel(renamed, cluster="paper").estimate == pytest.approx(
        vo.pool_multilevel(es, cluster="paper").estimate, rel=1e-9
    )


ES = pd.DataFrame(
    {
        "effect": [0.1, 0.2, 0.5, 0.7, 0.4],
        "variance": [0.02] * 5,
        "trial": ["a", "a", "b", "b", None],
        "own": list("abcde"),
        "only": 1,
    }
)


def test_effects_without_a_cluster_are_listed():
    fit = vo.pool_multilevel(ES, cluster="trial")
    assert [(e.study, e.reason) for e in fit.excluded] == [("row 5", "missing: trial")]
    assert (fit.k, fit.n_clusters) == (4, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cluster": "own"}, "one effect in every cluster"),
        ({"cluster": "only"}, "1 cluster"),
        ({"cluster": "nowhere"}, "nowhere"),
        ({"cluster": "trial", "rho": 1.0}, "rho"),
        ({"cluster": "trial", "method": "DL"}, "method"),
        ({"cluster": "trial", "ci": "hksj"}, "ci"),
        ({"cluster": "trial", "robust": "HC3"}, "robust"),
    ],
)
def test_refusals_name_the_cause(options, words):
    with pytest.raises(vo.InputError, match=words):
        vo.pool_multilevel(ES, **options)


def test_too_few_clusters_for_a_robust_variance():
    es = ES.dropna().assign(x=[1.0, 2, 3, 5])
    with pytest.raises(vo.InputError, match="2 clusters"):
        vo.meta_regression(es, "~ x", robust="CR2", cluster="trial")


def test_t_quantiles_and_display():
    fit = three("konstantopoulos2011_REML", ci="t")
    assert column(fit, "df")[0] == 55
    assert "three-level model (REML), 56 effects in 11 district clusters" in str(fit)
    assert "<table>" in fit._repr_html_()
    assert fit.plot() is not None
    assert fit.to_frame()["term"].tolist() == ["Intercept"]
