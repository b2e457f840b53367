"""RevMan 5's CSV export: rows of four kinds in one table."""

import csv
import io
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from packages import ASPIRIN, COSTS

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.meta_analysis.reproduce import reproduce

HEADERS = [
    "Comparison Number", "Outcome Number", "Subgroup Number", "Name", "Data Type",
    "Statistical Method", "Effect Measure", "Analysis Model", "Totals", "Study Confidence Interval",
    "Total Confidence Interval", "Events 1", "Mean 1", "SD 1", "Total 1", "Events 2", "Mean 2",
    "SD 2", "Total 2", "O-E", "Variance", "Effect Estimate", "SE", "CI Start", "CI End", "Weight",
    "Q", "P(Q)", "I²(Q)", "Tau²", "Z", "P(Z)", "Qint", "P(Qint)", "I²(Qint)", "df",
    "Group Label 1", "Group Label 2", "Year of study", "User defined order",
]  # fmt: skip


def row(comparison, outcome, subgroup, name, **cells):
    places = {
        "Comparison Number": comparison,
        "Outcome Number": outcome,
        "Subgroup Number": subgroup,
    }
    return {**places, "Name": name, **{key.replace("_", " "): cell for key, cell in cells.items()}}


def pooled(estimate, low, high, **cells):
    return {"Effect Estimate": estimate, "CI Start": low, "CI End": high, **cells}


def fleiss():
    """The two examples of Fleiss (1993) as RevMan 5.0 exports them."""
    rows = [row(1, 0, 0, "Examples from Fleiss (1993)")]
    stored = pooled(0.89686556, 0.8405144, 0.95699471, Q=9.94605598, Weight=100)
    kind = {"Data Type": "DIC", "Statistical Method": "MH", "Effect Measure": "OR"}
    rows.append({**row(1, 1, 0, "Aspirin"), **kind, "Analysis Model": "Fixed", **stored})
    rows += [
        {
            **row(1, 1, 0, s, Events_1=a, Total_1=n1, Events_2=c, Total_2=n2, Weight=w),
            **pooled(e, low, high), "Mean 1": 0, "SD 1": 0, "Year of study": y, "User defined order": i,
        }
        for i, (s, y, a, n1, c, n2, e, low, high, w) in enumerate(ASPIRIN, start=1)
    ]  # fmt: skip
    stored = pooled(-0.70938839, -1.25848502, -0.16029176, Q=5.66012379)
    kind = {"Data Type": "CON", "Statistical Method": "IV", "Effect Measure": "MD"}
    rows.append({**row(1, 2, 0, "Costs"), **kind, "Analysis Model": "Fixed", **stored})
    rows += [
        {
            **row(1, 2, 0, s, Total_1=n1, Total_2=n2, Weight=w), **pooled(e, low, high),
            "Mean 1": m1, "SD 1": s1, "Mean 2": m2, "SD 2": s2, "Events 1": 0, "Year of study": y,
            "User defined order": i,
        }
        for i, (s, y, m1, s1, n1, m2, s2, n2, e, low, high, w) in enumerate(COSTS, start=12)
    ]  # fmt: skip
    return rows


def write(tmp_path, rows, *, separator=",", encoding="utf-8-sig"):
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADERS, restval="", delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / "Review.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_stored_results_come_out(tmp_path, encoding, separator):
    path = write(tmp_path, fleiss(), separator=separator, encoding=encoding)
    review = read_review(path)
    assert review.format == "revman_csv"
    assert [unit.unit_id for unit in review.units] == ["CMP-001.01", "CMP-001.02"]
    assert review.units[0].comparison == "Examples from Fleiss (1993)"
    frame = reproduce(path).to_frame()
    assert list(frame["verdict"]) == ["reproduced"] * 2
    expected = pytest.approx([9.94605598, 5.66012379], abs=1e-7)
    assert list(frame["recomputed_q"]) == expected
    assert list(frame["k"]) == [7, 5]


def test_subgroups_and_totals(tmp_path):
    kind = {
        "Data Type": "DIC",
        "Statistical Method": "MH",
        "Effect Measure": "RR",
        "Analysis Model": "Random",
        "Totals": "Sub-totals only",
        "Total Confidence Interval": "90%",
    }
    rows = [
        row(2, 0, 0, "A versus B"),
        {**row(2, 3, 0, "Death"), **kind, "Qint": 3.1},
        {**row(2, 3, 1, "Early"), **pooled(0.8, 0.5, 1.2)},
        row(2, 3, 1, "S1", Events_1=4, Total_1=20, Events_2=5, Total_2=20, User_defined_order=1),
        {**row(2, 3, 2, "Late"), **pooled(0.7, 0.4, 1.1)},
        row(2, 3, 2, "S2", Events_1=3, Total_1=20, Events_2=5, Total_2=20, User_defined_order=2),
        row(2, 3, 2, "S1", Events_1=1, Total_1=20, Events_2=2, Total_2=20, User_defined_order=3),
    ]
    review = read_review(write(tmp_path, rows))
    overall, early, late = review.units
    assert [unit.unit_id for unit in review.units] == [
        "CMP-002.03",
        "CMP-002.03.01",
        "CMP-002.03.02",
    ]
    assert (overall.shown, early.shown) == (False, True)
    assert [line.study for line in overall.lines] == ["S1", "S2", "S1"]
    assert (late.subgroup, len(late.lines), late.model, late.ci_level) == ("Late", 2, "random", 0.9)
    assert early.published.estimate.value == 0.8


@pytest.mark.parametrize(("log", "measure"), [(True, "HR"), (False, "MD")])
def test_generic_effects_are_shown_on_the_readers_scale(tmp_path, log, measure):
    y, se = 0.4, 0.25
    natural = math.exp if log else float
    words = "Hazard Ratio" if log else "Mean Difference"
    rows = [
        {**row(1, 1, 0, "O"), "Data Type": "IV", "Effect Measure": words, "Analysis Model": "Fixed"},
        {**row(1, 1, 0, "S", SE=se, User_defined_order=1),
         **pooled(natural(y), natural(y - 1.959964 * se), natural(y + 1.959964 * se))},
    ]  # fmt: skip
    (unit,) = read_review(write(tmp_path, rows)).units
    assert (unit.data_type, unit.measure, unit.log_scale) == ("effects", measure, log)
    assert unit.lines[0].effect == pytest.approx(y, abs=1e-12)
    assert unit.lines[0].se == se


def test_observed_minus_expected(tmp_path):
    rows = [
        {**row(1, 1, 0, "O"), "Data Type": "OE", "Statistical Method": "PETO",
         "Effect Measure": "Peto Odds Ratio", "Analysis Model": "Fixed"},
        {**row(1, 1, 0, "S"), "O-E": -2.5, "Variance": 7.5, "Events 1": 9, "Total 1": 30},
    ]  # fmt: skip
    (unit,) = read_review(write(tmp_path, rows)).units
    assert (unit.data_type, unit.measure, unit.method) == ("o_minus_e", "PETO", "PETO")
    assert (unit.lines[0].o_minus_e, unit.lines[0].variance) == (-2.5, 7.5)


def test_nothing_but_names(tmp_path):
    with pytest.raises(LoadError, match="no outcome with studies"):
        read_review(write(tmp_path, [row(1, 0, 0, "A"), row(1, 1, 0, "B")]))
