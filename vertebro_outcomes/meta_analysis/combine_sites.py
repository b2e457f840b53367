"""Summaries of several sites -> one comparison, exact where sums suffice, pooled where they do not."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.meta_analysis.counts import pool_counts
from vertebro_outcomes.meta_analysis.pool import check_level, pool
from vertebro_outcomes.meta_analysis.site_curves import maximum
from vertebro_outcomes.meta_analysis.site_tables import (
    COUNTS,
    balance_of,
    complications_of,
    rates_of,
    risk_sets_of,
)
from vertebro_outcomes.results.combined_sites import CombinedSites
from vertebro_outcomes.results.site_bundle import SiteBundle, read_site_bundle

_NAME: Final = "combine_sites"
_FEWEST: Final = 2
_GRID: Final = "hazard ratios of 0.05 to 20"
_FLAT: Final = 1e-12  # share of its mean square below which a column of a site has no spread


def combine_sites(
    bundles: Sequence[SiteBundle | str | Path], *, level: float = 0.95
) -> CombinedSites:
    """Combine the summaries of sites that share no patients.

    Scores: the crossproducts of all sites, centred within each, give the analysis of covariance of
    all patients with an intercept per site. Events: the sum of the partial likelihoods is that of a
    Cox model of all patients, stratified by site. Complications: Mantel-Haenszel over sites (odds
    ratio and risk difference) is that of all patients. These are exact where every site shares the
    part; a site that had to hide it is named and left out. Beside scores and events stands the
    random-effects pool of the site estimates (REML). Balance and the tables of counts are sums.

    Parameters
    ----------
    bundles : sequence of SiteBundle or paths
        At least two sites, with the same arms, days, covariates and event.
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    CombinedSites

    Raises
    ------
    InputError
        If the sites asked different questions, a site comes twice, or nothing can be combined.
    LoadError
        If a file is no bundle, is damaged, or was written in another layout.

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
    if isinstance(bundles, SiteBundle | str | Path):
        bundles = [bundles]
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
        sites=pd.DataFrame(sites), balance=balance_of(held),
        rates=rates_of(complications_of(held)), risk_sets=risk_sets_of(held), notes=tuple(notes),
    )  # fmt: skip


def _check(held: Sequence[SiteBundle]) -> None:
    problems = []
    names = [bundle.site for bundle in held]
    if len(held) < _FEWEST:
        found = "one site" if held else "no site"
        problems.append(Problem("bundles", found, f"bundles of at least {_FEWEST} sites"))
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        found = f"a site comes twice ({', '.join(twice)})"
        problems.append(Problem("bundles", found, "each site once"))
    for place, bundle in enumerate(held[1:], start=1):
        problems += _otherwise(held[0], bundle)
        for other in held[:place]:
            if other.site != bundle.site and _same_numbers(other, bundle):
                found = f"the same numbers as those of site {other.site}"
                problems.append(Problem(f"site {bundle.site}", found, "patients of its own"))
    if problems:
        raise InputError(f"{_NAME}()", problems, "let all sites write the same summary")


def _otherwise(first: SiteBundle, bundle: SiteBundle) -> list[Problem]:
    """What the second site asked otherwise than the first."""
    where, problems = f"site {bundle.site}", []
    if (bundle.treatment, bundle.comparator) != (first.treatment, first.comparator):
        found = f"{bundle.treatment} against {bundle.comparator}"
        allowed = f"{first.treatment} against {first.comparator}"
        problems.append(Problem(where, found, allowed))
    for part, keys in (("score", ("outcome", "day", "window", "names")), ("event", ("event",))):
        one, other = getattr(first, part), getattr(bundle, part)
        for key in keys if one and other else ():
            if one[key] != other[key]:
                found, allowed = _words(other[key]), _words(one[key])
                problems.append(Problem(f"{where}, {part}: {key}", found, allowed))
    if first.event and bundle.event:
        grids = [list(b.event["log_hazard_ratio"]) for b in (first, bundle) if b.event]
        if grids[0] != grids[1]:
            found = "tabulated at other hazard ratios"
            problems.append(Problem(f"{where}, event", found, f"those of site {first.site}"))
    return problems


def _same_numbers(one: SiteBundle, other: SiteBundle) -> bool:
    return replace(one, site="", notes=()).to_json() == replace(other, site="", notes=()).to_json()


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


Found = tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]


def _sharing(held: Sequence[SiteBundle], part: str) -> tuple[list[SiteBundle], list[str]]:
    those = [bundle for bundle in held if getattr(bundle, part)]
    lacking = [bundle.site for bundle in held if not getattr(bundle, part)]
    if lacking and those:
        end = "" if len(those) >= _FEWEST else ", so not combined"
        notes = [f"{part}: without {', '.join(lacking)}{end}"]
    else:
        notes = []
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
    if whole is None:
        return [], [], [*notes, f"{name}: a column of the model does not vary, so not combined"]
    own = []
    for bundle, gram, size in zip(those, centred, n, strict=True):
        fit = _least_squares(gram, size - 1, level)
        if fit is None:
            notes.append(
                f"{name}: no estimate of {bundle.site} alone, where a column does not vary"
            )
        else:
            own.append(_own(name, "MD", bundle.site, fit["estimate"], fit["se"]))
    exact = {**row, **whole, "tau2": np.nan, "exact": len(those) == len(held)}
    return [exact, *_pooled(own, level)], own, notes


