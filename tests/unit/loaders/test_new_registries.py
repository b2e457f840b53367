"""Exports of registries that the loaders were not built with: what is read, and what is said of the rest."""

import pandas as pd
import pyreadstat

from vertebro_outcomes.loaders.workbooks import read_statistical
from vertebro_outcomes.tables.engine import embedded_engine


def test_a_blank_among_dates_with_times_is_blank(tmp_path):
    dates = pd.to_datetime(["2019-02-03 10:30", None])
    pyreadstat.write_sav(pd.DataFrame({"died": dates}), tmp_path / "r.sav")
    source = read_statistical(embedded_engine(), tmp_path / "r.sav")
    assert source.data.died.to_pyarrow().to_pylist() == ["2019-02-03 10:30:00", None]
