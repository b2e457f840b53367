"""Every pooled number of the literature sheets has a verdict, and those with inputs come out."""

import csv

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.literature.load import literature_folder
from vertebro_outcomes.loaders.reviews.review_folder import rows_of_review

FOLDERS = sorted(path.name for path in (literature_folder() / "reviews").iterdir())


@pytest.fixture(scope="module")
def literature():
    return vo.load_literature()


def test_every_published_row_has_a_verdict_and_a_reason(literature):
    frame = vo.reproduce_literature(literature).to_frame()
    assert len(frame) == len(literature.pooled_published)
    assert frame["unit_id"].is_unique
    assert (frame["reason"].str.len() > 20).all()
    assert frame["verdict"].value_counts().to_dict() == {
        "not_checkable": len(frame) - 3,
        "reproduced": 2,
        "reproduced_otherwise": 1,
    }


@pytest.mark.parametrize(
    ("unit", "numbers"), [("03", "-2.40 -3.13 -1.67"), ("05", "-1.60 -2.45 -0.75")]
)
def test_printed_numbers_come_out(unit, numbers):
    found = vo.reproduce("xujc2011").to_frame().set_index("unit_id").loc[f"xujc2011.{unit}"]
    names = ("recomputed_estimate", "recomputed_ci_low", "recomputed_ci_high")
    assert " ".join(f"{found[name]:.2f}" for name in names) == numbers
    assert found["verdict"] == "reproduced"


def test_improvements_taken_as_end_scores_are_found():
    found = vo.reproduce("xujc2011").to_frame().set_index("unit_id").loc["xujc2011.07"]
    names = ("recomputed_estimate", "recomputed_ci_low", "recomputed_ci_high")
    assert [round(float(found[name]), 2) for name in names] == [-0.66, -1.48, 0.15]
    assert found["verdict"] == "reproduced_otherwise"
    assert "improvements of Buchbinder 2009 taken as end scores" in found["specification"]


@pytest.mark.parametrize("review_id", FOLDERS)
@pytest.mark.parametrize("name", ["pooled", "inputs"])
def test_folders_hold_what_the_sheets_hold(literature, review_id, name):
    sheet = {"pooled": "pooled_published", "inputs": "review_inputs"}[name]
    file = literature_folder() / "reviews" / review_id / f"{name}.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    expected = rows_of_review(literature, sheet, review_id)
    assert rows == [{key: row[key] for key in rows[0]} for row in expected]


def test_there_are_folders():
    assert {"xujc2011", "cd006349_pub3", "cd006349_pub4"} <= set(FOLDERS)