def _centred(gram: Floats) -> Floats:
    """Crossproducts of arm, covariates and score about their means; 0 where a column is constant."""
    sums = gram[0, 1:]
    found = np.asarray(gram[1:, 1:] - np.outer(sums, sums) / gram[0, 0])
    flat = np.diag(found) <= _FLAT * np.diag(gram)[1:]
    found[flat, :] = found[:, flat] = 0.0
    return found


def _least_squares(gram: Floats, df_without_slopes: int, level: float) -> dict[str, float] | None:
    """Difference between the arms; None where the columns cannot be told apart."""
    x, y, yy = gram[:-1, :-1], gram[:-1, -1], gram[-1, -1]
    scale, df = np.sqrt(np.diag(x)), df_without_slopes - len(x)
    if df < 1 or not scale.all() or np.linalg.cond(x / np.outer(scale, scale)) > 1 / _FLAT:
        return None
    inverse = np.linalg.inv(x / np.outer(scale, scale)) / np.outer(scale, scale)
    beta = inverse @ y
    left = yy - beta @ y
    if left <= _FLAT * yy:  # nothing to err by
        return None
    se = float(np.sqrt(inverse[0, 0] * left / df))
    half = float(stdtrit(df, (1 + level) / 2)) * se
    estimate = float(beta[0])
    return {"estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half}


def _events(held: Sequence[SiteBundle], level: float) -> Found:
    those, notes = _sharing(held, "event")
    if not those:
        return [], [], notes
    curves = [bundle.event for bundle in those if bundle.event]
    name, own = str(curves[0]["event"]), []
    for bundle, curve in zip(those, curves, strict=True):
        if (found := maximum([curve])) is None:
            notes.append(f"{name}: no estimate of {bundle.site} alone within {_GRID}")
        else:
            own.append(_own(name, "HR", bundle.site, *found))
    if (found := maximum(curves)) is None:
        return [], [], [*notes, f"{name}: no hazard ratio within {_GRID}, so not combined"]
    estimate, se = found
    z = float(ndtri((1 + level) / 2))
    row = {
        "analysis": name, "measure": "HR", "method": "Cox, stratified by site", "k": len(those),
        "estimate": estimate, "se": se, "ci_low": estimate - z * se, "ci_high": estimate + z * se,
        "tau2": np.nan, "exact": len(those) == len(held),
    }  # fmt: skip
    return [row, *_pooled(own, level)], own, notes


def _complications(held: Sequence[SiteBundle], level: float) -> Found:
    rows, own, notes = [], [], []
    few: list[str] = []
    table = complications_of(held)
    for kind, mine in table.groupby("type", sort=False):
        shown = mine.dropna()
        if len(shown) < _FEWEST:
            few.append(str(kind))
            continue
        if len(shown) < len(held):
            names = sorted({bundle.site for bundle in held} - set(shown["site"]))
            notes.append(f"{kind}: counts of {', '.join(names)} hidden or not recorded")
        exact = len(shown) == len(held)
        counts = shown.rename(columns={"site": "study"}).astype(dict.fromkeys(COUNTS, int))
        for measure in ("OR", "RD"):
            if measure == "OR" and 0 in (counts["events_t"].sum(), counts["events_c"].sum()):
                continue  # no odds ratio where an arm has no event at any site
            fit = pool_counts(counts, measure=measure, method="mantel_haenszel", level=level)
            rows.append(
                {"analysis": kind, "measure": measure, "method": "Mantel-Haenszel over sites",
                 "k": len(shown), "estimate": fit.estimate, "se": fit.se, "ci_low": fit.ci_low,
                 "ci_high": fit.ci_high, "tau2": np.nan, "exact": exact}
            )  # fmt: skip
            own += [
                _own(str(kind), measure, line.study, line.effect, line.variance**0.5)
                for line in fit.studies.itertuples()
            ]
    if few:
        notes.append(f"shown by fewer than {_FEWEST} sites, so not combined: {', '.join(few)}")
    return rows, own, notes


def _own(name: str, measure: str, site: str, estimate: float, se: float) -> dict[str, Any]:
    return {"analysis": name, "measure": measure, "site": site, "estimate": estimate, "se": se}


def _pooled(own: list[dict[str, Any]], level: float) -> list[dict[str, Any]]:
    """The random-effects pool of the estimates of two or more sites."""
    if len(own) < _FEWEST:
        return []
    es = pd.DataFrame(own).assign(variance=lambda t: t["se"] ** 2, effect=lambda t: t["estimate"])
    fit = pool(es, method="REML", level=level)
    return [
        {"analysis": own[0]["analysis"], "measure": own[0]["measure"],
         "method": "REML over site estimates", "k": fit.k, "estimate": fit.estimate,
         "se": fit.se, "ci_low": fit.ci_low, "ci_high": fit.ci_high, "tau2": fit.tau2,
         "exact": False}
    ]  # fmt: skip
