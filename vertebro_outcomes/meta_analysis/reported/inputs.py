"""A review's pooled number comes out of the study numbers that the review used."""

from collections.abc import Iterator, Sequence
from typing import Final

import pandas as pd

from vertebro_outcomes.meta_analysis.multiverse import multiverse
from vertebro_outcomes.meta_analysis.readings import COLUMNS_OF
from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule, finding
from vertebro_outcomes.results.reported_findings import Finding

NAME: Final = "pooled value and its studies"
FEWEST_STUDIES: Final = 2


def check_inputs(rows: Sequence[Row]) -> Iterator[Finding]:
    """Every defensible specification is tried; where none gives the printed number, what would."""
    for pooled in (row for row in rows if row.kind == "effect" and row.text("review_id")):
        used = [row for row in rows if row.kind == "input" and _belongs(row, pooled)]
        table = _study_table(used)
        if len(table) < FEWEST_STUDIES:
            continue
        numbers = [pooled.number(name) for name in ("estimate", "ci_low", "ci_high")]
        if numbers[0] is None:
            continue
        published = [number.value if number else float("nan") for number in numbers]
        decimals = len(numbers[0].text.partition(".")[2])
        measure = pooled.text("measure")
        found = multiverse(table, published=published, decimals=decimals, measure=measure)
        if not (found.matches["change"] == "none").any():
            ways = found.explanations()
            way = f"; it comes out with {ways[0]}" if ways else ""
            follows = f"the study numbers do not give the pooled value under any model{way}"
            limits = " to ".join(number.text if number else "?" for number in numbers[1:])
            printed = f"{numbers[0].text} ({limits})"
            yield finding(
                NAME, [pooled, *used], printed=printed, follows=follows, certainty="likely"
            )


def _belongs(row: Row, pooled: Row) -> bool:
    names = ("review_id", "comparison", "outcome", "timepoint_label")
    return all(row.text(name) == pooled.text(name) for name in names)


def _study_table(rows: Sequence[Row]) -> pd.DataFrame:
    for names in (COLUMNS_OF["counts"], COLUMNS_OF["means"]):
        numbers = [[row.number(name) for name in names] for row in rows]
        full = [i for i, line in enumerate(numbers) if all(number is not None for number in line)]
        if full:
            values = [[n.value for n in numbers[i] if n is not None] for i in full]
            frame = pd.DataFrame(values, columns=list(names))
            return frame.assign(
                study=[rows[i].text("study_label") for i in full],
                kind=[rows[i].text("kind") for i in full],
            )
    return pd.DataFrame()


RULE = Rule(NAME, frozenset({"effect", "input"}), check_inputs)
