"""Parquet files put one after the other hold what they held, for every reader."""

import io

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vertebro_outcomes.tables import parquet_parts
from vertebro_outcomes.tables.parquet_parts import join_parts


def table(seed, n=5000):
    draw = np.random.default_rng(seed)
    words = [f"P{number:x}" for number in draw.integers(0, 10**9, n)]
    blank = draw.random(n) < 0.3
    return pa.table(
        {
            "name": words,
            "day": pa.array(draw.integers(-40, 4000, n), mask=blank),
            "value": pa.array(draw.normal(size=n), mask=draw.random(n) < 0.01),
            "kind": pa.array(draw.choice(["odi", "pain_vas"], n)).dictionary_encode(),
            "nothing": pa.nulls(n, pa.string()),
            "told": pa.array(draw.random(n) < 0.5),
        }
    )


def by_pyarrow(rows, path):
    pq.write_table(rows, path, row_group_size=1024, write_page_index=True)


def by_duckdb(rows, path):
    connection = duckdb.connect()
    connection.register("rows", rows)
    connection.execute(f"COPY rows TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")


@pytest.fixture(params=[by_pyarrow, by_duckdb])
def parts(request, tmp_path):
    """Three parts of different lengths, and the rows they hold together."""
    tables = [table(1), table(2, 3), table(3, 40_000)]
    path = tmp_path / "part"
    texts = []
    for rows in tables:
        request.param(rows, path)
        texts.append(path.read_bytes())
        path.unlink()
    return texts, pa.concat_tables(t.cast(tables[0].schema) for t in tables)


def test_all_readers_find_the_rows_of_all_parts_in_turn(parts, tmp_path):
    texts, expected = parts
    whole = tmp_path / "scores.parquet"
    join_parts(iter(texts), whole)
    assert [p.name for p in tmp_path.iterdir()] == ["scores.parquet"]
    plain = expected.to_pandas()
    assert pq.read_table(whole).to_pandas().astype(plain.dtypes).equals(plain)
    found = duckdb.sql(f"FROM '{whole}'").df().astype(plain.dtypes)
    assert found.equals(plain)


def test_a_row_is_found_by_the_indexes_of_the_footer(parts, tmp_path):
    texts, expected = parts
    whole = tmp_path / "scores.parquet"
    join_parts(iter(texts), whole)
    for place in (0, 5001, 44_000):
        name = expected["name"][place].as_py()
        n = sum(text == name for text in expected["name"].to_pylist())
        query = f"SELECT count(*) FROM '{whole}' WHERE name = '{name}'"
        assert duckdb.sql(query).fetchall() == [(n,)]
        assert pq.read_table(whole, filters=[("name", "=", name)]).num_rows == n


def test_the_footer_counts_all_rows_and_numbers_all_groups(parts, tmp_path):
    texts, expected = parts
    groups = sum(pq.ParquetFile(io.BytesIO(text)).metadata.num_row_groups for text in texts)
    whole = tmp_path / "scores.parquet"
    join_parts([pa.py_buffer(text) for text in texts], whole)
    found = pq.ParquetFile(whole).metadata
    assert (found.num_rows, found.num_row_groups) == (expected.num_rows, groups)
    assert sum(found.row_group(i).num_rows for i in range(groups)) == expected.num_rows


def test_what_a_footer_says_is_written_as_it_was_read(parts):
    for text in parts[0]:
        footer, begin = parquet_parts._footer(memoryview(text))
        assert parquet_parts._struct_text(footer) == text[begin:-8]


def test_one_part_is_the_file(parts, tmp_path):
    text = parts[0][0]
    join_parts([text], tmp_path / "scores.parquet")
    assert (tmp_path / "scores.parquet").read_bytes() == text


def test_parts_of_two_tables_are_not_joined(tmp_path):
    by_pyarrow(pa.table({"day": [1]}), tmp_path / "a")
    by_pyarrow(pa.table({"week": [1]}), tmp_path / "b")
    with pytest.raises(AssertionError, match="two schemas"):
        join_parts([(tmp_path / name).read_bytes() for name in "ab"], tmp_path / "scores.parquet")


@pytest.mark.parametrize("number", [0, 1, -1, 63, 64, -64, -65, 2**31, 2**62, -(2**62)])
def test_numbers_of_every_size(number):
    text = parquet_parts._number_text(parquet_parts._unsigned(number))
    assert parquet_parts._signed(parquet_parts._number(io.BytesIO(text))) == number


@pytest.mark.parametrize("number", [1, 15, 16, 17, 300])
def test_fields_with_numbers_far_apart_and_every_type(number):
    fields = {
        1: (parquet_parts.TRUE, None),
        1 + number: (parquet_parts.LIST, (parquet_parts.TRUE, [1, 2])),
        2 + 2 * number: (parquet_parts.DOUBLE, b"12345678"),
        3 + 2 * number: (parquet_parts.BYTE, b"7"),
        4 + 3 * number: (parquet_parts.LIST, (parquet_parts.I64, list(range(20)))),
        5 + 3 * number: (parquet_parts.STRUCT, {2: (parquet_parts.FALSE, None)}),
    }
    text = io.BytesIO(parquet_parts._struct_text(fields))
    assert parquet_parts._read_struct(text) == fields
