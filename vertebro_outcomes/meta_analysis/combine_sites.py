"""Summaries of several sites -> one comparison, exact where sums suffice, pooled where they do not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.interpolate import BPoly
from scipy.special import ndtri, stdtrit

from vertebro_outcomes.errors import InputError, Problem, VertebroError
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.meta_analysis.counts import pool_counts
from vertebro_outcomes.meta_analysis.pool import check_level, pool
from vertebro_outcomes.results.combined_sites import CombinedSites
from vertebro_outcomes.results.site_bundle import SiteBundle, read_site_bundle

_NAME: Final = "combine_sites"
_FEWEST: Final = 2
_COUNTS: Final = ("events_t", "n_t", "events_c", "n_c")


def combine_sites(
    bundles: Sequence[SiteBundle | str | Path], *, level: float = 0.95
) -> CombinedSites:
    """Combine the summaries of sites that share no patients.

    Scores: the crossproducts of all sites, centred within each, give the analysis of covariance of
    all patients with an intercept per site. Events: the sum of the partial likelihoods is that of a
    Cox model of all patients, stratified by site. Complications: Mantel-Haenszel over sites is that
    of all patients. These are exact where every site shares the part; a site that had to hide it is
    named and left out. Beside each stands the random-effects pool of the site estimates (REML).

    Parameters
    ----------
    bundles : sequence of SiteBundle or paths
        At least two sites, with the same arms and questions.
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    CombinedSites

    Raises
    ------
    InputError
        If the sites asked different questions, a site comes twice, or nothing can be combined.

    Reference
    ---------
    Sum of likelihoods: Schuemie et al. 2022, doi:10.1002/sim.9293; stratified partial likelihood:
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> made = []
    >>> for seed in (1, 2):
    ...     cohort, _ = vo.simulate_registry(n_patients=900, seed=seed, scenario="randomised")
    ...     made.append(vo.site_summary(cohort, site=f"S{seed}", treatment="KP", comparator="VP"))
    >>> bool(combine_sites(made).to_frame().exact.any())
    True
    """
    check_level(level, function=_NAME)
    held = [item if isinstance(item, SiteBundle) else read_site_bundle(item) for item in bundles]
    _check(held)
    notes = [f"{bundle.site}: {note}" for bundle in held for note in bundle.notes]
    results: list[dict[str, Any]] = []
    sites: list[dict[str, Any]] = []
    for part in (_scores, _events, _complications):
        rows, own, said = part(held, level)
        results, sites, notes = [*results, *rows], [*sites, *own], [*notes, *said]
    if not results:
        problem = Problem(
            "bundles", "no part is shared by two sites", "the same part from two sites"
        )
        raise InputError(f"{_NAME}()", [problem], "ask a question with more patients")
    return CombinedSites(
        treatment=held[0].treatment, comparator=held[0].comparator, level=level,
        synthetic=any(bundle.synthetic for bundle in held), results=pd.DataFrame(results),
        sites=pd.DataFrame(sites), notes=tuple(notes),
    )  # fmt: skip


def _check(held: Sequence[SiteBundle]) -> None:
    problems = []
    names = [bundle.site for bundle in held]
    if len(held) < _FEWEST:
        problems.append(Problem("bundles", f"{len(held)} sites", f"at least {_FEWEST}"))
    if len(set(names)) < len(names):
        problems.append(Problem("bundles", "a site comes twice", "each site once"))
    for bundle in held[1:]:
        first = held[0]
        if (bundle.treatment, bundle.comparator) != (first.treatment, first.comparator):
            found = f"{bundle.treatment} against {bundle.comparator}"
            allowed = f"{first.treatment} against {first.comparator}"
            problems.append(Problem(f"site {bundle.site}", found, allowed))
        for part, keys in (("score", ("outcome", "day", "names")), ("event", ("event",))):
            one, other = getattr(first, part), getattr(bundle, part)
            for key in keys if one and other else ():
                if one[key] != other[key]:
                    where = f"site {bundle.site}, {part}: {key}"
                    problems.append(Problem(where, str(other[key]), str(one[key])))
    if problems:
        raise InputError(f"{_NAME}()", problems, "let all sites write the same summary")


Found = tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]


def _sharing(held: Sequence[SiteBundle], part: str) -> tuple[list[SiteBundle], list[str]]:
    those = [bundle for bundle in held if getattr(bundle, part)]
    lacking = [bundle.site for bundle in held if not getattr(bundle, part)]
    notes = [f"{part}: without {', '.join(lacking)}"] if lacking and those else []
    return (those if len(those) >= _FEWEST else []), notes


def _scores(held: Sequence[SiteBundle], level: float) -> Found:
    those, notes = _sharing(held, "score")
    if not those:
        return [], [], notes
    parts = [bundle.score for bundle in those]
    centred = [_centred(np.array(part["gram"], dtype=float)) for part in parts if part]
    first = parts[0]
    assert first is not None
    name = f"{first['outcome']} at day {first['day']}"
    n = [part["n_t"] + part["n_c"] for part in parts if part]
    whole = _least_squares(np.sum(centred, axis=0), sum(n) - len(n), level)
    row = {"analysis": name, "measure": "MD", "method": "ANCOVA, intercept per site", "k": len(n)}
    own = []
    for bundle, gram, size in zip(those, centred, n, strict=True):
        fit = _least_squares(gram, size - 1, level)
        own.append(
            {"analysis": name, "site": bundle.site, "estimate": fit["estimate"], "se": fit["se"]}
        )
    exact = {**row, **whole, "tau2": np.nan, "exact": len(those) == len(held)}
    return [exact, _pooled(own, name, "MD", level)], own, notes


def _centred(gram: Floats) -> Floats:
    """Crossproducts of arm, covariates and score about their means."""
    sums = gram[0, 1:]
    return np.asarray(gram[1:, 1:] - np.outer(sums, sums) / gram[0, 0])


def _least_squares(gram: Floats, df_without_slopes: int, level: float) -> dict[str, float]:
    x, y, yy = gram[:-1, :-1], gram[:-1, -1], gram[-1, -1]
    scale = np.sqrt(np.diag(x))
    inverse = np.linalg.inv(x / np.outer(scale, scale)) / np.outer(scale, scale)
    beta = inverse @ y
    df = df_without_slopes - len(beta)
    se = float(np.sqrt(inverse[0, 0] * (yy - beta @ y) / df))
    half = float(stdtrit(df, (1 + level) / 2)) * se
    estimate = float(beta[0])
    return {"estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half}


def _events(held: Sequence[SiteBundle], level: float) -> Found:
    those, notes = _sharing(held, "event")
    if not those:
        return [], [], notes
    own, curves = [], []
    for bundle in those:
        part = bundle.event or {}
        curve = _Curve.of([part])
        curves.append(part)
        estimate, se = curve.maximum()
        own.append(
            {"analysis": str(part["event"]), "site": bundle.site, "estimate": estimate, "se": se}
        )
    name = str(curves[0]["event"])
    estimate, se = _Curve.of(curves).maximum()
    z = float(ndtri((1 + level) / 2))
    row = {
        "analysis": name, "measure": "HR", "method": "Cox, stratified by site", "k": len(those),
        "estimate": estimate, "se": se, "ci_low": estimate - z * se, "ci_high": estimate + z * se,
        "tau2": np.nan, "exact": len(those) == len(held),
    }  # fmt: skip
    return [row, _pooled(own, name, "HR", level)], own, notes


class _Curve:
    """A sum of tabulated log likelihoods, quintic between the grid points."""

    def __init__(self, at: Floats, table: Floats) -> None:
        self.at = at
        self.value = BPoly.from_derivatives(at, table)
        self.table = table

    @classmethod
    def of(cls, parts: Sequence[dict[str, Any] | Any]) -> "_Curve":
        names = ("log_likelihood", "score", "information")
        table = sum(np.column_stack([np.array(part[name]) for name in names]) for part in parts)
        table = np.asarray(table) * np.array([1.0, 1.0, -1.0])
        return cls(np.array(parts[0]["log_hazard_ratio"]), table)

    def maximum(self) -> tuple[float, float]:
        slope, bend = self.value.derivative(), self.value.derivative(2)
        signs = np.flatnonzero(np.diff(np.sign(self.table[:, 1])) != 0)
        if not len(signs):
            problem = Problem("likelihood", "no maximum within hazard ratios of 0.05 to 20", "one")
            raise InputError(f"{_NAME}()", [problem], "a hazard ratio cannot be estimated here")
        low, high = self.at[signs[0]], self.at[signs[0] + 1]
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) > 0 else (low, middle)
        best = float((low + high) / 2)
        return best, float(1 / np.sqrt(-bend(best)))


def _sites(n: int) -> str:
    return "1 site" if n == 1 else f"{n} sites"


def _complications(held: Sequence[SiteBundle], level: float) -> Found:
    rows, own, notes = [], [], []
    lines = [{"site": b.site, **line} for b in held for line in b.complications]
    table = pd.DataFrame(lines, columns=["site", "type", *_COUNTS])
    for kind in sorted(table["type"].unique()):
        mine = table[table["type"] == kind]
        shown = mine.dropna()
        absent = len(held) - len(mine)
        if len(shown) < _FEWEST:
            notes.append(f"{kind}: shown by {_sites(len(shown))}, so not combined")
            continue
        counts = shown.rename(columns={"site": "study"}).astype(dict.fromkeys(_COUNTS, int))
        try:
            fit = pool_counts(counts, measure="OR", method="mantel_haenszel", level=level)
        except VertebroError:
            notes.append(f"{kind}: an arm without events, so no odds ratio")
            continue
        if len(shown) < len(mine) or absent:
            notes.append(f"{kind}: counts hidden or missing at {_sites(len(held) - len(shown))}")
        rows.append(
            {"analysis": kind, "measure": "OR", "method": "Mantel-Haenszel over sites",
             "k": len(shown), "estimate": fit.estimate, "se": fit.se, "ci_low": fit.ci_low,
             "ci_high": fit.ci_high, "tau2": np.nan, "exact": len(shown) == len(held)}
        )  # fmt: skip
        own += [
            {
                "analysis": kind,
                "site": line.study,
                "estimate": line.effect,
                "se": line.variance**0.5,
            }
            for line in fit.studies.itertuples()
        ]
    return rows, own, notes


def _pooled(own: list[dict[str, Any]], name: str, measure: str, level: float) -> dict[str, Any]:
    es = pd.DataFrame(own).assign(variance=lambda t: t["se"] ** 2, effect=lambda t: t["estimate"])
    fit = pool(es, method="REML", level=level)
    return {
        "analysis": name, "measure": measure, "method": "REML over site estimates", "k": fit.k,
        "estimate": fit.estimate, "se": fit.se, "ci_low": fit.ci_low, "ci_high": fit.ci_high,
        "tau2": fit.tau2, "exact": False,
    }  # fmt: skip
