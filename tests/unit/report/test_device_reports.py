"""Device reports are listed by event and product; no share, rate or percentage is made of them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from vertebro_outcomes.report.blocks import Prose, TableBlock
from vertebro_outcomes.report.gather import device_reports_of
from vertebro_outcomes.report.sections.device_reports import build
from vertebro_outcomes.report.study import Study

ROOT = Path(__file__).parents[3]
LISTED = device_reports_of(ROOT / "data" / "raw" / "device_reports")


def blocks(listed: pd.DataFrame) -> tuple:
    return build(Study({"device reports": listed}.__getitem__))


def test_every_report_is_listed_once() -> None:
    text, table = blocks(LISTED)
    assert isinstance(table, TableBlock)
    assert table.data["n_reports"].sum() == 29
    assert not table.data.duplicated(["source", "event_type", "brand_name"]).any()
    assert "29 reports" in str(text.html)


def test_no_rate_is_made_of_them() -> None:
    """Nothing but whole counts: no fraction, no percent sign, no column that could be a rate."""
    text, table = blocks(LISTED)
    assert isinstance(text, Prose)
    assert list(table.data.columns) == ["source", "event_type", "brand_name", "n_reports"]
    assert table.data["n_reports"].dtype.kind == "i"
    words = " ".join([str(text.html), table.caption, *table.labels.values()]).lower()
    assert not re.search(r"%|percent|per 1|incidence|\d\.\d", words)
    assert all(re.fullmatch(r"[\d,]+", cell) for cell in table.shown["n_reports"])
    modules = [
        ROOT / "vertebro_outcomes" / "loaders" / "device_reports.py",
        ROOT / "vertebro_outcomes" / "report" / "sections" / "device_reports.py",
    ]
    for module in modules:
        code = module.read_text("utf-8")
        assert not re.search(r"normalize|\.mean\(|\.div\(|percent\(|wilson", code), module.name
        assert "n_reports /" not in code


def test_without_files_the_section_says_so(tmp_path: Path) -> None:
    none = device_reports_of(tmp_path / "none")
    assert none.empty
    (text,) = blocks(none)
    assert "nothing to list" in str(text.html)
    assert np.all(none.columns == LISTED.columns)
