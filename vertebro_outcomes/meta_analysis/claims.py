"""Claims put to the published record: which question, which rule, which verdict."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature, load_literature
from vertebro_outcomes.loaders.literature.claims import load_claims
from vertebro_outcomes.meta_analysis.claim_parts import Asked, Judged
from vertebro_outcomes.meta_analysis.claim_rules import RULES
from vertebro_outcomes.meta_analysis.question_list import QUESTIONS, Question
from vertebro_outcomes.meta_analysis.questions import answer
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims, Verdict

_CONTRADICTS: Final = re.compile(r"contradicts (\w+)")


@dataclass(frozen=True)
class ClaimTest:
    """Which questions (ids) a claim is held against, and by which rule of `RULES`.

    `some` is for claims that say "some studies": one result for it is enough; `every` for those that
    one result against them refutes ("the most common"). `needed` says what
    would test the claim where the published figures cannot, `read_as` what is tested where that is
    not the claim word by word.
    """

    rule: str
    questions: tuple[str, ...] = ()
    quantifier: Literal["all", "some", "every"] = "all"
    needed: str = ""
    read_as: str = ""


_VP_RATES: Final = (
    "leakage_vp",
    "adjacent_fracture_vp",
    "new_vertebral_fracture_vp",
    "pulmonary_embolism_vp",
    "nerve_root_irritation_vp",
    "infection_vp",
    "decompression_vp",
)
_SHAM: Final = tuple(f"pain_vp_sham_{t}" for t in ("1d", "1w", "1m", "3m", "6m", "12m", "24m"))
_BEYOND_SHAM: Final = "the relief beyond that after a sham procedure"
_PATIENTS: Final = "patients with the date of every score"

CLAIM_TESTS: Final[dict[str, ClaimTest]] = {
    "C01": ClaimTest("rate_in_range", ("complication_any_vp",)),
    "C02": ClaimTest("rate_in_range", ("complication_any_vp",)),
    "C03": ClaimTest("most_common", _VP_RATES, "every"),
    "C04": ClaimTest(
        "most_common", ("adjacent_fracture_vp", "leakage_vp", *_VP_RATES[3:]), "every"
    ),
    "C05": ClaimTest(
        "rate_in_range",
        (
            "decompression_vp",
            "symptomatic_embolism_vp",
            "symptomatic_leakage_kp",
            "embolism_device_vp",
        ),
    ),
    "C06": ClaimTest(
        "only_case_reports",
        ("pulmonary_embolism_vp", "pulmonary_embolism_va", "embolism_device_vp", "death_30d_vp"),
    ),
    "C07": ClaimTest(
        "rate_in_range",
        ("responder_nrs_vp_1w",),
        needed="responders with the number of patients observed, by a stated definition",
    ),
    "C08": ClaimTest(
        "benefit",
        ("pain_vp_sham_1d", "pain_vp_sham_1w"),
        read_as="more relief than after a sham procedure; relief in both groups would be no test",
    ),
    "C09": ClaimTest("peak_at", _SHAM, "every", read_as=_BEYOND_SHAM),
    "C10": ClaimTest(
        "little_benefit",
        (*_SHAM, "pain_vp_nsm_1m", "pain_vp_nsm_12m"),
        "some",
        read_as="a benefit over a sham procedure or usual care below the smallest worthwhile one",
    ),
    "C11": ClaimTest("early_better", ("pain_vp_sham_1m", "pain_vp_sham_12m"), read_as=_BEYOND_SHAM),
    "C12": ClaimTest("early_better", ("pain_vp_sham_1m", "pain_vp_sham_12m"), read_as=_BEYOND_SHAM),
    "C13": ClaimTest(
        "more_than_half",
        ("mild_pain_nsm_12m", "half_relief_nsm_12m"),
        read_as="most patients have little pain or half of it left, whenever that was looked at "
        "within a year",
    ),
    "C14": ClaimTest("needs_patients", needed=f"{_PATIENTS}, treated at different times"),
    "C15": ClaimTest(
        "needs_patients", needed="results by collapse and by non-union, printed or per patient"
    ),
    "C16": ClaimTest("needs_patients", needed="scores before and one day after the procedure"),
    "C17": ClaimTest(
        "benefit",
        ("rmdq_vp_sham_1m", "rmdq_vp_sham_12m", *(f"pcs_kp_nsm_{t}" for t in ("1m", "6m", "12m"))),
        read_as="vertebroplasty against sham and kyphoplasty against usual care",
    ),
    "C18": ClaimTest("equivalent", ("pain_kp_vp_1m", "pain_kp_vp_12m")),
}


def examine_claims(
    literature: Literature | None = None,
    *,
    claims: pd.DataFrame | None = None,
    answers: Sequence[tuple[Question, Answer]] | None = None,
) -> ExaminedClaims:
    """Hold each claim against the pooled results it is about; the verdict follows from a stated rule.

    Parameters
    ----------
    literature
        As `load_literature()` gives; loaded if left out.
    claims
        As `load_claims()` gives; loaded if left out. A claim without an entry in `CLAIM_TESTS` cannot
        be tested and says so.
    answers
        Questions with their answers, if they are already at hand.

    Returns
    -------
    ExaminedClaims
        A claim is supported where results speak for it, none against it, and no more are open than
        speak for it; contradicted likewise; mixed where results disagree or most are open; otherwise
        it cannot be tested with these data. "Some studies" needs one result for it; "the most common"
        needs every result for it and falls with one against it.

    Examples
    --------
    >>> sum(examine_claims().counts.values())
    18
    """
    record = load_literature() if literature is None else literature
    rows = load_claims(record.folder) if claims is None else claims
    known = {question.id: (question, found) for question, found in answers or ()}
    asked = _asked(rows, record, known)
    verdicts: list[dict[str, Any]] = []
    evidence: list[dict[str, Any]] = []
    against = _contradictions(rows)
    for row in rows.to_dict("records"):
        claim = {str(key): value for key, value in row.items()}
        test = CLAIM_TESTS.get(claim["claim_id"], _UNKNOWN)
        judged = _judge(claim, test, asked, record)
        verdict, because = _verdict(judged, test)
        counts = {
            f"n_{kind}": sum(one.finding == kind for one in judged)
            for kind in ("for", "against", "partly", "open")
        }
        verdicts.append(
            {
                **{name: claim[name] for name in ("claim_id", "topic", "claim")},
                "verdict": verdict,
                "rule": _rule_words(test),
                **counts,
                "because": because,
                "contradicts": ", ".join(against.get(claim["claim_id"], [])),
                "source_document": claim["source_document"],
                "source_line": claim["source_line"],
            }
        )
        evidence += [_line(claim["claim_id"], one, asked) for one in judged]
    columns = "claim_id question_id title measure unit k estimate ci_low ci_high finding because"
    return ExaminedClaims(pd.DataFrame(verdicts), pd.DataFrame(evidence, columns=columns.split()))


_UNKNOWN: Final = ClaimTest(
    "needs_patients", needed="a test of this claim: an entry in CLAIM_TESTS"
)


def questions_about(rows: pd.DataFrame) -> tuple[str, ...]:
    """Ids of the questions that the claims in these rows of the sheet are held against."""
    tests = [CLAIM_TESTS[name] for name in rows["claim_id"] if name in CLAIM_TESTS]
    return tuple(dict.fromkeys(name for test in tests for name in test.questions))


def _asked(
    rows: pd.DataFrame, literature: Literature, known: Mapping[str, tuple[Question, Answer]]
) -> dict[str, Asked]:
    """The answers that some claim needs, by question id."""
    by_id = {question.id: question for question in QUESTIONS}
    out = {}
    for name in questions_about(rows):
        question, found = known.get(name) or (by_id[name], answer(by_id[name], literature))
        out[name] = Asked(question.outcome_family, found, question.worthwhile)
    return out


def _judge(
    claim: Mapping[str, Any], test: ClaimTest, asked: Mapping[str, Asked], literature: Literature
) -> list[Judged]:
    usable = [asked[name] for name in test.questions if asked[name].answer.pooled is not None]
    named_is_missing = test.rule == "most_common" and (
        not usable or usable[0] is not asked[test.questions[0]]
    )
    if not usable or named_is_missing:
        return []
    return RULES[test.rule].judge(claim, usable, literature.studies)


def _rule_words(test: ClaimTest) -> str:
    words = RULES[test.rule].words
    return f"{words}. Read as: {test.read_as}" if test.read_as else words


def _verdict(judged: Sequence[Judged], test: ClaimTest) -> tuple[Verdict, str]:
    by = {
        kind: [one for one in judged if one.finding == kind]
        for kind in ("for", "against", "partly", "open")
    }
    n_for, n_against, n_partly, n_open = (len(group) for group in by.values())
    if not n_for + n_against + n_partly:
        if judged:
            whose = "its interval leaves" if n_open == 1 else "every interval leaves"
            return "cannot be tested with these data", f"{_results(n_open)}, and {whose} it open"
        return "cannot be tested with these data", f"needs {test.needed or 'a usable result'}"
    said = "; ".join(
        f"{_results(len(group))} {words}"
        for group, words in (
            (by["for"], "for it"),
            (by["against"], "against it"),
            (by["partly"], "partly for it"),
            (by["open"], "open"),
        )
        if group
    )
    if test.quantifier == "some" and n_for:
        return "supported", f"some do: {said}"
    if test.quantifier == "every":
        if n_against:
            return "contradicted", said
        return "supported" if not n_open else "cannot be tested with these data", said
    if n_for and not n_against + n_partly and n_for >= n_open:
        return "supported", said
    if n_against and not n_for + n_partly and n_against >= n_open:
        return "contradicted", said
    return "mixed", said


def _results(n: int) -> str:
    return "one result" if n == 1 else f"{n} results"


def _contradictions(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Which claims contradict each other, both ways."""
    out: dict[str, list[str]] = {}
    for one, how in zip(rows["claim_id"], rows["how_to_test"], strict=True):
        for other in _CONTRADICTS.findall(how):
            out.setdefault(one, []).append(other)
            out.setdefault(other, []).append(one)
    return out


def _line(claim_id: str, judged: Judged, asked: Mapping[str, Asked]) -> dict[str, Any]:
    found = asked[judged.question_id].answer
    fit = found.pooled
    assert fit is not None
    own = judged.values is not None
    values = judged.values or tuple(fit.natural(x) for x in (fit.estimate, fit.ci_low, fit.ci_high))
    measure = ("OR" if found.measure == "PLO" else "MD") if own else found.measure
    return {
        "claim_id": claim_id,
        "question_id": judged.question_id,
        "title": found.title,
        "measure": measure,
        "unit": found.unit,
        "k": found.k,
        **dict(zip(("estimate", "ci_low", "ci_high"), values, strict=True)),
        "finding": judged.finding,
        "because": judged.because,
    }
