"""The first page: what was found, in plain words, each number bound to its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.display.numbers import amount, count, percent
from vertebro_outcomes.meta_analysis.certainty_by_rule import rate_certainty
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.analysis import analysis_anchor
from vertebro_outcomes.report.blocks import (
    Block,
    Fold,
    Heading,
    TableBlock,
    anchor,
    bound,
    bullets,
    joined,
    link,
    prose,
)
from vertebro_outcomes.report.findings import Topic, findings_table
from vertebro_outcomes.report.plain_words import in_short
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import sentence, tally, worthwhile
from vertebro_outcomes.results.answer import Answer

Pairs = Sequence[tuple[Question, Answer]]


@dataclass(frozen=True)
class Headline:
    """A question of a patient, and the results that answer it first."""

    asked: str
    results: tuple[str, ...]
    note: str = ""


HEADLINES: Final = (
    Headline(
        "Does it relieve pain?",
        (
            "pain_vp_sham_1m",
            "pain_vp_sham_12m",
            "pain_vp_nsm_1m",
            "pain_vp_nsm_12m",
            "pain_kp_nsm_12m",
        ),
    ),
    Headline(
        "How safe is it?",
        ("complication_any_vp", "leakage_vp", "decompression_vp", "death_vp_sham"),
        "A complication is what each study counted as one. Leakage, looked for on CT or radiographs, "
        "is a question of its own, so it can be more frequent than any complication.",
    ),
    Headline("Does it cause fractures?", ("fracture_vp_sham", "fracture_vp_nsm")),
    Headline(
        "Vertebroplasty or kyphoplasty?",
        ("pain_kp_vp_1m", "pain_kp_vp_12m", "fracture_kp_vp", "leakage_kp_vp_levels"),
    ),
)
_LABELS: Final = {
    "result": "Result",
    "short": "In short",
    "finding": "What was found",
    "certainty": "Certainty by rule",
}


def build(study: Study) -> tuple[Block, ...]:
    """The questions of a patient, then where evidence is thin, then every answer."""
    known = {question.id: (question, answer) for question, answer in study.answers}
    blocks: list[Block] = [
        *_how_to_read(study.answers),
        prose(
            "Certainty follows fixed rules: high for randomised trials, low for others, one step "
            "down each for scores of patients who knew their treatment, studies that disagree, a single "
            "study, an interval that includes both no effect and one that matters, and figures not seen "
            "in the source text, or of inferred direction, that carry half the weight or more. Other "
            "risks of bias, indirectness and missing studies are not rated: a panel could go lower."
        ),
    ]
    for headline in HEADLINES:
        pairs = [known[name] for name in headline.results if name in known]
        if pairs:
            blocks += [
                Heading(headline.asked, f"headline-{anchor(headline.asked)}"),
                _headline_table(headline, pairs),
                *([prose(headline.note)] if headline.note else []),
            ]
    blocks += [*_claims(study), *_thin(study.answers), *_unread(study)]
    blocks += [
        Heading("Question by question", "headline-topics"),
        prose(
            "Results of one question are mostly the same trials at several times: their count is an "
            "overview, not a test."
        ),
    ]
    for topic in _topics():
        pairs = study.about(topic.wanted)
        table = findings_table(
            pairs, name=f"summary_{topic.name}", caption=topic.asked, repeats=True
        )
        inside: tuple[Block, ...] = (prose("{said}", said=tally(pairs)), table)
        short = bound(
            "<strong>{asked}</strong> {said} See {section}.",
            asked=topic.asked, said=tally(pairs), section=link(f"#{anchor(topic.title)}", topic.title),
        )  # fmt: skip
        blocks.append(Fold(f"All results: {topic.asked}", inside, printed=(bullets([short]),)))
    return tuple(blocks)


def _how_to_read(pairs: Pairs) -> tuple[Block, ...]:
    """What the numbers below mean, for a reader who meets them first."""
    fits = [answer.pooled for _, answer in pairs if answer.pooled is not None]
    if not fits:
        return ()
    pain = [(q, a) for q, a in pairs if q.outcome_family == "pain" and worthwhile(q, a) is not None]
    least = ""
    if pain:
        least = bound(
            " The smallest difference in pain that patients find worthwhile is taken to be {least}.",
            least=amount(abs(worthwhile(*pain[0]) or 0), pain[0][1].unit),
        )
    return (
        prose(
            "Each result compares the treatment named first with the one named after "
            "<em>against</em>. Pain is scored from none (zero) to worst (ten points), so a negative "
            "difference is less pain after the treatment named first; a ratio below one is less often "
            "with it. Brackets hold the {level} confidence interval: effects outside it fit "
            "these studies badly.{least} <em>Sham</em> is a pretended procedure, so that patients do "
            "not know what they had.",
            level=percent(fits[0].level, 0), least=least,
        ),
    )  # fmt: skip


def _headline_table(headline: Headline, pairs: Pairs) -> TableBlock:
    rated = [rate_certainty(question, answer) for question, answer in pairs]
    shown = pd.DataFrame(
        {
            "result": [link(f"#{analysis_anchor(q)}", a.title) for q, a in pairs],
            "short": [in_short(q, a, c.level) for (q, a), c in zip(pairs, rated, strict=True)],
            "finding": [sentence(q, a) for q, a in pairs],
            "certainty": [_certainty(c.level, c.reasons) for c in rated],
        }
    )
    data = pd.DataFrame(
        {
            "question_id": [q.id for q, _ in pairs],
            "title": [a.title for _, a in pairs],
            "k": [a.k for _, a in pairs],
            "in_short": [in_short(q, a, c.level) for (q, a), c in zip(pairs, rated, strict=True)],
            "finding": [sentence(q, a).striptags() for q, a in pairs],
            "certainty": [c.level for c in rated],
            "reasons": ["; ".join(c.reasons) for c in rated],
        }
    )
    name = f"headline_{anchor(headline.asked).replace('-', '_')}"
    return TableBlock(name=name, shown=shown, data=data, caption=headline.asked, labels=_LABELS,
                      repeats=True)  # fmt: skip


def _certainty(level: str, reasons: Sequence[str]) -> Markup:
    word = bound("<strong>{level}</strong>", level=level)
    return bound("{word}: {why}", word=word, why="; ".join(reasons)) if reasons else word


def _claims(study: Study) -> tuple[Block, ...]:
    if study.claims is None:
        return ()
    said = [f"{count(n)} {verdict}" for verdict, n in study.claims.counts.items() if n]
    text = prose(
        "Of {n} statements found in texts about the procedures: {said}. See {claims}.",
        n=count(len(study.claims.table)),
        said=joined(said),
        claims=link("#claims-examined", "claims examined"),
    )
    return (Heading("What is said about it", "headline-claims"), text)


def _thin(pairs: Pairs) -> tuple[Block, ...]:
    none = [a for _, a in pairs if a.pooled is None]
    one = [a for _, a in pairs if a.k == 1]
    many = [a for _, a in pairs if a.k > 1]
    items = [
        bound("{n} questions rest on a single study.", n=count(len(one))),
        bound("{n} pool two or more, at most {most} studies.", n=count(len(many)),
              most=count(max((a.k for a in many), default=0))),
    ]  # fmt: skip
    if none:
        names = joined([a.title for a in none], "; ")
        items.append(bound("{n} have no usable result: {names}.", n=count(len(none)), names=names))
    return (Heading("Where the evidence is thin", "headline-thin"), bullets(items))


def _unread(study: Study) -> tuple[Block, ...]:
    """Registries that are missing from the report, said on its first page."""
    names = study.unread_registries
    if not names:
        return ()
    text = prose(
        "Not in this report because it could not be read: {names}. See {registry}.",
        names=joined(names), registry=link("#the-registry", "the registry"),
    )  # fmt: skip
    return (Heading("What is missing", "headline-missing"), text)


def _topics() -> list[Topic]:
    found: list[Topic] = declarations("vertebro_outcomes.report.sections", "TOPIC")
    return sorted((topic for topic in found if topic.asked), key=lambda topic: topic.order)


SECTION = Section(order=10, title="What was found", build=build)
