"""Find printed numbers that contradict each other, within a row and between rows."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.reported.rule import Kind, Row
from vertebro_outcomes.results.reported_findings import ReportedFindings

# A table's kind is told by its columns, the most telling first.
KINDS: Final[tuple[tuple[Kind, frozenset[str]], ...]] = (
    ("note", frozenset({"noted"})),
    ("input", frozenset({"review_id", "mean_t", "events_t"})),
    ("mean", frozenset({"mean"})),
    ("counts", frozenset({"events", "n"})),
    ("effect", frozenset({"estimate"})),
    ("study", frozenset({"arms", "n_total"})),
)


LITERATURE_SHEETS: Final = (
    "studies",
    "arm_continuous",
    "arm_binary",
    "contrasts",
    "pooled_published",
    "review_inputs",
    "known_contradictions",
)


def check_reported(
    tables: pd.DataFrame | Mapping[str, pd.DataFrame] | Literature,
) -> ReportedFindings:
    """Check printed numbers against each other.

    Parameters
    ----------
    tables : DataFrame, mapping of a name to a DataFrame, or Literature
        Printed numbers, best as text (a number loses its trailing zeros). The columns tell the kind:
        `estimate ci_low ci_high p_value measure` (contrasts and pooled results), `events n percent`
        (counts), `mean sd n scale_min scale_max` (scores), `arms n_total` (studies). Rows of one study
        are joined by `trial_id`, `study_id`, `review_id` or `study`, and by `outcome`, `arm`,
        `timepoint_days`.

    Returns
    -------
    ReportedFindings
        Each finding names its rows, the printed texts, what follows from what, and how sure it is.

    Raises
    ------
    InputError
        A table of no known kind.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> printed = pd.DataFrame({"estimate": ["-0.05"], "ci_low": ["-0.01"], "ci_high": ["0.11"]})
    >>> vo.check_reported(printed).to_frame()["follows"][0]
    'the estimate lies outside its own interval'
    """
    if isinstance(tables, Literature):
        tables = {name: tables.printed[name] for name in LITERATURE_SHEETS}
    if isinstance(tables, pd.DataFrame):
        tables = {"row": tables}
    if not isinstance(tables, Mapping):
        allowed = "a DataFrame, or a mapping of names to DataFrames"
        raise refuse_argument("check_reported", "tables", type(tables).__name__, allowed)
    rows = [row for name, frame in tables.items() for row in _rows(name, frame)]
    found = [finding for rule in declarations(_RULES, "RULE") for finding in rule(rows)]
    place = {row.row_id: i for i, row in enumerate(rows)}
    found.sort(key=lambda finding: place[finding.rows[0]])
    return ReportedFindings(tuple(found), n_rows=len(rows))


_RULES: Final = "vertebro_outcomes.meta_analysis.reported"


def _rows(name: str, frame: pd.DataFrame) -> list[Row]:
    kind = _kind(name, frame)
    ids = frame["source_line"] if "source_line" in frame.columns else None
    texts = {str(column): _texts(frame[column]) for column in frame.columns}
    return [
        Row(
            row_id=str(ids.iloc[i]) if ids is not None else f"{name} {i + 1}",
            kind=kind,
            cells={column: values[i] for column, values in texts.items() if values[i]},
        )
        for i in range(len(frame))
    ]


def _kind(name: str, frame: pd.DataFrame) -> Kind:
    for kind, needed in KINDS:
        if needed <= set(frame.columns):
            return kind
    allowed = "; or ".join(" ".join(sorted(needed)) for _, needed in KINDS)
    found = f"columns {', '.join(map(str, frame.columns)) or 'none'}"
    problem = Problem(f"table {name}", found, f"a table with the columns {allowed}")
    raise InputError("check_reported()", [problem], "rename the columns")


def _texts(column: "pd.Series[object]") -> list[str]:
    return ["" if pd.isna(value) else _text(value) for value in column]


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
