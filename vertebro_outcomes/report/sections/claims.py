"""Claims about the procedures, each with a verdict, the numbers behind it, and its contradictions."""

from typing import Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display.figures.svg import axes_svg
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.analysis import analysis_anchor
from vertebro_outcomes.report.blocks import (
    Block,
    FigureBlock,
    Heading,
    TableBlock,
    anchor,
    bound,
    bullets,
    joined,
    link,
    prose,
)
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.results.examined_claims import ExaminedClaims, evidence_text

_LABELS: Final = {
    "claim": "Said",
    "verdict": "Verdict",
    "because": "Because",
    "contradicts": "Contradicts",
    "result": "Result",
    "size": "Estimate (95% CI)",
    "finding": "Speaks",
}
_SPEAKS: Final = {
    "for": "for",
    "against": "against",
    "partly": "partly for",
    "open": "leaves it open",
}


def build(study: Study) -> tuple[Block, ...]:
    """Verdicts in one table, then each claim with its evidence; contradicting claims stand together."""
    examined = study.claims
    if examined is None or examined.table.empty:
        return (
            prose("No sheet of claims lies beside the literature sheets; nothing was examined."),
        )
    questions = {question.id: question for question in study.questions}
    said = [f"{count(n)} {verdict}" for verdict, n in examined.counts.items() if n]
    blocks: list[Block] = [
        prose(
            "{n} statements were held against the results of this report: {said}. What each result "
            "says follows from the rule printed with the claim, never from an opinion. A claim is "
            "supported if results speak for it, none against it, and no more are open than for it; "
            "contradicted likewise; mixed if they disagree or most are open; else untested. <em>Some "
            "studies</em> needs one result for it, <em>the most common</em> all of them. Verdicts "
            "weigh neither certainty nor how many results are compared. Claims that need "
            "patients are held against the registry: see {registry}.",
            n=count(len(examined.table)),
            said=joined(said),
            registry=link("#registry-claims", "registry claims"),
        ),
        _verdicts(examined),
        FigureBlock(
            name="claims",
            svg=axes_svg(examined.plot()),
            alt=f"Claims and how many results speak for or against each. {', '.join(said)}.",
            caption="Results that speak for a claim, against it, or leave it open.",
        ),
    ]
    done: set[str] = set()
    for row in examined.table.to_dict("records"):
        if row["claim_id"] in done:
            continue
        pair = [row["claim_id"], *filter(None, row["contradicts"].split(", "))]
        if len(pair) > 1:
            blocks += _side_by_side(examined, pair)
        for name in pair:
            if name not in done:
                blocks += _claim(examined, name, questions)
                done.add(name)
    return tuple(blocks)


def _identity(claim_id: str) -> str:
    return f"claim-{anchor(claim_id)}"


def _verdicts(examined: ExaminedClaims) -> TableBlock:
    rows = examined.table
    shown = pd.DataFrame(
        {
            "claim": [
                bound("{id}: {said}", id=link(f"#{_identity(c)}", c), said=text)
                for c, text in zip(rows["claim_id"], rows["claim"], strict=True)
            ],
            "verdict": rows["verdict"].tolist(),
            "because": rows["because"].tolist(),
            "contradicts": [
                joined([link(f"#{_identity(c)}", c) for c in filter(None, text.split(", "))])
                for text in rows["contradicts"]
            ],
        }
    )
    return TableBlock(
        name="claims", shown=shown, data=rows, caption="Claims and verdicts", labels=_LABELS
    )


def _side_by_side(examined: ExaminedClaims, names: list[str]) -> tuple[Block, ...]:
    rows = examined.table.set_index("claim_id")
    items: list[Markup] = [
        bound(
            "<strong>{id}</strong> {said}: <strong>{verdict}</strong>",
            id=name,
            said=rows.loc[name, "claim"],
            verdict=rows.loc[name, "verdict"],
        )
        for name in names
    ]
    title = f"{' and '.join(names)} contradict each other"
    return Heading(title, f"pair-{anchor('-'.join(names))}"), bullets(items)


def _claim(
    examined: ExaminedClaims, claim_id: str, questions: dict[str, Question]
) -> tuple[Block, ...]:
    row = examined.table.set_index("claim_id").loc[claim_id]
    evidence = examined.about(claim_id)
    blocks: list[Block] = [
        Heading(f"{claim_id}: {row['claim']}", _identity(claim_id)),
        prose(
            "<strong>{verdict}</strong>: {because}. Rule: {rule}.",
            verdict=str(row["verdict"]).capitalize(),
            because=row["because"],
            rule=row["rule"],
        ),
    ]
    if len(evidence):
        shown = pd.DataFrame(
            {
                "result": [
                    link(f"#{analysis_anchor(questions[q])}", title) if q in questions else title
                    for q, title in zip(evidence["question_id"], evidence["title"], strict=True)
                ],
                "size": [evidence_text(line) for _, line in evidence.iterrows()],
                "finding": [_SPEAKS[word] for word in evidence["finding"]],
                "because": evidence["because"].tolist(),
            }
        )
        blocks.append(
            TableBlock(
                name=f"claim_{claim_id.lower()}",
                shown=shown,
                data=evidence,
                caption=f"What speaks to claim {claim_id}",
                labels=_LABELS,
                numeric=("size",),
            )
        )
    return tuple(blocks)


SECTION = Section(order=72, title="Claims examined", build=build)
