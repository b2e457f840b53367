"""The flow chart of a registry as a figure: the numbers of the table beside it, and nothing else."""

import itertools
from collections.abc import Mapping
from typing import Any

import pandas as pd

from vertebro_outcomes.display.disclosure import HIDDEN, hide_parts
from vertebro_outcomes.display.figures.flow_chart import draw_flow, left_counts
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.report.blocks import FigureBlock
from vertebro_outcomes.report.registry import picture
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis


def flow_picture(
    chart: pd.DataFrame,
    arms: Mapping[str, str],
    registry: RegistryAnalysis,
    *,
    name: str,
    first: str,
    last: str = "",
    total: str = "",
    caption: str,
) -> FigureBlock:
    """Boxes, arrows and who left; `chart` is the table as it is printed, small counts hidden in it."""
    axes = draw_flow(
        chart, arms, first=first, last=last, total=total,
        mark="synthetic" if registry.synthetic else "",
    )  # fmt: skip
    return picture(
        axes, registry, name=name, alt=f"Flow chart. {_finding(chart, arms)}", caption=caption
    )


def _finding(chart: pd.DataFrame, arms: Mapping[str, str]) -> str:
    """Who came in, who is left, and at which step most left."""
    lines: list[Any] = chart.to_dict("records")
    told = [line for line in lines if HIDDEN not in [line[name] for name in arms]]
    if not told:
        return "The numbers of patients are hidden."
    start, end = told[0], told[-1]
    said = [f"{count(int(start[name]))} {words}" for name, words in arms.items()]
    text = f"{', '.join(said)} patients come in"
    if len(told) == 1:
        return f"{text}."
    left = [f"{count(int(end[name]))} {words}" for name, words in arms.items()]
    few = "" if end is lines[-1] else ", before a last step whose numbers are hidden"
    text = f"{text} and {', '.join(left)} are left{few}"
    drops = [
        (sum(int(line[n]) - int(after[n]) for n in arms), line, after)
        for line, after in itertools.pairwise(lines)
        if HIDDEN not in [row[n] for row in (line, after) for n in arms]
    ]
    _, before, after = max(drops, key=lambda drop: drop[0])
    counts = ", ".join(f"{left_counts(before, after, n)} {words}" for n, words in arms.items())
    return f"{text}; most left at the step '{after['step']}': {counts}."


def hide_arms(chart: pd.DataFrame, arms: list[str], *, total: str, largest_hidden: int) -> None:
    """Hide in place the arms that follow from the total and the other arms, in every line."""
    hidden: set[str] = set()
    for line in chart.to_dict("records"):
        if HIDDEN in [line[name] for name in (total, *arms)]:
            hidden |= {name for name in arms if line[name] == HIDDEN}
            continue
        parts = [int(line[name]) for name in arms]
        rest = int(line[total]) - sum(parts)
        shades = hide_parts([*parts, max(rest, 0)], largest_hidden=largest_hidden)
        hidden |= {name for name, shade in zip(arms, shades, strict=False) if shade}
    if len(hidden) == 1 and len(arms) > 1:  # one alone follows from the others
        shown = [name for name in arms if name not in hidden]
        hidden.add(min(shown, key=lambda name: _largest(chart[name])))
    for name in hidden:
        chart[name] = HIDDEN


def _largest(column: "pd.Series[Any]") -> int:
    return max((int(value) for value in column if value != HIDDEN), default=0)
