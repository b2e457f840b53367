"""Odd study lines and settings end in a verdict, never in an error."""

import pytest

import vertebro_outcomes as vo
from tests.rm5_files import data_line, outcome, review

SETTINGS = {"METHOD": "MH", "EFFECT_MEASURE": "RR", "RANDOM": "NO", "TOTALS": "YES"}
STORED = {"EFFECT_SIZE": "0.123456789", "CI_START": "0.0123456789", "CI_END": "1.23456789"}
GOOD = ({"e1": 3, "n1": 40, "e2": 7, "n2": 41}, {"e1": 5, "n1": 60, "e2": 9, "n2": 61})


def verdict(path, *odd, settings=SETTINGS):
    lines = [data_line("DICH", line, i) for i, line in enumerate((*GOOD, *odd))]
    path.write_bytes(review([outcome("DICH", 1, settings, STORED, lines)]))
    return vo.reproduce(path).to_frame().iloc[0]


@pytest.mark.parametrize(
    "odd",
    [
        {"e1": 0, "n1": 0, "e2": 0, "n2": 0},
        {"e1": 0, "n1": 0, "e2": 3, "n2": 20},
        {"e1": 2.5, "n1": 40.5, "e2": 7, "n2": 41},
        {"e1": 50, "n1": 40, "e2": 7, "n2": 41},
        {"e1": -1, "n1": 40, "e2": 7, "n2": 41},
        {"e1": 1e150, "n1": 1e180, "e2": 1e150, "n2": 1e180},
    ],
)
def test_lines_that_are_no_trial(tmp_path, odd):
    found = verdict(tmp_path / "review.rm5", odd)
    assert found["verdict"] in ("not_reproduced", "not_checkable")
    assert found["reason"]


def test_an_empty_arm_changes_nothing(tmp_path):
    with_empty = verdict(tmp_path / "a.rm5", {"e1": 0, "n1": 0, "e2": 3, "n2": 20})
    without = verdict(tmp_path / "b.rm5")
    assert with_empty["k"] == without["k"] == 2
    assert with_empty["recomputed_estimate"] == without["recomputed_estimate"]


def test_a_measure_of_another_type_of_data(tmp_path):
    found = verdict(tmp_path / "review.rm5", settings={**SETTINGS, "EFFECT_MEASURE": "SMD"})
    assert found["verdict"] == "not_checkable"
    assert "measure" in found["reason"]
