"""Contradictions that were seen when the figures were extracted, one side of which is in no sheet."""

from collections.abc import Iterator, Sequence

from vertebro_outcomes.meta_analysis.reported.rule import Row, Rule
from vertebro_outcomes.results.reported_findings import Finding

NAME = "noted at extraction"


def check_notes(rows: Sequence[Row]) -> Iterator[Finding]:
    """Each note as a finding."""
    for row in rows:
        yield Finding(
            rule=NAME,
            rows=(row.row_id,),
            study=row.study,
            about=row.text("about"),
            printed=row.text("printed"),
            follows=row.text("noted"),
            certainty="likely",
        )


RULE = Rule(NAME, frozenset({"note"}), check_notes)
