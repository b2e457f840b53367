"""What a row tells of a vertebra that it does not name, or of several at once, is not lost nor copied."""

import pytest

from vertebro_outcomes.loaders.level_cells import NO_LEVEL
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
