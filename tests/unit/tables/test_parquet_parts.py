"""Joined parts hold every row of each part, in order, for readers of two makes."""

from itertools import pairwise

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vertebro_outcomes.tables.parquet_parts import join_parts

ROWS = """select 'P' || (i // 8) as person, i as line, (i % 7) / 10.0 as value,
 case when i % 5 > 0 then (i % 2)::varchar end::enum('0', '1') as word,
 date '2020-01-01' + (i % 50)::int as day, null::bigint as blank, i % 3 = 0 as yes
 from range({first}, {last}) t(i)"""


@pytest.fixture(scope="module")
def connection():
    return duckdb.connect()


def written(connection, folder, bounds, *, rows_each=4096):
    parts = []
    for first, last in pairwise(bounds):
        parts.append(folder / f"{len(parts)}.parquet")
        query = ROWS.format(first=first, last=last)
        connection.execute(f"copy ({query}) to '{parts[-1]}' (row_group_size {rows_each})")
    return parts


@pytest.mark.parametrize(
    "bounds",
    [(0, 100), (0, 9000, 12_000), (0, 0, 10, 10, 25), (5, 5, 5), (0, 70_000, 140_000, 140_001)],
)
def test_the_whole_is_the_parts_one_after_the_other(connection, tmp_path, bounds):
    parts = written(connection, tmp_path, bounds)
    join_parts(parts, tmp_path / "whole.parquet")
    whole = pq.read_table(tmp_path / "whole.parquet")
    assert whole.equals(pa.concat_tables([pq.read_table(part) for part in parts]))
    assert whole["line"].to_pylist() == list(range(bounds[0], bounds[-1]))
    groups = [pq.read_metadata(part).num_row_groups for part in parts]
    assert pq.read_metadata(tmp_path / "whole.parquet").num_row_groups == sum(groups)
    read = connection.execute(f"select line from '{tmp_path}/whole.parquet'").fetchall()
    assert [line for (line,) in read] == whole["line"].to_pylist()


def test_filters_find_the_rows_of_every_part(connection, tmp_path):
    """Readers skip row groups by ranges and bloom filters, which lie elsewhere in the whole."""
    parts = written(connection, tmp_path, (0, 9000, 20_000, 30_000))
    join_parts(parts, tmp_path / "whole.parquet")
    for line in (0, 8999, 9000, 15_000, 29_999):
        query = f"select line from '{tmp_path}/whole.parquet' where person = 'P{line // 8}'"
        assert (line,) in connection.execute(query).fetchall()


def test_one_part_joined_is_that_file(connection, tmp_path):
    (part,) = written(connection, tmp_path, (0, 70_000), rows_each=2048)  # more than 15 row groups
    join_parts([part], tmp_path / "whole.parquet")
    assert (tmp_path / "whole.parquet").read_bytes() == part.read_bytes()


def test_a_file_that_is_no_parquet_is_no_part(tmp_path):
    (tmp_path / "part").write_bytes(b"no Parquet at all")
    with pytest.raises(AssertionError):
        join_parts([tmp_path / "part"], tmp_path / "whole")
