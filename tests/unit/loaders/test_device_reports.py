"""Device reports in flat and JSON shapes give the same listing; nothing in it is a rate."""

import json
from pathlib import Path

import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.device_reports import list_device_reports, read_device_reports

ROOT = Path(__file__).parents[3]
FILE = ROOT / "data" / "raw" / "device_reports" / "maude_vertebroplasty_cement_2017.csv"


def test_the_29_reports() -> None:
    reports = read_device_reports(FILE)
    assert len(reports) == 29
    assert reports.date_received.dt.year.eq(2017).all()
    listed = list_device_reports(reports)
    assert listed.columns.tolist() == ["event_type", "brand_name", "n_reports"]
    assert listed.n_reports.sum() == 29


def test_shapes_agree(tmp_path: Path) -> None:
    flat, nested = tmp_path / "a.txt", tmp_path / "b.json"
    flat.write_text(
        "report_number|event_type|date_received|brand_name|sequence_number_outcome\n"
        '7|Injury|03/31/2017|"""CEMENT, X"""|1. L; 2. R\n'
    )
    report = {
        "report_number": "7", "event_type": "Injury", "date_received": "20170331",
        "device": [{"brand_name": "CEMENT, X"}],
        "patient": [{"sequence_number_outcome": ["1. L", "2. R"]}],
    }  # fmt: skip
    nested.write_text(json.dumps({"results": [report]}))
    one, two = read_device_reports(flat), read_device_reports(nested)
    assert one.fillna("").to_dict("list") == two.fillna("").to_dict("list")
    assert one.brand_name.tolist() == ["CEMENT, X"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "{", '{"x": 1}', "[]"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(LoadError):
        read_device_reports(path)
