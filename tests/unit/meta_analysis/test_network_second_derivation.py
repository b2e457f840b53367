"""The same quantities by generalised least squares on basic contrasts with their full covariance."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "netmeta_reference.json").read_text(encoding="utf-8")
)
NAMES = sorted(PINNED)


class Gls:
    """Contrasts against the last arm of each study; covariance by V_ij - V_ib - V_jb over -2."""

    def __init__(self, contrasts, treatments):
        blocks = [self._study(part, treatments) for _, part in contrasts.groupby("study")]
        self.y = np.concatenate([block[0] for block in blocks])
        self.x = np.vstack([block[1] for block in blocks])
        self.s = self._diagonal([block[2] for block in blocks])
        self.half = self._diagonal([0.5 * (np.eye(len(b[0])) + 1) for b in blocks])
        self.design = np.concatenate([[block[3]] * len(block[0]) for block in blocks])

    @staticmethod
    def _diagonal(blocks):
        n = sum(len(block) for block in blocks)
        out, at = np.zeros((n, n)), 0
        for block in blocks:
            out[at : at + len(block), at : at + len(block)] = block
            at += len(block)
        return out

    @staticmethod
    def _study(part, treatments):
        arms = [t for t in treatments if t in set(part["treat_t"]) | set(part["treat_c"])]
        *others, base = arms
        y, v = {}, {}
        for row in part.itertuples():
            y[row.treat_t, row.treat_c], y[row.treat_c, row.treat_t] = row.effect, -row.effect
            v[row.treat_t, row.treat_c] = v[row.treat_c, row.treat_t] = row.se**2
        v |= {(arm, arm): 0.0 for arm in arms}
        x = np.array([[(t == o) - (t == base) for t in treatments[1:]] for o in others], float)
        s = [[(v[i, base] + v[j, base] - v[i, j]) / 2 for j in others] for i in others]
        return [y[o, base] for o in others], x, np.array(s), ":".join(arms)

    def fit(self, tau2, x=None):
        x = self.x if x is None else x
        w = np.linalg.inv(self.s + tau2 * self.half)
        c = np.linalg.inv(x.T @ w @ x)
        b = c @ x.T @ w @ self.y
        r = self.y - x @ b
        return b, c, float(r @ w @ r), w

    def moments(self, x=None):
        x = self.x if x is None else x
        _, c, q, w = self.fit(0.0, x)
        df = len(self.y) - x.shape[1]
        p = w - w @ x @ c @ x.T @ w
        return q, df, max(0.0, (q - df) / np.trace(p @ self.half))

    def by_design(self):
        columns = []
        for name in sorted(set(self.design)):
            member = self.design == name
            u, d, _ = np.linalg.svd(self.x[member], full_matrices=False)
            block = np.zeros((len(self.y), int((d > 1e-9).sum())))
            block[member] = u[:, d > 1e-9]
            columns.append(block)
        return np.hstack(columns)

    def reml_loss(self, tau2):
        _, c, q, w = self.fit(tau2)
        return 0.5 * (q - np.linalg.slogdet(w)[1] - np.linalg.slogdet(c)[1])


def case(name):
    table = pd.DataFrame(PINNED[name]["contrasts"])
    return table, Gls(table, PINNED[name]["treatments"])


@pytest.mark.parametrize("name", NAMES)
def test_estimates_and_standard_errors(name):
    table, gls = case(name)
    net = vo.pool_network(table)
    for model, tau2 in (("common", 0.0), ("random", net.tau2)):
        b, c, _, _ = gls.fit(tau2)
        first = net.treatments[0]
        np.testing.assert_allclose(net.estimate(model)[first][1:], b, atol=1e-10)
        np.testing.assert_allclose(net.se(model)[first][1:], np.sqrt(np.diag(c)), atol=1e-10)
        last = np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1])
        assert net.se(model).iloc[1, 2] == pytest.approx(last, abs=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_moments(name):
    table, gls = case(name)
    net = vo.pool_network(table)
    assert (net.q, net.q_df, net.tau2) == pytest.approx(gls.moments(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_reml_maximises_the_restricted_likelihood(name):
    table, gls = case(name)
    net = vo.pool_network(table, method="REML_exact")
    grid = np.linspace(0, 1, 401)
    best = grid[np.argmin([gls.reml_loss(t) for t in grid])]
    found = optimize.minimize_scalar(
        gls.reml_loss,
        bounds=(max(best - 0.005, 0), best + 0.005),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert net.tau2 == pytest.approx(found.x, abs=2e-7)  # the loss is flat at its minimum
    assert gls.reml_loss(net.tau2) <= found.fun + 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_inconsistency(name):
    table, gls = case(name)
    ours = vo.pool_network(table).inconsistency()
    full = gls.by_design()
    q, df, tau2 = gls.moments(full)
    assert tuple(ours.loc["within designs", ["q", "q_df"]]) == pytest.approx((q, df), rel=1e-9)
    between = gls.fit(tau2)[2] - gls.fit(tau2, full)[2]
    row = ours.loc["between designs, random effects"]
    assert (row["q"], row["tau2"]) == pytest.approx((between, tau2), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_single_designs(name):
    """Within: each design's own studies alone. Detached: one more set of effects for that design."""
    table, gls = case(name)
    net = vo.pool_network(table)
    ours = net.inconsistency_by_design()
    between_df = net.inconsistency().loc["between designs", "q_df"]
    within = gls.fit(0.0, gls.by_design())[2]
    assert ours["q_within"].sum() == pytest.approx(within, rel=1e-9)
    for row in ours.to_dict("records"):
        member = gls.design == row["design"]
        apart = np.where(member[:, None], gls.x, 0.0)
        both = np.hstack([gls.x, apart])
        u, d, _ = np.linalg.svd(both, full_matrices=False)
        z = u[:, d > 1e-9]
        gained = z.shape[1] - gls.x.shape[1]
        assert row["q_between_detached_df"] == between_df - gained
        if gained == 0:
            assert np.isnan(row["q_between_detached"])
        else:
            expected = gls.fit(0.0, z)[2] - within
            assert row["q_between_detached"] == pytest.approx(expected, abs=1e-8)
