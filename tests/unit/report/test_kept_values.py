"""A kept result comes back as it was, to the last bit and type, or it is not kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from vertebro_outcomes.meta_analysis.pool import pool
from vertebro_outcomes.report.content_hash import content_hash
from vertebro_outcomes.report.kept_values import kept_json, kept_value
from vertebro_outcomes.report.steps import Trace
from vertebro_outcomes.report.store import Store
from vertebro_outcomes.results.reported_findings import ReportedFindings

FRAME = pd.DataFrame(
    {
        "text": ["a", "", None, np.nan, pd.NA, pd.NaT, "<NA>"],
        "number": [0.1, -0.0, np.nan, np.inf, 1e-300, 2.0, 0.1 + 1e-16],
        "count": [1, 2, 3, 4, 5, 6, 7],
        "flag": [True, False] * 3 + [True],
        "nullable": pd.array([1, None, 3, 4, 5, 6, 7], dtype="Int64"),
        "mixed": [1, 1.0, "1", True, (1, 2), [1], {"a": None}],
    }
)
POOLED = pool(
    pd.DataFrame({"study": ["a", "b"], "effect": [0.1, 0.4], "se": [0.2, 0.3]}), measure="MD"
)


@pytest.mark.parametrize(
    "value",
    [
        None, 0, 0.5, np.float64(0.5), np.int32(3), True, "ä", (1, [2, (3,)]), {"a": 1, 2: (None,)},
        np.array([[1.5, np.nan]]), np.array(["a", None], dtype=object), np.array([], dtype=int),
        np.array(True), FRAME, FRAME.iloc[[3, 1]], FRAME.iloc[:0], FRAME.set_index(FRAME["text"].index[::-1]),
        pd.DataFrame({0: [1], "0": [2]}), POOLED, (POOLED, FRAME),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_kept_comes_back(value):
    text = kept_json(value)
    assert text is not None
    again = kept_value(text)
    assert type(again) is type(value)
    assert content_hash(again) == content_hash(value)
    assert kept_json(again) == text
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(again, value)
        pairs = zip(again.to_numpy(object).ravel(), value.to_numpy(object).ravel(), strict=True)
        assert all(type(one) is type(two) for one, two in pairs)


def test_a_result_that_came_back_answers_as_before():
    text = kept_json(POOLED)
    again = kept_value(text)
    assert str(again) == str(POOLED)
    pd.testing.assert_frame_equal(again.to_frame(), POOLED.to_frame())
    assert np.signbit(kept_value(kept_json(-0.0)))


@dataclass(frozen=True)
class Foreign:
    """A record of no module of the package."""

    x: int


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, b"a", Path("a"), Markup("<b>"), Foreign(1), ValueError("a"), len, FRAME["text"],
        FRAME.set_index("text"), FRAME.set_index(["text", "number"]),
        FRAME.assign(text=FRAME["text"].astype("category")), np.array([1], dtype="datetime64[D]"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_would_come_back_otherwise_is_not_kept(value):
    assert kept_json(value) is None


def test_a_record_names_only_records_of_this_package():
    assert kept_json(ReportedFindings) is None
    with pytest.raises(AssertionError, match="os"):
        kept_value(b'{"record": ["os", "system"], "fields": []}')


def test_a_kept_result_is_taken_only_whole_and_for_the_hash_it_had(tmp_path):
    def store(base="b"):
        return Store(tmp_path, base=base)

    traces = {name: Trace({}, f"hash of {name}") for name in ("some", "none", "odd")}
    store().write(traces, {}, {"some": POOLED, "none": None, "odd": {1, 2}})
    (again,) = store().value("some", "hash of some")
    assert str(again) == str(POOLED)
    assert store().value("none", "hash of none") == (None,)
    assert store().value("odd", "hash of odd") is None  # has no form, so it is computed again
    assert store().value("some", "another hash") is None
    assert store("c").value("some", "hash of some") is None  # another package or version
    for path in (tmp_path / ".steps" / "values").iterdir():
        path.write_text(path.read_text().replace("a", "b") + " ")
    assert store().value("some", "hash of some") is None


def test_what_can_no_longer_be_kept_is_forgotten(tmp_path):
    traces = {"some": Trace({}, "hash")}
    Store(tmp_path, base="b").write(traces, {}, {"some": 1})
    Store(tmp_path, base="b").write(traces, {}, {"some": {1}})
    assert Store(tmp_path, base="b").value("some", "hash") is None
