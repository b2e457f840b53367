"""What a row tells of a vertebra that it does not name, or of several at once, is not lost nor copied."""

import pytest

from vertebro_outcomes.loaders.leak_events import LEAKS_OF_SEVERAL, LEAKS_TOLD
from vertebro_outcomes.loaders.level_cells import (
    EVENT_TOGETHER,
    NO_LEVEL,
    TOGETHER,
)
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym

KEY = b"told"
NAMES = {pseudonym(str(n), KEY): n for n in range(1, 10)}


def rows_of(cohort, table, *columns):
    """Rows as (identifier as written, columns asked for), in order; blanks are None."""
    return sorted(
        (
            (
                NAMES[row.patient_id],
                *(None if row_is_blank(row, c) else getattr(row, c) for c in columns),
            )
            for row in cohort.frame(table).itertuples()
        ),
        key=str,
    )


def row_is_blank(row, column):
    return str(getattr(row, column)) in ("<NA>", "nan", "None")


def listed(cohort):
    return cohort.rejects[["line", "column", "found", "rule"]].to_numpy().tolist()


# Lines 4 and 6 tell something of a vertebra and not of which; 5, 7 and 8 tell nothing of any.
LONG = """\
patient_id,treatment,procedure_date,level,cement_ml,leakage,kyphosis_pre,detected
1,KP,2019-02-03,T12,3.5,disc,12,yes
1,,,L1,4,none,,yes
2,VP,2019-02-03,,5,epidural,14,yes
3,NSM,2019-02-03,,0,none,,
1,,,,3,none,8,
1,,,,,,,
1,,,,0.0,none,,
"""


def test_a_row_that_does_not_say_of_which_vertebra_it_tells_is_listed(tmp_path):
    (tmp_path / "t.csv").write_text(LONG)
    cohort = load(tmp_path, key=KEY)
    assert rows_of(cohort, "levels", "level", "cement_ml") == [(1, "L1", 4), (1, "T12", 3.5)]
    assert listed(cohort) == [[4, "level", "blank", NO_LEVEL], [6, "level", "blank", NO_LEVEL]]
    # Line 4 is used for patient and episode, line 6 for nothing.
    assert cohort.accounting.iloc[0, 1:].tolist() == [7, 4, 1, 2]
    assert cohort.ignored[["rule", "rows"]].to_numpy().tolist() == [
        ["nothing filled in that is mapped", 2]
    ]


@pytest.mark.slow
def test_a_cell_that_cannot_be_read_tells_of_a_vertebra_too(tmp_path):
    (tmp_path / "t.csv").write_text(
        "patient_id,level,cement_ml,leakage_detected_by\n1,L1,4,CT\n1,,four,CT\n2,,,CT\n2,L9,3,\n"
        "2,L2,3,\n2,L3,2,\n2,L4,1,\n"
    )
    cohort = load(tmp_path, key=KEY)
    assert listed(cohort) == [
        [3, "cement_ml", "xxxx", "not a number"],
        [3, "level", "blank", NO_LEVEL],
        [5, "level", "L9", "not a level from T1 to L5"],
    ]
    assert cohort.accounting.iloc[0, 1:].tolist() == [7, 4, 2, 1]


MAPPED = {
    "feed": [
        {"source": "*", "table": "levels", "columns": {"patient_id": "nr", "level": "h", "cement_ml": "c"}},
        {
            "source": "*",
            "table": "levels",
            "columns": {"patient_id": "nr", "level": {"constant": "L5"}, "cement_ml": "c5"},
        },
        {
            "source": "*",
            "table": "levels",
            "columns": {"patient_id": "nr", "level": {"constant": "L4"}, "cement_ml": "c4"},
            "where": {"box": "1"},
        },
    ]
}  # fmt: skip


@pytest.mark.slow
def test_a_mapped_vertebra_is_one_of_which_something_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("nr,h,c,c5,c4,box\n1,L1,2,0,,1\n2,,3,4,,0\n3,,,,,0\n")
    cohort = load(tmp_path, mapping=MAPPED, key=KEY)
    assert rows_of(cohort, "levels", "level", "cement_ml") == [
        (1, "L1", 2), (1, "L4", None), (2, "L5", 4),
    ]  # fmt: skip
    assert listed(cohort) == [[3, "h", "blank", NO_LEVEL]]
    assert cohort.accounting.iloc[0, 1:].tolist() == [3, 2, 0, 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "levels"),
    [("none,", [("L1", "none")]), ("none,disc", [("L1", "none"), ("L2", "disc")])],
)
def test_where_leaks_alone_are_told_none_is_an_answer(tmp_path, told, levels):
    (tmp_path / "t.csv").write_text(f"patient_id,leak_l1,leak_l2\n1,{told}\n2,disc,venous\n")
    cohort = load(tmp_path, key=KEY)
    assert [
        row[1:] for row in rows_of(cohort, "levels", "level", "leakage") if row[0] == 1
    ] == levels


