"""Our answers beside those of published reviews, in one direction and at one time."""

import pytest

from tests import shipped
from vertebro_outcomes.meta_analysis.beside_reviews import beside_published


@pytest.fixture(scope="module")
def frame():
    return beside_published(shipped.answers(), shipped.literature())


def test_the_printed_pool_stands_beside_the_answer_of_its_time(frame):
    rows = frame[frame["source_line"] == "pooled_published.csv:118"]
    assert rows["question"].tolist() == ["Pain, vertebroplasty against sham, 1 month"]
    assert rows[["published_estimate", "published_ci_low", "published_ci_high"]].iloc[
        0
    ].tolist() == [pytest.approx(x) for x in (-0.7, -1.2, -0.3)]


def test_every_number_can_be_traced_and_has_the_direction_of_the_question(frame):
    assert len(frame) >= 5
    for row in frame.itertuples():
        raw = shipped.literature().trace(row.source_line)
        straight = raw["estimate"] == pytest.approx(row.published_estimate)
        turned = -raw["estimate"] if row.measure in ("MD", "SMD") else 1 / raw["estimate"]
        assert straight or turned == pytest.approx(row.published_estimate)
        assert row.published_ci_low <= row.published_estimate <= row.published_ci_high
