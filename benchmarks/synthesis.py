"""Evidence synthesis: one pool, a hundred thousand pools, subsets, specifications."""

import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from benchmarks.timing import Task, row

K = 13
K_SUBSETS = 10  # of metafor, which needs minutes for more
MANY = 100_000


def _frame(k: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.01, 0.5, k)
    return pd.DataFrame({"effect": rng.normal(0, np.sqrt(variance + 0.1)), "variance": variance})


def _r_found(script: str, frame: pd.DataFrame) -> tuple[float, float] | None:
    """What an R script prints: a number of its result and seconds per call; None without R."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.csv"
        frame.to_csv(data, index=False)
        done = subprocess.run(
            ["Rscript", "-e", script, str(data)], capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        return None
    found, seconds = done.stdout.split()[-2:]
    return float(found), float(seconds)


def _metafor(method: str) -> str:
    return (
        "suppressMessages(library(metafor)); d <- read.csv(commandArgs(TRUE)[1]); "
        f"f <- function() rma(effect, variance, data=d, method='{method}'); f(); "
        "t <- system.time(for (i in 1:50) f())[['elapsed']]; cat(format(coef(f()), digits=15), t / 50)"
    )


def tasks() -> list[Task]:
    """The tasks of evidence synthesis."""
    import statsmodels.stats.meta_analysis as statsmodels_meta

    one = _frame(K)
    rng = np.random.default_rng(2)
    v = rng.uniform(0.01, 0.5, (MANY, K))
    y = rng.normal(0, np.sqrt(v + 0.1))

    def loop(method: str) -> list[float]:
        return [
            vo.pool(pd.DataFrame({"effect": y[i], "variance": v[i]}), method=method).estimate
            for i in range(200)
        ]

    def first_differ(ours: object, theirs: object) -> float:
        return float(np.max(np.abs(ours.estimate[:200] - np.array(theirs))))  # type: ignore[attr-defined]

    found = [
        Task("import", "package", _import_in_new_process, runs=3),
        Task(
            "100 pools, one by one, DL", f"k = {K}", lambda: [vo.pool(one, method="DL") for _ in range(100)],
            "statsmodels combine_effects",
            lambda: [
                statsmodels_meta.combine_effects(one["effect"], one["variance"], method_re="dl")
                for _ in range(100)
            ],
            agreement=lambda ours, theirs: abs(ours[0].estimate - theirs[0].mean_effect_re),  # type: ignore[index]
        ),
        Task(
            "100 pools, one by one, REML", f"k = {K}",
            lambda: [vo.pool(one, method="REML") for _ in range(100)],
        ),
        Task("one pool, REML", "k = 5000", partial(vo.pool, _frame(5000), method="REML")),
    ]  # fmt: skip
    found += [
        Task(
            f"many pools, {method}", f"{MANY:,} x {K}",
            lambda method=method: vo.pool_many(y, v, method=method),
            "vo.pool in a loop", lambda method=method: loop(method), MANY // 200, first_differ, runs=3,
        )
        for method in ("DL", "REML")
    ]  # fmt: skip
    found += [
        Task("all subsets, REML", "16 studies", partial(vo.gosh, _frame(16)), runs=3),
        Task("multiverse", "10 studies", lambda: vo.multiverse(_means(10)), runs=3),
        Task("GLMM, UM.FS", "13 trials (BCG)", partial(_glmm, "UM.FS")),
        Task("GLMM, CM.EL", "13 trials (BCG)", partial(_glmm, "CM.EL")),
        Task("network, DL", "10 treatments, 26 studies", partial(_network, "DL")),
        Task("network, REML", "10 treatments, 26 studies", partial(_network, "REML_exact")),
        Task("posterior by integration", f"k = {K}", lambda: vo.pool_bayes(one)),
    ]
    return found


def r_lines() -> list[dict[str, object]]:
    """One pool against metafor's, where R is installed."""
    lines = []
    for method in ("DL", "REML"):
        frame = _frame(K)
        theirs = _r_found(_metafor(method), frame)
        if theirs is None:
            print("R with metafor is not installed: its rows are left out", file=sys.stderr)
            return []
        task = Task(
            f"one pool, {method}",
            f"k = {K}",
            lambda f=frame, m=method: vo.pool(f, method=m),
            runs=50,
        )
        away = abs(vo.pool(frame, method=method).estimate - theirs[0])  # type: ignore[arg-type]
        lines.append(_beside(task, "R metafor rma", theirs[1], away))
    frame = _frame(K_SUBSETS)
    theirs = _r_found(_GOSH, frame)
    if theirs is not None:
        task = Task("all subsets, REML", f"{K_SUBSETS} studies", partial(vo.gosh, frame), runs=5)
        away = abs(float(np.mean(vo.gosh(frame).estimate)) - theirs[0])
        lines.append(_beside(task, "R metafor gosh", theirs[1], away))
    lines += _netmeta_lines()
    return lines


