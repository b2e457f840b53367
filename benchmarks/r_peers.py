"""The same work by R's packages, where R and the package are installed.

Sizes are those R can do in seconds; the rows above them show what remains possible beyond.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from benchmarks.comparisons import long_scores, mmrm
from benchmarks.synthesis import K, effects, network, reference
from benchmarks.timing import Task, row
from vertebro_outcomes.estimators.propensity.matching import match_nearest
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray

K_SUBSETS = 10  # of metafor, which needs minutes for more
TRIAL = 333  # patients of the small repeated-measures set: 1,500 rows
CURVES, CLUSTERED, SUBDISTRIBUTION, MATCHED = 200_000, 20_000, 5_000, 4_000


@dataclass(frozen=True)
class Peer:
    """Our call and the R code that defines `f`, the same call, on the data frame `d`."""

    package: str
    task: str
    size: str
    data: pd.DataFrame
    ours: Callable[[], float]
    code: str  # f <- function() ...; its value is the number to compare
    repeats: int = 1
    compares: bool = True


def lines() -> list[dict[str, object]]:
    """One line per peer that is installed."""
    if shutil.which("Rscript") is None:
        print("R is not installed: its rows are left out", file=sys.stderr)
        return []
    found = []
    for peer in (*_synthesis(), *_registries()):
        theirs = _run(peer)
        if theirs is None:
            print(f"R's {peer.package} is not installed: a row is left out", file=sys.stderr)
            continue
        line = row(Task(peer.task, peer.size, peer.ours, runs=5))
        found.append(
            line
            | {
                "peer": f"R {peer.package}",
                "peer_seconds": theirs["seconds"],
                "times_faster": theirs["seconds"] / float(str(line["seconds"])),
                "largest_difference": (
                    abs(theirs["value"] - peer.ours()) if peer.compares else float("nan")
                ),
            }
        )
    return found


_R = """
suppressMessages(library({package})); d <- read.csv(commandArgs(TRUE)[1]); {code}
t <- system.time(for (i in 1:{repeats}) value <- f())[["elapsed"]] / {repeats}
cat(sprintf('\\n{{"value": %.17g, "seconds": %.17g}}', value, t))
"""


def _run(peer: Peer) -> dict[str, float] | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.csv"
        peer.data.to_csv(file, index=False)
        script = _R.format(package=peer.package, code=peer.code, repeats=peer.repeats)
        done = subprocess.run(
            ["Rscript", "-e", script, str(file)], capture_output=True, text=True, check=False
        )
    if done.returncode == 0:
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))
    if "there is no package" in done.stderr:
        return None
    raise RuntimeError(f"R {peer.package}: {done.stderr.strip().splitlines()[-1]}")


def _synthesis() -> list[Peer]:
    one, few = effects(K), effects(K_SUBSETS)
    rma = "f <- function() coef(rma(effect, variance, data = d, method = '{}'))[[1]]; f()"
    return [
        *(
            Peer(
                "metafor", f"one pool, {method}", f"k = {K}", one,
                lambda method=method: vo.pool(one, method=method).estimate, rma.format(method), 50,
            )
            for method in ("DL", "REML")
        ),
        Peer(
            "metafor", "all subsets, REML", f"{K_SUBSETS} studies", few,
            lambda: float(np.mean(vo.gosh(few).estimate)),
            "m <- rma(effect, variance, data = d, method = 'REML'); "
            "f <- function() mean(gosh(m, progbar = FALSE)$res[, 'estimate'])",
        ),
        Peer(
            "netmeta", "network, DL", "10 treatments, 26 studies",
            reference("netmeta_reference.json")["senn2013"], lambda: network("DL").tau2,
            "f <- function() netmeta(d$effect, d$se, d$treat_t, d$treat_c, d$study)$tau^2; f()", 20,
        ),
    ]  # fmt: skip


_GLS = """f <- function() coef(gls(value ~ 0 + visit + visit:treated + visit:baseline, data = d,
  method = "REML", correlation = corSymm(form = ~ as.integer(visit) | row),
  weights = varIdent(form = ~ 1 | visit), control = glsControl(msMaxIter = 500)))[["visit30:treated"]]
