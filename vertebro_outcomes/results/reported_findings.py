"""Printed numbers that contradict each other."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from vertebro_outcomes.display.tables import html_table

Certainty = Literal["certain", "likely", "possible"]


@dataclass(frozen=True)
class Finding:
    """One contradiction: which rows, what they print, what follows from what, and how sure it is.

    "certain": impossible whatever was done; "likely": only an unusual analysis explains it;
    "possible": an adjusted analysis or missing patients may explain it.
    """

    rule: str
    rows: tuple[str, ...]
    study: str
    about: str
    printed: str
    follows: str
    certainty: Certainty


@dataclass(frozen=True, repr=False)
class ReportedFindings:
    """Everything that `check_reported` found, in the order of the rows."""

    findings: tuple[Finding, ...]
    n_rows: int

    def to_frame(self) -> pd.DataFrame:
        """`rule rows study about printed follows certainty`, a row per finding."""
        columns = ["rule", "rows", "study", "about", "printed", "follows", "certainty"]
        records = [
            {**finding.__dict__, "rows": "; ".join(finding.rows)} for finding in self.findings
        ]
        return pd.DataFrame(records, columns=columns)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return f"{self.n_rows:,} printed rows: no contradiction found"
        counts = pd.Series([finding.certainty for finding in self.findings]).value_counts()
        words = ", ".join(
            f"{counts[word]} {word}" for word in ("certain", "likely", "possible") if word in counts
        )
        return f"{self.n_rows:,} printed rows: {len(self)} contradictions ({words})"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self.to_frame(), caption=str(self))
