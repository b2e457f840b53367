"""Simulated registries written block by block."""

import hashlib

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.simulate.potential import BLOCK

TABLES = ("patients", "episodes", "levels", "scores", "events", "fractures")


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_same_seed_same_bytes_whatever_the_chunk_size(tmp_path):
    found = []
    for chunk in (1, BLOCK, 5 * BLOCK):
        folder = tmp_path / str(chunk)
        vo.simulate_to(
            folder, n_patients=2 * BLOCK + 10, seed=4, scenario="null", chunk_patients=chunk
        )
        found.append(digests(folder))
    assert found[0] == found[1] == found[2]
    assert {f"{name}.parquet" for name in TABLES} <= set(found[0])


def test_what_is_on_disk_is_what_fits_into_memory(tmp_path):
    vo.simulate_to(tmp_path / "written", n_patients=200, seed=4, scenario="null")
    loaded = vo.load(tmp_path / "written")
    made, truth = vo.simulate_registry(n_patients=200, seed=4, scenario="null")
    assert loaded.synthetic
    for name in TABLES:
        pd.testing.assert_frame_equal(loaded.frame(name), made.frame(name))
    pd.testing.assert_frame_equal(loaded.attrition, made.attrition)
    written = pd.read_csv(tmp_path / "written" / "truth.csv", keep_default_na=False)
    assert len(written) == len(truth.to_frame())


def test_a_folder_with_other_files_stays_as_it_is(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(vo.InputError, match="holds other files"):
        vo.simulate_to(tmp_path, n_patients=10, seed=1, scenario="null")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_chunk_holds_at_least_one_patient(tmp_path):
    with pytest.raises(vo.InputError, match="chunk_patients"):
        vo.simulate_to(tmp_path / "x", n_patients=10, seed=1, scenario="null", chunk_patients=0)