d$visit <- factor(d$day)"""
_COX = """f <- function()
  coef(coxph(Surv(time, cause == 1) ~ x1 + x2, data = d, cluster = d$cluster))[["x1"]]"""
_CURVE = """d$event <- factor(d$cause, 0:2)
f <- function() { s <- survfit(Surv(time, event) ~ 1, data = d); s$pstate[findInterval(365, s$time), 2] }"""
_CRR = "f <- function() crr(d$time, d$cause, cbind(d$x1, d$x2))$coef[[1]]"
# For time alone: MatchIt 4.5.1 lets pairs through that its caliper forbids, and gives the same pairs
# for every `m.order`. Our pairs are compared with brute force in the tests.
_MATCH = """f <- function() {
  m <- matchit(treated ~ x1 + x2, data = d, distance = d$score, m.order = "largest")
  mean(d$x1[as.integer(m$match.matrix)]) }"""


def _registries() -> list[Peer]:
    scores, treated, baseline = long_scores(TRIAL)
    wide = scores.assign(
        treated=treated[scores["row"]].astype(int), baseline=baseline[scores["row"]]
    )
    found = [
        Peer(
            "nlme", "MMRM, 5 visits", f"{len(scores):,} rows", wide,
            lambda: mmrm(scores, treated, baseline).estimate, _GLS,
        )
    ]  # fmt: skip
    curves, clustered = _times(CURVES), _times(CLUSTERED)
    few, pairs = _times(SUBDISTRIBUTION), _times(MATCHED)
    return [
        *found,
        Peer(
            "survival", "Aalen-Johansen at one year", f"{CURVES:,} patients", curves,
            lambda: _incidence(curves), _CURVE,
        ),
        Peer(
            "survival", "Cox, clusters of 4", f"{CLUSTERED:,} patients x 2", clustered,
            lambda: _cox(clustered), _COX,
        ),
        Peer(
            "cmprsk", "Fine-Gray", f"{SUBDISTRIBUTION:,} patients x 2", few, lambda: _crr(few), _CRR
        ),
        Peer(
            "MatchIt", "1:1 nearest matching", f"{MATCHED:,} patients", pairs,
            lambda: _matched(pairs), _MATCH, compares=False,
        ),
    ]  # fmt: skip


def _times(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, 2))
    fracture, death = rng.exponential(3000 * np.exp(-0.3 * x[:, 0])), rng.exponential(4000, n)
    end = rng.uniform(100, 1000, n)
    first = np.minimum(fracture, death)
    return pd.DataFrame(
        {
            "time": np.ceil(np.minimum(first, end)),
            "cause": np.where(end < first, 0, np.where(fracture < death, 1, 2)),
            "x1": x[:, 0], "x2": x[:, 1], "cluster": np.arange(n) // 4,
            "score": x[:, 0] + 0.5 * x[:, 1],
            "treated": (rng.random(n) < 1 / (1 + np.exp(1.5 - x[:, 0]))).astype(int),
        }
    )  # fmt: skip


def _incidence(data: pd.DataFrame) -> float:
    curve = fit_aalen_johansen(data["time"].to_numpy(), data["cause"].to_numpy())
    return float(curve.at(np.array([365.0]))[0][0])


def _cox(data: pd.DataFrame) -> float:
    x = data[["x1", "x2"]].to_numpy()
    cluster = data["cluster"].to_numpy()
    return float(
        fit_cox(data["time"].to_numpy(), data["cause"].to_numpy() == 1, x=x, cluster=cluster).beta[
            0
        ]
    )


def _crr(data: pd.DataFrame) -> float:
    x = data[["x1", "x2"]].to_numpy()
    return float(fit_fine_gray(data["time"].to_numpy(), data["cause"].to_numpy(), x=x).beta[0])


def _matched(data: pd.DataFrame) -> float:
    pairs = match_nearest(data["score"].to_numpy(), data["treated"].to_numpy() == 1)
    return float(data["x1"].to_numpy()[pairs.comparator].mean())
