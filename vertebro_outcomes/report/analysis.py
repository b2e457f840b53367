"""One answer as blocks: finding, forest plot, the studies with their rows, and what was left out."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.forest import forest
from vertebro_outcomes.display.figures.svg import save_svg
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.answer_variants import answer_variants
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.blocks import (
    Block,
    FigureBlock,
    Fold,
    Heading,
    Switch,
    TableBlock,
    anchor,
    joined,
    link,
    prose,
)
from vertebro_outcomes.report.rows import row_links
from vertebro_outcomes.report.wording import (
    caveats,
    outcome_words,
    reason_words,
    sentence,
    with_labels,
    worthwhile,
)
from vertebro_outcomes.results.answer import Answer

# Sign, column, values it stands for, legend.
_MARKS: Final = (
    ("†", "verification", ("corroborated",), "not seen in the source text, corroborated elsewhere"),
    ("‡", "n_source", ("randomised",), "numbers randomised stand in for numbers at follow-up"),
    ("§", "sd_source", ("from_ci", "from_se"), "SD computed from a printed interval or SE"),
    ("¶", "direction_basis", ("inferred",), "direction of the difference inferred, not stated"),
)
_DETAIL: Final = r"\s*(?:\(.*\)|with \S+\.csv:.*)$"  # what differs from row to row of one reason
_READING: Final = (
    "Squares: studies, area by weight. Diamond: pooled effect with its interval. "
    "Bar: where the effect of a new study is expected."
)
_STUDY_LABELS: Final = {
    "study": "Study",
    "when": "When",
    "printed": "Printed",
    "effect": "Effect (95% CI)",
    "weight": "Weight",
    "rows": "Rows",
}
_LEFT_LABELS: Final = {
    "study": "Study",
    "outcome": "Outcome",
    "when": "When",
    "printed": "Printed",
    "rows": "Rows",
    "reason": "Why it is left out",
}


def analysis_anchor(question: Question) -> str:
    """The anchor of an analysis on the page."""
    return f"analysis-{question.id.replace('_', '-')}"


def analysis_blocks(
    question: Question,
    answer: Answer,
    *,
    note: str = "",
    answers: Sequence[tuple[Question, Answer]] = (),
    labels: Mapping[str, str] | None = None,
    lines: Mapping[str, str] | None = None,
) -> tuple[Block, ...]:
    """Everything the report shows about one question; `note` is printed under its tables.

    `labels` and `lines` say by `study_id` what studies are called and where they stand.

    With all `answers` the reader can switch the forest plot to the same trials pooled otherwise.
    """
    limits = caveats(answer)
    blocks: list[Block] = [
        Heading(answer.title, analysis_anchor(question)),
        prose("{finding}", finding=sentence(question, answer)),
    ]
    if limits:
        blocks.append(prose("Caution: {limits}.", limits=joined(limits, "; ")))
    if answer.pooled is not None:
        blocks += [_forest(question, answer, answers), _studies(question, answer, lines or {})]
    if note:
        blocks.append(prose("{note}", note=note))
    if len(answer.left_out):
        blocks.append(_left_out(question, answer, labels or {}))
    return tuple(blocks)


def _marks(entered: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The signs of every row, and a legend line for every sign in use."""
    signs, legend = [""] * len(entered), []
    for sign, column, values, words in _MARKS:
        if column not in entered.columns:
            continue
        hit = entered[column].astype(str).str.startswith(values).tolist()
        signs = [s + sign if h else s for s, h in zip(signs, hit, strict=True)]
        legend += [f"{sign} {words}"] if any(hit) else []
    return signs, legend


def worthwhile_line(question: Question, answer: Answer) -> tuple[float | None, list[str]]:
    """Where the smallest worthwhile difference lies, and the line of the legend that says so."""
    least = worthwhile(question, answer)
    if least is None:
        return None, []
    shown = numbers.amount(least, answer.unit)
    return least, [f"Dotted line: smallest worthwhile difference, {shown}"]


def _forest(
    question: Question, answer: Answer, answers: Sequence[tuple[Question, Answer]]
) -> Block:
    variants = answer_variants(question, answer, answers)
    if len(variants) == 1:
        return _figure(question, answer)
    options: list[tuple[str, tuple[Block, ...]]] = []
    for variant in variants:
        name = f"{question.id}__{variant.name}" if variant.name else question.id
        said = prose("{label}: {found}", label=variant.label.capitalize(),
                     found=sentence(question, variant.answer))  # fmt: skip
        figure = _figure(question, variant.answer, name=name)
        options.append((variant.label, (figure, said) if variant.name else (figure,)))
    return Switch(name=question.id, legend="Pooled by", options=tuple(options))


