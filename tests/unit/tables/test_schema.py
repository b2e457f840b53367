"""A declaration finds every wrong cell, names its line, and types what is right."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.errors import Problem
from vertebro_outcomes.tables.schema import Column, Table, as_typed, check

VISITS = Table(
    "visits",
    "one row per visit",
    (
        Column("visit_id", "text", "visit", nullable=False),
        Column("day", "int", "days from day 0", unit="days", low=0),
        Column("pain", "float", "pain", low=0, high=10),
        Column("arm", "text", "treatment", codes=("VP", "NSM")),
        Column("blinded", "bool", "blinded"),
        Column("seen_on", "date", "date of visit"),
        Column("note", "text", "remark", required=False, private=True),
    ),
    key=("visit_id",),
)
GOOD = {
    "visit_id": ["a", "b"],
    "day": ["0", "30"],
    "pain": ["7.5", ""],
    "arm": ["VP", None],
    "blinded": ["true", "0"],
    "seen_on": ["2020-02-29", ""],
}


def frame(**changes):
    return pd.DataFrame({**GOOD, **changes})


def test_a_right_frame_has_no_problem_and_gets_its_types():
    assert check(frame(), VISITS, file="v.csv") == []
    typed = as_typed(frame(), VISITS)
    assert typed["day"].tolist() == [0, 30]
    assert str(typed["day"].dtype) == "Int64"
    assert typed["pain"].iloc[0] == 7.5
    assert np.isnan(typed["pain"].iloc[1])
    assert typed["blinded"].tolist() == [True, False]
    assert typed["seen_on"].iloc[0].date() == date(2020, 2, 29)
    assert check(typed, VISITS, file="v.csv") == []


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("day", "3.5", "a whole number, at least 0, days, or blank"),
        ("day", "-1", "a whole number, at least 0, days, or blank"),
        ("day", "1e999", "a whole number, at least 0, days, or blank"),
        ("pain", "7,5", "a number with a decimal point, 0 to 10, or blank"),
        ("pain", "nan", "a number with a decimal point, 0 to 10, or blank"),
        ("pain", "1_0", "a number with a decimal point, 0 to 10, or blank"),
        ("pain", "11", "a number with a decimal point, 0 to 10, or blank"),
        ("arm", "PV", "VP, NSM, or blank"),
        ("blinded", "perhaps", "true or false (or 1 or 0), or blank"),
        ("seen_on", "2021-02-29", "a date YYYY-MM-DD, or blank"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(column, value, allowed):
    [problem] = check(frame(**{column: [GOOD[column][0], value]}), VISITS, file="v.csv")
    assert problem == Problem(f"v.csv, line 3, column {column}", repr(value), allowed)


def test_the_callers_line_numbers_are_used_and_equal_values_are_one_problem():
    [problem] = check(frame(arm=["X", "X"]), VISITS, file="v.csv", lines=[7, 9])
    assert problem.where == "v.csv, lines 7, 9, column arm"


def test_blank_where_something_must_stand():
    [problem] = check(frame(visit_id=["a", ""]), VISITS, file="v.csv")
    assert (problem.where, problem.found) == ("v.csv, line 3, column visit_id", "blank")


def test_a_key_stands_once():
    [problem] = check(frame(visit_id=["a", "a"]), VISITS, file="v.csv")
    assert problem.where == "v.csv, lines 2, 3, column visit_id"
    assert problem.found == "'a' stands more than once"


def test_missing_and_unknown_columns_come_with_a_hint():
    problems = check(frame().rename(columns={"pain": "pains"}), VISITS, file="v.csv")
    assert [(p.where, p.found) for p in problems] == [
        ("v.csv, column pain", "missing"),
        ("v.csv, column pains", "unknown column"),
    ]
    assert problems[1].allowed == "did you mean pain?"
    assert len(check(frame(extra=[1, 2]), VISITS, file="v.csv", extra="allow")) == 0


def test_values_of_a_private_column_are_not_shown():
    [problem] = check(frame(note=["x", 4711]), VISITS, file="v.csv")
    assert "4711" not in str(problem)


def test_the_declaration_is_a_table_for_readers():
    shown = VISITS.to_frame()
    assert shown["column"].tolist() == list(VISITS.names)
    assert VISITS["day"].unit == "days"
