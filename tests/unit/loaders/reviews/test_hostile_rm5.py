"""Broken and hostile review files: one message, little time, nothing kept."""

import math
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vertebro_outcomes as vo
from tests.rm5_files import data_line, outcome, review
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.printed import read_printed

GOOD = review(
    [
        outcome(
            "DICH", 1, {"METHOD": "MH", "EFFECT_MEASURE": "RR", "RANDOM": "NO", "TOTALS": "YES"},
            {"EFFECT_SIZE": "0.5", "CI_START": "0.2", "CI_END": "1.1"},
            [data_line("DICH", {"e1": 3, "n1": 40, "e2": 7, "n2": 41}, 0)],
        )
    ]
)  # fmt: skip
NESTED = b"".join(
    b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("k"))
)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]>'
    b"<COCHRANE_REVIEW>&j;</COCHRANE_REVIEW>" % NESTED
)
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
<COCHRANE_REVIEW><NAME>&e;</NAME></COCHRANE_REVIEW>"""


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"not xml at all", "not well-formed"),
        (GOOD[: len(GOOD) // 2], "not well-formed"),
        (b"<RECIPE><NAME>soup</NAME></RECIPE>", "<RECIPE>"),
        (b"<COCHRANE_REVIEW></COCHRANE_REVIEW>", "no analysis"),
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        (b"\xff\xfe\x00\x01" * 50, "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><COCHRANE_REVIEW/>', "encoding"),
        (b"<COCHRANE_REVIEW A='" + b"x" * (100 * 2**20) + b"'/>", "one tag or text"),
    ],
    ids=["empty", "text", "cut", "other", "bare", "bomb", "outside", "binary", "encoding", "giant"],
)  # fmt: skip
def test_a_bad_file_is_one_message_in_little_time(tmp_path, content, word):
    path = tmp_path / "review.rm5"
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(vo.LoadError, match=word) as refused:
        vo.reproduce(path)
    assert time.perf_counter() - start < 4  # 2 s alone; other tests share the cores
    assert "passwd" not in str(refused.value)
    assert list(tmp_path.iterdir()) == [path]


def test_no_such_file_and_a_folder(tmp_path):
    with pytest.raises(vo.LoadError, match="no such file"):
        vo.reproduce(tmp_path / "none.rm5")
    with pytest.raises(vo.LoadError, match="folder"):
        vo.reproduce(tmp_path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path, data):
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path = tmp_path / "review.rm5"
    path.write_bytes(bytes(damaged))
    try:
        found = vo.reproduce(path)
    except vo.LoadError:
        return
    assert len(found.to_frame()) == len(read_review(path).units)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<COCHRANE_REVIEW>" + b"<a>" * 2_000_000, "open at once"),
        (b"<COCHRANE_REVIEW><NAME>" + b"x" * (60 * 2**20), "not well-formed"),
    ],
    ids=["nested", "long name"],
)
def test_depth_and_length_are_bounded(tmp_path, content, word):
    path = tmp_path / "review.rm5"
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(vo.LoadError, match=word):
        vo.reproduce(path)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e-400", "9" * 400, "1e99999999999"])
def test_numbers_beyond_all_measurement_are_none(text):
    assert read_printed(text) is None


@pytest.mark.parametrize(("stored", "verdict"), [("0.5", "not_reproduced"), (None, "reproduced")])
def test_a_stored_number_with_few_digits_is_exact_beside_others_in_full(tmp_path, stored, verdict):
    """1/10 against 2/11, risk ratio 0.55: 0.5 would be its rounding to one decimal."""
    line = data_line("DICH", {"e1": 1, "n1": 10, "e2": 2, "n2": 11}, 0)
    effect = (1 / 10) / (2 / 11)
    half = 1.959963984540054 * (1 - 1 / 10 + 1 / 2 - 1 / 11) ** 0.5
    result = {
        "EFFECT_SIZE": stored or repr(effect),
        "CI_START": repr(effect * math.exp(-half)),
        "CI_END": repr(effect * math.exp(half)),
    }
    settings_ = {"METHOD": "MH", "EFFECT_MEASURE": "RR", "RANDOM": "NO", "TOTALS": "YES"}
    path = tmp_path / "review.rm5"
    path.write_bytes(review([outcome("DICH", 1, settings_, result, [line])]))
    assert vo.reproduce(path).to_frame()["verdict"].tolist() == [verdict]
