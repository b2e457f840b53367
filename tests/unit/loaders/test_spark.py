"""The same load on a Spark session in local mode: row for row the same tables and accounts."""

from pathlib import Path

import pandas as pd
import pytest

from vertebro_outcomes.loaders import column_texts
from vertebro_outcomes.loaders.load import formats, load
from vertebro_outcomes.tables.cohort_tables import STORED

pytestmark = pytest.mark.spark
KEY = b"a key for tests"


@pytest.mark.filterwarnings("ignore")  # of the JVM's Python side, not ours
@pytest.mark.parametrize(
    "name", ["flat", *(pytest.param(n, marks=pytest.mark.slow) for n in ("redcap", "omop"))]
)
def test_spark_and_the_embedded_engine_agree_row_for_row(spark, tmp_path, name):
    path: Path = formats()[name].sample(tmp_path)
    expected = load(path, key=KEY)
    found = load(path, key=KEY, engine=spark)
    for table in STORED:
        pd.testing.assert_frame_equal(found.frame(table), expected.frame(table), check_exact=True)
    pd.testing.assert_frame_equal(found.rejects, expected.rejects)
    pd.testing.assert_frame_equal(found.accounting, expected.accounting)
    assert found.notes == expected.notes
    assert len(expected.frame("scores"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_spark_tells_the_texts_of_columns_that_a_mapping_is_proposed_from(
    spark, tmp_path, monkeypatch
):
    path: Path = formats()["flat"].sample(tmp_path)
    for file in path.glob("*.toml"):
        file.unlink()
    expected = load(path, key=KEY)
    monkeypatch.setattr(column_texts, "SMALL_ROWS", 0)
    found = load(path, key=KEY, engine=spark)
    for table in STORED:
        pd.testing.assert_frame_equal(found.frame(table), expected.frame(table), check_exact=True)
    assert found.notes == expected.notes