def _figure(question: Question, answer: Answer, *, name: str = "") -> FigureBlock:
    assert answer.pooled is not None
    signs, legend = _marks(answer.entered)
    rows = answer.pooled.studies_natural.assign(mark=signs)
    given = [name for name in MEASURES[answer.measure].columns if name in answer.entered]
    arms = answer.entered[given].astype(float)
    if given != ["effect"] and arms.notna().to_numpy().any():
        rows = rows.assign(**{name: arms[name].to_numpy() for name in given})
    least, line = worthwhile_line(question, answer)
    legend += line
    sides = (answer.treatment, answer.comparator) if answer.comparator else (answer.treatment,)
    axes = forest(
        rows,
        answer.pooled.summary_natural,
        measure=answer.measure,
        arms=sides,
        better=answer.better or None,
        unit=answer.unit,
        worthwhile=least,
        notes=legend,
    )
    figure = axes.get_figure(root=True)
    assert figure is not None
    return FigureBlock(
        name=name or question.id,
        svg=save_svg(figure),
        alt=f"Forest plot, {answer.title}. {sentence(question, answer).unescape()}",
        caption=f"{answer.title}. {_READING if answer.k > 1 else ''}".strip(),
    )


def _studies(question: Question, answer: Answer, lines: Mapping[str, str]) -> TableBlock:
    assert answer.pooled is not None
    rows = answer.pooled.studies_natural
    entered, signs = answer.entered, _marks(answer.entered)[0]
    effects = [
        numbers.estimate_with_interval(
            row["effect"], (row["ci_low"], row["ci_high"]), measure=answer.measure
        )
        for row in rows.to_dict("records")
    ]
    shown = pd.DataFrame(
        {
            "study": [
                _to_row(f"{name}\N{NO-BREAK SPACE}{mark}".rstrip(), lines.get(key, ""))
                for name, mark, key in zip(
                    entered["study"], signs, entered["study_id"], strict=True
                )
            ],
            "when": entered["timepoint_label"].tolist(),
            "printed": entered["printed"].tolist(),
            "effect": effects,
            "weight": [numbers.percent(round(weight, 6) / 100) for weight in rows["weight_pct"]],
            "rows": [row_links(lines.split(", ")) for lines in entered["source_lines"]],
        }
    )
    data = answer.to_frame().assign(weight_pct=rows["weight_pct"].to_numpy())
    return TableBlock(
        name=question.id,
        shown=shown,
        data=data,
        caption=f"Studies in: {answer.title}",
        labels=_STUDY_LABELS,
        numeric=("effect", "weight"),
    )


def _to_row(name: str, line: str) -> Markup | str:
    """A study linked to where the report prints its publication."""
    return link(f"#{anchor(line)}", name) if line else name


def _left_out(question: Question, answer: Answer, labels: Mapping[str, str]) -> Fold:
    reasons = [with_labels(text, labels) for text in answer.left_out["reason"]]
    left = answer.left_out.assign(reason=reasons)
    shown = pd.DataFrame(
        {
            "study": left["study"].tolist(),
            "outcome": left["outcome"].map(outcome_words).tolist(),
            "when": left["timepoint_label"].tolist(),
            "printed": left["printed"].tolist(),
            "rows": [row_links(lines.split(", ")) for lines in left["source_lines"]],
            "reason": left["reason"].map(reason_words).tolist(),
        }
    )
    table = TableBlock(
        name=f"{question.id}_left_out",
        shown=shown,
        data=left,
        caption=f"Left out of: {answer.title}",
        labels=_LEFT_LABELS,
        repeats=True,
    )
    n = len(left)
    rows = f"{numbers.count(n)} {'row' if n == 1 else 'rows'}"
    return Fold(
        f"{rows} about this question left out, and why",
        (table,),
        printed=(left_out_in_short(rows, left["reason"], f"tables/{table.name}.csv"),),
    )


def left_out_in_short(rows: str, reasons: "pd.Series[str]", file: str) -> Block:
    """On paper: how many were left out for which reason, and where each stands."""
    kinds = (
        reasons.map(reason_words)
        .str.replace(_DETAIL, "", regex=True)
        .str.strip()
        .value_counts(sort=False)
    )
    kinds = kinds.sort_values(ascending=False, kind="stable")
    said = [f"{reason} ({numbers.count(int(n))})" for reason, n in kinds.items()]
    return prose(
        "{rows} about this question left out: {said}. Each stands with its reason in "
        "<code>{file}</code> and in the HTML report.",
        rows=rows, said=joined(said, "; "), file=file,
    )  # fmt: skip
