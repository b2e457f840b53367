"""What registries are judged by: sites reporting, patients registered, completeness, follow-up."""

# ruff: noqa: PD003, PD004 -- isnull and notnull are the names Ibis gives them

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pandas as pd

from vertebro_outcomes.tables.cohort_tables import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir

ONE_YEAR_DAYS: Final = 365
WINDOW_DAYS: Final = 90  # a one-year outcome counts from day 275 to day 455


def coverage(tables: Mapping[str, "ir.Table"]) -> pd.DataFrame:
    """One line per measure: `measure n of rate_pct`; patients dead before one year are not due."""
    patients, episodes, scores = tables["patients"], tables["episodes"], tables["scores"]
    registered = _number(patients.count())
    due = patients.filter(patients.death_day.isnull() | (patients.death_day > ONE_YEAR_DAYS))
    near = (scores.day - ONE_YEAR_DAYS).abs() <= WINDOW_DAYS
    seen = scores.filter(near & scores.value.notnull()).select("patient_id").distinct()
    ends = episodes.group_by("patient_id").aggregate(end=episodes.followup_end_day.max())
    followed = ends.filter(ends.end >= ONE_YEAR_DAYS)
    n_due = _number(due.count())
    with_episode = _number(patients.semi_join(episodes, "patient_id").count())
    lines = [
        ("sites reporting", _number(patients.site.nunique()), None),
        ("patients registered", registered, None),
        ("patients with an index episode", with_episode, registered),
        ("patients dead within one year", registered - n_due, registered),
        ("patients with a score at one year", _number(due.semi_join(seen, "patient_id").count()), n_due),
        ("patients followed for one year", _number(due.semi_join(followed, "patient_id").count()), n_due),
    ]  # fmt: skip
    return pd.DataFrame(
        {"measure": name, "n": n, "of": of, "rate_pct": 100 * n / of if of else float("nan")}
        for name, n, of in lines
    ).astype({"of": "Int64"})


def data_quality(tables: Mapping[str, "ir.Table"]) -> pd.DataFrame:
    """Per declared column the share of rows with a value, and why the others have none."""
    absent = tables["absences"]
    counted = absent.group_by(["table", "column", "reason"]).aggregate(n=absent.count())
    reasons = counted.to_pyarrow().to_pandas()
    lines = []
    for name, table in TABLES.items():
        data = tables[name]
        found = data.aggregate(
            n_rows=data.count(), **{f"c_{c}": data[c].count() for c in table.names}
        ).to_pyarrow()
        n = found["n_rows"][0].as_py()
        for column in table.names:
            present = found[f"c_{column}"][0].as_py()
            why = reasons[(reasons["table"] == name) & (reasons["column"] == column)]
            known = dict(zip(why["reason"], why["n"], strict=True))
            line = {"table": name, "column": column, "n": n, "n_present": present}
            line["complete_pct"] = 100 * present / n if n else float("nan")
            for reason in ("not_asked", "not_applicable", "dead"):
                line[f"n_{reason}"] = known.get(reason, 0)
            lines.append(line)
    return pd.DataFrame(lines)


def _number(expression: "ir.Scalar") -> int:
    return int(expression.to_pyarrow().as_py() or 0)