def _beside(task: Task, peer: str, seconds: float, away: float) -> dict[str, object]:
    """Our line with what the peer needed and how far its result is."""
    line = row(task)
    faster = seconds / float(str(line["seconds"]))
    return line | {
        "peer": peer, "peer_seconds": seconds, "times_faster": faster, "largest_difference": away,
    }  # fmt: skip


def _netmeta_lines() -> list[dict[str, object]]:
    contrasts = _reference("netmeta_reference.json")["senn2013"]
    theirs = _r_found(_NETMETA, contrasts)
    if theirs is None:
        print("R's netmeta is not installed: its row is left out", file=sys.stderr)
        return []
    task = Task("network, DL", "10 treatments, 26 studies", partial(_network, "DL"), runs=20)
    return [_beside(task, "R netmeta", theirs[1], abs(_network("DL").tau2 - theirs[0]))]  # type: ignore[attr-defined]


_NETMETA = (
    "suppressMessages(library(netmeta)); d <- read.csv(commandArgs(TRUE)[1]); "
    "f <- function() netmeta(d$effect, d$se, d$treat_t, d$treat_c, d$study); f(); "
    "t <- system.time(for (i in 1:20) f())[['elapsed']]; cat(format(f()$tau2, digits=15), t / 20)"
)
_GOSH = (
    "suppressMessages(library(metafor)); d <- read.csv(commandArgs(TRUE)[1]); "
    "m <- rma(effect, variance, data=d, method='REML'); "
    "t <- system.time(g <- gosh(m, progbar=FALSE))[['elapsed']]; "
    "cat(format(mean(g$res[, 'estimate']), digits=15), t)"
)


def _means(k: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "mean_t": rng.normal(4, 1, k), "sd_t": rng.uniform(2, 3, k), "n_t": rng.integers(20, 100, k),
            "mean_c": rng.normal(5, 1, k), "sd_c": rng.uniform(2, 3, k), "n_c": rng.integers(20, 100, k),
        }
    )  # fmt: skip


def _glmm(model: str) -> object:
    return vo.pool_counts(
        _reference("counts.json")["bcg"], measure="OR", method="glmm", model=model
    )


def _network(method: str) -> object:
    return vo.pool_network(_reference("netmeta_reference.json")["senn2013"], method=method)


@cache
def _reference(name: str) -> dict[str, pd.DataFrame]:
    """Tables of the pinned reference runs: two-by-two counts or network contrasts by data set."""
    folder = Path(__file__).parents[1] / "tests" / "reference"
    pinned = json.loads((folder / name).read_text(encoding="utf-8"))
    if name == "netmeta_reference.json":
        return {key: pd.DataFrame(value["contrasts"]) for key, value in pinned.items()}
    return {key: pd.DataFrame(value["data"]) for key, value in pinned["two_by_two"].items()}


def _import_in_new_process() -> None:
    subprocess.run([sys.executable, "-c", "import vertebro_outcomes"], check=True)
