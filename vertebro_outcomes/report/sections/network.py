"""All treatments against each other: networks of the randomised trials."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from vertebro_outcomes.display.figures.svg import axes_svg
from vertebro_outcomes.display.numbers import count, p_value
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.outcomes import family_outcome
from vertebro_outcomes.report.analysis import left_out_in_short
from vertebro_outcomes.report.blocks import (
    Block,
    FigureBlock,
    Fold,
    Heading,
    TableBlock,
    anchor,
    prose,
)
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import reason_words, with_labels
from vertebro_outcomes.results.network_effect import NetworkEffect

_LABELS: Final = {
    "versus": "",
    "study": "Study",
    "reason": "Why it is left out",
    "treatment": "Treatment",
    "p_score": "P-score",
}


def build(study: Study) -> tuple[Block, ...]:
    """Graph, forest plot, league table and inconsistency of each network."""
    if not study.networks:
        return (prose("No network of treatments could be built from the trials at hand."),)
    labels = study.labels
    blocks: list[Block] = [
        prose(
            "Trials that share a treatment connect all others. Most comparisons rest on one trial, and "
            "sham and open trials differ in more than the comparator: read a network estimate as a "
            "bridge, not as a trial."
        )
    ]
    for question, net in study.networks:
        blocks += _network(question, net, labels)
    return tuple(blocks)


def _network(
    question: Question, net: NetworkEffect, labels: Mapping[str, str]
) -> tuple[Block, ...]:
    name = question.id
    small = family_outcome(question.outcome_family).better == "lower"
    league = net.league_table().reset_index(names="versus").astype(str)
    scores = net.p_scores(small_is_good=small).sort_values(ascending=False, kind="stable")
    left = pd.DataFrame(
        [
            {"study": s.study, "reason": reason_words(with_labels(s.reason, labels))}
            for s in net.excluded
        ]
    )
    said = _in_words(str(net))
    blocks: list[Block] = [
        Heading(question.title, anchor(name)),
        prose("{said}.", said=said),
        prose(_direction(question), unit=family_outcome(question.outcome_family).unit or "points"),
        *([prose("{notes}", notes=" ".join(net.notes))] if net.notes else []),
        FigureBlock(
            name=f"{name}_graph",
            svg=axes_svg(net.plot("graph")),
            alt=f"Network of {question.title}: which treatments were compared directly. {said}.",
            caption=f"{question.title}: who was compared with whom; numbers count trials.",
        ),
        FigureBlock(
            name=name,
            svg=axes_svg(net.plot()),
            alt=f"Forest plot of the network, {question.title}. {said}.",
            caption=f"{question.title}: every treatment against {net.reference}, from the network.",
        ),
        TableBlock(
            name=f"{name}_league",
            shown=league,
            data=net.to_frame("natural", pairs="all"),
            caption=f"{question.title}: row against column",
            labels=_LABELS,
        ),
        prose(_inconsistency(net), **_tested(net)),
        prose(
            "P-scores, the mean certainty of being better than another treatment: {scores}.",
            scores=", ".join(f"{t} {score:.2f}" for t, score in scores.items()),
        ),
    ]
    if len(left):
        table = TableBlock(
            name=f"{name}_left_out",
            shown=left,
            data=left,
            caption=f"Left out of the network: {question.title}",
            labels=_LABELS,
        )
        rows = f"{count(len(left))} {'row' if len(left) == 1 else 'rows'}"
        short = left_out_in_short(rows, left["reason"], f"tables/{table.name}.csv")
        blocks.append(Fold(f"{rows} left out of this network, and why", (table,), printed=(short,)))
    return tuple(blocks)


def _in_words(text: str) -> str:
    return text.replace("REML_exact", "REML, multi-arm trials exactly")


def _direction(question: Question) -> str:
    """Which side is good, and what P-scores are."""
    if question.measure == "MD":
        lower = family_outcome(question.outcome_family).better == "lower"
        return (
            "Differences are in {unit}; a negative one favours the treatment named, a positive one the "
            "reference." if lower else "Differences are in {unit}; a positive one favours the "
            "treatment named, a negative one the reference."
        )  # fmt: skip
    return "A ratio below one favours the treatment named, one above it the reference."


def _inconsistency(net: NetworkEffect) -> str:
    if _tested(net)["df"] == count(0):
        return (
            "No comparison has both direct and indirect evidence: whether they agree is untested."
        )
    return "Direct and indirect evidence, between designs: Q with {df} degrees of freedom, {p}."


def _tested(net: NetworkEffect) -> dict[str, str]:
    row = net.inconsistency().loc["between designs"]
    return {"df": count(float(row["q_df"])), "p": p_value(float(row["q_p_value"]))}


SECTION = Section(order=55, title="All treatments against each other", build=build)