TOGETHER_ROWS = """\
patient_id,treatment,procedure_date,level,cement_ml,leakage,leakage_detected_by,kyphosis_pre,height_loss_pct,cleft
1,KP,2019-02-03,"L1, L2",6,disc,CT,9,25,yes
2,VP,2019-02-03,T12-L1,,none,CT,,,no
3,VP,2019-02-03,L3,4,venous,CT,7,10,yes
1,KP,2019-02-03,L4,3,none,CT,,,no
"""


def test_what_is_told_once_of_several_vertebrae_is_that_of_none_unless_it_holds_for_each(tmp_path):
    (tmp_path / "t.csv").write_text(TOGETHER_ROWS)
    cohort = load(tmp_path, key=KEY)
    told = ("level", "cement_ml", "leakage", "leakage_detected_by", "kyphosis_pre_deg", "cleft")
    nothing = (None, None, "CT", None, None)
    assert rows_of(cohort, "levels", *told) == [
        (1, "L1", *nothing), (1, "L2", *nothing), (1, "L4", 3, "none", "CT", None, False),
        (2, "L1", None, "none", "CT", None, False), (2, "T12", None, "none", "CT", None, False),
        (3, "L3", 4, "venous", "CT", 7, True),
    ]  # fmt: skip
    assert rows_of(cohort, "events", "type", "day", "level", "detected_by") == [
        (1, "cement_leakage_disc", 0, None, "CT"), (3, "cement_leakage_venous", 0, "L3", "CT"),
    ]  # fmt: skip
    assert listed(cohort) == [
        [2, "cement_ml", "6", TOGETHER],
        [2, "cleft", "xxx", TOGETHER],
        [2, "height_loss_pct", "25", TOGETHER],
        [2, "kyphosis_pre", "9", TOGETHER],
    ]
    assert cohort.accounting.iloc[0, 1:].tolist() == [4, 4, 0, 0]
    assert LEAKS_OF_SEVERAL.format(1) in cohort.notes
    assert LEAKS_TOLD.format(2) in cohort.notes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # An event at the vertebra, or at none that is named, tells the leak already.
        ("1,cement leakage,0,L1", {("cement_leakage", "L1")}),
        ("1,symptomatic leakage,3,", {("symptomatic_leakage", None)}),
        ("1,cement leakage (disc),0,L4", {("cement_leakage_disc", "L4"), ("cement_leakage_disc", "L1")}),
        ("1,pneumonia,3,", {("pneumonia", None), ("cement_leakage_disc", "L1")}),
        ("2,cement leakage,0,L1", {("cement_leakage_disc", "L1")}),
    ],
)  # fmt: skip
def test_a_leak_of_a_vertebra_is_a_complication_once(tmp_path, events, expected):
    (tmp_path / "p.csv").write_text(
        "patient_id,treatment,procedure_date\n1,KP,2019-02-03\n2,VP,2019-02-03\n"
    )
    (tmp_path / "l.csv").write_text(
        "patient_id,level,cement_ml,leakage\n1,L1,4,disc\n2,L1,4,none\n"
    )
    (tmp_path / "e.csv").write_text(f"patient_id,event,day,level\n{events}\n2,pneumonia,4,\n")
    cohort = load(tmp_path, key=KEY)
    assert {
        row[1:] for row in rows_of(cohort, "events", "type", "level") if row[0] == 1
    } == expected
    assert (cohort.accounting["rows_used"] == cohort.accounting["rows_in"]).all()
    cohort.write(tmp_path / "canonical")
    again = load(tmp_path / "canonical")
    assert rows_of(again, "events", "type", "level") == rows_of(cohort, "events", "type", "level")


@pytest.mark.slow
def test_a_complication_at_several_vertebrae_is_one(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,treatment,procedure_date\n1,KP,2019-02-03\n")
    (tmp_path / "e.csv").write_text(
        "patient_id,event,day,level\n1,infection,9,T12-L1\n1,cement leakage,0,L1\n1,pneumonia,2,\n"
    )
    cohort = load(tmp_path, key=KEY)
    assert rows_of(cohort, "events", "type", "level") == [
        (1, "cement_leakage", "L1"), (1, "infection", None), (1, "pneumonia", None),
    ]  # fmt: skip
    ((line, column, _, rule),) = listed(cohort)
    assert (line, column, rule) == (2, "level", EVENT_TOGETHER)
