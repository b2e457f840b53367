"""A check names every problem with counts and lines, and never a person or a text."""

import re

import pandas as pd
import pytest

import vertebro_outcomes as vo


@pytest.fixture(scope="module")
def single():
    return vo.simulate_registry(n_patients=120, seed=5)[0]


@pytest.mark.parametrize(
    "name",
    [
        "csv",
        "omop",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("excel", "redcap", "stata")),
    ],
)
def test_a_check_of_dirty_data_counts_all_and_names_nobody(single, tmp_path, name):
    folder = tmp_path / "clinic"
    errors = vo.export_registry(single, folder, format=name, dirt=True, seed=3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found = vo.check(folder)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    said = str(found)
    refused = errors[errors["expected"] == "refused"]
    told = found.cohort.rejects
    assert set(zip(refused["source_file"], refused["line"], strict=True)) <= set(
        zip(told["source_file"], told["line"], strict=True)
    )
    assert found.problems["count"].sum() == len(told)
    assert not found.problems.duplicated(["source_file", "column", "rule"]).any()
    for row in found.problems.itertuples():
        assert f"{row.rule}: {row.count} cells, first lines {row.first_lines}" in said

    shapes = re.compile(
        r"blank|\(not shown\)|\d+ cells|text of \d+ characters|[9Xx? .,;:/+_'\"()%<>=#*&|-]{1,12}|"
        r"[+-]?\d{1,3}([.,]\d{1,2})?|[A-Za-z]{1,3} ?\d{1,2}"
    )
    words = {word for table in vo.TABLES.values() for c in table.columns for word in c.codes}
    assert {text for text in told["found"] if not shapes.fullmatch(text)} <= words


def test_planted_names_and_sentences_do_not_come_out(tmp_path):
    secret = "Erika Mustermann, Hauptstrasse 5, has pain since Easter"
    pd.DataFrame(
        {
            "patient_id": ["MUSTERMANN-1941", "MUSTERMANN-1941", None],
            "age": [secret, "71", "70"],
            "sex": ["f", secret, "m"],
            "treatment": ["VP", "KP", secret],
            "treatment_date": [secret, "2020-01-02", "2020-01-03"],
            "remarks": [secret, secret, secret],
        }
    ).to_csv(tmp_path / "clinic.csv", index=False)
    found = vo.check(tmp_path / "clinic.csv")
    assert not found.is_clean
    whole = str(found) + found.problems.to_csv() + found.cohort.rejects.to_csv()
    for word in ("MUSTERMANN", "Mustermann", "Erika", "Haupt", "Easter", "1941"):
        assert word not in whole
