"""Published rates of complications, pooled by a logit-normal model of the counts."""

from collections.abc import Mapping
from typing import Final

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.loaders.literature import Literature, load_literature
from vertebro_outcomes.meta_analysis.counts import pool_counts
from vertebro_outcomes.meta_analysis.questions import QUESTIONS, answer
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.pooled_effect import PooledEffect

# Kind of complication -> question to the published record, per treatment.
QUESTION_OF: Final[dict[str, dict[str, str]]] = {
    "VP": {
        "any": "complication_any_vp", "leakage": "leakage_vp",
        "pulmonary_cement_embolism": "pulmonary_embolism_vp",
        "new_fracture": "new_vertebral_fracture_vp", "adjacent_fracture": "adjacent_fracture_vp",
    },
    "KP": {
        "leakage": "leakage_kp", "symptomatic_leakage": "symptomatic_leakage_kp",
        "new_fracture": "new_vertebral_fracture_kp", "adjacent_fracture": "adjacent_fracture_kp",
    },
}  # fmt: skip
POINTS: Final = 25  # quadrature nodes: as good as exact


def published_rates(
    literature: Literature | None = None,
    *,
    treatment: str = "VP",
    answers: Mapping[str, Answer] | None = None,
) -> dict[str, PooledEffect]:
    """Pooled published proportions of patients with a complication, by kind.

    Parameters
    ----------
    literature
        As `load_literature()` gives; loaded if left out.
    treatment : {"VP", "KP"}
        Of the patients.
    answers : mapping, optional
        Question id -> answer, if they are already at hand; then no other question is asked.

    Returns
    -------
    dict
        Kind of `COMPLICATION_KINDS` -> binomial-normal model by maximum likelihood with its
        prediction interval, of the studies that `answer` lets in; kinds with fewer than two studies
        or without an event are left out.

    Raises
    ------
    InputError
        If the treatment has no questions.

    Reference
    ---------
    Stijnen et al. 2010, doi:10.1002/sim.4040.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> sorted(vo.published_rates(treatment="KP"))[0]
    'adjacent_fracture'
    """
    if treatment not in QUESTION_OF:
        raise refuse_argument("published_rates", "treatment", treatment, ", ".join(QUESTION_OF))
    by_id = {question.id: question for question in QUESTIONS}
    known = dict(answers or {})
    record = literature
    out = {}
    for kind, name in QUESTION_OF[treatment].items():
        if name not in known and answers is not None:
            continue
        if name not in known:
            record = load_literature() if record is None else record
            known[name] = answer(by_id[name], record)
        rows = known[name].entered
        if len(rows) < 2 or not 0 < rows["events"].sum() < rows["n"].sum():
            continue
        table = rows[["study", "events", "n"]].reset_index(drop=True)
        out[kind] = pool_counts(table, measure="PLO", quadrature_points=POINTS)
    return out
