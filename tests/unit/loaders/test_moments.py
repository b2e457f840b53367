"""Scores beside a date that is not theirs: a title may name a moment that no column dates."""

import pytest

from vertebro_outcomes.loaders.propose import propose_mapping

PRE = "patient_id,treatment,op_date,VAS pre,"


def read_as(folder, header, row):
    """{column: day or date column} of the scores that are read, {column: why} of the others."""
    (folder / "t.csv").write_text(
        PRE + header + "\n1,VP,2019-02-03,8," + row + "\n", encoding="utf-8"
    )
    proposal = propose_mapping(folder / "t.csv")
    scores = [feed["columns"] for feed in proposal.content["feed"] if feed["table"] == "scores"]
    read = {
        cells["value"]["column"]: cells.get("date", cells.get("day", {})).get("column", "named")
        for cells in scores
    }
    return read, {column: why for _, column, why in proposal.unmapped}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("VAS post,fu_date", "4,2019-08-03"), ("VAS at discharge,date", "4,2019-08-03"),
        ("VAS bei Entlassung,Datum", "4,2019-08-03"), ("VAS last FU,date", "4,2019-08-03"),
        ("VAS 3/12,date", "4,2019-08-03"), ("VAS 1-2 weeks,date", "4,2019-08-03"),
    ],
)  # fmt: skip
def test_a_score_of_a_moment_of_its_own_is_not_that_of_the_date_beside_it(tmp_path, header, row):
    read, others = read_as(tmp_path, header, row)
    assert read == {"VAS pre": "named"}
    assert "nothing says when" in others[header.split(",")[0]]


def test_three_of_twelve_months_are_asked_about(tmp_path):
    _, others = read_as(tmp_path, "VAS 3/12", "4")
    assert "3/12 may mean 3 months" in others["VAS 3/12"]


def test_of_several_scores_the_one_with_no_further_word_is_of_the_date(tmp_path):
    read, others = read_as(tmp_path, "VAS,VAS rest,date", "4,3,2019-08-03")
    assert read == {"VAS pre": "named", "VAS": "date"}
    assert others["VAS rest"] == "'VAS' is read as scores.value"


def test_of_several_numbered_scores_none_is_of_the_date(tmp_path):
    read, others = read_as(tmp_path, "VAS1,VAS2,date", "4,3,2019-08-03")
    assert read == {"VAS pre": "named"}
    assert all("none of them says when" in others[column] for column in ("VAS1", "VAS2"))


def test_what_a_patient_looks_back_on_is_of_the_date(tmp_path):
    read, _ = read_as(tmp_path, "NRS last 24h,date", "4,2019-08-03")
    assert read["NRS last 24h"] == "date"
