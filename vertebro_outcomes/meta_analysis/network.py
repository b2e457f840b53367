"""Compare every treatment with every other one over a network of studies."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Ints
from vertebro_outcomes.estimators.network.fit import (
    NETWORK_METHODS,
    Heterogeneity,
    NetworkMethod,
    basis,
    estimate_tau2,
    fit_network,
)
from vertebro_outcomes.estimators.network.independent_contrasts import (
    StudyArms,
    contrasts_without_sampling_covariance,
    independent_contrasts,
)
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.network_studies import (
    CLOSURE_TOLERANCE,
    Contrasts,
    read_contrasts,
    study_arms,
)
from vertebro_outcomes.meta_analysis.pool import check_level, check_option
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.pooled_effect import ExcludedStudy


def pool_network(
    contrasts: pd.DataFrame,
    *,
    method: NetworkMethod = "DL",
    reference: str | None = None,
    measure: str | None = None,
    level: float = 0.95,
    treatments: Sequence[str] | None = None,
    component: str | None = None,
    closure_tolerance: float = CLOSURE_TOLERANCE,
) -> NetworkEffect:
    """Pool a network of two-arm and multi-arm studies under consistency.

    Parameters
    ----------
    contrasts : DataFrame
        `study treat_t treat_c effect se` (or `variance`), analysis scale, effect = `treat_t` minus
        (or over) `treat_c`; all pairs of a multi-arm study, as `network_contrasts` gives. Rows without
        an effect are left out and listed; a multi-arm study that is not whole without them, too.
    method
        Between-study variance of the random-effects model, common to all comparisons: "DL"
        (generalised moments), "REML" (as netmeta), "REML_exact", or "EE" for the common effect
        alone. netmeta's likelihood leaves out the sampling covariance within multi-arm studies, so
        that with such studies tau² depends on `reference`, and a note says so; "REML_exact" is
        the likelihood of all contrasts. With two-arm studies only the two are one.
    reference
        Treatment that printed results compare with. Default: the first in order. It changes no
        estimate (but see "REML").
    measure
        Name of `MEASURES`. Default: the column `measure` of `contrasts`, else "GEN".
    level : float
        Confidence level, between 0 and 1.
    treatments
        Order of rows and columns. Default: alphabetical without regard to case and punctuation.
    component
        A treatment: pool only the part of a disconnected network that holds it.
    closure_tolerance : float
        How far effects of a multi-arm study may miss adding up (analysis scale).

    Returns
    -------
    NetworkEffect
        Common-effect and random-effects estimates of all pairs.

    Raises
    ------
    InputError
        Missing columns, standard errors that are missing or not positive, a treatment compared with
        itself, repeated or missing pairs, multi-arm studies whose effects do not close or whose
        standard errors imply negative variances, a disconnected network (with its components),
        unknown reference, measure or method.

    References
    ----------
    Rücker (2012), Res Synth Methods 3:312-324, doi:10.1002/jrsm.1058 (graph-theoretical estimation);
    Jackson, White and Riley (2012), Stat Med 31:3805-3820, doi:10.1002/sim.5453 (generalised DL).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> rows = [("a", "VP", "NSM", -1.0, 0.4), ("b", "KP", "NSM", -1.3, 0.5), ("c", "VP", "KP", 0.1, 0.3)]
    >>> contrasts = pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"])
    >>> net = vo.pool_network(contrasts, reference="NSM", measure="MD")
    >>> round(float(net.estimate().loc["VP", "NSM"]), 3), net.q_df
    (-1.064, 1)
    """
    check_option("method", method, NETWORK_METHODS, function="pool_network")
    check_level(level, function="pool_network")
    kind = _measure(contrasts, measure)
    rows = _one_component(read_contrasts(contrasts, function="pool_network"), component)
    names = _ordered(rows, treatments)
    anchor = names[0] if reference is None else str(reference).strip()
    if anchor not in names:
        raise refuse_argument("pool_network", "reference", reference, ", ".join(names))
    studies, pairs = study_arms(
        rows, names, function="pool_network", closure_tolerance=closure_tolerance
    )
    independent = independent_contrasts(studies, treatments=len(names))
    found = estimate_tau2(independent, basis(independent.x), method=method)
    if method == "REML":
        at = names.index(anchor)
        found = replace(found, **_reml_of_netmeta(studies, treatments=len(names), anchor=at))
    common = fit_network(independent, tau2=0.0)
    random = common
    if found.tau2 > 0:
        weighed = (
            independent_contrasts(studies, treatments=len(names), tau2=found.tau2)
            if independent.open_sum > 0
            else independent
        )
        random = fit_network(weighed, tau2=found.tau2)
    design, designs = _designs(studies, names)
    return NetworkEffect(
        treatments=names,
        reference=anchor,
        measure=kind,
        method=method,
        level=level,
        k=len(studies),
        n_pairs=len(pairs.effect),
        tau2=found.tau2,
        q=found.q,
        q_df=found.df,
        common=common,
        random=random,
        pairs=pairs,
        rows=independent,
        design=design,
        designs=designs,
        excluded=rows.excluded,
        notes=_notes(found, method=method, multi_arm=len(pairs.effect) > len(studies)),
    )


def _reml_of_netmeta(
    studies: tuple[StudyArms, ...], *, treatments: int, anchor: int
) -> dict[str, Any]:
    rows = contrasts_without_sampling_covariance(studies, treatments=treatments, reference=anchor)
    found = estimate_tau2(rows, basis(rows.x), method="REML_exact")
    return {"tau2": found.tau2, "converged": found.converged}


def network_components(contrasts: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """The connected parts of a network, each as its treatments; one part if it is connected.

    Parameters
    ----------
    contrasts : DataFrame
        As for `pool_network`.

    Returns
    -------
    tuple of tuple of str
        Largest part first; `pool_network(contrasts, component="NSM")` pools the part with NSM.

    Raises
    ------
    InputError
        As `pool_network`, but not for a disconnected network.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> rows = [("a", "VP", "NSM", -1.0, 0.4), ("b", "KP", "VAI", 0.2, 0.5), ("c", "VP", "SHAM", 0.1, 0.3)]
    >>> contrasts = pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"])
    >>> vo.network_components(contrasts)
    (('NSM', 'SHAM', 'VP'), ('KP', 'VAI'))
    """
    return _components(read_contrasts(contrasts, function="network_components"))


def _components(rows: Contrasts) -> tuple[tuple[str, ...], ...]:
    parts: list[set[str]] = []
    for pair in set(zip(rows.treat_t, rows.treat_c, strict=True)):
        touching = [part for part in parts if part & set(pair)]
        parts = [part for part in parts if part not in touching]
        parts.append(set(pair).union(*touching))
    named = [tuple(sorted(part, key=_alphabetical)) for part in parts]
    return tuple(sorted(named, key=lambda part: (-len(part), [_alphabetical(x) for x in part])))


def _one_component(rows: Contrasts, component: str | None) -> Contrasts:
    if not rows.study:
        found = f"no row with an effect ({len(rows.excluded)} left out)"
        raise refuse_argument("pool_network", "contrasts", found, "at least one study")
    parts = _components(rows)
    if component is None:
        if len(parts) == 1:
            return rows
        found = f"{len(parts)} parts that no study connects: " + "; ".join(map(list_some, parts))
        problem = Problem("contrasts", found, "a connected network")
        step = (
            f"pool one part, as with component={parts[0][0]!r}, or add a study that connects them"
        )
        raise InputError("pool_network()", [problem], step)
    inside = next((part for part in parts if str(component) in part), None)
    if inside is None:
        names = sorted((name for part in parts for name in part), key=_alphabetical)
        raise refuse_argument("pool_network", "component", component, ", ".join(names))
    mask = np.array([name in inside for name in rows.treat_t], dtype=bool)
    outside = dict.fromkeys(s for s, kept in zip(rows.study, mask, strict=True) if not kept)
    reason = f"not connected with {component}"
    return rows.keep(mask, excluded=tuple(ExcludedStudy(study, reason) for study in outside))


def _ordered(rows: Contrasts, treatments: Sequence[str] | None) -> tuple[str, ...]:
    found = {*rows.treat_t, *rows.treat_c}
    if treatments is None:
        if all(name.isdecimal() for name in found):
            return tuple(sorted(found, key=int))
        return tuple(sorted(found, key=_alphabetical))
    given = tuple(map(str, treatments))
    if set(given) != found or len(given) != len(found):
        allowed = f"each of {', '.join(sorted(found, key=_alphabetical))} once"
        raise refuse_argument("pool_network", "treatments", given, allowed)
    return given


def _alphabetical(name: str) -> tuple[str, str, str]:
    """Letters and digits first, without regard to case; what that leaves equal, as it is spelled."""
    letters = "".join(x for x in name.casefold() if x.isalnum())
    return letters, name.casefold(), name.swapcase()


def _designs(studies: Sequence[StudyArms], names: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Design of every study (numbered from 0) and the designs' names."""
    arms = [tuple(study.treatments.tolist()) for study in studies]
    known = sorted(set(arms))
    number = {design: i for i, design in enumerate(known)}
    labels = tuple(":".join(names[i] for i in design) for design in known)
    return np.array([number[design] for design in arms], dtype=np.int64), labels


def _measure(contrasts: pd.DataFrame, measure: str | None) -> str:
    if measure is None and isinstance(contrasts, pd.DataFrame) and "measure" in contrasts.columns:
        given = contrasts["measure"].dropna().unique().tolist()
        if len(given) > 1:
            found = f"measures {list_some(given)}"
            raise refuse_argument("pool_network", "contrasts", found, "one measure a network")
        measure = str(given[0]) if given else None
    measure = "GEN" if measure is None else measure
    comparing = [name for name, kind in MEASURES.items() if not np.isnan(kind.no_effect)]
    if measure not in comparing:
        raise refuse_argument("pool_network", "measure", measure, ", ".join(comparing))
    return measure


def _notes(found: Heterogeneity, *, method: NetworkMethod, multi_arm: bool) -> tuple[str, ...]:
    notes = []
    if method == "REML" and multi_arm:
        notes.append(
            "tau² is netmeta's REML, which leaves out the sampling covariance within multi-arm "
            "studies and depends on the reference; method='REML_exact' does not."
        )
    if not found.converged:
        notes.append(f"The search for tau² ({method}) did not end; the random model is not safe.")
    if found.df == 0:
        notes.append("No degree of freedom for heterogeneity: tau² is taken as 0.")
    return tuple(notes)
