"""Evidence synthesis: one pool, a hundred thousand pools, subsets, specifications."""

import json
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from benchmarks.timing import Task

K = 13
MANY = 100_000


def effects(k: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.01, 0.5, k)
    return pd.DataFrame({"effect": rng.normal(0, np.sqrt(variance + 0.1)), "variance": variance})


def tasks() -> list[Task]:
    """The tasks of evidence synthesis."""
    import statsmodels.stats.meta_analysis as statsmodels_meta

    one = effects(K)
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
        *(
            Task(
                "100 pools, one by one, REML", f"k = {K}",
                lambda: [vo.pool(one, method="REML") for _ in range(100)],
                name, lambda peer=peer: [peer(one) for _ in range(100)],
                agreement=lambda ours, theirs: abs(ours[0].estimate - theirs[0]),  # type: ignore[index]
            )
            for name, peer in (("PyMetaAnalysis", _pymetaanalysis), ("PyMARE", _pymare))
        ),
        Task("one pool, REML", "k = 5000", partial(vo.pool, effects(5000), method="REML")),
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
        Task("all subsets, REML", "16 studies", partial(vo.gosh, effects(16)), runs=3),
        Task("multiverse", "10 studies", lambda: vo.multiverse(_means(10)), runs=3),
        Task("GLMM, UM.FS", "13 trials (BCG)", partial(_glmm, "UM.FS")),
        Task("GLMM, CM.EL", "13 trials (BCG)", partial(_glmm, "CM.EL")),
        Task("network, DL", "10 treatments, 26 studies", partial(network, "DL")),
        Task("network, REML", "10 treatments, 26 studies", partial(network, "REML_exact")),
        Task("posterior by integration", f"k = {K}", lambda: vo.pool_bayes(one)),
    ]
    return found


def _pymetaanalysis(frame: pd.DataFrame) -> float:
    from meta_analyze import meta_analysis

    fit = meta_analysis(frame, effect="effect", variance="variance", tau2_method="REML")
    return float(fit.estimate)


def _pymare(frame: pd.DataFrame) -> float:
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    data = Dataset(y=frame[["effect"]].to_numpy(), v=frame[["variance"]].to_numpy())
    fit = VarianceBasedLikelihoodEstimator(method="REML").fit_dataset(data).summary()
    return float(fit.get_fe_stats()["est"][0, 0])  # its interval is a costly further step


def _means(k: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "mean_t": rng.normal(4, 1, k), "sd_t": rng.uniform(2, 3, k), "n_t": rng.integers(20, 100, k),
            "mean_c": rng.normal(5, 1, k), "sd_c": rng.uniform(2, 3, k), "n_c": rng.integers(20, 100, k),
        }
    )  # fmt: skip


def _glmm(model: str) -> object:
    return vo.pool_counts(reference("counts.json")["bcg"], measure="OR", method="glmm", model=model)


def network(method: str) -> object:
    return vo.pool_network(reference("netmeta_reference.json")["senn2013"], method=method)


@cache
def reference(name: str) -> dict[str, pd.DataFrame]:
    """Tables of the pinned reference runs: two-by-two counts or network contrasts by data set."""
    folder = Path(__file__).parents[1] / "tests" / "reference"
    pinned = json.loads((folder / name).read_text(encoding="utf-8"))
    if name == "netmeta_reference.json":
        return {key: pd.DataFrame(value["contrasts"]) for key, value in pinned.items()}
    return {key: pd.DataFrame(value["data"]) for key, value in pinned["two_by_two"].items()}


def _import_in_new_process() -> None:
    subprocess.run([sys.executable, "-c", "import vertebro_outcomes"], check=True)
