"""Rows that name texts by their places are written as the rows with those texts."""

import io

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vertebro_outcomes.tables import parquet_rows
from vertebro_outcomes.tables.parquet_parts import _read_struct
from vertebro_outcomes.tables.parquet_rows import Coded, write_rows

N_NAMES, N = 300, 2_000


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(parquet_rows, "ROWS", 256)


@pytest.fixture(scope="module")
def names():
    draw = np.random.default_rng(1)
    known = [f"P{number:x}" for number in draw.choice(10**9, N_NAMES // 2, replace=False)]
    patients = [str(draw.choice(known)) for _ in range(N_NAMES)]  # some have several episodes
    episodes = [
        None if draw.random() < 0.2 else f"E{patient[1:]}-{place}"
        for place, patient in enumerate(patients)
    ]
    return {"patient_id": pa.array(patients), "episode_id": pa.array(episodes, pa.string())}


@pytest.fixture(scope="module")
def places():
    return np.random.default_rng(2).integers(0, N_NAMES, N).astype(np.int32)


def reader(places):
    days = np.arange(len(places)) % 90
    rows = pa.table(
        {
            "day": pa.array(days, mask=days == 7),
            "_at": pa.array(places, pa.int32()),
            "kind": pa.array(np.where(days % 2, "odi", "pain_vas")).dictionary_encode(),
        }
    )
    return rows.to_reader(max_chunksize=256)


def written(places, names, path):
    write_rows(reader(places), path, Coded("_at", names))
    return path


def test_each_row_has_the_texts_at_its_place(names, places, tmp_path):
    path = written(places, names, tmp_path / "scores.parquet")
    expected = {
        "day": [None if n % 90 == 7 else n % 90 for n in range(N)],
        "patient_id": [names["patient_id"][int(place)].as_py() for place in places],
        "episode_id": [names["episode_id"][int(place)].as_py() for place in places],
        "kind": ["odi" if n % 90 % 2 else "pain_vas" for n in range(N)],
    }
    assert None in expected["episode_id"]
    assert pq.read_table(path).to_pydict() == expected
    columns = duckdb.sql(f"FROM '{path}'").fetchall()
    assert columns == list(zip(*expected.values(), strict=True))
    kinds = [str(kind) for kind in duckdb.sql(f"FROM '{path}'").types]
    assert kinds == ["BIGINT", "VARCHAR", "VARCHAR", "VARCHAR"]


def test_the_order_of_the_lists_makes_no_other_file(names, places, tmp_path):
    turned = np.random.default_rng(3).permutation(N_NAMES)
    moved = {name: texts.take(pa.array(turned)) for name, texts in names.items()}
    one = written(places, names, tmp_path / "one.parquet")
    other = written(np.argsort(turned)[places].astype(np.int32), moved, tmp_path / "b.parquet")
    assert one.read_bytes() == other.read_bytes()


def test_a_batch_is_a_row_group_with_a_dictionary_of_its_own(names, places, tmp_path):
    found = pq.ParquetFile(written(places, names, tmp_path / "scores.parquet")).metadata
    assert found.num_row_groups == -(-N // 256)
    for group in range(found.num_row_groups):
        chunks = [found.row_group(group).column(place) for place in range(4)]
        assert all(chunk.has_dictionary_page for chunk in chunks)
        assert [chunk.statistics is not None for chunk in chunks] == [True, False, False, False]


def test_a_dictionary_holds_each_text_once_and_nothing_behind_them(names, places, tmp_path):
    path = written(places, names, tmp_path / "scores.parquet")
    found, text = pq.ParquetFile(path).metadata, path.read_bytes()
    for group in range(found.num_row_groups):
        here = places[group * 256 : (group + 1) * 256]
        for column, name in ((1, "patient_id"), (2, "episode_id")):
            begins = found.row_group(group).column(column).dictionary_page_offset
            header = _read_struct(io.BytesIO(text[begins:]))
            length, n = header[2][1], header[7][1][1][1]  # of the dictionary, uncompressed
            different = {names[name][int(place)].as_py() for place in here} - {None}
            assert n == len(different)
            assert length == sum(4 + len(word) for word in different)


@pytest.mark.parametrize("repeats", [True, False])
def test_texts_that_all_differ_are_looked_up_as_they_stand(tmp_path, repeats):
    told = {"patient_id": pa.array([f"P{n:03d}" for n in range(400)])}
    places = np.random.default_rng(5).permutation(400).astype(np.int32)
    places = np.repeat(places, 3) if repeats else places
    rows = pa.table({"at": places}).to_reader(max_chunksize=100)
    write_rows(rows, tmp_path / "t.parquet", Coded("at", told, plain=True, repeats=repeats))
    found = pq.read_table(tmp_path / "t.parquet")["patient_id"].to_pylist()
    assert found == [f"P{place:03d}" for place in places]
    group = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0)
    assert group.column(0).has_dictionary_page == repeats


def test_identifiers_that_do_not_come_again_have_no_dictionary(names, tmp_path):
    table = pa.table({"patient_id": names["patient_id"], "site": ["S1"] * N_NAMES})
    write_rows(table.to_reader(max_chunksize=256), tmp_path / "patients.parquet")
    found = pq.ParquetFile(tmp_path / "patients.parquet").metadata.row_group(0)
    assert [found.column(place).has_dictionary_page for place in (0, 1)] == [False, True]
    assert pq.read_table(tmp_path / "patients.parquet").equals(table)


def test_a_batch_of_rows_without_any_text(places, tmp_path):
    nothing = {"patient_id": pa.nulls(N_NAMES, pa.string())}
    path = written(places, nothing, tmp_path / "scores.parquet")
    assert pq.read_table(path)["patient_id"].to_pylist() == [None] * N


@pytest.mark.parametrize("n_names", [0, 5])
def test_no_rows_are_a_file_with_columns(names, n_names, tmp_path):
    few = {name: texts.slice(0, n_names) for name, texts in names.items()}
    path = written(np.array([], np.int32), few, tmp_path / "scores.parquet")
    found = pq.read_table(path)
    assert (found.num_rows, found.column_names) == (0, ["day", "patient_id", "episode_id", "kind"])
