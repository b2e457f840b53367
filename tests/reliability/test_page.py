"""The page on reliability says what the long runs counted."""

import json
import re

from tests.reliability.page import PAGE, WORDS, page
from tests.reliability.tally import RECORD, tally


def test_the_page_is_in_step_with_the_counts():
    record = json.loads(RECORD.read_text("utf-8"))
    assert PAGE.read_text("utf-8") == page(record)
    assert set(record) <= set(WORDS)


def test_nothing_planted_was_found():
    record = json.loads(RECORD.read_text("utf-8"))
    assert sum(counts["found"] for counts in record["planted identifiers"].values()) == 0


def test_no_cell_is_counted_twice():
    counts = {"cells": 5, "found": 0}
    made = page({"planted identifiers": {"csv": counts, "omop": counts, "data and report": counts}})
    assert "| data and report | 5 | 0 |" in made
    assert "| **all** | 10 | 0 |" in made


def test_every_broken_file_is_accounted_for():
    for counts in json.loads(RECORD.read_text("utf-8"))["broken files"].values():
        assert counts["inputs"] == counts["result"] + counts["refused"]


def test_counts_are_kept_only_when_asked_for(monkeypatch):
    monkeypatch.delenv("VERTEBRO_TALLY", raising=False)
    before = RECORD.read_bytes()
    tally("broken files", "levels", inputs=1, result=1, refused=0)
    assert RECORD.read_bytes() == before


def test_every_locked_package_has_its_licence_listed():
    text = (PAGE.parent / "LICENCES.md").read_text("utf-8")
    locked = re.findall(
        r"^([A-Za-z0-9._-]+)==([^\s;\\]+)",
        (PAGE.parents[1] / ".requirements" / "report.txt").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(locked) > 50
    assert [row for row in locked if f"| {row[0]} | {row[1]} | " not in text] == []
