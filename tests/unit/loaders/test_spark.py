"""The same load on a Spark session in local mode: row for row the same tables and accounts."""

import os
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from vertebro_outcomes.loaders.load import formats, load
from vertebro_outcomes.tables.cohort_tables import STORED

pytestmark = pytest.mark.spark
KEY = b"a key for tests"
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.showConsoleProgress": "false",
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    if shutil.which("java") is None:
        reason = "no Java: Debian's default-jre-headless has one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    ibis = pytest.importorskip("ibis")
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[1]").appName("tests")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.config("spark.sql.warehouse.dir", str(folder / "tables")).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield ibis.pyspark.connect(session)
    session.stop()


@pytest.mark.filterwarnings("ignore")  # of the JVM's Python side, not ours
@pytest.mark.parametrize("name", ["flat", "redcap", "omop"])
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
