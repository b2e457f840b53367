"""Networks of treatments on the published record: every pair asked, the trials joined, the rest listed."""

from dataclasses import replace
from itertools import combinations
from typing import Final

import pandas as pd

from vertebro_outcomes.errors import InputError, refuse_argument
from vertebro_outcomes.estimators.network.fit import NetworkMethod
from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.network import network_components, pool_network
from vertebro_outcomes.meta_analysis.question_list import WINDOWS, Question
from vertebro_outcomes.meta_analysis.questions import answer
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

NETWORK_TREATMENTS: Final = ("VP", "KP", "VAI", "NSM", "SHAM", "FACET")
_COLUMNS: Final = ["study", "treat_t", "treat_c", "effect", "se", "trial_id"]


def _question(name: str, title: str, family: str, measure: str, time: str = "") -> Question:
    _, window, day = WINDOWS[time] if time else ("", None, 365.0)
    return Question(
        id=name,
        title=title,
        outcome_family=family,
        treatment=NETWORK_TREATMENTS,
        comparator="NSM",
        measure=measure,
        window=window,
        target_day=day,
        missing_n="randomised",
    )


LITERATURE_NETWORKS: Final[tuple[Question, ...]] = (
    _question("network_pain_1m", "Pain at 1 month", "pain", "MD", "1m"),
    _question("network_pain_12m", "Pain at 12 months", "pain", "MD", "12m"),
    _question("network_fracture", "New vertebral fracture", "new_vertebral_fracture", "OR"),
)


def literature_network(
    question: Question, literature: Literature, *, method: NetworkMethod = "REML_exact"
) -> NetworkEffect:
    """The network of treatments that the trials on a question make.

    Parameters
    ----------
    question
        One of `LITERATURE_NETWORKS`, or your own: `treatment` names the treatments, `comparator` the
        reference; where trials do not connect all treatments, the part with the reference is pooled.
    literature
        As `load_literature()` gives.
    method
        Between-study variance, as for `pool_network`.

    Returns
    -------
    NetworkEffect
        Trials (and rows) left out stand in `excluded` with their reason.

    Raises
    ------
    InputError
        No trial compares the reference with another of the treatments.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> net = literature_network(LITERATURE_NETWORKS[0], vo.load_literature())
    >>> net.reference in net.treatments
    True
    """
    contrasts, excluded, notes = literature_contrasts(question, literature)
    parts = network_components(contrasts) if len(contrasts) else ()
    if not any(question.comparator in part for part in parts):
        found = f"no trial with {question.comparator}"
        raise refuse_argument("literature_network", "question", found, "a treatment of some trial")
    net = pool_network(
        contrasts,
        method=method,
        reference=question.comparator,
        measure=question.measure,
        component=question.comparator if len(parts) > 1 else None,
    )
    return replace(net, excluded=net.excluded + excluded, notes=net.notes + notes)


def literature_contrasts(
    question: Question, literature: Literature
) -> tuple[pd.DataFrame, tuple[ExcludedStudy, ...], tuple[str, ...]]:
    """Contrasts of all trials on a question, as `pool_network` takes them, what was left out, notes."""
    entered, left = [], []
    notes: dict[str, None] = {}
    for one, two in combinations(dict.fromkeys((*question.treatment, question.comparator)), 2):
        found = answer(replace(question, treatment=one, comparator=two), literature)
        entered += found.entered.to_dict("records")
        # a single trial of a pair is still pooled, with the rest of the network
        notes |= dict.fromkeys(x for x in found.notes if not x.startswith("One study only"))
        left += list(zip(found.left_out["study"], found.left_out["reason"], strict=True))
    labels: dict[str, str] = {}
    rows = [
        {
            "study": labels.setdefault(row["trial_id"], row["study"]),
            "treat_t": row["treatment"],
            "treat_c": row["comparator"],
            "effect": row["effect"],
            "se": row["variance"] ** 0.5,
            "trial_id": row["trial_id"],
        }
        for row in entered
    ]
    contrasts, broken = _whole_trials(pd.DataFrame(rows, columns=_COLUMNS))
    used = set(contrasts["study"])
    # a trial used for one comparison is not left out because another one does not use it
    excluded = {ExcludedStudy(str(s), str(r)): None for s, r in left if str(s) not in used}
    return contrasts, (*broken, *excluded), tuple(notes)


def _whole_trials(contrasts: pd.DataFrame) -> tuple[pd.DataFrame, tuple[ExcludedStudy, ...]]:
    """Without multi-arm trials whose published comparisons are incomplete or contradict each other."""
    broken = []
    for trial, rows in contrasts.groupby("trial_id", sort=False):
        if len(rows) == 1:
            continue
        try:
            pool_network(rows, method="EE")
        except InputError as refused:
            reason = "; ".join(problem.found for problem in refused.problems)
            broken.append((trial, ExcludedStudy(str(rows["study"].iloc[0]), reason)))
    gone = {trial for trial, _ in broken}
    kept = contrasts[~contrasts["trial_id"].isin(gone)].reset_index(drop=True)
    return kept, tuple(study for _, study in broken)
