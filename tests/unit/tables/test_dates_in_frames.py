"""A date column of a DataFrame takes dates and ISO texts; a number says no date."""

import datetime

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.typed_frames import to_arrow

DAY = datetime.date(2019, 1, 1)


def dates_of(cells):
    frame = pd.DataFrame({"treatment_date": cells})
    table, problems = to_arrow(frame, STORED["episodes"], name="episodes")
    return table["treatment_date"].to_pylist(), problems


@pytest.mark.parametrize(
    "cells",
    [
        ["2019-01-01", None, ""],
        [DAY, None, np.nan],
        pd.to_datetime(pd.Series(["2019-01-01", None, None])),
        pd.Series([pd.Timestamp("2019-01-01"), pd.NaT, None], dtype=object),
    ],
    ids=["texts", "dates", "timestamps", "objects"],
)
def test_dates_are_read(cells):
    assert dates_of(cells) == ([DAY, None, None], [])


@pytest.mark.parametrize(
    "cells",
    [
        [20190101, 43466, 0],
        [np.inf, 1.0, -1.5],
        pd.array([20190101, 1, 2], dtype="Int64"),
        pd.Series(["soon", 20190101, True], dtype=object),
    ],
    ids=["whole", "infinite", "nullable", "mixed"],
)
def test_numbers_are_refused_as_dates(cells):
    read, problems = dates_of(cells)
    assert read == [None, None, None]
    assert "1, 2, 3" in str(problems[0])
    assert "YYYY-MM-DD" in str(problems[0])
